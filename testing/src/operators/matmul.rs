//! Matrix products of two symbols, with and without a third one added.

use std::collections::BTreeSet;

use longshore::internals::kernels::Work;
use longshore::internals::kernels::matmul::Geometry;
use longshore::{Activation, Dim, Gemm, Graph, MatMul};
use ndarray::{ArrayD, IxDyn};

use crate::compare::assert_close;
use crate::executor::Executor;
use crate::golden::{
    ELEMENTWISE, LINEAR, Twin, assert_same_bits, batched, cases_of, check, line, narrow, trials,
    widen, with_one,
};
use crate::oracle::Expected;
use crate::oracle::matmul::{gemm, matmul};
use crate::random::Random;

type Array = ArrayD<f32>;

fn oracle(left: &Array, right: &Array, transposed: [bool; 2]) -> Expected {
    matmul(&widen(left), &widen(right), transposed)
}

fn dims(shape: &[usize]) -> Vec<Dim> {
    shape.iter().copied().map(Dim::Fixed).collect()
}

/// Runs a product of two inputs of these dimensions.
fn multiply(
    on: &dyn Executor,
    batch: usize,
    (left, left_dims): (&Array, Vec<Dim>),
    (right, right_dims): (&Array, Vec<Dim>),
    transposed: [bool; 2],
) -> Array {
    let mut g = Graph::new();
    let a = g.input("a", left_dims);
    let b = g.input("b", right_dims);
    let options = MatMul::new().transpose_left(transposed[0]).transpose_right(transposed[1]);
    let y = g.matmul_with(a, b, options).unwrap();
    g.output("y", y);
    on.run(&g, batch, &[("a", left), ("b", right)]).remove("y").unwrap()
}

fn fixed(on: &dyn Executor, left: &Array, right: &Array, transposed: [bool; 2]) -> Array {
    let (one, other) = (dims(left.shape()), dims(right.shape()));
    multiply(on, 1, (left, one), (right, other), transposed)
}

/// Runs a gemm; with `batch` the first axis of A, and of C where it has as many, is symbolic.
fn run_gemm(
    on: &dyn Executor,
    a: &Array,
    b: &Array,
    c: Option<&Array>,
    layer: Gemm,
    symbolic: bool,
) -> Array {
    let mut g = Graph::new();
    let of = |array: &Array| if symbolic { batched(array.shape()) } else { dims(array.shape()) };
    let (left, right) = (g.input("a", of(a)), g.input("b", dims(b.shape())));
    let rows = a.shape()[0];
    let addend = c.map(|c| {
        let own = c.ndim() == 2 && c.shape()[0] == rows && rows != 1;
        g.input("c", if own { of(c) } else { dims(c.shape()) })
    });
    let y = g.gemm(left, right, addend, layer).unwrap();
    g.output("y", y);
    let inputs: Vec<(&str, &Array)> =
        [("a", a), ("b", b)].into_iter().chain(c.map(|c| ("c", c))).collect();
    on.run(&g, if symbolic { rows } else { 1 }, &inputs).remove("y").unwrap()
}

pub fn golden_cases(on: &dyn Executor) {
    for case in cases_of("onnx/windows", "matmul", 4, &[]) {
        let (a, b) = (narrow(case.array("a")), narrow(case.array("b")));
        let (actual, oracle) = (fixed(on, &a, &b, [false; 2]), oracle(&a, &b, [false; 2]));
        assert_close(&case.name, &actual, &oracle);
        check(&case, &actual, &oracle);
    }
    for case in cases_of("onnx/windows", "gemm", 7, &["alpha", "beta", "transA", "transB"]) {
        let (a, b) = (narrow(case.array("a")), narrow(case.array("b")));
        let c = case.optional("c").map(narrow);
        let number = |key: &str| case.options[key].as_f64().unwrap();
        let (alpha, beta) = (number("alpha"), number("beta"));
        let transposed = [case.whole("transA") == 1, case.whole("transB") == 1];
        let layer = Gemm::new()
            .alpha(alpha as f32)
            .beta(beta as f32)
            .trans_a(transposed[0])
            .trans_b(transposed[1]);
        let actual = run_gemm(on, &a, &b, c.as_ref(), layer, false);
        let c = c.as_ref().map(widen);
        let scales = (f64::from(alpha as f32), f64::from(beta as f32));
        let oracle = gemm(&widen(&a), &widen(&b), c.as_ref(), scales, transposed);
        assert_close(&case.name, &actual, &oracle);
        check(&case, &actual, &oracle);
    }
}

