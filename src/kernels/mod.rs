//! Kernel families: WGSL source, parameters, variant choice and workgroup counts.
//!
//! Pure data: nothing here names wgpu. One file per family, with the stem of its
//! shader. A family turns a geometry (sizes, strides, options; already checked by
//! the graph) into a [`Launch`]; which entry point serves it is decided there and
//! nowhere else.

/// Declares a family's uniform parameters and lists their names and offsets beside them,
/// so that the list cannot miss one.
macro_rules! parameters {
    ($($field:ident: $kind:ty),+ $(,)?) => {
        /// The uniform parameters, as the shader's `Params` lays them out.
        #[repr(C)]
        #[derive(Clone, Copy, Debug, PartialEq, bytemuck::Pod, bytemuck::Zeroable)]
        pub struct Params {
            $($field: $kind,)+
        }

        const _: () = assert!(size_of::<Params>() % 4 == 0 && align_of::<Params>() == 4);

        /// Names and byte offsets of [`Params`].
        const FIELDS: &[(&str, usize)] =
            &[$((stringify!($field), core::mem::offset_of!(Params, $field)),)+];
    };
}

pub mod activation;
pub mod axes;
mod axis;
pub mod batch_normalization;
pub mod binary;
pub mod conv2d;
pub mod conv2d_transpose;
pub mod copy;
pub mod dense;
pub mod epilogue;
mod family;
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
pub mod softmax;
mod taps;
mod turns;

pub use family::Family;
pub use fold::fold;
use fold::fold_groups;

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

/// What a family is made of: the one constant that its file gives, and `family.rs` lists.
#[derive(Debug)]
pub struct Definition {
    /// Names the shader, the kernel's file, the graph operation, the oracle, tests and bench.
    pub stem: &'static str,
    /// The WGSL, the shared functions it uses included.
    pub source: &'static str,
    /// The entry points that launches can choose.
    pub entries: &'static [&'static str],
    /// What group 0 binds, by binding number.
    pub bindings: &'static [Binding],
    /// Names and byte offsets of the parameters, as Rust lays them out.
    pub fields: &'static [(&'static str, usize)],
}

/// One step's computation, as data: what both executors run.
///
/// The geometry of a family; [`Work::launch`] turns it into a dispatch.
#[derive(Clone, Debug, PartialEq)]
pub enum Work {
    /// Element-wise functions of one operand.
    Activation(activation::Geometry),
    /// Normalisation of channels by known means and variances.
    BatchNormalization(batch_normalization::Geometry),
    /// Element-wise functions of two operands with NumPy broadcasting.
    Binary(binary::Geometry),
    /// 2-D convolution with groups, so also the depthwise one.
    Conv2d(conv2d::Geometry),
    /// 2-D transposed convolution.
    Conv2dTranspose(conv2d_transpose::Geometry),
    /// Copies between places that an affine rule gives.
    Copy(copy::Geometry),
    /// Matrix product on the last axis, with bias and activation.
    Dense(dense::Geometry),
    /// Picking entries along one axis by constant indices.
    Gather(gather::Geometry),
    /// Sampling at places that a grid gives.
    GridSample(grid_sample::Geometry),
    /// Local response normalisation across channels.
    Lrn(lrn::Geometry),
    /// Matrix product of two values with NumPy's batch broadcasting.
    MatMul(matmul::Geometry),
    /// Mean and inverse deviation of each row.
    Moments(moments::Geometry),
    /// Normalisation by the moments of a row.
    Normalization(normalization::Geometry),
    /// Padding with a constant or with the input's own elements.
    Pad(pad::Geometry),
    /// The largest, the average or the norm of windows.
    Pool2d(pool2d::Geometry),
    /// One number for each row: sums, extremes, products, positions.
    Reduce(reduce::Geometry),
    /// Resampling of height and width.
    Resize2d(resize2d::Geometry),
    /// Choosing between two values, element by element.
    Select(select::Geometry),
    /// Softmax over one axis.
    Softmax(softmax::Geometry),
    /// A kernel of the user's own.
    Own(own::Geometry),
}

impl Work {
    /// Returns the family that computes it.
    #[must_use]
    pub fn family(&self) -> Family {
        match self {
            Work::Activation(_) => Family::Activation,
            Work::BatchNormalization(_) => Family::BatchNormalization,
            Work::Binary(_) => Family::Binary,
            Work::Conv2d(_) => Family::Conv2d,
            Work::Conv2dTranspose(_) => Family::Conv2dTranspose,
            Work::Copy(_) => Family::Copy,
            Work::Dense(_) => Family::Dense,
            Work::Gather(_) => Family::Gather,
            Work::GridSample(_) => Family::GridSample,
            Work::Lrn(_) => Family::Lrn,
            Work::MatMul(_) => Family::MatMul,
            Work::Moments(_) => Family::Moments,
            Work::Normalization(_) => Family::Normalization,
            Work::Pad(_) => Family::Pad,
            Work::Pool2d(_) => Family::Pool2d,
            Work::Reduce(_) => Family::Reduce,
            Work::Resize2d(_) => Family::Resize2d,
            Work::Select(_) => Family::Select,
            Work::Softmax(_) => Family::Softmax,
            Work::Own(_) => Family::Own,
        }
    }

