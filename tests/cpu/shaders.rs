//! Every shader, on the CPU: it parses, validates and translates to what each backend takes,
//! and what it declares is what the Rust side believes.

#![allow(clippy::expect_used, clippy::panic, reason = "helpers of tests fail as tests do")]

use std::collections::BTreeMap;
use std::path::Path;

use longshore::UnaryOp;
use longshore::internals::kernels::{Binding, SHADERS, Shader, WORKGROUP_SIZE, Work, binary};
use longshore::ops::{BinaryOp, Epilogue, Stage};
use naga::back::{hlsl, msl, spv};
use naga::valid::{Capabilities, ModuleInfo, ValidationFlags, Validator};
use naga::{AddressSpace, Module, ScalarKind, StorageAccess, TypeInner};

/// The functions that a shader calls for these stages, and as a function of two operands.
fn functions(operation: BinaryOp, stages: &[Stage]) -> String {
    let epilogue = Epilogue { stages: stages.to_vec(), period: 1 };
    let (left, right) = (vec![1], vec![1]);
    Work::Binary(binary::Geometry { left, right, operation, epilogue }).functions()
}

/// What a shader is compiled of without stages.
fn plain(shader: &Shader) -> String {
    shader.source(&functions(BinaryOp::Add, &[]))
}

/// Parses and validates a shader; no capability beyond plain WGSL is granted.
fn validated(shader: &Shader) -> (Module, ModuleInfo) {
    compiled(&plain(shader))
}

fn compiled(source: &str) -> (Module, ModuleInfo) {
    let module = naga::front::wgsl::parse_str(source)
        .unwrap_or_else(|error| panic!("{}", error.emit_to_string(source)));
    let info = Validator::new(ValidationFlags::all(), Capabilities::empty())
        .validate(&module)
        .unwrap_or_else(|error| panic!("{}", error.emit_to_string(source)));
    (module, info)
}

/// Translates every entry point for every backend.
fn translate(name: &str, source: &str) {
    let (module, info) = compiled(source);
    for entry in &module.entry_points {
        let name = format!("{name} {}", entry.name);
        to_spirv(&module, &info, entry).unwrap_or_else(|error| panic!("{name}: {error}"));
        to_msl(&module, &info, entry).unwrap_or_else(|error| panic!("{name}: {error}"));
        to_hlsl(&module, &info, entry).unwrap_or_else(|error| panic!("{name}: {error}"));
    }
}

#[test]
fn sources_translate_to_every_backend() {
    let stage = |swapped| Stage::Binary { operation: BinaryOp::Subtract, swapped };
    let stages =
        [stage(false), Stage::Unary(UnaryOp::Tanh), stage(true), Stage::Unary(UnaryOp::Relu)];
    for shader in SHADERS {
        translate(shader.stem(), &plain(shader));
        // Kernels without an epilogue apply no stages.
        if shader.bindings().contains(&Binding::Extra) {
            let staged = shader.source(&functions(BinaryOp::Power, &stages));
            translate(shader.stem(), &staged);
        }
    }
    assert!(SHADERS.iter().any(|shader| shader.bindings().contains(&Binding::Extra)));
}

#[test]
fn every_function_translates_to_every_backend() {
    let shader = &binary::SHADER;
    for function in UnaryOp::all() {
        let stages = [Stage::Unary(function)];
        translate(function.name(), &shader.source(&functions(BinaryOp::Add, &stages)));
    }
    for &operation in BinaryOp::ALL {
        let stages = [Stage::Binary { operation, swapped: false }];
        translate(operation.name(), &shader.source(&functions(operation, &stages)));
    }
}

/// Steps whose stages differ in constants alone share a pipeline, and hold no other function.
#[test]
fn kernels_have_the_functions_of_their_stages_alone() {
    let of = |function| functions(BinaryOp::Add, &[Stage::Unary(function)]);
    let leaky = of(UnaryOp::LeakyRelu(0.25));
    assert_eq!(leaky, of(UnaryOp::LeakyRelu(0.5)));
    assert_ne!(leaky, of(UnaryOp::Relu));
    let source = binary::SHADER.source(&leaky);
    assert!(!source.contains("exponential") && !source.contains("is_nan"), "{source}");
    let source = binary::SHADER.source(&of(UnaryOp::Gelu));
    assert!(source.contains("fn exponentials(") && !source.contains("fn logarithm("), "{source}");
}

