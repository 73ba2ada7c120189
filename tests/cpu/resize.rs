//! Shape rules of `Resize` and its kin, and what they refuse: the variant, then the exact text.

use longshore::ops::{AspectRatio, ResizeMode};
use longshore::{Coordinates, Error, Graph, Interpolation, Resize, Resize2d, Result, Symbol};

use crate::graph::batch_of;

const MAX: usize = usize::MAX;

/// The names and shapes of the nodes that a layer over fixed dimensions adds.
fn nodes(shape: &[usize], layer: Resize) -> Vec<(String, Vec<usize>)> {
    let mut g = Graph::new();
    let x = g.input("x", shape.iter().copied());
    g.resize(x, layer.name("r")).unwrap();
    let nodes = g.nodes().iter().skip(1);
    nodes.map(|node| (node.title(), node.shape().resolve(1))).collect()
}

fn shape(shape: &[usize], layer: Resize) -> Vec<usize> {
    nodes(shape, layer).pop().unwrap().1
}

#[test]
fn lengths() {
    assert_eq!(shape(&[1, 3, 5, 7], Resize::scales([1.0, 1.0, 2.5, 0.4])), [1, 3, 12, 2]);
    // 10 * 0.7f32 is less than 7 and rounds to it in f32, and so with fractions of lengths.
    for (input, output) in [(10, 7), (10, 14), (7, 13), (30, 27)] {
        let scale = output as f32 / input as f32;
        assert_eq!(shape(&[input], Resize::scales([scale])), [output]);
    }
    // Where the product in f32 is less too, as in ONNX Runtime.
    assert_eq!(shape(&[706], Resize::scales([224.0 / 706.0])), [223]);
    assert_eq!(shape(&[10, 4], Resize::sizes([3, 9])), [3, 9]);
    assert_eq!(shape(&[10, 4, 3], Resize::sizes([3, 9]).axes([-1, 0])), [9, 4, 3]);
    let policy = |policy| Resize::sizes([8, 6]).axes([1, 0]).keep_aspect_ratio_policy(policy);
    assert_eq!(shape(&[7, 5], policy(AspectRatio::Stretch)), [6, 8]);
    assert_eq!(shape(&[7, 5], policy(AspectRatio::NotLarger)), [6, 4]);
    assert_eq!(shape(&[7, 5], policy(AspectRatio::NotSmaller)), [11, 8]);
    // 3 * 3 / 2 = 4.5 goes up.
    let half = Resize::sizes([3, 9]).keep_aspect_ratio_policy(AspectRatio::NotLarger);
    assert_eq!(shape(&[2, 3], half), [3, 5]);
    let crop = Resize::scales([2.0]).coordinates(Coordinates::TfCropAndResize).roi([0.25, 0.75]);
    assert_eq!(shape(&[8], crop), [8]);
}

#[test]
fn two_neighbors_are_one_node() {
    let found = |shape: &[usize], layer| {
        nodes(shape, layer).into_iter().map(|(title, _)| title).collect::<Vec<_>>()
    };
    assert_eq!(found(&[1, 2, 3, 4], Resize::scales([1.0, 1.0, 2.0, 2.0])), ["resize2d \"r\""]);
    assert_eq!(found(&[2, 3], Resize::scales([1.0, 1.0])), ["reshape \"r\""]);
    assert_eq!(found(&[], Resize::scales([])), ["reshape \"r\""]);
    let all = nodes(&[2, 3, 4, 5, 6, 7], Resize::sizes([3, 4, 5, 5, 7, 8]));
    let expected = [
        ("resize2d \"r/axes 0, 1\"", vec![3, 4, 4, 5, 6, 7]),
        ("resize2d \"r/axis 2\"", vec![3, 4, 5, 5, 6, 7]),
        ("resize2d \"r\"", vec![3, 4, 5, 5, 7, 8]),
    ];
    assert_eq!(all, expected.map(|(title, shape)| (title.to_owned(), shape)));
}

/// Checks that a layer over (batch, 4, 6) is refused with this text, and leaves no node.
#[track_caller]
fn refuses(text: &str, layer: impl FnOnce(&mut Graph, Symbol) -> Result<Symbol>) -> Error {
    let mut g = Graph::new();
    let x = g.input("x", batch_of(&[4, 6]));
    let error = layer(&mut g, x).unwrap_err();
    assert_eq!(error.to_string(), text);
    assert_eq!(g.nodes().len(), 1);
    error
}

