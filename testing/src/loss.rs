//! Devices that go away while they are used: an error within a second, and no panic.

use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::thread;
use std::time::{Duration, Instant};

use longshore::wgpu;
use longshore::{Activation, Dim, Error, Graph, HostArray, Result, Runtime, Session, Tensor};
use ndarray::ArrayD;

use crate::executor::stage;
use crate::random::Random;
use crate::watch::watched;

/// An embedder's device, which counts what reaches the embedder's own callbacks.
pub struct Adopted {
    pub device: wgpu::Device,
    pub runtime: Runtime,
    uncaptured: Arc<AtomicUsize>,
    computes: bool,
}

impl Adopted {
    /// Makes what calls work on.
    #[must_use]
    pub fn set(&self) -> Set {
        Set::new(&self.runtime, self.computes)
    }

    /// Panics if an error has reached the embedder's own handler.
    #[track_caller]
    pub fn assert_quiet(&self) {
        assert_eq!(self.uncaptured.load(Ordering::Relaxed), 0, "errors outside of scopes");
    }
}

/// Adopts a device; `computes` is whether its kernels do.
pub fn adopt((device, queue): (wgpu::Device, wgpu::Queue), computes: bool) -> Adopted {
    let uncaptured = Arc::new(AtomicUsize::new(0));
    let count = Arc::clone(&uncaptured);
    device.on_uncaptured_error(Arc::new(move |error: wgpu::Error| {
        eprintln!("{error}");
        count.fetch_add(1, Ordering::Relaxed);
    }));
    let runtime = Runtime::from_wgpu(device.clone(), queue);
    Adopted { device, runtime, uncaptured, computes }
}

fn graph() -> Graph {
    let mut g = Graph::new();
    let x = g.input("x", [Dim::Batch, 6.into()]);
    let y = g.activation(x, Activation::Relu).unwrap();
    g.output("y", y);
    g
}

/// What calls work on.
pub struct Set {
    rt: Runtime,
    array: ArrayD<f32>,
    pub x: Tensor,
    session: Session,
    computes: bool,
}

impl Set {
    /// Stages and prepares what the calls use.
    #[must_use]
    pub fn new(rt: &Runtime, computes: bool) -> Self {
        let array = Random::new(51).uniform(&[9, 6]);
        let session = rt.prepare(&graph().plan(9).unwrap()).unwrap();
        Set { rt: rt.clone(), x: stage(rt, "x", &array), array, session, computes }
    }

    fn check(&self, values: ArrayD<f32>) {
        assert_eq!(values, self.array, "what a lost device has delivered is wrong");
    }

    /// Makes one of [`CALLS`] calls, and checks what it delivers.
    ///
    /// # Errors
    ///
    /// What the call reports.
    pub fn call(&self, number: usize) -> Result<()> {
        let run = || self.session.run([("x", &self.x)]);
        let relu = |values: ArrayD<f32>| {
            let expected = self.array.mapv(|value| value.max(0.0));
            assert!(!self.computes || values == expected, "a lost device has computed wrong");
        };
        match number % CALLS {
            0 => self.rt.stage("y", HostArray::from_view(&self.array)).map(drop),
            1 => run().map(drop),
            2 => self.x.read().map(|values| self.check(values)),
            3 => self.rt.wait(),
            4 => pollster::block_on(self.x.read_async()).map(|values| self.check(values)),
            5 => pollster::block_on(self.rt.wait_async()),
            6 => run()?["y"].read().map(relu),
            7 => pollster::block_on(run()?["y"].read_async()).map(relu),
            _ => self.rt.prepare(&graph().plan(3).unwrap()).map(drop),
        }
    }
}

/// How many calls there are.
pub const CALLS: usize = 9;

/// Panics if a call does not say that the device is lost.
#[track_caller]
pub fn is_lost(what: usize, result: Result<()>) {
    match result {
        Err(Error::DeviceLost { .. }) => {}
        other => panic!("call {what}: {other:?}"),
    }
}

/// Destroys a device at a random moment, while two threads use it.
fn race(adopted: &Adopted, random: &mut Random) {
    let set = &adopted.set();
    let (first, second) = (random.range(0, CALLS - 1), random.range(0, CALLS - 1));
    let pause = Duration::from_micros(random.range(0, 3000) as u64);
    let until_lost = |mut number: usize| {
        let started = Instant::now();
        loop {
            match set.call(number) {
                Ok(()) => number += 1,
                Err(Error::DeviceLost { .. }) => break,
                Err(error) => panic!("call {}: {error}", number % CALLS),
            }
            assert!(started.elapsed() < Duration::from_secs(60), "the loss goes unnoticed");
        }
    };
    thread::scope(|scope| {
        scope.spawn(|| until_lost(first));
        scope.spawn(|| until_lost(second));
        thread::sleep(pause);
        adopted.device.destroy();
    });
    for number in 0..CALLS {
        is_lost(number, set.call(number));
    }
    adopted.assert_quiet();
}

/// Panics unless every call says so once the device is lost, within a second.
pub fn destroy_and_call(adopted: &Adopted, set: &Set) {
    for number in 0..CALLS {
        set.call(number).unwrap();
    }
    adopted.device.destroy();
    for number in 0..2 * CALLS {
        let started = Instant::now();
        is_lost(number, set.call(number));
        assert!(started.elapsed() < Duration::from_secs(1), "call {number}");
    }
    adopted.assert_quiet();
}

/// Destroys two hundred devices at random moments.
pub fn two_hundred_races(seed: u64, adopted: impl Fn() -> Adopted + Send + 'static) {
    watched("a race with the loss of a device", move || {
        let mut random = Random::new(seed);
        for _ in 0..200 {
            race(&adopted(), &mut random);
        }
    });
}
