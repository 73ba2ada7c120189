//! Own kernels as nodes: names, shapes, parameters, threads, plans.

use longshore::kernels::Work;
use longshore::plan::Limits;
use longshore::{Activation, Dim, Error, Graph, OwnCall, OwnKernel, Plan, Result, Shape, Symbol};

use super::{OUTPUT, SCALE, like_first, scale_call, source};

/// A graph with an input `x` and the symbol of it.
fn graph(dims: &[Dim]) -> (Graph, Symbol) {
    let mut g = Graph::new();
    let x = g.input("x", dims.iter().copied());
    (g, x)
}

const BATCH_OF_4: [Dim; 2] = [Dim::Batch, Dim::Fixed(4)];

/// A graph of one kernel over `x`, whose result is the output.
fn planned(kernel: &OwnKernel, call: &OwnCall, dims: &[Dim], batch: usize) -> Result<Plan> {
    let (mut g, x) = graph(dims);
    let y = g.own(kernel, [("x", x)], call)?;
    g.output("y", y);
    g.plan(batch)
}

/// The words of a parameter range.
fn words(plan: &Plan, step: usize) -> Vec<u32> {
    let range = plan.steps()[step].params;
    let bytes = &plan.block()[range.offset_bytes as usize..][..range.bytes as usize];
    bytes.chunks(4).map(|word| u32::from_le_bytes(word.try_into().unwrap())).collect()
}

#[test]
fn a_plan_prints_the_kernel_and_holds_its_parameters() {
    let kernel = like_first("brighten", SCALE);
    let (mut g, x) = graph(&BATCH_OF_4);
    let first = g.own(&kernel, [("x", x)], &scale_call()).unwrap();
    let second = g.activation(first, Activation::Relu).unwrap();
    let third = g.own(&kernel, [("x", second)], &scale_call().name("again")).unwrap();
    let fourth = g.own(&kernel, [("x", third)], &scale_call()).unwrap();
    g.output("y", fourth);
    assert_eq!(g.shape(fourth).unwrap().to_string(), "[batch, 4]");
    let plan = g.plan(5).unwrap();
    let text = plan.to_string();
    assert!(
        text.contains("step 0     own \"brighten\" by own/brighten: input 0 -> slot 0 (80 bytes, 1x1x1 groups)"),
        "{text}"
    );
    assert!(text.contains("own \"again\" by own/brighten"), "{text}");
    assert!(text.contains("own \"brighten_1\" by own/brighten"), "{text}");
    let gain = 2.0_f32.to_bits();
    assert_eq!(words(&plan, 0), [gain, 0, 5, 4, 1, (-2_i32).cast_unsigned(), 3, 0]);
    // Equal parameters stand in the block once.
    assert_eq!(plan.steps()[0].params, plan.steps()[2].params);
    assert_eq!(plan.steps()[2].params, plan.steps()[3].params);
    assert_eq!(plan.steps()[0].kernel_name(), "own/brighten");
    assert_eq!(plan.steps()[1].kernel_name(), "activation/elements4");
}

#[test]
fn a_kernel_without_parameters_adds_nothing_to_the_block() {
    let wgsl = source(
        &format!("{OUTPUT} @group(0) @binding(1) var<storage, read> x: array<f32>;"),
        "if id.x < arrayLength(&y) { y[id.x] = -x[id.x]; }",
    );
    let plan = planned(&like_first("negate", &wgsl), &OwnCall::new(), &BATCH_OF_4, 3).unwrap();
    assert_eq!((plan.block().len(), plan.block_payload()), (0, 0));
    assert!(plan.expected_crossings().prepare.is_empty());
    // Nor does an output without elements add a step.
    let nothing =
        OwnKernel::new("none", wgsl).unwrap().shape(|_| Ok(Shape::new([Dim::Batch, 0.into()])));
    let plan = planned(&nothing, &OwnCall::new(), &BATCH_OF_4, 3).unwrap();
    assert_eq!(plan.steps().len(), 0);
}

/// The message of adding a kernel over these operands.
fn refusal(kernel: &OwnKernel, operands: &[&str], call: &OwnCall) -> String {
    let (mut g, x) = graph(&BATCH_OF_4);
    let error = g.own(kernel, operands.iter().map(|name| (*name, x)), call).unwrap_err();
    assert_eq!(g.nodes().len(), 1, "a failed node stays out of the graph");
    error.to_string()
}

#[test]
fn operands_must_be_those_of_the_source() {
    let kernel = like_first("k", SCALE);
    let cases: [(&[&str], &str); 4] = [
        (&[], "own \"k\": nothing is given for input \"x\"; known: x; give an operand for it"),
        (
            &["image"],
            "own \"k\": there is no input \"image\"; known: x; use the names of the source",
        ),
        (&["x", "x"], "own \"k\": two operands are given for input \"x\"; known: x; give one"),
        (
            &["x", "y"],
            "own \"k\": a call does not give the output \"y\"; known: x; the kernel makes it",
        ),
    ];
    for (operands, wanted) in cases {
        assert_eq!(refusal(&kernel, operands, &scale_call()), wanted);
    }
    let (mut g, _) = graph(&BATCH_OF_4);
    let (_, foreign) = graph(&BATCH_OF_4);
    let error = g.own(&kernel, [("x", foreign)], &scale_call()).unwrap_err().to_string();
    assert!(error.starts_with("own \"k\": \"x\" is a symbol of another graph"), "{error}");
}

