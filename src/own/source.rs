//! From WGSL to what it declares: parsing, validation, the entry point and its limits.

use naga::valid::{Capabilities, ModuleInfo, ValidationFlags, Validator};
use naga::{AddressSpace, EntryPoint, Module, ShaderStage};

use super::interface::Interface;
use super::{bounds, declare, stack};
use crate::error::{Error, Result};

/// The largest workgroup that every WebGPU device runs: in x, y, z, and in all.
const MAX_WORKGROUP: ([u32; 3], u64) = ([256, 256, 64], 256);

/// Bytes of `var<workgroup>` that every WebGPU device has.
const MAX_WORKGROUP_BYTES: u64 = 16_384;

/// Bytes of `var<private>`, and of one function's variables, that WGSL demands of a compiler.
const MAX_LOCAL_BYTES: u64 = 8192;

/// Reads the interface of one entry point: the named one, or the only one.
pub(super) fn read(title: &str, source: &str, entry: Option<&str>) -> Result<Interface> {
    if source.len() > bounds::MAX_SOURCE_BYTES {
        return Err(Error::Limit {
            node: title.to_owned(),
            tensor: "the source".to_owned(),
            needed: source.len() as u64,
            unit: "bytes",
            limit_name: "the longest source".to_owned(),
            limit: Some(bounds::MAX_SOURCE_BYTES as u64),
            remedy: "split it into several kernels, or put tables into inputs".to_owned(),
        });
    }
    bounds::check(source)
        .map_err(|excess| wgsl_error(title, source, Some(excess.offset), excess.message))?;
    stack::with_large_stack(title, || {
        let (module, info) = validate(title, source)?;
        let number = choose(title, &module, entry)?;
        let point = &module.entry_points[number];
        check_workgroup(title, point)?;
        check_memory(title, &module)?;
        let (inputs, output, params) = declare::bindings(title, &module, &info, number)?;
        Ok(Interface {
            entry: point.name.clone(),
            workgroup_size: point.workgroup_size,
            inputs,
            output,
            params,
        })
    })
}

/// Parses and validates; no capability beyond what every WebGPU device has is granted.
pub(super) fn validate(title: &str, source: &str) -> Result<(Module, ModuleInfo)> {
    let module = naga::front::wgsl::parse_str(source).map_err(|error| {
        let label = error.labels().next();
        let mut message = error.message().to_owned();
        if let Some((_, detail)) = label.filter(|(_, detail)| !detail.is_empty()) {
            message = format!("{message} ({detail})");
        }
        let offset = label.and_then(|(span, _)| span.to_range()).map(|range| range.start);
        wgsl_error(title, source, offset, message)
    })?;
    let mut validator = Validator::new(ValidationFlags::all(), Capabilities::empty());
    let info = validator.validate(&module).map_err(|error| {
        // The innermost place is listed last.
        let spans: Vec<_> = error.spans().filter_map(|(span, _)| span.to_range()).collect();
        let offset = spans.last().map(|range| range.start);
        let mut message = error.as_inner().to_string();
        let mut cause = std::error::Error::source(error.as_inner());
        while let Some(inner) = cause {
            message = format!("{message}: {inner}");
            cause = inner.source();
        }
        wgsl_error(title, source, offset, message)
    })?;
    Ok((module, info))
}

/// Makes the error of a place in the source, given in bytes from its start.
fn wgsl_error(title: &str, source: &str, offset: Option<usize>, message: String) -> Error {
    let before = offset.and_then(|offset| source.get(..offset)).unwrap_or_default();
    let line = before.rsplit('\n').next().unwrap_or_default();
    Error::Wgsl {
        kernel: title.to_owned(),
        line: before.matches('\n').count() + 1,
        column: line.chars().count() + 1,
        message,
    }
}

