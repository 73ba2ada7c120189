//! The host array: what it can be made of, and what can be asked of it.

use std::borrow::Cow;
use std::fmt;
use std::ops::Range;

use ndarray::{Array, ArrayBase, ArrayD, ArrayView, ArrayViewD, CowArray, Data, Dimension, IxDyn};

use super::dtype::{ByteOrder, DType, Order};
use super::element::Element;
use super::storage::{ByteArray, Storage, Visitor, checked_bytes};
use crate::error::{Error, Result};

/// An n-d array in host memory, in any NumPy dtype and any layout.
///
/// It borrows what it was made of or owns it; making one, [`view`](Self::view) and
/// [`rows`](Self::rows) copy no elements. Cloning one that owns its elements copies them.
///
/// ```
/// use longshore::HostArray;
/// use longshore::array::{ByteOrder, DType, Order};
/// use ndarray::array;
///
/// # fn main() -> longshore::Result<()> {
/// let matrix = array![[1_u8, 2, 3], [4, 5, 6]];
/// let turned = HostArray::from(matrix.t()); // borrowed, as it lies
/// assert_eq!((turned.dtype(), turned.shape()), (DType::U8, &[3, 2][..]));
/// assert_eq!(turned.rows(1..2)?.to_array::<u8>()?, array![[2, 5]].into_dyn());
///
/// let bytes = [0x3f, 0x80, 0, 0];
/// let one = HostArray::from_bytes_with(&bytes[..], DType::F32, ByteOrder::Big, Order::C, &[1])?;
/// assert_eq!(one.to_f64(), array![1.0].into_dyn());
/// # Ok(())
/// # }
/// ```
#[derive(Clone)]
pub struct HostArray<'a> {
    name: Cow<'a, str>,
    shape: Vec<usize>,
    storage: Storage<'a>,
}

impl<'a> HostArray<'a> {
    pub(super) fn from_storage(name: Cow<'a, str>, storage: Storage<'a>) -> Self {
        HostArray { name, shape: storage.shape(), storage }
    }