/// Draws two shapes that can be multiplied, of ranks 1 to 6.
fn draw(random: &mut Random) -> (Vec<usize>, Vec<usize>, [bool; 2]) {
    let mut length = |sizes: &[usize]| *random.pick(sizes);
    let (m, n) = (length(&[1, 2, 3, 4, 5, 9, 65]), length(&[1, 3, 4, 5, 8, 12, 64]));
    let k = length(&[0, 1, 3, 4, 5, 8, 12, 31]);
    let leading: Vec<usize> =
        (0..length(&[0, 0, 1, 2, 3, 4])).map(|_| length(&[1, 2, 3])).collect();
    let own = |random: &mut Random| -> Vec<usize> {
        let skipped = random.range(0, leading.len() + 1);
        let kept = leading[skipped..].iter();
        kept.map(|&length| if random.range(0, 3) == 0 { 1 } else { length }).collect()
    };
    let (mut left, mut right) = (own(random), own(random));
    let transposed = [random.range(0, 3) == 0, random.range(0, 2) == 0];
    left.extend(if transposed[0] { [k, m] } else { [m, k] });
    right.extend(if transposed[1] { [n, k] } else { [k, n] });
    match random.range(0, 8) {
        0 => (vec![k], right, [false, transposed[1]]),
        1 => (left, vec![k], [transposed[0], false]),
        2 => (vec![k], vec![k], [false; 2]),
        _ => (left, right, transposed),
    }
}

pub fn random_shapes(on: &dyn Executor) {
    trials(150, |random| {
        let (left, right, transposed) = draw(random);
        let (left, right) = (random.uniform(&left), random.uniform(&right));
        let what = format!("{:?} @ {:?}, {transposed:?}", left.shape(), right.shape());
        let actual = fixed(on, &left, &right, transposed);
        assert_close(&what, &actual, &oracle(&left, &right, transposed));
    });
}

pub fn a_symbolic_batch_in_front_of_either_operand_or_as_rows(on: &dyn Executor) {
    let random = &mut Random::new(3);
    for (left, right, symbolic) in [
        (vec![3, 5, 4], vec![4, 8], [true, false]),
        (vec![3, 5, 4], vec![3, 4, 8], [true, true]),
        (vec![3, 5, 4], vec![1, 4, 3], [true, false]),
        (vec![5, 4], vec![3, 4, 8], [false, true]),
        (vec![3, 2, 5, 4], vec![2, 4, 8], [true, false]),
        (vec![3, 4], vec![4, 8], [true, false]),
        (vec![3, 4], vec![4], [true, false]),
        (vec![4], vec![3, 4, 2], [false, true]),
    ] {
        let (left, right) = (random.uniform(&left), random.uniform(&right));
        let of = |array: &Array, symbolic: bool| {
            if symbolic { batched(array.shape()) } else { dims(array.shape()) }
        };
        let pair = |array, symbolic| (array, of(array, symbolic));
        let (one, other) = (pair(&left, symbolic[0]), pair(&right, symbolic[1]));
        let actual = multiply(on, 3, one, other, [false; 2]);
        let what = format!("{:?} @ {:?}, {symbolic:?}", left.shape(), right.shape());
        assert_close(&what, &actual, &oracle(&left, &right, [false; 2]));
    }
    // The right operand's columns are the batch where the left one is a row.
    let (left, right) = (random.uniform(&[4]), random.uniform(&[3, 4]));
    let other = (&right, batched(&[3, 4]));
    let actual = multiply(on, 3, (&left, dims(&[4])), other, [false, true]);
    assert_close("a row by a batch", &actual, &oracle(&left, &right, [false, true]));
}

pub fn random_gemms(on: &dyn Executor) {
    trials(80, |random| {
        let (m, n) = (*random.pick(&[1, 2, 5, 8]), *random.pick(&[1, 3, 4, 7, 12]));
        let k = *random.pick(&[0, 1, 3, 4, 8]);
        let transposed = [random.range(0, 2) == 0, random.range(0, 2) == 0];
        let a = random.uniform(&if transposed[0] { [k, m] } else { [m, k] });
        let b = random.uniform(&if transposed[1] { [n, k] } else { [k, n] });
        let shapes = [vec![m, n], vec![1, n], vec![m, 1], vec![n], vec![1], vec![1, 1], vec![]];
        let shape = random.pick(&shapes).clone();
        let c = (random.range(0, 4) > 0).then(|| random.uniform(&shape));
        let (alpha, beta) = (*random.pick(&[1.0, 0.0, -2.5]), *random.pick(&[1.0, 0.0, 0.375]));
        let layer =
            Gemm::new().alpha(alpha).beta(beta).trans_a(transposed[0]).trans_b(transposed[1]);
        let symbolic = !transposed[0] && random.range(0, 2) == 0;
        let actual = run_gemm(on, &a, &b, c.as_ref(), layer, symbolic);
        let wide = c.as_ref().map(widen);
        let scales = (f64::from(alpha), f64::from(beta));
        let expected = gemm(&widen(&a), &widen(&b), wide.as_ref(), scales, transposed);
        let what = format!("{m} {k} {n} {transposed:?} {alpha} {beta} {:?}", c.map(|_| shape));
        assert_close(&what, &actual, &expected);
    });
}

