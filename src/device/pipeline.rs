//! Pipelines: one for each entry point, made once for each runtime.

use std::borrow::Cow;
use std::sync::{Arc, PoisonError};

use super::Inner;
use crate::error::Result;
use crate::kernels::epilogue::Functions;
use crate::kernels::{Binding, Kernel, Shader, Work};
use crate::own::{Code, with_large_stack};
use crate::plan::Step;

/// A compiled entry point.
#[derive(Debug)]
pub(crate) struct Pipeline {
    pub pipeline: wgpu::ComputePipeline,
    pub layout: wgpu::BindGroupLayout,
}

/// What is compiled once: an entry point of the library's, or equal code of the user's.
#[derive(Debug, PartialEq, Eq, Hash)]
pub(crate) enum Key {
    /// With every function that stages can have, or with the common ones alone.
    Library(Kernel, Functions),
    Own(Arc<Code>),
}

impl Key {
    fn of(step: &Step) -> Self {
        match &step.work {
            Work::Own(geometry) => Key::Own(Arc::clone(geometry.call.kernel().code())),
            work => Key::Library(step.kernel, Functions::of(work)),
        }
    }

    /// Returns the WGSL and the entry point's name.
    fn source(&self, shader: Option<&'static Shader>) -> Result<(Cow<'_, str>, &str)> {
        Ok(match self {
            Key::Library(Kernel { entry, .. }, functions) => {
                let source = shader.map_or(Ok(""), |shader| shader.source_of(entry))?;
                (functions.choose(source), entry)
            }
            Key::Own(code) => (Cow::from(&*code.source), &code.interface.entry),
        })
    }
}

impl Inner {
    /// Returns the pipeline of a step's kernel, compiling it the first time.
    pub(crate) fn pipeline(&self, step: &Step) -> Result<Arc<Pipeline>> {
        let gpu = self.gpu("compiling a kernel")?;
        let key = Key::of(step);
        // Held while compiling, so that two sessions do not compile one kernel twice.
        let mut known = gpu.pipelines.lock().unwrap_or_else(PoisonError::into_inner);
        if let Some(pipeline) = known.get(&key) {
            return Ok(Arc::clone(pipeline));
        }
        let label = step.kernel_name();
        let doing = format!("compiling kernel {label}");
        let layout = layout_entries(&step.work.bindings());
        let (source, entry) = key.source(step.work.shader())?;
        // Error scopes belong to a thread, so they are opened on the one that compiles.
        let compile = || {
            gpu.fault.watch(&gpu.device, &doing, 0, || {
                compile(&gpu.device, &label, &source, entry, &layout)
            })
        };
        let compiled = match &key {
            Key::Library(..) => compile()?,
            Key::Own(_) => with_large_stack(&doing, compile)?,
        };
        let compiled = Arc::new(compiled);
        known.insert(key, Arc::clone(&compiled));
        Ok(compiled)
    }
}

fn compile(
    device: &wgpu::Device,
    label: &str,
    source: &str,
    entry: &str,
    layout: &[wgpu::BindGroupLayoutEntry],
) -> Pipeline {
    let module = device.create_shader_module(wgpu::ShaderModuleDescriptor {
        label: Some(label),
        source: wgpu::ShaderSource::Wgsl(source.into()),
    });
    let layout = device.create_bind_group_layout(&wgpu::BindGroupLayoutDescriptor {
        label: Some(label),
        entries: layout,
    });
    let pipeline_layout = device.create_pipeline_layout(&wgpu::PipelineLayoutDescriptor {
        label: Some(label),
        bind_group_layouts: &[Some(&layout)],
        immediate_size: 0,
    });
    let pipeline = device.create_compute_pipeline(&wgpu::ComputePipelineDescriptor {
        label: Some(label),
        layout: Some(&pipeline_layout),
        module: &module,
        entry_point: Some(entry),
        compilation_options: wgpu::PipelineCompilationOptions::default(),
        cache: None,
    });
    Pipeline { pipeline, layout }
}

fn layout_entries(bindings: &[(u32, Binding)]) -> Vec<wgpu::BindGroupLayoutEntry> {
    let entry = |&(number, binding): &(u32, Binding)| wgpu::BindGroupLayoutEntry {
        binding: number,
        visibility: wgpu::ShaderStages::COMPUTE,
        ty: wgpu::BindingType::Buffer {
            ty: match binding {
                Binding::Params => wgpu::BufferBindingType::Uniform,
                Binding::Table | Binding::Read | Binding::Extra => {
                    wgpu::BufferBindingType::Storage { read_only: true }
                }
                Binding::Write => wgpu::BufferBindingType::Storage { read_only: false },
            },
            has_dynamic_offset: false,
            min_binding_size: None,
        },
        count: None,
    };
    bindings.iter().map(entry).collect()
}