    pub(super) fn storage(&self) -> &Storage<'a> {
        &self.storage
    }

    /// Makes an array of little-endian bytes in C order.
    ///
    /// # Errors
    ///
    /// [`Error::Format`] when the bytes are not exactly the shape's, [`Error::Limit`] when the
    /// shape does not fit the address space.
    pub fn from_bytes(
        bytes: impl Into<Cow<'a, [u8]>>,
        dtype: DType,
        shape: &[usize],
    ) -> Result<Self> {
        Self::from_bytes_with(bytes, dtype, ByteOrder::Little, Order::C, shape)
    }

    /// Makes an array of bytes in a stated byte order and memory order. A `bool` byte that is
    /// not zero is true.
    ///
    /// # Errors
    ///
    /// [`Error::Format`] when the bytes are not exactly the shape's, [`Error::Limit`] when the
    /// shape does not fit the address space.
    pub fn from_bytes_with(
        bytes: impl Into<Cow<'a, [u8]>>,
        dtype: DType,
        byte_order: ByteOrder,
        order: Order,
        shape: &[usize],
    ) -> Result<Self> {
        let bytes = bytes.into();
        let needed = checked_bytes(UNNAMED, shape, dtype)?;
        if bytes.len() != needed {
            return Err(Error::Format {
                file: format!("array \"{UNNAMED}\""),
                part: "data".to_owned(),
                got: format!("has {} bytes", bytes.len()),
                expected: format!("shape {shape:?} of {dtype} needs {needed}"),
                remedy: "pass the bytes of the whole array and nothing else".to_owned(),
            });
        }
        let array = ByteArray::new(bytes, dtype, byte_order, order, shape.to_vec());
        Ok(Self::from_storage(Cow::Borrowed(UNNAMED), Storage::Bytes(array)))
    }

    /// Borrows elements in C order.
    ///
    /// ```
    /// use longshore::HostArray;
    ///
    /// # fn main() -> longshore::Result<()> {
    /// let pixels = [0.0_f32, 0.5, 1.0, 0.5, 0.0, 0.5];
    /// let image = HostArray::from_slice(&pixels, &[1, 2, 3, 1])?;
    /// assert_eq!(image.shape(), [1, 2, 3, 1]);
    /// assert!(HostArray::from_slice(&pixels, &[7]).is_err());
    /// # Ok(())
    /// # }
    /// ```
    ///
    /// # Errors
    ///
    /// [`Error::Format`] when there are not exactly the shape's elements, [`Error::Limit`] when
    /// the shape does not fit the address space.
    pub fn from_slice<T: Element>(elements: &'a [T], shape: &[usize]) -> Result<Self> {
        let needed = checked_bytes(UNNAMED, shape, T::DTYPE)? / T::DTYPE.size_bytes();
        let view = ArrayView::from_shape(IxDyn(shape), elements).ok();
        view.filter(|_| needed == elements.len()).map(Self::from).ok_or_else(|| Error::Format {
            file: format!("array \"{UNNAMED}\""),
            part: "data".to_owned(),
            got: format!("has {} elements", elements.len()),
            expected: format!("shape {shape:?} needs {needed}"),
            remedy: "pass the elements of the whole array and nothing else".to_owned(),
        })
    }

    /// Borrows an ndarray array or view of any strides.
    pub fn from_view<T, S, D>(array: &'a ArrayBase<S, D>) -> Self
    where
        T: Element,
        S: Data<Elem = T>,
        D: Dimension,
    {
        Self::from(array.view())
    }

    fn from_cow<T: Element, D: Dimension>(array: CowArray<'a, T, D>) -> Self {
        let storage = Storage::Typed(T::wrap(array.into_dyn()));
        Self::from_storage(Cow::Borrowed(UNNAMED), storage)
    }

    /// Names the array; reports and errors quote the name.
    #[must_use]
    pub fn with_name(mut self, name: impl Into<Cow<'a, str>>) -> Self {
        self.name = name.into();
        self
    }

    /// Returns the name: the file it was read from, or `unnamed`.
    #[must_use]
    pub fn name(&self) -> &str {
        &self.name
    }

    /// Returns the name that it was given, or that of its file.
    pub(crate) fn given_name(&self) -> Option<&str> {
        (self.name != UNNAMED).then_some(&*self.name)
    }

    /// Returns the shape; a scalar has the empty one.
    #[must_use]
    pub fn shape(&self) -> &[usize] {
        &self.shape
    }

    /// Returns the dtype.
    #[must_use]
    pub fn dtype(&self) -> DType {
        self.storage.dtype()
    }

    /// Returns the byte order of the elements.
    #[must_use]
    pub fn byte_order(&self) -> ByteOrder {
        self.storage.byte_order()
    }

    /// Counts the elements.
    #[must_use]
    pub fn len(&self) -> usize {
        // Every way to make an array has checked that this product is a usize.
        self.shape.iter().fold(1, |count: usize, &length| count.saturating_mul(length))
    }

    /// Tells whether there are no elements.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.shape.contains(&0)
    }

    /// Borrows the array, so that the view can have another name without copying elements.
    #[must_use]
    pub fn view(&self) -> HostArray<'_> {
        HostArray::from_storage(Cow::Borrowed(&*self.name), self.storage.view())
    }

    /// Borrows a range of the first axis. Indices in errors then count from the range's start.
    ///
    /// # Errors
    ///
    /// [`Error::Operand`] when the array is a scalar or does not have all those rows.
    pub fn rows(&self, rows: Range<usize>) -> Result<HostArray<'_>> {
        let have = self.shape.first().copied();
        if have.is_none_or(|have| rows.start > rows.end || rows.end > have) {
            return Err(Error::Operand {
                node: format!("array \"{}\"", self.name),
                operand: "rows".to_owned(),
                got: format!("are {}..{}", rows.start, rows.end),
                expected: match have {
                    Some(have) => format!("the first axis has {have}"),
                    None => "a scalar has no axis".to_owned(),
                },
                shapes: format!("shape {:?}", self.shape),
                remedy: "ask for a range within the first axis".to_owned(),
            });
        }
        Ok(HostArray::from_storage(Cow::Borrowed(&*self.name), self.storage.rows(rows)))
    }

    /// Multiplies the elements and gives f32: `scaled(1.0 / 255.0)` brings bytes to 0 to 1.
    ///
    /// Each product is made in f64 and rounded once, to the nearest f32.
    ///
    /// ```
    /// use longshore::HostArray;
    /// use ndarray::array;
    ///
    /// # fn main() -> longshore::Result<()> {
    /// let pixels = HostArray::from(array![0_u8, 51, 255]).scaled(1.0 / 255.0);
    /// assert_eq!(pixels.to_array::<f32>()?, array![0.0, 0.2, 1.0].into_dyn());
    /// # Ok(())
    /// # }
    /// ```
    #[must_use]
    pub fn scaled(&self, factor: f64) -> HostArray<'static> {
        struct Scaled(f64);
        impl Visitor for Scaled {
            type Out = ArrayD<f32>;
            #[expect(clippy::cast_possible_truncation, reason = "rounding to f32 is asked for")]
            fn visit<V, T, D>(self, view: ArrayViewD<'_, V>, decode: D) -> Self::Out
            where
                V: Copy + Send + Sync,
                T: Element,
                D: Fn(V) -> T + Copy + Send + Sync,
            {
                view.map(|&value| (decode(value).to_f64() * self.0) as f32)
            }
        }
        HostArray::from(self.storage.visit(Scaled(factor))).with_name(self.name.to_string())
    }

    /// Copies the elements as f64, for tests and inspection; 64-bit integers above 2^53 round.
    #[must_use]
    pub fn to_f64(&self) -> ArrayD<f64> {
        struct ToF64;
        impl Visitor for ToF64 {
            type Out = ArrayD<f64>;
            fn visit<V, T, D>(self, view: ArrayViewD<'_, V>, decode: D) -> Self::Out
            where
                V: Copy + Send + Sync,
                T: Element,
                D: Fn(V) -> T + Copy + Send + Sync,
            {
                view.map(|&value| decode(value).to_f64())
            }
        }
        self.storage.visit(ToF64)
    }

    /// Copies the elements as the type they have.
    ///
    /// # Errors
    ///
    /// [`Error::Operand`] when they have another dtype.
    pub fn to_array<T: Element>(&self) -> Result<ArrayD<T>> {
        self.view().into_array()
    }

    /// Hands over the elements as the type they have; copies them if they are borrowed, or bytes.
    ///
    /// # Errors
    ///
    /// [`Error::Operand`] when they have another dtype.
    pub fn into_array<T: Element>(self) -> Result<ArrayD<T>> {
        let HostArray { name, storage, shape } = self;
        let dtype = storage.dtype();
        storage.into_array().ok_or_else(|| {
            let remedy = "ask for the dtype it has, or convert it with to_f64() or pack()";
            other_type::<T>(&name, &shape, format!("is {dtype}"), remedy)
        })
    }

    /// Views the elements as the type they have, without a copy.
    ///
    /// # Errors
    ///
    /// [`Error::Operand`] when they have another dtype, and when the array holds the bytes of a
    /// file, which may lie anywhere in memory and in another order.
    pub fn view_as<T: Element>(&self) -> Result<ArrayViewD<'_, T>> {
        self.storage.view_as().ok_or_else(|| {
            let got = match &self.storage {
                Storage::Typed(_) => format!("is {}", self.dtype()),
                Storage::Bytes(_) => format!("is {} in the bytes of a file", self.dtype()),
            };
            other_type::<T>(&self.name, &self.shape, got, "copy it with to_array() or to_f64()")
        })
    }
}

