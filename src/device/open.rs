//! Opening a device, or adopting the embedder's.

use std::sync::Arc;
use std::sync::atomic::AtomicU64;
use std::time::Duration;

use super::adapters::{find, is_gpu, plan_limits, rank, summarize};
use super::border::Border;
use super::executor::{CLOSING, Gpu};
use super::fault::Fault;
use super::host;
use super::pipeline::Pipelines;
use super::poller::Poller;
use super::pool::Pool;
use super::worker::Worker;
use super::{Inner, Runtime};
use crate::error::{Error, Result};
use crate::ledger::{Carried, Ledger};

/// Names a graphics API.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Backend {
    /// Vulkan.
    Vulkan,
    /// Metal.
    Metal,
    /// Direct3D 12.
    Dx12,
}

impl Backend {
    pub(super) fn to_wgpu(self) -> wgpu::Backends {
        match self {
            Backend::Vulkan => wgpu::Backends::VULKAN,
            Backend::Metal => wgpu::Backends::METAL,
            Backend::Dx12 => wgpu::Backends::DX12,
        }
    }
}

/// Names which GPU to take where there are two.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum PowerPreference {
    /// A discrete GPU before an integrated one.
    #[default]
    HighPerformance,
    /// An integrated GPU before a discrete one.
    LowPower,
}

/// Describes which adapter to open, and how long calls may wait for it.
///
/// ```
/// use longshore::{Error, Runtime, RuntimeOptions};
///
/// let options = RuntimeOptions::new().adapter("no adapter has this name");
/// let error = Runtime::open_with(options).unwrap_err();
/// assert!(matches!(error, Error::NoAdapter { .. }));
/// assert!(error.to_string().contains("whose name contains \"no adapter has this name\""));
/// ```
#[derive(Clone, Debug, Default)]
pub struct RuntimeOptions {
    adapter: Option<String>,
    backend: Option<Backend>,
    power: PowerPreference,
    require_adapter: bool,
    pub(super) timeout: Option<Duration>,
    pub(super) host_pool: HostPool,
    pub(super) border: Border,
}

/// Whose threads the host executor computes on.
#[derive(Clone, Debug, Default)]
pub(super) enum HostPool {
    /// Those of the pool that a call is made in, else of rayon's global pool.
    #[default]
    Caller,
    /// So many of its own.
    Own(usize),
    /// The embedder's.
    Given(Arc<rayon::ThreadPool>),
}

impl RuntimeOptions {
    /// Makes options that take the fastest GPU of any API, else the host executor.
    #[must_use]
    pub fn new() -> Self {
        RuntimeOptions::default()
    }

    /// Takes only an adapter whose name contains this text, in any case; also a software one.
    #[must_use]
    pub fn adapter(mut self, name: impl Into<String>) -> Self {
        self.adapter = Some(name.into());
        self
    }

    /// Takes only adapters of one API, never the host executor.
    #[must_use]
    pub fn backend(mut self, backend: Backend) -> Self {
        self.backend = Some(backend);
        self
    }

    /// Sets which GPU to take where there are two.
    #[must_use]
    pub fn power(mut self, power: PowerPreference) -> Self {
        self.power = power;
        self
    }

    /// Takes any adapter, a software one where there is no GPU, and never the host executor.
    #[must_use]
    pub fn require_adapter(mut self) -> Self {
        self.require_adapter = true;
        self
    }

