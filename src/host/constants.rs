//! What is known of a step's operands before it runs.

use std::collections::BTreeMap;
use std::collections::btree_map::Entry;
use std::sync::Arc;

use super::check_length;
use super::panels::Packed;
use crate::error::Result;

/// A step's name, and those of its operands that are the same in all runs.
pub(crate) struct Constants<'a> {
    pub node: &'a str,
    pub operands: &'a [Option<&'a [f32]>],
    pub shelf: &'a mut Shelf,
}

/// Right sides that have been packed, by where they lie and by numbers that tell how.
///
/// Layers that share a weight share what is packed of it.
#[derive(Default)]
pub(crate) struct Shelf(BTreeMap<(usize, usize, Vec<usize>), Arc<[Packed]>>);

impl<'a> Constants<'a> {
    /// Returns the right side of a product, where it is known.
    pub(super) fn right(&self) -> Option<&'a [f32]> {
        *self.operands.get(1)?
    }

    /// Returns a layer's kernel, of this shape, where it is known.
    ///
    /// # Errors
    ///
    /// [`Error::Operand`](crate::Error::Operand) for another length.
    pub(super) fn kernel(&self, shape: &[usize]) -> Result<Option<&'a [f32]>> {
        let kernel = self.right();
        kernel.map_or(Ok(()), |kernel| check_length(self.node, "kernel", shape, kernel.len()))?;
        Ok(kernel)
    }

    /// Finds the right side packed in this way, or packs it.
    ///
    /// # Errors
    ///
    /// What `pack` reports.
    pub(super) fn packed(
        &mut self,
        right: &[f32],
        form: &[usize],
        pack: impl FnOnce() -> Result<Vec<Packed>>,
    ) -> Result<Arc<[Packed]>> {
        match self.shelf.0.entry((right.as_ptr().addr(), right.len(), form.to_vec())) {
            Entry::Occupied(found) => Ok(Arc::clone(found.get())),
            Entry::Vacant(place) => Ok(Arc::clone(place.insert(pack()?.into()))),
        }
    }
}

impl Shelf {
    /// Returns how many bytes all that was packed takes.
    pub(crate) fn bytes(&self) -> usize {
        self.0.values().flat_map(|packed| packed.iter()).map(Packed::bytes).sum()
    }
}