#[test]
fn parameters_must_be_those_of_the_source() {
    let kernel = like_first("k", SCALE);
    let step = [1_i32, -2, 3];
    let call = OwnCall::new;
    for (call, wanted) in [
        (
            call(),
            "own \"k\": nothing is given for parameter \"gain\"; known: gain, step; give it with OwnCall::param",
        ),
        (
            call().param("gain", 1.0_f32),
            "own \"k\": nothing is given for parameter \"step\"; known: gain, step; give it with OwnCall::param",
        ),
        (
            scale_call().param("bias", 1.0_f32),
            "own \"k\": there is no parameter \"bias\"; known: gain, step; use one of these names",
        ),
        (
            scale_call().param("gain", 1.0_f32),
            "own \"k\": two values are given for parameter \"gain\"; known: gain, step; give one",
        ),
        (
            scale_call().param("x_shape", [5_u32, 4]),
            "own \"k\": a call does not give the parameter \"x_shape\"; known: gain, step; it is filled with the shape of the array it names",
        ),
        (
            call().param("gain", 1_i32).param("step", step),
            "own \"k\": parameter \"gain\" is given as i32 but the source declares f32\n  (byte 0 of the parameters); give a value of that type",
        ),
        (
            call().param("gain", 1.0_f32).param("step", [1_i32, 2]),
            "own \"k\": parameter \"step\" is given as vec2<i32> but the source declares vec3<i32>\n  (byte 16 of the parameters); give a value of that type",
        ),
        (
            call().param("gain", 1.0_f32).param("step", [1_u32, 2, 3]),
            "own \"k\": parameter \"step\" is given as vec3<u32> but the source declares vec3<i32>\n  (byte 16 of the parameters); give a value of that type",
        ),
    ] {
        assert_eq!(refusal(&kernel, &["x"], &call), wanted);
    }
    let none = like_first(
        "k",
        &source(
            &format!("{OUTPUT} @group(0) @binding(1) var<storage> x: array<f32>;"),
            "y[id.x] = x[id.x];",
        ),
    );
    let message = refusal(&none, &["x"], &call().param("gain", 1.0_f32));
    assert_eq!(
        message,
        "own \"k\": there is no parameter \"gain\"; known: ; use one of these names"
    );
}

#[test]
fn every_type_of_value_has_its_bytes() {
    let members =
        "a: f32, b: vec2<f32>, c: vec3<f32>, d: vec4<f32>, e: i32, f: vec2<i32>, g: vec4<i32>,
                   h: u32, i: vec2<u32>, j: vec3<u32>, k: vec4<u32>";
    let declarations =
        format!("struct P {{ {members} }} @group(0) @binding(1) var<uniform> p: P; {OUTPUT}");
    let kernel = OwnKernel::new("k", source(&declarations, "y[id.x] = p.a;")).unwrap();
    let kernel = kernel.shape(|_| Ok(Shape::new([3])));
    let call = OwnCall::new()
        .param("a", 1.5_f32)
        .param("b", [2.5_f32, 3.5])
        .param("c", [4.5_f32, 5.5, 6.5])
        .param("d", [f32::NAN, 1.0, 2.0, 3.0])
        .param("e", -1)
        .param("f", [-2, -3])
        .param("g", [-4, -5, -6, -7])
        .param("h", 8_u32)
        .param("i", [9_u32, 10])
        .param("j", [11_u32, 12, 13])
        .param("k", [14_u32, 15, 16, u32::MAX]);
    let mut g = Graph::new();
    let y = g.own(&kernel, [], &call).unwrap();
    g.output("y", y);
    let found = words(&g.plan(1).unwrap(), 0);
    let f = f32::to_bits;
    let i = i32::cast_unsigned;
    // By WGSL's alignments, in words: a at 0, b at 2, c at 4, d at 8, e at 12, f at 14, ...
    let wanted = [
        f(1.5),
        0,
        f(2.5),
        f(3.5),
        f(4.5),
        f(5.5),
        f(6.5),
        0,
        f(f32::NAN),
        f(1.0),
        f(2.0),
        f(3.0),
        i(-1),
        0,
        i(-2),
        i(-3),
        i(-4),
        i(-5),
        i(-6),
        i(-7),
        8,
        0,
        9,
        10,
        11,
        12,
        13,
        0,
        14,
        15,
        16,
        u32::MAX,
    ];
    assert_eq!(found, wanted);
}

