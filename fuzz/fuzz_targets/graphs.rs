//! What the targets for graphs share: a graph is printed and planned, and run where it is tiny.

use std::sync::OnceLock;

use longshore::{Graph, HostArray, Passes, Plan, PlanOptions, Result, Runtime, Tensor};
use ndarray::{ArrayD, IxDyn};

/// What is run: so little that even a product of everything with everything is quick.
const MOST_BYTES: u64 = 16 << 10;
const MOST_STEPS: usize = 64;

/// Plans a graph with and without passes, and runs what is tiny on the host.
pub fn use_it(graph: &Graph) {
    assert_eq!(graph.to_string().is_empty(), graph.nodes().is_empty());
    for passes in [Passes::all(), Passes::none()] {
        let options = PlanOptions::new().passes(passes);
        match graph.plan_with(1, options) {
            Ok(plan) => {
                assert!(!plan.to_string().is_empty());
                let bytes = plan.device_bytes().expect("planning has checked every size");
                if bytes <= MOST_BYTES && plan.steps().len() <= MOST_STEPS {
                    // What the host refuses (weights that are not finite) is an error too.
                    let _ = run(&plan);
                }
            }
            Err(error) => assert!(!error.to_string().is_empty()),
        }
    }
}

fn run(plan: &Plan) -> Result<()> {
    static RUNTIME: OnceLock<Runtime> = OnceLock::new();
    let runtime = RUNTIME.get_or_init(Runtime::host);
    let session = runtime.prepare(plan)?;
    let mut tensors: Vec<(&str, Tensor)> = Vec::new();
    for port in plan.inputs() {
        let elements = if port.shape.contains(&0) { 0 } else { port.shape.iter().product() };
        // Lengths beside a 0 that no array can have cannot be brought.
        let halves = ArrayD::from_shape_vec(IxDyn(&port.shape), vec![0.5_f32; elements]);
        let Ok(halves) = halves else { return Ok(()) };
        tensors.push((&port.name, runtime.stage(port.name.as_str(), HostArray::from(halves))?));
    }
    let run = session.run(tensors.iter().map(|(name, tensor)| (*name, tensor)))?;
    for (name, tensor) in run.outputs() {
        let read = tensor.read()?;
        assert!(plan.outputs().iter().any(|port| port.name == name && port.shape == read.shape()));
    }
    Ok(())
}
