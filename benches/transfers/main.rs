//! Times what crosses: packing on the host, uploading, and reading back.
//!
//! Beside longshore's own way stand wgpu's two: `write_buffer`, and a buffer mapped at
//! its creation. `cargo bench --bench transfers -- [--smoke] [--json FILE] [TEXT]`

#![allow(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::panic,
    clippy::cast_possible_truncation,
    clippy::cast_sign_loss,
    clippy::cast_possible_wrap,
    reason = "sizes in benches are small, and a bench fails by panicking"
)]

#[path = "../support/mod.rs"]
mod support;

use anyhow::{Context, Result, ensure};
use longshore::array::StagePolicy;
use longshore::wgpu;
use longshore::{HostArray, Runtime};
use ndarray::{ArrayD, Axis};

use longshore_testing::random::Random;
use support::{Options, Report, Work};

fn main() -> Result<()> {
    let options = Options::parse()?;
    let runtime = options.runtime()?;
    let mut report = Report::new("transfers", &runtime.adapter().to_string(), &options);
    pack(&options, &mut report)?;
    let sizes: &[usize] = if options.smoke { &[1 << 12] } else { &[1 << 14, 1 << 20, 1 << 24] };
    for &count in sizes {
        let array = Random::new(3).uniform(&[1, count]);
        upload(&runtime, &array, &options, &mut report)?;
        read(&runtime, &array, &options, &mut report)?;
    }
    report.finish("transfers", Some(&runtime), &options)
}

/// Packs arrays of several dtypes and orders into memory that is there already.
fn pack(options: &Options, report: &mut Report) -> Result<()> {
    let side = if options.smoke { 64 } else { 4096 };
    let values = Random::new(2).uniform(&[side, side]);
    let doubles = values.mapv(f64::from);
    let bytes = values.mapv(|value| (value * 127.0) as i8);
    let mut flipped = doubles.view();
    flipped.invert_axis(Axis(0));
    let transposed = doubles.t();
    let arrays = [
        ("pack float32", HostArray::from_view(&values)),
        ("pack float64", HostArray::from_view(&doubles)),
        ("pack int8", HostArray::from_view(&bytes)),
        ("pack float64, rows flipped", HostArray::from_view(&flipped)),
        ("pack float64, transposed", HostArray::from_view(&transposed)),
    ];
    let mut target = vec![0u8; 4 * values.len()];
    for (name, array) in arrays.iter().filter(|(name, _)| options.wants(name)) {
        let policy = StagePolicy::default();
        array.pack_into(policy, target.as_mut_slice())?;
        let first = target.as_chunks::<4>().0.first().context("an element")?;
        let expected = array.to_f64().first().copied().context("an element")?;
        let difference = (f64::from(f32::from_le_bytes(*first)) - expected).abs();
        ensure!(difference <= 1e-6, "{name}: the first element is {first:?}");
        let work = Work::Bytes(target.len() as u64);
        let what = format!("{name} {side}x{side}");
        report.time(&what, "pack", work, || {
            array.pack_into(policy, target.as_mut_slice())?;
            Ok(())
        })?;
    }
    Ok(())
}

fn upload(
    runtime: &Runtime,
    array: &ArrayD<f32>,
    options: &Options,
    report: &mut Report,
) -> Result<()> {
    let bytes = 4 * array.len() as u64;
    let what = format!("upload {} KiB", bytes >> 10);
    if !options.wants(&what) {
        return Ok(());
    }
    let host = HostArray::from_view(array);
    ensure!(runtime.stage("check", &host)?.read()? == *array, "{what}: other values came back");
    report.time(&what, "stage", Work::Bytes(bytes), || {
        runtime.stage("x", &host)?;
        Ok(runtime.wait()?)
    })?;
    let (device, queue) = (runtime.device()?, runtime.queue()?);
    let raw: &[u8] = bytemuck::cast_slice(array.as_slice().context("contiguous")?);
    let describe = |mapped_at_creation| wgpu::BufferDescriptor {
        label: None,
        size: bytes,
        usage: wgpu::BufferUsages::STORAGE | wgpu::BufferUsages::COPY_DST,
        mapped_at_creation,
    };
    report.time(&what, "write_buffer", Work::Bytes(bytes), || {
        let buffer = device.create_buffer(&describe(false));
        queue.write_buffer(&buffer, 0, raw);
        queue.submit([]);
        Ok(runtime.wait()?)
    })?;
    report.time(&what, "mapped creation", Work::Bytes(bytes), || {
        let buffer = device.create_buffer(&describe(true));
        buffer.get_mapped_range_mut(..)?.slice(..).copy_from_slice(raw);
        buffer.unmap();
        queue.submit([]);
        Ok(runtime.wait()?)
    })
}

fn read(
    runtime: &Runtime,
    array: &ArrayD<f32>,
    options: &Options,
    report: &mut Report,
) -> Result<()> {
    let bytes = 4 * array.len() as u64;
    let what = format!("read {} KiB", bytes >> 10);
    if !options.wants(&what) {
        return Ok(());
    }
    let tensor = runtime.stage("x", &HostArray::from_view(array))?;
    let mut values = vec![0.0; array.len()];
    tensor.read_into(&mut values)?;
    ensure!(Some(values.as_slice()) == array.as_slice(), "{what}: other values came back");
    report.time(&what, "read_into", Work::Bytes(bytes), || Ok(tensor.read_into(&mut values)?))?;
    report.time(&what, "read", Work::Bytes(bytes), || {
        tensor.read()?;
        Ok(())
    })
}
