//! The adapter under test, and one launch dispatched by hand, with traps around everything it touches.
//!
//! Each operand and the output lie between guard regions of NaN, and the bindings reach into
//! the regions behind the data: a device clamps an index to its binding, so only what is bound
//! can show a kernel that goes too far. A stray read brings NaN into the result, a stray
//! write changes a guard, and an element that is never written keeps the poison's bits.

use std::collections::BTreeMap;
use std::sync::{Arc, Mutex, OnceLock, PoisonError};

use longshore::internals::kernels::{Binding, Kernel, Launch, Work};
use longshore::wgpu;
use longshore::{Runtime, RuntimeOptions};
use ndarray::{ArrayD, IxDyn};

use super::Executor;

/// A quiet NaN that no arithmetic gives: the output before the dispatch, and its guards.
const POISON: u32 = 0x7fc0_dead;
/// Another one, round the operands: a result made of it is still told from an unwritten one.
const STRAY: u32 = 0x7fc0_beef;
/// Elements behind the data that are bound with it. A whole workgroup, so that threads past
/// the end are caught too.
const TAIL: usize = 128;

/// The adapter that `LONGSHORE_ADAPTER` names, or the first.
pub struct Gpu;

impl Executor for Gpu {
    fn name(&self) -> &'static str {
        "GPU"
    }

    fn runtime(&self) -> &'static Runtime {
        runtime()
    }

    fn open(&self) -> Runtime {
        open()
    }

    fn networks(&self) -> u64 {
        300
    }

    fn each(&self) -> usize {
        5
    }

    #[track_caller]
    fn dispatch_part(
        &self,
        work: &Work,
        max_workgroups_per_dimension: u32,
        operands: &[&ArrayD<f32>],
        shape: &[usize],
    ) -> ArrayD<Option<f32>> {
        dispatch_part(work, max_workgroups_per_dimension, operands, shape)
    }
}

/// Returns the runtime that tests share.
///
/// Without an adapter the test fails, with the line that says what to install.
pub fn runtime() -> &'static Runtime {
    static RUNTIME: OnceLock<Runtime> = OnceLock::new();
    RUNTIME.get_or_init(open)
}

/// Opens a runtime of the test's own, for tests that count or break things.
pub fn open() -> Runtime {
    // Never the host executor, which has tests of its own.
    let mut options = RuntimeOptions::new().require_adapter();
    if let Ok(name) = std::env::var("LONGSHORE_ADAPTER") {
        options = options.adapter(name);
    }
    match Runtime::open_with(options) {
        Ok(runtime) => {
            eprintln!("GPU tests run on {}", runtime.adapter());
            runtime
        }
        Err(error) => panic!("the GPU tests need an adapter and never skip: {error}"),
    }
}

/// Opens a device as an embedder does, of the adapter under test.
pub fn device(adapter: &wgpu::Adapter) -> (wgpu::Device, wgpu::Queue) {
    pollster::block_on(adapter.request_device(&wgpu::DeviceDescriptor::default())).unwrap()
}

/// Finds the adapter under test as an embedder does.
pub fn adapter() -> wgpu::Adapter {
    let descriptor = wgpu::InstanceDescriptor::new_without_display_handle();
    let instance = wgpu::Instance::new(descriptor);
    let adapters = pollster::block_on(instance.enumerate_adapters(wgpu::Backends::PRIMARY));
    let wanted = std::env::var("LONGSHORE_ADAPTER").unwrap_or_default().to_lowercase();
    let mut found = adapters.into_iter();
    found
        .find(|adapter| adapter.get_info().name.to_lowercase().contains(&wanted))
        .expect("the GPU tests need an adapter and never skip")
}

