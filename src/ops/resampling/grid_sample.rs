//! Sampling of images, lines and volumes at places that another value gives.

use serde::{Deserialize, Serialize};

use crate::error::Result;
use crate::graph::{Graph, Symbol};
use crate::kernels::Work;
use crate::ops::{Arguments, Op, Operator, Shapes};
use crate::shape::{Dim, Shape, element_count};

/// Names which pixels around a place count; a [`GridSample`]'s `mode`.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum GridSampleMode {
    /// The nearest one, halves to the even one.
    Nearest,
    /// The two around it along each axis; "bilinear" in ONNX's opset 16.
    #[default]
    Linear,
    /// The four around it along each axis, by Keys' cubic with -0.75; "bicubic" in opset 16.
    Cubic,
}

/// Names what stands outside of the input; a [`GridSample`]'s `padding_mode`.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum GridPadding {
    /// Zeros.
    #[default]
    Zeros,
    /// The nearest pixel inside; a place outside is first moved to the nearest pixel's.
    Border,
    /// The input, folded back at its ends as often as needed: at the outermost pixels' centers
    /// with `align_corners`, else at their outer edges.
    Reflection,
}

/// Describes a sampling by a grid, ONNX's `GridSample` with its names and defaults.
///
/// ```
/// use longshore::{Graph, GridSample, Shape};
///
/// # fn main() -> longshore::Result<()> {
/// let mut g = Graph::new();
/// let x = g.input("x", Shape::batch([8, 8, 3]));
/// let grid = g.input("grid", Shape::batch([5, 4, 2]));
/// let y = g.grid_sample(x, grid, GridSample::new())?;
/// assert_eq!(g.shape(y), Some(&Shape::batch([5, 4, 3])));
/// # Ok(())
/// # }
/// ```
#[derive(Clone, Debug, Default)]
pub struct GridSample {
    name: Option<String>,
    rule: Resolved,
}

/// A sampling by a grid, as a node holds it.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Resolved {
    /// Which pixels around a place count.
    pub mode: GridSampleMode,
    /// What stands outside of the input.
    pub padding_mode: GridPadding,
    /// Whether -1 and 1 are the centers of the outermost pixels, not their outer edges.
    pub align_corners: bool,
}

impl GridSample {
    /// Makes a linear sampling with zeros outside, and -1 and 1 at the outermost pixels' edges.
    #[must_use]
    pub fn new() -> Self {
        GridSample::default()
    }

    /// Names the node.
    #[must_use]
    pub fn name(mut self, name: impl Into<String>) -> Self {
        self.name = Some(name.into());
        self
    }

    /// Sets which pixels around a place count.
    #[must_use]
    pub fn mode(mut self, mode: GridSampleMode) -> Self {
        self.rule.mode = mode;
        self
    }

    /// Sets what stands outside of the input.
    #[must_use]
    pub fn padding_mode(mut self, padding_mode: GridPadding) -> Self {
        self.rule.padding_mode = padding_mode;
        self
    }

    /// Puts -1 and 1 at the centers of the outermost pixels.
    #[must_use]
    pub fn align_corners(mut self, align_corners: bool) -> Self {
        self.rule.align_corners = align_corners;
        self
    }
}

