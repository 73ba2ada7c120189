//! The rooms of `src/`: each uses only the rooms in its row, and those stand above it.

use std::collections::{BTreeMap, BTreeSet};

use crate::structure::{Source, read};

/// Every file or folder of `src/`, and what its code may use, in order: a row names rows above it.
const ROOMS: [(&str, &[&str]); 18] = [
    ("error", &[]),
    ("file", &["error"]),
    ("shape", &["error"]),
    ("serial", &["shape"]),
    ("ledger", &["error", "file"]),
    ("array", &["error", "file", "shape"]),
    ("data", &["error", "shape", "array"]),
    ("own", &["error", "shape", "serial"]),
    ("kernels", &["error", "shape", "own"]),
    ("ops", &["error", "shape", "serial", "array", "own", "kernels"]),
    ("graph", &["error", "shape", "array", "ops"]),
    ("import", &["error", "file", "shape", "array", "ops", "graph"]),
    ("saved", &["error", "file", "shape", "serial", "array", "own", "ops", "graph"]),
    ("host", &["error", "shape", "kernels", "ops"]),
    ("passes", &["error", "shape", "array", "ops", "graph", "host"]),
    ("plan", &["error", "shape", "ledger", "kernels", "ops", "graph", "host", "passes"]),
    ("device", &["error", "shape", "ledger", "array", "own", "graph", "kernels", "host", "plan"]),
    ("misuse", &[]),
];

/// Uses of rooms further down, each with its reason; one that is not needed any more fails.
const LATER: [(&str, &str); 4] = [
    // `Error::Crossing` says which direction and cause a guard refused.
    ("error", "ledger"),
    // Operators look at nodes, and their files add the builders to `Graph`.
    ("ops", "graph"),
    // Geometries of kernels hold options of operators.
    ("kernels", "ops"),
    // A node of constants is planned to be computed.
    ("passes", "plan"),
];

/// A use of one room by another, and the line that has it.
#[derive(Debug, PartialEq, Eq, PartialOrd, Ord)]
struct Use {
    from: String,
    to: String,
    place: String,
}

/// The code of a file, line by line: comments and the unit tests that close it are left out.
fn code(text: &str) -> Vec<&str> {
    let lines: Vec<&str> = text.lines().collect();
    let is_tests =
        |at: &usize| lines[*at].starts_with("mod tests") && lines[..*at].contains(&"#[cfg(test)]");
    let end = (0..lines.len()).find(is_tests).unwrap_or(lines.len());
    let is_comment = |line: &str| line.trim_start().starts_with("//");
    lines[..end].iter().map(|line| if is_comment(line) { "" } else { *line }).collect()
}

/// The module of a file, as the names below the crate.
fn module(path: &str) -> Vec<String> {
    let path = path.trim_start_matches("src/").trim_end_matches(".rs");
    let names = path.split('/').map(str::to_owned);
    let mut names: Vec<String> = names.collect();
    names.pop_if(|last| last == "mod");
    names
}

/// The items that `lib.rs` exports from rooms, with the room of each.
fn exports(library: &str) -> BTreeMap<String, String> {
    let text = code(library).join("\n");
    let mut found = BTreeMap::new();
    // At the beginning of a line: what modules of their own export has another path.
    for part in text.split("\npub use ").skip(1) {
        let tree = part.split(';').next().unwrap_or_default();
        let Some((room, items)) = tree.split_once("::") else { continue };
        // What tests are shown of a room is no room of its own.
        if room == "crate" {
            continue;
        }
        for item in items.split(|c: char| !is_letter(c)).filter(|item| !item.is_empty()) {
            found.insert(item.to_owned(), room.to_owned());
        }
    }
    found
}

fn is_letter(c: char) -> bool {
    c.is_alphanumeric() || c == '_'
}

/// The items of a group, `{a, b::{c, d}}` as `a` and `b::{c, d}`; the brace is the first character.
fn items(group: &str) -> Vec<&str> {
    let (mut depth, mut begin, mut found) = (0_usize, 1, Vec::new());
    for (at, c) in group.char_indices() {
        match c {
            '{' => depth += 1,
            '}' => depth -= 1,
            _ => {}
        }
        if depth == 0 || (depth == 1 && c == ',') {
            found.push(group[begin..at].trim());
            begin = at + 1;
        }
        if depth == 0 {
            break;
        }
    }
    found.retain(|item| !item.is_empty());
    found
}

/// The names below the crate that a path of a module begins with: one, or several for a group.
fn heads(path: &str, module: &[String]) -> Vec<String> {
    if let Some(rest) = path.strip_prefix("super::") {
        let (_, above) = module.split_last().expect("a path leads out of the crate");
        return heads(rest, above);
    }
    if let Some(rest) = path.strip_prefix("crate::") {
        return heads(rest, &[]);
    }
    if path.starts_with('{') {
        return items(path).into_iter().flat_map(|item| heads(item, module)).collect();
    }
    // A path relative to a module of a room stays in it.
    let first = path.split(|c: char| !is_letter(c)).next().unwrap_or_default();
    vec![module.first().map_or(first, String::as_str).to_owned()]
}

