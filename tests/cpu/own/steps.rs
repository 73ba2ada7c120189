//! Own kernels as steps: threads, parts of the batch, the twin on the host.

use longshore::internals::kernels::Work;
use longshore::plan::Limits;
use longshore::{Dim, Error, OwnKernel};

use super::graph::{BATCH_OF_4, graph, planned, words};
use super::{SCALE, like_first, scale_call};

#[test]
fn threads_are_one_for_each_element_or_as_the_rule_says() {
    let kernel = like_first("k", SCALE);
    let groups = |kernel: &OwnKernel, width: usize, most: u32| {
        let dims = [Dim::Batch, Dim::Fixed(width)];
        let plan = planned(kernel, &scale_call(), &dims, 1).unwrap();
        plan.steps()[0].work.launch("node", most).map(|launch| launch.workgroups)
    };
    for (width, wanted) in [
        (1, [1, 1, 1]),
        (64, [1, 1, 1]),
        (65, [2, 1, 1]),
        (192, [3, 1, 1]),
        (193, [2, 2, 1]),
        (576, [3, 3, 1]),
    ] {
        assert_eq!(groups(&kernel, width, 3).unwrap(), wanted, "{width}");
    }
    assert!(matches!(groups(&kernel, 577, 3), Err(Error::Limit { .. })));
    // A workgroup of another size has another number of groups.
    let small = like_first("k", &SCALE.replace("(64)", "(4, 2)"));
    assert_eq!(groups(&small, 65, 65_535).unwrap(), [9, 1, 1]);
    // Four numbers are one element of a vec4.
    let four = SCALE.replace("y: array<f32>", "y: array<vec4<f32>>").replace("y[i] =", "y[i].x =");
    assert_eq!(groups(&like_first("k", &four), 256, 65_535).unwrap(), [1, 1, 1]);
    assert_eq!(groups(&like_first("k", &four), 260, 65_535).unwrap(), [2, 1, 1]);

    let grid = |rule: fn(&[usize]) -> [usize; 3]| small.clone().threads(rule);
    assert_eq!(groups(&grid(|shape| [shape[1], 3, 2]), 65, 65_535).unwrap(), [17, 2, 2]);
    assert_eq!(groups(&grid(|_| [12, 6, 3]), 65, 3).unwrap(), [3, 3, 3]);
    let error = groups(&grid(|_| [13, 6, 3]), 65, 3).unwrap_err();
    assert!(matches!(&error, Error::Limit { needed: 4, limit: Some(3), .. }), "{error}");
    let error = planned(&grid(|_| [usize::MAX, 6, 3]), &scale_call(), &BATCH_OF_4, 1).unwrap_err();
    assert!(matches!(error, Error::Limit { .. }), "{error}");
    let none =
        planned(&grid(|_| [4, 0, 1]), &scale_call(), &BATCH_OF_4, 1).unwrap_err().to_string();
    assert!(
        none.contains("the thread rule gives [4, 0, 1] but a dispatch needs at least 1 thread"),
        "{none}"
    );
}

#[test]
fn only_a_kernel_that_works_item_by_item_is_split() {
    let limits = Limits { max_storage_buffer_binding_size: 1024, ..Limits::default() };
    let plan = |kernel: &OwnKernel| {
        let (mut g, x) = graph(&[Dim::Batch, Dim::Fixed(64)]);
        let y = g.own(kernel, [("x", x)], &scale_call())?;
        g.output("y", y);
        g.plan_within(10, &limits)
    };
    let kernel = like_first("k", SCALE);
    let error = plan(&kernel).unwrap_err();
    assert!(matches!(error, Error::Limit { .. }));
    assert!(error.to_string().contains("cannot be split along the batch"), "{error}");
    let plan = plan(&kernel.per_item()).unwrap();
    let nodes: Vec<&str> = plan.steps().iter().map(|step| step.node.as_str()).collect();
    assert_eq!(nodes, ["own \"k\" items 0..4", "own \"k\" items 4..8", "own \"k\" items 8..10"]);
    assert_eq!(words(&plan, 1)[2..4], [4, 64]);
    assert_eq!(words(&plan, 2)[2..4], [2, 64]);
    assert_eq!(plan.steps()[2].operands[0].offset_bytes, 2048);
}

#[test]
fn the_host_runs_the_twin_or_says_that_there_is_none() {
    let kernel = like_first("k", SCALE);
    let twin = kernel.clone().host(|call, result| {
        let gain = call.params.f32("gain").unwrap_or(f32::NAN);
        let step = call.params.i32s("step").unwrap_or_default();
        assert_eq!(step, [1, -2, 3, 0]);
        assert_eq!(call.params.u32s("x_shape").unwrap()[..2], [2, 4]);
        assert_eq!((call.shape, call.operands[0].shape), (&[2, 4][..], &[2, 4][..]));
        assert_eq!(call.params.u32("gain"), None, "of another type");
        assert_eq!(call.params.i32("step"), Some(1));
        assert_eq!(call.params.f32("nothing"), None);
        for (y, x) in result.iter_mut().zip(call.operands[0].values) {
            *y = gain * x + step[0] as f32;
        }
    });
    let work = |kernel: &OwnKernel| -> Work {
        planned(kernel, &scale_call(), &BATCH_OF_4, 2).unwrap().steps()[0].work.clone()
    };
    let x = [0.0, 1.0, 2.0, 3.0, 4.0, 5.0, 6.0, 7.0];
    let mut y = [f32::NAN; 8];
    longshore::internals::host::execute("own \"k\"", &work(&twin), &[&x], &mut y).unwrap();
    assert_eq!(y, [1.0, 3.0, 5.0, 7.0, 9.0, 11.0, 13.0, 15.0]);
    let error = longshore::internals::host::execute("own \"k\"", &work(&kernel), &[&x], &mut y)
        .unwrap_err();
    assert_eq!(
        error.to_string(),
        "own \"k\": kernel \"k\" on the host, which runs no WGSL, is not supported; \
         give it a twin in Rust with OwnKernel::host, or use a device"
    );
    let Work::Own(geometry) = work(&kernel) else { panic!("no own kernel") };
    assert!(geometry.check_host("own \"k\"").is_err());
    let Work::Own(geometry) = work(&twin) else { panic!("no own kernel") };
    geometry.check_host("own \"k\"").unwrap();
    let short = geometry.run_on_host("own \"k\"", &[&x[..7]], &mut y).unwrap_err().to_string();
    assert!(
        short.contains("operands and result have [7, 8] numbers but the geometry has [8, 8]"),
        "{short}"
    );
}
