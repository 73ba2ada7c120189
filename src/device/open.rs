//! Opening a device, or adopting the embedder's.

use std::sync::Arc;
use std::sync::atomic::AtomicU64;

use super::adapters::{find, is_gpu, plan_limits, rank, summarize};
use super::executor::Gpu;
use super::fault::Fault;
use super::host;
use super::pipeline::Pipelines;
use super::poller::Poller;
use super::pool::Pool;
use super::{Inner, Runtime};
use crate::error::{Error, Result};
use crate::ledger::Ledger;

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

/// Describes which adapter to open.
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

    /// Tells whether adapters of a type are taken.
    fn takes(&self, device_type: wgpu::DeviceType) -> bool {
        self.require_adapter || self.adapter.is_some() || is_gpu(device_type)
    }

    /// Tells whether the host executor is taken where there is no GPU.
    fn takes_host(&self) -> bool {
        !self.require_adapter && self.adapter.is_none() && self.backend.is_none()
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
        pollster::block_on(Runtime::open_async())
    }

    /// Opens an adapter by name, API or power preference.
    ///
    /// # Errors
    ///
    /// [`Error::NoAdapter`] where none is what the options ask for, with what to install;
    /// [`Error::Device`] when the driver refuses to open it.
    pub fn open_with(options: RuntimeOptions) -> Result<Self> {
        pollster::block_on(Runtime::open_with_async(options))
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
    /// # Errors
    ///
    /// As [`Runtime::open_with`].
    pub async fn open_with_async(options: RuntimeOptions) -> Result<Self> {
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
            let host = if options.takes_host() { host::open() } else { None };
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
        let fault = Arc::new(Fault::default());
        fault.register(&device);
        Ok(Runtime::assemble(device, queue, fault))
    }

    /// Adopts the embedder's device and queue; its limits are respected and its
    /// callbacks left as they are.
    #[must_use]
    pub fn from_wgpu(device: wgpu::Device, queue: wgpu::Queue) -> Self {
        Runtime::assemble(device, queue, Arc::new(Fault::default()))
    }

    fn assemble(device: wgpu::Device, queue: wgpu::Queue, fault: Arc<Fault>) -> Self {
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
            pipelines: Pipelines::default(),
            device,
            queue,
        };
        Runtime {
            inner: Arc::new(Inner {
                limits,
                ledger: Ledger::new(summary),
                executor: Box::new(gpu),
                buffers_created: AtomicU64::new(0),
            }),
        }
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
