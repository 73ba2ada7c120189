//! Executors that time what they poll.

use std::cell::Cell;
use std::future::Future;
use std::pin::pin;
use std::rc::Rc;
use std::sync::Arc;
use std::sync::mpsc::{Sender, channel};
use std::task::{Context, Poll, Wake, Waker};
use std::time::{Duration, Instant};

/// Tells the executor that its future wants to be polled again.
struct Bell(Sender<()>);

impl Wake for Bell {
    fn wake(self: Arc<Self>) {
        // Nobody listens once the future is done.
        let _ = self.0.send(());
    }
}

/// Polls a future on this thread until it is done; returns how long the longest poll took too.
///
/// Panics when nothing wakes it for a minute.
pub fn longest_poll<F: Future>(future: F) -> (F::Output, Duration) {
    let (sender, receiver) = channel();
    let waker = Waker::from(Arc::new(Bell(sender)));
    let mut context = Context::from_waker(&waker);
    let mut future = pin!(future);
    let mut longest = Duration::ZERO;
    loop {
        let started = Instant::now();
        let polled = future.as_mut().poll(&mut context);
        longest = longest.max(started.elapsed());
        match polled {
            Poll::Ready(output) => return (output, longest),
            Poll::Pending => receiver.recv_timeout(Duration::from_secs(60)).unwrap(),
        }
    }
}

/// Runs a future on one thread of tokio's, beside a timer of 1 ms; returns how late the timer was at
/// most too.
pub fn timer_lateness<F: Future>(future: F) -> (F::Output, Duration) {
    const PERIOD: Duration = Duration::from_millis(1);
    let tokio = tokio::runtime::Builder::new_current_thread().enable_time().build().unwrap();
    let late = Rc::new(Cell::new(Duration::ZERO));
    let noted = Rc::clone(&late);
    let tasks = tokio::task::LocalSet::new();
    tasks.spawn_local(async move {
        loop {
            let due = Instant::now() + PERIOD;
            tokio::time::sleep_until(due.into()).await;
            noted.set(noted.get().max(due.elapsed()));
        }
    });
    let output = tokio.block_on(tasks.run_until(async {
        let output = future.await;
        // The timer notices what the last poll took.
        tokio::time::sleep(2 * PERIOD).await;
        output
    }));
    (output, late.get())
}

/// Returns the least that was measured of a future in `count` rounds.
///
/// On a busy machine this thread is held up within some rounds; a future that itself takes long does
/// so in each.
pub fn least<T, F: Future<Output = T>>(
    count: usize,
    measure: impl Fn(F) -> (T, Duration),
    future: impl Fn() -> F,
    check: impl Fn(T),
) -> Duration {
    let rounds = (0..count).map(|_| {
        let (output, measured) = measure(future());
        check(output);
        measured
    });
    rounds.min().expect("a count above 0")
}
