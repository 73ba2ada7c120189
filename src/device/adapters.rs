//! The adapters of this machine.

use crate::ledger::AdapterSummary;
use crate::plan::Limits;

use super::open::{Backend, instance};
use super::{host, loops};

/// Describes one adapter.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct AdapterInfo {
    /// Name, API and driver.
    pub summary: AdapterSummary,
    /// The limits that plans for it keep.
    pub limits: Limits,
}

/// Lists what this machine has to compute on: its adapters, and the host executor (with the feature
/// `host`), whose API is `host`. The one that `Runtime::open` takes comes first.
#[must_use]
pub fn adapters() -> Vec<AdapterInfo> {
    let mut found = pollster::block_on(find(None));
    found.sort_by_key(|adapter| rank(adapter.get_info().device_type, false));
    let describe = |adapter: &wgpu::Adapter| AdapterInfo {
        summary: summarize(&adapter.get_info()),
        limits: plan_limits(&adapter.limits(), &adapter.get_info()),
    };
    let gpus = found.iter().filter(|adapter| is_gpu(adapter.get_info().device_type)).count();
    let mut list: Vec<AdapterInfo> = found.iter().map(describe).collect();
    list.splice(gpus..gpus, host::adapter());
    list
}

/// Tells whether a type is a GPU's, so that it is taken without being asked for.
pub(super) fn is_gpu(device_type: wgpu::DeviceType) -> bool {
    match device_type {
        wgpu::DeviceType::DiscreteGpu
        | wgpu::DeviceType::IntegratedGpu
        | wgpu::DeviceType::VirtualGpu => true,
        wgpu::DeviceType::Cpu | wgpu::DeviceType::Other => false,
    }
}

pub(super) async fn find(backend: Option<Backend>) -> Vec<wgpu::Adapter> {
    let backends = backend.map_or(wgpu::Backends::PRIMARY, Backend::to_wgpu);
    instance(backends).enumerate_adapters(backends).await
}

/// Orders adapters: real GPUs first, software last.
pub(super) fn rank(device_type: wgpu::DeviceType, low_power: bool) -> u8 {
    match device_type {
        wgpu::DeviceType::DiscreteGpu => u8::from(low_power),
        wgpu::DeviceType::IntegratedGpu => u8::from(!low_power),
        wgpu::DeviceType::VirtualGpu => 2,
        wgpu::DeviceType::Other => 3,
        wgpu::DeviceType::Cpu => 4,
    }
}

pub(super) fn summarize(info: &wgpu::AdapterInfo) -> AdapterSummary {
    let device_type = match info.device_type {
        wgpu::DeviceType::DiscreteGpu => "discrete-gpu",
        wgpu::DeviceType::IntegratedGpu => "integrated-gpu",
        wgpu::DeviceType::VirtualGpu => "virtual-gpu",
        wgpu::DeviceType::Cpu => "cpu",
        wgpu::DeviceType::Other => "other",
    };
    AdapterSummary {
        name: info.name.clone(),
        backend: info.backend.to_str().to_owned(),
        device_type: device_type.to_owned(),
        driver: info.driver.clone(),
        driver_info: info.driver_info.clone(),
    }
}

pub(super) fn plan_limits(limits: &wgpu::Limits, info: &wgpu::AdapterInfo) -> Limits {
    Limits {
        max_storage_buffer_binding_size: limits.max_storage_buffer_binding_size,
        max_buffer_size: limits.max_buffer_size,
        min_storage_buffer_offset_alignment: limits.min_storage_buffer_offset_alignment,
        min_uniform_buffer_offset_alignment: limits.min_uniform_buffer_offset_alignment,
        max_compute_workgroups_per_dimension: limits.max_compute_workgroups_per_dimension,
        max_loop_iterations: loops::limit(&info.driver, &info.driver_info),
    }
}
