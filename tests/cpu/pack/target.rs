//! Targets that are written once and never read, and the threads that write them.

use longshore::array::PackTarget;
use longshore::{Error, HostArray};
use ndarray::{Array, Array2, ShapeBuilder as _, array};

use super::{cut, refuse, step, strict};

#[test]
fn a_target_of_another_length_is_refused() {
    let array = HostArray::from(array![1.0_f32, 2.0]).with_name("pair");
    for length in [0, 7, 9, 12] {
        let mut bytes = vec![0_u8; length];
        assert_eq!(
            array.pack_into(strict(), bytes.as_mut_slice()).unwrap_err().to_string(),
            format!(
                "array \"pair\": pack target has {length} bytes but shape [2] of float32 needs 8; \
                 pass a target of 4 bytes for each element"
            )
        );
    }
}

/// A target that fails the test when a byte is written twice, and can tell what was not.
struct Once<'a> {
    bytes: &'a mut [u8],
    written: &'a mut [bool],
}

impl PackTarget for Once<'_> {
    fn len(&self) -> usize {
        self.bytes.len()
    }

    fn split_at(self, mid: usize) -> (Self, Self) {
        let (near, far) = self.bytes.split_at_mut(mid);
        let (near_written, far_written) = self.written.split_at_mut(mid);
        (Once { bytes: near, written: near_written }, Once { bytes: far, written: far_written })
    }

    fn write(&mut self, offset: usize, bytes: &[u8]) {
        assert!(bytes.len() <= 8192);
        let range = offset..offset + bytes.len();
        self.bytes[range.clone()].copy_from_slice(bytes);
        for written in &mut self.written[range] {
            assert!(!*written, "a byte is written twice");
            *written = true;
        }
    }
}

#[test]
fn every_byte_is_written_exactly_once() {
    let base = Array2::from_shape_fn((613, 701), |(row, column)| (row * 701 + column) as f32);
    let doubles = base.mapv(f64::from);
    for array in [
        HostArray::from_view(&base),
        HostArray::from(base.t()),
        HostArray::from(cut(&base, [step(-1)])),
        HostArray::from_view(&doubles),
        HostArray::from(doubles.t()),
    ] {
        let mut bytes = vec![0_u8; base.len() * 4];
        let mut written = vec![false; bytes.len()];
        let target = Once { bytes: &mut bytes, written: &mut written };
        let report = array.pack_into(strict(), target).unwrap();
        assert!(written.iter().all(|&written| written));
        let expected: Vec<u8> =
            array.to_f64().iter().flat_map(|&value| (value as f32).to_le_bytes()).collect();
        assert!(bytes == expected);
        assert_eq!(report.element_count, 613 * 701);
    }
}

#[test]
fn a_rejected_array_is_counted_to_the_end_but_written_no_further() {
    let mut values = Array2::<f64>::zeros((100, 100));
    values[[0, 1]] = f64::NAN;
    values[[99, 99]] = f64::INFINITY;
    let single = values.mapv(|value| value as f32);
    let huge = values.mapv(|value| if value.is_nan() { 1e300 } else { 0.0 });
    for array in
        [HostArray::from_view(&values), HostArray::from_view(&single), HostArray::from_view(&huge)]
    {
        let mut bytes = vec![0_u8; 40_000];
        let mut written = vec![false; bytes.len()];
        let target = Once { bytes: &mut bytes, written: &mut written };
        match array.pack_into(strict(), target).unwrap_err() {
            Error::NonFinite { nan_count: 1, infinite_count: 1, first_index, .. }
            | Error::Overflow { count: 1, first_index, .. } => assert_eq!(first_index, [0, 1]),
            other => panic!("{other}"),
        }
        assert!(!written.contains(&true), "the first block holds the reason already");
    }
}

fn with_threads<R: Send>(threads: usize, work: impl FnOnce() -> R + Send) -> R {
    rayon::ThreadPoolBuilder::new().num_threads(threads).build().unwrap().install(work)
}

