//! ONNX's own cases of the operators that move elements, each through the builder's call for it.

use std::collections::BTreeMap;

use longshore::{
    CenterCropPad, DepthMode, DepthToSpace, Graph, Pad, PadMode, Reshape, Result, Slice, Split,
    Symbol,
};
use ndarray::ArrayD;

use super::copy::fixed;
use crate::executor::Executor;
use crate::golden::{assert_same_bits, narrow};
use crate::onnx::{OnnxCase, load};

/// Checks the cases of an operator, of which there are `count`.
fn check(
    on: &dyn Executor,
    op: &str,
    count: usize,
    attributes: &[&str],
    build: impl Fn(&mut Graph, &OnnxCase, &[Symbol]) -> Result<Vec<Symbol>>,
) {
    let cases: Vec<OnnxCase> = load("movement").into_iter().filter(|case| case.op == op).collect();
    assert_eq!(cases.len(), count, "cases of {op}");
    for case in cases {
        for key in case.attributes.as_object().unwrap().keys() {
            assert!(attributes.contains(&key.as_str()), "{}: {key} is not looked at", case.name);
        }
        let mut g = Graph::new();
        let arrays: Vec<ArrayD<f32>> = case.inputs.iter().map(narrow_data).collect();
        let names: Vec<String> = (0..arrays.len()).map(|k| format!("x{k}")).collect();
        let symbols: Vec<Symbol> = names
            .iter()
            .zip(&arrays)
            .map(|(name, array)| g.input(name.as_str(), fixed(array)))
            .collect();
        let outputs =
            build(&mut g, &case, &symbols).unwrap_or_else(|e| panic!("{}: {e}", case.name));
        assert_eq!(outputs.len(), case.outputs.len(), "{}", case.name);
        for (number, output) in outputs.iter().enumerate() {
            g.output(format!("y{number}"), *output);
        }
        let inputs: Vec<(&str, &ArrayD<f32>)> =
            names.iter().map(String::as_str).zip(&arrays).collect();
        let found: BTreeMap<String, ArrayD<f32>> = on.run(&g, 1, &inputs);
        for (number, output) in case.outputs.iter().enumerate() {
            assert_same_bits(&case.name, &found[&format!("y{number}")], &narrow(output));
        }
    }
}

/// Narrows an input; whole numbers may be too large for f32, and are options then.
fn narrow_data(array: &ArrayD<f64>) -> ArrayD<f32> {
    array.mapv(|value| value as f32)
}

fn unsigned(values: &[isize]) -> Vec<usize> {
    values.iter().map(|&value| usize::try_from(value).unwrap()).collect()
}

fn one(symbol: Symbol) -> Vec<Symbol> {
    vec![symbol]
}

pub fn center_crop_pad(on: &dyn Executor) {
    check(on, "CenterCropPad", 6, &["axes"], |g, case, x| {
        let target = CenterCropPad::new(unsigned(&case.whole(1).unwrap()));
        let target = match case.integers("axes") {
            Some(axes) => target.axes(axes),
            None => target,
        };
        g.center_crop_pad(x[0], target).map(one)
    });
}

pub fn concat(on: &dyn Executor) {
    check(on, "Concat", 12, &["axis"], |g, case, x| {
        g.concat(x, case.integer("axis", 99) as isize).map(one)
    });
}

/// ONNX's images have their channels second.
fn channels_last(
    g: &mut Graph,
    x: Symbol,
    build: impl FnOnce(&mut Graph, Symbol) -> Result<Symbol>,
) -> Result<Vec<Symbol>> {
    let x = g.transpose(x, &[0, 2, 3, 1])?;
    let y = build(g, x)?;
    g.transpose(y, &[0, 3, 1, 2]).map(one)
}

fn block(case: &OnnxCase) -> DepthToSpace {
    let option = DepthToSpace::new(case.integer("blocksize", 0) as usize);
    match case.attributes["mode"].as_str() {
        None | Some("DCR") => option,
        Some("CRD") => option.mode(DepthMode::Crd),
        other => panic!("{}: mode {other:?}", case.name),
    }
}

