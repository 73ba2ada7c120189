// What happens to each result before it is stored: element-wise stages, in order.
//
// A family with an epilogue has it as the last member of its parameters, `params.epilogue`, binds
// the extra operand as `extra`, and calls `finish` or `finish4`, which src/kernels/epilogue.rs writes
// for the stages at hand.

struct Epilogue {
    // elements of the extra operand; result i meets element i % period
    period: u32,
    // the constants of the stages' functions
    alphas: vec4<f32>,
    betas: vec4<f32>,
}
