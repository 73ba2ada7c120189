//! Epilogues as the shaders read them: behind a family's own parameters.

use std::borrow::Cow;

use bytemuck::{Pod, Zeroable};

use super::activation::code;
use super::{Work, binary, narrow};
use crate::error::{Error, Result};
use crate::ops::BinaryOp;
use crate::ops::epilogue::{Epilogue, MAX_STAGES, Stage};

/// How `shaders/shared/epilogue.wgsl` says that a kernel has every function, or not.
const ALL_FUNCTIONS: &str = "const ALL_FUNCTIONS: bool = true;";
const COMMON_FUNCTIONS: &str = "const ALL_FUNCTIONS: bool = false;";
/// The last common functions, by their numbers: `AFFINE` and `DIVIDE` of the shaders.
const LAST_COMMON_UNARY: u32 = 4;
const LAST_COMMON_BINARY: u32 = 3;
/// What a stage's number is above that of its function of two operands.
const BINARY: u32 = 1024;
/// Added where the extra operand is the left one.
const SWAPPED: u32 = 1024;

/// The last member of the parameters of a family with an epilogue.
#[repr(C)]
#[derive(Clone, Copy, Debug, PartialEq, Pod, Zeroable)]
struct Packed {
    count: u32,
    period: u32,
    unused: [u32; 2],
    kinds: [u32; MAX_STAGES],
    alphas: [f32; MAX_STAGES],
    betas: [f32; MAX_STAGES],
}

/// Bytes of an epilogue in the parameters, and what it is aligned to.
pub const SIZE: usize = size_of::<Packed>();
/// What an epilogue's place in the parameters is a multiple of.
pub const ALIGNMENT: usize = 16;

/// Which functions a kernel is compiled with.
///
/// Drivers that compute every case of a `switch`, as software ones do, are slowed down by each,
/// and others keep registers for the longest. Two kernels of one entry point are a fair price.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Functions {
    /// Those of most networks: relu, clip, leaky relu, affine, and the four basic operations.
    Common,
    /// All that can be stages.
    All,
}

impl Functions {
    /// Returns what some work needs.
    #[must_use]
    pub fn of(work: &Work) -> Self {
        let operation = match work {
            Work::Binary(geometry) => is_common_binary(geometry.operation),
            _ => true,
        };
        let is_common = |stage: &Stage| match stage {
            Stage::Unary(activation) => {
                code("", *activation).is_ok_and(|(code, ..)| code <= LAST_COMMON_UNARY)
            }
            Stage::Binary { operation, .. } => is_common_binary(*operation),
        };
        let stages = work.epilogue().map_or(&[][..], |epilogue| &epilogue.stages);
        if operation && stages.iter().all(is_common) { Functions::Common } else { Functions::All }
    }

    /// Returns WGSL with these functions.
    #[must_use]
    pub fn choose(self, source: &str) -> Cow<'_, str> {
        match self {
            Functions::All => Cow::from(source),
            Functions::Common => Cow::from(source.replace(ALL_FUNCTIONS, COMMON_FUNCTIONS)),
        }
    }
}

fn is_common_binary(operation: BinaryOp) -> bool {
    binary::code(operation) <= LAST_COMMON_BINARY
}

/// Chooses between an entry point without stages and one that applies them.
///
/// Families that need no stages for their own functions compile faster without them, and of less
/// source: [`Family::source_of`](super::Family::source_of).
pub(super) fn staged(
    epilogue: &Epilogue,
    plain: &'static str,
    staged: &'static str,
) -> &'static str {
    if epilogue.stages.is_empty() { plain } else { staged }
}

/// Appends an epilogue to a family's own parameters.
///
/// # Errors
///
/// [`Error::Unsupported`] for more than [`MAX_STAGES`] stages, for softmax and for functions that
/// are not fusable ([`Stage::is_fusable`]),
/// [`Error::Limit`] for an extra operand that 32 bits cannot number.
pub fn append(node: &str, params: Vec<u8>, epilogue: &Epilogue) -> Result<Vec<u8>> {
    check(node, epilogue, Stage::is_fusable)?;
    pack(node, params, epilogue)
}

/// As [`append`], for a kernel that has every function of one operand.
///
/// # Errors
///
/// As [`append`], but for functions of one operand that are not fusable.
pub fn append_rare(node: &str, params: Vec<u8>, epilogue: &Epilogue) -> Result<Vec<u8>> {
    check(node, epilogue, |stage| !stage.reads_extra() || stage.is_fusable())?;
    pack(node, params, epilogue)
}

fn check(node: &str, epilogue: &Epilogue, is_known: fn(&Stage) -> bool) -> Result<()> {
    match epilogue.stages.iter().find(|stage| !is_known(stage)) {
        None => Ok(()),
        Some(stage) => Err(Error::Unsupported {
            node: node.to_owned(),
            what: format!("{stage} in its epilogue"),
            remedy: "apply it as a node of its own".to_owned(),
        }),
    }
}

fn pack(node: &str, mut params: Vec<u8>, epilogue: &Epilogue) -> Result<Vec<u8>> {
    let refuse = |what: String, remedy: &str| Error::Unsupported {
        node: node.to_owned(),
        what,
        remedy: remedy.to_owned(),
    };
    let stages = &epilogue.stages;
    if stages.len() > MAX_STAGES {
        return Err(refuse(
            format!("an epilogue of {} stages", stages.len()),
            "apply the rest as nodes of their own",
        ));
    }
    if epilogue.has_extra() && epilogue.period == 0 {
        return Err(refuse(
            "an epilogue with an extra operand of no elements".to_owned(),
            "give the number of its elements as the period",
        ));
    }
    let [period] = narrow(node, "the extra operand", [epilogue.period])?;
    let mut packed = Packed { period: period.max(1), ..Packed::zeroed() };
    for (number, stage) in (0u32..).zip(stages) {
        let (kind, alpha, beta) = match stage {
            Stage::Unary(activation) => code(node, *activation)?,
            Stage::Binary { operation, swapped } => {
                let side = if *swapped { SWAPPED } else { 0 };
                (BINARY + side + binary::code(*operation), 0.0, 0.0)
            }
        };
        let index = number as usize;
        (packed.kinds[index], packed.alphas[index], packed.betas[index]) = (kind, alpha, beta);
        packed.count = number + 1;
    }
    params.resize(params.len().next_multiple_of(ALIGNMENT), 0);
    params.extend_from_slice(bytemuck::bytes_of(&packed));
    Ok(params)
}
