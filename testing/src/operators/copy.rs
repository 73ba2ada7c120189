//! The operators that the copy kernel serves, on random ranks and axes: bit for bit.

use std::collections::BTreeSet;

use longshore::internals::kernels::axes::Axis;
use longshore::internals::kernels::{Work, copy as kernel};
use longshore::{DepthMode, DepthToSpace, Dim, Graph, Result, Slice, Split, Symbol};
use ndarray::{ArrayD, IxDyn};

use crate::executor::Executor;
use crate::golden::{assert_same_bits, trials};
use crate::oracle::copy as oracle;
use crate::random::Random;

/// The dimensions of a value whose batch is fixed.
pub fn fixed(array: &ArrayD<f32>) -> Vec<Dim> {
    array.shape().iter().copied().map(Dim::Fixed).collect()
}

/// Runs a network of one operation over fixed shapes.
#[track_caller]
pub fn apply_fixed(
    on: &dyn Executor,
    input: &ArrayD<f32>,
    build: impl FnOnce(&mut Graph, Symbol) -> Result<Symbol>,
) -> ArrayD<f32> {
    let mut g = Graph::new();
    let x = g.input("x", fixed(input));
    let y = build(&mut g, x).unwrap();
    g.output("y", y);
    let plan = g.plan(3).unwrap();
    let resolved = g.shape(y).unwrap().resolve(3);
    assert_eq!(plan.outputs()[0].shape, resolved);
    on.run(&g, 3, &[("x", input)]).remove("y").unwrap()
}

/// A shape of a random rank; an axis is empty now and then where that is allowed.
pub fn random_shape(random: &mut Random, ranks: std::ops::Range<usize>, empty: bool) -> Vec<usize> {
    let rank = random.range(ranks.start, ranks.end);
    let most = if rank > 4 { 3 } else { 5 };
    let mut shape: Vec<usize> = (0..rank).map(|_| random.range(1, most + 1)).collect();
    if empty && rank > 0 && random.range(0, 12) == 0 {
        let axis = random.range(0, rank);
        shape[axis] = 0;
    }
    shape
}

pub fn shuffled(random: &mut Random, count: usize) -> Vec<usize> {
    let mut order: Vec<usize> = (0..count).collect();
    for k in (1..count).rev() {
        order.swap(k, random.range(0, k + 1));
    }
    order
}

/// An axis, counted from the end half of the time.
pub fn signed(random: &mut Random, axis: usize, rank: usize) -> isize {
    if random.range(0, 2) == 0 { axis as isize } else { axis as isize - rank as isize }
}

pub fn transpositions(on: &dyn Executor) {
    trials(60, |random| {
        let shape = random_shape(random, 0..7, true);
        let (input, perm) = (random.uniform(&shape), shuffled(random, shape.len()));
        let actual = apply_fixed(on, &input, |g, x| g.transpose(x, &perm));
        let what = format!("{shape:?} by {perm:?}");
        assert_same_bits(&what, &actual, &oracle::transpose(&input, &perm));
    });
}

pub fn permute_leaves_the_batch_alone(on: &dyn Executor) {
    let random = &mut Random::new(5);
    let input = random.uniform(&[5, 2, 3, 4]);
    let actual = crate::golden::apply(on, &input, |g, x| g.permute(x, &[3, 1, 2]));
    assert_same_bits("permute", &actual, &oracle::transpose(&input, &[0, 3, 1, 2]));
}

pub fn slices(on: &dyn Executor) {
    trials(100, |random| {
        let shape = random_shape(random, 1..7, true);
        let input = random.uniform(&shape);
        let number = random.range(0, shape.len() + 1);
        let axes: Vec<usize> = shuffled(random, shape.len())[..number].to_vec();
        let place = |random: &mut Random| match random.range(0, 12) {
            0 => isize::MAX,
            1 => isize::MIN,
            _ => random.range(0, 15) as isize - 7,
        };
        let mut slice = (Vec::new(), Vec::new(), Vec::new());
        let mut expected = input.clone();
        let mut signed_axes = Vec::new();
        for &axis in &axes {
            let step = *random.pick(&[1, 1, 2, 3, 7, isize::MAX, -1, -2, -3, isize::MIN]);
            let (start, end) = (place(random), place(random));
            slice.0.push(start);
            slice.1.push(end);
            slice.2.push(step);
            signed_axes.push(signed(random, axis, shape.len()));
            expected = oracle::slice(&expected, axis, start as i64, end as i64, step as i64);
        }
        let (starts, ends, steps) = slice;
        let what = format!("{shape:?}[{axes:?}: {starts:?}..{ends:?} by {steps:?}]");
        let layer = Slice::new(starts, ends).axes(signed_axes).steps(steps);
        let actual = apply_fixed(on, &input, |g, x| g.slice(x, layer));
        assert_same_bits(&what, &actual, &expected);
    });
}

