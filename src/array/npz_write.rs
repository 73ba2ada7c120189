//! Writing `.npz`.

use std::borrow::Borrow;
use std::collections::BTreeSet;
use std::fs::File;
use std::io::{BufWriter, Seek, Write};
use std::path::Path;

use zip::result::ZipError;
use zip::write::SimpleFileOptions;
use zip::{CompressionMethod, ZipWriter};

use super::host_array::HostArray;
use crate::error::{Error, Result};

/// How the members of an `.npz` are kept.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum NpzCompression {
    /// As they are, like `numpy.savez`.
    #[default]
    Stored,
    /// Deflated, like `numpy.savez_compressed`.
    Deflated,
}

/// Writes named arrays to an `.npz` file, stored. The same arrays give the same bytes.
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
    let failed = |action| move |reason| Error::Io { path: path.to_owned(), action, reason };
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
    let file = File::create(path).map_err(failed("create"))?;
    let arrays = arrays.iter().map(|(name, array)| (name.as_ref(), array.borrow()));
    write_members(BufWriter::new(file), arrays, method).map(|_| ()).map_err(failed("write"))
}

/// Writes named arrays, stored, to what can be sought in; names must differ and not be empty.
pub(crate) fn write_npz_to<'a, 'b: 'a, W: Write + Seek>(
    writer: W,
    arrays: impl Iterator<Item = (&'a str, &'a HostArray<'b>)>,
) -> std::io::Result<W> {
    write_members(writer, arrays, CompressionMethod::Stored)
}

fn write_members<'a, 'b: 'a, W: Write + Seek>(
    writer: W,
    arrays: impl Iterator<Item = (&'a str, &'a HostArray<'b>)>,
    method: CompressionMethod,
) -> std::io::Result<W> {
    let mut zip = ZipWriter::new(writer);
    for (name, array) in arrays {
        // Deflate can grow data a little, so the limit of plain zip (4 GiB) is not used up.
        let is_large = (array.len() as u64).saturating_mul(8) >= u64::from(u32::MAX) / 2;
        let options = SimpleFileOptions::default().compression_method(method).large_file(is_large);
        zip.start_file(format!("{name}.npy"), options).map_err(into_io)?;
        array.write_to(&mut zip)?;
    }
    let mut writer = zip.finish().map_err(into_io)?;
    writer.flush()?;
    Ok(writer)
}

fn into_io(error: ZipError) -> std::io::Error {
    match error {
        ZipError::Io(error) => error,
        other => std::io::Error::other(other),
    }
}
