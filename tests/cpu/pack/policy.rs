//! What is rejected, replaced, kept and counted.

use longshore::array::{ByteOrder, DType, NonFinite, Order, StagePolicy};
use longshore::{Error, HostArray};
use ndarray::{Array2, Slice, array};

use super::{cut, pack, refuse, step, strict};

#[test]
fn relative_errors_are_those_of_the_worst_value() {
    let error =
        |array: HostArray<'_>| array.pack(strict().allow_overflow()).unwrap().1.max_relative_error;
    let exactly = |value: f64, rounded: f64| ((rounded - value) / value).abs();
    // 0.1 rounds to 0.100000001490116119384765625, 16777217 to 16777216.
    let tenth = exactly(0.1, 0.100_000_001_490_116_12);
    assert_eq!(error(HostArray::from(array![0.0, 0.1, 2.0, f64::MAX, 1e-300])), tenth);
    assert_eq!(error(HostArray::from(array![0.0, -0.1])), tenth);
    // Also in a block that has nothing to count, at each place of a lane.
    for place in 0..20 {
        let mut values = ndarray::Array1::<f64>::ones(20);
        values[place] = 0.1;
        assert_eq!(error(HostArray::from(values)), tenth, "{place}");
    }
    assert_eq!(error(HostArray::from(array![16_777_217_i32])), exactly(16_777_217.0, 16_777_216.0));
    assert_eq!(
        error(HostArray::from(array![-16_777_219_i64])),
        exactly(16_777_219.0, 16_777_220.0)
    );
    assert_eq!(error(HostArray::from(array![1.5, -0.25, 0.0])), 0.0);
    assert_eq!(error(HostArray::from(array![f32::MIN_POSITIVE / 3.0])), 0.0);
}

#[test]
fn integers_are_inexact_only_where_f32_cannot_hold_them() {
    let power = 1_i64 << 24;
    let values =
        array![power - 1, power, power + 1, power + 2, -power - 1, i64::MIN, i64::MAX, 1 << 40];
    let (packed, report) = pack(&HostArray::from(values));
    assert_eq!(packed[..4], [16_777_215.0, 16_777_216.0, 16_777_216.0, 16_777_218.0]);
    assert_eq!(report.inexact_integer_count, 3);
    assert_eq!(report.first_inexact_index, Some(vec![2]));
    let (_, report) = pack(&HostArray::from(array![u64::MAX, 1 << 63, (1 << 63) + 1]));
    assert_eq!(report.inexact_integer_count, 2);
}

#[test]
fn the_default_policy_rejects_what_is_not_finite() {
    assert_eq!(strict(), StagePolicy::default());
    assert_eq!((strict().non_finite(), strict().allows_overflow()), (NonFinite::Reject, false));
    let mut values = Array2::<f64>::zeros((3, 4));
    values[[1, 2]] = f64::NAN;
    values[[2, 0]] = f64::NEG_INFINITY;
    values[[2, 3]] = f64::NAN;
    let array = HostArray::from_view(&values).with_name("image");
    let fix = "but the policy accepts finite values only; clean the array, or stage with \
               StagePolicy::replace_non_finite(value) or allow_non_finite()";
    assert_eq!(
        refuse(&array, strict()).to_string(),
        format!(
            "array \"image\": 2 NaN and 1 infinite of 12 elements, the first is NaN at [1, 2], {fix}"
        )
    );
    let half = values.mapv(half::f16::from_f64);
    let turned = HostArray::from(half.t()).with_name("turned");
    assert_eq!(
        refuse(&turned, strict()).to_string(),
        format!(
            "array \"turned\": 2 NaN and 1 infinite of 12 elements, the first is -inf at [0, 2], {fix}"
        )
    );
    let single = values.mapv(|value| value as f32);
    let first_row = HostArray::from(cut(&single, [Slice::from(2..)]));
    let error = refuse(&first_row, strict());
    let Error::NonFinite {
        nan_count, infinite_count, element_count, first_index, first_value, ..
    } = error
    else {
        panic!("{error}")
    };
    assert_eq!((nan_count, infinite_count, element_count), (1, 1, 4));
    assert_eq!((first_index, first_value), (vec![0, 0], f64::NEG_INFINITY));
}

#[test]
fn non_finite_values_are_replaced_or_kept_as_asked() {
    let values = array![1.0, f64::NAN, f64::INFINITY, -2.0, f64::NEG_INFINITY];
    let check = |array: HostArray<'_>| {
        let (packed, report) = array.pack(strict().replace_non_finite(-1.5)).unwrap();
        assert_eq!(packed, array![1.0_f32, -1.5, -1.5, -2.0, -1.5].into_dyn());
        assert_eq!((report.non_finite_count, report.replaced_count), (3, 3));
        let (packed, report) = array.pack(strict().allow_non_finite()).unwrap();
        let packed = packed.into_raw_vec_and_offset().0;
        assert!(packed[1].is_nan());
        assert_eq!(
            [packed[0], packed[2], packed[3], packed[4]],
            [1.0, f32::INFINITY, -2.0, f32::NEG_INFINITY]
        );
        assert_eq!((report.non_finite_count, report.replaced_count), (3, 0));
        assert_eq!(report.overflow_count, 0);
    };
    check(HostArray::from_view(&values));
    check(HostArray::from(values.mapv(|value| value as f32)));
    check(HostArray::from(values.mapv(half::f16::from_f64)));
    let doubled: Vec<f32> = values.iter().flat_map(|&value| [value as f32, 0.0]).collect();
    check(HostArray::from(cut(&ndarray::ArrayView1::from(&doubled), [step(2)])));
}

