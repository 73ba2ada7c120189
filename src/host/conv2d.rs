//! 2-D convolution as a matrix product over windows of the image.
//!
//! With enough channels the product reads the windows where they lie: a row of its left side is
//! one run of channels for each tap. With few, the windows of a block of pixels are first
//! brought together (im2col), a block that fits the cache at a time.

use std::ops::Range;

use ndarray::{ArrayViewMut2, Axis, Slice};

use super::constants::Constants;
use super::panels::{Packed, PlainColumns};
use super::product::{
    BLOCK_ROWS, COLUMN_UNIT, Finish, Found, Located, Rows, multiply, slice, split_packed,
};
use super::threads::Block;
use super::tile::{OUTSIDE, ROWS};
use super::{Kept, Step, conv2d_depthwise, dense};
use crate::error::Result;
use crate::kernels::conv2d::Geometry;

/// Channels of a group below which windows are brought together.
const FEW_CHANNELS: usize = 16;

/// How a convolution is computed.
#[derive(PartialEq)]
enum Way {
    /// As a product of all pixels with the kernel.
    Pointwise,
    Depthwise,
    Windows,
}

fn way(g: &Geometry) -> Way {
    let is_pointwise = g.kernel == [1, 1] && g.strides == [1, 1] && g.pads == [0, 0];
    if is_pointwise && g.groups.max(1) == 1 && g.input[..3] == g.output[..3] {
        Way::Pointwise
    } else if g.groups > 1 && g.input[3] == g.groups {
        Way::Depthwise
    } else {
        Way::Windows
    }
}

fn pixels(g: &Geometry) -> usize {
    g.output[0] * g.output[1] * g.output[2]
}

fn kernel_shape(g: &Geometry) -> [usize; 4] {
    [g.kernel[0], g.kernel[1], g.input[3] / g.groups.max(1), g.output[3]]
}

/// Packs the kernel.
pub(super) fn prepare(constants: &mut Constants<'_>, geometry: &Geometry) -> Result<Kept> {
    let g = geometry;
    if !has_whole_groups(g) || g.output.contains(&0) {
        return Ok(Kept::Nothing);
    }
    let Some(kernel) = constants.kernel(&kernel_shape(g))? else { return Ok(Kept::Nothing) };
    let node = constants.node;
    let inner = g.kernel[0] * g.kernel[1] * g.input[3] / g.groups.max(1);
    let (all, outputs) = (g.output[3], g.output[3] / g.groups.max(1));
    match way(g) {
        Way::Depthwise => Ok(Kept::Nothing),
        Way::Pointwise if pixels(g) < dense::FEW_ROWS => Ok(Kept::Nothing),
        Way::Pointwise => dense::pack(constants, kernel, [inner, all]),
        Way::Windows => {
            let right = PlainColumns { data: kernel, stride: all, first: 0 };
            let pack = |group| {
                let columns = group * outputs..(group + 1) * outputs;
                Packed::new(node, &right, inner, columns)
            };
            let pack = || (0..g.groups.max(1)).map(pack).collect();
            Ok(Kept::Right(constants.packed(kernel, &[inner, all, outputs], pack)?))
        }
    }
}

fn has_whole_groups(g: &Geometry) -> bool {
    let groups = g.groups.max(1);
    g.input[3].is_multiple_of(groups) && g.output[3].is_multiple_of(groups)
}

/// Computes the convolution.
pub(super) fn execute(step: &Step<'_>, geometry: &Geometry, result: &mut [f32]) -> Result<()> {
    let g = geometry;
    let groups = g.groups.max(1);
    let [inputs, outputs] = [g.input[3], g.output[3]];
    let shapes = || format!("input {:?}, output {:?}", g.input, g.output);
    if !has_whole_groups(g) {
        return step.refuse(&format!("has {groups} groups"), "they divide the channels", shapes());
    }
    if g.input[0] != g.output[0] {
        return step.refuse("changes the batch", "a convolution keeps it", shapes());
    }
    step.check_length("the output", &g.output, result.len())?;
    let bias = g.has_bias.then_some(outputs);
    let ([input, kernel], bias) = step.weighted(&g.input, &kernel_shape(g), bias)?;
    if result.is_empty() {
        return Ok(());
    }
    let stages = step.stages;
    let finish = Finish { bias, scaled: None, stages, width: outputs, continues: false };
    match way(g) {
        Way::Pointwise => {
            let left = dense::Left { data: input, stride: inputs, first: 0 };
            let right = (kernel, step.kept);
            dense::matrix(&left, right, [pixels(g), inputs, outputs], &finish, result);
        }
        Way::Depthwise => conv2d_depthwise::compute(g, input, kernel, &finish, result),
        Way::Windows => {
            let Kept::Right(packed) = step.kept else {
                return step.refuse("has no packed kernel", "preparing packs it", shapes());
            };
            if let Ok(view) = ArrayViewMut2::from_shape((pixels(g), outputs), result) {
                product(g, input, packed, &finish, view);
            }
        }
    }
    Ok(())
}

