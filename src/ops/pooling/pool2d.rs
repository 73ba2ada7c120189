//! Pooling over windows of an image: the largest, the average or the norm.
//!
//! Sizes are Keras's for `Valid` and `Same`, ONNX's for explicit padding, `ceil_mode` and
//! what an average divides by.

use serde::{Deserialize, Serialize};

use crate::error::{Error, Result};
use crate::graph::{Graph, Operand, Pending, Site, Symbol};
use crate::kernels::Work;
use crate::ops::convolution::window::{Axis, Padding, Pads, Pair, check_positive};
use crate::ops::{Arguments, Epilogue, Op, Operator, Shapes};
use crate::shape::{Dim, Shape, element_count};

/// The highest power of a norm.
pub const MAX_POOL_POWER: u16 = u16::MAX;

/// Names what is taken of a window.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum PoolMode {
    /// The largest pixel, NaN if there is one; padding counts as -infinity.
    Max,
    /// The sum, divided by how many were added.
    Average,
    /// `(sum of |pixel|^p)^(1/p)`, computed without overflow of the powers; p is at least 1.
    Lp(u16),
}

/// A pooling whose sizes and padding are resolved.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Resolved {
    /// What is taken of a window.
    pub mode: PoolMode,
    /// Height and width of the window.
    pub kernel_size: Pair,
    /// Steps between windows, in pixels.
    pub strides: Pair,
    /// Steps between a window's taps, in pixels.
    pub dilation: Pair,
    /// Rows and columns around the image. With `ceil_mode` a last window may reach beyond.
    pub pads: Pads,
    /// Whether an average divides by the taps on the padding too; what is beyond the padding
    /// never counts.
    pub count_include_pad: bool,
}

/// Describes a pooling's windows; Keras's names and defaults, with ONNX's additions.
///
/// `MaxPooling2D(pool_size, strides, padding)` of Keras is
/// `max_pooling2d(x, Pooling::new(pool_size).strides(strides).padding(padding))`.
///
/// ```
/// use longshore::{Graph, Pooling, Shape};
///
/// # fn main() -> longshore::Result<()> {
/// let mut g = Graph::new();
/// let x = g.input("x", Shape::batch([8, 8, 3]));
/// let y = g.max_pooling2d(x, Pooling::new(2))?;
/// assert_eq!(g.shape(y), Some(&Shape::batch([4, 4, 3])));
/// # Ok(())
/// # }
/// ```
#[derive(Clone, Debug)]
pub struct Pooling {
    name: Option<String>,
    /// But for the mode and the padding.
    rule: Resolved,
    padding: Padding,
    ceil_mode: bool,
}

impl Resolved {
    /// Makes windows one behind another, without dilation or padding.
    pub(super) fn new(mode: PoolMode, kernel_size: Pair) -> Self {
        Resolved {
            mode,
            kernel_size,
            strides: kernel_size,
            dilation: Pair::new(1, 1),
            pads: Pads::default(),
            count_include_pad: false,
        }
    }
}

impl Pooling {
    /// Makes windows of this height and width, one behind another (strides `pool_size`, as in
    /// Keras; ONNX's default is 1), without dilation or padding.
    pub fn new(pool_size: impl Into<Pair>) -> Self {
        Pooling {
            name: None,
            rule: Resolved::new(PoolMode::Max, pool_size.into()),
            padding: Padding::Valid,
            ceil_mode: false,
        }
    }

    /// Names the node.
    #[must_use]
    pub fn name(mut self, name: impl Into<String>) -> Self {
        self.name = Some(name.into());
        self
    }

    /// Sets the steps between windows, in pixels.
    #[must_use]
    pub fn strides(mut self, strides: impl Into<Pair>) -> Self {
        self.rule.strides = strides.into();
        self
    }

    /// Sets the steps between a window's taps, in pixels.
    #[must_use]
    pub fn dilation(mut self, dilation: impl Into<Pair>) -> Self {
        self.rule.dilation = dilation.into();
        self
    }

    /// Sets the padding.
    #[must_use]
    pub fn padding(mut self, padding: Padding) -> Self {
        self.padding = padding;
        self
    }

    /// Rounds the number of windows up; a window that would begin behind the image and its first
    /// padding is dropped, as in ONNX. `Same` padding has room for all windows, and no other number.
    #[must_use]
    pub fn ceil_mode(mut self, ceil_mode: bool) -> Self {
        self.ceil_mode = ceil_mode;
        self
    }

