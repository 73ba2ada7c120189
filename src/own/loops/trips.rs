//! How often a loop runs: its tests, what its counter starts from, and the step between.

use std::collections::{HashMap, HashSet};

use naga::{
    BinaryOperator, Block, Expression, Handle, Literal, LocalVariable, Statement, UnaryOperator,
};

use super::range::{Arithmetic, Kind, Range};
use super::value::{Frame, Lanes, arithmetic};

/// Tests of one loop that are looked at: more would be no use, and take time.
const MOST_TESTS: usize = 16;

/// The parts of a loop.
#[derive(Clone, Copy)]
pub(super) struct Parts<'a> {
    pub body: &'a Block,
    pub continuing: &'a Block,
    pub break_if: Option<Handle<Expression>>,
}

/// What is known of a loop.
#[derive(Clone, Copy)]
pub(super) struct Trips {
    /// Iterations that pass the test, at most.
    pub passed: u64,
    /// Whether nothing but the test runs in the one that does not.
    pub tests_first: bool,
    /// The counter, and what it can be behind the test.
    pub counter: Option<(Handle<LocalVariable>, Range)>,
}

/// A comparison that holds as long as the loop goes on.
struct Test {
    op: BinaryOperator,
    left: Handle<Expression>,
    right: Handle<Expression>,
    is_first: bool,
}

/// What happens to the counter in each iteration.
struct Step {
    operation: Arithmetic,
    by: Range,
    is_behind_body: bool,
}

/// Counts a loop's iterations, at most, from the tests whose bounds are known.
///
/// `frame` has been over the loop once, with everything that it assigns unknown; `start` is what
/// the variables were in front of it.
pub(super) fn count(
    frame: &Frame<'_>,
    parts: Parts<'_>,
    start: &HashMap<Handle<LocalVariable>, Lanes>,
) -> Option<Trips> {
    let mut tests = Vec::new();
    body_tests(frame, parts.body, &mut true, &mut tests);
    if let Some(condition) = parts.break_if {
        conjuncts(frame, condition, false, &mut |op, left, right| {
            tests.push(Test { op, left, right, is_first: false });
        });
    }
    tests
        .iter()
        .take(MOST_TESTS)
        .filter_map(|test| counted(frame, parts, start, test))
        .min_by_key(|trips| trips.passed)
}

/// Finds the tests that every iteration makes: not those behind a `continue`. Returns whether
/// the block went on to its end without one.
fn body_tests(
    frame: &Frame<'_>,
    block: &Block,
    is_first: &mut bool,
    tests: &mut Vec<Test>,
) -> bool {
    for statement in block {
        match statement {
            Statement::Block(inner) if !body_tests(frame, inner, is_first, tests) => return false,
            Statement::If { condition, accept, reject } => {
                let wanted = match (leaves(accept), leaves(reject)) {
                    (false, true) => Some(true),
                    (true, false) => Some(false),
                    _ => None,
                };
                if let Some(wanted) = wanted {
                    conjuncts(frame, *condition, wanted, &mut |op, left, right| {
                        tests.push(Test { op, left, right, is_first: *is_first });
                    });
                }
            }
            _ => {}
        }
        if continues(statement) {
            return false;
        }
        *is_first &= !runs_loops(statement);
    }
    true
}

/// Tells whether a block ends the loop around it.
fn leaves(block: &Block) -> bool {
    match block.last() {
        Some(Statement::Break | Statement::Return { .. }) => true,
        Some(Statement::Block(inner)) => leaves(inner),
        _ => false,
    }
}

/// Tells whether a statement may go on with the loop's next iteration.
fn continues(statement: &Statement) -> bool {
    let any = |block: &Block| block.iter().any(continues);
    match statement {
        Statement::Continue => true,
        Statement::Block(block) => any(block),
        Statement::If { accept, reject, .. } => any(accept) || any(reject),
        Statement::Switch { cases, .. } => cases.iter().any(|case| any(&case.body)),
        _ => false,
    }
}

/// Tells whether a statement may run a loop.
fn runs_loops(statement: &Statement) -> bool {
    let any = |block: &Block| block.iter().any(runs_loops);
    match statement {
        Statement::Loop { .. } | Statement::Call { .. } => true,
        Statement::Block(block) => any(block),
        Statement::If { accept, reject, .. } => any(accept) || any(reject),
        Statement::Switch { cases, .. } => cases.iter().any(|case| any(&case.body)),
        _ => false,
    }
}

