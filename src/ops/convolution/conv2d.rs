//! 2-D convolution: plain, grouped, depthwise and separable.
//!
//! Kernels are (kh, kw, Cin/groups, Cout), depthwise ones (kh, kw, Cin, multiplier):
//! Keras's layouts. Keras refuses strides and dilation above 1 together; ONNX
//! defines them, and so does this crate. Kernel and bias are weights of the node; a kernel
//! that the graph computes is a case of ONNX that is not supported.

use serde::{Deserialize, Serialize};

use crate::error::Result;
use crate::graph::{Graph, LayerWeights, Symbol};
use crate::kernels::Work;
use crate::ops::convolution::convolve::{Channels, Layer};
use crate::ops::convolution::space::{Space, image};
use crate::ops::convolution::window::{Options, Padding, Pads, Pair, window_setters};
use crate::ops::{Activation, Arguments, Epilogue, Operator, Shapes};
use crate::serial::length;
use crate::shape::{Dim, Shape, element_count};

/// A convolution whose padding and groups are resolved.
#[derive(Clone, Copy, Debug, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Resolved {
    /// Steps between windows, in pixels.
    pub strides: Pair,
    /// Steps between a window's taps, in pixels.
    pub dilation: Pair,
    /// Zeros around the image, in pixels.
    pub pads: Pads,
    /// Height and width of the kernel.
    pub kernel_size: Pair,
    /// Blocks that the channels are split into.
    #[serde(with = "length")]
    pub groups: usize,
}

/// Describes a 2-D convolution layer; defaults are Keras's.
///
/// ```
/// use longshore::{Conv2d, Graph, HostArray, LayerWeights, Padding, Shape};
/// use ndarray::Array4;
///
/// # fn main() -> longshore::Result<()> {
/// let mut g = Graph::new();
/// let x = g.input("x", Shape::batch([32, 32, 3]));
/// let kernel = HostArray::from(Array4::<f32>::zeros((3, 3, 3, 16)));
/// let weights = LayerWeights::new(kernel);
/// let y = g.conv2d(x, Conv2d::new(16, 3).strides(2).padding(Padding::Same), &weights)?;
/// assert_eq!(g.shape(y), Some(&Shape::batch([16, 16, 16])));
/// # Ok(())
/// # }
/// ```
#[derive(Clone, Debug)]
pub struct Conv2d {
    filters: usize,
    kernel_size: Pair,
    groups: usize,
    options: Options,
}

impl Conv2d {
    /// Makes a layer of `filters` output channels; strides 1, padding `Valid`, one group.
    pub fn new(filters: usize, kernel_size: impl Into<Pair>) -> Self {
        let kernel_size = kernel_size.into();
        Conv2d { filters, kernel_size, groups: 1, options: Options::default() }
    }

    /// Splits the channels into this many independent blocks.
    #[must_use]
    pub fn groups(mut self, groups: usize) -> Self {
        self.groups = groups;
        self
    }

    window_setters!(impl Into<Pair>, Into::into, Padding);
}

/// Describes a depthwise convolution: each channel has its own kernels.
///
/// ```
/// use longshore::{DepthwiseConv2d, Graph, HostArray, LayerWeights, Shape};
/// use ndarray::Array4;
///
/// # fn main() -> longshore::Result<()> {
/// let mut g = Graph::new();
/// let x = g.input("x", Shape::batch([8, 8, 3]));
/// let kernel = HostArray::from(Array4::<f32>::zeros((3, 3, 3, 1)));
/// let weights = LayerWeights::new(kernel);
/// let y = g.depthwise_conv2d(x, DepthwiseConv2d::new(3), &weights)?;
/// assert_eq!(g.shape(y), Some(&Shape::batch([6, 6, 3])));
/// # Ok(())
/// # }
/// ```
#[derive(Clone, Debug)]
pub struct DepthwiseConv2d {
    kernel_size: Pair,
    depth_multiplier: usize,
    options: Options,
}

