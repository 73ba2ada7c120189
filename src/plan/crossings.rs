//! The crossings that a plan's session causes, known before it exists.

use super::{Place, Plan};
use crate::error::{Error, Result};
use crate::graph::{Source, Weight};
use crate::ledger::{Cause, Direction, bounded};
use crate::shape::byte_count;

/// Bytes that every array in an upload of several is aligned to.
pub(crate) const PACKED_ALIGNMENT: usize = 256;

/// One crossing that will happen.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Expected {
    /// Which way.
    pub direction: Direction,
    /// The label it will have in the ledger.
    pub label: String,
    /// Which call will cause it.
    pub cause: Cause,
    /// Bytes of data.
    pub payload_bytes: u64,
    /// Bytes for alignment alone.
    pub padding_bytes: u64,
}

/// The crossings of a session, call by call.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct ExpectedCrossings {
    /// What preparing the session uploads: weights still on the host, then the
    /// parameter block.
    pub prepare: Vec<Expected>,
    /// What one run moves: always nothing.
    pub run: Vec<Expected>,
    /// What reading each output once downloads, in the order of the outputs.
    pub read: Vec<Expected>,
}

impl Plan {
    /// Returns the crossings that preparing, running and reading will cause on a device.
    ///
    /// On the host executor nothing crosses: `Session::expected_crossings` knows.
    ///
    /// An output that is an input under another name is read under the label of the
    /// tensor that the run brought.
    #[must_use]
    pub fn expected_crossings(&self) -> ExpectedCrossings {
        let mut prepare = Vec::new();
        let (payload_bytes, padded) = self.host_weight_bytes();
        if padded > 0 {
            prepare.push(upload("weights", payload_bytes, padded));
        }
        if !self.block.is_empty() {
            prepare.push(upload("parameters", self.block_payload, self.block.len() as u64));
        }
        let read = self
            .outputs
            .iter()
            .map(|port| Expected {
                direction: Direction::DeviceToHost,
                label: bounded(&port.name),
                cause: Cause::Read,
                payload_bytes: byte_count(&port.name, &port.shape).unwrap_or(u64::MAX),
                padding_bytes: 0,
            })
            .collect();
        ExpectedCrossings { prepare, run: Vec::new(), read }
    }

    /// Returns payload and padded size of the host weights' one upload.
    fn host_weight_bytes(&self) -> (u64, u64) {
        let host = self.weights.iter().filter(|weight| matches!(weight.source, Source::Host(_)));
        // Lowering has checked every size, so the sums stay far below u64's end.
        host.fold((0, 0), |(payload, padded), weight| {
            let bytes = byte_count(weight.label(), weight.shape()).unwrap_or(u64::MAX);
            (payload + bytes, padded + padded_bytes(bytes))
        })
    }

    /// Returns the bytes of all values that a session holds at once, slots and outputs, while
    /// no result of an earlier run is held. Inputs and weights come apart.
    #[must_use]
    pub fn peak_bytes(&self) -> u64 {
        let values = self.slots.iter().chain(&self.output_buffers);
        values.fold(0, |total, &bytes| total.saturating_add(bytes))
    }

    /// Returns the bytes of all weights, host arrays and staged ones, without padding.
    #[must_use]
    pub fn weight_bytes(&self) -> u64 {
        // Lowering has checked every size, so the sum stays far below u64's end.
        let bytes = |weight: &Weight| byte_count(weight.label(), weight.shape());
        self.weights
            .iter()
            .fold(0, |total, weight| total.saturating_add(bytes(weight).unwrap_or(u64::MAX)))
    }

    /// Returns the most bytes a session of this plan holds on the device, weights and
    /// inputs included.
    ///
    /// # Errors
    ///
    /// [`Error::Limit`] when the sum does not fit `u64`.
    pub fn device_bytes(&self) -> Result<u64> {
        let ports = self.inputs.iter().filter(|port| matches!(port.place, Place::Input(_)));
        let mut total = self.block.len() as u64;
        let shapes = ports.map(|port| port.shape.as_slice());
        for shape in shapes.chain(self.weights.iter().map(Weight::shape)) {
            total = total.saturating_add(byte_count("plan", shape)?);
        }
        for &bytes in self.slots.iter().chain(&self.output_buffers) {
            total = total.saturating_add(bytes);
        }
        match total {
            u64::MAX => Err(Error::Limit {
                node: "plan".to_owned(),
                tensor: "all buffers together".to_owned(),
                needed: u64::MAX,
                unit: "bytes",
                limit_name: "the largest size".to_owned(),
                limit: Some(u64::MAX),
                remedy: "run a smaller batch".to_owned(),
            }),
            total => Ok(total),
        }
    }
}

/// Returns the space of one array in an upload of several, in bytes.
pub(crate) fn padded_bytes(bytes: u64) -> u64 {
    bytes.max(1).next_multiple_of(PACKED_ALIGNMENT as u64)
}

fn upload(label: &str, payload_bytes: u64, padded_bytes: u64) -> Expected {
    Expected {
        direction: Direction::HostToDevice,
        label: label.to_owned(),
        cause: Cause::Prepare,
        payload_bytes,
        padding_bytes: padded_bytes - payload_bytes,
    }
}
