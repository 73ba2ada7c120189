//! Which pieces of a concatenation are written where they belong, by the steps that make them.
//!
//! The pieces of a concatenation lie behind one another, each in one run, where all axes in front of
//! the joined one have length 1. What makes such a piece can write into the concatenation's buffer,
//! and then no step copies it. A piece is copied as before where it is not made by a step (an
//! input, a constant), leaves in a buffer of its own (an output), stands there twice or in another
//! concatenation already, or begins where the device cannot bind; where a step would read and write one
//! buffer, which WebGPU refuses even for ranges apart; and where more memory would be held, as
//! the whole buffer lives from its first piece on.

use std::cmp::Reverse;

use super::homes::Homes;
use super::lower::buffer_bytes;
use super::slots;
use crate::graph::Graph;
use crate::ops::Op;
use crate::ops::movement::concat;
use crate::passes::{CONCAT_IN_PLACE, PassReport};

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
    /// Lists for each root the nodes whose steps read it.
    fn readers(&self) -> Vec<Vec<usize>> {
        let mut readers = vec![Vec::new(); self.roots.len()];
        for (index, node) in self.graph.nodes().iter().enumerate() {
            if self.live[index] && self.is_stored[index] {
                node.operands.iter().for_each(|&operand| readers[self.roots[operand]].push(index));
            }
        }
        readers
    }

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

/// What choosing may look at: nodes, their operands and readers, slots. Each look at the slots takes
/// as many as there are nodes: there can be thousands in the largest networks, while a file of a
/// hundred thousand concatenations is planned in seconds.
const LOOKS: usize = 1 << 23;
/// Why pieces are copied that were not looked at.
const TOO_LONG: &str = "the plan is too long to look at it";

/// Chooses what is written in place; ranges begin at multiples of `alignment` bytes.
pub(super) fn choose(values: &Values<'_>, alignment: u64) -> (Homes, PassReport) {
    let nodes = values.roots.len();
    let homes = Homes::none(nodes);
    let mut choice = Choice {
        values,
        alignment,
        bytes: slot_bytes(values, &homes),
        homes,
        readers: values.readers(),
        beside: vec![usize::MAX; nodes],
        looks: LOOKS,
        report: PassReport::new(CONCAT_IN_PLACE),
    };
    for (index, node) in values.graph.nodes().iter().enumerate() {
        if let Op::Concat(concat::Resolved { axis }) = node.op
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
    /// The nodes whose steps read each root.
    readers: Vec<Vec<usize>>,
    /// The concatenation whose buffer a root was last put into.
    beside: Vec<usize>,
    /// How much may still be looked at.
    looks: usize,
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
        let mut roots: Vec<usize> = pieces.iter().map(|piece| piece.root).collect();
        roots.sort_unstable();
        self.beside[index] = index;
        for &piece in &pieces {
            let first = roots.partition_point(|&root| root < piece.root);
            let is_twice = roots.get(first + 1) == Some(&piece.root);
            if let Some(why) = self.refusal(index, is_twice, piece) {
                left.push((piece.number, why));
                continue;
            }
            self.homes.put(piece.root, index, piece.offset);
            taken.push(piece);
        }
        // The buffer lives from its first piece on: without it, for less long.
        taken.sort_by_key(|piece| Reverse(piece.root));
        loop {
            let bytes =
                self.look(self.values.roots.len()).then(|| slot_bytes(self.values, &self.homes));
            let more = bytes.map(|bytes| bytes.saturating_sub(self.bytes));
            if more == Some(0) {
                self.bytes = bytes.unwrap_or(self.bytes);
                break;
            }
            let Some(piece) = taken.pop() else { break };
            left.push((
                piece.number,
                more.map_or(TOO_LONG.to_owned(), |more| {
                    format!("slots would take {more} bytes more")
                }),
            ));
            self.homes.remove(piece.root);
        }
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
    fn refusal(&mut self, index: usize, is_twice: bool, piece: Piece) -> Option<String> {
        let Piece { root, offset, .. } = piece;
        let graph = self.values.graph;
        let op = &graph.node(root).op;
        let reasons = [
            (matches!(op, Op::Input), "is an input"),
            (matches!(op, Op::Constant), "is a constant"),
            (self.values.is_output[root], "is an output"),
            (is_twice, "is there more than once"),
        ];
        if let Some((_, why)) = reasons.into_iter().find(|(is_so, _)| *is_so) {
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
        let inside = self.homes.within(root);
        let around = |&one: &usize| graph.node(one).operands.len() + self.readers[one].len() + 1;
        if !self.look(inside.iter().map(around).sum()) {
            return Some(TOO_LONG.to_owned());
        }
        if let Some(node) = self.conflict(index, &inside) {
            return Some(format!("{} would read and write one buffer", graph.node(node).title()));
        }
        for one in inside {
            self.beside[one] = index;
        }
        None
    }

    /// Finds the first node of which a step would read and write one buffer, if what lies `inside`
    /// a root were put into that of a concatenation.
    fn conflict(&self, index: usize, inside: &[usize]) -> Option<usize> {
        let Values { graph, roots, .. } = self.values;
        let is_beside = |root: usize| self.beside[root] == index;
        let reads_beside = |&&one: &&usize| {
            let mut operands = graph.node(one).operands.iter().map(|&operand| roots[operand]);
            operands.any(is_beside)
        };
        let readers = inside.iter().enumerate().flat_map(|(number, &one)| {
            let is_reader = move |&&node: &&usize| {
                // The piece itself, in place, is not read to be joined.
                let is_joined = number == 0 && node == index;
                is_beside(node) && !is_joined
            };
            self.readers[one].iter().filter(is_reader)
        });
        inside.iter().filter(reads_beside).chain(readers).min().copied()
    }

    /// Looks at something of some size, unless too much was looked at already.
    fn look(&mut self, size: usize) -> bool {
        let left = self.looks.checked_sub(size);
        self.looks = left.unwrap_or(0);
        left.is_some()
    }
}

/// Returns the bytes of all slots.
fn slot_bytes(values: &Values<'_>, homes: &Homes) -> u64 {
    let (_, lives) = values.lives(&homes.owners());
    let (_, sizes) = slots::assign(&lives);
    sizes.iter().fold(0, |total: u64, &bytes| total.saturating_add(bytes))
}
