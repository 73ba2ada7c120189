//! Moments: the mean and the inverse deviation that a normalisation divides by.
//!
//! A normalisation is two nodes: `NAME/moments`, and the one that carries its name.

use crate::shape::{Dim, Shape};

/// Says what is kept of a row's moments.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Part {
    /// Mean, then inverse deviation: one more axis of length 2.
    Both,
    /// The mean.
    Mean,
    /// `1 / (sqrt(variance + epsilon) + floor)`.
    InverseDeviation,
}

/// Moments with every option resolved.
#[derive(Clone, Debug, PartialEq)]
pub struct Resolved {
    /// The operand's shape, a channel axis split into groups and what is in them.
    pub split: Shape,
    /// Which axes of `split` a row spans.
    pub reduced: Vec<bool>,
    /// Whether the mean is subtracted; otherwise it counts as 0.
    pub is_centered: bool,
    /// Added to the variance.
    pub epsilon: f32,
    /// Added to the root of the variance.
    pub floor: f32,
    /// What is kept.
    pub part: Part,
}

impl Resolved {
    /// Returns the shape of the node's value.
    pub(crate) fn shape(&self) -> Shape {
        let dims = self.split.dims().iter().copied().zip(self.reduced.iter().copied());
        match self.part {
            Part::Both => {
                let kept = dims.filter(|(_, gone)| !gone).map(|(dim, _)| dim);
                Shape::new(kept.chain([Dim::Fixed(2)]))
            }
            Part::Mean | Part::InverseDeviation => {
                Shape::new(dims.map(|(dim, gone)| if gone { Dim::Fixed(1) } else { dim }))
            }
        }
    }
}
