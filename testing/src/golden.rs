//! What the families' tests share: golden cases, activations on both sides, seeded trials.

use std::sync::LazyLock;

use longshore::ops::Epilogue;
use longshore::{Activation, Dim, Graph, HostArray, LayerWeights, Result, Symbol, UnaryOp};
use ndarray::{Array1, ArrayD, IxDyn};

use crate::compare::assert_close;
use crate::executor::Executor;
use crate::fixture::{Case, load, load_from};
use crate::oracle::Expected;
use crate::oracle::activation::{Activation as Exact, activate};
use crate::oracle::softmax::softmax_of;
use crate::random::Random;

/// Options that every case has.
const COMMON: [&str; 4] = ["name", "layer", "made_by", "dtype"];

/// Returns the cases of a layer, of which there are `count`, with no options but `known`.
pub fn cases(layer: &str, count: usize, known: &[&str]) -> Vec<Case> {
    chosen(load(), layer, count, known)
}

/// As [`cases`], from another pair of files than Keras's.
pub fn cases_of(stem: &str, layer: &str, count: usize, known: &[&str]) -> Vec<Case> {
    let (folder, stem) = stem.split_once('/').unwrap();
    chosen(load_from(folder, stem), layer, count, known)
}

fn chosen(all: Vec<Case>, layer: &str, count: usize, known: &[&str]) -> Vec<Case> {
    let found: Vec<Case> = all.into_iter().filter(|case| case.layer == layer).collect();
    assert_eq!(found.len(), count, "cases of {layer}");
    for case in &found {
        for option in case.options.as_object().unwrap().keys() {
            let is_known = COMMON.contains(&option.as_str()) || known.contains(&option.as_str());
            assert!(is_known, "{}: this test does not know the option {option}", case.name);
        }
        let has_bias = case.arrays.contains_key("bias");
        assert_eq!(case.options["use_bias"].as_bool().unwrap_or(false), has_bias, "{}", case.name);
    }
    found
}

/// Checks a result against the golden output, by the bound that the oracle gives the same inputs.
///
/// A tool that computed in f32 may itself be off by as much.
#[track_caller]
pub fn check(case: &Case, actual: &ArrayD<f32>, oracle: &Expected) {
    let factor = match case.text("dtype") {
        "float64" => 1.0,
        "float32" => 2.0,
        other => panic!("{}: dtype {other}", case.name),
    };
    let bound = &oracle.bound * factor;
    let golden = Expected { value: case.array("output").clone(), bound };
    assert_close(&case.name, actual, &golden);
}

/// Narrows an array of f32 values.
#[track_caller]
pub fn narrow(array: &ArrayD<f64>) -> ArrayD<f32> {
    array.mapv(|value| {
        let narrowed = value as f32;
        assert_eq!(f64::from(narrowed).to_bits(), value.to_bits(), "{value} is no f32");
        narrowed
    })
}

/// Widens an array, for the oracle.
pub fn widen(array: &ArrayD<f32>) -> ArrayD<f64> {
    array.mapv(f64::from)
}

/// Compares bit by bit: the sign of zero and the payload of NaN count.
#[track_caller]
pub fn assert_same_bits(what: &str, left: &ArrayD<f32>, right: &ArrayD<f32>) {
    assert_eq!(left.shape(), right.shape(), "{what}");
    for ((index, one), other) in left.indexed_iter().zip(right) {
        assert_eq!(one.to_bits(), other.to_bits(), "{what}: {one} and {other} at {index:?}");
    }
}

/// Makes the weights of a layer.
pub fn weights(kernel: &ArrayD<f32>, bias: Option<&ArrayD<f32>>) -> LayerWeights {
    let weights = LayerWeights::new(HostArray::from(kernel.clone()));
    match bias {
        Some(bias) => weights.bias(HostArray::from(bias.clone())),
        None => weights,
    }
}

/// Replaces the first length by the batch.
pub fn batched(shape: &[usize]) -> Vec<Dim> {
    let rest = shape.iter().skip(1).map(|&length| Dim::Fixed(length));
    std::iter::once(Dim::Batch).chain(rest).take(shape.len()).collect()
}

/// Runs a network of one layer on the device.
pub fn apply(
    on: &dyn Executor,
    input: &ArrayD<f32>,
    layer: impl FnOnce(&mut Graph, Symbol) -> Result<Symbol>,
) -> ArrayD<f32> {
    let mut graph = Graph::new();
    let x = graph.input("x", batched(input.shape()));
    let y = layer(&mut graph, x).unwrap();
    graph.output("y", y);
    let batch = input.shape().first().copied().unwrap_or(1);
    on.run(&graph, batch, &[("x", input)]).remove("y").unwrap()
}

