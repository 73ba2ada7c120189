//! The two files of a saved graph.

use std::fs::{self, File, OpenOptions};
use std::io::{self, BufWriter, Write};
use std::path::{Path, PathBuf};

use super::describe::Described;
use super::restore;
use crate::array::{Npz, write_npz_to};
use crate::error::{Error, Result};
use crate::file::{
    NewFile, ReadOptions, Refused, claim, folder, open_beside, read_whole, remove_unclaimed,
    sync_folder,
};

/// The longest description that is read: some million nodes.
const MOST_BYTES: u64 = 1 << 30;

/// How many names weights of one digest may have: saves of one graph at a time, and files that
/// are damaged or not ours.
const MOST_NAMES: usize = 1000;

/// Refuses paths of other names than descriptions have.
pub(super) fn check_name(path: &Path) -> Result<()> {
    match stem(path) {
        Some(_) => Ok(()),
        None => Err(Error::Format {
            file: path.display().to_string(),
            part: "its name".to_owned(),
            got: "does not end in .json, or is not Unicode".to_owned(),
            expected: "a saved graph is NAME.json, with NAME.weights.DIGEST.npz beside it"
                .to_owned(),
            remedy: "save it under such a name".to_owned(),
        }),
    }
}

fn stem(path: &Path) -> Option<&str> {
    let is_json = path.extension().is_some_and(|ending| ending == "json");
    path.file_stem().and_then(|stem| stem.to_str()).filter(|_| is_json)
}

/// Writes both files; the description's rename is what makes them the saved graph.
pub(super) fn write(path: &Path, described: &Described<'_>) -> Result<()> {
    let failed = |action| move |reason| Error::Io { path: path.to_owned(), action, reason };
    // A link is replaced, as a load looks for the weights beside it.
    let mut description = NewFile::replacing(path)?;
    let weights =
        if described.has_arrays() { Some(Weights::write(path, described)?) } else { None };
    let text = described.text(weights.as_ref().map_or("", |weights| &weights.name))?;
    description.write_all(text.as_bytes()).map_err(failed("write"))?;
    if weights.is_some() {
        // The weights' name is on the disk before the description that needs it.
        sync_folder(folder(path)).map_err(failed("sync the folder"))?;
    }
    let old = read(path).ok();
    description.commit()?;
    if let Some(mut weights) = weights {
        weights.is_needed = true;
    }
    if let Some(old) = old {
        remove_plain(path, &old);
    }
    remove_needless(path);
    Ok(())
}

/// Removes the weights that a replaced description named, where an older version has named them.
fn remove_plain(path: &Path, old: &str) {
    let Some(stem) = stem(path) else { return };
    let plain = format!("{stem}.weights.npz");
    if names(path, old, &plain) == Some(true) && is_needless(path, &plain) {
        let _ = fs::remove_file(path.with_file_name(plain));
    }
}

/// Removes the weights that the description does not name any more, or never did as their writer
/// died.
///
/// Who removes a file holds its lock, and looks into the description again when he does: who
/// writes or takes weights holds their lock until the description names them.
fn remove_needless(path: &Path) {
    let Some(stem) = stem(path) else { return };
    let is_ours = |name: &str| is_weights(stem, name);
    remove_unclaimed(folder(path), is_ours, |name| is_needless(path, name));
}

/// Tells whether a description is there that can be read and names other weights, or none.
fn is_needless(path: &Path, name: &str) -> bool {
    read(path).is_ok_and(|text| names(path, &text, name) == Some(false))
}

fn names(path: &Path, text: &str, weights: &str) -> Option<bool> {
    restore::names(&path.display().to_string(), text, weights)
}

/// Names the file of weights: by their digest, and a number where a name is taken.
fn weights_name(stem: &str, digest: u64, number: usize) -> String {
    match number {
        0 => format!("{stem}.weights.{digest:016x}.npz"),
        _ => format!("{stem}.weights.{digest:016x}-{number}.npz"),
    }
}

/// Tells whether a name is one that [`weights_name`] makes.
fn is_weights(stem: &str, name: &str) -> bool {
    let own = name.strip_prefix(stem).and_then(|rest| rest.strip_prefix(".weights."));
    let Some(own) = own.and_then(|rest| rest.strip_suffix(".npz")) else { return false };
    let (digest, number) = own.split_once('-').unwrap_or((own, "0"));
    let is_hexadecimal = digest.bytes().all(|b| matches!(b, b'0'..=b'9' | b'a'..=b'f'));
    digest.len() == 16 && is_hexadecimal && number.parse::<usize>().is_ok()
}

