//! ONNX's own cases of the element-wise operators, each through the builder's call for it.

use std::collections::BTreeSet;

use longshore::{Graph, HostArray, Result, StagePolicy, Symbol};
use ndarray::ArrayD;

use super::copy::fixed;
use crate::compare::assert_close;
use crate::executor::Executor;
use crate::golden::narrow;
use crate::onnx::{OnnxCase, load};
use crate::oracle::{EPSILON, Expected};

/// An attribute that is a number, or ONNX's default.
fn number(case: &OnnxCase, key: &str, default: f64) -> f32 {
    case.attributes[key].as_f64().unwrap_or(default) as f32
}

fn unary(g: &mut Graph, case: &OnnxCase, x: Symbol) -> Option<Result<Symbol>> {
    let alpha = |default| number(case, "alpha", default);
    Some(match case.op.as_str() {
        "Abs" => g.abs(x),
        "Acos" => g.acos(x),
        "Acosh" => g.acosh(x),
        "Asin" => g.asin(x),
        "Asinh" => g.asinh(x),
        "Atan" => g.atan(x),
        "Atanh" => g.atanh(x),
        "Ceil" => g.ceil(x),
        "Celu" => g.celu(x, alpha(1.0)),
        "Clip" => {
            let (low, high) = (f64::NEG_INFINITY, f64::INFINITY);
            g.clip(x, number(case, "min", low), number(case, "max", high))
        }
        "Cos" => g.cos(x),
        "Cosh" => g.cosh(x),
        "Elu" => g.elu(x, alpha(1.0)),
        "Exp" => g.exp(x),
        "Floor" => g.floor(x),
        "Gelu" if case.attributes["approximate"].as_str() == Some("tanh") => g.gelu_tanh(x),
        "Gelu" => g.gelu(x),
        "HardSigmoid" => g.hard_sigmoid(x, alpha(0.2), number(case, "beta", 0.5)),
        "HardSwish" => g.hard_silu(x),
        "IsInf" => {
            let counts = |key| case.integer(key, 1) == 1;
            g.is_inf(x, counts("detect_positive"), counts("detect_negative"))
        }
        "IsNaN" => g.is_nan(x),
        "LeakyRelu" => g.leaky_relu(x, alpha(0.01)),
        "Log" => g.log(x),
        "Neg" => g.negative(x),
        "Not" => g.logical_not(x),
        "Reciprocal" => g.reciprocal(x),
        "Relu" => g.relu(x),
        "Round" => g.round(x),
        "Selu" if case.attributes["alpha"].is_null() => g.selu(x),
        "Selu" => {
            let gamma = number(case, "gamma", 0.0);
            g.selu_with(x, alpha(0.0), gamma)
        }
        "Sigmoid" => g.sigmoid(x),
        "Sign" => g.sign(x),
        "Sin" => g.sin(x),
        "Sinh" => g.sinh(x),
        "Softplus" => g.softplus(x),
        "Softsign" => g.softsign(x),
        "Sqrt" => g.sqrt(x),
        "Swish" => g.swish(x, alpha(1.0)),
        "Tan" => g.tan(x),
        "Tanh" => g.tanh(x),
        "ThresholdedRelu" => g.thresholded_relu(x, alpha(1.0)),
        _ => return None,
    })
}

fn several(g: &mut Graph, case: &OnnxCase, x: &[Symbol]) -> Result<Symbol> {
    match case.op.as_str() {
        "Add" => g.add(x[0], x[1]),
        "And" => g.logical_and(x[0], x[1]),
        "Div" => g.divide(x[0], x[1]),
        "Equal" => g.equal(x[0], x[1]),
        "Greater" => g.greater(x[0], x[1]),
        "GreaterOrEqual" => g.greater_equal(x[0], x[1]),
        "Less" => g.less(x[0], x[1]),
        "LessOrEqual" => g.less_equal(x[0], x[1]),
        "Max" => g.max(x),
        "Mean" => g.mean(x),
        "Min" => g.min(x),
        "Mod" if case.integer("fmod", 0) == 1 => g.fmod(x[0], x[1]),
        "Mod" => g.modulo(x[0], x[1]),
        "Mul" => g.multiply(x[0], x[1]),
        "Or" => g.logical_or(x[0], x[1]),
        "PRelu" => g.p_relu_with(x[0], x[1]),
        "Pow" => g.power(x[0], x[1]),
        "Sub" => g.subtract(x[0], x[1]),
        "Sum" => g.sum(x),
        "Where" => g.select(x[0], x[1], x[2]),
        "Xor" => g.logical_xor(x[0], x[1]),
        other => panic!("{}: unknown operator {other}", case.name),
    }
}

/// Runs a graph whose inputs may hold what staging refuses otherwise.
fn compute(on: &dyn Executor, case: &OnnxCase) -> ArrayD<f32> {
    let mut g = Graph::new();
    let arrays: Vec<ArrayD<f32>> = case.inputs.iter().map(narrow).collect();
    let names: Vec<String> = (0..arrays.len()).map(|k| format!("x{k}")).collect();
    let symbols: Vec<Symbol> = names
        .iter()
        .zip(&arrays)
        .map(|(name, array)| g.input(name.as_str(), fixed(array)))
        .collect();
    let y = unary(&mut g, case, symbols[0])
        .unwrap_or_else(|| several(&mut g, case, &symbols))
        .unwrap_or_else(|error| panic!("{}: {error}", case.name));
    g.output("y", y);
    let session = on.runtime().prepare(&g.plan(1).unwrap()).unwrap();
    let policy = StagePolicy::new().allow_non_finite();
    let staged = names.iter().zip(&arrays).map(|(name, array)| {
        let array = HostArray::from_view(array);
        (name.as_str(), on.runtime().stage_with(name.as_str(), &array, policy).unwrap().0)
    });
    let tensors: Vec<_> = staged.collect();
    let run = session.run(tensors.iter().map(|(name, tensor)| (*name, tensor))).unwrap();
    run["y"].read().unwrap()
}

pub fn onnx_cases(on: &dyn Executor) {
    let cases = load("elementwise");
    assert_eq!(cases.len(), 157);
    let known = ["alpha", "beta", "gamma", "min", "max", "approximate", "detect_positive"];
    let mut operators = BTreeSet::new();
    for case in cases {
        for key in case.attributes.as_object().unwrap().keys() {
            let is_known = known.contains(&key.as_str())
                || ["detect_negative", "fmod"].contains(&key.as_str());
            assert!(is_known, "{}: {key} is not looked at", case.name);
        }
        operators.insert(case.op.clone());
        let value = case.outputs[0].clone();
        // NumPy computed them in f32, some by formulas that cancel.
        let bound = value.mapv(|value| 16.0 * EPSILON * (1.0 + value.abs()));
        assert_close(&case.name, &compute(on, &case), &Expected { value, bound });
    }
    assert_eq!(operators.len(), 58);
}
