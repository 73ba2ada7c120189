//! The largest and smallest elements along an axis.

use longshore::internals::kernels::{Work, top_k as kernel};
use longshore::ops::reduction::top_k::Part;
use longshore::{Graph, TopK};
use ndarray::{Array3, ArrayD, IxDyn};

use crate::compare::assert_close;
use crate::executor::Executor;
use crate::golden::{batched, trials, widen};
use crate::oracle::top_k::top_k;
use crate::random::Random;

/// Runs a network of one search and returns values and indices.
fn both(on: &dyn Executor, input: &ArrayD<f32>, layer: TopK) -> [ArrayD<f32>; 2] {
    let mut g = Graph::new();
    let x = g.input("x", batched(input.shape()));
    let found = g.top_k(x, layer).unwrap();
    g.output("values", found.values);
    g.output("indices", found.indices);
    let mut results = on.run(&g, input.shape()[0], &[("x", input)]);
    ["values", "indices"].map(|name| results.remove(name).unwrap())
}

pub fn random_shapes_axes_and_counts(on: &dyn Executor) {
    trials(60, |random| {
        let rank = random.range(2, 7);
        let mut shape: Vec<usize> = (0..rank).map(|_| *random.pick(&[1, 2, 3])).collect();
        let axis = random.range(1, rank);
        shape[axis] = *random.pick(&[1, 2, 5, 63, 64, 200]);
        let k = *random.pick(&[1, shape[axis].div_ceil(2), shape[axis]]);
        let largest = random.range(0, 2) == 0;
        // Few different values as often as not, so that many are equal.
        let input = random.uniform(&shape);
        let input = if random.range(0, 2) == 0 { input.mapv(|x| (3.0 * x).round()) } else { input };
        let told = axis as isize - if random.range(0, 2) == 0 { rank as isize } else { 0 };
        let actual = both(on, &input, TopK::new(k).axis(told).largest(largest));
        for (actual, expected) in actual.iter().zip(top_k(&widen(&input), axis, k, largest)) {
            let what = format!("{shape:?} axis {axis} k {k} largest {largest}");
            assert_close(&what, actual, &expected);
        }
    });
}

fn raw(
    on: &dyn Executor,
    input: &ArrayD<f32>,
    (k, largest): (usize, bool),
    part: Part,
    most: u32,
) -> ArrayD<f32> {
    let &[outer, length, inner] = input.shape() else { panic!("three axes") };
    let geometry = kernel::Geometry { outer, length, inner, k, largest, part };
    on.dispatch(&Work::TopK(geometry), most, &[input], &[outer, k, inner])
}

pub fn kernels_stay_within_their_output_in_folded_grids(on: &dyn Executor) {
    let random = &mut Random::new(6);
    for [outer, length, inner] in [[1usize, 1, 1], [7, 9, 1], [1, 500, 1], [13, 65, 3], [2, 3, 131]]
    {
        for (k, largest) in [(1, true), (length.div_ceil(2), false), (length, true)] {
            let input = random.uniform(&[outer, length, inner]).mapv(|x| (40.0 * x).round());
            let expected = top_k(&widen(&input), 1, k, largest);
            for (part, expected) in [Part::Values, Part::Indices].into_iter().zip(expected) {
                let actual = raw(on, &input, (k, largest), part, 7);
                let what = format!("{part:?} {k} of {:?}", input.shape());
                assert_close(&what, &actual, &expected);
            }
        }
    }
}

/// Orders two lines that lie side by side, and compares bits.
#[track_caller]
fn orders(on: &dyn Executor, line: &[f32], largest: bool, expected: &[usize]) {
    let input = Array3::from_shape_fn((1, line.len(), 2), |(_, at, _)| line[at]).into_dyn();
    let [values, indices] = [Part::Values, Part::Indices]
        .map(|part| raw(on, &input, (expected.len(), largest), part, 65_535));
    for (number, &index) in expected.iter().enumerate() {
        for column in 0..2 {
            let at = IxDyn(&[0, number, column]);
            assert_eq!(indices[&at], index as f32, "{line:?}: {indices}");
            assert_eq!(values[&at].to_bits(), line[index].to_bits(), "{line:?}: {values}");
        }
    }
}

pub fn nan_is_the_largest_and_zeros_are_equal(on: &dyn Executor) {
    let (nan, inf) = (f32::NAN, f32::INFINITY);
    let line = [1.0, nan, -inf, 0.0, inf, -0.0, -nan, -1.0];
    orders(on, &line, true, &[1, 6, 4, 0, 3, 5, 7, 2]);
    orders(on, &line, false, &[2, 7, 3, 5, 0, 4, 1, 6]);
    orders(on, &line, true, &[1, 6, 4]);
    orders(on, &line, false, &[2]);
    orders(on, &[-0.0, 0.0, -0.0], true, &[0, 1, 2]);
    orders(on, &[nan; 5], false, &[0, 1, 2, 3]);
}

/// A device may take numbers below the smallest normal one for zero when it computes with them.
pub fn the_smallest_numbers_are_told_apart(on: &dyn Executor) {
    let [one, two] = [1, 2].map(f32::from_bits);
    let line = [0.0, one, -one, two, f32::MIN_POSITIVE, -two];
    orders(on, &line, true, &[4, 3, 1, 0, 2, 5]);
    orders(on, &line, false, &[5, 2, 0, 1]);
    orders(on, &[f32::MAX, f32::MIN, f32::MIN_POSITIVE], true, &[0, 2, 1]);
}

pub fn of_equal_elements_the_lower_index_comes_first(on: &dyn Executor) {
    for largest in [true, false] {
        orders(on, &[2.5; 300], largest, &(0..300).collect::<Vec<_>>());
        orders(on, &[2.5; 300], largest, &[0, 1, 2]);
    }
    // In order already, and the other way round, which is the longest way for a thread.
    let line: Vec<f32> = (0..400u16).map(f32::from).collect();
    orders(on, &line, false, &(0..7).collect::<Vec<_>>());
    orders(on, &line, true, &(393..400).rev().collect::<Vec<_>>());
}
