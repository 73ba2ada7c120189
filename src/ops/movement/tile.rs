//! Repetition of whole values.

use serde::{Deserialize, Serialize};

use crate::error::Result;
use crate::graph::{Graph, Node, Operand, Site, Symbol};
use crate::kernels::axes::{Axis, dense_strides};
use crate::kernels::{Work, copy};
use crate::ops::movement::copy::fixed;
use crate::ops::{Arguments, Op, Operator, Shapes, reorder};
use crate::serial::length;
use crate::shape::{Dim, Shape, element_count};

/// Axes that one node can walk along.
const AXES: usize = 6;

/// A repetition, as a node holds it.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Resolved {
    /// How often, for each axis.
    #[serde(with = "length::list")]
    pub repeats: Vec<usize>,
}

impl Resolved {
    /// Returns the shape of the repeated value.
    fn shape(&self, site: &Site, x: &Operand) -> Result<Shape> {
        let repeats = &self.repeats;
        if repeats.len() != x.shape.rank() {
            return Err(site.refuse(
                "repeats",
                format!("are {repeats:?}"),
                format!("\"{}\" has {} axes", x.name, x.shape.rank()),
                "give one number for each axis",
            ));
        }
        let mut dims = Vec::with_capacity(repeats.len());
        for (axis, (&repeat, &dim)) in repeats.iter().zip(x.shape.dims()).enumerate() {
            if repeat == 1 {
                dims.push(dim);
                continue;
            }
            let length = fixed(site, x, axis, "it cannot be repeated")?;
            let Some(length) = length.checked_mul(repeat) else {
                return Err(site.refuse(
                    "repeats",
                    format!("is {repeat} for axis {axis}"),
                    format!("{length} elements as often are more than a machine word counts"),
                    "use smaller numbers",
                ));
            };
            dims.push(Dim::Fixed(length));
        }
        let shape = Shape::new(dims);
        element_count(&site.node, &shape.resolve(1))?;
        Ok(shape)
    }
}

impl Operator for Resolved {
    fn name(&self) -> &'static str {
        "tile"
    }

    fn infer(&self, of: &Arguments<'_>) -> Result<Shape> {
        let [x] = of.only()?;
        let site = of.site("");
        let shape = self.shape(&site, x)?;
        if self.repeats.iter().all(|&repeat| repeat == 1) {
            let expected = "its layer makes reshape of a value that is not repeated";
            return Err(site.refuse("op", "is tile", expected, "save the graph again"));
        }
        if shape.dims().contains(&Dim::Fixed(0)) || walked(&x.shape, &self.repeats) <= AXES {
            return Ok(shape);
        }
        Err(site.refuse(
            "repeats",
            format!("are {:?}", self.repeats),
            format!("a node walks along {AXES} axes, each repeat and what is between two counted"),
            "repeat in several nodes",
        ))
    }

    fn work(&self, at: &Shapes) -> Option<Work> {
        let input = at.operand(0)?;
        let (strides, out_strides) = (dense_strides(input), dense_strides(&at.result));
        let mut axes = Vec::with_capacity(2 * input.len());
        for (axis, &repeat) in self.repeats.iter().enumerate() {
            let (length, stride) = (*input.get(axis)?, *strides.get(axis)?);
            let out = *out_strides.get(axis)?;
            let whole = out.saturating_mul(i64::try_from(length).ok()?);
            axes.push(Axis { length: repeat, strides: [0, whole] });
            axes.push(Axis { length, strides: [stride, out] });
        }
        Some(Work::Copy(copy::Geometry { axes, base: 0, out_base: 0 }))
    }

    fn reordered(&self, _node: &Node, perm: &[usize]) -> Option<Op> {
        Some(Op::Tile(Resolved { repeats: reorder(&self.repeats, perm)? }))
    }
}

impl Graph {
    /// Repeats a value as a whole along each axis, as ONNX's `Tile` does.
    ///
    /// # Errors
    ///
    /// [`Error::Operand`](crate::Error::Operand) when there is not one number for each axis,
    /// and for a repeated batch; [`Error::Limit`](crate::Error::Limit) when the elements cannot
    /// be counted.
    pub fn tile(&mut self, x: Symbol, repeats: &[usize]) -> Result<Symbol> {
        let start = self.start("tile", x)?;
        let rule = Resolved { repeats: repeats.to_vec() };
        let whole = rule.shape(&start.site, &start.x)?;
        if repeats.iter().all(|&repeat| repeat == 1) {
            return self.view(start, whole.dims().to_vec());
        }
        // A walk along more axes than one node can take is made in several, innermost first.
        let mut rest = repeats.to_vec();
        let (mut index, mut shape) = (start.x.index, start.x.shape.clone());
        let mut part = 0usize;
        while let (some, true) = take(&shape, &rest) {
            part += 1;
            let name = self.name_for("tile", Some(&format!("{}/part{part}", start.name)))?;
            let tiled = shape.dims().iter().zip(&some).map(|(dim, repeat)| match dim {
                Dim::Fixed(length) => Dim::Fixed(length * repeat),
                Dim::Batch => Dim::Batch,
            });
            shape = Shape::new(tiled);
            for (rest, taken) in rest.iter_mut().zip(&some) {
                *rest /= taken;
            }
            let op = Op::Tile(Resolved { repeats: some });
            index = self.insert(name, op, vec![index], Vec::new(), shape.clone()).index;
        }
        let op = Op::Tile(Resolved { repeats: rest });
        Ok(self.insert(start.name, op, vec![index], Vec::new(), whole))
    }
}

/// Takes as many repeats, from the last axis on, as one node can walk along; also tells whether
/// some are left over.
fn take(shape: &Shape, repeats: &[usize]) -> (Vec<usize>, bool) {
    let mut some = vec![1; repeats.len()];
    // An empty result is never walked along.
    if repeats.contains(&0) || shape.dims().contains(&Dim::Fixed(0)) {
        return (some, false);
    }
    let repeated: Vec<usize> = (0..repeats.len()).filter(|&axis| repeats[axis] > 1).collect();
    for &axis in repeated.iter().rev() {
        some[axis] = repeats[axis];
        if walked(shape, &some) > AXES {
            some[axis] = 1;
            return (some, true);
        }
    }
    (some, false)
}

/// Counts the axes that a repetition walks along: each repeat, and the axes between them,
/// merged.
fn walked(shape: &Shape, repeats: &[usize]) -> usize {
    let (mut axes, mut run_is_longer) = (0, false);
    for (dim, &repeat) in shape.dims().iter().zip(repeats) {
        if repeat > 1 {
            axes += 1 + usize::from(run_is_longer);
            run_is_longer = false;
        }
        run_is_longer |= *dim != Dim::Fixed(1);
    }
    axes + usize::from(run_is_longer)
}
