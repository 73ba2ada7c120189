//! Reading: blocking and async, whole and in rows, and where its time goes.

use std::future::Future;
use std::pin::pin;
use std::sync::Arc;
use std::sync::mpsc::{Sender, channel};
use std::task::{Context, Poll, Wake, Waker};

use longshore::ledger::{Cause, Direction};
use longshore::{Dense, Dim, Error, Graph, HostArray, LayerWeights};

use longshore_testing::executor::gpu::{open, runtime};
use longshore_testing::executor::stage;
use longshore_testing::random::Random;

/// Tells the test that a future wants to be polled again.
struct Bell(Sender<()>);

impl Wake for Bell {
    fn wake(self: Arc<Self>) {
        let _ = self.0.send(());
    }
}

#[test]
fn an_async_read_returns_at_once_and_is_woken_by_another_thread() {
    let rt = open();
    let array = Random::new(31).uniform(&[1000]);
    let tensor = stage(&rt, "array", &array);
    let (sender, receiver) = channel();
    let waker = Waker::from(Arc::new(Bell(sender)));
    let mut context = Context::from_waker(&waker);
    let mut future = pin!(tensor.read_async());
    let mut polls = 0;
    // Nobody but the runtime's own thread polls the device here, so a wake-up proves it.
    let values = loop {
        polls += 1;
        match future.as_mut().poll(&mut context) {
            Poll::Ready(values) => break values.unwrap(),
            Poll::Pending => receiver.recv_timeout(std::time::Duration::from_secs(60)).unwrap(),
        }
    };
    assert_eq!(values, array);
    assert!(polls <= 3, "woken {polls} times for nothing");
    pollster::block_on(rt.wait_async()).unwrap();
}

#[test]
fn several_async_reads_finish_together() {
    let mut random = Random::new(32);
    let arrays: Vec<_> = (1..9).map(|i| random.uniform(&[i * 37])).collect();
    let tensors: Vec<_> = arrays.iter().map(|array| stage(runtime(), "a", array)).collect();
    let reads: Vec<_> = tensors.iter().map(longshore::Tensor::read_async).collect();
    for (read, array) in reads.into_iter().zip(&arrays) {
        assert_eq!(pollster::block_on(read).unwrap(), *array);
    }
}

#[test]
fn a_read_says_where_its_time_went() {
    let rt = open();
    let mut random = Random::new(33);
    let kernel = HostArray::from(random.uniform(&[512, 512]));
    let mut g = Graph::new();
    let x = g.input("x", [Dim::Batch, 512.into()]);
    let y = g.dense(x, Dense::new(512), &LayerWeights::new(kernel)).unwrap();
    g.output("y", y);
    let session = rt.prepare(&g.plan(256).unwrap()).unwrap();
    let x = stage(&rt, "x", &random.uniform(&[256, 512]));
    let warm = session.run([("x", &x)]).unwrap();
    rt.wait().unwrap();
    let run = session.run([("x", &x)]).unwrap();
    run["y"].read().unwrap();
    drop(warm);
    let events = rt.ledger().events();
    let read = events.iter().find(|event| event.direction == Direction::DeviceToHost).unwrap();
    assert_eq!(read.cause, Cause::Read);
    assert_eq!(read.payload_bytes, 256 * 512 * 4);
    let names: Vec<_> = read.phases_ns.keys().copied().collect();
    assert_eq!(names, ["device_copy", "host_copy", "map", "wait"]);
    // 67 million multiplications take longer than copying half a megabyte.
    assert!(read.phases_ns["wait"] > read.phases_ns["host_copy"], "{:?}", read.phases_ns);
}

#[test]
fn rows_share_the_data_and_are_read_alone() {
    let rt = open();
    // 64 floats are 256 bytes, which every device can bind at.
    let array = Random::new(34).uniform(&[10, 64]);
    let tensor = stage(&rt, "array", &array);
    let created = rt.buffers_created();
    let rows = tensor.rows(3..7).unwrap();
    assert_eq!(rt.buffers_created(), created);
    assert_eq!(rows.read().unwrap(), array.slice_axis(ndarray::Axis(0), (3..7).into()));
    assert_eq!(rt.ledger().totals().device_to_host.payload_bytes, 4 * 64 * 4);
    let nested = rows.rows(2..4).unwrap().read().unwrap();
    assert_eq!(nested, array.slice_axis(ndarray::Axis(0), (5..7).into()));
    let outside = tensor.rows(8..11).unwrap_err().to_string();
    assert!(outside.contains("range is 8..11 but there are 10 rows"), "{outside}");
    #[expect(clippy::reversed_empty_ranges, reason = "that is what is tested")]
    let reversed = tensor.rows(7..3);
    assert!(reversed.is_err());
}

#[test]
fn rows_that_the_device_cannot_bind_are_refused() {
    let alignment = runtime().limits().min_storage_buffer_offset_alignment;
    assert!(alignment > 4, "this adapter binds at every element; the test needs another");
    let tensor = stage(runtime(), "array", &Random::new(35).uniform(&[10, 1]));
    let error = tensor.rows(1..2).unwrap_err().to_string();
    assert!(error.contains(&format!("the device binds multiples of {alignment} bytes")), "{error}");
}

#[test]
fn a_slice_of_another_length_is_refused() {
    let tensor = stage(runtime(), "array", &Random::new(36).uniform(&[5]));
    let error = tensor.read_into(&mut [0.0; 4]).unwrap_err();
    assert!(matches!(&error, Error::Operand { .. }));
    assert!(
        error
            .to_string()
            .starts_with("reading \"array\": the slice has 4 elements but the tensor has 5")
    );
}

#[test]
fn an_async_read_outlives_its_tensor() {
    let array = Random::new(37).uniform(&[9]);
    let read = stage(runtime(), "array", &array).read_async();
    assert_eq!(pollster::block_on(read).unwrap(), array);
}
