//! Mutation of saved graphs by the values of their descriptions, so that these stay JSON.

use serde_json::Value;

use crate::dice::Dice;

/// The description and the weights of an input.
pub fn split(data: &[u8]) -> (&[u8], &[u8]) {
    let end = data.iter().position(|&byte| byte == 0).unwrap_or(data.len());
    (&data[..end], data.get(end + 1..).unwrap_or_default())
}

/// Changes a description; none where it is no JSON, or the result would be longer than `most`.
pub fn mutate(data: &[u8], seed: u32, most: usize) -> Option<Vec<u8>> {
    let (description, weights) = split(data);
    let mut description: Value = serde_json::from_slice(description).ok()?;
    let mut dice = Dice::new(seed);
    for _ in 0..=dice.below(4) {
        // What is taken over from elsewhere has to be read before anything is changed.
        let other = nth(&mut description, &mut dice)?.clone();
        let place = nth(&mut description, &mut dice)?;
        change(place, other, &mut dice);
    }
    let mut bytes = serde_json::to_vec(&description).ok()?;
    bytes.push(0);
    bytes.extend(weights);
    (bytes.len() <= most).then_some(bytes)
}

/// A value of the tree, any with the same chance.
fn nth<'a>(tree: &'a mut Value, dice: &mut Dice) -> Option<&'a mut Value> {
    let mut left = dice.below(count(tree));
    find(tree, &mut left)
}

fn count(value: &Value) -> usize {
    1 + match value {
        Value::Array(items) => items.iter().map(count).sum::<usize>(),
        Value::Object(members) => members.values().map(count).sum(),
        Value::Null | Value::Bool(_) | Value::Number(_) | Value::String(_) => 0,
    }
}

fn find<'a>(value: &'a mut Value, left: &mut usize) -> Option<&'a mut Value> {
    if *left == 0 {
        return Some(value);
    }
    *left -= 1;
    match value {
        Value::Array(items) => items.iter_mut().find_map(|item| find(item, left)),
        Value::Object(members) => members.values_mut().find_map(|member| find(member, left)),
        Value::Null | Value::Bool(_) | Value::Number(_) | Value::String(_) => None,
    }
}

/// Changes one value: another number or word, entries fewer, more or exchanged, or any other value.
fn change(value: &mut Value, other: Value, dice: &mut Dice) {
    if dice.below(6) == 0 {
        *value = other;
        return;
    }
    match value {
        Value::Number(_) => {
            *value = match dice.below(4) {
                0 => Value::from("inf"),
                1 => Value::from(dice.number() as f64 / 3.0),
                _ => Value::from(dice.number()),
            };
        }
        Value::Bool(is) => *is = !*is,
        Value::String(text) if text == "batch" => *value = Value::from(dice.number()),
        Value::String(text) => {
            if let Value::String(word) = other {
                *text = word;
            } else {
                *text = "batch".to_owned();
            }
        }
        Value::Array(items) if !items.is_empty() => {
            let (one, two) = (dice.below(items.len()), dice.below(items.len()));
            match dice.below(4) {
                0 => items.swap(one, two),
                1 => items.push(items[one].clone()),
                2 => items.insert(two, other),
                _ => drop(items.remove(one)),
            }
        }
        Value::Array(items) => items.push(other),
        Value::Object(members) => {
            let key = members.keys().nth(dice.below(members.len())).cloned();
            if let Some(key) = key {
                let member = members.remove(&key);
                if dice.below(2) == 0
                    && let Some(member) = member
                {
                    members.insert("axis".to_owned(), member);
                }
            }
        }
        Value::Null => *value = other,
    }
}
