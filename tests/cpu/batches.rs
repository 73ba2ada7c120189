//! Batches: equal parts, the rules for a short last one, and the first bad one by number.

use longshore::HostArray;
use longshore::array::DType;
use longshore::data::{Batches, Remainder, Signature};
use ndarray::{Array, ArrayD, Axis, IxDyn};

fn numbers(items: usize) -> ArrayD<f64> {
    Array::from_iter((0..items * 3).map(|value| value as f64))
        .into_shape_with_order((items, 3))
        .unwrap()
        .into_dyn()
}

/// Collects what each batch holds, or the first error.
fn collect(
    items: usize,
    batch: usize,
    remainder: Remainder,
) -> Result<Vec<(usize, ArrayD<f64>)>, String> {
    let values = numbers(items);
    let array = HostArray::from_view(&values).with_name("train");
    let batches = Batches::of(&array, batch, Signature::new([3]), remainder);
    batches
        .map_err(|error| error.to_string())?
        .map(|batch| {
            batch.map(|batch| (batch.items, batch.array.to_f64())).map_err(|e| e.to_string())
        })
        .collect()
}

#[test]
fn a_divisible_array_gives_equal_batches_in_order() {
    for remainder in [Remainder::Refuse, Remainder::Drop, Remainder::Keep, Remainder::Pad] {
        let batches = collect(6, 2, remainder).unwrap();
        assert_eq!(batches.len(), 3);
        for (number, (items, array)) in batches.iter().enumerate() {
            assert_eq!(*items, 2);
            assert_eq!(array, numbers(6).slice_axis(Axis(0), (2 * number..2 * number + 2).into()));
        }
    }
}

#[test]
fn a_short_last_batch_follows_its_rule() {
    let sizes = |remainder| -> Vec<(usize, usize)> {
        let batches = collect(7, 3, remainder).unwrap();
        batches.iter().map(|(items, array)| (*items, array.shape()[0])).collect()
    };
    assert_eq!(sizes(Remainder::Drop), [(3, 3), (3, 3)]);
    assert_eq!(sizes(Remainder::Keep), [(3, 3), (3, 3), (1, 1)]);
    assert_eq!(sizes(Remainder::Pad), [(3, 3), (3, 3), (1, 3)]);
    let padded = collect(7, 3, Remainder::Pad).unwrap().pop().unwrap().1;
    assert_eq!(padded.as_slice().unwrap(), [18.0, 19.0, 20.0, 0.0, 0.0, 0.0, 0.0, 0.0, 0.0]);
    assert_eq!(
        collect(7, 3, Remainder::Refuse).unwrap_err(),
        "batches of \"train\": batch 2 has 1 items but batches of 3 were declared\n  \
         (float64 [1, 3]); cut one array into batches with Batches::of, or choose a Remainder"
    );
}

#[test]
fn padding_keeps_dtype_order_and_name() {
    let values = Array::from_shape_fn((2, 3), |(row, column)| (row * 3 + column) as i16 - 2);
    let reversed = values.t();
    let array = HostArray::from_view(&reversed).with_name("half");
    let mut batches = Batches::of(&array, 4, Signature::new([2]), Remainder::Pad).unwrap();
    let batch = batches.next().unwrap().unwrap();
    assert_eq!((batch.array.dtype(), batch.array.name()), (DType::I16, "half"));
    let expected = [-2, 1, -1, 2, 0, 3, 0, 0].map(f64::from);
    assert_eq!(batch.array.to_f64().as_slice().unwrap(), expected);
    assert!(batches.next().is_none());
}

#[test]
fn an_empty_array_has_no_batches() {
    assert!(collect(0, 3, Remainder::Refuse).unwrap().is_empty());
}

/// Runs a generator of batches of these sizes.
fn generate(sizes: &[usize], remainder: Remainder) -> Vec<Result<usize, String>> {
    let arrays = sizes.iter().map(|&items| HostArray::from(numbers(items)));
    Batches::from_generator("feed", arrays, 4, Signature::new([3]).dtype(DType::F64), remainder)
        .unwrap()
        .map(|batch| batch.map(|batch| batch.items).map_err(|error| error.to_string()))
        .collect()
}

#[test]
fn the_first_bad_batch_of_a_generator_is_named_and_ends_it() {
    let short = generate(&[4, 4, 3, 4], Remainder::Keep);
    assert_eq!(short[..2], [Ok(4), Ok(4)]);
    assert_eq!(
        short[2].as_ref().unwrap_err(),
        "batches of \"feed\": batch 2 has 3 items and is not the last but only the last of batches \
         of 4 may be short\n  (float64 [3, 3]); let the generator yield equal batches"
    );
    assert_eq!(short.len(), 3);
    let whole = generate(&[1797], Remainder::Pad);
    assert!(
        whole[0].as_ref().unwrap_err().contains("batch 0 has 1797 items but batches of 4"),
        "{whole:?}"
    );
    assert_eq!(generate(&[4, 3], Remainder::Keep), [Ok(4), Ok(3)]);
    assert_eq!(generate(&[4, 3], Remainder::Drop), [Ok(4)]);
}

#[test]
fn another_dtype_or_item_shape_is_refused_by_name() {
    let arrays = || {
        [
            HostArray::from(ArrayD::<f64>::zeros(IxDyn(&[2, 3]))),
            HostArray::from(ArrayD::<f32>::zeros(IxDyn(&[2, 3]))),
        ]
    };
    let signature = Signature::new([3]).dtype(DType::F64);
    let batches = Batches::from_generator("feed", arrays(), 2, signature, Remainder::Refuse);
    let error = batches.unwrap().nth(1).unwrap().unwrap_err().to_string();
    assert_eq!(
        error,
        "batches of \"feed\": batch 1 has dtype float32 but float64 was declared\n  \
         (float32 [2, 3]); let every batch have the declared signature"
    );
    let batches =
        Batches::from_generator("feed", arrays(), 2, Signature::new([3, 1]), Remainder::Refuse);
    let error = batches.unwrap().next().unwrap().unwrap_err().to_string();
    assert!(
        error.starts_with(
            "batches of \"feed\": batch 0 has shape [2, 3] but items [3, 1] in batches were declared"
        ),
        "{error}"
    );
    let zero = Batches::from_generator("feed", arrays(), 0, Signature::new([3]), Remainder::Keep);
    assert!(zero.is_err());
}
