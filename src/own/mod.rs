//! Own kernels: WGSL that the user brings, its bindings, types and workgroup read from the source.
//!
//! A kernel is registered once, with a name, a source and what the source cannot say (the shape
//! of its output). It is then used like an operation of the library: as a node of a graph, with
//! [`Graph::own`](crate::Graph::own), or directly on tensors, with
//! [`Runtime::run_kernel`](crate::Runtime::run_kernel) and
//! [`Runtime::prepare_kernel`](crate::Runtime::prepare_kernel). Its dispatch moves nothing, its
//! parameters travel in the plan's parameter block, its output is a buffer like any other: the
//! ledger has the same events, and the same guards forbid them.
//!
//! ```no_run
//! use longshore::{Graph, HostArray, OwnCall, OwnKernel, Runtime, Shape};
//!
//! const BRIGHTEN: &str = "
//!     struct Params { gain: f32 }
//!     @group(0) @binding(0) var<uniform>             params:   Params;
//!     @group(0) @binding(1) var<storage, read>       image:    array<f32>;
//!     @group(0) @binding(2) var<storage, read_write> brighter: array<f32>;
//!
//!     @compute @workgroup_size(64)
//!     fn brighten(
//!         @builtin(workgroup_id) group: vec3<u32>,
//!         @builtin(num_workgroups) groups: vec3<u32>,
//!         @builtin(local_invocation_index) local: u32,
//!     ) {
//!         let i = (group.y * groups.x + group.x) * 64u + local;
//!         if i < arrayLength(&brighter) {
//!             brighter[i] = params.gain * image[i];
//!         }
//!     }
//! ";
//!
//! # fn main() -> longshore::Result<()> {
//! let brighten = OwnKernel::new("brighten", BRIGHTEN)?.shape(|inputs| Ok(inputs[0].clone()));
//!
//! // Directly, on what is already on the device.
//! let rt = Runtime::open()?;
//! let image = rt.stage("image", HostArray::read("image.npy")?)?;
//! let call = OwnCall::new().param("gain", 1.5_f32);
//! let brighter = rt.run_kernel(&brighten, [("image", &image)], &call)?;
//!
//! // Or as a node of a graph.
//! let mut g = Graph::new();
//! let x = g.input("x", Shape::batch([64, 64, 3]));
//! let y = g.own(&brighten, [("image", x)], &call)?;
//! g.output("y", y);
//! # let _ = brighter;
//! # Ok(())
//! # }
//! ```
//!
//! # What a source declares
//!
//! | declaration, all in group 0 | is |
//! |---|---|
//! | `var<storage, read> NAME: array<f32>` | an input, bound by its name; up to 7 |
//! | `var<storage, read_write> NAME: array<f32>` | the output; exactly one |
//! | `var<uniform> NAME: STRUCT` | the parameters, given by the names of the struct's members; at most one |
//! | `@workgroup_size` | read, and never repeated in Rust |
//!
//! Arrays may also be of `vec2<f32>` or `vec4<f32>`, and of a fixed length, which an operand must
//! then have. Parameters are `f32`, `i32`, `u32` and vectors of them. All else (textures, other
//! groups, overrides, integers or atomics in storage, several outputs) is refused by name: a node
//! has one value, and everything on the device is f32. A variable that only other entry points
//! use is not the kernel's.
//!
//! Bound ranges are exactly the arrays, so `arrayLength(&NAME)` is the number of elements. The
//! output holds what an earlier run left there until the kernel writes it: write every element.
//!
//! # Shapes as parameters
//!
//! A member named after an array, `NAME_shape`, is filled with that array's shape when a plan is
//! made, the batch included: `vec4<u32>` for four dimensions, `vec3<u32>`, `vec2<u32>`, or `u32`
//! for one. So a kernel over images declares `image_shape: vec4<u32>` and reads height and
//! width from `.y` and `.z`.
//!
//! # Threads
//!
//! Without a rule there is one thread for each element of the output as the source declares it
//! (for `array<vec4<f32>>`, one for four numbers). They are spread over x and y, as one dimension
//! has no more than 65 535 workgroups; a thread finds its number as
//!
//! ```text
//! (workgroup_id.y * num_workgroups.x + workgroup_id.x) * THREADS_OF_A_WORKGROUP + local_invocation_index
//! ```
//!
//! and leaves when that is past the end. [`OwnKernel::threads`] gives threads in x, y and z
//! in place of it; a thread is then `global_invocation_id`, and may again be past the end.
//!
//! # The batch
//!
//! A tensor that is too large to bind at once is split along the batch where the operation
//! allows it. A kernel does when [`OwnKernel::per_item`] says so, and only as a node of a graph;
//! otherwise planning is refused with [`Error::Limit`].
//!
//! # The host executor
//!
//! The host runs no WGSL. A kernel with a twin in Rust ([`OwnKernel::host`]) runs there too;
//! preparing one without is [`Error::Unsupported`] and names it.
//!
//! # Bounds
//!
//! Sources are at most 64 KiB, and their workgroups and memory within what every WebGPU device
//! has, so that a kernel that is accepted compiles everywhere. A kernel that never ends is not
//! found out. What waits for it ends in [`Error::Timeout`] where the runtime has a time limit
//! ([`RuntimeOptions::timeout`](crate::RuntimeOptions::timeout)); without one it waits until the
//! driver gives the device up, which is [`Error::DeviceLost`], and some drivers never do.
//!
//! # Long loops
//!
//! Some drivers end all loops of a thread after a number of iterations, without an error
//! ([`Limits::max_loop_iterations`](crate::plan::Limits)). There, and only there, a kernel's
//! iterations are counted when it is prepared. A loop counts if a variable goes by known steps from
//! a known start to a known bound; known are constants, parameters, shapes, `arrayLength`, the
//! numbers of threads and workgroups, and what is computed of these, in functions too. Loops in
//! loops multiply; what follows one another adds up, and so do the two ways of an `if` that threads
//! may take differently. A loop that can end earlier counts in full, and so does one that the
//! driver may unroll. A kernel that comes to more than the driver runs is [`Error::Limit`]; loops
//! without such a bound are a [`Warning`](crate::Warning) of the session.

