//! What the operators that move elements are refused for, word for word, and the shapes they give.

use longshore::array::DType;
use longshore::ops::Op;
use longshore::ops::movement::{slice, tile, transpose};
use longshore::{
    CenterCropPad, DepthMode, DepthToSpace, Dim, Error, Graph, Pad, PadMode, Pads, Slice, Split,
    Symbol,
};
use ndarray::arr0;

use crate::graph::batch_of;
use crate::graph_errors::{limit, operand, start};

const MAX: usize = usize::MAX;
const X: &str = "(x [batch, 5, 4, 3])";
const BATCH: &str = "\"x\" has the batch on axis 0 but";

/// Expects a refusal of the operand "x" of `start`.
#[track_caller]
fn refused(result: longshore::Result<Symbol>, kind: &str, text: &str, remedy: &str) {
    operand(result, &format!("{kind} \"{kind}\": {text}\n  {X}; {remedy}"));
}

/// Expects the shape of a result.
#[track_caller]
fn shape(g: &Graph, symbol: Symbol, expected: &str) {
    assert_eq!(g.shape(symbol).unwrap().to_string(), expected);
}

#[test]
fn transposition() {
    let (mut g, x) = start();
    for perm in [&[0, 1, 2][..], &[0, 1, 2, 2], &[0, 1, 2, 4], &[0, 1, 2, 3, 4]] {
        let text = format!("perm is {perm:?} but \"x\" has 4 axes, each named once");
        refused(g.transpose(x, perm), "transpose", &text, "name every axis once");
    }
    let text = format!("{BATCH} it stays the first axis");
    refused(g.transpose(x, &[1, 0, 2, 3]), "transpose", &text, "use fixed dimensions");
    for dims in [&[1, 2][..], &[0, 1, 2], &[1, 2, 4], &[1, 1, 2]] {
        let text =
            format!("dims are {dims:?} but \"x\" has 4 axes, of which all but the first are named");
        refused(g.permute(x, dims), "permute", &text, "name every axis from 1 on once");
    }
    let y = g.transpose(x, &[0, 3, 1, 2]).unwrap();
    shape(&g, y, "[batch, 3, 5, 4]");
    let perm = vec![0, 3, 1, 2];
    assert_eq!(g.nodes().last().unwrap().op(), &Op::Transpose(transpose::Resolved { perm }));
}

#[test]
fn padding() {
    let (mut g, x) = start();
    let pads = |number: usize| Pad::new(vec![(1, 1); number]);
    let remedy = "give one entry for each axis, or name the axes";
    refused(g.pad(x, pads(3)), "pad", "pads is for 3 axes but there are 4 to pad", remedy);
    refused(
        g.pad(x, pads(1).axes([1, 2])),
        "pad",
        "pads is for 1 axes but there are 2 to pad",
        remedy,
    );
    let text = "axes are [1, -3] but axis 1 is named twice";
    refused(g.pad(x, pads(2).axes([1, -3])), "pad", text, "name each axis once");
    let text = "axis is -5 but \"x\" has 4 axes";
    refused(g.pad(x, pads(1).axes([-5])), "pad", text, "use an axis from -rank to rank - 1");
    let text = format!("{BATCH} it cannot be cropped or padded");
    refused(g.pad(x, pads(4)), "pad", &text, "use fixed dimensions");
    for (front, back) in [(-6, 0), (-3, -3), (isize::MIN, 0), (0, isize::MIN)] {
        let text = format!(
            "pads are ({front}, {back}) for axis 1 but the axis has 5 elements to take away"
        );
        let pad = Pad::new([(front, back)]).axes([1]);
        refused(g.pad(x, pad), "pad", &text, "take away fewer");
    }
    for mode in [PadMode::Edge, PadMode::Reflect, PadMode::Wrap] {
        let text = "pads are (-5, 1) for axis 1 but an axis without elements can only be padded with a \
                    constant";
        let pad = Pad::new([(-5, 1)]).axes([1]).mode(mode);
        refused(g.pad(x, pad), "pad", text, "use PadMode::Constant");
    }
    let max = isize::MAX;
    let huge = g.input("huge", batch_of(&[4]));
    operand(
        g.pad(huge, Pad::new([(max, max)]).axes([1])),
        &format!(
            "pad \"pad\": pads are ({max}, {max}) for axis 1 but with 4 elements that is more than a \
             machine word counts\n  (huge [batch, 4]); use smaller pads"
        ),
    );
    limit(
        g.pad(x, Pad::new([(max, 0)]).axes([1])),
        &format!(
            "pad \"pad\": shape [1, {}, 4, 3] needs more than 2^64 bytes but the largest size is 2^64 - 1 \
             bytes; make the shape smaller",
            max as usize + 5
        ),
    );
    let y = g.pad(x, Pad::new([(-2, 1)]).axes([-1])).unwrap();
    shape(&g, y, "[batch, 5, 4, 2]");
}

