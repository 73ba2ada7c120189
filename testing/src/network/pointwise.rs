//! Layers of single elements, of one to three operands.

use longshore::{BinaryOp, Graph, HostArray, PRelu};
use ndarray::{ArrayD, Zip};

use super::{Holds, Network, near};
use crate::golden::{ALONE, ELEMENTWISE, Twin, widen};
use crate::oracle::activation::Activation as Exact;
use crate::oracle::binary::{self as exact, Operation};
use crate::oracle::{EPSILON, Expected, select as exact_select};

pub fn activation(net: &mut Network, name: &str) -> bool {
    let twins: Vec<Twin> = ELEMENTWISE
        .iter()
        .chain(ALONE.iter())
        .copied()
        .filter(|twin| twin.ours.name() == name)
        .collect();
    let twin = *net.random.pick(&twins);
    let oracle = move |x: &[&Expected]| {
        if let Some(Exact::Other(function)) = twin.exact {
            let x = x[0];
            let own = Expected {
                value: x.value.mapv(|x| function.value(x)),
                bound: x.value.mapv(|x| function.rounding(x)),
            };
            let spread = Zip::from(&x.value)
                .and(&x.bound)
                .map_collect(|&x, &bound| function.reach(x, bound));
            return near(own, &spread);
        }
        let own = twin.apply(Expected::exact(x[0].value.clone()));
        let spread = twin.apply(x[0].clone()).bound - &own.bound;
        near(own, &spread)
    };
    let x = if name == "is_nan" || name == "is_inf" {
        let is_batched = net.is_symbolic;
        let shape = [net.batch, net.random.range(1, 20)];
        net.leaf(&shape, Holds::Special, is_batched)
    } else {
        net.with_axis().0
    };
    if net.layer(&[x], oracle, |g, x| g.activation(x[0], twin.ours)) {
        return true;
    }
    // What is there lies outside of the function's domain, or too near to a jump.
    let (shape, is_batched) = (net.shape(x), net.values[x].is_batched);
    let wide = matches!(name, "log" | "sqrt" | "reciprocal" | "acosh");
    let halves = matches!(name, "floor" | "ceil" | "round" | "half" | "sign" | "logical_not");
    let holds = if wide {
        Holds::Positive
    } else if halves {
        Holds::Halves
    } else {
        Holds::Uniform
    };
    let mut x = net.leaf(&shape, holds, is_batched);
    if name == "acosh" {
        // From 1.25 on.
        let one = |x: &[&Expected]| Expected::exact(x[0].value.mapv(|x| f64::from(x as f32 + 1.0)));
        if !net.layer(&[x], one, |g, x| g.add_scalar(x[0], 1.0)) {
            return false;
        }
        x = net.values.len() - 1;
    }
    net.layer(&[x], oracle, |g, x| g.activation(x[0], twin.ours))
}

const OPERATIONS: [(BinaryOp, Operation); 18] = [
    (BinaryOp::Add, Operation::Add),
    (BinaryOp::Multiply, Operation::Multiply),
    (BinaryOp::Subtract, Operation::Subtract),
    (BinaryOp::Divide, Operation::Divide),
    (BinaryOp::Power, Operation::Power),
    (BinaryOp::Minimum, Operation::Minimum),
    (BinaryOp::Maximum, Operation::Maximum),
    (BinaryOp::PRelu, Operation::PRelu),
    (BinaryOp::Fmod, Operation::Fmod),
    (BinaryOp::Mod, Operation::Mod),
    (BinaryOp::Equal, Operation::Equal),
    (BinaryOp::Greater, Operation::Greater),
    (BinaryOp::GreaterEqual, Operation::GreaterEqual),
    (BinaryOp::Less, Operation::Less),
    (BinaryOp::LessEqual, Operation::LessEqual),
    (BinaryOp::LogicalAnd, Operation::LogicalAnd),
    (BinaryOp::LogicalOr, Operation::LogicalOr),
    (BinaryOp::LogicalXor, Operation::LogicalXor),
];

