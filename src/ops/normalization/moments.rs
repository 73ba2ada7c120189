//! Moments: the mean and the inverse deviation that a normalization divides by.
//!
//! A normalization is two nodes: `NAME/moments`, and the one that carries its name.

use serde::{Deserialize, Serialize};

use super::rows::Rows;
use crate::error::Result;
use crate::kernels::Work;
use crate::ops::{Arguments, Operator, Shapes};
use crate::serial::{number, shape};
use crate::shape::{Dim, Shape, element_count};

/// Says what is kept of a row's moments.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Part {
    /// Mean, then inverse deviation: one more axis of length 2.
    Both,
    /// The mean.
    Mean,
    /// `1 / (sqrt(variance + epsilon) + floor)`.
    InverseDeviation,
}

/// Moments with every option resolved.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Resolved {
    /// The operand's shape, a channel axis split into groups and what is in them.
    #[serde(with = "shape")]
    pub split: Shape,
    /// Which axes of `split` a row spans.
    pub reduced: Vec<bool>,
    /// Whether the mean is subtracted; otherwise it counts as 0.
    pub is_centered: bool,
    /// Added to the variance.
    #[serde(with = "number")]
    pub epsilon: f32,
    /// Added to the root of the variance.
    #[serde(with = "number")]
    pub floor: f32,
    /// What is kept.
    pub part: Part,
}

/// Returns the shape of the moments of such rows.
pub(super) fn shape_of(split: &Shape, reduced: &[bool], part: Part) -> Shape {
    let dims = split.dims().iter().copied().zip(reduced.iter().copied());
    match part {
        Part::Both => {
            let kept = dims.filter(|(_, gone)| !gone).map(|(dim, _)| dim);
            Shape::new(kept.chain([Dim::Fixed(2)]))
        }
        Part::Mean | Part::InverseDeviation => {
            Shape::new(dims.map(|(dim, gone)| if gone { Dim::Fixed(1) } else { dim }))
        }
    }
}

impl Operator for Resolved {
    fn name(&self) -> &'static str {
        "moments"
    }

    fn infer(&self, of: &Arguments<'_>) -> Result<Shape> {
        let [x] = of.only()?;
        Rows::find(&of.site(""), x, &self.split, &self.reduced)?;
        let shape = shape_of(&self.split, &self.reduced, self.part);
        element_count(of.node, &shape.resolve(1))?;
        Ok(shape)
    }

    fn work(&self, at: &Shapes) -> Option<Work> {
        let Resolved { is_centered, epsilon, floor, part, .. } = *self;
        let (input, reduced) = (self.split.resolve(at.items), self.reduced.clone());
        Some(Work::Moments(Geometry { input, reduced, is_centered, epsilon, floor, part }))
    }
}

/// What to compute.
#[derive(Clone, Debug, PartialEq)]
pub struct Geometry {
    /// The input's shape.
    pub input: Vec<usize>,
    /// Which axes a row spans, one for each of the input's.
    pub reduced: Vec<bool>,
    /// Whether the mean is subtracted; otherwise it counts as 0.
    pub is_centered: bool,
    /// Added to the variance.
    pub epsilon: f32,
    /// Added to the root of the variance.
    pub floor: f32,
    /// What is written for each row.
    pub part: Part,
}
