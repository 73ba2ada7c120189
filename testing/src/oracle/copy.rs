//! Movements, element by element: where each element of the result comes from, for values of any type, so that
//! bits can be compared as well as numbers.

use ndarray::{ArrayD, IxDyn};

/// Makes an array from the index of each element.
pub fn make<T>(shape: &[usize], mut element: impl FnMut(&[usize]) -> T) -> ArrayD<T> {
    let mut values = Vec::new();
    let mut index = vec![0; shape.len()];
    let count: usize = shape.iter().product();
    for _ in 0..count {
        values.push(element(&index));
        // Count on as an odometer does, the last axis fastest.
        for axis in (0..shape.len()).rev() {
            index[axis] += 1;
            if index[axis] < shape[axis] {
                break;
            }
            index[axis] = 0;
        }
    }
    ArrayD::from_shape_vec(IxDyn(shape), values).expect("one value for each index")
}

/// Axis k of the result is axis perm[k] of the input.
pub fn transpose<T: Copy>(input: &ArrayD<T>, perm: &[usize]) -> ArrayD<T> {
    let shape: Vec<usize> = perm.iter().map(|&axis| input.shape()[axis]).collect();
    make(&shape, |index| {
        let mut from = vec![0; perm.len()];
        for (k, &axis) in perm.iter().enumerate() {
            from[axis] = index[k];
        }
        input[from.as_slice()]
    })
}

/// ONNX's Slice along one axis, entry by entry. Its text moves any start into the axis, also before a walk
/// backwards, where NumPy would take nothing.
pub fn slice<T: Copy>(
    input: &ArrayD<T>,
    axis: usize,
    start: i64,
    end: i64,
    step: i64,
) -> ArrayD<T> {
    let length = input.shape()[axis] as i64;
    let (mut at, mut stop) = (start, end);
    if at < 0 {
        at = at.saturating_add(length);
    }
    if stop < 0 {
        stop = stop.saturating_add(length);
    }
    let mut taken = Vec::new();
    if step > 0 {
        at = at.max(0);
        while at < stop && at < length {
            taken.push(at as usize);
            at = at.saturating_add(step);
        }
    } else {
        at = at.min(length - 1).max(0);
        while at > stop && at >= 0 && at < length {
            taken.push(at as usize);
            at = at.saturating_add(step);
        }
    }
    let mut shape = input.shape().to_vec();
    shape[axis] = taken.len();
    make(&shape, |index| {
        let mut from = index.to_vec();
        from[axis] = taken[index[axis]];
        input[from.as_slice()]
    })
}

/// ONNX's Expand: shapes aligned at the end, lengths of 1 repeated, in whichever of both they stand.
pub fn expand<T: Copy>(input: &ArrayD<T>, target: &[usize]) -> ArrayD<T> {
    let rank = input.ndim().max(target.len());
    let length = |shape: &[usize], axis: usize| {
        if axis + shape.len() < rank { 1 } else { shape[axis + shape.len() - rank] }
    };
    let shape: Vec<usize> = (0..rank)
        .map(|axis| match (length(input.shape(), axis), length(target, axis)) {
            (1, other) => other,
            (one, _) => one,
        })
        .collect();
    make(&shape, |index| {
        let missing = rank - input.ndim();
        let from: Vec<usize> = (0..input.ndim())
            .map(|axis| if input.shape()[axis] == 1 { 0 } else { index[missing + axis] })
            .collect();
        input[from.as_slice()]
    })
}

/// The input over and over along each axis.
pub fn tile<T: Copy>(input: &ArrayD<T>, repeats: &[usize]) -> ArrayD<T> {
    let shape: Vec<usize> = input.shape().iter().zip(repeats).map(|(a, b)| a * b).collect();
    make(&shape, |index| {
        let from: Vec<usize> = index.iter().zip(input.shape()).map(|(i, n)| i % n).collect();
        input[from.as_slice()]
    })
}

/// The inputs behind one another along an axis.
pub fn concat<T: Copy>(inputs: &[&ArrayD<T>], axis: usize) -> ArrayD<T> {
    let mut shape = inputs[0].shape().to_vec();
    shape[axis] = inputs.iter().map(|input| input.shape()[axis]).sum();
    make(&shape, |index| {
        let mut from = index.to_vec();
        for input in inputs {
            if from[axis] < input.shape()[axis] {
                return input[from.as_slice()];
            }
            from[axis] -= input.shape()[axis];
        }
        panic!("{index:?} lies behind the last input")
    })
}

/// The channel of (batch, h, w, channels) that holds a pixel's place in its block.
fn channel(crd: bool, block: usize, depth: usize, row: usize, column: usize, d: usize) -> usize {
    if crd { d * block * block + row * block + column } else { (row * block + column) * depth + d }
}

/// Channels last: (n, h, w, b*b*d) becomes (n, h*b, w*b, d).
pub fn depth_to_space<T: Copy>(input: &ArrayD<T>, block: usize, crd: bool) -> ArrayD<T> {
    let s = input.shape();
    let depth = s[3] / (block * block);
    make(&[s[0], s[1] * block, s[2] * block, depth], |i| {
        let c = channel(crd, block, depth, i[1] % block, i[2] % block, i[3]);
        input[[i[0], i[1] / block, i[2] / block, c].as_slice()]
    })
}

/// Channels last: (n, h, w, d) becomes (n, h/b, w/b, b*b*d).
pub fn space_to_depth<T: Copy>(input: &ArrayD<T>, block: usize, crd: bool) -> ArrayD<T> {
    let s = input.shape();
    let (area, depth) = (block * block, s[3]);
    make(&[s[0], s[1] / block, s[2] / block, area * depth], |i| {
        // Look for the pixel whose channel this is.
        for row in 0..block {
            for column in 0..block {
                for d in 0..depth {
                    if channel(crd, block, depth, row, column, d) == i[3] {
                        return input
                            [[i[0], i[1] * block + row, i[2] * block + column, d].as_slice()];
                    }
                }
            }
        }
        panic!("no pixel has channel {}", i[3])
    })
}
