//! What a plan refuses, by exact text: batches, limits, and numbers that kernels cannot hold.

use longshore::Activation::Relu;
use longshore::plan::{Limits, Plan};
use longshore::{
    Conv2d, Conv2dTranspose, Dense, Error, Graph, Padding, Result, Symbol, UpSampling2d,
};

use crate::graph::{batch_of, kernel};

const MAX: usize = usize::MAX;

/// Plans one layer over (batch, item).
fn plan(
    item: &[usize],
    batch: usize,
    limits: &Limits,
    layer: impl FnOnce(&mut Graph, Symbol) -> Result<Symbol>,
) -> Result<Plan> {
    let mut g = Graph::new();
    let x = g.input("x", batch_of(item));
    let y = layer(&mut g, x).unwrap();
    g.output("y", y);
    g.plan_within(batch, limits)
}

#[track_caller]
fn limit(planned: Result<Plan>, text: &str) {
    let error = planned.unwrap_err();
    assert!(matches!(error, Error::Limit { .. }), "{error:?}");
    assert_eq!(error.to_string(), text);
}

fn binding(bytes: u64) -> Limits {
    Limits {
        max_storage_buffer_binding_size: bytes,
        min_storage_buffer_offset_alignment: 16,
        ..Limits::default()
    }
}

/// Limits that nothing exceeds but what kernels can count.
fn endless() -> Limits {
    Limits { max_buffer_size: u64::MAX, ..binding(u64::MAX) }
}

#[test]
fn a_batch_of_nothing() {
    let error = plan(&[4], 0, &Limits::default(), |g, x| g.activation(x, Relu)).unwrap_err();
    assert!(matches!(&error, Error::Operand { operand, .. } if operand == "batch"), "{error:?}");
    assert_eq!(
        error.to_string(),
        "plan: batch is 0 but a plan needs at least 1 item\n  (2 nodes); plan for the batch that runs \
         will bring"
    );
}

#[test]
fn buffers_beyond_the_device() {
    let small = Limits { max_buffer_size: 479, ..Limits::default() };
    limit(
        plan(&[5, 4, 3], 2, &small, |g, x| g.activation(x, Relu)),
        "input \"x\": its value [2, 5, 4, 3] needs 480 bytes but max_buffer_size is 479 bytes; \
         run a smaller batch, or plan with Graph::plan_within for a device with larger buffers",
    );
    let enough = Limits { max_buffer_size: 480, ..Limits::default() };
    plan(&[5, 4, 3], 2, &enough, |g, x| g.activation(x, Relu)).unwrap();
    limit(
        plan(&[5, 4, 3], 2, &enough, |g, x| g.up_sampling2d(x, UpSampling2d::nearest(2))),
        "resize2d \"up_sampling2d\": its value [2, 10, 8, 3] needs 1920 bytes but max_buffer_size is \
         480 bytes; run a smaller batch, or plan with Graph::plan_within for a device with larger \
         buffers",
    );
}

#[test]
fn bindings_that_cannot_be_split() {
    let cannot = "this operation cannot be split along the batch: use a smaller one";
    limit(
        plan(&[4, 4], 4, &binding(128), |g, x| g.softmax(x, 0)),
        &format!(
            "softmax \"softmax\": \"x\" needs 256 bytes but max_storage_buffer_binding_size is 128 \
             bytes; {cannot}"
        ),
    );
    limit(
        plan(&[4], 4, &binding(256), |g, x| g.dense(x, Dense::new(100), &kernel(&[4, 100]))),
        "dense \"dense\": weight \"kernel\" needs 1600 bytes but max_storage_buffer_binding_size is 256 \
         bytes; it has no batch to split along: make it smaller",
    );
    limit(
        plan(&[100], 4, &binding(384), |g, x| g.activation(x, Relu)),
        "relu \"relu\": \"x\" needs 1600 bytes but max_storage_buffer_binding_size is 384 bytes; \
         one aligned part of its batch is too large: use smaller images",
    );
    // One item fits, but 5 numbers end on a multiple of 16 bytes only 4 at a time.
    limit(
        plan(&[5], 8, &binding(79), |g, x| g.activation(x, Relu)),
        "relu \"relu\": \"x\" needs 160 bytes but max_storage_buffer_binding_size is 79 bytes; \
         one aligned part of its batch is too large: use smaller images",
    );
    let mut g = Graph::new();
    let x = g.input("x", [100]);
    let y = g.activation(x, Relu).unwrap();
    g.output("y", y);
    limit(
        g.plan_within(1, &binding(128)),
        &format!(
            "relu \"relu\": \"x\" needs 400 bytes but max_storage_buffer_binding_size is 128 bytes; \
             {cannot}"
        ),
    );
}

#[test]
fn parts_of_the_batch_are_named_and_follow_one_another() {
    let plan = plan(&[5], 11, &binding(80), |g, x| g.activation(x, Relu)).unwrap();
    let steps: Vec<(&str, u64, u64)> = plan
        .steps()
        .iter()
        .map(|step| (step.node.as_str(), step.result.offset_bytes, step.result.bytes))
        .collect();
    assert_eq!(
        steps,
        [
            ("relu \"relu\" items 0..4", 0, 80),
            ("relu \"relu\" items 4..8", 80, 80),
            ("relu \"relu\" items 8..11", 160, 60),
        ]
    );
    // Equal parts share their parameters.
    assert_eq!(plan.steps()[0].params, plan.steps()[1].params);
    assert_ne!(plan.steps()[0].params, plan.steps()[2].params);
}

