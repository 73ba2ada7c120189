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

#[test]
fn print_all() {
    let with = |extra: &str| format!("{OUTPUT}\n{extra}");
    for (d, b) in [
        (with("@group(0) @binding(1) var t: texture_2d<f32>;"), WRITE),
        (with("@group(0) @binding(1) var s: sampler;"), WRITE),
        (with("@group(1) @binding(1) var<storage, read> x: array<f32>;"), WRITE),
        (with("@group(0) @binding(1000) var<storage, read> x: array<f32>;"), WRITE),
        (with("@group(0) @binding(1) var<storage, read> x: array<i32>;"), WRITE),
        (with("@group(0) @binding(1) var<storage, read> x: array<vec3<f32>>;"), WRITE),
        (with("@group(0) @binding(1) var<storage, read> x: f32;"), WRITE),
        (with("@group(0) @binding(1) var<storage, read_write> x: array<atomic<u32>>;"), WRITE),
        (with("@group(0) @binding(1) var<storage, write> x: array<f32>;"), WRITE),
        (with("@group(0) @binding(1) var<storage, read_write> x: array<f32>;"), WRITE),
        (with("struct S { n: u32, d: array<f32> } @group(0) @binding(1) var<storage, read> x: S;"), WRITE),
        (with("@group(0) @binding(1) var<uniform> x: f32;"), WRITE),
        (with("struct S { m: mat2x2<f32> } @group(0) @binding(1) var<uniform> x: S;"), WRITE),
        (with("struct S { m: f32 } @group(0) @binding(1) var<uniform> p: S; @group(0) @binding(2) var<uniform> q: S;"), WRITE),
        (with("struct S { @size(65540) m: f32 } @group(0) @binding(1) var<uniform> p: S;"), WRITE),
        (with("struct S { y_shape: vec4<f32> } @group(0) @binding(1) var<uniform> p: S;"), WRITE),
        (with("override n: u32 = 3;"), WRITE),
        (with("var<storage, read> x: array<f32>;"), WRITE),
        (with("@group(0) @binding(0) var<storage, read> x: array<f32>;"), "y[id.x] = x[id.x];"),
        (with("@group(0) @binding(0) var<storage, read> x: array<f32>;"), WRITE),
        (with("var<immediate> x: f32;"), WRITE),
        (with("enable f16; @group(0) @binding(1) var<storage, read> x: array<f16>;"), WRITE),
        (with("var<workgroup> w: array<f32, 4097>;"), WRITE),
        (with("var<private> w: array<f32, 2049>;"), WRITE),
        (with(""), "var w: array<f32, 2049>; y[0] = w[id.x];"),
        (String::new(), ""),
        ("@group(0) @binding(0) var<storage, read> x: array<f32>;".to_owned(), ""),
        (with(""), "y[id.x] = ;"),
        (with(""), "y[id.x] = 1u;"),
        (with(""), "y[id.x] = z;"),
        (with(&(1..9).map(|i| format!("@group(0) @binding({i}) var<storage, read> x{i}: array<f32>;\n")).collect::<String>()), WRITE),
    ] {
        println!("{}\n", match OwnKernel::new("k", source(&d, b)) { Ok(k) => format!("OK!! {d} {:?}", k.interface()), Err(e) => e.to_string() });
    }
    for s in ["", "fn f() {}", "é\u{0}\u{ff}", "@compute @workgroup_size(257) fn a() {}", "@compute @workgroup_size(1,1,65) fn a() {}", "@compute @workgroup_size(0) fn a() {}", "@compute fn a() {}",
        "@compute @workgroup_size(1) fn a() {} @compute @workgroup_size(1) fn b() {}", "@compute @workgroup_size(32, 9) fn a() {}"] {
        println!("{}\n", match OwnKernel::new("k", s) { Ok(k) => format!("OK!! {s} {:?}", k.interface()), Err(e) => e.to_string() });
    }
    println!("{}", OwnKernel::with_entry("k", "@compute @workgroup_size(1) fn a() {} @compute @workgroup_size(1) fn b() {} @fragment fn c() {}", "c").unwrap_err());
    println!("{}", OwnKernel::new("", OUTPUT).unwrap_err());
    println!("{}", OwnKernel::new("a\nb", OUTPUT).unwrap_err());
    println!("{} {}", message(OUTPUT, &format!("y[0] = 1.0 {};", "+ 1.0".repeat(2000))), error(&"x".repeat(70000)));
    println!("{}", error(&"const a = 1;".repeat(1001)));
    panic!();
}
