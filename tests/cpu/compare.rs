//! The comparer is tested before anything is tested with it.

use ndarray::{ArrayD, IxDyn, array};

use longshore_testing::compare::{assert_close, compare};
use longshore_testing::oracle::Expected;
use longshore_testing::random::Random;

fn sample() -> ArrayD<f32> {
    Random::new(11).uniform(&[2, 3, 5])
}

fn expected(values: &ArrayD<f32>, bound: f64) -> Expected {
    let value = values.mapv(f64::from);
    let bound = ArrayD::from_elem(value.raw_dim(), bound);
    Expected { value, bound }
}

fn single(actual: f32, value: f64, bound: f64) -> Result<(), String> {
    let expected = Expected { value: array![value].into_dyn(), bound: array![bound].into_dyn() };
    compare(&array![actual].into_dyn(), &expected)
}

#[test]
fn equal_arrays_pass_with_a_bound_of_zero() {
    compare(&sample(), &expected(&sample(), 0.0)).unwrap();
    assert_close("equal", &sample(), &expected(&sample(), 0.0));
}

#[test]
fn one_perturbed_element_fails_wherever_it_is() {
    for position in 0..sample().len() {
        let mut actual = sample();
        let slot = actual.iter_mut().nth(position).unwrap();
        *slot += 1e-3;
        let report = compare(&actual, &expected(&sample(), 1e-4)).unwrap_err();
        assert!(report.starts_with("1 of 30 elements differ"), "{report}");
        let index = [position / 15, position / 5 % 3, position % 5];
        assert!(report.contains(&format!("{index:?}: actual")), "{report}");
    }
}

#[test]
fn nan_matches_nan_only() {
    single(f32::NAN, f64::NAN, 0.0).unwrap();
    single(f32::NAN, 1.0, 1e9).unwrap_err();
    single(1.0, f64::NAN, 1e9).unwrap_err();
    single(f32::NAN, f64::INFINITY, 1e9).unwrap_err();
    single(f32::INFINITY, f64::NAN, 1e9).unwrap_err();
    single(f32::NAN, 1.0, f64::INFINITY).unwrap_err();
}

#[test]
fn an_infinity_matches_the_same_infinity_only() {
    single(f32::INFINITY, f64::INFINITY, 0.0).unwrap();
    single(f32::NEG_INFINITY, f64::NEG_INFINITY, 0.0).unwrap();
    single(f32::INFINITY, f64::NEG_INFINITY, f64::INFINITY).unwrap_err();
    single(f32::MAX, f64::INFINITY, f64::INFINITY).unwrap_err();
    single(f32::INFINITY, 1.0, 1e9).unwrap_err();
    single(f32::NEG_INFINITY, 1e30, 1e30).unwrap_err();
}

#[test]
fn a_number_beyond_f32_is_an_infinity_of_its_sign() {
    single(f32::INFINITY, 1e43, 0.0).unwrap();
    single(f32::NEG_INFINITY, -1e43, 0.0).unwrap();
    single(f32::NEG_INFINITY, 1e43, 0.0).unwrap_err();
    single(f32::MAX, 1e43, 0.0).unwrap_err();
    let near = f64::from(f32::MAX) * 0.999;
    single(f32::INFINITY, near, 0.0).unwrap_err();
    single(f32::INFINITY, near, near * 0.01).unwrap();
}

#[test]
fn a_bound_that_is_nan_passes_nothing() {
    single(1.0, 1.0, f64::NAN).unwrap_err();
}

#[test]
fn the_bound_is_inclusive_and_no_more() {
    // All of these numbers are exact in f32 and in f64.
    single(1.25, 1.0, 0.25).unwrap();
    single(0.75, 1.0, 0.25).unwrap();
    single(1.25 + f32::EPSILON, 1.0, 0.25).unwrap_err();
    single(0.75 - f32::EPSILON, 1.0, 0.25).unwrap_err();
    single(1.0, 1.0 + 1e-12, 0.0).unwrap_err();
}

