//! The shape of the source tree: who may move bytes, who may name wgpu, who may panic, and
//! how long a function may be.

use std::fs;
use std::path::{Path, PathBuf};

/// A file's path below the repository root, and its text.
pub struct Source {
    pub path: String,
    pub text: String,
}

/// Reads every file with this ending below a folder.
pub fn read(folder: &str, ending: &str) -> Vec<Source> {
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
fn the_readers_of_wgsl_alone_name_naga() {
    let readers = [
        "src/kernels/shader.rs",
        "src/own/declare.rs",
        "src/own/loops/mod.rs",
        "src/own/loops/trips.rs",
        "src/own/loops/value.rs",
        "src/own/source.rs",
    ];
    let sources = read("src", "rs");
    assert_eq!(find(&sources, &["naga::"], |path, _| readers.contains(&path)), NOTHING);
    for reader in readers {
        let own = sources.iter().find(|source| source.path == reader).unwrap();
        assert!(code(&own.text).any(|(_, line)| line.contains("naga::")), "{reader}");
    }
}

/// Enums that grow: a match that names some of their variants names all of them.
const GROWING: [&str; 7] =
    ["Op::", "Work::", "UnaryOp::", "BinaryOp::", "ReduceOp::", "Padding::", "Space::"];

/// The lines of arms that take whatever variants of a growing enum their match does not name.
fn catch_alls(text: &str) -> Vec<usize> {
    let lines: Vec<&str> = text.lines().collect();
    let indent = |line: &str| line.len() - line.trim_start().len();
    let names = |line: &str| {
        let (pattern, _) = line.split_once("=>").unwrap_or((line, ""));
        let is_word = |(at, _): (usize, &str)| {
            !pattern[..at].ends_with(|c: char| c.is_alphanumeric() || c == ':')
        };
        GROWING.iter().any(|name| pattern.match_indices(name).any(is_word))
    };
    let mut found = Vec::new();
    for (number, line) in lines.iter().enumerate() {
        let arm = line.trim_start();
        let (pattern, _) = arm.split_once("=>").unwrap_or_default();
        let is_binding = pattern.trim().chars().all(|c| c.is_ascii_lowercase() || c == '_');
        if pattern.is_empty() || !(is_binding || pattern.starts_with("_ if ")) {
            continue;
        }
        let above = lines[..number].iter().rev().take_while(|above| {
            above.is_empty() || indent(above) >= indent(line) // within the same match
        });
        if above.filter(|above| indent(above) == indent(line)).any(|above| names(above)) {
            found.push(number + 1);
        }
    }
    found
}

#[test]
fn a_match_over_operators_names_them_all() {
    let text = "match op {\n    Op::A => 1,\n    Op::B {\n        x,\n    } => 2,\n    _ => 3,\n}\n\
                match op {\n    Op::A => 1,\n    Op::B => match x {\n        1 => 2,\n        _ => 3,\n    \
                },\n    other => 4,\n}\nmatch x {\n    1 => Op::A,\n    _ => Op::B,\n}\n";
    assert_eq!(catch_alls(text), [6, 14]);
    for Source { path, text } in read("src", "rs") {
        assert_eq!(
            catch_alls(&text),
            Vec::<usize>::new(),
            "{path}: name every variant, or use if let"
        );
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

/// The functions of formatted code, each with its first line and its number of lines.
///
/// A function ends where a line closes its brace at the indentation of its `fn`; one on a line
/// of its own, or without a body, is left out, as is text that looks like one.
fn functions(text: &str) -> Vec<(String, usize, usize)> {
    let lines: Vec<&str> = text.lines().collect();
    let mut found = Vec::new();
    for (number, line) in lines.iter().enumerate() {
        let code = line.trim_start();
        let indent = line.len() - code.len();
        let words: Vec<&str> = code.split(' ').collect();
        let is_before = |word: &&&str| {
            word.starts_with("pub")
                || word.ends_with(')')
                || ["const", "async"].contains(*word)
                || **word == "in"
        };
        let first = words.iter().take_while(is_before).count();
        if words.get(first) != Some(&"fn") || code.ends_with(['}', ';', '\\']) {
            continue;
        }
        let name = words.get(first + 1).copied().unwrap_or_default();
        let ends = |line: &&str| {
            let at = line.get(indent..).unwrap_or_default();
            line[..line.len() - at.len()].trim().is_empty()
                && (at == "}" || (at.starts_with(')') && at.ends_with(';')))
        };
        // What ends nowhere is text: a kernel, say.
        let Some(end) = lines[number..].iter().position(ends) else { continue };
        let name = name.split(['(', '<']).next().unwrap_or_default();
        found.push((name.to_owned(), number + 1, end + 1));
    }
    found
}

#[test]
fn functions_are_short() {
    // About 70 lines; a long `match` may have some more, and a test lists its cases.
    let folders = [
        ("src", 75),
        ("cli", 75),
        ("examples", 75),
        ("benches", 75),
        ("tests", 80),
        ("testing", 80),
    ];
    for (folder, most) in folders {
        let sources = read(folder, "rs");
        let mut count = 0;
        for Source { path, text } in &sources {
            for (name, line, length) in functions(text) {
                assert!(length <= most, "{path}:{line}: `{name}` has {length} lines");
                count += 1;
            }
        }
        assert!(count > sources.len(), "{folder} has {count} functions");
    }
    let planted = "impl X {\n    pub(in crate::a) const fn f<T>(\n        a: T,\n    ) -> T {\n        \
                   if a {\n        }\n    }\n    fn g(&self);\n    fn h() {}\n}\nasync fn i() {\n}\n";
    let found = functions(planted);
    assert_eq!(found, [("f".to_owned(), 2, 6), ("i".to_owned(), 11, 2)]);
}

/// It shares no mistake with what it judges.
#[test]
fn the_oracle_uses_only_ndarray() {
    let sources = read("testing/src/oracle", "rs");
    assert!(sources.len() > 20, "{}", sources.len());
    for Source { path, text } in &sources {
        for (number, line) in code(text).filter(|(_, line)| line.contains("use ")) {
            let used = line.trim_start_matches("pub(super) ").trim_start_matches("pub ");
            let is_own = ["use super::", "use self::", "use ndarray::", "use std::"];
            assert!(is_own.iter().any(|own| used.starts_with(own)), "{path}:{number}: {line}");
        }
        assert!(!text.contains("longshore"), "{path} names the crate");
    }
}

/// What every executor is tested with is listed, as a `#[test]` there would never run.
#[test]
fn the_testing_crate_has_no_tests_of_its_own() {
    let mut sources = read("testing/src", "rs");
    sources.retain(|source| source.path != "testing/src/declare.rs");
    for Source { path, text } in &sources {
        assert!(!text.contains("#[test]"), "{path}: a function of the executor, named in list.rs");
    }
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
    assert_eq!(targets, ["npy", "npz", "onnx", "own", "saved"]);
    assert!(manifest.contains("\n[workspace]\n") && text("Cargo.toml").contains("\"fuzz\"]"));
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
