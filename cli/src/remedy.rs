//! What the library advises, in words of the command: its messages name methods, for programs.

/// What messages of the library say, and what does the same here.
const REMEDIES: [(&str, &str); 15] = [
    (
        "stage with StagePolicy::replace_non_finite(value) or allow_non_finite()",
        "give --non-finite replace=V or --non-finite allow",
    ),
    (
        "stage with StagePolicy::replace_overflow(value) or allow_overflow()",
        "give --non-finite replace=V or --non-finite allow",
    ),
    (
        "bind it with ImportOptions::dim or ImportOptions::shape",
        "bind it with --dim NAME=N, with --input-shape, or by the array that --input gives",
    ),
    ("give it with ImportOptions::value, or make it a constant", "make it a constant of the model"),
    ("allow more with ImportOptions::filled_bytes", "store its numbers in the model"),
    (
        "plan with Graph::plan_within for a device with larger buffers",
        "name a device with larger buffers with --adapter",
    ),
    ("or Reshape::allow_zero", "or set allowzero"),
    ("name a symbol with Graph::output", "let the model have one"),
    ("Runtime::host()", "--adapter host"),
    ("open a new Runtime and stage again", "run the command again"),
    ("pack it in batches with rows()", "give a smaller array"),
    ("ReadOptions::most_bytes", "--max-bytes"),
    ("ImportOptions::external_bytes", "--max-bytes"),
    ("load with ReadOptions::allow_links", "give --allow-links"),
    ("import with ImportOptions::allow_links", "give --allow-links"),
];

/// Replaces what only a program can do by the option that does it.
pub fn for_the_command(message: &str) -> String {
    REMEDIES
        .iter()
        .fold(message.to_owned(), |text, (library, command)| text.replace(library, command))
}

#[cfg(test)]
mod tests {
    use std::fs;
    use std::path::Path;

    use super::*;

    /// Methods in messages that no command can meet, or that only a program can follow.
    const LEFT: [&str; 21] = [
        "BTreeMap::is_empty",
        "Batches::of",
        "Constant::load",
        "Constant::save",
        "Graph::load_with",
        "Graph::resize",
        "Guard::allow",
        "Option::deserialize",
        "Outcome::is_delivered",
        "OwnCall::param",
        "OwnKernel::host",
        "OwnKernel::shape",
        "OwnKernel::with_entry",
        "RuntimeOptions::require_adapter",
        "RuntimeOptions::timeout",
        "Runtime::device",
        "Runtime::queue",
        "Runtime::session",
        "Vec::is_empty",
        "as Graph::plan does",
        "name it with Graph::output",
    ];

    /// Returns the texts between quotation marks outside of comments and tests.
    fn texts(source: &str) -> Vec<String> {
        let code = source.split("#[cfg(test)]").next().unwrap_or_default();
        let lines = code.lines().filter(|line| !line.trim_start().starts_with("//"));
        let joined = lines.map(str::trim).collect::<Vec<_>>().join("\n").replace("\\\n", "");
        let odd = |line: &str| -> Vec<String> {
            line.split('"').skip(1).step_by(2).map(str::to_owned).collect()
        };
        joined.lines().flat_map(odd).collect()
    }

    fn sources(folder: &Path, found: &mut Vec<String>) {
        for entry in fs::read_dir(folder).unwrap() {
            let path = entry.unwrap().path();
            if path.is_dir() {
                sources(&path, found);
            } else if path.extension().is_some_and(|ending| ending == "rs") {
                found.extend(texts(&fs::read_to_string(&path).unwrap()));
            }
        }
    }

    /// Tells whether a text names a method, as in `Graph::output`.
    fn names_a_method(text: &str) -> bool {
        text.match_indices("::").any(|(at, _)| {
            let (before, after) = (&text[..at], &text[at + 2..]);
            let word = before.rsplit(|c: char| !c.is_alphanumeric()).next().unwrap_or_default();
            word.starts_with(char::is_uppercase) && after.starts_with(|c: char| c.is_lowercase())
        })
    }

    #[test]
    fn no_message_that_a_command_meets_names_a_method() {
        let mut found = Vec::new();
        sources(&Path::new(env!("CARGO_MANIFEST_DIR")).join("../src"), &mut found);
        let named: Vec<String> = found
            .iter()
            .filter(|text| names_a_method(text))
            .map(|text| for_the_command(text))
            .filter(|text| names_a_method(text) && !LEFT.iter().any(|left| text.contains(left)))
            .collect();
        assert!(named.is_empty(), "REMEDIES or LEFT should have:\n{}", named.join("\n"));
        for (library, _) in REMEDIES {
            assert!(found.iter().any(|text| text.contains(library)), "nothing says: {library}");
        }
    }
}
