//! A graph saved by version 1 of the format, which later versions keep reading.

use std::fs;
use std::path::{Path, PathBuf};

use longshore::{Graph, HostArray, Runtime};
use ndarray::{ArrayD, IxDyn};

use super::{everything, network, prepared};

fn fixture(name: &str) -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/fixtures/saved").join(name)
}

/// What the network's outputs are for an image of counted numbers and one of zeros, on the host.
fn scores(graph: &Graph) -> Vec<f32> {
    let counted = |at: IxDyn| if at[0] == 0 { (at[1] * 4 + at[2]) as f32 / 4.0 } else { 0.0 };
    let images = ArrayD::from_shape_fn(IxDyn(&[2, 4, 4, 1]), counted);
    let rt = Runtime::host();
    let session = rt.prepare(&graph.plan(2).unwrap()).unwrap();
    let staged = rt.stage("image", &HostArray::from(images)).unwrap();
    let run = session.run([("image", &staged)]).unwrap();
    run["scores"].read().unwrap().iter().copied().collect()
}

#[test]
fn version_1_is_read() {
    let loaded = Graph::load(fixture("v1.json")).unwrap();
    assert_eq!(everything(&loaded), everything(&prepared(&network())));
    let found = scores(&loaded);
    let near = |(one, other): (&f32, &f32)| (one - other).abs() <= 1e-4 * other.abs();
    assert!(found.len() == 6 && found.iter().zip(&SCORES).all(near), "{found:?}");
    assert_eq!(found, scores(&prepared(&network())));
}

/// What is written today is that file; `LONGSHORE_WRITE_FIXTURE=1` writes it.
#[test]
fn version_1_is_written() {
    let saved = longshore::Saved::new(&prepared(&network())).unwrap();
    let description = saved.description.replace("graph.weights.npz", "v1.weights.npz");
    if std::env::var_os("LONGSHORE_WRITE_FIXTURE").is_some() {
        fs::write(fixture("v1.json"), &description).unwrap();
        fs::write(fixture("v1.weights.npz"), &saved.weights).unwrap();
    }
    let text = fs::read_to_string(fixture("v1.json")).unwrap();
    assert_eq!(description, text);
}

/// Computed in f64 by `make_scores.py` beside the fixture.
const SCORES: [f32; 6] = [296.929_7, 306.726_56, 316.523_44, -0.1, -0.0875, -0.075];
