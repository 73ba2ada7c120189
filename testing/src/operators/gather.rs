//! Gathering by constant indices: bit for bit.

use std::collections::BTreeSet;

use longshore::internals::kernels::{Work, gather as kernel};
use ndarray::{ArrayD, IxDyn};

use super::copy::{apply_fixed, random_shape, signed};
use crate::executor::Executor;
use crate::golden::{apply, assert_same_bits, trials};
use crate::oracle::gather::gather;
use crate::random::Random;

fn indices(random: &mut Random, shape: &[usize], length: usize) -> ArrayD<i64> {
    let length = length as i64;
    ArrayD::from_shape_simple_fn(IxDyn(shape), || {
        random.range(0, 2 * length as usize) as i64 - length
    })
}

pub fn any_axis_and_any_rank_of_indices(on: &dyn Executor) {
    trials(80, |random| {
        let shape = random_shape(random, 1..7, false);
        let axis = random.range(0, shape.len());
        let picked = random_shape(random, 0..4, true);
        let indices = indices(random, &picked, shape[axis]);
        let input = random.uniform(&shape);
        let axis_given = signed(random, axis, shape.len());
        let actual = apply_fixed(on, &input, |g, x| g.gather(x, &indices, axis_given));
        let what = format!("{shape:?} along {axis} by {indices:?}");
        assert_same_bits(&what, &actual, &gather(&input, &indices, axis));
    });
}

pub fn the_batch_is_kept(on: &dyn Executor) {
    let random = &mut Random::new(4);
    let input = random.uniform(&[5, 7, 3]);
    let indices = indices(random, &[2, 2], 7);
    let actual = apply(on, &input, |g, x| g.gather(x, &indices, 1));
    assert_same_bits("batch", &actual, &gather(&input, &indices, 1));
}

pub fn an_empty_axis_gives_nothing(on: &dyn Executor) {
    let input = ArrayD::zeros(vec![2, 0, 3]);
    let none = ArrayD::zeros(IxDyn(&[0]));
    assert_eq!(apply_fixed(on, &input, |g, x| g.gather(x, &none, 1)).shape(), [2, 0, 3]);
}

pub fn kernels_stay_within_their_output_in_folded_grids(on: &dyn Executor) {
    let (mut entries, mut folded) = (BTreeSet::new(), BTreeSet::new());
    let random = &mut Random::new(5);
    for (outer, length, inner, count) in [
        (1, 1, 1, 1),
        (3, 5, 7, 2),
        (2, 3, 1, 65),
        (1, 9, 4, 16),
        (5, 2, 8, 3),
        (3, 4, 12, 90),
        (1, 63, 5, 127),
        (4, 4, 6, 1),
    ] {
        let input = random.uniform(&[outer, length, inner]);
        let indices =
            indices(random, &[count], length).mapv(|index| index.rem_euclid(length as i64));
        let picked = indices.iter().map(|&index| index as usize).collect();
        let work = Work::Gather(kernel::Geometry { outer, length, inner, indices: picked });
        let launch = work.launch("test", 4).unwrap();
        assert_eq!(launch.kernel.entry == "gather4", inner % 4 == 0);
        entries.insert(launch.kernel.entry);
        folded.extend((launch.workgroups[1] > 1).then_some(launch.kernel.entry));
        let actual = on.dispatch(&work, 4, &[&input], &[outer, count, inner]);
        let expected = gather(&input, &indices, 1);
        assert_same_bits(&format!("{outer} {length} {inner} {count}"), &actual, &expected);
    }
    let all: BTreeSet<&str> = kernel::SHADER.entries().collect();
    assert_eq!(entries, all);
    assert_eq!(folded, all);
}

pub fn bits_are_kept(on: &dyn Executor) {
    let odd = [0x7fc0_1234, 0x7f80_0001, 1, 0x8000_0000].map(f32::from_bits);
    for shape in [[1, 4], [4, 1]] {
        let input = crate::golden::line(&odd).into_shape_with_order(shape.to_vec()).unwrap();
        let [length, inner] = shape;
        let indices: Vec<usize> = (0..length).rev().collect();
        let wide =
            ArrayD::from_shape_vec(IxDyn(&[length]), indices.iter().map(|&i| i as i64).collect());
        let work = Work::Gather(kernel::Geometry { outer: 1, length, inner, indices });
        let actual = on.dispatch(&work, 65_535, &[&input], &shape);
        assert_same_bits("gather", &actual, &gather(&input, &wide.unwrap(), 0));
    }
}
