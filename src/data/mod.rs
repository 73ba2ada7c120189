//! Batches: equal parts of one array, or what a generator yields, held to a signature.
//!
//! A signature says what one item is. Whatever yields batches is held to it: the first
//! batch of another dtype, item shape or size is an error that gives its number. Only the
//! last batch may be short, and [`Remainder`] says what becomes of it.
//!
//! ```
//! use longshore::HostArray;
//! use longshore::data::{Batches, Remainder, Signature};
//! use ndarray::Array;
//!
//! # fn main() -> longshore::Result<()> {
//! let digits = HostArray::from(Array::from_elem((70, 8, 8, 1), 0.5)).with_name("digits");
//! let signature = Signature::new([8, 8, 1]);
//! let batches = Batches::of(&digits, 32, signature, Remainder::Pad)?;
//! let items: Vec<usize> = batches.map(|batch| Ok(batch?.items)).collect::<longshore::Result<_>>()?;
//! assert_eq!(items, [32, 32, 6]);
//! # Ok(())
//! # }
//! ```

mod pad;

use std::fmt;
use std::iter::Peekable;

use crate::array::{DType, HostArray};
use crate::error::{Error, Result};

/// Declares what one item of a data set is.
///
/// ```
/// use longshore::HostArray;
/// use longshore::array::DType;
/// use longshore::data::{Batches, Remainder, Signature};
/// use ndarray::Array3;
///
/// # fn main() -> longshore::Result<()> {
/// let images = HostArray::from(Array3::<u8>::zeros((10, 4, 4)));
/// let wanted = Signature::new([4, 4]).dtype(DType::F32);
/// let refused = Batches::of(&images, 5, wanted, Remainder::Refuse).err();
/// assert!(refused.is_some_and(|error| error.to_string().contains("has dtype uint8")));
/// # Ok(())
/// # }
/// ```
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Signature {
    item_shape: Vec<usize>,
    dtype: Option<DType>,
}

impl Signature {
    /// Declares the shape of an item, without the batch; any dtype is accepted.
    pub fn new(item_shape: impl Into<Vec<usize>>) -> Self {
        Signature { item_shape: item_shape.into(), dtype: None }
    }

    /// Declares the dtype too.
    #[must_use]
    pub fn dtype(mut self, dtype: DType) -> Self {
        self.dtype = Some(dtype);
        self
    }
}

impl fmt::Display for Signature {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self.dtype {
            Some(dtype) => write!(f, "items {:?} of {dtype}", self.item_shape),
            None => write!(f, "items {:?}", self.item_shape),
        }
    }
}

/// Names what becomes of a last batch that is short.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum Remainder {
    /// It is an error.
    #[default]
    Refuse,
    /// It is left out.
    Drop,
    /// It is yielded as it is; a plan of its own size runs it.
    Keep,
    /// Items of zeros fill it up; [`Batch::items`] says how many are real.
    Pad,
}

/// One batch.
#[derive(Clone, Debug)]
pub struct Batch<'a> {
    /// Its number, from 0.
    pub number: usize,
    /// The items, along the first axis.
    pub array: HostArray<'a>,
    /// How many of them are real; the rest is padding.
    pub items: usize,
}

/// Iterates over batches that are held to a signature.
///
/// ```
/// use longshore::HostArray;
/// use longshore::data::{Batches, Remainder, Signature};
/// use ndarray::Array2;
///
/// # fn main() -> longshore::Result<()> {
/// // What a generator yields, one batch at a time.
/// let source = [4, 4, 2].map(|items| HostArray::from(Array2::<f32>::ones((items, 3))));
/// let batches =
///     Batches::from_generator("readings", source, 4, Signature::new([3]), Remainder::Pad)?;
/// let mut real = 0;
/// for batch in batches {
///     let batch = batch?;
///     assert_eq!(batch.array.shape(), [4, 3]); // the last one is filled up with zeros
///     real += batch.items;
/// }
/// assert_eq!(real, 10);
/// # Ok(())
/// # }
/// ```
pub struct Batches<I: Iterator> {
    source: Peekable<I>,
    name: String,
    batch: usize,
    signature: Signature,
    remainder: Remainder,
    number: usize,
    is_over: bool,
}

impl<'a, I: Iterator<Item = HostArray<'a>>> Batches<I> {
    /// Holds a generator of batches to a signature and to a batch size.
    ///
    /// messages call it `name`.
    ///
    /// # Errors
    ///
    /// [`Error::Operand`] for a batch size of 0. Errors of the batches come from the
    /// iterator, which ends after the first.
    pub fn from_generator(
        name: impl Into<String>,
        source: impl IntoIterator<IntoIter = I>,
        batch: usize,
        signature: Signature,
        remainder: Remainder,
    ) -> Result<Self> {
        let name = name.into();
        if batch == 0 {
            return Err(Error::Operand {
                node: format!("batches of \"{name}\""),
                operand: "batch".to_owned(),
                got: "is 0".to_owned(),
                expected: "a batch has at least 1 item".to_owned(),
                shapes: signature.to_string(),
                remedy: "use a positive size".to_owned(),
            });
        }
        let source = source.into_iter().peekable();
        Ok(Batches { source, name, batch, signature, remainder, number: 0, is_over: false })
    }