/// A file of weights that no description names yet; removed unless one does.
struct Weights {
    name: String,
    path: PathBuf,
    description: PathBuf,
    /// Its lock keeps others from removing it.
    file: File,
    is_needed: bool,
}

impl Weights {
    /// Writes the arrays under a name that is free, or takes a file that holds them already.
    fn write(description: &Path, described: &Described<'_>) -> Result<Self> {
        let stem = stem(description).unwrap_or_default();
        for number in 0..MOST_NAMES {
            let name = weights_name(stem, described.digest(), number);
            let path = description.with_file_name(&name);
            let failed = |action| {
                let path = path.clone();
                move |reason| Error::Io { path, action, reason }
            };
            let description = description.to_owned();
            let (file, is_needed) =
                match OpenOptions::new().write(true).create_new(true).open(&path) {
                    Ok(file) if claim(&file, &path) => (file, false),
                    // Someone took it for a leftover before it was locked.
                    Ok(_) => continue,
                    Err(error) if error.kind() == io::ErrorKind::AlreadyExists => {
                        match taken(&description, &name, described) {
                            Some(file) => (file, true),
                            None => continue,
                        }
                    }
                    Err(error) => return Err(failed("create")(error)),
                };
            let mut weights = Weights { name, path: path.clone(), description, file, is_needed };
            if !is_needed {
                weights.fill(described).map_err(failed("write"))?;
            }
            return Ok(weights);
        }
        Err(Error::Io {
            path: description.to_owned(),
            action: "save",
            reason: io::Error::other("all names for the weights beside it are taken"),
        })
    }

    fn fill(&mut self, described: &Described<'_>) -> io::Result<()> {
        write_npz_to(BufWriter::new(&mut self.file), described.arrays())?;
        self.file.sync_all()
    }
}

/// Takes a file that holds the arrays already: the graph is saved again. It is read for that, as
/// it may be damaged, or the half of one whose writer died.
fn taken(description: &Path, name: &str, described: &Described<'_>) -> Option<File> {
    let path = description.with_file_name(name);
    if !fs::symlink_metadata(&path).is_ok_and(|found| found.is_file()) {
        return None;
    }
    let file = File::open(&path).ok()?;
    if !claim(&file, &path) {
        return None;
    }
    let text = described.text(name).ok()?;
    let npz = Npz::open(&path).ok()?;
    restore::fits(&description.display().to_string(), &text, &npz).then_some(file)
}

impl Drop for Weights {
    fn drop(&mut self) {
        // A commit may fail after the description has its name.
        let is_free = || is_needless(&self.description, &self.name) || !self.description.exists();
        if !self.is_needed && is_free() {
            let _ = fs::remove_file(&self.path);
        }
    }
}

/// Opens the file of weights that a description names, which lies beside it.
pub(super) fn open_weights(path: &Path, name: &str, options: ReadOptions) -> Result<Npz> {
    let weights = path.with_file_name(name);
    let (file, found) = open_beside(path, &weights, options.allow_links).map_err(|refused| {
        let links = "load with ReadOptions::allow_links if you trust it";
        let (got, expected, remedy) = match refused {
            Refused::Io(reason) => {
                return Error::Io { path: weights.clone(), action: "open", reason };
            }
            Refused::Irregular => ("is no file", "an .npz file", "save the graph again"),
            Refused::Outside => ("is a link out of the folder", "a file in it", links),
            Refused::HardLink => {
                ("has other names (hard links)", "a file of the graph alone", links)
            }
        };
        Error::Format {
            file: path.display().to_string(),
            part: format!("weights \"{name}\""),
            got: got.to_owned(),
            expected: expected.to_owned(),
            remedy: remedy.to_owned(),
        }
    })?;
    Npz::of_file(&weights, file, found.len(), options)
}

/// Reads a description.
fn read(path: &Path) -> Result<String> {
    read_up_to(path, None)
}

/// Reads a description of so many bytes at most.
pub(super) fn read_up_to(path: &Path, most: Option<u64>) -> Result<String> {
    let bytes = read_whole(path, most.unwrap_or(MOST_BYTES))?;
    String::from_utf8(bytes).map_err(|error| Error::Format {
        file: path.display().to_string(),
        part: "description".to_owned(),
        got: format!("is not UTF-8 from byte {} on", error.utf8_error().valid_up_to()),
        expected: "it is JSON".to_owned(),
        remedy: "save the graph again".to_owned(),
    })
}
