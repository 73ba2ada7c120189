//! Loops of a source: how often all of one thread's run together, as far as it can be known.
//!
//! Some drivers end a thread's loops after a number of iterations, silently. So the iterations of
//! a source are counted for a dispatch whose parameters, array lengths and workgroups are known:
//! values are followed as ranges, and a loop whose counter goes from a known number by known steps
//! to a known bound has a known number of iterations, at most. All others are listed.

mod range;
mod trips;
mod value;

use std::collections::{BTreeSet, HashMap, HashSet};

use naga::valid::{FunctionInfo, ModuleInfo};
use naga::{Block, Expression, Function, Handle, LocalVariable, Module, Span, Statement};

use range::Range;
use trips::Parts;
use value::{Frame, Lanes};

use super::source;
use crate::error::Result;

/// Statements that are looked at, those of a function once for each of its calls with other
/// numbers; a source that has more is taken for one whose loops have no known bound.
const MOST_STATEMENTS: u32 = 200_000;

/// What is known of a dispatch.
pub(crate) struct Dispatch<'a> {
    /// The bytes of the uniform parameters.
    pub params: &'a [u8],
    /// The number of elements of each storage buffer, by binding number.
    pub lengths: Vec<(u32, u64)>,
    /// Workgroups in x, y, z.
    pub workgroups: [u32; 3],
    /// Threads of one workgroup in x, y, z.
    pub workgroup_size: [u32; 3],
}

/// The loops of one thread.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Loops {
    /// Iterations of those whose bound is known, all together and at most.
    pub iterations: u64,
    /// The line of the loop that has the most of them.
    pub line: usize,
    /// The lines of those whose bound is not known.
    pub unbounded: Vec<usize>,
}

/// Counts the iterations of an entry point's loops.
///
/// # Errors
///
/// As registering the source.
pub(super) fn count(
    title: &str,
    text: &str,
    entry: &str,
    dispatch: &Dispatch<'_>,
) -> Result<Loops> {
    let (module, info) = source::validate(title, text)?;
    let position = module.entry_points.iter().position(|point| point.name == entry);
    // A kernel that was registered has its entry point.
    let Some(number) = position else { return Ok(Loops::default()) };
    let function = &module.entry_points[number].function;
    let arguments = value::entry_arguments(function, dispatch);
    let mut count = Count {
        source: (&module, &info),
        text,
        dispatch,
        calls: HashMap::new(),
        previewed: HashMap::new(),
        is_preview: false,
        unbounded: BTreeSet::new(),
        longest: (0, 0),
        left: MOST_STATEMENTS,
    };
    let called = count.function(function, info.get_entry_point(number), arguments);
    // The last iteration of the last loop finds that there is none more.
    let iterations = called.tally.trips.saturating_sub(1);
    let unbounded = count.unbounded.into_iter().collect();
    Ok(Loops { iterations, line: count.longest.1, unbounded })
}

/// Iterations, and loops: one that no thread takes part in has one iteration.
#[derive(Clone, Copy, Default)]
struct Tally {
    trips: u64,
    loops: u64,
}

impl Tally {
    fn and(self, other: Tally) -> Self {
        Tally {
            trips: self.trips.saturating_add(other.trips),
            loops: self.loops.saturating_add(other.loops),
        }
    }

    /// What runs where all threads take one of two ways.
    fn or(self, other: Tally) -> Self {
        let one = self.trips.saturating_add(other.loops);
        let two = other.trips.saturating_add(self.loops);
        Tally { trips: one.max(two), loops: self.and(other).loops }
    }

    fn times(self, rounds: u64) -> Self {
        Tally { trips: self.trips.saturating_mul(rounds), ..self }
    }
}

/// What a call comes to.
#[derive(Clone, Copy, Default)]
struct Called {
    tally: Tally,
    result: Option<Lanes>,
}

