//! Pooling over whole images and lines.

use crate::error::Result;
use crate::graph::{Graph, Site, Symbol, title};
use crate::ops::convolution::window::{Pads, Pair};
use crate::ops::pooling::pool2d::{Resolved, line};
use crate::ops::{Op, PoolMode};
use crate::shape::{Dim, Shape};

/// Pixels above which the rows are pooled first: one thread for each channel alone would be
/// few, and slow.
const PIXELS_AT_ONCE: usize = 1024;

/// A pooling on its way into the graph, over an image or a line taken as one.
struct Request<'a> {
    name: String,
    site: Site,
    operand: &'a str,
    mode: PoolMode,
    first: Dim,
    /// Height, width and channels.
    image: [usize; 3],
    /// The result's shape.
    shape: Shape,
}

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
        self.pool_image(x, "global_max_pooling2d", PoolMode::Max, keepdims)
    }

    /// Averages each channel: Keras's `GlobalAveragePooling2D`, ONNX's `GlobalAveragePool`.
    ///
    /// Shapes are those of [`Graph::global_max_pooling2d`].
    ///
    /// # Errors
    ///
    /// As [`Graph::global_max_pooling2d`].
    pub fn global_average_pooling2d(&mut self, x: Symbol, keepdims: bool) -> Result<Symbol> {
        self.pool_image(x, "global_average_pooling2d", PoolMode::Average, keepdims)
    }

    /// Takes the p-norm of each channel, ONNX's `GlobalLpPool`.
    ///
    /// Shapes are those of [`Graph::global_max_pooling2d`].
    ///
    /// # Errors
    ///
    /// As [`Graph::global_max_pooling2d`], and for p of 0.
    pub fn global_lp_pooling2d(&mut self, x: Symbol, p: u16, keepdims: bool) -> Result<Symbol> {
        self.pool_image(x, "global_lp_pooling2d", PoolMode::Lp(p), keepdims)
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
        self.pool_whole_line(x, "global_max_pooling1d", PoolMode::Max, keepdims)
    }

    /// Averages each channel of a line: Keras's `GlobalAveragePooling1D`.
    ///
    /// Shapes are those of [`Graph::global_max_pooling1d`].
    ///
    /// # Errors
    ///
    /// As [`Graph::global_max_pooling1d`].
    pub fn global_average_pooling1d(&mut self, x: Symbol, keepdims: bool) -> Result<Symbol> {
        self.pool_whole_line(x, "global_average_pooling1d", PoolMode::Average, keepdims)
    }

    fn pool_image(
        &mut self,
        x: Symbol,
        kind: &str,
        mode: PoolMode,
        keepdims: bool,
    ) -> Result<Symbol> {
        let name = self.name_for(kind, None)?;
        let node = title(kind, &name);
        let x = self.operand(&node, "x", x)?;
        let site = Site::new(&node, x.describe());
        let image = x.image(&site)?;
        let (first, channels) = (x.shape.dims()[0], Dim::Fixed(image[2]));
        let shape = if keepdims {
            Shape::new([first, 1.into(), 1.into(), channels])
        } else {
            Shape::new([first, channels])
        };
        let request = Request { name, site, operand: &x.name, mode, first, image, shape };
        self.pool_whole(x.index, request)
    }

    fn pool_whole_line(
        &mut self,
        x: Symbol,
        kind: &str,
        mode: PoolMode,
        keepdims: bool,
    ) -> Result<Symbol> {
        let name = self.name_for(kind, None)?;
        let node = title(kind, &name);
        let x = self.operand(&node, "x", x)?;
        let site = Site::new(&node, x.describe());
        let [length, channels] = line(&x, &site)?;
        let (first, image) = (x.shape.dims()[0], [1, length, channels]);
        let shape = if keepdims {
            Shape::new([first, 1.into(), channels.into()])
        } else {
            Shape::new([first, channels.into()])
        };
        let request = Request { name, site, operand: &x.name, mode, first, image, shape };
        check(&request)?;
        let before = self.name_for("reshape", Some(&format!("{}/image", request.name)))?;
        let view = Shape::new([first, 1.into(), length.into(), channels.into()]);
        let view = self.insert(before, Op::Reshape, vec![x.index], Vec::new(), view);
        self.pool_whole(view.index, request)
    }

    /// Adds one pooling, or one for the rows and one for what they give, and a reshape where
    /// the result's shape is not (batch, 1, 1, channels).
    fn pool_whole(&mut self, x: usize, request: Request<'_>) -> Result<Symbol> {
        check(&request)?;
        let Request { name, mode, first, image: [height, width, channels], shape, .. } = request;
        let in_two = height > 1 && width > 1 && height.saturating_mul(width) > PIXELS_AT_ONCE;
        let rows = self.name_for("pool2d", Some(&format!("{name}/rows")))?;
        let whole = self.name_for("pool2d", Some(&format!("{name}/pool2d")))?;
        let (mut operand, mut kernel_size) = (x, Pair::new(height, width));
        if in_two {
            let op = pooling(mode, Pair::new(1, width));
            let lines = Shape::new([first, height.into(), 1.into(), channels.into()]);
            operand = self.insert(rows, op, vec![x], Vec::new(), lines).index;
            kernel_size = Pair::new(height, 1);
        }
        let pooled = Shape::new([first, 1.into(), 1.into(), channels.into()]);
        let op = pooling(mode, kernel_size);
        if pooled == shape {
            return Ok(self.insert(name, op, vec![operand], Vec::new(), pooled));
        }
        let pooled = self.insert(whole, op, vec![operand], Vec::new(), pooled);
        Ok(self.insert(name, Op::Reshape, vec![pooled.index], Vec::new(), shape))
    }
}

fn pooling(mode: PoolMode, kernel_size: Pair) -> Op {
    Op::Pool2d(Resolved {
        mode,
        kernel_size,
        strides: Pair::new(1, 1),
        dilation: Pair::new(1, 1),
        pads: Pads::default(),
        count_include_pad: false,
    })
}

fn check(request: &Request<'_>) -> Result<()> {
    let Request { site, operand, mode, image: [height, width, _], .. } = request;
    if *mode == PoolMode::Lp(0) {
        return Err(site.refuse("p", "is 0", "a norm's power is at least 1", "use 1 or more"));
    }
    if *height > 0 && *width > 0 {
        return Ok(());
    }
    Err(site.refuse(
        &format!("\"{operand}\""),
        format!("is {height} by {width}"),
        "an image without pixels cannot be pooled",
        "use an image of at least one pixel",
    ))
}
