//! Own kernels as nodes: names, operands, parameters, shapes.

use longshore::{Activation, Dim, Graph, OwnCall, OwnKernel, Plan, Result, Shape, Symbol};

use super::{OUTPUT, SCALE, like_first, scale_call, source};

/// A graph with an input `x` and the symbol of it.
pub(super) fn graph(dims: &[Dim]) -> (Graph, Symbol) {
    let mut g = Graph::new();
    let x = g.input("x", dims.iter().copied());
    (g, x)
}

pub(super) const BATCH_OF_4: [Dim; 2] = [Dim::Batch, Dim::Fixed(4)];

/// A graph of one kernel over `x`, whose result is the output.
pub(super) fn planned(
    kernel: &OwnKernel,
    call: &OwnCall,
    dims: &[Dim],
    batch: usize,
) -> Result<Plan> {
    let (mut g, x) = graph(dims);
    let y = g.own(kernel, [("x", x)], call)?;
    g.output("y", y);
    g.plan(batch)
}

/// The words of a parameter range.
pub(super) fn words(plan: &Plan, step: usize) -> Vec<u32> {
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
    // Equal parameters are in the block once.
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
    let wide = SCALE.replace("x_shape: vec2<u32>", "x_shape: vec4<u32>");
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
