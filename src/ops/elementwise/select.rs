//! Choosing between two values, element by element.

use crate::error::Result;
use crate::graph::{Graph, Node, Operand, Symbol};
use crate::kernels::Work;
use crate::kernels::select::Geometry;
use crate::ops::elementwise::binary::broadcast_operands;
use crate::ops::{Arguments, Op, Operator, Shapes};
use crate::shape::Shape;

impl Graph {
    /// Takes `on_true` where the condition is not zero, else `on_false`: ONNX's Where.
    ///
    /// NaN is not zero. All three broadcast as in NumPy; comparisons such as
    /// [`Graph::greater`] give conditions of 0 and 1.
    ///
    /// # Errors
    ///
    /// [`Error::Operand`](crate::Error::Operand) when the shapes do not broadcast or have more
    /// than [`MAX_BROADCAST_RANK`](crate::ops::MAX_BROADCAST_RANK) dimensions, or for a symbol
    /// of another graph.
    pub fn select(
        &mut self,
        condition: Symbol,
        on_true: Symbol,
        on_false: Symbol,
    ) -> Result<Symbol> {
        let operands = [("condition", condition), ("on_true", on_true), ("on_false", on_false)];
        let pending = self.begin("where", None, operands)?;
        self.add_node(pending, Op::Select, Vec::new())
    }
}

/// The operator, which has no options.
pub(crate) struct Select;

impl Operator for Select {
    fn name(&self) -> &'static str {
        "where"
    }

    fn infer(&self, of: &Arguments<'_>) -> Result<Shape> {
        let [condition, on_true, on_false] = of.only()?;
        let site = of.site("");
        let shape = broadcast_operands(&site, condition, on_true)?;
        let name = format!("{}, {}", condition.name, on_true.name);
        let both = Operand { name, shape, index: on_true.index };
        broadcast_operands(&site, &both, on_false)
    }

    fn work(&self, at: &Shapes) -> Option<Work> {
        Some(Work::Select(Geometry {
            condition: at.operand(0)?.to_vec(),
            on_true: at.operand(1)?.to_vec(),
            on_false: at.operand(2)?.to_vec(),
        }))
    }

    fn reordered(&self, _node: &Node, _perm: &[usize]) -> Option<Op> {
        Some(Op::Select)
    }
}
