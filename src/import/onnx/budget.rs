//! How much an import makes of constants: a file of a few bytes must not ask for gigabytes.

use crate::error::{Error, Result};

/// The most bytes of values that nodes of constants give and of indices that nodes hold, in all.
/// The arrays of the file itself are not among them.
const MOST_BYTES: u64 = 64 << 20;

/// The most bytes of floats that nodes fill with one number, unless the caller says otherwise:
/// models without their own weights are written so.
const MOST_FILLED: u64 = 1 << 30;

/// What is left of the bytes that an import may make.
#[derive(Debug)]
pub(super) struct Budget {
    left: u64,
    most_filled: u64,
    filled_left: u64,
}

impl Budget {
    pub(super) fn new(most_filled: Option<u64>) -> Self {
        let most_filled = most_filled.unwrap_or(MOST_FILLED);
        Budget { left: MOST_BYTES, most_filled, filled_left: most_filled }
    }

    /// Takes bytes for floats that are all one number, before they are made.
    ///
    /// # Errors
    ///
    /// [`Error::Limit`] when there are not as many left.
    pub(super) fn fill(&mut self, node: &str, elements: usize) -> Result<()> {
        let bytes = (elements as u64).checked_mul(size_of::<f32>() as u64);
        match bytes.and_then(|bytes| self.filled_left.checked_sub(bytes)) {
            Some(left) => {
                self.filled_left = left;
                Ok(())
            }
            None => Err(Error::Limit {
                node: node.to_owned(),
                tensor: "what nodes fill with one number".to_owned(),
                bytes: format!("{elements} elements of 4 bytes more"),
                limit_name: "the most in a model".to_owned(),
                limit: format!(
                    "{} bytes, of which {} are left",
                    self.most_filled, self.filled_left
                ),
                remedy: "allow more with ImportOptions::filled_bytes".to_owned(),
            }),
        }
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
