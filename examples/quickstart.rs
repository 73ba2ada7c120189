//! From `.npy` and `.npz` files to probabilities: one upload of each, one download.
//!
//!     cargo run --release --example quickstart

mod common;

use longshore::Activation::{Relu, Softmax};
use longshore::Padding::Same;
use longshore::ledger::Cause;
use longshore::{Conv2d, Dense, Graph, HostArray, Runtime, Shape, UpSampling2d, Weights};

fn main() -> anyhow::Result<()> {
    std::env::set_current_dir(env!("CARGO_MANIFEST_DIR"))?;
    // The README shows the lines from here
    let rt = Runtime::open()?;
    let images = rt.stage("images", HostArray::read("assets/digits/test_images.npy")?)?;
    let weights = rt.stage_weights("weights", &Weights::read_npz("assets/digits/weights.npz")?)?;

    let mut g = Graph::new();
    let x = g.input("image", Shape::batch([8, 8, 1]));
    let x = g.up_sampling2d(x, UpSampling2d::nearest(2))?;
    let conv = Conv2d::new(32, (3, 3)).padding(Same).activation(Relu);
    let x = g.conv2d(x, conv.clone(), weights.layer("conv")?)?;
    let x = g.conv2d(x, conv.strides(2), weights.layer("conv_1")?)?;
    let x = g.flatten(x)?;
    let y = g.dense(x, Dense::new(10).activation(Softmax), weights.layer("dense")?)?;
    g.output("probabilities", y);

    let session = rt.session(&g, images.batch())?;
    let run = rt.forbid_crossings(|| session.run([("image", &images)]))?;
    let probabilities = run.output("probabilities")?.read()?;
    println!("{}", rt.ledger());
    // to here.

    let keras = HostArray::read("assets/digits/probabilities.npy")?.to_array::<f32>()?;
    assert_eq!(probabilities.shape(), keras.shape());
    let close = |(ours, keras): (&f32, &f32)| (ours - keras).abs() < 1e-5;
    assert!(probabilities.iter().zip(&keras).all(close), "Keras's answers are others");

    let expected = session.expected_crossings();
    let crossed = |cause| common::crossed(rt.ledger(), cause);
    // On the host executor nothing crosses.
    let staged: &[&str] = if rt.is_host() { &[] } else { &["images", "weights"] };
    assert_eq!(common::labels(&crossed(Cause::Stage)), staged);
    assert_eq!(crossed(Cause::Prepare), expected.prepare);
    assert_eq!(crossed(Cause::Run), expected.run);
    assert_eq!(crossed(Cause::Read), expected.read);
    Ok(())
}
