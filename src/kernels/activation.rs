//! Element-wise functions of one operand: their numbers in the shaders, and the family that
//! applies them alone.

use super::{Launch, Shader, count, in_fours, shader};
use crate::error::{Error, Result};
use crate::ops::{Activation, Epilogue};

/// The family's WGSL.
pub static SHADER: Shader = shader!("activation");

/// The bit of functions that the element-wise families alone have.
pub(super) const RARE: u32 = 512;

/// What to compute.
#[derive(Clone, Debug, PartialEq)]
pub struct Geometry {
    /// The shape of input and output.
    pub shape: Vec<usize>,
    /// What happens to each result before it is stored.
    pub epilogue: Epilogue,
}

/// Returns a function's number in the shaders, and its two constants (0 where it has none).
///
/// # Errors
///
/// [`Error::Unsupported`] for softmax, which is not element-wise, so no kernel can fuse it, and
/// for constants that the function is not defined with.
pub fn code(node: &str, activation: Activation) -> Result<(u32, f32, f32)> {
    const SIXTH: f32 = 1.0 / 6.0;
    if let Some(what) = activation.undefined() {
        return Err(Error::Unsupported {
            node: node.to_owned(),
            what,
            remedy: "use constants that the function is defined with".to_owned(),
        });
    }
    Ok(match activation {
        Activation::Linear => (0, 0.0, 0.0),
        Activation::Relu => (1, 0.0, 0.0),
        Activation::Relu6 => (2, 0.0, 6.0),
        Activation::Clip { min, max } => (2, min, max),
        Activation::LeakyRelu(slope) => (3, slope, 0.0),
        Activation::Affine { scale, offset } => (4, scale, offset),
        Activation::Abs => (5, 0.0, 0.0),
        Activation::Negative => (6, 0.0, 0.0),
        Activation::Sqrt => (7, 0.0, 0.0),
        Activation::Reciprocal => (8, 0.0, 0.0),
        Activation::Floor => (9, 0.0, 0.0),
        Activation::Ceil => (10, 0.0, 0.0),
        Activation::Round => (11, 0.0, 0.0),
        Activation::Sign => (12, 0.0, 0.0),
        Activation::ThresholdedRelu(alpha) => (13, alpha, 0.0),
        Activation::HardSigmoid => (14, SIXTH, 0.5),
        Activation::HardSigmoidWith { alpha, beta } => (14, alpha, beta),
        Activation::HardSilu => (15, SIXTH, 0.5),
        Activation::Softsign => (16, 0.0, 0.0),
        Activation::LogicalNot => (17, 0.0, 0.0),
        Activation::Exponential => (32, 0.0, 0.0),
        Activation::Elu(alpha) => (33, alpha, 1.0),
        Activation::Selu => (33, 1.673_263_2, 1.050_701),
        Activation::SeluWith { alpha, gamma } => (33, alpha, gamma),
        Activation::Celu(alpha) => (34, alpha, 1.0),
        Activation::Sigmoid => (35, 0.0, 0.0),
        Activation::Silu => (36, 1.0, 0.0),
        Activation::Swish(alpha) => (36, alpha, 0.0),
        Activation::Tanh => (37, 0.0, 0.0),
        Activation::Softplus => (38, 0.0, 0.0),
        Activation::Gelu => (39, 0.0, 0.0),
        Activation::GeluTanh => (40, 0.0, 0.0),
        Activation::Mish => (41, 0.0, 0.0),
        Activation::Log => (RARE, 0.0, 0.0),
        Activation::Asinh => (RARE + 1, 0.0, 0.0),
        Activation::Acosh => (RARE + 2, 0.0, 0.0),
        Activation::Atanh => (RARE + 3, 0.0, 0.0),
        Activation::Erf => (RARE + 8, 0.0, 0.0),
        Activation::Sinh => (RARE + 9, 0.0, 0.0),
        Activation::Cosh => (RARE + 10, 0.0, 0.0),
        Activation::Sin => (RARE + 16, 0.0, 0.0),
        Activation::Cos => (RARE + 17, 0.0, 0.0),
        Activation::Tan => (RARE + 18, 0.0, 0.0),
        Activation::Asin => (RARE + 24, 0.0, 0.0),
        Activation::Acos => (RARE + 25, 0.0, 0.0),
        Activation::Atan => (RARE + 26, 0.0, 0.0),
        Activation::IsNan => (RARE + 32, 0.0, 0.0),
        Activation::IsInf { positive, negative } => {
            (RARE + 33, u8::from(positive).into(), u8::from(negative).into())
        }
        Activation::Softmax => {
            return Err(Error::Unsupported {
                node: node.to_owned(),
                what: "softmax as an element-wise activation".to_owned(),
                remedy: "apply it as a node of its own".to_owned(),
            });
        }
    })
}

/// Makes the dispatch for a geometry.
///
/// # Errors
///
/// [`Error::Limit`] when a size exceeds what the kernel or the device can number,
/// [`Error::Unsupported`] for softmax.
pub fn launch(
    node: &str,
    geometry: &Geometry,
    max_workgroups_per_dimension: u32,
) -> Result<Launch> {
    let elements = count(node, "the output", &geometry.shape)?;
    let (entry, threads) = if geometry.epilogue.has_rare() {
        ("rare", elements)
    } else {
        in_fours(elements, "general", "elements4")
    };
    SHADER
        .launch(node, entry, threads)
        .any_epilogue(&geometry.epilogue)?
        .finish(max_workgroups_per_dimension)
}

/// Counts the trips of one thread's loops: they are short whatever the lengths.
pub(super) fn trip_count(_geometry: &Geometry, _entry: &str) -> u64 {
    0
}
