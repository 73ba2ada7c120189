//! A step on the host between two networks, which other libraries hide in one expression.
//!
//! What is on the device stays there until it is read, and what `ndarray` made reaches the
//! device only by staging. So the round trip is three lines of code, and the two of them
//! that cross are two lines in the ledger, after the one of the images.
//!
//!     cargo run --release --example numpy_between

mod common;

use longshore::ledger::Cause;
use longshore::{Graph, HostArray, Runtime, Session, Shape, UpSampling2d, Weights};

const IMAGES: usize = 64;

fn main() -> anyhow::Result<()> {
    let rt = Runtime::open()?;
    let file = HostArray::read(common::digits("test_images.npy"))?;
    let images = rt.stage("images", file.rows(0..IMAGES)?)?;
    let enlarge = rt.session(&enlarging()?, IMAGES)?;
    let enlarged = rt.forbid_crossings(|| enlarge.run([("image", &images)]))?;

    // 1. The result comes to the host: one crossing.
    let pixels = enlarged.output("enlarged")?.read()?;
    // 2. ndarray changes it: brighter midtones. Nothing crosses.
    let brighter = pixels.mapv(|value| value.powf(0.9));
    // 3. It goes back: one crossing.
    let brighter = rt.stage("brighter", &brighter)?;

    let crossed: Vec<_> = [Cause::Stage, Cause::Read]
        .into_iter()
        .flat_map(|cause| common::crossed(rt.ledger(), cause))
        .collect();
    if rt.is_host() {
        assert!(crossed.is_empty(), "on the host executor nothing crosses");
    } else {
        assert_eq!(common::labels(&crossed), ["images", "brighter", "enlarged"]);
        let bytes = (IMAGES * 16 * 16 * 4) as u64;
        assert_eq!((crossed[1].payload_bytes, crossed[2].payload_bytes), (bytes, bytes));
    }

    let classify = rt.session(&classifying()?, IMAGES)?;
    let run = rt.forbid_crossings(|| classify.run([("enlarged", &brighter)]))?;
    let probabilities = run.output("probabilities")?.read()?;
    println!("{}", rt.ledger());

    let labels = HostArray::read(common::digits("test_labels.npy"))?.to_array::<u8>()?;
    let images = labels.iter().take(IMAGES).enumerate();
    let right = images
        .filter(|&(image, &label)| common::best_digit(&probabilities, image) == usize::from(label))
        .count();
    println!("{right} of {IMAGES} brighter images are recognized");
    assert!(right * 100 >= IMAGES * 97);

    let plans = [&enlarge, &classify].map(Session::expected_crossings);
    let prepared: Vec<_> = plans.iter().flat_map(|plan| plan.prepare.clone()).collect();
    let read: Vec<_> = plans.iter().flat_map(|plan| plan.read.clone()).collect();
    assert_eq!(common::crossed(rt.ledger(), Cause::Prepare), prepared);
    assert_eq!(common::crossed(rt.ledger(), Cause::Run), []);
    assert_eq!(common::crossed(rt.ledger(), Cause::Read), read);
    Ok(())
}

fn enlarging() -> longshore::Result<Graph> {
    let mut g = Graph::new();
    let x = g.input("image", Shape::batch([8, 8, 1]));
    let y = g.up_sampling2d(x, UpSampling2d::nearest(2))?;
    g.output("enlarged", y);
    Ok(g)
}

fn classifying() -> longshore::Result<Graph> {
    let weights = Weights::read_npz(common::digits("weights.npz"))?;
    let mut g = Graph::new();
    let x = g.input("enlarged", Shape::batch([16, 16, 1]));
    let (_, y) = common::classifier(&mut g, x, &weights)?;
    g.output("probabilities", y);
    Ok(g)
}
