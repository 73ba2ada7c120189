//! What goes wrong elsewhere: each row of the table that no type prevents, with its message.
//! The rows that a type prevents are `longshore::misuse`.

use longshore::array::{ByteOrder, DType, Order, SourceOrder};
use longshore::data::{Batches, Remainder, Signature};
use longshore::plan::Limits;
use longshore::{Dim, Error, Graph, HostArray, StagePolicy, Tensor};
use ndarray::{Array, Array1, Array2, Axis, ShapeBuilder as _, Slice, array};

use crate::graph::{batch_of, host};
use crate::ledger::{counting, noop, session};

/// Stages an array and brings it back: what the device holds.
fn round_trip(array: &HostArray<'_>) -> (Vec<f32>, longshore::array::PackReport) {
    let (tensor, report) = noop().stage_with("x", array, StagePolicy::new()).unwrap();
    (tensor.read().unwrap().iter().copied().collect(), report)
}

#[test]
fn float64_is_converted_once_and_says_what_was_lost() {
    let (values, report) = round_trip(&HostArray::from(array![0.1f64, 1e-60, 0.5]));
    assert_eq!(values, [0.1f32, 0.0, 0.5]);
    assert!(report.converted && report.underflow_count == 1, "{report}");
    assert!(report.max_relative_error > 0.0 && report.max_relative_error < 6e-8, "{report}");
    let (values, report) = round_trip(&HostArray::from(array![[1i64, 16_777_217], [3, 4]]));
    assert_eq!(values, [1.0f32, 16_777_216.0, 3.0, 4.0]);
    assert_eq!(report.first_inexact_index, Some(vec![0, 1]));
}

#[test]
fn float64_overflow_is_counted_and_placed() {
    let rt = noop();
    let error =
        rt.stage("pixels", &HostArray::from(array![[1.0, 2.0], [1e39, -4e38]])).unwrap_err();
    assert!(matches!(error, Error::Overflow { count: 2, .. }), "{error:?}");
    assert_eq!(
        error.to_string(),
        "array \"pixels\": 2 finite values overflow f32, the first is 1e39 at [1, 0], but the largest f32 \
         is 3.4028235e38; scale the array, or stage with StagePolicy::replace_overflow(value) or \
         allow_overflow()"
    );
    let policy = StagePolicy::new().allow_overflow();
    let (tensor, _) = rt.stage_with("x", &HostArray::from(array![1e39]), policy).unwrap();
    assert_eq!(tensor.read().unwrap()[[0]], f32::INFINITY);
}

#[test]
fn nan_and_infinity_are_counted_and_placed() {
    let rt = noop();
    let bad = HostArray::from(array![[0.0, 1.0], [f64::NEG_INFINITY, f64::NAN], [f64::NAN, 3.0]]);
    let error = rt.stage("pixels", &bad).unwrap_err();
    let counted = matches!(error, Error::NonFinite { nan_count: 2, infinite_count: 1, .. });
    assert!(counted, "{error:?}");
    assert_eq!(
        error.to_string(),
        "array \"pixels\": 2 NaN and 1 infinite of 6 elements, the first is -inf at [1, 0], but the policy \
         accepts finite values only; clean the array, or stage with \
         StagePolicy::replace_non_finite(value) or allow_non_finite()"
    );
    let read = |policy: StagePolicy| {
        let (tensor, report) = rt.stage_with("x", &bad, policy).unwrap();
        assert_eq!(report.non_finite_count, 3);
        tensor.read().unwrap()
    };
    let replaced = read(StagePolicy::new().replace_non_finite(-1.0));
    assert_eq!(replaced.iter().copied().collect::<Vec<_>>(), [0.0, 1.0, -1.0, -1.0, -1.0, 3.0]);
    let kept = read(StagePolicy::new().allow_non_finite());
    assert_eq!(kept[[1, 0]], f32::NEG_INFINITY);
    assert!(kept[[1, 1]].is_nan() && kept[[2, 0]].is_nan());
}

