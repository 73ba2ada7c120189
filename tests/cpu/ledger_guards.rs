//! Guards: what each rule lets pass, how they nest, and on which threads they hold.

use std::sync::{Mutex, Once, PoisonError};

use longshore::ledger::Direction;
use longshore::{Error, Guard, HostArray, Result, Runtime, Tensor};

use crate::ledger::{counting, noop};

/// One upload of 16 bytes.
fn upload(runtime: &Runtime) -> Result<Tensor> {
    runtime.stage("image", &counting(4))
}

/// Checks that an upload was refused, for a reason, and that nothing was recorded.
#[track_caller]
fn refused(runtime: &Runtime, guard: &str, reason: &str) {
    let before = runtime.ledger().totals();
    let buffers = runtime.buffers_created();
    let error = upload(runtime).unwrap_err();
    let Error::Crossing { site, .. } = &error else { panic!("{error:?}") };
    assert_eq!(site.file(), file!());
    assert_eq!(
        error.to_string(),
        format!(
            "crossing refused by guard \"{guard}\": host to device of \"image\" (16 bytes, cause stage, \
             at {site}): {reason}; move it out of the guarded scope, or wrap it in Guard::allow()"
        )
    );
    assert_eq!(runtime.ledger().totals(), before);
    assert_eq!(runtime.buffers_created(), buffers);
}

const FORBIDDEN: &str = "crossings are forbidden in this scope";

#[test]
fn forbid_refuses_until_its_scope_ends() {
    let rt = noop();
    let scope = rt.ledger().enter(Guard::forbid().name("training step"));
    refused(&rt, "training step", FORBIDDEN);
    refused(&rt, "training step", FORBIDDEN);
    drop(scope);
    upload(&rt).unwrap();
}

#[test]
fn a_panic_ends_the_scope() {
    let rt = noop();
    let panicked = std::panic::catch_unwind(std::panic::AssertUnwindSafe(|| {
        rt.forbid_crossings(|| std::panic::resume_unwind(Box::new("on purpose")))
    }));
    assert!(panicked.is_err());
    upload(&rt).unwrap();
}

#[test]
fn directions_are_guarded_apart() {
    let rt = noop();
    let tensor = upload(&rt).unwrap();
    rt.guarded(Guard::forbid().direction(Direction::DeviceToHost), || {
        upload(&rt).unwrap();
        let error = tensor.read().unwrap_err();
        let text = error.to_string();
        let start = "crossing refused by guard \"forbid\": device to host of \"image\" (16 bytes, cause read, at ";
        assert!(text.starts_with(start), "{text}");
    });
    rt.guarded(Guard::forbid().direction(Direction::HostToDevice), || {
        tensor.read().unwrap();
        refused(&rt, "forbid", FORBIDDEN);
    });
    // What happens inside the device is guarded only where it is asked for.
    rt.guarded(Guard::forbid().direction(Direction::DeviceInternal), || {
        let error = upload(&rt).unwrap_err();
        assert!(error.to_string().contains("device internal of \"image\""), "{error}");
    });
    assert_eq!(rt.ledger().totals().host_to_device.count, 2);
}

#[test]
fn the_innermost_allow_or_forbid_decides() {
    let rt = noop();
    rt.forbid_crossings(|| {
        rt.guarded(Guard::allow(), || {
            upload(&rt).unwrap();
            rt.guarded(Guard::forbid().name("inner"), || refused(&rt, "inner", FORBIDDEN));
            upload(&rt).unwrap();
        });
        refused(&rt, "forbid", FORBIDDEN);
        // A guard of the other direction does not allow this one.
        let reads = Guard::allow().direction(Direction::DeviceToHost);
        rt.guarded(reads, || refused(&rt, "forbid", FORBIDDEN));
        rt.guarded(Guard::log(), || refused(&rt, "forbid", FORBIDDEN));
    });
    let scope = rt.ledger().enter(Guard::forbid());
    let inner = rt.ledger().enter(Guard::allow());
    // Dropped out of order, the inner one stays in force.
    drop(scope);
    upload(&rt).unwrap();
    drop(inner);
    upload(&rt).unwrap();
}

#[test]
fn a_budget_counts_bytes_and_crossings() {
    let rt = noop();
    rt.guarded(Guard::budget(1000, 2), || {
        upload(&rt).unwrap();
        upload(&rt).unwrap();
        refused(&rt, "budget", "2 of 2 crossings are spent");
        refused(&rt, "budget", "2 of 2 crossings are spent");
    });
    rt.guarded(Guard::budget(31, 10).name("31 bytes"), || {
        upload(&rt).unwrap();
        refused(&rt, "31 bytes", "16 of 31 bytes are spent");
        // A smaller one fits: 3 numbers and 4 bytes of padding do not, none do.
        rt.stage("nothing", &counting(0)).unwrap_err();
    });
    rt.guarded(Guard::budget(32, 10), || {
        // 12 bytes and 4 of padding are charged together.
        rt.stage("image", &counting(3)).unwrap();
        upload(&rt).unwrap();
        refused(&rt, "budget", "32 of 32 bytes are spent");
    });
}

#[test]
fn nested_budgets_are_all_charged_and_all_given_back() {
    let rt = noop();
    let _outer = rt.ledger().enter(Guard::budget(1000, 2).name("outer"));
    rt.guarded(Guard::budget(16, 9).name("inner"), || {
        upload(&rt).unwrap();
        // Refused by the inner one: the outer one is not charged.
        refused(&rt, "inner", "16 of 16 bytes are spent");
    });
    rt.guarded(Guard::budget(1000, 9).name("inner"), || {
        upload(&rt).unwrap();
        refused(&rt, "outer", "2 of 2 crossings are spent");
    });
}

