//! How much memory the process has.

use std::fmt;
use std::time::Instant;

/// Growth from the third tenth to the last that counts as none: allocators keep some for later.
const SLACK: u64 = 48 << 20;

/// The memory of the process at one moment.
pub struct Sample {
    seconds: f64,
    rounds: u64,
    /// Bytes of it that are in memory; none where the system does not say.
    resident: Option<u64>,
}

impl Sample {
    pub fn take(start: Instant, rounds: u64) -> Self {
        Sample { seconds: start.elapsed().as_secs_f64(), rounds, resident: resident() }
    }
}

impl fmt::Display for Sample {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "after {:>6.0} s and {:>9} rounds: ", self.seconds, self.rounds)?;
        match self.resident {
            Some(bytes) => write!(f, "{} MiB", bytes >> 20),
            None => f.write_str("memory is not known on this system"),
        }
    }
}

/// Bytes in memory, as Linux says.
fn resident() -> Option<u64> {
    let status = std::fs::read_to_string("/proc/self/status").ok()?;
    let line = status.lines().find_map(|line| line.strip_prefix("VmRSS:"))?;
    Some(line.trim().strip_suffix(" kB")?.parse::<u64>().ok()? << 10)
}

/// Refuses growth after the first third, in which caches fill.
pub fn is_flat(samples: &[Sample]) -> Result<(), String> {
    let [_, _, early, .., last] = samples else {
        return Err("too short to tell whether memory grows".to_owned());
    };
    match (early.resident, last.resident) {
        (Some(early), Some(last)) if last > early + early / 10 + SLACK => {
            Err(format!("memory grew from {} to {} MiB", early >> 20, last >> 20))
        }
        _ => Ok(()),
    }
}