pub fn blocks_of_pixels(on: &dyn Executor) {
    check(on, "DepthToSpace", 2, &["blocksize", "mode"], |g, case, x| {
        channels_last(g, x[0], |g, x| g.depth_to_space(x, block(case)))
    });
    check(on, "SpaceToDepth", 4, &["blocksize", "mode"], |g, case, x| {
        channels_last(g, x[0], |g, x| g.space_to_depth(x, block(case)))
    });
}

pub fn repetition(on: &dyn Executor) {
    check(on, "Expand", 2, &[], |g, case, x| {
        g.expand(x[0], unsigned(&case.whole(1).unwrap())).map(one)
    });
    check(on, "Tile", 2, &[], |g, case, x| {
        g.tile(x[0], &unsigned(&case.whole(1).unwrap())).map(one)
    });
}

pub fn gather(on: &dyn Executor) {
    check(on, "Gather", 6, &["axis"], |g, case, x| {
        let indices = case.inputs[1].mapv(|index| index as i64);
        g.gather(x[0], &indices, case.integer("axis", 0) as isize).map(one)
    });
}

pub fn pad(on: &dyn Executor) {
    check(on, "Pad", 10, &["mode"], |g, case, x| {
        let pads = case.whole(1).unwrap();
        let (front, back) = pads.split_at(pads.len() / 2);
        let layer = Pad::new(front.iter().copied().zip(back.iter().copied()));
        let value = case.inputs.get(2).map_or(0.0, |value| *value.first().unwrap() as f32);
        let mode = match case.attributes["mode"].as_str().unwrap() {
            "constant" => PadMode::Constant(value),
            "edge" => PadMode::Edge,
            "reflect" => PadMode::Reflect,
            "wrap" => PadMode::Wrap,
            other => panic!("{}: mode {other}", case.name),
        };
        let layer = match case.whole(3) {
            Some(axes) => layer.axes(axes),
            None => layer,
        };
        g.pad(x[0], layer.mode(mode)).map(one)
    });
}

pub fn slice(on: &dyn Executor) {
    check(on, "Slice", 9, &[], |g, case, x| {
        let layer = Slice::new(case.whole(1).unwrap(), case.whole(2).unwrap());
        let layer = match case.whole(3) {
            Some(axes) => layer.axes(axes),
            None => layer,
        };
        let layer = match case.whole(4) {
            Some(steps) => layer.steps(steps),
            None => layer,
        };
        g.slice(x[0], layer).map(one)
    });
}

pub fn split(on: &dyn Executor) {
    check(on, "Split", 16, &["axis", "num_outputs"], |g, case, x| {
        let split = match case.whole(1) {
            Some(lengths) => Split::lengths(unsigned(&lengths)),
            None => Split::outputs(case.outputs.len()),
        };
        g.split(x[0], split.axis(case.integer("axis", 0) as isize))
    });
}

pub fn transpose(on: &dyn Executor) {
    check(on, "Transpose", 7, &["perm"], |g, case, x| {
        let reversed = (0..case.inputs[0].ndim()).rev().collect();
        let perm = case.integers("perm").map_or(reversed, |perm| unsigned(&perm));
        g.transpose(x[0], &perm).map(one)
    });
}

pub fn views(on: &dyn Executor) {
    check(on, "Flatten", 9, &["axis"], |g, case, x| {
        g.flatten_at(x[0], case.integer("axis", 1) as isize).map(one)
    });
    check(on, "Identity", 1, &[], |g, _, x| g.identity(x[0]).map(one));
    check(on, "Reshape", 10, &["allowzero"], |g, case, x| {
        let target = Reshape::new(case.whole(1).unwrap());
        let target = if case.integer("allowzero", 0) == 1 { target.allow_zero() } else { target };
        g.reshape_to(x[0], target).map(one)
    });
    check(on, "Squeeze", 2, &[], |g, case, x| g.squeeze(x[0], case.whole(1).as_deref()).map(one));
    check(on, "Unsqueeze", 7, &[], |g, case, x| {
        g.unsqueeze(x[0], &case.whole(1).unwrap()).map(one)
    });
}
