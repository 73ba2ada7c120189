//! What the demo prints.

use std::fmt::Write;
use std::time::Duration;

use anyhow::Result;
use longshore::Runtime;
use longshore::ledger::{Cause, Ledger};

use super::score::{DIFFERENCE_BOUND, LEAST_ACCURACY, Score};
use super::{BATCH, Times};

/// Writes the report; `checked` tells whether the ledger shows what was promised.
pub fn text(
    rt: &Runtime,
    score: &Score,
    rows: usize,
    times: &Times,
    checked: bool,
) -> Result<String> {
    let mut text = String::new();
    let count = score.answers.len();
    writeln!(text, "adapter     {}", rt.adapter())?;
    writeln!(
        text,
        "images      {count} test images in {} batches of {BATCH}; the last one is filled up with",
        rows / BATCH
    )?;
    writeln!(text, "            {} images of zeros, whose answers are discarded", rows - count)?;
    writeln!(
        text,
        "accuracy    {:.2} %: {} of {count} unseen images are recognized (at least {} % asked for)",
        score.accuracy() * 100.0,
        score.right(),
        LEAST_ACCURACY * 100.0
    )?;
    writeln!(
        text,
        "against     Keras: probabilities differ by {:.1e} at most (less than {:e} asked for)",
        score.difference, DIFFERENCE_BOUND
    )?;
    writeln!(text)?;
    write_times(&mut text, rt, times)?;
    writeln!(text)?;
    write!(text, "{}", rt.ledger())?;
    if checked {
        writeln!(text)?;
        writeln!(
            text,
            "The {} runs moved nothing between host and device: the ledger has no such event.",
            times.runs.len()
        )?;
        let rest = if rt.is_host() {
            "Nothing else crossed either: the host computes in its own memory.".to_owned()
        } else {
            format!(
                "Images and weights crossed once, each read downloaded its {BATCH} x 10 \
                 probabilities, all as planned."
            )
        };
        writeln!(text, "{rest}")?;
    }
    Ok(text)
}

fn write_times(text: &mut String, rt: &Runtime, times: &Times) -> Result<()> {
    let pack = phase(rt.ledger(), "pack");
    let upload = phase(rt.ledger(), "submit") + times.arrival;
    let mut row = |name: &str, time: Duration, note: &str| {
        let milliseconds = time.as_secs_f64() * 1e3;
        writeln!(text, "{name:<8} {milliseconds:>9.2} ms  {note}")
    };
    if rt.is_host() {
        row("open", times.open, "a GPU looked for if that was asked for")?;
        row("pack", pack, "images float64 to float32 and weights, into memory of the tensors")?;
        row("prepare", times.prepare, "buffers made")?;
    } else {
        row("open", times.open, "instance, adapter and device")?;
        row("pack", pack, "images float64 to float32 and weights, into mapped memory")?;
        row("upload", upload, "submitted, and waited for until it has arrived")?;
        row("prepare", times.prepare, "kernels compiled, buffers made, parameters uploaded")?;
    }
    let (first, later) = times.runs.split_first().unwrap_or((&Duration::ZERO, &[]));
    let note = format!(
        "{} batches: the first {:.2} ms, the median of the others {:.2} ms",
        times.runs.len(),
        first.as_secs_f64() * 1e3,
        median(later).as_secs_f64() * 1e3
    );
    row("run", times.runs.iter().sum(), &note)?;
    let note = format!(
        "{} reads: median {:.2} ms",
        times.reads.len(),
        median(&times.reads).as_secs_f64() * 1e3
    );
    row("read", times.reads.iter().sum(), &note)?;
    Ok(())
}

/// Sums a phase of what was staged; preparing has its own row.
fn phase(ledger: &Ledger, name: &str) -> Duration {
    let events = ledger.events();
    let stagings = events.iter().filter(|event| event.cause == Cause::Stage);
    Duration::from_nanos(stagings.filter_map(|event| event.phases_ns.get(name)).sum())
}

fn median(times: &[Duration]) -> Duration {
    let mut sorted = times.to_vec();
    sorted.sort_unstable();
    sorted.get(sorted.len() / 2).copied().unwrap_or_default()
}
