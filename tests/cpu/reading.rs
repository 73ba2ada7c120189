//! Files that are refused by what they are, or by their size, before anything is read.

use std::fs;
use std::path::Path;
use std::time::{Duration, Instant};

use longshore::array::{NpyFile, Npz, NpzCompression, read_npz_with, write_npz_with};
use longshore::file::ReadOptions;
use longshore::import::onnx::OnnxModel;
use longshore::{Error, Graph, HostArray};
use ndarray::Array1;

use crate::folder::Folder;

/// What each way to read a file says of it.
fn refusals(path: &Path) -> [(&'static str, Error); 4] {
    [
        ("npy", HostArray::read(path).unwrap_err()),
        ("npz", Npz::open(path).unwrap_err()),
        ("onnx", OnnxModel::read(path).unwrap_err()),
        ("saved", Graph::load(path).unwrap_err()),
    ]
}

#[test]
#[cfg(target_os = "linux")]
fn what_is_no_regular_file_is_refused_at_once() {
    let folder = Folder::new("irregular");
    let pipe = folder.0.join("pipe");
    let made = std::process::Command::new("mkfifo").arg(&pipe).status().unwrap();
    assert!(made.success());
    let begun = Instant::now();
    for path in [Path::new("/dev/zero"), &pipe, &folder.0] {
        for (kind, error) in refusals(path) {
            let expected = format!(
                "{}: it is no regular file but others may have no end; copy it into a file, or hand \
                 it in as a stream",
                path.display()
            );
            assert_eq!(error.to_string(), expected, "{kind}");
        }
    }
    assert!(begun.elapsed() < Duration::from_secs(10));
}

#[test]
fn files_of_a_terabyte_are_refused_by_their_size() {
    let folder = Folder::new("sparse");
    let path = folder.sparse("a", 1 << 40);
    let begun = Instant::now();
    let [(_, npy), rest @ ..] = refusals(&path);
    // It has no header, which comes first.
    assert!(npy.to_string().contains("npy header"), "{npy}");
    for ((kind, error), most) in rest.into_iter().zip(["4294967296", "2147483648", "1073741824"]) {
        let expected = format!(
            "{}: the file needs 1099511627776 bytes but the most that is read is {most} bytes; \
             allow more with ReadOptions::most_bytes",
            path.display()
        );
        assert_eq!(error.to_string(), expected, "{kind}");
    }
    // One that is what it says, of zeros.
    let path = folder.0.join("b.npy");
    let header = HostArray::from(Array1::<u8>::zeros(0)).to_npy_bytes();
    let text = String::from_utf8_lossy(&header[10..]).replace("(0,), }", "(1099511627648,), }");
    let mut bytes = header[..10].to_vec();
    bytes.extend(text.trim_end().bytes());
    bytes.resize(127, b' ');
    bytes.push(b'\n');
    bytes[8] = 118;
    fs::write(&path, &bytes).unwrap();
    fs::File::options().write(true).open(&path).unwrap().set_len(1 << 40).unwrap();
    let file = NpyFile::open(&path, ReadOptions::new().most_bytes(u64::MAX)).unwrap();
    assert_eq!(file.shape(), [1_099_511_627_648]);
    let error = HostArray::read(&path).unwrap_err();
    assert!(matches!(error, Error::Limit { needed: 0x100_0000_0000, .. }), "{error}");
    let error = HostArray::read_named("pipe", bytes.as_slice()).unwrap_err();
    assert!(matches!(error, Error::Limit { needed: 1_099_511_627_648, .. }), "{error}");
    assert!(begun.elapsed() < Duration::from_secs(10));
}

#[test]
fn an_archive_is_bounded_in_all() {
    let folder = Folder::new("archive");
    let path = folder.0.join("a.npz");
    let zeros = HostArray::from(Array1::<f32>::zeros(1 << 18));
    let arrays = ["a", "b", "c"].map(|name| (name, &zeros));
    write_npz_with(&path, arrays, NpzCompression::Deflated).unwrap();
    assert!(fs::metadata(&path).unwrap().len() < 10_000);
    let all = 3 * ((1 << 20) + 128);
    let read = |most| read_npz_with(&path, ReadOptions::new().most_bytes(most));
    assert_eq!(read(all).unwrap().len(), 3);
    let expected = format!(
        "{}: the sum of its arrays needs {all} bytes but the most that is read is {} bytes; allow \
         more with ReadOptions::most_bytes",
        path.display(),
        all - 1
    );
    assert_eq!(read(all - 1).unwrap_err().to_string(), expected);
}

/// The file of weights that a description names may lead out of its folder as little as a model's.
#[test]
#[cfg(unix)]
fn weights_of_a_saved_graph_are_no_links() {
    let (folder, store) = (Folder::new("weights"), Folder::new("weights-store"));
    let mut g = longshore::Graph::new();
    let y = g.constant("y", HostArray::from(Array1::<f32>::ones(3))).unwrap();
    g.output("y", y);
    let path = folder.0.join("net.json");
    g.save(&path).unwrap();
    let names = fs::read_dir(&folder.0).unwrap().map(|entry| entry.unwrap().path());
    let weights = names.into_iter().find(|name| name.extension().is_some_and(|e| e == "npz"));
    let weights = weights.unwrap();
    let moved = store.0.join("blob");
    fs::rename(&weights, &moved).unwrap();
    let allowed = || Graph::load_reading(&path, &[], ReadOptions::new().allow_links(true));
    std::os::unix::fs::symlink(&moved, &weights).unwrap();
    let error = Graph::load(&path).unwrap_err().to_string();
    assert!(error.contains("is a link out of the folder"), "{error}");
    allowed().unwrap();
    fs::remove_file(&weights).unwrap();
    fs::hard_link(&moved, &weights).unwrap();
    let error = Graph::load(&path).unwrap_err().to_string();
    assert!(error.contains("has other names (hard links)"), "{error}");
    allowed().unwrap();
}
