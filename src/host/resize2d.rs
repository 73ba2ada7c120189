//! Resampling of height and width through the tables of taps that the kernel reads.

use std::cell::RefCell;

use super::Step;
use super::simd::vectorized;
use super::threads::for_each_run;
use crate::error::Result;
use crate::graph::Interpolation;
use crate::kernels::resize2d::{Geometry, entry_length};

/// Computes every output line from the lines of the input that its row takes.
///
/// `table` is that of the launch: entries of every output row, then of every output column.
pub(super) fn execute(
    step: &Step<'_>,
    geometry: &Geometry,
    table: &[u8],
    result: &mut [f32],
) -> Result<()> {
    let Geometry { input: [batch, height, width, channels], size, interpolation, .. } = *geometry;
    step.check_length("the output", &[batch, size[0], size[1], channels], result.len())?;
    let [input] = step.operands([("input", &geometry.input)])?;
    if result.is_empty() {
        return Ok(());
    }
    let table: Vec<u32> = bytemuck::pod_collect_to_vec(table);
    let entry = entry_length(interpolation);
    let (rows, columns) = table.split_at(size[0] * entry);
    let (line, source) = (size[1] * channels, width * channels);
    if line == 0 {
        return Ok(());
    }
    let cost = match interpolation {
        Interpolation::Nearest => line,
        _ => line * (2 * entry),
    };
    for_each_run(result, line, cost, |first, run| {
        let image = |number: usize| {
            let start = number / size[0] * height * source;
            (&input[start..start + height * source], number % size[0])
        };
        if interpolation == Interpolation::Nearest {
            nearest(run, first, line, channels, rows, columns, |number, row| {
                let (image, _) = image(number);
                &image[row as usize * source..][..source]
            });
        } else {
            for (number, output) in run.chunks_exact_mut(line).enumerate() {
                let (image, y) = image(first + number);
                taps(output, image, source, channels, &rows[y * entry..][..entry], columns, entry);
            }
        }
    });
    Ok(())
}

/// Copies pixels; a line that repeats the one above is copied whole.
fn nearest<'i>(
    run: &mut [f32],
    first: usize,
    length: usize,
    channels: usize,
    rows: &[u32],
    columns: &[u32],
    source: impl Fn(usize, u32) -> &'i [f32],
) {
    for number in 0..run.len() / length {
        let y = (first + number) % rows.len();
        let (above, here) = run.split_at_mut(number * length);
        let here = &mut here[..length];
        if number > 0 && y > 0 && rows[y] == rows[y - 1] {
            here.copy_from_slice(&above[above.len() - length..]);
            continue;
        }
        let line = source(first + number, rows[y]);
        if channels == 1 {
            here.iter_mut().zip(columns).for_each(|(value, &x)| *value = line[x as usize]);
        } else {
            for (pixel, &x) in here.chunks_exact_mut(channels).zip(columns) {
                pixel.copy_from_slice(&line[x as usize * channels..][..channels]);
            }
        }
    }
}

thread_local! {
    /// A line between the two passes.
    static LINE: RefCell<Vec<f32>> = const { RefCell::new(Vec::new()) };
}

/// Sums the lines that a row takes, each first resampled along its width.
fn taps(
    output: &mut [f32],
    image: &[f32],
    source: usize,
    channels: usize,
    row: &[u32],
    columns: &[u32],
    entry: usize,
) {
    let (start, weights) = weights(row);
    LINE.with_borrow_mut(|line| {
        line.resize(output.len(), 0.0);
        output.fill(0.0);
        for (number, weight) in weights.enumerate() {
            let from = &image[(start + number) * source..][..source];
            along(line, from, channels, columns, entry);
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
}

/// Resamples a line along its width.
fn along(line: &mut [f32], from: &[f32], channels: usize, columns: &[u32], entry: usize) {
    vectorized(
        #[inline(always)]
        || {
            for (pixel, column) in line.chunks_exact_mut(channels).zip(columns.chunks_exact(entry))
            {
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

/// Reads an entry: the first pixel, and the weights from there on.
#[inline(always)]
fn weights(entry: &[u32]) -> (usize, impl Iterator<Item = f32> + '_) {
    let (start, count) = (entry[0] as usize, entry[1] as usize);
    (start, entry[2..2 + count].iter().map(|&bits| f32::from_bits(bits)))
}
