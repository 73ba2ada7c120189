//! The ledger as a table for people and as JSON for programs.

use std::fmt;
use std::io::Write;
use std::path::Path;

use serde::Serialize;

use super::Ledger;
use super::event::{Direction, Event, Outcome, Totals};
use super::rows::Row;
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
    /// What came before the events, summed.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    folded: Vec<Row>,
    events: Vec<Event>,
}

impl Ledger {
    /// Returns the ledger as JSON, in the format of `schema` 1.
    ///
    /// # Errors
    ///
    /// [`Error::Format`] if the serializer refuses, which no recorded event makes it do.
    pub fn to_json(&self) -> Result<String> {
        let document = {
            let book = self.book();
            Document {
                schema: SCHEMA,
                adapter: self.adapter(),
                totals: book.totals,
                folded: book.folded.to_rows(),
                events: book.events.iter().cloned().collect(),
            }
        };
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

impl fmt::Display for Ledger {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        writeln!(f, "ledger of {}", self.adapter())?;
        writeln!(f, "  {:<16} {:>7} {:>14} {:>13}", "direction", "count", "payload", "padding")?;
        let totals = self.totals();
        for direction in Direction::ALL {
            let total = totals.of(direction);
            writeln!(
                f,
                "  {direction:<16} {:>7} {:>12} B {:>11} B",
                total.count, total.payload_bytes, total.padding_bytes
            )?;
        }
        write_rows(f, &self.rows())
    }
}

fn write_rows(f: &mut fmt::Formatter<'_>, rows: &[Row]) -> fmt::Result {
    if rows.is_empty() {
        return Ok(());
    }
    writeln!(
        f,
        "  {:<16} {:<8} {:<16} {:>6} {:>14} {:>11} {:>11}  label",
        "crossings", "cause", "method", "count", "payload", "waiting", "moving"
    )?;
    for row in rows {
        let (waiting, moving) = (row.waiting_ns as f64 / 1e6, row.moving_ns as f64 / 1e6);
        write!(
            f,
            "  {:<16} {:<8} {:<16} {:>6} {:>12} B {waiting:>8.3} ms {moving:>8.3} ms  {}",
            row.direction,
            row.cause,
            row.method,
            row.total.count,
            row.total.payload_bytes,
            escaped(&row.label)
        )?;
        if !row.scope.is_empty() {
            write!(f, " in {}", escaped(&row.scope))?;
        }
        if row.outcome != Outcome::Delivered {
            write!(f, " ({})", row.outcome)?;
        }
        writeln!(f)?;
    }
    Ok(())
}
