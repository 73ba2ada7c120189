//! `.npz` archives: an error or arrays, which then survive being written, alone and together.

#![no_main]

mod common;

use std::path::PathBuf;

use libfuzzer_sys::fuzz_target;
use longshore::Weights;
use longshore::array::{Npz, NpzCompression, read_npz, write_npz_with};

fn file() -> PathBuf {
    std::env::temp_dir().join(format!("longshore-fuzz-{}.npz", std::process::id()))
}

fuzz_target!(|data: &[u8]| {
    let archive = match Npz::from_bytes("fuzz.npz", data.to_vec()) {
        Ok(archive) => archive,
        Err(error) => return assert!(!error.to_string().is_empty()),
    };
    assert!(archive.array("no such member").is_err());
    for name in archive.names() {
        if let Ok(array) = archive.array(name) {
            common::assert_written_again(&array);
        }
    }
    let Ok(arrays) = archive.arrays() else { return };
    if let Ok(weights) = Weights::from_arrays("fuzz.npz", arrays.clone()) {
        assert!(weights.iter().count() <= arrays.len());
    }
    // Names that a zip archive can have and a writer refuses are errors, not findings.
    let path = file();
    for compression in [NpzCompression::Stored, NpzCompression::Deflated] {
        if write_npz_with(&path, &arrays, compression).is_ok() {
            let again = read_npz(&path).expect("what is written is read");
            assert!(again.keys().eq(arrays.keys()));
            for (name, array) in &arrays {
                common::assert_same(array, &again[name]);
            }
        }
    }
    let _ = std::fs::remove_file(path);
});