#[test]
fn any_dtype_byte_order_and_layout_is_read() {
    let bytes = HostArray::from_bytes(vec![0u8, 127, 255], DType::U8, &[3]).unwrap();
    let (values, report) = round_trip(&bytes);
    assert_eq!(values, [0.0, 127.0, 255.0]);
    assert!(report.converted && !report.byte_swapped && !report.reordered, "{report}");

    let big: Vec<u8> = [1.5f64, -2.25].into_iter().flat_map(f64::to_be_bytes).collect();
    let big = HostArray::from_bytes_with(big, DType::F64, ByteOrder::Big, Order::C, &[2]).unwrap();
    let (values, report) = round_trip(&big);
    assert_eq!(values, [1.5, -2.25]);
    assert!(report.byte_swapped, "{report}");

    let columns = vec![1.0f32, 2.0, 3.0, 4.0, 5.0, 6.0];
    let fortran = Array::from_shape_vec((2, 3).f(), columns).unwrap();
    let (values, report) = round_trip(&HostArray::from_view(&fortran));
    assert_eq!(values, [1.0, 3.0, 5.0, 2.0, 4.0, 6.0]);
    assert_eq!(report.source_order, SourceOrder::Fortran);

    let forwards = Array1::from_iter((0..5).map(|number| number as f32));
    let backwards = forwards.slice_axis(Axis(0), Slice::new(0, None, -2));
    let (values, report) = round_trip(&HostArray::from(backwards));
    assert_eq!(values, [4.0, 2.0, 0.0]);
    assert!(report.reordered && report.source_order == SourceOrder::Strided, "{report}");
}

#[test]
fn a_dtype_that_is_no_number_is_refused_by_its_name() {
    let path = std::path::Path::new(env!("CARGO_MANIFEST_DIR"))
        .join("tests/fixtures/npy/refused_complex128.npy");
    let error = HostArray::read(&path).unwrap_err();
    assert!(matches!(error, Error::Dtype { .. }), "{error:?}");
    let text = error.to_string();
    assert!(text.contains("convert it to bool, an integer or a float dtype first"), "{text}");
}

#[test]
fn shapes_are_checked_while_the_graph_is_built() {
    let mut g = Graph::new();
    let image = g.input("image", batch_of(&[8, 8, 1]));
    let flat = g.flatten(image).unwrap();
    let weights = longshore::LayerWeights::new(host(&[60, 10]));
    let error = g.dense(flat, longshore::Dense::new(10), &weights).unwrap_err();
    assert_eq!(
        error.to_string(),
        "dense \"dense\": kernel has 60 input features but \"flatten\" has 64 on its last axis\n  \
         (flatten [batch, 64], kernel [60, 10]); make both equal"
    );
}

#[test]
fn a_run_of_another_batch_than_planned_is_refused() {
    let rt = noop();
    let session = session(&rt);
    let staged = |shape: &[usize]| rt.stage("images", &host(shape)).unwrap();
    let run = |tensor: &Tensor| session.run([("x", tensor)]).unwrap_err();
    let error = run(&staged(&[2, 3]));
    assert!(
        matches!(&error, Error::Operand { operand, .. } if operand == "input \"x\""),
        "{error:?}"
    );
    let text = |shape: &str| {
        format!(
            "run: input \"x\" has shape {shape} but the plan for batch 1 takes [1, 3]\n  (tensor \"images\"); \
             plan for this batch, or bring rows of the tensor"
        )
    };
    assert_eq!(error.to_string(), text("[2, 3]"));
    assert_eq!(run(&staged(&[3])).to_string(), text("[3]"));
    assert_eq!(run(&staged(&[3, 1])).to_string(), text("[3, 1]"));
    session.run([("x", &staged(&[2, 3]).rows(0..1).unwrap())]).unwrap();
}

