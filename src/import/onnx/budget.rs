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
    computed: Account,
    filled: Account,
}

impl Budget {
    pub(super) fn new(most_filled: Option<u64>) -> Self {
        let computed = Account::new(
            MOST_BYTES,
            "what the import computes of constants",
            "store the value as an initializer, or compute it from an input",
        );
        let filled = Account::new(
            most_filled.unwrap_or(MOST_FILLED),
            "what nodes fill with one number",
            "allow more with ImportOptions::filled_bytes",
        );
        Budget { computed, filled }
    }

    /// Takes bytes for floats that are all one number, before they are made.
    ///
    /// # Errors
    ///
    /// [`Error::Limit`] when there are not as many left.
    pub(super) fn fill(&mut self, node: &str, elements: usize) -> Result<()> {
        self.filled.spend(node, elements, size_of::<f32>())
    }

    /// Takes bytes for a node's result, before it is made where its size is known by then.
    ///
    /// # Errors
    ///
    /// [`Error::Limit`] when there are not as many left.
    pub(super) fn spend(&mut self, node: &str, elements: usize, each: usize) -> Result<()> {
        self.computed.spend(node, elements, each)
    }
}

/// Bytes for one purpose, and what is said when they do not suffice.
#[derive(Debug)]
pub(super) struct Account {
    most: u64,
    left: u64,
    what: &'static str,
    remedy: &'static str,
}

impl Account {
    pub(super) fn new(most: u64, what: &'static str, remedy: &'static str) -> Self {
        Account { most, left: most, what, remedy }
    }

    pub(super) fn spend_bytes(&mut self, node: &str, bytes: u64) -> Result<()> {
        self.take(node, Some(bytes))
    }

    fn spend(&mut self, node: &str, elements: usize, each: usize) -> Result<()> {
        self.take(node, (elements as u64).checked_mul(each as u64))
    }

    /// Takes bytes; none are more than 64 bits count.
    fn take(&mut self, node: &str, bytes: Option<u64>) -> Result<()> {
        match bytes.and_then(|bytes| self.left.checked_sub(bytes)) {
            Some(left) => {
                self.left = left;
                Ok(())
            }
            None => Err(Error::Limit {
                node: node.to_owned(),
                tensor: self.what.to_owned(),
                needed: bytes.unwrap_or(u64::MAX),
                unit: "bytes",
                limit_name: format!("what is left of the {} bytes for a model", self.most),
                limit: Some(self.left),
                remedy: self.remedy.to_owned(),
            }),
        }
    }
}
