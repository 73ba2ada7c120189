//! Which pieces of a concatenation are written where they belong, by the steps that make them.
//!
//! The pieces of a concatenation lie behind one another, each in one run, where all axes in front of
//! the joined one have length 1. What makes such a piece can write into the concatenation's buffer,
//! and then no step copies it. A piece is copied as before where it is not made by a step (an
//! input, a constant), leaves in a buffer of its own (an output), stands there twice or in another
//! concatenation already, or begins where the device cannot bind; where a step would read and write one
//! buffer, which WebGPU refuses even for ranges apart; and where more memory would be held, as
//! the whole buffer lives from its first piece on.

use super::lower::buffer_bytes;
use super::{PassReport, slots};
use crate::graph::{Graph, Op};

/// The name under which it is chosen, as the passes are.
pub(crate) const NAME: &str = "concat_in_place";

/// The values of a graph, by the numbers of their nodes, as placing sees them.
pub(super) struct Values<'a> {
    pub graph: &'a Graph,
    pub batch: usize,
    /// Whether some output needs the node.
    pub live: &'a [bool],
    /// The node whose bytes a node's value is.
    pub roots: &'a [usize],
    /// Whether it is a root that steps write.
    pub is_stored: Vec<bool>,
    /// Whether it is the root of an output.
    pub is_output: Vec<bool>,
    /// The last node that reads a root.
    pub last_use: Vec<usize>,
    pub bytes: Vec<u64>,
}

impl Values<'_> {
    /// Lists the roots that need a slot, in the order that their buffers are first written, with
    /// the buffers' lives; `owners` as [`Homes::owners`] gives them.
    pub(super) fn lives(&self, owners: &[(usize, u64)]) -> (Vec<usize>, Vec<slots::Life>) {
        let mut made: Vec<usize> = (0..owners.len()).collect();
        let mut last_use = self.last_use.clone();
        for (index, &(owner, _)) in owners.iter().enumerate() {
            made[owner] = made[owner].min(index);
            last_use[owner] = last_use[owner].max(self.last_use[index]);
        }
        let in_slots = |&index: &usize| {
            self.is_stored[index] && !self.is_output[index] && owners[index].0 == index
        };
        let mut kept: Vec<usize> = (0..owners.len()).filter(in_slots).collect();
        kept.sort_by_key(|&index| made[index]);
        let life = |&index: &usize| slots::Life {
            made: made[index],
            last_use: last_use[index],
            bytes: buffer_bytes(self.bytes[index]),
        };
        let lives = kept.iter().map(life).collect();
        (kept, lives)
    }
}

/// Which roots are written where a concatenation has them.
#[derive(Clone, Debug)]
pub(super) struct Homes(Vec<Option<(usize, u64)>>);

impl Homes {
    /// No root is.
    pub(super) fn none(nodes: usize) -> Self {
        Homes(vec![None; nodes])
    }

    /// Returns the concatenation that a root is written into.
    pub(super) fn concat_of(&self, root: usize) -> Option<usize> {
        self.0.get(root).copied().flatten().map(|(concat, _)| concat)
    }

    /// Returns for each node in whose buffer it lies, and at which byte: its own at 0, unless it is
    /// a piece, or a piece of a piece.
    pub(super) fn owners(&self) -> Vec<(usize, u64)> {
        let mut owners: Vec<(usize, u64)> = (0..self.0.len()).map(|index| (index, 0)).collect();
        // A concatenation comes behind its pieces, so its own owner is known first.
        for (index, home) in self.0.iter().enumerate().rev() {
            if let Some((concat, offset)) = home {
                let (owner, base) = owners[*concat];
                owners[index] = (owner, base.saturating_add(*offset));
            }
        }
        owners
    }
}

/// Chooses what is written in place; ranges begin at multiples of `alignment` bytes.
pub(super) fn choose(values: &Values<'_>, alignment: u64) -> (Homes, PassReport) {
    let homes = Homes::none(values.roots.len());
    let bytes = slot_bytes(values, &homes);
    let report = PassReport::new(NAME);
    let mut choice = Choice { values, alignment, homes, bytes, report };
    for (index, node) in values.graph.nodes().iter().enumerate() {
        if let Op::Concat { axis } = node.op
            && values.live[index]
            && values.bytes[index] > 0
        {
            choice.join(index, axis);
        }
    }
    (choice.homes, choice.report)
}

/// A piece with elements of a concatenation.
#[derive(Clone, Copy)]
struct Piece {
    /// Which operand it is.
    number: usize,
    root: usize,
    offset: u64,
}

