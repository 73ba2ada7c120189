//! Saved graphs: what comes back, what is refused, and files that lie.

mod bits;
mod files;
mod fixture;
mod hostile;
mod lies;
mod lies_of_layers;
mod own;
mod refused;

use longshore::{
    Activation, Conv2d, Dense, Dim, Graph, HostArray, LayerWeights, Padding, Passes, Saved,
};
use ndarray::{ArrayD, IxDyn};

/// Counted numbers, each of them another one.
pub(super) fn counted(shape: &[usize]) -> ArrayD<f32> {
    let count: usize = shape.iter().product();
    let values = (0..count).map(|number| number as f32 / 8.0 - 1.0).collect();
    ArrayD::from_shape_vec(IxDyn(shape), values).unwrap()
}

pub(super) fn layer(name: &str, kernel: &[usize], bias: usize) -> LayerWeights {
    let array = |part: &str, shape: &[usize]| {
        HostArray::from(counted(shape)).with_name(format!("{name}/{part}"))
    };
    LayerWeights::new(array("kernel", kernel)).bias(array("bias", &[bias]))
}

/// A small network over images: 4 nodes, 4 weights, 2 outputs.
pub(super) fn network() -> Graph {
    let mut g = Graph::new();
    let x = g.input("image", [Dim::Batch, 4.into(), 4.into(), 1.into()]);
    let conv = Conv2d::new(2, (3, 3)).padding(Padding::Same).name("edges");
    let x = g.conv2d(x, conv.activation(Activation::Relu), &layer("edges", &[3, 3, 1, 2], 2));
    let x = g.flatten(x.unwrap()).unwrap();
    let dense = Dense::new(3).name("classes").activation(Activation::LeakyRelu(0.1));
    let y = g.dense(x, dense, &layer("classes", &[32, 3], 3)).unwrap();
    g.output("scores", y);
    g.output("again", y);
    g.output("flat", x);
    g
}

/// The network with its passes over it.
pub(super) fn prepared(graph: &Graph) -> Graph {
    Passes::all().run(graph).unwrap().0
}

/// Everything a graph is made of, as text; weights by their elements.
pub(super) fn everything(graph: &Graph) -> String {
    let saved = Saved::new(graph).unwrap();
    format!("{:?}\n{graph}\n{}", graph.nodes(), saved.description)
}

/// Saves in memory and loads.
#[track_caller]
pub(super) fn again(graph: &Graph) -> Graph {
    let saved = Saved::new(graph).unwrap_or_else(|error| panic!("{error}"));
    let loaded = saved.graph().unwrap_or_else(|error| panic!("{error}\n{}", saved.description));
    assert_eq!(Saved::new(&loaded).unwrap(), saved);
    assert_eq!(everything(&loaded), everything(graph));
    loaded
}

/// The message of a saved graph that is refused.
#[track_caller]
pub(super) fn refusal(saved: &Saved) -> String {
    match saved.graph() {
        Err(error) => error.to_string(),
        Ok(graph) => panic!("loaded\n{graph}"),
    }
}

/// A description with a piece replaced, which must be there once.
#[track_caller]
pub(super) fn changed(saved: &Saved, from: &str, to: &str) -> Saved {
    assert_eq!(saved.description.matches(from).count(), 1, "{from} in\n{}", saved.description);
    Saved { description: saved.description.replace(from, to), weights: saved.weights.clone() }
}
