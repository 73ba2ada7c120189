//! Normalizations.

use super::Replay;
use crate::error::Result;
use crate::graph::{Graph, LayerWeights, Symbol};
use crate::ops::normalization::batch_normalization;
use crate::ops::{BatchNormalization, Op};

impl Graph {
    pub(super) fn replay_rows(&mut self, replay: &Replay<'_>) -> Result<Symbol> {
        match &replay.claim.op {
            Op::BatchNormalization(rule) => self.replay_batch(replay, rule),
            Op::Moments(rule) => self.moments_again(replay.alone()?, rule),
            Op::Normalization(rule) => {
                let operands = replay.operands()?;
                let weights = &replay.claim.weights;
                let expected = usize::from(rule.scale.is_some()) + usize::from(rule.bias.is_some());
                if weights.len() != expected {
                    return Err(replay.claim.count("weights", weights.len(), expected));
                }
                self.normalization_again(operands, rule, weights)
            }
            other => Err(replay.refuse("op", format!("is {}", other.name()))),
        }
    }

    fn replay_batch(
        &mut self,
        replay: &Replay<'_>,
        rule: &batch_normalization::Resolved,
    ) -> Result<Symbol> {
        let [x] = replay.operands()?;
        let names = [
            ("gamma", rule.scale),
            ("beta", rule.center),
            ("moving_mean", true),
            ("moving_variance", true),
        ];
        let names: Vec<&str> =
            names.into_iter().filter(|(_, is_used)| *is_used).map(|(name, _)| name).collect();
        let given = &replay.claim.weights;
        if given.len() != names.len() {
            return Err(replay.claim.count("weights", given.len(), names.len()));
        }
        let both = names.into_iter().zip(given);
        let weights =
            both.fold(LayerWeights::default(), |all, (name, weight)| all.with(name, weight));
        let layer = BatchNormalization::new().axis(replay.axis(rule.axis)?).epsilon(rule.epsilon);
        self.batch_normalization(x, &layer.center(rule.center).scale(rule.scale), &weights)
    }
}
