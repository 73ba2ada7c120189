//! Every public call that could move bytes: which events it makes, and which of them a guard
//! refuses. A call that is not in the table has no test that it is silent.

use longshore::ledger::Direction;
use longshore::plan::Limits;
use longshore::wgpu;
use longshore::{
    Error, HostArray, LayerWeights, Result, Runtime, RuntimeOptions, Session, StagePolicy, Tensor,
    Weights,
};

use crate::graph::host;
use crate::ledger::{counting, input, network, noop, session};

/// What the calls work on, made before they are watched.
struct Set {
    runtime: Runtime,
    session: Session,
    x: Tensor,
}

impl Set {
    fn new() -> Set {
        Set::on(noop())
    }

    fn on(runtime: Runtime) -> Set {
        let (session, x) = (session(&runtime), input(&runtime));
        // Outputs of the first run are dropped, so a second one creates nothing.
        session.run([("x", &x)]).unwrap();
        runtime.ledger().clear();
        Set { runtime, session, x }
    }

    fn weights() -> Weights {
        let layer = LayerWeights::new(host(&[3, 5])).bias(host(&[5]));
        Weights::new().with("dense", layer)
    }

    fn run(&self) -> Result<longshore::Run> {
        self.session.run([("x", &self.x)])
    }
}

/// A call's name, its uploads, downloads and events inside the device, and the call.
type Call = (&'static str, [u64; 3], fn(&Set) -> Result<()>);

const CALLS: &[Call] = &[
    ("Runtime::stage", [1, 0, 1], |set| set.runtime.stage("a", &counting(5)).map(drop)),
    ("Runtime::stage_with", [1, 0, 1], |set| {
        set.runtime.stage_with("a", &counting(5), StagePolicy::new()).map(drop)
    }),
    // A whole set of weights is one crossing, and one that lies on the device already is none.
    ("Runtime::stage_weights", [1, 0, 1], |set| {
        set.runtime.stage_weights("w", &Set::weights()).map(drop)
    }),
    ("Runtime::stage_weights_with", [1, 0, 1], |set| {
        set.runtime.stage_weights_with("w", &Set::weights(), StagePolicy::new()).map(drop)
    }),
    ("Runtime::stage_weights of staged ones", [0, 0, 0], |set| {
        let staged = Weights::new().with("dense", LayerWeights::new(&set.x));
        set.runtime.stage_weights("w", &staged).map(drop)
    }),
    // Weights and parameters go up; slot 0 and output 0 are filled with zeros.
    ("Runtime::prepare", [2, 0, 4], |set| set.runtime.prepare(&network().plan(1)?).map(drop)),
    ("Runtime::prepare_with", [2, 0, 4], |set| {
        set.runtime.prepare_with(&network().plan(1)?, StagePolicy::new()).map(drop)
    }),
    ("Session::run", [0, 0, 0], |set| set.run().map(drop)),
    ("Session::run, the last output held", [0, 0, 1], |set| {
        let _held = set.run()?;
        set.run().map(drop)
    }),
    ("Session::record", [0, 0, 0], |set| {
        let device = set.runtime.device()?;
        let mut encoder = device.create_command_encoder(&wgpu::CommandEncoderDescriptor::default());
        let _run = set.session.record([("x", &set.x)], &mut encoder)?;
        set.runtime.queue()?.submit([encoder.finish()]);
        Ok(())
    }),
    ("Tensor::read", [0, 1, 1], |set| set.x.read().map(drop)),
    ("Tensor::read_into", [0, 1, 1], |set| set.x.read_into(&mut [0.0; 3])),
    ("Tensor::read_async", [0, 1, 1], |set| pollster::block_on(set.x.read_async()).map(drop)),
    ("Tensor::read_async, never awaited", [0, 0, 0], |set| {
        drop(set.x.read_async());
        Ok(())
    }),
    ("Tensor::clone", [0, 0, 0], |set| {
        let _copy = set.x.clone();
        Ok(())
    }),
    ("printing a tensor, a run, a session and a runtime", [0, 0, 0], |set| {
        let run = set.run()?;
        let text = format!("{:?} {run:?} {:?} {:?}", set.x, set.session, set.runtime);
        assert!(text.contains("Tensor"));
        Ok(())
    }),
    ("Tensor::rows", [0, 0, 0], |set| set.x.rows(0..1).map(drop)),
    ("Tensor::with_label", [0, 0, 0], |set| {
        assert_eq!(set.x.clone().with_label("z").label(), "z");
        Ok(())
    }),
    ("Tensor::to_wgpu", [0, 0, 0], |set| {
        assert_eq!(set.x.to_wgpu()?.2, 12);
        Ok(())
    }),
    ("Runtime::wrap", [0, 0, 0], |set| {
        let (buffer, offset, _) = set.x.to_wgpu()?;
        set.runtime.wrap("wrapped", buffer, offset, &[3]).map(drop)
    }),
    ("Runtime::wait", [0, 0, 0], |set| set.runtime.wait()),
    ("Runtime::wait_async", [0, 0, 0], |set| pollster::block_on(set.runtime.wait_async())),
    ("HostArray::pack", [0, 0, 0], |_| counting(5).pack(StagePolicy::new()).map(drop)),
    ("Graph::plan_within", [0, 0, 0], |_| network().plan_within(3, &Limits::default()).map(drop)),
    ("the ledger, printed and exported", [0, 0, 0], |set| {
        assert!(set.runtime.ledger().to_string().contains("ledger of"));
        set.runtime.ledger().to_json().map(drop)
    }),
];

fn counts(runtime: &Runtime) -> [u64; 3] {
    let [up, down, inside, host] =
        Direction::ALL.map(|direction| runtime.ledger().totals().of(direction).count);
    assert_eq!(host, 0, "a device's calls move nothing within host memory");
    [up, down, inside]
}

#[test]
fn every_call_makes_the_events_it_is_known_for() {
    for (name, expected, call) in CALLS {
        let set = Set::new();
        call(&set).unwrap_or_else(|error| panic!("{name}: {error}"));
        assert_eq!(counts(&set.runtime), *expected, "{name}: uploads, downloads, inside");
    }
}

#[test]
fn border_mode_makes_the_same_events_and_refusals() {
    let open = || Set::on(Runtime::host_with(RuntimeOptions::new().border()).unwrap());
    let mut only_devices = 0;
    for (name, expected, call) in CALLS {
        let set = open();
        match call(&set) {
            Ok(()) => assert_eq!(counts(&set.runtime), *expected, "{name}"),
            Err(Error::Unsupported { .. }) => only_devices += 1,
            Err(error) => panic!("{name}: {error}"),
        }
        let set = open();
        let crosses = expected[0] + expected[1] > 0;
        match set.runtime.forbid_crossings(|| call(&set)) {
            Err(Error::Crossing { .. }) => assert!(crosses, "{name}"),
            Ok(()) | Err(Error::Unsupported { .. }) => assert!(!crosses, "{name}"),
            Err(error) => panic!("{name}: {error}"),
        }
    }
    // Buffers and encoders of wgpu's.
    assert_eq!(only_devices, 3);
}

#[test]
fn a_guard_refuses_the_calls_that_cross_and_no_other() {
    for (name, [uploads, downloads, _], call) in CALLS {
        let set = Set::new();
        let result = set.runtime.forbid_crossings(|| call(&set));
        let direction = match (uploads, downloads) {
            (0, 0) => {
                result.unwrap_or_else(|error| panic!("{name}: {error}"));
                continue;
            }
            (_, 0) => Direction::HostToDevice,
            _ => Direction::DeviceToHost,
        };
        match result {
            Err(Error::Crossing { direction: found, .. }) => assert_eq!(found, direction, "{name}"),
            other => panic!("{name} is not refused: {other:?}"),
        }
        assert_eq!(counts(&set.runtime), [0, 0, 0], "{name} recorded what was refused");
    }
}

#[test]
fn a_guard_on_one_direction_refuses_the_calls_of_that_direction_alone() {
    for (name, [uploads, downloads, _], call) in CALLS {
        let both = [(Direction::HostToDevice, uploads), (Direction::DeviceToHost, downloads)];
        for (direction, count) in both {
            let set = Set::new();
            let guard = longshore::Guard::forbid().direction(direction);
            let result = set.runtime.guarded(guard, || call(&set));
            assert_eq!(result.is_err(), *count > 0, "{name}, {direction}: {result:?}");
        }
    }
}

#[test]
fn an_implicit_view_of_host_data_crosses_only_when_staged() {
    let rt = noop();
    let values = ndarray::Array2::<f64>::ones((3, 5));
    let array = HostArray::from_view(&values);
    let _ = (array.view(), array.rows(0..1).unwrap(), array.to_f64(), array.clone());
    assert_eq!(counts(&rt), [0, 0, 0]);
    rt.stage("array", &array).unwrap();
    assert_eq!(counts(&rt), [1, 0, 1]);
}
