//! A stack that holds what the WGSL compiler does with the deepest source.

use crate::error::{Error, Result};

/// Measured without optimization: the deepest chain that the bounds allow takes about a third.
/// Only what is used of it becomes memory.
const STACK_BYTES: usize = 64 << 20;

/// Compiles something on a thread with a large stack, and waits for it.
///
/// # Errors
///
/// [`Error::Unsupported`] when the compiler panics or the thread cannot be had.
pub(crate) fn with_large_stack<T: Send>(
    title: &str,
    body: impl FnOnce() -> Result<T> + Send,
) -> Result<T> {
    let refuse = |what: String, remedy: &str| Error::Unsupported {
        node: title.to_owned(),
        what,
        remedy: remedy.to_owned(),
    };
    std::thread::scope(|scope| {
        let thread = std::thread::Builder::new()
            .name("longshore-wgsl".to_owned())
            .stack_size(STACK_BYTES)
            .spawn_scoped(scope, body)
            .map_err(|error| {
                refuse(
                    format!("compiling without a thread of its own ({error})"),
                    "end other threads, or allow the process more memory",
                )
            })?;
        // A panic there is a defect of the compiler; it ends with its thread.
        thread.join().unwrap_or_else(|_| {
            Err(refuse(
                "a source that makes the WGSL compiler panic".to_owned(),
                "simplify the source, and please report it as a bug in longshore",
            ))
        })
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_panic_is_an_error() {
        let error = with_large_stack("kernel \"k\"", || -> Result<()> { panic!("on purpose") });
        let text = error.unwrap_err().to_string();
        assert!(text.starts_with("kernel \"k\": a source that makes the WGSL compiler"), "{text}");
        assert_eq!(with_large_stack("kernel \"k\"", || Ok(3)).unwrap(), 3);
    }
}
