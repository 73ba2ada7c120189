//! What a kernel of the user's declares: its buffers, parameters and workgroup.

use std::fmt;

/// What one entry point of a source declares.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub struct Interface {
    /// The entry point's name.
    pub entry: String,
    /// Threads of one workgroup in x, y, z.
    pub workgroup_size: [u32; 3],
    /// What it reads, by binding number.
    pub inputs: Vec<Buffer>,
    /// What it writes.
    pub output: Buffer,
    /// Its uniform parameters, if it has any.
    pub params: Option<Block>,
}

impl Interface {
    /// Returns the threads of one workgroup.
    #[must_use]
    pub fn invocations(&self) -> u32 {
        // At most 256, which reading the source has checked.
        self.workgroup_size.iter().product()
    }

    /// Returns the inputs' names as messages list them.
    pub(crate) fn input_names(&self) -> String {
        self.inputs.iter().map(|input| input.name.as_str()).collect::<Vec<_>>().join(", ")
    }
}

/// A storage buffer: `array<f32>`, `array<vec2<f32>>` or `array<vec4<f32>>`.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub struct Buffer {
    /// The variable's name.
    pub name: String,
    /// The binding's number in group 0.
    pub binding: u32,
    /// How many f32 each element has: 1, 2 or 4.
    pub lanes: u32,
    /// The number of elements, where the source fixes it.
    pub length: Option<u32>,
}

/// The uniform parameters: one struct.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub struct Block {
    /// The variable's name.
    pub name: String,
    /// The binding's number in group 0.
    pub binding: u32,
    /// The struct's size in bytes, padding included.
    pub bytes: u32,
    /// The struct's members.
    pub fields: Vec<Field>,
}

impl Block {
    /// Returns the names of the fields that a call gives, as messages list them.
    pub(crate) fn given_names(&self) -> String {
        let given = self.fields.iter().filter(|field| field.shape_of.is_none());
        given.map(|field| field.name.as_str()).collect::<Vec<_>>().join(", ")
    }
}

/// One member of the parameters.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub struct Field {
    /// The member's name.
    pub name: String,
    /// Where it lies, in bytes from the struct's start.
    pub offset: u32,
    /// What it holds.
    pub kind: Kind,
    /// Which buffer's shape it is filled with; other fields are given by the call.
    pub shape_of: Option<ShapeOf>,
}

/// A buffer whose shape a parameter takes.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum ShapeOf {
    /// An input, by its place among the inputs.
    Input(usize),
    /// The output.
    Output,
}

/// A scalar or a vector of up to four.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub struct Kind {
    /// The scalar.
    pub scalar: Scalar,
    /// How many of it: 1 to 4.
    pub lanes: u32,
}

/// A scalar type of WGSL that a parameter can have.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Scalar {
    /// `f32`
    F32,
    /// `i32`
    I32,
    /// `u32`
    U32,
}

impl fmt::Display for Kind {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let scalar = match self.scalar {
            Scalar::F32 => "f32",
            Scalar::I32 => "i32",
            Scalar::U32 => "u32",
        };
        match self.lanes {
            1 => f.write_str(scalar),
            lanes => write!(f, "vec{lanes}<{scalar}>"),
        }
    }
}
