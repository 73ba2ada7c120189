//! Flatten and reshape: the same bytes in another shape, so nothing moves.

use super::{Graph, Op, Operand, Site, Symbol, title};
use crate::error::Result;
use crate::shape::{Dim, Shape, element_count};

impl Graph {
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
