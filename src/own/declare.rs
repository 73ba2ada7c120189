//! From a source's variables to a kernel's buffers and parameters.

use naga::valid::ModuleInfo;
use naga::{AddressSpace, ArraySize, GlobalVariable, Handle, Module, StorageAccess, TypeInner};
use naga::{Scalar as NagaScalar, VectorSize};

use super::interface::{Block, Buffer, Field, Kind, Scalar, ShapeOf};
use crate::error::{Error, Result};

/// Storage buffers that every WebGPU device binds at once.
const MAX_STORAGE_BUFFERS: usize = 8;

/// One above the largest binding number that every WebGPU device takes.
const MAX_BINDINGS: u32 = 1000;

/// Bytes of uniforms that every WebGPU device binds.
const MAX_UNIFORM_BYTES: u32 = 64 << 10;

/// Sorts the variables that an entry point binds; those that other entry points alone use are
/// not its own.
pub(super) fn bindings(
    title: &str,
    module: &Module,
    info: &ModuleInfo,
    entry: usize,
) -> Result<(Vec<Buffer>, Buffer, Option<Block>)> {
    if let Some((_, value)) = module.overrides.iter().next() {
        let what = format!("the override \"{}\"", value.name.as_deref().unwrap_or_default());
        return Err(unsupported(title, what, "make it a const, or a parameter"));
    }
    let uses = |number: usize, handle: Handle<GlobalVariable>| {
        !info.get_entry_point(number)[handle].is_empty()
    };
    let mut found = Found::default();
    for (handle, variable) in module.global_variables.iter() {
        if matches!(variable.space, AddressSpace::Private | AddressSpace::WorkGroup) {
            continue;
        }
        let used_elsewhere = (0..module.entry_points.len()).any(|number| uses(number, handle));
        if uses(entry, handle) || !used_elsewhere {
            found.add(title, module, variable)?;
        }
    }
    found.finish(title)
}

#[derive(Default)]
struct Found {
    inputs: Vec<Buffer>,
    outputs: Vec<Buffer>,
    params: Vec<Block>,
}

impl Found {
    fn add(&mut self, title: &str, module: &Module, variable: &GlobalVariable) -> Result<()> {
        let name = variable.name.clone().unwrap_or_default();
        let (binding, what) = match (&variable.binding, variable.space) {
            (_, AddressSpace::Handle) => {
                let what = format!("the texture or sampler \"{name}\"");
                return Err(unsupported(title, what, "bind a buffer: array<f32>"));
            }
            (Some(place), space @ (AddressSpace::Storage { .. } | AddressSpace::Uniform)) => {
                (place, space)
            }
            (_, space) => {
                let what = format!("\"{name}\" in address space {space:?}");
                return Err(unsupported(title, what, "use storage, uniform, workgroup or private"));
            }
        };
        if binding.group != 0 || binding.binding >= MAX_BINDINGS {
            let what =
                format!("\"{name}\" at @group({}) @binding({})", binding.group, binding.binding);
            let remedy = format!("use @group(0) and binding numbers below {MAX_BINDINGS}");
            return Err(unsupported(title, what, &remedy));
        }
        let number = binding.binding;
        match what {
            AddressSpace::Storage { access } => {
                let buffer = buffer(title, module, variable, name, number)?;
                if access == StorageAccess::LOAD {
                    self.inputs.push(buffer);
                } else if access == StorageAccess::LOAD | StorageAccess::STORE {
                    self.outputs.push(buffer);
                } else {
                    let what = format!("the access of \"{}\"", buffer.name);
                    return Err(unsupported(title, what, "declare it read or read_write"));
                }
            }
            _ => self.params.push(block(title, module, variable, name, number)?),
        }
        Ok(())
    }

    fn finish(mut self, title: &str) -> Result<(Vec<Buffer>, Buffer, Option<Block>)> {
        self.inputs.sort_by_key(|input| input.binding);
        self.outputs.sort_by_key(|output| output.binding);
        self.check_numbers(title)?;
        let list = |names: Vec<&str>| names.join("\", \"");
        let count = self.inputs.len() + self.outputs.len();
        if self.params.len() > 1 {
            let all = list(self.params.iter().map(|params| params.name.as_str()).collect());
            let what = format!("more than one uniform (\"{all}\")");
            return Err(unsupported(title, what, "put all parameters into one struct"));
        }
        if self.outputs.len() > 1 {
            let all = list(self.outputs.iter().map(|output| output.name.as_str()).collect());
            let what = format!("more than one output (\"{all}\")");
            let remedy = "a node has one value: write one output, or make a kernel for each";
            return Err(unsupported(title, what, remedy));
        }
        let Some(output) = self.outputs.pop() else {
            return Err(Error::Operand {
                node: title.to_owned(),
                operand: "the source".to_owned(),
                got: "declares no output".to_owned(),
                expected: "a kernel writes one var<storage, read_write>".to_owned(),
                shapes: format!("{} inputs", self.inputs.len()),
                remedy: "declare the array that it writes".to_owned(),
            });
        };
        if count > MAX_STORAGE_BUFFERS {
            return Err(Error::Limit {
                node: title.to_owned(),
                tensor: "the source".to_owned(),
                needed: count as u64,
                unit: "storage buffers",
                limit_name: "what every WebGPU device binds".to_owned(),
                limit: Some(MAX_STORAGE_BUFFERS as u64),
                remedy: "concatenate inputs".to_owned(),
            });
        }
        let mut params = self.params.pop();
        for field in params.iter_mut().flat_map(|params| &mut params.fields) {
            mark_shape(title, field, &self.inputs, &output)?;
        }
        Ok((self.inputs, output, params))
    }
}

