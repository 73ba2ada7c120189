//! Local response normalization across channels.

use super::{Launch, Shader, count, narrow, shader};
use crate::error::Result;
pub use crate::ops::normalization::lrn::Geometry;

/// The family's WGSL.
pub static SHADER: Shader = shader!("lrn");

/// Makes the dispatch for a geometry.
///
/// # Errors
///
/// [`Error::Limit`](crate::error::Error::Limit) when a size exceeds what the kernel or the
/// device can number.
pub fn launch(
    node: &str,
    geometry: &Geometry,
    max_workgroups_per_dimension: u32,
) -> Result<Launch> {
    let Geometry { outer, channels, inner, beta, bias, .. } = *geometry;
    let threads = count(node, "the output", &[outer, channels, inner])?;
    let [before, after] = narrow(node, "the window", geometry.sides())?;
    let [channels, inner] = narrow(node, "the output", [channels, inner])?;
    SHADER
        .launch(node, "general", threads)
        .set("channels", channels)
        .set("inner", inner)
        .set("before", before)
        .set("after", after)
        .set("factor", geometry.factor())
        .set("beta", beta)
        .set("bias", bias)
        .finish(max_workgroups_per_dimension)
}

/// Counts the trips of one thread's loops, at most.
pub(super) fn trip_count(g: &Geometry, _entry: &str) -> u64 {
    let [before, after] = g.sides();
    // A window ends where the channels do.
    before.saturating_add(after).saturating_add(1).min(g.channels) as u64
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn windows_of_channels_end_where_the_channels_do() {
        let trips = |size, channels| {
            let (outer, inner, alpha, beta, bias) = (2, 3, 1.0, 1.0, 1.0);
            let geometry = Geometry { outer, channels, inner, size, alpha, beta, bias };
            trip_count(&geometry, "general")
        };
        assert_eq!((trips(1, 9), trips(4, 9), trips(9, 9)), (1, 4, 9));
        assert_eq!((trips(100, 9), trips(9, 100), trips(usize::MAX, 70_000)), (9, 9, 70_000));
    }
}
