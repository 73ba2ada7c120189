//! Long loops: which drivers end them silently, the refusal of kernels that have them, and the
//! warning of those that may.

use std::fmt;

use super::Runtime;
use crate::error::{Error, Result, escaped};
use crate::kernels::{Work, own};
use crate::own::OwnKernel;
use crate::plan::{LLVMPIPE_ITERATIONS, Plan, Step};

/// The first Mesa whose llvmpipe is known to run loops to their end. The limit is still in the
/// development of 23.2, and is gone in 25.0.7; nobody has looked at the ones between.
const WITHOUT_LIMIT: u32 = 25;

/// Iterations of all loops of a thread that such a driver runs, to the last one.
const ITERATIONS: u64 = 65_535;

/// How messages name such a driver.
const DRIVER: &str = "the driver llvmpipe before Mesa 25";

/// What to do about it.
const REMEDY: &str = "run it on a GPU, with Mesa 25 or newer, or on the host executor: \
                      Runtime::host()";

/// Lines that a warning lists.
const LISTED: usize = 8;

/// Returns after how many iterations a driver ends a thread's loops without an error, if it does.
///
/// A version that cannot be read is taken for one that does.
pub(super) fn limit(driver: &str, driver_info: &str) -> Option<u64> {
    let is_known = |version: u32| version >= WITHOUT_LIMIT;
    let ends = driver == "llvmpipe" && !mesa_version(driver_info).is_some_and(is_known);
    ends.then_some(LLVMPIPE_ITERATIONS)
}

/// Reads the major version: `Mesa 22.3.6 (LLVM 15.0.6)` is 22.
fn mesa_version(driver_info: &str) -> Option<u32> {
    let (_, version) = driver_info.split_once("Mesa ")?;
    version.split('.').next()?.parse().ok()
}

/// A thing that a session's device may do wrong without an error.
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub struct Warning {
    /// Kind and name of the node.
    pub node: String,
    /// What may happen.
    pub what: String,
    /// What to do about it.
    pub remedy: String,
}

impl fmt::Display for Warning {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}", escaped(format_args!("{}: {}; {}", self.node, self.what, self.remedy)))
    }
}

impl Runtime {
    /// Refuses kernels whose loops the driver would end before their time, and returns a warning
    /// for each that has loops of which nobody knows.
    pub(super) fn check_loops(&self, plan: &Plan) -> Result<Vec<Warning>> {
        let Some(limit) = self.limits().max_loop_iterations else { return Ok(Vec::new()) };
        let (mut kernels, mut warnings) = (Vec::new(), Vec::new());
        for step in plan.steps() {
            if let Work::Own(geometry) = &step.work {
                let kernel = geometry.call.kernel();
                let lines = check_own(step, geometry)?;
                if !lines.is_empty() && !kernels.contains(&kernel) {
                    kernels.push(kernel);
                    warnings.push(warn(step, kernel, &lines));
                }
                continue;
            }
            let trips = step.work.trip_count(step.kernel.entry);
            if trips > limit {
                return Err(refusal(step, "the sum of one result".to_owned(), trips, limit));
            }
        }
        Ok(warnings)
    }
}

/// Counts the loops of a kernel of the user's own; returns the lines of those without a bound.
fn check_own(step: &Step, geometry: &own::Geometry) -> Result<Vec<usize>> {
    let loops = geometry.loops(&step.node, step.workgroups)?;
    if loops.iterations <= ITERATIONS {
        return Ok(loops.unbounded);
    }
    let kernel = geometry.call.kernel().title();
    let what = format!("one thread of {kernel}, whose longest loop is at line {},", loops.line);
    Err(refusal(step, what, loops.iterations, ITERATIONS))
}

fn refusal(step: &Step, tensor: String, needed: u64, limit: u64) -> Error {
    Error::Limit {
        node: step.node.clone(),
        tensor,
        needed,
        unit: "loop iterations",
        limit_name: format!("the limit of {DRIVER}"),
        limit: Some(limit),
        remedy: REMEDY.to_owned(),
    }
}

/// Makes the warning of a kernel, and logs the first one.
fn warn(step: &Step, kernel: &OwnKernel, lines: &[usize]) -> Warning {
    let lines: Vec<String> = lines.iter().take(LISTED).map(ToString::to_string).collect();
    let what = format!(
        "{} has loops whose end is not known before they run (lines {}), and {DRIVER} ends all \
         loops of a thread after {ITERATIONS} iterations without an error",
        kernel.title(),
        lines.join(", ")
    );
    let remedy = format!("end them by a counter with a known bound, or {REMEDY}");
    let warning = Warning { node: step.node.clone(), what, remedy };
    if kernel.is_first_log() {
        log::warn!("{warning}");
    }
    warning
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn warnings_show_names_escaped() {
        let [node, what, remedy] = ["a\u{1b}[2J", "b\n", "c\u{202e}"].map(str::to_owned);
        let shown = Warning { node, what, remedy }.to_string();
        assert_eq!(shown, "a\\u{1b}[2J: b\\n; c\\u{202e}");
    }

    #[test]
    fn drivers_that_end_loops_are_known_by_name_and_version() {
        for version in ["Mesa 22.3.6 (LLVM 15.0.6)", "Mesa 24.3.4-1 (LLVM 19.1.7)", "", "Mesa x"] {
            assert_eq!(limit("llvmpipe", version), Some(65_400), "{version}");
        }
        for version in ["Mesa 25.0.7-2 (LLVM 19.1.7)", "Mesa 26.1.0-devel (git-1)"] {
            assert_eq!(limit("llvmpipe", version), None, "{version}");
        }
        for driver in ["radv", "SwiftShader driver", "NVIDIA", ""] {
            assert_eq!(limit(driver, "Mesa 22.3.6"), None, "{driver}");
        }
    }
}
