//! Host arrays from and to what other crates hold.

use longshore::array::{DType, Element};
use longshore::{Error, HostArray, Runtime};
use ndarray::{Array2, ArrayD, ArrayViewD, array};

/// Goes into a host array and back, as a view and as an owner, without moving the elements.
fn round_trip<T: Element + Clone>(array: Array2<T>) {
    let place = array.as_ptr();
    let borrowed = HostArray::from(&array);
    assert_eq!((borrowed.dtype(), borrowed.shape()), (T::DTYPE, array.shape()));
    let view: ArrayViewD<T> = (&borrowed).try_into().unwrap();
    assert_eq!((view.as_ptr(), view), (place, array.view().into_dyn()));
    assert_eq!(borrowed.to_array::<T>().unwrap(), array.clone().into_dyn());

    let turned = HostArray::from(array.t());
    assert_eq!(turned.view_as::<T>().unwrap(), array.t().into_dyn());

    let copy = array.clone().into_dyn();
    let owned: ArrayD<T> = HostArray::from(array).try_into().unwrap();
    assert_eq!((owned.as_ptr(), owned), (place, copy));
}

#[test]
fn arrays_of_every_element_type_go_in_and_out() {
    round_trip(array![[true, false], [false, true]]);
    round_trip(array![[1_i8, -2], [3, 4]]);
    round_trip(array![[1_i16, -2], [3, 4]]);
    round_trip(array![[1_i32, -2], [3, 4]]);
    round_trip(array![[1_i64, -2], [3, 4]]);
    round_trip(array![[1_u8, 2], [3, 4]]);
    round_trip(array![[1_u16, 2], [3, 4]]);
    round_trip(array![[1_u32, 2], [3, 4]]);
    round_trip(array![[1_u64, 2], [3, 4]]);
    round_trip(array![[1.5_f32, 2.0], [3.0, 4.0]]);
    round_trip(array![[1.5_f64, 2.0], [3.0, 4.0]]);
    round_trip(array![[1.5_f32, 2.0], [3.0, 4.0]].mapv(half::f16::from_f32));
}

#[test]
fn other_types_and_bytes_of_files_are_not_viewed() {
    let numbers = HostArray::from(array![1.0_f32, 2.0]);
    let error = numbers.view_as::<f64>().unwrap_err();
    assert_eq!(
        error.to_string(),
        "array \"unnamed\": dtype is float32 but float64 was asked for\n  (shape [2]); copy it with \
         to_array() or to_f64()"
    );
    assert!(numbers.into_array::<f64>().is_err());
    let bytes = HostArray::from_bytes(vec![0, 0, 128, 63], DType::F32, &[1]).unwrap();
    let text = bytes.view_as::<f32>().unwrap_err().to_string();
    assert!(text.contains("is float32 in the bytes of a file but float32 was asked for"), "{text}");
    assert_eq!(bytes.into_array::<f32>().unwrap(), array![1.0].into_dyn());
}

#[test]
fn slices_need_exactly_their_shape() {
    let values = [1.0_f32, 2.0, 3.0, 4.0, 5.0, 6.0];
    let array = HostArray::from_slice(&values, &[2, 3]).unwrap();
    assert_eq!(array.view_as::<f32>().unwrap().as_ptr(), values.as_ptr());
    for (shape, needs) in [(&[7][..], "needs 7"), (&[2, 2], "needs 4"), (&[], "needs 1")] {
        let error = HostArray::from_slice(&values, shape).unwrap_err();
        assert!(matches!(error, Error::Format { .. }), "{error}");
        assert!(error.to_string().contains("has 6 elements") && error.to_string().contains(needs));
    }
    assert!(HostArray::from_slice::<u8>(&[], &[0, 5]).unwrap().is_empty());
    let endless = HostArray::from_slice(&values, &[usize::MAX, 2]);
    assert!(matches!(endless, Err(Error::Limit { .. })));
}

#[test]
fn staging_takes_arrays_views_and_references() {
    let rt = Runtime::host();
    let matrix = array![[1_i32, 2], [3, 4]];
    let rows = array![[1.0_f32, 2.0], [3.0, 4.0]].into_dyn();
    assert_eq!(rt.stage("a", &matrix).unwrap().read().unwrap(), rows);
    assert_eq!(rt.stage("a", matrix.view()).unwrap().read().unwrap(), rows);
    assert_eq!(rt.stage("a", matrix.t()).unwrap().read().unwrap(), rows.t());
    assert_eq!(rt.stage("a", HostArray::from(&matrix)).unwrap().read().unwrap(), rows);
    assert_eq!(rt.stage("a", &HostArray::from(matrix)).unwrap().read().unwrap(), rows);
}