/// Hands out the comparisons that all hold where a condition is as wanted.
fn conjuncts(
    frame: &Frame<'_>,
    condition: Handle<Expression>,
    wanted: bool,
    found: &mut impl FnMut(BinaryOperator, Handle<Expression>, Handle<Expression>),
) {
    match frame.function.expressions[condition] {
        Expression::Unary { op: UnaryOperator::LogicalNot, expr } => {
            conjuncts(frame, expr, !wanted, found);
        }
        Expression::Binary { op, left, right } => {
            if let Some(op) = if wanted { Some(op) } else { negated(op) } {
                found(op, left, right);
            }
        }
        Expression::Load { pointer } => {
            let Expression::LocalVariable(variable) = frame.function.expressions[pointer] else {
                return;
            };
            if let Some((first, second)) = short_circuit(frame, variable, wanted) {
                conjuncts(frame, first, true, found);
                conjuncts(frame, second, wanted, found);
            }
        }
        _ => {}
    }
}

/// Finds what `a && b`, and the contrary of `a || b`, are made of: naga writes both as a variable
/// without a name, which an `if` over the first sets to the second or to what is then known.
fn short_circuit(
    frame: &Frame<'_>,
    variable: Handle<LocalVariable>,
    wanted: bool,
) -> Option<(Handle<Expression>, Handle<Expression>)> {
    if frame.function.local_variables[variable].name.is_some() {
        return None;
    }
    let stored = |block: &Block| match block.last() {
        Some(Statement::Store { pointer, value }) => match frame.function.expressions[*pointer] {
            Expression::LocalVariable(found) if found == variable => Some(*value),
            _ => None,
        },
        _ => None,
    };
    find(&frame.function.body, &mut |statement| {
        let Statement::If { condition, accept, reject } = statement else { return None };
        let (second, known) = stored(accept).zip(stored(reject))?;
        match frame.function.expressions[known] {
            Expression::Literal(Literal::Bool(known)) if known != wanted => {
                Some((*condition, second))
            }
            _ => None,
        }
    })
}

/// Looks through all statements of a block.
fn find<T>(block: &Block, look: &mut impl FnMut(&Statement) -> Option<T>) -> Option<T> {
    for statement in block {
        let inner = match statement {
            Statement::Block(inner) => find(inner, look),
            Statement::If { accept, reject, .. } => {
                find(accept, look).or_else(|| find(reject, look))
            }
            Statement::Switch { cases, .. } => cases.iter().find_map(|case| find(&case.body, look)),
            Statement::Loop { body, continuing, .. } => {
                find(body, look).or_else(|| find(continuing, look))
            }
            _ => None,
        };
        if let Some(found) = inner.or_else(|| look(statement)) {
            return Some(found);
        }
    }
    None
}

fn negated(op: BinaryOperator) -> Option<BinaryOperator> {
    match op {
        BinaryOperator::Less => Some(BinaryOperator::GreaterEqual),
        BinaryOperator::LessEqual => Some(BinaryOperator::Greater),
        BinaryOperator::Greater => Some(BinaryOperator::LessEqual),
        BinaryOperator::GreaterEqual => Some(BinaryOperator::Less),
        BinaryOperator::Equal => Some(BinaryOperator::NotEqual),
        _ => None,
    }
}

fn turned(op: BinaryOperator) -> BinaryOperator {
    match op {
        BinaryOperator::Less => BinaryOperator::Greater,
        BinaryOperator::LessEqual => BinaryOperator::GreaterEqual,
        BinaryOperator::Greater => BinaryOperator::Less,
        BinaryOperator::GreaterEqual => BinaryOperator::LessEqual,
        other => other,
    }
}

/// Counts by one test, if one of its sides is a counter.
fn counted(
    frame: &Frame<'_>,
    parts: Parts<'_>,
    start: &HashMap<Handle<LocalVariable>, Lanes>,
    test: &Test,
) -> Option<Trips> {
    let sides = [(test.left, test.right, test.op), (test.right, test.left, turned(test.op))];
    sides.into_iter().find_map(|(side, other, op)| {
        let (counter, ahead) = counter(frame, parts, side)?;
        let kind = frame.kind(side);
        let step = step(frame, parts, counter)?;
        let [from, ..] = start.get(&counter).copied().unwrap_or([kind.any(); 4]);
        let bound = frame.scalar(other);
        let (passed, range) = progress(op, &step, [from, bound, ahead], kind)?;
        let counter = (test.is_first && step.is_behind_body).then_some((counter, range));
        Some(Trips { passed, tests_first: test.is_first, counter })
    })
}