mod bounds;
mod call;
mod declare;
mod host;
mod interface;
mod loops;
mod params;
mod source;
mod stack;
mod text;

use std::fmt;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};

pub use bounds::MAX_SOURCE_BYTES;
pub use call::{Bound, OwnCall};
pub(crate) use call::{arrange, output_shape};
pub(crate) use declare::kind_of;
pub use host::{HostCall, HostView};
pub use interface::{Block, Buffer, Field, Interface, Kind, Scalar, ShapeOf};
pub(crate) use loops::Loops;
pub use params::{Params, Value};
pub(crate) use stack::with_large_stack;
pub(crate) use text::OwnText;

use crate::error::{Error, Result};
use crate::shape::Shape;

type ShapeRule = dyn Fn(&[Shape]) -> Result<Shape, String> + Send + Sync;
type ThreadRule = dyn Fn(&[usize]) -> [usize; 3] + Send + Sync;
type HostTwin = dyn Fn(&HostCall<'_>, &mut [f32]) + Send + Sync;

/// A kernel of the user's own: WGSL with a name, and the rules that the source cannot hold.
///
/// Cheap to clone. Each runtime compiles a source once, however often it is registered.
///
/// ```
/// use longshore::own::HostCall;
/// use longshore::{OwnCall, OwnKernel, Runtime};
/// use ndarray::array;
///
/// const SCALE: &str = "
///     struct Params { factor: f32 }
///     @group(0) @binding(0) var<uniform> params: Params;
///     @group(0) @binding(1) var<storage, read> x: array<f32>;
///     @group(0) @binding(2) var<storage, read_write> y: array<f32>;
///     @compute @workgroup_size(64)
///     fn main(@builtin(global_invocation_id) id: vec3<u32>) {
///         if id.x < arrayLength(&y) { y[id.x] = params.factor * x[id.x]; }
///     }
/// ";
///
/// # fn main() -> longshore::Result<()> {
/// let scale = OwnKernel::new("scale", SCALE)?
///     .shape(|inputs| Ok(inputs[0].clone()))
///     // The host executor runs no WGSL, but a twin in Rust.
///     .host(|call: &HostCall<'_>, y: &mut [f32]| {
///         let factor = call.params.f32("factor").unwrap_or(1.0);
///         for (y, x) in y.iter_mut().zip(call.operands[0].values) {
///             *y = factor * x;
///         }
///     });
/// let rt = Runtime::host();
/// let x = rt.stage("x", array![1.0_f32, 2.0])?;
/// let y = rt.run_kernel(&scale, [("x", &x)], &OwnCall::new().param("factor", 3.0_f32))?;
/// assert_eq!(y.read()?, array![3.0, 6.0].into_dyn());
/// # Ok(())
/// # }
/// ```
#[derive(Clone)]
pub struct OwnKernel {
    name: Arc<str>,
    code: Arc<Code>,
    rules: Rules,
    /// Whether something was logged about it: once is enough.
    was_logged: Arc<AtomicBool>,
}

/// What a device compiles: equal ones share a pipeline.
#[derive(Debug, PartialEq, Eq, Hash)]
pub(crate) struct Code {
    pub source: String,
    pub interface: Interface,
}

#[derive(Clone, Default)]
struct Rules {
    shape: Option<Arc<ShapeRule>>,
    threads: Option<Arc<ThreadRule>>,
    host: Option<Arc<HostTwin>>,
    per_item: bool,
}

impl OwnKernel {
    /// Registers a source with one compute entry point, and reads what it declares.
    ///
    /// The name appears in plans (`own/NAME`), messages and node names.
    ///
    /// # Errors
    ///
    /// [`Error::Wgsl`] with line and column for what is not valid WGSL, [`Error::Unsupported`]
    /// for a declaration that cannot be bound, [`Error::Operand`] for a missing output or entry
    /// point, several entry points and too large a workgroup, [`Error::Limit`] for a source,
    /// variables or a number of buffers beyond the bounds.
    pub fn new(name: impl Into<String>, wgsl: impl Into<String>) -> Result<Self> {
        OwnKernel::register(name.into(), wgsl.into(), None)
    }

    /// Registers one of several compute entry points of a source.
    ///
    /// # Errors
    ///
    /// As [`OwnKernel::new`], and [`Error::Name`] when there is no such entry point.
    pub fn with_entry(
        name: impl Into<String>,
        wgsl: impl Into<String>,
        entry: &str,
    ) -> Result<Self> {
        OwnKernel::register(name.into(), wgsl.into(), Some(entry))
    }

    fn register(name: String, source: String, entry: Option<&str>) -> Result<Self> {
        if name.is_empty() || name.chars().any(char::is_control) {
            return Err(Error::Name {
                node: "own kernel".to_owned(),
                problem: "a kernel cannot be named".to_owned(),
                name: name.escape_debug().to_string(),
                known: "any text without control characters".to_owned(),
                remedy: "give it a name".to_owned(),
            });
        }
        let interface = source::read(&title(&name), &source, entry)?;
        let code = Arc::new(Code { source, interface });
        Ok(OwnKernel {
            name: name.into(),
            code,
            rules: Rules::default(),
            was_logged: Arc::default(),
        })
    }

    /// Sets the rule from the inputs' shapes to the output's; a kernel needs one.
    ///
    /// The shapes come in the order of the binding numbers, as [`OwnKernel::inputs`] lists them;
    /// in a graph the first dimension may be the symbolic batch. An `Err` says what is wrong
    /// with the operands, and is part of the error that the user of the kernel gets.
    #[must_use]
    pub fn shape(
        mut self,
        rule: impl Fn(&[Shape]) -> Result<Shape, String> + Send + Sync + 'static,
    ) -> Self {
        self.rules.shape = Some(Arc::new(rule));
        self
    }

    /// Sets the threads in x, y and z for an output's shape, in place of one for each element.
    ///
    /// They are divided by the workgroup size and rounded up.
    #[must_use]
    pub fn threads(
        mut self,
        rule: impl Fn(&[usize]) -> [usize; 3] + Send + Sync + 'static,
    ) -> Self {
        self.rules.threads = Some(Arc::new(rule));
        self
    }

    /// Promises that each item of the batch is computed from the same item of each batched
    /// input alone, so that a large tensor may be computed in parts.
    ///
    /// The kernel then sees each part as if it were the whole: `arrayLength` and shapes are
    /// the part's.
    #[must_use]
    pub fn per_item(mut self) -> Self {
        self.rules.per_item = true;
        self
    }

    /// Gives the kernel a twin in Rust, which the host executor runs in its place.
    ///
    /// It gets what the source would find bound, and writes every element of the result.
    #[must_use]
    pub fn host(
        mut self,
        twin: impl Fn(&HostCall<'_>, &mut [f32]) + Send + Sync + 'static,
    ) -> Self {
        self.rules.host = Some(Arc::new(twin));
        self
    }

    /// Returns the name.
    #[must_use]
    pub fn name(&self) -> &str {
        &self.name
    }

    /// Returns the WGSL.
    #[must_use]
    pub fn source(&self) -> &str {
        &self.code.source
    }

    /// Returns what the source declares: entry point, workgroup size, buffers, parameters.
    #[must_use]
    pub fn interface(&self) -> &Interface {
        &self.code.interface
    }

    /// Returns the inputs' names, in the order of their binding numbers.
    pub fn inputs(&self) -> impl Iterator<Item = &str> {
        self.code.interface.inputs.iter().map(|input| input.name.as_str())
    }

    /// Tells whether the kernel has a twin in Rust, so that the host executor can run it.
    #[must_use]
    pub fn has_host_twin(&self) -> bool {
        self.rules.host.is_some()
    }

    /// Tells whether the kernel may be split along the batch.
    pub(crate) fn is_per_item(&self) -> bool {
        self.rules.per_item
    }

    /// Returns the threads that the user's rule gives for an output, if there is one.
    pub(crate) fn threads_for(&self, shape: &[usize]) -> Option<[usize; 3]> {
        self.rules.threads.as_ref().map(|rule| rule(shape))
    }

    /// Tells whether nothing was logged about the kernel so far.
    pub(crate) fn is_first_log(&self) -> bool {
        !self.was_logged.swap(true, Ordering::Relaxed)
    }

    pub(crate) fn code(&self) -> &Arc<Code> {
        &self.code
    }

    /// Returns how messages name it: `kernel "sobel"`.
    pub(crate) fn title(&self) -> String {
        title(&self.name)
    }
}

fn title(name: &str) -> String {
    format!("kernel \"{name}\"")
}

impl fmt::Debug for OwnKernel {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("OwnKernel")
            .field("name", &self.name)
            .field("interface", &self.code.interface)
            .finish_non_exhaustive()
    }
}

impl PartialEq for OwnKernel {
    /// Compares name and source, and whether the rules are the same closures.
    fn eq(&self, other: &Self) -> bool {
        fn same<T: ?Sized>(one: Option<&Arc<T>>, other: Option<&Arc<T>>) -> bool {
            match (one, other) {
                (Some(one), Some(other)) => Arc::ptr_eq(one, other),
                (one, other) => one.is_none() && other.is_none(),
            }
        }
        let (one, two) = (&self.rules, &other.rules);
        self.name == other.name
            && self.code == other.code
            && one.per_item == two.per_item
            && same(one.shape.as_ref(), two.shape.as_ref())
            && same(one.threads.as_ref(), two.threads.as_ref())
            && same(one.host.as_ref(), two.host.as_ref())
    }
}