#[test]
fn layers_of_images() {
    let (mut g, x) = start();
    let flat = g.input("flat", batch_of(&[5, 4]));
    let image = "\"flat\" has 3 dimensions but an image has 4: (batch, height, width, channels)\n  \
                 (flat [batch, 5, 4]); reshape it";
    operand(g.zero_padding2d(flat, 1), &format!("zero_padding2d \"zero_padding2d\": {image}"));
    operand(g.cropping2d(flat, 1), &format!("cropping2d \"cropping2d\": {image}"));
    for (pads, shown, axis, length) in [
        (Pads::from((3, 0)), "(3, 3)", 1, 5),
        (Pads::from(((1, 4), (0, 0))), "(1, 4)", 1, 5),
        (Pads::from((0, 2)), "(2, 2)", 2, 4),
        (Pads::from(((0, 0), (MAX, 1))), "(18446744073709551615, 1)", 2, 4),
    ] {
        let text = format!(
            "cropping is {shown} for axis {axis} but of its {length} elements at least 1 must be left"
        );
        refused(g.cropping2d(x, pads), "cropping2d", &text, "take away fewer");
    }
    let y = g.cropping2d(x, ((1, 2), (0, 3))).unwrap();
    shape(&g, y, "[batch, 2, 1, 3]");
    let y = g.zero_padding2d(x, (2, 1)).unwrap();
    shape(&g, y, "[batch, 9, 6, 3]");
    let text = "shape is for 3 axes but there are 4 to pad";
    let remedy = "give one entry for each axis, or name the axes";
    refused(g.center_crop_pad(x, CenterCropPad::new([1, 2, 3])), "center_crop_pad", text, remedy);
    let text = format!("{BATCH} it cannot be cropped or padded");
    let target = CenterCropPad::new([1]).axes([0]);
    refused(g.center_crop_pad(x, target), "center_crop_pad", &text, "use fixed dimensions");
}

#[test]
fn slicing() {
    let (mut g, x) = start();
    let mut slice = |slice: Slice, text: &str, remedy: &str| {
        refused(g.slice(x, slice), "slice", text, remedy);
    };
    let one = "give one for each axis";
    slice(Slice::new([0, 0], [1]), "ends are 1 but there are 2 starts", one);
    slice(Slice::new([0], [1]).axes([1, 2]), "axes are 2 but there are 1 starts", one);
    slice(Slice::new([0], [1]).steps([]), "steps are 0 but there are 1 starts", one);
    let text = "axis is 4 but \"x\" has 4 axes";
    slice(Slice::new([0; 5], [MAX as isize; 5]), text, "use an axis from -rank to rank - 1");
    let text = "axes are [3, -1] but axis 3 is named twice";
    slice(Slice::new([0, 0], [1, 1]).axes([3, -1]), text, "name each axis once");
    let text = "steps is 0 for axis 2 but a slice goes on by at least one element";
    slice(Slice::new([0], [1]).axes([2]).steps([0]), text, "use another step");
    let text = format!("{BATCH} it can only be taken whole");
    let max = isize::MAX;
    for (from, to, step) in [(0, 1, 1), (1, max, 1), (0, max, 2), (0, max, -1), (-1, max, 1)] {
        slice(Slice::new([from], [to]).steps([step]), &text, "use fixed dimensions");
    }
    for end in [max, i32::MAX as isize] {
        let y = g.slice(x, Slice::new([0, 1], [end, -1])).unwrap();
        shape(&g, y, "[batch, 3, 4, 3]");
    }
    let (starts, steps) = (vec![0, 1, 0, 0], vec![1; 4]);
    assert_eq!(g.nodes().last().unwrap().op(), &Op::Slice(slice::Resolved { starts, steps }));
    let text = format!("{BATCH} it cannot be reversed");
    refused(g.flip(x, &[1, 0]), "flip", &text, "use fixed dimensions");
    let text = "axes are [1, 1] but axis 1 is named twice";
    refused(g.flip(x, &[1, 1]), "flip", text, "name each axis once");
}

