//! Guards: scopes that allow, log, forbid or budget crossings.
//!
//! A guard belongs to one ledger, and holds where it is put: on the thread that opened it, so
//! that threads which share a runtime do not disturb each other; wherever a future is polled; in
//! a runtime, session or tensor that carries it, whichever thread uses that; or on all threads.
//! They are asked in this order, those of one kind from the innermost outward: `allow` permits
//! and ends the search, `forbid` refuses, `log` reports and goes on, `budget` refuses when it is
//! spent and goes on otherwise.

use std::cell::RefCell;
use std::future::{Future, poll_fn};
use std::marker::PhantomData;
use std::pin::pin;
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};

use super::Ledger;
use super::event::Direction;
use super::site::Call;
use crate::error::{Error, Result, escaped};

/// What a guard does with a crossing.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Rule {
    Allow,
    Log,
    Forbid,
    Budget { bytes: u64, count: u64 },
}

/// Describes what a scope does with crossings.
///
/// A new guard covers uploads and downloads; [`Guard::direction`] narrows it.
///
/// ```
/// use longshore::ledger::Direction;
/// use longshore::{Error, Guard, Runtime};
/// use ndarray::array;
///
/// # fn main() -> longshore::Result<()> {
/// // On a GPU no direction need be named; the host executor moves within host memory.
/// let rt = Runtime::host();
/// let one = Guard::budget(1000, 1).direction(Direction::HostInternal).name("one upload");
/// rt.guarded(one, || -> longshore::Result<()> {
///     rt.stage("first", array![1.0_f32])?;
///     let refused = rt.stage("second", array![2.0_f32]).unwrap_err();
///     assert!(matches!(refused, Error::Crossing { .. }));
///     assert!(refused.to_string().contains("1 of 1 crossings are spent"));
///     Ok(())
/// })?;
/// assert!(rt.stage("third", array![3.0_f32]).is_ok());
/// # Ok(())
/// # }
/// ```
#[derive(Clone, Debug)]
pub struct Guard {
    name: String,
    rule: Rule,
    directions: [bool; Direction::ALL.len()],
}

impl Guard {
    fn new(name: &str, rule: Rule) -> Self {
        Guard { name: name.to_owned(), rule, directions: [true, true, false, false] }
    }

    /// Permits crossings, also inside a scope that forbids them.
    #[must_use]
    pub fn allow() -> Self {
        Guard::new("allow", Rule::Allow)
    }

    /// Reports each crossing through the `log` crate, at level `warn`.
    #[must_use]
    pub fn log() -> Self {
        Guard::new("log", Rule::Log)
    }

    /// Refuses crossings: they become [`Error::Crossing`] before a byte moves.
    #[must_use]
    pub fn forbid() -> Self {
        Guard::new("forbid", Rule::Forbid)
    }

    /// Permits up to `bytes` bytes (padding included) and up to `count` crossings.
    #[must_use]
    pub fn budget(bytes: u64, count: u64) -> Self {
        Guard::new("budget", Rule::Budget { bytes, count })
    }

    /// Narrows the guard to one direction.
    #[must_use]
    pub fn direction(mut self, direction: Direction) -> Self {
        self.directions = [false; Direction::ALL.len()];
        self.directions[direction.index()] = true;
        self
    }

    /// Names the guard; the name is its scope in the ledger and is named in its errors.
    #[must_use]
    pub fn name(mut self, name: impl Into<String>) -> Self {
        self.name = name.into();
        self
    }
}

/// A guard in force, with what it has let pass.
#[derive(Debug)]
pub(super) struct Active {
    guard: Guard,
    spent_bytes: AtomicU64,
    spent_count: AtomicU64,
}

impl Active {
    pub(super) fn new(guard: Guard) -> Arc<Self> {
        Arc::new(Active { guard, spent_bytes: AtomicU64::new(0), spent_count: AtomicU64::new(0) })
    }

    /// Charges a budget, or says why it cannot be charged.
    fn charge(&self, bytes: u64) -> std::result::Result<(), String> {
        let Rule::Budget { bytes: most_bytes, count: most_count } = self.guard.rule else {
            return Ok(());
        };
        let take = |spent: &AtomicU64, amount: u64, most: u64| {
            spent.fetch_update(Ordering::AcqRel, Ordering::Acquire, |now| {
                now.checked_add(amount).filter(|&after| after <= most)
            })
        };
        take(&self.spent_count, 1, most_count)
            .map_err(|now| format!("{now} of {most_count} crossings are spent"))?;
        take(&self.spent_bytes, bytes, most_bytes).map(|_| ()).map_err(|now| {
            self.spent_count.fetch_sub(1, Ordering::AcqRel);
            format!("{now} of {most_bytes} bytes are spent")
        })
    }

    fn name(&self) -> &str {
        &self.guard.name
    }

    fn refund(&self, bytes: u64) {
        if matches!(self.guard.rule, Rule::Budget { .. }) {
            self.spent_count.fetch_sub(1, Ordering::AcqRel);
            self.spent_bytes.fetch_sub(bytes, Ordering::AcqRel);
        }
    }
}

/// What one thread has open, innermost last.
struct Open {
    id: u64,
    ledger: u64,
    scope: String,
    guard: Option<Arc<Active>>,
}

thread_local! {
    static OPEN: RefCell<Vec<Open>> = const { RefCell::new(Vec::new()) };
}
static NEXT_ID: AtomicU64 = AtomicU64::new(0);

/// Keeps a guard or a named scope in force on this thread until it is dropped.
#[derive(Debug)]
#[must_use = "the scope ends when this is dropped"]
pub struct Scope {
    id: u64,
    // Guards are this thread's: the scope must be dropped where it was opened.
    not_send: PhantomData<*const ()>,
}

