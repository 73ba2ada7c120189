//! What the other layers and inputs are refused for: the variant, then the exact text.

use longshore::{Activation, Conv2d, Dense, Dim, Error, Graph, Resize2d, Symbol, UpSampling2d};

use crate::graph::{batch_of, host, kernel};

const MAX: usize = usize::MAX;

#[track_caller]
pub fn operand<T: std::fmt::Debug>(result: longshore::Result<T>, text: &str) {
    let error = result.unwrap_err();
    assert!(matches!(error, Error::Operand { .. }), "{error:?}");
    assert_eq!(error.to_string(), text);
}

#[track_caller]
pub fn limit<T: std::fmt::Debug>(result: longshore::Result<T>, text: &str) {
    let error = result.unwrap_err();
    assert!(matches!(error, Error::Limit { .. }), "{error:?}");
    assert_eq!(error.to_string(), text);
}

/// A graph with the input "x", (batch, 5, 4, 3).
pub fn start() -> (Graph, Symbol) {
    let mut g = Graph::new();
    let x = g.input("x", batch_of(&[5, 4, 3]));
    (g, x)
}

#[test]
fn dense() {
    let (mut g, x) = start();
    let site = |weight: &str| format!("\n  (x [batch, 5, 4, 3], kernel {weight}); ");
    let mut dense = |weight: &[usize], units, text: &str| {
        let text = text.replace("; ", &site(&format!("{weight:?}")));
        operand(
            g.dense(x, Dense::new(units), &kernel(weight)),
            &format!("dense \"dense\": {text}"),
        );
    };
    let rank = "dimensions but a dense kernel has 2: (in, units); reshape it";
    dense(&[3], 3, &format!("kernel has 1 {rank}"));
    dense(&[3, 2, 1], 1, &format!("kernel has 3 {rank}"));
    dense(
        &[8, 2],
        2,
        "kernel has 8 input features but \"x\" has 3 on its last axis; make both equal",
    );
    let positive = "and at least 1 is needed; make both equal and positive";
    dense(&[3, 2], 5, &format!("kernel gives 2 units but the layer asks for 5, {positive}"));
    dense(&[3, 0], 0, &format!("kernel gives 0 units but the layer asks for 0, {positive}"));
    operand(
        g.dense(x, Dense::new(2), &kernel(&[3, 2]).bias(host(&[3]))),
        "dense \"dense\": bias has shape [3] but the result has 2 channels, so [2] is needed\n  \
         (x [batch, 5, 4, 3], kernel [3, 2]); give one number for each output channel",
    );
    let scalar = g.input("s", [0usize; 0]);
    operand(
        g.dense(scalar, Dense::new(2), &kernel(&[3, 2])),
        "dense \"dense\": \"s\" has no dimensions but the product is taken over the last one\n  \
         (s [], kernel [3, 2]); reshape it to [1, n]",
    );
    let batch = g.input("b", [Dim::Batch]);
    operand(
        g.dense(batch, Dense::new(2), &kernel(&[3, 2])),
        "dense \"dense\": kernel has 3 input features but \"b\" has batch on its last axis\n  \
         (b [batch], kernel [3, 2]); make both equal",
    );
}

#[test]
fn resampling() {
    let (mut g, x) = start();
    operand(
        g.up_sampling2d(x, UpSampling2d::nearest((0, 2))),
        "up_sampling2d \"up_sampling2d\": size is (0, 2) but both must be at least 1\n  \
         (x [batch, 5, 4, 3], size (0, 2)); use positive numbers",
    );
    operand(
        g.up_sampling2d(x, UpSampling2d::bilinear((1, MAX))),
        "up_sampling2d \"up_sampling2d\": size is (1, 18446744073709551615) but 4 * 18446744073709551615 \
         pixels are more than a machine word counts\n  \
         (x [batch, 5, 4, 3], size (1, 18446744073709551615)); use smaller factors",
    );
    operand(
        g.resize2d(x, Resize2d::new((3, 0))),
        "resize2d \"resize2d\": size is (3, 0) but both must be at least 1\n  \
         (x [batch, 5, 4, 3]); use positive numbers",
    );
    limit(
        g.resize2d(x, Resize2d::new(MAX)),
        "resize2d \"resize2d\": shape [1, 18446744073709551615, 18446744073709551615, 3] needs more than \
         2^64 bytes but the largest size is 2^64 - 1 bytes; make the shape smaller",
    );
    let flat = g.input("flat", batch_of(&[5, 4]));
    let expected = "\"flat\" has 3 dimensions but an image has 4: (batch, height, width, channels)\n  \
                    (flat [batch, 5, 4]";
    operand(
        g.up_sampling2d(flat, UpSampling2d::nearest(2)),
        &format!("up_sampling2d \"up_sampling2d\": {expected}, size (2, 2)); reshape it"),
    );
    operand(
        g.resize2d(flat, Resize2d::new(2)),
        &format!("resize2d \"resize2d\": {expected}); reshape it"),
    );
    let empty = g.input("empty", batch_of(&[0, 4, 3]));
    operand(
        g.resize2d(empty, Resize2d::new(2)),
        "resize2d \"resize2d\": \"empty\" is 0 by 4 but an image without pixels cannot be resampled\n  \
         (empty [batch, 0, 4, 3]); use an image of at least one pixel",
    );
}

