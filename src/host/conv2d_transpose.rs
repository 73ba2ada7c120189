//! 2-D transposed convolution as matrix products, one for each phase of the strides.
//!
//! Output pixels whose distance is a multiple of the strides are reached by the same taps of the
//! kernel. For each such phase the output gathers from the input as a convolution does with
//! those taps alone; nothing is scattered, and no zeros are multiplied.

use std::ops::Range;

use ndarray::{ArrayViewMut2, Axis, Slice};

use super::panels::{Columns, Panel};
use super::product::{
    BLOCK_ROWS, COLUMN_UNIT, Finish, Found, Located, Rows, multiply, slice, split,
};
use super::threads::Block;
use super::tile::OUTSIDE;
use super::{Step, conv2d_transpose_depthwise};
use crate::error::Result;
use crate::kernels::conv2d_transpose::Geometry;

/// Computes the transposed convolution.
pub(super) fn execute(step: &Step<'_>, geometry: &Geometry, result: &mut [f32]) -> Result<()> {
    let g = geometry;
    let groups = g.groups.max(1);
    let [inputs, outputs] = [g.input[3], g.output[3]];
    if !(inputs.is_multiple_of(groups) && outputs.is_multiple_of(groups)) {
        let shapes = format!("input {:?}, output {:?}", g.input, g.output);
        return step.refuse(&format!("has {groups} groups"), "they divide the channels", shapes);
    }
    if g.strides.contains(&0) || g.input[0] != g.output[0] {
        let shapes = format!("input {:?}, output {:?}, strides {:?}", g.input, g.output, g.strides);
        return step.refuse("has strides of 0 or changes the batch", "neither is so", shapes);
    }
    step.check_length("the output", &g.output, result.len())?;
    let kernel_shape = [g.kernel[0], g.kernel[1], outputs / groups, inputs];
    let bias = g.has_bias.then_some(outputs);
    let ([input, kernel], bias) = step.weighted(&g.input, &kernel_shape, bias)?;
    let pixels = g.output[0] * g.output[1] * g.output[2];
    if result.is_empty() {
        return Ok(());
    }
    let stages = step.stages;
    let finish = Finish { bias, scaled: None, stages, width: outputs, continues: false };
    if groups > 1 && inputs == groups && outputs == groups {
        conv2d_transpose_depthwise::compute(g, input, kernel, &finish, result);
        return Ok(());
    }
    let Ok(view) = ArrayViewMut2::from_shape((pixels, outputs), result) else { return Ok(()) };
    let taps = (0..2).map(|axis| g.kernel[axis].div_ceil(g.strides[axis])).product::<usize>();
    let whole = Block { result: view, row: 0, column: 0 };
    let unit = if groups > 1 { outputs / groups } else { COLUMN_UNIT };
    split(whole, taps * inputs / groups, [g.output[2], unit], |block| {
        phases(g, input, kernel, &finish, block);
    });
    Ok(())
}

/// Computes whole lines of the output, phase by phase.
fn phases(
    geometry: &Geometry,
    input: &[f32],
    kernel: &[f32],
    finish: &Finish<'_>,
    mut block: Block<'_>,
) {
    let g = geometry;
    let [_, height, width, _] = g.output;
    let (count, columns) = block.result.dim();
    let first_line = block.row / width;
    // The taps that reach an output row or column whose first one of that phase is this.
    let reaching = |axis: usize, first: usize| -> Vec<usize> {
        let phase = (first + g.crop[axis]) % g.strides[axis];
        let meets = |tap: &usize| tap * g.dilation[axis] % g.strides[axis] == phase;
        (0..g.kernel[axis]).filter(meets).collect()
    };
    for first_y in 0..g.strides[0].min(height) {
        let row_taps = reaching(0, first_y);
        let of_phase = |line: &usize| (first_line + line) % height % g.strides[0] == first_y;
        let lines: Vec<usize> = (0..count / width).filter(of_phase).collect();
        for first_x in 0..g.strides[1].min(width) {
            let column_taps = reaching(1, first_x);
            let taps = [row_taps.as_slice(), column_taps.as_slice()];
            let each = (g.output[3] / g.groups.max(1)).max(1);
            // A block holds whole groups, or a part of one.
            for group in block.column / each..(block.column + columns).div_ceil(each) {
                let wide = block.column.max(group * each)
                    ..(block.column + columns).min((group + 1) * each);
                let within = wide.start - block.column..wide.end - block.column;
                let part = Block {
                    result: block.result.slice_axis_mut(Axis(1), Slice::from(within)),
                    row: block.row,
                    column: wide.start,
                };
                let lines = &lines;
                let pixels = Pixels { geometry, input, taps, first_line, lines, first_x, group };
                let right = Turned { geometry, kernel, taps };
                multiply(part, &pixels, &right, wide, finish);
            }
        }
    }
}

