//! longshore inside of a program that has a wgpu device, buffers and encoders of its own.
//!
//! The program's buffer becomes a tensor without a copy, the session is recorded into the
//! program's encoder between its own commands, and the result's buffer is the program's
//! to keep. What the program uploads and downloads itself is not in the ledger: that
//! counts longshore's crossings.
//!
//!     cargo run --release --example own_device

mod common;

use anyhow::{Context, ensure};
use longshore::ledger::Cause;
use longshore::wgpu::{self, util::DeviceExt};
use longshore::{Graph, Runtime, Shape, UpSampling2d};

fn main() -> anyhow::Result<()> {
    let (device, queue) = pollster::block_on(open_device())?;
    let pixels: Vec<u8> = [1.0_f32, 2.0, 3.0, 4.0].into_iter().flat_map(f32::to_le_bytes).collect();
    let buffer = device.create_buffer_init(&wgpu::util::BufferInitDescriptor {
        label: Some("the program's image"),
        contents: &pixels,
        // What a tensor's buffer needs: kernels bind it, and reading copies from it.
        usage: wgpu::BufferUsages::STORAGE | wgpu::BufferUsages::COPY_SRC,
    });

    let rt = Runtime::from_wgpu(device.clone(), queue.clone());
    let image = rt.wrap("image", buffer, 0, &[1, 2, 2, 1])?;
    let mut g = Graph::new();
    let x = g.input("image", Shape::batch([2, 2, 1]));
    let y = g.up_sampling2d(x, UpSampling2d::nearest(2))?;
    g.output("enlarged", y);
    let session = rt.session(&g, 1)?;

    let mut encoder = device.create_command_encoder(&wgpu::CommandEncoderDescriptor::default());
    let run = session.record([("image", &image)], &mut encoder)?;
    // From here on the buffer is the program's too, and longshore never reuses it.
    let (enlarged, offset, bytes) = run.output("enlarged")?.to_wgpu()?;
    let download = device.create_buffer(&wgpu::BufferDescriptor {
        label: Some("the program's download"),
        size: bytes,
        usage: wgpu::BufferUsages::MAP_READ | wgpu::BufferUsages::COPY_DST,
        mapped_at_creation: false,
    });
    encoder.copy_buffer_to_buffer(&enlarged, offset, &download, 0, bytes);
    queue.submit([encoder.finish()]);

    let values = map(&device, &download)?;
    println!("{values:?}");
    let rows =
        [[1.0, 1.0, 2.0, 2.0], [1.0, 1.0, 2.0, 2.0], [3.0, 3.0, 4.0, 4.0], [3.0, 3.0, 4.0, 4.0]];
    assert_eq!(values, rows.as_flattened());
    // Reading the tensor gives the same, and stands in the ledger.
    assert_eq!(run.output("enlarged")?.read()?.iter().copied().collect::<Vec<_>>(), values);

    println!("{}", rt.ledger());
    let expected = session.expected_crossings();
    assert!(common::crossed(rt.ledger(), Cause::Stage).is_empty(), "wrapping copies nothing");
    assert_eq!(common::crossed(rt.ledger(), Cause::Prepare), expected.prepare);
    assert_eq!(common::crossed(rt.ledger(), Cause::Run), expected.run);
    assert_eq!(common::crossed(rt.ledger(), Cause::Read), expected.read);
    Ok(())
}

/// Opens a device as the program likes it; longshore keeps to the limits it was opened with.
async fn open_device() -> anyhow::Result<(wgpu::Device, wgpu::Queue)> {
    let instance =
        wgpu::Instance::new(wgpu::InstanceDescriptor::new_without_display_handle_from_env());
    let adapter = instance
        .request_adapter(&wgpu::RequestAdapterOptions::default())
        .await
        .context("no adapter; on Debian or Ubuntu: apt-get install mesa-vulkan-drivers")?;
    Ok(adapter.request_device(&wgpu::DeviceDescriptor::default()).await?)
}

/// Downloads a buffer by the program's own means.
fn map(device: &wgpu::Device, buffer: &wgpu::Buffer) -> anyhow::Result<Vec<f32>> {
    let (sender, receiver) = std::sync::mpsc::channel();
    buffer.map_async(wgpu::MapMode::Read, .., move |result| {
        let _ = sender.send(result);
    });
    device.poll(wgpu::PollType::wait_indefinitely())?;
    receiver.recv()??;
    let view = buffer.get_mapped_range(..)?;
    let (chunks, rest) = view.as_chunks::<4>();
    ensure!(rest.is_empty(), "the buffer holds whole f32s");
    Ok(chunks.iter().map(|&bytes| f32::from_le_bytes(bytes)).collect())
}
