//! Operators that move elements or view them otherwise, and those about shapes.

use ndarray::{Array1, ArrayD, IxDyn};

use super::{FLOATS, Inputs, JOINED, KEPT, Row, inputs, row};
use crate::array::{DType, HostArray};
use crate::error::Result;
use crate::graph::{Symbol, Weight};
use crate::import::onnx::fold_shape;
use crate::import::onnx::fold_shape::needed;
use crate::import::onnx::importer::{Importer, constant as constant_value};
use crate::import::onnx::node::Node;
use crate::import::onnx::numbers::Numbers;
use crate::import::onnx::value::{Kind, Known, Value};
use crate::ops::{CenterCropPad, DepthMode, DepthToSpace, Pad, PadMode, Slice, Split};
use crate::shape::element_count;

type Outputs = Result<Vec<Value>>;

/// The operators of this file.
pub(super) const ROWS: &[Row] = &[
    row("CenterCropPad", center_crop_pad).inputs(2).known(1, 1).whole(padded),
    row("Concat", concat).any_inputs().holds(JOINED),
    row("Constant", constant).inputs(0).holds(FLOATS),
    row("ConstantOfShape", constant_of_shape).known_from(0).holds(FLOATS),
    row("DepthToSpace", depth_to_space).holds(KEPT),
    row("Dropout", dropout).inputs_since(12, 3).known(1, 2).holds(KEPT),
    row("Expand", expand).inputs(2).known(1, 1).holds(KEPT),
    row("Flatten", reshape).holds(KEPT),
    row("Gather", gather).inputs(2).known(1, 1).holds(KEPT),
    row("Identity", identity).holds(KEPT),
    row("Pad", pad).inputs_since(11, 4).known_from(1).whole(padded),
    row("Range", known_only).inputs(3).known_from(0).holds(FLOATS),
    row("Reshape", reshape).inputs(2).known(1, 1).holds(KEPT),
    row("Shape", shape).holds(FLOATS),
    row("Size", size).holds(FLOATS),
    row("Slice", slice).inputs_since(10, 5).known_from(1).holds(KEPT),
    row("SpaceToDepth", space_to_depth).holds(KEPT),
    row("Split", split).inputs(2).known(1, 1).holds(KEPT),
    row("Squeeze", reshape).inputs(2).known(1, 1).holds(KEPT),
    row("Tile", tile).inputs(2).known(1, 1).holds(KEPT),
    row("Transpose", transpose).holds(KEPT),
    row("Unsqueeze", reshape).inputs(2).known(1, 1).holds(KEPT),
];

/// Elements that stay as they are, beside zeros, or what a node fills with.
fn padded(
    importer: &mut Importer<'_>,
    node: &Node<'_>,
    inputs: &Inputs,
    x: Numbers,
) -> Result<Numbers> {
    let fill = match node.op() {
        "Pad" if node.opset < 11 => node.float("value", 0.0)?.into(),
        "Pad" if inputs::optional(inputs, 2).is_some() => {
            return Ok(x.or(importer.numbers(node, inputs, 2)));
        }
        _ => 0.0,
    };
    x.beside(node, fill)
}

fn constant(importer: &mut Importer<'_>, node: &Node<'_>, _: &Inputs) -> Outputs {
    if let Some(tensor) = node.tensor("value")? {
        let array = importer.tensor(tensor)?;
        let array = array.with_name(node.label().to_owned());
        return Ok(vec![constant_value(array)]);
    }
    if let Some(values) = node.ints("value_ints")? {
        let values = values.into_iter().map(|value| value as f64).collect::<Array1<f64>>();
        return Ok(vec![Value::known(values.into_dyn(), Kind::Int(DType::I64))]);
    }
    if let Some(value) = node.optional_int("value_int")? {
        return Ok(vec![Value::known(
            ndarray::arr0(value as f64).into_dyn(),
            Kind::Int(DType::I64),
        )]);
    }
    if let Some(values) = node.floats("value_floats")? {
        let values = values.into_iter().map(f64::from).collect::<Array1<f64>>();
        return Ok(vec![Value::known(values.into_dyn(), Kind::Float)]);
    }
    if let Some(value) = node.optional_float("value_float")? {
        return Ok(vec![Value::known(ndarray::arr0(f64::from(value)).into_dyn(), Kind::Float)]);
    }
    Err(node.unsupported("a constant that is neither a tensor nor a number"))
}

