//! Assertions about crossings, for tests of programs.

use std::fmt::Write;

use super::event::{Event, Totals};
use super::{Direction, Ledger};
use crate::error::escaped;

/// Tells what has crossed since it was made, on any thread.
///
/// [`assert_crossings!`](crate::assert_crossings) and
/// [`assert_no_crossings!`](crate::assert_no_crossings) are made of it.
///
/// ```
/// use longshore::{Runtime, RuntimeOptions};
/// use ndarray::array;
///
/// # fn main() -> longshore::Result<()> {
/// // In border mode the host executor counts what a device would need.
/// let rt = Runtime::host_with(RuntimeOptions::new().border())?;
/// let x = rt.stage("x", array![1.0_f32, 2.0])?;
/// let watch = rt.ledger().watch();
/// x.read()?;
/// assert_eq!((watch.uploads(), watch.downloads()), (0, 1));
/// assert_eq!(watch.events()[0].label, "x");
/// # Ok(())
/// # }
/// ```
#[derive(Clone, Debug)]
pub struct Watch {
    ledger: Ledger,
    cleared: u64,
    seq: u64,
    totals: Totals,
}

impl Watch {
    pub(super) fn new(ledger: &Ledger) -> Self {
        let book = ledger.book();
        Watch {
            ledger: ledger.clone(),
            cleared: book.cleared,
            seq: book.next_seq,
            totals: book.totals,
        }
    }

    /// Counts the crossings from host to device since.
    #[must_use]
    pub fn uploads(&self) -> u64 {
        self.count(Direction::HostToDevice)
    }

    /// Counts the crossings from device to host since.
    #[must_use]
    pub fn downloads(&self) -> u64 {
        self.count(Direction::DeviceToHost)
    }

    /// Returns the crossings since, oldest first; those that the ledger still has.
    #[must_use]
    pub fn events(&self) -> Vec<Event> {
        let book = self.ledger.book();
        let first = if book.cleared == self.cleared { self.seq } else { 0 };
        let is_new = |event: &&Event| event.seq >= first && event.direction.is_crossing();
        book.events.iter().filter(is_new).cloned().collect()
    }

    /// Says what is not as expected, with every crossing since: its label, bytes, and where in the
    /// program it was called. None where the counts are right.
    #[must_use]
    pub fn difference(&self, uploads: u64, downloads: u64) -> Option<String> {
        let found = (self.uploads(), self.downloads());
        if found == (uploads, downloads) {
            return None;
        }
        let mut text = format!(
            "{} uploads and {} downloads crossed, where {uploads} and {downloads} were expected",
            found.0, found.1
        );
        for event in self.events() {
            // Writing to a text cannot fail.
            let _ = write!(
                text,
                "\n  {} of \"{}\" ({} bytes, cause {}) at {}",
                event.direction,
                escaped(&event.label),
                event.payload_bytes.saturating_add(event.padding_bytes),
                event.cause,
                event.site
            );
        }
        Some(text)
    }

    fn count(&self, direction: Direction) -> u64 {
        let book = self.ledger.book();
        let before = if book.cleared == self.cleared { self.totals.of(direction).count } else { 0 };
        book.totals.of(direction).count.saturating_sub(before)
    }
}

/// Evaluates an expression and panics unless exactly so many uploads and downloads crossed meanwhile.
///
/// For tests: the message lists each crossing with its label, bytes and call site. All threads
/// that use the runtime count, so tests that run side by side have a runtime each. On the host
/// executor nothing crosses, except in [border mode](crate::RuntimeOptions::border). `.await` is
/// allowed in the expression, whose value is returned.
///
/// ```
/// use longshore::{Runtime, RuntimeOptions, assert_crossings};
/// use ndarray::array;
///
/// # fn main() -> longshore::Result<()> {
/// let rt = Runtime::host_with(RuntimeOptions::new().border())?;
/// let x = assert_crossings!(rt, uploads: 1, downloads: 0, rt.stage("x", array![1.0_f32])?);
/// # let _ = x;
/// # Ok(())
/// # }
/// ```
#[macro_export]
macro_rules! assert_crossings {
    ($runtime:expr, uploads: $uploads:expr, downloads: $downloads:expr, $body:expr $(,)?) => {{
        let watch = $runtime.ledger().watch();
        let value = $body;
        let difference = watch.difference($uploads, $downloads);
        ::std::assert!(difference.is_none(), "{}", difference.unwrap_or_default());
        value
    }};
}

/// Evaluates an expression and panics if anything crosses meanwhile, on any thread.
///
/// As [`assert_crossings!`](crate::assert_crossings) with none expected.
///
/// ```
/// use longshore::{Graph, Runtime, RuntimeOptions, Shape, assert_no_crossings};
/// use ndarray::array;
///
/// # fn main() -> longshore::Result<()> {
/// let rt = Runtime::host_with(RuntimeOptions::new().border())?;
/// let mut g = Graph::new();
/// let x = g.input("x", Shape::batch([2]));
/// let sum = g.add(x, x)?;
/// g.output("sum", sum);
/// let session = rt.session(&g, 1)?;
/// let x = rt.stage("x", array![[1.0_f32, 2.0]])?;
/// let run = assert_no_crossings!(rt, session.run([("x", &x)])?);
/// # let _ = run;
/// # Ok(())
/// # }
/// ```
#[macro_export]
macro_rules! assert_no_crossings {
    ($runtime:expr, $body:expr $(,)?) => {{
        let watch = $runtime.ledger().watch();
        let value = $body;
        let difference = watch.difference(0, 0);
        ::std::assert!(difference.is_none(), "{}", difference.unwrap_or_default());
        value
    }};
}
