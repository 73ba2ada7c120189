//! Concatenations written in place as wholes: nested, viewed otherwise, empty, large, and what memory they take.

use longshore::Activation::{Relu, Sigmoid, Tanh};
use longshore::ops::Reshape;
use longshore::plan::{Limits, Place};
use longshore::{Graph, Passes};

use super::concat_in_place::{
    NAME, both, check, join, lines, options, placed, region, results, start,
};
use crate::graph::host;

#[test]
fn reshaped_pieces_and_reshaped_concatenations_are_views() {
    let (mut g, x) = start(2);
    let a = g.activation(x, Relu).unwrap();
    let a = g.reshape_to(a, Reshape::new([128])).unwrap();
    let b = g.activation(x, Tanh).unwrap();
    let b = g.reshape_to(b, Reshape::new([1, 128])).unwrap();
    let b = g.reshape_to(b, Reshape::new([128])).unwrap();
    let joined = g.concat(&[a, b], 0).unwrap();
    let y = g.reshape_to(joined, Reshape::new([4, 64])).unwrap();
    g.output("y", y);
    let [_, plan] = placed(&g, Some((2, 2)), &[]);
    let place = Place::Output(0);
    assert_eq!(results(&plan), [region(place, 0, 512), region(place, 512, 512)]);
}

#[test]
fn a_concatenation_can_be_a_piece() {
    let (mut g, x) = start(1);
    let [a, b, c] = [Relu, Tanh, Sigmoid].map(|kind| g.activation(x, kind).unwrap());
    let inner = g.concat(&[a, b], 0).unwrap();
    let inner = g.reshape_to(inner, Reshape::new([2, 64])).unwrap();
    join(&mut g, &[c, inner, x]);
    let [copied, plan] = both(&g);
    let done = [
        "concat \"concat\": 2 of 2 pieces written in place",
        "concat \"concat_1\": 2 of 3 pieces written in place",
    ];
    assert_eq!(lines(&plan)[0], done);
    let slot = Place::Slot(0);
    let expected = [
        region(slot, 256, 256),
        region(slot, 512, 256),
        region(slot, 0, 256),
        region(slot, 0, 1024),
        region(Place::Output(0), 0, 1024),
    ];
    assert_eq!(results(&plan), expected);
    assert_eq!((copied.steps().len(), plan.steps().len()), (9, 5));
}

#[test]
fn a_part_of_a_piece_is_no_second_piece() {
    let (mut g, x) = start(1);
    let [a, b] = [Relu, Tanh].map(|kind| g.activation(x, kind).unwrap());
    let inner = g.concat(&[a, b], 0).unwrap();
    join(&mut g, &[inner, a]);
    let [_, plan] = both(&g);
    let own = "concat \"concat_1\" would read and write one buffer";
    let left = [
        format!("concat \"concat_1\": piece 0, concat \"concat\": {own}"),
        "concat \"concat_1\": piece 1, relu \"relu\": is written into concat \"concat\"".to_owned(),
    ];
    assert_eq!(lines(&plan)[1], left);
}

#[test]
fn what_reads_a_part_of_a_piece_writes_elsewhere() {
    for reader_first in [false, true] {
        let (mut g, x) = start(1);
        let [a, b] = [Relu, Tanh].map(|kind| g.activation(x, kind).unwrap());
        let inner = g.concat(&[a, b], 0).unwrap();
        let reader = g.activation(a, Sigmoid).unwrap();
        join(&mut g, &if reader_first { [reader, inner] } else { [inner, reader] });
        let [_, plan] = both(&g);
        let piece = if reader_first { "concat \"concat\"" } else { "sigmoid \"sigmoid\"" };
        let own = "sigmoid \"sigmoid\" would read and write one buffer";
        assert_eq!(lines(&plan)[1], [format!("concat \"concat_1\": piece 1, {piece}: {own}")]);
    }
}

#[test]
fn pieces_without_elements_do_not_count() {
    let (mut g, x) = start(1);
    let none = g.constant("none", host(&[0, 64])).unwrap();
    let a = g.activation(x, Relu).unwrap();
    let b = g.activation(x, Tanh).unwrap();
    join(&mut g, &[none, a, none, b]);
    placed(&g, Some((2, 2)), &[]);
    let mut g = Graph::new();
    let none = g.constant("none", host(&[0, 64])).unwrap();
    join(&mut g, &[none, none]);
    placed(&g, None, &[]);
}

#[test]
fn no_more_memory_is_held_than_for_copies() {
    let mut g = Graph::new();
    let (x, wide) = (g.input("x", [64]), g.input("wide", [16_384]));
    let early = g.activation(x, Relu).unwrap();
    let mut late = wide;
    for _ in 0..3 {
        late = g.activation(late, Tanh).unwrap();
    }
    join(&mut g, &[late, early]);
    // 65792 bytes for the whole from the first step on, where 256 were enough.
    let why = "piece 1, relu \"relu\": slots would take 65280 bytes more";
    let [copied, plan] = placed(&g, Some((1, 2)), &[why]);
    assert_eq!(copied.slots().iter().sum::<u64>(), 256 + 65_536 + 65_792);
    assert_eq!(plan.slots().iter().sum::<u64>(), 256 + 65_536 + 65_792);
    // The buffer of an output is there from the beginning.
    let mut g = Graph::new();
    let (x, wide) = (g.input("x", [64]), g.input("wide", [16_384]));
    let early = g.activation(x, Relu).unwrap();
    let late = g.activation(wide, Tanh).unwrap();
    let late = g.activation(late, Tanh).unwrap();
    let joined = g.concat(&[late, early], 0).unwrap();
    g.output("y", joined);
    placed(&g, Some((2, 2)), &[]);
}

#[test]
fn a_whole_that_nothing_copies_need_not_be_bound() {
    let (mut g, x) = start(3);
    let pieces = [Relu, Tanh].map(|kind| g.activation(x, kind).unwrap());
    let joined = g.concat(&pieces, 0).unwrap();
    g.output("y", joined);
    let limits = Limits { max_storage_buffer_binding_size: 1024, ..Limits::default() };
    let chosen = options(Passes::none().with(NAME).unwrap()).limits(limits);
    let plan = g.plan_with(1, chosen.clone()).unwrap();
    check(&plan);
    assert_eq!((plan.steps().len(), plan.output_buffers()), (2, &[1536][..]));
    let plain = g.plan_with(1, options(Passes::none()).limits(limits));
    assert!(plain.unwrap_err().to_string().contains("max_storage_buffer_binding_size"));
    // A piece that is copied writes to the whole.
    let constant = g.constant("c", host(&[1, 64])).unwrap();
    let joined = g.concat(&[joined, constant], 0).unwrap();
    g.output("z", joined);
    assert!(g.plan_with(1, chosen).is_err());
}

#[test]
fn what_no_output_needs_is_not_placed() {
    let (mut g, x) = start(1);
    let [a, b, c] = [Relu, Tanh, Sigmoid].map(|kind| g.activation(x, kind).unwrap());
    let dead = g.concat(&[a, b], 0).unwrap();
    g.activation(dead, Relu).unwrap();
    join(&mut g, &[b, c]);
    let [_, plan] = both(&g);
    assert_eq!(lines(&plan)[0], ["concat \"concat_1\": 2 of 2 pieces written in place"]);
    assert!(lines(&plan)[1].is_empty());
}
