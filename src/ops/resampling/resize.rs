//! ONNX's `Resize`: any axes of a value of up to 6 dimensions.

use crate::error::Result;
use crate::graph::{Graph, Pending, Symbol};
use crate::ops::resampling::resize_axes::{check_options, maps};
use crate::ops::resampling::rule::{AxisMap, Filter, NearestMode, Resampling, Sampling};
use crate::ops::{Arguments, Coordinates, Op};
use crate::shape::Shape;

/// Names the interpolation of [`Resize`].
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum ResizeMode {
    /// One pixel, by the nearest mode.
    #[default]
    Nearest,
    /// Linear along each axis.
    Linear,
    /// Keys' cubic along each axis.
    Cubic,
}

/// Names how `sizes` treat the proportions of the input: ONNX's `keep_aspect_ratio_policy`.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum AspectRatio {
    /// The sizes are taken as they are.
    #[default]
    Stretch,
    /// One scale for all axes, the largest for which none exceeds its size.
    NotLarger,
    /// One scale for all axes, the smallest for which none falls below its size.
    NotSmaller,
}

/// What the axes become.
#[derive(Clone, Debug)]
pub(crate) enum Target {
    Scales(Vec<f32>),
    Sizes(Vec<usize>),
}

/// Describes ONNX's `Resize`, with its names and defaults.
///
/// As in ONNX, `nearest_mode` counts for nearest, `cubic_coeff_a` for cubic, `roi` and
/// `extrapolation_value` for `TfCropAndResize` alone.
///
/// ```
/// use longshore::{Graph, Resize, Shape};
///
/// # fn main() -> longshore::Result<()> {
/// let mut g = Graph::new();
/// let x = g.input("x", Shape::batch([8, 8, 3]));
/// let y = g.resize(x, Resize::scales([2.0, 1.5]).axes([1, 2]))?;
/// assert_eq!(g.shape(y), Some(&Shape::batch([16, 12, 3])));
/// # Ok(())
/// # }
/// ```
#[derive(Clone, Debug)]
pub struct Resize {
    name: Option<String>,
    pub(crate) target: Target,
    pub(crate) mode: ResizeMode,
    nearest_mode: NearestMode,
    pub(crate) coordinates: Coordinates,
    pub(crate) cubic_coeff_a: f32,
    pub(crate) exclude_outside: bool,
    pub(crate) antialias: bool,
    pub(crate) axes: Option<Vec<isize>>,
    pub(crate) roi: Vec<f32>,
    extrapolation_value: f32,
    pub(crate) policy: AspectRatio,
    pub(crate) declared: Vec<Option<usize>>,
}

impl Resize {
    /// Multiplies each axis by its scale, in f32; lengths are rounded down, and the scales enter
    /// the coordinates as they are.
    pub fn scales(scales: impl IntoIterator<Item = f32>) -> Self {
        Resize::new(Target::Scales(scales.into_iter().collect()))
    }

    /// Gives each axis a length.
    pub fn sizes(sizes: impl IntoIterator<Item = usize>) -> Self {
        Resize::new(Target::Sizes(sizes.into_iter().collect()))
    }

    fn new(target: Target) -> Self {
        Resize {
            name: None,
            target,
            mode: ResizeMode::Nearest,
            nearest_mode: NearestMode::RoundPreferFloor,
            coordinates: Coordinates::HalfPixel,
            cubic_coeff_a: -0.75,
            exclude_outside: false,
            antialias: false,
            axes: None,
            roi: Vec::new(),
            extrapolation_value: 0.0,
            policy: AspectRatio::Stretch,
            declared: Vec::new(),
        }
    }

    /// Names the node; where several axes need several nodes, the last one.
    #[must_use]
    pub fn name(mut self, name: impl Into<String>) -> Self {
        self.name = Some(name.into());
        self
    }

    /// Sets the interpolation.
    #[must_use]
    pub fn mode(mut self, mode: ResizeMode) -> Self {
        self.mode = mode;
        self
    }

    /// Sets which pixel is the nearest.
    #[must_use]
    pub fn nearest_mode(mut self, nearest_mode: NearestMode) -> Self {
        self.nearest_mode = nearest_mode;
        self
    }

    /// Sets the coordinate rule (`coordinate_transformation_mode`).
    #[must_use]
    pub fn coordinates(mut self, coordinates: Coordinates) -> Self {
        self.coordinates = coordinates;
        self
    }

    /// Sets the coefficient of the cubic.
    #[must_use]
    pub fn cubic_coeff_a(mut self, cubic_coeff_a: f32) -> Self {
        self.cubic_coeff_a = cubic_coeff_a;
        self
    }

    /// Leaves pixels outside the input out, instead of taking the nearest one inside.
    #[must_use]
    pub fn exclude_outside(mut self, exclude_outside: bool) -> Self {
        self.exclude_outside = exclude_outside;
        self
    }

    /// Widens the weights of linear and cubic where an axis shrinks.
    #[must_use]
    pub fn antialias(mut self, antialias: bool) -> Self {
        self.antialias = antialias;
        self
    }

