//! A file that takes its name once it is whole.

use std::collections::BTreeSet;
use std::fs::{self, File, OpenOptions};
use std::io::{self, BufWriter, Seek, SeekFrom, Write};
use std::path::{Path, PathBuf};

use super::leftovers::{claim, remove_from, unfinished_name};
use super::target::{Target, folder, follow, sync_folder};
use crate::error::{Error, Result};

/// How often another name is tried, where a cleaner was quicker with the one before.
const TRIES: usize = 16;

/// A file in the making: it has its name from [`commit`](NewFile::commit) on, and is removed if
/// it is dropped before.
///
/// It lies in the folder of the file that it becomes, whose permissions it takes. A symbolic link
/// stays, and what it leads to is replaced; a device or pipe is written in place. What writers
/// that died have left in the folder is removed when one is made, which a lock tells from what
/// others are writing.
#[derive(Debug)]
pub struct NewFile {
    /// As the caller named it, for messages.
    path: PathBuf,
    target: PathBuf,
    /// Its name until it is committed; none for what is written in place.
    unfinished: Option<PathBuf>,
    writer: BufWriter<File>,
}

impl NewFile {
    /// Makes an empty file that becomes `path`.
    ///
    /// # Errors
    ///
    /// [`Error::Io`] where nothing of that name can be made or replaced.
    pub fn create(path: impl AsRef<Path>) -> Result<Self> {
        let path = path.as_ref();
        let made = match follow(path) {
            Ok(Target::Replaced(target)) => NewFile::beside(path, target),
            Ok(Target::InPlace(target)) => {
                let file = OpenOptions::new().write(true).truncate(true).open(&target);
                file.map(|file| NewFile::new(path, target, None, file))
            }
            Err(error) => Err(error),
        };
        made.map_err(|reason| Error::Io { path: path.to_owned(), action: "create", reason })
    }

    /// Makes an empty file that becomes `path`, in place of a link of that name too.
    pub(crate) fn replacing(path: &Path) -> Result<Self> {
        let made = match fs::symlink_metadata(path) {
            Ok(found) if found.is_dir() => Err(io::ErrorKind::IsADirectory.into()),
            Ok(found) if !found.is_file() && !found.is_symlink() => {
                Err(io::Error::new(io::ErrorKind::InvalidInput, "it is no regular file"))
            }
            Ok(_) | Err(_) => NewFile::beside(path, path.to_owned()),
        };
        made.map_err(|reason| Error::Io { path: path.to_owned(), action: "create", reason })
    }

    fn beside(path: &Path, target: PathBuf) -> io::Result<Self> {
        // What may not be written is not replaced either.
        let permissions = match OpenOptions::new().append(true).open(&target) {
            Ok(old) => Some(old.metadata()?.permissions()),
            Err(error) if error.kind() == io::ErrorKind::NotFound => None,
            Err(error) => return Err(error),
        };
        remove_from(folder(&target));
        let (file, unfinished) = make_unfinished(&target)?;
        let this = NewFile::new(path, target, Some(unfinished), file);
        if let Some(permissions) = permissions {
            this.writer.get_ref().set_permissions(permissions)?;
        }
        Ok(this)
    }

    fn new(path: &Path, target: PathBuf, unfinished: Option<PathBuf>, file: File) -> Self {
        NewFile { path: path.to_owned(), target, unfinished, writer: BufWriter::new(file) }
    }

    /// Makes a file by a function that writes it; it is still to be committed.
    ///
    /// # Errors
    ///
    /// Those of [`create`](NewFile::create), and [`Error::Io`] for what the function returns.
    pub fn filled(
        path: impl AsRef<Path>,
        fill: impl FnOnce(&mut NewFile) -> io::Result<()>,
    ) -> Result<Self> {
        let mut file = NewFile::create(path)?;
        match fill(&mut file).and_then(|()| file.flush()) {
            Ok(()) => Ok(file),
            Err(reason) => Err(file.failed("write", reason)),
        }
    }

    /// Writes a file by a function, whole or not at all.
    ///
    /// # Errors
    ///
    /// Those of [`filled`](NewFile::filled) and [`commit`](NewFile::commit).
    pub fn write(
        path: impl AsRef<Path>,
        fill: impl FnOnce(&mut NewFile) -> io::Result<()>,
    ) -> Result<()> {
        NewFile::filled(path, fill)?.commit()
    }

    /// Waits until the bytes are on the disk, gives the file its name, and waits until that is
    /// on the disk too.
    ///
    /// # Errors
    ///
    /// [`Error::Io`]; what had the name before is there unchanged then, unless only the last
    /// wait failed.
    pub fn commit(self) -> Result<()> {
        NewFile::commit_all([self])
    }

