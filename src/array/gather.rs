//! Walking a strided view in C order, block by block.

use ndarray::{ArrayViewD, Axis};

/// Takes runs of elements with the C-order offset of each run's first element. Every element
/// arrives exactly once; runs may arrive in any order.
pub(super) trait Sink<T> {
    fn take(&mut self, at: usize, run: &[T]);
}

/// Elements gathered before they go to the sink: small enough for the first-level cache.
const RUN: usize = 1024;
/// Elements of a transposition tile: small enough for the second-level cache.
const TILE: usize = 1 << 15;
/// The widest tile. Its rows then are 31 cache lines of f32, so that the same column of many rows
/// does not compete for the same place in the cache.
const TILE_WIDTH: usize = 496;
/// Rows shorter than this are not worth a loop each.
const SHORT: usize = 16;
/// Below this many elements a walk stays in the cache whatever its order.
const CACHED: usize = 4096;

/// Feeds `view` to the sink.
pub(super) fn walk<V, T, D, S>(view: ArrayViewD<'_, V>, decode: D, sink: &mut S)
where
    V: Copy,
    T: Copy,
    D: Fn(V) -> T + Copy,
    S: Sink<T>,
{
    let mut walker = Walker { decode, sink, buffer: Vec::new() };
    match view.to_slice() {
        Some(values) => walker.feed(values.iter(), 0),
        None => walker.strided(&simplify(view), 0),
    }
}

/// Merges axes that C order runs through without a jump, and drops those of length 1.
fn simplify<V>(mut view: ArrayViewD<'_, V>) -> ArrayViewD<'_, V> {
    for axis in 1..view.ndim() {
        view.merge_axes(Axis(axis - 1), Axis(axis));
    }
    for axis in (0..view.ndim()).rev() {
        if view.len_of(Axis(axis)) == 1 {
            view.index_axis_inplace(Axis(axis), 0);
        }
    }
    view
}

struct Walker<'s, T, D, S> {
    decode: D,
    sink: &'s mut S,
    buffer: Vec<T>,
}

impl<T, D, S> Walker<'_, T, D, S>
where
    T: Copy,
    S: Sink<T>,
{
    fn strided<V>(&mut self, view: &ArrayViewD<'_, V>, at: usize)
    where
        V: Copy,
        D: Fn(V) -> T + Copy,
    {
        // The axis along which neighbors in memory lie; strides of zero have no neighbors.
        let nearest = (0..view.ndim())
            .filter(|&axis| view.strides()[axis] != 0 && view.len_of(Axis(axis)) > 1)
            .min_by_key(|&axis| view.strides()[axis].unsigned_abs());
        let last = view.ndim().saturating_sub(1);
        let inner = view.len() / view.shape().first().map_or(1, |&rows| rows.max(1));
        let is_short = view.shape().last().is_some_and(|&length| length < SHORT);
        if last > 0 && (nearest == Some(0) || (is_short && last == 1)) {
            self.tiles(view, inner, at);
        } else if last > 1 && (is_short || (nearest != Some(last) && inner >= CACHED)) {
            for (row, part) in view.outer_iter().enumerate() {
                self.strided(&part, at + row * inner);
            }
        } else {
            self.feed(view.iter(), at);
        }
    }

    /// Feeds values that already come in C order.
    fn feed<'v, V>(&mut self, values: impl Iterator<Item = &'v V>, mut at: usize)
    where
        V: Copy + 'v,
        D: Fn(V) -> T + Copy,
    {
        let Walker { decode, sink, buffer } = self;
        buffer.clear();
        buffer.reserve(RUN);
        values.for_each(|&value| {
            buffer.push(decode(value));
            if buffer.len() == RUN {
                sink.take(at, buffer);
                at += RUN;
                buffer.clear();
            }
        });
        if !buffer.is_empty() {
            sink.take(at, buffer);
        }
    }

    /// Feeds a view whose first axis has neighbors in memory, as in Fortran order, or is the only
    /// long one: a few rows at a time are read in columns, so that every cache line is read once,
    /// and leave in rows. `inner` is the length of a row, all axes but the first.
    fn tiles<V>(&mut self, view: &ArrayViewD<'_, V>, inner: usize, at: usize)
    where
        V: Copy,
        D: Fn(V) -> T + Copy,
    {
        let Walker { decode, sink, buffer } = self;
        let most = inner.min(TILE_WIDTH);
        let most_rows = TILE / most;
        for (block, rows) in view.axis_chunks_iter(Axis(0), most_rows).enumerate() {
            let at = at + block * most_rows * inner;
            let height = rows.len_of(Axis(0));
            let mut lanes = rows.lanes(Axis(0)).into_iter();
            let mut start = 0;
            while start < inner {
                let width = (inner - start).min(most);
                for (column, lane) in lanes.by_ref().take(width).enumerate() {
                    if let Some(&first) = lane.first() {
                        // Whatever fills the tile is overwritten by its columns.
                        buffer.resize(height * width, decode(first));
                    }
                    let places = buffer[column..].iter_mut().step_by(width);
                    places.zip(lane).for_each(|(place, &value)| *place = decode(value));
                }
                if width == inner {
                    sink.take(at, buffer);
                } else {
                    for (row, run) in buffer.chunks(width).enumerate() {
                        sink.take(at + row * inner + start, run);
                    }
                }
                start += width;
            }
        }
    }
}
