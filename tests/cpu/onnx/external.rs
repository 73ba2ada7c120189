//! Tensors whose numbers lie beside the model: what leads elsewhere or lies about its length.

use std::fs;

use longshore::import::onnx::{ImportOptions, OnnxModel};

use super::{field, model, node, number, outcome};
use crate::folder::Folder;

/// `x` (2, 3) and three numbers that lie as these entries say.
fn external(entries: &[(&str, &str)]) -> Vec<u8> {
    let entries = entries.iter().flat_map(|(key, value)| {
        field(13, &[field(1, key.as_bytes()), field(2, value.as_bytes())].concat())
    });
    let entries: Vec<u8> = entries.collect();
    let tensor = [number(1, 3), number(2, 1), field(8, b"w"), entries, number(14, 1)].concat();
    model(&[node("Add", &["x", "w"], "y")], &[tensor])
}

fn read(folder: &Folder, bytes: &[u8], options: ImportOptions) -> Result<(), String> {
    let file = folder.0.join("m.onnx");
    fs::write(&file, bytes).unwrap();
    let model = OnnxModel::read(&file).map_err(|error| error.to_string())?;
    model.import(options).map(drop).map_err(|error| error.to_string())
}

/// Symbolic links in the file or on the way, hard links, and what an option takes of them.
#[test]
#[cfg(unix)]
fn links_out_of_the_folder_are_refused_unless_they_are_allowed() {
    use std::os::unix::fs::symlink;
    let folder = Folder::new("links");
    let other = Folder::new("links-store");
    fs::write(other.0.join("blob"), [0; 12]).unwrap();
    fs::create_dir(folder.path("inner")).unwrap();
    fs::write(folder.path("inner/data"), [0; 12]).unwrap();
    fs::write(folder.0.join("twice"), [0; 12]).unwrap();
    fs::hard_link(folder.0.join("twice"), other.0.join("hard")).unwrap();
    symlink(other.0.join("blob"), folder.0.join("file")).unwrap();
    symlink(&other.0, folder.0.join("way")).unwrap();
    symlink("file", folder.0.join("again")).unwrap();
    symlink("inner/data", folder.0.join("within")).unwrap();
    symlink("/dev/zero", folder.0.join("zero")).unwrap();
    let import = |location: &str, allow: bool| {
        let options = ImportOptions::new().allow_links(allow);
        read(&folder, &external(&[("location", location)]), options)
    };
    import("within", false).unwrap();
    for (location, part) in [
        ("file", "lies in \"file\", which is a link out of the model's folder"),
        ("way/blob", "lies in \"way/blob\", which is a link out of the model's folder"),
        ("again", "which is a link out of the model's folder"),
        ("twice", "which has other names (hard links)"),
    ] {
        let error = import(location, false).unwrap_err();
        assert!(error.contains(part) && error.contains("allow_links"), "{location}: {error}");
        import(location, true).unwrap();
    }
    for allow in [false, true] {
        let error = import("zero", allow).unwrap_err();
        assert!(error.contains("lies in \"zero\", which is no file"), "{error}");
    }
}

/// A folder that is itself reached by a link is the model's folder all the same.
#[test]
#[cfg(unix)]
fn a_model_in_a_linked_folder_reads_what_lies_beside_it() {
    let (folder, other) = (Folder::new("way"), Folder::new("way-store"));
    fs::write(other.0.join("m.onnx"), external(&[("location", "data")])).unwrap();
    fs::write(other.0.join("data"), [0; 12]).unwrap();
    std::os::unix::fs::symlink(&other.0, folder.0.join("link")).unwrap();
    let model = OnnxModel::read(folder.0.join("link/m.onnx")).unwrap();
    model.import(ImportOptions::new()).unwrap();
}

/// Three thousand tensors that name one file of 4 MiB ask for 12 GB.
#[test]
fn bytes_that_are_read_again_are_bounded() {
    let folder = Folder::new("again");
    fs::write(folder.0.join("data"), vec![0; 4 << 20]).unwrap();
    let tensor = |name: &str| {
        let location = [field(1, b"location"), field(2, b"data")].concat();
        let parts = [number(1, 1 << 20), number(2, 1), field(8, name.as_bytes())];
        [parts.concat(), field(13, &location), number(14, 1)].concat()
    };
    let model = |count: usize| {
        let tensors: Vec<Vec<u8>> =
            (0..count).map(|number| tensor(&format!("w{number}"))).collect();
        model(&[node("Relu", &["x"], "y")], &tensors)
    };
    let error = read(&folder, &model(3000), ImportOptions::new()).unwrap_err();
    let expected = "tensor \"w65\": what tensors read again of files that are read in full length \
                    already needs 4194304 bytes but what is left of the 268435456 bytes for a model \
                    is 0 bytes; allow more with ImportOptions::external_bytes";
    assert_eq!(error, expected);
    read(&folder, &model(65), ImportOptions::new()).unwrap();
    read(&folder, &model(3), ImportOptions::new().external_bytes(12 << 20)).unwrap();
    let error =
        read(&folder, &model(3), ImportOptions::new().external_bytes(11 << 20)).unwrap_err();
    assert!(
        error.contains("tensor \"w2\": what tensors read from files beside the model"),
        "{error}"
    );
}

#[test]
fn numbers_beside_the_model_are_read_where_they_are() {
    let folder = Folder::new("external");
    let file = folder.0.join("m.onnx");
    fs::write(folder.0.join("data"), [0; 20]).unwrap();
    fs::create_dir(folder.path("inner")).unwrap();
    fs::write(folder.path("inner/data"), [0; 12]).unwrap();
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