    /// Lets an average divide by the taps on the padding too.
    #[must_use]
    pub fn count_include_pad(mut self, count_include_pad: bool) -> Self {
        self.rule.count_include_pad = count_include_pad;
        self
    }
}

impl Operator for Resolved {
    fn name(&self) -> &'static str {
        "pool2d"
    }

    fn infer(&self, of: &Arguments<'_>) -> Result<Shape> {
        let [x] = of.only()?;
        let site = of.site("");
        let image = x.image(&site)?;
        let shape = |ceil_mode| {
            let padding = Padding::Explicit(self.pads);
            let layer = Pooling { name: None, rule: *self, padding, ceil_mode };
            let (_, shape) = layer.resolve(&site, x.shape.dims()[0], image, "width")?;
            element_count(of.node, &shape.resolve(1))?;
            Ok(shape)
        };
        // With `ceil_mode` a result may be one longer, and nothing else of it is kept.
        match (shape(true), of.wanted) {
            (Ok(shape), Some(wanted)) if shape == *wanted => Ok(shape),
            _ => shape(false),
        }
    }

    fn work(&self, at: &Shapes) -> Option<Work> {
        Some(Work::Pool2d(Geometry {
            input: at.operand(0)?.try_into().ok()?,
            output: at.result.as_slice().try_into().ok()?,
            kernel: self.kernel_size.sides(),
            strides: self.strides.sides(),
            dilation: self.dilation.sides(),
            before: [self.pads.top, self.pads.left],
            after: [self.pads.bottom, self.pads.right],
            mode: self.mode,
            count_include_pad: self.count_include_pad,
            epilogue: at.epilogue.clone(),
        }))
    }

    fn has_epilogue(&self) -> bool {
        true
    }
}

/// What to compute.
#[derive(Clone, Debug, PartialEq)]
pub struct Geometry {
    /// The input's shape: batch, height, width, channels.
    pub input: [usize; 4],
    /// The output's shape: batch, height, width, channels.
    pub output: [usize; 4],
    /// Height and width of the window.
    pub kernel: [usize; 2],
    /// Steps between windows, along height and width; at least 1.
    pub strides: [usize; 2],
    /// Steps between a window's taps, along height and width; at least 1.
    pub dilation: [usize; 2],
    /// Rows of padding above, columns of padding to the left.
    pub before: [usize; 2],
    /// Rows of padding below, columns of padding to the right.
    pub after: [usize; 2],
    /// What is taken of a window.
    pub mode: PoolMode,
    /// Whether an average counts the taps that lie on the padding.
    pub count_include_pad: bool,
    /// What happens to each result before it is stored.
    pub epilogue: Epilogue,
}

impl Geometry {
    /// Returns what a window without a pixel gives.
    #[must_use]
    pub fn nothing(&self) -> f32 {
        match self.mode {
            PoolMode::Max => f32::NEG_INFINITY,
            PoolMode::Average => f32::NAN,
            PoolMode::Lp(_) => 0.0,
        }
    }
}

impl Graph {
    /// Takes the largest pixel of each window: Keras's `MaxPooling2D`, ONNX's `MaxPool`.
    ///
    /// `x` is (batch, height, width, channels), the result (batch, out height, out width,
    /// channels). NaN in a window gives NaN, a window on the padding alone -infinity.
    /// ONNX's second output, the indices, does not exist here.
    ///
    /// # Errors
    ///
    /// [`Error::Operand`] when `x` is no image or the options do not fit it,
    /// [`Error::Unsupported`] for `count_include_pad`, [`Error::Name`] for a name used twice.
    pub fn max_pooling2d(&mut self, x: Symbol, layer: Pooling) -> Result<Symbol> {
        self.pool(x, "max_pooling2d", PoolMode::Max, layer)
    }

    /// Averages each window: Keras's `AveragePooling2D`, ONNX's `AveragePool`.
    ///
    /// Shapes are those of [`Graph::max_pooling2d`]. The divisor is the number of pixels, or of
    /// taps on the padded image with `count_include_pad`; a window without either gives NaN.
    ///
    /// # Errors
    ///
    /// As [`Graph::max_pooling2d`], but for `count_include_pad`.
    pub fn average_pooling2d(&mut self, x: Symbol, layer: Pooling) -> Result<Symbol> {
        self.pool(x, "average_pooling2d", PoolMode::Average, layer)
    }

