//! Rearranging channels into blocks of pixels, and back.

use serde::{Deserialize, Serialize};

use crate::error::{Error, Result};
use crate::graph::{Graph, Operand, Site, Symbol};
use crate::kernels::axes::dense_strides;
use crate::kernels::{Work, copy};
use crate::ops::movement::copy::zip;
use crate::ops::{Arguments, Op, Operator, Shapes};
use crate::serial::length;
use crate::shape::{Dim, Shape, element_count};

/// How a channel's number counts block row, block column and depth.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
#[non_exhaustive]
pub enum DepthMode {
    /// ONNX's `DCR`, and its default: the channels are (row, column, depth), depth fastest.
    Dcr,
    /// ONNX's `CRD`, a pixel shuffle: the channels are (depth, row, column), columns fastest.
    Crd,
}

/// A block of pixels in place of channels, with ONNX's names and defaults.
///
/// ```
/// use longshore::{DepthToSpace, Graph, Shape};
///
/// # fn main() -> longshore::Result<()> {
/// let mut g = Graph::new();
/// let x = g.input("x", Shape::batch([4, 4, 12]));
/// let y = g.depth_to_space(x, DepthToSpace::new(2))?;
/// assert_eq!(g.shape(y), Some(&Shape::batch([8, 8, 3])));
/// # Ok(())
/// # }
/// ```
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct DepthToSpace {
    #[serde(with = "length")]
    block_size: usize,
    mode: DepthMode,
}

/// The inverse of the rearrangement that it holds.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(transparent)]
pub struct SpaceToDepth(DepthToSpace);

impl DepthToSpace {
    /// Sets the block's height and width; the mode is DCR.
    #[must_use]
    pub fn new(block_size: usize) -> Self {
        DepthToSpace { block_size, mode: DepthMode::Dcr }
    }

    /// Sets how channels are counted.
    #[must_use]
    pub fn mode(mut self, mode: DepthMode) -> Self {
        self.mode = mode;
        self
    }

    /// Walks along deep pixels (batch, h, w, channels) and wide ones (batch, h * block, w * block,
    /// depth); `back` from the wide ones to the deep.
    fn walk(self, deep: &[usize], wide: &[usize], back: bool) -> Option<Work> {
        let &[batch, height, width, _] = deep else { return None };
        let depth = *wide.last()?;
        let block = self.block_size;
        let dense = |shape: [usize; 6]| dense_strides(&shape);
        // Both as (batch, h, row, w, column, depth).
        let wide = dense([batch, height, block, width, block, depth]);
        let order = match self.mode {
            DepthMode::Dcr => dense([batch, height, width, block, block, depth]),
            DepthMode::Crd => dense([batch, height, width, depth, block, block]),
        };
        let &[n, h, w, a, b, c] = order.as_slice() else { return None };
        let [row, column, channel] = match self.mode {
            DepthMode::Dcr => [a, b, c],
            DepthMode::Crd => [b, c, a],
        };
        let deep = [n, h, row, w, column, channel];
        let lengths = [batch, height, block, width, block, depth];
        let axes = if back { zip(&lengths, &wide, &deep) } else { zip(&lengths, &deep, &wide) };
        Some(Work::Copy(copy::Geometry { axes, base: 0, out_base: 0 }))
    }
}

impl Operator for DepthToSpace {
    fn name(&self) -> &'static str {
        "depth_to_space"
    }

    fn infer(&self, of: &Arguments<'_>) -> Result<Shape> {
        let [x] = of.only()?;
        let site = of.site("");
        let [height, width, channels] = x.image(&site)?;
        let block = self.block_size;
        let depth = block
            .checked_mul(block)
            .filter(|&area| area > 0)
            .and_then(|area| channels.is_multiple_of(area).then(|| channels / area));
        let Some(depth) = depth else {
            return Err(uneven(
                &site,
                block,
                format!("its square must divide {channels} channels"),
            ));
        };
        let sides = height.checked_mul(block).zip(width.checked_mul(block));
        let (height, width) = sides.ok_or_else(|| too_large(&site, block))?;
        image(of.node, x, [height, width, depth])
    }

    fn work(&self, at: &Shapes) -> Option<Work> {
        self.walk(at.operand(0)?, &at.result, false)
    }
}

impl Operator for SpaceToDepth {
    fn name(&self) -> &'static str {
        "space_to_depth"
    }

    fn infer(&self, of: &Arguments<'_>) -> Result<Shape> {
        let [x] = of.only()?;
        let site = of.site("");
        let [height, width, depth] = x.image(&site)?;
        let block = self.0.block_size;
        if block == 0 || !height.is_multiple_of(block) || !width.is_multiple_of(block) {
            return Err(uneven(&site, block, format!("it must divide {height} by {width} pixels")));
        }
        let channels = block.checked_mul(block).and_then(|area| area.checked_mul(depth));
        let channels = channels.ok_or_else(|| too_large(&site, block))?;
        image(of.node, x, [height / block, width / block, channels])
    }

    fn work(&self, at: &Shapes) -> Option<Work> {
        self.0.walk(&at.result, at.operand(0)?, true)
    }
}

impl Graph {
    /// Spreads channels over blocks of pixels, as ONNX's `DepthToSpace` does.
    ///
    /// `x` is (batch, height, width, block * block * depth), channels last, and the result
    /// (batch, height * block, width * block, depth).
    ///
    /// # Errors
    ///
    /// [`Error::Operand`] when `x` is no image, when its channels are no
    /// multiple of the block, and for a block of size 0.
    pub fn depth_to_space(&mut self, x: Symbol, option: DepthToSpace) -> Result<Symbol> {
        let start = self.start("depth_to_space", x)?;
        self.finish(start, Op::DepthToSpace(option))
    }

    /// Gathers blocks of pixels in the channels, as ONNX's `SpaceToDepth` does; the inverse of
    /// [`Graph::depth_to_space`] with the same options.
    ///
    /// `x` is (batch, height, width, depth), channels last, and the result
    /// (batch, height / block, width / block, block * block * depth).
    ///
    /// # Errors
    ///
    /// [`Error::Operand`] when `x` is no image, when its sides are no
    /// multiples of the block, and for a block of size 0.
    pub fn space_to_depth(&mut self, x: Symbol, option: DepthToSpace) -> Result<Symbol> {
        let start = self.start("space_to_depth", x)?;
        self.finish(start, Op::SpaceToDepth(SpaceToDepth(option)))
    }
}

fn uneven(site: &Site, block: usize, expected: String) -> Error {
    site.refuse("block_size", format!("is {block}"), expected, "use another block_size")
}

fn too_large(site: &Site, block: usize) -> Error {
    let expected = "the result's sides are more than a machine word counts".to_owned();
    uneven(site, block, expected)
}

/// Puts the operand's batch before an image's sides, and checks the size.
fn image(node: &str, x: &Operand, sides: [usize; 3]) -> Result<Shape> {
    let batch = x.shape.dims().iter().take(1).copied();
    let shape = Shape::new(batch.chain(sides.map(Dim::Fixed)));
    element_count(node, &shape.resolve(1))?;
    Ok(shape)
}
