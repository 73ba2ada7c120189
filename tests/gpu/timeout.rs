//! Time limits: a kernel that takes very long ends what waits for it in an error, and holds up nothing
//! else.
//!
//! The process that has such a kernel under way is one of its own, which is ended by force.

use std::io::{BufRead as _, BufReader};
use std::process::{Command, Stdio};
use std::sync::mpsc::channel;
use std::time::{Duration, Instant};

use longshore::wgpu;
use longshore::{Error, Graph, Result, Runtime, RuntimeOptions, Session};

use longshore_testing::executor::gpu::{adapter, device, open};
use longshore_testing::executor::stage;
use longshore_testing::random::Random;

const CHILD: &str = "LONGSHORE_TIMEOUT_CHILD";
pub const LIMIT: Duration = Duration::from_millis(300);
/// What a busy machine may add.
const GRACE: Duration = Duration::from_secs(5);

/// Takes minutes on any device, in loops that no driver ends early.
const LONG: &str = "
    @group(0) @binding(0) var<storage, read_write> y: array<u32>;
    @compute @workgroup_size(64)
    fn long(@builtin(global_invocation_id) id: vec3<u32>) {
        var x = id.x + id.y * 7u;
        for (var i = 0u; i < 60000u; i++) { x = x * 1664525u + 1013904223u; }
        if x == 7u { y[0] = x; }
    }";

fn submit_long(rt: &Runtime) {
    let device = rt.device().unwrap();
    let module = device.create_shader_module(wgpu::ShaderModuleDescriptor {
        label: None,
        source: wgpu::ShaderSource::Wgsl(LONG.into()),
    });
    let pipeline = device.create_compute_pipeline(&wgpu::ComputePipelineDescriptor {
        label: None,
        layout: None,
        module: &module,
        entry_point: Some("long"),
        compilation_options: wgpu::PipelineCompilationOptions::default(),
        cache: None,
    });
    let buffer = device.create_buffer(&wgpu::BufferDescriptor {
        label: None,
        size: 64,
        usage: wgpu::BufferUsages::STORAGE,
        mapped_at_creation: false,
    });
    let group = device.create_bind_group(&wgpu::BindGroupDescriptor {
        label: None,
        layout: &pipeline.get_bind_group_layout(0),
        entries: &[wgpu::BindGroupEntry { binding: 0, resource: buffer.as_entire_binding() }],
    });
    let mut encoder = device.create_command_encoder(&wgpu::CommandEncoderDescriptor::default());
    {
        let mut pass = encoder.begin_compute_pass(&wgpu::ComputePassDescriptor::default());
        pass.set_pipeline(&pipeline);
        pass.set_bind_group(0, &group, &[]);
        pass.dispatch_workgroups(65535, 1024, 1);
    }
    rt.queue().unwrap().submit([encoder.finish()]);
}

#[track_caller]
fn in_time<T>(what: &str, waited: &str, call: impl FnOnce() -> Result<T>) {
    let started = Instant::now();
    match call() {
        Err(Error::Timeout { waited_for, limit, .. }) => {
            assert_eq!((waited_for.as_str(), limit), (waited, LIMIT), "{what}");
        }
        Err(error) => panic!("{what}: {error}"),
        Ok(_) => panic!("{what} is not held to the limit"),
    }
    let took = started.elapsed();
    assert!(took >= LIMIT && took < LIMIT + GRACE, "{what} took {took:?}");
}

/// Prepares `x + x` over 100 numbers.
fn double(rt: &Runtime) -> Session {
    let mut g = Graph::new();
    let x = g.input("x", [100_usize]);
    let y = g.add(x, x).unwrap();
    g.output("y", y);
    rt.session(&g, 1).unwrap()
}

/// The calls of a runtime whose device is busy for minutes.
fn be_held_up(rt: Runtime) {
    let array = Random::new(61).uniform(&[100]);
    let x = stage(&rt, "x", &array);
    assert_eq!(x.read().unwrap(), array);
    let session = double(&rt);
    submit_long(&rt);
    let before = "the work submitted before it";
    if rt.adapter().device_type == "cpu" {
        // Its driver would hold up what these submit.
        in_time("stage", before, || rt.stage("y", longshore::HostArray::from_view(&array)));
        in_time("run", before, || session.run([("x", &x)]));
    }
    in_time("read", before, || x.read());
    in_time("read_into", before, || x.read_into(&mut [0.0; 100]));
    in_time("read_async", before, || pollster::block_on(x.read_async()));
    in_time("wait", "the submitted work", || rt.wait());
    in_time("wait_async", "the submitted work", || pollster::block_on(rt.wait_async()));
    // What did not cross is no crossing.
    assert_eq!(rt.ledger().totals().device_to_host.count, 1);
    let futures = (x.read_async(), x.read_async());
    let message = x.read().unwrap_err().to_string();
    assert_eq!(
        message,
        "reading \"x\": the work submitted before it has not ended within the time limit of 300ms; \
         raise RuntimeOptions::timeout, or look for a kernel that does not end"
    );
    let started = Instant::now();
    drop((futures, session, x, rt));
    assert!(started.elapsed() < LIMIT + GRACE, "dropping took {:?}", started.elapsed());
}