pub fn flips(on: &dyn Executor) {
    trials(30, |random| {
        let shape = random_shape(random, 1..7, true);
        let input = random.uniform(&shape);
        let number = random.range(0, shape.len() + 1);
        let axes: Vec<usize> = shuffled(random, shape.len())[..number].to_vec();
        let signed: Vec<isize> = axes.iter().map(|&k| signed(random, k, shape.len())).collect();
        let actual = apply_fixed(on, &input, |g, x| g.flip(x, &signed));
        let expected =
            axes.iter().fold(input, |array, &k| oracle::slice(&array, k, -1, i64::MIN, -1));
        assert_same_bits(&format!("{shape:?} {axes:?}"), &actual, &expected);
    });
}

pub fn splits_give_every_part(on: &dyn Executor) {
    trials(30, |random| {
        let shape = random_shape(random, 1..7, false);
        let axis = random.range(0, shape.len());
        let input = random.uniform(&shape);
        let cuts = [random.range(0, shape[axis] + 1), random.range(0, shape[axis] + 1)];
        let (low, high) = (cuts[0].min(cuts[1]), cuts[0].max(cuts[1]));
        let lengths = [low, high - low, shape[axis] - high];
        let mut g = Graph::new();
        let x = g.input("x", fixed(&input));
        let split = Split::lengths(lengths).axis(signed(random, axis, shape.len()));
        let parts = g.split(x, split).unwrap();
        assert_eq!(parts.len(), 3);
        for (number, part) in parts.iter().enumerate() {
            g.output(format!("{number}"), *part);
        }
        let found = on.run(&g, 1, &[("x", &input)]);
        let mut begin = 0;
        for (number, length) in lengths.into_iter().enumerate() {
            let end = begin + length as i64;
            let expected = oracle::slice(&input, axis, begin, end, 1);
            assert_same_bits(&format!("{shape:?} {axis}"), &found[&number.to_string()], &expected);
            begin = end;
        }
    });
}

pub fn equal_parts_and_a_shorter_last_one(_: &dyn Executor) {
    let lengths = |length: usize, number: usize| -> Vec<usize> {
        let mut g = Graph::new();
        let x = g.input("x", [2, length]);
        let parts = g.split(x, Split::outputs(number).axis(1)).unwrap();
        parts.iter().map(|&part| g.shape(part).unwrap().resolve(1)[1]).collect()
    };
    assert_eq!(lengths(6, 3), [2, 2, 2]);
    assert_eq!(lengths(7, 3), [3, 3, 1]);
    assert_eq!(lengths(6, 4), [2, 2, 2, 0]);
    assert_eq!(lengths(0, 2), [0, 0]);
    assert_eq!(lengths(5, 1), [5]);
}

pub fn expansions(on: &dyn Executor) {
    trials(60, |random| {
        let full = random_shape(random, 0..7, true);
        let thin = |random: &mut Random, full: &[usize]| -> Vec<usize> {
            let first = random.range(0, full.len() + 1);
            let keep = |&n: &usize| if random.range(0, 2) == 0 { 1 } else { n };
            full[first..].iter().map(keep).collect()
        };
        let (shape, target) = (thin(random, &full), thin(random, &full));
        let input = random.uniform(&shape);
        let actual = apply_fixed(on, &input, |g, x| g.expand(x, target.clone()));
        assert_same_bits(
            &format!("{shape:?} to {target:?}"),
            &actual,
            &oracle::expand(&input, &target),
        );
    });
}

