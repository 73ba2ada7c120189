//! Rows that are normalized: how they lie in an operand, and how weights broadcast over them.

use crate::error::{Error, Result};
use crate::graph::{Operand, Site, Weight};
use crate::ops::checks::check_vector;
use crate::shape::{Dim, Shape};

/// Rows along axes of the operand's own, or of groups of its channels.
pub(super) struct Rows<'a> {
    x: &'a Operand,
    reduced: &'a [bool],
    groups: Option<Groups>,
}

/// A channel axis split in two.
struct Groups {
    /// That of the groups; the channels of a group follow.
    axis: usize,
    count: usize,
    each: usize,
}

impl<'a> Rows<'a> {
    /// Finds out how rows lie, of which layers make no others.
    pub(super) fn find(
        site: &Site,
        x: &'a Operand,
        split: &Shape,
        reduced: &'a [bool],
    ) -> Result<Rows<'a>> {
        if reduced.len() != split.rank() {
            let got = format!("has {} entries for the axes of {split}", reduced.len());
            return Err(refuse(site, "reduced", got));
        }
        if *split == x.shape {
            return Ok(Rows { x, reduced, groups: None });
        }
        let not_split = || refuse(site, "split", format!("is {split}"));
        // The first axis counts the items; the groups' is the only other one that rows do not span.
        let mut kept = reduced.iter().enumerate().filter(|(_, reduced)| !**reduced);
        let (Some((0, _)), Some((axis, _)), None) = (kept.next(), kept.next(), kept.next()) else {
            return Err(not_split());
        };
        let Some(&[Dim::Fixed(count), Dim::Fixed(each)]) = split.dims().get(axis..axis + 2) else {
            return Err(not_split());
        };
        let mut dims = split.dims().to_vec();
        let channels = count.checked_mul(each).filter(|_| count > 0).ok_or_else(not_split)?;
        dims.splice(axis..axis + 2, [Dim::Fixed(channels)]);
        if dims != x.shape.dims() {
            return Err(not_split());
        }
        Ok(Rows { x, reduced, groups: Some(Groups { axis, count, each }) })
    }

    /// Returns the shape with which a weight broadcasts: along axes to the rows', 1 along all
    /// others; over groups, one number for each of them or for each channel.
    pub(super) fn lay(&self, site: &Site, name: &str, weight: &Weight) -> Result<Vec<usize>> {
        let own = weight.shape();
        let mut shape = vec![1; self.reduced.len()];
        if let Some(Groups { axis, count, each }) = self.groups {
            let lengths = if own == [count] {
                [count, 1]
            } else {
                check_vector(site, name, weight, count.saturating_mul(each))?;
                [count, each]
            };
            for (place, length) in shape.iter_mut().skip(axis).zip(lengths) {
                *place = length;
            }
            return Ok(shape);
        }
        check_items(site, self.x, self.reduced)?;
        let lengths = self.x.shape.resolve(1);
        let rows = || lengths.iter().zip(self.reduced).enumerate().filter(|(_, (_, is))| **is);
        let aligned = rows().rev().zip(own.iter().rev());
        let mut broadcasts = own.len() <= rows().count();
        for ((axis, (&length, _)), &own) in aligned {
            broadcasts &= own == length || own == 1;
            shape[axis] = own;
        }
        if broadcasts {
            return Ok(shape);
        }
        let lengths: Vec<usize> = rows().map(|(_, (length, _))| *length).collect();
        Err(site.refuse(
            name,
            format!("has shape {own:?}"),
            format!("the normalized axes are {lengths:?}"),
            "give one number for each place of a row",
        ))
    }
}

/// Refuses rows with weights that span the items.
pub(super) fn check_items(site: &Site, x: &Operand, reduced: &[bool]) -> Result<()> {
    if !x.shape.has_batch() || reduced.first() != Some(&true) {
        return Ok(());
    }
    Err(site.refuse(
        "axis",
        "includes the batch",
        "a weight has one number for each place of a row",
        "use fixed dimensions",
    ))
}

fn refuse(site: &Site, option: &str, got: String) -> Error {
    site.refuse(option, got, "no layer normalizes such rows", "save the graph again")
}