/// Counting in progress.
struct Count<'a> {
    source: (&'a Module, &'a ModuleInfo),
    text: &'a str,
    dispatch: &'a Dispatch<'a>,
    /// What calls have come to, by function and arguments.
    calls: HashMap<(Handle<Function>, Vec<Lanes>), Called>,
    /// The same for calls that were looked at for their results alone.
    previewed: HashMap<(Handle<Function>, Vec<Lanes>), Called>,
    is_preview: bool,
    unbounded: BTreeSet<usize>,
    /// The iterations and the line of the longest loop.
    longest: (u64, usize),
    /// Statements that may still be looked at.
    left: u32,
}

impl<'a> Count<'a> {
    fn function(
        &mut self,
        function: &'a Function,
        info: &'a FunctionInfo,
        arguments: Vec<Lanes>,
    ) -> Called {
        let mut frame = Frame {
            module: self.source.0,
            function,
            info,
            dispatch: self.dispatch,
            arguments,
            locals: HashMap::new(),
            values: HashMap::new(),
        };
        frame.begin();
        let mut result = None;
        let tally = self.block(&mut frame, &function.body, &mut result);
        Called { tally, result }
    }

    fn block(
        &mut self,
        frame: &mut Frame<'a>,
        block: &'a Block,
        result: &mut Option<Lanes>,
    ) -> Tally {
        block.span_iter().fold(Tally::default(), |tally, (statement, span)| {
            tally.and(self.statement(frame, statement, *span, result))
        })
    }

    fn statement(
        &mut self,
        frame: &mut Frame<'a>,
        statement: &'a Statement,
        span: Span,
        result: &mut Option<Lanes>,
    ) -> Tally {
        let Some(left) = self.left.checked_sub(1) else {
            self.list(span);
            return Tally::default();
        };
        self.left = left;
        match statement {
            Statement::Emit(range) => range.clone().for_each(|emitted| frame.emit(emitted)),
            Statement::Store { pointer, value } => store(frame, *pointer, *value),
            Statement::Block(block) => return self.block(frame, block, result),
            Statement::If { condition, accept, reject } => {
                let one = self.way(frame, accept, result);
                let two = self.way(frame, reject, result);
                // Threads that take different ways go through both.
                let is_uniform = frame.info[*condition].uniformity.non_uniform_result.is_none();
                return if is_uniform { one.or(two) } else { one.and(two) };
            }
            Statement::Switch { cases, .. } => {
                return cases.iter().fold(Tally::default(), |tally, case| {
                    tally.and(self.way(frame, &case.body, result))
                });
            }
            Statement::Loop { body, continuing, break_if } => {
                let parts = Parts { body, continuing, break_if: *break_if };
                return self.looped(frame, parts, span, result);
            }
            Statement::Call { function, arguments, result } => {
                return self.call(frame, *function, arguments, *result);
            }
            Statement::Return { value: Some(value) } => {
                let value = frame.value(*value);
                *result = Some(result.map_or(value, |earlier| hull(earlier, value)));
            }
            _ => {}
        }
        Tally::default()
    }

    /// One of several ways that threads may take: what it assigns is not known behind it.
    fn way(
        &mut self,
        frame: &mut Frame<'a>,
        block: &'a Block,
        result: &mut Option<Lanes>,
    ) -> Tally {
        let tally = self.block(frame, block, result);
        forget(frame, &[block]);
        tally
    }

    fn looped(
        &mut self,
        frame: &mut Frame<'a>,
        parts: Parts<'a>,
        span: Span,
        result: &mut Option<Lanes>,
    ) -> Tally {
        let blocks = [parts.body, parts.continuing];
        let start = forget(frame, &blocks);
        let was_preview = std::mem::replace(&mut self.is_preview, true);
        for block in blocks {
            self.preview(frame, block);
        }
        self.is_preview = was_preview;
        let trips = trips::count(frame, parts, &start);
        if let Some((counter, range)) = trips.and_then(|trips| trips.counter) {
            frame.locals.insert(counter, [range; 4]);
        }
        let inner = self.block(frame, parts.body, result);
        let inner = inner.and(self.block(frame, parts.continuing, result));
        forget(frame, &blocks);
        let loops = inner.loops.saturating_add(1);
        let Some(trips) = trips else {
            self.list(span);
            return Tally { trips: inner.trips.saturating_add(1), loops };
        };
        // The one that does not pass goes through what follows the test too, with no thread.
        let rounds = trips.passed.saturating_add(u64::from(!trips.tests_first));
        let own = trips.passed.saturating_add(1).saturating_add(inner.loops);
        let all = inner.times(rounds).trips.saturating_add(own);
        if all > self.longest.0 && !self.is_preview {
            self.longest = (all, self.line(span));
        }
        Tally { trips: all, loops }
    }

