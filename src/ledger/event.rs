//! What one crossing is: its direction, cause, method, sizes and times.

use std::collections::BTreeMap;
use std::fmt;

use serde::Serialize;

use super::site::Site;

/// Tells which way bytes moved.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord, Serialize)]
#[serde(rename_all = "snake_case")]
pub enum Direction {
    /// From host memory into memory the device computes on.
    HostToDevice,
    /// From the device back into host memory.
    DeviceToHost,
    /// Inside the device, behind the API: staging copies and zero fills.
    DeviceInternal,
    /// Inside host memory, where the host executor computes: packing, reading and zero fills.
    /// Nothing crosses.
    HostInternal,
}

impl Direction {
    /// All directions, in the order of the ledger's columns.
    pub const ALL: [Direction; 4] = [
        Direction::HostToDevice,
        Direction::DeviceToHost,
        Direction::DeviceInternal,
        Direction::HostInternal,
    ];

    /// Tells whether bytes pass between host and device.
    #[must_use]
    pub fn is_crossing(self) -> bool {
        matches!(self, Direction::HostToDevice | Direction::DeviceToHost)
    }

    pub(crate) fn index(self) -> usize {
        match self {
            Direction::HostToDevice => 0,
            Direction::DeviceToHost => 1,
            Direction::DeviceInternal => 2,
            Direction::HostInternal => 3,
        }
    }
}

impl fmt::Display for Direction {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.pad(match self {
            Direction::HostToDevice => "host to device",
            Direction::DeviceToHost => "device to host",
            Direction::DeviceInternal => "device internal",
            Direction::HostInternal => "host internal",
        })
    }
}

/// Tells which call moved the bytes.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord, Serialize)]
#[serde(rename_all = "snake_case")]
pub enum Cause {
    /// Staging an array or a weight set.
    Stage,
    /// Preparing a session.
    Prepare,
    /// Running a session; never moves bytes between host and device.
    Run,
    /// Reading a tensor.
    Read,
}

impl fmt::Display for Cause {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.pad(match self {
            Cause::Stage => "stage",
            Cause::Prepare => "prepare",
            Cause::Run => "run",
            Cause::Read => "read",
        })
    }
}

/// Tells by what means the bytes moved.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord, Serialize)]
#[serde(rename_all = "snake_case")]
pub enum Method {
    /// Written into a mapped, reused upload buffer, then copied on the device.
    MappedUpload,
    /// Copied on the device into a reused readback buffer, then read through its mapping.
    MappedReadback,
    /// The device-side copy between a mapped buffer and the tensor's own.
    BufferCopy,
    /// The fill with zeros that WebGPU requires before a new buffer's first use.
    ZeroFill,
    /// Packed or copied from host memory into host memory.
    HostCopy,
}

impl fmt::Display for Method {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.pad(match self {
            Method::MappedUpload => "mapped upload",
            Method::MappedReadback => "mapped readback",
            Method::BufferCopy => "buffer copy",
            Method::ZeroFill => "zero fill",
            Method::HostCopy => "host copy",
        })
    }
}

/// Tells what became of a crossing that was under way.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Hash, PartialOrd, Ord, Serialize)]
#[serde(rename_all = "snake_case")]
pub enum Outcome {
    /// The data are where they should go.
    #[default]
    Delivered,
    /// The copy is submitted, and is not there yet.
    Pending,
    /// The copy was submitted, and whoever asked for it went away: a future was dropped.
    Canceled,
    /// The copy was submitted, and did not arrive: the device was lost, or the time limit passed.
    Failed,
}

impl Outcome {
    #[expect(clippy::trivially_copy_pass_by_ref, reason = "serde hands over a reference")]
    fn is_delivered(&self) -> bool {
        *self == Outcome::Delivered
    }
}

impl fmt::Display for Outcome {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.pad(match self {
            Outcome::Delivered => "delivered",
            Outcome::Pending => "pending",
            Outcome::Canceled => "canceled",
            Outcome::Failed => "failed",
        })
    }
}

/// Splits a crossing's time by phase name, in nanoseconds.
///
/// A stage has `pack` and `submit`; a read has `wait` (for work submitted
/// before), `device_copy`, `map` and `host_copy`. On the host executor a stage has `pack` and a
/// read `host_copy`. A read that was not delivered may lack some.
pub type Phases = BTreeMap<&'static str, u64>;

/// Records one crossing.
#[derive(Clone, Debug, Serialize)]
pub struct Event {
    /// Position in the ledger, from 0.
    pub seq: u64,
    /// Which way.
    pub direction: Direction,
    /// The tensor's or block's label, its first [`NAME_BYTES`](super::NAME_BYTES).
    pub label: String,
    /// The names of the scopes it happened in, joined by `/`; empty outside of any. As long as a
    /// label at most.
    pub scope: String,
    /// Which call moved it.
    pub cause: Cause,
    /// Where in the program that call is.
    pub site: Site,
    /// By what means.
    pub method: Method,
    /// Bytes of data, in bytes.
    pub payload_bytes: u64,
    /// Bytes moved for alignment alone, in bytes.
    pub padding_bytes: u64,
    /// When it began, in nanoseconds since the ledger was opened.
    pub start_ns: u64,
    /// How long each phase took, in nanoseconds.
    pub phases_ns: Phases,
    /// What became of it; JSON has it where it is not `delivered`.
    #[serde(skip_serializing_if = "Outcome::is_delivered")]
    pub outcome: Outcome,
}

/// Sums crossings of one direction.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize)]
pub struct Total {
    /// Number of crossings.
    pub count: u64,
    /// Bytes of data.
    pub payload_bytes: u64,
    /// Bytes moved for alignment alone.
    pub padding_bytes: u64,
}

impl Total {
    pub(crate) fn add(&mut self, payload_bytes: u64, padding_bytes: u64) {
        self.count = self.count.saturating_add(1);
        self.payload_bytes = self.payload_bytes.saturating_add(payload_bytes);
        self.padding_bytes = self.padding_bytes.saturating_add(padding_bytes);
    }
}

/// Sums crossings by direction.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize)]
pub struct Totals {
    /// Uploads.
    pub host_to_device: Total,
    /// Downloads.
    pub device_to_host: Total,
    /// What happened behind the API.
    pub device_internal: Total,
    /// What moved within host memory.
    pub host_internal: Total,
}

impl Totals {
    /// Returns the total of one direction.
    #[must_use]
    pub fn of(&self, direction: Direction) -> Total {
        match direction {
            Direction::HostToDevice => self.host_to_device,
            Direction::DeviceToHost => self.device_to_host,
            Direction::DeviceInternal => self.device_internal,
            Direction::HostInternal => self.host_internal,
        }
    }

    pub(crate) fn add(&mut self, direction: Direction, payload_bytes: u64, padding_bytes: u64) {
        match direction {
            Direction::HostToDevice => &mut self.host_to_device,
            Direction::DeviceToHost => &mut self.device_to_host,
            Direction::DeviceInternal => &mut self.device_internal,
            Direction::HostInternal => &mut self.host_internal,
        }
        .add(payload_bytes, padding_bytes);
    }
}
