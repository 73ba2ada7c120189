//! Entries along one axis, picked by indices of any shape.

use ndarray::ArrayD;

use super::copy::make;

/// The indices' shape takes the axis's place; negative ones count from the end.
pub fn gather<T: Copy>(input: &ArrayD<T>, indices: &ArrayD<i64>, axis: usize) -> ArrayD<T> {
    let length = input.shape()[axis] as i64;
    let mut shape = input.shape()[..axis].to_vec();
    shape.extend(indices.shape());
    shape.extend(&input.shape()[axis + 1..]);
    make(&shape, |index| {
        let picked = indices[&index[axis..axis + indices.ndim()]];
        let mut from = index[..axis].to_vec();
        from.push(if picked < 0 { picked + length } else { picked } as usize);
        from.extend(&index[axis + indices.ndim()..]);
        input[from.as_slice()]
    })
}