    /// Takes the p-norm of each window, ONNX's `LpPool`; p from 1 to [`MAX_POOL_POWER`].
    ///
    /// Shapes are those of [`Graph::max_pooling2d`]; a window on the padding alone gives 0.
    ///
    /// # Errors
    ///
    /// As [`Graph::max_pooling2d`], and for p of 0.
    pub fn lp_pooling2d(&mut self, x: Symbol, p: u16, layer: Pooling) -> Result<Symbol> {
        self.pool(x, "lp_pooling2d", PoolMode::Lp(p), layer)
    }

    /// Takes the largest of each window of a line: Keras's `MaxPooling1D`.
    ///
    /// `x` is (batch, length, channels), the result (batch, out length, channels). The width of
    /// the layer's pairs counts, and their height must be 1 (0 among pads):
    /// `Pooling::new((1, 3))`.
    ///
    /// # Errors
    ///
    /// As [`Graph::max_pooling2d`].
    pub fn max_pooling1d(&mut self, x: Symbol, layer: Pooling) -> Result<Symbol> {
        self.pool_line(x, "max_pooling1d", PoolMode::Max, layer)
    }

    /// Averages each window of a line: Keras's `AveragePooling1D`.
    ///
    /// Shapes and the layer are those of [`Graph::max_pooling1d`].
    ///
    /// # Errors
    ///
    /// As [`Graph::average_pooling2d`].
    pub fn average_pooling1d(&mut self, x: Symbol, layer: Pooling) -> Result<Symbol> {
        self.pool_line(x, "average_pooling1d", PoolMode::Average, layer)
    }

    /// Takes the p-norm of each window of a line, ONNX's `LpPool` of three dimensions.
    ///
    /// Shapes and the layer are those of [`Graph::max_pooling1d`].
    ///
    /// # Errors
    ///
    /// As [`Graph::lp_pooling2d`].
    pub fn lp_pooling1d(&mut self, x: Symbol, p: u16, layer: Pooling) -> Result<Symbol> {
        self.pool_line(x, "lp_pooling1d", PoolMode::Lp(p), layer)
    }

    fn pool(&mut self, x: Symbol, kind: &str, mode: PoolMode, layer: Pooling) -> Result<Symbol> {
        let pending = self.begin(kind, layer.name.as_deref(), [("x", x)])?;
        let site = pending.site("");
        let [x] = &pending.operands;
        let image = x.image(&site)?;
        let layer = layer.of(mode);
        let (rule, shape) = layer.resolve(&site, x.shape.dims()[0], image, "width")?;
        self.add_shaped_node(pending, Op::Pool2d(rule), &shape)
    }

    /// Pools a line as an image of one row, between two reshapes that move nothing.
    fn pool_line(
        &mut self,
        x: Symbol,
        kind: &str,
        mode: PoolMode,
        layer: Pooling,
    ) -> Result<Symbol> {
        let pending = self.begin(kind, layer.name.as_deref(), [("x", x)])?;
        let site = pending.site("");
        let Pending { name, node, operands: [x] } = pending;
        let [length, channels] = line(&x, &site)?;
        check_line(&site, &layer)?;
        let first = x.shape.dims()[0];
        let layer = layer.of(mode);
        let (rule, pooled) = layer.resolve(&site, first, [1, length, channels], "length")?;
        element_count(&node, &pooled.resolve(1))?;
        let before = self.name_for("reshape", Some(&format!("{name}/image")))?;
        let middle = self.name_for("pool2d", Some(&format!("{name}/pool2d")))?;
        let image = Shape::new([first, 1.into(), length.into(), channels.into()]);
        let shape = Shape::new([first, pooled.dims()[2], channels.into()]);
        let image = self.insert(before, Op::Reshape, vec![x.index], Vec::new(), image);
        let pooled = self.insert(middle, Op::Pool2d(rule), vec![image.index], Vec::new(), pooled);
        Ok(self.insert(name, Op::Reshape, vec![pooled.index], Vec::new(), shape))
    }
}