impl Scope {
    pub(super) fn open(ledger: u64, scope: String, guard: Option<Arc<Active>>) -> Self {
        let id = NEXT_ID.fetch_add(1, Ordering::Relaxed);
        OPEN.with_borrow_mut(|open| open.push(Open { id, ledger, scope, guard }));
        Scope { id, not_send: PhantomData }
    }
}

impl Drop for Scope {
    fn drop(&mut self) {
        // A thread that is being torn down may have lost its stack already.
        let _ = OPEN.try_with(|open| open.borrow_mut().retain(|entry| entry.id != self.id));
    }
}

/// Polls a future within a scope, on whichever thread each poll is.
pub(super) fn follow<F: Future>(
    ledger: u64,
    scope: String,
    guard: Option<Guard>,
    future: F,
) -> impl Future<Output = F::Output> + use<F> {
    let guard = guard.map(Active::new);
    async move {
        let mut future = pin!(future);
        poll_fn(|context| {
            let _scope = Scope::open(ledger, scope.clone(), guard.clone());
            future.as_mut().poll(context)
        })
        .await
    }
}

/// Guards that a runtime, session or tensor carries, the outermost first.
#[derive(Clone, Debug, Default)]
pub(crate) struct Carried(Vec<Arc<Active>>);

impl Carried {
    /// Carries one guard more, within the others.
    pub(crate) fn with(&self, guard: Guard) -> Self {
        let mut all = self.clone();
        all.0.push(Active::new(guard));
        all
    }

    /// Carries what another one does too, each guard once.
    pub(crate) fn and(&self, other: &Carried) -> Self {
        let mut all = self.clone();
        for guard in &other.0 {
            if !all.0.iter().any(|own| Arc::ptr_eq(own, guard)) {
                all.0.push(Arc::clone(guard));
            }
        }
        all
    }
}

/// A guard in force on all threads.
#[derive(Clone, Debug)]
pub(super) struct Shared {
    id: u64,
    active: Arc<Active>,
}

impl Shared {
    pub(super) fn new(guard: Guard) -> Self {
        Shared { id: NEXT_ID.fetch_add(1, Ordering::Relaxed), active: Active::new(guard) }
    }
}

/// Keeps a guard in force on all threads until it is dropped, on whichever thread that is.
#[derive(Debug)]
#[must_use = "the scope ends when this is dropped"]
pub struct SharedScope {
    ledger: Ledger,
    id: u64,
}

impl SharedScope {
    pub(super) fn new(ledger: Ledger, shared: &Shared) -> Self {
        SharedScope { ledger, id: shared.id }
    }
}

impl Drop for SharedScope {
    fn drop(&mut self) {
        self.ledger.book().shared.retain(|shared| shared.id != self.id);
    }
}

/// Returns the names of the scopes that a call is in, outermost first.
pub(super) fn scope_path(ledger: u64, shared: &[Shared], carried: &Carried) -> String {
    let outer = shared.iter().map(|shared| &shared.active).chain(&carried.0);
    let outer: Vec<&str> = outer.map(|active| active.name()).collect();
    OPEN.with_borrow(|open| {
        let mine = open.iter().filter(|o| o.ledger == ledger).map(|o| o.scope.as_str());
        outer.iter().copied().chain(mine).collect::<Vec<_>>().join("/")
    })
}

/// The crossing that a guard is asked about.
pub(super) struct Request<'a> {
    pub direction: Direction,
    pub call: Call<'a>,
    pub label: &'a str,
    pub bytes: u64,
}

/// The budgets a permitted crossing was charged to.
#[derive(Debug, Default)]
pub(super) struct Charged(Vec<Arc<Active>>);

impl Charged {
    pub(super) fn refund(&mut self, bytes: u64) {
        for guard in self.0.drain(..) {
            guard.refund(bytes);
        }
    }
}

/// Asks every guard that holds for a call, innermost first.
pub(super) fn check(ledger: u64, shared: &[Shared], request: &Request<'_>) -> Result<Charged> {
    let mut guards: Vec<Arc<Active>> = OPEN.with_borrow(|open| {
        let mine = open.iter().rev().filter(|o| o.ledger == ledger);
        mine.filter_map(|o| o.guard.clone()).collect()
    });
    guards.extend(request.call.guards.0.iter().rev().cloned());
    guards.extend(shared.iter().rev().map(|shared| Arc::clone(&shared.active)));
    let mut charged = Charged::default();
    let covers = |active: &Active| active.guard.directions[request.direction.index()];
    for active in guards.into_iter().filter(|active| covers(active)) {
        let refusal = match active.guard.rule {
            Rule::Allow => break,
            Rule::Forbid => Err("crossings are forbidden in this scope".to_owned()),
            Rule::Log => {
                log::warn!(
                    "crossing in scope \"{}\": {} of \"{}\", {} bytes, cause {}",
                    escaped(&active.guard.name),
                    request.direction,
                    escaped(request.label),
                    request.bytes,
                    request.call.cause
                );
                Ok(())
            }
            Rule::Budget { .. } => active.charge(request.bytes),
        };
        match refusal {
            Ok(()) => charged.0.push(active),
            Err(reason) => {
                charged.refund(request.bytes);
                return Err(Error::Crossing {
                    guard: active.guard.name.clone(),
                    direction: request.direction,
                    label: request.label.to_owned(),
                    bytes: request.bytes,
                    cause: request.call.cause,
                    site: request.call.site,
                    reason,
                });
            }
        }
    }
    Ok(charged)
}

impl Guard {
    pub(super) fn scope_name(&self) -> &str {
        &self.name
    }
}
