//! What translations ask of a node's inputs: symbols, numbers known now, weights.

use std::sync::Arc;

use ndarray::IxDyn;

use super::Inputs;
use crate::array::{DType, Element, HostArray};
use crate::error::{Error, Result};
use crate::graph::{Symbol, Weight};
use crate::import::onnx::importer::{Importer, Layout};
use crate::import::onnx::node::Node;
use crate::import::onnx::value::{Known, SMALL, Value};

/// Returns an input that must be there.
pub(super) fn required<'v>(
    node: &Node<'_>,
    inputs: &'v Inputs,
    number: usize,
) -> Result<&'v Value> {
    optional(inputs, number).ok_or_else(|| {
        let expected = format!("{} needs it", node.op());
        node.refuse(&format!("input {number}"), "is left out".to_owned(), expected)
    })
}

/// Returns an input that may be left out.
pub(in crate::import::onnx) fn optional(inputs: &Inputs, number: usize) -> Option<&Value> {
    inputs.get(number).and_then(Option::as_ref)
}

/// Returns an input as a value of the graph.
pub(super) fn symbol(
    importer: &mut Importer<'_>,
    node: &Node<'_>,
    inputs: &Inputs,
    number: usize,
) -> Result<Symbol> {
    let value = required(node, inputs, number)?;
    let name = node.input(number).unwrap_or_default();
    importer.symbol(value, name)
}

/// Returns the shape of a value; every length is known in an import.
pub(in crate::import::onnx) fn shape(importer: &Importer<'_>, value: &Value) -> Vec<usize> {
    match value {
        Value::Symbol(symbol) => importer.shape(*symbol),
        Value::Known(known) => known.values.shape().to_vec(),
        Value::Weight(weight) => weight.shape().to_vec(),
    }
}

/// Returns the numbers of an input that shapes the network; none if it is left out.
pub(super) fn known(node: &Node<'_>, inputs: &Inputs, number: usize) -> Result<Option<Arc<Known>>> {
    let Some(value) = optional(inputs, number) else { return Ok(None) };
    match value {
        // Copied each time they are read, so a great array would fill the memory.
        Value::Weight(weight) if weight.host().is_some_and(|array| array.len() > SMALL) => {
            let got = format!("has shape {:?}", weight.shape());
            let expected = format!("floats that shape the network are at most {SMALL}");
            Err(node.refuse(&format!("input {number}"), got, expected))
        }
        Value::Known(_) | Value::Weight(_) => value
            .to_known()
            .map(Some)
            .ok_or_else(|| node.unsupported("a staged weight that shapes the network")),
        Value::Symbol(_) => Err(Error::Operand {
            node: node.title.clone(),
            operand: format!("input \"{}\"", node.input(number).unwrap_or_default()),
            got: "is computed when the network runs".to_owned(),
            expected: "it shapes the network, so it must be known before".to_owned(),
            shapes: format!("input {number} of {}", node.op()),
            remedy: "give it with ImportOptions::value, or make it a constant".to_owned(),
        }),
    }
}

/// Returns the whole numbers of an input; none if it is left out.
pub(in crate::import::onnx) fn ints(
    node: &Node<'_>,
    inputs: &Inputs,
    number: usize,
) -> Result<Option<Vec<i64>>> {
    let what = format!("input {number}");
    known(node, inputs, number)?.map(|known| known.whole(node, &what)).transpose()
}

/// Returns the whole numbers that older versions have as an attribute, newer ones as an input.
pub(in crate::import::onnx) fn ints_or_attribute(
    node: &Node<'_>,
    inputs: &Inputs,
    number: usize,
    name: &'static str,
) -> Result<Option<Vec<i64>>> {
    match node.ints(name)? {
        Some(ints) => Ok(Some(ints)),
        None => ints(node, inputs, number),
    }
}

/// Returns the one number of an input; none if it is left out.
pub(super) fn number(node: &Node<'_>, inputs: &Inputs, number: usize) -> Result<Option<f32>> {
    let Some(known) = known(node, inputs, number)? else { return Ok(None) };
    if known.values.len() == 1 {
        return Ok(known.to_floats().first().copied());
    }
    let got = format!("has shape {:?}", known.values.shape());
    Err(node.refuse(&format!("input {number}"), got, "one number is needed".to_owned()))
}

/// Returns the one whole number of an input that must be there.
pub(super) fn position(node: &Node<'_>, inputs: &Inputs, number: usize) -> Result<isize> {
    required(node, inputs, number)?;
    let given = ints(node, inputs, number)?.unwrap_or_default();
    if let &[position] = positions(node, &given)?.as_slice() {
        return Ok(position);
    }
    let got = format!("holds {} numbers", given.len());
    Err(node.refuse(&format!("input {number}"), got, "one number is needed".to_owned()))
}

