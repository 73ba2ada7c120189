//! The host executor's memory and runs: the plan's steps in host memory, at once.
//!
//! Nothing here crosses. What moves within host memory (packing, reading, zero fills) is
//! recorded as [`Direction::HostInternal`], or in border mode as a device's.

use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Instant;

use super::adapters::AdapterInfo;
use super::border::Border;
use super::executor::{Executor, Gpu, Prepared, Take};
use super::patience::Patience;
use super::prepare::Session;
use super::read::{Pending, no_buffer};
use super::run::Run;
use super::tensor::{Memory, Storage};
use super::threads::Threads;
use super::upload::{Source, Upload, Uploaded};
use super::{Inner, Runtime, RuntimeOptions, Tensor};
use crate::array::StagePolicy;
use crate::error::{Error, Result};
use crate::graph::Weight;
use crate::host::AVAILABLE;
use crate::ledger::{
    AdapterSummary, Call, Carried, Direction, Ledger, Method, Phases, nanoseconds,
};
use crate::plan::{Buffers, ExpectedCrossings, Limits, Place, Plan, Program, Step, buffer_bytes};

/// The largest range that a step reads or writes, in bytes: kernels number elements with 32
/// bits, in whole workgroups. What is larger is split along the batch.
const LARGEST_RANGE: u64 = (1 << 34) - 1024;

/// What errors of opening it say.
#[cfg(feature = "host")]
const OPENING: &str = "opening the host executor";

/// The processor, in host memory.
#[derive(Debug)]
struct Host {
    threads: Threads,
    border: Border,
}

impl Executor for Host {
    fn gpu(&self) -> Option<&Gpu> {
        None
    }

    fn internal(&self) -> Direction {
        self.border.internal()
    }

    fn download(&self) -> Option<Direction> {
        self.border.download()
    }

    fn upload(&self, inner: &Inner, upload: &Upload<'_, '_>) -> Result<Uploaded> {
        inner.check_size(upload)?;
        // Guards of the calling thread are asked here, not in the pool.
        let permits = self.border.permit(&inner.ledger, upload)?;
        let started = Instant::now();
        let uploaded = self.threads.within(|| inner.pack_on_host(upload))?;
        permits.record(Phases::from([("pack", nanoseconds(started.elapsed()))]));
        Ok(uploaded)
    }

    fn create(&self, inner: &Inner, label: &str, bytes: u64) -> Result<Arc<Storage>> {
        Ok(Storage::host(inner.allocate(label, bytes)?))
    }

    fn prepare(
        &self,
        runtime: &Runtime,
        plan: &Plan,
        policy: StagePolicy,
        call: Call<'_>,
    ) -> Result<Arc<dyn Prepared>> {
        Ok(Arc::new(runtime.prepare_on_host(self, plan, policy, call)?))
    }

    fn read(
        &self,
        tensor: &Tensor,
        pending: Pending,
        patience: &Patience<'_>,
        take: &mut Take<'_>,
    ) -> Result<()> {
        let elements = tensor.host_elements();
        if elements.len() as u64 * 4 != tensor.byte_len() {
            return Err(no_buffer(&pending.doing));
        }
        patience.check("the copy")?;
        let started = Instant::now();
        let copy = pending.begin(Method::HostCopy);
        take(bytemuck::cast_slice(elements));
        if !patience.is_canceled() {
            copy.deliver(Phases::from([("host_copy", nanoseconds(started.elapsed()))]));
        }
        Ok(())
    }

    /// A run is done when it returns.
    fn wait(&self, _: &Patience<'_>) -> Result<()> {
        Ok(())
    }
}

/// Describes the host as an adapter.
fn summary(threads: &Threads, border: Border) -> AdapterSummary {
    let threads = threads.count();
    let s = if threads == 1 { "" } else { "s" };
    AdapterSummary {
        name: format!("host ({threads} thread{s})"),
        backend: "host".to_owned(),
        device_type: "cpu".to_owned(),
        driver: match border {
            Border::Absent => String::new(),
            Border::Counted => "border mode".to_owned(),
        },
        driver_info: String::new(),
    }
}

/// The limits of plans for the host: those of 32-bit element numbers.
pub(super) fn limits() -> Limits {
    Limits {
        max_storage_buffer_binding_size: LARGEST_RANGE,
        max_buffer_size: u64::MAX,
        min_storage_buffer_offset_alignment: 4,
        min_uniform_buffer_offset_alignment: 16,
        max_compute_workgroups_per_dimension: u32::MAX,
        max_loop_iterations: None,
    }
}