#[test]
fn a_crossing_that_fails_gives_its_budget_back() {
    let rt = noop();
    let bad = HostArray::from(ndarray::array![f32::NAN, 0.0, 0.0, 0.0]);
    rt.guarded(Guard::budget(16, 1), || {
        for _ in 0..3 {
            let error = rt.stage("bad", &bad).unwrap_err();
            assert!(matches!(error, Error::NonFinite { .. }), "{error:?}");
        }
        upload(&rt).unwrap();
        refused(&rt, "budget", "1 of 1 crossings are spent");
    });
    // So does one that a guard further out refuses.
    rt.guarded(Guard::budget(16, 1), || {
        let all = rt.ledger().enter_all_threads(Guard::forbid().name("all"));
        refused(&rt, "all", FORBIDDEN);
        drop(all);
        upload(&rt).unwrap();
    });
}

#[test]
fn guards_hold_on_their_thread_alone() {
    let rt = noop();
    let barrier = std::sync::Barrier::new(2);
    // Nothing is asserted between the barriers: a panic there would leave the other thread waiting.
    let upload_together = || {
        barrier.wait();
        let result = upload(&rt);
        barrier.wait();
        result
    };
    let (forbidden, free) = std::thread::scope(|scope| {
        let guarded = scope.spawn(|| rt.forbid_crossings(upload_together));
        let free = upload_together();
        (guarded.join().unwrap(), free)
    });
    assert!(matches!(forbidden, Err(Error::Crossing { .. })), "{forbidden:?}");
    free.unwrap();
    assert_eq!(rt.ledger().totals().host_to_device.count, 1);
}

/// As `refused`, while another thread may record.
fn refused_alone(runtime: &Runtime) {
    assert!(matches!(upload(runtime), Err(Error::Crossing { .. })));
}

#[test]
fn a_guard_for_all_threads_comes_last() {
    let rt = noop();
    let everywhere = rt.ledger().enter_all_threads(Guard::forbid().name("everywhere"));
    std::thread::scope(|scope| {
        scope.spawn(|| {
            refused_alone(&rt);
            rt.guarded(Guard::allow(), || upload(&rt)).unwrap();
        });
    });
    refused(&rt, "everywhere", FORBIDDEN);
    // One budget for all threads together.
    drop(everywhere);
    let budget = rt.ledger().enter_all_threads(Guard::budget(1000, 8));
    let passed = std::sync::atomic::AtomicUsize::new(0);
    std::thread::scope(|scope| {
        for _ in 0..4 {
            scope.spawn(|| {
                for _ in 0..5 {
                    let is_ok = upload(&rt).is_ok();
                    passed.fetch_add(usize::from(is_ok), std::sync::atomic::Ordering::Relaxed);
                }
            });
        }
    });
    assert_eq!(passed.into_inner(), 8);
    // It may end on another thread than it began on.
    std::thread::scope(|scope| {
        scope.spawn(|| drop(budget));
    });
    upload(&rt).unwrap();
}

#[test]
fn guards_belong_to_one_runtime() {
    let (one, two) = (noop(), noop());
    one.forbid_crossings(|| {
        upload(&two).unwrap();
        refused(&one, "forbid", FORBIDDEN);
    });
    // A clone is the same runtime.
    one.clone().forbid_crossings(|| refused(&one, "forbid", FORBIDDEN));
}

#[test]
fn an_async_read_asks_the_guards_when_it_is_called() {
    let rt = noop();
    let tensor = upload(&rt).unwrap();
    let forbidden = rt.forbid_crossings(|| tensor.read_async());
    assert!(matches!(pollster::block_on(forbidden), Err(Error::Crossing { .. })));
    let allowed = tensor.read_async();
    let values = rt.forbid_crossings(|| pollster::block_on(allowed)).unwrap();
    assert_eq!(values.as_slice().unwrap(), [0.0, 1.0, 2.0, 3.0]);
    assert_eq!(rt.ledger().totals().device_to_host.count, 1);
    // One that is never awaited is no crossing, and gives its budget back.
    rt.guarded(Guard::budget(16, 1), || {
        drop(tensor.read_async());
        tensor.read().unwrap();
    });
    assert_eq!(rt.ledger().totals().device_to_host.count, 2);
}

/// Keeps what is logged in this process.
struct Kept(Mutex<Vec<String>>);

static KEPT: Kept = Kept(Mutex::new(Vec::new()));

impl log::Log for Kept {
    fn enabled(&self, _: &log::Metadata<'_>) -> bool {
        true
    }

    fn log(&self, record: &log::Record<'_>) {
        let line = format!("{} {}", record.level(), record.args());
        self.0.lock().unwrap_or_else(PoisonError::into_inner).push(line);
    }

    fn flush(&self) {}
}

#[test]
fn log_reports_and_lets_pass() {
    static INSTALL: Once = Once::new();
    INSTALL.call_once(|| {
        log::set_logger(&KEPT).unwrap();
        log::set_max_level(log::LevelFilter::Warn);
    });
    let rt = noop();
    rt.guarded(Guard::log().name("watched"), || rt.stage("seen", &counting(3))).unwrap();
    rt.stage("unseen", &counting(3)).unwrap();
    let kept = KEPT.0.lock().unwrap_or_else(PoisonError::into_inner);
    let mine: Vec<&String> = kept.iter().filter(|line| line.contains("seen\"")).collect();
    assert_eq!(
        mine,
        ["WARN crossing in scope \"watched\": host to device of \"seen\", 16 bytes, cause stage"]
    );
    assert_eq!(rt.ledger().totals().host_to_device.count, 2);
}