/// Reads `i`, or `i + n`, as a variable and what is added to it; `i` as it is in this iteration,
/// not as it was in front of the loop.
fn counter(
    frame: &Frame<'_>,
    parts: Parts<'_>,
    side: Handle<Expression>,
) -> Option<(Handle<LocalVariable>, Range)> {
    match frame.function.expressions[side] {
        Expression::Load { pointer } => match frame.function.expressions[pointer] {
            Expression::LocalVariable(variable) if is_emitted(parts, side) => {
                Some((variable, Range::point(0)))
            }
            _ => None,
        },
        Expression::Binary { op: BinaryOperator::Add, left, right } => {
            let (variable, none) = counter(frame, parts, left)?;
            let ahead = frame.scalar(right);
            (none == Range::point(0) && ahead.ends().is_some_and(|(lo, _)| lo >= 0))
                .then_some((variable, ahead))
        }
        _ => None,
    }
}

/// Finds the one place where the loop changes a counter, once in every iteration.
fn step(frame: &Frame<'_>, parts: Parts<'_>, counter: Handle<LocalVariable>) -> Option<Step> {
    let mut stores = 0;
    for block in [parts.body, parts.continuing] {
        stores += usize::from(block.iter().any(|statement| {
            let mut assigned = HashSet::new();
            assigns(frame, statement, &mut assigned);
            assigned.contains(&counter)
        }));
    }
    let in_continuing = stored_once(frame, parts.continuing, counter);
    let in_body = stored_once(frame, parts.body, counter);
    let (value, is_behind_body) = match (in_continuing, in_body) {
        (Some(value), _) if stores == 1 => (value, true),
        (_, Some(value)) if stores == 1 && !parts.body.iter().any(continues) => (value, false),
        _ => return None,
    };
    let Expression::Binary { op, left, right } = frame.function.expressions[value] else {
        return None;
    };
    let is_counter = |side| counter_alone(frame, parts, side) == Some(counter);
    let operation = arithmetic(op)?;
    let by = match (is_counter(left), is_counter(right)) {
        (true, false) => right,
        (false, true) if operation == Arithmetic::Add => left,
        _ => return None,
    };
    Some(Step { operation, by: frame.scalar(by), is_behind_body })
}

/// Tells whether a loop itself computes an expression, in each iteration.
fn is_emitted(parts: Parts<'_>, expression: Handle<Expression>) -> bool {
    let mut emits = |statement: &Statement| match statement {
        Statement::Emit(range) => range.clone().any(|emitted| emitted == expression).then_some(()),
        _ => None,
    };
    find(parts.body, &mut emits).or_else(|| find(parts.continuing, &mut emits)).is_some()
}

fn counter_alone(
    frame: &Frame<'_>,
    parts: Parts<'_>,
    side: Handle<Expression>,
) -> Option<Handle<LocalVariable>> {
    counter(frame, parts, side)
        .filter(|(_, ahead)| *ahead == Range::point(0))
        .map(|(found, _)| found)
}

/// Returns what is stored into a variable where every pass over the block does so exactly once.
fn stored_once(
    frame: &Frame<'_>,
    block: &Block,
    variable: Handle<LocalVariable>,
) -> Option<Handle<Expression>> {
    let mut found = None;
    for statement in block {
        let mut assigned = HashSet::new();
        assigns(frame, statement, &mut assigned);
        if !assigned.contains(&variable) {
            continue;
        }
        let here = match statement {
            Statement::Store { value, .. } => Some(*value),
            Statement::Block(inner) => stored_once(frame, inner, variable),
            _ => None,
        };
        if found.is_some() || here.is_none() {
            return None;
        }
        found = here;
    }
    found
}

/// Lists the function's own variables that a statement may assign to.
pub(super) fn assigns(
    frame: &Frame<'_>,
    statement: &Statement,
    found: &mut HashSet<Handle<LocalVariable>>,
) {
    match statement {
        Statement::Store { pointer, .. } => found.extend(frame.target(*pointer)),
        Statement::Call { arguments, .. } => {
            found.extend(arguments.iter().filter_map(|&argument| frame.target(argument)));
        }
        Statement::Block(block) => all_assign(frame, block, found),
        Statement::If { accept, reject, .. } => {
            all_assign(frame, accept, found);
            all_assign(frame, reject, found);
        }
        Statement::Switch { cases, .. } => {
            for case in cases {
                all_assign(frame, &case.body, found);
            }
        }
        Statement::Loop { body, continuing, .. } => {
            all_assign(frame, body, found);
            all_assign(frame, continuing, found);
        }
        _ => {}
    }
}

pub(super) fn all_assign(
    frame: &Frame<'_>,
    block: &Block,
    found: &mut HashSet<Handle<LocalVariable>>,
) {
    block.iter().for_each(|statement| assigns(frame, statement, found));
}

