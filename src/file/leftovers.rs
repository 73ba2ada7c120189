//! Files under names of our own, which a writer that died has left.
//!
//! A writer holds a lock on its file for as long as it needs it. What nobody holds is a leftover:
//! the operating system gives the locks of a process back when it ends, however it ends. Where a
//! file system has no locks nothing is removed.

use std::fs::{self, File, TryLockError};
use std::hash::{BuildHasher, Hasher, RandomState};
use std::path::{Path, PathBuf};

/// What names of unfinished files end in.
const ENDING: &str = ".longshore-tmp";

/// The most bytes of a file's own name in that of its unfinished one; file systems allow 255.
const MOST_OF_NAME: usize = 180;

/// Makes a name that nobody else has: `.NAME.PID-RANDOM.longshore-tmp`.
///
/// Processes of several machines or containers have the same numbers, hence the random one.
pub(super) fn unfinished_name(target: &Path) -> PathBuf {
    let name = target.file_name().unwrap_or_default().to_string_lossy();
    let name = beginning(&name, MOST_OF_NAME);
    let random = RandomState::new().build_hasher().finish();
    let pid = std::process::id();
    target.with_file_name(format!(".{name}.{pid}-{random:016x}{ENDING}"))
}

/// Tells whether a name is one that [`unfinished_name`] makes.
fn is_unfinished(name: &str) -> bool {
    let own = name.strip_prefix('.').and_then(|name| name.strip_suffix(ENDING));
    let Some((_, number)) = own.and_then(|own| own.rsplit_once('.')) else { return false };
    let Some((pid, random)) = number.split_once('-') else { return false };
    let is_number = |text: &str| text.bytes().all(|byte| byte.is_ascii_digit());
    let is_random = |text: &str| text.len() == 16 && text.bytes().all(|b| b.is_ascii_hexdigit());
    !pid.is_empty() && is_number(pid) && is_random(random)
}

/// Locks a file, just made or found, so that nobody takes it for a leftover; tells whether it is
/// still there and no one else's.
pub(crate) fn claim(file: &File, path: &Path) -> bool {
    match file.try_lock() {
        Err(TryLockError::WouldBlock) => false,
        // Without locks nobody removes anything either.
        Ok(()) | Err(TryLockError::Error(_)) => is_same(file, path),
    }
}

/// Tells whether a path still names the file that is open.
#[cfg(unix)]
pub(super) fn is_same(file: &File, path: &Path) -> bool {
    use std::os::unix::fs::MetadataExt;
    let place = |data: fs::Metadata| (data.dev(), data.ino());
    match (file.metadata(), fs::symlink_metadata(path)) {
        (Ok(open), Ok(named)) => place(open) == place(named),
        _ => false,
    }
}

/// Tells whether a path still names a file: one that is open keeps its name here.
#[cfg(not(unix))]
pub(super) fn is_same(_: &File, path: &Path) -> bool {
    fs::symlink_metadata(path).is_ok()
}

/// Removes the unfinished files of a folder whose writers are gone.
pub(super) fn remove_from(folder: &Path) {
    remove_unclaimed(folder, is_unfinished, |_| true);
}

/// Removes the files of a folder that have certain names, if nobody holds them and, once that is
/// sure, they are not needed. What cannot be removed stays: it is in nobody's way.
pub(crate) fn remove_unclaimed(
    folder: &Path,
    is_ours: impl Fn(&str) -> bool,
    is_needless: impl Fn(&str) -> bool,
) {
    let Ok(entries) = fs::read_dir(folder) else { return };
    for entry in entries.flatten() {
        let name = entry.file_name();
        let Some(name) = name.to_str().filter(|name| is_ours(name)) else { continue };
        // A link or a pipe of such a name is not ours.
        if !entry.file_type().is_ok_and(|kind| kind.is_file()) {
            continue;
        }
        let path = entry.path();
        let Ok(file) = File::open(&path) else { continue };
        if file.try_lock().is_ok() && is_same(&file, &path) && is_needless(name) {
            let _ = fs::remove_file(&path);
        }
    }
}

/// The beginning of a text of so many bytes at most.
fn beginning(text: &str, most: usize) -> &str {
    let end = (0..=most.min(text.len())).rev().find(|&at| text.is_char_boundary(at));
    end.and_then(|end| text.get(..end)).unwrap_or_default()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_our_own_names_are_known() {
        for target in ["a.npy", ".hidden", "x", "a.1-2.tmp", &"ä".repeat(127)] {
            let name = unfinished_name(Path::new(target));
            let name = name.to_str().unwrap();
            assert!(is_unfinished(name) && name.len() <= 255, "{name}");
        }
        for name in [
            "a.12-0123456789abcdef.longshore-tmp",
            ".a.12-0123456789abcde.longshore-tmp",
            ".a.-0123456789abcdef.longshore-tmp",
            ".a.x-0123456789abcdef.longshore-tmp",
            ".12-0123456789abcdef.longshore-tmp",
            ".a.12-0123456789abcdef.tmp",
            ".longshore-tmp",
            "",
        ] {
            assert!(!is_unfinished(name), "{name}");
        }
    }

    #[test]
    fn what_is_held_stays_and_what_is_not_goes() {
        let folder = std::env::temp_dir().join(format!("longshore-held-{}", std::process::id()));
        fs::create_dir_all(&folder).unwrap();
        let [held, left] = ["a", "b"].map(|name| unfinished_name(&folder.join(name)));
        let file = File::create(&held).unwrap();
        assert!(claim(&file, &held));
        fs::write(&left, "half").unwrap();
        let other = folder.join("theirs.tmp");
        fs::write(&other, "theirs").unwrap();
        remove_from(&folder);
        assert!(held.exists() && other.exists() && !left.exists());
        drop(file);
        remove_from(&folder);
        assert!(!held.exists() && other.exists());
        fs::remove_dir_all(&folder).unwrap();
    }
}
