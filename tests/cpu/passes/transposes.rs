//! Transposes: canceled, moved, folded, and graphs that stay as they are.

use longshore::Activation::{Relu, Tanh};
use longshore::passes::move_transposes;
use longshore::{Conv2d, Dense, Graph, Pad, Padding, Symbol};

use super::{apply, leaves};
use crate::graph::{batch_of, host, kernel};

const TO_LAST: [usize; 4] = [0, 2, 3, 1];
const TO_FIRST: [usize; 4] = [0, 3, 1, 2];

/// A convolution of channels that come first.
fn conv(g: &mut Graph, x: Symbol, channels: [usize; 2]) -> Symbol {
    let x = g.transpose(x, &TO_LAST).unwrap();
    let layer = Conv2d::new(channels[1], 3).padding(Padding::Same);
    let y = g.conv2d(x, layer, &kernel(&[3, 3, channels[0], channels[1]])).unwrap();
    g.transpose(y, &TO_FIRST).unwrap()
}

/// The transposes of the graph that the pass leaves.
fn left(g: &Graph) -> usize {
    let (lines, _) = apply(move_transposes, g);
    lines.iter().filter(|line| line.starts_with("transpose")).count()
}

#[test]
fn a_network_with_channels_first_keeps_the_transposes_at_its_ends() {
    let mut g = Graph::new();
    let x = g.input("x", batch_of(&[2, 5, 7]));
    let y = conv(&mut g, x, [2, 4]);
    let y = g.activation(y, Relu).unwrap();
    let bias = g.constant("bias", host(&[4, 1, 1])).unwrap();
    let y = g.add(y, bias).unwrap();
    let z = conv(&mut g, y, [4, 4]);
    let y = g.add(z, y).unwrap();
    let y = g.concat(&[y, z], 1).unwrap();
    let y = g.pad(y, Pad::new([(0, 0), (1, 2), (3, 4), (5, 6)])).unwrap();
    let y = g.softmax(y, 1).unwrap();
    g.output("y", y);
    let (lines, report) = apply(move_transposes, &g);
    let expected = [
        r#"input "x": [batch, 2, 5, 7]"#,
        r#"transpose "transpose" of "x": [batch, 5, 7, 2]"#,
        r#"conv2d "conv2d" of "transpose", weights "conv2d/kernel": [batch, 5, 7, 4]"#,
    ];
    assert_eq!(lines[..2], expected[..2]);
    assert!(lines[2].starts_with("conv2d \"conv2d\" of \"transpose\""), "{lines:?}");
    let concat = r#"concat "concat/moved1" of "add_1/moved1", "conv2d_1": [batch, 5, 7, 8]"#;
    assert!(lines.iter().any(|line| line == concat), "{lines:#?}");
    let pad = r#"pad "pad/moved1" of "concat/moved1": [batch, 12, 18, 11]"#;
    assert!(lines.iter().any(|line| line == pad), "{lines:#?}");
    assert_eq!(
        lines[lines.len() - 2],
        r#"transpose "softmax" of "softmax/moved1": [batch, 11, 12, 18]"#
    );
    assert_eq!(left(&g), 2);
    assert!(
        report.done().iter().any(|line| line.starts_with("transpose \"transpose_2\"")),
        "{report}"
    );
}

/// A copy for each use would fill the memory where a great constant has very many.
#[test]
fn a_constant_is_transposed_once_however_often_it_is_used() {
    let mut g = Graph::new();
    let x = g.input("x", [1, 2, 3, 4]);
    let table = g.constant("table", host(&[1, 4, 2, 3])).unwrap();
    let mut y = g.transpose(x, &TO_FIRST).unwrap();
    for _ in 0..9 {
        y = g.add(y, table).unwrap();
    }
    let y = g.transpose(y, &TO_LAST).unwrap();
    g.output("y", y);
    let (lines, _) = apply(move_transposes, &g);
    assert_eq!(lines.iter().filter(|line| line.starts_with("constant")).count(), 2, "{lines:#?}");
    assert_eq!(lines.iter().filter(|line| line.starts_with("add")).count(), 9, "{lines:#?}");
    assert_eq!(left(&g), 0);
}

#[test]
fn axes_of_length_one_need_no_step() {
    let mut g = Graph::new();
    let x = g.input("x", batch_of(&[1, 5, 7]));
    let y = g.transpose(x, &TO_LAST).unwrap();
    g.output("y", y);
    let (lines, _) = apply(move_transposes, &g);
    assert_eq!(lines[1], r#"reshape "transpose" of "x": [batch, 5, 7, 1]"#);
}

#[test]
fn two_that_cancel_leave_a_copy_of_an_input() {
    let mut g = Graph::new();
    let x = g.input("x", batch_of(&[2, 5, 7]));
    let y = g.transpose(x, &TO_LAST).unwrap();
    let y = g.transpose(y, &TO_FIRST).unwrap();
    g.output("y", y);
    let (lines, _) = apply(move_transposes, &g);
    assert_eq!(lines[1], r#"linear "transpose_1" of "x": [batch, 2, 5, 7]"#);
}

#[test]
fn a_flattened_image_permutes_the_rows_of_its_dense_layer() {
    let mut g = Graph::new();
    let x = g.input("x", batch_of(&[5, 7, 2]));
    let y = g.transpose(x, &TO_FIRST).unwrap();
    let y = g.flatten(y).unwrap();
    let y = g.activation(y, Tanh).unwrap();
    let y = g.dense(y, Dense::new(3), &kernel(&[70, 3])).unwrap();
    g.output("y", y);
    let (lines, report) = apply(move_transposes, &g);
    assert!(!lines.iter().any(|line| line.starts_with("transpose")), "{lines:?}");
    assert!(report.done().contains(&"a transpose into the kernel of dense \"dense\"".to_owned()));
    // The flattened values are an output as well: there they need their order.
    let mut g = Graph::new();
    let x = g.input("x", batch_of(&[5, 7, 2]));
    let y = g.transpose(x, &TO_FIRST).unwrap();
    let y = g.flatten(y).unwrap();
    let z = g.dense(y, Dense::new(3), &kernel(&[70, 3])).unwrap();
    g.output("z", z);
    g.output("y", y);
    leaves(move_transposes, &g);
}

#[test]
fn a_graph_that_would_not_have_fewer_stays() {
    // Behind the functions there would be two.
    let mut g = Graph::new();
    let x = g.input("x", batch_of(&[2, 5, 7]));
    let y = g.transpose(x, &TO_LAST).unwrap();
    let (one, two) = (g.activation(y, Relu).unwrap(), g.activation(y, Tanh).unwrap());
    g.output("one", one);
    g.output("two", two);
    leaves(move_transposes, &g);
    // Two values in different orders meet.
    let mut g = Graph::new();
    let x = g.input("x", batch_of(&[5, 5, 5]));
    let one = g.transpose(x, &TO_LAST).unwrap();
    let two = g.transpose(x, &TO_FIRST).unwrap();
    let y = g.add(one, two).unwrap();
    g.output("y", y);
    leaves(move_transposes, &g);
}
