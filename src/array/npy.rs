//! Reading `.npy`: versions 1.0, 2.0 and 3.0.
//!
//! Nothing larger than the file itself is ever allocated: what a header promises is compared with
//! the bytes that are there before it is believed.

use std::borrow::Cow;
use std::cmp::Ordering;
use std::fs::File;
use std::io::Read;
use std::path::{Path, PathBuf};

use super::dtype::DType;
use super::host_array::HostArray;
use super::npy_header::{Header, bad};
use super::storage::{ByteArray, Storage};
use crate::error::{Error, Result};
use crate::file::{MOST_BYTES, ReadOptions, check_size, open_regular};

pub(super) const MAGIC: &[u8; 6] = b"\x93NUMPY";

/// Longer than the header of any array NumPy can write, structured ones aside.
const MOST_HEADER_BYTES: usize = 1 << 20;

impl HostArray<'static> {
    /// Reads a `.npy` file; its path becomes the array's name.
    ///
    /// # Errors
    ///
    /// [`Error::Io`], [`Error::Format`] when the file is no regular one, or not exactly one array,
    /// [`Error::Dtype`] when its dtype has no meaning as f32, [`Error::Limit`] beyond 4 GiB, and
    /// when its shape does not fit the address space.
    pub fn read(path: impl AsRef<Path>) -> Result<Self> {
        HostArray::read_with(path, ReadOptions::new())
    }

    /// Reads a `.npy` file that may have another size than [`read`](Self::read) takes.
    ///
    /// # Errors
    ///
    /// Those of [`read`](Self::read).
    pub fn read_with(path: impl AsRef<Path>, options: ReadOptions) -> Result<Self> {
        NpyFile::open(path, options)?.read()
    }

    /// Reads one `.npy` array that fills a stream, which errors call `name`.
    ///
    /// # Errors
    ///
    /// Those of [`read`](Self::read).
    pub fn read_named(name: &str, reader: impl Read) -> Result<Self> {
        NpyFile::stream(name, reader, ReadOptions::new())?.read()
    }
}

impl<'a> HostArray<'a> {
    /// Borrows the array in the bytes of a `.npy` file, which errors call `name`.
    ///
    /// # Errors
    ///
    /// Those of [`read`](Self::read), but for the I/O ones.
    pub fn from_npy_bytes(name: &str, bytes: &'a [u8]) -> Result<Self> {
        let mut data = bytes;
        let header = read_header(name, &mut data)?;
        check_length(name, &header, data.len() as u64)?;
        Ok(from_parts(name, header, Cow::Borrowed(data)))
    }
}

/// A `.npy` file of which the header is read: shape and dtype are known before the data is.
///
/// ```
/// use longshore::HostArray;
/// use longshore::array::NpyFile;
/// use longshore::file::ReadOptions;
///
/// # fn main() -> longshore::Result<()> {
/// let bytes = HostArray::from(ndarray::array![[1_u8, 2], [3, 4]]).to_npy_bytes();
/// let file = NpyFile::stream("standard input", bytes.as_slice(), ReadOptions::new())?;
/// assert_eq!(file.shape(), [2, 2]);
/// let array = file.read()?;
/// assert_eq!(array.to_array::<u8>()?, ndarray::array![[1, 2], [3, 4]].into_dyn());
/// # Ok(())
/// # }
/// ```
#[derive(Debug)]
pub struct NpyFile<R> {
    name: String,
    header: Header,
    reader: R,
    /// Whether as many bytes as the header promises are there.
    is_checked: bool,
}

impl NpyFile<File> {
    /// Opens a file and reads its header.
    ///
    /// # Errors
    ///
    /// Those of [`HostArray::read`].
    pub fn open(path: impl AsRef<Path>, options: ReadOptions) -> Result<Self> {
        let path = path.as_ref();
        let name = path.display().to_string();
        let (mut file, found) = open_regular(path)?;
        let header = read_header(&name, &mut file)?;
        check_length(&name, &header, found.len().saturating_sub(header.data_offset))?;
        let most = options.most_bytes.unwrap_or(MOST_BYTES);
        check_size(&name, "the file", found.len(), most)?;
        Ok(NpyFile { name, header, reader: file, is_checked: true })
    }
}

impl<R: Read> NpyFile<R> {
    /// Reads the header of an array that fills a stream, which errors call `name`.
    ///
    /// # Errors
    ///
    /// Those of [`HostArray::read`].
    pub fn stream(name: &str, mut reader: R, options: ReadOptions) -> Result<Self> {
        let header = read_header(name, &mut reader)?;
        let most = options.most_bytes.unwrap_or(MOST_BYTES);
        check_size(name, "the array", header.data_bytes as u64, most)?;
        Ok(NpyFile { name: name.to_owned(), header, reader, is_checked: false })
    }

    /// Returns the array's shape.
    #[must_use]
    pub fn shape(&self) -> &[usize] {
        &self.header.shape
    }

    /// Returns the array's dtype.
    #[must_use]
    pub fn dtype(&self) -> DType {
        self.header.dtype
    }