#[test]
fn splitting() {
    let (mut g, x) = start();
    let mut split = |split: Split, text: &str, remedy: &str| {
        let nodes = g.nodes().len();
        let result = g.split(x, split).map(|parts| parts[0]);
        refused(result, "split", text, remedy);
        assert_eq!(g.nodes().len(), nodes);
    };
    let text = format!("{BATCH} it cannot be split");
    split(Split::outputs(2), &text, "use fixed dimensions");
    let sum = "use lengths with that sum";
    for lengths in [&[2, 2][..], &[], &[5, 1], &[MAX, 6]] {
        let text = format!("split is {lengths:?} but the axis has 5 elements to be shared out");
        split(Split::lengths(lengths.to_vec()).axis(1), &text, sum);
    }
    let fewer = "use fewer, or give their lengths";
    let text = "split is into 4 parts but 5 elements in parts of 2 make 2, with a shorter one last";
    // Parts of 2 are used up by the third, so that the fourth would have less than none.
    split(Split::outputs(4).axis(1), text, fewer);
    let text = "split is into 0 parts but 5 elements in parts of 5 make 1, with a shorter one last";
    split(Split::outputs(0).axis(-3), text, fewer);
    let text = "axis is 7 but \"x\" has 4 axes";
    split(Split::outputs(1).axis(7), text, "use an axis from -rank to rank - 1");
}

#[test]
fn repetition() {
    let (mut g, x) = start();
    for target in [vec![2], vec![7, 5, 4, 3], vec![1, 1, 5, 4, 3]] {
        let shown = format!("{target:?}");
        let text = format!(
            "shape is {shown} but it must broadcast with \"x\" [batch, 5, 4, 3]: aligned at the end, \
             lengths agree or are 1"
        );
        let remedy = "use 1 where the value stays as long as it is";
        refused(g.expand(x, target), "expand", &text, remedy);
    }
    let one = g.input("one", [1, 1]);
    limit(
        g.expand(one, [MAX, MAX]),
        &format!(
            "expand \"expand\": shape [{MAX}, {MAX}] needs more than 2^64 bytes but the largest size is \
             2^64 - 1 bytes; make the shape smaller"
        ),
    );
    let y = g.expand(one, [Dim::Batch, 7.into(), 3.into()]);
    assert!(y.is_ok());
    shape(&g, y.unwrap(), "[batch, 7, 3]");
    let text = "\"x\" has 4 dimensions but repeated vectors have 2: (batch, features)";
    refused(g.repeat_vector(x, 2), "repeat_vector", text, "reshape it");
    let text = "repeats are [1, 2] but \"x\" has 4 axes";
    refused(g.tile(x, &[1, 2]), "tile", text, "give one number for each axis");
    let text = format!("{BATCH} it cannot be repeated");
    refused(g.tile(x, &[2, 1, 1, 1]), "tile", &text, "use fixed dimensions");
    let text = format!(
        "repeats is {MAX} for axis 1 but 5 elements as often are more than a machine word counts"
    );
    refused(g.tile(x, &[1, MAX, 1, 1]), "tile", &text, "use smaller numbers");
    let y = g.tile(x, &[1, 1, 2, 3]).unwrap();
    shape(&g, y, "[batch, 5, 8, 9]");
    assert_eq!(
        g.nodes().last().unwrap().op(),
        &Op::Tile(tile::Resolved { repeats: vec![1, 1, 2, 3] })
    );
}

