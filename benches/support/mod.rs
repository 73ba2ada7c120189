//! What the benches share: options, timing and results as text and JSON.
//!
//! A bench checks its outputs first, warms up, then prints the least and the median
//! time with a rate in named units. `--smoke` takes few runs of small sizes, to show
//! that everything works; its times mean nothing.
#![allow(dead_code, reason = "each bench compiles this module for itself and uses a part of it")]

use std::time::{Duration, Instant};

use anyhow::{Context, Result};
use longshore::{Runtime, RuntimeOptions};
use serde_json::{Value, json};

/// What the command line asks for.
pub struct Options {
    pub smoke: bool,
    pub adapter: Option<String>,
    filter: Option<String>,
    json: Option<String>,
}

impl Options {
    /// Reads the command line: `[--smoke] [--adapter host|NAME] [--json FILE] [TEXT]`.
    pub fn parse() -> Result<Self> {
        let mut options = Options { smoke: false, adapter: None, filter: None, json: None };
        let mut arguments = std::env::args().skip(1);
        while let Some(argument) = arguments.next() {
            match argument.as_str() {
                "--smoke" => options.smoke = true,
                // cargo bench passes it to every bench.
                "--bench" => {}
                "--json" => options.json = Some(arguments.next().context("--json takes a file")?),
                "--adapter" => {
                    options.adapter = Some(arguments.next().context("--adapter takes a name")?);
                }
                text if !text.starts_with('-') => options.filter = Some(text.to_owned()),
                unknown => anyhow::bail!("unknown option {unknown}"),
            }
        }
        Ok(options)
    }

    /// Tells whether a row's name contains the text asked for.
    pub fn wants(&self, name: &str) -> bool {
        self.filter.as_ref().is_none_or(|filter| name.contains(filter.as_str()))
    }

    /// Opens the adapter asked for, `host` being the host executor, or the first adapter.
    pub fn runtime(&self) -> Result<Runtime> {
        if self.adapter.as_deref() == Some("host") {
            return Ok(Runtime::host());
        }
        let mut options = RuntimeOptions::new().require_adapter();
        if let Some(name) = self.adapter.clone().or_else(|| std::env::var("LONGSHORE_ADAPTER").ok())
        {
            options = options.adapter(name);
        }
        Ok(Runtime::open_with(options)?)
    }

    /// Returns how many runs to time.
    pub fn runs(&self) -> usize {
        if self.smoke { 2 } else { 15 }
    }
}

/// What one repetition does, so that a rate can be given.
#[derive(Clone, Copy)]
pub enum Work {
    Bytes(u64),
    /// Floating-point operations, a multiplication and an addition being two.
    Flops(u64),
}

/// Prints rows as they are measured and keeps them for the JSON file.
pub struct Report {
    rows: Vec<Value>,
    runs: usize,
}

impl Report {
    /// Prints the header: what runs where.
    pub fn new(bench: &str, adapter: &str, options: &Options) -> Self {
        println!("{bench} on {adapter}");
        if options.smoke {
            println!("smoke mode: these times mean nothing");
        }
        println!("{:<44} {:<16} {:>11} {:>11}  rate", "what", "phase", "min", "median");
        Report { rows: Vec::new(), runs: options.runs() }
    }

    /// Times a closure after two warm-ups and prints its row.
    pub fn time(
        &mut self,
        what: &str,
        phase: &str,
        work: Work,
        mut body: impl FnMut() -> Result<()>,
    ) -> Result<()> {
        for _ in 0..2 {
            body()?;
        }
        let mut times = Vec::with_capacity(self.runs);
        for _ in 0..self.runs {
            let start = Instant::now();
            body()?;
            times.push(start.elapsed());
        }
        self.add(what, phase, work, times);
        Ok(())
    }

    /// Prints the row of times that were taken elsewhere.
    pub fn add(&mut self, what: &str, phase: &str, work: Work, mut times: Vec<Duration>) {
        times.sort();
        let seconds = |time: Option<&Duration>| time.map_or(f64::NAN, Duration::as_secs_f64);
        let (min, median) = (seconds(times.first()), seconds(times.get(times.len() / 2)));
        let (rate, unit) = match work {
            Work::Bytes(bytes) => (bytes as f64 / median / 1e9, "GB/s"),
            Work::Flops(flops) => (flops as f64 / median / 1e9, "GFLOP/s"),
        };
        println!(
            "{what:<44} {phase:<16} {:>8.3} ms {:>8.3} ms  {rate:.2} {unit}",
            min * 1e3,
            median * 1e3
        );
        self.rows.push(json!({
            "what": what, "phase": phase, "runs": times.len(),
            "min_ms": min * 1e3, "median_ms": median * 1e3, "rate": rate, "unit": unit,
        }));
    }

    /// Writes the rows into the file that `--json` names.
    pub fn finish(self, bench: &str, runtime: Option<&Runtime>, options: &Options) -> Result<()> {
        let Some(path) = &options.json else { return Ok(()) };
        let since = std::time::SystemTime::now().duration_since(std::time::UNIX_EPOCH)?;
        let document = json!({
            "schema": 1,
            "bench": bench,
            "longshore": env!("CARGO_PKG_VERSION"),
            "unix_time": since.as_secs(),
            "adapter": runtime.map(Runtime::adapter),
            "smoke": options.smoke,
            "rows": self.rows,
        });
        let text = serde_json::to_string_pretty(&document)?;
        std::fs::write(path, text + "\n").with_context(|| format!("cannot write {path}"))
    }
}
