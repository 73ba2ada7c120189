//! Known values moved about: gather, concat, slice, reshape and their like on small arrays.

use ndarray::{ArrayD, Axis, IxDyn, Slice};

use super::fold::{Inputs, broadcast_shape};
use super::node::Node;
use super::value::{Kind, Known, SMALL};
use crate::error::Result;
use crate::shape::MOST_AXES;

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
    for index in indices.whole(node, "indices")? {
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
    let axis = axis(node, concat_axis(node)?, first.values.ndim())?;
    same_kinds(node, &known)?;
    let rank = first.values.ndim();
    if let Some(other) = known.iter().map(|known| known.values.ndim()).find(|&other| other != rank)
    {
        let got = format!("have {rank} axes and {other}");
        return Err(node.refuse("inputs", got, "all have the same number".to_owned()));
    }
    let views: Vec<_> = known.iter().map(|known| known.values.view()).collect();
    match ndarray::concatenate(Axis(axis), &views) {
        Ok(values) => Ok(Some(Known { values, kind: first.kind })),
        Err(error) => {
            let expected = "all lengths but the axis's are equal".to_owned();
            Err(node.refuse("inputs", format!("do not fit ({error})"), expected))
        }
    }
}

/// Reads the axis of a Concat, which has no default.
pub(super) fn concat_axis(node: &Node<'_>) -> Result<i64> {
    needed(node, "axis", node.optional_int("axis")?)
}

/// Returns what an operator cannot do without.
pub(super) fn needed<T>(node: &Node<'_>, what: &str, found: Option<T>) -> Result<T> {
    found.ok_or_else(|| {
        node.refuse(what, "is left out".to_owned(), format!("{} needs it", node.op()))
    })
}

/// Refuses arrays of which one holds whole numbers and another floats.
pub(super) fn same_kinds(node: &Node<'_>, known: &[&Known]) -> Result<()> {
    // Of which width they are is not asked, as in files of the first versions.
    let is_same = |one: Kind, other: Kind| match (one, other) {
        (Kind::Int(_), Kind::Int(_)) => true,
        (one, other) => one == other,
    };
    let differ = known.windows(2).any(|pair| !is_same(pair[0].kind, pair[1].kind));
    if !differ {
        return Ok(());
    }
    let kinds: Vec<_> = known.iter().take(4).map(|known| known.kind).collect();
    Err(node.refuse("inputs", format!("are {kinds:?}"), "all are of one type".to_owned()))
}

/// Resolves axes, each of which stands once.
pub(super) fn axes(node: &Node<'_>, given: &[i64], rank: usize) -> Result<Vec<usize>> {
    let mut found = Vec::new();
    for &one in given {
        let one = axis(node, one, rank)?;
        if found.contains(&one) {
            let got = format!("names axis {one} twice");
            return Err(node.refuse("axes", got, "each stands once".to_owned()));
        }
        found.push(one);
    }
    Ok(found)
}

pub(super) fn slice(node: &Node<'_>, inputs: &Inputs<'_>) -> Result<Option<Known>> {
    let Some(&Some(x)) = inputs.first() else { return Ok(None) };
    let rank = x.values.ndim();
    // Until version 10 these were attributes.
    let (starts, ends, given, steps) = if node.opset < 10 {
        (node.ints("starts")?, node.ints("ends")?, node.ints("axes")?, None)
    } else {
        let [starts, ends] =
            [whole_input(node, inputs, 1, "starts")?, whole_input(node, inputs, 2, "ends")?];
        let given = whole_input(node, inputs, 3, "axes")?;
        (starts, ends, given, whole_input(node, inputs, 4, "steps")?)
    };
    let (starts, ends) = (needed(node, "starts", starts)?, needed(node, "ends", ends)?);
    let count = starts.len();
    let lengths = [
        ("ends", Some(ends.len())),
        ("axes", given.as_ref().map(Vec::len)),
        ("steps", steps.as_ref().map(Vec::len)),
    ];
    for (option, length) in lengths {
        if length.is_some_and(|length| length != count) {
            let got = format!("are {}", length.unwrap_or_default());
            return Err(node.refuse(option, got, format!("there are {count} starts")));
        }
    }
    let given = given.unwrap_or_else(|| (0..).take(count).collect());
    let steps = steps.unwrap_or_else(|| vec![1; count]);
    let mut values = x.values.clone();
    let parts = axes(node, &given, rank)?.into_iter().zip(starts).zip(ends).zip(steps);
    for (((axis, start), end), step) in parts {
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

/// Returns the whole numbers of an input; none if it is left out.
pub(super) fn whole_input(
    node: &Node<'_>,
    inputs: &Inputs<'_>,
    number: usize,
    what: &str,
) -> Result<Option<Vec<i64>>> {
    inputs.get(number).copied().flatten().map(|known| known.whole(node, what)).transpose()
}

pub(super) fn reshape(node: &Node<'_>, inputs: &Inputs<'_>) -> Result<Option<Known>> {
    let Some(&Some(x)) = inputs.first() else { return Ok(None) };
    let given = whole_input(node, inputs, 1, "input 1")?;
    let lengths = x.values.shape();
    let target = match node.op() {
        "Reshape" => {
            let wanted = match given {
                Some(wanted) => Some(wanted),
                None => node.ints("shape")?,
            };
            reshape_target(node, lengths, &needed(node, "shape", wanted)?)?
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
    let axes = self::axes(node, &axes, lengths.len())?;
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
    let given = needed(node, "axes", axes)?;
    let rank = lengths.len().saturating_add(given.len());
    if rank > MOST_AXES {
        let (got, expected) = (format!("are {}", given.len()), format!("{MOST_AXES} axes at most"));
        return Err(node.refuse("axes", got, expected));
    }
    let places = self::axes(node, &given, rank)?;
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

pub(super) fn expand(node: &Node<'_>, inputs: &Inputs<'_>) -> Result<Option<Known>> {
    let &[Some(x), Some(wanted)] = inputs else { return Ok(None) };
    let wanted = wanted.whole(node, "shape")?;
    let wanted: Option<Vec<usize>> =
        wanted.into_iter().map(|length| usize::try_from(length).ok()).collect();
    let shape = wanted.and_then(|wanted| broadcast_shape(x.values.shape(), &wanted));
    let values = shape.and_then(|shape| Some(x.values.broadcast(IxDyn(&shape))?.to_owned()));
    Ok(values.map(|values| Known { values, kind: x.kind }))
}

pub(super) fn split(node: &Node<'_>, inputs: &Inputs<'_>) -> Result<Option<Vec<Known>>> {
    let Some(&Some(x)) = inputs.first() else { return Ok(None) };
    let axis = axis(node, node.int("axis", 0)?, x.values.ndim())?;
    let given = match node.ints("split")? {
        Some(parts) => Some(parts),
        None => whole_input(node, inputs, 1, "split")?,
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
    let number = node.optional_int("num_outputs")?;
    let outputs = number.unwrap_or(i64::try_from(node.outputs().len()).unwrap_or(0));
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
        // A shorter last part came with version 18, and with the number of parts.
        if number.is_none() && !length.is_multiple_of(count) {
            return refuse(format!("asks for {outputs} equal parts"));
        }
        let each = length.div_ceil(count);
        return Ok((0..count)
            .map(|part| each.min(length.saturating_sub(part.saturating_mul(each))))
            .collect());
    };
    if number.is_some() {
        return refuse(format!("is {given:?} beside num_outputs {outputs}"));
    }
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