#[cfg(feature = "host")]
impl Runtime {
    /// Opens the host executor: plans run on the processor, on the threads of rayon's pool.
    ///
    /// No adapter is looked for and no driver needed. Nothing crosses, as host memory is where
    /// it computes; the ledger records packing and reading as [`Direction::HostInternal`].
    #[must_use]
    pub fn host() -> Self {
        on_host(&RuntimeOptions::default(), Threads::default())
    }

    /// Opens the host executor with options: a time limit, and whose threads compute.
    ///
    /// # Errors
    ///
    /// [`Error::Unsupported`] for options that choose an adapter, [`Error::Operand`] for a pool of
    /// no threads, and [`Error::Device`] where the system starts no more threads.
    pub fn host_with(options: RuntimeOptions) -> Result<Self> {
        options.refuse_choice(OPENING)?;
        Ok(on_host(&options, Threads::new(&options.host_pool)?))
    }
}

/// Describes the host executor as adapters are described, where it is there.
pub(super) fn adapter() -> Option<AdapterInfo> {
    let summary = summary(&Threads::default(), Border::Absent);
    AVAILABLE.then(|| AdapterInfo { summary, limits: limits() })
}

/// Opens the host executor, where it is there.
pub(super) fn open(options: &RuntimeOptions) -> Result<Option<Runtime>> {
    if AVAILABLE {
        return Ok(Some(on_host(options, Threads::new(&options.host_pool)?)));
    }
    Ok(None)
}

fn on_host(options: &RuntimeOptions, threads: Threads) -> Runtime {
    let border = options.border;
    let summary = summary(&threads, border);
    log::info!("longshore runs on {summary}");
    Runtime {
        guards: Carried::default(),
        inner: Arc::new(Inner {
            limits: border.limits(),
            ledger: Ledger::new(summary),
            executor: Box::new(Host { threads, border }),
            limit: options.timeout,
            worker: Arc::default(),
            buffers_created: AtomicU64::new(0),
        }),
    }
}

impl Inner {
    /// Makes host memory for a number of bytes, filled with zeros.
    pub(super) fn allocate(&self, label: &str, bytes: u64) -> Result<Vec<f32>> {
        let none = || Error::OutOfMemory {
            doing: format!("allocating \"{label}\" in host memory"),
            bytes,
            remedy: "drop tensors and sessions that are done with, or run a smaller batch"
                .to_owned(),
        };
        let elements = usize::try_from(bytes.div_ceil(4)).map_err(|_| none())?;
        let mut values: Vec<f32> = Vec::new();
        values.try_reserve_exact(elements).map_err(|_| none())?;
        values.resize(elements, 0.0);
        self.buffers_created.fetch_add(1, Ordering::Relaxed);
        Ok(values)
    }

    /// Packs arrays into new host memory, each into memory of its own, so that it can be dropped
    /// alone.
    pub(super) fn pack_on_host(&self, upload: &Upload<'_, '_>) -> Result<Uploaded> {
        let label = upload.label;
        let (mut places, mut reports) = (Vec::new(), Vec::new());
        match &upload.source {
            Source::Bytes(from) => {
                let mut values = self.allocate(label, from.len() as u64)?;
                bytemuck::cast_slice_mut(&mut values)[..from.len()].copy_from_slice(from);
                places.push((Storage::host(values), 0));
            }
            Source::Arrays(parts, policy) => {
                for part in *parts {
                    let mut values = self.allocate(label, buffer_bytes(part.bytes))?;
                    let bytes: &mut [u8] = bytemuck::cast_slice_mut(&mut values);
                    let length = usize::try_from(part.bytes).unwrap_or(usize::MAX);
                    reports.push(part.array.pack_into(*policy, &mut bytes[..length])?);
                    places.push((Storage::host(values), 0));
                }
            }
        }
        Ok(Uploaded { places, reports })
    }
}

impl Storage {
    pub(super) fn host(values: Vec<f32>) -> Arc<Self> {
        Storage::new(Memory::Host(values))
    }

    /// Returns the elements; none of a device's buffer.
    fn elements(&self) -> &[f32] {
        match &self.memory {
            Memory::Host(values) => values,
            Memory::Gpu(_) => &[],
        }
    }
}

impl Tensor {
    /// Returns the elements; none of a tensor on a device.
    pub(super) fn host_elements(&self) -> &[f32] {
        self.storage.elements().get(range(self.offset_bytes, self.byte_len())).unwrap_or_default()
    }
}

/// A plan made ready on the host.
///
/// Nothing is locked while a run computes: a thread that waits for a part of its run may be given
/// another run of the same session meanwhile.
pub(super) struct HostSession {
    threads: Threads,
    border: Border,
    program: Program,
    /// Those of the plan's weights that runs read as they are.
    weights: Vec<Option<Tensor>>,
    idle: Mutex<Idle>,
}

