//! Running: a session's steps over staged inputs; nothing crosses.

use std::collections::BTreeMap;
use std::ops::Index;
use std::sync::{Arc, PoisonError};
use std::time::Instant;

use super::bind::Bound;
use super::executor::Prepared;
use super::patience::Patience;
use super::prepare::{GpuSession, Session, State};
use super::tensor::Storage;
use super::{Runtime, Tensor};
use crate::error::{Error, Result};
use crate::ledger::{Call, Cause};
use crate::plan::{ExpectedCrossings, Place, Plan};

const WAITING: &str = "waiting for the device";

/// The outputs of one run, on the device.
///
/// Their buffers return to the session when the last tensor that shares them is
/// dropped, and the next run writes into them.
///
/// ```
/// use longshore::{Error, Graph, Runtime, Shape};
/// use ndarray::array;
///
/// # fn main() -> longshore::Result<()> {
/// let rt = Runtime::host();
/// let mut g = Graph::new();
/// let x = g.input("x", Shape::batch([2]));
/// let sum = g.add(x, x)?;
/// g.output("sum", sum);
/// g.output("same", x);
/// let x = rt.stage("x", array![[1.0_f32, 2.0]])?;
/// let run = rt.session(&g, 1)?.run([("x", &x)])?;
/// assert_eq!(run.output("sum")?.read()?, array![[2.0, 4.0]].into_dyn());
/// assert!(matches!(run.output("product"), Err(Error::Name { .. })));
/// # Ok(())
/// # }
/// ```
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

impl Session {
    /// Submits the steps over staged inputs and returns the outputs, still on the device.
    ///
    /// Nothing crosses, nothing waits; after the first run nothing is created either,
    /// unless outputs of earlier runs are still held. On the host executor the steps are
    /// done when it returns.
    ///
    /// # Errors
    ///
    /// [`Error::Name`] for an input that is missing, unknown or given twice,
    /// [`Error::Operand`] for one of another shape or another runtime, and what the
    /// device reports.
    #[track_caller]
    pub fn run<'a>(&self, inputs: impl IntoIterator<Item = (&'a str, &'a Tensor)>) -> Result<Run> {
        let call = self.runtime.call(Cause::Run);
        self.prepared.run(self, &self.bind_inputs(inputs)?, call)
    }

    /// Records the steps into the embedder's own encoder; nothing is submitted.
    ///
    /// The outputs hold their values once the embedder has submitted the encoder. Runs
    /// recorded into encoders share the session's buffers, so submit them in the order
    /// they were recorded.
    ///
    /// # Errors
    ///
    /// As [`Session::run`]; [`Error::Unsupported`] on the host executor, which has no encoder.
    #[track_caller]
    pub fn record<'a>(
        &self,
        inputs: impl IntoIterator<Item = (&'a str, &'a Tensor)>,
        encoder: &mut wgpu::CommandEncoder,
    ) -> Result<Run> {
        let call = self.runtime.call(Cause::Run);
        // The host has no encoder, whatever the inputs.
        self.runtime.inner.gpu("recording a run")?;
        self.prepared.record(self, &self.bind_inputs(inputs)?, encoder, call)
    }

    /// Matches what the caller brings with what the plan needs.
    pub(super) fn bind_inputs<'a>(
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

    /// Names the outputs, which lie where `locate` says. One that is an input under another name
    /// carries that tensor's guards too.
    pub(super) fn collect<'a>(
        &self,
        inputs: &[&Tensor],
        locate: impl Fn(Place) -> Option<(&'a Arc<Storage>, u64)>,
    ) -> Result<Run> {
        let mut outputs = BTreeMap::new();
        for port in self.plan.outputs() {
            let (storage, offset_bytes) = locate(port.place).ok_or_else(|| Error::Device {
                doing: format!("collecting output \"{}\"", port.name),
                message: format!("{:?} holds no output", port.place),
                remedy: crate::error::BUG.to_owned(),
            })?;
            let own = &self.runtime.guards;
            let guards = match port.place {
                Place::Input(number) => inputs.get(number).map(|input| own.and(&input.guards)),
                Place::Weight(_) | Place::Slot(_) | Place::Output(_) => None,
            };
            let tensor = Tensor {
                runtime: Arc::clone(&self.runtime.inner),
                storage: Arc::clone(storage),
                offset_bytes,
                shape: port.shape.clone(),
                label: port.name.as_str().into(),
                guards: guards.unwrap_or_else(|| own.clone()),
            };
            outputs.insert(port.name.clone(), tensor);
        }
        Ok(Run { outputs })
    }
}

