//! Preparing: a plan becomes pipelines, buffers and one parameter upload.

use std::collections::HashMap;
use std::fmt;
use std::sync::mpsc::{RecvTimeoutError, channel};
use std::sync::{Arc, Mutex};

use super::bind::{BindKey, Bindings};
use super::executor::{Executor, Gpu, Prepared};
use super::loops::Warning;
use super::pipeline::Pipeline;
use super::tensor::Storage;
use super::upload::Upload;
use super::{Inner, Runtime, Tensor};
use crate::array::StagePolicy;
use crate::error::{Error, Result};
use crate::graph::Graph;
use crate::ledger::{Call, Cause, Guard, Method, Phases};
use crate::plan::{ExpectedCrossings, Plan, PlanOptions};

const PREPARING: &str = "preparing a session";

/// A plan made ready to run on a device, or on the host.
///
/// Runs move nothing between host and device. Cheap to clone; clones share what was prepared.
/// `Send + Sync`: several threads may run one session. On a device their runs follow one another; on the host executor they run
/// side by side, each in memory of its own that the session keeps for the next one.
///
/// ```
/// use longshore::{Graph, Runtime, Shape};
/// use ndarray::array;
///
/// # fn main() -> longshore::Result<()> {
/// let rt = Runtime::host();
/// let mut g = Graph::new();
/// let x = g.input("x", Shape::batch([2]));
/// let y = g.multiply(x, x)?;
/// g.output("y", y);
/// let session = rt.session(&g, 1)?;
/// for value in [2.0_f32, 3.0] {
///     let x = rt.stage("x", array![[value, -value]])?;
///     let y = session.run([("x", &x)])?.output("y")?.read()?;
///     assert_eq!(y, array![[value * value, value * value]].into_dyn());
/// }
/// assert_eq!(session.plan().batch(), 1);
/// # Ok(())
/// # }
/// ```
#[derive(Clone)]
pub struct Session {
    pub(super) runtime: Runtime,
    pub(super) plan: Arc<Plan>,
    pub(super) prepared: Arc<dyn Prepared>,
    warnings: Arc<[Warning]>,
}

/// A plan made ready on a device.
pub(super) struct GpuSession {
    /// One for each step.
    pub pipelines: Vec<Arc<Pipeline>>,
    pub weights: Vec<Tensor>,
    pub slots: Vec<Arc<Storage>>,
    /// The parameter block; none for a plan without parameters.
    pub block: Option<Arc<Storage>>,
    pub state: Mutex<State>,
}

/// What runs reuse.
#[derive(Default)]
pub(super) struct State {
    /// For each output of the plan, the buffers made for it so far.
    pub outputs: Vec<Vec<Arc<Storage>>>,
    /// Bind groups by step and by the buffers they bind.
    pub bind_groups: HashMap<BindKey, Bindings>,
}

impl fmt::Debug for Session {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Session")
            .field("adapter", &self.runtime.adapter().name)
            .field("batch", &self.plan.batch())
            .field("steps", &self.plan.steps().len())
            .finish_non_exhaustive()
    }
}

impl Runtime {
    /// Plans a graph for one batch size, within this runtime's limits, and makes it ready to run.
    ///
    /// That is [`Graph::plan_within`] and [`Runtime::prepare`]; [`Session::plan`] is the plan.
    ///
    /// ```
    /// use longshore::{Activation, Graph, HostArray, Runtime, Shape};
    ///
    /// # fn main() -> longshore::Result<()> {
    /// let rt = Runtime::host();
    /// let mut g = Graph::new();
    /// let x = g.input("x", Shape::batch([3]));
    /// let y = g.activation(x, Activation::Relu)?;
    /// g.output("y", y);
    /// let session = rt.session(&g, 1)?;
    ///
    /// let x = rt.stage("x", HostArray::from(ndarray::arr2(&[[-1.0_f32, 0.0, 2.0]])))?;
    /// let y = session.run([("x", &x)])?.output("y")?.read()?;
    /// assert_eq!(y, ndarray::arr2(&[[0.0, 0.0, 2.0]]).into_dyn());
    /// # Ok(())
    /// # }
    /// ```
    ///
    /// # Errors
    ///
    /// As both.
    #[track_caller]
    pub fn session(&self, graph: &Graph, batch: usize) -> Result<Session> {
        self.session_with(graph, batch, PlanOptions::new())
    }

