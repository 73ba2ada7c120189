//! The ledger as a table for people and as JSON for programs.

use std::collections::BTreeMap;
use std::fmt;
use std::io::Write;
use std::path::Path;

use serde::Serialize;

use super::Ledger;
use super::event::{Cause, Direction, Event, Method, Outcome, Total, Totals};
use crate::error::{Error, Result, escaped};
use crate::file::NewFile;

/// Version of the JSON format.
const SCHEMA: u32 = 1;

/// Identifies the adapter that a ledger or a result belongs to.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize)]
pub struct AdapterSummary {
    /// The adapter's name, as the driver gives it.
    pub name: String,
    /// The graphics API: `vulkan`, `metal`, `dx12`, `noop`; `host` without one.
    pub backend: String,
    /// `discrete-gpu`, `integrated-gpu`, `virtual-gpu`, `cpu` or `other`.
    pub device_type: String,
    /// The driver's name.
    pub driver: String,
    /// The driver's version text.
    pub driver_info: String,
}

impl fmt::Display for AdapterSummary {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{} ({}, {}", escaped(&self.name), self.backend, self.device_type)?;
        for part in [&self.driver, &self.driver_info] {
            if !part.is_empty() {
                write!(f, ", {}", escaped(part))?;
            }
        }
        f.write_str(")")
    }
}

#[derive(Serialize)]
struct Document<'a> {
    schema: u32,
    adapter: &'a AdapterSummary,
    totals: Totals,
    events: Vec<Event>,
}

impl Ledger {
    /// Returns the ledger as JSON, in the format of `schema` 1.
    ///
    /// # Errors
    ///
    /// [`Error::Format`] if the serializer refuses, which no recorded event makes it do.
    pub fn to_json(&self) -> Result<String> {
        let (totals, events) = {
            let book = self.book();
            (book.totals, book.events.iter().cloned().collect())
        };
        let document = Document { schema: SCHEMA, adapter: self.adapter(), totals, events };
        serde_json::to_string_pretty(&document).map_err(|error| Error::Format {
            file: "ledger".to_owned(),
            part: "an event".to_owned(),
            got: format!("failed with \"{error}\""),
            expected: "every event is plain data".to_owned(),
            remedy: crate::error::BUG.to_owned(),
        })
    }

    /// Writes the ledger as JSON into a file, whole or not at all.
    ///
    /// # Errors
    ///
    /// [`Error::Io`] when the file cannot be written.
    pub fn write_json(&self, path: impl AsRef<Path>) -> Result<()> {
        let text = self.to_json()? + "\n";
        NewFile::write(path, |file| file.write_all(text.as_bytes()))
    }
}

/// Crossings that differ only in when they happened, summed.
#[derive(Default)]
struct Row {
    total: Total,
    wait_ns: u64,
    move_ns: u64,
}

impl fmt::Display for Ledger {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let (totals, events, recorded) = {
            let book = self.book();
            (book.totals, book.events.iter().cloned().collect::<Vec<_>>(), book.next_seq)
        };
        writeln!(f, "ledger of {}", self.adapter())?;
        writeln!(f, "  {:<16} {:>7} {:>14} {:>13}", "direction", "count", "payload", "padding")?;
        for direction in Direction::ALL {
            let total = totals.of(direction);
            writeln!(
                f,
                "  {direction:<16} {:>7} {:>12} B {:>11} B",
                total.count, total.payload_bytes, total.padding_bytes
            )?;
        }
        if recorded > events.len() as u64 {
            writeln!(f, "  (the last {} of {recorded} events follow)", events.len())?;
        }
        write_rows(f, &events)
    }
}

fn write_rows(f: &mut fmt::Formatter<'_>, events: &[Event]) -> fmt::Result {
    type Key = (Direction, Cause, Method, String, String, Outcome);
    let mut rows: BTreeMap<Key, Row> = BTreeMap::new();
    for event in events {
        let Event { direction, cause, method, outcome, .. } = *event;
        let key = (direction, cause, method, event.label.clone(), event.scope.clone(), outcome);
        let row = rows.entry(key).or_default();
        row.total.add(event.payload_bytes, event.padding_bytes);
        // Waiting for work submitted before is not the crossing's own time.
        for (phase, nanoseconds) in &event.phases_ns {
            let sum = if *phase == "wait" { &mut row.wait_ns } else { &mut row.move_ns };
            *sum = sum.saturating_add(*nanoseconds);
        }
    }
    if rows.is_empty() {
        return Ok(());
    }
    writeln!(
        f,
        "  {:<16} {:<8} {:<16} {:>6} {:>14} {:>11} {:>11}  label",
        "crossings", "cause", "method", "count", "payload", "waiting", "moving"
    )?;
    for ((direction, cause, method, label, scope, outcome), row) in rows {
        let (waiting, moving) = (row.wait_ns as f64 / 1e6, row.move_ns as f64 / 1e6);
        write!(
            f,
            "  {direction:<16} {cause:<8} {method:<16} {:>6} {:>12} B {waiting:>8.3} ms {moving:>8.3} ms  {}",
            row.total.count,
            row.total.payload_bytes,
            escaped(label)
        )?;
        if !scope.is_empty() {
            write!(f, " in {}", escaped(scope))?;
        }
        if outcome != Outcome::Delivered {
            write!(f, " ({outcome})")?;
        }
        writeln!(f)?;
    }
    Ok(())
}
