//! ONNX's `Resize` on the device: every rule, over any axes.

use longshore::ops::{AspectRatio, NearestMode, ResizeMode};
use longshore::{Coordinates, Graph, Interpolation, Resize, Resize2d, Symbol};
use ndarray::{ArrayD, Ix4, IxDyn};

use crate::compare::assert_close;
use crate::executor::Executor;
use crate::fixture::{Case, load_from};
use crate::golden::{apply, assert_same_bits, line, narrow, trials, widen};
use crate::oracle::Expected;
use crate::oracle::resize::{Axis, Mode, Rule, Scale, resize, scaled};
use crate::random::Random;

/// How many cases of tests/fixtures/onnx/imaging are resamplings of ONNX.
const GOLDEN_CASES: usize = 117;

pub(crate) const COORDINATES: [(&str, Coordinates); 7] = [
    ("half_pixel", Coordinates::HalfPixel),
    ("pytorch_half_pixel", Coordinates::PytorchHalfPixel),
    ("align_corners", Coordinates::AlignCorners),
    ("asymmetric", Coordinates::Asymmetric),
    ("half_pixel_symmetric", Coordinates::HalfPixelSymmetric),
    ("tf_half_pixel_for_nn", Coordinates::TfHalfPixelForNn),
    ("tf_crop_and_resize", Coordinates::TfCropAndResize),
];

pub(crate) const NEAREST: [(&str, NearestMode, Mode); 4] = [
    ("round_prefer_floor", NearestMode::RoundPreferFloor, Mode::RoundPreferFloor),
    ("round_prefer_ceil", NearestMode::RoundPreferCeil, Mode::RoundPreferCeil),
    ("floor", NearestMode::Floor, Mode::Floor),
    ("ceil", NearestMode::Ceil, Mode::Ceil),
];

/// A resampling on both sides.
#[derive(Debug)]
struct Twin {
    layer: Resize,
    axes: Vec<Axis>,
    rule: Rule,
}

/// Sets mode and rule of the layer as the oracle's.
pub(crate) fn with_rule(layer: Resize, rule: &Rule) -> Resize {
    let (_, coordinates) = COORDINATES.iter().find(|(name, _)| *name == rule.coordinates).unwrap();
    let layer = match rule.mode {
        Mode::Linear => layer.mode(ResizeMode::Linear),
        Mode::Cubic(a) => layer.mode(ResizeMode::Cubic).cubic_coeff_a(a as f32),
        mode => {
            let (_, nearest, _) = NEAREST.iter().find(|(_, _, found)| *found == mode).unwrap();
            layer.nearest_mode(*nearest)
        }
    };
    layer
        .coordinates(*coordinates)
        .exclude_outside(rule.exclude_outside)
        .antialias(rule.antialias)
        .extrapolation_value(rule.extrapolation_value as f32)
}

/// Runs with fixed dimensions, so that the first axis may be resampled too.
fn fixed(on: &dyn Executor, input: &ArrayD<f32>, layer: Resize) -> ArrayD<f32> {
    let mut g = Graph::new();
    let x: Symbol = g.input("x", input.shape().iter().copied());
    let y = g.resize(x, layer).unwrap();
    g.output("y", y);
    on.run(&g, 1, &[("x", input)]).remove("y").unwrap()
}

