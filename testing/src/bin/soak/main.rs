//! Runs longshore for a long time, on several threads, with faults in between, and watches results and memory.
//!
//! `scripts/soak.sh` calls it: `soak SECONDS ADAPTER`, where `host` is the host executor. Each
//! round is drawn at random: runs that share a session, new sessions, reads that are awaited or
//! dropped half-way, damaged files, refused calls, lost devices. Every result is compared with
//! f64 arithmetic. It fails when one is wrong, when nothing ends for a minute, or when memory grows.

#![allow(missing_docs, reason = "a program of the tests")]
#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic, reason = "it fails by panicking")]

mod faults;
mod memory;
mod rounds;

use std::collections::BTreeMap;
use std::process::exit;
use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};
use std::sync::{Arc, Mutex, PoisonError};
use std::thread;
use std::time::{Duration, Instant};

use longshore::{Runtime, RuntimeOptions};
use longshore_testing::random::Random;

use rounds::Shared;

/// Threads that draw rounds: more than most machines have processors, so that runs overlap.
const THREADS: u64 = 6;
/// A round that takes longer hangs.
const LONGEST: Duration = Duration::from_secs(60);

/// What the rounds were, by name, and what is wrong.
#[derive(Default)]
pub struct Count {
    rounds: Mutex<BTreeMap<&'static str, u64>>,
    /// Milliseconds since the start at which a round ended last.
    last: AtomicU64,
    is_over: AtomicBool,
}

impl Count {
    fn add(&self, name: &'static str, start: Instant) {
        *self.rounds.lock().unwrap_or_else(PoisonError::into_inner).entry(name).or_default() += 1;
        self.last.store(millis(start), Ordering::Relaxed);
    }

    fn total(&self) -> u64 {
        self.rounds.lock().unwrap_or_else(PoisonError::into_inner).values().sum()
    }
}

fn millis(start: Instant) -> u64 {
    u64::try_from(start.elapsed().as_millis()).unwrap_or(u64::MAX)
}

fn main() {
    let mut args = std::env::args().skip(1);
    let usage = "usage: soak SECONDS ADAPTER";
    let seconds: u64 = args.next().and_then(|text| text.parse().ok()).expect(usage);
    let adapter = args.next().expect(usage);
    let runtime = match adapter.as_str() {
        "host" => Runtime::host(),
        name => {
            let options = RuntimeOptions::new().require_adapter().adapter(name);
            Runtime::open_with(options).unwrap_or_else(|error| panic!("{error}"))
        }
    };
    println!("soak: {} for {seconds} s on {THREADS} threads", runtime.adapter());
    let shared = Arc::new(Shared::new(runtime));
    let count = Arc::new(Count::default());
    let (start, total) = (Instant::now(), Duration::from_secs(seconds));
    let workers: Vec<_> = (0..THREADS)
        .map(|number| {
            let (shared, count) = (Arc::clone(&shared), Arc::clone(&count));
            thread::spawn(move || work(&shared, &count, number, start, total))
        })
        .collect();
    let watchdog = thread::spawn({
        let count = Arc::clone(&count);
        move || watch(&count, start, total)
    });
    for worker in workers {
        if worker.join().is_err() {
            exit(1); // its message has been printed
        }
    }
    count.is_over.store(true, Ordering::Relaxed);
    let memory = watchdog.join().expect("the watchdog does not panic");
    report(&shared, &count, start, &memory);
}

/// Draws rounds until the time is over.
fn work(shared: &Shared, count: &Count, number: u64, start: Instant, total: Duration) {
    let seed = std::env::var("LONGSHORE_SEED").ok().and_then(|seed| seed.parse().ok());
    let mut random = Random::new(seed.unwrap_or(1_u64) * THREADS + number);
    while start.elapsed() < total && !count.is_over.load(Ordering::Relaxed) {
        let before = Instant::now();
        let name = match random.range(0, 4) {
            0 => faults::round(shared, &mut random),
            _ => rounds::round(shared, &mut random),
        };
        assert!(before.elapsed() < LONGEST, "{name} took {:?}", before.elapsed());
        count.add(name, start);
    }
}

/// Ends the process when no round ends any more; takes memory at the end of each tenth.
fn watch(count: &Count, start: Instant, total: Duration) -> Vec<memory::Sample> {
    let mut samples = Vec::new();
    while !count.is_over.load(Ordering::Relaxed) {
        thread::sleep(Duration::from_millis(50));
        let tenths = u32::try_from(samples.len() + 1).unwrap_or(u32::MAX);
        if start.elapsed() >= total * tenths / 10 && tenths <= 10 {
            samples.push(memory::Sample::take(start, count.total()));
        }
        let idle = millis(start).saturating_sub(count.last.load(Ordering::Relaxed));
        if u128::from(idle) > LONGEST.as_millis() {
            eprintln!("soak: no round has ended for {idle} ms");
            exit(1);
        }
    }
    samples
}

fn report(shared: &Shared, count: &Count, start: Instant, memory: &[memory::Sample]) {
    println!("soak: {} rounds in {:.0} s", count.total(), start.elapsed().as_secs_f64());
    for (name, rounds) in count.rounds.lock().unwrap_or_else(PoisonError::into_inner).iter() {
        println!("  {name:<44} {rounds:>9}");
    }
    println!("  {:<44} {:>9}", "ledger events, summed again", shared.check_ledger());
    for sample in memory {
        println!("  {sample}");
    }
    if let Err(problem) = memory::is_flat(memory) {
        eprintln!("soak: {problem}");
        exit(1);
    }
    println!("soak: no wrong result, no hang, memory flat");
}