impl DepthwiseConv2d {
    /// Makes a layer with one kernel for each channel; strides 1, padding `Valid`.
    pub fn new(kernel_size: impl Into<Pair>) -> Self {
        let kernel_size = kernel_size.into();
        DepthwiseConv2d { kernel_size, depth_multiplier: 1, options: Options::default() }
    }

    /// Sets how many kernels each channel has.
    #[must_use]
    pub fn depth_multiplier(mut self, depth_multiplier: usize) -> Self {
        self.depth_multiplier = depth_multiplier;
        self
    }

    window_setters!(impl Into<Pair>, Into::into, Padding);
}

/// Describes a depthwise convolution followed by a 1x1 one, which has the bias.
///
/// The node has the layer's name, its depthwise half is named `NAME/depthwise`.
///
/// ```
/// use longshore::{Graph, HostArray, LayerWeights, SeparableConv2d, Shape};
/// use ndarray::Array4;
///
/// # fn main() -> longshore::Result<()> {
/// let mut g = Graph::new();
/// let x = g.input("x", Shape::batch([8, 8, 3]));
/// let depthwise = HostArray::from(Array4::<f32>::zeros((3, 3, 3, 1)));
/// let pointwise = HostArray::from(Array4::<f32>::zeros((1, 1, 3, 5)));
/// let weights = LayerWeights::separable(depthwise, pointwise);
/// let y = g.separable_conv2d(x, SeparableConv2d::new(5, 3), &weights)?;
/// assert_eq!(g.shape(y), Some(&Shape::batch([6, 6, 5])));
/// # Ok(())
/// # }
/// ```
#[derive(Clone, Debug)]
pub struct SeparableConv2d {
    filters: usize,
    kernel_size: Pair,
    depth_multiplier: usize,
    options: Options,
}

impl SeparableConv2d {
    /// Makes a layer of `filters` output channels; strides 1, padding `Valid`.
    pub fn new(filters: usize, kernel_size: impl Into<Pair>) -> Self {
        let kernel_size = kernel_size.into();
        SeparableConv2d { filters, kernel_size, depth_multiplier: 1, options: Options::default() }
    }

    /// Sets how many depthwise kernels each channel has.
    #[must_use]
    pub fn depth_multiplier(mut self, depth_multiplier: usize) -> Self {
        self.depth_multiplier = depth_multiplier;
        self
    }

    window_setters!(impl Into<Pair>, Into::into, Padding);
}

impl Operator for Resolved {
    fn name(&self) -> &'static str {
        "conv2d"
    }

    fn infer(&self, of: &Arguments<'_>) -> Result<Shape> {
        let Resolved { strides, dilation, pads, kernel_size, groups } = *self;
        let [x] = of.operands()?;
        let (kernel, _) = of.kernel_and_bias()?;
        let inputs = x.shape.dims().last();
        let channels = match *kernel.shape() {
            // A depthwise kernel lists all channels, though each group has one.
            [.., third, last]
                if groups == third && third > 1 && inputs == Some(&Dim::Fixed(third)) =>
            {
                Channels::Multiplier(last)
            }
            [.., filters] => Channels::Filters { filters, groups },
            [] => Channels::Filters { filters: 0, groups },
        };
        let padding = Padding::Explicit(pads);
        let options = Options { strides, dilation, padding, ..Options::default() };
        let space = Space::of(&x.shape);
        let layer = Layer { kind: self.name(), space, channels, kernel_size, options };
        let (_, shape) = layer.resolve(of)?;
        element_count(of.node, &shape.resolve(1))?;
        Ok(shape)
    }

    fn work(&self, at: &Shapes) -> Option<Work> {
        Some(Work::Conv2d(Geometry {
            input: image(at.operand(0)?)?,
            output: image(&at.result)?,
            kernel: self.kernel_size.sides(),
            strides: self.strides.sides(),
            dilation: self.dilation.sides(),
            pads: [self.pads.top, self.pads.left],
            groups: self.groups,
            has_bias: at.weights > 1,
            epilogue: at.epilogue.clone(),
        }))
    }

    fn has_epilogue(&self) -> bool {
        true
    }
}

