//! Placing: where each value lies, in an input, a weight, a slot or an output buffer.

use super::homes::Homes;
use super::in_place::{Values, choose};
use super::lower::{Lowering, buffer_bytes};
use super::{Place, Region, slots};
use crate::error::Result;
use crate::ops::Op;
use crate::passes::PassReport;
use crate::shape::byte_count;

impl Lowering<'_> {
    /// Decides where each root's bytes lie; with `in_place` pieces of concatenations where those
    /// have them, and reports which.
    pub(super) fn place(&mut self, in_place: bool) -> Result<Option<PassReport>> {
        let values = self.values()?;
        let (homes, report) = if in_place {
            let alignment = self.limits.min_storage_buffer_offset_alignment;
            let (homes, report) = choose(&values, u64::from(alignment.max(1)));
            (homes, Some(report))
        } else {
            (Homes::none(self.roots.len()), None)
        };
        let owners = homes.owners();
        let (kept, lives) = values.lives(&owners);
        let (chosen, sizes) = slots::assign(&lives);
        let (mut inputs, mut outputs) = (0, Vec::new());
        let mut places = vec![Place::Slot(usize::MAX); self.roots.len()];
        for (index, node) in self.graph.nodes().iter().enumerate() {
            if node.op == Op::Input {
                places[index] = Place::Input(inputs);
                inputs += 1;
            } else if let (Op::Constant, Some(&weight)) = (&node.op, node.weights.first()) {
                places[index] = self.weight(weight);
            } else if values.is_stored[index] && values.is_output[index] {
                places[index] = Place::Output(outputs.len());
                outputs.push(buffer_bytes(values.bytes[index]));
            }
        }
        for (owner, slot) in kept.into_iter().zip(chosen) {
            places[owner] = Place::Slot(slot);
        }
        self.places = owners.iter().map(|&(owner, _)| places[owner]).collect();
        self.offsets = owners.iter().map(|&(_, offset)| offset).collect();
        (self.slots, self.outputs, self.homes) = (sizes, outputs, homes);
        Ok(report)
    }

    /// Describes the graph's values as placing sees them.
    fn values(&self) -> Result<Values<'_>> {
        let nodes = self.graph.nodes();
        let mut values = Values {
            graph: self.graph,
            batch: self.batch,
            live: &self.live,
            roots: &self.roots,
            is_stored: vec![false; nodes.len()],
            is_output: vec![false; nodes.len()],
            last_use: (0..nodes.len()).collect(),
            bytes: vec![0; nodes.len()],
        };
        for (index, node) in nodes.iter().enumerate().filter(|(index, _)| self.live[*index]) {
            for &operand in &node.operands {
                values.last_use[self.roots[operand]] = index;
            }
            let is_made = !matches!(node.op, Op::Input | Op::Constant);
            values.is_stored[index] = is_made && self.roots[index] == index;
            values.bytes[index] = byte_count(&node.title(), &node.shape.resolve(self.batch))?;
        }
        for (_, index) in self.graph.outputs() {
            values.is_output[self.roots[*index]] = true;
        }
        Ok(values)
    }

    /// Names the bytes of a root.
    pub(super) fn region(&self, root: usize, bytes: u64) -> Region {
        Region { place: self.places[root], offset_bytes: self.offsets[root], bytes }
    }

    /// Tells whether a step would move nothing but pieces that are written where the node has them.
    pub(super) fn is_done(&self, index: usize, reads: &[usize]) -> bool {
        let node = self.graph.node(index);
        let home = |&operand: &usize| self.homes.concat_of(self.roots[operand]);
        let is_there = |read: &usize| node.operands.get(*read).and_then(home) == Some(index);
        !reads.is_empty() && reads.iter().all(is_there)
    }

    /// Tells whether every piece of a node with elements is written where the node has it, so that
    /// it has no step, and is never bound by itself.
    pub(super) fn is_whole(&self, index: usize) -> bool {
        let node = self.graph.node(index);
        let has_elements = |read: &usize| {
            let shape = node.operands.get(*read).map(|&operand| &self.graph.node(operand).shape);
            shape.is_some_and(|shape| !shape.resolve(self.batch).contains(&0))
        };
        let reads: Vec<usize> = (0..node.operands.len()).filter(has_elements).collect();
        self.is_done(index, &reads)
    }
}
