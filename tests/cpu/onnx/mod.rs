//! ONNX files made byte by byte: what damaged and hostile ones are answered with.

mod external;
mod hostile;
mod keep;
mod lengths;
mod lenient;
mod shapes;
mod size;
mod whole;

use longshore::import::onnx::{ImportOptions, OnnxModel};

/// Reads, imports and plans; returns the error's text, if there is one.
pub fn outcome(bytes: &[u8]) -> Result<(), String> {
    let model = OnnxModel::from_bytes("m.onnx", bytes).map_err(|error| error.to_string())?;
    let imported = model.import(ImportOptions::new()).map_err(|error| error.to_string())?;
    imported.graph.plan(1).map(drop).map_err(|error| error.to_string())
}

/// A field of bytes: a message, a text or a packed list.
pub fn field(number: u8, bytes: &[u8]) -> Vec<u8> {
    [vec![number << 3 | 2], varint(bytes.len() as u64), bytes.to_vec()].concat()
}

pub fn number(field: u8, value: u64) -> Vec<u8> {
    [vec![field << 3], varint(value)].concat()
}

pub fn varint(mut value: u64) -> Vec<u8> {
    let mut bytes = Vec::new();
    while value >= 0x80 {
        bytes.push(value as u8 | 0x80);
        value >>= 7;
    }
    bytes.push(value as u8);
    bytes
}

pub fn node(op: &str, inputs: &[&str], output: &str) -> Vec<u8> {
    let inputs: Vec<u8> = inputs.iter().flat_map(|name| field(1, name.as_bytes())).collect();
    [inputs, field(2, output.as_bytes()), field(4, op.as_bytes())].concat()
}

pub fn tensor(name: &str, kind: u64, dims: &[u64], raw: &[u8]) -> Vec<u8> {
    let dims: Vec<u8> = dims.iter().flat_map(|&dim| number(1, dim)).collect();
    [dims, number(2, kind), field(8, name.as_bytes()), field(9, raw)].concat()
}

/// An input or output of f32 with these lengths.
pub fn port(name: &str, dims: &[u64]) -> Vec<u8> {
    let dims: Vec<u8> = dims.iter().flat_map(|&dim| field(1, &number(1, dim))).collect();
    let tensor = [number(1, 1), field(2, &dims)].concat();
    [field(1, name.as_bytes()), field(2, &field(1, &tensor))].concat()
}

/// A model of operator set 13 over `x` (2, 3), whose output is `y`.
pub fn model(nodes: &[Vec<u8>], initializers: &[Vec<u8>]) -> Vec<u8> {
    model_over(&[2, 3], 13, nodes, initializers)
}

/// A model of an operator set over `x` of these lengths, whose output is `y`.
pub fn model_over(x: &[u64], set: u64, nodes: &[Vec<u8>], initializers: &[Vec<u8>]) -> Vec<u8> {
    model_of(&port("x", x), set, nodes, initializers)
}

/// A model of an operator set over one input, whose output is `y`.
pub fn model_of(x: &[u8], set: u64, nodes: &[Vec<u8>], initializers: &[Vec<u8>]) -> Vec<u8> {
    let nodes: Vec<u8> = nodes.iter().flat_map(|node| field(1, node)).collect();
    let initializers: Vec<u8> = initializers.iter().flat_map(|tensor| field(5, tensor)).collect();
    let ports = [field(11, x), field(12, &port("y", &[2, 3]))].concat();
    let graph = [nodes, initializers, ports].concat();
    [number(1, 8), field(7, &graph), field(8, &number(2, set))].concat()
}

/// A node with attributes, of which each is what `int`, `ints` or another of these gives.
pub fn node_with(op: &str, inputs: &[&str], outputs: &[&str], attributes: &[Vec<u8>]) -> Vec<u8> {
    let inputs = inputs.iter().flat_map(|name| field(1, name.as_bytes()));
    let outputs = outputs.iter().flat_map(|name| field(2, name.as_bytes()));
    let attributes = attributes.iter().flat_map(|attribute| field(5, attribute));
    let op = field(4, op.as_bytes());
    inputs.chain(outputs).chain(op).chain(attributes).collect()
}

/// An attribute that is a whole number.
pub fn int(name: &str, value: i64) -> Vec<u8> {
    [field(1, name.as_bytes()), number(3, value as u64), vec![0xa0, 1, 2]].concat()
}

/// An attribute that is a float.
pub fn float(name: &str, value: f32) -> Vec<u8> {
    let value = [vec![0x15], value.to_le_bytes().to_vec()].concat();
    [field(1, name.as_bytes()), value, vec![0xa0, 1, 1]].concat()
}

/// An attribute that is a text.
pub fn text(name: &str, value: &str) -> Vec<u8> {
    [field(1, name.as_bytes()), field(4, value.as_bytes()), vec![0xa0, 1, 3]].concat()
}

/// An attribute that is a list of whole numbers.
pub fn ints(name: &str, values: &[i64]) -> Vec<u8> {
    let values: Vec<u8> = values.iter().flat_map(|&value| number(8, value as u64)).collect();
    [field(1, name.as_bytes()), values, vec![0xa0, 1, 7]].concat()
}

/// An attribute that is a tensor.
pub fn tensor_attribute(name: &str, tensor: &[u8]) -> Vec<u8> {
    [field(1, name.as_bytes()), field(5, tensor), vec![0xa0, 1, 4]].concat()
}

/// A vector of whole numbers.
pub fn numbers(name: &str, values: &[i64]) -> Vec<u8> {
    let raw: Vec<u8> = values.iter().flat_map(|value| value.to_le_bytes()).collect();
    tensor(name, 7, &[values.len() as u64], &raw)
}

/// A vector of floats.
pub fn floats(name: &str, values: &[f32]) -> Vec<u8> {
    let raw: Vec<u8> = values.iter().flat_map(|value| value.to_le_bytes()).collect();
    tensor(name, 1, &[values.len() as u64], &raw)
}

#[track_caller]
pub fn says(bytes: &[u8], part: &str) {
    let error = outcome(bytes).unwrap_err();
    assert!(error.contains(part), "{error}");
}
