//! What is refused when a source is registered, and what the error says.

use longshore::{Error, OwnKernel};

use super::{OUTPUT, source};

/// The message for a source with these declarations and this body.
fn message(declarations: &str, body: &str) -> String {
    error(&source(declarations, body)).to_string()
}

fn error(wgsl: &str) -> Error {
    OwnKernel::new("k", wgsl).unwrap_err()
}

const WRITE: &str = "y[id.x] = 1.0;";

/// Declarations beside the output, and a part of the message that they give.
const DECLARATIONS: [(&str, &str); 24] = [
    (
        "@group(0) @binding(1) var t: texture_2d<f32>;",
        "kernel \"k\": the texture or sampler \"t\" is not supported; bind a buffer",
    ),
    ("@group(0) @binding(1) var s: sampler;", "the texture or sampler \"s\" is not supported"),
    (
        "@group(1) @binding(1) var<storage, read> x: array<f32>;",
        "\"x\" at @group(1) @binding(1) is not supported; use @group(0)",
    ),
    (
        "@group(0) @binding(1000) var<storage, read> x: array<f32>;",
        "\"x\" at @group(0) @binding(1000) is not supported; use @group(0) and binding numbers below 1000",
    ),
    (
        "@group(0) @binding(1) var<storage, read> x: array<i32>;",
        "the type of \"x\" is not supported; declare it array<f32>, array<vec2<f32>> or array<vec4<f32>>",
    ),
    (
        "@group(0) @binding(1) var<storage, read> x: array<u32>;",
        "the type of \"x\" is not supported",
    ),
    // Its elements lie 16 bytes apart.
    (
        "@group(0) @binding(1) var<storage, read> x: array<vec3<f32>>;",
        "the type of \"x\" is not supported",
    ),
    ("@group(0) @binding(1) var<storage, read> x: f32;", "the type of \"x\" is not supported"),
    (
        "@group(0) @binding(1) var<storage, read_write> x: array<atomic<u32>>;",
        "the type of \"x\" is not supported",
    ),
    (
        "struct S { n: u32, d: array<f32> } @group(0) @binding(1) var<storage, read> x: S;",
        "the type of \"x\" is not supported",
    ),
    (
        "@group(0) @binding(1) var<storage, write> x: array<f32>;",
        "'x' is invalid: Storage address space doesn't support write-only access",
    ),
    (
        "@group(0) @binding(1) var<storage, read_write> x: array<f32>;",
        "more than one output (\"y\", \"x\") is not supported; a node has one value",
    ),
    (
        "@group(0) @binding(1) var<uniform> x: f32;",
        "the uniform \"x\", which is no struct, is not supported; put the parameters into a struct",
    ),
    (
        "struct S { m: mat2x2<f32> } @group(0) @binding(1) var<uniform> x: S;",
        "the type of parameter \"m\" is not supported; use f32, i32, u32 or a vector of them",
    ),
    (
        "struct S { m: f32 } @group(0) @binding(1) var<uniform> p: S; @group(0) @binding(2) var<uniform> q: S;",
        "more than one uniform (\"p\", \"q\") is not supported; put all parameters into one struct",
    ),
    (
        "struct S { @size(65540) m: f32 } @group(0) @binding(1) var<uniform> p: S;",
        "the uniform \"p\" needs 65540 bytes but what every WebGPU device binds is 65536 bytes",
    ),
    (
        "struct S { a: u32, y_shape: vec4<f32> } @group(0) @binding(1) var<uniform> p: S;",
        "parameter \"y_shape\" is vec4<f32> but it takes the shape of \"y\": u32 or a vector of u32\n  \
         (byte 16 of the parameters); change its type, or its name",
    ),
    (
        "override n: u32 = 3;",
        "the override \"n\" is not supported; make it a const, or a parameter",
    ),
    ("var<storage, read> x: array<f32>;", "'x' is invalid: Binding decoration is missing"),
    (
        "@group(0) @binding(0) var<storage, read> x: array<f32>;",
        "binding both \"x\" and \"y\" at 0 is not supported; give each a number of its own",
    ),
    ("var<immediate> x: f32;", "'x' is invalid: Capability Capabilities(IMMEDIATES)"),
    (
        "var<workgroup> w: array<f32, 4097>;",
        "var<workgroup> needs 16388 bytes but what every WebGPU device has is 16384 bytes",
    ),
    (
        "var<private> w: array<f32, 2049>;",
        "var<private> needs 8196 bytes but what every WebGPU device has is 8192 bytes",
    ),
    (
        "fn f() { var w: array<f32, 2049>; w[1] = 1.0; }",
        "the memory of a function's variables needs 8196 bytes",
    ),
];

