//! Tensors whose numbers lie beside the model: what leads elsewhere or lies about its length.

use std::fs;
use std::path::PathBuf;

use longshore::import::onnx::{ImportOptions, OnnxModel};

use super::{field, model, node, number, outcome};

/// A folder for one test, removed when dropped.
struct Folder(PathBuf);

impl Folder {
    fn new(name: &str) -> Self {
        let path = std::env::temp_dir().join(format!("longshore-{}-{name}", std::process::id()));
        fs::create_dir_all(path.join("inner")).unwrap();
        Folder(path)
    }
}

impl Drop for Folder {
    fn drop(&mut self) {
        let _ = fs::remove_dir_all(&self.0);
    }
}

/// `x` (2, 3) and three numbers that lie as these entries say.
fn external(entries: &[(&str, &str)]) -> Vec<u8> {
    let entries = entries.iter().flat_map(|(key, value)| {
        field(13, &[field(1, key.as_bytes()), field(2, value.as_bytes())].concat())
    });
    let entries: Vec<u8> = entries.collect();
    let tensor = [number(1, 3), number(2, 1), field(8, b"w"), entries, number(14, 1)].concat();
    model(&[node("Add", &["x", "w"], "y")], &[tensor])
}

#[test]
fn numbers_beside_the_model_are_read_where_they_are() {
    let folder = Folder::new("external");
    let file = folder.0.join("m.onnx");
    fs::write(folder.0.join("data"), [0; 20]).unwrap();
    fs::write(folder.0.join("inner/data"), [0; 12]).unwrap();
    let read = |entries: &[(&str, &str)]| -> Result<(), String> {
        fs::write(&file, external(entries)).unwrap();
        let model = OnnxModel::read(&file).map_err(|error| error.to_string())?;
        model.import(ImportOptions::new()).map(drop).map_err(|error| error.to_string())
    };
    read(&[("location", "data"), ("offset", "8"), ("length", "12")]).unwrap();
    read(&[("location", "data")]).unwrap();
    for location in ["inner/data", "./data", ".//data", "././inner/./data", "inner/.//data"] {
        read(&[("location", location)]).unwrap();
    }
    for (entries, part) in [
        (&[("location", "inner")][..], "lies in \"inner\", which is no file"),
        (&[("location", "none")], "none"),
        (&[("location", "")], "a relative path below the model's folder"),
        (&[("location", ".")], "a relative path below the model's folder"),
        (&[("location", "./")], "a relative path below the model's folder"),
        (&[("location", "../data")], "a relative path below the model's folder"),
        (&[("location", "./../data")], "a relative path below the model's folder"),
        (&[("location", "inner/../data")], "a relative path below the model's folder"),
        (&[("location", "/etc/hostname")], "a relative path below the model's folder"),
        (&[], "a relative path below the model's folder"),
        (&[("location", "data"), ("offset", "9")], "takes 12 bytes from byte 9 of 20"),
        (&[("location", "data"), ("length", "13")], "takes 13 bytes from byte 0 of 20"),
        (&[("location", "data"), ("offset", "18446744073709551615")], "from byte 184467440737095"),
        (&[("location", "data"), ("offset", "-1")], "a whole number of bytes"),
        (&[("location", "data"), ("length", "1e9")], "a whole number of bytes"),
    ] {
        let error = read(entries).unwrap_err();
        assert!(error.contains(part), "{entries:?}: {error}");
    }
    // Bytes in memory have no folder.
    let error = outcome(&external(&[("location", "data")])).unwrap_err();
    assert!(error.contains("a relative path below the model's folder"), "{error}");
}
