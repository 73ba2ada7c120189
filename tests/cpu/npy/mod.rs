//! Reading and writing `.npy`: files NumPy wrote, every refusal, and files that lie.

mod arrays;
mod hostile;

use std::path::PathBuf;

use longshore::array::{ByteOrder, DType};
use longshore::{Error, HostArray};
use ndarray::{ArrayD, Axis, IxDyn, Slice, array};

fn fixture(name: &str) -> PathBuf {
    PathBuf::from(env!("CARGO_MANIFEST_DIR")).join("tests/fixtures/npy").join(name)
}

fn read(name: &str) -> HostArray<'static> {
    HostArray::read(fixture(name)).unwrap()
}

fn scratch(name: &str) -> PathBuf {
    PathBuf::from(env!("CARGO_TARGET_TMPDIR")).join(name)
}

/// The error of a fixture, with the path cut off its name.
fn refusal(name: &str) -> String {
    let folder = fixture("").display().to_string();
    HostArray::read(fixture(name)).unwrap_err().to_string().replace(&folder, "")
}

/// The bytes of a version 1 file with this header text and data.
fn file(header: &str, data: &[u8]) -> Vec<u8> {
    let mut bytes = b"\x93NUMPY\x01\x00".to_vec();
    bytes.extend(u16::try_from(header.len()).unwrap().to_le_bytes());
    bytes.extend(header.as_bytes());
    bytes.extend(data);
    bytes
}

/// The 2 x 3 values of `make.py`, as the i128 they are.
const INTEGERS: [(&str, DType, [i128; 6]); 9] = [
    ("bool", DType::Bool, [1, 0, 0, 1, 1, 0]),
    ("int8", DType::I8, [0, 1, -1, 2, 127, -128]),
    ("int16", DType::I16, [0, 1, -1, 258, 32767, -32768]),
    ("int32", DType::I32, [0, 1, -1, 66051, 2_147_483_647, -2_147_483_648]),
    (
        "int64",
        DType::I64,
        [0, 1, -1, 283_686_952_306_183, 9_223_372_036_854_775_807, -9_223_372_036_854_775_808],
    ),
    ("uint8", DType::U8, [0, 1, 2, 3, 128, 255]),
    ("uint16", DType::U16, [0, 1, 2, 258, 32768, 65535]),
    ("uint32", DType::U32, [0, 1, 2, 66051, 2_147_483_648, 4_294_967_295]),
    (
        "uint64",
        DType::U64,
        [0, 1, 2, 283_686_952_306_183, 9_223_372_036_854_775_808, 18_446_744_073_709_551_615],
    ),
];

const FLOATS: [(&str, DType, [f64; 6]); 3] = [
    ("float16", DType::F16, [0.0, 1.0, -2.5, 0.333_251_953_125, 65504.0, 1.0 / 16_777_216.0]),
    (
        "float32",
        DType::F32,
        [0.0, 1.0, -2.5, 0.100_000_001_490_116_12, 3.402_823_466_385_288_6e38, f32_least()],
    ),
    ("float64", DType::F64, [0.0, 1.0, -2.5, 0.1, 1e300, 5e-324]),
];

/// The least positive f32, 2^-149.
const fn f32_least() -> f64 {
    1.0 / (1_u128 << 75) as f64 / (1_u128 << 74) as f64
}

/// The integers of an array, from its exact type.
fn integers(array: &HostArray<'_>) -> ArrayD<i128> {
    match array.dtype() {
        DType::Bool => array.to_array::<bool>().unwrap().mapv(i128::from),
        DType::I8 => array.to_array::<i8>().unwrap().mapv(i128::from),
        DType::I16 => array.to_array::<i16>().unwrap().mapv(i128::from),
        DType::I32 => array.to_array::<i32>().unwrap().mapv(i128::from),
        DType::I64 => array.to_array::<i64>().unwrap().mapv(i128::from),
        DType::U8 => array.to_array::<u8>().unwrap().mapv(i128::from),
        DType::U16 => array.to_array::<u16>().unwrap().mapv(i128::from),
        DType::U32 => array.to_array::<u32>().unwrap().mapv(i128::from),
        DType::U64 => array.to_array::<u64>().unwrap().mapv(i128::from),
        other => panic!("{other} is no integer"),
    }
}

fn layouts(dtype: DType) -> Vec<(&'static str, ByteOrder)> {
    let mut layouts = vec![("le_c", ByteOrder::Little), ("le_f", ByteOrder::Little)];
    if dtype.size_bytes() > 1 {
        layouts.extend([("be_c", ByteOrder::Big), ("be_f", ByteOrder::Big)]);
    }
    layouts
}

#[test]
fn every_dtype_and_layout_that_numpy_wrote_reads_exactly() {
    for (name, dtype, values) in INTEGERS {
        let expected = ArrayD::from_shape_vec(IxDyn(&[2, 3]), values.to_vec()).unwrap();
        for (layout, byte_order) in layouts(dtype) {
            let array = read(&format!("{name}_{layout}.npy"));
            assert_eq!((array.dtype(), array.byte_order()), (dtype, byte_order), "{name} {layout}");
            assert_eq!(array.shape(), [2, 3]);
            assert_eq!(integers(&array), expected, "{name} {layout}");
            assert_eq!(array.to_f64(), expected.mapv(|value| value as f64), "{name} {layout}");
        }
    }
    for (name, dtype, values) in FLOATS {
        let expected = ArrayD::from_shape_vec(IxDyn(&[2, 3]), values.to_vec()).unwrap();
        for (layout, byte_order) in layouts(dtype) {
            let array = read(&format!("{name}_{layout}.npy"));
            assert_eq!((array.dtype(), array.byte_order()), (dtype, byte_order), "{name} {layout}");
            assert_eq!(array.to_f64(), expected, "{name} {layout}");
        }
    }
}

