//! Kernel families: WGSL source, parameters, variant choice and workgroup counts.
//!
//! Pure data: nothing here names wgpu. One file per family, with the stem of its
//! shader. A family turns a geometry (sizes, strides, options; already checked by
//! the graph) into a [`Launch`]; which entry point serves it is decided there and
//! nowhere else. `families` lists them, once.

pub mod activation;
pub mod axes;
mod axis;
pub mod batch_normalization;
pub mod binary;
pub mod conv2d;
pub mod conv2d_transpose;
pub mod copy;
pub mod cumsum;
pub mod dense;
pub mod epilogue;
mod fold;
pub mod gather;
pub mod grid_sample;
pub mod lrn;
pub mod matmul;
pub mod moments;
pub mod normalization;
pub mod own;
pub mod pad;
pub mod pool2d;
pub mod reduce;
pub mod resize2d;
pub(crate) mod rows;
pub mod select;
mod shader;
pub mod softmax;
mod taps;
pub mod top_k;
mod trips;

pub use fold::fold;
use fold::fold_groups;
pub use shader::Shader;
use shader::shader;

use crate::error::{Error, Result};
use crate::ops::Epilogue;
use crate::shape::element_count;

/// Threads of one workgroup, in every kernel; the shaders declare the same number.
pub const WORKGROUP_SIZE: u32 = 64;

/// What a binding of a kernel holds.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Binding {
    /// The step's parameters: a uniform range of the parameter block.
    Params,
    /// The step's lookup table: a read-only storage range of the parameter block.
    Table,
    /// An operand, read only.
    Read,
    /// The result, read and written.
    Write,
    /// The epilogue's extra operand, the last one; where there is none the first stands in.
    Extra,
}

/// Calls a macro with the list of families: what each computes, its variant of [`Work`], its module
/// here and in `host`, whether its kernels apply an epilogue to each result, and whether the host
/// keeps something between runs.
macro_rules! families {
    ($call:ident) => {
        $call! {
            "Element-wise functions of one operand." Activation activation epilogue nothing,
            "Normalization of channels by known means and variances."
            BatchNormalization batch_normalization epilogue nothing,
            "Element-wise functions of two operands with NumPy broadcasting."
            Binary binary epilogue nothing,
            "2-D convolution with groups, so also the depthwise one." Conv2d conv2d epilogue keeps,
            "2-D transposed convolution." Conv2dTranspose conv2d_transpose epilogue keeps,
            "Copies between places that an affine rule gives." Copy copy plain nothing,
            "Running sums along one axis." CumSum cumsum plain nothing,
            "Matrix product on the last axis, with bias and activation." Dense dense epilogue keeps,
            "Picking entries along one axis by constant indices." Gather gather plain nothing,
            "Sampling at places that a grid gives." GridSample grid_sample plain nothing,
            "Local response normalization across channels." Lrn lrn plain nothing,
            "Matrix product of two values with NumPy's batch broadcasting." MatMul matmul epilogue keeps,
            "Mean and inverse deviation of each row." Moments moments plain nothing,
            "Normalization by the moments of a row." Normalization normalization epilogue nothing,
            "Padding with a constant or with the input's own elements." Pad pad plain nothing,
            "The largest, the average or the norm of windows." Pool2d pool2d epilogue nothing,
            "One number for each row: sums, extremes, products, positions." Reduce reduce plain nothing,
            "Resampling of height and width." Resize2d resize2d epilogue keeps,
            "Choosing between two values, element by element." Select select plain nothing,
            "Softmax over one axis, its logarithm, hardmax." Softmax softmax plain nothing,
            "The largest or smallest elements along one axis." TopK top_k plain nothing,
        }
    };
}
pub(crate) use families;

macro_rules! epilogue_of {
    ($geometry:ident epilogue) => {
        Some(&$geometry.epilogue)
    };
    ($geometry:ident plain) => {{
        let _ = $geometry;
        None
    }};
}

