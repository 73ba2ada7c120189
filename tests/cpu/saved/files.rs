//! The two files: what is written, replaced, left alone, and refused.

use std::fs;
use std::path::{Path, PathBuf};

use longshore::{Activation, Graph, Saved};

use super::{everything, network};

/// A folder for one test, removed when dropped.
pub(super) struct Folder(PathBuf);

impl Folder {
    pub(super) fn new(name: &str) -> Self {
        let path = PathBuf::from(env!("CARGO_TARGET_TMPDIR"));
        let path = path.join(format!("{}-saved-{name}", std::process::id()));
        let _ = fs::remove_dir_all(&path);
        fs::create_dir_all(&path).unwrap();
        Folder(path)
    }

    pub(super) fn path(&self, name: &str) -> PathBuf {
        self.0.join(name)
    }

    fn files(&self) -> Vec<String> {
        let entries = fs::read_dir(&self.0).unwrap();
        let mut names: Vec<String> =
            entries.map(|entry| entry.unwrap().file_name().into_string().unwrap()).collect();
        names.sort();
        names
    }
}

impl Drop for Folder {
    fn drop(&mut self) {
        let _ = fs::remove_dir_all(&self.0);
    }
}

/// A graph without weights.
fn bare(alpha: f32) -> Graph {
    let mut g = Graph::new();
    let x = g.input("x", [2]);
    let y = g.activation(x, Activation::LeakyRelu(alpha)).unwrap();
    g.output("y", y);
    g
}

#[test]
fn two_files_are_written_and_read() {
    let folder = Folder::new("two");
    let path = folder.path("net.v1.json");
    let graph = network();
    graph.save(&path).unwrap();
    assert_eq!(folder.files(), ["net.v1.json", "net.v1.weights.npz"]);
    assert_eq!(everything(&Graph::load(&path).unwrap()), everything(&graph));
    // What is in the files is what is in memory, but for the name.
    let saved = Saved::new(&graph).unwrap();
    let description = fs::read_to_string(&path).unwrap();
    assert_eq!(description.replace("net.v1.weights.npz", "graph.weights.npz"), saved.description);
    assert_eq!(fs::read(folder.path("net.v1.weights.npz")).unwrap(), saved.weights);
    // Saved again, the bytes are the same.
    graph.save(&path).unwrap();
    assert_eq!(fs::read_to_string(&path).unwrap(), description);
}

#[test]
fn a_description_may_be_renamed_and_both_may_move() {
    let (folder, other) = (Folder::new("from"), Folder::new("to"));
    network().save(folder.path("net.json")).unwrap();
    fs::rename(folder.path("net.json"), other.path("renamed.txt")).unwrap();
    let npz = "net.weights.npz";
    fs::rename(folder.path(npz), other.path(npz)).unwrap();
    let loaded = Graph::load(other.path("renamed.txt")).unwrap();
    assert_eq!(everything(&loaded), everything(&network()));
}

#[test]
fn a_graph_without_weights_is_one_file() {
    let folder = Folder::new("bare");
    let path = folder.path("bare.json");
    bare(0.5).save(&path).unwrap();
    assert_eq!(folder.files(), ["bare.json"]);
    assert_eq!(everything(&Graph::load(&path).unwrap()), everything(&bare(0.5)));
    let saved = Saved::new(&bare(0.5)).unwrap();
    assert!(saved.weights.is_empty());
    assert_eq!(everything(&saved.graph().unwrap()), everything(&bare(0.5)));
}

#[test]
fn names_are_checked_before_anything_is_written() {
    let folder = Folder::new("names");
    for name in ["net", "net.npz", "net.JSON", "net.json.txt", ".json"] {
        let path = folder.path(name);
        let text = network().save(&path).unwrap_err().to_string();
        let expected = format!(
            "{}: its name does not end in .json, or is not Unicode but a saved graph is \
             NAME.json, with NAME.weights.npz beside it; save it under such a name",
            path.display()
        );
        assert_eq!(text, expected);
    }
    assert!(folder.files().is_empty(), "{:?}", folder.files());
}