/// Reads a case of ONNX.
fn read(case: &Case) -> Twin {
    let (shape, output) = (case.array("input").shape(), case.array("output").shape());
    let text = |key: &str, default: &'static str| match &case.options[key] {
        serde_json::Value::Null => default.to_owned(),
        value => value.as_str().unwrap().to_owned(),
    };
    let numbers = |key: &str| -> Vec<f32> {
        let list = case.options[key].as_array().into_iter().flatten();
        list.map(|number| number.as_f64().unwrap() as f32).collect()
    };
    let is_set = |key: &str| case.options[key] == 1;
    // Upsample is what Resize is with these.
    let (coordinates, nearest) = match case.layer.as_str() {
        "Upsample" => ("asymmetric", "floor"),
        _ => ("half_pixel", "round_prefer_floor"),
    };
    let coordinates = text("coordinate_transformation_mode", coordinates);
    let nearest = text("nearest_mode", nearest);
    let mode = match text("mode", "nearest").as_str() {
        "nearest" => NEAREST.iter().find(|(name, ..)| *name == nearest).unwrap().2,
        "linear" => Mode::Linear,
        "cubic" => Mode::Cubic(case.options["cubic_coeff_a"].as_f64().unwrap_or(-0.75)),
        other => panic!("{}: {other}", case.name),
    };
    let rule = Rule {
        mode,
        coordinates: COORDINATES.iter().find(|(name, _)| *name == coordinates).unwrap().0,
        exclude_outside: is_set("exclude_outside"),
        antialias: is_set("antialias"),
        extrapolation_value: case.options["extrapolation_value"].as_f64().unwrap_or(0.0),
    };
    let rank = shape.len();
    let given = case.options["axes"].as_array().map(|_| case.integers("axes"));
    let axes = given.clone().unwrap_or_else(|| (0..rank as i64).collect());
    let (scales, roi) = (numbers("scales"), numbers("roi"));
    let policy = text("keep_aspect_ratio_policy", "stretch");
    let crops = rule.coordinates == "tf_crop_and_resize";
    // One scale for all, if the policy says so.
    let sizes: Vec<usize> = numbers("sizes").iter().map(|&size| size as usize).collect();
    let at = |axis: i64| axis.rem_euclid(rank as i64) as usize;
    let ratio = |number: usize| (sizes[number], shape[at(axes[number])]);
    let share = |(size, length): (usize, usize)| size as f64 / length as f64;
    let order =
        |one: &(usize, usize), other: &(usize, usize)| share(*one).total_cmp(&share(*other));
    let common = match policy.as_str() {
        "stretch" => None,
        "not_larger" => (0..sizes.len()).map(ratio).min_by(order),
        "not_smaller" => (0..sizes.len()).map(ratio).max_by(order),
        other => panic!("{}: {other}", case.name),
    };
    let axis = |(number, &axis): (usize, &i64)| {
        let axis = at(axis);
        let (scale, length) = match (scales.get(number), common) {
            (Some(&scale), _) => (Scale::Given(scale), output[axis]),
            (None, None) => (Scale::Fraction(sizes[number], shape[axis]), sizes[number]),
            (None, Some((n, d))) => (Scale::Fraction(n, d), (2 * n * shape[axis] + d) / (2 * d)),
        };
        let whole = (0.0, 1.0);
        let roi = if crops { (roi[number].into(), roi[axes.len() + number].into()) } else { whole };
        Axis { at: axis, length, scale, roi }
    };
    let resolved: Vec<Axis> = axes.iter().enumerate().map(axis).collect();
    let layer = if scales.is_empty() { Resize::sizes(sizes) } else { Resize::scales(scales) };
    // ONNX's reference rounds the product in f64.
    let layer = layer.declared(output.iter().copied().map(Some));
    let layer = match given {
        Some(axes) => layer.axes(axes.iter().map(|&axis| axis as isize)),
        None => layer,
    };
    let layer = layer.roi(roi).keep_aspect_ratio_policy(match policy.as_str() {
        "not_larger" => AspectRatio::NotLarger,
        "not_smaller" => AspectRatio::NotSmaller,
        _ => AspectRatio::Stretch,
    });
    Twin { layer: with_rule(layer, &rule), axes: resolved, rule }
}

pub fn golden_cases(on: &dyn Executor) {
    let mut count = 0;
    for case in load_from("onnx", "imaging") {
        if !["Resize", "Upsample"].contains(&case.layer.as_str()) {
            continue;
        }
        count += 1;
        let twin = read(&case);
        let input = narrow(case.array("input"));
        let exact = resize(&widen(&input), &twin.axes, &twin.rule);
        let actual = fixed(on, &input, twin.layer);
        assert_close(&case.name, &actual, &exact);
        // ONNX's own numbers, all below 20, are written with 8 digits; its reference holds the
        // weights of cubics, for values below 1, in f32.
        let is_cubic = matches!(twin.rule.mode, Mode::Cubic(_));
        let digits = if case.name.starts_with("test") || is_cubic { 1e-6 } else { 0.0 };
        let bound = exact.bound.mapv(|bound| if bound > 0.0 { bound + digits } else { 0.0 });
        let value = case.array("output").clone();
        assert_close(&case.name, &actual, &Expected { value, bound });
    }
    assert_eq!(count, GOLDEN_CASES);
}

pub fn antialiased_images_of_keras(on: &dyn Executor) {
    let mut count = 0;
    for case in load_from("onnx", "imaging") {
        if case.layer != "keras.ops.image.resize" {
            continue;
        }
        count += 1;
        let interpolation = match case.text("interpolation") {
            "bilinear" => Interpolation::Bilinear,
            "bicubic" => Interpolation::Bicubic,
            "lanczos3" => Interpolation::Lanczos3,
            "lanczos5" => Interpolation::Lanczos5,
            other => panic!("{other}"),
        };
        let layer = Resize2d::new(case.pair("size")).interpolation(interpolation).antialias(true);
        let actual = apply(on, &narrow(case.array("input")), |g, x| g.resize2d(x, layer));
        // Up to 17 rows by 10 columns of weights whose magnitudes sum to less than 4.
        let value = case.array("output").clone();
        let bound = value.mapv(|_| 40.0 * 4.0 * f64::from(f32::EPSILON));
        assert_close(&case.name, &actual, &Expected { value, bound });
    }
    assert_eq!(count, 4);
}

