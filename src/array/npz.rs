//! Reading `.npz`: zip archives of `.npy` members, stored or deflated.
//!
//! Nothing an archive says about itself is allocated for: the buffer of a member grows as its
//! bytes come out of the decompressor, and stops one byte past what its header promises.

use std::borrow::Cow;
use std::collections::BTreeMap;
use std::fmt;
use std::fs::File;
use std::io::{BufReader, Cursor, Read, Seek};
use std::path::{Path, PathBuf};
use std::sync::{Mutex, PoisonError};

use zip::result::ZipError;
use zip::{CompressionMethod, ZipArchive};

use super::host_array::HostArray;
use super::npy::{check_length, from_parts, read_header, read_up_to};
use crate::error::{Error, Result};
use crate::file::{MOST_BYTES, ReadOptions, check_size, open_regular};

/// An open `.npz` archive.
///
/// Members whose names end in `.npy` are its arrays, named without the ending; a name may hold
/// `/`, as in `conv/kernel`. Other members and directories are ignored. Archives in which two
/// members have one name, or share bytes, are refused.
pub struct Npz {
    file: String,
    archive: Mutex<ZipArchive<Box<dyn Source>>>,
    members: BTreeMap<String, Member>,
}

struct Member {
    index: usize,
    compression: CompressionMethod,
    is_encrypted: bool,
    compressed_bytes: u64,
    bytes: u64,
}

trait Source: Read + Seek + Send {}
impl<S: Read + Seek + Send> Source for S {}

/// Reads every array of an `.npz` file; they are named after the file and their member.
///
/// # Errors
///
/// Those of [`Npz::open`] and [`Npz::array`].
pub fn read_npz(path: impl AsRef<Path>) -> Result<BTreeMap<String, HostArray<'static>>> {
    read_npz_with(path, ReadOptions::new())
}

/// Reads every array of an `.npz` file that may have another size than [`read_npz`] takes.
///
/// # Errors
///
/// Those of [`read_npz`].
pub fn read_npz_with(
    path: impl AsRef<Path>,
    options: ReadOptions,
) -> Result<BTreeMap<String, HostArray<'static>>> {
    Npz::open_with(path, options)?.arrays()
}

impl Npz {
    /// Opens an archive and reads its directory.
    ///
    /// # Errors
    ///
    /// [`Error::Io`], [`Error::Format`] when the file is no regular one, not a zip archive, or one
    /// with duplicate names or overlapping members, [`Error::Limit`] when the file, or all arrays
    /// together, have more than 4 GiB.
    pub fn open(path: impl AsRef<Path>) -> Result<Self> {
        Npz::open_with(path, ReadOptions::new())
    }

    /// Opens an archive that may have another size than [`open`](Self::open) takes.
    ///
    /// # Errors
    ///
    /// Those of [`open`](Self::open).
    pub fn open_with(path: impl AsRef<Path>, options: ReadOptions) -> Result<Self> {
        let path = path.as_ref();
        let (file, found) = open_regular(path)?;
        Npz::of_file(path, file, found.len(), options)
    }

    /// Reads the directory of a file that is open and has so many bytes.
    pub(crate) fn of_file(
        path: &Path,
        file: File,
        bytes: u64,
        options: ReadOptions,
    ) -> Result<Self> {
        let name = path.display().to_string();
        let most = options.most_bytes.unwrap_or(MOST_BYTES);
        check_size(&name, "the file", bytes, most)?;
        Npz::new(name, Box::new(BufReader::new(file)), most)
    }

    /// Opens an archive in memory, which errors call `name`.
    ///
    /// # Errors
    ///
    /// Those of [`open`](Self::open).
    pub fn from_bytes(name: &str, bytes: Vec<u8>) -> Result<Self> {
        Self::new(name.to_owned(), Box::new(Cursor::new(bytes)), MOST_BYTES)
    }

    fn new(file: String, source: Box<dyn Source>, most: u64) -> Result<Self> {
        let fail = |error| unreadable(&file, error);
        let mut archive = ZipArchive::new(source).map_err(fail)?;
        if archive.has_duplicate_names() {
            return Err(suspicious(&file, "has two members of one name", "names are unique"));
        }
        if archive.has_overlapping_files().map_err(fail)? {
            return Err(suspicious(&file, "has members that share bytes", "each has its own"));
        }
        let mut members = BTreeMap::new();
        for index in 0..archive.len() {
            let entry = archive.by_index_data(index).map_err(fail)?;
            let name = entry.name().map_err(fail)?;
            let Some(name) = name.strip_suffix(".npy") else { continue };
            let member = Member {
                index,
                compression: entry.compression(),
                is_encrypted: entry.encrypted(),
                compressed_bytes: entry.compressed_size(),
                bytes: entry.size(),
            };
            if members.insert(name.to_owned(), member).is_some() {
                return Err(suspicious(&file, "has two members of one name", "names are unique"));
            }
        }
        let bytes = members.values().map(|member| member.bytes).fold(0, u64::saturating_add);
        check_size(&file, "the sum of its arrays", bytes, most)?;
        Ok(Npz { file, archive: Mutex::new(archive), members })
    }