    /// Sets how long a call may wait for the device; without, it waits as long as the work takes.
    ///
    /// It holds for [`Tensor::read`](crate::Tensor::read), [`Runtime::wait`] and their async forms,
    /// and for the kernels that [`Runtime::prepare`] has the driver compile; on a software adapter,
    /// whose driver may hold up what is submitted while the device is busy, also for staging,
    /// preparing and running, which wait for the work before them then. A call that takes
    /// longer is [`Error::Timeout`], which says what was waited for; the work itself goes on, as no
    /// device can be told to stop. Dropping the last handle of the runtime waits as long for its work,
    /// or for 10 seconds without a limit, and leaves it to a thread then. On the host executor, where
    /// nothing is waited for, a run is held to it between its steps.
    ///
    /// ```
    /// use std::time::Duration;
    ///
    /// use longshore::{Runtime, RuntimeOptions};
    ///
    /// # fn main() -> longshore::Result<()> {
    /// let rt = Runtime::open_with(RuntimeOptions::new().timeout(Duration::from_secs(30)))?;
    /// rt.wait()?; // Error::Timeout, if the device is not done in half a minute
    /// # Ok(())
    /// # }
    /// ```
    #[must_use]
    pub fn timeout(mut self, limit: Duration) -> Self {
        self.timeout = Some(limit);
        self
    }

    /// Gives the host executor a pool of its own with so many threads, where it is what is opened.
    ///
    /// Without this and [`RuntimeOptions::host_pool`] it computes in the pool of rayon's that a call
    /// is made in, else in rayon's global one.
    ///
    /// ```
    /// use longshore::{Runtime, RuntimeOptions};
    ///
    /// # fn main() -> longshore::Result<()> {
    /// let rt = Runtime::host_with(RuntimeOptions::new().host_threads(2))?;
    /// assert_eq!(rt.adapter().name, "host (2 threads)");
    /// # Ok(())
    /// # }
    /// ```
    #[must_use]
    pub fn host_threads(mut self, threads: usize) -> Self {
        self.host_pool = HostPool::Own(threads);
        self
    }

    /// Has the host executor, where it is what is opened, compute in a pool of the embedder's,
    /// whichever thread calls.
    #[must_use]
    pub fn host_pool(mut self, pool: Arc<rayon::ThreadPool>) -> Self {
        self.host_pool = HostPool::Given(pool);
        self
    }

    /// Has the host executor, where it is what is opened, count what it moves as a device would.
    ///
    /// Staging, preparing and reading are charged as the crossings that the same plan causes on a
    /// device with WebGPU's default limits: the ledger has the same events with the same bytes, and
    /// guards refuse the same calls. So tests of crossings mean the same on a machine without any
    /// driver. Results and speed are as without it.
    ///
    /// ```
    /// use longshore::{Error, Runtime, RuntimeOptions};
    /// use ndarray::array;
    ///
    /// # fn main() -> longshore::Result<()> {
    /// let rt = Runtime::host_with(RuntimeOptions::new().border())?;
    /// let x = rt.stage("x", array![1.0_f32, 2.0, 3.0])?;
    /// assert_eq!(rt.ledger().totals().host_to_device.payload_bytes, 12);
    /// let refused = rt.forbid_crossings(|| x.read());
    /// assert!(matches!(refused, Err(Error::Crossing { .. })));
    /// # Ok(())
    /// # }
    /// ```
    #[must_use]
    pub fn border(mut self) -> Self {
        self.border = Border::Counted;
        self
    }

    /// Tells whether adapters of a type are taken.
    fn takes(&self, device_type: wgpu::DeviceType) -> bool {
        self.require_adapter || self.adapter.is_some() || is_gpu(device_type)
    }

    /// Tells whether the host executor is taken where there is no GPU.
    fn takes_host(&self) -> bool {
        !self.require_adapter && self.adapter.is_none() && self.backend.is_none()
    }

    /// Refuses options that choose an adapter where none is looked for.
    pub(super) fn refuse_choice(&self, node: &str) -> Result<()> {
        let given = [
            ("adapter", self.adapter.is_some()),
            ("backend", self.backend.is_some()),
            ("power", self.power != PowerPreference::default()),
            ("require_adapter", self.require_adapter),
        ];
        refuse_given(node, &given)
    }

