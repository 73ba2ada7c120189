//! Which values are written where a concatenation has them.

/// The concatenation of each piece that is written in place, by the numbers of their roots.
#[derive(Debug)]
pub(super) struct Homes {
    /// The concatenation, and the byte of its value at which the piece begins.
    homes: Vec<Option<(usize, u64)>>,
    /// The pieces written into each concatenation.
    pieces: Vec<Vec<usize>>,
}

impl Homes {
    /// No root is a piece.
    pub(super) fn none(nodes: usize) -> Self {
        Homes { homes: vec![None; nodes], pieces: vec![Vec::new(); nodes] }
    }

    /// Writes a root into a concatenation.
    pub(super) fn put(&mut self, root: usize, concat: usize, offset: u64) {
        self.homes[root] = Some((concat, offset));
        self.pieces[concat].push(root);
    }

    /// Writes a root into a buffer of its own again.
    pub(super) fn remove(&mut self, root: usize) {
        if let Some((concat, _)) = self.homes[root].take() {
            self.pieces[concat].retain(|&piece| piece != root);
        }
    }

    /// Returns the concatenation that a root is written into.
    pub(super) fn concat_of(&self, root: usize) -> Option<usize> {
        self.homes.get(root).copied().flatten().map(|(concat, _)| concat)
    }

    /// Lists what lies in a root's bytes: itself, its pieces, and theirs.
    pub(super) fn within(&self, root: usize) -> Vec<usize> {
        let mut found = vec![root];
        let mut next = 0;
        while let Some(&one) = found.get(next) {
            found.extend(&self.pieces[one]);
            next += 1;
        }
        found
    }

    /// Returns for each node in whose buffer it lies, and at which byte: its own at 0, unless it is
    /// a piece, or a piece of a piece.
    pub(super) fn owners(&self) -> Vec<(usize, u64)> {
        let mut owners: Vec<(usize, u64)> = (0..self.homes.len()).map(|index| (index, 0)).collect();
        // A concatenation comes behind its pieces, so its own owner is known first.
        for (index, home) in self.homes.iter().enumerate().rev() {
            if let Some((concat, offset)) = home {
                let (owner, base) = owners[*concat];
                owners[index] = (owner, base.saturating_add(*offset));
            }
        }
        owners
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn pieces_of_pieces_lie_within() {
        let mut homes = Homes::none(6);
        homes.put(0, 3, 0);
        homes.put(1, 3, 16);
        homes.put(3, 5, 64);
        assert_eq!(homes.within(5), [5, 3, 0, 1]);
        assert_eq!(homes.owners(), [(5, 64), (5, 80), (2, 0), (5, 64), (4, 0), (5, 0)]);
        homes.remove(0);
        assert_eq!((homes.concat_of(0), homes.concat_of(1)), (None, Some(3)));
        assert_eq!(homes.within(5), [5, 3, 1]);
        assert_eq!(homes.owners()[0], (0, 0));
    }
}