pub fn a_beta_of_0_keeps_infinity_of_c_out(on: &dyn Executor) {
    let one = |value: f32| line(&[value]).insert_axis(ndarray::Axis(0));
    let with = |beta: f32| {
        let mut g = Graph::new();
        let [a, b, c] = ["a", "b", "c"].map(|name| g.input(name, [1, 1]));
        let c = g.activation(c, Activation::Exponential).unwrap();
        let y = g.gemm(a, b, c, Gemm::new().beta(beta)).unwrap();
        g.output("y", y);
        let inputs = [("a", &one(2.0)), ("b", &one(3.0)), ("c", &one(200.0))];
        on.run(&g, 1, &inputs)["y"][IxDyn(&[0, 0])]
    };
    assert_eq!(with(0.0), 6.0);
    assert_eq!(with(1.0), f32::INFINITY);
    assert_eq!(with(-1.0), f32::NEG_INFINITY);
}

pub fn operands_without_elements_give_zeros_or_nothing(on: &dyn Executor) {
    let random = &mut Random::new(8);
    for (left, right) in [
        (vec![3, 0], vec![0, 4]),
        (vec![2, 3, 0], vec![0, 5]),
        (vec![0], vec![0]),
        (vec![0, 3], vec![3, 4]),
        (vec![3, 2], vec![2, 0]),
        (vec![0, 3, 2], vec![2, 4]),
    ] {
        let (left, right) = (random.uniform(&left), random.uniform(&right));
        let actual = fixed(on, &left, &right, [false; 2]);
        let expected = oracle(&left, &right, [false; 2]);
        assert!(expected.value.iter().all(|&value| value == 0.0));
        assert_close(&format!("{:?} @ {:?}", left.shape(), right.shape()), &actual, &expected);
    }
}

/// A batch of rows is one matrix where the right operand is shared, but not where something is
/// added to each item anew.
pub fn each_item_has_the_addend_anew(on: &dyn Executor) {
    let random = &mut Random::new(12);
    let (left, right) = (random.uniform(&[2, 3, 4]), random.uniform(&[4, 5]));
    let addend = random.uniform(&[3, 5]);
    let twin = LINEAR;
    let (_, _, actual) = raw(on, &left, &right, Some((&addend, [5, 1])), [false; 2], twin);
    let mut expected = oracle(&left, &right, [false; 2]);
    let added = widen(&addend).mapv(|value| -2.0 * value);
    expected.value = expected.value.mapv(|value| 0.5 * value) + added;
    expected.bound = expected.bound + expected.value.mapv(|v| 4e-7 * (v.abs() + 2.0));
    assert_close("2 items", &actual, &expected);
}

/// Dispatches a product with its last operand added, if it is there.
fn raw(
    on: &dyn Executor,
    left: &Array,
    right: &Array,
    addend: Option<(&Array, [usize; 2])>,
    transposed: [bool; 2],
    twin: Twin,
) -> (&'static str, u32, Array) {
    let mut geometry = Geometry::product(left.shape(), right.shape(), transposed).unwrap();
    geometry.epilogue = twin.epilogue();
    geometry.addend = addend.map(|(_, strides)| strides);
    (geometry.alpha, geometry.beta) = if addend.is_some() { (0.5, -2.0) } else { (1.0, 1.0) };
    let lengths = geometry.batch.iter().map(|axis| axis.length);
    let shape: Vec<usize> = lengths.chain([geometry.rows, geometry.columns]).collect();
    let work = Work::MatMul(geometry);
    let launch = work.launch("test", 3).unwrap();
    let operands: Vec<&Array> =
        [left, right].into_iter().chain(addend.map(|(addend, _)| addend)).collect();
    let actual = on.dispatch(&work, 3, &operands, &shape);
    (launch.kernel.entry, launch.workgroups[1], actual)
}

