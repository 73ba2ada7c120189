//! The element-wise operators: which node a call adds, its shape, and every refusal word for word.

use longshore::internals::kernels::{Work, activation, binary, dense};
use longshore::ops::{BinaryOp, Epilogue, Op, Stage};
use longshore::{Activation, Dense, Dim, Error, Graph, HostArray, PRelu, Symbol, UnaryOp};
use ndarray::ArrayD;

use crate::graph::kernel;
use crate::graph_errors::{limit, operand, start};

fn last(g: &Graph) -> &Op {
    g.nodes().last().unwrap().op()
}

#[test]
fn methods_of_one_operand_add_their_function() {
    use Activation as A;
    type Call = fn(&mut Graph, Symbol) -> longshore::Result<Symbol>;
    let calls: [(Call, Activation); 45] = [
        (|g, x| g.abs(x), A::Abs),
        (|g, x| g.negative(x), A::Negative),
        (|g, x| g.exp(x), A::Exponential),
        (|g, x| g.log(x), A::Log),
        (|g, x| g.sqrt(x), A::Sqrt),
        (|g, x| g.reciprocal(x), A::Reciprocal),
        (|g, x| g.floor(x), A::Floor),
        (|g, x| g.ceil(x), A::Ceil),
        (|g, x| g.round(x), A::Round),
        (|g, x| g.sign(x), A::Sign),
        (|g, x| g.erf(x), A::Erf),
        (|g, x| g.sin(x), A::Sin),
        (|g, x| g.cos(x), A::Cos),
        (|g, x| g.tan(x), A::Tan),
        (|g, x| g.asin(x), A::Asin),
        (|g, x| g.acos(x), A::Acos),
        (|g, x| g.atan(x), A::Atan),
        (|g, x| g.sinh(x), A::Sinh),
        (|g, x| g.cosh(x), A::Cosh),
        (|g, x| g.asinh(x), A::Asinh),
        (|g, x| g.acosh(x), A::Acosh),
        (|g, x| g.atanh(x), A::Atanh),
        (|g, x| g.tanh(x), A::Tanh),
        (|g, x| g.logical_not(x), A::LogicalNot),
        (|g, x| g.is_nan(x), A::IsNan),
        (|g, x| g.is_inf(x, true, false), A::IsInf { positive: true, negative: false }),
        (|g, x| g.sigmoid(x), A::Sigmoid),
        (|g, x| g.relu(x), A::Relu),
        (|g, x| g.leaky_relu(x, 0.25), A::LeakyRelu(0.25)),
        (|g, x| g.elu(x, 0.5), A::Elu(0.5)),
        (|g, x| g.selu(x), A::Selu),
        (|g, x| g.celu(x, 0.5), A::Celu(0.5)),
        (|g, x| g.thresholded_relu(x, 2.0), A::ThresholdedRelu(2.0)),
        (|g, x| g.hard_sigmoid(x, 0.5, 0.25), A::HardSigmoidWith { alpha: 0.5, beta: 0.25 }),
        (|g, x| g.hard_silu(x), A::HardSilu),
        (|g, x| g.swish(x, 1.5), A::Swish(1.5)),
        (|g, x| g.gelu(x), A::Gelu),
        (|g, x| g.gelu_tanh(x), A::GeluTanh),
        (|g, x| g.mish(x), A::Mish),
        (|g, x| g.softplus(x), A::Softplus),
        (|g, x| g.softsign(x), A::Softsign),
        (|g, x| g.clip(x, -1.0, 2.0), A::Clip { min: -1.0, max: 2.0 }),
        (|g, x| g.affine(x, 2.0, 3.0), A::Affine { scale: 2.0, offset: 3.0 }),
        (|g, x| g.add_scalar(x, 3.0), A::Affine { scale: 1.0, offset: 3.0 }),
        (|g, x| g.multiply_scalar(x, 2.0), A::Affine { scale: 2.0, offset: -0.0 }),
    ];
    for (call, expected) in calls {
        let (mut g, x) = start();
        let y = call(&mut g, x).unwrap();
        assert_eq!(last(&g), &Op::Activation(expected.function().unwrap()));
        assert_eq!(g.nodes().last().unwrap().name(), expected.name());
        assert_eq!(g.shape(y), g.shape(x));
    }
}