#[test]
fn the_shape_rule_is_asked_and_checked() {
    let bare = OwnKernel::new("k", SCALE).unwrap();
    let missing = refusal(&bare, &["x"], &scale_call());
    assert_eq!(
        missing,
        "own \"k\": the shape rule is missing but the source does not say which shape the output has\n  \
         (inputs x: [batch, 4]); give the kernel one with OwnKernel::shape"
    );
    let strict = bare.clone().shape(|_| Err("wants an image".to_owned()));
    let refused = refusal(&strict, &["x"], &scale_call());
    assert!(
        refused.contains("the shape rule refuses the operands: wants an image but they must"),
        "{refused}"
    );
    let late = bare.clone().shape(|_| Ok(Shape::new([Dim::Fixed(3), Dim::Batch])));
    let refused = refusal(&late, &["x"], &scale_call());
    assert!(
        refused.contains("the shape rule gives [3, batch] but only the first dimension"),
        "{refused}"
    );
    let huge = bare.clone().shape(|_| Ok(Shape::new([usize::MAX, 2])));
    assert!(refusal(&huge, &["x"], &scale_call()).contains("2^64"));
    // A rule may keep the batch or drop it.
    let transposed = bare.clone().shape(|x| Ok(Shape::new([x[0].dims()[1], Dim::Fixed(7)])));
    let (mut g, x) = graph(&BATCH_OF_4);
    let y = g.own(&transposed, [("x", x)], &scale_call()).unwrap();
    assert_eq!(g.shape(y).unwrap(), &Shape::new([4, 7]));
}

#[test]
fn shapes_that_the_parameters_cannot_take_are_refused_when_planning() {
    let kernel = like_first("k", SCALE);
    for dims in [vec![Dim::Batch], vec![Dim::Batch, 4.into(), 4.into()]] {
        let error = planned(&kernel, &scale_call(), &dims, 5).unwrap_err().to_string();
        let shape = if dims.len() == 1 { "[5]" } else { "[5, 4, 4]" };
        let wanted = format!(
            "own \"k\": parameter \"x_shape\" is vec2<u32> but the shape it takes is {shape}\n"
        );
        assert!(error.starts_with(&wanted), "{error}");
    }
    let wide =
        SCALE.replace("x_shape: vec2<u32>", "x_shape: vec4<u32>").replace("struct", "struct");
    let five = [Dim::Batch, 1.into(), 1.into(), 1.into(), 1.into()];
    let error = planned(&like_first("k", &wide), &scale_call(), &five, 2).unwrap_err().to_string();
    assert!(error.contains("is vec4<u32> but the shape it takes is [2, 1, 1, 1, 1]"), "{error}");
}

#[test]
fn arrays_must_have_the_lengths_that_the_source_declares() {
    let vectors = source(
        "@group(0) @binding(0) var<storage, read_write> y: array<vec4<f32>>;
         @group(0) @binding(1) var<storage, read> x: array<f32>;",
        "y[id.x] = vec4<f32>(x[id.x]);",
    );
    let kernel = like_first("k", &vectors);
    let three = [Dim::Batch, Dim::Fixed(3)];
    let error = planned(&kernel, &OwnCall::new(), &three, 3).unwrap_err().to_string();
    assert!(error.starts_with("own \"k\": \"y\" has 9 numbers but the source declares whole elements of vec4<f32>\n  (y [3, 3])"), "{error}");
    let plan = planned(&kernel, &OwnCall::new(), &three, 4).unwrap();
    assert_eq!(plan.steps()[0].workgroups, [1, 1, 1]);
    // Without a batch the graph knows.
    let (mut g, x) = graph(&[Dim::Fixed(3), Dim::Fixed(3)]);
    assert!(g.own(&kernel, [("x", x)], &OwnCall::new()).is_err());

    let fixed = source(
        &format!("{OUTPUT} @group(0) @binding(1) var<storage, read> x: array<vec2<f32>, 9>;"),
        "y[id.x] = x[id.x].y;",
    );
    let kernel = like_first("k", &fixed);
    let (mut g, x) = graph(&[Dim::Fixed(3), Dim::Fixed(3)]);
    let error = g.own(&kernel, [("x", x)], &OwnCall::new()).unwrap_err().to_string();
    assert!(
        error.starts_with(
            "own \"k\": \"x\" has 9 numbers but the source declares 9 elements of vec2<f32>"
        ),
        "{error}"
    );
    let (mut g, x) = graph(&[Dim::Fixed(3), Dim::Fixed(6)]);
    g.own(&kernel, [("x", x)], &OwnCall::new()).unwrap();

    let (mut g, x) = graph(&[Dim::Fixed(0), Dim::Fixed(4)]);
    let error = g.own(&like_first("k", SCALE), [("x", x)], &scale_call()).unwrap_err().to_string();
    assert!(
        error.starts_with("own \"k\": \"x\" has 0 numbers but a kernel cannot bind an empty array"),
        "{error}"
    );
}

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
    assert!(
        matches!(&error, Error::Limit { bytes, .. } if bytes == "4 workgroups along one dimension"),
        "{error}"
    );
    let error = groups(&grid(|_| [usize::MAX, 6, 3]), 65, u32::MAX).unwrap_err();
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
    longshore::host::execute("own \"k\"", &work(&twin), &[&x], &mut y).unwrap();
    assert_eq!(y, [1.0, 3.0, 5.0, 7.0, 9.0, 11.0, 13.0, 15.0]);
    let error = longshore::host::execute("own \"k\"", &work(&kernel), &[&x], &mut y).unwrap_err();
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