#[test]
fn many_threads_give_what_one_gives() {
    let mut seed = 1_u64;
    let values = Array::from_shape_simple_fn((9, 409, 331), || {
        seed = seed.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1_442_695_040_888_963_407);
        f64::from((seed >> 40) as i32 - (1 << 23)) * 1e-3 + 1e-9
    });
    let mut odd = values.clone();
    // In C order the first of each kind lies in a different part of the array.
    odd[[6, 3, 330]] = f64::NAN;
    odd[[3, 200, 7]] = f64::NEG_INFINITY;
    odd[[3, 200, 9]] = f64::NAN;
    odd[[2, 0, 0]] = 1e39;
    odd[[5, 0, 0]] = -1e40;
    odd[[0, 0, 1]] = 1e-60;
    let f = Array::from_shape_fn(odd.raw_dim().f(), |index| odd[index]);
    let backwards = cut(&odd, [step(-1)]).to_owned();
    let lenient = strict().allow_non_finite().allow_overflow();
    for (array, layout) in [
        (HostArray::from_view(&odd), "C"),
        (HostArray::from_view(&f), "F"),
        (HostArray::from(cut(&backwards, [step(-1)])), "reversed"),
    ] {
        let (one, one_report) = with_threads(1, || array.pack(lenient)).unwrap();
        let (many, many_report) = with_threads(5, || array.pack(lenient)).unwrap();
        assert_eq!((one_report.threads, many_report.threads), (1, 5), "{layout}");
        assert!(one.iter().zip(&many).all(|(a, b)| a.to_bits() == b.to_bits()), "{layout}");
        assert!(
            one.iter().zip(&odd).all(|(a, &b)| a.to_bits() == (b as f32).to_bits()),
            "{layout}"
        );
        for report in [one_report, many_report] {
            assert_eq!(report.non_finite_count, 3);
            assert_eq!((report.overflow_count, report.underflow_count), (2, 1));
            let worst = values.iter().map(|&v| ((f64::from(v as f32) - v) / v).abs());
            assert!(report.max_relative_error >= worst.fold(0.0, f64::max) * 0.999_999);
            assert!(report.max_relative_error <= 2_f64.powi(-24));
        }
        for threads in [1, 2, 5] {
            match with_threads(threads, || refuse(&array, strict())) {
                Error::NonFinite {
                    nan_count, infinite_count, element_count, first_index, ..
                } => {
                    assert_eq!((nan_count, infinite_count), (2, 1), "{layout}");
                    assert_eq!(element_count, 9 * 409 * 331);
                    assert_eq!(first_index, [3, 200, 7], "{layout}");
                }
                other => panic!("{other}"),
            }
            match with_threads(threads, || refuse(&array, strict().allow_non_finite())) {
                Error::Overflow { count, first_index, first_value, .. } => {
                    assert_eq!((count, first_value), (2, 1e39), "{layout}");
                    assert_eq!(first_index, [2, 0, 0], "{layout}");
                }
                other => panic!("{other}"),
            }
        }
    }
}

#[test]
fn large_float32_is_copied_and_checked_in_parts() {
    let mut values =
        Array2::<f32>::from_shape_fn((1400, 777), |(row, column)| (row ^ column) as f32);
    let (packed, report) = HostArray::from_view(&values).pack(strict()).unwrap();
    assert!(packed == values.view().into_dyn());
    assert_eq!(
        (report.converted, report.reordered, report.max_relative_error),
        (false, false, 0.0)
    );
    values[[999, 776]] = f32::INFINITY;
    values[[500, 1]] = f32::NAN;
    let error = with_threads(3, || refuse(&HostArray::from_view(&values), strict()));
    let Error::NonFinite { nan_count: 1, infinite_count: 1, first_index, .. } = error else {
        panic!("{error}")
    };
    assert_eq!(first_index, [500, 1]);
    let lenient = strict().replace_non_finite(9.0);
    let (packed, report) = HostArray::from_view(&values).pack(lenient).unwrap();
    assert_eq!((packed[[999, 776]], packed[[500, 1]], report.replaced_count), (9.0, 9.0, 2));
}

#[test]
fn first_inexact_index_is_the_first_in_c_order_in_every_layout() {
    let mut values = Array2::<u32>::zeros((2100, 500));
    values[[599, 0]] = 16_777_217;
    values[[411, 499]] = 4_294_967_295;
    values[[412, 2]] = 16_777_219;
    let f = Array::from_shape_fn(values.raw_dim().f(), |index| values[index]);
    for array in [HostArray::from_view(&values), HostArray::from_view(&f)] {
        let (_, report) = with_threads(4, || array.pack(strict())).unwrap();
        assert_eq!(report.inexact_integer_count, 3);
        assert_eq!(report.first_inexact_index, Some(vec![411, 499]));
    }
}