impl Operator for Resolved {
    fn name(&self) -> &'static str {
        "grid_sample"
    }

    fn infer(&self, of: &Arguments<'_>) -> Result<Shape> {
        let [x, grid] = of.only()?;
        let site = of.site("");
        let rank = x.shape.rank();
        if !(3..=5).contains(&rank) {
            return Err(site.refuse(
                &format!("\"{}\"", x.name),
                format!("has {rank} dimensions"),
                "lines have 3, images 4 and volumes 5, batch first and channels last",
                "reshape it",
            ));
        }
        let refuse = |got: String, expected: String, remedy: &str| {
            Err(site.refuse(&format!("\"{}\"", grid.name), got, expected, remedy))
        };
        let (given, places) = (x.shape.dims(), grid.shape.dims());
        if places.len() != rank {
            let expected = format!("it has as many as \"{}\", {rank}", x.name);
            return refuse(format!("has {} dimensions", places.len()), expected, "reshape it");
        }
        if places[0] != given[0] {
            let expected = format!("its first is that of \"{}\", {}", x.name, given[0]);
            return refuse(format!("begins with {}", places[0]), expected, "make both equal");
        }
        let axes = rank - 2;
        if places[rank - 1] != Dim::Fixed(axes) {
            let expected = format!("a point has {axes}, one for each axis between");
            let got = format!("has points of {} numbers", places[rank - 1]);
            return refuse(got, expected, "bring x, then y, then z");
        }
        let kept = places[..rank - 1].iter().chain(&given[rank - 1..]);
        let shape = Shape::new(kept.copied().collect::<Vec<Dim>>());
        let elements = element_count(of.node, &shape.resolve(1))?;
        if elements > 0 && given[1..rank - 1].contains(&Dim::Fixed(0)) {
            return Err(site.refuse(
                &format!("\"{}\"", x.name),
                "has an axis of length 0",
                "an image without pixels cannot be sampled",
                "use at least one pixel",
            ));
        }
        Ok(shape)
    }

    fn work(&self, at: &Shapes) -> Option<Work> {
        let [batch, lengths @ .., channels] = at.operand(0)? else { return None };
        let [depth, height, width] = match *lengths {
            [width] => [1, 1, width],
            [height, width] => [1, height, width],
            [depth, height, width] => [depth, height, width],
            _ => return None,
        };
        Some(Work::GridSample(Geometry {
            input: [*batch, depth, height, width, *channels],
            points: at.result.get(1..=lengths.len())?.iter().product(),
            axes: lengths.len(),
            mode: self.mode,
            padding: self.padding_mode,
            align_corners: self.align_corners,
        }))
    }
}

/// What to compute; the operands are the input and the grid, (batch, points, axes).
#[derive(Clone, Debug, PartialEq)]
pub struct Geometry {
    /// The input's shape: batch, depth, height, width, channels; the first of depth, height and
    /// width that have no coordinate are 1. None is 0, unless the output is empty.
    pub input: [usize; 5],
    /// Points for each item of the batch.
    pub points: usize,
    /// Coordinates of a point, from 1 to 3.
    pub axes: usize,
    /// Which pixels around a place count.
    pub mode: GridSampleMode,
    /// What stands outside of the input.
    pub padding: GridPadding,
    /// Whether -1 and 1 are the centers of the outermost pixels, not their outer edges.
    pub align_corners: bool,
}

impl Geometry {
    /// Returns the output's shape: batch, points, channels.
    #[must_use]
    pub fn output(&self) -> [usize; 3] {
        [self.input[0], self.points, self.input[4]]
    }

    /// Returns the grid's shape: batch, points, coordinates.
    #[must_use]
    pub fn grid(&self) -> [usize; 3] {
        [self.input[0], self.points, self.axes]
    }
}

impl Graph {
    /// Samples `x` at the places in `grid`: ONNX's `GridSample`, with channels last.
    ///
    /// `x` is (batch, height, width, channels), `grid` (batch, out height, out width, 2), the
    /// result (batch, out height, out width, channels). A point of the grid is (x, y), x along
    /// the width, each from -1 to 1 across the input. Lines and volumes work the same, with
    /// points of 1 and 3 numbers, x first: (batch, length, channels) by (batch, out length, 1),
    /// (batch, depth, height, width, channels) by (batch, out depth, out height, out width, 3).
    ///
    /// NaN in a point gives NaN, and infinity does where it would be folded. Pixels with a
    /// weight of 0 are left out.
    ///
    /// # Errors
    ///
    /// [`Error::Operand`](crate::Error::Operand) when `x` has other than 3 to 5 dimensions,
    /// `grid` does not fit it, or `x` is empty and the result is not;
    /// [`Error::Name`](crate::Error::Name) for a name used twice.
    pub fn grid_sample(&mut self, x: Symbol, grid: Symbol, layer: GridSample) -> Result<Symbol> {
        let operands = [("x", x), ("grid", grid)];
        let pending = self.begin("grid_sample", layer.name.as_deref(), operands)?;
        self.add_node(pending, Op::GridSample(layer.rule), Vec::new())
    }
}
