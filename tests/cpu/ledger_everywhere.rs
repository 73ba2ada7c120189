//! Guards beyond one thread: in pools, in spawned threads, in futures; and what assertions say.

use std::future::Future;
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::pin::pin;
use std::sync::Barrier;
use std::task::{Context, Poll, Waker};
use std::thread;

use longshore::ledger::{Cause, Direction};
use longshore::{
    Error, Graph, Guard, Result, Runtime, RuntimeOptions, Shape, Tensor, assert_crossings,
    assert_no_crossings,
};
use ndarray::ArrayD;

use crate::ledger::{counting, input, noop, session};

fn is_refused<T>(outcome: &Result<T>) -> bool {
    matches!(outcome, Err(Error::Crossing { .. }))
}

/// Reads a tensor on two threads of a pool at once.
fn read_on_two(tensor: &Tensor) -> [Result<ArrayD<f32>>; 2] {
    let pool = rayon::ThreadPoolBuilder::new().num_threads(2).build().unwrap();
    let both = Barrier::new(2);
    let read = || {
        both.wait();
        tensor.read()
    };
    pool.install(|| rayon::join(read, read)).into()
}

#[test]
fn a_guard_on_all_threads_holds_in_every_task_of_a_pool() {
    let rt = noop();
    let x = rt.stage("x", &counting(4)).unwrap();
    // What the guard of one thread does not see.
    assert!(rt.forbid_crossings(|| read_on_two(&x)).iter().all(Result::is_ok));
    let refused = rt.forbid_crossings_on_all_threads(|| read_on_two(&x));
    assert!(refused.iter().all(is_refused));
    assert!(x.read().is_ok());
}

#[test]
fn a_carried_guard_holds_on_every_thread() {
    let rt = noop();
    let guarded = rt.with_guard(Guard::budget(1000, 2).name("two"));
    let x = guarded.stage("x", &counting(4)).unwrap();
    // The upload was the first one, so one of both reads passes.
    let refused = read_on_two(&x).iter().filter(|read| is_refused(read)).count();
    assert_eq!(refused, 1);
    assert!(is_refused(&thread::scope(|scope| scope.spawn(|| x.read()).join().unwrap())));
    // What is made of it carries it too, and so does the runtime that it belongs to.
    assert!(is_refused(&x.rows(0..4).unwrap().with_label("rows").read()));
    assert!(is_refused(&x.runtime().stage("y", &counting(4))));
    // The calling thread's own guard is asked first.
    assert!(rt.guarded(Guard::allow(), || x.read()).is_ok());
    // The other handle is free, and the ledger is the same.
    rt.stage("free", &counting(4)).unwrap();
    let events = rt.ledger().events();
    let scope_of = |label: &str| &events.iter().find(|event| event.label == label).unwrap().scope;
    assert_eq!([scope_of("x").as_str(), scope_of("free").as_str()], ["two", ""]);
}

#[test]
fn a_session_carries_its_guard_into_the_outputs_of_its_runs() {
    let rt = noop();
    let (session, x) = (session(&rt), input(&rt));
    let guarded = session.with_guard(Guard::forbid().name("hot"));
    let run = guarded.run([("x", &x)]).unwrap();
    let read = thread::scope(|scope| scope.spawn(|| run["y"].read()).join().unwrap());
    assert!(read.unwrap_err().to_string().contains("guard \"hot\""));
    // The session that it was made of carries none; both share what was prepared.
    assert!(session.run([("x", &x)]).unwrap()["y"].read().is_ok());
    let one = x.clone().with_guard(Guard::forbid());
    assert!(is_refused(&one.read()));
    assert!(x.read().is_ok());
}

#[test]
fn an_output_that_is_an_input_carries_that_tensors_guards_once() {
    let rt = noop();
    let mut g = Graph::new();
    let x = g.input("x", Shape::batch([3]));
    g.output("same", x);
    let guarded = rt.with_guard(Guard::budget(1000, 3).name("three"));
    let session = guarded.session(&g, 1).unwrap();
    // One crossing for the upload, one for each read: the session and the tensor share the guard.
    let x = input(&guarded);
    let run = session.run([("x", &x)]).unwrap();
    let reads = [(); 3].map(|()| is_refused(&run["same"].read()));
    assert_eq!(reads, [false, false, true]);
    let hot = input(&rt).with_guard(Guard::forbid());
    let run = rt.session(&g, 1).unwrap().run([("x", &hot)]).unwrap();
    assert!(is_refused(&run["same"].read()));
}

/// Is pending once, so that what follows is another poll.
async fn pause() {
    let mut is_first = true;
    std::future::poll_fn(|_| {
        if std::mem::take(&mut is_first) { Poll::Pending } else { Poll::Ready(()) }
    })
    .await;
}

