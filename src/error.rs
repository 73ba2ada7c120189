//! The one error type: every failure a caller can meet, as data.
//!
//! Every message says where (node), what (operand), what was found, what was
//! expected and what to do about it; the variants carry those parts as fields. Fields quote names as
//! files have them, messages show them [`escaped`].

mod escape;

use std::path::PathBuf;

use escape::one_line;

pub use escape::{Escaped, escaped};

/// A `Result` whose error is [`Error`].
pub type Result<T, E = Error> = std::result::Result<T, E>;

/// The most names that one message lists.
const MOST_LISTED: usize = 64;

/// The remedy where only a bug can be the cause.
pub(crate) const BUG: &str = "this is a bug in longshore; please report it";

/// Joins names for a message; of a great many, the first and how many more there are.
pub(crate) fn listed<'a>(names: impl IntoIterator<Item = &'a str>) -> String {
    let mut names = names.into_iter();
    let list = names.by_ref().take(MOST_LISTED).collect::<Vec<_>>().join(", ");
    match names.count() {
        0 => list,
        more => format!("{list} and {more} more"),
    }
}

/// Names every failure that longshore reports.
///
/// ```
/// use longshore::{Error, Graph, Shape, UpSampling2d};
///
/// # fn main() -> longshore::Result<()> {
/// let mut g = Graph::new();
/// let x = g.input("image", Shape::batch([4096, 4096, 4]));
/// let y = g.up_sampling2d(x, UpSampling2d::nearest(2))?;
/// g.output("enlarged", y);
/// match g.plan(1) {
///     Err(Error::Limit { needed, limit: Some(limit), unit, .. }) => {
///         assert_eq!((needed, limit, unit), (1 << 30, 256 << 20, "bytes"));
///     }
///     other => panic!("{other:?}"),
/// }
/// # Ok(())
/// # }
/// ```
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum Error {
    /// A node, plan or run refuses an operand.
    #[error(
        "{}\n  ({}); {}",
        escaped(format_args!("{node}: {operand} {got} but {expected}")),
        escaped(shapes),
        escaped(remedy)
    )]
    Operand {
        /// Kind and name of the node, as in `conv2d "edges"`.
        node: String,
        /// The operand or option at fault, as in `kernel` or `strides`.
        operand: String,
        /// What was found, opening with a verb: `has 3 input channels`.
        got: String,
        /// What was expected: `"image" has 4`.
        expected: String,
        /// The shapes (or options) the rule looked at: `image [1, 64, 64, 4]`.
        shapes: String,
        /// What to change.
        remedy: String,
    },

    /// A name is missing, unknown or used twice.
    #[error(
        "{}",
        escaped(format_args!("{node}: {problem} \"{name}\"; known: {known}; {remedy}"))
    )]
    Name {
        /// Where the name was looked up.
        node: String,
        /// What is wrong with it: `no input named`.
        problem: String,
        /// The name.
        name: String,
        /// The names there are.
        known: String,
        /// What to change.
        remedy: String,
    },

    /// A node of a model file cannot be imported.
    #[error("{}: {}{source}", escaped(file), before(node, source))]
    Import {
        /// The model's file.
        file: String,
        /// Operator and name of the node in the file.
        node: String,
        /// What it refuses.
        source: Box<Error>,
    },

    /// Something that exists elsewhere is not implemented here.
    #[error("{}", escaped(format_args!("{node}: {what} is not supported; {remedy}")))]
    Unsupported {
        /// Where it was asked for.
        node: String,
        /// What was asked for.
        what: String,
        /// What to use in its place.
        remedy: String,
    },

    /// The WGSL of an own kernel is not valid, or goes beyond the bounds of what is compiled.
    #[error(
        "{}: line {line}, column {column}: {}; correct the WGSL",
        escaped(kernel),
        one_line(message)
    )]
    Wgsl {
        /// The kernel, as in `kernel "sobel"`.
        kernel: String,
        /// The line, counted from 1.
        line: usize,
        /// The character in the line, counted from 1.
        column: usize,
        /// What the WGSL compiler says.
        message: String,
    },

    /// An array has a dtype that cannot become f32.
    #[error(
        "array \"{}\": dtype {} cannot become f32: {reason}; \
         convert it to bool, an integer or a float dtype first",
        escaped(array),
        escaped(dtype)
    )]
    Dtype {
        /// The array's name or file.
        array: String,
        /// The dtype as NumPy writes it.
        dtype: String,
        /// Which family of dtypes it belongs to.
        reason: String,
    },

    /// A file or a byte buffer does not hold what its format promises.
    #[error("{}", escaped(format_args!("{file}: {part} {got} but {expected}; {remedy}")))]
    Format {
        /// The file, or the name given to the bytes.
        file: String,
        /// The part of the format at fault.
        part: String,
        /// What was found, opening with a verb.
        got: String,
        /// What was expected.
        expected: String,
        /// What to do.
        remedy: String,
    },

    /// The operating system refused a file operation.
    #[error("{}: cannot {action}: {}", escaped(path.display()), escaped(reason))]
    Io {
        /// The file.
        path: PathBuf,
        /// What was tried: `open`, `read`, `write`.
        action: &'static str,
        /// The operating system's reason; it is part of the message, so it is no `source`.
        reason: std::io::Error,
    },

    /// An array holds NaN or infinity and the staging policy rejects them.
    #[error(
        "array \"{}\": {nan_count} NaN and {infinite_count} infinite of {element_count} elements, \
         the first is {first_value} at {first_index:?}, but the policy accepts finite values only; \
         clean the array, or stage with StagePolicy::replace_non_finite(value) or allow_non_finite()",
        escaped(array)
    )]
    NonFinite {
        /// The array's label.
        array: String,
        /// How many elements are NaN.
        nan_count: u64,
        /// How many elements are infinite.
        infinite_count: u64,
        /// How many elements there are.
        element_count: u64,
        /// The n-d index of the first one in C order.
        first_index: Vec<usize>,
        /// Its value.
        first_value: f64,
    },

    /// A finite value is too large for f32.
    #[error(
        "array \"{}\": {count} finite values overflow f32, the first is {first_value:e} at {first_index:?}, \
         but the largest f32 is {max:e}; scale the array, or stage with \
         StagePolicy::replace_overflow(value) or allow_overflow()",
        escaped(array),
        max = f32::MAX
    )]
    Overflow {
        /// The array's label.
        array: String,
        /// How many elements overflow.
        count: u64,
        /// The n-d index of the first one in C order.
        first_index: Vec<usize>,
        /// Its value.
        first_value: f64,
    },

    /// A size does not fit a limit of the device, of the address space or of u64.
    #[error(
        "{} needs {} but {} is {}; {}",
        escaped(format_args!("{node}: {tensor}")),
        needed_amount(*needed, unit),
        escaped(limit_name),
        limit_amount(*limit, unit),
        escaped(remedy)
    )]
    Limit {
        /// Where the limit was met.
        node: String,
        /// The tensor or resource that is too large.
        tensor: String,
        /// How much it needs; `u64::MAX` for what 64 bits cannot count.
        needed: u64,
        /// What both numbers count: `bytes`, `elements`, `threads`.
        unit: &'static str,
        /// The limit's name.
        limit_name: String,
        /// The limit's value, where it is known; that of free memory is not.
        limit: Option<u64>,
        /// What to do.
        remedy: String,
    },

    /// A guard refuses a crossing; no byte has moved.
    #[error(
        "crossing refused by guard \"{}\": {direction} of \"{}\" ({bytes} bytes, cause {cause}, \
         at {site}): {}; \
         move it out of the guarded scope, or wrap it in Guard::allow()",
        escaped(guard),
        escaped(label),
        escaped(reason)
    )]
    Crossing {
        /// The guard's name.
        guard: String,
        /// The direction that was tried.
        direction: crate::ledger::Direction,
        /// The tensor's label.
        label: String,
        /// Payload and padding bytes that would have moved.
        bytes: u64,
        /// The operation that wanted to move them.
        cause: crate::ledger::Cause,
        /// Where in the program that was.
        site: crate::ledger::Site,
        /// Why: forbidden, or which budget is spent.
        reason: String,
    },

    /// No adapter answers the request.
    #[error("no adapter: {}", escaped(format_args!("asked for {asked}, found {found}; {remedy}")))]
    NoAdapter {
        /// What was asked for.
        asked: String,
        /// The adapters there are.
        found: String,
        /// What to install on this platform.
        remedy: String,
    },

    /// The device refused an operation.
    #[error("{}: the device refused: {}; {}", escaped(doing), one_line(message), escaped(remedy))]
    Device {
        /// What was being done.
        doing: String,
        /// The device's message.
        message: String,
        /// What to do.
        remedy: String,
    },

    /// The device has no memory left for a buffer.
    #[error(
        "{}: out of device memory ({bytes} bytes asked for); {}",
        escaped(doing),
        escaped(remedy)
    )]
    OutOfMemory {
        /// What was being done.
        doing: String,
        /// The size asked for, or 0 where the device does not say.
        bytes: u64,
        /// What to do.
        remedy: String,
    },

    /// A wait has taken longer than the time limit of [`RuntimeOptions::timeout`].
    ///
    /// [`RuntimeOptions::timeout`]: crate::RuntimeOptions::timeout
    #[error(
        "{} has not ended within the time limit of {limit:?}; \
         raise RuntimeOptions::timeout, or look for a kernel that does not end",
        escaped(format_args!("{doing}: {waited_for}"))
    )]
    Timeout {
        /// What was being done.
        doing: String,
        /// What was waited for: `the work submitted before it`.
        waited_for: String,
        /// The time limit.
        limit: std::time::Duration,
    },

    /// The device is gone.
    #[error(
        "{}: the device is lost ({}); host data is intact: open a new Runtime and stage again",
        escaped(doing),
        one_line(reason)
    )]
    DeviceLost {
        /// What was being done.
        doing: String,
        /// The driver's reason.
        reason: String,
    },
}

fn needed_amount(needed: u64, unit: &str) -> String {
    match needed {
        u64::MAX => format!("more than 2^64 {unit}"),
        count => format!("{count} {unit}"),
    }
}

fn limit_amount(limit: Option<u64>, unit: &str) -> String {
    match limit {
        Some(u64::MAX) => format!("2^64 - 1 {unit}"),
        Some(count) => format!("{count} {unit}"),
        None => "less".to_owned(),
    }
}

/// Names the node of a file before an error that does not.
fn before(node: &str, source: &Error) -> String {
    let node = format!("{}: ", escaped(node));
    if source.to_string().starts_with(&node) { String::new() } else { node }
}
