//! Resampling of height and width through the tables of taps that the kernel reads.

use std::cell::RefCell;

use super::finish::in_chunks;
use super::simd::vectorized;
use super::threads::for_each_run;
use super::{Constants, Kept, Step};
use crate::error::Result;
use crate::kernels::Launch;
use crate::kernels::resize2d::{self, Geometry, OUTSIDE, entry_lengths};
use crate::ops::Filter;

/// Which pixels output rows and columns take, and their weights.
#[derive(Debug)]
pub(crate) struct Tables {
    /// Entries of every output row, then of every output column.
    numbers: Vec<u32>,
    /// Numbers of an entry of a row, and of a column.
    entries: [usize; 2],
}

impl Tables {
    /// Takes the tables out of what a device would be given.
    fn new(launch: &Launch) -> Self {
        Tables {
            numbers: bytemuck::pod_collect_to_vec(&launch.table),
            entries: entry_lengths(launch),
        }
    }

    pub(super) fn bytes(&self) -> usize {
        size_of_val(&*self.numbers)
    }
}

/// Makes the tables of taps.
pub(super) fn prepare(constants: &mut Constants<'_>, geometry: &Geometry) -> Result<Kept> {
    let launch = resize2d::launch(constants.node, geometry, u32::MAX)?;
    Ok(Kept::Tables(Tables::new(&launch)))
}

/// Computes every output line from the lines of the input that its row takes.
pub(super) fn execute(step: &Step<'_>, geometry: &Geometry, result: &mut [f32]) -> Result<()> {
    let [_, height, width, channels] = geometry.input;
    let output = geometry.output();
    step.check_length("the output", &output, result.len())?;
    let [input] = step.operands([("input", &geometry.input)])?;
    if result.is_empty() {
        return Ok(());
    }
    if input.is_empty() {
        let shapes = format!("input {:?}, output {output:?}", geometry.input);
        return step.refuse("resamples nothing", "an image has pixels", shapes);
    }
    let Kept::Tables(Tables { numbers, entries }) = step.kept else {
        return step.refuse("has no tables", "preparing makes them", format!("{geometry:?}"));
    };
    let entries = *entries;
    let (rows, columns) = numbers.split_at(output[1] * entries[0]);
    let line = output[2] * channels;
    let is_nearest = matches!(geometry.sampling.filter, Filter::Nearest(_));
    let cost = if is_nearest { line } else { line * (entries[0] + entries[1]) };
    let lines = Lines {
        source: width * channels,
        channels,
        rows,
        columns,
        entries,
        outside: geometry.sampling.extrapolation_value,
    };
    let compute = |first: usize, run: &mut [f32]| {
        let image = |number: usize| {
            let length = height * lines.source;
            (&input[number / output[1] * length..][..length], number % output[1])
        };
        for number in 0..run.len() / line {
            let (above, here) = run.split_at_mut(number * line);
            let here = &mut here[..line];
            let (image, y) = image(first + number);
            if !is_nearest {
                lines.taps(here, image, y);
            } else if number > 0 && y > 0 && rows[y] == rows[y - 1] {
                // The same pixels as the line above.
                here.copy_from_slice(&above[above.len() - line..]);
            } else {
                lines.nearest(here, image, y);
            }
        }
    };
    for_each_run(result, line, cost, |first, run| {
        in_chunks(step.stages, line, (first, run), compute);
    });
    Ok(())
}

/// How output lines are made.
struct Lines<'t> {
    /// Elements of an input line.
    source: usize,
    channels: usize,
    rows: &'t [u32],
    columns: &'t [u32],
    /// Numbers in the table for a row, and for a column.
    entries: [usize; 2],
    /// What places outside of the input give.
    outside: f32,
}

thread_local! {
    /// A line between the two passes.
    static LINE: RefCell<Vec<f32>> = const { RefCell::new(Vec::new()) };
}

impl Lines<'_> {
    /// Copies pixels.
    fn nearest(&self, line: &mut [f32], image: &[f32], y: usize) {
        let row = self.rows[y];
        if row == OUTSIDE {
            return line.fill(self.outside);
        }
        let from = &image[row as usize * self.source..][..self.source];
        for (pixel, &x) in line.chunks_exact_mut(self.channels).zip(self.columns) {
            match (x, self.channels) {
                (OUTSIDE, _) => pixel.fill(self.outside),
                (x, 1) => pixel[0] = from[x as usize],
                (x, channels) => pixel.copy_from_slice(&from[x as usize * channels..][..channels]),
            }
        }
    }

    /// Sums the lines that a row takes, each first resampled along its width.
    fn taps(&self, output: &mut [f32], image: &[f32], y: usize) {
        let (start, weights) = weights(&self.rows[y * self.entries[0]..][..self.entries[0]]);
        if weights.len() == 0 {
            return output.fill(self.outside);
        }
        LINE.with_borrow_mut(|line| {
            line.resize(output.len(), 0.0);
            output.fill(0.0);
            for (number, weight) in weights.enumerate() {
                self.along(line, &image[(start + number) * self.source..][..self.source]);
                vectorized(
                    #[inline(always)]
                    || {
                        for (sum, value) in output.iter_mut().zip(line.iter()) {
                            *sum += weight * value;
                        }
                    },
                );
            }
        });
        let pixels = output.chunks_exact_mut(self.channels);
        for (pixel, column) in pixels.zip(self.columns.chunks_exact(self.entries[1])) {
            if column[1] == 0 {
                pixel.fill(self.outside);
            }
        }
    }

    /// Resamples a line along its width.
    fn along(&self, line: &mut [f32], from: &[f32]) {
        let channels = self.channels;
        vectorized(
            #[inline(always)]
            || {
                let columns = self.columns.chunks_exact(self.entries[1]);
                for (pixel, column) in line.chunks_exact_mut(channels).zip(columns) {
                    let (start, weights) = weights(column);
                    pixel.fill(0.0);
                    for (number, weight) in weights.enumerate() {
                        let from = &from[(start + number) * channels..][..channels];
                        pixel.iter_mut().zip(from).for_each(|(sum, value)| *sum += weight * value);
                    }
                }
            },
        );
    }
}

/// Reads an entry: the first pixel, and the weights from there on.
#[inline(always)]
fn weights(entry: &[u32]) -> (usize, impl ExactSizeIterator<Item = f32> + '_) {
    let (start, count) = (entry[0] as usize, entry[1] as usize);
    (start, entry[2..2 + count].iter().map(|&bits| f32::from_bits(bits)))
}
