//! Random small networks: sharing slots changes no value, every layer is right on the values that
//! it was really given, and passes change no output beyond its bound.

use std::cell::RefCell;
use std::collections::BTreeMap;
use std::fmt::Write;

use longshore::passes::PassReport;
use longshore::{Graph, HostArray, Passes, Plan, PlanOptions, Run, Session, StagePolicy, Tensor};
use ndarray::ArrayD;

use crate::compare::assert_close;
use crate::executor::Executor;
use crate::golden::{assert_same_bits, widen};
use crate::network::{DECK, NOT_DRAWN, Network};
use crate::oracle::Expected;

/// Draws networks; `LONGSHORE_SEED` names a single one, to repeat a failure.
fn networks(count: u64, body: impl Fn(Network)) {
    let one: Option<u64> =
        std::env::var("LONGSHORE_SEED").ok().map(|seed| seed.parse().expect("a seed is a number"));
    for seed in one.map_or(0..count, |seed| seed..seed + 1) {
        let _named = Seed(seed);
        body(Network::draw(seed));
    }
}

struct Seed(u64);

impl Drop for Seed {
    fn drop(&mut self) {
        if std::thread::panicking() {
            eprintln!("LONGSHORE_SEED={} draws this network again", self.0);
        }
    }
}

fn prepare(on: &dyn Executor, graph: &Graph, batch: usize, passes: Passes) -> (Plan, Session) {
    let plan = graph.plan_with(batch, PlanOptions::new().passes(passes)).unwrap();
    let session = on.runtime().prepare(&plan).unwrap();
    (plan, session)
}

fn stage(on: &dyn Executor, name: &str, array: &ArrayD<f32>) -> Tensor {
    let policy = StagePolicy::new().allow_non_finite();
    on.runtime().stage_with(name, &HostArray::from_view(array), policy).unwrap().0
}

fn stage_all<'n>(on: &dyn Executor, inputs: &'n [(String, ArrayD<f32>)]) -> Vec<(&'n str, Tensor)> {
    inputs.iter().map(|(name, array)| (name.as_str(), stage(on, name, array))).collect()
}

fn run(session: &Session, inputs: &[(&str, Tensor)]) -> Run {
    session.run(inputs.iter().map(|(name, tensor)| (*name, tensor))).unwrap()
}

fn number(output: &str) -> usize {
    output.strip_prefix("value ").unwrap().parse().unwrap()
}

pub fn sharing_slots_changes_nothing_and_every_layer_is_right(on: &dyn Executor) {
    let shared = RefCell::new(0);
    networks(40, |net| {
        let all = net.with_outputs(|_| true);
        let (_, every) = prepare(on, &all, net.batch, Passes::none());
        let (plan, last) = prepare(on, &net.with_outputs(|_| false), net.batch, Passes::none());
        // The last steps write outputs, and the others write slots.
        if plan.slots().len() + plan.outputs().len() < plan.steps().len() {
            *shared.borrow_mut() += 1;
        }
        let staged = stage_all(on, &net.inputs);
        let (every, last) = (run(&every, &staged), run(&last, &staged));
        let mut values: Vec<Expected> = Vec::new();
        for (number, value) in net.values.iter().enumerate() {
            let Some(oracle) = &value.oracle else {
                values.push(value.expected.clone());
                continue;
            };
            let name = format!("value {number}");
            let actual = every[&name].read().unwrap();
            let operands: Vec<&Expected> = value.operands.iter().map(|&x| &values[x]).collect();
            assert_close(&format!("{name} of\n{all}"), &actual, &oracle(&operands));
            values.push(Expected::exact(widen(&actual)));
        }
        for (name, tensor) in last.outputs() {
            assert_same_bits(name, &tensor.read().unwrap(), &every[name].read().unwrap());
        }
    });
    let shared = shared.into_inner();
    eprintln!("{shared} of 40 plans share slots");
}

