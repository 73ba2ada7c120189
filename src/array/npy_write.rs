//! Writing `.npy`: little-endian, C order, data aligned to 64 bytes.

use std::io::Write;
use std::path::Path;

use ndarray::ArrayViewD;

use super::dtype::DType;
use super::element::Element;
use super::host_array::HostArray;
use super::npy::MAGIC;
use super::storage::Visitor;
use crate::error::Result;
use crate::file::NewFile;

const ALIGNMENT: usize = 64;

impl HostArray<'_> {
    /// Writes the array to a `.npy` file, in its own dtype, little-endian and in C order; whole
    /// or not at all.
    ///
    /// # Errors
    ///
    /// [`Error::Io`](crate::Error::Io).
    pub fn write_npy(&self, path: impl AsRef<Path>) -> Result<()> {
        NewFile::write(path, |file| self.write_npy_to(file))
    }

    /// Writes the bytes of a `.npy` file of the array, as [`write_npy`](HostArray::write_npy) does.
    ///
    /// # Errors
    ///
    /// Those of the writer.
    pub fn write_npy_to(&self, writer: &mut impl Write) -> std::io::Result<()> {
        writer.write_all(&header(self.dtype(), self.shape()))?;
        self.write_elements(writer)
    }

    /// Returns the bytes of a `.npy` file of the array, little-endian and in C order.
    #[must_use]
    pub fn to_npy_bytes(&self) -> Vec<u8> {
        let mut bytes = Vec::new();
        let written = self.write_npy_to(&mut bytes);
        debug_assert!(written.is_ok(), "writing to memory does not fail");
        bytes
    }

    /// Returns the elements' bytes, little-endian and in C order.
    pub(crate) fn to_le_bytes(&self) -> Vec<u8> {
        let mut bytes = Vec::new();
        let written = self.write_elements(&mut bytes);
        debug_assert!(written.is_ok(), "writing to memory does not fail");
        bytes
    }

    fn write_elements(&self, writer: &mut impl Write) -> std::io::Result<()> {
        // The bytes of a bool may be any that are not zero; those are normalized on the way.
        match self.storage().c_order_le_bytes().filter(|_| self.dtype() != DType::Bool) {
            Some(bytes) => writer.write_all(bytes),
            None => self.storage().visit(WriteElements { writer }),
        }
    }
}

/// Makes magic, version, length and dictionary, padded so that the data is aligned.
fn header(dtype: DType, shape: &[usize]) -> Vec<u8> {
    let lengths: Vec<String> = shape.iter().map(ToString::to_string).collect();
    let comma = if shape.len() == 1 { "," } else { "" };
    let dict = format!(
        "{{'descr': '{}', 'fortran_order': False, 'shape': ({}{comma}), }}",
        dtype.descr(),
        lengths.join(", ")
    );
    let padded = |prefix: usize| (prefix + dict.len() + 1).next_multiple_of(ALIGNMENT) - prefix;
    let mut bytes = MAGIC.to_vec();
    let length = if let Ok(length) = u16::try_from(padded(10)) {
        bytes.extend_from_slice(&[1, 0]);
        bytes.extend_from_slice(&length.to_le_bytes());
        usize::from(length)
    } else {
        let length = padded(12);
        bytes.extend_from_slice(&[2, 0]);
        bytes.extend_from_slice(&u32::try_from(length).unwrap_or(u32::MAX).to_le_bytes());
        length
    };
    bytes.extend_from_slice(dict.as_bytes());
    bytes.resize(bytes.len() + length - dict.len() - 1, b' ');
    bytes.push(b'\n');
    bytes
}

struct WriteElements<'w, W> {
    writer: &'w mut W,
}

impl<W: Write> Visitor for WriteElements<'_, W> {
    type Out = std::io::Result<()>;

    fn visit<V, T, D>(self, view: ArrayViewD<'_, V>, decode: D) -> Self::Out
    where
        V: Copy + Send + Sync,
        T: Element,
        D: Fn(V) -> T + Copy + Send + Sync,
    {
        const RUN: usize = 8192;
        let mut bytes = Vec::with_capacity(RUN + 8);
        for &value in view {
            decode(value).extend_le(&mut bytes);
            if bytes.len() >= RUN {
                self.writer.write_all(&bytes)?;
                bytes.clear();
            }
        }
        self.writer.write_all(&bytes)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn headers_are_aligned_and_too_long_ones_take_version_2() {
        let short = header(DType::F32, &[3]);
        assert_eq!(short.len() % ALIGNMENT, 0);
        assert_eq!(&short[6..8], &[1, 0]);
        let long = header(DType::F64, &vec![1; 30_000]);
        assert_eq!(long.len() % ALIGNMENT, 0);
        assert_eq!(&long[6..8], &[2, 0]);
        let length = u32::from_le_bytes([long[8], long[9], long[10], long[11]]);
        assert_eq!(length as usize + 12, long.len());
    }
}
