//! Exact bits from every dtype, byte order, memory order and stride.

use longshore::HostArray;
use longshore::array::{ByteOrder, DType, Order, SourceOrder};
use ndarray::{Array, Array2, ArrayD, Axis, IxDyn, ShapeBuilder as _, Slice, array};

use super::{cut, pack, part, step, strict};

/// The 2 x 3 fixtures with the bits NumPy's own `astype("float32")` gives, how many integers it
/// rounds and the first of them.
type Golden = (&'static str, DType, [u32; 6], u64, Option<[usize; 2]>);
const GOLDEN: [Golden; 12] = [
    ("bool", DType::Bool, [0x3f80_0000, 0, 0, 0x3f80_0000, 0x3f80_0000, 0], 0, None),
    (
        "int8",
        DType::I8,
        [0, 0x3f80_0000, 0xbf80_0000, 0x4000_0000, 0x42fe_0000, 0xc300_0000],
        0,
        None,
    ),
    (
        "int16",
        DType::I16,
        [0, 0x3f80_0000, 0xbf80_0000, 0x4381_0000, 0x46ff_fe00, 0xc700_0000],
        0,
        None,
    ),
    (
        "int32",
        DType::I32,
        [0, 0x3f80_0000, 0xbf80_0000, 0x4781_0180, 0x4f00_0000, 0xcf00_0000],
        1,
        Some([1, 1]),
    ),
    (
        "int64",
        DType::I64,
        [0, 0x3f80_0000, 0xbf80_0000, 0x5781_0182, 0x5f00_0000, 0xdf00_0000],
        2,
        Some([1, 0]),
    ),
    (
        "uint8",
        DType::U8,
        [0, 0x3f80_0000, 0x4000_0000, 0x4040_0000, 0x4300_0000, 0x437f_0000],
        0,
        None,
    ),
    (
        "uint16",
        DType::U16,
        [0, 0x3f80_0000, 0x4000_0000, 0x4381_0000, 0x4700_0000, 0x477f_ff00],
        0,
        None,
    ),
    (
        "uint32",
        DType::U32,
        [0, 0x3f80_0000, 0x4000_0000, 0x4781_0180, 0x4f00_0000, 0x4f80_0000],
        1,
        Some([1, 2]),
    ),
    (
        "uint64",
        DType::U64,
        [0, 0x3f80_0000, 0x4000_0000, 0x5781_0182, 0x5f00_0000, 0x5f80_0000],
        2,
        Some([1, 0]),
    ),
    (
        "float16",
        DType::F16,
        [0, 0x3f80_0000, 0xc020_0000, 0x3eaa_a000, 0x477f_e000, 0x3380_0000],
        0,
        None,
    ),
    ("float32", DType::F32, [0, 0x3f80_0000, 0xc020_0000, 0x3dcc_cccd, 0x7f7f_ffff, 0x1], 0, None),
    ("float64", DType::F64, [0, 0x3f80_0000, 0xc020_0000, 0x3dcc_cccd, 0x7f80_0000, 0], 0, None),
];

#[test]
fn every_dtype_and_layout_packs_to_the_bits_numpy_gives() {
    for (name, dtype, bits, inexact, first) in GOLDEN {
        for (tag, byte_order, order) in [
            ("le_c", ByteOrder::Little, SourceOrder::C),
            ("le_f", ByteOrder::Little, SourceOrder::Fortran),
            ("be_c", ByteOrder::Big, SourceOrder::C),
            ("be_f", ByteOrder::Big, SourceOrder::Fortran),
        ] {
            if dtype.size_bytes() == 1 && byte_order == ByteOrder::Big {
                continue;
            }
            let path =
                format!("{}/tests/fixtures/npy/{name}_{tag}.npy", env!("CARGO_MANIFEST_DIR"));
            let array = HostArray::read(path).unwrap().with_name(name);
            let mut bytes = [0xaa_u8; 24];
            let report = array.pack_into(strict().allow_overflow(), &mut bytes[..]).unwrap();
            let expected: Vec<u8> = bits.into_iter().flat_map(u32::to_le_bytes).collect();
            assert_eq!(bytes[..], expected[..], "{name} {tag}");
            assert_eq!((report.array.as_str(), report.dtype), (name, dtype));
            assert_eq!((report.byte_order, report.source_order), (byte_order, order));
            assert_eq!(report.shape, [2, 3]);
            assert_eq!(report.element_count, 6);
            assert_eq!(report.converted, dtype != DType::F32);
            assert_eq!(report.byte_swapped, byte_order == ByteOrder::Big);
            assert_eq!(report.reordered, order == SourceOrder::Fortran);
            assert_eq!(report.inexact_integer_count, inexact, "{name} {tag}");
            assert_eq!(report.first_inexact_index, first.map(Vec::from), "{name} {tag}");
            let is_f64 = u64::from(dtype == DType::F64);
            assert_eq!((report.overflow_count, report.underflow_count), (is_f64, is_f64));
            assert_eq!((report.non_finite_count, report.replaced_count), (0, 0));
            assert_eq!(report.threads, 1);
        }
    }
}

#[test]
fn strides_of_any_sign_pack_in_logical_order() {
    let base = Array::from_shape_fn((4, 5, 3), |(i, j, k)| (i * 100 + j * 10 + k) as i16);
    let expect = |view: ndarray::ArrayViewD<'_, i16>, order: SourceOrder| {
        let (packed, report) = pack(&HostArray::from(view.view()));
        // indexed_iter walks the logical order by definition; values name their own index.
        let logical: Vec<f32> = view.indexed_iter().map(|(_, &value)| f32::from(value)).collect();
        assert_eq!(packed, logical);
        assert_eq!(report.source_order, order);
        assert_eq!(report.reordered, order != SourceOrder::C);
    };
    expect(base.view().into_dyn(), SourceOrder::C);
    expect(base.t().into_dyn(), SourceOrder::Fortran);
    expect(cut(&base, [step(-1)]).into_dyn(), SourceOrder::Strided);
    expect(cut(&base, [part(1..3), step(2), step(-1)]).into_dyn(), SourceOrder::Strided);
    expect(cut(&base, [step(1), part(1..4), part(0..2)]).into_dyn(), SourceOrder::Strided);
    expect(cut(&base, [Slice::from(2..)]).into_dyn(), SourceOrder::C);
    expect(base.view().permuted_axes([1, 0, 2]).into_dyn(), SourceOrder::Strided);
    let row = array![7_i16, 8, 9];
    expect(row.broadcast((4, 3)).unwrap().into_dyn(), SourceOrder::Strided);
    expect(
        cut(&base, [step(1), step(1), part(0..1)]).broadcast((4, 5, 6)).unwrap().into_dyn(),
        SourceOrder::Strided,
    );
    let (packed, _) = pack(&HostArray::from(row.broadcast((2, 3)).unwrap()));
    assert_eq!(packed, [7.0, 8.0, 9.0, 7.0, 8.0, 9.0]);
    let (packed, _) = pack(&HostArray::from(cut(&row, [step(-2)])));
    assert_eq!(packed, [9.0, 7.0]);
}

