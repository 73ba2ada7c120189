//! Lowering: from a graph to steps over numbered buffers.

use super::block::Block;
use super::homes::Homes;
use super::split::{Extent, items_per_step};
use super::{Limits, Place, Plan, Port, Region, Step, inner, work};
use crate::error::{Error, Result};
use crate::graph::{Graph, Node};
use crate::ops::{Op, Stage};
use crate::passes::Report;
use crate::shape::byte_count;

/// Lowers a graph that passes have been over, with pieces of concatenations written where they
/// belong if `in_place`; see [`Graph::plan_with`].
pub(crate) fn lower(
    graph: &Graph,
    mut report: Report,
    batch: usize,
    limits: Limits,
    in_place: bool,
) -> Result<Plan> {
    graph.check()?;
    if batch == 0 {
        return Err(Error::Operand {
            node: "plan".to_owned(),
            operand: "batch".to_owned(),
            got: "is 0".to_owned(),
            expected: "a plan needs at least 1 item".to_owned(),
            shapes: format!("{} nodes", graph.nodes().len()),
            remedy: "plan for the batch that runs will bring".to_owned(),
        });
    }
    let mut lowering = Lowering::new(graph, batch, limits)?;
    report.passes.extend(lowering.place(in_place)?);
    let mut block = Block::new(limits.block_alignment());
    let mut steps = Vec::new();
    for index in 0..graph.nodes().len() {
        lowering.lower_node(index, &mut block, &mut steps)?;
    }
    let (block, block_payload) = block.finish();
    let ports = |name: &str, index: usize| Port {
        name: name.to_owned(),
        shape: graph.node(index).shape.resolve(batch),
        place: lowering.places[lowering.roots[index]],
    };
    let nodes = graph.nodes().iter().enumerate();
    let inputs = nodes.filter(|(_, node)| node.op == Op::Input);
    Ok(Plan {
        batch,
        limits,
        inputs: inputs.map(|(index, node)| ports(&node.name, index)).collect(),
        outputs: graph.outputs().iter().map(|(name, index)| ports(name, *index)).collect(),
        weights: lowering.weights.iter().map(|&index| graph.weights()[index].clone()).collect(),
        slots: lowering.slots,
        output_buffers: lowering.outputs,
        block,
        block_payload,
        steps,
        report,
    })
}

pub(super) struct Lowering<'a> {
    pub(super) graph: &'a Graph,
    pub(super) batch: usize,
    pub(super) limits: Limits,
    /// Whether some output needs the node.
    pub(super) live: Vec<bool>,
    /// The node whose bytes a node's value is: itself, or what it reshapes.
    pub(super) roots: Vec<usize>,
    /// Where each root's bytes lie, and where they begin.
    pub(super) places: Vec<Place>,
    pub(super) offsets: Vec<u64>,
    /// Which roots are written where a concatenation has them.
    pub(super) homes: Homes,
    /// The graph's weights that live nodes use, in order of first use.
    weights: Vec<usize>,
    /// Where each of the graph's weights stands among those.
    numbers: Vec<Option<usize>>,
    pub(super) slots: Vec<u64>,
    pub(super) outputs: Vec<u64>,
}

impl<'a> Lowering<'a> {
    fn new(graph: &'a Graph, batch: usize, limits: Limits) -> Result<Self> {
        let nodes = graph.nodes();
        let mut live = vec![false; nodes.len()];
        for (_, index) in graph.outputs() {
            live[*index] = true;
        }
        // Operands come before the nodes that use them.
        for index in (0..nodes.len()).rev().filter(|&index| nodes[index].op != Op::Input) {
            if live[index] {
                nodes[index].operands.iter().for_each(|&operand| live[operand] = true);
            }
        }
        let mut roots: Vec<usize> = Vec::with_capacity(nodes.len());
        let mut weights = Vec::new();
        let mut numbers: Vec<Option<usize>> = vec![None; graph.weights().len()];
        for (index, node) in nodes.iter().enumerate() {
            let view = node.operands.first().filter(|_| matches!(node.op, Op::Reshape));
            let root = view.map_or(index, |&operand| roots[operand]);
            roots.push(root);
            for &weight in node.weights.iter().filter(|_| live[index]) {
                if numbers[weight].is_none() {
                    numbers[weight] = Some(weights.len());
                    weights.push(weight);
                }
            }
            // A run brings inputs that nothing reads as well.
            if live[index] || node.op == Op::Input {
                check_buffer(node, batch, &limits)?;
            }
        }
        let places = vec![Place::Slot(usize::MAX); nodes.len()];
        Ok(Lowering {
            graph,
            batch,
            limits,
            live,
            roots,
            places,
            offsets: vec![0; nodes.len()],
            homes: Homes::none(nodes.len()),
            weights,
            numbers,
            slots: Vec::new(),
            outputs: Vec::new(),
        })
    }

    /// Returns where a weight of the graph lies; the weights of live nodes alone have a place.
    pub(super) fn weight(&self, weight: usize) -> Place {
        Place::Weight(self.numbers[weight].unwrap_or(usize::MAX))
    }

