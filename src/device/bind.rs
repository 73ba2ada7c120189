//! Binding: from a plan's numbered places to buffers.

use std::sync::{Arc, Weak};

use super::Tensor;
use super::executor::Gpu;
use super::prepare::{GpuSession, State};
use super::tensor::Storage;
use crate::kernels::Binding;
use crate::plan::{Place, Region, Step};

/// Bind groups kept by a session before it starts over.
const BIND_GROUPS_KEPT: usize = 4096;

/// A step, and the buffer and offset of each of its operands and its result.
pub(super) type BindKey = (usize, Vec<(u64, u64)>);

/// A bind group with the buffers it holds.
pub(super) struct Bindings {
    group: wgpu::BindGroup,
    storages: Vec<Weak<Storage>>,
}

impl Bindings {
    /// Tells whether every buffer is still somebody's.
    fn is_alive(&self) -> bool {
        self.storages.iter().all(|storage| storage.strong_count() > 0)
    }
}

/// The buffers one run works on.
pub(super) struct Bound<'a> {
    pub inputs: &'a [&'a Tensor],
    pub outputs: Vec<Arc<Storage>>,
}

impl GpuSession {
    /// Returns the buffer of a place and where its data begins.
    pub(super) fn locate<'b>(
        &'b self,
        place: Place,
        bound: &'b Bound<'_>,
    ) -> (&'b Arc<Storage>, u64) {
        match place {
            Place::Input(number) => bound.inputs[number].place(),
            Place::Weight(number) => self.weights[number].place(),
            Place::Slot(number) => (&self.slots[number], 0),
            Place::Output(number) => (&bound.outputs[number], 0),
        }
    }

    /// Finds or makes the bind group of a step for this run's buffers.
    pub(super) fn bind_group<'s>(
        &self,
        gpu: &Gpu,
        state: &'s mut State,
        number: usize,
        step: &Step,
        bound: &Bound<'_>,
    ) -> &'s wgpu::BindGroup {
        let regions = step.operands.iter().chain([&step.result]);
        let (key, storages): (Vec<_>, Vec<_>) = regions
            .map(|region| {
                let (storage, offset) = self.locate(region.place, bound);
                ((storage.id, offset), Arc::downgrade(storage))
            })
            .unzip();
        let key = (number, key);
        if !state.bind_groups.contains_key(&key) {
            // A bind group keeps its buffers' memory: those of dropped tensors must go, or
            // a stream of inputs would fill the device.
            state.bind_groups.retain(|_, bindings| bindings.is_alive());
            if state.bind_groups.len() >= BIND_GROUPS_KEPT {
                state.bind_groups.clear();
            }
        }
        let make = || Bindings { group: self.make_bind_group(gpu, number, step, bound), storages };
        &state.bind_groups.entry(key).or_insert_with(make).group
    }

    fn make_bind_group(
        &self,
        gpu: &Gpu,
        number: usize,
        step: &Step,
        bound: &Bound<'_>,
    ) -> wgpu::BindGroup {
        let region = |region: &Region| {
            let (storage, base) = self.locate(region.place, bound);
            binding(storage, base + region.offset_bytes, region.bytes)
        };
        let bindings = step.work.bindings();
        let bound_operands = step.work.operands_bound(step.operands.len());
        let mut operands = bound_operands.iter().filter_map(|&number| step.operands.get(number));
        let mut entries = Vec::with_capacity(bindings.len());
        for (slot, kind) in bindings {
            let from_block = match kind {
                Binding::Params => Some(step.params),
                Binding::Table => step.table,
                Binding::Read | Binding::Extra | Binding::Write => None,
            };
            let resource = match (kind, from_block, &self.block) {
                (_, Some(range), Some(block)) => binding(block, range.offset_bytes, range.bytes),
                (Binding::Read | Binding::Extra, ..) => operands.next().and_then(region),
                (Binding::Write, ..) => region(&step.result),
                _ => None,
            };
            entries
                .extend(resource.map(|resource| wgpu::BindGroupEntry { binding: slot, resource }));
        }
        gpu.device.create_bind_group(&wgpu::BindGroupDescriptor {
            label: Some(&step.node),
            layout: &self.pipelines[number].layout,
            entries: &entries,
        })
    }
}

/// Names a range of a device's buffer for a bind group.
fn binding(storage: &Storage, offset: u64, bytes: u64) -> Option<wgpu::BindingResource<'_>> {
    let buffer = storage.buffer()?;
    // No binding may be empty; every buffer has at least 16 bytes.
    let size = wgpu::BufferSize::new(bytes.max(4));
    Some(wgpu::BindingResource::Buffer(wgpu::BufferBinding { buffer, offset, size }))
}

#[cfg(test)]
mod tests {
    use super::super::executor::Prepared;
    use crate::ledger::Cause;
    use crate::{Activation, Dim, Graph, HostArray, Runtime, StagePolicy};
    use ndarray::ArrayD;

    #[test]
    fn a_stream_of_inputs_leaves_no_bind_groups_behind() {
        let (device, queue) = wgpu::Device::noop(&wgpu::DeviceDescriptor::default());
        let rt = Runtime::from_wgpu(device, queue);
        let mut g = Graph::new();
        let x = g.input("x", [Dim::Batch, 6.into()]);
        let y = g.activation(x, Activation::Relu).unwrap();
        let y = g.add(y, x).unwrap();
        g.output("y", y);
        let plan = g.plan(1).unwrap();
        let session = rt.prepare(&plan).unwrap();
        let gpu = rt.inner.gpu("preparing").unwrap();
        let prepared =
            rt.prepare_on_gpu(gpu, &plan, StagePolicy::default(), rt.call(Cause::Prepare)).unwrap();
        let array = ArrayD::<f32>::zeros(vec![1, 6]);
        for _ in 0..50 {
            let x = rt.stage("x", HostArray::from_view(&array)).unwrap();
            prepared.run(&session, &[&x], rt.call(Cause::Run)).unwrap();
        }
        let kept = prepared.state.lock().unwrap().bind_groups.len();
        assert!(kept <= 2 * 2, "{kept} bind groups hold the buffers of 50 inputs");
    }
}
