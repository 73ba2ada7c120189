//! Pooling over windows.

use super::convolution::image;
use super::{Inputs, KEPT, Row, inputs, row};
use crate::error::Result;
use crate::import::onnx::importer::Importer;
use crate::import::onnx::node::Node;
use crate::import::onnx::value::Value;
use crate::ops::Pooling;

/// The operators of this file.
pub(super) const ROWS: &[Row] =
    &[row("AveragePool", pool), row("LpPool", pool), row("MaxPool", pool).holds(KEPT)];

fn pool(importer: &mut Importer<'_>, node: &Node<'_>, inputs: &Inputs) -> Result<Vec<Value>> {
    if node.wants(1) {
        return Err(node.unsupported("the output of indices"));
    }
    let x = inputs::symbol(importer, node, inputs, 0)?;
    let image = image(importer, node, x)?;
    if node.ints("kernel_shape")?.is_none() {
        let expected = "a window has a size".to_owned();
        return Err(node.refuse("kernel_shape", "is left out".to_owned(), expected));
    }
    let layer = Pooling::new(image.pair(node, "kernel_shape", 1)?)
        .strides(image.pair(node, "strides", 1)?)
        .dilation(image.pair(node, "dilations", 1)?)
        .padding(image.padding(node)?)
        .ceil_mode(node.flag("ceil_mode", false)?);
    let graph = &mut importer.graph;
    let result = match node.op() {
        "AveragePool" => {
            let layer = layer.count_include_pad(node.flag("count_include_pad", false)?);
            graph.average_pooling2d(image.symbol, layer)?
        }
        "LpPool" => {
            let p = node.int("p", 2)?;
            let power = u16::try_from(p).map_err(|_| node.unsupported(&format!("p = {p}")))?;
            graph.lp_pooling2d(image.symbol, power, layer)?
        }
        _ => {
            // It orders the indices alone, which are not given.
            node.int("storage_order", 0)?;
            graph.max_pooling2d(image.symbol, layer)?
        }
    };
    Ok(vec![image.back(importer, result)?.into()])
}
