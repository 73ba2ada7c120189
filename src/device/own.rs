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
    /// here. On the host executor the kernel's twin in Rust runs.
    ///
    /// # Errors
    ///
    /// As [`Graph::own`], [`Graph::plan_within`] and [`Runtime::prepare`]; the device's own
    /// complaints about the source are [`Error::Device`](crate::Error::Device). On the host
    /// executor a kernel without a twin is [`Error::Unsupported`](crate::Error::Unsupported).
    #[track_caller]
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
    #[track_caller]
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

#[cfg(test)]
mod tests {
    use super::*;
    use crate::{Error, HostArray};
    use ndarray::ArrayD;

    const NEGATE: &str = "
        @group(0) @binding(3) var<storage, read> x: array<f32>;
        @group(0) @binding(1) var<storage, read_write> y: array<f32>;
        @compute @workgroup_size(64)
        fn negate(@builtin(global_invocation_id) id: vec3<u32>) {
            if id.x < arrayLength(&y) { y[id.x] = -x[id.x]; }
        }";

    fn kernel(name: &str, source: &str) -> OwnKernel {
        OwnKernel::new(name, source).unwrap().shape(|inputs| Ok(inputs[0].clone()))
    }

    fn runtime(limits: wgpu::Limits) -> Runtime {
        let descriptor = wgpu::DeviceDescriptor { required_limits: limits, ..Default::default() };
        let (device, queue) = wgpu::Device::noop(&descriptor);
        Runtime::from_wgpu(device, queue)
    }

    fn run(rt: &Runtime, kernel: &OwnKernel) -> Result<Tensor> {
        let array = ArrayD::<f32>::zeros(vec![2, 3]);
        let x = rt.stage("x", HostArray::from_view(&array)).unwrap();
        rt.run_kernel(kernel, [("x", &x)], &OwnCall::new())
    }

    #[test]
    fn equal_sources_are_compiled_once_whatever_their_names_and_rules() {
        let rt = runtime(wgpu::Limits::default());
        let compiled = || rt.inner.gpu("counting").unwrap().pipelines.len();
        let one = kernel("one", NEGATE);
        let y = run(&rt, &one).unwrap();
        assert_eq!((y.label(), y.shape()), ("y", &[2, 3][..]));
        run(&rt, &one).unwrap();
        run(&rt, &kernel("two", NEGATE).per_item()).unwrap();
        assert_eq!(compiled(), 1);
        run(&rt, &kernel("one", &NEGATE.replace("-x", "2.0 * x"))).unwrap();
        assert_eq!(compiled(), 2);
        let both = NEGATE.replace("@compute", "@compute @workgroup_size(1) fn f() {} @compute");
        let second = OwnKernel::with_entry("one", both.as_str(), "negate").unwrap();
        run(&rt, &second.shape(|inputs| Ok(inputs[0].clone()))).unwrap();
        assert_eq!(compiled(), 3);
    }

    #[test]
    fn what_the_device_refuses_is_an_error_and_the_runtime_goes_on() {
        let small =
            wgpu::Limits { max_compute_invocations_per_workgroup: 32, ..wgpu::Limits::default() };
        let rt = runtime(small);
        let error = run(&rt, &kernel("large", NEGATE)).unwrap_err();
        assert!(matches!(error, Error::Device { .. }), "{error}");
        assert!(error.to_string().starts_with("compiling kernel own/large: the device refused"));
        assert_eq!(rt.inner.gpu("counting").unwrap().pipelines.len(), 0);
        run(&rt, &kernel("small", &NEGATE.replace("(64)", "(32)"))).unwrap();
    }

    #[test]
    fn the_deepest_source_does_not_overflow_the_stack_of_the_caller() {
        let deep = format!("y[id.x] = {}x[id.x]", "sin(x[0]) + ".repeat(150));
        let rt = runtime(wgpu::Limits::default());
        let long = format!("y[id.x] = x[0]{}", "+2f".repeat(950));
        for statement in [deep, long] {
            run(&rt, &kernel("deep", &NEGATE.replace("y[id.x] = -x[id.x]", &statement))).unwrap();
        }
    }
}