pub fn tiles_along_more_axes_than_one_node_walks(on: &dyn Executor) {
    trials(50, |random| {
        let shape = random_shape(random, 0..7, true);
        let most = if shape.len() > 4 { 3 } else { 4 };
        let least = usize::from(random.range(0, 8) > 0);
        let repeats: Vec<usize> = shape.iter().map(|_| random.range(least, most)).collect();
        let input = random.uniform(&shape);
        let actual = apply_fixed(on, &input, |g, x| g.tile(x, &repeats));
        assert_same_bits(
            &format!("{shape:?} by {repeats:?}"),
            &actual,
            &oracle::tile(&input, &repeats),
        );
    });
    let input = Random::new(8).uniform(&[2, 2, 3, 2, 2, 2]);
    let mut g = Graph::new();
    let x = g.input("x", fixed(&input));
    let y = g.tile(x, &[2, 3, 2, 2, 2, 3]).unwrap();
    g.output("y", y);
    assert_eq!(g.plan(1).unwrap().steps().len(), 3);
    let found = on.run(&g, 1, &[("x", &input)]).remove("y").unwrap();
    assert_same_bits("every axis", &found, &oracle::tile(&input, &[2, 3, 2, 2, 2, 3]));
}

pub fn concatenations_of_values_and_constants(on: &dyn Executor) {
    trials(50, |random| {
        let shape = random_shape(random, 1..7, true);
        let axis = random.range(0, shape.len());
        let arrays: Vec<ArrayD<f32>> = (0..random.range(1, 5))
            .map(|_| {
                let mut shape = shape.clone();
                shape[axis] = random.range(0, 5);
                random.uniform(&shape)
            })
            .collect();
        let mut g = Graph::new();
        let (mut symbols, mut inputs) = (Vec::new(), Vec::new());
        let names: Vec<String> = (0..arrays.len()).map(|k| format!("x{k}")).collect();
        for (name, array) in names.iter().zip(&arrays) {
            if random.range(0, 3) == 0 {
                let constant = longshore::HostArray::from(array.clone());
                symbols.push(g.constant(name.as_str(), constant).unwrap());
            } else {
                symbols.push(g.input(name.as_str(), fixed(array)));
                inputs.push((name.as_str(), array));
            }
        }
        let y = g.concat(&symbols, signed(random, axis, shape.len())).unwrap();
        g.output("y", y);
        let actual = on.run(&g, 2, &inputs).remove("y").unwrap();
        let expected = oracle::concat(&arrays.iter().collect::<Vec<_>>(), axis);
        assert_same_bits(&format!("{shape:?} along {axis}"), &actual, &expected);
    });
}

pub fn blocks_of_pixels(on: &dyn Executor) {
    trials(24, |random| {
        let (block, depth) = (random.range(1, 4), random.range(1, 5));
        let sides = [random.range(1, 4), random.range(1, 5), random.range(1, 4)];
        let (crd, mode) = *random.pick(&[(false, DepthMode::Dcr), (true, DepthMode::Crd)]);
        let option = DepthToSpace::new(block).mode(mode);
        let deep = random.uniform(&[sides[0], sides[1], sides[2], block * block * depth]);
        let actual = crate::golden::apply(on, &deep, |g, x| g.depth_to_space(x, option));
        let what = format!("{:?} block {block} {mode:?}", deep.shape());
        assert_same_bits(&what, &actual, &oracle::depth_to_space(&deep, block, crd));
        let wide = random.uniform(&[sides[0], sides[1] * block, sides[2] * block, depth]);
        let actual = crate::golden::apply(on, &wide, |g, x| g.space_to_depth(x, option));
        assert_same_bits(&what, &actual, &oracle::space_to_depth(&wide, block, crd));
    });
}

fn axis(length: usize, input: i64, output: i64) -> Axis<2> {
    Axis { length, strides: [input, output] }
}

