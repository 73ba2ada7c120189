//! The shape of the source tree: who may move bytes, who may name wgpu, who may panic, and
//! how long a file may be.

use std::fs;
use std::path::{Path, PathBuf};

/// A file's path below the repository root, and its text.
struct Source {
    path: String,
    text: String,
}

/// Reads every file with this ending below a folder.
fn read(folder: &str, ending: &str) -> Vec<Source> {
    let root = Path::new(env!("CARGO_MANIFEST_DIR"));
    let mut found = Vec::new();
    let mut folders = vec![root.join(folder)];
    while let Some(folder) = folders.pop() {
        for entry in fs::read_dir(&folder).unwrap() {
            let path: PathBuf = entry.unwrap().path();
            if path.is_dir() {
                folders.push(path);
            } else if path.extension().is_some_and(|found| found == ending) {
                let text = fs::read_to_string(&path).unwrap();
                let path = path.strip_prefix(root).unwrap();
                let path = path.to_str().unwrap().replace('\\', "/");
                found.push(Source { path, text });
            }
        }
    }
    found.sort_by(|one, two| one.path.cmp(&two.path));
    found
}

/// The library's code: no comments, no unit tests (which close a file), no lint attributes.
fn code(text: &str) -> impl Iterator<Item = (usize, &str)> {
    let before_tests = text.split("#[cfg(test)]").next().unwrap_or_default();
    before_tests.lines().enumerate().filter_map(|(number, line)| {
        let line = line.trim();
        let is_skipped = line.starts_with("//") || line.starts_with("#[");
        (!is_skipped).then(|| (number + 1, line.split(" // ").next().unwrap_or(line)))
    })
}

/// Finds words in the code of files, except where `allowed` says so; as `path:line: word`.
fn find(sources: &[Source], words: &[&str], allowed: impl Fn(&str, &str) -> bool) -> Vec<String> {
    let mut found = Vec::new();
    for Source { path, text } in sources {
        for (number, line) in code(text) {
            for word in words.iter().filter(|word| line.contains(**word)) {
                if !allowed(path, word) {
                    found.push(format!("{path}:{number}: {word}"));
                }
            }
        }
    }
    found
}

const MOVES: [&str; 8] = [
    "write_buffer",
    "create_buffer_init",
    "copy_buffer_to_buffer",
    "map_async",
    "write_texture",
    "copy_buffer_to_texture",
    "copy_texture_to_buffer",
    "map_buffer_on_submit",
];

const PANICS: [&str; 7] = [
    "unwrap()",
    ".expect(",
    "panic!",
    "unreachable!",
    "todo!",
    "unimplemented!",
    "unwrap_unchecked",
];

const NOTHING: Vec<String> = Vec::new();

#[test]
fn two_files_move_bytes() {
    let sources = read("src", "rs");
    let movers = ["src/device/upload.rs", "src/device/read.rs"];
    assert_eq!(find(&sources, &MOVES, |path, _| movers.contains(&path)), NOTHING);
    // Both do: otherwise the words have changed, and this test looks for nothing.
    for mover in movers {
        let own = sources.iter().find(|source| source.path == mover).unwrap();
        assert!(code(&own.text).any(|(_, line)| line.contains("copy_buffer_to_buffer")), "{mover}");
    }
}

#[test]
fn the_device_layer_alone_names_wgpu() {
    let allowed = |path: &str, _: &str| path.starts_with("src/device/");
    let found = find(&read("src", "rs"), &["wgpu"], allowed);
    // The re-export, for embedders.
    assert_eq!(found.len(), 1, "{found:?}");
    assert!(found[0].starts_with("src/lib.rs:"), "{found:?}");
}

#[test]
fn own_kernels_alone_name_naga() {
    let readers = ["src/own/declare.rs", "src/own/source.rs"];
    let sources = read("src", "rs");
    assert_eq!(find(&sources, &["naga::"], |path, _| readers.contains(&path)), NOTHING);
    for reader in readers {
        let own = sources.iter().find(|source| source.path == reader).unwrap();
        assert!(code(&own.text).any(|(_, line)| line.contains("naga::")), "{reader}");
    }
}

#[test]
fn the_library_does_not_panic() {
    let allowed = |path: &str, word: &str| {
        [
            // Indexing by name panics as a map does; each has a form that returns an error.
            ("src/graph/weights.rs", "panic!"),
            ("src/device/run.rs", "panic!"),
            // Every constructor has checked the byte count that the view needs.
            ("src/array/storage.rs", ".expect("),
        ]
        .contains(&(path, word))
    };
    assert_eq!(find(&read("src", "rs"), &PANICS, allowed), NOTHING);
    for path in ["src/graph/weights.rs", "src/device/run.rs", "src/array/storage.rs"] {
        let sources: Vec<_> = read("src", "rs").into_iter().filter(|s| s.path == path).collect();
        assert_eq!(find(&sources, &PANICS, |_, _| false).len(), 1, "{path} is allowed one");
    }
}

