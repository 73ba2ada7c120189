//! Arrays made of bytes, and parts of arrays.

use longshore::array::{ByteOrder, DType, Order};
use longshore::{Error, HostArray};
use ndarray::array;

use super::read;

#[test]
fn a_bool_byte_that_is_not_zero_is_true() {
    let array = HostArray::from_bytes(&[0_u8, 1, 2, 255][..], DType::Bool, &[4]).unwrap();
    let values = array.to_array::<bool>().unwrap();
    assert_eq!(values, array![false, true, true, true].into_dyn());
    assert!(array.to_npy_bytes().ends_with(&[b'\n', 0, 1, 1, 1]));
}

#[test]
fn bytes_must_be_the_shape_exactly() {
    let make = |bytes: usize, shape: &[usize]| {
        HostArray::from_bytes(vec![0_u8; bytes], DType::I16, shape).map(|array| array.len())
    };
    assert_eq!(make(12, &[2, 3]).unwrap(), 6);
    assert_eq!(make(2, &[]).unwrap(), 1);
    assert_eq!(make(0, &[5, 0]).unwrap(), 0);
    assert_eq!(
        make(11, &[2, 3]).unwrap_err().to_string(),
        "array \"unnamed\": data has 11 bytes but shape [2, 3] of int16 needs 12; \
         pass the bytes of the whole array and nothing else"
    );
    assert!(matches!(make(0, &[usize::MAX, 3]), Err(Error::Limit { .. })));
    assert!(matches!(make(1, &[0]), Err(Error::Format { .. })));
}

#[test]
fn rows_are_the_right_ones_in_every_layout() {
    let expected = array![[3.0, 4.0, 5.0], [6.0, 7.0, 8.0]].into_dyn();
    let c: Vec<u8> = (0..12_u16).flat_map(u16::to_be_bytes).collect();
    let f: Vec<u8> =
        [0_u16, 3, 6, 9, 1, 4, 7, 10, 2, 5, 8, 11].into_iter().flat_map(u16::to_be_bytes).collect();
    for (bytes, order) in [(&c, Order::C), (&f, Order::Fortran)] {
        let array =
            HostArray::from_bytes_with(&bytes[..], DType::U16, ByteOrder::Big, order, &[4, 3])
                .unwrap();
        assert_eq!(array.rows(1..3).unwrap().to_f64(), expected, "{order}");
        // Rows of rows count from the first of them.
        let tail = array.rows(1..4).unwrap();
        assert_eq!(tail.rows(0..2).unwrap().to_f64(), expected, "{order}");
        assert_eq!(array.rows(2..2).unwrap().shape(), [0, 3]);
        assert_eq!(array.rows(0..4).unwrap().to_f64(), array.to_f64());
    }
    let typed = ndarray::Array::from_shape_fn((4, 3), |(row, column)| (row * 3 + column) as f64);
    let typed = HostArray::from(typed).with_name("typed");
    assert_eq!(typed.rows(1..3).unwrap().to_f64(), expected);
    assert_eq!(typed.rows(1..3).unwrap().name(), "typed");
    for rows in [0..5, 5..5, std::ops::Range { start: 3, end: 1 }, 0..usize::MAX] {
        let error = typed.rows(rows.clone()).unwrap_err();
        assert_eq!(
            error.to_string(),
            format!(
                "array \"typed\": rows are {}..{} but the first axis has 4\n  (shape [4, 3]); \
                 ask for a range within the first axis",
                rows.start, rows.end
            )
        );
    }
    assert!(
        read("scalar.npy").rows(0..1).unwrap_err().to_string().contains("a scalar has no axis")
    );
}

#[test]
fn another_type_than_the_dtype_is_an_error() {
    let array = HostArray::from(array![1.5_f64]).with_name("weights");
    assert_eq!(
        array.to_array::<f32>().unwrap_err().to_string(),
        "array \"weights\": dtype is float64 but float32 was asked for\n  (shape [1]); \
         ask for the dtype it has, or convert it with to_f64() or pack()"
    );
    assert!(read("int16_le_c.npy").to_array::<u16>().is_err());
}