macro_rules! define_work {
    ($($what:literal $variant:ident $module:ident $epilogue:ident $kept:ident,)+) => {
        /// One step's computation, as data: what both executors run.
        ///
        /// The geometry of a family; [`Work::launch`] turns it into a dispatch.
        #[derive(Clone, Debug, PartialEq)]
        pub enum Work {
            $(#[doc = $what] $variant($module::Geometry),)+
            /// A kernel of the user's own.
            Own(own::Geometry),
        }

        /// The shaders that the library brings, in the order of their names.
        pub static SHADERS: &[&Shader] = &[$(&$module::SHADER,)+];

        impl Work {
            /// Returns the shader that computes it; a kernel of the user's own brings its WGSL.
            #[must_use]
            pub fn shader(&self) -> Option<&'static Shader> {
                match self {
                    $(Work::$variant(_) => Some(&$module::SHADER),)+
                    Work::Own(_) => None,
                }
            }

            /// Returns what happens to each result, for families that can do more than their own.
            #[must_use]
            pub fn epilogue(&self) -> Option<&Epilogue> {
                match self {
                    $(Work::$variant(geometry) => epilogue_of!(geometry $epilogue),)+
                    Work::Own(_) => None,
                }
            }

            /// Makes the dispatch.
            ///
            /// # Errors
            ///
            /// What the family's own `launch` reports.
            pub fn launch(&self, node: &str, max_workgroups_per_dimension: u32) -> Result<Launch> {
                let most = max_workgroups_per_dimension;
                match self {
                    $(Work::$variant(geometry) => $module::launch(node, geometry, most),)+
                    Work::Own(geometry) => own::launch(node, geometry, most),
                }
            }

            /// Returns how often all loops of one thread of an entry point run together, at most;
            /// 0 where there is none. Those of a kernel of the user's own are counted by its geometry.
            pub(crate) fn trip_count(&self, entry: &str) -> u64 {
                let own = match self {
                    $(Work::$variant(geometry) => $module::trip_count(geometry, entry),)+
                    Work::Own(_) => 0,
                };
                own.saturating_add(self.epilogue().map_or(0, epilogue::trip_count))
            }
        }
    };
}
families!(define_work);

impl Work {
    /// Checks that the host can compute it: all but a kernel of the user's without a twin in Rust.
    ///
    /// # Errors
    ///
    /// [`Error::Unsupported`] that names the kernel.
    pub fn check_host(&self, node: &str) -> Result<()> {
        if let Work::Own(geometry) = self { geometry.check_host(node) } else { Ok(()) }
    }

    /// Returns what group 0 binds, with the numbers of the bindings.
    #[must_use]
    pub fn bindings(&self) -> Vec<(u32, Binding)> {
        if let Work::Own(geometry) = self {
            return geometry.bindings();
        }
        let bindings = self.shader().map_or(&[][..], Shader::bindings);
        (0..).zip(bindings.iter().copied()).collect()
    }

    /// Returns which operand each binding of kind `Read` and `Extra` takes, in order of the
    /// bindings, if there are `operands` of them.
    ///
    /// An optional operand that is missing, as a bias, has another one standing in for it.
    #[must_use]
    pub fn operands_bound(&self, operands: usize) -> Vec<usize> {
        let extra = self.epilogue().is_some_and(Epilogue::has_extra);
        let own = operands.saturating_sub(extra.into());
        let mut reads = 0..;
        self.bindings()
            .into_iter()
            .filter_map(|(_, binding)| match binding {
                Binding::Read => reads.next().map(|read: usize| read.min(own.saturating_sub(1))),
                Binding::Extra => Some(if extra { own } else { 0 }),
                Binding::Params | Binding::Table | Binding::Write => None,
            })
            .collect()
    }
}

/// Names one entry point: the identity of a pipeline.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct Kernel {
    /// The shader's stem, or `own`.
    pub stem: &'static str,
    /// The entry point's name in the source.
    pub entry: &'static str,
}

/// One dispatch, as data: which kernel, with what parameters, over how many workgroups.
#[derive(Clone, Debug, PartialEq)]
pub struct Launch {
    /// The entry point to run.
    pub kernel: Kernel,
    /// The bytes of the uniform parameters.
    pub params: Vec<u8>,
    /// The bytes of the lookup table; empty for families without one.
    pub table: Vec<u8>,
    /// Workgroup counts in x, y, z, each within the device's limit.
    pub workgroups: [u32; 3],
}

/// Chooses between an entry that computes one element per thread and one that computes
/// four, and counts the threads.
fn in_fours(elements: u32, one: &'static str, four: &'static str) -> (&'static str, u32) {
    if elements > 0 && elements.is_multiple_of(4) { (four, elements / 4) } else { (one, elements) }
}

/// Counts a tensor's elements, which a shader numbers with 32 bits.
fn count(node: &str, tensor: &str, lengths: &[usize]) -> Result<u32> {
    numbered(node, tensor, element_count(node, lengths)?, "elements")
}

/// Converts sizes and options to the 32 bits that shaders compute with.
fn narrow<const N: usize>(node: &str, what: &str, values: [usize; N]) -> Result<[u32; N]> {
    let mut narrowed = [0; N];
    for (to, value) in narrowed.iter_mut().zip(values) {
        *to = numbered(node, what, value as u64, "elements")?;
    }
    Ok(narrowed)
}

/// Holds a number to the 32 bits that shaders count with.
fn numbered(node: &str, tensor: &str, needed: u64, unit: &'static str) -> Result<u32> {
    u32::try_from(needed).map_err(|_| Error::Limit {
        node: node.to_owned(),
        tensor: tensor.to_owned(),
        needed,
        unit,
        limit_name: "the largest number of a kernel".to_owned(),
        limit: Some(u32::MAX.into()),
        remedy: "run a smaller batch, or make the tensor smaller".to_owned(),
    })
}
