//! Running the built command.

use std::path::PathBuf;
use std::process::{Command, Output};

/// What a finished command left behind.
pub struct Finished {
    pub status: Option<i32>,
    pub stdout: String,
    pub stderr: String,
}

impl Finished {
    /// Asserts success.
    #[track_caller]
    pub fn succeeded(self) -> Self {
        assert_eq!(self.status, Some(0), "stdout: {}\nstderr: {}", self.stdout, self.stderr);
        self
    }

    /// Asserts exit status 1 and one line on standard error, and returns that line.
    #[track_caller]
    pub fn failed(&self) -> &str {
        assert_eq!(self.status, Some(1), "stdout: {}\nstderr: {}", self.stdout, self.stderr);
        let line = self.stderr.strip_suffix('\n').unwrap_or(&self.stderr);
        assert!(line.starts_with("longshore: ") && line.lines().count() == 1, "{line}");
        line
    }
}

/// Runs `longshore` with arguments, in a directory where nothing of the repository lies.
pub fn longshore(arguments: &[&str]) -> Finished {
    longshore_with(arguments, &[])
}

/// Returns the name of the first adapter, which may be a software one; fails without.
pub fn adapter() -> String {
    let json = longshore(&["adapters", "--json"]).succeeded().stdout;
    let list: serde_json::Value = serde_json::from_str(&json).expect("JSON");
    let list = list.as_array().expect("a list");
    let first = list.iter().find(|adapter| adapter["backend"] != "host");
    let first = first.expect("an adapter; on Debian or Ubuntu: mesa-vulkan-drivers");
    first["name"].as_str().expect("a name").to_owned()
}

/// Runs `longshore demo` with arguments on the first adapter.
pub fn demo(arguments: &[&str]) -> Finished {
    let name = adapter();
    longshore(&[&["demo", "--adapter", &name], arguments].concat())
}

/// Runs `longshore` with arguments and additional environment variables.
pub fn longshore_with(arguments: &[&str], variables: &[(&str, &str)]) -> Finished {
    let Output { status, stdout, stderr } = Command::new(env!("CARGO_BIN_EXE_longshore"))
        .args(arguments)
        .current_dir(std::env::temp_dir())
        // Without a session directory a layer of Mesa's writes about it to standard error,
        // where these tests count lines.
        .env("NODEVICE_SELECT", "1")
        .envs(variables.iter().copied())
        .output()
        .expect("the command starts");
    Finished {
        status: status.code(),
        stdout: String::from_utf8(stdout).expect("standard output is UTF-8"),
        stderr: String::from_utf8(stderr).expect("standard error is UTF-8"),
    }
}

/// A file for one test, removed when dropped.
pub struct Scratch(PathBuf);

impl Scratch {
    pub fn new(name: &str) -> Self {
        let directory = PathBuf::from(env!("CARGO_TARGET_TMPDIR"));
        let path = directory.join(format!("{}-{name}", std::process::id()));
        let _ = std::fs::remove_file(&path);
        Scratch(path)
    }

    pub fn path(&self) -> &str {
        self.0.to_str().expect("the target directory is UTF-8")
    }
}

impl Drop for Scratch {
    fn drop(&mut self) {
        let _ = std::fs::remove_file(&self.0);
    }
}
