//! Rearranging channels into blocks of pixels, and back.

use crate::error::{Error, Result};
use crate::graph::{Graph, Symbol};
use crate::ops::Op;
use crate::ops::movement::copy::Start;
use crate::shape::{Dim, Shape, element_count};

/// How a channel's number counts block row, block column and depth.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum DepthMode {
    /// ONNX's `DCR`, and its default: the channels are (row, column, depth), depth fastest.
    Dcr,
    /// ONNX's `CRD`, a pixel shuffle: the channels are (depth, row, column), columns fastest.
    Crd,
}

/// A block of pixels in place of channels, with ONNX's names and defaults.
#[derive(Clone, Copy, Debug)]
pub struct DepthToSpace {
    block_size: usize,
    mode: DepthMode,
}

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
}

/// A rearrangement that has been checked.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Resolved {
    /// The block's height and width.
    pub block_size: usize,
    /// How channels are counted.
    pub mode: DepthMode,
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
        let [height, width, channels] = start.x.image(&start.site)?;
        let block = option.block_size;
        let depth = block
            .checked_mul(block)
            .filter(|&area| area > 0)
            .and_then(|area| channels.is_multiple_of(area).then(|| channels / area));
        let Some(depth) = depth else {
            return Err(uneven(
                &start,
                block,
                format!("its square must divide {channels} channels"),
            ));
        };
        let sides = height.checked_mul(block).zip(width.checked_mul(block));
        let (height, width) = sides.ok_or_else(|| too_large(&start, block))?;
        let dims = image(&start, [height, width, depth])?;
        let resolved = Resolved { block_size: block, mode: option.mode };
        Ok(self.finish(start, Op::DepthToSpace(resolved), dims))
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
        let [height, width, depth] = start.x.image(&start.site)?;
        let block = option.block_size;
        if block == 0 || !height.is_multiple_of(block) || !width.is_multiple_of(block) {
            return Err(uneven(
                &start,
                block,
                format!("it must divide {height} by {width} pixels"),
            ));
        }
        let channels = block.checked_mul(block).and_then(|area| area.checked_mul(depth));
        let channels = channels.ok_or_else(|| too_large(&start, block))?;
        let dims = image(&start, [height / block, width / block, channels])?;
        let resolved = Resolved { block_size: block, mode: option.mode };
        Ok(self.finish(start, Op::SpaceToDepth(resolved), dims))
    }
}

fn uneven(start: &Start, block: usize, expected: String) -> Error {
    start.refuse("block_size", format!("is {block}"), expected, "use another block_size")
}

fn too_large(start: &Start, block: usize) -> Error {
    let expected = "the result's sides are more than a machine word counts".to_owned();
    uneven(start, block, expected)
}

/// Puts the operand's batch before an image's sides, and checks the size.
fn image(start: &Start, sides: [usize; 3]) -> Result<Vec<Dim>> {
    let batch = start.dims().iter().take(1).copied();
    let dims: Vec<Dim> = batch.chain(sides.map(Dim::Fixed)).collect();
    element_count(&start.site.node, &Shape::new(dims.clone()).resolve(1))?;
    Ok(dims)
}
