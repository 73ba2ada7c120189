//! The two files of a saved graph.

use std::ffi::OsString;
use std::fs::{self, File};
use std::io::{BufWriter, Read, Write};
use std::path::{Path, PathBuf};

use super::describe::Described;
use crate::array::write_npz_to;
use crate::error::{Error, Result};

/// The longest description that is read: some million nodes.
const MOST_BYTES: u64 = 1 << 30;

/// Names the file of the weights beside a description.
pub(super) fn weights_name(path: &Path) -> Result<String> {
    let stem = path.file_stem().and_then(|stem| stem.to_str());
    match stem.filter(|_| path.extension().is_some_and(|ending| ending == "json")) {
        Some(stem) => Ok(format!("{stem}.weights.npz")),
        None => Err(Error::Format {
            file: path.display().to_string(),
            part: "its name".to_owned(),
            got: "does not end in .json, or is not Unicode".to_owned(),
            expected: "a saved graph is NAME.json, with NAME.weights.npz beside it".to_owned(),
            remedy: "save it under such a name".to_owned(),
        }),
    }
}

/// Writes both files beside their names, and gives them the names once they are whole.
pub(super) fn write(path: &Path, weights_name: &str, described: &Described<'_>) -> Result<()> {
    let description =
        Unfinished::new(path.to_owned(), |file| file.write_all(described.text.as_bytes()))?;
    let weights = if described.has_arrays() {
        let write =
            |file: &mut File| write_npz_to(BufWriter::new(file), described.arrays()).map(|_| ());
        Some(Unfinished::new(path.with_file_name(weights_name), write)?)
    } else {
        None
    };
    let has_weights = weights.is_some();
    if let Some(weights) = weights {
        weights.finish("replace")?;
    }
    description.finish(if has_weights {
        "replace (the weights beside it are new already, so save again)"
    } else {
        "replace"
    })
}

/// A file under another name, removed unless it is finished.
struct Unfinished {
    path: PathBuf,
    unfinished: PathBuf,
}

impl Unfinished {
    fn new(path: PathBuf, write: impl FnOnce(&mut File) -> std::io::Result<()>) -> Result<Self> {
        let mut name = OsString::from(".");
        name.push(path.file_name().unwrap_or_default());
        name.push(format!(".{}.unfinished", std::process::id()));
        let unfinished = path.with_file_name(name);
        let failed = |action| {
            let path = path.clone();
            move |reason| Error::Io { path, action, reason }
        };
        let created = File::create(&unfinished).map_err(failed("write"));
        let this = Unfinished { path: path.clone(), unfinished };
        let mut file = created?;
        // On the disk before it has its name, so that a name never stands for half a file.
        write(&mut file).and_then(|()| file.sync_all()).map_err(failed("write"))?;
        Ok(this)
    }

    fn finish(self, action: &'static str) -> Result<()> {
        fs::rename(&self.unfinished, &self.path).map_err(|reason| Error::Io {
            path: self.path.clone(),
            action,
            reason,
        })
    }
}

impl Drop for Unfinished {
    fn drop(&mut self) {
        // Once it is finished there is none.
        let _ = fs::remove_file(&self.unfinished);
    }
}

/// Reads a description.
pub(super) fn read(path: &Path) -> Result<String> {
    read_up_to(path, MOST_BYTES)
}

fn read_up_to(path: &Path, most: u64) -> Result<String> {
    let failed = |action| move |reason| Error::Io { path: path.to_owned(), action, reason };
    let refuse = |got: String, expected: String| Error::Format {
        file: path.display().to_string(),
        part: "description".to_owned(),
        got,
        expected,
        remedy: "save the graph again".to_owned(),
    };
    let file = File::open(path).map_err(failed("open"))?;
    let mut bytes = Vec::new();
    file.take(most.saturating_add(1)).read_to_end(&mut bytes).map_err(failed("read"))?;
    if bytes.len() as u64 > most {
        let expected = format!("at most {most} are read");
        return Err(refuse("has more bytes than any graph's".to_owned(), expected));
    }
    String::from_utf8(bytes).map_err(|error| {
        let got = format!("is not UTF-8 from byte {} on", error.utf8_error().valid_up_to());
        refuse(got, "it is JSON".to_owned())
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_so_much_is_read() {
        let path = std::env::temp_dir().join(format!("longshore-read-{}", std::process::id()));
        fs::write(&path, "12345").unwrap();
        assert_eq!(read_up_to(&path, 5).unwrap(), "12345");
        let refused = read_up_to(&path, 4).unwrap_err().to_string();
        assert!(refused.contains("has more bytes than any graph's but at most 4"), "{refused}");
        fs::remove_file(&path).unwrap();
    }
}
