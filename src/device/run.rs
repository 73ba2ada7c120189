//! Running: a session's steps over staged inputs; nothing crosses.

use std::collections::BTreeMap;
use std::ops::Index;
use std::sync::{Arc, PoisonError};

use super::prepare::{Session, State};
use super::tensor::Storage;
use super::{Runtime, Tensor};
use crate::error::{Error, Result};
use crate::kernels::Binding;
use crate::ledger::Cause;
use crate::plan::{Place, Region, Step};

/// Bind groups kept by a session before it starts over.
const BIND_GROUPS_KEPT: usize = 4096;

/// The outputs of one run, on the device.
///
/// Their buffers return to the session when the last tensor that shares them is
/// dropped, and the next run writes into them.
#[derive(Clone, Debug)]
pub struct Run {
    outputs: BTreeMap<String, Tensor>,
}

impl Run {
    /// Returns an output.
    ///
    /// # Errors
    ///
    /// [`Error::Name`] that lists the outputs there are.
    pub fn output(&self, name: &str) -> Result<&Tensor> {
        self.outputs.get(name).ok_or_else(|| Error::Name {
            node: "run".to_owned(),
            problem: "there is no output named".to_owned(),
            name: name.to_owned(),
            known: self.outputs.keys().cloned().collect::<Vec<_>>().join(", "),
            remedy: "name it with Graph::output".to_owned(),
        })
    }

    /// Returns the outputs by name.
    pub fn outputs(&self) -> impl Iterator<Item = (&str, &Tensor)> {
        self.outputs.iter().map(|(name, tensor)| (name.as_str(), tensor))
    }
}

impl Index<&str> for Run {
    type Output = Tensor;

    /// Returns an output.
    ///
    /// # Panics
    ///
    /// If there is no such output, as a map does; [`Run::output`] returns an error.
    #[expect(clippy::panic, reason = "indexing a map panics; `output` is the form that does not")]
    fn index(&self, name: &str) -> &Tensor {
        match self.output(name) {
            Ok(tensor) => tensor,
            Err(error) => panic!("{error}"),
        }
    }
}

/// The buffers one run works on.
struct Bound<'a> {
    inputs: Vec<&'a Tensor>,
    outputs: Vec<Arc<Storage>>,
}

