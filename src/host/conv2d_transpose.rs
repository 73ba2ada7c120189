//! 2-D transposed convolution as matrix products, one for each phase of the strides.
//!
//! Output pixels whose distance is a multiple of the strides are reached by the same taps of the
//! kernel. For each such phase the output gathers from the input as a convolution does with
//! those taps alone; nothing is scattered, and no zeros are multiplied.

use std::ops::Range;
use std::sync::Arc;

use ndarray::{ArrayViewMut2, Axis, Slice};

use super::constants::Constants;
use super::panels::{Columns, Packed, Panel};
use super::product::{
    BLOCK_ROWS, COLUMN_UNIT, Finish, Found, Located, Rows, multiply, slice, split_packed,
};
use super::threads::Block;
use super::tile::OUTSIDE;
use super::{Kept, Step, conv2d_transpose_depthwise};
use crate::error::Result;
use crate::kernels::conv2d_transpose::Geometry;

/// The kernel, packed for each phase of the strides.
#[derive(Debug)]
pub(crate) struct Phases {
    taps: Taps,
    /// By phase along the height, then along the width, then by group.
    packed: Arc<[Packed]>,
}

/// The taps that reach output rows, and output columns, by phase.
type Taps = [Vec<Vec<usize>>; 2];

impl Phases {
    /// Returns the taps of a phase, and its part of the kernel for a group.
    fn get(&self, [y, x]: [usize; 2], [group, groups]: [usize; 2]) -> Option<Phase<'_>> {
        let columns = self.taps[1].len();
        let packed = self.packed.get((y * columns + x) * groups + group)?;
        Some(Phase { taps: [self.taps[0].get(y)?, self.taps[1].get(x)?], packed })
    }
}

struct Phase<'a> {
    taps: [&'a [usize]; 2],
    packed: &'a Packed,
}

/// Finds the taps that reach the output rows (or columns) of each phase.
fn taps(g: &Geometry, axis: usize) -> Vec<Vec<usize>> {
    // The first row of each phase; there may be fewer rows than phases.
    let phases = 0..g.strides[axis].min(g.output[axis + 1]);
    let reaching = |first: usize| {
        let phase = (first + g.crop[axis]) % g.strides[axis];
        let meets = |tap: &usize| tap * g.dilation[axis] % g.strides[axis] == phase;
        (0..g.kernel[axis]).filter(meets).collect()
    };
    phases.map(reaching).collect()
}

fn kernel_shape(g: &Geometry) -> [usize; 4] {
    [g.kernel[0], g.kernel[1], g.output[3] / g.groups.max(1), g.input[3]]
}

fn is_depthwise(g: &Geometry) -> bool {
    g.groups > 1 && g.input[3] == g.groups && g.output[3] == g.groups
}

fn has_whole_groups(g: &Geometry) -> bool {
    let groups = g.groups.max(1);
    g.input[3].is_multiple_of(groups) && g.output[3].is_multiple_of(groups)
}

/// Packs the kernel, turned, phase by phase.
pub(super) fn prepare(constants: &mut Constants<'_>, geometry: &Geometry) -> Result<Kept> {
    let g = geometry;
    if !has_whole_groups(g) || g.strides.contains(&0) || g.output.contains(&0) {
        return Ok(Kept::Nothing);
    }
    let kernel = constants.kernel(&kernel_shape(g))?;
    let Some(kernel) = kernel.filter(|_| !is_depthwise(g)) else { return Ok(Kept::Nothing) };
    let (node, groups) = (constants.node, g.groups.max(1));
    let (inputs, outputs) = (g.input[3] / groups, g.output[3] / groups);
    let taps = [taps(g, 0), taps(g, 1)];
    let form: Vec<usize> = [g.strides, g.dilation, g.crop, g.kernel]
        .into_iter()
        .flatten()
        .chain([taps[0].len(), taps[1].len(), groups, g.input[3]])
        .collect();
    let packed = constants.packed(kernel, &form, || {
        let mut packed = Vec::new();
        for rows in &taps[0] {
            for columns in &taps[1] {
                let right = Turned { geometry, kernel, taps: [rows, columns] };
                let inner = rows.len() * columns.len() * inputs;
                for group in 0..groups {
                    let columns = group * outputs..(group + 1) * outputs;
                    packed.push(Packed::new(node, &right, inner, columns)?);
                }
            }
        }
        Ok(packed)
    })?;
    Ok(Kept::Phases(Phases { taps, packed }))
}

/// Computes the transposed convolution.
pub(super) fn execute(step: &Step<'_>, geometry: &Geometry, result: &mut [f32]) -> Result<()> {
    let g = geometry;
    let groups = g.groups.max(1);
    let [inputs, outputs] = [g.input[3], g.output[3]];
    let shapes = || format!("input {:?}, output {:?}, strides {:?}", g.input, g.output, g.strides);
    if !has_whole_groups(g) {
        return step.refuse(&format!("has {groups} groups"), "they divide the channels", shapes());
    }
    if g.strides.contains(&0) || g.input[0] != g.output[0] {
        return step.refuse("has strides of 0 or changes the batch", "neither is so", shapes());
    }
    step.check_length("the output", &g.output, result.len())?;
    let bias = g.has_bias.then_some(outputs);
    let ([input, kernel], bias) = step.weighted(&g.input, &kernel_shape(g), bias)?;
    let pixels = g.output[0] * g.output[1] * g.output[2];
    if result.is_empty() {
        return Ok(());
    }
    let stages = step.stages;
    let finish = Finish { bias, scaled: None, stages, width: outputs, continues: false };
    if is_depthwise(g) {
        conv2d_transpose_depthwise::compute(g, input, kernel, &finish, result);
        return Ok(());
    }
    let Kept::Phases(kept) = step.kept else {
        return step.refuse("has no packed kernel", "preparing packs it", shapes());
    };
    let Ok(view) = ArrayViewMut2::from_shape((pixels, outputs), result) else { return Ok(()) };
    let taps = (0..2).map(|axis| g.kernel[axis].div_ceil(g.strides[axis])).product::<usize>();
    let whole = Block { result: view, row: 0, column: 0 };
    let unit = if groups > 1 { outputs / groups } else { COLUMN_UNIT };
    split_packed(whole, taps * inputs / groups, [g.output[2], unit], |block| {
        phases(g, input, kept, &finish, block);
    });
    Ok(())
}

/// Computes whole lines of the output, phase by phase.
fn phases(
    geometry: &Geometry,
    input: &[f32],
    kept: &Phases,
    finish: &Finish<'_>,
    mut block: Block<'_>,
) {
    let g = geometry;
    let [_, height, width, _] = g.output;
    let (count, columns) = block.result.dim();
    let first_line = block.row / width;
    let groups = g.groups.max(1);
    for first_y in 0..kept.taps[0].len() {
        let of_phase = |line: &usize| (first_line + line) % height % g.strides[0] == first_y;
        let lines: Vec<usize> = (0..count / width).filter(of_phase).collect();
        for first_x in 0..kept.taps[1].len() {
            let each = (g.output[3] / groups).max(1);
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
                let Some(phase) = kept.get([first_y, first_x], [group, groups]) else { return };
                let (lines, taps) = (&lines, phase.taps);
                let pixels = Pixels { geometry, input, taps, first_line, lines, first_x, group };
                let of_group = wide.start - group * each..wide.end - group * each;
                multiply(part, &pixels, phase.packed, of_group, finish);
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
