//! An executor that times what it polls.

use std::future::Future;
use std::pin::pin;
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

/// Returns the median of the longest polls of several futures: a busy machine may hold this thread
/// up in some of them, and not in most.
pub fn median_poll<T, F: Future<Output = T>>(
    count: usize,
    future: impl Fn() -> F,
    check: impl Fn(T),
) -> Duration {
    let mut polls: Vec<Duration> = (0..count)
        .map(|_| {
            let (output, longest) = longest_poll(future());
            check(output);
            longest
        })
        .collect();
    polls.sort_unstable();
    polls[count / 2]
}
