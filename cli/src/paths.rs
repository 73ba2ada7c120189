//! Where a command writes: no two of its files may be one, and none what it has read.

use std::collections::BTreeMap;
use std::fs;
use std::path::{Component, Path, PathBuf};

use anyhow::{Result, bail};

/// How many links that lead nowhere yet are followed; systems stop there too.
const MOST_LINKS: usize = 40;

/// A path, and what stands there, as messages call it.
pub type Named = (String, PathBuf);

/// Refuses to write two files to one place, or one over a file that was read.
pub fn check(written: &[Named], read: &[Named]) -> Result<()> {
    let mut seen: BTreeMap<PathBuf, &str> =
        read.iter().map(|(what, path)| (resolved(path, MOST_LINKS), what.as_str())).collect();
    for (what, path) in written {
        if let Some(other) = seen.insert(resolved(path, MOST_LINKS), what) {
            bail!("{}: {what} would be written over {other}; give another path", path.display());
        }
    }
    Ok(())
}

/// Tells whether two paths lead to one file, which need not be there yet.
pub fn are_one(one: &Path, other: &Path) -> bool {
    resolved(one, MOST_LINKS) == resolved(other, MOST_LINKS)
}

/// Returns the one spelling that all paths to a file have.
fn resolved(path: &Path, links: usize) -> PathBuf {
    let whole = std::path::absolute(path).unwrap_or_else(|_| path.to_owned());
    let mut found = PathBuf::new();
    for part in whole.components() {
        match part {
            // What is before it is resolved already, so that this is its folder.
            Component::ParentDir => {
                found.pop();
            }
            Component::CurDir => {}
            Component::Prefix(_) | Component::RootDir | Component::Normal(_) => found.push(part),
        }
        if let Ok(real) = fs::canonicalize(&found) {
            found = real;
        } else if let (Ok(target), Some(rest)) = (fs::read_link(&found), links.checked_sub(1)) {
            // A link to what is not there yet: writing makes it there.
            found.pop();
            found = resolved(&found.join(target), rest);
        }
    }
    if cfg!(any(windows, target_os = "macos")) {
        // Their file systems do not tell letters apart by case alone.
        return PathBuf::from(found.to_string_lossy().to_lowercase());
    }
    found
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn spellings_of_a_file_that_is_not_there_are_one() {
        let here = std::env::current_dir().unwrap();
        let plain = here.join("none/y.npy");
        for other in ["none/y.npy", "./none//y.npy", "none/./y.npy", "none/in/../y.npy"] {
            assert!(are_one(&plain, Path::new(other)), "{other}");
        }
        for other in ["y.npy", "none/z.npy", "none/y.npy/y.npy", "../none/y.npy"] {
            assert!(!are_one(&plain, Path::new(other)), "{other}");
        }
    }

    #[test]
    #[cfg(unix)]
    fn links_are_followed_to_what_is_not_there_yet() {
        let folder = std::env::temp_dir().join(format!("longshore-paths-{}", std::process::id()));
        fs::create_dir_all(folder.join("real")).unwrap();
        let link = |target: &str, name: &str| {
            std::os::unix::fs::symlink(target, folder.join(name)).unwrap();
        };
        link("real", "alias");
        link("real/y.npy", "y");
        link("loop", "loop");
        let file = folder.join("real/y.npy");
        for other in ["alias/y.npy", "y", "alias/../real/y.npy"] {
            assert!(are_one(&file, &folder.join(other)), "{other}");
        }
        assert!(!are_one(&file, &folder.join("loop")));
        fs::remove_dir_all(&folder).unwrap();
    }

    #[test]
    fn what_would_be_lost_is_named() {
        let named = |what: &str, path: &str| (what.to_owned(), PathBuf::from(path));
        let outputs = [named("output \"y\"", "none/y.npy"), named("the ledger", "none/l.json")];
        check(&outputs, &[named("the model", "none/m.onnx")]).unwrap();
        let error = check(&outputs, &[named("the model", "none/../none/l.json")]).unwrap_err();
        assert_eq!(
            error.to_string(),
            "none/l.json: the ledger would be written over the model; give another path"
        );
    }
}
