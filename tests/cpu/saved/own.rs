//! Own kernels: saved by name, source and parameters, loaded with the kernel.

use longshore::{Graph, OwnCall, OwnKernel, Saved};

use super::changed;

const SOURCE: &str = "
    struct Params { gain: f32, steps: vec2<i32>, flags: vec3<u32>, x_shape: vec2<u32> }
    @group(0) @binding(0) var<uniform> params: Params;
    @group(0) @binding(1) var<storage, read> x: array<f32>;
    @group(0) @binding(2) var<storage, read> z: array<f32>;
    @group(0) @binding(3) var<storage, read_write> y: array<f32>;
    fn used() -> f32 {
        return params.gain + f32(params.steps.x) + f32(params.flags.z) + f32(params.x_shape.y);
    }
    @compute @workgroup_size(64)
    fn first(@builtin(global_invocation_id) id: vec3<u32>) {
        if id.x < arrayLength(&y) { y[id.x] = used() * x[id.x] + z[id.x]; }
    }
    @compute @workgroup_size(64)
    fn second(@builtin(global_invocation_id) id: vec3<u32>) {
        if id.x < arrayLength(&y) { y[id.x] = used() - x[id.x] - z[id.x]; }
    }
";

fn kernel(name: &str, source: &str, entry: &str) -> OwnKernel {
    let kernel = OwnKernel::with_entry(name, source, entry).unwrap();
    kernel.shape(|inputs| Ok(inputs[0].clone()))
}

fn call() -> OwnCall {
    // A NaN with a payload, an extreme, and a vector of three.
    OwnCall::new()
        .param("gain", f32::from_bits(0xffc1_2345))
        .param("steps", [i32::MIN, 7])
        .param("flags", [u32::MAX, 0, 5])
}

fn graph(kernel: &OwnKernel) -> Graph {
    let mut g = Graph::new();
    let [a, b] = ["a", "b"].map(|name| g.input(name, [2, 3]));
    // By name: the source lists them the other way round.
    let y = g.own(kernel, [("z", a), ("x", b)], &call().name("mine")).unwrap();
    let z = g.own(kernel, [("z", y), ("x", y)], &call()).unwrap();
    g.output("y", z);
    g
}

#[test]
fn a_kernel_comes_back_with_its_parameters_and_operands() {
    let kernels = [kernel("other", SOURCE, "first"), kernel("mix", SOURCE, "second")];
    let g = graph(&kernels[1]);
    let saved = Saved::new(&g).unwrap();
    let loaded = saved.graph_with(&kernels).unwrap();
    assert_eq!(Saved::new(&loaded).unwrap(), saved);
    assert_eq!(format!("{:?}", loaded.nodes()), format!("{:?}", g.nodes()));
    let [one, other] = [&g, &loaded].map(|graph| graph.plan(1).unwrap());
    assert_eq!(one.block(), other.block());
    assert_eq!(one.to_string(), other.to_string());
    // The rules are those of the kernel that was brought.
    let again = [&g, &loaded].map(|graph| graph.nodes()[2].op() == graph.nodes()[3].op());
    assert_eq!(again, [true, true]);
    assert!(saved.description.contains("\"steps\": {\"i32\": [-2147483648, 7]}"));
    assert!(saved.description.contains("\"gain\": {\"f32\": [\"nan 0xffc12345\"]}"));
}

#[test]
fn of_two_kernels_of_one_name_the_saved_one_is_found() {
    let kernels = [kernel("mix", SOURCE, "first"), kernel("mix", SOURCE, "second")];
    for used in &kernels {
        let saved = Saved::new(&graph(used)).unwrap();
        let loaded = saved.graph_with(&kernels).unwrap();
        assert_eq!(Saved::new(&loaded).unwrap(), saved);
    }
}

#[test]
fn a_kernel_that_is_missing_or_another_one_is_refused() {
    let mix = kernel("mix", SOURCE, "second");
    let saved = Saved::new(&graph(&mix)).unwrap();
    let refusal = |kernels: &[OwnKernel]| saved.graph_with(kernels).unwrap_err().to_string();
    assert_eq!(
        refusal(&[]),
        "graph.json: node 2 \"mine\": own kernel: no kernel is given that is named \"mix\"; \
         known: none; register it and load with Graph::load_with, as its rules are Rust code"
    );
    let other = kernel("blend", SOURCE, "second");
    assert!(refusal(&[other]).contains("known: blend;"), "{saved:?}");
    let source = SOURCE.replace("+ z[id.x]", "- z[id.x]");
    assert_eq!(
        refusal(&[kernel("mix", &source, "second")]),
        "graph.json: node 2 \"mine\": own kernel: kernel \"mix\" has another source but it must \
         be the kernel that was saved\n  (entry point second, per_item false); bring that kernel, \
         or save the graph again"
    );
    let text = refusal(&[kernel("mix", SOURCE, "first")]);
    assert!(text.contains("has another entry point but"), "{text}");
    let text = refusal(&[mix.clone().per_item()]);
    assert!(text.contains("has another per_item but"), "{text}");
    // A rule for the shape that has changed since.
    let rule = OwnKernel::with_entry("mix", SOURCE, "second").unwrap();
    let text = refusal(&[rule.shape(|_| Ok(longshore::Shape::from(&[3, 2][..])))]);
    assert!(text.contains("shape is [2, 3] but its operands give [3, 2]"), "{text}");
}

#[test]
fn parameters_that_lie_are_refused() {
    let mix = [kernel("mix", SOURCE, "second")];
    let mut g = Graph::new();
    let [a, b] = ["a", "b"].map(|name| g.input(name, [2, 3]));
    let y = g.own(&mix[0], [("z", a), ("x", b)], &call()).unwrap();
    g.output("y", y);
    let saved = Saved::new(&g).unwrap();
    let lies = [
        (
            "{\"i32\": [-2147483648, 7]}",
            "{\"u32\": [1, 7]}",
            "parameter \"steps\" is given as vec2<u32>",
        ),
        ("{\"i32\": [-2147483648, 7]}", "{\"i32\": [7]}", "parameter \"steps\" is given as i32"),
        ("{\"i32\": [-2147483648, 7]}", "{\"i32\": []}", "parameter \"steps\" has 0 numbers"),
        ("{\"i32\": [-2147483648, 7]}", "{\"i32\": [1, 2, 3, 4, 5]}", "\"steps\" has 5 numbers"),
        ("{\"i32\": [-2147483648, 7]}", "{\"f64\": [1]}", "unknown variant `f64`"),
        ("\"steps\": ", "\"stride\": ", "there is no parameter \"stride\""),
        (
            "\"flags\": {\"u32\": [4294967295, 0, 5]}, ",
            "",
            "nothing is given for parameter \"flags\"",
        ),
        ("\"per_item\": false, ", "", "missing field `per_item`"),
        ("\"per_item\": false", "\"per_item\": false, \"threads\": 1", "unknown field `threads`"),
        ("\"operands\": [1, 0]", "\"operands\": [1]", "operands are 1 but such a node has 2"),
    ];
    for (from, to, expected) in lies {
        let text = changed(&saved, from, to).graph_with(&mix).unwrap_err().to_string();
        assert!(text.contains(expected), "{to}: {text}");
    }
}
