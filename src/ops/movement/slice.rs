//! Parts of a value: slicing, splitting, cropping, flipping.

use serde::{Deserialize, Serialize};

use crate::error::{Error, Result};
use crate::graph::{Graph, Node, Site, Symbol};
use crate::kernels::Work;
use crate::kernels::axes::dense_strides;
use crate::ops::movement::copy::{Start, batch, check_count, walk};
use crate::ops::{Arguments, Op, Operator, Pads, Shapes, reorder};
use crate::serial::length;
use crate::shape::{Dim, Shape};

/// What a slice of the whole batch may end with: ONNX's way to say "to the end".
const TO_THE_END: i128 = i32::MAX as i128;

/// A part of a value, with ONNX's names and defaults.
///
/// ```
/// use longshore::{Graph, Shape, Slice};
///
/// # fn main() -> longshore::Result<()> {
/// let mut g = Graph::new();
/// let x = g.input("x", Shape::batch([8, 6]));
/// let y = g.slice(x, Slice::new([1], [-1]).axes([1]).steps([2]))?;
/// assert_eq!(g.shape(y), Some(&Shape::batch([3, 6])));
/// # Ok(())
/// # }
/// ```
#[derive(Clone, Debug)]
pub struct Slice {
    starts: Vec<isize>,
    ends: Vec<isize>,
    axes: Option<Vec<isize>>,
    steps: Option<Vec<isize>>,
}

impl Slice {
    /// Sets where each axis begins, and before what it ends; negative ones count from the end,
    /// and what lies outside is cut to the axis.
    pub fn new(
        starts: impl IntoIterator<Item = isize>,
        ends: impl IntoIterator<Item = isize>,
    ) -> Self {
        let (starts, ends) = (starts.into_iter().collect(), ends.into_iter().collect());
        Slice { starts, ends, axes: None, steps: None }
    }

    /// Sets which axes these are, in place of the first ones; negative ones count from the end.
    #[must_use]
    pub fn axes(mut self, axes: impl IntoIterator<Item = isize>) -> Self {
        self.axes = Some(axes.into_iter().collect());
        self
    }

    /// Sets the distance from one element to the next, in place of 1; never 0, and negative
    /// ones walk backwards.
    #[must_use]
    pub fn steps(mut self, steps: impl IntoIterator<Item = isize>) -> Self {
        self.steps = Some(steps.into_iter().collect());
        self
    }
}

/// Parts along one axis, with ONNX's names and defaults.
///
/// ```
/// use longshore::{Graph, Shape, Split};
///
/// # fn main() -> longshore::Result<()> {
/// let mut g = Graph::new();
/// let x = g.input("x", Shape::batch([7]));
/// let parts = g.split(x, Split::lengths([3, 4]).axis(-1))?;
/// assert_eq!(g.shape(parts[1]), Some(&Shape::batch([4])));
/// # Ok(())
/// # }
/// ```
#[derive(Clone, Debug)]
pub struct Split {
    parts: Parts,
    axis: isize,
}

#[derive(Clone, Debug)]
enum Parts {
    Number(usize),
    Lengths(Vec<usize>),
}

impl Split {
    /// Splits into a number of parts of equal length; the last is shorter where that does not
    /// come out even.
    #[must_use]
    pub fn outputs(number: usize) -> Self {
        Split { parts: Parts::Number(number), axis: 0 }
    }

    /// Splits into parts of these lengths, which add up to the axis.
    pub fn lengths(lengths: impl IntoIterator<Item = usize>) -> Self {
        Split { parts: Parts::Lengths(lengths.into_iter().collect()), axis: 0 }
    }

    /// Sets the axis, in place of the first; a negative one counts from the end.
    #[must_use]
    pub fn axis(mut self, axis: isize) -> Self {
        self.axis = axis;
        self
    }
}

/// One axis of a slice: where it begins, how it goes on, how many entries it takes.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
struct Cut {
    start: usize,
    step: isize,
    length: Dim,
}

