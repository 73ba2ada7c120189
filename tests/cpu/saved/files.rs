//! The two files: what is written, replaced, left alone, and refused.

use std::fs;
use std::path::Path;

use longshore::{Activation, Graph, Saved};

use super::{everything, network, prepared};
use crate::folder::Folder;

/// The name of the weights that a description names.
fn weights_of(path: &Path) -> String {
    let text = fs::read_to_string(path).unwrap();
    let (_, rest) = text.split_once("\"weights\": \"").unwrap();
    rest.split('"').next().unwrap().to_owned()
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
    let npz = weights_of(&path);
    assert_eq!(folder.files(), ["net.v1.json", &npz]);
    assert_eq!(everything(&Graph::load(&path).unwrap()), everything(&graph));
    // What is in the files is what is in memory, but for the name.
    let saved = Saved::new(&graph).unwrap();
    let description = fs::read_to_string(&path).unwrap();
    assert_eq!(description.replace(&npz, "graph.weights.npz"), saved.description);
    assert_eq!(fs::read(folder.path(&npz)).unwrap(), saved.weights);
    // Saved again, names and bytes are the same.
    graph.save(&path).unwrap();
    assert_eq!(fs::read_to_string(&path).unwrap(), description);
    assert_eq!(folder.files(), ["net.v1.json", &npz]);
}

#[test]
fn a_description_may_be_renamed_and_both_may_move() {
    let (folder, other) = (Folder::new("from"), Folder::new("to"));
    network().save(folder.path("net.json")).unwrap();
    fs::rename(folder.path("net.json"), other.path("renamed.txt")).unwrap();
    let npz = weights_of(&other.path("renamed.txt"));
    fs::rename(folder.path(&npz), other.path(&npz)).unwrap();
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
             NAME.json, with NAME.weights.DIGEST.npz beside it; save it under such a name",
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
    assert_eq!(folder.files(), ["net.json", &weights_of(&path)]);
}

#[test]
fn a_folder_that_is_not_there_is_an_error() {
    let folder = Folder::new("missing");
    let path = folder.path("none/net.json");
    let text = network().save(&path).unwrap_err().to_string();
    assert!(text.starts_with(&format!("{}: cannot create: ", path.display())), "{text}");
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
fn names_of_weights_that_are_taken_are_left_alone() {
    let folder = Folder::new("taken");
    let path = folder.path("net.json");
    network().save(&path).unwrap();
    let npz = weights_of(&path);
    bare(0.5).save(&path).unwrap();
    assert_eq!(folder.files(), ["net.json"]);
    block(&folder.path(&npz));
    network().save(&path).unwrap();
    let other = npz.replace(".npz", "-1.npz");
    assert_eq!(folder.files(), ["net.json".to_owned(), other.clone(), npz.clone()]);
    assert_eq!(weights_of(&path), other);
    // Damaged ones of the same name are written anew.
    fs::write(folder.path(&other), "damaged").unwrap();
    network().save(&path).unwrap();
    assert_eq!(everything(&Graph::load(&path).unwrap()), everything(&network()));
}

#[test]
fn a_description_that_cannot_be_replaced_leaves_everything_alone() {
    let folder = Folder::new("description");
    let path = folder.path("net.json");
    block(&path);
    for graph in [network(), bare(0.5)] {
        let text = graph.save(&path).unwrap_err().to_string();
        assert!(text.starts_with(&format!("{}: cannot create: ", path.display())), "{text}");
        assert_eq!(folder.files(), ["net.json"]);
    }
}

#[test]
fn a_save_removes_weights_that_nobody_needs_and_no_others() {
    let folder = Folder::new("needless");
    let path = folder.path("net.json");
    // As versions before this one saved it.
    let saved = Saved::new(&network()).unwrap();
    let description = saved.description.replace("graph.weights.npz", "net.weights.npz");
    fs::write(&path, description).unwrap();
    fs::write(folder.path("net.weights.npz"), &saved.weights).unwrap();
    assert_eq!(everything(&Graph::load(&path).unwrap()), everything(&network()));
    let others = [
        "nets.weights.0123456789abcdef.npz",
        "net.weights.0123456789abcdeg.npz",
        "net.weights.mine.npz",
        "other.weights.npz",
    ];
    for name in others {
        fs::write(folder.path(name), "theirs").unwrap();
    }
    // Of saves that died, and one that is being made.
    let left = ["net.weights.0123456789abcdef.npz", "net.weights.0123456789abcdef-12.npz"];
    for name in left {
        fs::write(folder.path(name), "half").unwrap();
    }
    let held = "net.weights.00000000000000aa.npz";
    let living = fs::File::create(folder.path(held)).unwrap();
    living.lock().unwrap();
    network().save(&path).unwrap();
    let weights = weights_of(&path);
    let mut expected = vec!["net.json", &*weights, held];
    expected.extend(others);
    expected.sort_unstable();
    assert_eq!(folder.files(), expected);
    drop(living);
    bare(0.5).save(&path).unwrap();
    expected.retain(|name| *name != weights && *name != held);
    assert_eq!(folder.files(), expected);
}

#[test]
fn a_load_beside_saves_finds_a_whole_graph() {
    let folder = Folder::new("beside");
    let path = folder.path("net.json");
    let graphs = [network(), prepared(&network()), bare(0.5)];
    let texts = graphs.each_ref().map(everything);
    graphs[0].save(&path).unwrap();
    std::thread::scope(|scope| {
        let savers = graphs.each_ref().map(|graph| {
            let path = &path;
            scope.spawn(move || (0..30).for_each(|_| graph.save(path).unwrap()))
        });
        while !savers.iter().all(std::thread::ScopedJoinHandle::is_finished) {
            let found = everything(&Graph::load(&path).unwrap());
            assert!(texts.contains(&found), "{found}");
        }
    });
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
    let [npz, theirs] = [&one, &two].map(|path| folder.path(&weights_of(path)));
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