/// Runs a test of this file again in a process of its own, and waits until it says `done`.
pub fn in_a_child(test: &str, body: impl FnOnce()) {
    if std::env::var_os(CHILD).is_some() {
        body();
        println!("\ndone");
        // The kernel is still under way, and leaving would wait for it.
        std::thread::sleep(Duration::from_secs(600));
        return;
    }
    let mut child = Command::new(std::env::current_exe().unwrap())
        .args(["--exact", test, "--nocapture", "--test-threads", "1"])
        .env(CHILD, "1")
        .stdout(Stdio::piped())
        .spawn()
        .unwrap();
    let output = BufReader::new(child.stdout.take().unwrap());
    let (sender, receiver) = channel();
    std::thread::spawn(move || {
        let lines: Vec<String> =
            output.lines().map_while(std::result::Result::ok).take_while(|l| l != "done").collect();
        let _ = sender.send(lines);
    });
    let said = receiver.recv_timeout(Duration::from_secs(300));
    // Still running: it has said `done`, and sleeps.
    let is_alive = child.try_wait().unwrap().is_none();
    child.kill().unwrap();
    child.wait().unwrap();
    assert!(is_alive, "{}", said.unwrap().join("\n"));
    said.expect("nothing is held to its limit");
}

#[test]
fn an_endless_kernel_ends_waits_at_the_time_limit() {
    in_a_child("timeout::an_endless_kernel_ends_waits_at_the_time_limit", || {
        let name = open().adapter().name.clone();
        let options = RuntimeOptions::new().adapter(name).timeout(LIMIT);
        be_held_up(Runtime::open_with(options).unwrap());
    });
}

#[test]
fn an_adopted_device_is_held_to_the_time_limit_too() {
    in_a_child("timeout::an_adopted_device_is_held_to_the_time_limit_too", || {
        let (device, queue) = device(&adapter());
        let options = RuntimeOptions::new().timeout(LIMIT);
        be_held_up(Runtime::from_wgpu_with(device, queue, options).unwrap());
    });
}

#[test]
fn a_busy_device_that_is_destroyed_is_lost_within_a_second() {
    in_a_child("timeout::a_busy_device_that_is_destroyed_is_lost_within_a_second", || {
        let (device, queue) = device(&adapter());
        let rt = Runtime::from_wgpu(device.clone(), queue);
        let x = stage(&rt, "x", &Random::new(62).uniform(&[100]));
        submit_long(&rt);
        let (second, reading) = (rt.clone(), x.clone());
        let blocked = std::thread::spawn(move || (reading.read(), second.wait()));
        std::thread::sleep(Duration::from_millis(100));
        let started = Instant::now();
        device.destroy();
        let lost = |error: Option<Error>| assert!(matches!(error, Some(Error::DeviceLost { .. })));
        lost(x.read().err());
        lost(pollster::block_on(x.read_async()).err());
        lost(rt.wait().err());
        let (read, wait) = blocked.join().unwrap();
        lost(read.err());
        lost(wait.err());
        assert!(started.elapsed() < Duration::from_secs(1) + GRACE);
    });
}

#[test]
fn a_time_limit_that_is_kept_changes_nothing() {
    let name = open().adapter().name.clone();
    let options = RuntimeOptions::new().adapter(name).timeout(Duration::from_secs(60));
    let rt = Runtime::open_with(options).unwrap();
    let array = Random::new(63).uniform(&[5000]);
    let x = stage(&rt, "x", &array);
    let mut g = longshore::Graph::new();
    let symbol = g.input("x", [5000_usize]);
    let y = g.activation(symbol, longshore::Activation::Relu).unwrap();
    g.output("y", y);
    let session = rt.session(&g, 1).unwrap();
    let y = session.run([("x", &x)]).unwrap()["y"].read().unwrap();
    assert_eq!(y, array.mapv(|value| value.max(0.0)));
    assert_eq!(pollster::block_on(x.read_async()).unwrap(), array);
    rt.wait().unwrap();
}

#[test]
fn options_that_choose_an_adapter_are_refused_where_one_is_adopted() {
    let (device, queue) = device(&adapter());
    let refused = |options: RuntimeOptions| {
        let adopted = Runtime::from_wgpu_with(device.clone(), queue.clone(), options);
        adopted.unwrap_err().to_string()
    };
    assert_eq!(
        refused(RuntimeOptions::new().adapter("x")),
        "adopting a device: RuntimeOptions::adapter is not supported; leave it out: there is nothing to choose"
    );
    assert!(refused(RuntimeOptions::new().require_adapter()).contains("require_adapter"));
    assert!(refused(RuntimeOptions::new().host_threads(2)).contains("host_threads"));
}