#[test]
fn a_graph_that_cannot_be_saved_leaves_the_files_alone() {
    let folder = Folder::new("alone");
    let path = folder.path("net.json");
    network().save(&path).unwrap();
    let before = fs::read(&path).unwrap();
    let mut g = Graph::new();
    g.input("x", [1]);
    let text = g.save(&path).unwrap_err().to_string();
    assert!(text.contains("a graph needs at least one"), "{text}");
    assert_eq!(fs::read(&path).unwrap(), before);
    assert_eq!(folder.files(), ["net.json", "net.weights.npz"]);
}

#[test]
fn a_folder_that_is_not_there_is_an_error() {
    let folder = Folder::new("missing");
    let path = folder.path("none/net.json");
    let text = network().save(&path).unwrap_err().to_string();
    assert!(text.starts_with(&format!("{}: cannot write: ", path.display())), "{text}");
    let text = Graph::load(&path).unwrap_err().to_string();
    assert!(text.starts_with(&format!("{}: cannot open: ", path.display())), "{text}");
    assert!(folder.files().is_empty());
}

/// A folder cannot be replaced by a file, on any system.
fn block(path: &Path) {
    fs::create_dir(path).unwrap();
    fs::write(path.join("occupied"), "").unwrap();
}

#[test]
fn weights_that_cannot_be_replaced_leave_the_description_alone() {
    let folder = Folder::new("weights");
    let path = folder.path("net.json");
    bare(0.5).save(&path).unwrap();
    let before = fs::read(&path).unwrap();
    block(&folder.path("net.weights.npz"));
    let text = network().save(&path).unwrap_err().to_string();
    let npz = folder.path("net.weights.npz");
    assert!(text.starts_with(&format!("{}: cannot replace: ", npz.display())), "{text}");
    assert_eq!(fs::read(&path).unwrap(), before);
    assert_eq!(folder.files(), ["net.json", "net.weights.npz"]);
}

#[test]
fn a_description_that_cannot_be_replaced_is_said_to_have_new_weights_beside_it() {
    let folder = Folder::new("description");
    let path = folder.path("net.json");
    block(&path);
    let text = network().save(&path).unwrap_err().to_string();
    let expected = format!(
        "{}: cannot replace (the weights beside it are new already, so save again): ",
        path.display()
    );
    assert!(text.starts_with(&expected), "{text}");
    assert_eq!(folder.files(), ["net.json", "net.weights.npz"]);
    let text = bare(0.5).save(&path).unwrap_err().to_string();
    assert!(text.starts_with(&format!("{}: cannot replace: ", path.display())), "{text}");
}

#[test]
fn weights_of_another_save_are_found_out() {
    let folder = Folder::new("mixture");
    let (one, two) = (folder.path("one.json"), folder.path("two.json"));
    network().save(&one).unwrap();
    let mut other = Graph::new();
    let x = other.input("image", [longshore::Dim::Batch, 32.into()]);
    let dense = longshore::Dense::new(3).name("classes");
    let y = other.dense(x, dense, &super::layer("classes", &[32, 3], 3)).unwrap();
    other.output("y", y);
    other.save(&two).unwrap();
    let [npz, theirs] = ["one.weights.npz", "two.weights.npz"].map(|name| folder.path(name));
    fs::copy(&theirs, &npz).unwrap();
    let text = Graph::load(&one).unwrap_err().to_string();
    let expected = format!(
        "{}: no array named \"edges/kernel\"; known: classes/bias, classes/kernel; ask for one of these",
        npz.display()
    );
    assert_eq!(text, expected);
    fs::remove_file(&npz).unwrap();
    let text = Graph::load(&one).unwrap_err().to_string();
    assert!(text.starts_with(&format!("{}: cannot open: ", npz.display())), "{text}");
}

#[test]
fn a_file_that_is_no_text_is_refused() {
    let folder = Folder::new("binary");
    let path = folder.path("net.json");
    fs::write(&path, b"{\"format\": \"\xff\"}").unwrap();
    let text = Graph::load(&path).unwrap_err().to_string();
    let expected = format!(
        "{}: description is not UTF-8 from byte 12 on but it is JSON; save the graph again",
        path.display()
    );
    assert_eq!(text, expected);
}