fn constant_of_shape(importer: &mut Importer<'_>, node: &Node<'_>, inputs: &Inputs) -> Outputs {
    let shape = needed(node, "input 0", inputs::ints(node, inputs, 0)?)?;
    let shape = inputs::lengths(node, &shape)?;
    let fill = match node.tensor("value")? {
        Some(tensor) => Known::read(&importer.tensor(tensor)?),
        None => Known::new(ndarray::arr1(&[0.0]).into_dyn(), Kind::Float),
    };
    let &[value] = fill.values.as_slice().unwrap_or_default() else {
        let got = format!("has shape {:?}", fill.values.shape());
        return Err(node.refuse("value", got, "one number fills the shape".to_owned()));
    };
    let elements = filled(node, &shape)?;
    if fill.kind != Kind::Float {
        importer.budget.spend(&node.title, elements, size_of::<f64>())?;
        return Ok(vec![Value::known(ArrayD::from_elem(IxDyn(&shape), value), fill.kind)]);
    }
    importer.budget.fill(&node.title, elements)?;
    #[expect(clippy::cast_possible_truncation, reason = "floats are f32 already")]
    let array = ArrayD::from_elem(IxDyn(&shape), value as f32);
    Ok(vec![Value::Weight(Weight::from(HostArray::from(array).with_name(node.label().to_owned())))])
}

/// Counts the elements of a shape that an array is to have, not only by their product.
fn filled(node: &Node<'_>, shape: &[usize]) -> Result<usize> {
    // An array may have no more than half of all numbers as the product of all lengths but 0.
    let lengths: Vec<usize> = shape.iter().map(|&length| length.max(1)).collect();
    if isize::try_from(fold_shape::product(node, &lengths)?).is_err() {
        return Err(node.refuse(
            "shape",
            format!("has {shape:?}"),
            "the product must fit".to_owned(),
        ));
    }
    fold_shape::product(node, shape)
}

fn identity(_: &mut Importer<'_>, node: &Node<'_>, inputs: &Inputs) -> Outputs {
    Ok(vec![inputs::required(node, inputs, 0)?.clone()])
}

/// Leaves a value as it is: what is dropped is dropped while a network is trained.
fn dropout(importer: &mut Importer<'_>, node: &Node<'_>, inputs: &Inputs) -> Outputs {
    // The seed chooses what is dropped.
    node.int("seed", 0)?;
    let ratio = node.float("ratio", 0.5)?;
    let ratio = inputs::number(node, inputs, 1)?.unwrap_or(ratio);
    let is_training = inputs::number(node, inputs, 2)?.is_some_and(|training| training != 0.0);
    if is_training && ratio != 0.0 {
        return Err(node.unsupported(&format!("training_mode with the ratio {ratio}")));
    }
    let x = inputs::required(node, inputs, 0)?;
    if !node.wants(1) {
        return Ok(vec![x.clone()]);
    }
    let shape = inputs::shape(importer, x);
    importer.budget.spend(&node.title, filled(node, &shape)?, size_of::<f64>())?;
    let mask = Value::known(ArrayD::from_elem(IxDyn(&shape), 1.0), Kind::Bool);
    Ok(vec![x.clone(), mask])
}

/// Shape and Size of a value that is computed: its shape is known all the same.
fn shape(importer: &mut Importer<'_>, node: &Node<'_>, inputs: &Inputs) -> Outputs {
    let x = inputs::required(node, inputs, 0)?;
    Ok(vec![fold_shape::shape(node, &inputs::shape(importer, x))?.into()])
}

fn size(importer: &mut Importer<'_>, node: &Node<'_>, inputs: &Inputs) -> Outputs {
    let x = inputs::required(node, inputs, 0)?;
    let elements = element_count(&node.title, &inputs::shape(importer, x))?;
    Ok(vec![Known::scalar(usize::try_from(elements).unwrap_or(usize::MAX)).into()])
}

/// An operator that is only computed of known numbers.
fn known_only(_: &mut Importer<'_>, node: &Node<'_>, inputs: &Inputs) -> Outputs {
    for number in 0..inputs.len() {
        inputs::known(node, inputs, number)?;
    }
    Err(node.unsupported("a result of this size"))
}