#[track_caller]
fn dispatch_part(
    work: &Work,
    max_workgroups_per_dimension: u32,
    operands: &[&ArrayD<f32>],
    shape: &[usize],
) -> ArrayD<Option<f32>> {
    let runtime = runtime();
    let launch = &work.launch("test", max_workgroups_per_dimension).unwrap();
    let device = runtime.device().unwrap();
    let scope = device.push_error_scope(wgpu::ErrorFilter::Validation);
    let elements = shape.iter().product();
    let head = head_elements(runtime);
    let poisoned = vec![f32::from_bits(POISON); head + elements + TAIL];
    let output = filled(runtime, &poisoned, wgpu::BufferUsages::STORAGE);
    submit(runtime, (work, launch), operands, &output);
    let found = read(runtime, &output);
    if let Some(error) = pollster::block_on(scope.pop()) {
        panic!("{:?}: {error}", launch.kernel);
    }
    let (before, rest) = found.split_at(head);
    let (inside, after) = rest.split_at(elements);
    for (name, guard) in [("before", before), ("after", after)] {
        let changed = guard.iter().position(|&bits| bits != POISON);
        assert_eq!(changed, None, "{:?} wrote {name} its output", launch.kernel);
    }
    let values =
        inside.iter().map(|&bits| (bits != POISON).then(|| f32::from_bits(bits))).collect();
    ArrayD::from_shape_vec(IxDyn(shape), values).unwrap()
}

/// Elements before the data: as far as the device demands of a binding's offset.
fn head_elements(runtime: &Runtime) -> usize {
    runtime.limits().min_storage_buffer_offset_alignment.max(256) as usize / 4
}

fn filled(runtime: &Runtime, values: &[f32], usage: wgpu::BufferUsages) -> wgpu::Buffer {
    bytes_buffer(runtime, bytemuck::cast_slice(values), usage)
}

fn bytes_buffer(runtime: &Runtime, bytes: &[u8], usage: wgpu::BufferUsages) -> wgpu::Buffer {
    let buffer = runtime.device().unwrap().create_buffer(&wgpu::BufferDescriptor {
        label: None,
        size: bytes.len() as u64,
        usage: usage | wgpu::BufferUsages::COPY_DST | wgpu::BufferUsages::COPY_SRC,
        mapped_at_creation: false,
    });
    runtime.queue().unwrap().write_buffer(&buffer, 0, bytes);
    buffer
}

/// An operand with NaN on both sides of it.
fn operand(runtime: &Runtime, array: &ArrayD<f32>) -> wgpu::Buffer {
    let stray = f32::from_bits(STRAY);
    let mut values = vec![stray; head_elements(runtime)];
    values.extend(array.iter());
    values.extend([stray; TAIL]);
    filled(runtime, &values, wgpu::BufferUsages::STORAGE)
}

fn submit(
    runtime: &Runtime,
    (work, launch): (&Work, &Launch),
    operands: &[&ArrayD<f32>],
    output: &wgpu::Buffer,
) {
    let device = runtime.device().unwrap();
    let compiled = pipeline(runtime, work, launch.kernel);
    let params = bytes_buffer(runtime, &launch.params, wgpu::BufferUsages::UNIFORM);
    let table = bytes_buffer(runtime, &padded(&launch.table), wgpu::BufferUsages::STORAGE);
    let operands: Vec<wgpu::Buffer> =
        operands.iter().map(|array| operand(runtime, array)).collect();
    let skip = head_elements(runtime) as u64 * 4;
    let whole = |buffer, offset| {
        wgpu::BindingResource::Buffer(wgpu::BufferBinding { buffer, offset, size: None })
    };
    let bound = work.operands_bound(operands.len());
    let mut reads = bound.iter().map(|&number| &operands[number]);
    let entries: Vec<wgpu::BindGroupEntry<'_>> = work
        .bindings()
        .into_iter()
        .map(|(binding, kind)| {
            let resource = match kind {
                Binding::Params => whole(&params, 0),
                Binding::Table => whole(&table, 0),
                Binding::Read | Binding::Extra => whole(reads.next().unwrap(), skip),
                Binding::Write => whole(output, skip),
            };
            wgpu::BindGroupEntry { binding, resource }
        })
        .collect();
    let group = device.create_bind_group(&wgpu::BindGroupDescriptor {
        label: None,
        layout: &compiled.get_bind_group_layout(0),
        entries: &entries,
    });
    let mut encoder = device.create_command_encoder(&wgpu::CommandEncoderDescriptor::default());
    {
        let mut pass = encoder.begin_compute_pass(&wgpu::ComputePassDescriptor::default());
        pass.set_pipeline(&compiled);
        pass.set_bind_group(0, &group, &[]);
        let [x, y, z] = launch.workgroups;
        pass.dispatch_workgroups(x, y, z);
    }
    runtime.queue().unwrap().submit([encoder.finish()]);
}

