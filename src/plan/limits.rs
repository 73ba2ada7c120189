//! The device limits that a plan keeps.

/// Names the limits of a device that shape a plan.
///
/// The default is what every WebGPU device guarantees, and what a driver known to end long loops
/// gets through, so a plan made with it runs anywhere.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Limits {
    /// Largest range that a kernel can bind, in bytes.
    pub max_storage_buffer_binding_size: u64,
    /// Largest buffer, in bytes.
    pub max_buffer_size: u64,
    /// What a bound storage range's offset must be a multiple of, in bytes.
    pub min_storage_buffer_offset_alignment: u32,
    /// What a bound uniform range's offset must be a multiple of, in bytes.
    pub min_uniform_buffer_offset_alignment: u32,
    /// Most workgroups along one dimension of a dispatch.
    pub max_compute_workgroups_per_dimension: u32,
    /// Iterations of all loops of one thread together, where a driver ends them after so many
    /// without an error; `None` where no driver does.
    ///
    /// Dense layers are split along their inputs to keep it. What cannot be split is refused by
    /// `Runtime::prepare`, on such a driver alone.
    pub max_loop_iterations: Option<u64>,
}

/// What llvmpipe before Mesa 25 gets through: after 65,535 iterations it ends loops silently, and
/// what follows a sum has some too, as stages and rows of a tile.
pub(crate) const LLVMPIPE_ITERATIONS: u64 = 65_400;

impl Default for Limits {
    fn default() -> Self {
        Limits {
            max_storage_buffer_binding_size: 128 << 20,
            max_buffer_size: 256 << 20,
            min_storage_buffer_offset_alignment: 256,
            min_uniform_buffer_offset_alignment: 256,
            max_compute_workgroups_per_dimension: 65_535,
            max_loop_iterations: Some(LLVMPIPE_ITERATIONS),
        }
    }
}

impl Limits {
    /// Names the first limit that a device with limits `device` does not keep; the iterations of
    /// loops are counted by step.
    #[must_use]
    pub fn exceeded_on(&self, device: &Limits) -> Option<(&'static str, u64, u64)> {
        let most = [
            (
                "max_storage_buffer_binding_size",
                self.max_storage_buffer_binding_size,
                device.max_storage_buffer_binding_size,
            ),
            ("max_buffer_size", self.max_buffer_size, device.max_buffer_size),
            (
                "max_compute_workgroups_per_dimension",
                self.max_compute_workgroups_per_dimension.into(),
                device.max_compute_workgroups_per_dimension.into(),
            ),
        ];
        let alignments = [
            (
                "min_storage_buffer_offset_alignment",
                self.min_storage_buffer_offset_alignment,
                device.min_storage_buffer_offset_alignment,
            ),
            (
                "min_uniform_buffer_offset_alignment",
                self.min_uniform_buffer_offset_alignment,
                device.min_uniform_buffer_offset_alignment,
            ),
        ];
        let too_large = most.into_iter().find(|&(_, plan, device)| plan > device);
        too_large.or_else(|| {
            let coarse = |&(_, plan, device): &(&str, u32, u32)| {
                plan == 0 || device == 0 || plan % device != 0
            };
            let found = alignments.into_iter().find(coarse)?;
            Some((found.0, found.1.into(), found.2.into()))
        })
    }

    /// Returns the alignment of everything in the parameter block, in bytes.
    pub(crate) fn block_alignment(&self) -> u64 {
        let larger =
            self.min_uniform_buffer_offset_alignment.max(self.min_storage_buffer_offset_alignment);
        u64::from(larger.max(1))
    }
}
