//! Convolution and its transpose: ONNX's order of axes around kernels that keep channels last.

use super::{Inputs, Row, inputs, row};
use crate::error::Result;
use crate::graph::{LayerWeights, Symbol, Weight};
use crate::import::onnx::importer::Importer;
use crate::import::onnx::node::Node;
use crate::import::onnx::value::Value;
use crate::ops::{Conv2d, Conv2dTranspose, Padding, Pads, Pair};

/// An image of one or two spatial axes, with channels last and always a height.
pub(super) struct Image {
    /// (batch, height, width, channels).
    pub symbol: Symbol,
    /// Whether the model's value has one spatial axis, which is the width here.
    is_line: bool,
}

/// The operators of this file.
pub(super) const ROWS: &[Row] = &[
    row("Conv", conv).inputs(3).known(1, 2),
    row("ConvTranspose", conv_transpose).inputs(3).known(1, 2),
];

/// Moves channels behind the spatial axes, and gives a line a height of 1.
pub(super) fn image(importer: &mut Importer<'_>, node: &Node<'_>, x: Symbol) -> Result<Image> {
    let shape = importer.shape(x);
    match shape.as_slice() {
        [_, _, _, _] => {
            let symbol = importer.graph.transpose(x, &[0, 2, 3, 1])?;
            Ok(Image { symbol, is_line: false })
        }
        [_, _, _] => {
            let line = importer.graph.transpose(x, &[0, 2, 1])?;
            Ok(Image { symbol: importer.graph.unsqueeze(line, &[1])?, is_line: true })
        }
        other => Err(node.unsupported(&format!("a value of {} dimensions", other.len()))),
    }
}

impl Image {
    /// Moves the channels of a result back.
    pub(super) fn back(&self, importer: &mut Importer<'_>, result: Symbol) -> Result<Symbol> {
        if self.is_line {
            let line = importer.graph.squeeze(result, Some(&[1]))?;
            return importer.graph.transpose(line, &[0, 2, 1]);
        }
        importer.graph.transpose(result, &[0, 3, 1, 2])
    }

    /// Reads an attribute of one number for each spatial axis.
    pub(super) fn pair(&self, node: &Node<'_>, name: &'static str, default: usize) -> Result<Pair> {
        let given = node.ints(name)?;
        self.pair_of(node, name, given, default)
    }

    fn pair_of(
        &self,
        node: &Node<'_>,
        name: &'static str,
        given: Option<Vec<i64>>,
        default: usize,
    ) -> Result<Pair> {
        let Some(given) = given else {
            let height = if self.is_line { neutral(name) } else { default };
            return Ok(Pair::new(height, default));
        };
        match (self.is_line, inputs::lengths(node, &given)?.as_slice()) {
            (true, &[width]) => Ok(Pair::new(neutral(name), width)),
            (false, &[height, width]) => Ok(Pair::new(height, width)),
            _ => Err(self.refuse_count(node, name, &given)),
        }
    }

    /// Reads where padding goes; `auto_pad` stands before `pads`.
    pub(super) fn padding(&self, node: &Node<'_>) -> Result<Padding> {
        let given = node.ints("pads")?;
        match node.text("auto_pad", "NOTSET")?.as_str() {
            "NOTSET" => {}
            "SAME_UPPER" => return Ok(Padding::Same),
            "SAME_LOWER" => return Ok(Padding::SameLower),
            "VALID" => return Ok(Padding::Valid),
            other => return Err(node.unsupported(&format!("auto_pad = \"{other}\""))),
        }
        let Some(given) = given else { return Ok(Padding::Explicit(Pads::default())) };
        let pads = match (self.is_line, inputs::lengths(node, &given)?.as_slice()) {
            (true, &[left, right]) => Pads { left, right, ..Pads::default() },
            (false, &[top, left, bottom, right]) => Pads { top, bottom, left, right },
            _ => return Err(self.refuse_count(node, "pads", &given)),
        };
        Ok(Padding::Explicit(pads))
    }

    fn refuse_count(&self, node: &Node<'_>, name: &str, given: &[i64]) -> crate::Error {
        let axes = if self.is_line { 1 } else { 2 };
        node.refuse(name, format!("is {given:?}"), format!("the image has {axes} spatial axes"))
    }

