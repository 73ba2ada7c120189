// Stands in for epilogue.wgsl where no stages are applied: the parameters have their place all the same.

struct Epilogue {
    unused: array<vec4<u32>, 4>,
}
