//! Checks that several layers' shape rules share.

use crate::error::Result;
use crate::graph::{LayerWeights, Operand, Site, Weight};
use crate::ops::Arguments;
use crate::shape::Dim;

/// Checks that groups divide both counts of channels; returns the counts of one group.
pub(crate) fn check_divides(
    site: &Site,
    groups: usize,
    channels: usize,
    filters: usize,
) -> Result<[usize; 2]> {
    let part = |count: usize| match count.checked_rem(groups) {
        Some(0) => Some(count / groups),
        _ => None,
    };
    match (part(channels), part(filters)) {
        (Some(inputs), Some(outputs)) => Ok([inputs, outputs]),
        _ => Err(site.refuse(
            "groups",
            format!("is {groups}"),
            format!("it must divide both Cin {channels} and filters {filters}"),
            "choose a common divisor",
        )),
    }
}

/// Checks the kernel's input channels; `expected` says where the number comes from.
pub(crate) fn check_input_channels(
    site: &Site,
    kernel: usize,
    channels: usize,
    expected: String,
) -> Result<()> {
    if kernel == channels {
        return Ok(());
    }
    Err(site.refuse(
        "kernel",
        format!("has {kernel} input channels"),
        expected,
        "make Cin equal in both",
    ))
}

/// Checks the kernel's count of results against the layer's.
pub(crate) fn check_last(site: &Site, kernel: usize, layer: usize) -> Result<()> {
    if kernel == layer && layer > 0 {
        return Ok(());
    }
    Err(site.refuse(
        "kernel",
        format!("gives {kernel} channels"),
        format!("the layer asks for {layer}, and at least 1 is needed"),
        "make both equal and positive",
    ))
}

/// Checks that a bias has one number for each output channel.
pub(crate) fn check_bias(site: &Site, bias: Option<&Weight>, channels: usize) -> Result<()> {
    match bias {
        Some(bias) if bias.shape() != [channels] => Err(site.refuse(
            "bias",
            format!("has shape {:?}", bias.shape()),
            format!("the result has {channels} channels, so [{channels}] is needed"),
            "give one number for each output channel",
        )),
        _ => Ok(()),
    }
}

/// Checks that a weight has one number for each channel.
pub(crate) fn check_vector(
    site: &Site,
    name: &str,
    weight: &Weight,
    channels: usize,
) -> Result<()> {
    if weight.shape() == [channels] {
        return Ok(());
    }
    Err(site.refuse(
        name,
        format!("has shape {:?}", weight.shape()),
        format!("there are {channels} channels, so [{channels}] is needed"),
        "give one number for each channel",
    ))
}

/// Returns the number of channels on an axis, which must not be the batch.
pub(crate) fn check_channels(
    of: &Arguments<'_>,
    site: &Site,
    x: &Operand,
    axis: usize,
) -> Result<usize> {
    of.check_axis(site, axis, x.shape.rank())?;
    match x.shape.dims().get(axis) {
        Some(&Dim::Fixed(channels)) => Ok(channels),
        _ => Err(site.refuse(
            "axis",
            "is the batch",
            "the channels have a fixed number",
            "normalize another axis",
        )),
    }
}

/// Takes a layer's weights where they are switched on, and no other one.
pub(crate) fn switched<const N: usize>(
    node: &str,
    weights: &LayerWeights,
    switches: [(&'static str, bool); N],
) -> Result<[Option<Weight>; N]> {
    let known = switches.iter().filter(|(_, on)| *on).map(|(name, _)| *name);
    weights.check_names(node, &known.collect::<Vec<_>>())?;
    let mut taken = [const { None }; N];
    for (weight, (name, on)) in taken.iter_mut().zip(switches) {
        *weight = on.then(|| weights.required(node, name)).transpose()?;
    }
    Ok(taken)
}
