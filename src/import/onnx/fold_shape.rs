//! Known values moved about: gather, concat, slice, reshape and their like on small arrays.

use ndarray::{ArrayD, Axis, IxDyn, Slice};

use super::fold::{Inputs, broadcast_shape};
use super::node::Node;
use super::value::{Known, SMALL};
use crate::error::Result;

/// Resolves an axis that may be counted from the end.
pub(super) fn axis(node: &Node<'_>, axis: i64, rank: usize) -> Result<usize> {
    let signed = i64::try_from(rank).unwrap_or(i64::MAX);
    let from_start = if axis < 0 { axis.checked_add(signed) } else { Some(axis) };
    let found = from_start.and_then(|axis| usize::try_from(axis).ok()).filter(|&axis| axis < rank);
    found.ok_or_else(|| {
        node.refuse("axis", format!("is {axis}"), format!("the value has {rank} axes"))
    })
}

/// Gives a shape as a value; `start` and `end` take a part of it.
pub(super) fn shape(node: &Node<'_>, lengths: &[usize]) -> Result<Known> {
    let rank = lengths.len();
    let place = |given: i64| {
        let signed = i64::try_from(rank).unwrap_or(i64::MAX);
        let from_start = if given < 0 { given.saturating_add(signed) } else { given };
        usize::try_from(from_start.max(0)).unwrap_or(usize::MAX).min(rank)
    };
    let start = place(node.int("start", 0)?);
    let end = node.optional_int("end")?.map_or(rank, place);
    Ok(Known::ints(lengths.get(start..end).unwrap_or_default().iter().copied()))
}

pub(super) fn gather(node: &Node<'_>, inputs: &Inputs<'_>) -> Result<Option<Known>> {
    let &[Some(x), Some(indices)] = inputs else { return Ok(None) };
    let axis = axis(node, node.int("axis", 0)?, x.values.ndim())?;
    let length = x.values.shape()[axis];
    let mut places = Vec::new();
    for index in indices.to_ints() {
        let from_start =
            if index < 0 { index.saturating_add_unsigned(length as u64) } else { index };
        let Some(place) = usize::try_from(from_start).ok().filter(|&place| place < length) else {
            let expected = format!("the axis has {length} elements");
            return Err(node.refuse("indices", format!("has {index}"), expected));
        };
        places.push(place);
    }
    let rest = x.values.len().checked_div(length).unwrap_or(0);
    if places.len().saturating_mul(rest) > SMALL {
        return Ok(None);
    }
    let picked = x.values.select(Axis(axis), &places);
    let before = x.values.shape()[..axis].iter();
    let after = x.values.shape()[axis + 1..].iter();
    let shape: Vec<usize> = before.chain(indices.values.shape()).chain(after).copied().collect();
    Ok(Known { values: picked, kind: x.kind }.with_shape(&shape))
}

pub(super) fn concat(node: &Node<'_>, inputs: &Inputs<'_>) -> Result<Option<Known>> {
    let Some(known) = inputs.iter().copied().collect::<Option<Vec<&Known>>>() else {
        return Ok(None);
    };
    let Some(first) = known.first() else { return Ok(None) };
    let axis = axis(node, node.int("axis", 0)?, first.values.ndim())?;
    let views: Vec<_> = known.iter().map(|known| known.values.view()).collect();
    match ndarray::concatenate(Axis(axis), &views) {
        Ok(values) => Ok(Some(Known { values, kind: first.kind })),
        Err(error) => {
            let expected = "all lengths but the axis's are equal".to_owned();
            Err(node.refuse("inputs", format!("do not fit ({error})"), expected))
        }
    }
}

pub(super) fn slice(node: &Node<'_>, inputs: &Inputs<'_>) -> Result<Option<Known>> {
    let Some(&Some(x)) = inputs.first() else { return Ok(None) };
    let rank = x.values.ndim();
    let given = |number: usize| inputs.get(number).copied().flatten().map(Known::to_ints);
    // Until version 10 these were attributes.
    let (starts, ends, axes) = if node.opset < 10 {
        (node.ints("starts")?, node.ints("ends")?, node.ints("axes")?)
    } else {
        (given(1), given(2), given(3))
    };
    let steps = given(4);
    let (Some(starts), Some(ends)) = (starts, ends) else { return Ok(None) };
    let mut values = x.values.clone();
    for (number, (&start, &end)) in starts.iter().zip(&ends).enumerate() {
        let given = axes.as_ref().and_then(|axes| axes.get(number)).copied();
        let axis = axis(node, given.unwrap_or(i64::try_from(number).unwrap_or(i64::MAX)), rank)?;
        let step = steps.as_ref().and_then(|steps| steps.get(number)).copied().unwrap_or(1);
        let places = slice_places(start, end, step, values.shape()[axis]);
        let Some(places) = places else {
            return Err(node.refuse("steps", "has 0".to_owned(), "a step is not 0".to_owned()));
        };
        values = values.select(Axis(axis), &places);
    }
    Ok(Some(Known { values, kind: x.kind }))
}

