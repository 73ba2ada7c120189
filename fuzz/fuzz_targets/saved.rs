//! Saved graphs: an error, or a graph that can be planned, and saved again as the same graph.
//!
//! An input is the description, a byte of 0, and the weights.

#![no_main]

mod dice;
mod graphs;
mod json;

use libfuzzer_sys::{fuzz_mutator, fuzz_target, fuzzer_mutate};
use longshore::Saved;

fuzz_target!(|data: &[u8]| {
    let (description, weights) = json::split(data);
    let Ok(description) = std::str::from_utf8(description) else { return };
    let saved = Saved { description: description.to_owned(), weights: weights.to_vec() };
    let graph = match saved.graph() {
        Ok(graph) => graph,
        Err(error) => return assert!(!error.to_string().is_empty()),
    };
    graphs::use_it(&graph);
    let again = Saved::new(&graph).expect("a graph that was loaded can be saved");
    let loaded = again.graph().expect("what was saved can be loaded");
    assert_eq!(loaded.to_string(), graph.to_string());
    assert_eq!(Saved::new(&loaded).expect("and saved again"), again);
});

// Mostly other values in the description; damage of any kind in one file out of eight.
fuzz_mutator!(|data: &mut [u8], size: usize, max_size: usize, seed: u32| {
    if !seed.is_multiple_of(8)
        && let Some(changed) = json::mutate(&data[..size], seed, max_size)
    {
        data[..changed.len()].copy_from_slice(&changed);
        return changed.len();
    }
    fuzzer_mutate(data, size, max_size)
});
