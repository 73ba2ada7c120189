//! Functions of one operand as users ask for them, on their own and of layers.

use serde::de::Error as _;
use serde::{Deserialize, Deserializer, Serialize, Serializer};
use serde_json::value::RawValue;

use super::{Activation, UnaryOp};
use crate::error::Result;
use crate::graph::{Graph, Node, Site, Symbol};
use crate::kernels::Work;
use crate::kernels::activation::Geometry;
use crate::ops::{Arguments, Epilogue, Op, Operator, Shapes};
use crate::shape::Shape;

/// Functions by the names of their usual constants.
#[expect(non_upper_case_globals, reason = "they stand beside variants")]
impl Activation {
    /// `min(max(x, 0), 6)`.
    pub const Relu6: Activation = Activation::Clip { min: 0.0, max: 6.0 };
    /// `1.0507 * (x if it is not negative, else 1.6733 * (exp(x) - 1))`.
    pub const Selu: Activation = Activation::SeluWith { alpha: 1.673_263_2, gamma: 1.050_701 };
    /// `min(max(x / 6 + 0.5, 0), 1)`, as Keras has it.
    pub const HardSigmoid: Activation = Activation::HardSigmoidWith { alpha: 1.0 / 6.0, beta: 0.5 };
    /// `x * sigmoid(x)`, also called swish.
    pub const Silu: Activation = Activation::Swish(1.0);

    /// Returns the name of the function, Keras's, or ONNX's in Keras's spelling.
    #[must_use]
    pub fn name(self) -> &'static str {
        self.function().map_or("softmax", UnaryOp::name)
    }
}

#[expect(clippy::derivable_impls, reason = "a macro makes the variants")]
impl Default for Activation {
    fn default() -> Self {
        Activation::Linear
    }
}

impl UnaryOp {
    /// Returns the name that messages and plans print: Keras's, or ONNX's in Keras's spelling.
    #[must_use]
    pub fn name(self) -> &'static str {
        self.row().name
    }

    /// Says what is wrong with its constants, if something is.
    pub(crate) fn undefined(self) -> Option<String> {
        if let UnaryOp::Celu(alpha) = self
            && (alpha.is_nan() || alpha <= 0.0)
        {
            return Some(format!("celu with alpha {alpha}, which must be positive"));
        }
        if let UnaryOp::Clip { min, max } = self
            && (min.is_nan() || max.is_nan())
        {
            return Some(format!("clip to between {min} and {max}"));
        }
        None
    }

    /// Refuses constants that the function is not defined with.
    pub(crate) fn check(self, node: &str) -> Result<()> {
        let Some(what) = self.undefined() else { return Ok(()) };
        Err(Site::new(node, format!("{self:?}")).refuse(
            "a constant",
            format!("asks for {what}"),
            "the function is not defined so",
            "use constants that the function is defined with",
        ))
    }
}

impl Graph {
    /// Applies a function to every element; softmax goes over the last axis.
    ///
    /// # Errors
    ///
    /// [`Error::Operand`](crate::Error::Operand) for a symbol of another graph, for softmax of a
    /// value without axes, and for constants that the function is not defined with: an alpha of
    /// celu that is not positive, a bound of clip that is NaN.
    pub fn activation(&mut self, x: Symbol, activation: impl Into<Activation>) -> Result<Symbol> {
        let Some(function) = activation.into().function() else { return self.softmax(x, -1) };
        let pending = self.begin(function.name(), None, [("x", x)])?;
        self.add_node(pending, Op::Activation(function), Vec::new())
    }
}

impl Operator for UnaryOp {
    fn name(&self) -> &'static str {
        UnaryOp::name(*self)
    }

    fn infer(&self, of: &Arguments<'_>) -> Result<Shape> {
        let [x] = of.only()?;
        self.check(of.node)?;
        Ok(x.shape.clone())
    }

    fn work(&self, at: &Shapes) -> Option<Work> {
        // The function itself is the first stage.
        let mut epilogue = at.epilogue.clone();
        epilogue.stages.splice(..0, Epilogue::from(*self).stages);
        Some(Work::Activation(Geometry { shape: at.result.clone(), epilogue }))
    }

    fn reordered(&self, _node: &Node, _perm: &[usize]) -> Option<Op> {
        Some(Op::Activation(*self))
    }

    fn has_epilogue(&self) -> bool {
        true
    }
}

impl Serialize for UnaryOp {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        UnaryOp::serialize(self, serializer)
    }
}

/// Functions are read by the names that graphs were saved with before, too.
impl<'de> Deserialize<'de> for UnaryOp {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        let raw = Box::<RawValue>::deserialize(deserializer)?;
        let earlier = match raw.get() {
            "\"relu6\"" => Activation::Relu6,
            "\"selu\"" => Activation::Selu,
            "\"hard_sigmoid\"" => Activation::HardSigmoid,
            "\"silu\"" => Activation::Silu,
            text => {
                let read = UnaryOp::deserialize(&mut serde_json::Deserializer::from_str(text));
                return read.map_err(D::Error::custom);
            }
        };
        earlier.function().ok_or_else(|| D::Error::custom("is not an element-wise function"))
    }
}
