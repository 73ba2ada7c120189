//! Names of nodes: given ones, and those with a number that nodes get otherwise.

use super::{Graph, Symbol};
use crate::error::{Error, Result, listed};

impl Graph {
    /// Gives the operation behind a symbol a name of its own choosing.
    ///
    /// # Errors
    ///
    /// [`Error::Name`] when another node has that name or the symbol is another graph's.
    pub fn rename(&mut self, symbol: Symbol, name: impl Into<String>) -> Result<Symbol> {
        let name = name.into();
        let index = self.index_of("rename", "symbol", symbol)?;
        self.check_free("rename", &name, Some(index))?;
        let old = std::mem::replace(&mut self.nodes[index].name, name.clone());
        if self.names.get(&old) == Some(&index) {
            self.names.remove(&old);
            self.free_number(&old);
        }
        self.names.insert(name, index);
        Ok(symbol)
    }

    /// Chooses a node's name: the given one, or the kind with a number as Keras does.
    pub(crate) fn name_for(&mut self, kind: &str, given: Option<&str>) -> Result<String> {
        if let Some(name) = given {
            self.check_free(kind, name, None)?;
            return Ok(name.to_owned());
        }
        let numbered = |number: usize| match number {
            0 => kind.to_owned(),
            number => format!("{kind}_{number}"),
        };
        // Not from 0 each time: a network of very many nodes would take for ever.
        let mut number = self.numbers.get(kind).copied().unwrap_or(0);
        let mut name = numbered(number);
        while self.names.contains_key(&name) || self.has_half(&name) {
            number += 1;
            name = numbered(number);
        }
        self.numbers.insert(kind.to_owned(), number);
        Ok(name)
    }

    /// Tells whether a layer of two nodes that was renamed left its first half's name, as
    /// `NAME/moments`.
    fn has_half(&self, name: &str) -> bool {
        let halves = format!("{name}/");
        let next = self.names.range(halves.clone()..).next();
        next.is_some_and(|(found, _)| found.starts_with(&halves))
    }

    /// Lets a kind's numbers begin again at that of a name that is free now.
    fn free_number(&mut self, name: &str) {
        if let Some(number) = self.numbers.get_mut(name) {
            *number = 0;
        }
        let Some((kind, number)) = name.rsplit_once('_') else { return };
        if let (Some(known), Ok(number)) = (self.numbers.get_mut(kind), number.parse::<usize>()) {
            *known = number.min(*known);
        }
    }

    fn check_free(&self, kind: &str, name: &str, except: Option<usize>) -> Result<()> {
        match self.names.get(name) {
            Some(&index) if Some(index) != except => {
                Err(self.name_error(kind, "there is already a node named", name))
            }
            _ => Ok(()),
        }
    }

    pub(super) fn name_error(&self, node: &str, problem: &str, name: &str) -> Error {
        Error::Name {
            node: node.to_owned(),
            problem: problem.to_owned(),
            name: name.to_owned(),
            known: listed(self.nodes.iter().map(|node| node.name.as_str())),
            remedy: "choose one name for one thing".to_owned(),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn numbers_are_the_lowest_that_are_free() {
        let mut graph = Graph::new();
        let x = graph.input("x", [2]);
        let made: Vec<Symbol> =
            (0..4).map(|_| graph.activation(x, crate::Activation::Relu).unwrap()).collect();
        let names: Vec<&str> = graph.nodes().iter().map(|node| node.name.as_str()).collect();
        assert_eq!(names, ["x", "relu", "relu_1", "relu_2", "relu_3"]);
        graph.rename(made[1], "mine").unwrap();
        assert_eq!(graph.name_for("relu", None).unwrap(), "relu_1");
        graph.rename(made[0], "relu_1").unwrap();
        assert_eq!(graph.name_for("relu", None).unwrap(), "relu");
        graph.rename(made[0], "relu").unwrap();
        assert_eq!(graph.name_for("relu", None).unwrap(), "relu_1");
        graph.truncate(3);
        assert_eq!(graph.name_for("relu", None).unwrap(), "relu_1");
        assert_eq!(graph.name_for("gelu", None).unwrap(), "gelu");
    }
}
