//! Files: written whole or not at all, read as far as they may be.
//!
//! [`NewFile`] has another name until it is on the disk: then it takes its own in one step. A
//! full disk, an error or the end of the process leaves what was there before. Everything that
//! longshore writes goes through it.
//!
//! ```
//! use std::io::Write;
//! use longshore::file::NewFile;
//!
//! # fn main() -> longshore::Result<()> {
//! # let folder = std::env::temp_dir().join(format!("longshore-doc-file-{}", std::process::id()));
//! # std::fs::create_dir_all(&folder).unwrap();
//! let path = folder.join("notes.txt");
//! NewFile::write(&path, |file| file.write_all(b"whole"))?;
//!
//! // Several at once: all of them, or none.
//! let [one, two] = ["one.txt", "two.txt"].map(|name| folder.join(name));
//! let one = NewFile::filled(one, |file| file.write_all(b"1"))?;
//! let two = NewFile::filled(two, |file| file.write_all(b"2"))?;
//! assert!(!folder.join("one.txt").exists());
//! NewFile::commit_all([one, two])?;
//! assert!(folder.join("one.txt").exists() && folder.join("two.txt").exists());
//! # std::fs::remove_dir_all(&folder).unwrap();
//! # Ok(())
//! # }
//! ```

mod leftovers;
mod new_file;
mod read;
mod target;

pub use new_file::NewFile;
pub use read::ReadOptions;

pub(crate) use leftovers::{claim, remove_unclaimed};
pub(crate) use read::{MOST_BYTES, Refused, check_size, open_beside, open_regular, read_whole};
pub(crate) use target::{folder, sync_folder};