    fn describe(&self) -> String {
        let any = if self.require_adapter { "any adapter" } else { "any GPU" };
        let name = self
            .adapter
            .as_ref()
            .map_or(any.to_owned(), |name| format!("an adapter whose name contains \"{name}\""));
        match self.backend {
            Some(backend) => format!("{name} through {backend:?}"),
            None => name,
        }
    }
}

impl Runtime {
    /// Opens the fastest GPU, a discrete one, else an integrated or virtual one; where there
    /// is none, the host executor, as [`Runtime::host`] does.
    ///
    /// [`Runtime::adapter`] and the log say which. A software adapter is slower than the host
    /// executor, so it is taken only when it is asked for.
    ///
    /// # Errors
    ///
    /// [`Error::Device`] when the driver refuses to open the GPU; [`Error::NoAdapter`] where
    /// there is none and longshore was built without its feature `host`.
    pub fn open() -> Result<Self> {
        Runtime::open_with(RuntimeOptions::default())
    }

    /// Opens an adapter by name, API or power preference.
    ///
    /// # Errors
    ///
    /// [`Error::NoAdapter`] where none is what the options ask for, with what to install;
    /// [`Error::Device`] when the driver refuses to open it.
    pub fn open_with(options: RuntimeOptions) -> Result<Self> {
        pollster::block_on(Runtime::open_here(options))
    }

    /// Opens the fastest GPU or the host executor; the async form of [`Runtime::open`].
    ///
    /// # Errors
    ///
    /// As [`Runtime::open`].
    pub async fn open_async() -> Result<Self> {
        Runtime::open_with_async(RuntimeOptions::default()).await
    }

    /// Opens an adapter by options; the async form of [`Runtime::open_with`].
    ///
    /// A thread of its own opens, as drivers work for tens of milliseconds.
    ///
    /// # Errors
    ///
    /// As [`Runtime::open_with`].
    pub async fn open_with_async(options: RuntimeOptions) -> Result<Self> {
        let open = move |_: &dyn Fn() -> bool| Runtime::open_with(options);
        Worker::default().start("opening a runtime", open).keep().await
    }

    async fn open_here(options: RuntimeOptions) -> Result<Self> {
        let low_power = options.power == PowerPreference::LowPower;
        let mut found = find(options.backend).await;
        found.sort_by_key(|adapter| rank(adapter.get_info().device_type, low_power));
        let names: Vec<String> = found.iter().map(|adapter| adapter.get_info().name).collect();
        let wanted = options.adapter.as_ref().map(|name| name.to_lowercase());
        let matches = |adapter: &wgpu::Adapter| {
            let info = adapter.get_info();
            let name = info.name.to_lowercase();
            options.takes(info.device_type)
                && wanted.as_ref().is_none_or(|wanted| name.contains(wanted))
        };
        let Some(adapter) = found.into_iter().find(matches) else {
            log::info!("nothing that is taken among the adapters [{}]", names.join(", "));
            let host = if options.takes_host() { host::open(&options)? } else { None };
            return host.ok_or_else(|| no_adapter(&options, &names));
        };
        let descriptor = wgpu::DeviceDescriptor {
            label: Some("longshore"),
            // wgpu's defaults are far below most devices: 128 MiB bindings, say.
            required_limits: adapter.limits(),
            ..Default::default()
        };
        let (device, queue) =
            adapter.request_device(&descriptor).await.map_err(|error| Error::Device {
                doing: format!("opening adapter \"{}\"", adapter.get_info().name),
                message: error.to_string(),
                remedy: "update the driver, or choose another adapter by name".to_owned(),
            })?;
        let fault = Fault::new(&device);
        fault.register(&device);
        Ok(Runtime::assemble(device, queue, fault, options.timeout))
    }

    /// Adopts the embedder's device and queue; its limits are respected and its
    /// callbacks left as they are.
    #[must_use]
    pub fn from_wgpu(device: wgpu::Device, queue: wgpu::Queue) -> Self {
        let fault = Fault::new(&device);
        Runtime::assemble(device, queue, fault, None)
    }