#[test]
fn files_are_short() {
    let sources = [
        read("src", "rs"),
        read("tests", "rs"),
        read("cli", "rs"),
        read("shaders", "wgsl"),
        read("fuzz/fuzz_targets", "rs"),
    ];
    let counts: Vec<usize> = sources.iter().map(Vec::len).collect();
    assert!(counts[0] > 50 && counts[1] > 20 && counts[2] > 0 && counts[3] > 6, "{counts:?}");
    assert!(counts[4] > 3, "{counts:?}");
    let long: Vec<(&str, usize)> = sources
        .iter()
        .flatten()
        .map(|source| (source.path.as_str(), source.text.lines().count()))
        .filter(|(_, lines)| *lines >= 400)
        .collect();
    assert_eq!(long, []);
}

/// What no build here compiles: that each target is declared, runs, and stands in the page.
#[test]
fn fuzz_targets_are_declared() {
    let root = Path::new(env!("CARGO_MANIFEST_DIR"));
    let text = |path: &str| fs::read_to_string(root.join(path)).unwrap();
    let (manifest, script) = (text("fuzz/Cargo.toml"), text("scripts/fuzz.sh"));
    let page = text("docs/fuzzing.md");
    let mut targets = Vec::new();
    for Source { path, text } in read("fuzz/fuzz_targets", "rs") {
        if text.contains("fuzz_target!(") {
            let name = Path::new(&path).file_stem().unwrap().to_str().unwrap().to_owned();
            assert!(
                manifest.contains(&format!("name = \"{name}\"\npath = \"fuzz_targets/{name}.rs\""))
            );
            assert!(script.contains(&format!("    {name}) longest=")), "{name}");
            assert!(page.contains(&format!("`{name}`")), "{name}");
            targets.push(name);
        }
    }
    assert_eq!(targets, ["npy", "npz", "onnx"]);
    assert!(manifest.contains("\n[workspace]\n") && text("Cargo.toml").contains("\"fuzz\"]"));
}

#[test]
fn pure_layers_use_only_what_stands_before_them() {
    // array -> shape and errors; graph -> array; plan -> graph, kernels; passes -> plan, host; the
    // device comes last.
    let rules: [(&str, &[&str]); 11] = [
        ("src/array/", &["crate::graph", "crate::plan", "crate::device", "crate::kernels"]),
        ("src/import/", &["crate::plan", "crate::passes", "crate::device", "crate::kernels"]),
        ("src/own/", &["crate::graph", "crate::kernels", "crate::plan", "crate::device"]),
        ("src/kernels/", &["crate::plan", "crate::passes", "crate::device", "crate::array"]),
        ("src/host/", &["crate::plan", "crate::device", "crate::array", "crate::ledger"]),
        ("src/ops/", &["crate::plan", "crate::passes", "crate::device"]),
        ("src/graph/", &["crate::plan", "crate::passes", "crate::device", "crate::kernels"]),
        ("src/plan/", &["crate::passes", "crate::device"]),
        ("src/passes/", &["crate::device"]),
        ("src/saved/", &["crate::kernels", "crate::plan", "crate::passes", "crate::device"]),
        ("src/ledger/", &["crate::graph", "crate::plan", "crate::device", "crate::array"]),
    ];
    let sources = read("src", "rs");
    for (folder, later) in rules {
        assert!(sources.iter().any(|source| source.path.starts_with(folder)), "{folder}");
        let found = find(&sources, later, |path, _| !path.starts_with(folder));
        assert_eq!(found, NOTHING);
    }
}

#[test]
fn a_planted_line_is_found() {
    let text = "fn f() {\n    // queue.write_buffer is not called\n    queue.write_buffer(&b);\n    \
                #[expect(clippy::panic, reason = \"why\")]\n    let x = y.unwrap(); // .expect(\n}\n\
                #[cfg(test)]\nmod tests { fn f() { panic!() } }\n";
    let planted = [Source { path: "src/x.rs".to_owned(), text: text.to_owned() }];
    assert_eq!(find(&planted, &MOVES, |_, _| false), ["src/x.rs:3: write_buffer"]);
    assert_eq!(find(&planted, &PANICS, |_, _| false), ["src/x.rs:5: unwrap()"]);
    assert_eq!(find(&planted, &PANICS, |_, word| word == "unwrap()"), NOTHING);
}
