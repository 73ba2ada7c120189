//! Movements in networks: batches, constants everywhere an operand goes, views.

use longshore::array::DType;
use longshore::ops::Op;
use longshore::{DepthToSpace, Dim, Graph, HostArray, Pad, Slice, Split};
use ndarray::ArrayD;

use super::copy::fixed;
use crate::executor::Executor;
use crate::golden::{apply, assert_same_bits, batched};
use crate::oracle::copy as oracle;
use crate::random::Random;

pub fn constants_are_operands_and_outputs(on: &dyn Executor) {
    let random = &mut Random::new(11);
    let (input, other) = (random.uniform(&[5, 3, 2]), random.uniform(&[3, 2]));
    let mut g = Graph::new();
    let x = g.input("x", batched(input.shape()));
    let c = g.constant("c", HostArray::from(other.clone())).unwrap();
    let sum = g.add(x, c).unwrap();
    let swapped = g.transpose(c, &[1, 0]).unwrap();
    let line = g.reshape(c, [2, 1]).unwrap();
    let expanded = g.expand(c, [Dim::Batch, 3.into(), 2.into()]).unwrap();
    let joined = g.concat(&[x, expanded], -1).unwrap();
    for (name, symbol) in [
        ("sum", sum),
        ("swapped", swapped),
        ("line", line),
        ("joined", joined),
        ("c", c),
        ("again", c),
    ] {
        g.output(name, symbol);
    }
    let found = on.run(&g, 5, &[("x", &input)]);
    assert_same_bits("sum", &found["sum"], &(&input + &other));
    assert_same_bits("swapped", &found["swapped"], &oracle::transpose(&other, &[1, 0]));
    let shaped = other.clone().into_shape_with_order(vec![3, 2, 1]).unwrap();
    assert_same_bits("line", &found["line"], &shaped);
    let wide = oracle::expand(&other, &[5, 3, 2]);
    assert_same_bits("joined", &found["joined"], &oracle::concat(&[&input, &wide], 2));
    assert_same_bits("c", &found["c"], &other);
    assert_same_bits("again", &found["again"], &other);
}

pub fn constants_that_nothing_needs_are_not_uploaded(on: &dyn Executor) {
    let mut g = Graph::new();
    let x = g.input("x", [2]);
    g.constant("unused", HostArray::from(ArrayD::<f32>::zeros(vec![1 << 20]))).unwrap();
    let y = g.identity(x).unwrap();
    g.output("y", y);
    let plan = g.plan(1).unwrap();
    assert_eq!((plan.weights().len(), plan.steps().len()), (0, 0));
    let input = Random::new(1).uniform(&[2]);
    assert_eq!(on.run(&g, 1, &[("x", &input)])["y"], input);
}

pub fn an_empty_constant_joins_nothing(on: &dyn Executor) {
    let input = Random::new(2).uniform(&[2, 3]);
    let mut g = Graph::new();
    let x = g.input("x", fixed(&input));
    let c = g.constant("c", HostArray::from(ArrayD::<f32>::zeros(vec![2, 0]))).unwrap();
    let y = g.concat(&[c, x, c], 1).unwrap();
    g.output("y", y);
    g.output("c", c);
    let found = on.run(&g, 1, &[("x", &input)]);
    assert_same_bits("joined", &found["y"], &input);
    assert_eq!(found["c"].shape(), [2, 0]);
}

pub fn views_make_no_step(on: &dyn Executor) {
    let input = Random::new(3).uniform(&[2, 1, 3, 1]);
    let mut g = Graph::new();
    let x = g.input("x", fixed(&input));
    let y = g.squeeze(x, None).unwrap();
    let y = g.unsqueeze(y, &[-1, 0]).unwrap();
    let y = g.dropout(y).unwrap();
    let y = g.identity(y).unwrap();
    let y = g.cast(y, DType::F32).unwrap();
    let y = g.squeeze(y, Some(&[0])).unwrap();
    let y = g.pad(y, Pad::new([(0, 0); 3])).unwrap();
    let y = g.tile(y, &[1; 3]).unwrap();
    let y = g.expand(y, [1, 2, 3, 1]).unwrap();
    let y = g.slice(y, Slice::new([0], [isize::MAX])).unwrap();
    let y = g.split(y, Split::outputs(1).axis(2)).unwrap()[0];
    let y = g.concat(&[y], 0).unwrap();
    g.output("y", y);
    assert!(g.nodes().iter().all(|node| matches!(node.op(), Op::Input | Op::Reshape)));
    assert_eq!(g.plan(1).unwrap().steps().len(), 0);
    let found = on.run(&g, 1, &[("x", &input)]).remove("y").unwrap();
    let expected = input.into_shape_with_order(vec![1, 2, 3, 1]).unwrap();
    assert_same_bits("views", &found, &expected);
}

pub fn vectors_are_repeated(on: &dyn Executor) {
    let input = Random::new(4).uniform(&[5, 3]);
    for n in [0, 1, 4] {
        let actual = apply(on, &input, |g, x| g.repeat_vector(x, n));
        let column = input.clone().into_shape_with_order(vec![5, 1, 3]).unwrap();
        assert_same_bits("repeat_vector", &actual, &oracle::tile(&column, &[1, n, 1]));
    }
}

pub fn a_chain_of_movements_shares_slots(on: &dyn Executor) {
    let input = Random::new(5).uniform(&[3, 4, 6, 8]);
    let actual = apply(on, &input, |g, x| {
        let y = g.transpose(x, &[0, 2, 1, 3])?;
        let y = g.depth_to_space(y, DepthToSpace::new(2))?;
        let z = g.flip(y, &[1])?;
        let y = g.concatenate(&[y, z])?;
        let y = g.space_to_depth(y, DepthToSpace::new(2))?;
        let parts = g.split(y, Split::lengths([5, 11]).axis(-1))?;
        g.concat(&[parts[1], parts[0], parts[1]], 3)
    });
    let y = oracle::depth_to_space(&oracle::transpose(&input, &[0, 2, 1, 3]), 2, false);
    let z = oracle::slice(&y, 1, -1, i64::MIN, -1);
    let y = oracle::space_to_depth(&oracle::concat(&[&y, &z], 3), 2, false);
    let (one, two) = (oracle::slice(&y, 3, 0, 5, 1), oracle::slice(&y, 3, 5, 16, 1));
    assert_same_bits("chain", &actual, &oracle::concat(&[&two, &one, &two], 3));
}