/// A part of a value, as a node holds it; how many steps each axis takes is in the node's shape.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Resolved {
    /// The first entry of each axis, counted from the first; 0 for an empty axis.
    #[serde(with = "length::list")]
    pub starts: Vec<usize>,
    /// The distance to the next one, never 0; negative ones walk backwards.
    pub steps: Vec<isize>,
}

impl Operator for Resolved {
    fn name(&self) -> &'static str {
        "slice"
    }

    fn infer(&self, of: &Arguments<'_>) -> Result<Shape> {
        let [x] = of.only()?;
        let site = of.site("");
        let wanted = of.wanted()?;
        let lists = [("starts", self.starts.len()), ("steps", self.steps.len())];
        for (option, found) in lists.into_iter().chain([("shape", wanted.rank())]) {
            check_count(&site, x, option, found)?;
        }
        let axes = x.shape.dims().iter().zip(wanted.dims());
        let mut takes_all = true;
        for (axis, (&dim, &taken)) in axes.enumerate() {
            let (start, step) = (self.starts[axis], self.steps[axis]);
            if step == 0 {
                return Err(no_step(&site, axis));
            }
            let is_whole = start == 0 && step == 1;
            let fits = match (dim, taken) {
                (Dim::Batch, _) if is_whole && taken == Dim::Batch => true,
                (Dim::Batch, _) => return Err(batch(&site, x, "it can only be taken whole")),
                (Dim::Fixed(_), Dim::Fixed(0)) if start > 0 => {
                    return Err(not_made(&site, "an empty part begins at 0"));
                }
                (Dim::Fixed(_), Dim::Fixed(0)) => true,
                (Dim::Fixed(length), Dim::Fixed(taken)) => {
                    // Lengths and steps are below 2^63, so their product fits.
                    let last = start as i128 + (taken as i128 - 1) * step as i128;
                    start < length && (0..length as i128).contains(&last)
                }
                (Dim::Fixed(_), Dim::Batch) => false,
            };
            if !fits {
                return Err(site.refuse(
                    "shape",
                    format!("is {wanted}"),
                    format!("axis {axis} has no {taken} entries from {start} in steps of {step}"),
                    "take entries that are there",
                ));
            }
            takes_all &= is_whole && taken == dim;
        }
        if takes_all {
            return Err(not_made(&site, "its layer makes reshape of a value taken whole"));
        }
        Ok(wanted.clone())
    }

    fn work(&self, at: &Shapes) -> Option<Work> {
        self.cut(at.operand(0)?, &at.result)
    }

    fn reordered(&self, _node: &Node, perm: &[usize]) -> Option<Op> {
        let (starts, steps) = (reorder(&self.starts, perm)?, reorder(&self.steps, perm)?);
        Some(Op::Slice(Resolved { starts, steps }))
    }
}

impl Resolved {
    /// Describes the copy of a part.
    pub(crate) fn cut(&self, input: &[usize], output: &[usize]) -> Option<Work> {
        let (mut base, mut strides) = (0usize, Vec::with_capacity(input.len()));
        let both = self.starts.iter().zip(&self.steps);
        for (stride, (&start, &step)) in dense_strides(input).into_iter().zip(both) {
            // Steps beyond the input are taken from no more than its one element.
            strides.push(stride.saturating_mul(i64::try_from(step).ok()?));
            base = base.checked_add(start.checked_mul(usize::try_from(stride).ok()?)?)?;
        }
        walk(output, &strides, base)
    }
}