impl Prepared for GpuSession {
    fn run(&self, session: &Session, inputs: &[&Tensor], call: Call<'_>) -> Result<Run> {
        let gpu = session.runtime.inner.gpu("running a session")?;
        gpu.make_way("running a session")?;
        let descriptor = wgpu::CommandEncoderDescriptor { label: Some("run") };
        let create = || gpu.device.create_command_encoder(&descriptor);
        let mut encoder = gpu.fault.watch(&gpu.device, "running a session", 0, create)?;
        // The state stays locked until the work is submitted: a buffer given to this run
        // must not be given to another before.
        let (run, state) = self.encode(session, inputs, &mut encoder, call)?;
        let submit = || gpu.queue.submit([encoder.finish()]);
        gpu.fault.watch(&gpu.device, "submitting a run", 0, submit)?;
        drop(state);
        gpu.fault.confirm(&gpu.device, "running a session")?;
        Ok(run)
    }

    fn record(
        &self,
        session: &Session,
        inputs: &[&Tensor],
        encoder: &mut wgpu::CommandEncoder,
        call: Call<'_>,
    ) -> Result<Run> {
        let run = self.encode(session, inputs, encoder, call)?.0;
        let gpu = session.runtime.inner.gpu("recording a run")?;
        gpu.fault.confirm(&gpu.device, "recording a run")?;
        Ok(run)
    }

    fn expected_crossings(&self, plan: &Plan) -> ExpectedCrossings {
        plan.expected_crossings()
    }

    fn host_bytes(&self, _: &Plan) -> u64 {
        0
    }
}

impl GpuSession {
    fn encode(
        &self,
        session: &Session,
        inputs: &[&Tensor],
        encoder: &mut wgpu::CommandEncoder,
        call: Call<'_>,
    ) -> Result<(Run, std::sync::MutexGuard<'_, State>)> {
        let gpu = session.runtime.inner.gpu("recording a run")?;
        gpu.fault.poll(&gpu.device, "running a session")?;
        let mut state = self.state.lock().unwrap_or_else(PoisonError::into_inner);
        let outputs = take_outputs(session, &mut state, call)?;
        let bound = Bound { inputs, outputs };
        let run = session.collect(inputs, |place| Some(self.locate(place, &bound)))?;
        gpu.fault.watch(&gpu.device, "recording a run", 0, || {
            let mut pass = encoder.begin_compute_pass(&wgpu::ComputePassDescriptor {
                label: Some("run"),
                timestamp_writes: None,
            });
            for (number, step) in session.plan.steps().iter().enumerate() {
                let group = self.bind_group(gpu, &mut state, number, step, &bound);
                pass.set_pipeline(&self.pipelines[number].pipeline);
                pass.set_bind_group(0, group, &[]);
                let [x, y, z] = step.workgroups;
                pass.dispatch_workgroups(x, y, z);
            }
        })?;
        Ok((run, state))
    }
}

/// Takes a free buffer for each output, creating one where all are still held.
fn take_outputs(session: &Session, state: &mut State, call: Call<'_>) -> Result<Vec<Arc<Storage>>> {
    let sizes = session.plan.output_buffers();
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
        let made = session.runtime.create_value(&label, bytes, call)?;
        buffers.push(Arc::clone(&made));
        taken.push(made);
    }
    Ok(taken)
}

impl Runtime {
    /// Waits until the device has done all submitted work.
    ///
    /// # Errors
    ///
    /// [`Error::DeviceLost`] when the device is gone, [`Error::Timeout`] beyond the time limit of
    /// [`RuntimeOptions::timeout`](crate::RuntimeOptions::timeout).
    pub fn wait(&self) -> Result<()> {
        self.inner.executor.wait(&Patience::new(WAITING, self.inner.limit))
    }

    /// Waits until the device has done all submitted work; the async form of
    /// [`Runtime::wait`].
    ///
    /// # Errors
    ///
    /// As [`Runtime::wait`].
    pub async fn wait_async(&self) -> Result<()> {
        let (inner, started) = (Arc::clone(&self.inner), Instant::now());
        let wait = move |is_canceled: &dyn Fn() -> bool| {
            let patience = Patience::new(WAITING, inner.limit);
            inner.executor.wait(&patience.since(started).until(is_canceled))
        };
        self.inner.worker.start(WAITING, wait).keep().await
    }
}
