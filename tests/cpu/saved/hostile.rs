//! Files that are cut or damaged: an error in words or a graph, never a panic, a hang or a large
//! allocation.

use longshore::{Graph, Saved};

use super::{network, prepared};
use longshore_testing::random::Random;

/// Loads; a graph that comes of it can be planned or refused, and saved.
fn outcome(description: &str, weights: &[u8]) -> Result<Graph, String> {
    let saved = Saved { description: description.to_owned(), weights: weights.to_vec() };
    let graph = saved.graph().map_err(|error| error.to_string())?;
    let _ = graph.plan(2);
    assert!(Saved::new(&graph).is_ok(), "{description}");
    Ok(graph)
}

/// The network as it was built, and as passes leave it.
fn both() -> [Saved; 2] {
    [network(), prepared(&network())].map(|graph| Saved::new(&graph).unwrap())
}

#[test]
fn descriptions_cut_at_any_byte_are_refused() {
    for saved in both() {
        let text = &saved.description;
        for length in 0..text.len() - 2 {
            let cut = outcome(&text[..length], &saved.weights);
            assert!(cut.is_err(), "cut at {length}: {}", &text[..length]);
        }
        // The last newline can go.
        assert!(outcome(text.trim_end(), &saved.weights).is_ok());
    }
}

#[test]
fn weights_cut_at_any_byte_are_refused() {
    let [saved, _] = both();
    for length in (0..saved.weights.len()).step_by(7) {
        let cut = outcome(&saved.description, &saved.weights[..length]);
        assert!(cut.is_err(), "cut at {length}");
    }
}

#[test]
fn descriptions_with_one_other_byte_are_refused_or_other_graphs() {
    let mut random = Random::new(23);
    let mut loaded = 0;
    for saved in both() {
        for at in 0..saved.description.len() {
            let mut bytes = saved.description.clone().into_bytes();
            // Any ASCII, digits and brackets more often than others.
            bytes[at] = match random.range(0, 4) {
                0 => *random.pick(b"[]{}\",:-.e"),
                1 => b'0' + random.range(0, 10) as u8,
                _ => random.range(0, 128) as u8,
            };
            let text = String::from_utf8(bytes).unwrap();
            loaded += usize::from(outcome(&text, &saved.weights).is_ok());
        }
    }
    // Letters of names, and spaces.
    assert!(loaded > 20, "{loaded}");
}

#[test]
fn weights_with_one_other_byte_are_refused_or_the_same() {
    let [saved, _] = both();
    let before = format!("{:?}", saved.graph().unwrap().nodes());
    let mut random = Random::new(29);
    let mut refused = 0;
    for at in 0..saved.weights.len() {
        let mut bytes = saved.weights.clone();
        bytes[at] ^= 1 << random.range(0, 8);
        match outcome(&saved.description, &bytes) {
            // Dates and the like in the archive.
            Ok(graph) => {
                assert_eq!(format!("{:?}", graph.nodes()), before);
                assert_eq!(Saved::new(&graph).unwrap(), saved);
            }
            Err(_) => refused += 1,
        }
    }
    assert!(refused > saved.weights.len() / 2, "{refused} of {}", saved.weights.len());
}

#[test]
fn any_number_may_stand_for_any_other() {
    let numbers = [
        "0",
        "1",
        "2",
        "-1",
        "3",
        "65536",
        "4294967296",
        "4611686018427387904",
        "9223372036854775807",
        "9223372036854775808",
        "18446744073709551615",
        "1e300",
        "0.5",
        "-9223372036854775808",
        "\"batch\"",
        "\"inf\"",
        "null",
        "[]",
        "{}",
        "true",
    ];
    for saved in both() {
        let text = &saved.description;
        let bytes = text.as_bytes();
        let is_digit = |at: usize| bytes.get(at).is_some_and(u8::is_ascii_digit);
        for at in (0..text.len()).filter(|&at| is_digit(at) && !is_digit(at - 1)) {
            let end = (at..text.len()).find(|&end| !is_digit(end)).unwrap();
            for number in numbers {
                let lied = format!("{}{number}{}", &text[..at], &text[end..]);
                let _ = outcome(&lied, &saved.weights);
            }
        }
    }
}

#[test]
fn deep_and_long_descriptions_end() {
    let [saved, _] = both();
    for deep in ["[", "{\"a\":", "[{\"op\":"] {
        let nested = deep.repeat(100_000);
        for text in [nested.clone(), saved.description.replace("\"reshape\"", &nested)] {
            assert!(outcome(&text, &saved.weights).is_err());
        }
    }
    // A chain of nodes, each over the one before.
    let mut text = "{\"format\": \"longshore graph\", \"version\": 1, \"weights\": null, \
                    \"arrays\": [], \"nodes\": [{\"node\": 0, \"name\": \"x\", \"op\": \"input\", \
                    \"shape\": [2]}"
        .to_owned();
    for node in 1..20_000 {
        let before = node - 1;
        let node = format!(
            ",{{\"node\": {node}, \"name\": \"relu\", \"op\": {{\"activation\": \"relu\"}}, \
             \"operands\": [{before}], \"shape\": [2]}}"
        );
        text += &node;
    }
    text += "], \"outputs\": [{\"name\": \"y\", \"node\": 19999}]}";
    let saved = Saved { description: text, weights: Vec::new() };
    assert_eq!(saved.graph().unwrap().nodes().len(), 20_000);
}