#[test]
fn bounds_are_taken_element_by_element() {
    let actual = array![1.5f32, 2.5].into_dyn();
    let value = array![1.0, 2.0].into_dyn();
    let at = |bound: [f64; 2]| Expected {
        value: value.clone(),
        bound: array![bound[0], bound[1]].into_dyn(),
    };
    compare(&actual, &at([0.5, 0.5])).unwrap();
    assert!(compare(&actual, &at([0.5, 0.4])).unwrap_err().contains("[1]: actual"));
    assert!(compare(&actual, &at([0.4, 0.5])).unwrap_err().contains("[0]: actual"));
}

#[test]
fn a_wrong_shape_fails_even_with_the_same_elements() {
    let reshaped = sample().into_shape_with_order(IxDyn(&[2, 5, 3])).unwrap();
    let report = compare(&reshaped, &expected(&sample(), 1e9)).unwrap_err();
    assert!(report.contains("[2, 5, 3]") && report.contains("[2, 3, 5]"), "{report}");
    let empty = ArrayD::<f32>::zeros(IxDyn(&[0]));
    compare(&empty, &expected(&sample(), 1e9)).unwrap_err();
    let with_one_more_axis = sample().insert_axis(ndarray::Axis(0));
    compare(&with_one_more_axis, &expected(&sample(), 1e9)).unwrap_err();
}

#[test]
fn swapped_arrays_fail() {
    let (left, right) = (sample(), Random::new(12).uniform(&[2, 3, 5]));
    compare(&left, &expected(&right, 1e-3)).unwrap_err();
    compare(&right, &expected(&left, 1e-3)).unwrap_err();
}

#[test]
fn a_transposed_array_is_compared_by_index_not_by_memory() {
    let square = Random::new(13).uniform(&[4, 4]);
    compare(&square.clone().reversed_axes(), &expected(&square, 1e-3)).unwrap_err();
    let twice = square.clone().reversed_axes().as_standard_layout().into_owned().reversed_axes();
    compare(&twice, &expected(&square, 0.0)).unwrap();
}

#[test]
fn a_report_counts_all_and_lists_sixteen() {
    let actual = sample().mapv(|v| v + 1.0);
    let report = compare(&actual, &expected(&sample(), 1e-3)).unwrap_err();
    assert!(report.starts_with("30 of 30 elements differ"), "{report}");
    assert_eq!(report.matches("bound").count(), 16, "{report}");
    assert!(report.ends_with("..."), "{report}");
}

#[test]
#[should_panic(expected = "conv2d \"edges\": 1 of 1 elements differ")]
fn assert_close_names_what_differs() {
    let wrong = Expected::exact(array![1.0].into_dyn());
    assert_close("conv2d \"edges\"", &array![2.0f32].into_dyn(), &wrong);
}

#[test]
fn random_numbers_are_repeatable_and_in_range() {
    assert_eq!(Random::new(3).uniform(&[7]), Random::new(3).uniform(&[7]));
    assert_ne!(Random::new(3).uniform(&[7]), Random::new(4).uniform(&[7]));
    // The reference sequence of SplitMix64 for seed 1234567.
    let mut random = Random::new(1_234_567);
    assert_eq!(random.bits(), 6_457_827_717_110_365_317);
    assert_eq!(random.bits(), 3_203_168_211_198_807_973);
    let many = random.uniform(&[10_000]);
    assert!(many.iter().all(|v| (-1.0..1.0).contains(v)));
    assert!(many.iter().any(|&v| v < -0.99) && many.iter().any(|&v| v > 0.99));
    let mut seen = [false; 3];
    for _ in 0..100 {
        seen[random.range(5, 8) - 5] = true;
    }
    assert_eq!(seen, [true; 3]);
    assert!(["a", "b"].contains(random.pick(&["a", "b"])));
}