#[test]
fn methods_of_two_operands_add_their_function() {
    use BinaryOp as B;
    type Call = fn(&mut Graph, Symbol, Symbol) -> longshore::Result<Symbol>;
    let calls: [(Call, BinaryOp); 17] = [
        (|g, a, b| g.add(a, b), B::Add),
        (|g, a, b| g.multiply(a, b), B::Multiply),
        (|g, a, b| g.subtract(a, b), B::Subtract),
        (|g, a, b| g.divide(a, b), B::Divide),
        (|g, a, b| g.power(a, b), B::Power),
        (|g, a, b| g.minimum(a, b), B::Minimum),
        (|g, a, b| g.maximum(a, b), B::Maximum),
        (|g, a, b| g.fmod(a, b), B::Fmod),
        (|g, a, b| g.modulo(a, b), B::Mod),
        (|g, a, b| g.equal(a, b), B::Equal),
        (|g, a, b| g.greater(a, b), B::Greater),
        (|g, a, b| g.greater_equal(a, b), B::GreaterEqual),
        (|g, a, b| g.less(a, b), B::Less),
        (|g, a, b| g.less_equal(a, b), B::LessEqual),
        (|g, a, b| g.logical_and(a, b), B::LogicalAnd),
        (|g, a, b| g.logical_or(a, b), B::LogicalOr),
        (|g, a, b| g.logical_xor(a, b), B::LogicalXor),
    ];
    for (call, expected) in calls {
        let (mut g, x) = start();
        let r = g.input("r", [4, 1]);
        let y = call(&mut g, r, x).unwrap();
        assert_eq!(last(&g), &Op::Binary(expected));
        assert_eq!(g.nodes().last().unwrap().name(), expected.name());
        assert_eq!(g.shape(y), g.shape(x));
    }
}

#[test]
fn several_operands_become_a_chain() {
    let (mut g, x) = start();
    let (row, column) = (g.input("row", [3]), g.input("column", [4, 1]));
    let before = g.nodes().len();
    assert_eq!(g.sum(&[x]).unwrap(), x);
    assert_eq!(g.mean(&[x]).unwrap(), x);
    assert_eq!(g.nodes().len(), before);
    let y = g.mean(&[row, x, column]).unwrap();
    assert_eq!(g.shape(y), g.shape(x));
    let third = UnaryOp::Affine { scale: 1.0 / 3.0, offset: -0.0 };
    assert_eq!(last(&g), &Op::Activation(third));
    assert_eq!(g.nodes().len(), before + 3);
    let wrong = g.input("wrong", [2]);
    let before = g.nodes().len();
    // What was added before the operand that does not fit is taken back.
    assert!(g.max(&[x, row, wrong]).is_err() && g.mean(&[x, row, wrong]).is_err());
    assert_eq!(g.nodes().len(), before);
    for (kind, result) in
        [("sum", g.sum(&[])), ("max", g.max(&[])), ("min", g.min(&[])), ("mean", g.mean(&[]))]
    {
        operand(
            result,
            &format!(
                "{kind}: the list of operands is empty but at least one is needed\n  \
                 (no operands); give one symbol or more"
            ),
        );
    }
    let mut other = Graph::new();
    let text = "sum: the first operand is a symbol of another graph but a node takes symbols of its own graph\n  \
                (this graph has 0 nodes); build both nodes in one graph";
    operand(other.sum(&[x]), text);
}

