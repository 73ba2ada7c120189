//! The list of families, and what each is made of.

use super::{
    Binding, Definition, activation, batch_normalization, binary, conv2d, conv2d_transpose, copy,
    dense, gather, grid_sample, lrn, matmul, moments, normalization, own, pad, pool2d, reduce,
    resize2d, select, softmax,
};

/// Names a kernel family: one WGSL file.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub enum Family {
    /// Element-wise activation functions.
    Activation,
    /// Normalisation of channels by known means and variances.
    BatchNormalization,
    /// Element-wise functions of two operands with NumPy broadcasting.
    Binary,
    /// 2-D convolution with groups, so also the depthwise one.
    Conv2d,
    /// 2-D transposed convolution.
    Conv2dTranspose,
    /// Copies between places that an affine rule gives.
    Copy,
    /// Matrix product on the last axis, with bias and activation.
    Dense,
    /// Picking entries along one axis by constant indices.
    Gather,
    /// Sampling at places that a grid gives.
    GridSample,
    /// Local response normalisation across channels.
    Lrn,
    /// Matrix product of two values with NumPy's batch broadcasting.
    MatMul,
    /// Mean and inverse deviation of each row.
    Moments,
    /// Normalisation by the moments of a row.
    Normalization,
    /// Padding with a constant or with the input's own elements.
    Pad,
    /// The largest, the average or the norm of windows.
    Pool2d,
    /// One number for each row: sums, extremes, products, positions.
    Reduce,
    /// Resampling of height and width.
    Resize2d,
    /// Choosing between two values, element by element.
    Select,
    /// Softmax over one axis, its logarithm, hardmax.
    Softmax,
    /// Kernels of the user's own: what they are made of stands in the step's work.
    Own,
}

impl Family {
    /// The families whose shaders the library brings, in the order of their names.
    pub const ALL: [Family; 19] = [
        Family::Activation,
        Family::BatchNormalization,
        Family::Binary,
        Family::Conv2d,
        Family::Conv2dTranspose,
        Family::Copy,
        Family::Dense,
        Family::Gather,
        Family::GridSample,
        Family::Lrn,
        Family::MatMul,
        Family::Moments,
        Family::Normalization,
        Family::Pad,
        Family::Pool2d,
        Family::Reduce,
        Family::Resize2d,
        Family::Select,
        Family::Softmax,
    ];

    /// Returns what the family is made of.
    #[must_use]
    pub fn definition(self) -> &'static Definition {
        match self {
            Family::Activation => &activation::DEFINITION,
            Family::BatchNormalization => &batch_normalization::DEFINITION,
            Family::Binary => &binary::DEFINITION,
            Family::Conv2d => &conv2d::DEFINITION,
            Family::Conv2dTranspose => &conv2d_transpose::DEFINITION,
            Family::Copy => &copy::DEFINITION,
            Family::Dense => &dense::DEFINITION,
            Family::Gather => &gather::DEFINITION,
            Family::GridSample => &grid_sample::DEFINITION,
            Family::Lrn => &lrn::DEFINITION,
            Family::MatMul => &matmul::DEFINITION,
            Family::Moments => &moments::DEFINITION,
            Family::Normalization => &normalization::DEFINITION,
            Family::Pad => &pad::DEFINITION,
            Family::Pool2d => &pool2d::DEFINITION,
            Family::Reduce => &reduce::DEFINITION,
            Family::Resize2d => &resize2d::DEFINITION,
            Family::Select => &select::DEFINITION,
            Family::Softmax => &softmax::DEFINITION,
            Family::Own => &own::DEFINITION,
        }
    }

    /// Returns the stem that names the family's shader, kernel, tests and bench.
    #[must_use]
    pub fn stem(self) -> &'static str {
        self.definition().stem
    }

    /// Returns the family's WGSL, the shared functions it uses included.
    #[must_use]
    pub fn source(self) -> &'static str {
        self.definition().source
    }

    /// Returns the WGSL to compile an entry point of: the whole, or what does without stages.
    #[must_use]
    pub fn source_of(self, entry: &str) -> &'static str {
        let plain = match self {
            Family::BatchNormalization => batch_normalization::PLAIN,
            Family::Normalization => normalization::PLAIN,
            Family::Pool2d => pool2d::PLAIN,
            Family::Resize2d => resize2d::PLAIN,
            _ => return self.source(),
        };
        if entry.ends_with("_staged") { self.source() } else { plain }
    }

    /// Returns the names of the entry points that launches can choose.
    #[must_use]
    pub fn entries(self) -> &'static [&'static str] {
        self.definition().entries
    }

    /// Returns what group 0 binds, by binding number.
    #[must_use]
    pub fn bindings(self) -> &'static [Binding] {
        self.definition().bindings
    }

    /// Returns the names and byte offsets of the family's parameters, as Rust lays them out.
    #[must_use]
    pub fn parameter_fields(self) -> &'static [(&'static str, usize)] {
        self.definition().fields
    }
}
