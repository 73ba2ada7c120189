//! Files that are there whole or not at all.

use std::fs;
use std::io::{Error as IoError, ErrorKind, Write};
use std::path::PathBuf;
use std::sync::atomic::{AtomicBool, Ordering};

use longshore::file::NewFile;

use crate::folder::Folder;

fn filled(path: PathBuf, text: &str) -> NewFile {
    NewFile::filled(path, |file| file.write_all(text.as_bytes())).unwrap()
}

#[test]
fn what_fails_leaves_the_old_file_and_nothing_else() {
    let folder = Folder::new("fails");
    let path = folder.path("a.txt");
    fs::write(&path, "old").unwrap();
    let refused = NewFile::write(&path, |file| {
        file.write_all(b"half")?;
        Err(IoError::from(ErrorKind::StorageFull))
    });
    let message = refused.unwrap_err().to_string();
    assert!(message.starts_with(&format!("{}: cannot write: ", path.display())), "{message}");
    assert_eq!(fs::read_to_string(&path).unwrap(), "old");
    assert_eq!(folder.files(), ["a.txt"]);
    // One that is dropped before it is committed was never there.
    let begun = filled(path.clone(), "new");
    assert_eq!(folder.files().len(), 2);
    drop(begun);
    assert_eq!(folder.files(), ["a.txt"]);
    filled(path.clone(), "new").commit().unwrap();
    assert_eq!(fs::read_to_string(&path).unwrap(), "new");
    assert_eq!(folder.files(), ["a.txt"]);
}

#[test]
fn where_one_cannot_take_its_name_the_others_give_theirs_back() {
    let folder = Folder::new("back");
    fs::write(folder.path("a"), "old").unwrap();
    let files = ["a", "b", "c", "d"].map(|name| filled(folder.path(name), "new"));
    // Made after they were begun, as by another process.
    fs::create_dir(folder.path("c")).unwrap();
    let message = NewFile::commit_all(files).unwrap_err().to_string();
    assert!(message.contains("c: cannot replace: "), "{message}");
    assert_eq!(folder.files(), ["a", "c"]);
    assert_eq!(fs::read_to_string(folder.path("a")).unwrap(), "old");
    fs::remove_dir(folder.path("c")).unwrap();
    NewFile::commit_all(["a", "b", "c"].map(|name| filled(folder.path(name), "new"))).unwrap();
    assert_eq!(folder.files(), ["a", "b", "c"]);
    assert_eq!(fs::read_to_string(folder.path("a")).unwrap(), "new");
}

#[test]
fn leftovers_of_the_dead_are_removed_and_files_of_the_living_are_not() {
    let folder = Folder::new("leftovers");
    let left = ".a.txt.4000000-0123456789abcdef.longshore-tmp";
    fs::write(folder.path(left), "half").unwrap();
    fs::write(folder.path(".a.txt.swp"), "theirs").unwrap();
    let living = filled(folder.path("b.txt"), "b");
    filled(folder.path("a.txt"), "a").commit().unwrap();
    assert!(!folder.path(left).exists());
    living.commit().unwrap();
    assert_eq!(folder.files(), [".a.txt.swp", "a.txt", "b.txt"]);
}

#[test]
fn many_writers_of_one_name_leave_one_of_theirs() {
    let folder = Folder::new("many");
    let path = folder.path("a.txt");
    let text = |number: usize| number.to_string().repeat(10_000);
    filled(path.clone(), &text(0)).commit().unwrap();
    let is_over = AtomicBool::new(false);
    std::thread::scope(|scope| {
        let writers: Vec<_> = (0..4)
            .map(|number| {
                let path = &path;
                scope.spawn(move || {
                    for _ in 0..50 {
                        filled(path.clone(), &text(number)).commit().unwrap();
                    }
                })
            })
            .collect();
        let reader = scope.spawn(|| {
            while !is_over.load(Ordering::Relaxed) {
                let found = fs::read_to_string(&path).unwrap();
                assert!((0..4).any(|number| found == text(number)), "{} bytes", found.len());
            }
        });
        for writer in writers {
            writer.join().unwrap();
        }
        is_over.store(true, Ordering::Relaxed);
        reader.join().unwrap();
    });
    assert_eq!(folder.files(), ["a.txt"]);
}

#[test]
#[cfg(unix)]
fn links_stay_and_permissions_are_kept() {
    use std::os::unix::fs::{PermissionsExt, symlink};
    let folder = Folder::new("links");
    fs::create_dir(folder.path("store")).unwrap();
    fs::write(folder.path("store/blob"), "old").unwrap();
    fs::set_permissions(folder.path("store/blob"), fs::Permissions::from_mode(0o600)).unwrap();
    symlink("store/blob", folder.path("a")).unwrap();
    symlink("store/new", folder.path("b")).unwrap();
    for name in ["a", "b"] {
        filled(folder.path(name), "new").commit().unwrap();
        assert!(fs::symlink_metadata(folder.path(name)).unwrap().is_symlink());
        assert_eq!(fs::read_to_string(folder.path(name)).unwrap(), "new");
    }
    let mode = fs::metadata(folder.path("store/blob")).unwrap().permissions().mode();
    assert_eq!(mode & 0o777, 0o600);
    symlink("ring", folder.path("ring")).unwrap();
    let message = NewFile::create(folder.path("ring")).unwrap_err().to_string();
    assert!(message.contains("ring: cannot create: "), "{message}");
    assert_eq!(folder.files(), ["a", "b", "ring", "store"]);
}

#[test]
#[cfg(target_os = "linux")]
fn devices_are_written_in_place() {
    filled("/dev/null".into(), "new").commit().unwrap();
    let full = NewFile::write("/dev/full", |file| file.write_all(b"new"));
    let message = full.unwrap_err().to_string();
    assert!(message.starts_with("/dev/full: cannot write: No space left"), "{message}");
    assert!(!fs::metadata("/dev/null").unwrap().is_file());
    assert!(!fs::metadata("/dev/full").unwrap().is_file());
}
