//! Border mode: the host executor counts what the same plan would move on a device.

use super::host;
use super::upload::Upload;
use crate::error::Result;
use crate::ledger::{Call, Direction, Ledger, Method, Permit, Phases};
use crate::plan::{Limits, Plan};

/// Whether the host executor counts moves within host memory as a device's.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(super) enum Border {
    /// Nothing crosses.
    #[default]
    Absent,
    /// As if a device of WebGPU's default limits lay behind it.
    Counted,
}

/// An upload that the guards have let pass.
pub(super) struct Permits {
    permit: Permit,
    /// The copy that a device makes of it.
    internal: Option<Permit>,
}

impl Permits {
    pub(super) fn record(self, phases: Phases) {
        self.permit.record(Method::HostCopy, phases);
        if let Some(internal) = self.internal {
            internal.record(Method::HostCopy, Phases::new());
        }
    }
}

impl Border {
    /// Returns the limits that plans keep: in border mode a device's, so that plans are the same.
    pub(super) fn limits(self) -> Limits {
        match self {
            Border::Absent => host::limits(),
            // Which loops a driver ends is its own fault.
            Border::Counted => Limits { max_loop_iterations: None, ..Limits::default() },
        }
    }

    /// Returns what moves within the executor's own memory count as.
    pub(super) fn internal(self) -> Direction {
        match self {
            Border::Absent => Direction::HostInternal,
            Border::Counted => Direction::DeviceInternal,
        }
    }

    /// Returns what reading counts as; none where it is internal.
    pub(super) fn download(self) -> Option<Direction> {
        match self {
            Border::Absent => None,
            Border::Counted => Some(Direction::DeviceToHost),
        }
    }

    /// Asks the guards for an upload.
    pub(super) fn permit(self, ledger: &Ledger, upload: &Upload<'_, '_>) -> Result<Permits> {
        let Upload { call, label, payload_bytes, total_bytes, .. } = *upload;
        let padding = total_bytes.saturating_sub(payload_bytes);
        let ask = |direction| ledger.permit(direction, call, label, payload_bytes, padding);
        Ok(match self {
            Border::Absent => Permits { permit: ask(Direction::HostInternal)?, internal: None },
            Border::Counted => Permits {
                permit: ask(Direction::HostToDevice)?,
                internal: Some(ask(Direction::DeviceInternal)?),
            },
        })
    }

    /// Counts the parameter block, which the host does not need.
    pub(super) fn charge_parameters(
        self,
        ledger: &Ledger,
        plan: &Plan,
        call: Call<'_>,
    ) -> Result<()> {
        match self {
            Border::Absent => Ok(()),
            Border::Counted => {
                if let Some(upload) = Upload::parameters(plan, call) {
                    self.permit(ledger, &upload)?.record(Phases::new());
                }
                Ok(())
            }
        }
    }
}
