//! Splitting a dense layer along its inputs when its kernel is too large to bind whole, or its sum
//! too long for one thread.

use std::ops::Range;

use super::split::{Extent, gcd, lcm};
use super::{Limits, Region, work};
use crate::error::Result;
use crate::graph::{Graph, Node};
use crate::kernels::{Work, dense};
use crate::ops::{Epilogue, Op};

/// Where the kernel stands among what a dense layer reads: behind the input.
const KERNEL: usize = 1;

/// One of the steps that together write a node's value.
pub(super) struct Task {
    pub work: Work,
    /// The numbers of the operands and weights that it reads.
    pub reads: Vec<usize>,
    /// The inputs that it sums over, if not all, of how many.
    inputs: Option<(Range<usize>, usize)>,
}

impl Task {
    /// A step over all of what it reads.
    pub(super) fn whole(work: Work, reads: Vec<usize>) -> Self {
        Task { work, reads, inputs: None }
    }

    /// Returns what it reads of an operand.
    pub(super) fn region(&self, number: usize, region: Region) -> Region {
        match &self.inputs {
            Some((range, of)) if number == KERNEL => {
                let row = region.bytes / (*of).max(1) as u64;
                Region {
                    place: region.place,
                    offset_bytes: region.offset_bytes + row * range.start as u64,
                    bytes: row * range.len() as u64,
                }
            }
            _ => region,
        }
    }

    /// Names it: the node's title, with its part of the inputs.
    pub(super) fn title(&self, title: &str) -> String {
        match &self.inputs {
            None => title.to_owned(),
            Some((range, _)) => format!("{title} inputs {}..{}", range.start, range.end),
        }
    }

    /// Splits a dense layer's step into one for each range of its inputs.
    ///
    /// Each but the last leaves plain sums, from which the next one goes on.
    pub(super) fn split(self, ranges: &[Range<usize>]) -> Vec<Task> {
        let Work::Dense(whole) = &self.work else { return vec![self] };
        if ranges.len() < 2 {
            return vec![self];
        }
        let (last, of) = (ranges.len() - 1, whole.inputs);
        let part = |(number, range): (usize, &Range<usize>)| {
            let part = Some(dense::Part { first: range.start, of });
            let geometry = dense::Geometry { inputs: range.len(), part, ..whole.clone() };
            let (geometry, reads) = if number == last {
                (geometry, self.reads.clone())
            } else {
                let plain = Epilogue::default();
                let own = self.reads.iter().copied().take(KERNEL + 1).collect();
                (dense::Geometry { has_bias: false, epilogue: plain, ..geometry }, own)
            };
            Task { work: Work::Dense(geometry), reads, inputs: Some((range.clone(), of)) }
        };
        ranges.iter().enumerate().map(part).collect()
    }
}

/// Returns the ranges of inputs over which a dense layer sums step by step: their rows of its
/// kernel fit a binding, begin at an offset that a binding may have, and are no more than the
/// loops of one thread may go over. They are multiples of 4 where all inputs are. Narrows the
/// kernel's extent to the largest.
///
/// None for what needs no splitting, for other nodes, and where not even the fewest rows fit.
///
/// # Errors
///
/// What describing the node's work reports.
pub(super) fn ranges(
    graph: &Graph,
    node: &Node,
    extents: &mut [Extent],
    limits: &Limits,
) -> Result<Vec<Range<usize>>> {
    let (Op::Dense, Some(kernel)) = (&node.op, extents.get_mut(KERNEL)) else {
        return Ok(Vec::new());
    };
    let Some(Task { work: Work::Dense(whole), .. }) = work::tasks(graph, node, 1)?.pop() else {
        return Ok(Vec::new());
    };
    let inputs = whole.inputs;
    let row = (kernel.bytes / inputs.max(1) as u64).max(1);
    let bound = limits.max_storage_buffer_binding_size / row;
    let looped = limits.max_loop_iterations.map(|trips| dense::inputs_within(&whole, trips));
    let most = looped.map_or(bound, |looped| bound.min(looped));
    if inputs as u64 <= most {
        return Ok(Vec::new());
    }
    let alignment = u64::from(limits.min_storage_buffer_offset_alignment.max(1));
    let aligned = alignment / gcd(alignment, row);
    // The kernels that take four inputs at a time are the fast ones.
    let unit = if inputs.is_multiple_of(4) { lcm(aligned, 4) } else { aligned };
    let taken = usize::try_from(most / unit * unit).unwrap_or(inputs);
    if taken == 0 {
        return Ok(Vec::new());
    }
    kernel.bytes = row * taken as u64;
    Ok((0..inputs).step_by(taken).map(|first| first..inputs.min(first + taken)).collect())
}
