//! Running sums.

use longshore::CumSum;
use longshore::internals::kernels::{Work, cumsum as kernel};
use ndarray::{ArrayD, IxDyn};

use crate::compare::assert_close;
use crate::executor::Executor;
use crate::golden::{apply, line, trials, widen};
use crate::oracle::cumsum::cumsum;
use crate::random::Random;

/// Exclusive and reverse.
const SWITCHES: [(bool, bool); 4] = [(false, false), (false, true), (true, false), (true, true)];

pub fn random_shapes_axes_and_switches(on: &dyn Executor) {
    trials(60, |random| {
        let rank = random.range(1, 7);
        let mut shape: Vec<usize> = (0..rank).map(|_| *random.pick(&[1, 2, 3])).collect();
        // The first one is the batch.
        let axis = random.range(0, rank);
        shape[axis] = *random.pick(&[1, 2, 5, 63, 64, 65, 200]);
        let [exclusive, reverse] = [(); 2].map(|()| random.range(0, 2) == 0);
        let input = random.uniform(&shape) * 3.0;
        let told = axis as isize - if random.range(0, 2) == 0 { rank as isize } else { 0 };
        let layer = CumSum::new().axis(told).exclusive(exclusive).reverse(reverse);
        let actual = apply(on, &input, |g, x| g.cumsum(x, layer));
        let what = format!("{shape:?} axis {axis} exclusive {exclusive} reverse {reverse}");
        assert_close(&what, &actual, &cumsum(&widen(&input), axis, exclusive, reverse));
    });
}

fn raw(
    on: &dyn Executor,
    input: &ArrayD<f32>,
    (exclusive, reverse): (bool, bool),
    most: u32,
) -> ArrayD<f32> {
    let &[outer, length, inner] = input.shape() else { panic!("three axes") };
    let geometry = kernel::Geometry { outer, length, inner, exclusive, reverse };
    on.dispatch(&Work::CumSum(geometry), most, &[input], input.shape())
}

pub fn kernels_stay_within_their_output_in_folded_grids(on: &dyn Executor) {
    let random = &mut Random::new(6);
    for shape in [[1, 1, 1], [7, 9, 1], [200, 3, 1], [13, 65, 17], [2, 3, 131], [1, 640, 1]] {
        for switches in SWITCHES {
            let input = random.uniform(&shape) * 4.0;
            let actual = raw(on, &input, switches, 3);
            let expected = cumsum(&widen(&input), 1, switches.0, switches.1);
            assert_close(&format!("{shape:?} {switches:?}"), &actual, &expected);
        }
    }
}

pub fn long_sums_keep_their_accuracy(on: &dyn Executor) {
    // A running sum of so many terms near 0.1 is wrong by about 1e-4, blocks are within 1e-5.
    let input = Random::new(8).uniform(&[1, 50_000, 1]).mapv(|x| 0.1 + 1e-3 * x);
    for (exclusive, reverse) in SWITCHES {
        let actual = raw(on, &input, (exclusive, reverse), 65_535);
        let last = if reverse { 0 } else { 49_999 };
        let left_out = if exclusive { f64::from(input[[0, last, 0]]) } else { 0.0 };
        let sum: f64 = input.iter().copied().map(f64::from).sum::<f64>() - left_out;
        let found = f64::from(actual[[0, last, 0]]);
        assert!((found - sum).abs() <= 1e-5 * sum, "{found} but {sum}");
    }
}

pub fn nan_and_infinity_reach_what_is_behind_them(on: &dyn Executor) {
    let (nan, inf) = (f32::NAN, f32::INFINITY);
    let one = [1.0, 2.0, inf, 4.0, -inf, 6.0];
    let cases: [(&[f32; 6], bool, bool, [f32; 6]); 5] = [
        (&one, false, false, [1.0, 3.0, inf, inf, nan, nan]),
        (&one, true, false, [0.0, 1.0, 3.0, inf, inf, nan]),
        (&one, false, true, [nan, nan, nan, -inf, -inf, 6.0]),
        (&one, true, true, [nan, nan, -inf, -inf, 6.0, 0.0]),
        (&[1.0, nan, 3.0, 4.0, 5.0, 6.0], false, false, [1.0, nan, nan, nan, nan, nan]),
    ];
    for (values, exclusive, reverse, expected) in cases {
        let input = line(values).into_shape_with_order(IxDyn(&[1, 6, 1])).unwrap();
        let actual = raw(on, &input, (exclusive, reverse), 65_535);
        for (found, wanted) in actual.iter().zip(expected) {
            let same = found == &wanted || found.is_nan() && wanted.is_nan();
            assert!(same, "{exclusive} {reverse}: {actual} but {expected:?}");
        }
    }
    // And across a block's end.
    let mut values = [1.0; 130];
    values[3] = inf;
    values[100] = -inf;
    let input = line(&values).into_shape_with_order(IxDyn(&[1, 130, 1])).unwrap();
    let actual = raw(on, &input, (false, false), 65_535);
    assert!(actual.iter().skip(3).take(97).all(|&sum| sum == inf), "{actual}");
    assert!(actual.iter().skip(100).all(|sum| sum.is_nan()), "{actual}");
}

pub fn an_empty_axis_gives_an_empty_result(on: &dyn Executor) {
    for shape in [[2, 0, 3], [2, 3, 0]] {
        let input = ArrayD::zeros(IxDyn(&shape));
        let actual = apply(on, &input, |g, x| g.cumsum(x, CumSum::new().axis(1)));
        assert_eq!(actual.shape(), shape);
    }
}