/// Returns the elements that a slice takes of an axis, by NumPy's rule; none for a step of 0.
fn slice_places(start: i64, end: i64, step: i64, length: usize) -> Option<Vec<usize>> {
    let length = i64::try_from(length).ok()?;
    let place = |given: i64| if given < 0 { given.saturating_add(length) } else { given };
    let (low, high) = if step > 0 { (0, length) } else { (-1, length - 1) };
    let (mut at, end) = (place(start).clamp(low, high), place(end).clamp(low, high));
    let mut places = Vec::new();
    while (step > 0 && at < end) || (step < 0 && at > end) {
        places.extend(usize::try_from(at));
        at = at.saturating_add(step);
    }
    (step != 0).then_some(places)
}

pub(super) fn reshape(node: &Node<'_>, inputs: &Inputs<'_>) -> Result<Option<Known>> {
    let Some(&Some(x)) = inputs.first() else { return Ok(None) };
    let given = inputs.get(1).copied().flatten().map(Known::to_ints);
    let lengths = x.values.shape();
    let target = match node.op() {
        "Reshape" => {
            let wanted = match given {
                Some(wanted) => wanted,
                None => node.ints("shape")?.unwrap_or_default(),
            };
            reshape_target(node, lengths, &wanted)?
        }
        "Flatten" => flattened(node, lengths)?,
        op => {
            let axes = match node.ints("axes")? {
                Some(axes) => Some(axes),
                None => given,
            };
            if op == "Squeeze" {
                squeezed(node, lengths, axes)?
            } else {
                unsqueezed(node, lengths, axes)?
            }
        }
    };
    Ok(x.with_shape(&target))
}

/// Returns the two lengths of a Flatten: the axes before `axis` as one, the others as one.
pub(super) fn flattened(node: &Node<'_>, lengths: &[usize]) -> Result<Vec<usize>> {
    let rank = lengths.len();
    let given = node.int("axis", 1)?;
    let at = if i64::try_from(rank) == Ok(given) { rank } else { axis(node, given, rank)? };
    let (before, after) = lengths.split_at(at);
    Ok(vec![product(node, before)?, product(node, after)?])
}

/// Multiplies lengths. A length of 0 elsewhere lets the others be of any size, so they are checked.
pub(super) fn product(node: &Node<'_>, lengths: &[usize]) -> Result<usize> {
    lengths.iter().try_fold(1usize, |count, &length| count.checked_mul(length)).ok_or_else(|| {
        node.refuse("shape", format!("has {lengths:?}"), "the product must fit".to_owned())
    })
}

/// Resolves the lengths that a Reshape asks for: 0 copies, -1 takes what is left.
pub(super) fn reshape_target(
    node: &Node<'_>,
    lengths: &[usize],
    wanted: &[i64],
) -> Result<Vec<usize>> {
    let allow_zero = node.flag("allowzero", false)?;
    let refuse = |expected: String| Err(node.refuse("shape", format!("is {wanted:?}"), expected));
    let count = |lengths: &[usize]| {
        lengths.iter().try_fold(1usize, |count, &length| count.checked_mul(length))
    };
    let mut target = Vec::with_capacity(wanted.len());
    let mut open = None;
    for (position, &length) in wanted.iter().enumerate() {
        let resolved = match length {
            -1 if open.is_none() => {
                open = Some(position);
                1
            }
            0 if !allow_zero => match lengths.get(position) {
                Some(&length) => length,
                None => return refuse("a 0 copies a length that is there".to_owned()),
            },
            length => match usize::try_from(length) {
                Ok(length) => length,
                Err(_) => return refuse("lengths are positive, with one -1 at most".to_owned()),
            },
        };
        target.push(resolved);
    }
    let (Some(have), Some(rest)) = (count(lengths), count(&target)) else {
        return refuse("the product must fit".to_owned());
    };
    if let Some(open) = open {
        match have.checked_div(rest) {
            Some(length) if length * rest == have => target[open] = length,
            _ => return refuse(format!("{have} elements must divide evenly")),
        }
    } else if have != rest {
        return refuse(format!("the value {lengths:?} has {have} elements"));
    }
    Ok(target)
}

/// Drops axes of length 1: those given, or all.
pub(super) fn squeezed(
    node: &Node<'_>,
    lengths: &[usize],
    axes: Option<Vec<i64>>,
) -> Result<Vec<usize>> {
    let Some(axes) = axes else {
        return Ok(lengths.iter().copied().filter(|&length| length != 1).collect());
    };
    let axes = axes.into_iter().map(|given| axis(node, given, lengths.len()));
    let axes = axes.collect::<Result<Vec<usize>>>()?;
    if let Some(long) = axes.iter().find(|&&axis| lengths[axis] != 1) {
        let got = format!("names axis {long} of {lengths:?}");
        return Err(node.refuse("axes", got, "a squeezed axis has length 1".to_owned()));
    }
    let kept = lengths.iter().enumerate().filter(|(axis, _)| !axes.contains(axis));
    Ok(kept.map(|(_, &length)| length).collect())
}