struct Choice<'a> {
    values: &'a Values<'a>,
    alignment: u64,
    homes: Homes,
    /// What all slots take with these homes.
    bytes: u64,
    report: PassReport,
}

impl Choice<'_> {
    fn join(&mut self, index: usize, axis: usize) {
        let node = self.values.graph.node(index);
        let lengths = node.shape.resolve(self.values.batch);
        let runs = lengths.iter().take(axis).fold(1usize, |all, &one| all.saturating_mul(one));
        if runs != 1 {
            let why = format!("axis {axis} cuts each piece into {runs} runs");
            self.report.left_alone(format!("{}: {why}", node.title()));
            return;
        }
        let pieces = self.pieces(index);
        let mut left = Vec::new();
        let mut taken: Vec<Piece> = Vec::new();
        for &piece in &pieces {
            if let Some(why) = self.refusal(index, &pieces, piece) {
                left.push((piece.number, why));
                continue;
            }
            self.homes.0[piece.root] = Some((index, piece.offset));
            taken.push(piece);
        }
        // The buffer lives from its first piece on: without it, for less long.
        taken.sort_by_key(|piece| piece.root);
        let mut bytes = slot_bytes(self.values, &self.homes);
        while bytes > self.bytes && !taken.is_empty() {
            let piece = taken.remove(0);
            let why = format!("slots would take {} bytes more", bytes - self.bytes);
            left.push((piece.number, why));
            self.homes.0[piece.root] = None;
            bytes = slot_bytes(self.values, &self.homes);
        }
        self.bytes = bytes;
        if !taken.is_empty() {
            let (done, all) = (taken.len(), pieces.len());
            let line = format!("{}: {done} of {all} pieces written in place", node.title());
            self.report.did(line);
        }
        left.sort_unstable();
        for (number, why) in left {
            let piece = node.operands.get(number).map(|&operand| self.values.graph.node(operand));
            let piece = piece.map(crate::graph::Node::title).unwrap_or_default();
            self.report.left_alone(format!("{}: piece {number}, {piece}: {why}", node.title()));
        }
    }

    /// Lists the pieces that have elements.
    fn pieces(&self, index: usize) -> Vec<Piece> {
        let mut offset = 0u64;
        let mut pieces = Vec::new();
        for (number, &operand) in self.values.graph.node(index).operands.iter().enumerate() {
            let root = self.values.roots[operand];
            let bytes = self.values.bytes[root];
            if bytes > 0 {
                pieces.push(Piece { number, root, offset });
            }
            offset = offset.saturating_add(bytes);
        }
        pieces
    }

    /// Says why a piece is copied, beside for the memory that it would take otherwise.
    fn refusal(&self, index: usize, pieces: &[Piece], piece: Piece) -> Option<String> {
        let Piece { root, offset, .. } = piece;
        let graph = self.values.graph;
        let fixed = match graph.node(root).op {
            Op::Input => Some("is an input"),
            Op::Constant => Some("is a constant"),
            _ if self.values.is_output[root] => Some("is an output"),
            _ if pieces.iter().filter(|other| other.root == root).count() > 1 => {
                Some("is there more than once")
            }
            _ => None,
        };
        if let Some(why) = fixed {
            return Some(why.to_owned());
        }
        if let Some(other) = self.homes.concat_of(root) {
            return Some(format!("is written into {}", graph.node(other).title()));
        }
        if !offset.is_multiple_of(self.alignment) {
            return Some(format!(
                "begins at byte {offset}, which is no multiple of {}",
                self.alignment
            ));
        }
        let mut homes = self.homes.clone();
        homes.0[root] = Some((index, offset));
        let node = conflict(self.values, &homes)?;
        Some(format!("{} would read and write one buffer", graph.node(node).title()))
    }
}

/// Finds a node of which a step would read and write one buffer.
fn conflict(values: &Values<'_>, homes: &Homes) -> Option<usize> {
    let owners = homes.owners();
    let reads_own = |&index: &usize| {
        // A piece that is in place is not read to be joined.
        let is_read = |root: usize| homes.concat_of(root) != Some(index);
        let mut roots =
            values.graph.node(index).operands.iter().map(|&operand| values.roots[operand]);
        roots.any(|root| is_read(root) && owners[root].0 == owners[index].0)
    };
    (0..owners.len()).filter(|&index| values.live[index] && values.is_stored[index]).find(reads_own)
}

/// Returns the bytes of all slots.
fn slot_bytes(values: &Values<'_>, homes: &Homes) -> u64 {
    let (_, lives) = values.lives(&homes.owners());
    let (_, sizes) = slots::assign(&lives);
    sizes.iter().fold(0, |total: u64, &bytes| total.saturating_add(bytes))
}
