//! Mutation of ONNX files by their messages, so that lengths around a change stay right.
//!
//! A flip of bytes alone seldom gets past the decoder. What is changed here decodes, and so reaches
//! the import: fields left out, doubled and exchanged, numbers at the ends of their ranges, other
//! operators, attributes, names and shapes.

use longshore::import::onnx::supported_operators;

use crate::dice::Dice;
use crate::words::{ATTRIBUTES, WORDS};

/// One field of a message.
#[derive(Clone)]
struct Field {
    number: u64,
    value: Value,
}

#[derive(Clone)]
enum Value {
    Varint(u64),
    Fixed32([u8; 4]),
    Fixed64([u8; 8]),
    Bytes(Vec<u8>),
    Message(Kind, Vec<Field>),
}

/// The messages of a model that lead to something that an import reads.
#[derive(Clone, Copy, PartialEq)]
enum Kind {
    Model,
    OperatorSet,
    Graph,
    Node,
    Attribute,
    Tensor,
    ValueInfo,
    Type,
    TensorType,
    Shape,
    Dimension,
}

impl Kind {
    /// What a field of bytes holds, if it is a message.
    fn field(self, number: u64) -> Option<Kind> {
        Some(match (self, number) {
            (Kind::Model, 7) => Kind::Graph,
            (Kind::Model, 8) => Kind::OperatorSet,
            (Kind::Graph, 1) => Kind::Node,
            (Kind::Graph, 5) => Kind::Tensor,
            (Kind::Graph, 11 | 12) => Kind::ValueInfo,
            (Kind::Node, 5) => Kind::Attribute,
            (Kind::Attribute, 5) => Kind::Tensor,
            (Kind::ValueInfo, 2) => Kind::Type,
            (Kind::Type, 1) => Kind::TensorType,
            (Kind::TensorType, 2) => Kind::Shape,
            (Kind::Shape, 1) => Kind::Dimension,
            _ => return None,
        })
    }

    /// Tells whether a field of bytes is the name of a value.
    fn is_name(self, number: u64) -> bool {
        matches!((self, number), (Kind::Node, 1 | 2 | 3) | (Kind::Tensor, 8) | (Kind::ValueInfo, 1))
    }
}

/// Changes a model; none where the bytes are none, or the result would be longer than `most`.
pub fn mutate(data: &[u8], seed: u32, most: usize) -> Option<Vec<u8>> {
    let mut dice = Dice::new(seed);
    let mut model = parse(data, Kind::Model)?;
    let mut names = Vec::new();
    collect_names(&model, Kind::Model, &mut names);
    for _ in 0..=dice.below(4) {
        change(&mut model, Kind::Model, &names, &mut dice);
    }
    let mut bytes = Vec::new();
    write(&model, &mut bytes);
    (bytes.len() <= most).then_some(bytes)
}

fn varint(bytes: &mut &[u8]) -> Option<u64> {
    let mut value = 0u64;
    for shift in (0..64).step_by(7) {
        let (&byte, rest) = bytes.split_first()?;
        *bytes = rest;
        value |= u64::from(byte & 0x7f).checked_shl(shift)?;
        if byte < 0x80 {
            return Some(value);
        }
    }
    None
}

fn parse(mut bytes: &[u8], kind: Kind) -> Option<Vec<Field>> {
    let mut fields = Vec::new();
    while !bytes.is_empty() {
        let key = varint(&mut bytes)?;
        let number = key >> 3;
        let value = match key & 7 {
            0 => Value::Varint(varint(&mut bytes)?),
            1 => {
                let (head, rest) = bytes.split_first_chunk::<8>()?;
                bytes = rest;
                Value::Fixed64(*head)
            }
            2 => {
                let length = usize::try_from(varint(&mut bytes)?).ok()?;
                let (head, rest) = bytes.split_at_checked(length)?;
                bytes = rest;
                let inner = kind.field(number);
                match inner.and_then(|inner| Some((inner, parse(head, inner)?))) {
                    Some((inner, fields)) => Value::Message(inner, fields),
                    None => Value::Bytes(head.to_vec()),
                }
            }
            5 => {
                let (head, rest) = bytes.split_first_chunk::<4>()?;
                bytes = rest;
                Value::Fixed32(*head)
            }
            _ => return None,
        };
        fields.push(Field { number, value });
    }
    Some(fields)
}

