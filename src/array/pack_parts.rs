//! The work of packing, split into parts that threads share.

use std::sync::atomic::{AtomicBool, Ordering};

use ndarray::{ArrayView1, ArrayViewD, Axis};

use super::convert::{Tally, settle_non_finite};
use super::dtype::DType;
use super::element::Element;
use super::gather::{self, walk};
use super::pack::PackTarget;
use super::policy::StagePolicy;
use super::storage::{Storage, Visitor};

/// Elements that one thread packs alone (4 MiB packed). Below it, waking the threads of the rayon
/// pool costs more than they save, and they compete with a software adapter's own.
const ALONE_ELEMENTS: usize = 1 << 20;
/// Elements of one part of a larger array, at most (512 KiB packed).
const PART_ELEMENTS: usize = 1 << 17;
/// Elements converted at a time: 8 KiB of f32.
const BLOCK: usize = 2048;
/// Bytes of a packed element.
pub(super) const BYTES: usize = size_of::<f32>();

/// Tells how many threads share the work for an array.
pub(super) fn threads_for(elements: usize) -> usize {
    if elements <= ALONE_ELEMENTS {
        1
    } else {
        rayon::current_num_threads().min(elements.div_ceil(PART_ELEMENTS))
    }
}

/// Packs the whole of an array into a target of its length and tells what was found.
pub(super) fn pack_storage<P: PackTarget>(
    storage: &Storage<'_>,
    policy: &StagePolicy,
    target: P,
) -> Tally {
    let elements = target.len() / BYTES;
    let part_elements = if elements <= ALONE_ELEMENTS { elements } else { PART_ELEMENTS };
    let context = Context { policy, part_elements, is_rejected: AtomicBool::new(false) };
    let raw = if storage.dtype() == DType::F32 { storage.c_order_le_bytes() } else { None };
    match raw {
        Some(bytes) => pack_raw(bytes, 0, target, &context),
        None => storage.visit(Pack { target, context: &context }),
    }
}

/// What all parts share.
struct Context<'c> {
    policy: &'c StagePolicy,
    /// Elements that are packed without splitting them further.
    part_elements: usize,
    /// Set by the first part that meets a rejected value: from then on parts only count.
    is_rejected: AtomicBool,
}

struct Pack<'c, P> {
    target: P,
    context: &'c Context<'c>,
}

impl<P: PackTarget> Visitor for Pack<'_, P> {
    type Out = Tally;

    fn visit<V, T, D>(self, view: ArrayViewD<'_, V>, decode: D) -> Tally
    where
        V: Copy + Send + Sync,
        T: Element,
        D: Fn(V) -> T + Copy + Send + Sync,
    {
        // One axis splits more evenly than several.
        let view = match view.to_slice() {
            Some(values) => ArrayView1::from(values).into_dyn(),
            None => view,
        };
        pack_view(view, 0, self.target, self.context, decode)
    }
}

/// Packs a view whose first element is number `first` of the array, in parallel halves.
fn pack_view<V, T, D, P>(
    view: ArrayViewD<'_, V>,
    first: u64,
    target: P,
    context: &Context<'_>,
    decode: D,
) -> Tally
where
    V: Copy + Send + Sync,
    T: Element,
    D: Fn(V) -> T + Copy + Send + Sync,
    P: PackTarget,
{
    // Splitting the outermost axis that can be split leaves both halves C-order ranges.
    let axis = view.shape().iter().position(|&length| length > 1);
    match axis {
        Some(axis) if view.len() > context.part_elements => {
            let middle = view.shape()[axis] / 2;
            let (left, right) = view.split_at(Axis(axis), middle);
            let (near, far) = target.split_at(left.len() * BYTES);
            let next = first + left.len() as u64;
            let (left, right) = rayon::join(
                || pack_view(left, first, near, context, decode),
                || pack_view(right, next, far, context, decode),
            );
            left.merge(right)
        }
        _ => {
            let mut part = Part::new(target, first, context);
            walk(view, decode, &mut part);
            part.tally
        }
    }
}

/// Packs bytes that are f32 already: a copy and a check of each cache-sized block.
fn pack_raw<P: PackTarget>(bytes: &[u8], first: u64, target: P, context: &Context<'_>) -> Tally {
    let elements = bytes.len() / BYTES;
    if elements > context.part_elements {
        let middle = elements / 2;
        let (left, right) = bytes.split_at(middle * BYTES);
        let (near, far) = target.split_at(middle * BYTES);
        let next = first + middle as u64;
        let (left, right) = rayon::join(
            || pack_raw(left, first, near, context),
            || pack_raw(right, next, far, context),
        );
        return left.merge(right);
    }
    let mut part = Part::new(target, first, context);
    for (number, block) in bytes.chunks(BLOCK * BYTES).enumerate() {
        part.take_raw(number * BLOCK, block);
    }
    part.tally
}

/// One thread's share of the array.
struct Part<'c, P> {
    target: P,
    first: u64,
    context: &'c Context<'c>,
    tally: Tally,
    block: [f32; BLOCK],
}

impl<'c, P: PackTarget> Part<'c, P> {
    fn new(target: P, first: u64, context: &'c Context<'c>) -> Self {
        Part { target, first, context, tally: Tally::default(), block: [0.0; BLOCK] }
    }

    /// Tells whether the array can still be accepted, so that writing makes sense.
    fn is_wanted(&self) -> bool {
        if self.tally.is_rejected(self.context.policy) {
            self.context.is_rejected.store(true, Ordering::Relaxed);
        }
        !self.context.is_rejected.load(Ordering::Relaxed)
    }

    /// Writes the first `count` converted values at an element offset.
    fn deliver(&mut self, at: usize, count: usize) {
        if !self.is_wanted() {
            return;
        }
        let values = &mut self.block[..count];
        if cfg!(target_endian = "big") {
            for value in &mut *values {
                *value = f32::from_bits(value.to_bits().swap_bytes());
            }
        }
        self.target.write(at * BYTES, bytemuck::cast_slice(values));
    }

    fn take_raw(&mut self, at: usize, block: &[u8]) {
        const EXPONENT: u32 = 0x7f80_0000;
        let (values, _) = block.as_chunks::<BYTES>();
        let is_suspect = values.iter().fold(false, |found, &bytes| {
            found | (u32::from_le_bytes(bytes) & EXPONENT == EXPONENT)
        });
        if !is_suspect {
            if self.is_wanted() {
                self.target.write(at * BYTES, block);
            }
            return;
        }
        for (out, &bytes) in self.block.iter_mut().zip(values) {
            *out = f32::from_le_bytes(bytes);
        }
        let out = &mut self.block[..values.len()];
        let first = self.first + at as u64;
        settle_non_finite(out, first, self.context.policy, &mut self.tally);
        self.deliver(at, values.len());
    }
}

impl<T: Element, P: PackTarget> gather::Sink<T> for Part<'_, P> {
    fn take(&mut self, at: usize, run: &[T]) {
        for (number, source) in run.chunks(BLOCK).enumerate() {
            let at = at + number * BLOCK;
            let out = &mut self.block[..source.len()];
            let first = self.first + at as u64;
            T::convert(source, out, first, self.context.policy, &mut self.tally);
            self.deliver(at, source.len());
        }
    }
}
