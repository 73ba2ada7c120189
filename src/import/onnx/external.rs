//! Numbers of a model that lie in files beside it.

use std::collections::BTreeMap;
use std::fs::File;
use std::io::{Read, Seek, SeekFrom};
use std::path::{Component, Path, PathBuf};

use super::budget::Account;
use super::options::ImportOptions;
use super::proto::TensorProto;
use super::tensor::Origin;
use crate::error::{Error, Result};
use crate::file::{Refused, open_beside};

/// The most bytes that are read from files beside a model, unless the caller says otherwise.
const MOST_BYTES: u64 = 8 << 30;

/// The most bytes that are read again, of files that were read in full length already.
const MOST_AGAIN: u64 = 256 << 20;

/// As many files are open at a time; a model may name any number.
const MOST_OPEN: usize = 16;

/// The files beside a model that are open, and how many bytes may be read of them.
#[derive(Debug)]
pub(super) struct External {
    allow_links: bool,
    open: BTreeMap<PathBuf, (File, u64)>,
    /// How many bytes of each file may be read before they are bytes that are read again.
    fresh: BTreeMap<PathBuf, u64>,
    all: Account,
    again: Account,
}

impl External {
    pub(super) fn new(options: &ImportOptions) -> Self {
        let remedy = "allow more with ImportOptions::external_bytes";
        let most = |usual| options.external_bytes.unwrap_or(usual);
        let all = "what tensors read from files beside the model";
        let again = "what tensors read again of files that are read in full length already";
        External {
            allow_links: options.allow_links,
            open: BTreeMap::new(),
            fresh: BTreeMap::new(),
            all: Account::new(most(MOST_BYTES), all, remedy),
            again: Account::new(most(MOST_AGAIN), again, remedy),
        }
    }

    /// Reads the bytes of a tensor, of which it needs so many.
    pub(super) fn read(
        &mut self,
        origin: &Origin,
        part: &str,
        tensor: &TensorProto,
        needed: u64,
    ) -> Result<Vec<u8>> {
        let location = entry(tensor, "location").unwrap_or_default();
        let below = below(location);
        let Some((path, below)) = origin.path.as_ref().zip(below) else {
            let got = format!("lies in the external file \"{location}\"");
            let expected = "a relative path below the model's folder";
            return Err(origin.error(part, &got, expected, "put the data beside the model"));
        };
        let path = path.with_file_name(below);
        let offset = number(origin, part, tensor, "offset")?.unwrap_or(0);
        let length = number(origin, part, tensor, "length")?.unwrap_or(needed);
        let size = self.open(origin, part, location, &path)?;
        // Checked before anything is allocated.
        if length != needed || offset.checked_add(length).is_none_or(|end| end > size) {
            let got =
                format!("takes {length} bytes from byte {offset} of {size} in \"{location}\"");
            let expected = format!("{needed} bytes within the file");
            return Err(origin.error(part, &got, &expected, "export the model again"));
        }
        self.all.spend_bytes(part, length)?;
        let fresh = self.fresh.entry(path.clone()).or_insert(size);
        let again = length.saturating_sub(*fresh);
        *fresh = fresh.saturating_sub(length);
        self.again.spend_bytes(part, again)?;
        let io = |reason| Error::Io { path: path.clone(), action: "read", reason };
        let mut bytes = Vec::new();
        if let Some((file, _)) = self.open.get_mut(&path) {
            file.seek(SeekFrom::Start(offset)).map_err(io)?;
            file.take(length).read_to_end(&mut bytes).map_err(io)?;
        }
        Ok(bytes)
    }

    /// Opens a file, unless it is open, and returns its length.
    fn open(&mut self, origin: &Origin, part: &str, location: &str, path: &Path) -> Result<u64> {
        if let Some((_, size)) = self.open.get(path) {
            return Ok(*size);
        }
        if self.open.len() >= MOST_OPEN {
            self.open.clear();
        }
        let model = origin.path.as_deref().unwrap_or(Path::new(""));
        let (file, found) = open_beside(model, path, self.allow_links).map_err(|refused| {
            let links = "import with ImportOptions::allow_links if you trust it";
            let (got, expected, remedy) = match refused {
                Refused::Io(reason) => {
                    return Error::Io { path: path.to_owned(), action: "open", reason };
                }
                Refused::Irregular => ("is no file", "a file of numbers", "put the data there"),
                Refused::Outside => {
                    ("is a link out of the model's folder", "a file below it", links)
                }
                Refused::HardLink => {
                    ("has other names (hard links)", "a file of the model alone", links)
                }
            };
            let got = format!("lies in \"{location}\", which {got}");
            origin.error(part, &got, expected, remedy)
        })?;
        let size = found.len();
        self.open.insert(path.to_owned(), (file, size));
        Ok(size)
    }
}

fn entry<'a>(tensor: &'a TensorProto, key: &str) -> Option<&'a str> {
    let entry = tensor.external_data.iter().find(|entry| entry.key == key);
    entry.map(|entry| entry.value.as_str())
}

fn number(origin: &Origin, part: &str, tensor: &TensorProto, key: &str) -> Result<Option<u64>> {
    let Some(text) = entry(tensor, key) else { return Ok(None) };
    text.parse().map(Some).map_err(|_| {
        let got = format!("has the external {key} \"{text}\"");
        origin.error(part, &got, "a whole number of bytes", "export the model again")
    })
}

/// Returns the plain form of a path that leads downward; nothing for another one.
fn below(location: &str) -> Option<PathBuf> {
    let mut below = PathBuf::new();
    for part in Path::new(location).components() {
        match part {
            Component::Normal(part) => below.push(part),
            // Some writers begin every path with one.
            Component::CurDir => {}
            Component::Prefix(_) | Component::RootDir | Component::ParentDir => return None,
        }
    }
    (!below.as_os_str().is_empty()).then_some(below)
}
