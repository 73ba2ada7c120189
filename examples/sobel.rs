//! A kernel of one's own: a Sobel filter in WGSL, on tensors and as a node of a graph.
//!
//! The source says what it binds; Rust adds what it cannot say, the shape of the result. Where
//! there is no GPU the host executor runs a twin in Rust, as it runs no WGSL.
//! Both uses are compared with plain loops, and the ledger with what was announced.
//!
//!     cargo run --release --example sobel

mod common;

use anyhow::ensure;
use longshore::ledger::Cause;
use longshore::own::HostCall;
use longshore::{Graph, OwnCall, OwnKernel, Runtime, Shape, UpSampling2d};
use ndarray::{Array4, ArrayD, ArrayView4, Ix4, s};

const STRENGTH: f32 = 0.25;

fn main() -> anyhow::Result<()> {
    let sobel = OwnKernel::new("sobel", include_str!("sobel.wgsl"))?
        .shape(|inputs| match inputs[0].rank() {
            4 => Ok(inputs[0].clone()),
            rank => Err(format!("an image has 4 dimensions, not {rank}")),
        })
        .host(twin);
    let call = OwnCall::new().param("strength", STRENGTH);

    let rt = Runtime::open()?;
    let picture = discs(2, 24, 40);
    let image = rt.stage("image", &picture)?;

    // Directly, on a tensor. Only the parameters cross.
    let edges = rt.run_kernel(&sobel, [("image", &image)], &call)?;
    compare(&edges.read()?, picture.view())?;
    let prepared = common::crossed(rt.ledger(), Cause::Prepare);
    let parameters: &[&str] = if rt.is_host() { &[] } else { &["parameters"] };
    assert_eq!(common::labels(&prepared), parameters);
    assert!(common::crossed(rt.ledger(), Cause::Run).is_empty());

    // As a node between two of the library's: its operand and its result stay on the device.
    let mut g = Graph::new();
    let x = g.input("image", Shape::batch([24, 40, 1]));
    let x = g.up_sampling2d(x, UpSampling2d::nearest(2))?;
    let x = g.own(&sobel, [("image", x)], &call)?;
    let y = g.add(x, x)?;
    g.output("twice the edges", y);
    println!("used directly:\n{}", rt.ledger());
    rt.ledger().clear();
    let session = rt.session(&g, image.batch())?;
    println!("{}", session.plan());
    let run = rt.forbid_crossings(|| session.run([("image", &image)]))?;
    let twice = run.output("twice the edges")?.read()?;
    let (_, height, width, _) = picture.dim();
    let enlarged = Array4::from_shape_fn((2, 2 * height, 2 * width, 1), |(n, y, x, c)| {
        picture[(n, y / 2, x / 2, c)]
    });
    compare(&twice.mapv(|value| value / 2.0), enlarged.view())?;
    draw(&twice);

    println!("as a node:\n{}", rt.ledger());
    let expected = session.expected_crossings();
    assert_eq!(common::crossed(rt.ledger(), Cause::Prepare), expected.prepare);
    assert_eq!(common::crossed(rt.ledger(), Cause::Run), expected.run);
    assert_eq!(common::crossed(rt.ledger(), Cause::Read), expected.read);
    Ok(())
}

/// The kernel in Rust, for the host executor.
fn twin(call: &HostCall<'_>, edges: &mut [f32]) {
    let &[_, height, width, channels] = call.shape else { return };
    let (image, strength) = (call.operands[0].values, call.params.f32("strength").unwrap_or(1.0));
    for (index, edge) in edges.iter_mut().enumerate() {
        let (place, channel) = (index / channels, index % channels);
        let (y, x, item) = (place / width % height, place % width, place / width / height);
        let pixel =
            |y: usize, x: usize| image[((item * height + y) * width + x) * channels + channel];
        let (up, down) = (y.saturating_sub(1), (y + 1).min(height - 1));
        let (left, right) = (x.saturating_sub(1), (x + 1).min(width - 1));
        let (mut gx, mut gy) = (0.0, 0.0);
        for (row, column, weight) in [(up, left, 1.0), (y, x, 2.0), (down, right, 1.0)] {
            gx += weight * (pixel(row, right) - pixel(row, left));
            gy += weight * (pixel(down, column) - pixel(up, column));
        }
        *edge = strength * gx.hypot(gy);
    }
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