/// Takes a line apart: length and channels of (batch, length, channels).
pub(crate) fn line(x: &Operand, site: &Site) -> Result<[usize; 2]> {
    match x.shape.dims() {
        [_, Dim::Fixed(length), Dim::Fixed(channels)] => Ok([*length, *channels]),
        _ => Err(site.refuse(
            &format!("\"{}\"", x.name),
            format!("has {} dimensions", x.shape.rank()),
            "a line has 3: (batch, length, channels)",
            "reshape it",
        )),
    }
}

/// Checks that a layer over a line leaves the height alone.
fn check_line(site: &Site, layer: &Pooling) -> Result<()> {
    let refuse = |what: &str, got: String, remedy: &str| {
        Err(site.refuse(what, got, "a line has the height 1", remedy))
    };
    let Resolved { kernel_size, strides, dilation, .. } = layer.rule;
    for (what, pair) in [("pool_size", kernel_size), ("strides", strides), ("dilation", dilation)] {
        if pair.height != 1 {
            return refuse(what, format!("is {pair}"), "use a pair with 1 first");
        }
    }
    let pads = layer.padding.given();
    if (pads.top, pads.bottom) == (0, 0) {
        return Ok(());
    }
    let got = format!("has {} rows above and {} below", pads.top, pads.bottom);
    refuse("padding", got, "pad left and right only")
}

impl Pooling {
    fn of(mut self, mode: PoolMode) -> Self {
        self.rule.mode = mode;
        self
    }

    /// Checks a pooling and resolves its padding and result.
    fn resolve(
        &self,
        site: &Site,
        first: Dim,
        [height, width, channels]: [usize; 3],
        last_axis: &'static str,
    ) -> Result<(Resolved, Shape)> {
        let Resolved { kernel_size, strides, dilation, .. } = self.rule;
        check_positive(site, "pool_size", kernel_size)?;
        check_positive(site, "strides", strides)?;
        check_positive(site, "dilation", dilation)?;
        check_options(site, self)?;
        let given = self.padding.given();
        let pairs = [kernel_size, strides, dilation];
        let [vertical, horizontal] = Axis::both(["height", last_axis], [height, width], pairs);
        let (out_height, top, bottom) = resolve(&vertical, site, self, (given.top, given.bottom))?;
        let (out_width, left, right) = resolve(&horizontal, site, self, (given.left, given.right))?;
        let shape = Shape::new([first, out_height.into(), out_width.into(), channels.into()]);
        Ok((Resolved { pads: Pads { top, bottom, left, right }, ..self.rule }, shape))
    }
}

fn check_options(site: &Site, layer: &Pooling) -> Result<()> {
    let Resolved { mode, count_include_pad, .. } = layer.rule;
    let refuse = |what: &str, remedy: &str| {
        Err(Error::Unsupported {
            node: site.node.clone(),
            what: what.to_owned(),
            remedy: remedy.to_owned(),
        })
    };
    if mode == PoolMode::Lp(0) {
        return Err(site.refuse("p", "is 0", "a norm's power is at least 1", "use 1 or more"));
    }
    if count_include_pad && mode != PoolMode::Average {
        return refuse("count_include_pad of a maximum or norm", "leave it out");
    }
    Ok(())
}

/// Resolves an axis: output length and the padding before and after.
fn resolve(
    axis: &Axis,
    site: &Site,
    layer: &Pooling,
    given: (usize, usize),
) -> Result<(usize, usize, usize)> {
    let is_rounded_up = match layer.padding {
        // As many windows as strides begin on the image, however they are rounded.
        Padding::Same | Padding::SameLower => false,
        Padding::Valid | Padding::Explicit(_) => layer.ceil_mode,
    };
    if !is_rounded_up {
        return axis.resolve(site, layer.padding, given);
    }
    // 128 bits hold any sum and product of two lengths.
    let (stride, extent) = (axis.stride as i128, axis.extent());
    let image = axis.input as i128 + given.0 as i128;
    let room = image + given.1 as i128 - extent;
    // The last window may reach beyond the padding, but not begin behind the image.
    let last = -(-room).div_euclid(stride);
    let last = if last * stride >= image { last - 1 } else { last };
    match usize::try_from(last + 1) {
        Ok(output) if output > 0 => Ok((output, given.0, given.1)),
        // The same refusal as without ceil_mode, where the output is no longer.
        _ => axis.resolve(site, layer.padding, given),
    }
}