    /// Moves the axes of a kernel: from (outer, inner, [height,] width) to the order given for
    /// (0: outer, 1: inner, 2: height, 3: width).
    fn kernel(
        &self,
        importer: &mut Importer<'_>,
        node: &Node<'_>,
        inputs: &Inputs,
        order: [usize; 4],
    ) -> Result<Weight> {
        let Some(weight) = inputs::weight(importer, node, inputs, 1)? else {
            let expected = format!("{} has a kernel", node.op());
            return Err(node.refuse("input 1", "is left out".to_owned(), expected));
        };
        inputs::kernel(importer, node, &weight, &order, self.is_line)
    }
}

/// What an option is along the height that a line does not have.
fn neutral(name: &str) -> usize {
    usize::from(name != "output_padding")
}

/// Reads the number of groups.
fn groups(node: &Node<'_>) -> Result<usize> {
    let group = node.int("group", 1)?;
    usize::try_from(group)
        .ok()
        .filter(|&group| group > 0)
        .ok_or_else(|| node.refuse("group", format!("is {group}"), "it is positive".to_owned()))
}

fn layer_weights(
    importer: &mut Importer<'_>,
    node: &Node<'_>,
    inputs: &Inputs,
    kernel: Weight,
) -> Result<LayerWeights> {
    let weights = LayerWeights::new(kernel);
    Ok(match inputs::weight(importer, node, inputs, 2)? {
        Some(bias) => weights.bias(bias),
        None => weights,
    })
}

fn conv(importer: &mut Importer<'_>, node: &Node<'_>, inputs: &Inputs) -> Result<Vec<Value>> {
    let x = inputs::symbol(importer, node, inputs, 0)?;
    let image = image(importer, node, x)?;
    let kernel = image.kernel(importer, node, inputs, [2, 3, 1, 0])?;
    let &[height, width, _, filters] = kernel.shape() else {
        return Err(node.unsupported("a kernel of other than 4 dimensions"));
    };
    let size = Pair::new(height, width);
    check_kernel_shape(node, &image, size)?;
    let layer = Conv2d::new(filters, size)
        .groups(groups(node)?)
        .strides(image.pair(node, "strides", 1)?)
        .dilation(image.pair(node, "dilations", 1)?)
        .padding(image.padding(node)?);
    let weights = layer_weights(importer, node, inputs, kernel)?;
    let result = importer.graph.conv2d(image.symbol, layer, &weights)?;
    Ok(vec![image.back(importer, result)?.into()])
}

/// Checks the attribute that repeats the kernel's own size.
fn check_kernel_shape(node: &Node<'_>, image: &Image, size: Pair) -> Result<()> {
    match node.ints("kernel_shape")? {
        Some(given) if image.pair_of(node, "kernel_shape", Some(given.clone()), 1)? != size => Err(
            node.refuse("kernel_shape", format!("is {given:?}"), format!("the kernel is {size}")),
        ),
        _ => Ok(()),
    }
}

fn conv_transpose(
    importer: &mut Importer<'_>,
    node: &Node<'_>,
    inputs: &Inputs,
) -> Result<Vec<Value>> {
    let x = inputs::symbol(importer, node, inputs, 0)?;
    let image = image(importer, node, x)?;
    let groups = groups(node)?;
    let kernel = image.kernel(importer, node, inputs, [2, 3, 1, 0])?;
    let &[height, width, outputs, _] = kernel.shape() else {
        return Err(node.unsupported("a kernel of other than 4 dimensions"));
    };
    let size = Pair::new(height, width);
    check_kernel_shape(node, &image, size)?;
    let filters = outputs.saturating_mul(groups);
    let mut padding = image.padding(node)?;
    let mut layer = Conv2dTranspose::onnx(filters, size)
        .groups(groups)
        .strides(image.pair(node, "strides", 1)?)
        .dilation(image.pair(node, "dilations", 1)?)
        .output_padding(image.pair(node, "output_padding", 0)?);
    if let Some(given) = node.ints("output_shape")? {
        // The whole shape is allowed too; its last numbers are the spatial ones.
        let spatial = if image.is_line { 1 } else { 2 };
        let given = given.get(given.len().saturating_sub(spatial)..).unwrap_or_default().to_vec();
        layer = layer.output_shape(image.pair_of(node, "output_shape", Some(given), 1)?);
        // The rule: a given shape decides on the padding, whatever `pads` says.
        if matches!(padding, Padding::Explicit(_)) {
            padding = Padding::Valid;
        }
    }
    let weights = layer_weights(importer, node, inputs, kernel)?;
    let result = importer.graph.conv2d_transpose(image.symbol, layer.padding(padding), &weights)?;
    Ok(vec![image.back(importer, result)?.into()])
}
