// Element-wise functions of two operands. The numbers are those of `code` in
// src/kernels/binary.rs.

const ADD: u32 = 0u;
const MULTIPLY: u32 = 1u;

fn combine(kind: u32, a: f32, b: f32) -> f32 {
    switch kind {
        case MULTIPLY: { return a * b; }
        default: { return a + b; }
    }
}
