//! The ledger: every crossing of bytes between host and device, and guards over them.

mod event;
mod export;
mod guard;
mod name;
mod rows;
mod site;
mod watch;

use std::collections::VecDeque;
use std::future::Future;
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::Instant;

pub use event::{Cause, Direction, Event, Method, Outcome, Phases, Total, Totals};
pub use export::AdapterSummary;
pub use guard::{Guard, Scope, SharedScope};
pub use name::NAME_BYTES;
pub use rows::Row;
pub use site::Site;
pub use watch::Watch;

use crate::error::Result;
pub(crate) use guard::Carried;
use guard::{Active, Charged, Request, Shared};
pub(crate) use name::bounded;
use rows::Rows;
pub(crate) use site::Call;

/// How many events a ledger keeps; sums stay exact past it.
pub const EVENT_CAPACITY: usize = 65_536;

#[derive(Debug, Default)]
struct Book {
    events: VecDeque<Event>,
    /// What came before them.
    folded: Rows,
    next_seq: u64,
    /// How often the book has been cleared: numbers begin anew then.
    cleared: u64,
    totals: Totals,
    /// Guards on all threads, the innermost last.
    shared: Vec<Shared>,
}

/// Records every crossing of one runtime; cheap to clone, shared between threads.
///
/// It keeps the last [`EVENT_CAPACITY`] events, with names of at most [`NAME_BYTES`], and exact
/// sums of all there have been: by direction ([`Ledger::totals`]), and by label and cause
/// ([`Ledger::rows`]). Its memory is bounded, however long the program runs.
///
/// ```
/// use longshore::Runtime;
/// use ndarray::array;
///
/// # fn main() -> longshore::Result<()> {
/// let rt = Runtime::host();
/// {
///     let _scope = rt.scope("loading");
///     rt.stage("x", array![1.0_f32, 2.0])?;
/// }
/// // On the host executor nothing crosses; what it packs is `host internal`.
/// let totals = rt.ledger().totals();
/// assert_eq!((totals.host_to_device.count, totals.host_internal.payload_bytes), (0, 8));
/// let event = &rt.ledger().events()[0];
/// assert_eq!((event.label.as_str(), event.scope.as_str()), ("x", "loading"));
/// println!("{}", rt.ledger());
/// # Ok(())
/// # }
/// ```
#[derive(Clone, Debug)]
pub struct Ledger {
    id: u64,
    opened: Instant,
    adapter: Arc<AdapterSummary>,
    book: Arc<Mutex<Book>>,
}

static NEXT_LEDGER: AtomicU64 = AtomicU64::new(0);

impl Ledger {
    /// Opens an empty ledger for an adapter.
    #[must_use]
    pub fn new(adapter: AdapterSummary) -> Self {
        Ledger {
            id: NEXT_LEDGER.fetch_add(1, Ordering::Relaxed),
            opened: Instant::now(),
            adapter: Arc::new(adapter),
            book: Arc::default(),
        }
    }

    /// Returns the adapter whose crossings are recorded.
    #[must_use]
    pub fn adapter(&self) -> &AdapterSummary {
        &self.adapter
    }

    /// Returns the events kept, oldest first.
    #[must_use]
    pub fn events(&self) -> Vec<Event> {
        self.book().events.iter().cloned().collect()
    }

    /// Returns the sums of all crossings since the ledger was opened or cleared.
    #[must_use]
    pub fn totals(&self) -> Totals {
        self.book().totals
    }

    /// Returns the sums of all crossings by direction, cause, method, label, scope and outcome.
    #[must_use]
    pub fn rows(&self) -> Vec<Row> {
        let book = self.book();
        let mut rows = book.folded.clone();
        for event in &book.events {
            rows.add(event);
        }
        rows.to_rows()
    }

    /// Forgets all events and sums; guards stay in force.
    pub fn clear(&self) {
        let mut book = self.book();
        book.events.clear();
        book.folded = Rows::default();
        book.totals = Totals::default();
        book.next_seq = 0;
        book.cleared = book.cleared.saturating_add(1);
    }

    /// Notes what crosses from now on, for assertions.
    #[must_use]
    pub fn watch(&self) -> Watch {
        Watch::new(self)
    }

    /// Names what happens on this thread until the scope is dropped.
    pub fn scope(&self, name: impl Into<String>) -> Scope {
        Scope::open(self.id, name.into(), None)
    }

    /// Puts a guard in force on this thread until the scope is dropped.
    pub fn enter(&self, guard: Guard) -> Scope {
        Scope::open(self.id, guard.scope_name().to_owned(), Some(Active::new(guard)))
    }

    /// Puts a guard in force on all threads, outside of their own, until the scope is dropped.
    pub fn enter_all_threads(&self, guard: Guard) -> SharedScope {
        let shared = Shared::new(guard);
        let scope = SharedScope::new(self.clone(), &shared);
        self.book().shared.push(shared);
        scope
    }

    /// Names what a future does, on whichever thread it is polled.
    pub(crate) fn scope_future<F: Future>(
        &self,
        name: String,
        future: F,
    ) -> impl Future<Output = F::Output> + use<F> {
        guard::follow(self.id, name, None, future)
    }

