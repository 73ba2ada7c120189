//! Moments and normalisations from what their nodes hold; see `graph/replay`.

use super::{Resolved, Split, along_groups, along_rows};
use crate::error::{Error, Result};
use crate::graph::{Graph, Operand, Site, Symbol, Weight, title};
use crate::ops::Op;
use crate::ops::normalization::moments;
use crate::shape::{Dim, Shape, element_count};

/// How the rows of a normalisation lie in its operand.
enum Rows {
    /// Along axes of the operand's own.
    Axes,
    /// Along all but the items and groups of channels.
    Groups(Split),
}

impl Graph {
    pub(crate) fn moments_again(&mut self, x: Symbol, rule: &moments::Resolved) -> Result<Symbol> {
        let name = self.name_for("moments", None)?;
        let node = title("moments", &name);
        let x = self.operand(&node, "x", x)?;
        rows(&Site::new(&node, x.describe()), &x, &rule.split, &rule.reduced)?;
        let shape = rule.shape();
        element_count(&node, &shape.resolve(1))?;
        Ok(self.insert(name, Op::Moments(rule.clone()), vec![x.index], Vec::new(), shape))
    }

    /// The weights are the scale's and the bias's, as many as the rule has.
    pub(crate) fn normalization_again(
        &mut self,
        [x, moments]: [Symbol; 2],
        rule: &Resolved,
        weights: &[Weight],
    ) -> Result<Symbol> {
        let name = self.name_for("normalization", None)?;
        let node = title("normalization", &name);
        let x = self.operand(&node, "x", x)?;
        let moments = self.operand(&node, "moments", moments)?;
        let site = Site::new(&node, format!("{}, {}", x.describe(), moments.describe()));
        let rows = rows(&site, &x, &rule.split, &rule.reduced)?;
        let kept = moments::Resolved {
            split: rule.split.clone(),
            reduced: rule.reduced.clone(),
            is_centered: true,
            epsilon: 0.0,
            floor: 0.0,
            part: moments::Part::Both,
        };
        if moments.shape != kept.shape() {
            return Err(site.refuse(
                &format!("\"{}\"", moments.name),
                format!("has shape {}", moments.shape),
                format!("the moments of its rows are {}", kept.shape()),
                "normalise by the moments of the same rows",
            ));
        }
        let mut left = weights.iter();
        let mut fit = |name: &str, claimed: &Option<Vec<usize>>| -> Result<()> {
            let Some((claimed, weight)) = claimed.as_ref().zip(left.next()) else {
                return Ok(());
            };
            let found = fitted(&site, name, weight, &x, rule, &rows)?;
            if found == *claimed {
                return Ok(());
            }
            Err(site.refuse(
                name,
                format!("is said to broadcast as {claimed:?}"),
                format!("a weight of shape {:?} does as {found:?}", weight.shape()),
                "save the graph again",
            ))
        };
        fit("scale", &rule.scale)?;
        fit("bias", &rule.bias)?;
        let operands = vec![x.index, moments.index];
        let op = Op::Normalization(rule.clone());
        Ok(self.insert(name, op, operands, weights.to_vec(), x.shape))
    }
}

/// Finds the shape with which a weight broadcasts over the rows.
fn fitted(
    site: &Site,
    name: &str,
    weight: &Weight,
    x: &Operand,
    rule: &Resolved,
    rows: &Rows,
) -> Result<Vec<usize>> {
    let (_, shape) = match rows {
        Rows::Groups(split) => along_groups(site, name, weight.clone(), split)?,
        Rows::Axes if x.shape.has_batch() && rule.reduced.first() == Some(&true) => {
            return Err(refuse(site, "reduced", "includes the batch".to_owned()));
        }
        Rows::Axes => along_rows(site, name, weight.clone(), &x.shape, &rule.reduced)?,
    };
    Ok(shape)
}

/// Finds out which of the layers has such rows.
fn rows(site: &Site, x: &Operand, split: &Shape, reduced: &[bool]) -> Result<Rows> {
    if reduced.len() != split.rank() {
        let got = format!("has {} entries for the axes of {split}", reduced.len());
        return Err(refuse(site, "reduced", got));
    }
    if *split == x.shape {
        return Ok(Rows::Axes);
    }
    let not_split = || refuse(site, "split", format!("is {split}"));
    // The first axis counts the items; the groups' is the only other one that rows do not span.
    let mut kept = reduced.iter().enumerate().filter(|(_, reduced)| !**reduced);
    let (Some((0, _)), Some((axis, _)), None) = (kept.next(), kept.next(), kept.next()) else {
        return Err(not_split());
    };
    let Some(&[Dim::Fixed(groups), Dim::Fixed(each)]) = split.dims().get(axis..axis + 2) else {
        return Err(not_split());
    };
    let mut dims = split.dims().to_vec();
    let channels = groups.checked_mul(each).filter(|_| groups > 0).ok_or_else(not_split)?;
    dims.splice(axis..axis + 2, [Dim::Fixed(channels)]);
    if dims != x.shape.dims() {
        return Err(not_split());
    }
    Ok(Rows::Groups(Split { rank: split.rank(), axis, groups, each }))
}

fn refuse(site: &Site, option: &str, got: String) -> Error {
    site.refuse(option, got, "no layer normalises such rows", "save the graph again")
}