/// Returns how often a counter passes its test, and what it is then.
fn progress(
    op: BinaryOperator,
    step: &Step,
    [from, bound, ahead]: [Range; 3],
    kind: Kind,
) -> Option<(u64, Range)> {
    let (least, largest) = kind.ends();
    let (step_lo, step_hi) = step.by.ends()?;
    let is_alone = ahead == Range::point(0);
    match step.operation {
        Arithmetic::Add if step_lo > 0 => {
            let (first, end) = (from.lo?, bound.hi?.checked_sub(ahead.lo?)?);
            let last = match op {
                BinaryOperator::Less => end - 1,
                BinaryOperator::LessEqual => end,
                BinaryOperator::NotEqual if meets(from, bound, step.by) && is_alone => end - 1,
                _ => return None,
            };
            // What wraps around begins anew.
            let next = last.checked_add(step_hi)?.checked_add(ahead.hi?)?;
            (next <= largest).then(|| (trips(last - first, step_lo), Range::of(first, last)))
        }
        Arithmetic::Add if step_hi < 0 && is_alone => {
            down(op, (-step_hi, -step_lo), [from, bound], least)
        }
        Arithmetic::Subtract if step_lo > 0 && is_alone => {
            down(op, (step_lo, step_hi), [from, bound], least)
        }
        Arithmetic::Divide if step_lo > 1 && is_alone => {
            halved(op, step_lo, [from, bound], largest)
        }
        Arithmetic::ShiftRight if step_lo > 0 && step_hi < 32 && is_alone => {
            halved(op, 1 << step_lo, [from, bound], largest)
        }
        Arithmetic::Multiply if step_lo > 1 && is_alone => {
            doubled(op, (step_lo, step_hi), [from, bound], largest)
        }
        Arithmetic::ShiftLeft if step_lo > 0 && step_hi < 32 && is_alone => {
            doubled(op, (1 << step_lo, 1 << step_hi), [from, bound], largest)
        }
        _ => None,
    }
}

/// How many steps of a length fit into a distance, and the first number before them.
fn trips(distance: i64, step: i64) -> u64 {
    u64::try_from(distance).map_or(0, |distance| distance / step.max(1).unsigned_abs() + 1)
}

/// Tells whether a counter that goes up by ones from below meets its bound.
fn meets(from: Range, bound: Range, step: Range) -> bool {
    let is_below = from.hi.zip(bound.lo).is_some_and(|(from, bound)| from <= bound);
    step == Range::point(1) && is_below
}

fn down(
    op: BinaryOperator,
    (step_lo, step_hi): (i64, i64),
    [from, bound]: [Range; 2],
    least: i64,
) -> Option<(u64, Range)> {
    let (first, end) = (from.hi?, bound.lo?);
    let meets = meets(bound, from, Range::of(step_lo, step_hi));
    let last = match op {
        BinaryOperator::Greater => end + 1,
        BinaryOperator::GreaterEqual => end,
        BinaryOperator::NotEqual if meets => end + 1,
        _ => return None,
    };
    (last - step_hi >= least).then(|| (trips(first - last, step_lo), Range::of(last, first)))
}

/// A counter that is divided until it is small.
fn halved(
    op: BinaryOperator,
    by: i64,
    [from, bound]: [Range; 2],
    largest: i64,
) -> Option<(u64, Range)> {
    from.lo.filter(|&lo| lo >= 0)?;
    let last = match (op, bound.lo?) {
        (BinaryOperator::Greater, end) if end >= 0 => end + 1,
        (BinaryOperator::GreaterEqual, end) if end > 0 => end,
        (BinaryOperator::NotEqual, 0) if bound.hi == Some(0) => 1,
        _ => return None,
    };
    let first = from.hi.unwrap_or(largest);
    let (mut value, mut passed) = (first, 0);
    while value >= last {
        value /= by;
        passed += 1;
    }
    Some((passed, Range { lo: Some(last), hi: from.hi }))
}

/// A counter that is multiplied until it is large.
fn doubled(
    op: BinaryOperator,
    (by, most): (i64, i64),
    [from, bound]: [Range; 2],
    largest: i64,
) -> Option<(u64, Range)> {
    let first = from.lo.filter(|&lo| lo > 0)?;
    let last = match op {
        BinaryOperator::Less => bound.hi? - 1,
        BinaryOperator::LessEqual => bound.hi?,
        _ => return None,
    };
    last.checked_mul(most).filter(|&next| next <= largest)?;
    let (mut value, mut passed) = (first, 0);
    while value <= last {
        value = value.checked_mul(by)?;
        passed += 1;
    }
    Some((passed, Range::of(first, last)))
}
