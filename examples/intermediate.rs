//! Looking inside of a network: any symbol can be named as an output.
//!
//! The first convolution's activation is an output beside the probabilities. It costs a
//! buffer of its own, and a crossing only if it is read.
//!
//!     cargo run --release --example intermediate

mod common;

use longshore::ledger::Cause;
use longshore::{Graph, HostArray, Runtime, Shape, UpSampling2d, Weights};
use ndarray::{ArrayView2, Axis, s};

const IMAGES: usize = 4;

fn main() -> anyhow::Result<()> {
    let rt = Runtime::open()?;
    let file = HostArray::read(common::digits("test_images.npy"))?;
    let images = rt.stage("images", file.rows(0..IMAGES)?)?;
    let weights = Weights::read_npz(common::digits("weights.npz"))?;

    let mut g = Graph::new();
    let x = g.input("image", Shape::batch([8, 8, 1]));
    let x = g.up_sampling2d(x, UpSampling2d::nearest(2))?;
    let (strokes, probabilities) = common::classifier(&mut g, x, &weights)?;
    g.output("strokes", strokes);
    g.output("probabilities", probabilities);
    let session = rt.session(&g, IMAGES)?;
    println!("{}", session.plan());
    let run = rt.forbid_crossings(|| session.run([("image", &images)]))?;

    // Nothing but the label, the shape and a buffer on the device is known so far.
    assert_eq!(run.output("strokes")?.shape(), [IMAGES, 16, 16, 32]);
    assert!(common::crossed(rt.ledger(), Cause::Read).is_empty());

    let strokes = run.output("strokes")?.read()?;
    assert!(strokes.iter().all(|&value| value >= 0.0), "a relu gives nothing negative");
    let probabilities = run.output("probabilities")?.read()?;
    let best = common::best_digit(&probabilities, 0);
    let first = strokes.index_axis(Axis(0), 0);
    let channel = (0..32)
        .max_by(|&a, &b| {
            let sum = |channel| first.slice(s![.., .., channel]).sum();
            sum(a).total_cmp(&sum(b))
        })
        .unwrap_or(0);
    println!("channel {channel} of the first convolution, on an image recognized as {best}:");
    draw(first.slice(s![.., .., channel]));

    println!("{}", rt.ledger());
    let planned = session.plan().expected_crossings();
    assert_eq!(common::labels(&planned.read), ["strokes", "probabilities"]);
    assert_eq!(common::labels(&planned.prepare), ["weights", "parameters"]);
    // What was planned for a device crosses; on the host executor nothing does.
    let expected = session.expected_crossings();
    assert_eq!(common::crossed(rt.ledger(), Cause::Prepare), expected.prepare);
    assert_eq!(common::crossed(rt.ledger(), Cause::Run), expected.run);
    assert_eq!(common::crossed(rt.ledger(), Cause::Read), expected.read);
    Ok(())
}

/// Draws an activation with characters, brighter for larger values.
fn draw(map: ArrayView2<'_, f32>) {
    let largest = map.iter().copied().fold(f32::MIN_POSITIVE, f32::max);
    for row in map.outer_iter() {
        let shade = |&value: &f32| {
            let steps = [(0.75, "##"), (0.5, "++"), (0.25, "--"), (0.05, "..")];
            let found = steps.iter().find(|(least, _)| value >= least * largest);
            found.map_or("  ", |(_, text)| text)
        };
        println!("  |{}|", row.iter().map(shade).collect::<String>());
    }
}