pub fn nothing_of_an_earlier_run_is_left(on: &dyn Executor) {
    let poisoned = RefCell::new(0);
    networks(40, |net| {
        let graph = net.with_outputs(|_| false);
        let (plan, used) = prepare(on, &graph, net.batch, Passes::all());
        let nan: Vec<(String, ArrayD<f32>)> = net
            .inputs
            .iter()
            .map(|(name, array)| (name.clone(), array.mapv(|_| f32::NAN)))
            .collect();
        let first = run(&used, &stage_all(on, &nan));
        let is_nan = |tensor: &Tensor| tensor.read().unwrap().iter().any(|value| value.is_nan());
        *poisoned.borrow_mut() += usize::from(first.outputs().any(|(_, tensor)| is_nan(tensor)));
        let staged = stage_all(on, &net.inputs);
        let after = run(&used, &staged);
        let (_, fresh) = prepare(on, &graph, net.batch, Passes::all());
        let fresh = run(&fresh, &staged);
        for (name, tensor) in after.outputs() {
            let fresh = fresh[name].read().unwrap();
            assert_same_bits(&format!("{name}\n{plan}"), &tensor.read().unwrap(), &fresh);
        }
    });
    eprintln!("{} of 40 networks give NaN", poisoned.into_inner());
}

/// Both plans' outputs lie within what f32 may be off by in the whole network. Every operator and
/// every pass has its part.
pub fn every_operator_in_networks_with_and_without_passes(on: &dyn Executor) {
    let (count, each) = (on.networks(), on.each());
    let totals = RefCell::new([[0; 2]; 3]);
    let in_place = RefCell::new(0);
    let census: RefCell<BTreeMap<&str, usize>> =
        RefCell::new(DECK.iter().map(|(name, _)| (*name, 0)).collect());
    let passes_used: RefCell<BTreeMap<&str, usize>> = RefCell::new(BTreeMap::new());
    let rows_moved = RefCell::new([0; 2]);
    networks(count, |mut net| {
        let named: Vec<bool> = net.values.iter().map(|_| net.random.range(0, 5) == 0).collect();
        let graph = net.with_outputs(|number| named[number]);
        let staged = stage_all(on, &net.inputs);
        let mut steps = [0; 2];
        let mut shown = String::new();
        for (side, passes) in [Passes::none(), Passes::all()].into_iter().enumerate() {
            let (plan, session) = prepare(on, &graph, net.batch, passes);
            for (name, tensor) in run(&session, &staged).outputs() {
                let what = format!("{name} of batch {}\n{graph}\n{plan}", net.batch);
                let expected = &net.values[number(name)].expected;
                assert_close(&what, &tensor.read().unwrap(), expected);
            }
            for pass in plan.report().passes().iter().filter(|pass| pass.changed()) {
                *passes_used.borrow_mut().entry(pass.pass()).or_default() += 1;
            }
            count_moved_rows(&plan, &mut rows_moved.borrow_mut());
            steps[side] = plan.steps().len();
            writeln!(shown, "{plan}{}", plan.report()).unwrap();
            totals.borrow_mut()[0][side] += plan.steps().len() as u64;
            totals.borrow_mut()[1][side] += plan.peak_bytes();
        }
        assert!(steps[1] <= steps[0], "{graph}\n{shown}");
        // Pieces in place save steps and never hold more; without passes each saves the one that copied it.
        for base in [Passes::none(), Passes::all().without("concat_in_place").unwrap()] {
            let options = |passes| PlanOptions::new().passes(passes);
            let copied = graph.plan_with(net.batch, options(base.clone())).unwrap();
            let passes = base.with("concat_in_place").unwrap();
            let placed = graph.plan_with(net.batch, options(passes)).unwrap();
            let written =
                |line: &String| line.split(' ').find_map(|word| word.parse::<usize>().ok());
            let done = placed.report().passes().last().unwrap().done();
            let pieces: usize = done.iter().filter_map(written).sum();
            assert_eq!(placed.steps().len() + pieces, copied.steps().len(), "{placed}");
            assert!(placed.peak_bytes() <= copied.peak_bytes(), "{placed}\n{copied}");
            *in_place.borrow_mut() += pieces;
        }
        totals.borrow_mut()[2][0] += u64::from(steps[1] < steps[0]);
        for name in &net.drawn {
            *census.borrow_mut().get_mut(name).unwrap() += 1;
        }
    });
    let [steps, peaks, [fewer, _]] = totals.into_inner();
    let census = census.into_inner();
    eprintln!("steps and bytes at their peaks, without passes and with: {steps:?} {peaks:?}");
    let passes_used = passes_used.into_inner();
    let in_place = in_place.into_inner();
    eprintln!("{in_place} pieces are written in place, counted twice");
    eprintln!("{fewer} of {count} plans have fewer steps; {passes_used:?} {census:?}");
    let rows_moved = rows_moved.into_inner();
    eprintln!(
        "normalizations over axes in another order, and over reshaped values: {rows_moved:?}"
    );
    if std::env::var_os("LONGSHORE_SEED").is_none() {
        assert!(fewer > count / 3, "{fewer} plans have fewer steps");
        let seldom: Vec<_> = census.iter().filter(|(_, drawn)| **drawn < each).collect();
        assert!(seldom.is_empty(), "drawn less than {each} times: {seldom:?}");
        for pass in Passes::names() {
            let count = passes_used.get(pass).copied().unwrap_or(0);
            assert!(count > 2, "{pass} changes {count} networks");
        }
        let [moved, lifted] = rows_moved;
        assert!(moved > on.networks() / 40 && lifted > on.networks() / 400, "{moved} {lifted}");
    }
}