/// An activation on both sides: the crate's, and the oracle's, which is none for softmax.
#[derive(Clone, Copy, Debug)]
pub struct Twin {
    pub ours: Activation,
    pub exact: Option<Exact>,
}

const fn twin(ours: Activation, exact: Exact) -> Twin {
    Twin { ours, exact: Some(exact) }
}

pub const LINEAR: Twin = twin(Activation::Linear, Exact::Linear);
pub const SOFTMAX: Twin = Twin { ours: Activation::Softmax, exact: None };

/// Every function that random layers apply, all of them continuous, with odd constants where it has some.
pub static ELEMENTWISE: LazyLock<Vec<Twin>> = LazyLock::new(|| twins(is_drawn_for_layers));

/// Every other function of one operand: those that jump, and those that random layers do not apply.
pub static ALONE: LazyLock<Vec<Twin>> =
    LazyLock::new(|| twins(|function| !is_drawn_for_layers(function)));

fn is_drawn_for_layers(function: UnaryOp) -> bool {
    // What leaves nothing of a layer's result to compare, or grows without end.
    const LEFT_OUT: [&str; 10] =
        ["erf", "erfc", "sin", "cos", "atan", "sinh", "cosh", "asinh", "is_nan", "is_inf"];
    !LEFT_OUT.contains(&function.name()) && function.domain() == (-8.0..8.0)
}

fn twins(is_wanted: impl Fn(UnaryOp) -> bool) -> Vec<Twin> {
    let exact = |function: UnaryOp| {
        let found = Exact::of(function.name(), function.constants().map(f64::from));
        found.unwrap_or_else(|| panic!("the oracle has no formula of {}", function.name()))
    };
    UnaryOp::all().filter(|it| is_wanted(*it)).map(|it| twin(it.into(), exact(it))).collect()
}

impl Twin {
    /// The crate's half as an epilogue.
    pub fn epilogue(self) -> Epilogue {
        self.ours.function().expect("an element-wise function").into()
    }

    /// Applies the oracle's half to values that are within a bound.
    pub fn apply(self, linear: Expected) -> Expected {
        match self.exact {
            Some(exact) => activate(exact, linear),
            None => softmax_of(linear, -1),
        }
    }

    /// Reads a case's activation, Keras's constants included.
    pub fn of(case: &Case) -> Twin {
        let constant = |key: &str, default: f64| case.options[key].as_f64().unwrap_or(default);
        let Some(name) = case.options["activation"].as_str() else {
            assert!(case.options["activation"].is_null(), "{}", case.name);
            return LINEAR;
        };
        let same = |twin: &&Twin| twin.ours.name() == name;
        match name {
            "softmax" => SOFTMAX,
            "leaky_relu" => {
                let negative_slope = constant("negative_slope", 0.2);
                let ours = Activation::LeakyRelu(negative_slope as f32);
                twin(ours, Exact::LeakyRelu { negative_slope })
            }
            "elu" => {
                let alpha = constant("alpha", 1.0);
                twin(Activation::Elu(alpha as f32), Exact::Elu { alpha })
            }
            "gelu" if case.options["approximate"].as_bool() == Some(true) => {
                twin(Activation::GeluTanh, Exact::Gelu { approximate: true })
            }
            "relu6" => twin(Activation::Relu6, Exact::Relu6),
            "selu" => twin(Activation::Selu, Exact::Selu),
            "silu" => twin(Activation::Silu, Exact::Silu),
            "hard_sigmoid" => twin(Activation::HardSigmoid, Exact::HardSigmoid),
            _ => *ELEMENTWISE
                .iter()
                .find(same)
                .unwrap_or_else(|| panic!("{}: unknown activation {name}", case.name)),
        }
    }
}

/// Repeats a test with many seeds, and names the seed when one fails.
pub fn trials(count: u64, body: impl Fn(&mut Random)) {
    for seed in 0..count {
        let _named = Seed(seed);
        body(&mut Random::new(seed));
    }
}

struct Seed(u64);

impl Drop for Seed {
    fn drop(&mut self) {
        if std::thread::panicking() {
            eprintln!("the failing trial has seed {}", self.0);
        }
    }
}

/// An array of one axis.
pub fn line(values: &[f32]) -> ArrayD<f32> {
    Array1::from_vec(values.to_vec()).into_dyn()
}

/// An array of random values with one element replaced.
pub fn with_one(array: &ArrayD<f32>, index: &[usize], value: f32) -> ArrayD<f32> {
    let mut changed = array.clone();
    changed[IxDyn(index)] = value;
    changed
}