    /// Checks a batch and applies the rule for short ones; `None` leaves it out.
    fn admit(&mut self, array: HostArray<'a>) -> Result<Option<Batch<'a>>> {
        let number = self.number;
        self.number = number.saturating_add(1);
        let items = self.check(number, &array)?;
        if items == self.batch {
            return Ok(Some(Batch { number, array, items }));
        }
        if self.remainder == Remainder::Refuse || items > self.batch {
            return Err(self.refuse(
                number,
                format!("has {items} items"),
                format!("batches of {} were declared", self.batch),
                &array,
                "cut one array into batches with Batches::of, or choose a Remainder",
            ));
        }
        if self.source.peek().is_some() {
            return Err(self.refuse(
                number,
                format!("has {items} items and is not the last"),
                format!("only the last of batches of {} may be short", self.batch),
                &array,
                "let the generator yield equal batches",
            ));
        }
        match self.remainder {
            Remainder::Drop | Remainder::Refuse => Ok(None),
            Remainder::Keep => Ok(Some(Batch { number, array, items })),
            Remainder::Pad => {
                let array = pad::with_zeros(&array, self.batch)?;
                Ok(Some(Batch { number, array, items }))
            }
        }
    }

    /// Checks dtype and item shape, and returns the number of items.
    fn check(&self, number: usize, array: &HostArray<'_>) -> Result<usize> {
        let remedy = "let every batch have the declared signature";
        if let Some(dtype) = self.signature.dtype.filter(|&dtype| dtype != array.dtype()) {
            let got = format!("has dtype {}", array.dtype());
            let expected = format!("{dtype} was declared");
            return Err(self.refuse(number, got, expected, array, remedy));
        }
        match array.shape().split_first() {
            Some((&items, item_shape)) if item_shape == self.signature.item_shape => Ok(items),
            _ => {
                let got = format!("has shape {:?}", array.shape());
                let expected = format!("{} in batches were declared", self.signature);
                Err(self.refuse(number, got, expected, array, remedy))
            }
        }
    }

    fn refuse(
        &self,
        number: usize,
        got: String,
        expected: String,
        array: &HostArray<'_>,
        remedy: &str,
    ) -> Error {
        Error::Operand {
            node: format!("batches of \"{}\"", self.name),
            operand: format!("batch {number}"),
            got,
            expected,
            shapes: format!("{} {:?}", array.dtype(), array.shape()),
            remedy: remedy.to_owned(),
        }
    }
}

impl<'a, I: Iterator<Item = HostArray<'a>>> Iterator for Batches<I> {
    type Item = Result<Batch<'a>>;

    fn next(&mut self) -> Option<Self::Item> {
        if self.is_over {
            return None;
        }
        let admitted = self.source.next().map(|array| self.admit(array));
        match admitted {
            Some(Ok(Some(batch))) => Some(Ok(batch)),
            Some(Err(error)) => {
                self.is_over = true;
                Some(Err(error))
            }
            // The end, or a short last batch that is left out.
            None | Some(Ok(None)) => {
                self.is_over = true;
                None
            }
        }
    }
}

/// Cuts an array into parts along its first axis.
#[derive(Clone, Debug)]
pub struct Parts<'a, 'b> {
    array: &'a HostArray<'b>,
    next: usize,
    size: usize,
}

impl<'a> Iterator for Parts<'a, '_> {
    type Item = HostArray<'a>;

    fn next(&mut self) -> Option<HostArray<'a>> {
        let length = self.array.shape().first().copied()?;
        let end = self.next.saturating_add(self.size).min(length);
        let part = (self.next < end).then(|| self.array.rows(self.next..end).ok()).flatten();
        self.next = end;
        part
    }
}

impl<'a, 'b> Batches<Parts<'a, 'b>> {
    /// Cuts one array into batches without copying it (but for a padded last one).
    ///
    /// # Errors
    ///
    /// [`Error::Operand`] for a batch size of 0, and when the array does not have the
    /// signature; with [`Remainder::Refuse`] a short last batch is reported when it is
    /// reached.
    pub fn of(
        array: &'a HostArray<'b>,
        batch: usize,
        signature: Signature,
        remainder: Remainder,
    ) -> Result<Self> {
        let parts = Parts { array, next: 0, size: batch };
        let batches = Batches::from_generator(array.name(), parts, batch, signature, remainder)?;
        batches.check(0, array)?;
        Ok(batches)
    }
}