/// What to compute. The kernel is (height, width, Cin / groups, Cout); a depthwise kernel
/// (height, width, Cin, multiplier) is the same in memory as one with Cin groups.
#[derive(Clone, Debug, PartialEq)]
pub struct Geometry {
    /// The input's shape: batch, height, width, channels.
    pub input: [usize; 4],
    /// The output's shape: batch, height, width, channels.
    pub output: [usize; 4],
    /// Height and width of the kernel.
    pub kernel: [usize; 2],
    /// Steps between windows, along height and width; at least 1.
    pub strides: [usize; 2],
    /// Steps between a window's taps, along height and width; at least 1.
    pub dilation: [usize; 2],
    /// Rows of padding above and columns of padding to the left of the input. What is needed
    /// below and to the right follows from the output's shape.
    pub pads: [usize; 2],
    /// Blocks that the channels are split into; divides both channel counts.
    pub groups: usize,
    /// Whether a bias (Cout) is added; without one, bind the kernel in its place.
    pub has_bias: bool,
    /// What happens to each result before it is stored.
    pub epilogue: Epilogue,
}

impl Graph {
    /// Adds a 2-D convolution.
    ///
    /// `x` is (batch, height, width, Cin), the kernel (kh, kw, Cin/groups, filters),
    /// the optional bias (filters), the result (batch, out height, out width, filters).
    ///
    /// # Errors
    ///
    /// [`Error::Operand`](crate::Error::Operand) when shapes or options disagree,
    /// [`Error::Name`](crate::Error::Name) for a weight the layer does not know or a name used twice.
    pub fn conv2d(&mut self, x: Symbol, layer: Conv2d, weights: &LayerWeights) -> Result<Symbol> {
        let Conv2d { filters, kernel_size, groups, options } = layer;
        let channels = Channels::Filters { filters, groups };
        let space = Space::Image;
        self.convolve(x, Layer { kind: "conv2d", space, channels, kernel_size, options }, weights)
    }

    /// Adds a depthwise convolution.
    ///
    /// `x` is (batch, height, width, Cin), the kernel (kh, kw, Cin, multiplier), the
    /// optional bias (Cin * multiplier), which is also the result's channels.
    ///
    /// # Errors
    ///
    /// As [`Graph::conv2d`].
    pub fn depthwise_conv2d(
        &mut self,
        x: Symbol,
        layer: DepthwiseConv2d,
        weights: &LayerWeights,
    ) -> Result<Symbol> {
        let DepthwiseConv2d { kernel_size, depth_multiplier, options } = layer;
        let channels = Channels::Multiplier(depth_multiplier);
        let (kind, space) = ("depthwise_conv2d", Space::Image);
        self.convolve(x, Layer { kind, space, channels, kernel_size, options }, weights)
    }

    /// Adds a separable convolution: a depthwise one, then a 1x1 one with bias and activation.
    ///
    /// The weights are `depthwise_kernel` (kh, kw, Cin, multiplier), `pointwise_kernel`
    /// (1, 1, Cin * multiplier, filters) and an optional `bias` (filters).
    ///
    /// # Errors
    ///
    /// As [`Graph::conv2d`].
    pub fn separable_conv2d(
        &mut self,
        x: Symbol,
        layer: SeparableConv2d,
        weights: &LayerWeights,
    ) -> Result<Symbol> {
        let SeparableConv2d { filters, kernel_size, depth_multiplier, options } = layer;
        let channels = Channels::Multiplier(depth_multiplier);
        let (kind, space) = ("separable_conv2d", Space::Image);
        let layer = Layer { kind, space, channels, kernel_size, options };
        self.convolve_separably(x, "depthwise_conv2d", filters, layer, weights)
    }
}
