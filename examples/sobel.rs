//! A kernel of one's own: a Sobel filter in WGSL, on tensors and as a node of a graph.
//!
//! The source says what it binds; Rust adds what it cannot say, the shape of the result.
//! Both uses are compared with plain loops, and the ledger with what was announced.
//!
//!     cargo run --release --example sobel

mod common;

use anyhow::ensure;
use longshore::ledger::Cause;
use longshore::{Dim, Graph, HostArray, OwnCall, OwnKernel, Runtime, UpSampling2d};
use ndarray::{Array4, ArrayD, ArrayView4, Ix4, s};

const STRENGTH: f32 = 0.25;

fn main() -> anyhow::Result<()> {
    let sobel = OwnKernel::new("sobel", include_str!("sobel.wgsl"))?.shape(|inputs| {
        let image = &inputs[0];
        if image.rank() == 4 { Ok(image.clone()) } else { Err("an image has 4 dimensions".into()) }
    });
    let call = OwnCall::new().param("strength", STRENGTH);

    let rt = Runtime::open()?;
    let picture = discs(2, 24, 40);
    let image = rt.stage("image", &HostArray::from(&picture))?;

    // Directly, on a tensor. Only the parameters cross.
    let edges = rt.run_kernel(&sobel, [("image", &image)], &call)?;
    compare(&edges.read()?, picture.view())?;
    assert_eq!(common::labels(&common::crossed(rt.ledger(), Cause::Prepare)), ["parameters"]);
    assert!(common::crossed(rt.ledger(), Cause::Run).is_empty());

    // As a node between two of the library's: its operand and its result stay on the device.
    let mut g = Graph::new();
    let x = g.input("image", [Dim::Batch, 24.into(), 40.into(), 1.into()]);
    let x = g.up_sampling2d(x, UpSampling2d::nearest(2))?;
    let x = g.own(&sobel, [("image", x)], &call)?;
    let y = g.add(x, x)?;
    g.output("twice the edges", y);
    let plan = g.plan(image.batch())?;
    println!("{plan}");
    println!("used directly:\n{}", rt.ledger());
    rt.ledger().clear();
    let session = rt.prepare(&plan)?;
    let run = rt.forbid_crossings(|| session.run([("image", &image)]))?;
    let twice = run["twice the edges"].read()?;
    let (_, height, width, _) = picture.dim();
    let enlarged = Array4::from_shape_fn((2, 2 * height, 2 * width, 1), |(n, y, x, c)| {
        picture[(n, y / 2, x / 2, c)]
    });
    compare(&twice.mapv(|value| value / 2.0), enlarged.view())?;
    draw(&twice);

    println!("as a node:\n{}", rt.ledger());
    let expected = plan.expected_crossings();
    assert_eq!(common::crossed(rt.ledger(), Cause::Prepare), expected.prepare);
    assert_eq!(common::crossed(rt.ledger(), Cause::Run), expected.run);
    assert_eq!(common::crossed(rt.ledger(), Cause::Read), expected.read);
    Ok(())
}

/// Draws a bright disc on a slope, elsewhere in each image.
fn discs(images: usize, height: usize, width: usize) -> Array4<f32> {
    Array4::from_shape_fn((images, height, width, 1), |(n, y, x, _)| {
        let (y, x) = (y as f32 - 11.0, x as f32 - 12.0 - 14.0 * n as f32);
        if y.hypot(x) < 8.0 { 1.0 } else { 0.01 * x }
    })
}

/// Compares with plain loops in f64.
fn compare(edges: &ArrayD<f32>, image: ArrayView4<'_, f32>) -> anyhow::Result<()> {
    let edges = edges.view().into_dimensionality::<Ix4>()?;
    ensure!(edges.dim() == image.dim(), "{:?} is not {:?}", edges.dim(), image.dim());
    let (_, height, width, _) = image.dim();
    for ((n, y, x, c), &found) in edges.indexed_iter() {
        let pixel = |dy: usize, dx: usize| {
            // The window is one pixel to all sides; the border repeats.
            let (y, x) = ((y + dy).saturating_sub(1), (x + dx).saturating_sub(1));
            f64::from(image[(n, y.min(height - 1), x.min(width - 1), c)])
        };
        let (mut gx, mut gy) = (0.0, 0.0);
        for (i, weight) in [1.0, 2.0, 1.0].into_iter().enumerate() {
            gx += weight * (pixel(i, 2) - pixel(i, 0));
            gy += weight * (pixel(2, i) - pixel(0, i));
        }
        let wanted = f64::from(STRENGTH) * gx.hypot(gy);
        // At most 8 units in magnitude go in; f32 keeps 24 bits of each of about ten steps.
        let difference = (f64::from(found) - wanted).abs();
        ensure!(difference <= 1e-5, "edges at {:?}: {found}, not {wanted}", (n, y, x, c));
    }
    Ok(())
}

/// Prints the first image, darker where the edges are.
fn draw(edges: &ArrayD<f32>) {
    for row in edges.slice(s![0, ..;4, ..;2, 0]).rows() {
        let shade = |&value: &f32| match value {
            value if value > 0.8 => '#',
            value if value > 0.2 => '+',
            _ => '.',
        };
        println!("{}", row.iter().map(shade).collect::<String>());
    }
}