fn write_varint(mut value: u64, bytes: &mut Vec<u8>) {
    while value >= 0x80 {
        bytes.push(value as u8 | 0x80);
        value >>= 7;
    }
    bytes.push(value as u8);
}

fn write(fields: &[Field], bytes: &mut Vec<u8>) {
    for Field { number, value } in fields {
        let mut key = |wire: u64| write_varint(number << 3 | wire, bytes);
        match value {
            Value::Varint(value) => {
                key(0);
                write_varint(*value, bytes);
            }
            Value::Fixed64(value) => {
                key(1);
                bytes.extend_from_slice(value);
            }
            Value::Fixed32(value) => {
                key(5);
                bytes.extend_from_slice(value);
            }
            Value::Bytes(inner) => {
                key(2);
                write_varint(inner.len() as u64, bytes);
                bytes.extend_from_slice(inner);
            }
            Value::Message(_, fields) => {
                key(2);
                let mut inner = Vec::new();
                write(fields, &mut inner);
                write_varint(inner.len() as u64, bytes);
                bytes.extend_from_slice(&inner);
            }
        }
    }
}

fn collect_names(fields: &[Field], kind: Kind, names: &mut Vec<Vec<u8>>) {
    for Field { number, value } in fields {
        match value {
            Value::Bytes(name) if kind.is_name(*number) => names.push(name.clone()),
            Value::Message(kind, fields) => collect_names(fields, *kind, names),
            _ => {}
        }
    }
}

/// Goes down to a message by chance, and changes something there.
fn change(fields: &mut Vec<Field>, kind: Kind, names: &[Vec<u8>], dice: &mut Dice) {
    let messages: Vec<usize> = (0..fields.len())
        .filter(|&place| matches!(fields[place].value, Value::Message(..)))
        .collect();
    let goes_down = kind == Kind::Model || kind == Kind::Graph && dice.below(6) > 0;
    if let Some(place) = dice.pick(&messages)
        && (goes_down || dice.below(3) > 0)
        && let Value::Message(kind, inner) = &mut fields[place].value
    {
        return change(inner, *kind, names, dice);
    }
    let place = dice.below(fields.len());
    match dice.below(8) {
        0 if !fields.is_empty() => drop(fields.remove(place)),
        1 if !fields.is_empty() => fields.insert(place, fields[place].clone()),
        2 if !fields.is_empty() => {
            let other = dice.below(fields.len());
            fields.swap(place, other);
        }
        3 => add(fields, kind, names, dice),
        _ if !fields.is_empty() => change_field(&mut fields[place], kind, names, dice),
        _ => add(fields, kind, names, dice),
    }
}

fn name(names: &[Vec<u8>], dice: &mut Dice) -> Vec<u8> {
    names.get(dice.below(names.len() + 1)).cloned().unwrap_or_default()
}

fn bytes(number: u64, text: &str) -> Field {
    Field { number, value: Value::Bytes(text.as_bytes().to_vec()) }
}

fn whole(number: u64, value: i64) -> Field {
    Field { number, value: Value::Varint(value as u64) }
}