fn reshape(importer: &mut Importer<'_>, node: &Node<'_>, inputs: &Inputs) -> Outputs {
    let x = inputs::required(node, inputs, 0)?;
    let lengths = inputs::shape(importer, x);
    let target = match node.op() {
        "Reshape" => {
            let wanted = inputs::ints_or_attribute(node, inputs, 1, "shape")?;
            fold_shape::reshape_target(node, &lengths, &needed(node, "shape", wanted)?)?
        }
        "Flatten" => fold_shape::flattened(node, &lengths)?,
        op => {
            let axes = inputs::ints_or_attribute(node, inputs, 1, "axes")?;
            if op == "Squeeze" {
                fold_shape::squeezed(node, &lengths, axes)?
            } else {
                fold_shape::unsqueezed(node, &lengths, axes)?
            }
        }
    };
    let x = inputs::symbol(importer, node, inputs, 0)?;
    Ok(vec![importer.reshape(x, &target)?.into()])
}

fn transpose(importer: &mut Importer<'_>, node: &Node<'_>, inputs: &Inputs) -> Outputs {
    let x = inputs::symbol(importer, node, inputs, 0)?;
    let order = fold_shape::permutation(node, importer.shape(x).len())?;
    Ok(vec![importer.graph.transpose(x, &order)?.into()])
}

fn concat(importer: &mut Importer<'_>, node: &Node<'_>, inputs: &Inputs) -> Outputs {
    let mut symbols = Vec::with_capacity(inputs.len());
    for number in 0..inputs.len() {
        symbols.push(inputs::symbol(importer, node, inputs, number)?);
    }
    let axis = inputs::positions(node, &[fold_shape::concat_axis(node)?])?;
    let axis = axis.first().copied().unwrap_or(0);
    Ok(vec![importer.graph.concat(&symbols, axis)?.into()])
}

fn split(importer: &mut Importer<'_>, node: &Node<'_>, inputs: &Inputs) -> Outputs {
    let x = inputs::symbol(importer, node, inputs, 0)?;
    let shape = importer.shape(x);
    let axis = fold_shape::axis(node, node.int("axis", 0)?, shape.len())?;
    let given = inputs::ints_or_attribute(node, inputs, 1, "split")?;
    let lengths = fold_shape::split_lengths(node, shape[axis], given)?;
    let axis = isize::try_from(axis).unwrap_or(isize::MAX);
    let parts = importer.graph.split(x, Split::lengths(lengths).axis(axis))?;
    Ok(parts.into_iter().map(Value::from).collect())
}

fn slice(importer: &mut Importer<'_>, node: &Node<'_>, inputs: &Inputs) -> Outputs {
    let x = inputs::symbol(importer, node, inputs, 0)?;
    // Until version 10 these were attributes.
    let starts = needed(node, "starts", inputs::ints_or_attribute(node, inputs, 1, "starts")?)?;
    let ends = needed(node, "ends", inputs::ints_or_attribute(node, inputs, 2, "ends")?)?;
    let mut slice = Slice::new(inputs::saturating(&starts), inputs::saturating(&ends));
    if let Some(axes) = inputs::ints_or_attribute(node, inputs, 3, "axes")? {
        slice = slice.axes(inputs::positions(node, &axes)?);
    }
    if let Some(steps) = inputs::ints(node, inputs, 4)? {
        slice = slice.steps(inputs::saturating(&steps));
    }
    Ok(vec![importer.graph.slice(x, slice)?.into()])
}

fn gather(importer: &mut Importer<'_>, node: &Node<'_>, inputs: &Inputs) -> Outputs {
    let x = inputs::symbol(importer, node, inputs, 0)?;
    let Some(indices) = inputs::known(node, inputs, 1)? else {
        let expected = "Gather has indices".to_owned();
        return Err(node.refuse("input 1", "is left out".to_owned(), expected));
    };
    importer.budget.spend(&node.title, indices.values.len(), size_of::<usize>())?;
    let shape = indices.values.raw_dim();
    // The count is that of the indices themselves.
    let indices = ArrayD::from_shape_vec(shape, indices.whole(node, "indices")?)
        .map_err(|error| node.refuse("indices", format!("{error}"), "an array".to_owned()))?;
    let axis = inputs::positions(node, &[node.int("axis", 0)?])?;
    let axis = axis.first().copied().unwrap_or(0);
    Ok(vec![importer.graph.gather(x, &indices, axis)?.into()])
}

fn expand(importer: &mut Importer<'_>, node: &Node<'_>, inputs: &Inputs) -> Outputs {
    let x = inputs::symbol(importer, node, inputs, 0)?;
    let shape = needed(node, "shape", inputs::ints(node, inputs, 1)?)?;
    let shape = inputs::lengths(node, &shape)?;
    Ok(vec![importer.graph.expand(x, shape)?.into()])
}