#[test]
fn declarations_that_cannot_be_bound_are_refused_by_name() {
    for (declaration, part) in DECLARATIONS {
        let message = message(&format!("{OUTPUT}\n{declaration}"), WRITE);
        assert!(message.starts_with("kernel \"k\": "), "{message}");
        assert!(message.contains(part), "{declaration}:\n{message}\nlacks\n{part}");
    }
}

#[test]
fn a_kernel_has_one_output_and_few_buffers() {
    let none = message("@group(0) @binding(0) var<storage, read> x: array<f32>;", "");
    assert_eq!(
        none,
        "kernel \"k\": the source declares no output but a kernel writes one var<storage, read_write>\n  \
         (1 inputs); declare the array that it writes"
    );
    let inputs = |count: usize| -> String {
        (1..=count)
            .map(|i| format!("@group(0) @binding({i}) var<storage, read> x{i}: array<f32>;\n"))
            .collect::<Vec<_>>()
            .concat()
    };
    let many = message(&format!("{OUTPUT}{}", inputs(8)), WRITE);
    assert!(
        many.contains("needs 9 storage buffers but what every WebGPU device binds is 8"),
        "{many}"
    );
    OwnKernel::new("k", source(&format!("{OUTPUT}{}", inputs(7)), WRITE)).unwrap();
}

#[test]
fn what_is_not_wgsl_is_reported_with_line_and_column() {
    let places = [
        ("y[id.x] = ;", 4, 11, "expected expression, found \";\""),
        ("let é = 1.0; y[id.x] = z;", 4, 24, "no definition in scope for identifier: `z`"),
        ("let a = 1u;\n  y[id.x] = a;", 5, 3, "f32"),
    ];
    for (body, line, column, part) in places {
        let error = error(&source(OUTPUT, body));
        let Error::Wgsl { kernel, line: found_line, column: found_column, message } = &error else {
            panic!("{error}");
        };
        assert_eq!(kernel, "kernel \"k\"");
        assert_eq!((*found_line, *found_column), (line, column), "{error}");
        assert!(message.contains(part), "{error}");
        assert!(error.to_string().ends_with("; correct the WGSL"), "{error}");
    }
    let f16 = "enable f16;\n@compute @workgroup_size(1) fn a() { let x = 1h; }";
    assert!(matches!(error(f16), Error::Wgsl { .. }));
}

#[test]
fn the_entry_point_must_be_one_and_its_workgroup_small() {
    let none = error("fn f() {}").to_string();
    assert!(
        none.contains(
            "the source has no compute entry point but a kernel is a function with @compute"
        ),
        "{none}"
    );
    assert!(none.contains("(compute entry points: none); add one"), "{none}");
    let two = "@compute @workgroup_size(1) fn a() {} @compute @workgroup_size(1) fn b() {}
               @fragment fn c() {}";
    let several = error(two).to_string();
    assert!(
        several.contains("has 2 compute entry points but a kernel is one of them"),
        "{several}"
    );
    assert!(
        several.contains("(compute entry points: a, b); choose with OwnKernel::with_entry"),
        "{several}"
    );
    for name in ["c", "d"] {
        let unknown = OwnKernel::with_entry("k", two, name).unwrap_err().to_string();
        let wanted = format!("there is no compute entry point \"{name}\"; known: a, b;");
        assert!(unknown.contains(&wanted), "{unknown}");
    }
    for (size, part) in [
        ("257", "workgroup_size is [257, 1, 1], which is 257 threads"),
        ("1, 1, 65", "workgroup_size is [1, 1, 65], which is 65 threads"),
        ("32, 9", "workgroup_size is [32, 9, 1], which is 288 threads"),
        ("4294967295, 4294967295, 4294967295", "Workgroup size is out of range"),
        ("0", "Workgroup size is out of range"),
    ] {
        let wgsl = source(OUTPUT, WRITE).replace("(64)", &format!("({size})"));
        let message = error(&wgsl).to_string();
        assert!(
            message.contains(part) || message.contains("every WebGPU device runs [256, 256, 64]"),
            "{message}"
        );
    }
    for size in ["256", "1, 256", "2, 2, 64", "16, 16"] {
        let wgsl = source(OUTPUT, WRITE).replace("(64)", &format!("({size})"));
        OwnKernel::new("k", wgsl).unwrap();
    }
}

#[test]
fn a_name_is_a_line_of_text() {
    for (name, shown) in [("", "\"\""), ("a\nb", "\"a\\nb\"")] {
        let error = OwnKernel::new(name, source(OUTPUT, WRITE)).unwrap_err().to_string();
        assert!(
            error.starts_with(&format!("own kernel: a kernel cannot be named {shown}")),
            "{error}"
        );
    }
    assert_eq!(OwnKernel::new("Sobel 3×3", source(OUTPUT, WRITE)).unwrap().name(), "Sobel 3×3");
}
