//! Keras's `PReLU`: leaky relu with learned slopes.

use crate::error::Result;
use crate::graph::{Graph, Operand, Site, Symbol, Weight, title};
use crate::ops::BinaryOp;
use crate::shape::Dim;

/// Options of [`Graph::p_relu`], with Keras's names.
///
/// ```
/// use longshore::{Graph, HostArray, PRelu, Shape};
/// use ndarray::array;
///
/// # fn main() -> longshore::Result<()> {
/// let mut g = Graph::new();
/// let x = g.input("x", Shape::batch([4, 6]));
/// let alpha = HostArray::from(array![[0.1_f32, 0.2, 0.3, 0.1, 0.2, 0.3]]);
/// let y = g.p_relu(x, PRelu::new().shared_axes([1]), alpha)?;
/// assert_eq!(g.shape(y), Some(&Shape::batch([4, 6])));
/// # Ok(())
/// # }
/// ```
#[derive(Clone, Debug, Default, PartialEq)]
pub struct PRelu {
    shared_axes: Vec<usize>,
    name: Option<String>,
}

impl PRelu {
    /// Makes a layer with a slope for each element of an item.
    #[must_use]
    pub fn new() -> Self {
        PRelu::default()
    }

    /// Sets the axes along which slopes are shared, counted from 1 behind the batch, as in Keras.
    #[must_use]
    pub fn shared_axes(mut self, axes: impl IntoIterator<Item = usize>) -> Self {
        self.shared_axes = axes.into_iter().collect();
        self
    }

    /// Sets the layer's name.
    #[must_use]
    pub fn name(mut self, name: impl Into<String>) -> Self {
        self.name = Some(name.into());
        self
    }
}

impl Graph {
    /// Multiplies negative elements by slopes: `x` if it is not negative, else `alpha * x`.
    ///
    /// `alpha` has the shape of one item of `x` (all axes but the first), with 1 for each of the
    /// shared axes. It becomes a constant named `NAME/alpha`. ONNX's `PRelu`, whose slope is an
    /// operand, is [`Graph::p_relu_with`].
    ///
    /// # Errors
    ///
    /// [`Error::Operand`](crate::Error::Operand) for an alpha of another shape, for shared axes
    /// that `x` does not have, and for a symbol of another graph;
    /// [`Error::Name`](crate::Error::Name) when a node has the name already.
    pub fn p_relu(&mut self, x: Symbol, layer: PRelu, alpha: impl Into<Weight>) -> Result<Symbol> {
        let name = self.name_for("p_relu", layer.name.as_deref())?;
        let node = title("p_relu", &name);
        let operand = self.operand(&node, "x", x)?;
        let alpha = alpha.into();
        let slopes = format!("alpha {:?}", alpha.shape());
        let site = Site::new(&node, format!("{}, {slopes}", operand.describe()));
        check_slopes(&site, &operand, &layer.shared_axes, alpha.shape())?;
        let nodes = self.nodes().len();
        let slope = self.constant(format!("{name}/alpha"), alpha)?;
        let result = self.binary(BinaryOp::PRelu, x, slope).and_then(|y| self.rename(y, name));
        if result.is_err() {
            self.truncate(nodes);
        }
        result
    }
}

fn check_slopes(site: &Site, x: &Operand, shared: &[usize], alpha: &[usize]) -> Result<()> {
    let rank = x.shape.rank();
    if let Some(axis) = shared.iter().find(|&&axis| axis == 0 || axis >= rank) {
        return Err(site.refuse(
            "shared_axes",
            format!("names axis {axis}"),
            format!("\"{}\" has axes 1 to {} behind the batch", x.name, rank.saturating_sub(1)),
            "name some of these",
        ));
    }
    let length = |(axis, dim): (usize, &Dim)| match dim {
        Dim::Fixed(length) if !shared.contains(&axis) => *length,
        _ => 1,
    };
    let expected: Vec<usize> = x.shape.dims().iter().enumerate().skip(1).map(length).collect();
    if expected == alpha {
        return Ok(());
    }
    Err(site.refuse(
        "alpha",
        format!("has shape {alpha:?}"),
        format!("one item of \"{}\" with its shared axes needs {expected:?}", x.name),
        "give one slope for each element, and 1 for a shared axis",
    ))
}