/// How far a function of two operands, each within a bound, can be from its value; NaN where it can jump.
fn reach_of_two(operation: Operation, [a, b]: [f64; 2], [of_a, of_b]: [f64; 2]) -> f64 {
    use Operation as O;
    if of_a == 0.0 && of_b == 0.0 {
        return 0.0;
    }
    let value = operation.value(a, b);
    // Rising or falling in each operand alone, or linear in each: the farthest value is at a corner.
    let corners = || {
        let corner = |s: f64, t: f64| operation.value(a + s * of_a, b + t * of_b) - value;
        [corner(-1.0, -1.0), corner(-1.0, 1.0), corner(1.0, -1.0), corner(1.0, 1.0)]
            .iter()
            .fold(0.0, |most: f64, corner| most.max(corner.abs()))
    };
    let within = |holds: bool, reach: f64| if holds { reach } else { f64::NAN };
    let is_clear = |x: f64, bound: f64| bound == 0.0 || x.abs() > bound;
    match operation {
        O::Add | O::Subtract | O::Multiply | O::Minimum | O::Maximum => corners(),
        O::Divide => within(b.abs() - of_b > 0.1, corners()),
        O::Power => within(a - of_a > 0.1, corners()),
        O::PRelu => of_a * (b.abs() + of_b).max(1.0) + a.abs() * of_b,
        O::Fmod | O::Mod => f64::NAN,
        O::Equal | O::Greater | O::GreaterEqual | O::Less | O::LessEqual => {
            within((a - b).abs() > of_a + of_b, 0.0)
        }
        O::LogicalAnd | O::LogicalOr | O::LogicalXor => {
            within(is_clear(a, of_a) && is_clear(b, of_b), 0.0)
        }
    }
}

/// A function of two operands that are within bounds.
fn of_two(operation: Operation, left: &Expected, right: &Expected) -> Expected {
    let mut own = exact::binary(operation, &left.value, &right.value);
    let shape = own.value.raw_dim();
    let wide = |array: &ArrayD<f64>| array.broadcast(shape.clone()).unwrap().to_owned();
    let [a, b] = [wide(&left.value), wide(&right.value)];
    if matches!(operation, Operation::Add | Operation::Subtract) {
        // A pass may move it into a layer, where what cancels here is rounded before.
        own.bound += &((a.mapv(f64::abs) + b.mapv(f64::abs)) * EPSILON);
    }
    let mut spread = ArrayD::zeros(shape.clone());
    Zip::from(&mut spread)
        .and(&a)
        .and(&b)
        .and(&wide(&left.bound))
        .and(&wide(&right.bound))
        .for_each(|spread, &a, &b, &of_a, &of_b| {
            *spread = reach_of_two(operation, [a, b], [of_a, of_b]);
        });
    near(own, &spread)
}

/// A shape that broadcasts to another one.
fn narrower(net: &mut Network, shape: &[usize], first: usize) -> (Vec<usize>, bool) {
    let missing = net.random.range(0, shape.len() + 1);
    let mut narrow = shape[missing..].to_vec();
    for length in &mut narrow {
        if net.random.range(0, 4) == 0 {
            *length = 1;
        }
    }
    let is_batched = first == 1 && missing == 0 && narrow[0] == shape[0] && net.coin();
    if first == 1 && missing == 0 && !is_batched {
        narrow[0] = 1;
    }
    (narrow, is_batched)
}

/// Another operand for a value: one of the same shape, or a leaf that broadcasts.
fn partner(net: &mut Network, x: usize, holds: Option<Holds>) -> usize {
    let (shape, is_batched) = (net.shape(x), net.values[x].is_batched);
    let alike = net.pick(|value| value.shape() == shape && value.is_batched == is_batched);
    match (alike, holds) {
        (Some(other), None) if net.random.range(0, 3) > 0 => other,
        _ => {
            let (shape, is_batched) = narrower(net, &shape, usize::from(is_batched));
            net.leaf(&shape, holds.unwrap_or(Holds::Uniform), is_batched)
        }
    }
}

/// A leaf of a value's shape.
fn twin_of(net: &mut Network, x: usize, holds: Holds) -> usize {
    let (shape, is_batched) = (net.shape(x), net.values[x].is_batched);
    net.leaf(&shape, holds, is_batched)
}

pub fn binary(net: &mut Network, name: &str) -> bool {
    let find = |(ours, _): &&(BinaryOp, Operation)| match name {
        "modulo" => *ours == BinaryOp::Mod,
        "binary" => *ours == BinaryOp::PRelu,
        _ => ours.name() == name,
    };
    let (ours, operation) = *OPERATIONS.iter().find(find).unwrap();
    let oracle = move |x: &[&Expected]| of_two(operation, x[0], x[1]);
    let build = move |g: &mut Graph, x: &[longshore::Symbol]| g.binary(ours, x[0], x[1]);
    let x = net.with_axis().0;
    let is_swapped = net.coin();
    let order = move |x: usize, y: usize| if is_swapped { [y, x] } else { [x, y] };
    let y = match operation {
        Operation::Divide | Operation::Mod | Operation::Fmod => {
            partner(net, x, Some(Holds::Positive))
        }
        _ => partner(net, x, None),
    };
    if net.layer(&order(x, y), oracle, build) {
        return true;
    }
    // Exact operands, equal ones and zeros among them, that no jump can be missed with.
    let (one, other) = match operation {
        Operation::Power => (Holds::Positive, Holds::Halves),
        Operation::Fmod | Operation::Mod => (Holds::Uniform, Holds::Positive),
        Operation::Divide => (Holds::Halves, Holds::Positive),
        _ => (Holds::Halves, Holds::Halves),
    };
    let x = twin_of(net, x, one);
    let y = partner(net, x, Some(other));
    net.layer(&[x, y], oracle, build)
}

