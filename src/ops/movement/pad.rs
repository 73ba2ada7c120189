//! Padding and cropping.

use serde::{Deserialize, Serialize};

use crate::error::Result;
use crate::graph::{Graph, Node, Operand, Site, Symbol};
use crate::kernels::{Work, pad};
use crate::ops::movement::copy::{Start, check_count, fixed};
use crate::ops::movement::slice;
use crate::ops::{Arguments, Op, Operator, Pads, Shapes, reorder};
use crate::serial::number;
use crate::shape::{Dim, Shape, element_count};

/// What is put around a value.
#[derive(Clone, Copy, Debug, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
#[non_exhaustive]
pub enum PadMode {
    /// A number.
    Constant(#[serde(with = "number")] f32),
    /// The nearest element: `a a|a b c|c c`.
    Edge,
    /// The value mirrored at its first and last element, as often as it takes: `c b|a b c|b a`.
    Reflect,
    /// The value over and over: `b c|a b c|a b`.
    Wrap,
}

/// Padding of any axes, with ONNX's names and defaults.
///
/// ```
/// use longshore::{Graph, Pad, Shape};
///
/// # fn main() -> longshore::Result<()> {
/// let mut g = Graph::new();
/// let x = g.input("x", Shape::batch([8, 8, 3]));
/// let y = g.pad(x, Pad::new([(1, 2), (0, 3)]).axes([1, 2]))?;
/// assert_eq!(g.shape(y), Some(&Shape::batch([11, 11, 3])));
/// # Ok(())
/// # }
/// ```
#[derive(Clone, Debug)]
pub struct Pad {
    pads: Vec<(isize, isize)>,
    mode: PadMode,
    axes: Option<Vec<isize>>,
}

impl Pad {
    /// Puts zeros before and behind each axis; negative numbers take elements away.
    pub fn new(pads: impl IntoIterator<Item = (isize, isize)>) -> Self {
        Pad { pads: pads.into_iter().collect(), mode: PadMode::Constant(0.0), axes: None }
    }

    /// Sets what is put there.
    #[must_use]
    pub fn mode(mut self, mode: PadMode) -> Self {
        self.mode = mode;
        self
    }

    /// Sets which axes the pads are for, in place of all; negative ones count from the end.
    #[must_use]
    pub fn axes(mut self, axes: impl IntoIterator<Item = isize>) -> Self {
        self.axes = Some(axes.into_iter().collect());
        self
    }
}

/// Padding with its axes resolved.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Resolved {
    /// Elements before and behind each axis of the operand; negative ones take elements away,
    /// before others are added.
    pub pads: Vec<[isize; 2]>,
    /// What is put there.
    pub mode: PadMode,
}

/// Target lengths of centered cropping and padding, with ONNX's names and defaults.
///
/// ```
/// use longshore::{CenterCropPad, Graph, Shape};
///
/// # fn main() -> longshore::Result<()> {
/// let mut g = Graph::new();
/// let x = g.input("x", Shape::batch([8, 8, 3]));
/// let y = g.center_crop_pad(x, CenterCropPad::new([10, 4]).axes([1, 2]))?;
/// assert_eq!(g.shape(y), Some(&Shape::batch([10, 4, 3])));
/// # Ok(())
/// # }
/// ```
#[derive(Clone, Debug)]
pub struct CenterCropPad {
    shape: Vec<usize>,
    axes: Option<Vec<isize>>,
}

impl CenterCropPad {
    /// Sets the length of each axis.
    pub fn new(shape: impl IntoIterator<Item = usize>) -> Self {
        CenterCropPad { shape: shape.into_iter().collect(), axes: None }
    }

    /// Sets which axes the lengths are for, in place of all; negative ones count from the end.
    #[must_use]
    pub fn axes(mut self, axes: impl IntoIterator<Item = isize>) -> Self {
        self.axes = Some(axes.into_iter().collect());
        self
    }
}

impl Operator for Resolved {
    fn name(&self) -> &'static str {
        "pad"
    }

    fn infer(&self, of: &Arguments<'_>) -> Result<Shape> {
        let [x] = of.only()?;
        let site = of.site("");
        check_count(&site, x, "pads", self.pads.len())?;
        let mut dims = Vec::with_capacity(self.pads.len());
        for (axis, (&pads, &dim)) in self.pads.iter().zip(x.shape.dims()).enumerate() {
            dims.push(match pads {
                [0, 0] => dim,
                _ => Dim::Fixed(padded_length(&site, x, axis, pads, self.mode)?),
            });
        }
        let shape = Shape::new(dims);
        element_count(of.node, &shape.resolve(1))?;
        Ok(shape)
    }

    fn work(&self, at: &Shapes) -> Option<Work> {
        let input = at.operand(0)?;
        if self.pads.iter().flatten().any(|&pad| pad > 0) {
            let (input, pads) = (input.to_vec(), self.pads.clone());
            return Some(Work::Pad(pad::Geometry { input, pads, mode: self.mode }));
        }
        // Nothing is added: it is a slice.
        let starts = self.pads.iter().map(|pads| pads[0].unsigned_abs()).collect();
        slice::Resolved { starts, steps: vec![1; self.pads.len()] }.cut(input, &at.result)
    }

    fn reordered(&self, _node: &Node, perm: &[usize]) -> Option<Op> {
        Some(Op::Pad(Resolved { pads: reorder(&self.pads, perm)?, mode: self.mode }))
    }
}

impl From<usize> for Pads {
    /// The same on each side, as in Keras.
    fn from(all: usize) -> Self {
        Pads::from((all, all))
    }
}

impl From<(usize, usize)> for Pads {
    /// Above and below, then left and right, as in Keras.
    fn from((height, width): (usize, usize)) -> Self {
        Pads { top: height, bottom: height, left: width, right: width }
    }
}

