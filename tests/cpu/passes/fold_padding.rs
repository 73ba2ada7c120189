//! Padding folded into convolutions, and what is not.

use longshore::passes::fold_padding;
use longshore::{Conv2d, Conv2dTranspose, Graph, Pad, PadMode, Padding, Symbol};

use super::{apply, leaves};
use crate::graph::{batch_of, kernel};

fn conv(g: &mut Graph, x: Symbol, padding: Padding) -> Symbol {
    g.conv2d(x, Conv2d::new(3, (3, 2)).padding(padding), &kernel(&[3, 2, 2, 3])).unwrap()
}

fn padded(pads: &[(isize, isize)], mode: PadMode) -> (Graph, Symbol) {
    let mut g = Graph::new();
    let x = g.input("x", batch_of(&[5, 6, 2]));
    let x = g.pad(x, Pad::new(pads.iter().copied()).mode(mode)).unwrap();
    (g, x)
}

#[test]
fn zeros_around_an_image_join_a_convolutions_own() {
    for padding in [Padding::Valid, Padding::Same] {
        let (mut g, x) = padded(&[(0, 0), (1, 2), (3, 0), (0, 0)], PadMode::Constant(0.0));
        let y = conv(&mut g, x, padding);
        g.output("y", y);
        let before = g.shape(y).unwrap().clone();
        let (after, report) = apply(fold_padding, &g);
        assert_eq!(report.done(), ["pad \"pad\" into conv2d \"conv2d\""]);
        assert_eq!(after.len(), 3, "{after:?}");
        assert!(after[1].ends_with(&before.to_string()), "{after:?}");
        assert_eq!(g.plan(2).unwrap().steps().len(), 1);
    }
}

#[test]
fn a_padding_that_others_use_stays_for_them() {
    let (mut g, x) = padded(&[(0, 0), (1, 1), (1, 1), (0, 0)], PadMode::Constant(0.0));
    let y = conv(&mut g, x, Padding::Valid);
    g.output("y", y);
    g.output("padded", x);
    let (after, report) = apply(fold_padding, &g);
    assert!(report.changed());
    assert!(after.iter().any(|line| line.starts_with("pad ")), "{after:?}");
}

#[test]
fn other_paddings_stay() {
    let zeros = PadMode::Constant(0.0);
    for (pads, mode) in [
        ([(0, 0), (1, 1), (1, 1), (0, 0)], PadMode::Constant(1.0)),
        ([(0, 0), (1, 1), (1, 1), (0, 0)], PadMode::Edge),
        ([(0, 0), (1, 1), (1, 1), (0, 0)], PadMode::Reflect),
        ([(0, 0), (1, 1), (1, -1), (0, 0)], zeros),
        ([(0, 0), (1, 1), (1, 1), (1, -1)], zeros),
    ] {
        let (mut g, x) = padded(&pads, mode);
        let y = conv(&mut g, x, Padding::Valid);
        g.output("y", y);
        leaves(fold_padding, &g);
    }
    // A transposed convolution would have to crop.
    let (mut g, x) = padded(&[(0, 0), (1, 1), (1, 1), (0, 0)], zeros);
    let layer = Conv2dTranspose::new(3, (3, 2));
    let y = g.conv2d_transpose(x, layer, &kernel(&[3, 2, 3, 2])).unwrap();
    g.output("y", y);
    leaves(fold_padding, &g);
}