pub fn lines_and_volumes_of_keras_are_repeated(on: &dyn Executor) {
    let mut count = 0;
    for case in load_from("onnx", "imaging") {
        let input = narrow(case.array("input"));
        let size: Vec<usize> = match case.layer.as_str() {
            "keras.UpSampling1D" | "keras.UpSampling3D" => {
                case.integers("size").iter().map(|&factor| factor as usize).collect()
            }
            _ => continue,
        };
        count += 1;
        let actual = apply(on, &input, |g, x| match size[..] {
            [factor] => g.up_sampling1d(x, factor),
            [depth, height, width] => g.up_sampling3d(x, [depth, height, width]),
            _ => panic!("{size:?}"),
        });
        assert_same_bits(&case.name, &actual, &narrow(case.array("output")));
    }
    assert_eq!(count, 2);
}

pub fn scales_are_not_rounded_and_every_rule_counts(on: &dyn Executor) {
    // A scale of 7 / 3 printed with two digits would be 2.33, and take other pixels.
    let from: Vec<f32> = (0..300).map(|number| number as f32).collect();
    let actual = fixed(on, &line(&from), Resize::sizes([700]));
    let expected = |x: usize| ((2 * x + 1) * 300).div_ceil(1400).saturating_sub(1) as f32;
    assert!(actual.iter().enumerate().all(|(x, &value)| value == expected(x)));
    // One formula for all coordinates would give one result; the modes of nearest differ too.
    let mut results = Vec::new();
    for (name, coordinates) in COORDINATES.iter().take(4).chain(&COORDINATES[5..6]) {
        for (_, nearest, mode) in NEAREST {
            let layer = Resize::sizes([9]).coordinates(*coordinates).nearest_mode(nearest);
            let actual = fixed(on, &line(&from[..4]), layer);
            let scale = Scale::Fraction(9, 4);
            let axis = Axis { at: 0, length: 9, scale, roi: (0.0, 1.0) };
            let rule = Rule {
                mode,
                coordinates: name,
                exclude_outside: false,
                antialias: false,
                extrapolation_value: 0.0,
            };
            let exact = resize(&widen(&line(&from[..4])), &[axis], &rule);
            assert_close(name, &actual, &exact);
            let values: Vec<u32> = actual.iter().map(|&value| value as u32).collect();
            results.push(values);
        }
    }
    results.sort();
    results.dedup();
    // pytorch_half_pixel is half_pixel here, and halves do not occur in all of these.
    assert_eq!(results.len(), 8, "{results:?}");
}

pub fn a_rounded_length_is_centred_by_the_symmetric_rule(on: &dyn Executor) {
    let input = ArrayD::from_shape_vec(IxDyn(&[2, 3]), vec![1.0, 4.0, 2.0, 8.0, 3.0, 7.0]).unwrap();
    // The scale of both is 3 / 2; the width would be 4.5 and is 5, a place more to the left.
    let layer = Resize::sizes([3, 9])
        .mode(ResizeMode::Linear)
        .coordinates(Coordinates::HalfPixelSymmetric)
        .keep_aspect_ratio_policy(AspectRatio::NotLarger);
    let actual = fixed(on, &input, layer);
    // By ONNX's reference: its places of the width are -1/3, 1/3, 1, 5/3 and 7/3.
    let (first, last) = ([1.0, 2.0, 4.0, 8.0 / 3.0, 2.0], [8.0, 19.0 / 3.0, 3.0, 17.0 / 3.0, 7.0]);
    let middle = [4.5, 25.0 / 6.0, 3.5, 25.0 / 6.0, 4.5];
    let value = ArrayD::from_shape_vec(IxDyn(&[3, 5]), [first, middle, last].concat()).unwrap();
    let bound = value.mapv(|value| 4.0 * f64::from(f32::EPSILON) * value);
    assert_close("symmetric", &actual, &Expected { value, bound });
}

pub fn a_single_pixel_of_pytorch_lies_at_0(on: &dyn Executor) {
    // At -0.5 a cubic would give -0.1875 + 1.1875 of the first two pixels otherwise.
    for mode in [ResizeMode::Nearest, ResizeMode::Linear, ResizeMode::Cubic] {
        let layer = Resize::sizes([1]).mode(mode).coordinates(Coordinates::PytorchHalfPixel);
        let actual = fixed(on, &line(&[3.0, 5.0, 9.0, 2.0]), layer);
        assert_eq!(actual.into_raw_vec_and_offset().0, [3.0]);
    }
}

