//! Where: all three operands broadcast, and bits are copied.

use std::collections::BTreeSet;

use longshore::internals::kernels::{Work, select as kernel};
use longshore::{Dim, Graph};
use ndarray::ArrayD;

use super::copy::fixed;
use crate::compare::assert_close;
use crate::executor::Executor;
use crate::golden::{assert_same_bits, line, trials, widen};
use crate::oracle::select::select;
use crate::random::Random;

/// About half zeros.
fn condition(random: &mut Random, shape: &[usize]) -> ArrayD<f32> {
    random.uniform(shape).mapv(|x| if x < 0.0 { 0.0 } else { x })
}

pub fn random_shapes_broadcast_as_in_the_oracle(on: &dyn Executor) {
    trials(60, |random| {
        let rank = random.range(0, 7);
        let full: Vec<usize> = (0..rank).map(|_| *random.pick(&[1, 2, 3, 5])).collect();
        let mut thinned = || -> Vec<usize> {
            let first = random.range(0, rank + 1);
            let keep = |&length: &usize| if random.range(0, 3) == 0 { 1 } else { length };
            full[first..].iter().map(keep).collect()
        };
        let (c, t, f) = (thinned(), thinned(), thinned());
        let (c, t, f) = (condition(random, &c), random.uniform(&t), random.uniform(&f));
        let mut g = Graph::new();
        let symbols =
            [("c", &c), ("t", &t), ("f", &f)].map(|(name, array)| g.input(name, fixed(array)));
        let y = g.select(symbols[0], symbols[1], symbols[2]).unwrap();
        g.output("y", y);
        let actual = on.run(&g, 1, &[("c", &c), ("t", &t), ("f", &f)]).remove("y").unwrap();
        let what = format!("{:?} {:?} {:?}", c.shape(), t.shape(), f.shape());
        assert_close(&what, &actual, &select(&widen(&c), &widen(&t), &widen(&f)));
    });
}

pub fn a_batch_meets_one_item(on: &dyn Executor) {
    let random = &mut Random::new(7);
    let (c, t) = (condition(random, &[5, 3, 1]), random.uniform(&[5, 1, 2]));
    let f = random.uniform(&[2]);
    let mut g = Graph::new();
    let symbols = [
        g.input("c", [Dim::Batch, 3.into(), 1.into()]),
        g.input("t", [Dim::Batch, 1.into(), 2.into()]),
        g.input("f", [2]),
    ];
    let y = g.select(symbols[0], symbols[1], symbols[2]).unwrap();
    g.output("y", y);
    let actual = on.run(&g, 5, &[("c", &c), ("t", &t), ("f", &f)]).remove("y").unwrap();
    assert_close("y", &actual, &select(&widen(&c), &widen(&t), &widen(&f)));
}

pub fn kernels_stay_within_their_output_in_folded_grids(on: &dyn Executor) {
    let (mut entries, mut folded) = (BTreeSet::new(), BTreeSet::new());
    let shapes: [[&[usize]; 4]; 8] = [
        [&[1], &[1], &[1], &[1]],
        [&[63], &[63], &[63], &[63]],
        [&[4], &[4], &[4], &[4]],
        [&[1028], &[1028], &[1028], &[1028]],
        [&[7, 37], &[37], &[7, 1], &[7, 37]],
        [&[], &[5, 13], &[13], &[5, 13]],
        [&[2, 1, 3, 1, 2, 1], &[1, 2, 1, 3, 1, 2], &[2, 2, 3, 3, 2, 2], &[2, 2, 3, 3, 2, 2]],
        [&[0, 3], &[1, 3], &[3], &[0, 3]],
    ];
    let random = &mut Random::new(3);
    for [c, t, f, shape] in shapes {
        let geometry =
            kernel::Geometry { condition: c.to_vec(), on_true: t.to_vec(), on_false: f.to_vec() };
        let work = Work::Select(geometry);
        let launch = work.launch("test", 3).unwrap();
        entries.insert(launch.kernel.entry);
        folded.extend((launch.workgroups[1] > 1).then_some(launch.kernel.entry));
        let (c, t, f) = (condition(random, c), random.uniform(t), random.uniform(f));
        let actual = on.dispatch(&work, 3, &[&c, &t, &f], shape);
        assert_close(&format!("{shape:?}"), &actual, &select(&widen(&c), &widen(&t), &widen(&f)));
    }
    let all: BTreeSet<&str> = kernel::SHADER.entries().collect();
    assert_eq!(entries, all);
    assert_eq!(folded, all);
}

pub fn bits_are_copied_and_nan_is_not_zero(on: &dyn Executor) {
    let condition = [f32::NAN, -0.0, 0.0, f32::INFINITY, f32::from_bits(1), -1.0, 0.0, 0.5];
    let odd = f32::from_bits(0x7fc0_1234);
    let on_true = [odd, 1.0, 2.0, -0.0, 4.0, f32::INFINITY, 6.0, 7.0];
    let on_false = [10.0, odd, f32::NEG_INFINITY, 13.0, 14.0, 15.0, -0.0, 17.0];
    let expected = [odd, odd, f32::NEG_INFINITY, -0.0, 4.0, f32::INFINITY, -0.0, 7.0];
    for count in [8, 7] {
        let geometry = kernel::Geometry {
            condition: vec![count],
            on_true: vec![count],
            on_false: vec![count],
        };
        let operands = [condition, on_true, on_false].map(|values| line(&values[..count]));
        let operands: Vec<&ArrayD<f32>> = operands.iter().collect();
        let actual = on.dispatch(&Work::Select(geometry), 65_535, &operands, &[count]);
        assert_same_bits("select", &actual, &line(&expected[..count]));
    }
}
