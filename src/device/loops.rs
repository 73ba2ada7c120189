//! Long loops: which drivers end them silently, and the refusal of kernels that have them.

use super::Runtime;
use crate::error::{Error, Result};
use crate::plan::{LLVMPIPE_ITERATIONS, Plan};

/// The first Mesa whose llvmpipe is known to run loops to their end. The limit is still in the
/// development of 23.2, and is gone in 25.0.7; nobody has looked at the ones between.
const WITHOUT_LIMIT: u32 = 25;

/// How messages name the limit.
const LIMIT_NAME: &str = "the limit of the driver llvmpipe before Mesa 25";

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

impl Runtime {
    /// Refuses kernels whose loops the driver would end before their time.
    pub(super) fn check_loops(&self, plan: &Plan) -> Result<()> {
        let Some(limit) = self.limits().max_loop_iterations else { return Ok(()) };
        for step in plan.steps() {
            let trips = step.work.trip_count(step.kernel.entry);
            if trips > limit {
                return Err(Error::Limit {
                    node: step.node.clone(),
                    tensor: "the sum of one result".to_owned(),
                    needed: trips,
                    unit: "loop iterations",
                    limit_name: LIMIT_NAME.to_owned(),
                    limit: Some(limit),
                    remedy: "run it on a GPU, with Mesa 25 or newer, or on the host executor: \
                             Runtime::host()"
                        .to_owned(),
                });
            }
        }
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

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