/// Finds the entry point: the named one, or the only one.
fn choose(title: &str, module: &Module, entry: Option<&str>) -> Result<usize> {
    let compute = |point: &&EntryPoint| point.stage == ShaderStage::Compute;
    let names: Vec<&str> =
        module.entry_points.iter().filter(compute).map(|point| point.name.as_str()).collect();
    let known = names.join(", ");
    let position = |name: &str| {
        module.entry_points.iter().position(|point| point.name == name && compute(&point))
    };
    let refuse = |got: String, expected: &str, remedy: &str| Error::Operand {
        node: title.to_owned(),
        operand: "the source".to_owned(),
        got,
        expected: expected.to_owned(),
        shapes: format!("compute entry points: {}", if names.is_empty() { "none" } else { &known }),
        remedy: remedy.to_owned(),
    };
    match (entry, names.as_slice()) {
        (Some(name), _) => position(name).ok_or_else(|| Error::Name {
            node: title.to_owned(),
            problem: "there is no compute entry point".to_owned(),
            name: name.to_owned(),
            known: known.clone(),
            remedy: "use one of these names".to_owned(),
        }),
        (None, [only]) => position(only)
            .ok_or_else(|| refuse("lost its entry point".to_owned(), "it has one", "report this")),
        (None, []) => Err(refuse(
            "has no compute entry point".to_owned(),
            "a kernel is a function with @compute and @workgroup_size",
            "add one",
        )),
        (None, several) => Err(refuse(
            format!("has {} compute entry points", several.len()),
            "a kernel is one of them",
            "choose with OwnKernel::with_entry",
        )),
    }
}

fn check_workgroup(title: &str, point: &EntryPoint) -> Result<()> {
    let size = point.workgroup_size;
    let (most, most_in_all) = MAX_WORKGROUP;
    let in_all: u64 = size.iter().map(|&side| u64::from(side)).product();
    if size.iter().zip(most).all(|(&side, most)| side <= most) && in_all <= most_in_all {
        return Ok(());
    }
    Err(Error::Operand {
        node: title.to_owned(),
        operand: "workgroup_size".to_owned(),
        got: format!("is {size:?}, which is {in_all} threads"),
        expected: format!("every WebGPU device runs {most:?}, and {most_in_all} threads in all"),
        shapes: format!("entry point {}", point.name),
        remedy: "make it smaller".to_owned(),
    })
}

/// Checks the memory that is not a buffer's: an unbounded one would be the driver's to refuse.
fn check_memory(title: &str, module: &Module) -> Result<()> {
    let context = module.to_ctx();
    let bytes = |ty: naga::Handle<naga::Type>| u64::from(module.types[ty].inner.size(context));
    let globals = |space: AddressSpace| -> u64 {
        let own = module.global_variables.iter().filter(|(_, variable)| variable.space == space);
        own.map(|(_, variable)| bytes(variable.ty)).sum()
    };
    let points = module.entry_points.iter().map(|point| &point.function);
    let functions = module.functions.iter().map(|(_, function)| function).chain(points);
    let locals = |function: &naga::Function| -> u64 {
        function.local_variables.iter().map(|(_, variable)| bytes(variable.ty)).sum()
    };
    let largest = functions.map(locals).max().unwrap_or_default();
    let rules = [
        ("var<workgroup>", globals(AddressSpace::WorkGroup), MAX_WORKGROUP_BYTES),
        ("var<private>", globals(AddressSpace::Private), MAX_LOCAL_BYTES),
        ("the memory of a function's variables", largest, MAX_LOCAL_BYTES),
    ];
    match rules.into_iter().find(|(_, bytes, most)| bytes > most) {
        None => Ok(()),
        Some((what, bytes, most)) => Err(Error::Limit {
            node: title.to_owned(),
            tensor: what.to_owned(),
            needed: bytes,
            unit: "bytes",
            limit_name: "what every WebGPU device has".to_owned(),
            limit: Some(most),
            remedy: "use smaller arrays".to_owned(),
        }),
    }
}