impl Found {
    /// Checks that no two variables share a number: no entry point could use both.
    fn check_numbers(&self, title: &str) -> Result<()> {
        let buffers = self.inputs.iter().chain(&self.outputs);
        let buffers = buffers.map(|buffer| (buffer.binding, buffer.name.as_str()));
        let params = self.params.iter().map(|params| (params.binding, params.name.as_str()));
        let mut all: Vec<(u32, &str)> = buffers.chain(params).collect();
        all.sort_unstable();
        for pair in all.windows(2) {
            if let [(one, first), (other, second)] = pair
                && one == other
            {
                let what = format!("binding both \"{first}\" and \"{second}\" at {one}");
                return Err(unsupported(title, what, "give each a number of its own"));
            }
        }
        Ok(())
    }
}

/// Reads a storage variable, whose type must be an array of f32, alone or in twos or fours.
fn buffer(
    title: &str,
    module: &Module,
    variable: &GlobalVariable,
    name: String,
    binding: u32,
) -> Result<Buffer> {
    let refuse = || {
        let what = format!("the type of \"{name}\"");
        let remedy = "declare it array<f32>, array<vec2<f32>> or array<vec4<f32>>: \
                      everything on the device is f32, without gaps";
        unsupported(title, what, remedy)
    };
    let TypeInner::Array { base, size, .. } = module.types[variable.ty].inner else {
        return Err(refuse());
    };
    let lanes = match module.types[base].inner {
        TypeInner::Scalar(NagaScalar::F32) => 1,
        TypeInner::Vector { size: VectorSize::Bi, scalar: NagaScalar::F32 } => 2,
        TypeInner::Vector { size: VectorSize::Quad, scalar: NagaScalar::F32 } => 4,
        _ => return Err(refuse()),
    };
    let length = match size {
        ArraySize::Constant(length) => Some(length.get()),
        ArraySize::Dynamic => None,
        ArraySize::Pending(_) => return Err(refuse()),
    };
    Ok(Buffer { name, binding, lanes, length })
}

/// Reads the uniform variable, whose type must be a struct of scalars and vectors.
fn block(
    title: &str,
    module: &Module,
    variable: &GlobalVariable,
    name: String,
    binding: u32,
) -> Result<Block> {
    let TypeInner::Struct { members, span } = &module.types[variable.ty].inner else {
        let what = format!("the uniform \"{name}\", which is no struct,");
        return Err(unsupported(title, what, "put the parameters into a struct"));
    };
    if *span > MAX_UNIFORM_BYTES {
        return Err(Error::Limit {
            node: title.to_owned(),
            tensor: format!("the uniform \"{name}\""),
            needed: u64::from(*span),
            unit: "bytes",
            limit_name: "what every WebGPU device binds".to_owned(),
            limit: Some(u64::from(MAX_UNIFORM_BYTES)),
            remedy: "make it smaller".to_owned(),
        });
    }
    let mut fields = Vec::with_capacity(members.len());
    for member in members {
        let field = member.name.clone().unwrap_or_default();
        let kind = kind_of(&module.types[member.ty].inner).ok_or_else(|| {
            let what = format!("the type of parameter \"{field}\"");
            unsupported(title, what, "use f32, i32, u32 or a vector of them")
        })?;
        fields.push(Field { name: field, offset: member.offset, kind, shape_of: None });
    }
    Ok(Block { name, binding, bytes: *span, fields })
}

/// Returns the type of a parameter: a scalar or a vector of 32 bits, or none.
pub(crate) fn kind_of(inner: &TypeInner) -> Option<Kind> {
    let (scalar, lanes) = match inner {
        TypeInner::Scalar(scalar) => (scalar, 1),
        TypeInner::Vector { size, scalar } => (scalar, *size as u32),
        _ => return None,
    };
    let scalar = match *scalar {
        NagaScalar::F32 => Scalar::F32,
        NagaScalar::I32 => Scalar::I32,
        NagaScalar::U32 => Scalar::U32,
        _ => return None,
    };
    Some(Kind { scalar, lanes })
}

/// Marks a field named `NAME_shape` after a buffer: it is filled with that buffer's shape.
fn mark_shape(title: &str, field: &mut Field, inputs: &[Buffer], output: &Buffer) -> Result<()> {
    let Some(buffer) = field.name.strip_suffix("_shape") else {
        return Ok(());
    };
    field.shape_of = match inputs.iter().position(|input| input.name == buffer) {
        Some(number) => Some(ShapeOf::Input(number)),
        None if output.name == buffer => Some(ShapeOf::Output),
        None => return Ok(()),
    };
    if field.kind.scalar == Scalar::U32 {
        return Ok(());
    }
    Err(Error::Operand {
        node: title.to_owned(),
        operand: format!("parameter \"{}\"", field.name),
        got: format!("is {}", field.kind),
        expected: format!("it takes the shape of \"{buffer}\": u32 or a vector of u32"),
        shapes: format!("byte {} of the parameters", field.offset),
        remedy: "change its type, or its name".to_owned(),
    })
}

fn unsupported(title: &str, what: String, remedy: &str) -> Error {
    Error::Unsupported { node: title.to_owned(), what, remedy: remedy.to_owned() }
}
