//! Dense layers: a matrix product on the last axis.

use crate::error::Result;
use crate::graph::{Draft, Graph, LayerWeights, Site, Symbol, title};
use crate::ops::checks::check_bias;
use crate::ops::{Activation, Op};
use crate::shape::{Dim, Shape};

/// Describes a dense layer; defaults are Keras's.
#[derive(Clone, Debug)]
pub struct Dense {
    units: usize,
    name: Option<String>,
    activation: Activation,
}

impl Dense {
    /// Makes a layer of `units` results.
    #[must_use]
    pub fn new(units: usize) -> Self {
        Dense { units, name: None, activation: Activation::Linear }
    }

    /// Names the node.
    #[must_use]
    pub fn name(mut self, name: impl Into<String>) -> Self {
        self.name = Some(name.into());
        self
    }

    /// Sets the activation.
    #[must_use]
    pub fn activation(mut self, activation: Activation) -> Self {
        self.activation = activation;
        self
    }
}

impl Graph {
    /// Adds a dense layer: `x @ kernel + bias` on the last axis of any rank.
    ///
    /// `x` is (..., in), the kernel (in, units), the optional bias (units), the
    /// result (..., units). The rule is Keras's.
    ///
    /// # Errors
    ///
    /// [`Error::Operand`](crate::Error::Operand) when shapes disagree,
    /// [`Error::Name`](crate::Error::Name) for a weight the layer does not know.
    pub fn dense(&mut self, x: Symbol, layer: Dense, weights: &LayerWeights) -> Result<Symbol> {
        let name = self.name_for("dense", layer.name.as_deref())?;
        let node = title("dense", &name);
        let (kernel, bias) = weights.kernel_and_bias(&node)?;
        let x = self.operand(&node, "x", x)?;
        let site = Site::new(&node, format!("{}, kernel {:?}", x.describe(), kernel.shape()));
        let &[inputs, units] = kernel.shape() else {
            return Err(site.refuse(
                "kernel",
                format!("has {} dimensions", kernel.shape().len()),
                "a dense kernel has 2: (in, units)",
                "reshape it",
            ));
        };
        let Some((last, leading)) = x.shape.dims().split_last() else {
            return Err(site.refuse(
                &format!("\"{}\"", x.name),
                "has no dimensions",
                "the product is taken over the last one",
                "reshape it to [1, n]",
            ));
        };
        match *last {
            Dim::Fixed(features) if features == inputs => {}
            _ => {
                return Err(site.refuse(
                    "kernel",
                    format!("has {inputs} input features"),
                    format!("\"{}\" has {last} on its last axis", x.name),
                    "make both equal",
                ));
            }
        }
        if units != layer.units || units == 0 {
            return Err(site.refuse(
                "kernel",
                format!("gives {units} units"),
                format!("the layer asks for {}, and at least 1 is needed", layer.units),
                "make both equal and positive",
            ));
        }
        check_bias(&site, bias.as_ref(), units)?;
        let shape = Shape::new(leading.iter().copied().chain([Dim::Fixed(units)]));
        let weights = std::iter::once(kernel).chain(bias).collect();
        let draft = Draft { title: node, name, operands: vec![x.index], weights, shape };
        self.insert_activated(draft, layer.activation, Op::Dense)
    }
}