impl Graph {
    /// Takes a part of a value, as ONNX's `Slice` does.
    ///
    /// The batch can only be taken whole: from 0 to `i32::MAX` or more, in steps of 1.
    ///
    /// # Errors
    ///
    /// [`Error::Operand`] when the options' lengths differ, for an axis
    /// that is not there or named twice, for a step of 0, and for a part of the batch.
    pub fn slice(&mut self, x: Symbol, slice: Slice) -> Result<Symbol> {
        let start = self.start("slice", x)?;
        let number = slice.starts.len();
        let axes = match &slice.axes {
            Some(axes) => start.axes(axes)?,
            None => start.axes(&(0..).take(number).collect::<Vec<_>>())?,
        };
        let steps = slice.steps.unwrap_or_else(|| vec![1; number]);
        let counts = [("ends", slice.ends.len()), ("axes", axes.len()), ("steps", steps.len())];
        if let Some((option, count)) = counts.into_iter().find(|&(_, count)| count != number) {
            return Err(start.refuse(
                option,
                format!("are {count}"),
                format!("there are {number} starts"),
                "give one for each axis",
            ));
        }
        let mut cuts = whole(&start);
        for (((axis, from), to), step) in
            axes.into_iter().zip(slice.starts).zip(slice.ends).zip(steps)
        {
            cuts[axis] = cut(&start, axis, from, to, step)?;
        }
        self.cut(start, &cuts)
    }

    /// Reverses the order along axes, as NumPy's `flip` does; negative ones count from the end.
    ///
    /// # Errors
    ///
    /// [`Error::Operand`] for an axis that is not there or named twice,
    /// and for the batch.
    pub fn flip(&mut self, x: Symbol, axes: &[isize]) -> Result<Symbol> {
        let start = self.start("flip", x)?;
        let mut cuts = whole(&start);
        for axis in start.axes(axes)? {
            let length = start.fixed(axis, "it cannot be reversed")?;
            cuts[axis] = Cut { start: length.saturating_sub(1), step: -1, ..cuts[axis] };
        }
        self.cut(start, &cuts)
    }

    /// Splits a value along one axis, as ONNX's `Split` does, and returns the parts in order.
    ///
    /// # Errors
    ///
    /// [`Error::Operand`] when the parts do not add up to the axis, and
    /// for the batch.
    pub fn split(&mut self, x: Symbol, split: Split) -> Result<Vec<Symbol>> {
        let first = self.start("split", x)?;
        let axis = first.axis(split.axis)?;
        let length = first.fixed(axis, "it cannot be split")?;
        let lengths = lengths(&first, &split.parts, length)?;
        let mut parts = Vec::with_capacity(lengths.len());
        let mut begin = 0usize;
        for taken in lengths {
            let start = self.start("split", x)?;
            let mut cuts = whole(&start);
            // A part without elements may begin behind the last one.
            let from = if taken == 0 { 0 } else { begin };
            cuts[axis] = Cut { start: from, step: 1, length: Dim::Fixed(taken) };
            parts.push(self.cut(start, &cuts)?);
            begin = begin.saturating_add(taken);
        }
        Ok(parts)
    }

    /// Takes rows and columns away from the sides of images, as Keras's `Cropping2D` does.
    ///
    /// `x` is (batch, height, width, channels); at least one pixel must be left.
    ///
    /// # Errors
    ///
    /// [`Error::Operand`] when `x` is no image, and when nothing is left.
    pub fn cropping2d(&mut self, x: Symbol, cropping: impl Into<Pads>) -> Result<Symbol> {
        let start = self.start("cropping2d", x)?;
        let [height, width, _] = start.x.image(&start.site)?;
        let Pads { top, bottom, left, right } = cropping.into();
        let mut cuts = whole(&start);
        for (axis, length, before, behind) in [(1, height, top, bottom), (2, width, left, right)] {
            let left = length.checked_sub(before).and_then(|left| left.checked_sub(behind));
            let Some(left) = left.filter(|&left| left > 0) else {
                return Err(start.refuse(
                    "cropping",
                    format!("is ({before}, {behind}) for axis {axis}"),
                    format!("of its {length} elements at least 1 must be left"),
                    "take away fewer",
                ));
            };
            cuts[axis] = Cut { start: before, step: 1, length: Dim::Fixed(left) };
        }
        self.cut(start, &cuts)
    }

