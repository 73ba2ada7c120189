//! Sums of crossings that differ only in when they happened.

use std::collections::BTreeMap;

use serde::Serialize;

use super::event::{Cause, Direction, Event, Method, Outcome, Total};

/// How many rows a ledger keeps of events that it no longer has.
const MOST_ROWS: usize = 4096;

/// The label of crossings for which there is no row left.
const OTHERS: &str = "(others)";

/// Sums crossings of one label, cause and kind.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct Row {
    /// Which way.
    pub direction: Direction,
    /// Which call moved them.
    pub cause: Cause,
    /// By what means.
    pub method: Method,
    /// Their label; `(others)` for old crossings beyond 4,096 rows.
    pub label: String,
    /// The scopes they happened in.
    pub scope: String,
    /// What became of them, as far as it was known while the ledger had the events.
    pub outcome: Outcome,
    /// How many, and their bytes.
    #[serde(flatten)]
    pub total: Total,
    /// How long they waited for work submitted before them, in nanoseconds.
    pub waiting_ns: u64,
    /// How long they took themselves, in nanoseconds.
    pub moving_ns: u64,
}

type Key = (Direction, Cause, Method, String, String, Outcome);

fn key(event: &Event) -> Key {
    let Event { direction, cause, method, outcome, .. } = *event;
    (direction, cause, method, event.label.clone(), event.scope.clone(), outcome)
}

#[derive(Clone, Debug, Default)]
struct Sum {
    total: Total,
    waiting_ns: u64,
    moving_ns: u64,
}

/// Rows by what their crossings have in common.
#[derive(Clone, Debug, Default)]
pub(super) struct Rows(BTreeMap<Key, Sum>);

impl Rows {
    /// Adds an event.
    pub(super) fn add(&mut self, event: &Event) {
        self.add_to(key(event), event);
    }

    /// Adds an event that the ledger forgets, in bounded memory.
    pub(super) fn fold(&mut self, event: &Event) {
        let mut key = key(event);
        if self.0.len() >= MOST_ROWS && !self.0.contains_key(&key) {
            (key.3, key.4) = (OTHERS.to_owned(), String::new());
        }
        self.add_to(key, event);
    }

    fn add_to(&mut self, key: Key, event: &Event) {
        let sum = self.0.entry(key).or_default();
        sum.total.add(event.payload_bytes, event.padding_bytes);
        // Waiting for work submitted before is not the crossing's own time.
        for (phase, nanoseconds) in &event.phases_ns {
            let phases = if *phase == "wait" { &mut sum.waiting_ns } else { &mut sum.moving_ns };
            *phases = phases.saturating_add(*nanoseconds);
        }
    }

    pub(super) fn to_rows(&self) -> Vec<Row> {
        let row = |((direction, cause, method, label, scope, outcome), sum): (&Key, &Sum)| Row {
            direction: *direction,
            cause: *cause,
            method: *method,
            label: label.clone(),
            scope: scope.clone(),
            outcome: *outcome,
            total: sum.total,
            waiting_ns: sum.waiting_ns,
            moving_ns: sum.moving_ns,
        };
        self.0.iter().map(row).collect()
    }
}
