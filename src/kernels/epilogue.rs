//! Epilogues as the shaders read them: behind a family's own parameters.

use std::borrow::Cow;

use super::activation::code;
use super::shader::Draft;
use super::{Work, binary, narrow};
use crate::error::{Error, Result};
use crate::ops::BinaryOp;
use crate::ops::elementwise::LAST_COMMON;
use crate::ops::epilogue::{Epilogue, MAX_STAGES, Stage};

/// How `shaders/shared/epilogue.wgsl` says that a kernel has every function, or not.
const ALL_FUNCTIONS: &str = "const ALL_FUNCTIONS: bool = true;";
const COMMON_FUNCTIONS: &str = "const ALL_FUNCTIONS: bool = false;";
/// What a stage's number is above that of its function of two operands.
const BINARY: u32 = 1024;
/// Added where the extra operand is the left one.
const SWAPPED: u32 = 1024;

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
                code("", *activation).is_ok_and(|(code, ..)| code <= LAST_COMMON[0])
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
    binary::code(operation) <= LAST_COMMON[1]
}

/// Chooses between an entry point without stages and one that applies them.
///
/// Families that need no stages for their own functions compile faster without them, and of less
/// source: [`Shader::source_of`](super::Shader::source_of).
pub(super) fn staged(
    epilogue: &Epilogue,
    plain: &'static str,
    staged: &'static str,
) -> &'static str {
    if epilogue.stages.is_empty() { plain } else { staged }
}

impl Draft<'_> {
    /// Gives the stages of an epilogue, and its extra operand's period.
    ///
    /// # Errors
    ///
    /// [`Error::Unsupported`] for more than [`MAX_STAGES`] stages, and for functions that
    /// are not fusable ([`Stage::is_fusable`]),
    /// [`Error::Limit`] for an extra operand that 32 bits cannot number.
    pub(super) fn epilogue(self, epilogue: &Epilogue) -> Result<Self> {
        check(self.node, epilogue, Stage::is_fusable)?;
        self.fill(epilogue)
    }

    /// As [`Draft::epilogue`], for a kernel that has every function of one operand.
    pub(super) fn any_epilogue(self, epilogue: &Epilogue) -> Result<Self> {
        check(self.node, epilogue, |stage| !stage.reads_extra() || stage.is_fusable())?;
        self.fill(epilogue)
    }

    fn fill(self, epilogue: &Epilogue) -> Result<Self> {
        let refuse = |what: String, remedy: &str| Error::Unsupported {
            node: self.node.to_owned(),
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
        let [period] = narrow(self.node, "the extra operand", [epilogue.period])?;
        let (mut kinds, mut alphas, mut betas) =
            ([0u32; MAX_STAGES], [0f32; MAX_STAGES], [0f32; MAX_STAGES]);
        let mut count = 0u32;
        for (number, stage) in stages.iter().enumerate() {
            (kinds[number], alphas[number], betas[number]) = match stage {
                Stage::Unary(activation) => code(self.node, *activation)?,
                Stage::Binary { operation, swapped } => {
                    let side = if *swapped { SWAPPED } else { 0 };
                    (BINARY + side + binary::code(*operation), 0.0, 0.0)
                }
            };
            count += 1;
        }
        let draft = self.set("epilogue.count", count).set("epilogue.period", period.max(1));
        let draft = draft.set("epilogue.kinds", kinds).set("epilogue.alphas", alphas);
        Ok(draft.set("epilogue.betas", betas))
    }
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