/// Returns an input as a layer's weight; none if it is left out.
pub(super) fn weight(
    importer: &mut Importer<'_>,
    node: &Node<'_>,
    inputs: &Inputs,
    number: usize,
) -> Result<Option<Weight>> {
    match optional(inputs, number) {
        None => Ok(None),
        Some(Value::Weight(weight)) => Ok(Some(weight.clone())),
        Some(Value::Known(known)) => {
            let name = node.input(number).unwrap_or_default();
            known.check_exact(name)?;
            let floats = || HostArray::from(known.to_floats()).with_name(name.to_owned());
            importer.layout(name, Layout::Floats, || Ok(Weight::from(floats()))).map(Some)
        }
        Some(Value::Symbol(_)) => {
            let name = node.input(number).unwrap_or_default();
            Err(node.unsupported(&format!("the computed weight \"{name}\"")))
        }
    }
}

/// Returns input 1 with its axes in another order, with a height of 1 put in before for a line.
pub(super) fn kernel(
    importer: &mut Importer<'_>,
    node: &Node<'_>,
    weight: &Weight,
    order: &[usize],
    is_line: bool,
) -> Result<Weight> {
    let name = node.input(1).unwrap_or_default();
    let high = if is_line {
        importer.layout(name, Layout::WithHeight, || with_height(node, weight))?
    } else {
        weight.clone()
    };
    let layout = Layout::Permuted(order.to_vec(), is_line);
    importer.layout(name, layout, || permuted(node, &high, order))
}

/// Returns a weight with its axes in another order.
fn permuted(node: &Node<'_>, weight: &Weight, order: &[usize]) -> Result<Weight> {
    let Some(array) = weight.host() else {
        return Err(node.unsupported("a staged weight in ONNX's layout"));
    };
    if array.shape().len() != order.len() {
        return Err(node.refuse(
            &format!("weight \"{}\"", weight.label()),
            format!("has {} dimensions", array.shape().len()),
            format!("{} are needed", order.len()),
        ));
    }
    // The dtype stays, so that staging's own rules convert it.
    let array = match array.dtype() {
        DType::F64 => permute::<f64>(array, order)?,
        DType::F16 => permute::<half::f16>(array, order)?,
        _ => permute::<f32>(array, order)?,
    };
    Ok(Weight::from(array.with_name(weight.label().to_owned())))
}

fn permute<T: Element>(array: &HostArray<'_>, order: &[usize]) -> Result<HostArray<'static>> {
    let permuted = array.to_array::<T>()?.permuted_axes(IxDyn(order));
    Ok(HostArray::from(permuted.as_standard_layout().into_owned()))
}

/// Converts numbers for builders that take signed positions.
pub(super) fn positions(node: &Node<'_>, given: &[i64]) -> Result<Vec<isize>> {
    let converted: Option<Vec<isize>> = given.iter().map(|&at| isize::try_from(at).ok()).collect();
    converted.ok_or_else(|| too_large(node, given))
}

/// Converts numbers for builders that take lengths.
pub(super) fn lengths(node: &Node<'_>, given: &[i64]) -> Result<Vec<usize>> {
    let converted: Option<Vec<usize>> = given.iter().map(|&at| usize::try_from(at).ok()).collect();
    converted.ok_or_else(|| too_large(node, given))
}

fn too_large(node: &Node<'_>, given: &[i64]) -> Error {
    node.refuse("numbers", format!("are {given:?}"), "each fits its place".to_owned())
}

/// Converts positions of a slice, of which the largest numbers mean "to the end".
pub(super) fn saturating(given: &[i64]) -> Vec<isize> {
    let clamp =
        |&at: &i64| isize::try_from(at).unwrap_or(if at < 0 { isize::MIN } else { isize::MAX });
    given.iter().map(clamp).collect()
}

/// Gives the kernel of a line a height of 1: (outer, inner, width) becomes
/// (outer, inner, 1, width).
fn with_height(node: &Node<'_>, weight: &Weight) -> Result<Weight> {
    let &[outer, inner, width] = weight.shape() else {
        let got = format!("has shape {:?}", weight.shape());
        let expected = "3 dimensions are needed".to_owned();
        return Err(node.refuse(&format!("weight \"{}\"", weight.label()), got, expected));
    };
    let Some(array) = weight.host() else {
        return Err(node.unsupported("a staged weight in ONNX's layout"));
    };
    let shape = IxDyn(&[outer, inner, 1, width]);
    let reshaped = match array.dtype() {
        DType::F64 => reshape::<f64>(array, shape),
        DType::F16 => reshape::<half::f16>(array, shape),
        _ => reshape::<f32>(array, shape),
    }?;
    Ok(Weight::from(reshaped.with_name(weight.label().to_owned())))
}

fn reshape<T: Element>(array: &HostArray<'_>, shape: IxDyn) -> Result<HostArray<'static>> {
    let values = array.to_array::<T>()?;
    let standard = values.as_standard_layout().into_owned();
    standard.into_shape_with_order(shape).map(HostArray::from).map_err(|error| Error::Operand {
        node: "import".to_owned(),
        operand: format!("weight \"{}\"", array.name()),
        got: format!("does not fit ({error})"),
        expected: "a height of 1 adds no element".to_owned(),
        shapes: format!("{:?}", array.shape()),
        remedy: crate::error::BUG.to_owned(),
    })
}