pub fn kernels_stay_within_their_output_in_folded_grids(on: &dyn Executor) {
    let random = &mut Random::new(9);
    let (mut entries, mut folded) = (BTreeSet::new(), BTreeSet::new());
    let turned = [false, true];
    for (left, right, transposed) in [
        (vec![1, 1], vec![1, 1], [false; 2]),
        (vec![63, 2], vec![2, 1], [false; 2]),
        (vec![2, 17], vec![17, 97], [false; 2]),
        (vec![3, 3], vec![3, 4], [false; 2]),
        (vec![101, 3], vec![3, 32], [false; 2]),
        (vec![5, 67], vec![5, 52], [true, false]),
        (vec![2, 5, 13, 3], vec![5, 3, 32], [false; 2]),
        (vec![2, 1, 3, 5], vec![3, 5, 4], [false; 2]),
        (vec![3, 4], vec![4, 4], turned),
        (vec![101, 8], vec![32, 8], turned),
        (vec![2, 5, 13, 4], vec![5, 32, 4], turned),
        (vec![2, 1, 3, 4], vec![3, 8, 4], turned),
        (vec![4, 3], vec![8, 4], [true, true]),
        (vec![9, 0], vec![0, 4], [false; 2]),
        (vec![9, 0], vec![0, 3], [false; 2]),
    ] {
        let (left, right) = (random.uniform(&left), random.uniform(&right));
        let product = oracle(&left, &right, transposed);
        for strides in [None, Some([0, 0]), Some([0, 1]), Some([1, 0]), Some([200, 1])] {
            let twin = *random.pick(&ELEMENTWISE);
            let addend = random.uniform(&[101 * 200]);
            let added = strides.map(|strides| (&addend, strides));
            let (entry, y, actual) = raw(on, &left, &right, added, transposed, twin);
            entries.insert(entry);
            folded.extend((y > 1).then_some(entry));
            let mut expected = product.clone();
            if let Some([down, along]) = strides {
                for (index, value) in expected.value.indexed_iter_mut() {
                    let rank = product.value.ndim();
                    let at = index[rank - 2] * down + index[rank - 1] * along;
                    *value = 0.5 * *value - 2.0 * f64::from(addend[at]);
                }
                expected.bound = expected.bound + expected.value.mapv(|v| 4e-7 * (v.abs() + 2.0));
            }
            let what = format!("{entry} {:?} @ {:?}, {strides:?}", left.shape(), right.shape());
            assert_close(&what, &actual, &twin.apply(expected));
        }
    }
    let all: BTreeSet<&str> = longshore::internals::kernels::matmul::SHADER.entries().collect();
    assert_eq!(entries, all);
    assert_eq!(folded, all);
}

pub fn nan_and_infinity_stay_in_their_row(on: &dyn Executor) {
    let random = &mut Random::new(10);
    for (columns, transposed) in [(3, false), (4, false), (4, true)] {
        let right = if transposed { [columns, 8] } else { [8, columns] };
        let (left, right) = (random.uniform(&[6, 8]), random.uniform(&right));
        let transposed = [false, transposed];
        let (_, _, clean) = raw(on, &left, &right, None, transposed, LINEAR);
        for value in [f32::NAN, f32::INFINITY, f32::NEG_INFINITY] {
            let dirty = with_one(&left, &[4, 2], value);
            let (entry, _, actual) = raw(on, &dirty, &right, None, transposed, LINEAR);
            let expected = oracle(&dirty, &right, transposed).value;
            let mut others = actual.clone();
            for column in 0..columns {
                let at = IxDyn(&[4, column]);
                let (found, exact) = (actual[&at], expected[&at]);
                let same = f64::from(found) == exact || exact.is_nan() && found.is_nan();
                assert!(same, "{entry}: {value} gives {found}, not {exact}");
                others[&at] = clean[&at];
            }
            assert_same_bits(&format!("{entry}: {value} elsewhere"), &others, &clean);
        }
    }
}

/// Dispatches a plain product, with one line for each row of the batch.
fn large(on: &dyn Executor, left: &Array, right: &Array, transposed: [bool; 2]) -> Array {
    let geometry = Geometry::product(left.shape(), right.shape(), transposed).unwrap();
    let lengths = geometry.batch.iter().map(|axis| axis.length);
    let shape: Vec<usize> = lengths.chain([geometry.rows, geometry.columns]).collect();
    on.dispatch(&Work::MatMul(geometry), 65_535, &[left, right], &shape)
}

pub fn products_deeper_and_wider_than_what_is_packed_at_a_time(on: &dyn Executor) {
    let random = &mut Random::new(11);
    for (left, right) in [
        ([50, 450], [450, 260]),
        ([540, 2100], [2100, 5]),
        ([5000, 40], [40, 1]),
        ([3, 900], [900, 70]),
    ] {
        for transposed in [[false, false], [false, true], [true, false], [true, true]] {
            let turned = |[rows, columns]: [usize; 2], turn| {
                if turn { [columns, rows] } else { [rows, columns] }
            };
            let left = random.uniform(&turned(left, transposed[0]));
            let right = random.uniform(&turned(right, transposed[1]));
            let actual = large(on, &left, &right, transposed);
            let what = format!("{:?} @ {:?}, {transposed:?}", left.shape(), right.shape());
            assert_close(&what, &actual, &oracle(&left, &right, transposed));
        }
    }
    // Many small matrices, for several threads.
    let (left, right) = (random.uniform(&[40, 3, 12, 70]), random.uniform(&[40, 1, 70, 9]));
    let actual = large(on, &left, &right, [false; 2]);
    assert_close("40 by 3 items", &actual, &oracle(&left, &right, [false; 2]));
}
