//! One use of a kernel: values for its parameters, operands by name, and their checks.

use super::host::HostCall;
use super::interface::Buffer;
use super::loops::{self, Dispatch, Loops};
use super::params::{self, Params, Value};
use super::{Code, OwnKernel, with_large_stack};
use crate::error::{Error, Result};
use crate::shape::{Dim, Shape, element_count};

/// What one use of a kernel gives: values for its parameters, and a name.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct OwnCall {
    pub(crate) name: Option<String>,
    params: Vec<(String, Value)>,
}

impl OwnCall {
    /// Gives nothing: enough for a kernel without parameters.
    #[must_use]
    pub fn new() -> Self {
        OwnCall::default()
    }

    /// Names the node; without it the kernel's name is used, with a number behind it if taken.
    #[must_use]
    pub fn name(mut self, name: impl Into<String>) -> Self {
        self.name = Some(name.into());
        self
    }

    /// Gives a parameter's value: an `f32`, `i32`, `u32`, or an array of 2 to 4 for a vector.
    ///
    /// Another type than the source declares is refused where the call is used.
    #[must_use]
    pub fn param(mut self, name: impl Into<String>, value: impl Into<Value>) -> Self {
        self.params.push((name.into(), value.into()));
        self
    }
}

/// A kernel with the values of its parameters.
#[derive(Clone, Debug, PartialEq)]
pub struct Bound {
    kernel: OwnKernel,
    params: Vec<u8>,
}

impl Bound {
    /// Checks the values of a call.
    pub(crate) fn new(title: &str, kernel: &OwnKernel, call: &OwnCall) -> Result<Self> {
        let params = params::encode(title, &kernel.code.interface, &call.params)?;
        Ok(Bound { kernel: kernel.clone(), params })
    }

    /// Returns the kernel.
    #[must_use]
    pub fn kernel(&self) -> &OwnKernel {
        &self.kernel
    }

    /// Returns the values that the call gave, by name, in the order of the source.
    pub(crate) fn values(&self) -> Vec<(String, Value)> {
        self.read(&self.params).given()
    }

    /// Returns the parameters' bytes for these shapes, and checks what depends on them.
    ///
    /// # Errors
    ///
    /// [`Error::Operand`] for an array of a length that the source does not take, and for a
    /// shape of another rank than the parameter that takes it.
    pub(crate) fn params(
        &self,
        title: &str,
        operands: &[Vec<usize>],
        result: &[usize],
    ) -> Result<Vec<u8>> {
        check_lengths(title, &self.kernel.code, operands, result)?;
        let mut bytes = self.params.clone();
        params::fill_shapes(title, &self.kernel.code.interface, &mut bytes, operands, result)?;
        Ok(bytes)
    }

    /// Checks that the kernel has a twin in Rust.
    ///
    /// # Errors
    ///
    /// [`Error::Unsupported`] when it has none.
    pub(crate) fn check_host(&self, title: &str) -> Result<()> {
        self.twin(title).map(|_| ())
    }

    /// Computes the result by the kernel's twin.
    ///
    /// # Errors
    ///
    /// As [`Bound::check_host`].
    pub(crate) fn run_on_host(
        &self,
        title: &str,
        call: &HostCall<'_>,
        result: &mut [f32],
    ) -> Result<()> {
        self.twin(title)?(call, result);
        Ok(())
    }

    /// Counts the iterations of one thread's loops, as far as they are known, in a dispatch.
    ///
    /// # Errors
    ///
    /// As [`Bound::params`], and what compiling reports.
    pub(crate) fn loops(
        &self,
        title: &str,
        operands: &[Vec<usize>],
        result: &Vec<usize>,
        workgroups: [u32; 3],
    ) -> Result<Loops> {
        let Code { source, interface } = &**self.kernel.code();
        let params = self.params(title, operands, result)?;
        let buffers = interface.inputs.iter().chain([&interface.output]);
        let length = |(buffer, shape): (&Buffer, &Vec<usize>)| {
            let elements = element_count(title, shape)?;
            Ok((buffer.binding, elements / u64::from(buffer.lanes.max(1))))
        };
        let lengths = buffers.zip(operands.iter().chain([result])).map(length);
        let dispatch = Dispatch {
            params: &params,
            lengths: lengths.collect::<Result<_>>()?,
            workgroups,
            workgroup_size: interface.workgroup_size,
        };
        let kernel = self.kernel.title();
        with_large_stack(&kernel, || loops::count(&kernel, source, &interface.entry, &dispatch))
    }

    fn twin(&self, title: &str) -> Result<&super::HostTwin> {
        let twin = self.kernel.rules.host.as_deref();
        twin.ok_or_else(|| Error::Unsupported {
            node: title.to_owned(),
            what: format!("{} on the host, which runs no WGSL,", self.kernel.title()),
            remedy: "give it a twin in Rust with OwnKernel::host, or use a device".to_owned(),
        })
    }