#[test]
fn a_guard_follows_its_future_to_whichever_thread_polls_it() {
    fn is_send<F: Future + Send>(future: F) -> F {
        future
    }
    let rt = noop();
    let x = rt.stage("x", &counting(4)).unwrap();
    let future = is_send(rt.guarded_async(Guard::budget(1000, 1).name("one"), async {
        let first = x.read();
        pause().await;
        [first, x.read(), x.read_async().await]
    }));
    let mut future = Box::pin(future);
    let mut context = Context::from_waker(Waker::noop());
    assert!(future.as_mut().poll(&mut context).is_pending());
    // Between two polls the guard is not this thread's.
    assert!(x.read().is_ok());
    let done = thread::scope(|scope| {
        let poll = || match future.as_mut().poll(&mut Context::from_waker(Waker::noop())) {
            Poll::Ready(reads) => reads,
            Poll::Pending => panic!("nothing is left to wait for"),
        };
        scope.spawn(poll).join().unwrap()
    });
    assert_eq!(done.map(|read| is_refused(&read)), [false, true, true]);
    let scopes: Vec<String> = rt.ledger().events().into_iter().map(|event| event.scope).collect();
    assert!(scopes.contains(&"one".to_owned()) && scopes.contains(&String::new()));
}

#[test]
fn futures_are_guarded_and_named_where_closures_cannot_be() {
    let rt = noop();
    let x = rt.stage("x", &counting(4)).unwrap();
    // The closure is over before its future is polled, the guard with it.
    let late = rt.forbid_crossings(|| async { x.read_async().await });
    assert!(pollster::block_on(late).is_ok());
    let refused = rt.forbid_crossings_async(async { x.read_async().await });
    assert!(is_refused(&pollster::block_on(refused)));
    let named = rt.scope_async("request 7", async {
        pause().await;
        x.read_async().await
    });
    let mut named = pin!(named);
    assert!(named.as_mut().poll(&mut Context::from_waker(Waker::noop())).is_pending());
    pollster::block_on(named).unwrap();
    assert_eq!(rt.ledger().events().pop().unwrap().scope, "request 7");
}

#[test]
fn a_guard_holds_where_the_host_computes_in_a_pool_of_its_own() {
    let rt = Runtime::host_with(RuntimeOptions::new().host_threads(1)).unwrap();
    let inside = Guard::forbid().direction(Direction::HostInternal);
    assert!(is_refused(&rt.guarded(inside, || rt.stage("x", &counting(4)))));
    assert_eq!(rt.ledger().totals().host_internal.count, 0);
}

#[test]
fn events_say_where_in_the_program_they_were_called() {
    let rt = noop();
    let (session, x) = (session(&rt), input(&rt));
    let _held = session.run([("x", &x)]).unwrap();
    rt.ledger().clear();
    let line = line!();
    x.read().unwrap();
    x.read_into(&mut [0.0; 3]).unwrap();
    pollster::block_on(x.read_async()).unwrap();
    session.run([("x", &x)]).unwrap();
    rt.stage("y", &counting(1)).unwrap();
    let lines: Vec<(Cause, u32)> = rt
        .ledger()
        .events()
        .iter()
        .inspect(|event| assert_eq!(event.site.file(), file!()))
        .map(|event| (event.cause, event.site.line() - line))
        .collect();
    let read = |at| [(Cause::Read, at); 2];
    let expected = [read(1), read(2), read(3)].concat();
    assert_eq!(lines[..6], expected);
    assert_eq!(lines[6..], [(Cause::Run, 4), (Cause::Stage, 5), (Cause::Stage, 5)]);
}

#[test]
fn assertions_list_what_crossed_and_where() {
    let rt = noop();
    let x = assert_crossings!(rt, uploads: 1, downloads: 0, input(&rt));
    let session = session(&rt);
    let run = assert_no_crossings!(rt, session.run([("x", &x)]).unwrap());
    let line = line!() + 2;
    let panicked = catch_unwind(AssertUnwindSafe(|| {
        assert_no_crossings!(rt, run["y"].read().unwrap());
    }));
    let text = *panicked.unwrap_err().downcast::<String>().unwrap();
    let start = "0 uploads and 1 downloads crossed, where 0 and 0 were expected\n  \
                 device to host of \"y\" (20 bytes, cause read) at ";
    assert!(text.starts_with(start), "{text}");
    assert!(text.contains(&format!("{}:{line}:", file!())), "{text}");
    // A ledger that was cleared counts from there; what another thread does counts too.
    let watch = rt.ledger().watch();
    rt.ledger().clear();
    thread::scope(|scope| {
        scope.spawn(|| drop(x.read()));
    });
    assert_eq!((watch.uploads(), watch.downloads(), watch.events().len()), (0, 1, 1));
    let waited = assert_crossings!(rt, uploads: 0, downloads: 1, {
        pollster::block_on(async { x.read_async().await })
    });
    waited.unwrap();
}
