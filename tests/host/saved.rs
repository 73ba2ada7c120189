//! Random networks saved and loaded: the same nodes, the same plan, the same results to the bit.

use std::collections::BTreeSet;

use longshore::{Graph, HostArray, Passes, PlanOptions, Saved, StagePolicy};
use ndarray::ArrayD;

use longshore_testing::executor::host::runtime;
use longshore_testing::golden::assert_same_bits;
use longshore_testing::network::{DECK, Network};

/// The names of the operations in a description: `"op": "dense"`, `"op": {"softmax": ...}`.
fn operations(description: &str) -> impl Iterator<Item = String> {
    let after = description.split("\"op\": ").skip(1);
    after.map(|text| {
        let name = text.trim_start_matches('{').trim_start_matches('"');
        name.split('"').next().unwrap().to_owned()
    })
}

/// What a run on the host gives of the graph's outputs, planned as it is.
fn results(graph: &Graph, net: &Network) -> Vec<(String, ArrayD<f32>)> {
    let options = PlanOptions::new().passes(Passes::none());
    let plan = graph.plan_with(net.batch, options).unwrap();
    let session = runtime().prepare(&plan).unwrap();
    let policy = StagePolicy::new().allow_non_finite();
    let stage = |(name, array): &(String, ArrayD<f32>)| {
        let tensor =
            runtime().stage_with(name.as_str(), &HostArray::from_view(array), policy).unwrap().0;
        (name.clone(), tensor)
    };
    let staged: Vec<_> = net.inputs.iter().map(stage).collect();
    let run = session.run(staged.iter().map(|(name, tensor)| (name.as_str(), tensor))).unwrap();
    run.outputs().map(|(name, tensor)| (name.to_owned(), tensor.read().unwrap())).collect()
}

/// Saves and loads, and compares everything that a graph and its plans consist of.
fn assert_round_trip(graph: &Graph, net: &Network, seen: &mut BTreeSet<String>) {
    let saved = Saved::new(graph).unwrap_or_else(|error| panic!("{error}\n{graph}"));
    let loaded = saved.graph().unwrap_or_else(|error| panic!("{error}\n{}", saved.description));
    seen.extend(operations(&saved.description));
    assert_eq!(format!("{:?}", loaded.nodes()), format!("{:?}", graph.nodes()));
    assert_eq!(loaded.to_string(), graph.to_string());
    for passes in [Passes::none(), Passes::all()] {
        let options = PlanOptions::new().passes(passes);
        let [one, other] =
            [graph, &loaded].map(|graph| graph.plan_with(net.batch, options.clone()).unwrap());
        assert_eq!(one.steps(), other.steps());
        assert_eq!((one.block(), one.slots()), (other.block(), other.slots()));
        assert_eq!((one.inputs(), one.outputs()), (other.inputs(), other.outputs()));
        assert_eq!(one.to_string(), other.to_string());
    }
    let (before, after) = (results(graph, net), results(&loaded, net));
    assert_eq!(before.len(), after.len());
    for ((name, before), (_, after)) in before.iter().zip(&after) {
        assert_same_bits(name, after, before);
    }
}

/// Every operator of the deck is wished for by one of these networks, and what passes make of
/// them is saved as well.
#[test]
fn networks_of_every_operator_come_back_as_they_were() {
    let seeds = (DECK.len() as u64).div_ceil(4) * 2;
    let (mut seen, mut fused) = (BTreeSet::new(), 0);
    for seed in 0..seeds {
        let net = Network::draw(seed);
        let graph = net.with_outputs(|_| true);
        assert_round_trip(&graph, &net, &mut seen);
        let (prepared, _) = Passes::all().run(&net.with_outputs(|_| false)).unwrap();
        fused += prepared.nodes().iter().filter(|node| !node.stages().is_empty()).count();
        assert_round_trip(&prepared, &net, &mut seen);
    }
    assert!(fused > 20, "{fused} nodes have stages");
    let missing: Vec<String> = variants().into_iter().filter(|name| !seen.contains(name)).collect();
    // The user's own kernels are saved in the tests of those.
    assert_eq!(missing, ["own"], "of {seen:?}");
}

/// The operations that a node can be, from the source, as a description names them.
fn variants() -> Vec<String> {
    let source = include_str!("../../src/ops/mod.rs");
    let (_, rest) = source.split_once("pub enum Op {").unwrap();
    let (body, _) = rest.split_once("\n}").unwrap();
    let lines = body.lines().filter(|line| line.starts_with("    ") && !line.starts_with("     "));
    let words = lines.map(str::trim).filter(|line| line.starts_with(|c: char| c.is_uppercase()));
    let names = words.map(|line| {
        let end = line.find(|c: char| !c.is_alphanumeric()).unwrap();
        let mut name = String::new();
        for (at, letter) in line[..end].char_indices() {
            if letter.is_ascii_uppercase() && at > 0 {
                name.push('_');
            }
            name.push(letter.to_ascii_lowercase());
        }
        match name.as_str() {
            "cum_sum" => "cumsum".to_owned(),
            "mat_mul" => "matmul".to_owned(),
            "select" => "where".to_owned(),
            _ => name,
        }
    });
    let names: Vec<String> = names.collect();
    assert!(names.len() >= 30, "{names:?}");
    names
}
