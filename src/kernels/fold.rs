//! Spreading threads over a dispatch.

use super::WORKGROUP_SIZE;
use crate::error::{Error, Result};

/// Spreads threads over a grid whose sides stay within the device's limit.
///
/// A kernel finds its thread as `(group.y * groups.x + group.x) * WORKGROUP_SIZE + local`,
/// and leaves when that is past the end.
///
/// # Errors
///
/// [`Error::Limit`] when even a full grid cannot hold the threads, or when a thread's
/// number would not fit the 32 bits that WGSL indexes with.
pub fn fold(node: &str, threads: u64, max_workgroups_per_dimension: u32) -> Result<[u32; 3]> {
    fold_groups(node, threads, WORKGROUP_SIZE, max_workgroups_per_dimension)
}

/// Spreads threads as [`fold()`] does, for workgroups of another size.
pub(super) fn fold_groups(
    node: &str,
    threads: u64,
    workgroup_size: u32,
    max_workgroups_per_dimension: u32,
) -> Result<[u32; 3]> {
    let groups = threads.div_ceil(u64::from(workgroup_size.max(1))).max(1);
    let side = u64::from(max_workgroups_per_dimension.max(1));
    let rows = groups.div_ceil(side);
    // Equal rows leave fewer idle groups than full rows and a short last one.
    let columns = groups.div_ceil(rows);
    let last_thread =
        rows.checked_mul(columns).and_then(|all| all.checked_mul(workgroup_size.into()));
    match (u32::try_from(columns), u32::try_from(rows), last_thread) {
        (Ok(x), Ok(y), Some(last)) if rows <= side && u32::try_from(last).is_ok() => Ok([x, y, 1]),
        _ => Err(Error::Limit {
            node: node.to_owned(),
            tensor: "the dispatch".to_owned(),
            // Threads of the last row that have nothing to do are numbered too.
            needed: if rows > side { threads } else { last_thread.unwrap_or(u64::MAX) },
            unit: "threads",
            limit_name: format!(
                "max_compute_workgroups_per_dimension ({side} x {side} groups of {workgroup_size})"
            ),
            limit: Some(
                side.saturating_mul(side)
                    .saturating_mul(workgroup_size.into())
                    .min(u32::MAX.into()),
            ),
            remedy: "run a smaller batch".to_owned(),
        }),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn folding_covers_every_thread_within_the_limit() {
        for threads in [0, 1, 63, 64, 65, 64 * 65_535, 64 * 65_535 + 1, 200_000_003] {
            let [x, y, z] = fold("t", threads, 65_535).unwrap();
            assert!(x <= 65_535 && y <= 65_535 && z == 1);
            assert!(u64::from(x) * u64::from(y) * u64::from(WORKGROUP_SIZE) >= threads);
        }
        assert!(matches!(fold("t", 64 * 3 * 3 + 1, 3), Err(Error::Limit { .. })));
        assert!(matches!(fold("t", 1 << 32, u32::MAX), Err(Error::Limit { .. })));
    }
}
