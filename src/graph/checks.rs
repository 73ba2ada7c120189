//! Checks that several layers' shape rules share.

use super::window::Pair;
use super::{Site, Weight};
use crate::error::Result;

/// Checks the kernel's height and width against the layer's.
pub(crate) fn check_kernel_size(site: &Site, kernel: Pair, layer: Pair) -> Result<()> {
    if kernel == layer {
        return Ok(());
    }
    Err(site.refuse(
        "kernel",
        format!("is {} by {}", kernel.height, kernel.width),
        format!("the layer's kernel_size is {layer}"),
        "make both equal",
    ))
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
