//! What the examples share: reading the ledger, and the digits' network.

// Each example uses a part of it.
#![allow(dead_code)]

use longshore::Activation::{Relu, Softmax};
use longshore::ledger::{Cause, Ledger};
use longshore::plan::Expected;
use longshore::{Conv2d, Dense, Graph, Padding, Result, Symbol, Weights};
use ndarray::{ArrayD, Axis};

/// Names a file of `assets/digits`.
pub fn digits(file: &str) -> String {
    format!("{}/assets/digits/{file}", env!("CARGO_MANIFEST_DIR"))
}

/// Returns what crossed for one cause, in the form in which plans announce it.
pub fn crossed(ledger: &Ledger, cause: Cause) -> Vec<Expected> {
    let events = ledger.events().into_iter();
    events
        .filter(|event| event.cause == cause && event.direction.is_crossing())
        .map(|event| Expected {
            direction: event.direction,
            label: event.label,
            cause: event.cause,
            payload_bytes: event.payload_bytes,
            padding_bytes: event.padding_bytes,
        })
        .collect()
}

/// Returns the labels of what crossed, in order.
pub fn labels(crossed: &[Expected]) -> Vec<&str> {
    crossed.iter().map(|crossing| crossing.label.as_str()).collect()
}

/// Adds the digits' network from its first convolution on; returns its activation and the
/// probabilities.
pub fn classifier(g: &mut Graph, x: Symbol, weights: &Weights) -> Result<(Symbol, Symbol)> {
    let conv = Conv2d::new(32, 3).padding(Padding::Same).activation(Relu);
    let first = g.conv2d(x, conv.clone(), weights.layer("conv")?)?;
    let x = g.conv2d(first, conv.strides(2), weights.layer("conv_1")?)?;
    let x = g.flatten(x)?;
    let y = g.dense(x, Dense::new(10).activation(Softmax), weights.layer("dense")?)?;
    Ok((first, y))
}

/// Returns the digit with the largest of an image's probabilities.
pub fn best_digit(probabilities: &ArrayD<f32>, image: usize) -> usize {
    let row = probabilities.index_axis(Axis(0), image);
    let best = row.iter().enumerate().max_by(|a, b| a.1.total_cmp(b.1));
    best.map_or(0, |(digit, _)| digit)
}
