//! Local response normalization.

use longshore::Lrn;
use longshore::internals::kernels::{Work, lrn as kernel};
use ndarray::{ArrayD, IxDyn};

use super::golden_reductions::{cases, check, number};
use crate::compare::assert_close;
use crate::executor::Executor;
use crate::golden::{apply, narrow, trials, widen, with_one};
use crate::oracle::lrn::lrn;
use crate::random::Random;

fn exact(
    input: &ArrayD<f32>,
    axis: usize,
    size: usize,
    constants: [f32; 3],
) -> crate::oracle::Expected {
    lrn(&widen(input), axis, size, constants.map(f64::from))
}

pub fn golden_cases(on: &dyn Executor) {
    for case in cases("LRN", 2, &["alpha", "beta", "bias", "size"]) {
        let input = narrow(case.array("X"));
        let [alpha, beta, bias] = [("alpha", 1e-4), ("beta", 0.75), ("bias", 1.0)]
            .map(|(key, or)| number(&case, key, or));
        let size = case.whole("size");
        let mut layer = Lrn::new(size).axis(1);
        if !case.options["alpha"].is_null() {
            layer = layer.alpha(alpha).beta(beta).bias(bias);
        }
        let actual = apply(on, &input, |g, x| g.lrn(x, layer));
        check(&case, "out_Y", &actual, &exact(&input, 1, size, [alpha, beta, bias]));
    }
}

pub fn random_shapes_windows_and_constants(on: &dyn Executor) {
    trials(60, |random| {
        let rank = random.range(2, 7);
        let mut shape: Vec<usize> = (0..rank).map(|_| *random.pick(&[1, 2, 3])).collect();
        let axis = random.range(1, rank);
        shape[axis] = *random.pick(&[1, 2, 5, 11]);
        let size = random.range(1, 8);
        let constants = [
            *random.pick(&[0.0, 1e-4, 0.7, 3.0]),
            *random.pick(&[0.0, 0.5, 0.75, 1.0, -1.5]),
            *random.pick(&[0.1, 1.0, 2.5]),
        ];
        let [alpha, beta, bias] = constants;
        let input = random.uniform(&shape) * 3.0;
        let layer =
            Lrn::new(size).alpha(alpha).beta(beta).bias(bias).axis(axis as isize - rank as isize);
        let actual = apply(on, &input, |g, x| g.lrn(x, layer));
        let what = format!("{shape:?} axis {axis} size {size} {constants:?}");
        assert_close(&what, &actual, &exact(&input, axis, size, constants));
    });
}

fn raw(
    on: &dyn Executor,
    input: &ArrayD<f32>,
    size: usize,
    [alpha, beta, bias]: [f32; 3],
    most: u32,
) -> ArrayD<f32> {
    let &[outer, channels, inner] = input.shape() else { panic!("three axes") };
    let geometry = kernel::Geometry { outer, channels, inner, size, alpha, beta, bias };
    on.dispatch(&Work::Lrn(geometry), most, &[input], input.shape())
}

pub fn kernels_stay_within_their_output_in_folded_grids(on: &dyn Executor) {
    let random = &mut Random::new(6);
    for shape in [[1, 1, 1], [7, 9, 1], [8, 8, 1], [13, 5, 1], [2, 3, 65], [3, 31, 2]] {
        for size in [1, 2, 5, 100] {
            let input = random.uniform(&shape) * 4.0;
            let actual = raw(on, &input, size, [0.5, 0.75, 1.0], 3);
            let expected = exact(&input, 1, size, [0.5, 0.75, 1.0]);
            assert_close(&format!("{shape:?} size {size}"), &actual, &expected);
        }
    }
}

pub fn nan_and_infinity_reach_their_window(on: &dyn Executor) {
    let clean = Random::new(9).uniform(&[2, 7, 2]);
    for value in [f32::NAN, f32::INFINITY] {
        let actual = raw(on, &with_one(&clean, &[1, 3, 1], value), 3, [0.5, 0.75, 1.0], 65_535);
        let before = raw(on, &clean, 3, [0.5, 0.75, 1.0], 65_535);
        for ((index, &found), &before) in actual.indexed_iter().zip(&before) {
            let is_near = index[0] == 1 && index[2] == 1 && index[1].abs_diff(3) <= 1;
            if is_near && (value.is_nan() || index[1] == 3) {
                // inf / inf is NaN.
                assert!(found.is_nan(), "{value} at {index:?}: {found}");
            } else if is_near {
                assert_eq!(found.abs(), 0.0, "{value} at {index:?}");
            } else {
                assert_eq!(found.to_bits(), before.to_bits(), "{value} at {index:?}");
            }
        }
    }
    // 0^0.75 is 0, and 0 / 0 no number, as in NumPy.
    let zeros = ArrayD::zeros(IxDyn(&[1, 2, 1]));
    assert!(raw(on, &zeros, 1, [1.0, 0.75, 0.0], 65_535).iter().all(|value| value.is_nan()));
}
