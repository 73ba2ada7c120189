//! Padding, one axis after another and one element after another.

use ndarray::ArrayD;

use super::copy::{make, slice};

/// What is put around an array.
#[derive(Clone, Copy, Debug)]
pub enum Mode<T> {
    Constant(T),
    Edge,
    Reflect,
    Wrap,
}

/// Crops by the negative pads, then adds the positive ones.
pub fn pad<T: Copy>(input: &ArrayD<T>, pads: &[(i64, i64)], mode: Mode<T>) -> ArrayD<T> {
    let mut result = input.clone();
    for (axis, &(front, back)) in pads.iter().enumerate() {
        let length = result.shape()[axis] as i64;
        result = slice(&result, axis, (-front).max(0), length - (-back).max(0), 1);
        result = along(&result, axis, front.max(0) as usize, back.max(0) as usize, mode);
    }
    result
}

fn along<T: Copy>(
    input: &ArrayD<T>,
    axis: usize,
    front: usize,
    back: usize,
    mode: Mode<T>,
) -> ArrayD<T> {
    let length = input.shape()[axis];
    let places: Vec<Option<usize>> = (0..front + length + back)
        .map(|i| place(i as i64 - front as i64, length as i64, mode).map(|p| p as usize))
        .collect();
    let mut shape = input.shape().to_vec();
    shape[axis] = places.len();
    make(&shape, |index| {
        let mut from = index.to_vec();
        match (places[index[axis]], mode) {
            (Some(place), _) => {
                from[axis] = place;
                input[from.as_slice()]
            }
            (None, Mode::Constant(value)) => value,
            (None, _) => panic!("only constants stand outside"),
        }
    })
}

/// Walks from a place outside towards the axis, mirroring or shifting once for each pass.
fn place<T>(mut at: i64, length: i64, mode: Mode<T>) -> Option<i64> {
    while at < 0 || at >= length {
        match mode {
            Mode::Constant(_) => return None,
            Mode::Edge => at += if at < 0 { 1 } else { -1 },
            Mode::Wrap => at += if at < 0 { length } else { -length },
            Mode::Reflect if length == 1 => at = 0,
            Mode::Reflect => at = if at < 0 { -at } else { 2 * (length - 1) - at },
        }
    }
    Some(at)
}
