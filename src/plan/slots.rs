//! Slot assignment: values that do not live at the same time share a buffer.

use std::cmp::Reverse;
use std::collections::{BTreeSet, BinaryHeap};

/// A value's life, in numbers of nodes: made by one, last used by another.
#[derive(Clone, Copy, Debug)]
pub(super) struct Life {
    pub made: usize,
    pub last_use: usize,
    pub bytes: u64,
}

/// Assigns each life a slot and returns the slots' sizes, in bytes.
///
/// Lives come in the order they are made. A slot is free for a value made after the
/// last use of the one before it: never by the same node, since a kernel cannot read
/// and write one buffer. Of the free slots the smallest that fits is taken, else the
/// largest grows.
pub(super) fn assign(lives: &[Life]) -> (Vec<usize>, Vec<u64>) {
    let mut sizes: Vec<u64> = Vec::new();
    // What is free, the smallest first; what is not, the first to become free on top.
    let mut free: BTreeSet<(u64, usize)> = BTreeSet::new();
    let mut busy: BinaryHeap<Reverse<(usize, usize)>> = BinaryHeap::new();
    let mut chosen = Vec::with_capacity(lives.len());
    for life in lives {
        while let Some(&Reverse((until, slot))) = busy.peek()
            && until < life.made
        {
            busy.pop();
            free.insert((sizes[slot], slot));
        }
        let fitting = free.range((life.bytes, 0)..).next().copied();
        let slot = if let Some(found) = fitting.or_else(|| free.last().copied()) {
            free.remove(&found);
            found.1
        } else {
            sizes.push(0);
            sizes.len() - 1
        };
        sizes[slot] = sizes[slot].max(life.bytes);
        busy.push(Reverse((life.last_use, slot)));
        chosen.push(slot);
    }
    (chosen, sizes)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn life(made: usize, last_use: usize, bytes: u64) -> Life {
        Life { made, last_use, bytes }
    }

    #[test]
    fn a_chain_needs_two_slots() {
        let lives = [life(1, 2, 10), life(2, 3, 20), life(3, 4, 10), life(4, 5, 5)];
        let (chosen, sizes) = assign(&lives);
        assert_eq!(chosen, [0, 1, 0, 1]);
        assert_eq!(sizes, [10, 20]);
    }

    #[test]
    fn a_skip_connection_keeps_its_slot() {
        let lives = [life(1, 4, 10), life(2, 3, 10), life(3, 4, 10), life(4, 5, 10)];
        let (chosen, sizes) = assign(&lives);
        assert_eq!(chosen, [0, 1, 2, 1]);
        assert_eq!(sizes, [10, 10, 10]);
    }

    #[test]
    fn the_smallest_that_fits_is_taken_or_the_largest_grows() {
        let lives = [life(1, 3, 10), life(2, 3, 30), life(4, 6, 20), life(5, 6, 5), life(7, 8, 40)];
        let (chosen, sizes) = assign(&lives);
        assert_eq!(chosen, [0, 1, 1, 0, 1]);
        assert_eq!(sizes, [10, 40]);
    }

    #[test]
    fn lives_that_overlap_never_share() {
        let lives: Vec<Life> = (1..40)
            .map(|made| life(made, made + 1 + made * 7 % 5, (made * 13 % 11) as u64))
            .collect();
        let (chosen, sizes) = assign(&lives);
        for (i, one) in lives.iter().enumerate() {
            assert!(sizes[chosen[i]] >= one.bytes);
            for (j, two) in lives.iter().enumerate().skip(i + 1) {
                let overlap = two.made <= one.last_use;
                assert!(!(overlap && chosen[i] == chosen[j]), "{i} and {j} share a slot");
            }
        }
    }
}