/// Computes the product, group by group.
fn product(
    geometry: &Geometry,
    input: &[f32],
    packed: &[Packed],
    finish: &Finish<'_>,
    result: ArrayViewMut2<'_, f32>,
) {
    let groups = geometry.groups.max(1);
    let (inputs, outputs) = (geometry.input[3] / groups, geometry.output[3] / groups);
    let taps = geometry.kernel[0] * geometry.kernel[1];
    let whole = Block { result, row: 0, column: 0 };
    // A tap outside meets no weight, which is the same as zeros unless the weight is infinite.
    let gathers = inputs < FEW_CHANNELS && packed.iter().all(Packed::is_finite);
    let unit = if groups > 1 { outputs } else { COLUMN_UNIT };
    split_packed(whole, taps * inputs, [ROWS, unit], |mut block| {
        let (count, columns) = block.result.dim();
        let pixels = block.row..block.row + count;
        for group in block.column / outputs..(block.column + columns).div_ceil(outputs) {
            // A block holds whole groups, or a part of one.
            let wide = block.column.max(group * outputs)
                ..(block.column + columns).min((group + 1) * outputs);
            let within = wide.start - block.column..wide.end - block.column;
            let part = Block {
                result: block.result.slice_axis_mut(Axis(1), Slice::from(within)),
                row: block.row,
                column: wide.start,
            };
            let Some(right) = packed.get(group) else { return };
            let windows = Windows { geometry, input, pixels: pixels.clone(), group, inputs };
            let of_group = wide.start - group * outputs..wide.end - group * outputs;
            if gathers {
                multiply(part, &Gathered(windows), right, of_group, finish);
            } else {
                multiply(part, &windows, right, of_group, finish);
            }
        }
    });
}

/// The windows of some output pixels.
struct Windows<'a> {
    geometry: &'a Geometry,
    input: &'a [f32],
    pixels: Range<usize>,
    group: usize,
    /// Input channels of a group.
    inputs: usize,
}

impl Windows<'_> {
    fn taps(&self) -> usize {
        self.geometry.kernel[0] * self.geometry.kernel[1]
    }

    /// Returns the pixels of a block, counted from the first of this part.
    fn range(&self, block: usize) -> Range<usize> {
        block * BLOCK_ROWS..((block + 1) * BLOCK_ROWS).min(self.pixels.len())
    }

    /// Names the run of each tap of each pixel of a block, from the first tap of the first pixel
    /// on: where it begins in the input, or [`OUTSIDE`].
    #[inline(always)]
    fn walk(&self, block: usize, mut run: impl FnMut(usize)) {
        let g = self.geometry;
        let [_, height, width, channels] = g.input;
        for pixel in self.range(block) {
            let pixel = self.pixels.start + pixel;
            let (line, x) = (pixel / g.output[2], pixel % g.output[2]);
            let (image, y) = (line / g.output[1], line % g.output[1]);
            for i in 0..g.kernel[0] {
                let v = (y * g.strides[0] + i * g.dilation[0]).wrapping_sub(g.pads[0]);
                let row = (image * height + v.min(height)) * width;
                for j in 0..g.kernel[1] {
                    let u = (x * g.strides[1] + j * g.dilation[1]).wrapping_sub(g.pads[1]);
                    let is_inside = v < height && u < width;
                    let pixel = row + u.min(width);
                    let start = pixel * channels + self.group * self.inputs;
                    run(if is_inside { start } else { OUTSIDE });
                }
            }
        }
    }
}

impl Rows for Windows<'_> {
    fn runs(&self) -> usize {
        self.taps()
    }

    fn length(&self) -> usize {
        self.inputs
    }

    fn blocks(&self) -> usize {
        self.pixels.len().div_ceil(BLOCK_ROWS)
    }

    fn has_outside(&self) -> bool {
        true
    }

    fn locate<'s>(&'s self, block: usize, found: &'s mut Found) -> Located<'s> {
        found.offsets.clear();
        self.walk(block, |start| found.offsets.push(start));
        Located { data: self.input, offsets: &found.offsets, rows: slice(self.range(block), 1) }
    }
}

/// Windows that are brought together.
struct Gathered<'a>(Windows<'a>);

impl Rows for Gathered<'_> {
    fn runs(&self) -> usize {
        1
    }

    fn length(&self) -> usize {
        self.0.taps() * self.0.inputs
    }

    fn blocks(&self) -> usize {
        self.0.blocks()
    }

    fn has_outside(&self) -> bool {
        false
    }

    fn locate<'s>(&'s self, block: usize, found: &'s mut Found) -> Located<'s> {
        let Gathered(windows) = self;
        let (inputs, input) = (windows.inputs, windows.input);
        let range = windows.range(block);
        let Found { offsets, gathered } = found;
        gathered.resize(gathered.len().max(range.len() * self.length()), 0.0);
        let mut runs = gathered.chunks_exact_mut(inputs.max(1));
        windows.walk(block, |start| {
            let Some(run) = runs.next() else { return };
            if start == OUTSIDE {
                run.fill(0.0);
            } else {
                run.iter_mut()
                    .zip(&input[start..start + inputs])
                    .for_each(|(to, from)| *to = *from);
            }
        });
        offsets.clear();
        offsets.extend((0..range.len()).map(|row| row * self.length()));
        Located { data: gathered, offsets, rows: slice(range, 1) }
    }
}