    /// Returns parameters as a twin reads them.
    pub(crate) fn read<'a>(&'a self, bytes: &'a [u8]) -> Params<'a> {
        Params { interface: &self.kernel.code.interface, bytes }
    }
}

/// Puts operands that are given by name into the order of the kernel's inputs.
///
/// # Errors
///
/// [`Error::Name`] for one that is missing, unknown or given twice.
pub(crate) fn arrange<'a, T>(
    title: &str,
    kernel: &OwnKernel,
    given: impl IntoIterator<Item = (&'a str, T)>,
) -> Result<Vec<T>> {
    let interface = &kernel.code.interface;
    let refuse = |problem: &str, name: &str, remedy: &str| Error::Name {
        node: title.to_owned(),
        problem: problem.to_owned(),
        name: name.to_owned(),
        known: interface.input_names(),
        remedy: remedy.to_owned(),
    };
    let mut arranged: Vec<Option<T>> = interface.inputs.iter().map(|_| None).collect();
    for (name, value) in given {
        let place =
            interface.inputs.iter().zip(&mut arranged).find(|(input, _)| input.name == name);
        let Some((_, place)) = place else {
            if name == interface.output.name {
                return Err(refuse("a call does not give the output", name, "the kernel makes it"));
            }
            return Err(refuse("there is no input", name, "use the names of the source"));
        };
        if place.replace(value).is_some() {
            return Err(refuse("two operands are given for input", name, "give one"));
        }
    }
    let missing = interface.inputs.iter().zip(&arranged).find(|(_, place)| place.is_none());
    if let Some((input, _)) = missing {
        return Err(refuse("nothing is given for input", &input.name, "give an operand for it"));
    }
    Ok(arranged.into_iter().flatten().collect())
}

/// Asks the kernel's shape rule, and checks what it says.
pub(crate) fn output_shape(title: &str, kernel: &OwnKernel, operands: &[Shape]) -> Result<Shape> {
    let shown = operands.iter().map(ToString::to_string).collect::<Vec<_>>().join(", ");
    let refuse = |got: String, expected: &str, remedy: &str| Error::Operand {
        node: title.to_owned(),
        operand: "the shape rule".to_owned(),
        got,
        expected: expected.to_owned(),
        shapes: format!("inputs {}: {shown}", kernel.code.interface.input_names()),
        remedy: remedy.to_owned(),
    };
    let Some(rule) = &kernel.rules.shape else {
        return Err(refuse(
            "is missing".to_owned(),
            "the source does not say which shape the output has",
            "give the kernel one with OwnKernel::shape",
        ));
    };
    let shape = rule(operands).map_err(|reason| {
        refuse(format!("refuses the operands: {reason}"), "they must pass it", "change them")
    })?;
    if shape.dims().iter().skip(1).any(|&dim| dim == Dim::Batch) {
        return Err(refuse(
            format!("gives {shape}"),
            "only the first dimension may be the batch",
            "correct the rule",
        ));
    }
    element_count(title, &shape.resolve(1))?;
    // What a batch decides is checked when it is known.
    let fixed = operands.iter().chain([&shape]).all(|shape| !shape.has_batch());
    if fixed {
        let lengths: Vec<_> = operands.iter().map(|shape| shape.resolve(1)).collect();
        check_lengths(title, &kernel.code, &lengths, &shape.resolve(1))?;
    }
    Ok(shape)
}

/// Checks that the arrays have as many elements as the source takes.
fn check_lengths(
    title: &str,
    code: &Code,
    operands: &[Vec<usize>],
    result: &[usize],
) -> Result<()> {
    let shapes = operands.iter().map(Vec::as_slice).chain([result]);
    let buffers = code.interface.inputs.iter().chain([&code.interface.output]);
    for (buffer, shape) in buffers.zip(shapes) {
        let elements = element_count(title, shape)?;
        let lanes = u64::from(buffer.lanes);
        let vector = if lanes == 1 { "f32".to_owned() } else { format!("vec{lanes}<f32>") };
        let expected = match buffer.length {
            Some(length) if elements != u64::from(length) * lanes => {
                format!("the source declares {length} elements of {vector}")
            }
            None if !elements.is_multiple_of(lanes) => {
                format!("the source declares whole elements of {vector}")
            }
            // A binding cannot be empty. Without output nothing runs, so the output may be.
            _ if elements == 0 && buffer.name != code.interface.output.name => {
                "a kernel cannot bind an empty array".to_owned()
            }
            _ => continue,
        };
        return Err(Error::Operand {
            node: title.to_owned(),
            operand: format!("\"{}\"", buffer.name),
            got: format!("has {elements} numbers"),
            expected,
            shapes: format!("{} {shape:?}", buffer.name),
            remedy: "change its shape, or the declaration".to_owned(),
        });
    }
    Ok(())
}