pub fn random_axes_and_rules(on: &dyn Executor) {
    trials(120, |random| {
        let rank = random.range(1, 7);
        let shape: Vec<usize> = (0..rank).map(|_| *random.pick(&[1, 2, 3, 4, 5, 7])).collect();
        let input = random.uniform(&shape);
        let antialias = *random.pick(&[false, true]);
        let mode = match random.range(0, 3) {
            0 => NEAREST[random.range(0, 4)].2,
            1 => Mode::Linear,
            _ => Mode::Cubic(*random.pick(&[-0.75, -0.5])),
        };
        let smooth = matches!(mode, Mode::Linear | Mode::Cubic(_));
        let rule = Rule {
            mode,
            coordinates: COORDINATES[random.range(0, 7)].0,
            exclude_outside: smooth && *random.pick(&[false, true]),
            antialias: smooth && antialias,
            extrapolation_value: -2.5,
        };
        let mut axes: Vec<Axis> = Vec::new();
        let by_scale = *random.pick(&[false, true]);
        let crops = rule.coordinates == "tf_crop_and_resize";
        for (axis, &input_length) in shape.iter().enumerate() {
            if *random.pick(&[false, true]) {
                continue;
            }
            // Odd ends, so that no place is a tie or on the edge of what is extrapolated.
            let roi = *random.pick(&[(0.0, 1.0), (0.21, 0.83), (-0.23, 1.17)]);
            let roi =
                if crops { (f64::from(roi.0 as f32), f64::from(roi.1 as f32)) } else { (0.0, 1.0) };
            let given = *random.pick(&[1.0f32, 0.61, 1.37, 2.0, 2.93]);
            let length = scaled(input_length, given, roi);
            let size = *random.pick(&[1, 2, 3, 5, 8]);
            axes.push(if by_scale {
                Axis { at: axis, length, scale: Scale::Given(given), roi }
            } else {
                Axis { at: axis, length: size, scale: Scale::Fraction(size, input_length), roi }
            });
        }
        let expected = resize(&widen(&input), &axes, &rule);
        let scales = axes.iter().map(|axis| match axis.scale {
            Scale::Given(scale) => scale,
            Scale::Fraction(..) => 0.0,
        });
        let layer = if by_scale {
            Resize::scales(scales.collect::<Vec<_>>())
        } else {
            Resize::sizes(axes.iter().map(|axis| axis.length))
        };
        let ends = axes.iter().map(|axis| axis.roi.0).chain(axes.iter().map(|axis| axis.roi.1));
        let layer =
            layer.roi(ends.map(|end| end as f32)).axes(axes.iter().map(|axis| axis.at as isize));
        let actual = fixed(on, &input, with_rule(layer, &rule));
        assert_close(&format!("{shape:?} {axes:?} {rule:?}"), &actual, &expected);
    });
}

pub fn the_batch_and_axes_of_length_0(on: &dyn Executor) {
    let input = Random::new(1).uniform(&[3, 4, 5, 2]);
    let actual = apply(on, &input, |g, x| g.resize(x, Resize::scales([1.0, 2.0, 2.0, 1.0])));
    let again = apply(on, &input, |g, x| g.resize(x, Resize::sizes([8, 10]).axes([1, 2])));
    assert_same_bits("a batch of scale 1", &actual, &again);
    let same = apply(on, &input, |g, x| g.resize(x, Resize::scales([1.0; 4])));
    assert_same_bits("nothing to do", &same, &input);
    let none = fixed(on, &input, Resize::scales([0.25, 2.0, 2.0, 1.0]));
    assert_eq!(none.shape(), [0, 8, 10, 2]);
    let empty = ArrayD::zeros(IxDyn(&[2, 0, 3]));
    assert_eq!(fixed(on, &empty, Resize::scales([2.0, 3.0, 2.0])).shape(), [4, 0, 6]);
}

pub fn extrapolated_elements_of_both_widths(on: &dyn Executor) {
    for channels in [3, 4] {
        let input = Random::new(2).uniform(&[1, 4, 5, channels]);
        for mode in [ResizeMode::Nearest, ResizeMode::Linear] {
            let layer = Resize::sizes([3, 3]).axes([1, 2]).mode(mode).extrapolation_value(7.0);
            let layer = layer.coordinates(Coordinates::TfCropAndResize).roi([-1.0, 0.0, 1.0, 2.0]);
            let actual = apply(on, &input, |g, x| g.resize(x, layer));
            for ((_, y, x, c), &value) in
                actual.view().into_dimensionality::<Ix4>().unwrap().indexed_iter()
            {
                // Rows -3, 0 and 3; columns 0, 4 and 8.
                let inside = y > 0 && x < 2;
                let expected = if inside { input[[0, (y - 1) * 3, x * 4, c]] } else { 7.0 };
                assert_eq!(value, expected, "{mode:?} {y} {x}");
            }
        }
    }
}
