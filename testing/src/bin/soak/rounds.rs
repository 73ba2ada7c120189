//! Rounds in which everything goes well.

use std::collections::BTreeMap;

use longshore::ledger::{Direction, Row};
use longshore::{
    Graph, HostArray, OwnCall, OwnKernel, Passes, PlanOptions, Run, Runtime, Saved, Session,
    StagePolicy, Tensor,
};
use longshore_testing::compare::assert_close;
use longshore_testing::network::Network;
use longshore_testing::oracle::Expected;
use longshore_testing::random::Random;
use ndarray::ArrayD;

/// Networks that rounds run; few enough that their pipelines are all compiled early.
const NETWORKS: u64 = 24;

/// Doubles, and adds what a parameter says.
const KERNEL: &str = "
struct Params { offset: f32 }
@group(0) @binding(0) var<uniform> params: Params;
@group(0) @binding(1) var<storage, read> x: array<f32>;
@group(0) @binding(2) var<storage, read_write> y: array<f32>;
@compute @workgroup_size(64)
fn main(@builtin(global_invocation_id) id: vec3<u32>) {
    if id.x < arrayLength(&y) { y[id.x] = 2.0 * x[id.x] + params.offset; }
}
";

/// A network, its inputs and what must come out.
pub struct Case {
    pub graph: Graph,
    pub batch: usize,
    pub inputs: Vec<(String, ArrayD<f32>)>,
    expected: BTreeMap<String, Expected>,
}

impl Case {
    fn draw(seed: u64) -> Self {
        let net = Network::draw(seed);
        let graph = net.with_outputs(|_| false);
        let values = net.values.into_iter().enumerate();
        let expected = values.map(|(number, value)| (format!("value {number}"), value.expected));
        Case { graph, batch: net.batch, inputs: net.inputs, expected: expected.collect() }
    }

    /// Compares every output.
    pub fn check(&self, run: &Run) {
        for (name, tensor) in run.outputs() {
            assert_close(name, &tensor.read().unwrap(), &self.expected[name]);
        }
    }
}

/// What the threads share.
pub struct Shared {
    pub runtime: Runtime,
    pub cases: Vec<Case>,
    /// A session of each case, with its staged inputs.
    prepared: Vec<(Session, Vec<(String, Tensor)>)>,
    kernel: OwnKernel,
}

impl Shared {
    pub fn new(runtime: Runtime) -> Self {
        let cases: Vec<Case> = (0..NETWORKS).map(Case::draw).collect();
        let prepared = cases.iter().map(|case| prepare(&runtime, case, Passes::all())).collect();
        let kernel = OwnKernel::new("double", KERNEL)
            .unwrap()
            .shape(|inputs| Ok(inputs[0].clone()))
            .host(|call, y| {
                let offset = call.params.f32("offset").unwrap();
                for (y, x) in y.iter_mut().zip(call.operands[0].values) {
                    *y = 2.0 * x + offset;
                }
            });
        Shared { runtime, cases, prepared, kernel }
    }

    /// Returns a run of any case's session, that of its case.
    pub fn run(&self, random: &mut Random) -> (&Case, Run) {
        let number = random.range(0, self.cases.len());
        let (session, staged) = &self.prepared[number];
        (&self.cases[number], run(session, staged))
    }

    /// Compares the ledger's sums by label with those by direction, and returns how many events
    /// there were; few of them are still kept.
    pub fn check_ledger(&self) -> u64 {
        let (rows, totals) = (self.runtime.ledger().rows(), self.runtime.ledger().totals());
        for direction in Direction::ALL {
            let own = rows.iter().filter(|row| row.direction == direction);
            let sum = own.fold([0; 3], |[count, payload, padding], Row { total, .. }| {
                [count + total.count, payload + total.payload_bytes, padding + total.padding_bytes]
            });
            let total = totals.of(direction);
            let expected = [total.count, total.payload_bytes, total.padding_bytes];
            assert_eq!(sum, expected, "{direction:?}");
        }
        Direction::ALL.iter().map(|&direction| totals.of(direction).count).sum()
    }
}

fn prepare(runtime: &Runtime, case: &Case, passes: Passes) -> (Session, Vec<(String, Tensor)>) {
    let plan = case.graph.plan_with(case.batch, PlanOptions::new().passes(passes)).unwrap();
    let policy = StagePolicy::new().allow_non_finite();
    let stage = |(name, array): &(String, ArrayD<f32>)| {
        let array = HostArray::from_view(array);
        (name.clone(), runtime.stage_with(name.as_str(), &array, policy).unwrap().0)
    };
    let staged = case.inputs.iter().map(stage).collect();
    (runtime.prepare(&plan).unwrap(), staged)
}

fn run(session: &Session, staged: &[(String, Tensor)]) -> Run {
    session.run(staged.iter().map(|(name, tensor)| (name.as_str(), tensor))).unwrap()
}

/// One round, by its name.
pub fn round(shared: &Shared, random: &mut Random) -> &'static str {
    match random.range(0, 6) {
        0 => session(shared, random),
        1 => saved(shared, random),
        2 => nested(shared, random),
        3 => awaited(shared, random),
        4 => kernel(shared, random),
        _ => {
            let (case, run) = shared.run(random);
            case.check(&run);
            "runs of shared sessions"
        }
    }
}

fn session(shared: &Shared, random: &mut Random) -> &'static str {
    let case = random.pick(&shared.cases);
    let passes = if random.range(0, 2) == 0 { Passes::all() } else { Passes::none() };
    let (session, staged) = prepare(&shared.runtime, case, passes);
    for _ in 0..2 {
        let run = shared.runtime.forbid_crossings(|| run(&session, &staged));
        case.check(&run);
    }
    "new sessions, planned, prepared and run twice"
}

fn saved(shared: &Shared, random: &mut Random) -> &'static str {
    let case = random.pick(&shared.cases);
    let saved = Saved::new(&case.graph).unwrap();
    assert_eq!(saved.graph().unwrap().to_string(), case.graph.to_string());
    "graphs saved and loaded in memory"
}

/// Runs side by side from tasks of rayon's pool, which may be given one while they wait for another.
fn nested(shared: &Shared, random: &mut Random) -> &'static str {
    let number = random.range(0, shared.cases.len());
    let (case, (session, staged)) = (&shared.cases[number], &shared.prepared[number]);
    let one = || case.check(&run(session, staged));
    rayon::join(|| rayon::join(one, one), || rayon::join(one, one));
    "four runs in nested tasks of one pool"
}

fn awaited(shared: &Shared, random: &mut Random) -> &'static str {
    let (case, run) = shared.run(random);
    for (name, tensor) in run.outputs() {
        let read = pollster::block_on(tensor.read_async()).unwrap();
        assert_close(name, &read, &case.expected[name]);
    }
    "outputs read by await"
}

fn kernel(shared: &Shared, random: &mut Random) -> &'static str {
    let rows = random.range(1, 40);
    let x = random.uniform(&[rows, 3]);
    let staged = shared.runtime.stage("x", &HostArray::from_view(&x)).unwrap();
    let call = OwnCall::new().param("offset", 1.0_f32);
    let y = shared.runtime.run_kernel(&shared.kernel, [("x", &staged)], &call).unwrap();
    let expected = x.mapv(|x| 2.0 * x + 1.0);
    let read = y.read().unwrap();
    assert!(read.iter().zip(&expected).all(|(y, x)| (y - x).abs() <= 1e-6), "{read}\n{expected}");
    "own kernels"
}
