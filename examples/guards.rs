//! Guards: scopes in which a crossing is allowed, logged, forbidden or paid from a budget.
//!
//! A guard is asked before a byte moves. What it refuses is an error that names the
//! tensor, and leaves nothing in the ledger.
//!
//!     cargo run --release --example guards

mod common;

use anyhow::{Context, bail};
use longshore::ledger::{Cause, Direction, Totals};
use longshore::{
    Error, Graph, Guard, Runtime, RuntimeOptions, Session, Shape, Tensor, UpSampling2d,
};
use ndarray::Array4;

fn main() -> anyhow::Result<()> {
    log::set_logger(&Printer).map_err(anyhow::Error::msg)?;
    log::set_max_level(log::LevelFilter::Warn);

    // On the host executor nothing crosses, and there would be nothing to guard.
    let rt = Runtime::open_with(RuntimeOptions::new().require_adapter())?;
    let pixels = Array4::<f64>::ones((1, 8, 8, 1));
    let image = rt.stage("image", &pixels)?;
    let mut g = Graph::new();
    let x = g.input("image", Shape::batch([8, 8, 1]));
    let y = g.up_sampling2d(x, UpSampling2d::nearest(2))?;
    g.output("enlarged", y);
    let session = rt.session(&g, 1)?;

    // Forbid: runs pass, since they move nothing. Reads and stagings do not.
    let run = rt.forbid_crossings(|| session.run([("image", &image)]))?;
    let enlarged = run.output("enlarged")?;
    let before = rt.ledger().totals();
    refused(rt.forbid_crossings(|| enlarged.read()), "crossings are forbidden")?;
    let staged = rt.forbid_crossings(|| rt.stage("more", &pixels));
    refused(staged, "crossings are forbidden")?;
    assert_eq!(rt.ledger().totals(), before, "what is refused has not moved");

    // One direction: uploads are errors, reads are not.
    let uploads = Guard::forbid().direction(Direction::HostToDevice).name("no uploads");
    rt.guarded(uploads, || enlarged.read())?;
    assert_eq!(reads(rt.ledger().totals(), before), 1);

    // Allow: an exception within a scope that forbids; the innermost guard decides.
    rt.forbid_crossings(|| rt.guarded(Guard::allow().name("preview"), || enlarged.read()))?;
    assert_eq!(reads(rt.ledger().totals(), before), 2);

    // Log: everything passes, and the program's logger hears of it.
    rt.guarded(Guard::log().name("watched"), || enlarged.read())?;
    assert_eq!(reads(rt.ledger().totals(), before), 3);

    // Budget: so many bytes and so many crossings; the third read is one too many.
    let budget = Guard::budget(1 << 20, 2).name("two previews");
    rt.guarded(budget, || -> anyhow::Result<()> {
        enlarged.read()?;
        enlarged.read()?;
        refused(enlarged.read(), "2 of 2 crossings are spent")
    })?;
    let small = rt.guarded(Guard::budget(1000, 2), || enlarged.read());
    refused(small, "0 of 1000 bytes are spent")?;
    assert_eq!(reads(rt.ledger().totals(), before), 5);

    beyond_this_thread(&session, &image, enlarged)?;

    // The guards' names are the scopes in the ledger.
    println!("{}", rt.ledger());
    let expected = session.expected_crossings();
    assert_eq!(common::crossed(rt.ledger(), Cause::Prepare), expected.prepare);
    assert_eq!(common::crossed(rt.ledger(), Cause::Run), expected.run);
    let read = expected.read.iter().cycle().take(5).cloned().collect::<Vec<_>>();
    assert_eq!(common::crossed(rt.ledger(), Cause::Read), read);
    Ok(())
}

/// Guards that other threads and futures are asked by; all of them forbid.
fn beyond_this_thread(session: &Session, image: &Tensor, enlarged: &Tensor) -> anyhow::Result<()> {
    // Carried: whichever thread reads an output of this session is asked.
    let hot = session.with_guard(Guard::forbid().name("hot path")).run([("image", image)])?;
    let read = || hot.output("enlarged")?.read();
    let elsewhere = std::thread::scope(|scope| scope.spawn(read).join());
    let Ok(elsewhere) = elsewhere else { bail!("the thread panicked") };
    refused(elsewhere, "crossings are forbidden")?;

    // A future is guarded wherever it is polled.
    let rt = session.runtime();
    let reading = rt.forbid_crossings_async(async { enlarged.read_async().await });
    refused(pollster::block_on(reading), "crossings are forbidden")?;

    // All threads, also those of a pool, until the closure ends.
    let both = || rayon::join(|| enlarged.read(), || enlarged.read());
    let (one, two) = rt.forbid_crossings_on_all_threads(both);
    refused(one, "crossings are forbidden")?;
    refused(two, "crossings are forbidden")
}

/// Counts the downloads since.
fn reads(now: Totals, before: Totals) -> u64 {
    now.device_to_host.count - before.device_to_host.count
}

/// Checks that a guard refused, and shows what its error says.
fn refused<T>(outcome: longshore::Result<T>, reason: &str) -> anyhow::Result<()> {
    match outcome {
        Err(error @ Error::Crossing { .. }) if error.to_string().contains(reason) => {
            println!("{error}\n");
            Ok(())
        }
        Err(error) => Err(error).context("it should have been refused otherwise"),
        Ok(_) => bail!("it should have been refused: {reason}"),
    }
}

/// A program's logger; the library installs none.
struct Printer;

impl log::Log for Printer {
    fn enabled(&self, _: &log::Metadata<'_>) -> bool {
        true
    }

    fn log(&self, record: &log::Record<'_>) {
        println!("{}: {}\n", record.level(), record.args());
    }

    fn flush(&self) {}
}