    /// Returns what happens to each result, for families that can do more than their own.
    #[must_use]
    pub fn epilogue(&self) -> Option<&Epilogue> {
        match self {
            Work::Activation(geometry) => Some(&geometry.epilogue),
            Work::BatchNormalization(geometry) => Some(&geometry.epilogue),
            Work::Binary(geometry) => Some(&geometry.epilogue),
            Work::Conv2d(geometry) => Some(&geometry.epilogue),
            Work::Conv2dTranspose(geometry) => Some(&geometry.epilogue),
            Work::Dense(geometry) => Some(&geometry.epilogue),
            Work::MatMul(geometry) => Some(&geometry.epilogue),
            Work::Normalization(geometry) => Some(&geometry.epilogue),
            Work::Pool2d(geometry) => Some(&geometry.epilogue),
            Work::Resize2d(geometry) => Some(&geometry.epilogue),
            Work::Copy(_)
            | Work::Gather(_)
            | Work::GridSample(_)
            | Work::Lrn(_)
            | Work::Moments(_)
            | Work::Pad(_)
            | Work::Reduce(_)
            | Work::Select(_)
            | Work::Softmax(_)
            | Work::Own(_) => None,
        }
    }

    /// Checks that the host can compute it: all but a kernel of the user's without a twin in Rust.
    ///
    /// # Errors
    ///
    /// [`Error::Unsupported`] that names the kernel.
    pub fn check_host(&self, node: &str) -> Result<()> {
        match self {
            Work::Own(geometry) => geometry.check_host(node),
            _ => Ok(()),
        }
    }

    /// Returns what group 0 binds, with the numbers of the bindings.
    #[must_use]
    pub fn bindings(&self) -> Vec<(u32, Binding)> {
        match self {
            Work::Own(geometry) => geometry.bindings(),
            work => (0..).zip(work.family().bindings().iter().copied()).collect(),
        }
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

    /// Makes the dispatch.
    ///
    /// # Errors
    ///
    /// What the family's own `launch` reports.
    pub fn launch(&self, node: &str, max_workgroups_per_dimension: u32) -> Result<Launch> {
        let most = max_workgroups_per_dimension;
        match self {
            Work::Activation(geometry) => activation::launch(node, geometry, most),
            Work::BatchNormalization(geometry) => batch_normalization::launch(node, geometry, most),
            Work::Binary(geometry) => binary::launch(node, geometry, most),
            Work::Conv2d(geometry) => conv2d::launch(node, geometry, most),
            Work::Conv2dTranspose(geometry) => conv2d_transpose::launch(node, geometry, most),
            Work::Copy(geometry) => copy::launch(node, geometry, most),
            Work::Dense(geometry) => dense::launch(node, geometry, most),
            Work::Gather(geometry) => gather::launch(node, geometry, most),
            Work::GridSample(geometry) => grid_sample::launch(node, geometry, most),
            Work::Lrn(geometry) => lrn::launch(node, geometry, most),
            Work::MatMul(geometry) => matmul::launch(node, geometry, most),
            Work::Moments(geometry) => moments::launch(node, geometry, most),
            Work::Normalization(geometry) => normalization::launch(node, geometry, most),
            Work::Pad(geometry) => pad::launch(node, geometry, most),
            Work::Pool2d(geometry) => pool2d::launch(node, geometry, most),
            Work::Reduce(geometry) => reduce::launch(node, geometry, most),
            Work::Resize2d(geometry) => resize2d::launch(node, geometry, most),
            Work::Select(geometry) => select::launch(node, geometry, most),
            Work::Softmax(geometry) => softmax::launch(node, geometry, most),
            Work::Own(geometry) => own::launch(node, geometry, most),
        }
    }
}

/// Names one entry point: the identity of a pipeline.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct Kernel {
    /// The family whose source holds it.
    pub family: Family,
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
    let elements = element_count(node, lengths)?;
    u32::try_from(elements).map_err(|_| too_many(node, tensor, format!("{elements} elements")))
}

/// Converts sizes and options to the 32 bits that shaders compute with.
fn narrow<const N: usize>(node: &str, what: &str, values: [usize; N]) -> Result<[u32; N]> {
    let mut narrowed = [0; N];
    for (to, value) in narrowed.iter_mut().zip(values) {
        *to = u32::try_from(value).map_err(|_| too_many(node, what, format!("{value}")))?;
    }
    Ok(narrowed)
}

fn too_many(node: &str, tensor: &str, needed: String) -> Error {
    Error::Limit {
        node: node.to_owned(),
        tensor: tensor.to_owned(),
        bytes: needed,
        limit_name: "the largest number of a kernel".to_owned(),
        limit: u32::MAX.to_string(),
        remedy: "run a smaller batch, or make the tensor smaller".to_owned(),
    }
}
