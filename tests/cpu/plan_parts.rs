//! Plans whose kernels are larger than a binding: which step takes what.

use longshore::Activation::Relu;
use longshore::internals::kernels::{Work, dense};
use longshore::ops::Epilogue;
use longshore::plan::{Limits, Plan};
use longshore::{Dense, Graph};

use crate::graph::{batch_of, kernel};

/// Plans a dense layer with a bias and an activation, whose result is then multiplied by an input.
fn plan(inputs: usize, units: usize, batch: usize, bytes: u64, alignment: u32) -> Plan {
    let limits = Limits {
        max_storage_buffer_binding_size: bytes,
        min_storage_buffer_offset_alignment: alignment,
        ..Limits::default()
    };
    plan_within(inputs, units, batch, &limits)
}

fn plan_within(inputs: usize, units: usize, batch: usize, limits: &Limits) -> Plan {
    let mut g = Graph::new();
    let x = g.input("x", batch_of(&[inputs]));
    let other = g.input("other", batch_of(&[units]));
    let bias = longshore::HostArray::from(ndarray::Array1::<f32>::ones(units));
    let weights = kernel(&[inputs, units]).bias(bias);
    let y = g.dense(x, Dense::new(units).activation(Relu), &weights).unwrap();
    // It is part of the layer's step, which takes its name.
    let y = g.multiply(y, other).unwrap();
    g.output("y", y);
    g.plan_within(batch, limits).unwrap()
}

/// What each step is called, and the range of its kernel in bytes.
fn steps(plan: &Plan) -> Vec<(&str, u64, u64)> {
    plan.steps()
        .iter()
        .map(|step| (step.node.as_str(), step.operands[1].offset_bytes, step.operands[1].bytes))
        .collect()
}

#[test]
fn the_last_part_alone_has_what_follows_the_sum() {
    // 10 rows of 20 bytes fit; 4 begin at a multiple of 16.
    let plan = plan(21, 5, 2, 200, 16);
    assert_eq!(
        steps(&plan),
        [
            ("dense \"multiply\" inputs 0..8", 0, 160),
            ("dense \"multiply\" inputs 8..16", 160, 160),
            ("dense \"multiply\" inputs 16..21", 320, 100),
        ]
    );
    for (number, step) in plan.steps().iter().enumerate() {
        let Work::Dense(geometry) = &step.work else { panic!("{plan}") };
        assert_eq!(geometry.inputs, [8, 8, 5][number]);
        assert_eq!((geometry.part().first, geometry.part().of), (8 * number, 21));
        let is_last = number == 2;
        assert_eq!(geometry.has_bias, is_last);
        assert_eq!(geometry.epilogue.stages.len(), if is_last { 2 } else { 0 });
        assert_eq!(step.operands.len(), if is_last { 4 } else { 2 });
        // All read the whole input and write the whole result.
        assert_eq!((step.operands[0].bytes, step.result.bytes), (168, 40));
    }
}

#[test]
fn parts_are_multiples_of_4_where_the_inputs_are() {
    // 7 rows of 16 bytes fit, and begin anywhere.
    assert_eq!(steps(&plan(12, 4, 1, 112, 16))[0].0, "dense \"multiply\" inputs 0..4");
    assert_eq!(steps(&plan(13, 4, 1, 112, 16))[0].0, "dense \"multiply\" inputs 0..7");
    // A part may fit exactly, and a kernel that fits is one.
    assert_eq!(steps(&plan(12, 4, 1, 128, 16)).len(), 2);
    assert_eq!(steps(&plan(12, 4, 1, 191, 16)).len(), 2);
    assert_eq!(steps(&plan(12, 4, 1, 192, 16)), [("dense \"multiply\"", 0, 192)]);
    assert_eq!(steps(&plan(13, 5, 1, 260, 16)), [("dense \"multiply\"", 0, 260)]);
}

#[test]
fn inputs_are_read_in_fours_where_the_part_begins_with_four() {
    let entry = |first, of| {
        let (epilogue, part) = (Epilogue::default(), Some(dense::Part { first, of }));
        let (rows, inputs, units, has_bias) = (2, 4, 4, false);
        let geometry = dense::Geometry { rows, inputs, units, has_bias, part, epilogue };
        Work::Dense(geometry).launch("dense", 65_535).unwrap().kernel.entry
    };
    assert_eq!((entry(0, 8), entry(4, 8)), ("blocks4", "blocks4"));
    assert_eq!((entry(2, 8), entry(4, 9)), ("columns4", "columns4"));
}

#[test]
fn parts_of_the_batch_are_parts_of_the_inputs_too() {
    // 5 items of 84 bytes do not fit 400, 4 do and begin at a multiple of 16.
    let plan = plan(21, 5, 5, 400, 16);
    let names: Vec<&str> = steps(&plan).into_iter().map(|step| step.0).collect();
    assert_eq!(
        names,
        [
            "dense \"multiply\" items 0..4 inputs 0..20",
            "dense \"multiply\" items 0..4 inputs 20..21",
            "dense \"multiply\" items 4..5 inputs 0..20",
            "dense \"multiply\" items 4..5 inputs 20..21",
        ]
    );
}

#[test]
fn sums_are_no_longer_than_the_loops_of_one_thread() {
    let looped = |inputs: usize, units: usize, most: Option<u64>| {
        let limits = Limits {
            min_storage_buffer_offset_alignment: 16,
            max_loop_iterations: most,
            ..Limits::default()
        };
        let plan = plan_within(inputs, units, 3, &limits);
        let ranges: Vec<String> = plan
            .steps()
            .iter()
            .map(|step| format!("{} {}", step.kernel.entry, step.node.replace("dense ", "")))
            .collect();
        ranges
    };
    assert_eq!(looped(21, 5, None), ["general \"multiply\""]);
    assert_eq!(looped(21, 5, Some(21)), ["general \"multiply\""]);
    // A row has 20 bytes, so that 4 of them begin at a multiple of 16.
    assert_eq!(
        looped(21, 5, Some(20)),
        ["general \"multiply\" inputs 0..20", "general \"multiply\" inputs 20..21"]
    );
    assert_eq!(looped(21, 5, Some(11)).len(), 3);
    assert_eq!(looped(21, 4, Some(20))[0], "columns4 \"multiply\" inputs 0..20");
    // Four inputs in one trip.
    assert_eq!(looped(40, 4, Some(10)), ["blocks4 \"multiply\""]);
    assert_eq!(
        looped(40, 4, Some(9)),
        ["blocks4 \"multiply\" inputs 0..36", "blocks4 \"multiply\" inputs 36..40"]
    );
    assert_eq!(looped(40, 5, Some(10)).len(), 5);
    // Nothing is small enough: where it matters, preparing refuses it.
    assert_eq!(looped(21, 5, Some(3)), ["general \"multiply\""]);
}

#[test]
fn loops_that_run_to_their_end_everywhere_are_planned_by_default() {
    let steps = |inputs: usize, units: usize| {
        let mut g = Graph::new();
        let x = g.input("x", batch_of(&[inputs]));
        let y = g.dense(x, Dense::new(units), &kernel(&[inputs, units])).unwrap();
        g.output("y", y);
        g.plan(1).unwrap().steps().len()
    };
    assert_eq!([steps(65_400, 1), steps(65_401, 1), steps(130_900, 1)], [1, 2, 3]);
    assert_eq!([steps(261_600, 4), steps(261_604, 4)], [1, 2]);
}
