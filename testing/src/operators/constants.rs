//! Constants that are not finite: infinity is the graph's own, NaN falls under the policy.

use longshore::passes::Passes;
use longshore::{Error, Graph, HostArray, PlanOptions, StagePolicy};
use ndarray::{ArrayD, IxDyn};

use crate::executor::Executor;

const INFINITY: f32 = f32::INFINITY;

fn row(values: &[f32]) -> ArrayD<f32> {
    ArrayD::from_shape_vec(IxDyn(&[values.len()]), values.to_vec()).unwrap()
}

/// Masks, open ends of clips and sums, as attention and spectrograms have them.
fn network() -> Graph {
    let mut g = Graph::new();
    let x = g.input("x", [4]);
    let constant = |g: &mut Graph, name: &str, values: &[f32]| {
        g.constant(name, HostArray::from(row(values))).unwrap()
    };
    let zero = constant(&mut g, "zero", &[0.0]);
    let lowest = constant(&mut g, "lowest", &[-INFINITY]);
    let highest = constant(&mut g, "highest", &[INFINITY]);
    let mask = constant(&mut g, "mask", &[0.0, -INFINITY, 0.0, -INFINITY]);
    let is_larger = g.greater(x, zero).unwrap();
    let masked = g.select(is_larger, x, lowest).unwrap();
    g.output("masked", masked);
    let softmax = g.softmax(masked, -1).unwrap();
    g.output("softmax", softmax);
    let clipped = g.maximum(x, zero).unwrap();
    let clipped = g.minimum(clipped, highest).unwrap();
    g.output("clipped", clipped);
    let added = g.add(x, mask).unwrap();
    g.output("added", added);
    // A constant of constants, which planning may compute.
    let negative = g.negative(mask).unwrap();
    let raised = g.maximum(x, negative).unwrap();
    g.output("raised", raised);
    g
}

pub fn infinity_in_constants_is_kept_under_every_policy(on: &dyn Executor) {
    let (g, rt) = (network(), on.runtime());
    let half = 1.0 / (1.0 + f32::exp(1.0));
    let replace = StagePolicy::new().replace_non_finite(5.0).replace_overflow(5.0);
    for policy in [StagePolicy::new(), StagePolicy::new().allow_non_finite(), replace] {
        for passes in [Passes::all(), Passes::none()] {
            let plan = g.plan_with(1, PlanOptions::new().passes(passes)).unwrap();
            let session = rt.prepare_with(&plan, policy).unwrap();
            let x = on.stage("x", &row(&[1.0, -1.0, 2.0, -2.0]));
            let run = session.run([("x", &x)]).unwrap();
            let found = |name: &str| run[name].read().unwrap().into_raw_vec_and_offset().0;
            assert_eq!(found("masked"), [1.0, -INFINITY, 2.0, -INFINITY]);
            assert_eq!(found("clipped"), [1.0, 0.0, 2.0, 0.0]);
            assert_eq!(found("added"), [1.0, -INFINITY, 2.0, -INFINITY]);
            assert_eq!(found("raised"), [1.0, INFINITY, 2.0, INFINITY]);
            let softmax = found("softmax");
            for (found, expected) in softmax.iter().zip([half, 0.0, 1.0 - half, 0.0]) {
                assert!((found - expected).abs() <= 1e-6, "{softmax:?}");
            }
        }
    }
}

pub fn nan_in_constants_falls_under_the_policy(on: &dyn Executor) {
    let mut g = Graph::new();
    let x = g.input("x", [3]);
    let values = HostArray::from(row(&[f32::NAN, INFINITY, 2.0]));
    let shift = g.constant("shift", values).unwrap();
    let y = g.add(x, shift).unwrap();
    g.output("y", y);
    let (plan, rt) = (g.plan(1).unwrap(), on.runtime());
    let error = rt.prepare(&plan).unwrap_err();
    let counted = matches!(error, Error::NonFinite { nan_count: 1, infinite_count: 1, .. });
    assert!(counted, "{error}");
    assert!(error.to_string().contains("the first is NaN at [0]"), "{error}");
    let found = |policy: StagePolicy| {
        let session = rt.prepare_with(&plan, policy).unwrap();
        let x = on.stage("x", &row(&[1.0, 1.0, 1.0]));
        session.run([("x", &x)]).unwrap()["y"].read().unwrap().into_raw_vec_and_offset().0
    };
    assert_eq!(found(StagePolicy::new().replace_non_finite(5.0)), [6.0, INFINITY, 3.0]);
    let allowed = found(StagePolicy::new().allow_non_finite());
    assert!(allowed[0].is_nan() && allowed[1..] == [INFINITY, 3.0], "{allowed:?}");
    // Data keeps its rule.
    let data = HostArray::from(row(&[INFINITY]));
    assert!(matches!(rt.stage("x", &data), Err(Error::NonFinite { .. })));
}

pub fn an_overflow_in_constants_is_refused_or_infinite(on: &dyn Executor) {
    let mut g = Graph::new();
    let x = g.input("x", [1]);
    let lowest = ArrayD::from_elem(IxDyn(&[1]), f64::MIN);
    let lowest = g.constant("lowest", HostArray::from(lowest)).unwrap();
    let y = g.add(x, lowest).unwrap();
    g.output("y", y);
    let (plan, rt) = (g.plan(1).unwrap(), on.runtime());
    assert!(matches!(rt.prepare(&plan), Err(Error::Overflow { count: 1, .. })));
    // What is put in the place of data would be a number that the graph does not have.
    for policy in [StagePolicy::new().allow_overflow(), StagePolicy::new().replace_overflow(5.0)] {
        let session = rt.prepare_with(&plan, policy).unwrap();
        let x = on.stage("x", &row(&[1.0]));
        let run = session.run([("x", &x)]).unwrap();
        assert_eq!(run["y"].read().unwrap(), row(&[-INFINITY]));
    }
}