#[test]
fn dispatches_beyond_the_device() {
    let few = Limits { max_compute_workgroups_per_dimension: 2, ..Limits::default() };
    limit(
        plan(&[257], 1, &few, |g, x| g.activation(x, Relu)),
        "relu \"relu\": the dispatch needs 257 threads but max_compute_workgroups_per_dimension \
         (2 x 2 groups of 64) is 256 threads; run a smaller batch",
    );
    // An odd count, so that each element has a thread of its own: 4 groups.
    let folded = plan(&[255], 1, &few, |g, x| g.activation(x, Relu)).unwrap();
    assert_eq!(folded.steps()[0].workgroups, [2, 2, 1]);
}

#[test]
fn sizes_beyond_counting() {
    let counted = "needs more than 2^64 bytes but the largest size is 2^64 - 1 bytes; make the shape \
                   smaller";
    limit(
        plan(&[5, 4], MAX, &endless(), |g, x| g.activation(x, Relu)),
        &format!("input \"x\": shape [18446744073709551615, 5, 4] {counted}"),
    );
    limit(
        plan(&[1 << 62], 1, &endless(), |g, x| g.activation(x, Relu)),
        &format!("input \"x\": shape [1, 4611686018427387904] {counted}"),
    );
    let remedy = "but the largest number of a kernel is 4294967295 elements; run a smaller batch, or make the \
                  tensor smaller";
    limit(
        plan(&[1 << 20, 1 << 13], 1, &endless(), |g, x| g.activation(x, Relu)),
        &format!("relu \"relu\": the output needs 8589934592 elements {remedy}"),
    );
}

#[test]
fn options_beyond_what_a_kernel_computes_with() {
    let refuse = |layer: Conv2d, needed: &str| {
        limit(
            plan(&[8, 7, 4], 1, &endless(), |g, x| g.conv2d(x, layer, &kernel(&[1, 1, 4, 6]))),
            &format!(
                "conv2d \"conv2d\": the padded input needs {needed} rows or columns but the largest number of a \
                 kernel is 4294967295 rows or columns; run a smaller batch, or make the tensor smaller"
            ),
        );
    };
    refuse(Conv2d::new(6, 1).strides(MAX), "more than 2^64");
    refuse(Conv2d::new(6, 1).strides((1, 1 << 31)), "10737418249");
    refuse(Conv2d::new(6, 1).dilation(MAX), "more than 2^64");
    refuse(Conv2d::new(6, 1).dilation((1 << 31, 1)), "4294967316");
    let layer = Conv2dTranspose::new(6, 3).dilation(MAX).padding(Padding::Same);
    limit(
        plan(&[8, 7, 4], 1, &endless(), |g, x| {
            g.conv2d_transpose(x, layer, &kernel(&[3, 3, 6, 4]))
        }),
        "conv2d_transpose \"conv2d_transpose\": the full output needs more than 2^64 rows or columns but the \
         largest number of a kernel is 4294967295 rows or columns; run a smaller batch, or make the tensor smaller",
    );
}

#[test]
fn limits_are_compared_one_by_one() {
    let device = Limits::default();
    assert_eq!(device.exceeded_on(&device), None);
    let larger = |change: fn(&mut Limits)| {
        let mut plan = Limits::default();
        change(&mut plan);
        (plan.exceeded_on(&device).map(|found| found.0), device.exceeded_on(&plan).map(|f| f.0))
    };
    let only = |name| (Some(name), None);
    assert_eq!(
        larger(|l| l.max_storage_buffer_binding_size += 1),
        only("max_storage_buffer_binding_size")
    );
    assert_eq!(larger(|l| l.max_buffer_size += 1), only("max_buffer_size"));
    assert_eq!(
        larger(|l| l.max_compute_workgroups_per_dimension += 1),
        only("max_compute_workgroups_per_dimension")
    );
    // A plan's alignment must be a multiple of the device's.
    let storage = "min_storage_buffer_offset_alignment";
    assert_eq!(larger(|l| l.min_storage_buffer_offset_alignment = 32), only(storage));
    assert_eq!(
        larger(|l| l.min_storage_buffer_offset_alignment = 384),
        (Some(storage), Some(storage))
    );
    let uniform = "min_uniform_buffer_offset_alignment";
    assert_eq!(larger(|l| l.min_uniform_buffer_offset_alignment = 64), only(uniform));
    assert_eq!(larger(|l| l.min_uniform_buffer_offset_alignment = 512), (None, Some(uniform)));
}

/// Found by fuzzing: the bytes of an input that nothing reads could not be counted behind a plan.
#[test]
fn inputs_that_nothing_reads_are_counted_too() {
    let mut g = Graph::new();
    let x = g.input("x", [2]);
    g.input("unused", [usize::MAX / 2]);
    let y = g.activation(x, Relu).unwrap();
    g.output("y", y);
    let text = g.plan(1).unwrap_err().to_string();
    assert!(text.starts_with("input \"unused\": shape [9223372036854775807]"), "{text}");
}
