//! What a kernel's twin on the host is given.

use super::params::Params;

/// One operand in host memory.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct HostView<'a> {
    /// The operand's shape.
    pub shape: &'a [usize],
    /// Its elements in C order.
    pub values: &'a [f32],
}

/// One call of a kernel on the host: what its source would find bound.
#[derive(Clone, Copy, Debug)]
pub struct HostCall<'a> {
    /// The operands, in the order of the source's binding numbers.
    pub operands: &'a [HostView<'a>],
    /// The output's shape.
    pub shape: &'a [usize],
    /// The parameters, shapes included.
    pub params: Params<'a>,
}