#[test]
fn softmax_axes() {
    let (mut g, x) = start();
    for axis in [4, -5, isize::MAX, isize::MIN] {
        operand(
            g.softmax(x, axis),
            &format!(
                "softmax \"softmax\": axis is {axis} but \"x\" has 4 axes\n  (x [batch, 5, 4, 3]); \
                 use an axis from -rank to rank - 1"
            ),
        );
    }
    let scalar = g.input("s", [0usize; 0]);
    let text =
        "softmax \"softmax\": x has no axes but softmax goes over one\n  (x []); reshape it to [1]";
    operand(g.softmax(scalar, 0), text);
    operand(g.activation(scalar, Activation::Softmax), text);
}

#[test]
fn flatten_and_reshape() {
    let (mut g, x) = start();
    for target in [&[7, -1][..], &[-1, -1], &[59], &[-2, 30], &[-1, 0], &[], &[isize::MAX, 2]] {
        operand(
            g.reshape(x, target.to_vec()),
            &format!(
                "reshape \"reshape\": target is {target:?} but \"x\" has 60 elements for each of its first \
                 dimension\n  (x [batch, 5, 4, 3]); use lengths with that product; one may be -1"
            ),
        );
    }
    let scalar = g.input("s", [0usize; 0]);
    let text =
        "\"s\" has no dimensions but the first one is kept\n  (s []); declare it with shape [1]";
    operand(g.flatten(scalar), &format!("flatten \"flatten\": {text}"));
    operand(g.reshape(scalar, [1]), &format!("reshape \"reshape\": {text}"));
}

#[test]
fn broadcasting() {
    let (mut g, x) = start();
    let mut meets = |dims: Vec<Dim>, shown: &str| {
        let right = g.input("r", dims);
        let text = |op: &str| {
            format!(
                "{op} \"{op}\": \"r\" has shape {shown} but it must broadcast with \"x\" [batch, 5, 4, 3]: \
                 aligned at the end, lengths agree or are 1\n  (x [batch, 5, 4, 3], r {shown}); \
                 reshape one of them"
            )
        };
        operand(g.add(x, right), &text("add"));
        operand(g.multiply(x, right), &text("multiply"));
    };
    meets(vec![4.into()], "[4]");
    meets(vec![5.into(), 4.into(), 2.into()], "[5, 4, 2]");
    // The batch meets no number but 1, and stays in front.
    meets(vec![2.into(), 5.into(), 4.into(), 3.into()], "[2, 5, 4, 3]");
    meets(vec![1.into(), 1.into(), 5.into(), 4.into(), 3.into()], "[1, 1, 5, 4, 3]");
    meets(vec![Dim::Batch, 3.into()], "[batch, 3]");
    let mut g = Graph::new();
    let (deep, one) = (g.input("deep", [1; 7]), g.input("one", [1]));
    operand(
        g.add(deep, one),
        "add \"add\": the result has 7 dimensions but at most 6 are supported\n  \
         (deep [1, 1, 1, 1, 1, 1, 1], one [1]); merge dimensions by a reshape",
    );
    let (column, row) = (g.input("column", [MAX, 1]), g.input("row", [1, MAX]));
    limit(
        g.multiply(column, row),
        "multiply \"multiply\": shape [18446744073709551615, 18446744073709551615] needs more than 2^64 \
         bytes but the largest size is 2^64 - 1 bytes; make the shape smaller",
    );
}

#[test]
fn inputs_are_checked_where_they_are_used() {
    let mut g = Graph::new();
    let late = g.input("late", [5.into(), Dim::Batch]);
    let text = "input \"late\": shape is [5, batch] but only the first dimension may be the batch\n  \
                (late [5, batch]); give the other dimensions fixed lengths";
    operand(g.activation(late, Activation::Relu), text);
    g.output("y", late);
    operand(g.check(), text);
    let mut g = Graph::new();
    let huge = g.input("huge", [MAX, 2]);
    limit(
        g.softmax(huge, 0),
        "input \"huge\": shape [18446744073709551615, 2] needs more than 2^64 bytes but the largest size \
         is 2^64 - 1 bytes; make the shape smaller",
    );
}

#[test]
fn results_too_large_to_count_name_their_node() {
    let (mut g, x) = start();
    let pads = longshore::Pads { top: MAX - 8, ..longshore::Pads::default() };
    let layer = Conv2d::new(2, 1).padding(longshore::Padding::Explicit(pads)).name("edges");
    limit(
        g.conv2d(x, layer, &kernel(&[1, 1, 3, 2])),
        "conv2d \"edges\": shape [1, 18446744073709551612, 4, 2] needs more than 2^64 bytes but the \
         largest size is 2^64 - 1 bytes; make the shape smaller",
    );
}