/// Counts normalizations that take the axes as they are held, and those that a reshape was taken
/// away from before.
fn count_moved_rows(plan: &Plan, [moved, lifted]: &mut [u64; 2]) {
    let passes = plan.report().passes().iter();
    let lines = passes.flat_map(PassReport::done);
    *lifted +=
        lines.filter(|line| line.contains("over what its operand is a reshape of")).count() as u64;
    let steps = plan.steps().iter().filter(|step| step.kernel.stem == "normalization");
    *moved += steps.filter(|step| step.node.contains("/moved")).count() as u64;
}

/// Names in the table's third column that stand for others in the deck, and words that are no names.
const OTHERWISE: [(&str, &[&str]); 3] = [
    ("activation", &["linear", "relu", "affine"]),
    ("reduce", &["reduce_mean", "reduce_sum"]),
    ("1d", &["max_pooling1d", "lp_pooling1d"]),
];

/// Names in the first column that the graph's methods spell otherwise.
const SPELLED: [(&str, &str); 12] = [
    ("and", "logical_and"),
    ("or", "logical_or"),
    ("xor", "logical_xor"),
    ("not", "logical_not"),
    ("is_na_n", "is_nan"),
    ("neg", "negative"),
    ("exp", "exponential"),
    ("hard_swish", "hard_silu"),
    ("pow", "power"),
    ("mod", "modulo"),
    ("greater_or_equal", "greater_equal"),
    ("less_or_equal", "less_equal"),
];

fn snake_case(name: &str) -> String {
    let mut result = String::new();
    for (at, letter) in name.char_indices() {
        if letter.is_ascii_uppercase() && at > 0 {
            result.push('_');
        }
        result.push(letter.to_ascii_lowercase());
    }
    let spelled = SPELLED.iter().find(|(name, _)| *name == result);
    spelled.map_or(result, |(_, name)| (*name).to_owned())
}

/// A row's operators: the names in its third column, and where that leaves some out, those of its first.
fn operators(row: &str) -> Vec<String> {
    let cells: Vec<&str> = row.split('|').map(str::trim).collect();
    let is_name = |word: &&str| word.chars().all(|c| matches!(c, 'a'..='z' | '0'..='9' | '_'));
    let quoted = cells[3].split('`').skip(1).step_by(2).filter(is_name);
    let mut names: Vec<String> = quoted.map(str::to_owned).collect();
    if cells[3].contains("by name") || cells[3].contains("...") || cells[3] == "`reduce`" {
        names.extend(cells[1].split(", ").map(snake_case));
    }
    names
}

pub fn networks_have_every_operator_of_the_table(_: &dyn Executor) {
    let table = include_str!("../../../docs/operators.md");
    let rows: Vec<&str> = table.lines().filter(|line| line.starts_with('|')).skip(2).collect();
    assert!(rows.len() >= 30, "{} rows", rows.len());
    let is_drawn = |name: &str| DECK.iter().any(|(drawn, _)| *drawn == name);
    for row in rows {
        let names = operators(row);
        assert!(!names.is_empty(), "no operator is named in {row}");
        for name in names {
            let stands_for = OTHERWISE.iter().find(|(other, _)| *other == name);
            let known = match stands_for {
                Some((_, others)) => others.iter().all(|other| is_drawn(other)),
                None => is_drawn(&name) != NOT_DRAWN.contains(&name.as_str()),
            };
            assert!(known, "no network draws {name}, and it is not among those left out: {row}");
        }
    }
}