/// The layer of Keras, whose slopes are a weight.
pub fn p_relu(net: &mut Network, _: &str) -> bool {
    let x = net.with_axis().0;
    let shape = net.shape(x);
    let shared = (shape.len() > 2 && net.coin()).then_some(1);
    let mut lengths = shape[1..].to_vec();
    if shared.is_some() {
        lengths[0] = 1;
    }
    let slopes = net.random.uniform(&lengths);
    let exact = Expected::exact(widen(&slopes));
    let oracle = move |x: &[&Expected]| of_two(Operation::PRelu, x[0], &exact);
    net.layer(&[x], oracle, |g, x| {
        g.p_relu(x[0], PRelu::new().shared_axes(shared), HostArray::from(slopes))
    })
}

pub fn several(net: &mut Network, name: &str) -> bool {
    let x = net.with_axis().0;
    let mut operands = vec![x];
    for _ in 0..net.random.range(1, 4) {
        operands.push(partner(net, x, None));
    }
    let operation = match name {
        "sum" | "mean" => Operation::Add,
        "max" => Operation::Maximum,
        _ => Operation::Minimum,
    };
    let is_mean = name == "mean";
    let oracle = move |x: &[&Expected]| {
        let mut result = x[0].clone();
        for other in &x[1..] {
            result = of_two(operation, &result, other);
        }
        if is_mean {
            let count = x.len() as f64;
            let own = result.value.mapv(|sum| EPSILON * 2.0 * (sum / count).abs());
            let value = result.value / count;
            result = near(Expected { value, bound: own }, &(result.bound / count));
        }
        result
    };
    let name = name.to_owned();
    net.layer(&operands, oracle, move |g, x| match name.as_str() {
        "sum" => g.sum(x),
        "mean" => g.mean(x),
        "max" => g.max(x),
        _ => g.min(x),
    })
}

pub fn select(net: &mut Network, _: &str) -> bool {
    let x = net.with_axis().0;
    let y = partner(net, x, None);
    let is_sure = |value: &super::Value| {
        let expected = &value.expected;
        let clear = |(x, bound): (&f64, &f64)| *bound == 0.0 || x.abs() > *bound;
        expected.value.iter().zip(&expected.bound).all(clear)
    };
    let (shape, is_batched) = (net.shape(x), net.values[x].is_batched);
    let fits = |value: &super::Value| {
        value.shape() == shape && value.is_batched == is_batched && is_sure(value)
    };
    let found = net.pick(fits).filter(|_| net.random.range(0, 3) == 0);
    let condition = found.unwrap_or_else(|| partner(net, x, Some(Holds::Halves)));
    let oracle = |x: &[&Expected]| Expected {
        value: exact_select::select(&x[0].value, &x[1].value, &x[2].value).value,
        bound: exact_select::select(&x[0].value, &x[1].bound, &x[2].bound).value,
    };
    let operands = if net.coin() { [condition, x, y] } else { [condition, y, x] };
    net.layer(&operands, oracle, |g, x| g.select(x[0], x[1], x[2]))
}

/// A scale or a shift by a constant, for each channel as often as not: what layers before and behind can take in.
pub fn constant(net: &mut Network, _: &str) -> bool {
    const BEHIND: [&str; 4] = ["conv2d", "conv2d_transpose", "dense", "depthwise_conv2d"];
    let found = net.behind(&BEHIND, |value| value.shape().len() > value.first());
    let x = found.unwrap_or_else(|| net.with_axis().0);
    let all = net.shape(x);
    let (mut shape, _) = narrower(net, &all, 1);
    if net.coin() {
        shape = all[all.len() - 1..].to_vec();
    }
    if shape.len() == all.len() {
        shape[0] = 1;
    }
    let (ours, operation) = OPERATIONS[net.random.range(0, 4)];
    let away = if operation == Operation::Divide { 1.75 } else { 0.0 };
    let array = net.random.uniform(&shape) + away;
    let y = net.constant(array);
    let is_left = operation != Operation::Divide && net.coin();
    let operands = if is_left { [y, x] } else { [x, y] };
    let oracle = move |x: &[&Expected]| of_two(operation, x[0], x[1]);
    net.layer(&operands, oracle, |g, x| g.binary(ours, x[0], x[1]))
}