/// Every use of another room in a file.
fn uses(source: &Source, exports: &BTreeMap<String, String>) -> BTreeSet<Use> {
    let lines = code(&source.text);
    let text = lines.join("\n");
    let mut inline: Vec<(usize, String)> = Vec::new();
    let mut found = BTreeSet::new();
    let mut start = 0;
    for (number, line) in lines.iter().enumerate() {
        let indent = line.len() - line.trim_start().len();
        inline.retain(|(open, _)| line.trim_end() != format!("{}}}", " ".repeat(*open)));
        let mut module = module(&source.path);
        let room = module[0].clone();
        module.extend(inline.iter().map(|(_, name)| name.clone()));
        for (at, _) in line.match_indices("crate::").chain(line.match_indices("super::")) {
            let before = line[..at].chars().next_back();
            if before.is_some_and(|c| is_letter(c) || c == ':') {
                continue; // the second `super` of `super::super`, and names that end so
            }
            for head in heads(&text[start + at..], &module) {
                let to = exports.get(&head).cloned().unwrap_or(head);
                if to != room {
                    let place = format!("{}:{}", source.path, number + 1);
                    found.insert(Use { from: room.clone(), to, place });
                }
            }
        }
        if let Some(name) = line.split("mod ").nth(1).and_then(|rest| rest.strip_suffix(" {")) {
            inline.push((indent, name.to_owned()));
        }
        start += line.len() + 1;
    }
    found
}

#[test]
fn every_room_has_a_row() {
    let known: BTreeSet<String> = ROOMS.iter().map(|(room, _)| (*room).to_owned()).collect();
    let mut found: BTreeSet<String> = BTreeSet::new();
    found.extend(read("src", "rs").iter().map(|source| module(&source.path)[0].clone()));
    assert!(found.remove("lib"));
    assert_eq!(found, known);
    for (number, (room, may)) in ROOMS.iter().enumerate() {
        let above: Vec<&str> = ROOMS[..number].iter().map(|(room, _)| *room).collect();
        assert!(may.iter().all(|earlier| above.contains(earlier)), "{room}: {may:?}");
    }
}

#[test]
fn rooms_use_only_what_stands_above_them() {
    let sources = read("src", "rs");
    let library = sources.iter().find(|source| source.path == "src/lib.rs").unwrap();
    let exports = exports(&library.text);
    assert!(exports.len() > 20 && exports["Graph"] == "graph", "{exports:?}");
    let rooms = sources.iter().filter(|source| source.path != "src/lib.rs");
    let found: BTreeSet<Use> = rooms.flat_map(|source| uses(source, &exports)).collect();
    // As many as there are, roughly: otherwise the test looks at nothing.
    assert!(found.len() > 300, "{}", found.len());
    let allowed: BTreeMap<&str, &[&str]> = ROOMS.into_iter().collect();
    let is_later = |one: &Use| LATER.contains(&(one.from.as_str(), one.to.as_str()));
    let wrong: Vec<&Use> = found
        .iter()
        .filter(|one| !allowed[one.from.as_str()].contains(&one.to.as_str()) && !is_later(one))
        .collect();
    assert!(wrong.is_empty(), "{wrong:#?}");
    for (from, to) in LATER {
        assert!(found.iter().any(|one| one.from == from && one.to == to), "{from} uses no {to}");
    }
}

#[test]
fn the_drawing_of_the_rooms_is_true() {
    let page = include_str!("../../ARCHITECTURE.md");
    let (_, section) = page.split_once("\n## Rooms\n").unwrap();
    let drawing = section.split("```").nth(1).unwrap();
    // Where each room is: its line, and its box on that line.
    let mut drawn = BTreeMap::new();
    for (line, text) in drawing.lines().enumerate().filter(|(_, text)| text.starts_with('|')) {
        for (cell, rooms) in text.trim_matches('|').split('|').enumerate() {
            for room in rooms.split(',').map(str::trim) {
                assert_eq!(drawn.insert(room, (line, cell)), None, "{room} is drawn twice");
            }
        }
    }
    assert_eq!(drawn.len(), ROOMS.len(), "{drawn:?}");
    for (from, may) in ROOMS {
        for to in may.iter().copied() {
            let ((line, cell), (to_line, to_cell)) = (drawn[from], drawn[to]);
            assert!(to_line > line || (to_line == line && to_cell <= cell), "{from} uses {to}");
        }
    }
    for (from, to) in LATER {
        assert_eq!(drawn[from], drawn[to], "{from} and {to} are in one box");
    }
}

#[test]
fn every_form_of_a_path_is_seen() {
    let text = "use crate::plan::Plan;\nuse crate::{Error, device::{Run, Tensor}, graph};\n\
                use super::super::host;\npub(super) fn f() -> super::Local {\n    \
                super::super::own::read()\n}\nmod inner {\n    use super::super::super::saved;\n    \
                use super::Local;\n}\n// crate::comment\nuse super::{super::data, other};\n\
                fn g() {\n    let x = $crate::array::pack(crate::Graph::new());\n}\n\
                #[cfg(test)]\nmod tests {\n    use crate::tests_may;\n}\n";
    let source = Source { path: "src/kernels/conv.rs".to_owned(), text: text.to_owned() };
    let names = [("Error", "error"), ("Graph", "graph")];
    let exports = names.map(|(name, room)| (name.to_owned(), room.to_owned())).into();
    let found = uses(&source, &exports);
    let seen: Vec<(&str, &str)> =
        found.iter().map(|one| (one.to.as_str(), one.place.rsplit(':').next().unwrap())).collect();
    let expected = [
        ("array", "14"),
        ("data", "12"),
        ("device", "2"),
        ("error", "2"),
        ("graph", "14"),
        ("graph", "2"),
        ("host", "3"),
        ("own", "5"),
        ("plan", "1"),
        ("saved", "8"),
    ];
    assert_eq!(seen, expected);
}
