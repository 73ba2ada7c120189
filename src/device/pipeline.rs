//! Pipelines: one for each entry point, made once for each runtime.

use std::sync::{Arc, PoisonError};

use super::Inner;
use crate::error::Result;
use crate::kernels::{Binding, Family, Kernel};

/// A compiled entry point.
#[derive(Debug)]
pub(crate) struct Pipeline {
    pub pipeline: wgpu::ComputePipeline,
    pub layout: wgpu::BindGroupLayout,
}

impl Inner {
    /// Returns the pipeline of a kernel, compiling it the first time.
    pub(crate) fn pipeline(&self, kernel: Kernel) -> Result<Arc<Pipeline>> {
        let gpu = self.gpu("compiling a kernel")?;
        // Held while compiling, so that two sessions do not compile one kernel twice.
        let mut known = gpu.pipelines.lock().unwrap_or_else(PoisonError::into_inner);
        if let Some(pipeline) = known.get(&kernel) {
            return Ok(Arc::clone(pipeline));
        }
        let label = format!("{}/{}", kernel.family.stem(), kernel.entry);
        let doing = format!("compiling kernel {label}");
        let compiled =
            gpu.fault.watch(&gpu.device, &doing, 0, || compile(&gpu.device, kernel, &label))?;
        let compiled = Arc::new(compiled);
        known.insert(kernel, Arc::clone(&compiled));
        Ok(compiled)
    }
}

fn compile(device: &wgpu::Device, kernel: Kernel, label: &str) -> Pipeline {
    let module = device.create_shader_module(wgpu::ShaderModuleDescriptor {
        label: Some(kernel.family.stem()),
        source: wgpu::ShaderSource::Wgsl(kernel.family.source().into()),
    });
    let layout = device.create_bind_group_layout(&wgpu::BindGroupLayoutDescriptor {
        label: Some(kernel.family.stem()),
        entries: &layout_entries(kernel.family),
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
        entry_point: Some(kernel.entry),
        compilation_options: wgpu::PipelineCompilationOptions::default(),
        cache: None,
    });
    Pipeline { pipeline, layout }
}

fn layout_entries(family: Family) -> Vec<wgpu::BindGroupLayoutEntry> {
    let entry = |(number, binding): (u32, &Binding)| wgpu::BindGroupLayoutEntry {
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
    (0..).zip(family.bindings()).map(entry).collect()
}
