//! The `longshore` command.

mod adapters;
mod canvas;
mod choice;
mod convert;
mod demo;
mod execute;
mod feed;
mod files;
mod inspect;
mod model;
mod pairs;
mod paths;
mod progress;
mod remedy;
mod run;
mod saved;
mod verify;

use std::fmt::Write as _;
use std::io::{ErrorKind, Write};
use std::process::ExitCode;

use clap::{Parser, Subcommand};
use longshore::error::escaped;

/// GPU compute for arrays: staged once, run by WGSL kernels, every crossing counted.
#[derive(Parser)]
#[command(name = "longshore", version)]
struct Arguments {
    #[command(subcommand)]
    command: Command,
}

#[derive(Subcommand)]
enum Command {
    /// Classify 359 digits with a network that Keras trained, and show what crossed.
    Demo(demo::Options),
    /// Run a model on arrays from .npy files, and write its outputs as such.
    Run(run::Options),
    /// Print what a model takes and computes, and the plan made of it.
    Inspect(inspect::Options),
    /// Keep a model prepared: as a saved graph that passes have been over.
    Convert(convert::Options),
    /// Compare a GPU with the host executor, node by node of a model.
    Verify(verify::Options),
    /// List what this machine has to compute on: adapters and the host.
    Adapters(adapters::Options),
}

fn main() -> ExitCode {
    // Wrong usage ends here, with exit status 2.
    let arguments = Arguments::parse();
    let result = match &arguments.command {
        Command::Demo(options) => demo::run(options),
        Command::Run(options) => run::run(options),
        Command::Inspect(options) => inspect::run(options),
        Command::Convert(options) => convert::run(options),
        Command::Verify(options) => verify::run(options),
        Command::Adapters(options) => adapters::run(options),
    };
    match result {
        Ok(()) => ExitCode::SUCCESS,
        Err(error) => {
            let _ = writeln!(std::io::stderr(), "longshore: {}", escaped(line(&error)));
            ExitCode::FAILURE
        }
    }
}

/// Writes an error and its causes on one line.
fn line(error: &anyhow::Error) -> String {
    let mut line = String::new();
    for cause in error.chain().map(ToString::to_string) {
        // Some errors quote their cause themselves.
        if !line.ends_with(&cause) {
            let colon = if line.is_empty() { "" } else { ": " };
            line = line + colon + &cause;
        }
    }
    // The library breaks long messages for terminals.
    remedy::for_the_command(&line.split_whitespace().collect::<Vec<_>>().join(" "))
}

/// Prints lines. Names in them are escaped where they are put in; what is left of them here could
/// not make a line, but steer a terminal.
fn print(text: &str) -> anyhow::Result<()> {
    let lines: Vec<String> = text.split('\n').map(|line| escaped(line).to_string()).collect();
    write_out(&lines.join("\n"))
}

/// Prints JSON. Its strings may hold marks that steer a terminal, which JSON writes by their numbers.
fn print_json(text: &str) -> anyhow::Result<()> {
    let mut shown = String::new();
    for c in text.chars() {
        if c == '\n' || escaped(c).to_string().len() == c.len_utf8() {
            shown.push(c);
        } else {
            // Writing to a string does not fail.
            let mut units = [0; 2];
            for unit in c.encode_utf16(&mut units) {
                let _ = write!(shown, "\\u{unit:04x}");
            }
        }
    }
    write_out(&shown)
}

/// Writes to standard output; a reader that has gone away, as `head` does, is no failure.
fn write_out(text: &str) -> anyhow::Result<()> {
    let mut out = std::io::stdout().lock();
    match out.write_all(text.as_bytes()).and_then(|()| out.flush()) {
        Err(error) if error.kind() != ErrorKind::BrokenPipe => {
            Err(anyhow::Error::from(error).context("cannot write to standard output"))
        }
        _ => Ok(()),
    }
}
