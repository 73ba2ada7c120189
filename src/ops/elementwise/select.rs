//! Choosing between two values, element by element.

use crate::error::Result;
use crate::graph::{Graph, Operand, Site, Symbol, title};
use crate::ops::Op;
use crate::ops::elementwise::binary::broadcast_operands;

impl Graph {
    /// Takes `on_true` where the condition is not zero, else `on_false`: ONNX's Where.
    ///
    /// NaN is not zero. All three broadcast as in NumPy; comparisons such as
    /// [`Graph::greater`] give conditions of 0 and 1.
    ///
    /// # Errors
    ///
    /// [`Error::Operand`](crate::Error::Operand) when the shapes do not broadcast or have more
    /// than [`MAX_BROADCAST_RANK`](crate::ops::elementwise::binary::MAX_BROADCAST_RANK) dimensions, or for a symbol
    /// of another graph.
    pub fn select(
        &mut self,
        condition: Symbol,
        on_true: Symbol,
        on_false: Symbol,
    ) -> Result<Symbol> {
        let name = self.name_for("where", None)?;
        let node = title("where", &name);
        let condition = self.operand(&node, "condition", condition)?;
        let on_true = self.operand(&node, "on_true", on_true)?;
        let on_false = self.operand(&node, "on_false", on_false)?;
        let all = [condition.describe(), on_true.describe(), on_false.describe()];
        let site = Site::new(&node, all.join(", "));
        let shape = broadcast_operands(&site, &condition, &on_true)?;
        let both =
            Operand { name: format!("{}, {}", condition.name, on_true.name), shape, ..on_true };
        let shape = broadcast_operands(&site, &both, &on_false)?;
        let operands = vec![condition.index, both.index, on_false.index];
        Ok(self.insert(name, Op::Select, operands, Vec::new(), shape))
    }
}