    /// Returns where a node's operands lie, in the order that kernels bind them: values,
    /// weights, and an epilogue's extra operand.
    fn operands(&self, node: &Node, title: &str) -> Result<(Vec<Region>, Vec<Extent>)> {
        let extra = usize::from(node.stages.iter().any(Stage::reads_extra));
        let (own, extra) = node.operands.split_at(node.operands.len().saturating_sub(extra));
        let value = |&operand: &usize| -> Result<(Region, Extent)> {
            let source = self.graph.node(operand);
            let bytes = byte_count(title, &source.shape.resolve(self.batch))?;
            let (tensor, batched) = (format!("\"{}\"", source.name), source.shape.has_batch());
            Ok((self.region(self.roots[operand], bytes), Extent { tensor, bytes, batched }))
        };
        let weight = |&weight: &usize| -> Result<(Region, Extent)> {
            let found = &self.graph.weights()[weight];
            let bytes = byte_count(title, found.shape())?;
            let (place, tensor) = (self.weight(weight), format!("weight \"{}\"", found.label()));
            Ok((Region { place, offset_bytes: 0, bytes }, Extent { tensor, bytes, batched: false }))
        };
        let values = own.iter().map(value);
        values.chain(node.weights.iter().map(weight)).chain(extra.iter().map(value)).collect()
    }

    fn lower_node(&self, index: usize, block: &mut Block, steps: &mut Vec<Step>) -> Result<()> {
        let node = self.graph.node(index);
        let moves_nothing = matches!(node.op, Op::Input | Op::Reshape | Op::Constant);
        if !self.live[index] || moves_nothing {
            return Ok(());
        }
        let title = node.title();
        let (regions, mut extents) = self.operands(node, &title)?;
        let bytes = byte_count(&title, &node.shape.resolve(self.batch))?;
        if bytes == 0 || self.is_whole(index) {
            return Ok(());
        }
        let result = self.region(index, bytes);
        let batched = node.shape.has_batch();
        extents.push(Extent { tensor: "the result".to_owned(), bytes, batched });
        // A reduction or moments over the batch have a result without one, so `batched` leaves
        // them whole.
        let splittable = batched && node.op.operator().splits_along_batch();
        let ranges = inner::ranges(self.graph, node, &mut extents, &self.limits)?;
        let items = items_per_step(&title, &extents, self.batch, splittable, &self.limits)?;
        let mut first = 0;
        while first < self.batch {
            let count = items.min(self.batch - first);
            let part = Part { first, count, batch: self.batch };
            let most = self.limits.max_compute_workgroups_per_dimension;
            let tasks = work::tasks(self.graph, node, count)?.into_iter();
            for task in tasks.flat_map(|task| task.split(&ranges)) {
                if self.is_done(index, &task.reads) {
                    continue;
                }
                let launch = task.work.launch(&title, most)?;
                let has_table = !launch.table.is_empty();
                let read = |&number: &usize| {
                    let (region, extent) = regions.get(number).zip(extents.get(number))?;
                    Some(part.of(task.region(number, *region), extent.batched))
                };
                steps.push(Step {
                    node: task.title(&part.title(&title)),
                    kernel: launch.kernel,
                    params: block.push_some(launch.params),
                    table: has_table.then(|| block.push(launch.table)),
                    operands: task.reads.iter().filter_map(read).collect(),
                    work: task.work,
                    result: part.of(result, batched),
                    workgroups: launch.workgroups,
                });
            }
            first += count;
        }
        Ok(())
    }
}

/// A range of the batch.
struct Part {
    first: usize,
    count: usize,
    batch: usize,
}

impl Part {
    fn of(&self, region: Region, batched: bool) -> Region {
        if !batched || self.count == self.batch {
            return region;
        }
        let item = region.bytes / self.batch as u64;
        Region {
            place: region.place,
            offset_bytes: region.offset_bytes + item * self.first as u64,
            bytes: item * self.count as u64,
        }
    }

    fn title(&self, title: &str) -> String {
        if self.count == self.batch {
            return title.to_owned();
        }
        format!("{title} items {}..{}", self.first, self.first + self.count)
    }
}

/// Returns the size of a buffer for this many bytes: whole 16-byte vectors, never none.
pub(crate) fn buffer_bytes(bytes: u64) -> u64 {
    bytes.max(1).checked_next_multiple_of(16).unwrap_or(u64::MAX)
}

fn check_buffer(node: &Node, batch: usize, limits: &Limits) -> Result<()> {
    let bytes = byte_count(&node.title(), &node.shape.resolve(batch))?;
    if buffer_bytes(bytes) <= limits.max_buffer_size {
        return Ok(());
    }
    Err(Error::Limit {
        node: node.title(),
        tensor: format!("its value {:?}", node.shape.resolve(batch)),
        needed: bytes,
        unit: "bytes",
        limit_name: "max_buffer_size".to_owned(),
        limit: Some(limits.max_buffer_size),
        remedy:
            "run a smaller batch, or plan with Graph::plan_within for a device with larger buffers"
                .to_owned(),
    })
}