fn to_spirv(module: &Module, info: &ModuleInfo, entry: &naga::EntryPoint) -> Result<(), String> {
    let pipeline =
        spv::PipelineOptions { shader_stage: entry.stage, entry_point: entry.name.clone() };
    let words = spv::write_vec(module, info, &spv::Options::default(), Some(&pipeline))
        .map_err(|error| error.to_string())?;
    (words.first() == Some(&0x0723_0203)).then_some(()).ok_or("no SPIR-V".to_owned())
}

fn to_msl(module: &Module, info: &ModuleInfo, entry: &naga::EntryPoint) -> Result<(), String> {
    let pipeline = msl::PipelineOptions {
        entry_point: Some((entry.stage, entry.name.clone())),
        ..Default::default()
    };
    let (text, translation) = msl::write_string(module, info, &msl::Options::default(), &pipeline)
        .map_err(|error| error.to_string())?;
    translation.entry_point_names.iter().try_for_each(|name| match name {
        Ok(_) => Ok(()),
        Err(error) => Err(error.to_string()),
    })?;
    text.contains("kernel void").then_some(()).ok_or("no Metal kernel".to_owned())
}

fn to_hlsl(module: &Module, info: &ModuleInfo, entry: &naga::EntryPoint) -> Result<(), String> {
    let options = hlsl::Options {
        // where num_workgroups comes from, which HLSL does not have
        special_constants_binding: Some(hlsl::BindTarget::default()),
        ..Default::default()
    };
    let pipeline = hlsl::PipelineOptions { entry_point: Some((entry.stage, entry.name.clone())) };
    let mut text = String::new();
    hlsl::Writer::new(&mut text, &options, &pipeline)
        .write(module, info, None)
        .map_err(|error| error.to_string())?;
    text.contains("numthreads(64, 1, 1)").then_some(()).ok_or("no compute shader".to_owned())
}

#[test]
fn sources_are_plain_wgsl() {
    for shader in SHADERS {
        let stem = shader.stem();
        for word in ["enable ", "requires ", "subgroup", "override "] {
            assert!(!plain(shader).contains(word), "{stem} uses {word}");
        }
        // Long rows alone are shared by a workgroup, in one file that says why.
        let group = include_str!("../../shaders/shared/group.wgsl");
        assert_eq!(group.matches("workgroupBarrier").count(), 3);
        let barriers = plain(shader).matches("workgroupBarrier").count();
        assert!([0, 3].contains(&barriers), "{stem} has barriers of its own");
        let own =
            std::fs::read_to_string(format!("{}/shaders/{stem}.wgsl", env!("CARGO_MANIFEST_DIR")));
        assert!(!own.expect("a shader").contains("workgroupBarrier"), "{stem}");
    }
}

#[test]
fn bindings_are_what_the_library_reads() {
    for shader in SHADERS {
        let (module, info) = validated(shader);
        let mut declared = BTreeMap::new();
        let bound = |variable: &naga::GlobalVariable| variable.space != AddressSpace::WorkGroup;
        for (_, variable) in module.global_variables.iter().filter(|found| bound(found.1)) {
            let binding = variable.binding.as_ref().expect("a binding");
            assert_eq!(binding.group, 0, "{} {:?}", shader.stem(), variable.name);
            let kind = binding_kind(&module, variable);
            // One number may have two names, for two views of the same buffer.
            let earlier = declared.insert(binding.binding, kind);
            assert!(earlier.is_none_or(|earlier| earlier == kind), "{}", shader.stem());
        }
        let expected = (0..).zip(shader.bindings().iter().copied()).collect::<BTreeMap<u32, _>>();
        assert_eq!(declared, expected, "{}", shader.stem());
        for index in 0..module.entry_points.len() {
            check_no_shared_number(shader, &module, info.get_entry_point(index));
        }
    }
}