    /// Returns the names of the arrays, sorted.
    pub fn names(&self) -> impl ExactSizeIterator<Item = &str> {
        self.members.keys().map(String::as_str)
    }

    /// Reads one array; its own name is then `FILE:NAME`.
    ///
    /// # Errors
    ///
    /// [`Error::Name`] when there is none of that name, [`Error::Format`] when the member is
    /// encrypted, compressed by another method than deflate, damaged, or not the size it says,
    /// and the errors of [`HostArray::read`].
    pub fn array(&self, name: &str) -> Result<HostArray<'static>> {
        let member = self.members.get(name).ok_or_else(|| self.unknown(name))?;
        let label = format!("{}:{name}", self.file);
        check_method(&label, member)?;
        // The lock guards a file position, which every read sets anew.
        let mut archive = self.archive.lock().unwrap_or_else(PoisonError::into_inner);
        let mut reader =
            archive.by_index(member.index).map_err(|error| unreadable(&label, error))?;
        let damaged = |error| decompression(&label, error);
        let header = read_header(&label, &mut reader).map_err(damaged)?;
        let promised = (header.data_bytes as u64).saturating_add(header.data_offset);
        if promised != member.bytes {
            return Err(Error::Format {
                file: label,
                part: "member".to_owned(),
                got: format!("says it has {} bytes", member.bytes),
                expected: format!("its npy header promises {promised}"),
                remedy: "the archive is damaged or hostile: write it again with numpy.savez".into(),
            });
        }
        // Reading one byte more than wanted also makes the reader check the member's CRC.
        let most = header.data_bytes.saturating_add(1);
        // Opening has checked that the compressed bytes are all within the file.
        let reserve = usize::try_from(member.compressed_bytes).unwrap_or(0).min(most);
        let bytes = read_up_to(&label, &mut reader, most, reserve).map_err(damaged)?;
        check_length(&label, &header, bytes.len() as u64)?;
        Ok(from_parts(&label, header, Cow::Owned(bytes)))
    }

    /// Reads every array.
    ///
    /// # Errors
    ///
    /// Those of [`array`](Self::array).
    pub fn arrays(&self) -> Result<BTreeMap<String, HostArray<'static>>> {
        self.members.keys().map(|name| Ok((name.clone(), self.array(name)?))).collect()
    }

    fn unknown(&self, name: &str) -> Error {
        let known: Vec<&str> = self.names().collect();
        Error::Name {
            node: self.file.clone(),
            problem: "no array named".to_owned(),
            name: name.to_owned(),
            known: if known.is_empty() { "none".to_owned() } else { known.join(", ") },
            remedy: "ask for one of these".to_owned(),
        }
    }
}

impl fmt::Debug for Npz {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Npz")
            .field("file", &self.file)
            .field("names", &self.members.keys())
            .finish_non_exhaustive()
    }
}

fn check_method(label: &str, member: &Member) -> Result<()> {
    let refuse = |got: String| Error::Format {
        file: label.to_owned(),
        part: "member".to_owned(),
        got,
        expected: "stored and deflated members can be read".to_owned(),
        remedy: "write the archive again with numpy.savez or numpy.savez_compressed".to_owned(),
    };
    if member.is_encrypted {
        return Err(refuse("is encrypted".to_owned()));
    }
    let named = [
        (CompressionMethod::DEFLATE64, "Deflate64"),
        (CompressionMethod::BZIP2, "bzip2"),
        (CompressionMethod::LZMA, "LZMA"),
        (CompressionMethod::ZSTD, "Zstandard"),
        (CompressionMethod::XZ, "XZ"),
    ];
    match member.compression {
        CompressionMethod::Stored | CompressionMethod::Deflated => Ok(()),
        other => Err(refuse(match named.iter().find(|(method, _)| *method == other) {
            Some((_, name)) => format!("is compressed with {name}"),
            None => format!("is compressed with method {other:?}"),
        })),
    }
}

fn suspicious(file: &str, got: &str, expected: &str) -> Error {
    Error::Format {
        file: file.to_owned(),
        part: "zip archive".to_owned(),
        got: got.to_owned(),
        expected: expected.to_owned(),
        remedy: "write the archive again with numpy.savez".to_owned(),
    }
}

fn unreadable(file: &str, error: ZipError) -> Error {
    match error {
        ZipError::Io(source) if is_from_outside(&source) => {
            Error::Io { path: PathBuf::from(file), action: "read", reason: source }
        }
        other => suspicious(
            file,
            &format!("cannot be read ({other})"),
            "an .npz file is a zip archive of .npy files",
        ),
    }
}

/// Makes the failure of a decompressor an error about the format, which it is.
fn decompression(label: &str, error: Error) -> Error {
    match error {
        Error::Io { reason: source, .. } if !is_from_outside(&source) => suspicious(
            label,
            &format!("cannot be decompressed ({source})"),
            "a member decompresses to the bytes and the checksum in its entry",
        ),
        other => other,
    }
}

/// Tells whether an I/O error came from the operating system rather than from bad bytes.
fn is_from_outside(error: &std::io::Error) -> bool {
    error.raw_os_error().is_some()
}
