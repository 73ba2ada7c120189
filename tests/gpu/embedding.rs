//! Embedding: the embedder's device, buffers and command encoder.

use longshore::wgpu;
use longshore::wgpu::util::DeviceExt as _;
use longshore::{Activation, Dim, Error, Graph, Runtime};

use longshore_testing::executor::gpu::open;
use longshore_testing::executor::stage;
use longshore_testing::random::Random;

/// A graph that computes `relu(x) + x` over 6 numbers per item.
fn graph() -> Graph {
    let mut g = Graph::new();
    let x = g.input("x", [Dim::Batch, 6.into()]);
    let y = g.activation(x, Activation::Relu).unwrap();
    let y = g.add(y, x).unwrap();
    g.output("y", y);
    g
}

fn expected(x: f32) -> f32 {
    x.max(0.0) + x
}

#[test]
fn an_embedders_device_buffer_and_encoder_are_used_as_they_are() {
    let mine = open();
    let (device, queue) = (mine.device().unwrap().clone(), mine.queue().unwrap().clone());
    let rt = Runtime::from_wgpu(device.clone(), queue.clone());
    let values: Vec<f32> = (0..12_u8).map(|i| f32::from(i) - 5.5).collect();
    let buffer = device.create_buffer_init(&wgpu::util::BufferInitDescriptor {
        label: None,
        contents: bytemuck::cast_slice(&values),
        usage: wgpu::BufferUsages::STORAGE | wgpu::BufferUsages::COPY_SRC,
    });
    let x = rt.wrap("mine", buffer, 0, &[2, 6]).unwrap();
    let session = rt.prepare(&graph().plan(2).unwrap()).unwrap();
    let mut encoder = device.create_command_encoder(&wgpu::CommandEncoderDescriptor::default());
    let run = session.record([("x", &x)], &mut encoder).unwrap();
    queue.submit([encoder.finish()]);
    let y = run["y"].read().unwrap();
    let wanted: Vec<f32> = values.iter().map(|&x| expected(x)).collect();
    assert_eq!(y.as_slice().unwrap(), wanted);
    let uploads = rt.ledger().totals().host_to_device;
    assert_eq!(uploads.count, 1, "only the parameter block crosses");
}

#[test]
fn a_buffer_taken_out_is_never_written_again() {
    let rt = open();
    let session = rt.prepare(&graph().plan(1).unwrap()).unwrap();
    let mut random = Random::new(21);
    let (first, second) = (random.uniform(&[1, 6]), random.uniform(&[1, 6]));
    let run = session.run([("x", &stage(&rt, "x", &first))]).unwrap();
    let (buffer, offset, bytes) = run["y"].to_wgpu().unwrap();
    assert_eq!((offset, bytes), (0, 24));
    drop(run);
    let run = session.run([("x", &stage(&rt, "x", &second))]).unwrap();
    assert_eq!(run["y"].read().unwrap(), second.mapv(expected));
    let kept = rt.wrap("kept", buffer, 0, &[1, 6]).unwrap();
    assert_eq!(kept.read().unwrap(), first.mapv(expected));
}

#[test]
fn what_cannot_be_wrapped_is_refused() {
    let rt = open();
    let make = |size, usage| {
        rt.device().unwrap().create_buffer(&wgpu::BufferDescriptor {
            label: None,
            size,
            usage,
            mapped_at_creation: false,
        })
    };
    let usage = wgpu::BufferUsages::STORAGE | wgpu::BufferUsages::COPY_SRC;
    let small = rt.wrap("b", make(16, usage), 0, &[5]).unwrap_err().to_string();
    assert!(
        small.starts_with("wrap \"b\": buffer has 16 bytes but 20 bytes from byte 0"),
        "{small}"
    );
    let odd = rt.wrap("b", make(64, usage), 4, &[5]).unwrap_err().to_string();
    assert!(odd.starts_with("wrap \"b\": offset is 4 but the device binds multiples"), "{odd}");
    let bare = rt.wrap("b", make(64, wgpu::BufferUsages::STORAGE), 0, &[5]).unwrap_err();
    assert!(bare.to_string().contains("buffer has usage BufferUsages(STORAGE)"), "{bare}");
    let far = rt.wrap("b", make(64, usage), u64::MAX - 255, &[5]);
    assert!(far.is_err());
}

#[test]
fn a_tensor_of_another_runtime_is_refused() {
    let (one, two) = (open(), open());
    let session = one.prepare(&graph().plan(1).unwrap()).unwrap();
    let x = stage(&two, "x", &Random::new(22).uniform(&[1, 6]));
    let error = session.run([("x", &x)]).unwrap_err();
    assert!(matches!(&error, Error::Operand { operand, .. } if operand == "\"x\""), "{error}");
    assert!(error.to_string().contains("is staged on another runtime"), "{error}");
}
