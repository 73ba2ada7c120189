//! Where in a program a call is, and what is asked for it.

use std::fmt;
use std::panic::Location;

use serde::{Serialize, Serializer};

use super::event::Cause;
use super::guard::Carried;

/// Tells where in the program's source a call is: file, line and column.
///
/// ```
/// use longshore::Runtime;
/// use ndarray::array;
///
/// # fn main() -> longshore::Result<()> {
/// let rt = Runtime::host();
/// rt.stage("x", array![1.0_f32])?;
/// let site = rt.ledger().events()[0].site;
/// assert!(site.file().ends_with(".rs") && site.line() > 0);
/// println!("staged at {site}"); // staged at src/main.rs:6:4
/// # Ok(())
/// # }
/// ```
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Site(&'static Location<'static>);

impl Site {
    /// Returns where this is called.
    #[track_caller]
    #[must_use]
    pub fn here() -> Self {
        Site(Location::caller())
    }

    /// Returns the source file, as the compiler was given it.
    #[must_use]
    pub fn file(self) -> &'static str {
        self.0.file()
    }

    /// Returns the line, from 1.
    #[must_use]
    pub fn line(self) -> u32 {
        self.0.line()
    }
}

impl fmt::Display for Site {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        fmt::Display::fmt(self.0, f)
    }
}

impl Serialize for Site {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.collect_str(self.0)
    }
}

/// A public call that moves bytes: which, from where, and the guards that it brings along.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Call<'a> {
    pub cause: Cause,
    pub site: Site,
    pub guards: &'a Carried,
}

impl<'a> Call<'a> {
    /// Makes the call that the caller's caller has made.
    #[track_caller]
    pub(crate) fn new(cause: Cause, guards: &'a Carried) -> Self {
        Call { cause, site: Site::here(), guards }
    }
}