    /// Puts a guard in force wherever a future is polled.
    pub(crate) fn guard_future<F: Future>(
        &self,
        guard: Guard,
        future: F,
    ) -> impl Future<Output = F::Output> + use<F> {
        guard::follow(self.id, guard.scope_name().to_owned(), Some(guard), future)
    }

    /// Asks the guards whether a crossing may happen; nothing has moved yet.
    ///
    /// # Errors
    ///
    /// [`Error::Crossing`](crate::Error::Crossing) when a guard refuses.
    pub(crate) fn permit(
        &self,
        direction: Direction,
        call: Call<'_>,
        label: &str,
        payload_bytes: u64,
        padding_bytes: u64,
    ) -> Result<Permit> {
        let bytes = payload_bytes.saturating_add(padding_bytes);
        let shared = self.book().shared.clone();
        let request = Request { direction, call, label, bytes };
        let charged = guard::check(self.id, &shared, &request)?;
        Ok(Permit {
            ledger: self.clone(),
            scope: bounded(&guard::scope_path(self.id, &shared, call.guards)),
            start_ns: nanoseconds(self.opened.elapsed()),
            direction,
            cause: call.cause,
            site: call.site,
            label: bounded(label),
            payload_bytes,
            padding_bytes,
            charged,
        })
    }

    fn book(&self) -> MutexGuard<'_, Book> {
        // The book is only ever pushed to: a panic elsewhere leaves it whole.
        self.book.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// A crossing that the guards have let pass and that has not happened yet.
///
/// Dropped before it is recorded, it leaves no event and gives budgets back.
#[derive(Debug)]
pub(crate) struct Permit {
    ledger: Ledger,
    scope: String,
    start_ns: u64,
    direction: Direction,
    cause: Cause,
    site: Site,
    label: String,
    payload_bytes: u64,
    padding_bytes: u64,
    charged: Charged,
}

impl Permit {
    /// Writes a crossing that has happened into the ledger.
    pub(crate) fn record(self, method: Method, phases_ns: Phases) {
        self.write(method, phases_ns, Outcome::Delivered);
    }

    /// Writes a crossing into the ledger that is under way from here on: it counts and is
    /// charged, whatever becomes of it.
    pub(crate) fn begin(self, method: Method) -> Crossing {
        let ledger = self.ledger.clone();
        let (cleared, seq) = self.write(method, Phases::new(), Outcome::Pending);
        Crossing { ledger, cleared, seq, is_over: false }
    }

    /// Returns where the event stands.
    fn write(mut self, method: Method, phases_ns: Phases, outcome: Outcome) -> (u64, u64) {
        self.charged = Charged::default();
        let mut locked = self.ledger.book();
        let book = &mut *locked;
        let seq = book.next_seq;
        book.next_seq = seq.saturating_add(1);
        book.totals.add(self.direction, self.payload_bytes, self.padding_bytes);
        if book.events.len() == EVENT_CAPACITY
            && let Some(oldest) = book.events.pop_front()
        {
            book.folded.fold(&oldest);
        }
        book.events.push_back(Event {
            seq,
            direction: self.direction,
            label: std::mem::take(&mut self.label),
            scope: std::mem::take(&mut self.scope),
            cause: self.cause,
            site: self.site,
            method,
            payload_bytes: self.payload_bytes,
            padding_bytes: self.padding_bytes,
            start_ns: self.start_ns,
            phases_ns,
            outcome,
        });
        (book.cleared, seq)
    }
}

impl Drop for Permit {
    fn drop(&mut self) {
        let bytes = self.payload_bytes.saturating_add(self.padding_bytes);
        self.charged.refund(bytes);
    }
}

/// A recorded crossing that is under way.
///
/// Dropped before it is over, its event says that nobody waited for it.
#[derive(Debug)]
pub(crate) struct Crossing {
    ledger: Ledger,
    cleared: u64,
    seq: u64,
    is_over: bool,
}

impl Crossing {
    /// Completes the event of a crossing whose data are there.
    pub(crate) fn deliver(mut self, phases_ns: Phases) {
        self.end(Outcome::Delivered, phases_ns);
    }

    /// Completes the event of a crossing that did not arrive.
    pub(crate) fn fail(mut self, phases_ns: Phases) {
        self.end(Outcome::Failed, phases_ns);
    }

    fn end(&mut self, outcome: Outcome, phases_ns: Phases) {
        self.is_over = true;
        let mut book = self.ledger.book();
        let first = book.events.front().map(|event| event.seq);
        // The event may be gone: too many came after it, or the ledger was cleared.
        let place = first
            .filter(|_| book.cleared == self.cleared)
            .and_then(|first| usize::try_from(self.seq.checked_sub(first)?).ok());
        if let Some(event) = place.and_then(|place| book.events.get_mut(place)) {
            event.outcome = outcome;
            event.phases_ns = phases_ns;
        }
    }
}

impl Drop for Crossing {
    fn drop(&mut self) {
        if !self.is_over {
            self.end(Outcome::Canceled, Phases::new());
        }
    }
}

/// Converts a duration to whole nanoseconds.
pub(crate) fn nanoseconds(duration: std::time::Duration) -> u64 {
    u64::try_from(duration.as_nanos()).unwrap_or(u64::MAX)
}
