//! Flatten and reshape: the same bytes in another shape, so nothing moves.

use crate::error::Result;
use crate::graph::{Graph, Operand, Site, Symbol, title};
use crate::kernels::Work;
use crate::ops::movement::copy::Start;
use crate::ops::{Arguments, Op, Operator, Shapes};
use crate::shape::{Dim, Shape, element_count};

/// A shape for every dimension, the first included, with ONNX's names and defaults.
///
/// ```
/// use longshore::{Graph, Reshape, Shape};
///
/// # fn main() -> longshore::Result<()> {
/// let mut g = Graph::new();
/// let x = g.input("x", [2, 3, 4]);
/// let y = g.reshape_to(x, Reshape::new([0, -1]))?;
/// assert_eq!(g.shape(y), Some(&Shape::from([2, 12].as_slice())));
/// # Ok(())
/// # }
/// ```
#[derive(Clone, Debug)]
pub struct Reshape {
    shape: Vec<isize>,
    allow_zero: bool,
}

impl Reshape {
    /// Sets the lengths; one may be -1 and is inferred, and 0 keeps the length that `x` has there.
    pub fn new(shape: impl IntoIterator<Item = isize>) -> Self {
        Reshape { shape: shape.into_iter().collect(), allow_zero: false }
    }

    /// Lets 0 be a length like others.
    #[must_use]
    pub fn allow_zero(mut self) -> Self {
        self.allow_zero = true;
        self
    }
}

/// The same elements in the shape that is asked for; moves nothing.
#[derive(Clone, Copy, Debug)]
pub(crate) struct View;

impl Operator for View {
    fn name(&self) -> &'static str {
        "reshape"
    }

    fn infer(&self, of: &Arguments<'_>) -> Result<Shape> {
        let [x] = of.only()?;
        let wanted = of.wanted()?;
        // Each item of the batch stays one, and nothing else becomes one.
        let places =
            [&x.shape, wanted].map(|shape| shape.dims().iter().position(|dim| *dim == Dim::Batch));
        let counts = [
            element_count(of.node, &x.shape.resolve(1))?,
            element_count(of.node, &wanted.resolve(1))?,
        ];
        let items = wanted.dims().iter().filter(|dim| **dim == Dim::Batch).count();
        if places[0] == places[1] && counts[0] == counts[1] && items <= 1 {
            return Ok(wanted.clone());
        }
        Err(of.site("").refuse(
            "shape",
            format!("is {wanted}"),
            format!("\"{}\" has shape {}", x.name, x.shape),
            "use lengths with the same product, and keep the batch",
        ))
    }

    fn work(&self, _at: &Shapes) -> Option<Work> {
        None
    }
}

impl Graph {
    /// Gives all dimensions another shape, as ONNX's `Reshape` does.
    ///
    /// The batch stays the first dimension, kept by 0 or inferred by -1.
    ///
    /// # Errors
    ///
    /// [`Error::Operand`](crate::Error::Operand) when the elements do not fit the shape, and
    /// when the batch would be merged or split.
    pub fn reshape_to(&mut self, x: Symbol, target: Reshape) -> Result<Symbol> {
        let start = self.start("reshape", x)?;
        let shape = kept(&start, &target)?;
        let refuse = || {
            start.refuse(
                "shape",
                format!("is {:?}", target.shape),
                format!("\"{}\" has shape {}", start.x.name, start.x.shape),
                "use lengths with the same product; one may be -1",
            )
        };
        let all = start.x.shape.resolve(1);
        let count = inner_count(&start.site.node, &all)?;
        if target.allow_zero && shape.contains(&0) && shape.contains(&-1) {
            return Err(refuse());
        }
        let dims = if start.x.shape.has_batch() {
            // The items stay apart, so the rest is one item's shape.
            let (first, rest) = shape.split_first().ok_or_else(refuse)?;
            let kept = *first == -1 || (*first == 0 && !target.allow_zero);
            let lengths = infer(rest, count).filter(|_| kept);
            let lengths = lengths.ok_or_else(|| start.batch("its items stay whole"))?;
            std::iter::once(Dim::Batch).chain(lengths.into_iter().map(Dim::Fixed)).collect()
        } else {
            infer(&shape, count).ok_or_else(refuse)?.into_iter().map(Dim::Fixed).collect()
        };
        self.view(start, dims)
    }

    /// Merges the dimensions before an axis into one, and those from it on into another, as
    /// ONNX's `Flatten` does; its default is axis 1.
    ///
    /// A negative axis counts from the end, and the rank itself is an axis too.
    ///
    /// # Errors
    ///
    /// [`Error::Operand`](crate::Error::Operand) for an axis that is not there, and when the
    /// batch would be merged.
    pub fn flatten_at(&mut self, x: Symbol, axis: isize) -> Result<Symbol> {
        let start = self.start("flatten", x)?;
        let rank = start.x.shape.rank();
        let from_end = |axis: isize| rank.checked_sub(axis.unsigned_abs());
        let found = if axis < 0 { from_end(axis) } else { usize::try_from(axis).ok() };
        let Some(axis) = found.filter(|&axis| axis <= rank) else {
            return Err(start.refuse(
                "axis",
                format!("is {axis}"),
                format!("\"{}\" has {rank} axes", start.x.name),
                "use an axis from -rank to rank",
            ));
        };
        let (before, rest) = start.dims().split_at(axis);
        let node = &start.site.node;
        let merged = |dims: &[Dim]| {
            let lengths: Vec<usize> = dims.iter().map(|dim| dim.resolve(1)).collect();
            inner_count(node, &lengths).map(Dim::Fixed)
        };
        let first = match before {
            [Dim::Batch] => Dim::Batch,
            _ if start.x.shape.has_batch() => return Err(start.batch("it cannot be merged")),
            fixed => merged(fixed)?,
        };
        let dims = vec![first, merged(rest)?];
        self.view(start, dims)
    }

