//! Epilogues: the functions that a kernel is compiled with, and the numbers that they take.

use super::shader::Draft;
use super::{Work, narrow};
use crate::error::{Error, Result};
use crate::ops::BinaryOp;
use crate::ops::epilogue::{Epilogue, MAX_STAGES, Stage};

impl Work {
    /// Returns the functions that its kernel calls and no shader has, in WGSL: those of the stages,
    /// and that of two operands. A pipeline holds these and no other; kernels with equal functions
    /// share it, as constants are parameters.
    #[must_use]
    pub fn functions(&self) -> String {
        let operation =
            if let Work::Binary(geometry) = self { Some(geometry.operation) } else { None };
        self.epilogue().map_or_else(String::new, |epilogue| write(operation, &epilogue.stages))
    }
}

/// Counts the trips of the loops in the functions of the stages: a remainder is a long division of at
/// most 32 steps, and a thread has 16 results at most.
pub(super) fn trip_count(epilogue: &Epilogue) -> u64 {
    let is_remainder = |stage: &&Stage| {
        matches!(stage, Stage::Binary { operation: BinaryOp::Fmod | BinaryOp::Mod, .. })
    };
    epilogue.stages.iter().filter(is_remainder).count() as u64 * 16 * 33
}

/// Writes the functions of a kernel with these stages.
pub(super) fn write(operation: Option<BinaryOp>, stages: &[Stage]) -> String {
    let mut text = operation.map(|found| found.row().binary("operation")).unwrap_or_default();
    let mut calls = [Vec::new(), Vec::new()];
    for (number, stage) in stages.iter().enumerate() {
        let name = format!("stage{number}");
        let arguments = match stage {
            Stage::Unary(function) => {
                text += &function.row().unary(&name);
                format!("params.epilogue.alphas[{number}], params.epilogue.betas[{number}], y")
            }
            Stage::Binary { operation, swapped } => {
                text += &operation.row().binary(&name);
                if *swapped { "other, y" } else { "y, other" }.to_owned()
            }
        };
        calls[0].push(format!("    y = {name}({arguments});\n"));
        calls[1].push(format!("    y = {name}4({arguments});\n"));
    }
    let reads = stages.iter().any(Stage::reads_extra);
    let [other, other4] = if reads { [OTHER, OTHER4] } else { [""; 2] };
    let [calls, calls4] = calls.map(|lines| lines.concat());
    text + &format!(
        "// Applies the stages to result number `index`.
fn finish(index: u32, value: f32) -> f32 {{
    var y = value;
{other}{calls}    return y;
}}

// Applies the stages to the four results from number 4 * `quad` on.
fn finish4(quad: u32, value: vec4<f32>) -> vec4<f32> {{
    var y = value;
{other4}{calls4}    return y;
}}
"
    )
}

/// What the stages of two operands take.
const OTHER: &str = "    let other = extra[index % params.epilogue.period];\n";
const OTHER4: &str =
    "    let at = (vec4(quad * 4u) + vec4(0u, 1u, 2u, 3u)) % vec4(params.epilogue.period);
    let other = vec4(extra[at.x], extra[at.y], extra[at.z], extra[at.w]);\n";

impl Draft<'_> {
    /// Gives the constants of the stages of an epilogue, and its extra operand's period.
    ///
    /// # Errors
    ///
    /// [`Error::Unsupported`] for more than [`MAX_STAGES`] stages, and for constants that a
    /// function is not defined with; [`Error::Limit`] for an extra operand that 32 bits cannot
    /// number.
    pub(super) fn epilogue(self, epilogue: &Epilogue) -> Result<Self> {
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
        let mut constants = [[0.0; MAX_STAGES]; 2];
        for (number, stage) in stages.iter().enumerate() {
            let Stage::Unary(function) = stage else { continue };
            if let Some(what) = function.undefined() {
                return Err(refuse(what, "use constants that the function is defined with"));
            }
            [constants[0][number], constants[1][number]] = function.constants();
        }
        let [alphas, betas] = constants;
        let draft = self.set("epilogue.period", period.max(1));
        Ok(draft.set("epilogue.alphas", alphas).set("epilogue.betas", betas))
    }
}
