//! The Rust types of the dtypes, and the storage of typed arrays.

use std::fmt;

use half::f16;
use ndarray::{ArrayViewD, CowArray, IxDyn};

use super::dtype::{ByteOrder, DType};

/// A Rust type that a [`HostArray`](super::HostArray) can hold.
///
/// Implemented for `bool`, the integers of 8 to 64 bits, `half::f16`, `f32` and `f64`; it is
/// sealed, because packing knows the conversion rule of each.
pub trait Element: sealed::Sealed + fmt::Debug + PartialEq + Send + Sync + 'static {
    /// The dtype of this type.
    const DTYPE: DType;
}

pub(super) mod sealed {
    use super::{ArrayViewD, ByteOrder, CowArray, IxDyn, Typed};
    use crate::array::convert::Tally;
    use crate::array::policy::StagePolicy;

    /// What packing, reading and writing need of an element.
    pub trait Sealed: Sized + Copy {
        /// The bytes of one element: alignment 1, so any byte buffer can be viewed as these.
        type Bytes: Copy + Send + Sync;

        /// Views a byte buffer as elements.
        fn split(bytes: &[u8]) -> &[Self::Bytes];
        /// Views elements as bytes in this machine's order.
        fn bytes_of(elements: &[Self]) -> &[u8];
        fn from_bytes(bytes: Self::Bytes, order: ByteOrder) -> Self;
        fn extend_le(self, bytes: &mut Vec<u8>);
        fn to_f64(self) -> f64;
        /// Converts one block to f32 and counts what the policy and the report ask for; `at` is
        /// the C-order index of the first element.
        fn convert(
            source: &[Self],
            out: &mut [f32],
            at: u64,
            policy: &StagePolicy,
            tally: &mut Tally,
        );
        fn wrap(array: CowArray<'_, Self, IxDyn>) -> Typed<'_>;
        fn view_of<'t>(typed: &'t Typed<'_>) -> Option<ArrayViewD<'t, Self>>;
        fn take(typed: Typed<'_>) -> Option<CowArray<'_, Self, IxDyn>>;
    }
}

/// An ndarray array of one of the element types.
#[derive(Clone)]
pub enum Typed<'a> {
    Bool(CowArray<'a, bool, IxDyn>),
    I8(CowArray<'a, i8, IxDyn>),
    I16(CowArray<'a, i16, IxDyn>),
    I32(CowArray<'a, i32, IxDyn>),
    I64(CowArray<'a, i64, IxDyn>),
    U8(CowArray<'a, u8, IxDyn>),
    U16(CowArray<'a, u16, IxDyn>),
    U32(CowArray<'a, u32, IxDyn>),
    U64(CowArray<'a, u64, IxDyn>),
    F16(CowArray<'a, f16, IxDyn>),
    F32(CowArray<'a, f32, IxDyn>),
    F64(CowArray<'a, f64, IxDyn>),
}

/// Runs an expression with the array inside a [`Typed`], whatever its type.
macro_rules! with_typed {
    ($typed:expr, $array:ident => $body:expr) => {
        match $typed {
            Typed::Bool($array) => $body,
            Typed::I8($array) => $body,
            Typed::I16($array) => $body,
            Typed::I32($array) => $body,
            Typed::I64($array) => $body,
            Typed::U8($array) => $body,
            Typed::U16($array) => $body,
            Typed::U32($array) => $body,
            Typed::U64($array) => $body,
            Typed::F16($array) => $body,
            Typed::F32($array) => $body,
            Typed::F64($array) => $body,
        }
    };
}
pub(super) use with_typed;

/// Runs an expression with `T` standing for the Rust type of a dtype.
macro_rules! with_dtype {
    ($dtype:expr, $T:ident => $body:expr) => {
        match $dtype {
            DType::Bool => with_dtype!(@ $T = bool, $body),
            DType::I8 => with_dtype!(@ $T = i8, $body),
            DType::I16 => with_dtype!(@ $T = i16, $body),
            DType::I32 => with_dtype!(@ $T = i32, $body),
            DType::I64 => with_dtype!(@ $T = i64, $body),
            DType::U8 => with_dtype!(@ $T = u8, $body),
            DType::U16 => with_dtype!(@ $T = u16, $body),
            DType::U32 => with_dtype!(@ $T = u32, $body),
            DType::U64 => with_dtype!(@ $T = u64, $body),
            DType::F16 => with_dtype!(@ $T = half::f16, $body),
            DType::F32 => with_dtype!(@ $T = f32, $body),
            DType::F64 => with_dtype!(@ $T = f64, $body),
        }
    };
    (@ $T:ident = $type:ty, $body:expr) => {{
        type $T = $type;
        $body
    }};
}
pub(super) use with_dtype;

fn f16_bytes(elements: &[f16]) -> &[u8] {
    use half::slice::HalfFloatSliceExt as _;
    bytemuck::cast_slice(elements.reinterpret_cast())
}

fn bool_from(bytes: [u8; 1]) -> bool {
    bytes != [0]
}

macro_rules! element {
    ($type:ty, $variant:ident, $width:literal, $bytes_of:path, $convert:path,
     $le:expr, $be:expr, $to_le:expr, $to_f64:expr) => {
        impl Element for $type {
            const DTYPE: DType = DType::$variant;
        }

        impl sealed::Sealed for $type {
            type Bytes = [u8; $width];

            fn split(bytes: &[u8]) -> &[Self::Bytes] {
                bytes.as_chunks().0
            }
            fn bytes_of(elements: &[Self]) -> &[u8] {
                $bytes_of(elements)
            }
            #[inline]
            fn from_bytes(bytes: Self::Bytes, order: ByteOrder) -> Self {
                match order {
                    ByteOrder::Little => $le(bytes),
                    ByteOrder::Big => $be(bytes),
                }
            }
            #[inline]
            fn extend_le(self, bytes: &mut Vec<u8>) {
                bytes.extend_from_slice(&$to_le(self));
            }
            #[inline]
            fn to_f64(self) -> f64 {
                $to_f64(self)
            }
            fn convert(
                source: &[Self],
                out: &mut [f32],
                at: u64,
                policy: &super::policy::StagePolicy,
                tally: &mut super::convert::Tally,
            ) {
                $convert(source, out, at, policy, tally);
            }
            fn wrap(array: CowArray<'_, Self, IxDyn>) -> Typed<'_> {
                Typed::$variant(array)
            }
            fn view_of<'t>(typed: &'t Typed<'_>) -> Option<ArrayViewD<'t, Self>> {
                match typed {
                    Typed::$variant(array) => Some(array.view()),
                    _ => None,
                }
            }
            fn take(typed: Typed<'_>) -> Option<CowArray<'_, Self, IxDyn>> {
                match typed {
                    Typed::$variant(array) => Some(array),
                    _ => None,
                }
            }
        }
    };
}

macro_rules! number {
    ($type:ty, $variant:ident, $width:literal, $convert:path, $to_f64:expr) => {
        element!(
            $type,
            $variant,
            $width,
            bytemuck::cast_slice,
            $convert,
            <$type>::from_le_bytes,
            <$type>::from_be_bytes,
            <$type>::to_le_bytes,
            $to_f64
        );
    };
}

element!(
    bool,
    Bool,
    1,
    bytemuck::cast_slice,
    super::convert::from_bool,
    bool_from,
    bool_from,
    |value: bool| [u8::from(value)],
    f64::from
);
number!(i8, I8, 1, super::convert::from_i8, f64::from);
number!(i16, I16, 2, super::convert::from_i16, f64::from);
number!(i32, I32, 4, super::convert::from_i32, f64::from);
number!(i64, I64, 8, super::convert::from_i64, |value: i64| value as f64);
number!(u8, U8, 1, super::convert::from_u8, f64::from);
number!(u16, U16, 2, super::convert::from_u16, f64::from);
number!(u32, U32, 4, super::convert::from_u32, f64::from);
number!(u64, U64, 8, super::convert::from_u64, |value: u64| value as f64);
element!(
    f16,
    F16,
    2,
    f16_bytes,
    super::convert::from_f16,
    f16::from_le_bytes,
    f16::from_be_bytes,
    f16::to_le_bytes,
    f16::to_f64
);
number!(f32, F32, 4, super::convert::from_f32, f64::from);
number!(f64, F64, 8, super::convert::from_f64, |value: f64| value);