pub fn kernels_stay_within_their_output_in_folded_grids(on: &dyn Executor) {
    let (mut entries, mut folded) = (BTreeSet::new(), BTreeSet::new());
    let random = &mut Random::new(3);
    // Axes, the two bases, elements of input and output.
    let cases: [(Vec<Axis<2>>, usize, usize, usize); 9] = [
        (vec![], 0, 1, 1),
        (vec![axis(63, 1, 1)], 0, 63, 63),
        (vec![axis(65, -1, 1)], 64, 65, 65),
        (vec![axis(1028, 1, 1)], 0, 1028, 1028),
        (vec![axis(13, 1, 17), axis(17, 13, 1)], 0, 221, 221),
        (vec![axis(5, 4, 8), axis(2, 20, 4), axis(4, 1, 1)], 0, 40, 40),
        (vec![axis(5, -8, 8), axis(2, 4, 4), axis(4, 1, 1)], 32, 40, 40),
        (vec![axis(5, 0, 12), axis(12, 1, 1)], 4, 16, 60),
        ((0..6).map(|k| axis(2, 1 << k, 1 << (5 - k))).collect(), 0, 64, 64),
    ];
    for (axes, base, inputs, outputs) in cases {
        let input = random.uniform(&[inputs]);
        let geometry = kernel::Geometry { axes: axes.clone(), base, out_base: 0 };
        let work = Work::Copy(geometry.clone());
        for most in [1, 3, 65_535] {
            if most == 1 && outputs > 64 {
                continue;
            }
            let launch = work.launch("test", most).unwrap();
            entries.insert(launch.kernel.entry);
            folded.extend((launch.workgroups[1] > 1).then_some(launch.kernel.entry));
            let actual = on.dispatch(&work, most, &[&input], &[outputs]);
            let expected = walked(&geometry, &input, outputs).mapv(Option::unwrap);
            assert_same_bits(&format!("{axes:?}"), &actual, &expected);
        }
    }
    let all: BTreeSet<&str> = kernel::SHADER.entries().collect();
    assert_eq!(entries, all);
    assert_eq!(folded, all);
}

/// Walks along a geometry by counting.
fn walked(geometry: &kernel::Geometry, input: &ArrayD<f32>, outputs: usize) -> ArrayD<Option<f32>> {
    let mut result = ArrayD::from_elem(IxDyn(&[outputs]), None);
    let lengths: Vec<usize> = geometry.axes.iter().map(|axis| axis.length).collect();
    oracle::make(&lengths, |index| {
        let (mut from, mut to) = (geometry.base as i64, geometry.out_base as i64);
        for (&i, axis) in index.iter().zip(&geometry.axes) {
            from += i as i64 * axis.strides[0];
            to += i as i64 * axis.strides[1];
        }
        result[[to as usize].as_slice()] = Some(input[[from as usize].as_slice()]);
    });
    result
}

pub fn what_lies_outside_of_the_copy_is_left_alone(on: &dyn Executor) {
    let random = &mut Random::new(4);
    let mut entries = BTreeSet::new();
    for (axes, base, out_base) in [
        (vec![axis(7, 5, 11), axis(3, 1, 1)], 2, 6),
        (vec![axis(7, 8, 16), axis(4, 1, 1)], 4, 8),
        (vec![axis(7, 8, 20), axis(3, 1, 2)], 4, 0),
        (vec![axis(60, -1, -1)], 70, 119),
        (vec![axis(0, 1, 1)], 0, 0),
    ] {
        let input = random.uniform(&[71]);
        let geometry = kernel::Geometry { axes, base, out_base };
        let work = Work::Copy(geometry.clone());
        entries.insert(work.launch("test", 65_535).unwrap().kernel.entry);
        let actual = on.dispatch_part(&work, 65_535, &[&input], &[139]);
        let bits = |array: &ArrayD<Option<f32>>| array.mapv(|value| value.map(f32::to_bits));
        assert_eq!(bits(&actual), bits(&walked(&geometry, &input, 139)), "{geometry:?}");
    }
    assert_eq!(entries, kernel::SHADER.entries().collect());
}

pub fn bits_are_kept(on: &dyn Executor) {
    // NaNs with payloads, quiet and signalling, subnormal numbers, both zeros, infinities.
    let odd = [
        0x7fc0_1234,
        0xffc0_0001,
        0x7f80_0001,
        0xffbf_ffff,
        1,
        0x8000_0001,
        0x0000_0000,
        0x8000_0000,
        0x7f80_0000,
        0xff80_0000,
        0x007f_ffff,
        0x3f80_0001,
    ]
    .map(f32::from_bits);
    let input = crate::golden::line(&odd);
    for (axes, entry) in
        [(vec![axis(12, 1, 1)], "copy4"), (vec![axis(4, 1, 3), axis(3, 4, 1)], "copy")]
    {
        let geometry = kernel::Geometry { axes, base: 0, out_base: 0 };
        let work = Work::Copy(geometry.clone());
        assert_eq!(work.launch("test", 65_535).unwrap().kernel.entry, entry);
        let actual = on.dispatch(&work, 65_535, &[&input], &[12]);
        let expected = walked(&geometry, &input, 12).mapv(Option::unwrap);
        assert_same_bits(entry, &actual, &expected);
    }
}