#[test]
fn axes_scales_and_sizes_that_do_not_fit() {
    let operand = |layer: Resize, target: &str, text: &str| {
        let site = format!("\n  (x [batch, 4, 6], {target}); ");
        let text = format!("resize \"resize\": {}", text.replace("; ", &site));
        let error = refuses(&text, |g, x| g.resize(x, layer));
        assert!(matches!(error, Error::Operand { .. }));
    };
    let count = "but the axes need 3; give one for each axis, or set axes";
    operand(Resize::sizes([2, 2]), "sizes [2, 2]", &format!("sizes has 2 numbers {count}"));
    operand(Resize::scales([2.0]), "scales [2.0]", &format!("scales has 1 numbers {count}"));
    for axes in [[1, 1], [1, -2], [3, 1], [-4, 1]] {
        let text = format!(
            "axes are {axes:?} but each is one of the 3 axes, and named once; use different axes \
             from -rank to rank - 1"
        );
        operand(Resize::sizes([2, 2]).axes(axes), "sizes [2, 2]", &text);
    }
    for scale in [0.0, -1.0, f32::NAN, f32::INFINITY] {
        let text =
            format!("scales have {scale} but each is a finite number above 0; use positive scales");
        operand(Resize::scales([scale]).axes([1]), &format!("scales [{scale:?}]"), &text);
    }
    let text = "scales have 2 but the batch keeps its length; use fixed dimensions, or the scale 1";
    operand(Resize::scales([2.0]).axes([0]), "scales [2.0]", text);
    let text = "axes have the batch but sizes are for fixed lengths; use fixed dimensions, or leave \
                the batch out of axes";
    operand(Resize::sizes([1, 4, 6]), "sizes [1, 4, 6]", text);
    let text =
        "scales have 1e30 but the axis would have a length that is none; use other scales or roi";
    let far = Resize::scales([1e30]).axes([1]);
    operand(far, "scales [1e30]", &text.replace("1e30", "1000000000000000000000000000000"));
    let crop = |layer: Resize| layer.axes([1]).coordinates(Coordinates::TfCropAndResize);
    let flipped = crop(Resize::scales([2.0])).roi([0.5, 0.1]);
    operand(flipped, "scales [2.0]", &text.replace("1e30", "2"));
    let text = "roi has 1 numbers but the axes need 2; give one for each axis, or set axes";
    operand(crop(Resize::sizes([2])).roi([0.5]), "sizes [2]", text);
    let text = "roi is [NaN, 1.0] but start and end are finite numbers; give finite numbers";
    operand(crop(Resize::sizes([2])).roi([f32::NAN, 1.0]), "sizes [2]", text);
    let cubic = Resize::sizes([2]).axes([1]).mode(ResizeMode::Cubic);
    let text = "cubic_coeff_a is inf but a weight is a finite number; use -0.75 or -0.5";
    operand(cubic.cubic_coeff_a(f32::INFINITY), "sizes [2]", text);
    let mut g = Graph::new();
    let deep = g.input("deep", [1usize; 7]);
    let error = g.resize(deep, Resize::sizes([1; 7])).unwrap_err().to_string();
    assert!(error.contains("\"deep\" has 7 dimensions but at most 6 are supported"), "{error}");
    let empty = g.input("empty", [2usize, 0]);
    let error = g.resize(empty, Resize::sizes([2, 3])).unwrap_err().to_string();
    assert!(error.contains("x has an axis of length 0"), "{error}");
    let error = g.resize(empty, Resize::sizes([MAX, 0]));
    assert!(error.is_ok(), "an empty result is one, whatever its other lengths");
    let wide = g.input("wide", [2usize, 3]);
    assert!(matches!(g.resize(wide, Resize::sizes([MAX, 2])), Err(Error::Limit { .. })));
}

#[test]
fn combinations_that_do_not_exist() {
    let unsupported = |text: &str, layer: Resize| {
        let text = format!("resize \"resize\": {text}");
        let error = refuses(&text, |g, x| g.resize(x, layer));
        assert!(matches!(error, Error::Unsupported { .. }));
    };
    let sizes = || Resize::sizes([2]).axes([1]);
    let remedy = "is not supported; use linear or cubic, or leave it out";
    unsupported(&format!("antialias of nearest {remedy}"), sizes().antialias(true));
    unsupported(&format!("exclude_outside of nearest {remedy}"), sizes().exclude_outside(true));
    unsupported(
        "keep_aspect_ratio_policy with scales is not supported; give sizes, or leave it out",
        Resize::scales([2.0]).axes([1]).keep_aspect_ratio_policy(AspectRatio::NotLarger),
    );
    let far = sizes().mode(ResizeMode::Cubic).keep_aspect_ratio_policy(AspectRatio::NotSmaller);
    unsupported(
        "exclude_outside with keep_aspect_ratio_policy and aligned corners is not supported; use \
         other coordinates",
        far.coordinates(Coordinates::AlignCorners).exclude_outside(true),
    );
    let text =
        "resize2d \"resize2d\": a crop by resize2d is not supported; use Graph::resize with a roi";
    refuses(text, |g, x| g.resize2d(x, Resize2d::new(2).coordinates(Coordinates::TfCropAndResize)));
    let text =
        "resize2d \"resize2d\": antialias of nearest is not supported; use another interpolation";
    refuses(text, |g, x| g.resize2d(x, Resize2d::new(2).antialias(true)));
    let smooth = Resize2d::new(2).antialias(true).interpolation(Interpolation::Bilinear);
    let mut g = Graph::new();
    let x = g.input("x", batch_of(&[4, 6, 1]));
    assert!(g.resize2d(x, smooth).is_ok());
}

#[test]
fn repetitions() {
    let text = "up_sampling3d \"up_sampling3d\": \"x\" has 3 dimensions but a volume has 5: (batch, depth, \
                height, width, channels)\n  (x [batch, 4, 6], size [1, 2, 3]); reshape it";
    refuses(text, |g, x| g.up_sampling3d(x, [1, 2, 3]));
    let text = "up_sampling1d \"up_sampling1d\": size has a 0 but factors are at least 1\n  (x [batch, 4, \
                6], size [0]); use 1 or more";
    refuses(text, |g, x| g.up_sampling1d(x, 0));
    let text = format!(
        "up_sampling1d \"up_sampling1d\": size has {MAX} but 4 * {MAX} pixels are more than a machine \
         word counts\n  (x [batch, 4, 6], size [{MAX}]); use smaller factors"
    );
    refuses(&text, |g, x| g.up_sampling1d(x, MAX));
    let mut g = Graph::new();
    let x = g.input("x", batch_of(&[0, 6]));
    let y = g.up_sampling1d(x, 3).unwrap();
    assert_eq!(g.shape(y).unwrap().resolve(2), [2, 0, 6]);
}