#[test]
fn blocks_of_pixels() {
    let (mut g, x) = start();
    let remedy = "use another block_size";
    for block in [0, 2, MAX] {
        let text = format!("block_size is {block} but its square must divide 3 channels");
        refused(g.depth_to_space(x, DepthToSpace::new(block)), "depth_to_space", &text, remedy);
        let text = format!("block_size is {block} but it must divide 5 by 4 pixels");
        refused(g.space_to_depth(x, DepthToSpace::new(block)), "space_to_depth", &text, remedy);
    }
    let flat = g.input("flat", batch_of(&[5, 4]));
    let image = "\"flat\" has 3 dimensions but an image has 4: (batch, height, width, channels)\n  \
                 (flat [batch, 5, 4]); reshape it";
    let one = DepthToSpace::new(1);
    operand(g.depth_to_space(flat, one), &format!("depth_to_space \"depth_to_space\": {image}"));
    operand(g.space_to_depth(flat, one), &format!("space_to_depth \"space_to_depth\": {image}"));
    let long = g.input("long", batch_of(&[MAX, 0, 4]));
    operand(
        g.depth_to_space(long, DepthToSpace::new(2)),
        &format!(
            "depth_to_space \"depth_to_space\": block_size is 2 but the result's sides are more than a \
             machine word counts\n  (long [batch, {MAX}, 0, 4]); use another block_size"
        ),
    );
    let huge = 1 << 40;
    let none = g.input("none", batch_of(&[huge, 0, 3]));
    operand(
        g.space_to_depth(none, DepthToSpace::new(huge)),
        &format!(
            "space_to_depth \"space_to_depth\": block_size is {huge} but the result's sides are more than \
             a machine word counts\n  (none [batch, {huge}, 0, 3]); use another block_size"
        ),
    );
    let deep = g.input("deep", batch_of(&[2, 3, 18]));
    let y = g.depth_to_space(deep, DepthToSpace::new(3).mode(DepthMode::Crd)).unwrap();
    shape(&g, y, "[batch, 6, 9, 2]");
    let y = g.space_to_depth(y, DepthToSpace::new(3)).unwrap();
    shape(&g, y, "[batch, 2, 3, 18]");
}

#[test]
fn views() {
    let (mut g, x) = start();
    let text = "axes name axis 1 but its length is 5, and only axes of length 1 can go";
    refused(g.squeeze(x, Some(&[-3])), "squeeze", text, "name axes of length 1");
    let text = format!("{BATCH} it cannot be squeezed");
    refused(g.squeeze(x, Some(&[0])), "squeeze", &text, "use fixed dimensions");
    let text = "axes are [1, 1] but axis 1 is named twice";
    refused(g.squeeze(x, Some(&[1, 1])), "squeeze", text, "name each axis once");
    let text = "axis is 6 but \"the result\" has 6 axes";
    refused(g.unsqueeze(x, &[1, 6]), "unsqueeze", text, "use an axis from -rank to rank - 1");
    let text = "axes are [1, -5] but axis 1 is named twice";
    refused(g.unsqueeze(x, &[1, -5]), "unsqueeze", text, "name each axis once");
    let text = format!("{BATCH} it stays the first axis");
    refused(g.unsqueeze(x, &[0]), "unsqueeze", &text, "use fixed dimensions");
    for to in [DType::F64, DType::F16, DType::I64, DType::Bool] {
        let error = g.cast(x, to).unwrap_err();
        assert!(matches!(error, Error::Unsupported { .. }), "{error:?}");
        assert_eq!(
            error.to_string(),
            format!(
                "cast \"cast\": a cast of \"x\" to {to:?} is not supported; values on the device are F32: \
                 leave the cast out"
            )
        );
    }
    for axis in [5, -5] {
        let text = format!("axis is {axis} but \"x\" has 4 axes");
        refused(g.flatten_at(x, axis), "flatten", &text, "use an axis from -rank to rank");
    }
    for axis in [0, 2, 4, -4] {
        let text = format!("{BATCH} it cannot be merged");
        refused(g.flatten_at(x, axis), "flatten", &text, "use fixed dimensions");
    }
    let y = g.flatten_at(x, -3).unwrap();
    shape(&g, y, "[batch, 60]");
}

#[test]
fn symbols_of_other_graphs_are_refused_everywhere() {
    let (_, foreign) = start();
    let mut g = Graph::new();
    for result in [
        g.concat(&[foreign], 0),
        g.depth_to_space(foreign, DepthToSpace::new(1)),
        g.expand(foreign, [1]),
        g.gather(foreign, &arr0(0).into_dyn(), 0),
        g.identity(foreign),
        g.pad(foreign, Pad::new([])),
        g.slice(foreign, Slice::new([], [])),
        g.tile(foreign, &[]),
        g.transpose(foreign, &[]),
    ] {
        assert!(result.unwrap_err().to_string().contains("is a symbol of another graph"));
    }
}