impl From<((usize, usize), (usize, usize))> for Pads {
    /// Above, below, left, right, paired as in Keras.
    fn from(((top, bottom), (left, right)): ((usize, usize), (usize, usize))) -> Self {
        Pads { top, bottom, left, right }
    }
}

impl Graph {
    /// Puts elements before and behind axes, or takes some away, as ONNX's `Pad` does.
    ///
    /// Where both happen along one axis, elements are taken away first. Pads may be longer than
    /// the axis: reflecting and wrapping go on as in NumPy.
    ///
    /// # Errors
    ///
    /// [`Error::Operand`](crate::Error::Operand) when pads and axes do not fit `x`, when more
    /// is taken away than there is, when an empty axis would be repeated, and for the batch.
    pub fn pad(&mut self, x: Symbol, pad: Pad) -> Result<Symbol> {
        let start = self.start("pad", x)?;
        let number = pad.pads.len();
        let axes = chosen_axes(&start, pad.axes.as_deref(), number, "pads")?;
        let mut pads = vec![[0; 2]; start.x.shape.rank()];
        for (axis, (front, back)) in axes.into_iter().zip(pad.pads) {
            pads[axis] = [front, back];
        }
        self.padded(start, Resolved { pads, mode: pad.mode })
    }

    /// Puts rows and columns of zeros around images, as Keras's `ZeroPadding2D` does.
    ///
    /// `x` is (batch, height, width, channels).
    ///
    /// # Errors
    ///
    /// [`Error::Operand`](crate::Error::Operand) when `x` is no image.
    pub fn zero_padding2d(&mut self, x: Symbol, padding: impl Into<Pads>) -> Result<Symbol> {
        let start = self.start("zero_padding2d", x)?;
        start.x.image(&start.site)?;
        let Pads { top, bottom, left, right } = padding.into();
        let signed = |pad: usize| isize::try_from(pad).unwrap_or(isize::MAX);
        let pads =
            vec![[0, 0], [signed(top), signed(bottom)], [signed(left), signed(right)], [0, 0]];
        self.padded(start, Resolved { pads, mode: PadMode::Constant(0.0) })
    }

    /// Crops or zero-pads axes to given lengths, the middle staying in the middle, as ONNX's
    /// `CenterCropPad` does; of an odd difference the larger half is at the end.
    ///
    /// # Errors
    ///
    /// [`Error::Operand`](crate::Error::Operand) when lengths and axes do not fit `x`, and for
    /// the batch.
    pub fn center_crop_pad(&mut self, x: Symbol, target: CenterCropPad) -> Result<Symbol> {
        let start = self.start("center_crop_pad", x)?;
        let number = target.shape.len();
        let axes = chosen_axes(&start, target.axes.as_deref(), number, "shape")?;
        let mut pads = vec![[0; 2]; start.x.shape.rank()];
        for (axis, wanted) in axes.into_iter().zip(target.shape) {
            let length = start.fixed(axis, "it cannot be cropped or padded")?;
            let difference = isize::try_from(wanted.abs_diff(length)).unwrap_or(isize::MAX);
            let (front, back) = (difference / 2, difference - difference / 2);
            pads[axis] = if wanted < length { [-front, -back] } else { [front, back] };
        }
        self.padded(start, Resolved { pads, mode: PadMode::Constant(0.0) })
    }

    fn padded(&mut self, start: Start, pad: Resolved) -> Result<Symbol> {
        if pad.pads.iter().all(|pads| *pads == [0, 0]) {
            let dims = start.dims().to_vec();
            return self.view(start, dims);
        }
        self.finish(start, Op::Pad(pad))
    }
}

/// Resolves the axes that a list of numbers is for: all, or as many as are named.
fn chosen_axes(
    start: &Start,
    axes: Option<&[isize]>,
    number: usize,
    option: &str,
) -> Result<Vec<usize>> {
    let axes = match axes {
        Some(axes) => start.axes(axes)?,
        None => (0..start.x.shape.rank()).collect(),
    };
    if axes.len() == number {
        return Ok(axes);
    }
    Err(start.refuse(
        option,
        format!("is for {number} axes"),
        format!("there are {} to pad", axes.len()),
        "give one entry for each axis, or name the axes",
    ))
}

fn padded_length(
    site: &Site,
    x: &Operand,
    axis: usize,
    pads: [isize; 2],
    mode: PadMode,
) -> Result<usize> {
    let length = fixed(site, x, axis, "it cannot be cropped or padded")?;
    let [front, back] = pads;
    let taken = |pad: isize| if pad < 0 { pad.unsigned_abs() } else { 0 };
    let added = |pad: isize| usize::try_from(pad).unwrap_or(0);
    let shown = format!("are ({front}, {back}) for axis {axis}");
    let kept = length.checked_sub(taken(front)).and_then(|kept| kept.checked_sub(taken(back)));
    let Some(kept) = kept else {
        return Err(site.refuse(
            "pads",
            shown,
            format!("the axis has {length} elements to take away"),
            "take away fewer",
        ));
    };
    // NumPy refuses this too: there is nothing to repeat.
    if kept == 0 && (front > 0 || back > 0) && !matches!(mode, PadMode::Constant(_)) {
        return Err(site.refuse(
            "pads",
            shown,
            "an axis without elements can only be padded with a constant",
            "use PadMode::Constant",
        ));
    }
    let whole = kept.checked_add(added(front)).and_then(|whole| whole.checked_add(added(back)));
    whole.ok_or_else(|| {
        site.refuse(
            "pads",
            shown,
            format!("with {kept} elements that is more than a machine word counts"),
            "use smaller pads",
        )
    })
}
