//! Writing `.npz`.

use std::borrow::Borrow;
use std::collections::BTreeSet;
use std::io::{self, Seek, SeekFrom, Write};
use std::path::Path;

use zip::result::ZipError;
use zip::write::SimpleFileOptions;
use zip::{CompressionMethod, ZipWriter};

use super::host_array::HostArray;
use crate::error::{Error, Result};
use crate::file::NewFile;

/// How the members of an `.npz` are kept.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum NpzCompression {
    /// As they are, like `numpy.savez`.
    #[default]
    Stored,
    /// Deflated, like `numpy.savez_compressed`.
    Deflated,
}

/// Writes named arrays to an `.npz` file, stored; whole or not at all. The same arrays give the
/// same bytes.
///
/// # Errors
///
/// [`Error::Io`], or [`Error::Name`] for a name that is empty or given twice.
pub fn write_npz<'b, N, A, I>(path: impl AsRef<Path>, arrays: I) -> Result<()>
where
    N: AsRef<str>,
    A: Borrow<HostArray<'b>>,
    I: IntoIterator<Item = (N, A)>,
{
    write_npz_with(path, arrays, NpzCompression::Stored)
}

/// Writes named arrays to an `.npz` file, stored or deflated.
///
/// # Errors
///
/// Those of [`write_npz`].
pub fn write_npz_with<'b, N, A, I>(
    path: impl AsRef<Path>,
    arrays: I,
    compression: NpzCompression,
) -> Result<()>
where
    N: AsRef<str>,
    A: Borrow<HostArray<'b>>,
    I: IntoIterator<Item = (N, A)>,
{
    let path = path.as_ref();
    // Names are checked before the file exists.
    let arrays: Vec<(N, A)> = arrays.into_iter().collect();
    let mut seen = BTreeSet::new();
    for (name, _) in &arrays {
        let name = name.as_ref();
        if name.is_empty() || !seen.insert(name) {
            return Err(Error::Name {
                node: path.display().to_string(),
                problem: "cannot write two arrays, or one without a name, as".to_owned(),
                name: name.to_owned(),
                known: seen.into_iter().collect::<Vec<_>>().join(", "),
                remedy: "give each array a name of its own".to_owned(),
            });
        }
    }
    let method = match compression {
        NpzCompression::Stored => CompressionMethod::Stored,
        NpzCompression::Deflated => CompressionMethod::Deflated,
    };
    let arrays = arrays.iter().map(|(name, array)| (name.as_ref(), array.borrow()));
    NewFile::write(path, |file| write_members(file, arrays, method))
}

/// Writes named arrays, stored, to what can be sought in; names must differ and not be empty.
pub(crate) fn write_npz_to<'a, 'b: 'a>(
    writer: impl Write + Seek,
    arrays: impl Iterator<Item = (&'a str, &'a HostArray<'b>)>,
) -> io::Result<()> {
    write_members(writer, arrays, CompressionMethod::Stored)
}

fn write_members<'a, 'b: 'a>(
    writer: impl Write + Seek,
    arrays: impl Iterator<Item = (&'a str, &'a HostArray<'b>)>,
    method: CompressionMethod,
) -> io::Result<()> {
    let mut writer = Quiet { inner: writer, position: 0, has_failed: false };
    let mut zip = ZipWriter::new(&mut writer);
    for (name, array) in arrays {
        // Deflate can grow data a little, so the limit of plain zip (4 GiB) is not used up.
        let is_large = (array.len() as u64).saturating_mul(8) >= u64::from(u32::MAX) / 2;
        let options = SimpleFileOptions::default().compression_method(method).large_file(is_large);
        zip.start_file(format!("{name}.npy"), options).map_err(into_io)?;
        array.write_npy_to(&mut zip)?;
    }
    zip.finish().map_err(into_io)?;
    writer.end()
}

/// A writer that fails once: what is written from then on goes nowhere.
///
/// A `ZipWriter` that is dropped writes the archive's end, and to standard error if that fails.
struct Quiet<W> {
    inner: W,
    /// Counted, as what failed cannot be asked.
    position: u64,
    has_failed: bool,
}

impl<W: Write> Quiet<W> {
    /// Tells whether everything was written.
    fn end(mut self) -> io::Result<()> {
        if self.has_failed {
            return Err(io::Error::other("an earlier write failed"));
        }
        self.inner.flush()
    }

    fn failed<T>(&mut self, error: io::Error) -> io::Result<T> {
        self.has_failed = error.kind() != io::ErrorKind::Interrupted;
        Err(error)
    }
}

impl<W: Write> Write for Quiet<W> {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        let written = if self.has_failed { Ok(bytes.len()) } else { self.inner.write(bytes) };
        match written {
            Ok(0) if !bytes.is_empty() => self.failed(io::ErrorKind::WriteZero.into()),
            Ok(count) => {
                self.position = self.position.saturating_add(count as u64);
                Ok(count)
            }
            Err(error) => self.failed(error),
        }
    }

    fn flush(&mut self) -> io::Result<()> {
        if self.has_failed {
            return Ok(());
        }
        self.inner.flush().or_else(|error| self.failed(error))
    }
}

impl<W: Write + Seek> Seek for Quiet<W> {
    fn seek(&mut self, to: SeekFrom) -> io::Result<u64> {
        let sought = match (self.has_failed, to) {
            (false, to) => self.inner.seek(to),
            (true, SeekFrom::Start(at)) => Ok(at),
            (true, SeekFrom::Current(by) | SeekFrom::End(by)) => {
                Ok(self.position.saturating_add_signed(by))
            }
        };
        match sought {
            Ok(at) => {
                self.position = at;
                Ok(at)
            }
            Err(error) => self.failed(error),
        }
    }
}

fn into_io(error: ZipError) -> io::Error {
    match error {
        ZipError::Io(error) => error,
        other => io::Error::other(other),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// A disk of so many bytes.
    struct Full {
        bytes: io::Cursor<Vec<u8>>,
        most: u64,
    }

    impl Write for Full {
        fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
            let left = self.most.saturating_sub(self.bytes.position());
            match usize::try_from(left).unwrap().min(bytes.len()) {
                0 if !bytes.is_empty() => Err(io::ErrorKind::StorageFull.into()),
                count => self.bytes.write(&bytes[..count]),
            }
        }

        fn flush(&mut self) -> io::Result<()> {
            Ok(())
        }
    }

    impl Seek for Full {
        fn seek(&mut self, to: SeekFrom) -> io::Result<u64> {
            self.bytes.seek(to)
        }
    }

    /// What the archive's writer says to standard error, a process of its own shows.
    #[test]
    fn a_disk_that_is_full_at_any_byte_is_the_error() {
        let array = HostArray::from(ndarray::Array1::<f32>::zeros(40));
        let members = || [("a", &array), ("b", &array)].into_iter();
        let mut whole = io::Cursor::new(Vec::new());
        write_npz_to(&mut whole, members()).unwrap();
        let length = whole.into_inner().len() as u64;
        for method in [CompressionMethod::Stored, CompressionMethod::Deflated] {
            let mut failed = 0;
            for most in 0..length {
                let disk = Full { bytes: io::Cursor::new(Vec::new()), most };
                if let Err(error) = write_members(disk, members(), method) {
                    assert_eq!(error.kind(), io::ErrorKind::StorageFull, "{most} of {length}");
                    failed += 1;
                }
            }
            assert!(failed == length || method == CompressionMethod::Deflated && failed > 100);
        }
    }
}