    /// Adopts the embedder's device and queue with options: a time limit.
    ///
    /// # Errors
    ///
    /// [`Error::Unsupported`] for options that choose an adapter or the host's threads.
    pub fn from_wgpu_with(
        device: wgpu::Device,
        queue: wgpu::Queue,
        options: RuntimeOptions,
    ) -> Result<Self> {
        let node = "adopting a device";
        options.refuse_choice(node)?;
        let is_given = |pool: &HostPool| !matches!(pool, HostPool::Caller);
        refuse_given(node, &[("host_threads or host_pool", is_given(&options.host_pool))])?;
        let fault = Fault::new(&device);
        Ok(Runtime::assemble(device, queue, fault, options.timeout))
    }

    fn assemble(
        device: wgpu::Device,
        queue: wgpu::Queue,
        fault: Fault,
        limit: Option<Duration>,
    ) -> Self {
        let info = device.adapter_info();
        let summary = summarize(&info);
        log::info!("longshore runs on {summary}");
        let limits = plan_limits(&device.limits(), &info);
        let upload = wgpu::BufferUsages::MAP_WRITE | wgpu::BufferUsages::COPY_SRC;
        let readback = wgpu::BufferUsages::MAP_READ | wgpu::BufferUsages::COPY_DST;
        let gpu = Gpu {
            fault,
            uploads: Pool::new("upload", upload, limits.max_buffer_size),
            readbacks: Pool::new("readback", readback, limits.max_buffer_size),
            poller: Poller::new(device.clone()),
            closing: limit.unwrap_or(CLOSING),
            submitting: limit.filter(|_| info.device_type == wgpu::DeviceType::Cpu),
            pipelines: Pipelines::default(),
            device,
            queue,
        };
        Runtime {
            guards: Carried::default(),
            inner: Arc::new(Inner {
                limits,
                ledger: Ledger::new(summary),
                executor: Box::new(gpu),
                limit,
                worker: Arc::default(),
                buffers_created: AtomicU64::new(0),
            }),
        }
    }
}

/// Refuses the first option that is given.
fn refuse_given(node: &str, options: &[(&str, bool)]) -> Result<()> {
    match options.iter().find(|(_, is_given)| *is_given) {
        Some((option, _)) => Err(Error::Unsupported {
            node: node.to_owned(),
            what: format!("RuntimeOptions::{option}"),
            remedy: "leave it out: there is nothing to choose".to_owned(),
        }),
        None => Ok(()),
    }
}

pub(super) fn instance(backends: wgpu::Backends) -> wgpu::Instance {
    let descriptor = wgpu::InstanceDescriptor::new_without_display_handle();
    wgpu::Instance::new(wgpu::InstanceDescriptor { backends, ..descriptor })
}

fn no_adapter(options: &RuntimeOptions, names: &[String]) -> Error {
    let remedy = if options.takes_host() {
        "enable longshore's feature `host` for the host executor, or take any adapter, a software \
         one too, with RuntimeOptions::require_adapter()"
    } else if !names.is_empty() {
        "ask for one of these, or for the host executor: Runtime::host()"
    } else if cfg!(target_os = "linux") {
        "install a Vulkan driver: the GPU vendor's, or for a software one on Debian or Ubuntu \
         `apt-get install mesa-vulkan-drivers`; the host executor needs none: Runtime::host()"
    } else if cfg!(target_os = "macos") {
        "Metal is part of macOS: run on a machine or virtual machine with a GPU"
    } else if cfg!(target_os = "windows") {
        "install the GPU vendor's driver; Windows' own software adapter is WARP"
    } else {
        "install a Vulkan driver"
    };
    Error::NoAdapter {
        asked: options.describe(),
        found: if names.is_empty() { "none".to_owned() } else { names.join(", ") },
        remedy: remedy.to_owned(),
    }
}
