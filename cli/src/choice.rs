//! Which adapter a command runs on.

use std::convert::Infallible;
use std::str::FromStr;

use anyhow::Result;
use longshore::{Runtime, RuntimeOptions};

/// What `--adapter` asks for.
#[derive(Clone, Debug)]
pub enum Choice {
    /// The fastest GPU, or the host executor where there is none.
    Auto,
    /// No adapter: the executor that runs plans on the processor.
    Host,
    /// An adapter whose name contains this.
    Named(String),
}

impl FromStr for Choice {
    type Err = Infallible;

    fn from_str(text: &str) -> Result<Self, Infallible> {
        Ok(match text {
            "auto" => Choice::Auto,
            "host" => Choice::Host,
            name => Choice::Named(name.to_owned()),
        })
    }
}

impl Choice {
    /// Opens what was asked for.
    pub fn open(&self) -> Result<Runtime> {
        match self {
            Choice::Auto => Ok(Runtime::open()?),
            Choice::Host => Ok(Runtime::host()),
            Choice::Named(name) => {
                Ok(Runtime::open_with(RuntimeOptions::new().adapter(name.as_str()))?)
            }
        }
    }
}