/// What no run has in hand.
struct Idle {
    /// Memory of the plan's slots, a set for each run that has been side by side with others.
    scratch: Vec<Scratch>,
    /// For each output of the plan, the buffers made for it so far.
    outputs: Vec<Vec<Arc<Storage>>>,
}

/// What a run writes: the plan's slots and output buffers. The latter are emptied between runs.
struct Scratch {
    slots: Vec<Vec<f32>>,
    outputs: Vec<Vec<f32>>,
}

impl Runtime {
    fn prepare_on_host(
        &self,
        host: &Host,
        plan: &Plan,
        policy: StagePolicy,
        call: Call<'_>,
    ) -> Result<HostSession> {
        for step in plan.steps() {
            step.work.check_host(&step.node)?;
        }
        let weights = self.stage_set("weights", call, plan.weights(), policy)?;
        host.border.charge_parameters(self.ledger(), plan, call)?;
        let weight = |number: usize| weights.get(number).map(Tensor::host_elements);
        let program = host.threads.within(|| Program::new(plan.steps(), weight))?;
        let keeps = program.weights_read(plan);
        let weights: Vec<_> =
            weights.into_iter().zip(keeps).map(|(weight, keeps)| keeps.then_some(weight)).collect();
        let scratch = vec![self.scratch(plan, call)?];
        let outputs = self.create_values("output", plan.output_buffers(), call)?;
        let outputs = outputs.into_iter().map(|storage| vec![storage]).collect();
        let (threads, border) = (host.threads.clone(), host.border);
        let idle = Mutex::new(Idle { scratch, outputs });
        Ok(HostSession { threads, border, program, weights, idle })
    }

    fn scratch(&self, plan: &Plan, call: Call<'_>) -> Result<Scratch> {
        let slots = self.create_values("slot", plan.slots(), call)?;
        let slots = slots.into_iter().map(|mut slot| take_elements(&mut slot)).collect();
        Ok(Scratch { slots, outputs: vec![Vec::new(); plan.output_buffers().len()] })
    }
}

impl HostSession {
    fn weight(&self, number: usize) -> Option<&Tensor> {
        self.weights.get(number)?.as_ref()
    }

    /// Makes memory for a run beside others. A device's runs follow one another and share theirs, so
    /// that it is not counted in border mode.
    fn more_scratch(&self, session: &Session, call: Call<'_>) -> Result<Scratch> {
        let (runtime, plan) = (&session.runtime, &*session.plan);
        match self.border {
            Border::Absent => runtime.scratch(plan, call),
            Border::Counted => {
                let sizes = plan.slots().iter().enumerate();
                let slot = |(number, &bytes): (usize, &u64)| {
                    runtime.inner.allocate(&format!("slot {number}"), bytes)
                };
                let slots = sizes.map(slot).collect::<Result<_>>()?;
                Ok(Scratch { slots, outputs: vec![Vec::new(); plan.output_buffers().len()] })
            }
        }
    }

    /// Executes the steps now, one after the other.
    fn execute(&self, session: &Session, inputs: &[&Tensor], lent: &mut Lent<'_>) -> Result<()> {
        if let Some(scratch) = &mut lent.scratch {
            let mut memory = Buffers {
                read: &|place| match place {
                    Place::Input(number) => inputs.get(number).map(|input| input.host_elements()),
                    Place::Weight(number) => self.weight(number).map(Tensor::host_elements),
                    Place::Slot(_) | Place::Output(_) => None,
                },
                slots: &mut scratch.slots,
                outputs: &mut scratch.outputs,
            };
            let patience = Patience::new("running a session", session.runtime.inner.limit);
            let check = |step: &Step| patience.check(&format!("what comes before {}", step.node));
            self.program.run(session.plan.steps(), &mut memory, &check)?;
        }
        Ok(())
    }
}

impl Prepared for HostSession {
    fn run(&self, session: &Session, inputs: &[&Tensor], call: Call<'_>) -> Result<Run> {
        let mut lent = Lent { prepared: self, scratch: None, outputs: Vec::new() };
        lent.take(session, call)?;
        self.threads.within(|| self.execute(session, inputs, &mut lent))?;
        lent.fill_outputs();
        session.collect(inputs, |place| match place {
            Place::Input(number) => inputs.get(number).map(|input| input.place()),
            Place::Weight(number) => self.weight(number).map(Tensor::place),
            Place::Output(number) => lent.outputs.get(number).map(|storage| (storage, 0)),
            Place::Slot(_) => None,
        })
    }

    fn record(
        &self,
        session: &Session,
        _: &[&Tensor],
        _: &mut wgpu::CommandEncoder,
        _: Call<'_>,
    ) -> Result<Run> {
        Err(session.runtime.inner.no_device("recording a run"))
    }

