//! What the host executor refuses: device calls, foreign tensors, slices that do not fit.

use longshore::internals::host::execute;
use longshore::internals::kernels::{Work, activation, conv2d, conv2d_transpose, dense};
use longshore::ops::{BinaryOp, Epilogue, Stage};
use longshore::wgpu;
use longshore::{Activation, Dim, Error, Graph, HostArray, Runtime, RuntimeOptions, UnaryOp};
use ndarray::ArrayD;

use longshore_testing::executor::host::open;
use longshore_testing::executor::stage;

fn noop() -> (wgpu::Device, wgpu::Queue) {
    wgpu::Device::noop(&wgpu::DeviceDescriptor::default())
}

#[track_caller]
fn unsupported<T>(outcome: Result<T, Error>, doing: &str) {
    let error = outcome.err().unwrap();
    assert!(matches!(error, Error::Unsupported { .. }), "{error}");
    let text = error.to_string();
    assert!(text.contains(doing) && text.contains("on host ("), "{text}");
}

#[test]
fn calls_that_need_a_device_say_so() {
    let rt = open();
    let x = stage(&rt, "x", &ArrayD::ones(vec![1, 4]));
    unsupported(rt.device(), "Runtime::device");
    unsupported(rt.queue(), "Runtime::queue");
    unsupported(x.to_wgpu(), "taking the buffer of \"x\"");
    let (device, queue) = noop();
    let buffer = device.create_buffer(&wgpu::BufferDescriptor {
        label: None,
        size: 64,
        usage: wgpu::BufferUsages::STORAGE | wgpu::BufferUsages::COPY_SRC,
        mapped_at_creation: false,
    });
    unsupported(rt.wrap("mine", buffer, 0, &[4]), "wrap \"mine\"");
    let mut g = Graph::new();
    let input = g.input("x", [Dim::Batch, 4.into()]);
    let y = g.activation(input, Activation::Relu).unwrap();
    g.output("y", y);
    let session = rt.prepare(&g.plan(1).unwrap()).unwrap();
    let mut encoder = device.create_command_encoder(&wgpu::CommandEncoderDescriptor::default());
    unsupported(session.record([("x", &x)], &mut encoder), "recording a run");
    // Tensors stay where they are.
    let other = Runtime::from_wgpu(device, queue);
    let error = other.prepare(&g.plan(1).unwrap()).unwrap().run([("x", &x)]).unwrap_err();
    assert!(error.to_string().contains("of host ("), "{error}");
    let foreign = other.stage("x", &HostArray::from(ArrayD::<f32>::ones(vec![1, 4]))).unwrap();
    assert!(session.run([("x", &foreign)]).is_err());
}

#[test]
fn software_adapters_are_not_taken_without_being_asked_for() {
    let rt = Runtime::open().unwrap();
    assert!(rt.is_host() || rt.adapter().device_type.ends_with("-gpu"), "{}", rt.adapter());
    // What `open` takes stands first in the list.
    assert_eq!(longshore::adapters()[0].summary, *rt.adapter());
    let hosts = longshore::adapters().into_iter().filter(|a| a.summary.backend == "host");
    assert_eq!(hosts.count(), 1);
    let none = RuntimeOptions::new().adapter("host");
    assert!(matches!(Runtime::open_with(none), Err(Error::NoAdapter { .. })));
}

/// Set in the process that has no drivers.
const CHILD: &str = "LONGSHORE_NO_DRIVERS_CHILD";

/// Drivers are found through the environment, which a test cannot change: it runs itself again.
#[cfg(target_os = "linux")]
#[test]
fn without_drivers_the_host_is_opened_and_an_adapter_is_an_error() {
    if std::env::var_os(CHILD).is_some() {
        assert!(Runtime::open().unwrap().is_host());
        let error = Runtime::open_with(RuntimeOptions::new().require_adapter()).unwrap_err();
        let text = error.to_string();
        assert!(text.starts_with("no adapter: asked for any adapter, found none;"), "{text}");
        assert!(text.contains("Runtime::host()"), "{text}");
        let vulkan = RuntimeOptions::new().backend(longshore::Backend::Vulkan);
        assert!(Runtime::open_with(vulkan).is_err(), "the host is no adapter of an API");
        return;
    }
    let this = std::env::current_exe().unwrap();
    let name = "refusals::without_drivers_the_host_is_opened_and_an_adapter_is_an_error";
    let output = std::process::Command::new(this)
        .args(["--exact", name, "--nocapture"])
        .envs([(CHILD, "1"), ("VK_DRIVER_FILES", "/nonexistent")])
        .env("VK_ICD_FILENAMES", "/nonexistent")
        .output()
        .unwrap();
    let text = String::from_utf8_lossy(&output.stdout);
    assert!(output.status.success() && text.contains("1 passed"), "{text}");
}