    /// Adds the slice, or a view where everything is taken.
    fn cut(&mut self, start: Start, cuts: &[Cut]) -> Result<Symbol> {
        let dims = cuts.iter().map(|cut| cut.length).collect();
        if cuts == whole(&start) {
            return self.view(start, dims);
        }
        let starts = cuts.iter().map(|cut| cut.start).collect();
        let steps = cuts.iter().map(|cut| cut.step).collect();
        self.finish_as(start, Op::Slice(Resolved { starts, steps }), dims)
    }
}

/// Makes the error of a slice that no layer makes.
fn not_made(site: &Site, expected: &str) -> Error {
    site.refuse("op", "is slice", expected, "save the graph again")
}

/// Makes the error of a step of 0.
fn no_step(site: &Site, axis: usize) -> Error {
    site.refuse(
        "steps",
        format!("is 0 for axis {axis}"),
        "a slice goes on by at least one element",
        "use another step",
    )
}

/// Takes every axis whole.
fn whole(start: &Start) -> Vec<Cut> {
    start.dims().iter().map(|&length| Cut { start: 0, step: 1, length }).collect()
}

/// Resolves one axis of a slice by ONNX's rule.
fn cut(start: &Start, axis: usize, from: isize, to: isize, step: isize) -> Result<Cut> {
    if step == 0 {
        return Err(no_step(&start.site, axis));
    }
    let Some(Dim::Fixed(length)) = start.dims().get(axis) else {
        if from == 0 && step == 1 && to as i128 >= TO_THE_END {
            return Ok(Cut { start: 0, step: 1, length: Dim::Batch });
        }
        return Err(start.batch("it can only be taken whole"));
    };
    // A machine word and a signed one fit i128, so nothing here can overflow.
    let (length, step) = (*length as i128, step as i128);
    let counted = |place: isize| place as i128 + if place < 0 { length } else { 0 };
    let (low, high) = if step > 0 { (0, length) } else { (-1, length - 1) };
    let begin = counted(from).clamp(if step > 0 { 0 } else { 0.min(high) }, high.max(low));
    let end = counted(to).clamp(low, high.max(low));
    let way = if step > 0 { end - begin } else { begin - end };
    let taken = if way > 0 { (way + step.abs() - 1) / step.abs() } else { 0 };
    // Everything lies within the axis, whose length was a machine word.
    let begin = if taken == 0 { 0 } else { usize::try_from(begin).unwrap_or(0) };
    let taken = usize::try_from(taken).unwrap_or(0);
    let step = isize::try_from(step).unwrap_or(1);
    Ok(Cut { start: begin, step, length: Dim::Fixed(taken) })
}

/// Resolves the parts' lengths by ONNX's rule.
fn lengths(start: &Start, parts: &Parts, length: usize) -> Result<Vec<usize>> {
    let refuse = |got: String, expected: String, remedy: &str| {
        Err(start.refuse("split", got, expected, remedy))
    };
    match parts {
        Parts::Lengths(lengths) => {
            let sum = lengths.iter().try_fold(0usize, |sum, &part| sum.checked_add(part));
            if sum == Some(length) && !lengths.is_empty() {
                return Ok(lengths.clone());
            }
            let expected = format!("the axis has {length} elements to be shared out");
            refuse(format!("is {lengths:?}"), expected, "use lengths with that sum")
        }
        Parts::Number(number) => {
            let each = length.div_ceil((*number).max(1));
            let most = length.checked_div(each).unwrap_or(*number);
            let before = number.saturating_sub(1);
            if *number > 0 && each.checked_mul(before).is_some_and(|used| used <= length) {
                let mut lengths = vec![each; before];
                lengths.push(length - each * before);
                return Ok(lengths);
            }
            let expected = format!(
                "{length} elements in parts of {each} make {most}, with a shorter one last"
            );
            refuse(format!("is into {number} parts"), expected, "use fewer, or give their lengths")
        }
    }
}
