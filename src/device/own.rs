//! Own kernels directly on tensors: a graph of one node, prepared and run.

use super::{Runtime, Session, Tensor};
use crate::error::Result;
use crate::graph::{Graph, Symbol};
use crate::own::{OwnCall, OwnKernel};

impl Runtime {
    /// Makes a kernel of the user's own ready for operands of these shapes.
    ///
    /// The session takes the operands by the names of the source's inputs, and gives the
    /// result under the name of its output. The parameter block crosses now, if the kernel
    /// has parameters; runs move nothing. Tensors are bound whole, so `per_item` means nothing
    /// here.
    ///
    /// # Errors
    ///
    /// As [`Graph::own`], [`Graph::plan_within`] and [`Runtime::prepare`]; the device's own
    /// complaints about the source are [`Error::Device`](crate::Error::Device).
    pub fn prepare_kernel<'a>(
        &self,
        kernel: &OwnKernel,
        operands: impl IntoIterator<Item = (&'a str, &'a [usize])>,
        call: &OwnCall,
    ) -> Result<Session> {
        let mut graph = Graph::new();
        let symbols: Vec<(&str, Symbol)> = operands
            .into_iter()
            .map(|(name, shape)| (name, graph.input(name, shape.iter().copied())))
            .collect();
        let result = graph.own(kernel, symbols, call)?;
        graph.output(kernel.interface().output.name.clone(), result);
        self.prepare(&graph.plan_within(1, self.limits())?)
    }

    /// Runs a kernel of the user's own once over tensors and returns its output, on the device.
    ///
    /// Prepares anew each time: the parameter block crosses, if the kernel has parameters, and
    /// the output is a new buffer. For several runs keep the session of
    /// [`Runtime::prepare_kernel`]. The source is compiled once for each runtime.
    ///
    /// # Errors
    ///
    /// As [`Runtime::prepare_kernel`] and [`Session::run`].
    pub fn run_kernel<'a>(
        &self,
        kernel: &OwnKernel,
        operands: impl IntoIterator<Item = (&'a str, &'a Tensor)>,
        call: &OwnCall,
    ) -> Result<Tensor> {
        let operands: Vec<(&str, &Tensor)> = operands.into_iter().collect();
        let shapes = operands.iter().map(|(name, tensor)| (*name, tensor.shape()));
        let session = self.prepare_kernel(kernel, shapes, call)?;
        let run = session.run(operands.iter().copied())?;
        run.output(&kernel.interface().output.name).cloned()
    }
}