    /// Sets the axes that scales, sizes and roi speak of; -1 is the last. All, unless set.
    #[must_use]
    pub fn axes(mut self, axes: impl IntoIterator<Item = isize>) -> Self {
        self.axes = Some(axes.into_iter().collect());
        self
    }

    /// Sets what `TfCropAndResize` takes: the start of each axis, then the end of each, in
    /// lengths of the input.
    #[must_use]
    pub fn roi(mut self, roi: impl IntoIterator<Item = f32>) -> Self {
        self.roi = roi.into_iter().collect();
        self
    }

    /// Sets what `TfCropAndResize` gives outside the input.
    #[must_use]
    pub fn extrapolation_value(mut self, extrapolation_value: f32) -> Self {
        self.extrapolation_value = extrapolation_value;
        self
    }

    /// Sets how sizes treat the input's proportions.
    #[must_use]
    pub fn keep_aspect_ratio_policy(mut self, policy: AspectRatio) -> Self {
        self.policy = policy;
        self
    }

    /// Tells the lengths of the result, for each axis of `x`, where they are known: scales are
    /// rounded, so they may make one more or less. Another length is refused.
    #[must_use]
    pub fn declared(mut self, lengths: impl IntoIterator<Item = Option<usize>>) -> Self {
        self.declared = lengths.into_iter().collect();
        self
    }

    fn sampling(&self) -> Sampling {
        let filter = match self.mode {
            ResizeMode::Nearest => Filter::Nearest(self.nearest_mode),
            ResizeMode::Linear => Filter::Linear,
            ResizeMode::Cubic => Filter::Cubic(self.cubic_coeff_a),
        };
        Sampling {
            filter,
            coordinates: self.coordinates,
            antialias: self.antialias,
            exclude_outside: self.exclude_outside,
            extrapolation_value: self.extrapolation_value,
        }
    }
}

impl Graph {
    /// Resamples any axes of a value of up to 6 dimensions: ONNX's `Resize`, opsets 10 to 19.
    ///
    /// The result has the same number of dimensions. Two neighboring axes are one node; other
    /// sets become several, which are named `NAME/axes ...`. An axis of scale 1 is copied. The
    /// batch keeps its length: leave it out of `axes`, or give it the scale 1.
    ///
    /// # Errors
    ///
    /// [`Error::Operand`](crate::Error::Operand) when axes, scales, sizes or roi do not fit `x`,
    /// [`Error::Unsupported`](crate::Error::Unsupported) for antialias or `exclude_outside` with
    /// nearest, for a policy with scales and for `exclude_outside` with a policy and aligned
    /// corners.
    pub fn resize(&mut self, x: Symbol, layer: Resize) -> Result<Symbol> {
        let pending = self.begin("resize", layer.name.as_deref(), [("x", x)])?;
        let target = match &layer.target {
            Target::Scales(scales) => format!("scales {scales:?}"),
            Target::Sizes(sizes) => format!("sizes {sizes:?}"),
        };
        let (site, [x]) = (pending.site(&target), &pending.operands);
        let sampling = layer.sampling();
        check_options(&site, &layer)?;
        sampling.check_cubic(&site)?;
        let maps = maps(&site, x, &layer)?;
        self.resample_axes(pending, maps, sampling)
    }

    /// Adds a node for each pair of neighboring axes, and for each axis alone; `maps` are in
    /// order. What is left as it is becomes a reshape, which moves nothing.
    pub(crate) fn resample_axes(
        &mut self,
        pending: Pending<1>,
        maps: Vec<(usize, AxisMap)>,
        sampling: Sampling,
    ) -> Result<Symbol> {
        let Pending { name, node, operands: [mut x] } = pending;
        let mut operand = x.index;
        let mut drafts: Vec<(Op, Shape, String)> = Vec::new();
        let mut left = maps.into_iter().filter(|(_, map)| !map.is_kept()).peekable();
        while let Some((axis, rows)) = left.next() {
            let columns = left.next_if(|(next, _)| *next == axis + 1).map(|(_, map)| map);
            let axes = match columns {
                Some(_) => format!("{name}/axes {axis}, {}", axis + 1),
                None => format!("{name}/axis {axis}"),
            };
            let op = Op::Resize2d(Resampling { axis, rows, columns, sampling });
            let operands = std::slice::from_ref(&x);
            let of = Arguments { node: &node, operands, weights: &[], wanted: None };
            x.shape = op.operator().infer(&of)?;
            drafts.push((op, x.shape.clone(), axes));
        }
        let (last, shape, _) = drafts.pop().unwrap_or((Op::Reshape, x.shape, String::new()));
        for (_, _, axes) in &drafts {
            self.name_for("resize2d", Some(axes))?;
        }
        for (op, shape, axes) in drafts {
            operand = self.insert(axes, op, vec![operand], Vec::new(), shape).index;
        }
        Ok(self.insert(name, last, vec![operand], Vec::new(), shape))
    }
}