/// Sizes on both sides of the tile, run and part sizes of packing, in every permutation.
#[test]
fn large_transposed_arrays_pack_in_logical_order() {
    for shape in [[2, 37, 1031], [517, 33, 34], [70, 81, 67], [5000, 3, 7], [3, 2, 21_845]] {
        let count: usize = shape.iter().product();
        let base = Array::from_shape_vec(shape, (0..count as u32).collect()).unwrap();
        for axes in [[0, 1, 2], [0, 2, 1], [1, 0, 2], [1, 2, 0], [2, 0, 1], [2, 1, 0]] {
            let turned = base.view().permuted_axes(axes);
            let (packed, _) = pack(&HostArray::from(turned));
            let logical: Vec<f32> = turned.indexed_iter().map(|(_, &value)| value as f32).collect();
            assert!(packed == logical, "{shape:?} {axes:?}");
            let sliced = cut(&turned, [step(-1), Slice::from(1..)]);
            let (packed, _) = pack(&HostArray::from(sliced.view()));
            let logical: Vec<f32> = sliced.indexed_iter().map(|(_, &value)| value as f32).collect();
            assert!(packed == logical, "{shape:?} {axes:?} cut");
        }
    }
}

#[test]
fn scalars_and_empty_arrays_pack() {
    let (packed, report) = pack(&HostArray::from(ndarray::arr0(2.5_f64)));
    assert_eq!((packed, report.shape, report.element_count), (vec![2.5], vec![], 1));
    for shape in [vec![0], vec![3, 0, 2], vec![0, 5]] {
        let empty = ArrayD::<f64>::zeros(IxDyn(&shape).f());
        let (packed, report) = pack(&HostArray::from(empty));
        assert_eq!((packed, report.element_count, report.threads), (vec![], 0, 1));
    }
}

#[test]
fn rows_pack_like_a_copy_of_them() {
    let base = Array2::from_shape_fn((9, 5), |(row, column)| (row * 5 + column) as f64 / 3.0);
    let bytes: Vec<u8> = base.t().iter().flat_map(|value: &f64| value.to_be_bytes()).collect();
    let fortran =
        HostArray::from_bytes_with(bytes, DType::F64, ByteOrder::Big, Order::Fortran, &[9, 5])
            .unwrap();
    let typed = HostArray::from_view(&base);
    let expected: Vec<f32> = cut(&base, [part(3..7)]).iter().map(|&value| value as f32).collect();
    assert_eq!(pack(&typed.rows(3..7).unwrap()).0, expected);
    let (packed, report) = pack(&fortran.rows(3..7).unwrap());
    assert_eq!((packed, report.source_order), (expected, SourceOrder::Strided));
}

#[test]
fn an_owned_array_and_its_views_agree() {
    let owned = array![[1_u8, 2], [3, 4]];
    let host = HostArray::from(owned.clone()).with_name("owned");
    assert_eq!((host.view().name(), host.view().to_f64()), ("owned", host.to_f64()));
    assert_eq!(pack(&host.view().with_name("other")).0, [1.0, 2.0, 3.0, 4.0]);
    assert_eq!(format!("{host:?}"), "HostArray(\"owned\" [2, 2] uint8)");
    let mirrored = owned.view();
    let mut mirrored = mirrored.into_dyn();
    mirrored.invert_axis(Axis(1));
    assert_eq!(pack(&HostArray::from(mirrored)).0, [2.0, 1.0, 4.0, 3.0]);
}