/// Returns the input row or column that a tap brings to an output one, if there is one.
#[inline(always)]
pub(super) fn source(g: &Geometry, axis: usize, output: usize, tap: usize) -> Option<usize> {
    let down = (output + g.crop[axis]).checked_sub(tap * g.dilation[axis])?;
    let is_reached = down.is_multiple_of(g.strides[axis]);
    Some(down / g.strides[axis]).filter(|&source| is_reached && source < g.input[axis + 1])
}

/// The output pixels of one phase.
struct Pixels<'a> {
    geometry: &'a Geometry,
    input: &'a [f32],
    /// Taps along height and width that reach them.
    taps: [&'a [usize]; 2],
    /// The part's first line, of all images' lines.
    first_line: usize,
    /// The part's lines of this phase, counted from its first.
    lines: &'a [usize],
    first_x: usize,
    group: usize,
}

impl Pixels<'_> {
    /// Returns how many pixels of a line are of this phase.
    fn in_line(&self) -> usize {
        (self.geometry.output[2] - self.first_x).div_ceil(self.geometry.strides[1])
    }
}

impl Rows for Pixels<'_> {
    fn runs(&self) -> usize {
        self.taps[0].len() * self.taps[1].len()
    }

    fn length(&self) -> usize {
        self.geometry.input[3] / self.geometry.groups.max(1)
    }

    fn blocks(&self) -> usize {
        self.lines.len() * self.in_line().div_ceil(BLOCK_ROWS)
    }

    fn has_outside(&self) -> bool {
        true
    }

    fn locate<'s>(&'s self, block: usize, found: &'s mut Found) -> Located<'s> {
        let g = self.geometry;
        let [_, height, width, channels] = g.input;
        let parts = self.in_line().div_ceil(BLOCK_ROWS);
        let (line, part) = (self.lines[block / parts], block % parts);
        let pixels = part * BLOCK_ROWS..((part + 1) * BLOCK_ROWS).min(self.in_line());
        let (image, y) =
            ((self.first_line + line) / g.output[1], (self.first_line + line) % g.output[1]);
        found.offsets.clear();
        for pixel in pixels.clone() {
            let x = self.first_x + pixel * g.strides[1];
            for &i in self.taps[0] {
                let v = source(g, 0, y, i);
                for &j in self.taps[1] {
                    let start = v.zip(source(g, 1, x, j)).map_or(OUTSIDE, |(v, u)| {
                        ((image * height + v) * width + u) * channels + self.group * self.length()
                    });
                    found.offsets.push(start);
                }
            }
        }
        let first = line * g.output[2] + self.first_x;
        let row = |pixel: usize| first + pixel * g.strides[1];
        let rows = slice(row(pixels.start)..row(pixels.end - 1) + 1, g.strides[1]);
        Located { data: self.input, offsets: &found.offsets, rows }
    }
}

/// The kernel's taps of one phase, turned so that output channels are columns.
struct Turned<'a> {
    geometry: &'a Geometry,
    kernel: &'a [f32],
    taps: [&'a [usize]; 2],
}

impl Columns for Turned<'_> {
    #[inline(always)]
    fn fill(&self, depth: Range<usize>, columns: Range<usize>, mut panel: Panel<'_>) {
        let channels = self.geometry.input[3];
        let inputs = (channels / self.geometry.groups.max(1)).max(1);
        let mut k = depth.start;
        while k < depth.end {
            // The channels that one tap has left.
            let count = (inputs - k % inputs).min(depth.end - k);
            let from = self.line(k, columns.start);
            panel.turn(k - depth.start, from, channels, [count, columns.len()]);
            k += count;
        }
    }
}

impl Turned<'_> {
    /// Returns the kernel from number `k` of a column on; the next columns of its group follow, as
    /// far apart as there are input channels.
    #[inline(always)]
    fn line(&self, k: usize, column: usize) -> &[f32] {
        let g = self.geometry;
        let groups = g.groups.max(1);
        let (inputs, outputs) = (g.input[3] / groups, g.output[3] / groups);
        let (tap, channel) = (k / inputs, k % inputs);
        let (i, j) =
            (self.taps[0][tap / self.taps[1].len()], self.taps[1][tap % self.taps[1].len()]);
        let (group, own) = (column / outputs, column % outputs);
        let first = (i * g.kernel[1] + j) * outputs + own;
        self.kernel.get(first * g.input[3] + group * inputs + channel..).unwrap_or_default()
    }
}
