//! The numbers by which kernels are told a function: the Rust side's are the shaders'.

use std::collections::{BTreeMap, BTreeSet};

use longshore::Activation;
use longshore::internals::kernels::activation::code;
use longshore::internals::kernels::epilogue::Functions;
use longshore::internals::kernels::{Shader, Work, activation, binary, copy};
use longshore::ops::{BinaryOp, Epilogue, Stage};
use naga::Literal;

use crate::shaders::validated;

/// The whole-number constants of a family's shader, by their names in lower case.
fn numbers(shader: &Shader) -> BTreeMap<String, u32> {
    let (module, _) = validated(shader);
    let constants = module.constants.iter();
    constants
        .filter_map(|(_, constant)| match module.global_expressions[constant.init] {
            naga::Expression::Literal(Literal::U32(number)) => {
                Some((constant.name.clone()?.to_lowercase(), number))
            }
            _ => None,
        })
        .collect()
}

#[test]
fn activations_have_the_numbers_of_the_rust_side() {
    use Activation as A;
    #[rustfmt::skip]
    let all = [
        A::Linear, A::Relu, A::Relu6, A::LeakyRelu(0.2), A::Elu(1.0), A::Selu, A::Sigmoid, A::HardSigmoid, A::Tanh,
        A::Softplus, A::Softsign, A::Silu, A::HardSilu, A::Gelu, A::GeluTanh, A::Exponential, A::Mish,
        A::Affine { scale: 2.0, offset: 3.0 }, A::Clip { min: 0.0, max: 1.0 }, A::Celu(1.0),
        A::SeluWith { alpha: 1.0, gamma: 2.0 }, A::HardSigmoidWith { alpha: 0.2, beta: 0.5 }, A::Swish(1.0),
        A::ThresholdedRelu(1.0), A::Abs, A::Negative, A::Sqrt, A::Reciprocal, A::Floor, A::Ceil, A::Round, A::Sign,
        A::LogicalNot, A::Log, A::Erf, A::Sin, A::Cos, A::Tan, A::Asin, A::Acos, A::Atan, A::Sinh, A::Cosh, A::Asinh,
        A::Acosh, A::Atanh, A::IsNan, A::IsInf { positive: true, negative: true },
    ];
    let numbers = numbers(&activation::SHADER);
    let mut used = BTreeSet::new();
    for activation in all {
        let (number, ..) = code("a", activation).expect("an element-wise activation");
        // Some are others with constants of their own.
        let name = match activation.name() {
            "relu6" => "clip",
            "selu" => "elu",
            "silu" => "swish",
            name => name,
        };
        assert_eq!(numbers.get(name), Some(&number), "{activation:?}");
        used.insert(number);
        // The common kernels have what is below; above are the bits of epilogues.
        assert_eq!(number < 512, activation.is_fusable(), "{activation:?}");
        assert!(number < 1024, "{activation:?}");
    }
    assert_eq!(used.len(), all.len() - 5);
    assert!(code("a", Activation::Softmax).is_err());
}

#[test]
fn functions_of_two_operands_have_the_numbers_of_the_rust_side() {
    use BinaryOp as B;
    #[rustfmt::skip]
    let all = [
        B::Add, B::Multiply, B::Subtract, B::Divide, B::Power, B::Minimum, B::Maximum, B::PRelu, B::Fmod, B::Mod,
        B::Equal, B::Greater, B::GreaterEqual, B::Less, B::LessEqual, B::LogicalAnd, B::LogicalOr, B::LogicalXor,
    ];
    let numbers = numbers(&binary::SHADER);
    let mut used = BTreeSet::new();
    for operation in all {
        let number = binary::code(operation);
        assert_eq!(numbers.get(operation.name()), Some(&number), "{operation:?}");
        assert_eq!(number < 512, operation.is_fusable(), "{operation:?}");
        assert!(used.insert(number) && number < 1024, "{operation:?}");
    }
}

/// Whether some work is compiled with the common functions alone.
fn is_common(work: &Work) -> bool {
    Functions::of(work) == Functions::Common
}

#[test]
fn kernels_have_the_functions_that_their_stages_need() {
    use Activation as A;
    use BinaryOp as B;
    let alone = |activation: A| {
        Work::Activation(activation::Geometry { shape: vec![4], epilogue: activation.into() })
    };
    let clip = A::Clip { min: 0.0, max: 1.0 };
    for common in [A::Linear, A::Relu, A::Relu6, clip, A::LeakyRelu(0.2), affine()] {
        assert!(is_common(&alone(common)), "{common:?}");
    }
    for other in [A::Abs, A::Negative, A::HardSigmoid, A::Sigmoid, A::Mish, A::Log, A::IsNan] {
        assert!(!is_common(&alone(other)), "{other:?}");
    }
    let binary = |operation, stages: &[Stage]| {
        let epilogue = Epilogue { stages: stages.to_vec(), period: 4 };
        Work::Binary(binary::Geometry { left: vec![4], right: vec![4], operation, epilogue })
    };
    let stage = |operation| Stage::Binary { operation, swapped: false };
    for common in [B::Add, B::Multiply, B::Subtract, B::Divide] {
        assert!(is_common(&binary(common, &[])), "{common:?}");
        assert!(is_common(&binary(B::Add, &[Stage::Unary(A::Relu), stage(common)])), "{common:?}");
    }
    for other in [B::Minimum, B::Maximum, B::PRelu, B::Equal, B::LogicalXor, B::Power, B::Mod] {
        assert!(!is_common(&binary(other, &[])), "{other:?}");
        assert!(!is_common(&binary(B::Add, &[Stage::Unary(A::Relu), stage(other)])), "{other:?}");
    }
    assert!(!is_common(&binary(B::Add, &[Stage::Unary(A::Relu), Stage::Unary(A::Tanh)])));
    // What has no stages has no functions that could be too many.
    let copy = copy::Geometry { axes: Vec::new(), base: 0, out_base: 0 };
    assert!(is_common(&Work::Copy(copy)));
}

fn affine() -> Activation {
    Activation::Affine { scale: 2.0, offset: 3.0 }
}