/// Checks that an entry point does not use two variables of one binding number.
fn check_no_shared_number(shader: &Shader, module: &Module, info: &naga::valid::FunctionInfo) {
    let mut used: Vec<u32> = module
        .global_variables
        .iter()
        .filter(|&(handle, _)| !info[handle].is_empty())
        // What the threads of a workgroup share has none.
        .filter_map(|(_, variable)| variable.binding.as_ref().map(|binding| binding.binding))
        .collect();
    let count = used.len();
    used.sort_unstable();
    used.dedup();
    assert_eq!(used.len(), count, "{}", shader.stem());
    // A kernel writes its output, reads an operand and has parameters.
    assert!(count >= 3, "{}", shader.stem());
}

fn binding_kind(module: &Module, variable: &naga::GlobalVariable) -> Binding {
    match variable.space {
        AddressSpace::Uniform => Binding::Params,
        AddressSpace::Storage { access } if access == StorageAccess::LOAD => {
            let TypeInner::Array { base, .. } = module.types[variable.ty].inner else {
                panic!("{:?} is no array", variable.name)
            };
            match module.types[base].inner.scalar_kind() {
                Some(ScalarKind::Uint) if variable.name.as_deref() == Some("table") => {
                    Binding::Table
                }
                Some(ScalarKind::Float) if variable.name.as_deref() == Some("extra") => {
                    Binding::Extra
                }
                // Kernels that only move elements bind them as bits.
                Some(ScalarKind::Float | ScalarKind::Uint) => Binding::Read,
                other => panic!("{:?} holds {other:?}", variable.name),
            }
        }
        AddressSpace::Storage { access } => {
            assert_eq!(access, StorageAccess::LOAD | StorageAccess::STORE, "{:?}", variable.name);
            Binding::Write
        }
        other => panic!("{:?} is in {other:?}", variable.name),
    }
}

#[test]
fn parameters_are_a_uniform_of_that_name() {
    for shader in SHADERS {
        let (module, _) = validated(shader);
        let (_, params) = module
            .global_variables
            .iter()
            .find(|(_, variable)| variable.space == AddressSpace::Uniform)
            .expect("a uniform");
        assert_eq!(params.name.as_deref(), Some("params"), "{}", shader.stem());
        let TypeInner::Struct { members, .. } = &module.types[params.ty].inner else {
            panic!("{}: the parameters are no struct", shader.stem())
        };
        let last = members.last().and_then(|member| member.name.as_deref());
        let has_epilogue = shader.bindings().contains(&Binding::Extra);
        assert_eq!(has_epilogue, last == Some("epilogue"), "{}", shader.stem());
    }
}

#[test]
fn entry_points_are_those_the_launches_choose_from() {
    for shader in SHADERS {
        let (module, _) = validated(shader);
        let declared: Vec<&str> =
            module.entry_points.iter().map(|entry| entry.name.as_str()).collect();
        assert_eq!(declared, shader.entries().collect::<Vec<_>>(), "{}", shader.stem());
        for entry in &module.entry_points {
            assert_eq!(entry.stage, naga::ShaderStage::Compute);
            assert_eq!(entry.workgroup_size, [WORKGROUP_SIZE, 1, 1], "{}", shader.stem());
        }
    }
}

#[test]
fn every_shader_has_its_kernel_operation_oracle_tests_and_bench() {
    let root = Path::new(env!("CARGO_MANIFEST_DIR"));
    let mut missing = Vec::new();
    for stem in SHADERS.iter().map(|shader| shader.stem()) {
        for path in [
            format!("shaders/{stem}.wgsl"),
            format!("src/kernels/{stem}.rs"),
            format!("src/host/{stem}.rs"),
            format!("testing/src/oracle/{stem}.rs"),
            format!("testing/src/operators/{stem}.rs"),
            format!("benches/kernels/{stem}.rs"),
        ] {
            if !root.join(&path).is_file() {
                missing.push(path);
            }
        }
    }
    // Its folder is the subject.
    let subjects: Vec<_> = std::fs::read_dir(root.join("src/ops")).unwrap().flatten().collect();
    for stem in SHADERS.iter().map(|shader| shader.stem()) {
        let file = format!("{stem}.rs");
        if !subjects.iter().any(|subject| subject.path().join(&file).is_file()) {
            missing.push(format!("src/ops/*/{file}"));
        }
    }
    assert!(missing.is_empty(), "missing: {missing:?}");
}
