//! Rounds in which something is wrong: the right error comes, and nothing else breaks.

use std::pin::pin;
use std::sync::OnceLock;
use std::task::{Context, Waker};
use std::time::{Duration, Instant};

use longshore::import::onnx::{ImportOptions, OnnxModel};
use longshore::{Error, Guard, HostArray, Runtime, RuntimeOptions, Saved};
use longshore_testing::conformance::{self, Conformance};
use longshore_testing::random::Random;
use ndarray::{Array2, arr1};

use crate::rounds::Shared;

/// One round in so many opens a device to lose it, which takes longer than all others.
const LOSSES: usize = 40;
/// After the loss of a device every call ends within this.
const SOON: Duration = Duration::from_secs(1);

/// One round, by its name.
pub fn round(shared: &Shared, random: &mut Random) -> &'static str {
    match random.range(0, 5) {
        0 => cancelled(shared, random),
        1 => refused(shared, random),
        2 => damaged_array(random),
        3 => damaged_graph(shared, random),
        _ if !shared.runtime.is_host() && random.range(0, LOSSES) == 0 => lost(shared, random),
        _ => damaged_model(random),
    }
}

/// Reads that are dropped after any number of polls.
fn cancelled(shared: &Shared, random: &mut Random) -> &'static str {
    let (case, run) = shared.run(random);
    for (_, tensor) in run.outputs() {
        let mut read = pin!(tensor.read_async());
        for _ in 0..random.range(0, 3) {
            if read.as_mut().poll(&mut Context::from_waker(Waker::noop())).is_ready() {
                break;
            }
        }
    }
    case.check(&run);
    "reads dropped half-way"
}

/// What guards, policies and checks refuse.
fn refused(shared: &Shared, random: &mut Random) -> &'static str {
    let rt = &shared.runtime;
    let (_, run) = shared.run(random);
    let (_, tensor) = run.outputs().next().unwrap();
    let read = rt.forbid_crossings(|| tensor.read());
    let spent = rt.guarded(Guard::budget(0, 0).name("nothing"), || tensor.read());
    if !rt.is_host() {
        assert!(matches!(read, Err(Error::Crossing { .. })), "{read:?}");
        assert!(matches!(spent, Err(Error::Crossing { .. })), "{spent:?}");
    }
    let nan = rt.stage("nan", arr1(&[1.0_f32, f32::NAN]));
    assert!(nan.is_err_and(|error| error.to_string().contains("nan")));
    let x = rt.stage("x", Array2::<f64>::zeros((1, 2))).unwrap();
    assert!(x.read_into(&mut [0.0; 3]).is_err());
    assert!(x.rows(1..3).is_err());
    let case = random.pick(&shared.cases);
    let session = rt.session(&case.graph, case.batch).unwrap();
    let unknown = session.run([("no such input", &x)]);
    assert!(matches!(unknown, Err(Error::Name { .. })), "{unknown:?}");
    "calls refused by guards and checks"
}

/// Cuts bytes, or changes some of them.
fn damage(bytes: &mut Vec<u8>, random: &mut Random) {
    if random.range(0, 3) == 0 {
        bytes.truncate(random.range(0, bytes.len()));
        return;
    }
    for _ in 0..random.range(1, 5) {
        let at = random.range(0, bytes.len());
        bytes[at] = u8::try_from(random.range(0, 256)).unwrap();
    }
}

fn damaged_array(random: &mut Random) -> &'static str {
    let shape = [random.range(1, 9), random.range(1, 9)];
    let array = random.uniform(&shape);
    let mut bytes = HostArray::from(array).to_npy_bytes();
    damage(&mut bytes, random);
    if let Err(error) = HostArray::from_npy_bytes("damaged.npy", &bytes) {
        assert!(error.to_string().contains("damaged.npy"), "{error}");
    }
    "damaged arrays"
}

fn damaged_graph(shared: &Shared, random: &mut Random) -> &'static str {
    let saved = Saved::new(&random.pick(&shared.cases).graph).unwrap();
    let mut bytes = saved.description.into_bytes();
    damage(&mut bytes, random);
    let description = String::from_utf8_lossy(&bytes).into_owned();
    if let Ok(graph) = (Saved { description, weights: saved.weights }).graph() {
        let _ = graph.plan(1);
    }
    "damaged graphs"
}

fn damaged_model(random: &mut Random) -> &'static str {
    static MODELS: OnceLock<Vec<Conformance>> = OnceLock::new();
    let mut bytes = random.pick(MODELS.get_or_init(conformance::load)).model.clone();
    damage(&mut bytes, random);
    if let Ok(model) = OnnxModel::from_bytes("damaged.onnx", &bytes)
        && let Ok(imported) = model.import(ImportOptions::new().filled_bytes(1 << 20))
    {
        let _ = imported.graph.plan(1);
    }
    "damaged models"
}

/// A device that goes away between two calls: every call after that says so, soon.
fn lost(shared: &Shared, random: &mut Random) -> &'static str {
    let name = shared.runtime.adapter().name.clone();
    let rt = Runtime::open_with(RuntimeOptions::new().require_adapter().adapter(name)).unwrap();
    let x = rt.stage("x", random.uniform(&[8, 8])).unwrap();
    let pending = x.read_async();
    rt.device().unwrap().destroy();
    let start = Instant::now();
    for read in [x.read(), pollster::block_on(x.read_async())] {
        assert!(matches!(read, Err(Error::DeviceLost { .. })), "{read:?}");
    }
    let staged = rt.stage("x", random.uniform(&[8, 8]));
    assert!(matches!(staged, Err(Error::DeviceLost { .. })), "{staged:?}");
    // Begun before the loss, it may have what it reads already.
    let pending = pollster::block_on(pending);
    assert!(matches!(pending, Ok(_) | Err(Error::DeviceLost { .. })), "{pending:?}");
    assert!(start.elapsed() < SOON, "{:?}", start.elapsed());
    "lost devices"
}
