//! Shape rules of pooling, and what it refuses: the variant, then the exact text.

use longshore::ops::{Op, Pads, Pair};
use longshore::{Error, Graph, Padding, PoolMode, Pooling, Result, Shape, Symbol};

use crate::graph::batch_of;

const MAX: usize = usize::MAX;

#[track_caller]
fn gives(
    item: &[usize],
    result: &[usize],
    layer: impl FnOnce(&mut Graph, Symbol) -> Result<Symbol>,
) -> Graph {
    let mut g = Graph::new();
    let x = g.input("x", batch_of(item));
    let y = layer(&mut g, x).unwrap();
    assert_eq!(g.shape(y), Some(&Shape::new(batch_of(result))));
    g
}

/// Checks that a layer over (batch, 8, 7, 4) is refused with this text, and leaves no node.
#[track_caller]
fn refuses(text: &str, layer: impl FnOnce(&mut Graph, Symbol) -> Result<Symbol>) -> Error {
    let mut g = Graph::new();
    let x = g.input("x", batch_of(&[8, 7, 4]));
    let error = layer(&mut g, x).unwrap_err();
    assert_eq!(error.to_string(), text);
    assert_eq!(g.nodes().len(), 1);
    error
}

fn explicit(top: usize, bottom: usize, left: usize, right: usize) -> Padding {
    Padding::Explicit(Pads { top, bottom, left, right })
}

#[test]
fn sizes_of_windows() {
    let pool = |result: &[usize], layer: Pooling| {
        gives(&[8, 7, 4], result, |g, x| g.average_pooling2d(x, layer));
    };
    // Strides are the window's sizes unless given.
    pool(&[4, 3, 4], Pooling::new(2));
    pool(&[2, 3, 4], Pooling::new((3, 2)));
    pool(&[7, 6, 4], Pooling::new(2).strides(1));
    pool(&[4, 4, 4], Pooling::new(3).strides(2).padding(Padding::Same));
    pool(&[4, 4, 4], Pooling::new(3).strides(2).padding(Padding::SameLower));
    pool(&[8, 7, 4], Pooling::new(3).strides(1).dilation((3, 2)).padding(Padding::Same));
    pool(&[5, 8, 4], Pooling::new(3).strides((2, 1)).padding(explicit(1, 2, 3, 0)));
    // Rounded up, with and without a last window that begins behind the image.
    let ceil = |pads| Pooling::new(3).strides(2).padding(pads).ceil_mode(true);
    pool(&[4, 3, 4], ceil(explicit(0, 0, 0, 0)));
    pool(&[4, 4, 4], ceil(explicit(0, 0, 0, 1)));
    let far = Pooling::new(1).strides(4).padding(explicit(0, 1, 0, 2)).ceil_mode(true);
    pool(&[2, 2, 4], far);
    // No padding is padding of 0; what is padded to the multiple of a stride has nothing to round.
    pool(&[4, 3, 4], ceil(Padding::Valid));
    pool(&[4, 4, 4], ceil(Padding::Same));
    pool(&[4, 4, 4], ceil(Padding::SameLower));
    pool(&[3, 3, 4], Pooling::new(1).strides(3).padding(Padding::Same).ceil_mode(true));
    let wide = Pooling::new((11, 9)).strides(4).padding(explicit(2, 0, 0, 1)).ceil_mode(true);
    pool(&[1, 1, 4], wide.padding(explicit(2, 0, 1, 1)));
    gives(&[7, 3], &[3, 3], |g, x| g.max_pooling1d(x, Pooling::new((1, 2))));
    gives(&[8, 7, 4], &[4], |g, x| g.global_max_pooling2d(x, false));
    gives(&[8, 7, 4], &[1, 1, 4], |g, x| g.global_lp_pooling2d(x, 3, true));
    gives(&[7, 4], &[1, 4], |g, x| g.global_average_pooling1d(x, true));
}

#[test]
fn what_a_node_holds_can_be_read() {
    let layer = Pooling::new((2, 3)).padding(Padding::SameLower).count_include_pad(true);
    let g = gives(&[7, 5, 1], &[4, 2, 1], |g, x| g.average_pooling2d(x, layer.name("pooled")));
    let node = g.nodes().last().unwrap();
    assert_eq!(node.title(), "pool2d \"pooled\"");
    let Op::Pool2d(pool) = node.op() else { panic!("{node:?}") };
    assert_eq!((pool.mode, pool.count_include_pad), (PoolMode::Average, true));
    assert_eq!((pool.kernel_size, pool.strides), (Pair::new(2, 3), Pair::new(2, 3)));
    assert_eq!(pool.dilation, Pair::new(1, 1));
    assert_eq!(pool.pads, Pads { top: 1, bottom: 0, left: 1, right: 0 });
}

