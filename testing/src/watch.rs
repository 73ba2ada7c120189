//! A watchdog for tests of what may hang.

use std::sync::mpsc::channel;
use std::thread;
use std::time::Duration;

/// A body that takes longer hangs; on a busy machine the slowest one takes some minutes.
const LONGEST: Duration = Duration::from_secs(400);

/// Runs a body on a thread of its own, and fails when it takes too long.
pub fn watched(name: &str, body: impl FnOnce() + Send + 'static) {
    let (sender, receiver) = channel();
    let worker = thread::spawn(move || {
        body();
        sender.send(()).unwrap();
    });
    match receiver.recv_timeout(LONGEST) {
        Ok(()) => worker.join().unwrap(),
        // The body is over, or stuck; then so is its thread, which ends with the process.
        Err(error) => {
            panic!("{name} hangs or has failed: {error}, finished = {}", worker.is_finished())
        }
    }
}