    /// Reads the data.
    ///
    /// # Errors
    ///
    /// Those of [`HostArray::read`].
    pub fn read(self) -> Result<HostArray<'static>> {
        let NpyFile { name, header, mut reader, is_checked } = self;
        let reserve = if is_checked { header.data_bytes } else { 0 };
        let bytes = read_up_to(&name, &mut reader, header.data_bytes, reserve)?;
        // A stream may go on for ever; a mebibyte too much is enough to refuse it.
        let extra = std::io::copy(&mut reader.take(1 << 20), &mut std::io::sink())
            .map_err(read_failed(&name))?;
        check_length(&name, &header, (bytes.len() as u64).saturating_add(extra))?;
        Ok(from_parts(&name, header, Cow::Owned(bytes)))
    }
}

pub(super) fn from_parts<'a>(name: &str, header: Header, data: Cow<'a, [u8]>) -> HostArray<'a> {
    let Header { dtype, byte_order, order, shape, .. } = header;
    let array = ByteArray::new(data, dtype, byte_order, order, shape);
    HostArray::from_storage(Cow::Owned(name.to_owned()), Storage::Bytes(array))
}

fn read_failed(name: &str) -> impl Fn(std::io::Error) -> Error {
    move |reason| Error::Io { path: PathBuf::from(name), action: "read", reason }
}

/// Reads `most` bytes, or fewer where the stream ends. Beyond `reserve` the buffer grows only as
/// bytes arrive.
pub(super) fn read_up_to(
    name: &str,
    reader: &mut impl Read,
    most: usize,
    reserve: usize,
) -> Result<Vec<u8>> {
    let mut bytes = Vec::new();
    bytes.try_reserve_exact(reserve).map_err(|error| {
        let source = std::io::Error::new(std::io::ErrorKind::OutOfMemory, error);
        read_failed(name)(source)
    })?;
    reader.take(most as u64).read_to_end(&mut bytes).map_err(read_failed(name))?;
    Ok(bytes)
}

/// Reads magic, version and header, and leaves the reader at the data.
pub(super) fn read_header(name: &str, reader: &mut impl Read) -> Result<Header> {
    let start = read_up_to(name, reader, 8, 8)?;
    let version = match start.as_slice() {
        [magic @ .., major, minor] if magic == MAGIC => [*major, *minor],
        _ if start.is_empty() => return Err(bad(name, "is missing".into(), "the file is empty")),
        _ if start.len() < 8 && MAGIC.starts_with(&start[..start.len().min(6)]) => {
            let got = format!("ends after {} bytes", start.len());
            return Err(bad(name, got, "magic and version are 8 bytes"));
        }
        _ => {
            let expected = "an .npy file starts with \\x93NUMPY";
            return Err(bad(name, "does not start with the magic".into(), expected));
        }
    };
    let length_bytes = match version {
        [1, 0] => 2,
        [2 | 3, 0] => 4,
        [major, minor] => {
            let got = format!("has format version {major}.{minor}");
            return Err(bad(name, got, "versions 1.0, 2.0 and 3.0 can be read"));
        }
    };
    let field = read_up_to(name, reader, length_bytes, length_bytes)?;
    let length = match *field.as_slice() {
        [low, high] if length_bytes == 2 => usize::from(u16::from_le_bytes([low, high])),
        [a, b, c, d] => usize::try_from(u32::from_le_bytes([a, b, c, d])).unwrap_or(usize::MAX),
        _ => {
            let got = format!("ends after {} bytes", 8 + field.len());
            return Err(bad(name, got, "the length of the header should follow"));
        }
    };
    if length > MOST_HEADER_BYTES {
        let got = format!("says it has {length} bytes");
        return Err(bad(name, got, "headers of up to 1048576 bytes are read"));
    }
    let bytes = read_up_to(name, reader, length, 0)?;
    if bytes.len() < length {
        let got = format!("ends after {} bytes", bytes.len());
        return Err(bad(name, got, &format!("it says it has {length}")));
    }
    let data_offset = (8 + length_bytes + length) as u64;
    // Versions 1 and 2 are Latin-1, in which every byte is the character of its number.
    let text = if version == [3, 0] {
        String::from_utf8(bytes)
            .map_err(|error| bad(name, format!("is not UTF-8 ({error})"), "version 3.0 is"))?
    } else {
        bytes.into_iter().map(char::from).collect()
    };
    Header::parse(name, &text, data_offset)
}

/// Compares the bytes of data that are there with those the header promises.
pub(super) fn check_length(name: &str, header: &Header, length: u64) -> Result<()> {
    let needed = header.data_bytes as u64;
    let (got, remedy) = match length.cmp(&needed) {
        Ordering::Equal => return Ok(()),
        Ordering::Less => {
            (format!("has {length} bytes"), "the file is truncated: copy or write it again")
        }
        Ordering::Greater => (
            format!("is followed by {} more bytes", length - needed),
            "save one array in each file, or several with numpy.savez",
        ),
    };
    Err(Error::Format {
        file: name.to_owned(),
        part: "npy data".to_owned(),
        got,
        expected: format!("shape {:?} of {} is {needed} bytes", header.shape, header.dtype),
        remedy: remedy.to_owned(),
    })
}