    /// Plans a graph with given options and makes it ready to run; without limits among them,
    /// this runtime's are kept.
    ///
    /// # Errors
    ///
    /// As [`Runtime::session`].
    #[track_caller]
    pub fn session_with(
        &self,
        graph: &Graph,
        batch: usize,
        options: PlanOptions,
    ) -> Result<Session> {
        self.prepare(&graph.plan_with(batch, options.within(self.limits()))?)
    }

    /// Makes a plan ready to run: compiles its kernels, creates its buffers, uploads
    /// the weights that are still on the host and the parameter block.
    ///
    /// [`Plan::expected_crossings`] says what crosses. On the host executor nothing does, and
    /// there is nothing to compile.
    ///
    /// # Errors
    ///
    /// [`Error::Limit`] when the plan was made for larger limits than the device has, or has longer
    /// loops than its driver runs ([`Limits::max_loop_iterations`](crate::plan::Limits)),
    /// [`Error::Crossing`] when a guard refuses, [`Error::OutOfMemory`],
    /// [`Error::NonFinite`] for NaN in host weights, whose infinities are the graph's own, and
    /// [`Error::Overflow`] for values of theirs beyond f32.
    #[track_caller]
    pub fn prepare(&self, plan: &Plan) -> Result<Session> {
        self.prepare_with(plan, StagePolicy::default())
    }

    /// Makes a plan ready to run, packing host weights under a policy.
    ///
    /// # Errors
    ///
    /// As [`Runtime::prepare`].
    #[track_caller]
    pub fn prepare_with(&self, plan: &Plan, policy: StagePolicy) -> Result<Session> {
        self.check_limits(plan)?;
        let warnings = self.check_loops(plan)?;
        let call = self.call(Cause::Prepare);
        let prepared = self.inner.executor.prepare(self, plan, policy.for_constants(), call)?;
        let plan = Arc::new(plan.clone());
        Ok(Session { runtime: self.clone(), plan, prepared, warnings: warnings.into() })
    }

    pub(super) fn prepare_on_gpu(
        &self,
        gpu: &Gpu,
        plan: &Plan,
        policy: StagePolicy,
        call: Call<'_>,
    ) -> Result<GpuSession> {
        gpu.fault.poll(&gpu.device, PREPARING)?;
        let pipelines = self.compile(plan)?;
        let weights = self.stage_set("weights", call, plan.weights(), policy)?;
        let block = match Upload::parameters(plan, call) {
            None => None,
            Some(upload) => gpu.upload(&self.inner, &upload)?.places.pop().map(|(made, _)| made),
        };
        let slots = self.create_values("slot", plan.slots(), call)?;
        let outputs = self.create_values("output", plan.output_buffers(), call)?;
        let outputs = outputs.into_iter().map(|storage| vec![storage]).collect();
        let state = Mutex::new(State { outputs, bind_groups: HashMap::new() });
        gpu.fault.confirm(&gpu.device, PREPARING)?;
        Ok(GpuSession { pipelines, weights, slots, block, state })
    }

    /// Compiles a plan's kernels; with a time limit on a thread of its own, as no driver can be told
    /// to stop.
    fn compile(&self, plan: &Plan) -> Result<Vec<Arc<Pipeline>>> {
        let Some(limit) = self.inner.limit else {
            return self.inner.pipelines(plan.steps());
        };
        let (sender, receiver) = channel();
        let (inner, steps) = (Arc::clone(&self.inner), plan.steps().to_vec());
        // Late or not, what it compiles is kept for the next time.
        let compile = move || {
            let made = inner.pipelines(&steps);
            // Whoever waits may end the process, which is no time for this thread to close the device.
            drop(inner);
            sender.send(made)
        };
        if std::thread::Builder::new().name("longshore-compile".to_owned()).spawn(compile).is_err()
        {
            return self.inner.pipelines(plan.steps());
        }
        receiver.recv_timeout(limit).unwrap_or_else(|ended| {
            let doing = PREPARING.to_owned();
            Err(match ended {
                RecvTimeoutError::Timeout => {
                    Error::Timeout { doing, waited_for: "compiling its kernels".to_owned(), limit }
                }
                RecvTimeoutError::Disconnected => Error::Device {
                    doing,
                    message: "the thread that compiles panicked".to_owned(),
                    remedy: crate::error::BUG.to_owned(),
                },
            })
        })
    }