/// Inserts axes of length 1 where the result is to have them.
pub(super) fn unsqueezed(
    node: &Node<'_>,
    lengths: &[usize],
    axes: Option<Vec<i64>>,
) -> Result<Vec<usize>> {
    let axes = axes.unwrap_or_default();
    let rank = lengths.len() + axes.len();
    let mut places =
        axes.into_iter().map(|given| axis(node, given, rank)).collect::<Result<Vec<usize>>>()?;
    places.sort_unstable();
    let count = places.len();
    places.dedup();
    if places.len() != count {
        return Err(node.refuse("axes", "names an axis twice".to_owned(), "each once".to_owned()));
    }
    let mut rest = lengths.iter().copied();
    Ok((0..rank)
        .map(|axis| if places.contains(&axis) { 1 } else { rest.next().unwrap_or(1) })
        .collect())
}

pub(super) fn transpose(node: &Node<'_>, x: &Known) -> Result<Option<Known>> {
    let rank = x.values.ndim();
    let order = permutation(node, rank)?;
    let values = x.values.clone().permuted_axes(IxDyn(&order)).as_standard_layout().into_owned();
    Ok(Some(Known { values, kind: x.kind }))
}

/// Reads a Transpose's order of axes: reversed by default.
pub(super) fn permutation(node: &Node<'_>, rank: usize) -> Result<Vec<usize>> {
    let Some(order) = node.ints("perm")? else { return Ok((0..rank).rev().collect()) };
    let order = order.into_iter().map(|given| axis(node, given, rank));
    let order = order.collect::<Result<Vec<usize>>>()?;
    let mut sorted = order.clone();
    sorted.sort_unstable();
    if sorted.into_iter().eq(0..rank) {
        return Ok(order);
    }
    Err(node.refuse("perm", format!("is {order:?}"), format!("each of {rank} axes stands once")))
}

pub(super) fn expand(inputs: &Inputs<'_>) -> Option<Known> {
    let &[Some(x), Some(wanted)] = inputs else { return None };
    let wanted: Option<Vec<usize>> =
        wanted.to_ints().into_iter().map(|length| usize::try_from(length).ok()).collect();
    let shape = broadcast_shape(x.values.shape(), &wanted?)?;
    Some(Known { values: x.values.broadcast(IxDyn(&shape))?.to_owned(), kind: x.kind })
}

pub(super) fn split(node: &Node<'_>, inputs: &Inputs<'_>) -> Result<Option<Vec<Known>>> {
    let Some(&Some(x)) = inputs.first() else { return Ok(None) };
    let axis = axis(node, node.int("axis", 0)?, x.values.ndim())?;
    let given = match node.ints("split")? {
        Some(parts) => Some(parts),
        None => inputs.get(1).copied().flatten().map(Known::to_ints),
    };
    let length = x.values.shape()[axis];
    let parts = split_lengths(node, length, given)?;
    let mut first = 0;
    let mut results = Vec::with_capacity(parts.len());
    for part in parts {
        let range = Slice::from(first..first + part);
        let values: ArrayD<f64> = x.values.slice_axis(Axis(axis), range).to_owned();
        results.push(Known { values, kind: x.kind });
        first += part;
    }
    Ok(Some(results))
}

/// Resolves the lengths of a Split: those given, or equal ones with a shorter last.
pub(super) fn split_lengths(
    node: &Node<'_>,
    length: usize,
    given: Option<Vec<i64>>,
) -> Result<Vec<usize>> {
    let outputs = node.int("num_outputs", i64::try_from(node.outputs().len()).unwrap_or(0))?;
    let refuse = |got: String| {
        Err(node.refuse("split", got, format!("the parts of {length} elements add up to it")))
    };
    let Some(given) = given else {
        let Some(count) = usize::try_from(outputs)
            .ok()
            .filter(|&count| count > 0 && count == node.outputs().len())
        else {
            return refuse(format!("asks for {outputs} outputs"));
        };
        let each = length.div_ceil(count);
        return Ok((0..count)
            .map(|part| each.min(length.saturating_sub(part.saturating_mul(each))))
            .collect());
    };
    let parts: Option<Vec<usize>> =
        given.iter().map(|&length| usize::try_from(length).ok()).collect();
    let sum =
        |parts: &Vec<usize>| parts.iter().try_fold(0usize, |sum, &part| sum.checked_add(part));
    match parts {
        Some(parts) if sum(&parts) == Some(length) && parts.len() == node.outputs().len() => {
            Ok(parts)
        }
        _ => refuse(format!("is {given:?}")),
    }
}
