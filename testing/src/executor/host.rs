//! The host executor, and one piece of work executed by hand, with traps around everything it touches.
//!
//! The result lies between guard regions and is poisoned: a stray write changes a guard, and
//! an element that is never written keeps the poison's bits. Operands lie between regions of
//! NaN that a slice cannot reach; that lengths are checked is tested by itself.

use std::sync::OnceLock;

use longshore::Runtime;
use longshore::internals::host::execute;
use longshore::internals::kernels::Work;
use ndarray::{ArrayD, IxDyn};

use super::Executor;

/// A quiet NaN that no arithmetic gives: the output before the step, and its guards.
const POISON: u32 = 0x7fc0_dead;
/// Elements of a guard.
const GUARD: usize = 128;

/// The host executor.
pub struct Host;

impl Executor for Host {
    fn name(&self) -> &'static str {
        "host"
    }

    fn runtime(&self) -> &'static Runtime {
        runtime()
    }

    fn open(&self) -> Runtime {
        open()
    }

    fn networks(&self) -> u64 {
        1000
    }

    fn each(&self) -> usize {
        10
    }

    /// A host has no workgroups; work that the limit refuses is refused all the same.
    #[track_caller]
    fn dispatch_part(
        &self,
        work: &Work,
        max_workgroups_per_dimension: u32,
        operands: &[&ArrayD<f32>],
        shape: &[usize],
    ) -> ArrayD<Option<f32>> {
        work.launch("test", max_workgroups_per_dimension).unwrap();
        let elements: usize = shape.iter().product();
        let mut memory = vec![f32::from_bits(POISON); GUARD + elements + GUARD];
        let operands: Vec<Vec<f32>> =
            operands.iter().map(|array| array.iter().copied().collect()).collect();
        let operands: Vec<&[f32]> = operands.iter().map(Vec::as_slice).collect();
        execute("test", work, &operands, &mut memory[GUARD..GUARD + elements]).unwrap();
        let is_poison = |value: &f32| value.to_bits() == POISON;
        let (before, rest) = memory.split_at(GUARD);
        let (inside, after) = rest.split_at(elements);
        assert!(before.iter().chain(after).all(is_poison), "{work:?} wrote outside of its output");
        let values = inside.iter().map(|value| (!is_poison(value)).then_some(*value)).collect();
        ArrayD::from_shape_vec(IxDyn(shape), values).unwrap()
    }
}

/// Returns the runtime that tests share.
pub fn runtime() -> &'static Runtime {
    static RUNTIME: OnceLock<Runtime> = OnceLock::new();
    RUNTIME.get_or_init(open)
}

/// Opens a runtime of the test's own, for tests that count things.
pub fn open() -> Runtime {
    Runtime::host()
}
