//! Files that are read: regular ones, of no more bytes than they may have, and where another file
//! names them, below its folder.

use std::fs::{self, File, Metadata};
use std::io::{self, Read};
use std::path::Path;

use super::leftovers::is_same;
use super::target::folder;
use crate::error::{Error, Result};

/// The most bytes of one file that is read whole, unless [`ReadOptions::most_bytes`] says more.
pub(crate) const MOST_BYTES: u64 = 4 << 30;

/// Says what a file may be that is read.
///
/// ```
/// use longshore::HostArray;
/// use longshore::file::ReadOptions;
///
/// # fn main() -> longshore::Result<()> {
/// # let path = std::env::temp_dir().join(format!("longshore-doc-read-{}.npy", std::process::id()));
/// # HostArray::from(ndarray::array![1.0_f32, 2.0]).write_npy(&path)?;
/// // Refused by its size, before anything is read.
/// let refused = HostArray::read_with(&path, ReadOptions::new().most_bytes(100));
/// assert!(refused.unwrap_err().to_string().contains("needs 136 bytes"));
/// # std::fs::remove_file(&path).ok();
/// # Ok(())
/// # }
/// ```
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct ReadOptions {
    pub(crate) most_bytes: Option<u64>,
    pub(crate) allow_links: bool,
}

impl ReadOptions {
    /// Makes options that keep to the limits in SECURITY.md.
    #[must_use]
    pub fn new() -> Self {
        ReadOptions::default()
    }

    /// Sets how many bytes a file may have, and what is read of it: 4 GiB unless told, 2 GiB for
    /// an ONNX model, 1 GiB for the description of a saved graph.
    #[must_use]
    pub fn most_bytes(mut self, bytes: u64) -> Self {
        self.most_bytes = Some(bytes);
        self
    }

    /// Lets the weights of a saved graph be a link that leads out of its folder, as in caches
    /// whose files are links into a store.
    #[must_use]
    pub fn allow_links(mut self, allow: bool) -> Self {
        self.allow_links = allow;
        self
    }
}

/// Opens a regular file; what else a path may name could have no end, or nobody who writes to it.
pub(crate) fn open_regular(path: &Path) -> Result<(File, Metadata)> {
    let failed = |reason| Error::Io { path: path.to_owned(), action: "open", reason };
    // Looked at before it is opened, as opening a pipe waits, and after, as it may be another.
    if fs::metadata(path).map_err(failed)?.is_file() {
        let file = File::open(path).map_err(failed)?;
        let found = file.metadata().map_err(failed)?;
        if found.is_file() {
            return Ok((file, found));
        }
    }
    Err(Error::Format {
        file: path.display().to_string(),
        part: "it".to_owned(),
        got: "is no regular file".to_owned(),
        expected: "others may have no end".to_owned(),
        remedy: "copy it into a file, or hand it in as a stream".to_owned(),
    })
}

/// Refuses a size before anything is read.
pub(crate) fn check_size(file: &str, what: &str, bytes: u64, most: u64) -> Result<()> {
    if bytes <= most {
        return Ok(());
    }
    Err(Error::Limit {
        node: file.to_owned(),
        tensor: what.to_owned(),
        needed: bytes,
        unit: "bytes",
        limit_name: "the most that is read".to_owned(),
        limit: Some(most),
        remedy: "allow more with ReadOptions::most_bytes".to_owned(),
    })
}

/// Reads a regular file of so many bytes at most.
pub(crate) fn read_whole(path: &Path, most: u64) -> Result<Vec<u8>> {
    let name = path.display().to_string();
    let (file, found) = open_regular(path)?;
    check_size(&name, "the file", found.len(), most)?;
    let failed = |reason| Error::Io { path: path.to_owned(), action: "read", reason };
    let mut bytes = Vec::new();
    let reserve = usize::try_from(found.len()).unwrap_or(usize::MAX);
    bytes.try_reserve_exact(reserve).map_err(|error| failed(io::Error::other(error)))?;
    // It may grow meanwhile.
    file.take(most.saturating_add(1)).read_to_end(&mut bytes).map_err(failed)?;
    check_size(&name, "the file", bytes.len() as u64, most)?;
    Ok(bytes)
}

/// Why a file that another one names is not read.
#[derive(Debug)]
pub(crate) enum Refused {
    Io(io::Error),
    /// It is a folder, pipe or device.
    Irregular,
    /// A link leads out of the folder, by this path.
    Outside,
    /// It has other names, which may be anywhere.
    HardLink,
}

/// Opens a file below the folder of the file that names it, wherever links on the way lead.
pub(crate) fn open_beside(
    named_by: &Path,
    path: &Path,
    allow_links: bool,
) -> std::result::Result<(File, Metadata), Refused> {
    let is_file = fs::metadata(path).map_err(Refused::Io)?.is_file();
    if !is_file {
        return Err(Refused::Irregular);
    }
    if allow_links {
        return regular(path);
    }
    let inside = folder(named_by).canonicalize().map_err(Refused::Io)?;
    let real = path.canonicalize().map_err(Refused::Io)?;
    if !real.starts_with(&inside) {
        return Err(Refused::Outside);
    }
    let (file, found) = regular(&real)?;
    // What was looked at may have become a link by the time it was opened.
    if !is_same(&file, &real) || real.canonicalize().map_err(Refused::Io)? != real {
        return Err(Refused::Outside);
    }
    if has_other_names(&found) {
        return Err(Refused::HardLink);
    }
    Ok((file, found))
}

fn regular(path: &Path) -> std::result::Result<(File, Metadata), Refused> {
    let file = File::open(path).map_err(Refused::Io)?;
    let found = file.metadata().map_err(Refused::Io)?;
    if found.is_file() { Ok((file, found)) } else { Err(Refused::Irregular) }
}

#[cfg(unix)]
fn has_other_names(found: &Metadata) -> bool {
    std::os::unix::fs::MetadataExt::nlink(found) > 1
}

/// Files do not say here how many names they have.
#[cfg(not(unix))]
fn has_other_names(_: &Metadata) -> bool {
    false
}