    /// Merges all dimensions but the first, in C order, as Keras does.
    ///
    /// `x` is (batch, ...), the result (batch, product of the rest); a value of one
    /// dimension becomes (batch, 1).
    ///
    /// # Errors
    ///
    /// [`Error::Operand`](crate::Error::Operand) when `x` has no dimensions or is
    /// another graph's.
    pub fn flatten(&mut self, x: Symbol) -> Result<Symbol> {
        let name = self.name_for("flatten", None)?;
        let node = title("flatten", &name);
        let x = self.operand(&node, "x", x)?;
        let (first, inner) = split(&node, &x)?;
        let count = inner_count(&node, &inner)?;
        let shape = Shape::new([first, Dim::Fixed(count)]);
        Ok(self.insert(name, Op::Reshape, vec![x.index], Vec::new(), shape))
    }

    /// Gives all dimensions but the first another shape, as Keras's `Reshape` does.
    ///
    /// `target` leaves the first dimension out; one length may be -1 and is inferred.
    ///
    /// # Errors
    ///
    /// [`Error::Operand`](crate::Error::Operand) when the elements do not fit the target.
    pub fn reshape(
        &mut self,
        x: Symbol,
        target: impl IntoIterator<Item = isize>,
    ) -> Result<Symbol> {
        let target: Vec<isize> = target.into_iter().collect();
        let name = self.name_for("reshape", None)?;
        let node = title("reshape", &name);
        let x = self.operand(&node, "x", x)?;
        let (first, inner) = split(&node, &x)?;
        let count = inner_count(&node, &inner)?;
        let Some(lengths) = infer(&target, count) else {
            return Err(Site::new(&node, x.describe()).refuse(
                "target",
                format!("is {target:?}"),
                format!("\"{}\" has {count} elements for each of its first dimension", x.name),
                "use lengths with that product; one may be -1",
            ));
        };
        let shape = Shape::new(std::iter::once(first).chain(lengths.into_iter().map(Dim::Fixed)));
        Ok(self.insert(name, Op::Reshape, vec![x.index], Vec::new(), shape))
    }
}

/// Puts the operand's lengths in place of zeros; the batch stays a 0.
fn kept(start: &Start, target: &Reshape) -> Result<Vec<isize>> {
    if target.allow_zero {
        return Ok(target.shape.clone());
    }
    let keep = |(place, &length): (usize, &isize)| match (length, start.dims().get(place)) {
        (0, Some(Dim::Fixed(length))) => Ok(isize::try_from(*length).unwrap_or(isize::MAX)),
        (0, Some(Dim::Batch)) => Ok(0),
        (0, None) => Err(start.refuse(
            "shape",
            format!("is {:?}", target.shape),
            format!("\"{}\" has {} dimensions to keep", start.x.name, start.x.shape.rank()),
            "use 0 where it has a length, or Reshape::allow_zero",
        )),
        _ => Ok(length),
    };
    target.shape.iter().enumerate().map(keep).collect()
}

/// Splits a shape into its first dimension and the rest.
fn split(node: &str, x: &Operand) -> Result<(Dim, Vec<usize>)> {
    match x.shape.dims().split_first() {
        // Only the first dimension can be the batch, so 1 stands for nothing here.
        Some((first, rest)) => Ok((*first, rest.iter().map(|dim| dim.resolve(1)).collect())),
        None => Err(Site::new(node, x.describe()).refuse(
            &format!("\"{}\"", x.name),
            "has no dimensions",
            "the first one is kept",
            "declare it with shape [1]",
        )),
    }
}

fn inner_count(node: &str, inner: &[usize]) -> Result<usize> {
    let count = element_count(node, inner)?;
    usize::try_from(count).map_err(|_| {
        Site::new(node, format!("{inner:?}")).refuse(
            "x",
            format!("has {count} elements"),
            "a machine word counts fewer",
            "use a smaller shape",
        )
    })
}

/// Resolves a target with at most one -1; `None` when the elements do not fit.
fn infer(target: &[isize], count: usize) -> Option<Vec<usize>> {
    let known = target
        .iter()
        .filter(|&&length| length != -1)
        .try_fold(1usize, |product, &length| product.checked_mul(usize::try_from(length).ok()?))?;
    let unknown = target.iter().filter(|&&length| length == -1).count();
    let inferred = match unknown {
        0 if known == count => 0,
        1 if known > 0 && count.is_multiple_of(known) => count / known,
        _ => return None,
    };
    Some(target.iter().map(|&length| usize::try_from(length).unwrap_or(inferred)).collect())
}

#[cfg(test)]
mod tests {
    use super::infer;

    #[test]
    fn one_length_is_inferred_and_nonsense_is_refused() {
        assert_eq!(infer(&[2, -1], 6), Some(vec![2, 3]));
        assert_eq!(infer(&[6], 6), Some(vec![6]));
        assert_eq!(infer(&[], 1), Some(vec![]));
        assert_eq!(infer(&[0], 0), Some(vec![0]));
        for (target, count) in
            [(&[4, -1][..], 6), (&[-1, -1], 6), (&[5], 6), (&[-2, -3], 6), (&[0, -1], 0)]
        {
            assert_eq!(infer(target, count), None, "{target:?}");
        }
        assert_eq!(infer(&[isize::MAX, isize::MAX], 1), None);
    }
}