    fn check_limits(&self, plan: &Plan) -> Result<()> {
        match plan.limits().exceeded_on(self.limits()) {
            None => Ok(()),
            Some((name, planned, device)) => Err(Error::Limit {
                node: "prepare".to_owned(),
                tensor: format!("the plan's {name}"),
                needed: planned,
                unit: if name.contains("workgroups") { "workgroups" } else { "bytes" },
                limit_name: format!("{name} of {}", self.adapter().name),
                limit: Some(device),
                remedy: "plan for it with Runtime::session(graph, batch)".to_owned(),
            }),
        }
    }

    /// Creates a numbered buffer of each of these sizes.
    pub(super) fn create_values(
        &self,
        label: &str,
        sizes: &[u64],
        call: Call<'_>,
    ) -> Result<Vec<Arc<Storage>>> {
        let numbered = sizes.iter().enumerate();
        numbered
            .map(|(number, &bytes)| self.create_value(&format!("{label} {number}"), bytes, call))
            .collect()
    }

    /// Creates a buffer that kernels write; it is filled with zeros first.
    pub(super) fn create_value(
        &self,
        label: &str,
        bytes: u64,
        call: Call<'_>,
    ) -> Result<Arc<Storage>> {
        let Inner { ledger, executor, .. } = &*self.inner;
        let permit = ledger.permit(executor.internal(), call, label, bytes, 0)?;
        let storage = executor.create(&self.inner, label, bytes)?;
        permit.record(Method::ZeroFill, Phases::new());
        Ok(storage)
    }
}

impl Session {
    /// Returns the plan.
    #[must_use]
    pub fn plan(&self) -> &Plan {
        &self.plan
    }

    /// Returns the runtime.
    #[must_use]
    pub fn runtime(&self) -> &Runtime {
        &self.runtime
    }

    /// Returns the same session with a guard that it carries: the tensors of its runs are asked by
    /// it when they are read, on every thread.
    ///
    /// ```
    /// use longshore::{Error, Graph, Guard, Runtime, RuntimeOptions, Shape};
    /// use ndarray::array;
    ///
    /// # fn main() -> longshore::Result<()> {
    /// let rt = Runtime::host_with(RuntimeOptions::new().border())?;
    /// let mut g = Graph::new();
    /// let x = g.input("x", Shape::batch([2]));
    /// let y = g.multiply(x, x)?;
    /// g.output("y", y);
    /// let session = rt.session(&g, 1)?.with_guard(Guard::forbid().name("hot path"));
    /// let x = rt.stage("x", array![[1.0_f32, 2.0]])?;
    /// let run = session.run([("x", &x)])?;
    /// let read = std::thread::spawn(move || run["y"].read()).join().unwrap();
    /// assert!(matches!(read, Err(Error::Crossing { .. })));
    /// # Ok(())
    /// # }
    /// ```
    #[must_use]
    pub fn with_guard(&self, guard: Guard) -> Session {
        Session { runtime: self.runtime.with_guard(guard), ..self.clone() }
    }

    /// Returns what may go wrong on this device without an error, each kernel once: loops of
    /// kernels of the user's own that the driver may end early. They are logged too.
    #[must_use]
    pub fn warnings(&self) -> &[Warning] {
        &self.warnings
    }

    /// Returns how many bytes of host memory the session holds for its runs, at this moment.
    ///
    /// On the host executor these are the weights, each packed for the layer that uses it or as it
    /// is; tables; slots of runs that are not under way; and output buffers. Tensors that were
    /// staged as weights are the user's, and not counted. On a device it is 0.
    #[must_use]
    pub fn host_bytes(&self) -> u64 {
        self.prepared.host_bytes(&self.plan)
    }

    /// Returns the crossings that preparing this session has caused, and that running and
    /// reading will cause: those of [`Plan::expected_crossings`], or none on the host executor
    /// outside of border mode.
    #[must_use]
    pub fn expected_crossings(&self) -> ExpectedCrossings {
        self.prepared.expected_crossings(&self.plan)
    }
}
