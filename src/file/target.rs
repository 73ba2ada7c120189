//! Where a file that is written goes: links followed, and its folder.

use std::fs::{self, File};
use std::io;
use std::path::{Path, PathBuf};

/// As many links as Linux follows.
const MOST_LINKS: usize = 40;

/// Where a path leads, and how it is written to.
pub(super) enum Target {
    /// A file, or a name that is free: replaced in one step.
    Replaced(PathBuf),
    /// A device or pipe, which cannot be replaced.
    InPlace(PathBuf),
}

/// Follows the links of a path, so that what they lead to is replaced and they stay.
pub(super) fn follow(path: &Path) -> io::Result<Target> {
    let mut target = path.to_owned();
    for _ in 0..MOST_LINKS {
        // Links to open files, as /dev/stdout is one, lead to no name that could be replaced.
        if ["/dev/", "/proc/"].iter().any(|system| target.starts_with(system)) {
            return Ok(Target::InPlace(target));
        }
        match fs::symlink_metadata(&target) {
            Ok(found) if found.is_symlink() => {
                target = folder(&target).join(fs::read_link(&target)?);
            }
            Ok(found) if found.is_dir() => return Err(io::ErrorKind::IsADirectory.into()),
            Ok(found) if !found.is_file() => return Ok(Target::InPlace(target)),
            Ok(_) => return named(target),
            Err(error) if error.kind() == io::ErrorKind::NotFound => return named(target),
            Err(error) => return Err(error),
        }
    }
    Err(io::Error::other("there are too many symbolic links"))
}

fn named(target: PathBuf) -> io::Result<Target> {
    match target.file_name() {
        Some(_) => Ok(Target::Replaced(target)),
        None => Err(io::Error::new(io::ErrorKind::InvalidInput, "it is no name of a file")),
    }
}

/// Returns the folder of a file.
pub(crate) fn folder(path: &Path) -> &Path {
    match path.parent() {
        Some(parent) if !parent.as_os_str().is_empty() => parent,
        _ => Path::new("."),
    }
}

/// Waits until the names of a folder are on the disk.
#[cfg(unix)]
pub(crate) fn sync_folder(folder: &Path) -> io::Result<()> {
    // A folder that may be written and not read cannot be opened for it.
    let Ok(opened) = File::open(folder) else { return Ok(()) };
    match opened.sync_all() {
        // Not every file system knows how.
        Err(error)
            if matches!(error.kind(), io::ErrorKind::InvalidInput | io::ErrorKind::Unsupported) =>
        {
            Ok(())
        }
        done => done,
    }
}

/// Does nothing: folders cannot be synced here, and renames are kept in the file system's journal.
#[cfg(not(unix))]
pub(crate) fn sync_folder(_: &Path) -> io::Result<()> {
    Ok(())
}