#[test]
fn where_broadcasts_all_three() {
    let (mut g, x) = start();
    let (row, column) = (g.input("row", [3]), g.input("column", [5, 1, 1]));
    for order in [[x, row, column], [row, x, column], [row, column, x]] {
        let y = g.select(order[0], order[1], order[2]).unwrap();
        assert_eq!(g.shape(y), g.shape(x));
        assert_eq!(last(&g), &Op::Select);
    }
    let wrong = g.input("wrong", [2]);
    operand(
        g.select(x, wrong, row),
        "where \"where_3\": \"wrong\" has shape [2] but it must broadcast with \"x\" [batch, 5, 4, 3]: aligned at \
         the end, lengths agree or are 1\n  (x [batch, 5, 4, 3], wrong [2], row [3]); reshape one of them",
    );
    operand(
        g.select(row, x, wrong),
        "where \"where_3\": \"wrong\" has shape [2] but it must broadcast with \"row, x\" [batch, 5, 4, 3]: aligned \
         at the end, lengths agree or are 1\n  (row [3], x [batch, 5, 4, 3], wrong [2]); reshape one of them",
    );
    let (deep, one) = (g.input("deep", [1; 7]), g.input("one", [1]));
    operand(
        g.select(one, one, deep),
        "where \"where_3\": the result has 7 dimensions but at most 6 are supported\n  \
         (one [1], one [1], deep [1, 1, 1, 1, 1, 1, 1]); merge dimensions by a reshape",
    );
    let far = g.input("far", [1usize << 40, 1]);
    let wide = g.input("wide", [1usize << 40]);
    limit(
        g.select(one, far, wide),
        "where \"where_3\": shape [1099511627776, 1099511627776] needs more than 2^64 bytes but the largest size is \
         2^64 - 1 bytes; make the shape smaller",
    );
}

#[test]
fn slopes_have_an_items_shape() {
    let slopes = |shape: &[usize]| HostArray::from(ArrayD::<f32>::zeros(shape));
    let (mut g, x) = start();
    let y = g.p_relu(x, PRelu::new().shared_axes([1, 2]).name("p"), slopes(&[1, 1, 3])).unwrap();
    assert_eq!(g.shape(y), g.shape(x));
    assert_eq!(g.nodes().last().unwrap().name(), "p");
    assert!(g.symbol("p/alpha").is_some());
    assert!(g.p_relu(x, PRelu::new(), slopes(&[5, 4, 3])).is_ok());
    let before = g.nodes().len();
    for (layer, shape, expected) in [
        (PRelu::new(), vec![3], "[5, 4, 3]"),
        (PRelu::new().shared_axes([2]), vec![5, 4, 3], "[5, 1, 3]"),
    ] {
        operand(
            g.p_relu(x, layer, slopes(&shape)),
            &format!(
                "p_relu \"p_relu_1\": alpha has shape {shape:?} but one item of \"x\" with its shared axes needs \
                 {expected}\n  (x [batch, 5, 4, 3], alpha {shape:?}); give one slope for each element, and 1 for \
                 a shared axis"
            ),
        );
    }
    for axis in [0, 4] {
        operand(
            g.p_relu(x, PRelu::new().shared_axes([1, axis]), slopes(&[1, 4, 3])),
            &format!(
                "p_relu \"p_relu_1\": shared_axes names axis {axis} but \"x\" has axes 1 to 3 behind the batch\n  \
                 (x [batch, 5, 4, 3], alpha [1, 4, 3]); name some of these"
            ),
        );
    }
    assert!(g.p_relu(x, PRelu::new().name("p"), slopes(&[5, 4, 3])).is_err());
    assert_eq!(g.nodes().len(), before);
}