const UNNAMED: &str = "unnamed";

/// The error of elements that are not what was asked for.
fn other_type<T: Element>(name: &str, shape: &[usize], got: String, remedy: &str) -> Error {
    Error::Operand {
        node: format!("array \"{name}\""),
        operand: "dtype".to_owned(),
        got,
        expected: format!("{} was asked for", T::DTYPE),
        shapes: format!("shape {shape:?}"),
        remedy: remedy.to_owned(),
    }
}

impl<'a> From<&'a HostArray<'_>> for HostArray<'a> {
    /// Borrows the array, as [`HostArray::view`] does.
    fn from(array: &'a HostArray<'_>) -> Self {
        array.view()
    }
}

impl<T: Element> TryFrom<HostArray<'_>> for ArrayD<T> {
    type Error = Error;

    fn try_from(array: HostArray<'_>) -> Result<Self> {
        array.into_array()
    }
}

impl<'a, T: Element> TryFrom<&'a HostArray<'_>> for ArrayViewD<'a, T> {
    type Error = Error;

    fn try_from(array: &'a HostArray<'_>) -> Result<Self> {
        array.view_as()
    }
}

impl<'a, T: Element, D: Dimension> From<ArrayView<'a, T, D>> for HostArray<'a> {
    fn from(view: ArrayView<'a, T, D>) -> Self {
        Self::from_cow(CowArray::from(view))
    }
}

impl<T: Element, D: Dimension> From<Array<T, D>> for HostArray<'_> {
    fn from(array: Array<T, D>) -> Self {
        Self::from_cow(CowArray::from(array))
    }
}

impl<'a, T: Element, D: Dimension> From<CowArray<'a, T, D>> for HostArray<'a> {
    fn from(array: CowArray<'a, T, D>) -> Self {
        Self::from_cow(array)
    }
}

impl<'a, T, S, D> From<&'a ArrayBase<S, D>> for HostArray<'a>
where
    T: Element,
    S: Data<Elem = T>,
    D: Dimension,
{
    fn from(array: &'a ArrayBase<S, D>) -> Self {
        Self::from_view(array)
    }
}

impl fmt::Debug for HostArray<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "HostArray(\"{}\" {:?} {})", self.name, self.shape, self.dtype())
    }
}
