//! Loops of kernels: what they come to where that can be known, and which ones nobody knows.

use std::fmt::Write;

use longshore::internals::kernels::Work;
use longshore::{Graph, OwnCall};

use super::like_first;

const DECLARATIONS: &str = "
struct Params { n: u32, m: i32, zero: u32, x_shape: vec2<u32> }
const LIMIT = 12;
@group(0) @binding(0) var<uniform> params: Params;
@group(0) @binding(1) var<storage, read> x: array<f32>;
@group(0) @binding(2) var<storage, read_write> y: array<f32>;
@group(0) @binding(3) var<storage, read> four: array<vec4<f32>>;
fn sum(n: u32) -> f32 {
    var s = 0.0;
    for (var i = 0u; i < n; i++) { s += 1.0; }
    return s;
}
fn length() -> u32 { return arrayLength(&x) / 2u; }
fn step(i: ptr<function, u32>) { *i += 1u; }
@compute @workgroup_size(8, 2)
fn main(@builtin(global_invocation_id) id: vec3<u32>, @builtin(local_invocation_index) local: u32) {
    var s = x[0] + four[0].x;
";

/// Counts for a batch of 3 rows of 35, and one workgroup of 16 threads in 7; lines are those of the
/// whole source.
#[track_caller]
fn counts(source: &str) -> (u64, Vec<usize>) {
    let kernel = like_first("k", source);
    let mut g = Graph::new();
    let [x, four] = [g.input("x", [3, 35]), g.input("four", [5, 4])];
    let call = OwnCall::new().param("n", 300_u32).param("m", 20_i32).param("zero", 0_u32);
    let y = g.own(&kernel, [("x", x), ("four", four)], &call).unwrap();
    g.output("y", y);
    let plan = g.plan(1).unwrap();
    let step = &plan.steps()[0];
    let Work::Own(geometry) = &step.work else { panic!("{plan}") };
    let loops = geometry.loops("node", step.workgroups).unwrap();
    (loops.iterations, loops.unbounded)
}

/// As [`counts`], for the body of the entry point, whose lines are counted from its first.
#[track_caller]
fn loops(body: &str) -> (u64, Vec<isize>) {
    let first = DECLARATIONS.matches('\n').count().cast_signed();
    let (iterations, lines) = counts(&format!("{DECLARATIONS}{body}\n    y[0] = s;\n}}\n"));
    (iterations, lines.into_iter().map(|line| line.cast_signed() - first).collect())
}

#[track_caller]
fn counted(cases: &[(&str, u64)]) {
    for (body, iterations) in cases {
        assert_eq!(loops(body), (*iterations, Vec::new()), "{body}");
    }
}

#[test]
fn counters_go_from_known_numbers_to_known_bounds() {
    counted(&[
        ("", 0),
        ("for (var i = 0u; i < 100u; i++) { s += 1.0; }", 100),
        ("for (var i = 0; i < LIMIT; i++) { s += 1.0; }", 12),
        ("for (var i = 0; i <= LIMIT; i++) { s += 1.0; }", 13),
        ("for (var i = 0; i < LIMIT; i += 5) { s += 1.0; }", 3),
        ("for (var i = 0; i != LIMIT; i++) { s += 1.0; }", 12),
        ("for (var i = 0; LIMIT > i; i = 1 + i) { s += 1.0; }", 12),
        ("for (var i = 0u; i < params.n; i++) { s += 1.0; }", 300),
        ("for (var i = -5; i < params.m; i++) { s += 1.0; }", 25),
        ("let p = params; for (var i = 0u; i < p.n; i++) { s += 1.0; }", 300),
        ("for (var i = 0u; i < params.x_shape.y; i++) { s += 1.0; }", 35),
        ("let n = params.x_shape; for (var i = 0u; i < n.x * n.y; i++) { s += 1.0; }", 105),
        ("for (var i = 0u; i < arrayLength(&x); i++) { s += x[i]; }", 105),
        ("for (var i = 0u; i < arrayLength(&four); i++) { s += x[i]; }", 5),
        ("for (var i = 0u; i < length(); i++) { s += x[i]; }", 52),
        ("for (var i = 0u; i + 4u <= params.n; i += 4u) { s += 1.0; }", 75),
        ("for (var i = 100; i > 0; i--) { s += 1.0; }", 100),
        ("for (var i = i32(params.n) - 1; i >= 0; i += -1) { s += 1.0; }", 300),
        ("var i = 0u; while i < params.n { s += 1.0; i += 2u; }", 150),
        ("var i = 7u; loop { if i >= 10u { break; } s += 1.0; i++; }", 3),
        ("var i = 0u; loop { s += 1.0; continuing { i++; break if i >= 10u; } }", 10),
        ("for (var d = 128u; d > 0u; d >>= 1u) { s += 1.0; }", 8),
        ("for (var d = params.n; d != 0u; d /= 10u) { s += 1.0; }", 3),
        ("for (var d = 1u; d < 100u; d *= 2u) { s += 1.0; }", 7),
        ("for (var d = 1u; d <= 128u; d <<= 1u) { s += 1.0; }", 8),
        ("for (var i = 5u; i < 3u; i++) { s += 1.0; }", 0),
    ]);
}

#[test]
fn what_is_not_exact_is_bounded() {
    counted(&[
        // 105 elements are 7 groups of 16 threads in 8 x 2.
        ("for (var i = 0u; i <= id.x; i++) { s += 1.0; }", 56),
        ("for (var i = local; i < params.n; i += 16u) { s += 1.0; }", 19),
        ("for (var i = u32(x[0]); i < params.n; i++) { s += 1.0; }", 300),
        ("for (var i = 0u; i < min(u32(x[0]), 50u); i++) { s += 1.0; }", 50),
        ("for (var i = 0u; i < u32(x[0]) % 9u; i++) { s += 1.0; }", 8),
        ("for (var i = 0u; i < select(7u, 9u, x[0] > 1.0); i++) { s += 1.0; }", 9),
        ("for (var i = 0u; i < clamp(u32(x[0]), 2u, 6u); i++) { s += 1.0; }", 6),
        ("for (var d = u32(x[0]); d > 0u; d /= 2u) { s += 1.0; }", 32),
        ("for (var i = 0u; i < 10u && s < 5.0; i++) { s += 1.0; }", 10),
        ("for (var i = 0u; s < 5.0 && (s > 1.0 && i < 10u); i++) { s += 1.0; }", 10),
        ("var i = 0u; loop { if s > 5.0 || i >= 10u { break; } s += 1.0; i++; }", 10),
        ("for (var i = 0u; i < 50u; i++) { if x[i] > 1.0 { continue; } s += 1.0; }", 50),
        ("for (var i = 0u; i < 50u; i++) { if x[i] > 1.0 { break; } s += 1.0; }", 50),
        ("var n = 4u; if x[0] > 1.0 { s += 1.0; } for (var i = 0u; i < n; i++) { s += 1.0; }", 4),
    ]);
}

#[test]
fn loops_multiply_and_add_up() {
    let inner = |outer: u64, inner: u64| outer * (inner + 1) + outer + 1;
    counted(&[
        (
            "for (var i = 0; i < 10; i++) { for (var j = 0; j < 20; j++) { s += 1.0; } }",
            inner(10, 20),
        ),
        // At most 9 trips: the largest that `i` is.
        (
            "for (var i = 0; i < 10; i++) { for (var j = 0; j < i; j++) { s += 1.0; } }",
            inner(10, 9),
        ),
        ("for (var i = 0; i < 10; i++) { s += sum(u32(i) + 3u); }", inner(10, 12)),
        ("s += sum(5u) + sum(7u) + sum(5u);", 6 + 8 + 5),
        (
            "for (var i = 0; i < 10; i++) { s += 1.0; } for (var i = 0; i < 20; i++) { s += 1.0; }",
            31,
        ),
        // All threads take one way; those that take the other have one trip.
        ("if params.n > 5u { s += sum(100u); } else { s += sum(50u); }", 101),
        ("if id.x > 5u { s += sum(100u); } else { s += sum(50u); }", 151),
        ("switch params.n { case 1u: { s += sum(9u); } default: { s += sum(5u); } }", 15),
    ]);
}

#[test]
fn loops_without_a_known_bound_are_listed_by_line() {
    for body in [
        "loop { s += 1.0; if s < 0.0 { break; } }",
        "while x[0] > s { s += 1.0; }",
        "for (var i = 0u; i < u32(x[0]); i++) { s += 1.0; }",
        "for (var t = 0.0; t < 1.0; t += 0.1) { s += t; }",
        // What wraps around never ends.
        "for (var i = 0u; i <= 4294967295u; i++) { s += 1.0; }",
        "for (var i = 10u; i >= 0u; i--) { s += 1.0; }",
        "for (var i = 1u; i < 3000000000u; i *= 2u) { s += 1.0; }",
        "for (var i = 0u; i != 5u; i += 2u) { s += 1.0; }",
        "for (var i = 9u; i != 5u; i++) { s += 1.0; }",
        "for (var i = 0u; i < 5u; i += params.zero) { s += 1.0; }",
        "for (var i = 0u; i < 5u; i--) { s += 1.0; }",
        // The counter is not only counted.
        "for (var i = 0u; i < 5u; i++) { if s > 1.0 { i = 0u; } s += 1.0; }",
        "var i = 0u; while i < 5u { if s > 1.0 { continue; } s += 1.0; i++; }",
        "var i = 0u; while i < 5u { if s > 1.0 { i++; } s += 1.0; }",
        "var i = 0u; while i < 5u { step(&i); s += 1.0; }",
        "for (var i = 0u; i < 5u; i++) { step(&i); s += 1.0; }",
        // The bound moves, the test is not made, or the number is an old one.
        "var n = 5u; for (var i = 0u; i < n; i++) { n++; s += 1.0; }",
        "var i = 0u; loop { if s > 1.0 { continue; } if i >= 5u { break; } continuing { i++; } }",
        "var i = 0u; let a = i; loop { if a >= 5u { break; } i++; }",
        "var i = 0u; let a = i; loop { if i >= 5u { break; } i = a + 1u; }",
        "for (var i = 0u; i < 10u || s < 5.0; i++) { s += 1.0; }",
    ] {
        assert_eq!(loops(body).1, [1], "{body}");
    }
    let (iterations, lines) = loops(
        "for (var i = 0; i < 10; i++) {\n        loop { s += 1.0; if s > 9.0 { break; } }\n    }\n    \
         s += sum(u32(s));",
    );
    // The one in the function, which is above, and the second line; as if they had one trip.
    assert_eq!((iterations, lines), (22, vec![-7, 2]));
}

/// A call in each function to the next one, twice: as many calls as no counting goes through.
#[test]
fn counting_ends() {
    let mut functions = "fn g0(n: u32) -> f32 { return sum(n); }\n".to_owned();
    for number in 1..60 {
        let before = number - 1;
        writeln!(
            functions,
            "fn g{number}(n: u32) -> f32 {{ return g{before}(n) + g{before}(n + 1u); }}"
        )
        .unwrap();
    }
    let text = DECLARATIONS.replace("@compute", &format!("{functions}@compute"));
    let (iterations, _) = counts(&format!("{text} s += g59(1u); y[0] = s; }}"));
    assert!(iterations > 1 << 59);
}
