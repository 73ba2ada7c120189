//! Whole numbers and half precision of imported networks, beside NumPy's in the model's own types.

use longshore::StagePolicy;
use longshore::import::onnx::OnnxModel;

use super::conformance::{arrays, run};
use crate::conformance::load_from;
use crate::executor::Executor;

pub fn imported_networks_give_the_numbers_of_their_types(on: &dyn Executor) {
    let (mut failures, cases) = (Vec::new(), load_from("whole_numbers"));
    assert_eq!(cases.len(), 216, "cases");
    let policy = StagePolicy::default().allow_non_finite();
    for case in &cases {
        let model = OnnxModel::from_bytes(&case.name, &case.model).unwrap();
        let (inputs, outputs) = (arrays(&case.inputs), arrays(&case.outputs));
        let found = match run(on, &model, &inputs, policy) {
            Ok(found) => found,
            Err(error) => {
                failures.push(format!("{}: {error}", case.name));
                continue;
            }
        };
        for (name, expected) in outputs {
            let (expected, actual) = (expected.to_f64(), &found[&name]);
            assert_eq!(expected.shape(), actual.shape(), "{}", case.name);
            let is_same = |(a, b): (&f64, &f32)| *a == f64::from(*b) || a.is_nan() && b.is_nan();
            if let Some(at) = expected.iter().zip(actual).position(|pair| !is_same(pair)) {
                let [a, b] =
                    [expected.iter().nth(at).copied(), actual.iter().nth(at).map(|&b| b.into())];
                failures.push(format!("{}: {name} {at} is {b:?}, not {a:?}", case.name));
            }
        }
    }
    assert!(failures.is_empty(), "{}", failures.join("\n"));
}
