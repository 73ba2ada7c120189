//! Kernels of the user's own: threads and parameters for given shapes.

use super::{Binding, Kernel, Launch, count, fold_groups};
use crate::error::{Error, Result};
use crate::own::{Bound, HostCall, HostView, Loops};
use crate::shape::element_count;

/// What to compute.
#[derive(Clone, Debug, PartialEq)]
pub struct Geometry {
    /// The kernel, with the values of its parameters.
    pub call: Bound,
    /// The operands' shapes, in the order of the kernel's inputs.
    pub operands: Vec<Vec<usize>>,
    /// The result's shape.
    pub result: Vec<usize>,
}

impl Geometry {
    /// Returns how plans print the kernel: `own/NAME`.
    #[must_use]
    pub fn label(&self) -> String {
        format!("own/{}", self.call.kernel().name())
    }

    /// Returns what the source binds, with the numbers of the bindings; inputs in their order.
    #[must_use]
    pub fn bindings(&self) -> Vec<(u32, Binding)> {
        let interface = self.call.kernel().interface();
        let params = interface.params.iter().map(|params| (params.binding, Binding::Params));
        let inputs = interface.inputs.iter().map(|input| (input.binding, Binding::Read));
        let output = [(interface.output.binding, Binding::Write)];
        params.chain(inputs).chain(output).collect()
    }

    /// Checks that the host can compute it, before anything is run.
    ///
    /// # Errors
    ///
    /// [`Error::Unsupported`] for a kernel without a twin in Rust.
    pub fn check_host(&self, node: &str) -> Result<()> {
        self.call.check_host(node)
    }

    /// Counts the iterations of one thread's loops, as far as they are known.
    ///
    /// # Errors
    ///
    /// As [`launch`], and what compiling reports.
    pub fn loops(&self, node: &str, workgroups: [u32; 3]) -> Result<Loops> {
        self.call.loops(node, &self.operands, &self.result, workgroups)
    }

    /// Computes the result on the host, by the kernel's twin.
    ///
    /// `operands` are the elements in C order, in the order of the kernel's inputs.
    ///
    /// # Errors
    ///
    /// As [`Geometry::check_host`], and [`Error::Operand`] when the slices do not have the
    /// sizes of the geometry.
    pub fn run_on_host(&self, node: &str, operands: &[&[f32]], result: &mut [f32]) -> Result<()> {
        let shapes = self.operands.iter().chain([&self.result]);
        let given = operands.iter().map(|operand| operand.len()).chain([result.len()]);
        let lengths = shapes.map(|shape| element_count(node, shape)).collect::<Result<Vec<_>>>()?;
        let given: Vec<u64> = given.map(|length| length as u64).collect();
        if given != lengths {
            return Err(Error::Operand {
                node: node.to_owned(),
                operand: "operands and result".to_owned(),
                got: format!("have {given:?} numbers"),
                expected: format!("the geometry has {lengths:?}"),
                shapes: format!("operands {:?}, result {:?}", self.operands, self.result),
                remedy: "bring slices of these sizes".to_owned(),
            });
        }
        let params = self.call.params(node, &self.operands, &self.result)?;
        let views: Vec<HostView<'_>> = self
            .operands
            .iter()
            .zip(operands)
            .map(|(shape, values)| HostView { shape, values })
            .collect();
        let params = self.call.read(&params);
        let call = HostCall { operands: &views, shape: &self.result, params };
        self.call.run_on_host(node, &call, result)
    }
}

/// Makes the dispatch for a geometry.
///
/// # Errors
///
/// [`Error::Operand`] for shapes that the source does not take, or a rule that gives no
/// threads; [`Error::Limit`] when a size exceeds what the device can number.
pub fn launch(
    node: &str,
    geometry: &Geometry,
    max_workgroups_per_dimension: u32,
) -> Result<Launch> {
    let Geometry { call, operands, result } = geometry;
    let interface = call.kernel().interface();
    let names = interface.inputs.iter().map(|input| input.name.as_str());
    for (name, shape) in names.zip(operands).chain([(interface.output.name.as_str(), result)]) {
        count(node, &format!("\"{name}\""), shape)?;
    }
    let params = call.params(node, operands, result)?;
    let workgroups = if let Some(threads) = call.kernel().threads_for(result) {
        grid(node, geometry, threads, max_workgroups_per_dimension)?
    } else {
        let elements = element_count(node, result)? / u64::from(interface.output.lanes);
        fold_groups(node, elements, interface.invocations(), max_workgroups_per_dimension)?
    };
    Ok(Launch {
        kernel: Kernel { stem: "own", entry: "own" },
        params,
        table: Vec::new(),
        workgroups,
    })
}

/// Divides the threads that the user's rule gives by the workgroup's size.
fn grid(node: &str, geometry: &Geometry, threads: [usize; 3], most: u32) -> Result<[u32; 3]> {
    if threads.contains(&0) {
        return Err(Error::Operand {
            node: node.to_owned(),
            operand: "the thread rule".to_owned(),
            got: format!("gives {threads:?}"),
            expected: "a dispatch needs at least 1 thread in x, y and z".to_owned(),
            shapes: format!("result {:?}", geometry.result),
            remedy: "correct the rule".to_owned(),
        });
    }
    let mut groups = [0; 3];
    let sizes = geometry.call.kernel().interface().workgroup_size;
    for ((to, threads), size) in groups.iter_mut().zip(threads).zip(sizes) {
        let needed = (threads as u64).div_ceil(u64::from(size.max(1)));
        match u32::try_from(needed) {
            Ok(count) if count <= most => *to = count,
            _ => {
                return Err(Error::Limit {
                    node: node.to_owned(),
                    tensor: "the dispatch".to_owned(),
                    needed,
                    unit: "workgroups along one dimension",
                    limit_name: "max_compute_workgroups_per_dimension".to_owned(),
                    limit: Some(most.into()),
                    remedy: "spread the threads over x, y and z, or run a smaller batch".to_owned(),
                });
            }
        }
    }
    Ok(groups)
}
