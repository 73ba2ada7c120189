//! Sources that are made to break a compiler end in an error or are compiled, on any stack.

use longshore::own::MAX_SOURCE_BYTES;
use longshore::{Error, OwnKernel, Result};

use super::{OUTPUT, source};

fn read(wgsl: String) -> Result<OwnKernel> {
    OwnKernel::new("k", wgsl)
}

/// Refused as beyond a bound, with a part of the message.
fn refused(wgsl: String, part: &str) {
    let message = read(wgsl).unwrap_err().to_string();
    assert!(message.contains(part), "{message}");
}

#[test]
fn long_and_deep_sources_are_refused_before_they_are_parsed() {
    for text in ["(", "{", "[", "/*", "a<", "x", "é", "\u{0}", "const a = 1;"] {
        refused(text.repeat((1 << 20) / text.len()), "longest source is 65536 bytes");
    }
    let chained = "chained more than 1000 deep";
    refused("(".repeat(MAX_SOURCE_BYTES), chained);
    let body = |text: &str| source(OUTPUT, text);
    refused(body(&format!("y[0] = 1.0{};", " + 1.0".repeat(1000))), chained);
    refused(body(&format!("y[0] = {}1.0;", "- ".repeat(20_000))), chained);
    refused(body(&format!("y[0] = vec4<f32>(){}.x;", ".xyzw".repeat(5000))), chained);
    let links = "else if y[0] == 1.0 { y[0] = 2.0; }".repeat(200);
    refused(body(&format!("if y[0] == 0.0 {{ }} {links}")), chained);
    let many = lines(1001, |i| format!("const c{i} = {i};\n"));
    refused(many, "more than 1000 declarations");
}

/// The deepest that the bounds let through; without a stack of its own the compiler would
/// end the process, as it does on the 2 MiB that a test's thread has.
#[test]
fn the_deepest_sources_within_the_bounds_are_compiled() {
    let body = |text: String| source(OUTPUT, &text);
    let chain = |i: usize| format!("const c{i} = c{} + 1;\n", i + 1);
    let constants = lines(990, chain);
    let structs = lines(990, |i| format!("struct S{i} {{ a: S{} }}\n", i + 1));
    let functions = lines(990, |i| format!("fn g{i}() -> f32 {{ return g{}(); }}\n", i + 1));
    for wgsl in [
        body(format!("y[0] = y[1]{};", "+y[1]".repeat(490))),
        body(format!("y[0] = y[1]{};", "*2f".repeat(950))),
        body(format!("if y[0] == 1.0 {} {{ y[0] = 2.0; }}", "&& y[0] == 1.0".repeat(150))),
        body(format!("y[0] = {}y[1];", "- ".repeat(980))),
        body(format!("let a = {}true;", "!".repeat(980))),
        body(format!("y[0] = {}1.0{};", "sin(".repeat(190), ")".repeat(190))),
        body(format!("y[0] = vec4<f32>(){}.x;", ".xyzw".repeat(960))),
        body(format!("if y[0] == 0.0 {{ }} {}", "else if y[0] == 1f {}".repeat(80))),
        body(format!("{} y[0] = 1.0; {}", "if y[0] < 1f {".repeat(120), "}".repeat(120))),
        body(format!("{} break; {}", "loop {".repeat(120), "}".repeat(120))),
        format!("{constants}const c990 = 1;\n{}", body("y[0] = f32(c0);".to_owned())),
        format!("{structs}struct S990 {{ a: f32 }}\n{}", body("y[0] = 1.0;".to_owned())),
        format!(
            "{functions}fn g990() -> f32 {{ return 1.0; }}\n{}",
            body("y[0] = g0();".to_owned())
        ),
    ] {
        let outcome = read(wgsl.clone());
        assert!(outcome.is_ok(), "{}\n{}", &wgsl[wgsl.len() - 300..], outcome.unwrap_err());
    }
}

#[test]
fn huge_arrays_are_errors() {
    for declaration in [
        "var<private> a: array<f32, 1000000000>;",
        "var<workgroup> a: array<f32, 1000000000>;",
        "var<private> a: array<array<array<f32, 65535>, 65535>, 65535>;",
        "var<private> a: array<f32, 0>;",
        "var<private> a: array<f32, -1>;",
        "var<private> a: array<f32, 4294967296>;",
        "struct S { @size(4294967292) a: f32 } @group(0) @binding(1) var<uniform> s: S;",
    ] {
        let outcome = read(source(&format!("{OUTPUT}{declaration}"), "y[0] = 1.0;"));
        assert!(outcome.is_err(), "{declaration}");
    }
    // A zero value is no memory.
    let zero = "const a = array<f32, 1000000>(); const b = a[1];";
    assert!(read(source(&format!("{OUTPUT}{zero}"), "y[0] = b;")).is_ok());
}

#[test]
fn garbage_is_an_error() {
    let mut state = 0x9e37_79b9_7f4a_7c15_u64;
    let mut random = move || {
        state ^= state << 13;
        state ^= state >> 7;
        state ^= state << 17;
        state
    };
    let whole = source(OUTPUT, "for (var i = 0; i < 3; i++) { y[id.x] += f32(i) * 2.0; }");
    for round in 0..300 {
        let bytes: Vec<u8> = if round % 2 == 0 {
            (0..200).map(|_| random().to_le_bytes()[0]).collect()
        } else {
            // One byte of a good source is another.
            let mut bytes = whole.clone().into_bytes();
            let place = usize::try_from(random()).unwrap() % bytes.len();
            bytes[place] = random().to_le_bytes()[0];
            bytes
        };
        let text = String::from_utf8_lossy(&bytes).into_owned();
        if let Err(error) = read(text) {
            let is_expected =
                !matches!(&error, Error::Unsupported { what, .. } if what.contains("panic"));
            assert!(is_expected, "{error}");
        }
    }
}

/// Declarations, one for each number below `count`.
fn lines(count: usize, line: impl Fn(usize) -> String) -> String {
    (0..count).map(line).collect::<Vec<_>>().concat()
}