    /// Commits several files: none before all are on the disk, and where one cannot take its name
    /// those before it give theirs back.
    ///
    /// Each name changes in one step, one directly after the other: a process that is killed
    /// between two steps leaves the files before it new and those behind it old, all whole.
    ///
    /// # Errors
    ///
    /// Those of [`commit`](NewFile::commit).
    pub fn commit_all(files: impl IntoIterator<Item = NewFile>) -> Result<()> {
        let mut files: Vec<NewFile> = files.into_iter().collect();
        for file in &mut files {
            file.finish().map_err(|reason| file.failed("write", reason))?;
        }
        let mut replaced = Replaced { files: Vec::new(), keeps: files.len() > 1 };
        for file in &mut files {
            replaced.rename(file).map_err(|reason| file.failed("replace", reason))?;
        }
        replaced.keep_new();
        let mut folders = BTreeSet::new();
        for file in &files {
            if folders.insert(folder(&file.target)) {
                let synced = sync_folder(folder(&file.target));
                synced.map_err(|reason| file.failed("sync the folder", reason))?;
            }
        }
        Ok(())
    }

    fn finish(&mut self) -> io::Result<()> {
        self.writer.flush()?;
        match self.unfinished {
            Some(_) => self.writer.get_ref().sync_all(),
            None => Ok(()),
        }
    }

    fn failed(&self, action: &'static str, reason: io::Error) -> Error {
        Error::Io { path: self.path.clone(), action, reason }
    }
}

impl Write for NewFile {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        self.writer.write(bytes)
    }

    fn flush(&mut self) -> io::Result<()> {
        self.writer.flush()
    }
}

impl Seek for NewFile {
    fn seek(&mut self, to: SeekFrom) -> io::Result<u64> {
        self.writer.seek(to)
    }
}

impl Drop for NewFile {
    fn drop(&mut self) {
        if let Some(unfinished) = &self.unfinished {
            let _ = fs::remove_file(unfinished);
        }
    }
}

/// Makes an empty file beside the one that it becomes, and holds its lock.
fn make_unfinished(target: &Path) -> io::Result<(File, PathBuf)> {
    for _ in 0..TRIES {
        let path = unfinished_name(target);
        let made = OpenOptions::new().write(true).create_new(true).open(&path);
        match made {
            Ok(file) if claim(&file, &path) => return Ok((file, path)),
            // Someone took it for a leftover before it was locked.
            Ok(_) => {}
            Err(error) if error.kind() == io::ErrorKind::AlreadyExists => {}
            Err(error) => return Err(error),
        }
    }
    Err(io::Error::other("other processes keep removing what is begun"))
}

/// Files that have their new names; dropped, what was there before comes back.
struct Replaced {
    files: Vec<(PathBuf, Before)>,
    /// Whether old files are kept: one alone is never given back.
    keeps: bool,
}

/// What had a name before a file took it.
enum Before {
    Nothing,
    /// A file, kept under this name.
    Kept(PathBuf),
    /// A file that is gone: some file systems, as for removable disks, cannot keep it.
    Gone,
}

impl Replaced {
    /// Gives a file its name.
    fn rename(&mut self, file: &mut NewFile) -> io::Result<()> {
        let Some(unfinished) = &file.unfinished else { return Ok(()) };
        let before = if self.keeps { keep(&file.target) } else { Before::Gone };
        if let Err(error) = fs::rename(unfinished, &file.target) {
            before.remove();
            return Err(error);
        }
        file.unfinished = None;
        self.files.push((file.target.clone(), before));
        Ok(())
    }

    /// Ends it: the new files stay.
    fn keep_new(&mut self) {
        for (_, before) in std::mem::take(&mut self.files) {
            before.remove();
        }
    }
}

impl Drop for Replaced {
    fn drop(&mut self) {
        for (target, before) in self.files.iter().rev() {
            // The error of the rename that failed is the one to tell.
            let _ = match before {
                Before::Nothing => fs::remove_file(target),
                Before::Kept(kept) => fs::rename(kept, target),
                Before::Gone => Ok(()),
            };
        }
    }
}

fn keep(target: &Path) -> Before {
    let kept = unfinished_name(target);
    match fs::hard_link(target, &kept) {
        Ok(()) => Before::Kept(kept),
        Err(error) if error.kind() == io::ErrorKind::NotFound => Before::Nothing,
        Err(_) => Before::Gone,
    }
}

impl Before {
    fn remove(self) {
        if let Before::Kept(kept) = self {
            let _ = fs::remove_file(kept);
        }
    }
}