fn tile(importer: &mut Importer<'_>, node: &Node<'_>, inputs: &Inputs) -> Outputs {
    let x = inputs::symbol(importer, node, inputs, 0)?;
    let repeats = needed(node, "repeats", inputs::ints(node, inputs, 1)?)?;
    let repeats = inputs::lengths(node, &repeats)?;
    Ok(vec![importer.graph.tile(x, &repeats)?.into()])
}

fn pad(importer: &mut Importer<'_>, node: &Node<'_>, inputs: &Inputs) -> Outputs {
    let x = inputs::symbol(importer, node, inputs, 0)?;
    let given = needed(node, "pads", inputs::ints_or_attribute(node, inputs, 1, "pads")?)?;
    let value = if node.opset < 11 {
        node.float("value", 0.0)?
    } else {
        inputs::number(node, inputs, 2)?.unwrap_or(0.0)
    };
    let mode = match node.text("mode", "constant")?.as_str() {
        "constant" => PadMode::Constant(value),
        "edge" => PadMode::Edge,
        "reflect" => PadMode::Reflect,
        "wrap" => PadMode::Wrap,
        other => return Err(node.unsupported(&format!("mode = \"{other}\""))),
    };
    // First what goes before each axis, then what goes behind each.
    let given = inputs::positions(node, &given)?;
    let (before, behind) = given.split_at(given.len() / 2);
    let mut pad = Pad::new(before.iter().copied().zip(behind.iter().copied())).mode(mode);
    if let Some(axes) = inputs::ints(node, inputs, 3)? {
        pad = pad.axes(inputs::positions(node, &axes)?);
    }
    if !given.len().is_multiple_of(2) {
        let expected = "two numbers for each axis".to_owned();
        return Err(node.refuse("pads", format!("has {} numbers", given.len()), expected));
    }
    Ok(vec![importer.graph.pad(x, pad)?.into()])
}

fn center_crop_pad(importer: &mut Importer<'_>, node: &Node<'_>, inputs: &Inputs) -> Outputs {
    let x = inputs::symbol(importer, node, inputs, 0)?;
    let shape = needed(node, "shape", inputs::ints(node, inputs, 1)?)?;
    let mut target = CenterCropPad::new(inputs::lengths(node, &shape)?);
    if let Some(axes) = node.ints("axes")? {
        target = target.axes(inputs::positions(node, &axes)?);
    }
    Ok(vec![importer.graph.center_crop_pad(x, target)?.into()])
}

/// Moves channels behind height and width.
fn channels_last(importer: &mut Importer<'_>, node: &Node<'_>, x: Symbol) -> Result<Symbol> {
    match importer.shape(x).len() {
        4 => importer.graph.transpose(x, &[0, 2, 3, 1]),
        rank => Err(node.unsupported(&format!("a value of {rank} dimensions"))),
    }
}

fn depth_to_space(importer: &mut Importer<'_>, node: &Node<'_>, inputs: &Inputs) -> Outputs {
    let x = inputs::symbol(importer, node, inputs, 0)?;
    let x = channels_last(importer, node, x)?;
    let option = rearrangement(node)?;
    let result = importer.graph.depth_to_space(x, option)?;
    Ok(vec![importer.graph.transpose(result, &[0, 3, 1, 2])?.into()])
}

fn space_to_depth(importer: &mut Importer<'_>, node: &Node<'_>, inputs: &Inputs) -> Outputs {
    let x = inputs::symbol(importer, node, inputs, 0)?;
    let x = channels_last(importer, node, x)?;
    let option = rearrangement(node)?;
    let result = importer.graph.space_to_depth(x, option)?;
    Ok(vec![importer.graph.transpose(result, &[0, 3, 1, 2])?.into()])
}

fn rearrangement(node: &Node<'_>) -> Result<DepthToSpace> {
    let block = inputs::lengths(node, &[node.int("blocksize", 0)?])?;
    let mode = match node.text("mode", "DCR")?.as_str() {
        "DCR" => DepthMode::Dcr,
        "CRD" => DepthMode::Crd,
        other => return Err(node.unsupported(&format!("mode = \"{other}\""))),
    };
    Ok(DepthToSpace::new(block.first().copied().unwrap_or(0)).mode(mode))
}
