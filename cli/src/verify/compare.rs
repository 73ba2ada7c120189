//! How far two arrays are apart, and whether that is too far.

use ndarray::ArrayD;

/// What may differ, as a share of the host's value.
pub const RTOL: f64 = 1e-3;
/// What may differ beyond that.
pub const ATOL: f64 = 1e-5;

/// The largest differences between two arrays.
#[derive(Clone, Copy, Debug, Default, PartialEq)]
pub struct Difference {
    /// Of the values.
    pub abs: f64,
    /// Of the values, as a share of the host's; where that is 0 there is none.
    pub rel: f64,
    /// Of the values, as a multiple of what may differ.
    pub excess: f64,
}

impl Difference {
    /// What no tolerance allows: NaN or infinity on one side alone.
    const ENDLESS: Difference =
        Difference { abs: f64::INFINITY, rel: f64::INFINITY, excess: f64::INFINITY };

    /// Compares what a GPU and the host computed.
    pub fn between(gpu: &ArrayD<f32>, host: &ArrayD<f32>) -> Self {
        if gpu.shape() != host.shape() {
            return Difference::ENDLESS;
        }
        let pairs = gpu.iter().zip(host).map(|(&gpu, &host)| Difference::of(gpu, host));
        pairs.fold(Difference::default(), |worst, one| Difference {
            abs: worst.abs.max(one.abs),
            rel: worst.rel.max(one.rel),
            excess: worst.excess.max(one.excess),
        })
    }

    #[expect(clippy::float_cmp, reason = "equal infinities do not differ")]
    fn of(gpu: f32, host: f32) -> Self {
        let (gpu, host) = (f64::from(gpu), f64::from(host));
        if gpu == host || gpu.is_nan() && host.is_nan() {
            return Difference::default();
        }
        if !gpu.is_finite() || !host.is_finite() {
            return Difference::ENDLESS;
        }
        let abs = (gpu - host).abs();
        let rel = if host == 0.0 { 0.0 } else { abs / host.abs() };
        Difference { abs, rel, excess: abs / (ATOL + RTOL * host.abs()) }
    }

    /// Tells whether it is too large.
    pub fn is_too_large(&self) -> bool {
        self.excess > 1.0
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use ndarray::arr1;

    fn between(gpu: &[f32], host: &[f32]) -> Difference {
        Difference::between(&arr1(gpu).into_dyn(), &arr1(host).into_dyn())
    }

    #[test]
    fn equal_arrays_do_not_differ() {
        let values = [0.0, -1.5, f32::NAN, f32::INFINITY, f32::NEG_INFINITY];
        assert_eq!(between(&values, &values), Difference::default());
        assert_eq!(between(&[], &[]), Difference::default());
        assert_eq!(between(&[0.0], &[-0.0]), Difference::default());
    }

    #[test]
    fn each_largest_difference_is_found() {
        let found = between(&[100.5, 0.02, 1.0], &[100.0, 0.01, 1.0]);
        assert!((found.abs - 0.5).abs() < 1e-12, "{found:?}");
        assert!((found.rel - 1.0).abs() < 1e-5, "{found:?}");
        assert!((found.excess - 500.0).abs() < 1e-3, "{found:?}");
    }

    #[test]
    fn both_tolerances_count() {
        assert!(!between(&[9e-6], &[0.0]).is_too_large());
        assert!(between(&[1.1e-5], &[0.0]).is_too_large());
        assert!(!between(&[1000.9], &[1000.0]).is_too_large());
        assert!(between(&[1001.1], &[1000.0]).is_too_large());
        assert!(between(&[-1000.0], &[1000.0]).is_too_large());
    }

    #[test]
    fn what_is_not_finite_on_one_side_is_too_large() {
        let finite = 1.0;
        for strange in [f32::NAN, f32::INFINITY, f32::NEG_INFINITY] {
            assert!(between(&[0.0, strange], &[0.0, finite]).is_too_large(), "{strange}");
            assert!(between(&[finite], &[strange]).is_too_large(), "{strange}");
        }
        assert!(between(&[f32::INFINITY], &[f32::NEG_INFINITY]).is_too_large());
        assert!(between(&[f32::NAN], &[f32::INFINITY]).is_too_large());
    }

    #[test]
    fn another_shape_is_too_large() {
        let column = arr1(&[1.0, 1.0]).into_dyn();
        let row = column.clone().insert_axis(ndarray::Axis(0));
        assert!(Difference::between(&column, &row).is_too_large());
    }
}