#[test]
fn an_allowed_nan_of_float32_keeps_its_bits() {
    let bits = [0x7fc1_2345_u32, 0xff80_0001, 0x3f80_0000];
    for (order, bytes) in [
        (ByteOrder::Little, bits.map(u32::to_le_bytes)),
        (ByteOrder::Big, bits.map(u32::to_be_bytes)),
    ] {
        let array =
            HostArray::from_bytes_with(bytes.as_flattened(), DType::F32, order, Order::C, &[3])
                .unwrap();
        let mut packed = [0_u8; 12];
        array.pack_into(strict().allow_non_finite(), &mut packed[..]).unwrap();
        assert_eq!(packed[..], *bits.map(u32::to_le_bytes).as_flattened(), "{order}");
    }
}

#[test]
fn overflow_starts_where_rounding_to_f32_is_infinite() {
    // Half a unit in the last place above f32::MAX: 2^128 - 2^103.
    let edge = 2_f64.powi(128) - 2_f64.powi(103);
    let below = edge.next_down();
    let (packed, report) = pack(&HostArray::from(array![below, -below]));
    assert_eq!((packed, report.overflow_count), (vec![f32::MAX, f32::MIN], 0));
    let array = HostArray::from(array![[0.0, 1.0], [-edge, 1e300]]).with_name("loss");
    assert_eq!(
        refuse(&array, strict()).to_string(),
        "array \"loss\": 2 finite values overflow f32, the first is -3.4028235677973366e38 at [1, 0], \
         but the largest f32 is 3.4028235e38; scale the array, or stage with \
         StagePolicy::replace_overflow(value) or allow_overflow()"
    );
    // Neither allowing nor replacing what is not finite allows an overflow.
    for policy in [strict().allow_non_finite(), strict().replace_non_finite(0.0)] {
        assert!(matches!(refuse(&array, policy), Error::Overflow { count: 2, .. }));
    }
    // An allowed overflow is not a non-finite source value: it is neither rejected nor replaced.
    for policy in [strict().allow_overflow(), strict().allow_overflow().replace_non_finite(0.0)] {
        let (packed, report) = array.pack(policy).unwrap();
        assert_eq!(packed, array![[0.0, 1.0], [f32::NEG_INFINITY, f32::INFINITY]].into_dyn());
        assert_eq!((report.overflow_count, report.non_finite_count), (2, 0));
    }
    // Each kind has its own replacement.
    let policy = strict().replace_overflow(5.0).replace_non_finite(0.0);
    assert_eq!((policy.overflow(), policy.allows_overflow()), (NonFinite::Replace(5.0), false));
    let array = HostArray::from(array![edge, f64::INFINITY, -1e300, 1.0]);
    let (packed, report) = array.pack(policy).unwrap();
    assert_eq!(packed, array![5.0, 0.0, 5.0, 1.0].into_dyn());
    let counts = (report.overflow_count, report.non_finite_count, report.replaced_count);
    assert_eq!(counts, (2, 1, 1));
}

#[test]
fn a_non_finite_value_is_reported_before_an_overflow() {
    let array = HostArray::from(array![1e300, f64::INFINITY]);
    assert!(matches!(refuse(&array, strict()), Error::NonFinite { infinite_count: 1, .. }));
    assert!(matches!(refuse(&array, strict().allow_overflow()), Error::NonFinite { .. }));
    assert!(matches!(
        refuse(&array, strict().allow_non_finite()),
        Error::Overflow { count: 1, .. }
    ));
}

#[test]
fn underflow_is_counted_and_subnormals_are_kept() {
    let edge = 2_f64.powi(-150);
    let values = array![edge, -edge, edge.next_up(), -edge.next_up(), 0.0, -0.0];
    let (packed, report) = pack(&HostArray::from(values));
    let bits: Vec<u32> = packed.into_iter().map(f32::to_bits).collect();
    assert_eq!(bits, [0, 0x8000_0000, 1, 0x8000_0001, 0, 0x8000_0000]);
    assert_eq!(report.underflow_count, 2);
}

#[test]
fn a_report_reads_as_one_line() {
    let array = HostArray::from(array![[0.1, f64::NAN], [1e300, 1e-300]]).with_name("x");
    let policy = strict().replace_non_finite(0.0).allow_overflow();
    let (_, report) = array.pack(policy).unwrap();
    let text = report.to_string();
    assert!(
        text.starts_with(
            "array \"x\": 4 elements [2, 2] packed from float64 (little-endian, C order), \
             1 non-finite replaced, 1 beyond f32, 1 underflowed to zero, \
             relative error at most 1.5e-8, 1 thread, "
        ),
        "{text}"
    );
    let (_, report) =
        HostArray::from(array![1 << 30, (1 << 30) + 1]).with_name("n").pack(strict()).unwrap();
    assert!(report.to_string().contains(", 1 integers rounded, the first at [1], "), "{report}");
}
