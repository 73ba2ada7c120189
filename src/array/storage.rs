//! How a host array holds its elements: as bytes in a stated layout, or as an ndarray array.

use std::borrow::Cow;
use std::ops::Range;

use ndarray::{ArrayView, ArrayViewD, Axis, CowArray, IxDyn, ShapeBuilder as _, Slice};

use super::dtype::{ByteOrder, DType, Order};
use super::element::sealed::Sealed as _;
use super::element::{Element, Typed, with_dtype, with_typed};
use crate::error::{Error, Result};

/// The elements of an array.
#[derive(Clone)]
pub(super) enum Storage<'a> {
    Bytes(ByteArray<'a>),
    Typed(Typed<'a>),
}

/// Elements as bytes: `full_shape` in `order`, of which the rows from `first_row` are the array.
#[derive(Clone)]
pub(super) struct ByteArray<'a> {
    bytes: Cow<'a, [u8]>,
    dtype: DType,
    byte_order: ByteOrder,
    order: Order,
    full_shape: Vec<usize>,
    rows: Range<usize>,
}

/// A computation over the elements of an array, whatever their type and layout.
pub(super) trait Visitor {
    type Out;

    /// Visits a view of stored values `V`, each of which `decode` turns into an element `T`.
    fn visit<V, T, D>(self, view: ArrayViewD<'_, V>, decode: D) -> Self::Out
    where
        V: Copy + Send + Sync,
        T: Element,
        D: Fn(V) -> T + Copy + Send + Sync;
}

impl<'a> ByteArray<'a> {
    /// Takes bytes that hold exactly `shape`; the caller has checked that they do.
    pub(super) fn new(
        bytes: Cow<'a, [u8]>,
        dtype: DType,
        byte_order: ByteOrder,
        order: Order,
        shape: Vec<usize>,
    ) -> Self {
        // A single byte has no order.
        let byte_order = if dtype.size_bytes() == 1 { ByteOrder::Little } else { byte_order };
        let rows = 0..shape.first().copied().unwrap_or(1);
        ByteArray { bytes, dtype, byte_order, order, full_shape: shape, rows }
    }

    #[expect(clippy::expect_used, reason = "every constructor checks the byte count")]
    fn view<T: Element>(&self) -> ArrayViewD<'_, T::Bytes> {
        let shape = IxDyn(&self.full_shape).set_f(self.order == Order::Fortran);
        let mut view = ArrayView::from_shape(shape, T::split(&self.bytes))
            .expect("the byte count was checked against the shape when the array was made");
        if view.ndim() > 0 {
            view.slice_axis_inplace(Axis(0), Slice::from(self.rows.clone()));
        }
        view
    }

    /// Returns the bytes where they are the array in C order, little-endian.
    fn c_order_le_bytes(&self) -> Option<&[u8]> {
        if self.byte_order == ByteOrder::Big {
            return None;
        }
        with_dtype!(self.dtype, T => {
            self.view::<T>().to_slice().map(<[_]>::as_flattened)
        })
    }
}