impl Session {
    /// Submits the steps over staged inputs and returns the outputs, still on the device.
    ///
    /// Nothing crosses, nothing waits; after the first run nothing is created either,
    /// unless outputs of earlier runs are still held.
    ///
    /// # Errors
    ///
    /// [`Error::Name`] for an input that is missing, unknown or given twice,
    /// [`Error::Operand`] for one of another shape or another runtime, and what the
    /// device reports.
    pub fn run<'a>(&self, inputs: impl IntoIterator<Item = (&'a str, &'a Tensor)>) -> Result<Run> {
        let inner = &*self.runtime.inner;
        let mut encoder = inner
            .device
            .create_command_encoder(&wgpu::CommandEncoderDescriptor { label: Some("run") });
        // The state stays locked until the work is submitted: a buffer given to this run
        // must not be given to another before.
        let (run, state) = self.encode(inputs, &mut encoder)?;
        let submit = || inner.queue.submit([encoder.finish()]);
        inner.fault.watch(&inner.device, "submitting a run", 0, submit)?;
        drop(state);
        Ok(run)
    }

    /// Records the steps into the embedder's own encoder; nothing is submitted.
    ///
    /// The outputs hold their values once the embedder has submitted the encoder. Runs
    /// recorded into encoders share the session's buffers, so submit them in the order
    /// they were recorded.
    ///
    /// # Errors
    ///
    /// As [`Session::run`].
    pub fn record<'a>(
        &self,
        inputs: impl IntoIterator<Item = (&'a str, &'a Tensor)>,
        encoder: &mut wgpu::CommandEncoder,
    ) -> Result<Run> {
        Ok(self.encode(inputs, encoder)?.0)
    }

    fn encode<'a>(
        &self,
        inputs: impl IntoIterator<Item = (&'a str, &'a Tensor)>,
        encoder: &mut wgpu::CommandEncoder,
    ) -> Result<(Run, std::sync::MutexGuard<'_, State>)> {
        let inner = &*self.runtime.inner;
        let inputs = self.bind_inputs(inputs)?;
        inner.fault.check("running a session")?;
        let mut state = self.state.lock().unwrap_or_else(PoisonError::into_inner);
        let outputs = self.take_outputs(&mut state)?;
        let bound = Bound { inputs, outputs };
        let run = self.collect(&bound);
        inner.fault.watch(&inner.device, "recording a run", 0, || {
            let mut pass = encoder.begin_compute_pass(&wgpu::ComputePassDescriptor {
                label: Some("run"),
                timestamp_writes: None,
            });
            for (number, step) in self.plan.steps().iter().enumerate() {
                let group = self.bind_group(&mut state, number, step, &bound);
                pass.set_pipeline(&self.pipelines[number].pipeline);
                pass.set_bind_group(0, group, &[]);
                let [x, y, z] = step.workgroups;
                pass.dispatch_workgroups(x, y, z);
            }
        })?;
        Ok((run, state))
    }

    /// Matches what the caller brings with what the plan needs.
    fn bind_inputs<'a>(
        &self,
        inputs: impl IntoIterator<Item = (&'a str, &'a Tensor)>,
    ) -> Result<Vec<&'a Tensor>> {
        let ports = self.plan.inputs();
        let known = || ports.iter().map(|port| port.name.as_str()).collect::<Vec<_>>().join(", ");
        let refuse = |problem: &str, name: &str, remedy: &str| Error::Name {
            node: "run".to_owned(),
            problem: problem.to_owned(),
            name: name.to_owned(),
            known: known(),
            remedy: remedy.to_owned(),
        };
        let mut bound: Vec<Option<&Tensor>> = vec![None; ports.len()];
        for (name, tensor) in inputs {
            let Some(index) = ports.iter().position(|port| port.name == name) else {
                return Err(refuse("there is no input named", name, "use one of these names"));
            };
            self.runtime.inner.check_own("run", name, tensor)?;
            if tensor.shape() != ports[index].shape {
                return Err(Error::Operand {
                    node: "run".to_owned(),
                    operand: format!("input \"{name}\""),
                    got: format!("has shape {:?}", tensor.shape()),
                    expected: format!(
                        "the plan for batch {} takes {:?}",
                        self.plan.batch(),
                        ports[index].shape
                    ),
                    shapes: format!("tensor \"{}\"", tensor.label()),
                    remedy: "plan for this batch, or bring rows of the tensor".to_owned(),
                });
            }
            if bound[index].replace(tensor).is_some() {
                return Err(refuse("two tensors are given for input", name, "give one"));
            }
        }
        let missing = bound.iter().position(Option::is_none);
        if let Some(port) = missing.and_then(|index| ports.get(index)) {
            return Err(refuse("nothing is given for input", &port.name, "give a staged tensor"));
        }
        Ok(bound.into_iter().flatten().collect())
    }

    /// Takes a free buffer for each output, creating one where all are still held.
    fn take_outputs(&self, state: &mut State) -> Result<Vec<Arc<Storage>>> {
        let sizes = self.plan.output_buffers();
        let mut taken = Vec::with_capacity(sizes.len());
        for (number, (buffers, &bytes)) in state.outputs.iter_mut().zip(sizes).enumerate() {
            // A buffer that the embedder has taken out is his; it is not kept here.
            buffers.retain(|buffer| !buffer.taken.load(std::sync::atomic::Ordering::Acquire));
            // Only this list hands buffers out, and it is locked: a count of one is free.
            let free = buffers.iter().find(|buffer| Arc::strong_count(buffer) == 1);
            if let Some(buffer) = free {
                taken.push(Arc::clone(buffer));
                continue;
            }
            let label = format!("output {number}");
            let made = self.runtime.create_value(&label, bytes, Cause::Run)?;
            buffers.push(Arc::clone(&made));
            taken.push(made);
        }
        Ok(taken)
    }

    fn collect(&self, bound: &Bound<'_>) -> Run {
        let mut outputs = BTreeMap::new();
        for port in self.plan.outputs() {
            let (storage, offset_bytes) = self.locate(port.place, bound);
            let tensor = Tensor {
                runtime: Arc::clone(&self.runtime.inner),
                storage: Arc::clone(storage),
                offset_bytes,
                shape: port.shape.clone(),
                label: port.name.as_str().into(),
            };
            outputs.insert(port.name.clone(), tensor);
        }
        Run { outputs }
    }

    /// Returns the buffer of a place and where its data begins.
    fn locate<'b>(&'b self, place: Place, bound: &'b Bound<'_>) -> (&'b Arc<Storage>, u64) {
        let tensor = |tensor: &'b Tensor| (&tensor.storage, tensor.offset_bytes);
        match place {
            Place::Input(number) => tensor(bound.inputs[number]),
            Place::Weight(number) => tensor(&self.weights[number]),
            Place::Slot(number) => (&self.slots[number], 0),
            Place::Output(number) => (&bound.outputs[number], 0),
        }
    }

    /// Finds or makes the bind group of a step for this run's buffers.
    fn bind_group<'s>(
        &self,
        state: &'s mut State,
        number: usize,
        step: &Step,
        bound: &Bound<'_>,
    ) -> &'s wgpu::BindGroup {
        let regions = step.operands.iter().chain([&step.result]);
        let key = regions
            .map(|region| {
                let (storage, offset) = self.locate(region.place, bound);
                (storage.id, offset)
            })
            .collect::<Vec<_>>();
        if state.bind_groups.len() >= BIND_GROUPS_KEPT {
            state.bind_groups.clear();
        }
        let make = || self.make_bind_group(number, step, bound);
        state.bind_groups.entry((number, key)).or_insert_with(make)
    }

    fn make_bind_group(&self, number: usize, step: &Step, bound: &Bound<'_>) -> wgpu::BindGroup {
        let binding = |buffer, offset, bytes: u64| {
            // No binding may be empty; every buffer has at least 16 bytes.
            let size = wgpu::BufferSize::new(bytes.max(4));
            wgpu::BindingResource::Buffer(wgpu::BufferBinding { buffer, offset, size })
        };
        let region = |region: &Region| {
            let (storage, base) = self.locate(region.place, bound);
            binding(&storage.buffer, base + region.offset_bytes, region.bytes)
        };
        // A kernel without a bias binds its last operand once more in its place.
        let bindings = step.kernel.family.bindings();
        let reads = bindings.iter().filter(|binding| **binding == Binding::Read).count();
        let mut operands = (0..reads).map(|read| &step.operands[read.min(step.operands.len() - 1)]);
        let mut entries = Vec::with_capacity(bindings.len());
        for (slot, kind) in (0..).zip(bindings) {
            let from_block = match kind {
                Binding::Params => Some(step.params),
                Binding::Table => step.table,
                Binding::Read | Binding::Write => None,
            };
            let resource = match (kind, from_block, &self.block) {
                (_, Some(range), Some(block)) => {
                    Some(binding(&block.buffer, range.offset_bytes, range.bytes))
                }
                (Binding::Read, ..) => operands.next().map(region),
                (Binding::Write, ..) => Some(region(&step.result)),
                _ => None,
            };
            entries
                .extend(resource.map(|resource| wgpu::BindGroupEntry { binding: slot, resource }));
        }
        self.runtime.inner.device.create_bind_group(&wgpu::BindGroupDescriptor {
            label: Some(&step.node),
            layout: &self.pipelines[number].layout,
            entries: &entries,
        })
    }
}

impl Runtime {
    /// Waits until the device has done all submitted work.
    ///
    /// # Errors
    ///
    /// [`Error::DeviceLost`] when the device is gone.
    pub fn wait(&self) -> Result<()> {
        self.inner.fault.wait(&self.inner.device, "waiting for the device", None)
    }

    /// Waits until the device has done all submitted work; the async form of
    /// [`Runtime::wait`].
    ///
    /// # Errors
    ///
    /// As [`Runtime::wait`].
    pub async fn wait_async(&self) -> Result<()> {
        let inner = &*self.inner;
        inner.fault.check("waiting for the device")?;
        let (sender, receiver) = futures_channel::oneshot::channel();
        // An empty submission gives the poller something to wait for.
        let submission = inner.queue.submit([]);
        inner.queue.on_submitted_work_done(move || {
            let _ = sender.send(());
        });
        inner.poller.wait_for(submission);
        let _ = receiver.await;
        inner.fault.check("waiting for the device")
    }
}
