//! How good the answers are.

use anyhow::{Result, ensure};
use ndarray::{Array2, Zip};

use super::data::Digits;

/// The share of images that must be recognized.
pub const LEAST_ACCURACY: f64 = 0.975;
/// What no probability may differ from Keras's by.
pub const DIFFERENCE_BOUND: f64 = 1e-5;

/// One image and what the network makes of it.
#[derive(Clone, Copy, Debug)]
pub struct Answer {
    pub image: usize,
    pub label: usize,
    pub predicted: usize,
    pub confidence: f32,
}

impl Answer {
    /// Tells whether the network recognized the digit.
    pub fn is_right(&self) -> bool {
        self.label == self.predicted
    }
}

/// All answers, and how they compare with the labels and with Keras.
pub struct Score {
    pub answers: Vec<Answer>,
    /// The largest absolute difference of a probability; NaN if one is NaN.
    pub difference: f64,
}

impl Score {
    /// Compares probabilities, (image, digit), with what is known of the digits.
    pub fn of(probabilities: &Array2<f32>, digits: &Digits) -> Result<Self> {
        ensure!(
            probabilities.dim() == digits.keras.dim(),
            "the probabilities have shape {:?} but Keras's have {:?}",
            probabilities.dim(),
            digits.keras.dim()
        );
        let rows = probabilities.outer_iter().zip(&digits.labels).enumerate();
        let answers = rows
            .map(|(image, (row, &label))| {
                let best = row.iter().enumerate().max_by(|a, b| a.1.total_cmp(b.1));
                let (predicted, &confidence) = best.unwrap_or((0, &f32::NAN));
                Answer { image, label, predicted, confidence }
            })
            .collect();
        let difference = largest_difference(probabilities, &digits.keras);
        Ok(Score { answers, difference })
    }

    /// Counts the images that were recognized.
    pub fn right(&self) -> usize {
        self.answers.iter().filter(|answer| answer.is_right()).count()
    }

    /// Returns the share of images that were recognized.
    pub fn accuracy(&self) -> f64 {
        self.right() as f64 / self.answers.len() as f64
    }

    /// Fails when the answers are not what they must be.
    pub fn check(&self) -> Result<()> {
        let (accuracy, difference) = (self.accuracy(), self.difference);
        ensure!(
            accuracy >= LEAST_ACCURACY,
            "accuracy is {accuracy:.4} but at least {LEAST_ACCURACY} is asked for: \
             the adapter computes wrongly"
        );
        ensure!(
            difference < DIFFERENCE_BOUND,
            "a probability differs from Keras's by {difference:.2e} but less than \
             {DIFFERENCE_BOUND:e} is asked for: the adapter computes wrongly"
        );
        Ok(())
    }
}

fn largest_difference(ours: &Array2<f32>, keras: &Array2<f32>) -> f64 {
    Zip::from(ours).and(keras).fold(0.0, |largest: f64, &ours, &keras| {
        let difference = (f64::from(ours) - f64::from(keras)).abs();
        // `f64::max` would drop NaN, which must be seen.
        if largest.is_nan() || difference <= largest { largest } else { difference }
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn keras_against_itself_passes_and_anything_else_does_not() {
        let digits = Digits::embedded().unwrap();
        let same = Score::of(&digits.keras, &digits).unwrap();
        assert_eq!((same.right(), same.difference), (358, 0.0));
        same.check().unwrap();

        for wrong in [digits.keras[[7, 3]] + 2e-5, f32::NAN, f32::INFINITY] {
            for place in [[0, 0], [7, 3], [358, 9]] {
                let mut ours = digits.keras.clone();
                ours[place] = wrong;
                let score = Score::of(&ours, &digits).unwrap();
                assert!(score.check().is_err(), "{wrong} at {place:?}: {}", score.difference);
            }
        }
        let mut turned = digits.keras.clone();
        turned.invert_axis(ndarray::Axis(0));
        assert!(Score::of(&turned, &digits).unwrap().check().is_err());
    }
}