impl Storage<'_> {
    pub(super) fn dtype(&self) -> DType {
        match self {
            Storage::Bytes(array) => array.dtype,
            Storage::Typed(typed) => match typed {
                Typed::Bool(_) => DType::Bool,
                Typed::I8(_) => DType::I8,
                Typed::I16(_) => DType::I16,
                Typed::I32(_) => DType::I32,
                Typed::I64(_) => DType::I64,
                Typed::U8(_) => DType::U8,
                Typed::U16(_) => DType::U16,
                Typed::U32(_) => DType::U32,
                Typed::U64(_) => DType::U64,
                Typed::F16(_) => DType::F16,
                Typed::F32(_) => DType::F32,
                Typed::F64(_) => DType::F64,
            },
        }
    }

    pub(super) fn byte_order(&self) -> ByteOrder {
        match self {
            Storage::Bytes(array) => array.byte_order,
            Storage::Typed(_) if self.dtype().size_bytes() == 1 => ByteOrder::Little,
            Storage::Typed(_) => ByteOrder::NATIVE,
        }
    }

    pub(super) fn shape(&self) -> Vec<usize> {
        match self {
            Storage::Bytes(array) => {
                let mut shape = array.full_shape.clone();
                if let Some(rows) = shape.first_mut() {
                    *rows = array.rows.len();
                }
                shape
            }
            Storage::Typed(typed) => with_typed!(typed, array => array.shape().to_vec()),
        }
    }

    /// Borrows the array.
    pub(super) fn view(&self) -> Storage<'_> {
        match self {
            Storage::Bytes(array) => Storage::Bytes(ByteArray {
                bytes: Cow::Borrowed(&array.bytes),
                full_shape: array.full_shape.clone(),
                rows: array.rows.clone(),
                ..*array
            }),
            Storage::Typed(typed) => {
                with_typed!(typed, array => Storage::Typed(wrap(array.view())))
            }
        }
    }

    /// Borrows rows of the first axis; the caller has checked that there is one and that it
    /// holds them.
    pub(super) fn rows(&self, rows: Range<usize>) -> Storage<'_> {
        match self.view() {
            Storage::Bytes(mut array) => {
                array.rows = array.rows.start + rows.start..array.rows.start + rows.end;
                Storage::Bytes(array)
            }
            // The view of a view would live as long as the local one, so slice the original.
            Storage::Typed(_) => match self {
                Storage::Typed(typed) => with_typed!(typed, array => {
                    Storage::Typed(wrap(array.slice_axis(Axis(0), Slice::from(rows))))
                }),
                Storage::Bytes(_) => self.view(),
            },
        }
    }

    pub(super) fn visit<W: Visitor>(&self, visitor: W) -> W::Out {
        match self {
            Storage::Typed(typed) => {
                with_typed!(typed, array => visitor.visit(array.view(), |value| value))
            }
            Storage::Bytes(array) => with_dtype!(array.dtype, T => match array.byte_order {
                ByteOrder::Little => visitor
                    .visit(array.view::<T>(), |bytes| T::from_bytes(bytes, ByteOrder::Little)),
                ByteOrder::Big => visitor
                    .visit(array.view::<T>(), |bytes| T::from_bytes(bytes, ByteOrder::Big)),
            }),
        }
    }

    /// Returns the bytes of the array in C order, little-endian, where that takes no work.
    pub(super) fn c_order_le_bytes(&self) -> Option<&[u8]> {
        match self {
            Storage::Bytes(array) => array.c_order_le_bytes(),
            Storage::Typed(typed) if self.byte_order() == ByteOrder::Little => {
                with_typed!(typed, array => array.as_slice().map(element_bytes))
            }
            Storage::Typed(_) => None,
        }
    }

    /// Views the elements as their own type, where they are in memory as such.
    pub(super) fn view_as<T: Element>(&self) -> Option<ArrayViewD<'_, T>> {
        match self {
            Storage::Typed(typed) => T::view_of(typed),
            Storage::Bytes(_) => None,
        }
    }

    /// Hands over the elements as their own type, or `None` where it is another; copies what is
    /// borrowed.
    pub(super) fn into_array<T: Element>(self) -> Option<ndarray::ArrayD<T>> {
        match self {
            Storage::Typed(typed) => T::take(typed).map(CowArray::into_owned),
            Storage::Bytes(array) if array.dtype == T::DTYPE => {
                Some(array.view::<T>().map(|&bytes| T::from_bytes(bytes, array.byte_order)))
            }
            Storage::Bytes(_) => None,
        }
    }
}

fn wrap<T: Element>(view: ArrayViewD<'_, T>) -> Typed<'_> {
    T::wrap(CowArray::from(view))
}

fn element_bytes<T: Element>(elements: &[T]) -> &[u8] {
    T::bytes_of(elements)
}

/// Computes the bytes of an array, which must fit the address space.
///
/// Lengths of zero do not hide the other lengths here, as in NumPy: strides are made of those.
pub(super) fn checked_bytes(name: &str, shape: &[usize], dtype: DType) -> Result<usize> {
    let most = isize::MAX.unsigned_abs() as u64;
    let lengths = shape.iter().filter(|&&length| length != 0);
    let needed = lengths
        .fold(dtype.size_bytes() as u64, |bytes, &length| bytes.saturating_mul(length as u64));
    match usize::try_from(needed).ok().filter(|_| needed <= most) {
        Some(_) if shape.contains(&0) => Ok(0),
        Some(bytes) => Ok(bytes),
        None => Err(Error::Limit {
            node: format!("array \"{name}\""),
            tensor: format!("shape {shape:?} of {dtype}"),
            needed,
            unit: "bytes",
            limit_name: "the largest array in memory".to_owned(),
            limit: Some(most),
            remedy: "make the shape smaller, or check that the file is intact".to_owned(),
        }),
    }
}