#[test]
fn inputs_are_brought_by_name_once_each() {
    let rt = noop();
    let session = session(&rt);
    let x = rt.stage("x", &host(&[1, 3])).unwrap();
    let refused = |inputs: &[(&'static str, &Tensor)], text: &str| {
        let error = session.run(inputs.iter().copied()).unwrap_err();
        assert!(matches!(error, Error::Name { .. }), "{error:?}");
        assert_eq!(error.to_string(), text);
    };
    refused(&[], "run: nothing is given for input \"x\"; known: x; give a staged tensor");
    refused(
        &[("image", &x)],
        "run: there is no input named \"image\"; known: x; use one of these names",
    );
    refused(
        &[("x", &x), ("x", &x)],
        "run: two tensors are given for input \"x\"; known: x; give one",
    );
    let run = session.run([("x", &x)]).unwrap();
    assert_eq!(
        run.output("z").unwrap_err().to_string(),
        "run: there is no output named \"z\"; known: y; name it with Graph::output"
    );
    let other = noop();
    let foreign = other.stage("foreign", &host(&[1, 3])).unwrap();
    let error = session.run([("x", &foreign)]).unwrap_err();
    assert!(matches!(error, Error::Operand { .. }), "{error:?}");
    let text = error.to_string();
    assert!(text.starts_with("run: \"x\" is staged on another runtime, of "), "{text}");
    assert!(text.ends_with("(foreign [1, 3]); stage it on this runtime"), "{text}");
}

#[test]
fn a_generator_is_held_to_its_signature_at_the_first_bad_batch() {
    let batches = |sizes: &[usize]| {
        let arrays: Vec<_> =
            sizes.iter().map(|&items| HostArray::from(Array2::<f64>::zeros((items, 4)))).collect();
        let refuse = Remainder::Refuse;
        Batches::from_generator("train", arrays, 32, Signature::new([4]), refuse).unwrap()
    };
    let first_error = |sizes: &[usize]| {
        let error = batches(sizes).find_map(Result::err).unwrap();
        assert!(matches!(error, Error::Operand { .. }), "{error:?}");
        error.to_string()
    };
    assert_eq!(batches(&[32, 32]).flatten().count(), 2);
    // The whole data set as one batch, and one that changes size on the way.
    let remedy = "cut one array into batches with Batches::of, or choose a Remainder";
    assert_eq!(
        first_error(&[60_000]),
        format!(
            "batches of \"train\": batch 0 has 60000 items but batches of 32 were declared\n  \
             (float64 [60000, 4]); {remedy}"
        )
    );
    assert_eq!(
        first_error(&[32, 32, 31, 32]),
        format!(
            "batches of \"train\": batch 2 has 31 items but batches of 32 were declared\n  \
             (float64 [31, 4]); {remedy}"
        )
    );
}

#[test]
fn a_plan_for_a_larger_device_is_refused_by_name() {
    let rt = noop();
    let mut g = Graph::new();
    let x = g.input("x", [Dim::Batch, 3.into()]);
    g.output("y", x);
    let large = Limits { max_buffer_size: rt.limits().max_buffer_size + 1, ..*rt.limits() };
    let error = rt.prepare(&g.plan_within(1, &large).unwrap()).unwrap_err();
    assert!(matches!(error, Error::Limit { .. }), "{error:?}");
    let (planned, device) = (large.max_buffer_size, rt.limits().max_buffer_size);
    assert_eq!(
        error.to_string(),
        format!(
            "prepare: the plan's max_buffer_size needs {planned} bytes but max_buffer_size of {} is {device} bytes; \
             plan for it with Runtime::session(graph, batch)",
            rt.adapter().name
        )
    );
}

#[test]
fn an_array_larger_than_the_device_is_refused_before_it_is_packed() {
    let rt = noop();
    let length = usize::try_from(rt.limits().max_buffer_size / 4).unwrap() + 1;
    // One number seen many times: the array itself needs no memory.
    let one = array![0.5f32];
    let endless = HostArray::from(one.broadcast(length).unwrap());
    let error = rt.stage("huge", &endless).unwrap_err();
    assert!(matches!(error, Error::Limit { .. }), "{error:?}");
    assert_eq!(
        error.to_string(),
        format!(
            "uploading \"huge\": \"huge\" needs {} bytes but max_buffer_size is {} bytes; stage it in parts",
            (length as u64 * 4).next_multiple_of(16),
            rt.limits().max_buffer_size
        )
    );
    assert_eq!(rt.ledger().events().len(), 0);
}

#[test]
fn a_read_into_a_slice_of_another_length_is_refused() {
    let x = noop().stage("x", &counting(3)).unwrap();
    let error = x.read_into(&mut [0.0; 4]).unwrap_err();
    assert!(matches!(error, Error::Operand { .. }), "{error:?}");
    assert_eq!(
        error.to_string(),
        "reading \"x\": the slice has 4 elements but the tensor has 3\n  (x [3]); make both equal"
    );
    let error = x.rows(2..4).unwrap_err();
    assert_eq!(
        error.to_string(),
        "rows of \"x\": range is 2..4 but there are 3 rows\n  (x [3]); use a range within them"
    );
}