fn dense_work(has_bias: bool, epilogue: Epilogue) -> Work {
    Work::Dense(dense::Geometry { rows: 2, inputs: 3, units: 4, has_bias, part: None, epilogue })
}

#[track_caller]
fn refused(work: &Work, lengths: &[usize], result: usize, part: &str) {
    let operands: Vec<Vec<f32>> = lengths.iter().map(|&length| vec![0.0; length]).collect();
    let operands: Vec<&[f32]> = operands.iter().map(Vec::as_slice).collect();
    let error = execute("dense \"d\"", work, &operands, &mut vec![0.0; result]).unwrap_err();
    let text = error.to_string();
    assert!(matches!(error, Error::Operand { .. }), "{text}");
    assert!(text.starts_with("dense \"d\": ") && text.contains(part), "{text}");
}

#[test]
fn slices_of_other_lengths_and_numbers_are_refused() {
    let plain = dense_work(false, Epilogue::default());
    refused(&plain, &[6, 12], 7, "the output has 7 elements but its shape has 8");
    refused(&plain, &[5, 12], 8, "input has 5 elements but its shape has 6");
    refused(&plain, &[6, 13], 8, "kernel has 13 elements but its shape has 12");
    refused(&plain, &[6], 8, "the list of operands has 1 but the step reads 2: input, kernel");
    refused(&plain, &[6, 12, 4], 8, "the list of operands has 3 but the step reads 2");
    let biased = dense_work(true, Epilogue::default());
    refused(&biased, &[6, 12, 3], 8, "bias has 3 elements but its shape has 4");
    refused(&biased, &[6, 12], 8, "the list of operands has 2 but the step reads 3");
    let stage = Stage::Binary { operation: BinaryOp::Add, swapped: false };
    let part = |first, of| {
        let Work::Dense(plain) = plain.clone() else { unreachable!() };
        Work::Dense(dense::Geometry { part: Some(dense::Part { first, of }), ..plain })
    };
    refused(&part(2, 5), &[9, 12], 8, "input has 9 elements but its shape has 10");
    let outside = "the part of the input has 3 elements from 3 on but a row has 5";
    refused(&part(3, 5), &[10, 12], 8, outside);
    refused(&part(usize::MAX, 5), &[10, 12], 8, "elements from 18446744073709551615 on");
    let residual = dense_work(false, Epilogue { stages: vec![stage], period: 4 });
    refused(&residual, &[6, 12, 5], 8, "the extra operand has 5 elements but its shape has 4");
    let shape = vec![2, 3];
    let relu = Work::Activation(activation::Geometry { shape, epilogue: UnaryOp::Relu.into() });
    refused(&relu, &[5], 6, "input has 5 elements");
}

#[test]
fn long_sums_of_nothing_are_nothing() {
    for (rows, units) in [(0, 4), (2, 0)] {
        let (epilogue, part) = (Epilogue::default(), None);
        let (inputs, has_bias) = (1 << 20, false);
        let geometry = dense::Geometry { rows, inputs, units, has_bias, part, epilogue };
        let operands = [vec![1.0; rows * inputs], vec![1.0; inputs * units]];
        let operands: Vec<&[f32]> = operands.iter().map(Vec::as_slice).collect();
        execute("dense \"d\"", &Work::Dense(geometry), &operands, &mut []).unwrap();
    }
}

#[test]
fn geometries_that_contradict_themselves_are_refused() {
    let conv = |groups, batch| {
        Work::Conv2d(conv2d::Geometry {
            input: [1, 4, 4, 4],
            output: [batch, 4, 4, 6],
            kernel: [1, 1],
            strides: [1, 1],
            dilation: [1, 1],
            pads: [0, 0],
            groups,
            has_bias: false,
            epilogue: Epilogue::default(),
        })
    };
    refused(&conv(4, 1), &[64, 6], 96, "the geometry has 4 groups but they divide the channels");
    refused(&conv(1, 2), &[64, 24], 192, "the geometry changes the batch");
    let work = Work::Conv2dTranspose(conv2d_transpose::Geometry {
        input: [1, 2, 2, 1],
        output: [1, 2, 2, 1],
        kernel: [1, 1],
        strides: [0, 1],
        dilation: [1, 1],
        crop: [0, 0],
        groups: 1,
        has_bias: false,
        epilogue: Epilogue::default(),
    });
    refused(&work, &[4, 1], 4, "strides of 0");
}
