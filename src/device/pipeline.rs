//! Pipelines: one for each entry point, made once for each runtime.

use std::borrow::Cow;
use std::collections::HashSet;
use std::sync::Arc;

use rayon::prelude::*;

use super::Inner;
use super::cache::Cache;
use crate::error::Result;
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
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub(crate) enum Key {
    /// With the functions that are written for the step.
    Library(Kernel, String),
    Own(Arc<Code>),
}

impl Key {
    fn of(step: &Step) -> Self {
        if let Work::Own(geometry) = &step.work {
            return Key::Own(Arc::clone(geometry.call.kernel().code()));
        }
        Key::Library(step.kernel, step.work.functions())
    }

    /// Returns the WGSL and the entry point's name.
    fn source(&self, shader: Option<&Shader>) -> (Cow<'_, str>, &str) {
        match self {
            Key::Library(kernel, functions) => {
                let source = shader.map(|shader| shader.source(functions));
                (Cow::from(source.unwrap_or_default()), kernel.entry)
            }
            Key::Own(code) => (Cow::from(&*code.source), &code.interface.entry),
        }
    }
}

/// What is made once for a runtime.
#[derive(Debug, Default)]
pub(crate) struct Pipelines {
    /// By source: a family's entry points share one.
    modules: Cache<String, wgpu::ShaderModule>,
    known: Cache<Key, Arc<Pipeline>>,
}

impl Pipelines {
    /// Counts the pipelines.
    #[cfg(test)]
    pub(crate) fn len(&self) -> usize {
        self.known.len()
    }
}

impl Inner {
    /// Returns the pipelines of steps, compiling those that are not known, several at a time.
    pub(crate) fn pipelines(&self, steps: &[Step]) -> Result<Vec<Arc<Pipeline>>> {
        let mut seen = HashSet::new();
        let distinct: Vec<&Step> = steps.iter().filter(|step| seen.insert(Key::of(step))).collect();
        let compiled: Vec<_> = distinct.into_par_iter().map(|step| self.pipeline(step)).collect();
        // The first of the errors, whichever came first.
        compiled.into_iter().try_for_each(|compiled| compiled.map(|_| ()))?;
        steps.iter().map(|step| self.pipeline(step)).collect()
    }

    fn pipeline(&self, step: &Step) -> Result<Arc<Pipeline>> {
        let gpu = self.gpu("compiling a kernel")?;
        let key = Key::of(step);
        gpu.pipelines.known.get(key.clone(), || {
            let label = step.kernel_name();
            let doing = format!("compiling kernel {label}");
            let layout = layout_entries(&step.work.bindings());
            let (source, entry) = key.source(step.work.shader());
            let compile = || {
                let module = gpu.pipelines.modules.get(source.clone().into_owned(), || {
                    let source = wgpu::ShaderSource::Wgsl(source.as_ref().into());
                    let descriptor = wgpu::ShaderModuleDescriptor { label: Some(&label), source };
                    let create = || gpu.device.create_shader_module(descriptor);
                    gpu.fault.watch(&gpu.device, &doing, 0, create)
                })?;
                // Error scopes belong to a thread, so they are opened on the one that compiles.
                gpu.fault.watch(&gpu.device, &doing, 0, || {
                    compile(&gpu.device, &label, &module, entry, &layout)
                })
            };
            Ok(Arc::new(match &key {
                Key::Library(..) => compile()?,
                Key::Own(_) => with_large_stack(&doing, compile)?,
            }))
        })
    }
}

fn compile(
    device: &wgpu::Device,
    label: &str,
    module: &wgpu::ShaderModule,
    entry: &str,
    layout: &[wgpu::BindGroupLayoutEntry],
) -> Pipeline {
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
        module,
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

#[cfg(test)]
mod tests {
    use crate::error::Error;
    use crate::{Dim, Graph, Runtime};

    #[test]
    fn a_plan_with_kernels_that_the_device_refuses_names_the_first() {
        let required_limits =
            wgpu::Limits { max_compute_invocations_per_workgroup: 32, ..wgpu::Limits::default() };
        let descriptor = wgpu::DeviceDescriptor { required_limits, ..Default::default() };
        let (device, queue) = wgpu::Device::noop(&descriptor);
        let rt = Runtime::from_wgpu(device, queue);
        let mut g = Graph::new();
        let x = g.input("x", [Dim::Batch, 4.into(), 4.into()]);
        let y = g.transpose(x, &[0, 2, 1]).unwrap();
        let y = g.softmax(y, -1).unwrap();
        let y = g.add(y, x).unwrap();
        g.output("y", y);
        let error = rt.prepare(&g.plan(1).unwrap()).unwrap_err();
        assert!(matches!(error, Error::Device { .. }), "{error}");
        assert!(error.to_string().starts_with("compiling kernel copy/copy: the device refused"));
        assert_eq!(rt.inner.gpu("counting").unwrap().pipelines.len(), 0);
    }
}