/// A binding must not be empty.
fn padded(table: &[u8]) -> Vec<u8> {
    if table.is_empty() { vec![0; 4] } else { table.to_vec() }
}

/// Compiles a kernel once for the whole test run.
fn pipeline(runtime: &Runtime, work: &Work, kernel: Kernel) -> Arc<wgpu::ComputePipeline> {
    type Known = BTreeMap<(String, String), Arc<wgpu::ComputePipeline>>;
    static KNOWN: Mutex<Known> = Mutex::new(BTreeMap::new());
    let (source, entry) = match work {
        Work::Own(own) => {
            let own = own.call.kernel();
            (own.source().to_owned(), &*own.interface().entry)
        }
        _ => (work.shader().unwrap().source(&work.functions()), kernel.entry),
    };
    let mut known = KNOWN.lock().unwrap_or_else(PoisonError::into_inner);
    let device = runtime.device().unwrap();
    let compiled = known
        .entry((source.clone(), entry.to_owned()))
        .or_insert_with(|| Arc::new(compile(device, &source, entry, &work.bindings())));
    Arc::clone(compiled)
}

fn compile(
    device: &wgpu::Device,
    source: &str,
    entry: &str,
    bindings: &[(u32, Binding)],
) -> wgpu::ComputePipeline {
    let module = device.create_shader_module(wgpu::ShaderModuleDescriptor {
        label: None,
        source: wgpu::ShaderSource::Wgsl(source.into()),
    });
    let entries = layout(bindings);
    let bindings = device.create_bind_group_layout(&wgpu::BindGroupLayoutDescriptor {
        label: None,
        entries: &entries,
    });
    let layout = device.create_pipeline_layout(&wgpu::PipelineLayoutDescriptor {
        label: None,
        bind_group_layouts: &[Some(&bindings)],
        immediate_size: 0,
    });
    device.create_compute_pipeline(&wgpu::ComputePipelineDescriptor {
        label: Some(entry),
        layout: Some(&layout),
        module: &module,
        entry_point: Some(entry),
        compilation_options: wgpu::PipelineCompilationOptions::default(),
        cache: None,
    })
}

fn layout(bindings: &[(u32, Binding)]) -> Vec<wgpu::BindGroupLayoutEntry> {
    let kind = |binding: &Binding| match binding {
        Binding::Params => wgpu::BufferBindingType::Uniform,
        Binding::Table | Binding::Read | Binding::Extra => {
            wgpu::BufferBindingType::Storage { read_only: true }
        }
        Binding::Write => wgpu::BufferBindingType::Storage { read_only: false },
    };
    let entry = |(number, binding): &(u32, Binding)| wgpu::BindGroupLayoutEntry {
        binding: *number,
        visibility: wgpu::ShaderStages::COMPUTE,
        ty: wgpu::BindingType::Buffer {
            ty: kind(binding),
            has_dynamic_offset: false,
            min_binding_size: None,
        },
        count: None,
    };
    bindings.iter().map(entry).collect()
}

/// Reads a buffer's bits back.
fn read(runtime: &Runtime, buffer: &wgpu::Buffer) -> Vec<u32> {
    let device = runtime.device().unwrap();
    let readback = device.create_buffer(&wgpu::BufferDescriptor {
        label: None,
        size: buffer.size(),
        usage: wgpu::BufferUsages::MAP_READ | wgpu::BufferUsages::COPY_DST,
        mapped_at_creation: false,
    });
    let mut encoder = device.create_command_encoder(&wgpu::CommandEncoderDescriptor::default());
    encoder.copy_buffer_to_buffer(buffer, 0, &readback, 0, buffer.size());
    let submission = runtime.queue().unwrap().submit([encoder.finish()]);
    readback.map_async(wgpu::MapMode::Read, .., |result| result.unwrap());
    device
        .poll(wgpu::PollType::Wait { submission_index: Some(submission), timeout: None })
        .unwrap();
    let view = readback.get_mapped_range(..).unwrap();
    bytemuck::cast_slice(&view).to_vec()
}