#[test]
fn a_large_image_is_pooled_by_rows_first() {
    let names = |item: &[usize]| {
        let g = gives(item, &[item[2]], |g, x| g.global_max_pooling2d(x, false));
        g.nodes().iter().map(|node| node.name().to_owned()).collect::<Vec<_>>()
    };
    let (pool, last) = ("global_max_pooling2d/pool2d", "global_max_pooling2d");
    assert_eq!(names(&[32, 32, 2]), ["x", pool, last]);
    assert_eq!(names(&[33, 32, 2]), ["x", "global_max_pooling2d/rows", pool, last]);
    assert_eq!(names(&[1, 2000, 2]), ["x", pool, last]);
}

#[test]
fn options_that_do_not_fit() {
    let max = |text: &str, layer: Pooling| {
        let error = refuses(&format!("max_pooling2d \"max_pooling2d\": {text}"), |g, x| {
            g.max_pooling2d(x, layer)
        });
        matches!(error, Error::Operand { .. })
    };
    let site = "\n  (x [batch, 8, 7, 4]); ";
    for (what, layer) in [
        ("pool_size", Pooling::new((0, 2))),
        ("strides", Pooling::new(2).strides((0, 2))),
        ("dilation", Pooling::new(2).dilation((0, 2))),
    ] {
        let text =
            format!("{what} is (0, 2) but both must be at least 1{site}use positive numbers");
        assert!(max(&text, layer));
    }
    let text = |axis: &str, span: &str, room: &str, output: &str| {
        format!(
            "kernel {axis} spans {span} pixels with its dilation but the padded image has {room}, so \
             the output would have {output}{site}use a smaller kernel or dilation, or more padding"
        )
    };
    assert!(max(&text("width", "9", "7", "-1"), Pooling::new((2, 9)).strides(1)));
    let far = Pooling::new(2).strides(1).dilation((MAX, 1));
    assert!(max(&text("height", "18446744073709551616", "8", "-18446744073709551607"), far));
    let beyond = Pooling::new(20).strides(1).padding(explicit(0, 0, 0, 0)).ceil_mode(true);
    assert!(max(&text("height", "20", "8", "-11"), beyond));
    assert!(max(&text("height", "20", "8", "-11"), Pooling::new(20).strides(1).ceil_mode(true)));
    let unsupported = "count_include_pad of a maximum or norm is not supported; leave it out";
    assert!(!max(unsupported, Pooling::new(2).count_include_pad(true)));
    let text = format!(
        "lp_pooling2d \"lp_pooling2d\": p is 0 but a norm's power is at least 1{site}use 1 or more"
    );
    refuses(&text, |g, x| g.lp_pooling2d(x, 0, Pooling::new(2)));
    let text = text.replace("lp_pool", "global_lp_pool");
    refuses(&text, |g, x| g.global_lp_pooling2d(x, 0, true));
}

#[test]
fn images_and_lines_that_are_none() {
    let text = "max_pooling1d \"max_pooling1d\": \"x\" has 4 dimensions but a line has 3: (batch, \
                length, channels)\n  (x [batch, 8, 7, 4]); reshape it";
    refuses(text, |g, x| g.max_pooling1d(x, Pooling::new((1, 2))));
    let mut g = Graph::new();
    let line = g.input("line", batch_of(&[7, 4]));
    let mut refused = |text: &str, layer: Pooling| {
        let error = g.lp_pooling1d(line, 2, layer).unwrap_err();
        let text = format!("lp_pooling1d \"lp_pooling1d\": {text}");
        assert_eq!(error.to_string(), text.replace("; ", "\n  (line [batch, 7, 4]); "));
    };
    let pair = "but a line has the height 1; use a pair with 1 first";
    refused(&format!("pool_size is (2, 2) {pair}"), Pooling::new(2));
    refused(&format!("strides is (2, 2) {pair}"), Pooling::new((1, 2)).strides(2));
    refused(&format!("dilation is (3, 3) {pair}"), Pooling::new((1, 2)).dilation(3));
    refused(
        "padding has 0 rows above and 1 below but a line has the height 1; pad left and right only",
        Pooling::new((1, 2)).padding(explicit(0, 1, 1, 1)),
    );
    refused(
        "kernel length spans 9 pixels with its dilation but the padded image has 7, so the output \
         would have 0; use a smaller kernel or dilation, or more padding",
        Pooling::new((1, 9)),
    );
    let error = g.global_max_pooling2d(line, true).unwrap_err().to_string();
    assert!(error.contains("\"line\" has 3 dimensions but an image has 4"), "{error}");
    let empty = g.input("empty", batch_of(&[0, 4, 3]));
    let error = g.global_average_pooling2d(empty, true).unwrap_err();
    assert_eq!(
        error.to_string(),
        "global_average_pooling2d \"global_average_pooling2d\": \"empty\" is 0 by 4 but an image \
         without pixels cannot be pooled\n  (empty [batch, 0, 4, 3]); use an image of at least one pixel"
    );
}