/// Adds what a message of this kind may have.
fn add(fields: &mut Vec<Field>, kind: Kind, names: &[Vec<u8>], dice: &mut Dice) {
    let operators: Vec<&str> = supported_operators().collect();
    let field = match kind {
        Kind::Node if dice.below(2) == 0 => {
            Field { number: 1 + dice.below(2) as u64, value: Value::Bytes(name(names, dice)) }
        }
        Kind::Node => {
            let mut inner = vec![bytes(1, dice.pick(&ATTRIBUTES).unwrap_or_default())];
            let (value, sort) = match dice.below(4) {
                0 => (whole(3, dice.number()), 2),
                1 => (bytes(4, dice.pick(&WORDS).unwrap_or_default()), 3),
                2 => (Field { number: 2, value: Value::Fixed32([0, 0, 0x80, 0x3f]) }, 1),
                _ => {
                    inner.extend((0..dice.below(4)).map(|_| whole(8, dice.number())));
                    (whole(8, dice.number()), 7)
                }
            };
            inner.extend([value, whole(20, sort)]);
            Field { number: 5, value: Value::Message(Kind::Attribute, inner) }
        }
        Kind::Graph => {
            let operator = dice.pick(&operators).unwrap_or_default();
            let mut inner = vec![bytes(4, operator)];
            for number in [1, 1, 2] {
                inner.push(Field { number, value: Value::Bytes(name(names, dice)) });
            }
            let node = Field { number: 1, value: Value::Message(Kind::Node, inner) };
            fields.insert(dice.below(fields.len() + 1), node);
            return;
        }
        Kind::Attribute => whole(8, dice.number()),
        Kind::Tensor | Kind::Dimension => whole(1, dice.number()),
        Kind::Shape => {
            let length = vec![whole(1, dice.number())];
            Field { number: 1, value: Value::Message(Kind::Dimension, length) }
        }
        _ => whole(dice.below(16) as u64 + 1, dice.number()),
    };
    fields.push(field);
}

fn change_field(field: &mut Field, kind: Kind, names: &[Vec<u8>], dice: &mut Dice) {
    let number = field.number;
    match &mut field.value {
        Value::Varint(value) => {
            *value = match dice.below(4) {
                0 => value.wrapping_add(1),
                1 => value.wrapping_sub(1),
                _ if kind == Kind::OperatorSet => 7 + dice.below(18) as u64,
                _ => dice.number() as u64,
            }
        }
        Value::Fixed32(value) => {
            let ends = [0.0, 1.0, -1.0, 0.5, 1e-30, 3e38, f32::INFINITY, f32::NAN];
            *value = dice.pick(&ends).unwrap_or(2.0).to_le_bytes();
        }
        Value::Fixed64(value) => *value = dice.number().to_le_bytes(),
        Value::Bytes(text) if kind == Kind::Node && number == 4 => {
            let operators: Vec<&str> = supported_operators().collect();
            *text = dice.pick(&operators).unwrap_or_default().as_bytes().to_vec();
        }
        Value::Bytes(text) if kind.is_name(number) => *text = name(names, dice),
        Value::Bytes(text) if kind == Kind::Attribute && number == 1 => {
            *text = dice.pick(&ATTRIBUTES).unwrap_or_default().as_bytes().to_vec();
        }
        Value::Bytes(text) if kind == Kind::Attribute && number == 4 => {
            *text = dice.pick(&WORDS).unwrap_or_default().as_bytes().to_vec();
        }
        Value::Bytes(raw) => change_raw(raw, dice),
        Value::Message(..) => {}
    }
}

/// Changes packed or raw numbers: one of them, or how many there are.
fn change_raw(raw: &mut Vec<u8>, dice: &mut Dice) {
    let places = raw.len() / 8;
    match dice.below(4) {
        0 => raw.truncate(raw.len() - raw.len().min(8)),
        1 => raw.extend(dice.number().to_le_bytes()),
        2 if !raw.is_empty() => {
            let place = dice.below(raw.len());
            raw[place] = dice.below(256) as u8;
        }
        _ if places > 0 => {
            let place = dice.below(places) * 8;
            raw[place..place + 8].copy_from_slice(&dice.number().to_le_bytes());
        }
        _ => raw.push(dice.below(256) as u8),
    }
}