#[test]
fn format_versions_and_awkward_shapes_read() {
    let six = array![[0.0_f32, 1.0, 2.0], [3.0, 4.0, 5.0]].into_dyn();
    for version in 1..=3 {
        assert_eq!(read(&format!("version_{version}.npy")).to_array::<f32>().unwrap(), six);
    }
    let scalar = read("scalar.npy");
    assert_eq!((scalar.shape(), scalar.len(), scalar.is_empty()), (&[][..], 1, false));
    assert_eq!(scalar.to_array::<f64>().unwrap(), ndarray::arr0(-7.25).into_dyn());
    let one = read("one_tuple.npy");
    assert_eq!(one.to_array::<i16>().unwrap(), array![3_i16, 1, 2].into_dyn());
    let empty = read("empty.npy");
    assert_eq!((empty.shape(), empty.len(), empty.is_empty()), (&[2, 0, 3][..], 0, true));
    assert_eq!(empty.to_f64().shape(), [2, 0, 3]);
    let cube = read("cube_f.npy").to_array::<u16>().unwrap();
    let counted: Vec<u16> = cube.iter().copied().collect();
    assert_eq!(counted, (0..24).collect::<Vec<u16>>());
}

#[test]
fn every_refused_dtype_is_named() {
    let long_double = "it is a C long double, whose bits differ between machines";
    for (name, dtype, reason) in [
        ("complex64", "complex64", "it holds complex numbers"),
        ("complex128", "complex128", "it holds complex numbers"),
        ("text", "<U3", "it holds text"),
        ("bytes", "|S3", "it holds byte strings"),
        ("object", "object", "it holds pickled Python objects"),
        ("datetime", "datetime64[ns]", "it holds dates"),
        ("timedelta", "timedelta64[ms]", "it holds time differences"),
        ("structured", "[('a', '<i4'), ('b', '<f8', (2,))]", "it is structured, with named fields"),
        ("unicode_field", "[('größe', '<i4')]", "it is structured, with named fields"),
        ("longdouble", "float128", long_double),
        ("void", "|V2", "it holds raw bytes (bfloat16 and float8 are saved like this)"),
    ] {
        let path = fixture(&format!("refused_{name}.npy"));
        assert!(matches!(HostArray::read(&path), Err(Error::Dtype { .. })), "{name}");
        assert_eq!(
            refusal(&format!("refused_{name}.npy")),
            format!(
                "array \"refused_{name}.npy\": dtype {dtype} cannot become f32: {reason}; \
                 convert it to bool, an integer or a float dtype first"
            )
        );
    }
}

#[test]
fn headers_may_be_written_in_any_python_style() {
    let data = 2.5_f32.to_le_bytes();
    for header in [
        "{'descr': '<f4', 'fortran_order': False, 'shape': (1,), }\n",
        "{\"shape\":(1L,),\"fortran_order\":False,\"descr\":\"<f4\"}",
        " \n{ 'fortran_order' : True ,\t'descr' : '<f4','shape' : ( 1 , ) }  \n\n",
        "{'descr': '<f4', 'fortran_order': False, 'shape': [1]}",
        // As older writers and hand-made files name it, which NumPy reads.
        "{'descr': 'float32', 'fortran_order': False, 'shape': (1,)}",
        "{'descr': 'f', 'fortran_order': False, 'shape': (1,)}",
    ] {
        let bytes = file(header, &data);
        let array = HostArray::from_npy_bytes("x", &bytes).unwrap();
        assert_eq!(array.shape(), [1], "{header}");
        assert_eq!(array.to_array::<f32>().unwrap()[[0]], 2.5, "{header}");
    }
    let scalar = file("{'descr': '<f4', 'fortran_order': False, 'shape': ()}", &data);
    assert!(HostArray::from_npy_bytes("x", &scalar).unwrap().shape().is_empty());
}

#[test]
fn what_is_written_reads_back_whatever_its_layout() {
    for (name, dtype, _) in INTEGERS {
        for (layout, _) in layouts(dtype) {
            let array = read(&format!("{name}_{layout}.npy"));
            let bytes = array.to_npy_bytes();
            // NumPy writes a C-order little-endian array to the same bytes.
            assert_eq!(bytes, std::fs::read(fixture(&format!("{name}_le_c.npy"))).unwrap());
        }
    }
    for (name, dtype, _) in FLOATS {
        for (layout, _) in layouts(dtype) {
            let bytes = read(&format!("{name}_{layout}.npy")).to_npy_bytes();
            assert_eq!(bytes, std::fs::read(fixture(&format!("{name}_le_c.npy"))).unwrap());
        }
    }
    for name in ["scalar.npy", "one_tuple.npy", "empty.npy", "version_1.npy"] {
        assert_eq!(read(name).to_npy_bytes(), std::fs::read(fixture(name)).unwrap(), "{name}");
    }
    let grid = array![[1_u32, 2, 3], [4, 5, 6]];
    let path = scratch("reversed.npy");
    let mut sliced = grid.view();
    sliced.invert_axis(Axis(0));
    sliced.slice_axis_inplace(Axis(1), Slice::new(0, None, 2));
    HostArray::from(sliced).write_npy(&path).unwrap();
    let back = HostArray::read(&path).unwrap();
    assert_eq!(back.to_array::<u32>().unwrap(), array![[4_u32, 6], [1, 3]].into_dyn());
    assert_eq!(back.name(), path.display().to_string());
    let nowhere = HostArray::from(grid).write_npy(scratch("no/such/folder.npy")).unwrap_err();
    assert!(matches!(nowhere, Error::Io { action: "create", .. }), "{nowhere}");
}
