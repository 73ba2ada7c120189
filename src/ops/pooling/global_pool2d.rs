//! Pooling over whole images and lines.

use crate::error::Result;
use crate::graph::{Graph, Operand, Pending, Site, Symbol};
use crate::ops::convolution::window::Pair;
use crate::ops::pooling::pool2d::{Resolved, line};
use crate::ops::{Op, PoolMode};
use crate::shape::{Dim, Shape};

/// Pixels above which the rows are pooled first: one thread for each channel alone would be
/// few, and slow.
const PIXELS_AT_ONCE: usize = 1024;

impl Graph {
    /// Takes the largest pixel of each channel: Keras's `GlobalMaxPooling2D`, ONNX's
    /// `GlobalMaxPool`.
    ///
    /// `x` is (batch, height, width, channels), the result (batch, channels), or (batch, 1, 1,
    /// channels) with `keepdims`, as ONNX has it.
    ///
    /// # Errors
    ///
    /// [`Error::Operand`](crate::Error::Operand) when `x` is no image or has no pixels.
    pub fn global_max_pooling2d(&mut self, x: Symbol, keepdims: bool) -> Result<Symbol> {
        self.pool_whole(x, "global_max_pooling2d", PoolMode::Max, keepdims, Operand::image)
    }

    /// Averages each channel: Keras's `GlobalAveragePooling2D`, ONNX's `GlobalAveragePool`.
    ///
    /// Shapes are those of [`Graph::global_max_pooling2d`].
    ///
    /// # Errors
    ///
    /// As [`Graph::global_max_pooling2d`].
    pub fn global_average_pooling2d(&mut self, x: Symbol, keepdims: bool) -> Result<Symbol> {
        self.pool_whole(x, "global_average_pooling2d", PoolMode::Average, keepdims, Operand::image)
    }

    /// Takes the p-norm of each channel, ONNX's `GlobalLpPool`.
    ///
    /// Shapes are those of [`Graph::global_max_pooling2d`].
    ///
    /// # Errors
    ///
    /// As [`Graph::global_max_pooling2d`], and for p of 0.
    pub fn global_lp_pooling2d(&mut self, x: Symbol, p: u16, keepdims: bool) -> Result<Symbol> {
        self.pool_whole(x, "global_lp_pooling2d", PoolMode::Lp(p), keepdims, Operand::image)
    }

    /// Takes the largest of each channel of a line: Keras's `GlobalMaxPooling1D`.
    ///
    /// `x` is (batch, length, channels), the result (batch, channels), or (batch, 1, channels)
    /// with `keepdims`.
    ///
    /// # Errors
    ///
    /// [`Error::Operand`](crate::Error::Operand) when `x` is no line or is empty.
    pub fn global_max_pooling1d(&mut self, x: Symbol, keepdims: bool) -> Result<Symbol> {
        self.pool_whole(x, "global_max_pooling1d", PoolMode::Max, keepdims, row)
    }

    /// Averages each channel of a line: Keras's `GlobalAveragePooling1D`.
    ///
    /// Shapes are those of [`Graph::global_max_pooling1d`].
    ///
    /// # Errors
    ///
    /// As [`Graph::global_max_pooling1d`].
    pub fn global_average_pooling1d(&mut self, x: Symbol, keepdims: bool) -> Result<Symbol> {
        self.pool_whole(x, "global_average_pooling1d", PoolMode::Average, keepdims, row)
    }

    /// Adds one pooling, or one for the rows and one for what they give, between reshapes where
    /// `x` is no image and the result's shape is not (batch, 1, 1, channels).
    fn pool_whole(
        &mut self,
        x: Symbol,
        kind: &str,
        mode: PoolMode,
        keepdims: bool,
        sizes: fn(&Operand, &Site) -> Result<[usize; 3]>,
    ) -> Result<Symbol> {
        let pending = self.begin(kind, None, [("x", x)])?;
        let site = pending.site("");
        let Pending { name, operands: [x], .. } = pending;
        let [height, width, channels] = sizes(&x, &site)?;
        check(&site, &x.name, mode, [height, width])?;
        let mut half =
            |kind: &str, half: &str| self.name_for(kind, Some(&format!("{name}/{half}")));
        let names = [half("reshape", "image")?, half("pool2d", "rows")?, half("pool2d", "pool2d")?];
        let [image, rows, whole] = names;
        let first = x.shape.dims()[0];
        let one = Dim::Fixed(1);
        let shaped = |height, width| Shape::new([first, height, width, channels.into()]);
        let (mut operand, mut kernel_size) = (x.index, Pair::new(height, width));
        let mut add = |name, op, shape| {
            let added = self.insert(name, op, vec![operand], Vec::new(), shape);
            operand = added.index;
            added
        };
        if x.shape.rank() == 3 {
            add(image, Op::Reshape, shaped(one, width.into()));
        }
        let pool = |kernel_size| {
            let strides = Pair::new(1, 1);
            Op::Pool2d(Resolved { strides, ..Resolved::new(mode, kernel_size) })
        };
        if height > 1 && width > 1 && height.saturating_mul(width) > PIXELS_AT_ONCE {
            add(rows, pool(Pair::new(1, width)), shaped(height.into(), one));
            kernel_size = Pair::new(height, 1);
        }
        if keepdims && x.shape.rank() == 4 {
            return Ok(add(name, pool(kernel_size), shaped(one, one)));
        }
        add(whole, pool(kernel_size), shaped(one, one));
        let kept = if keepdims { vec![first, one] } else { vec![first] };
        let shape = Shape::new(kept.into_iter().chain([channels.into()]));
        Ok(add(name, Op::Reshape, shape))
    }
}

/// Takes a line apart as an image of one row.
fn row(x: &Operand, site: &Site) -> Result<[usize; 3]> {
    let [length, channels] = line(x, site)?;
    Ok([1, length, channels])
}

fn check(site: &Site, x: &str, mode: PoolMode, [height, width]: [usize; 2]) -> Result<()> {
    if mode == PoolMode::Lp(0) {
        return Err(site.refuse("p", "is 0", "a norm's power is at least 1", "use 1 or more"));
    }
    if height > 0 && width > 0 {
        return Ok(());
    }
    Err(site.refuse(
        &format!("\"{x}\""),
        format!("is {height} by {width}"),
        "an image without pixels cannot be pooled",
        "use an image of at least one pixel",
    ))
}
