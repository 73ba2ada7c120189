//! Inputs that take whole numbers alone: an array is checked before it is staged.

#[cfg(feature = "saved")]
use std::collections::BTreeMap;
use std::ops::RangeInclusive;

use super::{Graph, Symbol};
use crate::array::{DType, HostArray};
use crate::error::{Error, Result};
#[cfg(feature = "saved")]
use crate::ops::Op;

impl Graph {
    #[cfg(feature = "saved")]
    pub(crate) fn whole(&self) -> &BTreeMap<String, [i64; 2]> {
        &self.whole
    }

    #[cfg(feature = "saved")]
    pub(crate) fn is_input(&self, name: &str) -> bool {
        self.names.get(name).is_some_and(|&index| self.nodes[index].op == Op::Input)
    }

    /// Tells that an input takes whole numbers of a range alone: its values come out exact only
    /// then. [`Graph::check_input`] holds arrays to it.
    ///
    /// # Errors
    ///
    /// [`Error::Operand`] for a symbol of another graph.
    pub fn whole_input(&mut self, input: Symbol, range: RangeInclusive<i64>) -> Result<()> {
        let index = self.index_of("whole_input", "input", input)?;
        let name = self.nodes[index].name.clone();
        self.whole.insert(name, [*range.start(), *range.end()]);
        Ok(())
    }

    /// Returns the whole numbers that an input takes; none for an input that takes any number.
    #[must_use]
    pub fn whole_range(&self, name: &str) -> Option<RangeInclusive<i64>> {
        self.whole.get(name).map(|&[low, high]| low..=high)
    }

    /// Checks an array against what an input takes, before it is staged: an imported model knows
    /// which inputs it declares in whole numbers, and up to which its own arithmetic is exact.
    ///
    /// ```
    /// use longshore::{Graph, HostArray};
    /// use ndarray::array;
    ///
    /// # fn main() -> longshore::Result<()> {
    /// let mut g = Graph::new();
    /// let ids = g.input("ids", [3usize]);
    /// g.whole_input(ids, 0..=255)?;
    /// g.check_input("ids", &HostArray::from(array![0.0, 7.0, 255.0]))?;
    /// assert!(g.check_input("ids", &HostArray::from(array![0.5, -1.0, 300.0])).is_err());
    /// # Ok(())
    /// # }
    /// ```
    ///
    /// # Errors
    ///
    /// [`Error::Operand`] with the first element that is a fraction or outside of the range.
    pub fn check_input(&self, name: &str, array: &HostArray<'_>) -> Result<()> {
        let Some(&[low, high]) = self.whole.get(name) else { return Ok(()) };
        let [lowest, highest] = [low as f64, high as f64];
        let within = |least: f64, most: f64| lowest <= least && most <= highest;
        let holds = match array.dtype() {
            DType::Bool => within(0.0, 1.0),
            DType::I8 => within(f64::from(i8::MIN), f64::from(i8::MAX)),
            DType::U8 => within(0.0, f64::from(u8::MAX)),
            DType::I16 => within(f64::from(i16::MIN), f64::from(i16::MAX)),
            DType::U16 => within(0.0, f64::from(u16::MAX)),
            DType::I32
            | DType::I64
            | DType::U32
            | DType::U64
            | DType::F16
            | DType::F32
            | DType::F64 => false,
        };
        if holds {
            return Ok(());
        }
        let is_taken = |value: f64| (lowest..=highest).contains(&value) && value.fract() == 0.0;
        let values = array.to_f64();
        let Some((index, value)) = values.indexed_iter().find(|(_, value)| !is_taken(**value))
        else {
            return Ok(());
        };
        Err(Error::Operand {
            node: format!("input \"{name}\""),
            operand: format!("element {:?}", ndarray::Dimension::slice(&index)),
            got: format!("is {value}"),
            expected: format!("it takes whole numbers from {low} to {high}"),
            shapes: format!("{} {:?}", array.dtype(), array.shape()),
            remedy: "bring numbers of that range, in any dtype".to_owned(),
        })
    }
}