    fn call(
        &mut self,
        frame: &mut Frame<'a>,
        function: Handle<Function>,
        arguments: &[Handle<Expression>],
        result: Option<Handle<Expression>>,
    ) -> Tally {
        let given: Vec<Lanes> = arguments.iter().map(|&argument| frame.value(argument)).collect();
        let key = (function, given);
        let known = if self.is_preview { &self.previewed } else { &self.calls };
        let called = if let Some(known) = known.get(&key) {
            *known
        } else {
            let (module, info) = self.source;
            let called = self.function(&module.functions[function], &info[function], key.1.clone());
            let calls = if self.is_preview { &mut self.previewed } else { &mut self.calls };
            calls.insert(key, called);
            called
        };
        for &argument in arguments {
            if let Some(target) = frame.target(argument) {
                frame.locals.remove(&target);
            }
        }
        if let Some((result, value)) = result.zip(called.result) {
            frame.values.insert(result, value);
        }
        called.tally
    }

    /// Computes what a loop emits itself, so that its tests and steps can be read.
    fn preview(&mut self, frame: &mut Frame<'a>, block: &'a Block) {
        for statement in block {
            match statement {
                Statement::Emit(range) => range.clone().for_each(|emitted| frame.emit(emitted)),
                Statement::Block(inner) => self.preview(frame, inner),
                Statement::If { accept, reject, .. } => {
                    self.preview(frame, accept);
                    self.preview(frame, reject);
                }
                Statement::Call { function, arguments, result } => {
                    self.call(frame, *function, arguments, *result);
                }
                _ => {}
            }
        }
    }

    /// Lists a loop without a known bound.
    fn list(&mut self, span: Span) {
        if !self.is_preview {
            self.unbounded.insert(self.line(span));
        }
    }

    fn line(&self, span: Span) -> usize {
        let start = span.to_range().map_or(0, |range| range.start);
        self.text.get(..start).unwrap_or_default().matches('\n').count() + 1
    }
}

fn store(frame: &mut Frame<'_>, pointer: Handle<Expression>, value: Handle<Expression>) {
    let Some(local) = frame.target(pointer) else { return };
    match frame.function.expressions[pointer] {
        Expression::LocalVariable(_) => {
            let value = frame.value(value);
            frame.locals.insert(local, value);
        }
        Expression::AccessIndex { base, index }
            if matches!(frame.function.expressions[base], Expression::LocalVariable(_))
                && frame.is_vector(frame.function.local_variables[local].ty) =>
        {
            let value = frame.scalar(value);
            let lanes = frame.locals.get_mut(&local);
            if let Some(lane) = lanes.and_then(|lanes| lanes.get_mut(index as usize)) {
                *lane = value;
            }
        }
        _ => {
            frame.locals.remove(&local);
        }
    }
}

/// Forgets what blocks assign to, and returns what it was.
fn forget(frame: &mut Frame<'_>, blocks: &[&Block]) -> HashMap<Handle<LocalVariable>, Lanes> {
    let mut assigned = HashSet::new();
    for block in blocks {
        trips::all_assign(frame, block, &mut assigned);
    }
    let known = assigned.into_iter();
    known.filter_map(|local| frame.locals.remove(&local).map(|value| (local, value))).collect()
}

fn hull(one: Lanes, two: Lanes) -> Lanes {
    let mut lanes = one;
    lanes.iter_mut().zip(two).for_each(|(to, from)| *to = Range::or(*to, from));
    lanes
}