#[test]
fn constants_that_a_function_is_not_defined_with_are_refused() {
    let (mut g, x) = start();
    let celu = |alpha: &str| format!("celu with alpha {alpha}, which must be positive");
    for (activation, what) in [
        (Activation::Celu(0.0), celu("0")),
        (Activation::Celu(-1.5), celu("-1.5")),
        (Activation::Celu(f32::NAN), celu("NaN")),
        (Activation::Clip { min: f32::NAN, max: 1.0 }, "clip to between NaN and 1".to_owned()),
        (Activation::Clip { min: 0.0, max: f32::NAN }, "clip to between 0 and NaN".to_owned()),
    ] {
        let name = activation.name();
        let text = |node: &str| {
            format!(
                "{node}: a constant asks for {what} but the function is not defined so\n  ({activation:?}); \
                 use constants that the function is defined with"
            )
        };
        operand(g.activation(x, activation), &text(&format!("{name} \"{name}\"")));
        let layer = Dense::new(2).activation(activation);
        operand(g.dense(x, layer, &kernel(&[3, 2])), &text("dense \"dense\""));
        let geometry = activation::Geometry {
            shape: vec![4],
            epilogue: activation.function().unwrap().into(),
        };
        let error = Work::Activation(geometry).launch("node", 9).unwrap_err();
        assert!(matches!(error, Error::Unsupported { .. }) && error.to_string().contains(&what));
    }
    assert!(g.clip(x, f32::NEG_INFINITY, f32::INFINITY).is_ok());
    assert!(g.clip(x, 2.0, 1.0).is_ok());
}

#[test]
fn a_layer_fuses_every_function() {
    let (mut g, x) = start();
    for activation in [Activation::Celu(1.0), Activation::Sin] {
        let layer = Dense::new(2).activation(activation);
        g.dense(x, layer, &kernel(&[3, 2])).unwrap();
        assert_eq!(last(&g), &Op::Dense);
        assert_eq!(g.nodes().last().unwrap().stages().len(), 1);
    }
    let layer = Dense::new(2).activation(Activation::Softmax).name("b");
    g.dense(x, layer, &kernel(&[3, 2])).unwrap();
    assert!(matches!(last(&g), Op::Softmax(_)), "{:?}", last(&g));
    assert_eq!(g.nodes().last().unwrap().name(), "b");
    assert!(g.symbol("b/linear").is_some());
}

#[test]
fn kernels_apply_every_function() {
    let power = Stage::Binary { operation: BinaryOp::Power, swapped: true };
    for stage in UnaryOp::all().map(Stage::Unary).chain([power]) {
        let epilogue = Epilogue { stages: vec![stage], period: 4 };
        let dense = dense::Geometry {
            rows: 2,
            inputs: 3,
            units: 4,
            has_bias: false,
            part: None,
            epilogue: epilogue.clone(),
        };
        let sum = binary::Geometry {
            left: vec![4],
            right: vec![4],
            operation: BinaryOp::Power,
            epilogue,
        };
        for work in [Work::Dense(dense), Work::Binary(sum)] {
            work.launch("node", 9).unwrap();
            assert!(work.functions().contains("fn stage04("), "{stage}");
        }
    }
}

#[test]
fn symbols_of_other_graphs_are_refused() {
    let (_, foreign) = start();
    let mut g = Graph::new();
    let x = g.input("x", [Dim::Batch]);
    let text = |node: &str, name: &str| {
        format!(
            "{node} \"{node}\": {name} is a symbol of another graph but a node takes symbols of its own graph\n  \
             (this graph has 1 nodes); build both nodes in one graph"
        )
    };
    operand(g.erf(foreign), &text("erf", "x"));
    operand(g.power(foreign, x), &text("power", "left"));
    operand(g.power(x, foreign), &text("power", "right"));
    operand(g.select(foreign, x, x), &text("where", "condition"));
    operand(g.select(x, foreign, x), &text("where", "on_true"));
    operand(g.select(x, x, foreign), &text("where", "on_false"));
    let alpha = HostArray::from(ArrayD::<f32>::zeros(vec![0usize; 0]));
    operand(g.p_relu(foreign, PRelu::new(), alpha), &text("p_relu", "x"));
}
