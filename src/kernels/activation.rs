//! Element-wise activations: their numbers in the shaders, and the family that applies one alone.

use super::{Binding, Definition, Family, Kernel, Launch, count, epilogue, fold, in_fours};
use crate::error::{Error, Result};
use crate::graph::{Activation, Epilogue};

/// The family's WGSL.
const SOURCE: &str = concat!(
    include_str!("../../shaders/activation.wgsl"),
    include_str!("../../shaders/shared/epilogue.wgsl"),
    include_str!("../../shaders/shared/activate.wgsl"),
    include_str!("../../shaders/shared/combine.wgsl"),
    include_str!("../../shaders/shared/exponential.wgsl"),
    include_str!("../../shaders/shared/thread.wgsl"),
);

parameters! { threads: u32 }

/// What the family is made of.
pub const DEFINITION: Definition = Definition {
    stem: "activation",
    source: SOURCE,
    entries: &["general", "elements4"],
    bindings: &[Binding::Params, Binding::Read, Binding::Write, Binding::Extra],
    fields: FIELDS,
};

/// What to compute.
#[derive(Clone, Debug, PartialEq)]
pub struct Geometry {
    /// The shape of input and output.
    pub shape: Vec<usize>,
    /// What happens to each result before it is stored.
    pub epilogue: Epilogue,
}

/// Returns an activation's number in the shaders, and its two constants (0 where it has none).
///
/// # Errors
///
/// [`Error::Unsupported`] for softmax: it is not element-wise, so no kernel can fuse it.
pub fn code(node: &str, activation: Activation) -> Result<(u32, f32, f32)> {
    Ok(match activation {
        Activation::Linear => (0, 0.0, 0.0),
        Activation::Relu => (1, 0.0, 0.0),
        Activation::Relu6 => (2, 0.0, 0.0),
        Activation::LeakyRelu(slope) => (3, slope, 0.0),
        Activation::Elu(alpha) => (4, alpha, 0.0),
        Activation::Selu => (5, 0.0, 0.0),
        Activation::Sigmoid => (6, 0.0, 0.0),
        Activation::HardSigmoid => (7, 0.0, 0.0),
        Activation::Tanh => (8, 0.0, 0.0),
        Activation::Softplus => (9, 0.0, 0.0),
        Activation::Softsign => (10, 0.0, 0.0),
        Activation::Silu => (11, 0.0, 0.0),
        Activation::HardSilu => (12, 0.0, 0.0),
        Activation::Gelu => (13, 0.0, 0.0),
        Activation::GeluTanh => (14, 0.0, 0.0),
        Activation::Exponential => (15, 0.0, 0.0),
        Activation::Mish => (16, 0.0, 0.0),
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
    let (entry, threads) = in_fours(elements, "general", "elements4");
    let params = Params { threads };
    Ok(Launch {
        kernel: Kernel { family: Family::Activation, entry },
        params: epilogue::append(node, bytemuck::bytes_of(&params).to_vec(), &geometry.epilogue)?,
        table: Vec::new(),
        workgroups: fold(node, threads.into(), max_workgroups_per_dimension)?,
    })
}
