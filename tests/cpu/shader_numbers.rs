//! The numbers by which kernels are told a function: the Rust side's are the shaders'.

use std::collections::BTreeMap;

use longshore::UnaryOp;
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
fn functions_have_numbers_of_their_own_that_shaders_know_by_name() {
    let unary = UnaryOp::all().map(|function| {
        let (number, ..) = code("a", function).expect("constants that it is defined with");
        (function.name(), number, function.is_fusable())
    });
    let binary =
        BinaryOp::ALL.iter().map(|it| (it.name(), binary::code(*it), it.is_fusable())).collect();
    for (shader, functions) in [(&activation::SHADER, unary.collect()), (&binary::SHADER, binary)] {
        let functions: Vec<(&str, u32, bool)> = functions;
        assert!(functions.len() >= 18);
        let numbers = numbers(shader);
        let mut used = BTreeMap::new();
        for (name, number, is_fusable) in functions {
            assert_eq!(numbers.get(name), Some(&number), "{name}");
            // The common kernels have what is below; above are the bits of epilogues.
            assert_eq!(number < 512, is_fusable, "{name}");
            assert!(number < 1024, "{name}");
            assert_eq!(*used.entry(number).or_insert(name), name, "{number}");
        }
    }
}

/// Whether some work is compiled with the common functions alone.
fn is_common(work: &Work) -> bool {
    Functions::of(work) == Functions::Common
}

#[test]
fn kernels_have_the_functions_that_their_stages_need() {
    use BinaryOp as B;
    use UnaryOp as A;
    let alone = |function: A| {
        Work::Activation(activation::Geometry { shape: vec![4], epilogue: function.into() })
    };
    let clip = A::Clip { min: 0.0, max: 1.0 };
    for common in [A::Linear, A::Relu, clip, A::LeakyRelu(0.2), affine()] {
        assert!(is_common(&alone(common)), "{common:?}");
    }
    for other in [A::Abs, A::Negative, A::HardSilu, A::Sigmoid, A::Mish, A::Log, A::IsNan] {
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

fn affine() -> UnaryOp {
    UnaryOp::Affine { scale: 2.0, offset: 3.0 }
}
