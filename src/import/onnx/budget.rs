//! How much an import makes of constants: a file of a few bytes must not ask for gigabytes.

use crate::error::{Error, Result};

/// The most bytes of values that nodes of constants give and of indices that nodes hold, in all.
/// The arrays of the file itself are not among them.
const MOST_BYTES: u64 = 64 << 20;

/// What is left of the bytes that an import may make.
#[derive(Debug)]
pub(super) struct Budget {
    left: u64,
}

impl Budget {
    pub(super) fn new() -> Self {
        Budget { left: MOST_BYTES }
    }

    /// Takes bytes for a node's result, before it is made where its size is known by then.
    ///
    /// # Errors
    ///
    /// [`Error::Limit`] when there are not as many left.
    pub(super) fn spend(&mut self, node: &str, elements: usize, each: usize) -> Result<()> {
        let bytes = (elements as u64).checked_mul(each as u64);
        match bytes.and_then(|bytes| self.left.checked_sub(bytes)) {
            Some(left) => {
                self.left = left;
                Ok(())
            }
            None => Err(Error::Limit {
                node: node.to_owned(),
                tensor: "what the import computes of constants".to_owned(),
                bytes: format!("{elements} elements of {each} bytes more"),
                limit_name: "the most in a model".to_owned(),
                limit: format!("{MOST_BYTES} bytes, of which {} are left", self.left),
                remedy: "store the value as an initializer, or compute it from an input".to_owned(),
            }),
        }
    }
}