    fn expected_crossings(&self, plan: &Plan) -> ExpectedCrossings {
        match self.border {
            Border::Absent => ExpectedCrossings::default(),
            Border::Counted => plan.expected_crossings(),
        }
    }

    fn host_bytes(&self, plan: &Plan) -> u64 {
        // A tensor that was staged before is the user's.
        let own = |(weight, tensor): (&Weight, &Option<Tensor>)| match weight.host() {
            Some(_) => tensor.as_ref().map_or(0, |tensor| tensor.storage.elements().len()),
            None => 0,
        };
        let weights: usize = plan.weights().iter().zip(&self.weights).map(own).sum();
        let idle = self.idle.lock().unwrap_or_else(PoisonError::into_inner);
        let slots = idle.scratch.iter().flat_map(|scratch| &scratch.slots).map(Vec::len);
        let outputs = idle.outputs.iter().flatten().map(|storage| storage.elements().len());
        let elements = weights + slots.sum::<usize>() + outputs.sum::<usize>();
        (elements * size_of::<f32>() + self.program.kept_bytes()) as u64
    }
}

/// What a run has been lent; it goes back when the run ends, however it ends.
struct Lent<'s> {
    prepared: &'s HostSession,
    scratch: Option<Scratch>,
    /// Nobody else has these; their elements are in the scratch memory while the run goes on.
    outputs: Vec<Arc<Storage>>,
}

impl Lent<'_> {
    /// Takes what is idle, and makes what is not there.
    fn take(&mut self, session: &Session, call: Call<'_>) -> Result<()> {
        let sizes = session.plan.output_buffers();
        let mut found: Vec<Option<Arc<Storage>>> = Vec::with_capacity(sizes.len());
        {
            let mut idle = self.prepared.idle.lock().unwrap_or_else(PoisonError::into_inner);
            self.scratch = idle.scratch.pop();
            for buffers in &mut idle.outputs {
                // What the list alone holds is free, and nobody can take it while it is locked.
                let free = buffers.iter().position(|buffer| Arc::strong_count(buffer) == 1);
                found.push(free.map(|number| buffers.swap_remove(number)));
            }
        }
        let mut scratch = match self.scratch.take() {
            Some(scratch) => scratch,
            None => self.prepared.more_scratch(session, call)?,
        };
        for (number, (found, &bytes)) in found.into_iter().zip(sizes).enumerate() {
            let mut storage = match found {
                Some(storage) => storage,
                None => session.runtime.create_value(&format!("output {number}"), bytes, call)?,
            };
            if let Some(target) = scratch.outputs.get_mut(number) {
                *target = take_elements(&mut storage);
            }
            self.outputs.push(storage);
        }
        self.scratch = Some(scratch);
        Ok(())
    }

    /// Puts the outputs' elements where tensors have them.
    fn fill_outputs(&mut self) {
        let Some(scratch) = &mut self.scratch else { return };
        for (storage, values) in self.outputs.iter_mut().zip(&mut scratch.outputs) {
            if let Some(storage) = Arc::get_mut(storage).filter(|_| !values.is_empty()) {
                storage.memory = Memory::Host(std::mem::take(values));
            }
        }
    }
}

impl Drop for Lent<'_> {
    fn drop(&mut self) {
        self.fill_outputs();
        // A step that panicked has taken with it what it wrote.
        let scratch =
            self.scratch.take().filter(|scratch| !scratch.slots.iter().any(Vec::is_empty));
        let outputs = std::mem::take(&mut self.outputs);
        let mut idle = self.prepared.idle.lock().unwrap_or_else(PoisonError::into_inner);
        // More runs than threads are side by side only while they wait for one another.
        let has_room = idle.scratch.len() < self.prepared.threads.count();
        idle.scratch.extend(scratch.filter(|_| has_room));
        for (buffers, storage) in idle.outputs.iter_mut().zip(outputs) {
            if !storage.elements().is_empty() {
                buffers.push(storage);
            }
        }
    }
}

/// Takes the elements out of a buffer in host memory that nobody else has.
fn take_elements(storage: &mut Arc<Storage>) -> Vec<f32> {
    match Arc::get_mut(storage).map(|storage| &mut storage.memory) {
        Some(Memory::Host(values)) => std::mem::take(values),
        Some(Memory::Gpu(_)) | None => Vec::new(),
    }
}

/// Converts bytes to elements of memory that has been allocated.
fn range(offset_bytes: u64, bytes: u64) -> std::ops::Range<usize> {
    let element = |bytes: u64| usize::try_from(bytes / 4).unwrap_or(usize::MAX);
    element(offset_bytes)..element(offset_bytes.saturating_add(bytes))
}
