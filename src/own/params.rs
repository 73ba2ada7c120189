//! Parameters: values of WGSL's scalar and vector types, and the bytes that a kernel reads.

use super::interface::{Field, Interface, Kind, Scalar, ShapeOf};
use crate::error::{Error, Result};

/// A parameter's value: an `f32`, `i32` or `u32`, or an array of 2 to 4 of them (a vector).
///
/// Made by `From`; a kernel takes exactly the type that its source declares.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Value {
    kind: Kind,
    bits: [u32; 4],
}

impl Value {
    fn new(scalar: Scalar, given: impl ExactSizeIterator<Item = u32>) -> Self {
        let mut value = Value { kind: Kind { scalar, lanes: 0 }, bits: [0; 4] };
        for (to, bits) in value.bits.iter_mut().zip(given) {
            *to = bits;
            value.kind.lanes += 1;
        }
        value
    }

    /// Returns its type.
    #[must_use]
    pub fn kind(&self) -> Kind {
        self.kind
    }

    /// Makes a value of the bits of 1 to 4 numbers.
    pub(crate) fn from_words(scalar: Scalar, words: &[u32]) -> Option<Self> {
        (1..=4).contains(&words.len()).then(|| Value::new(scalar, words.iter().copied()))
    }

    /// Returns the bits of its numbers.
    pub(crate) fn words(self) -> impl Iterator<Item = u32> {
        self.bits.into_iter().take(self.kind.lanes as usize)
    }

    /// Writes it into the parameters, `offset` bytes from their start.
    pub(crate) fn write(self, params: &mut [u8], offset: u32) {
        let bytes = self.words().flat_map(u32::to_le_bytes);
        params.iter_mut().skip(offset as usize).zip(bytes).for_each(|(to, byte)| *to = byte);
    }
}

macro_rules! values {
    ($($rust:ty, $scalar:ident, $bits:expr;)+) => {$(
        impl From<$rust> for Value {
            fn from(value: $rust) -> Self {
                Value::new(Scalar::$scalar, [value].into_iter().map($bits))
            }
        }

        impl From<[$rust; 2]> for Value {
            fn from(value: [$rust; 2]) -> Self {
                Value::new(Scalar::$scalar, value.into_iter().map($bits))
            }
        }

        impl From<[$rust; 3]> for Value {
            fn from(value: [$rust; 3]) -> Self {
                Value::new(Scalar::$scalar, value.into_iter().map($bits))
            }
        }

        impl From<[$rust; 4]> for Value {
            fn from(value: [$rust; 4]) -> Self {
                Value::new(Scalar::$scalar, value.into_iter().map($bits))
            }
        }
    )+};
}

values! {
    f32, F32, f32::to_bits;
    i32, I32, i32::cast_unsigned;
    u32, U32, |value| value;
}

/// Lays out the values that a call gives; shapes, known when a plan is made, stay zero.
///
/// # Errors
///
/// [`Error::Name`] for a parameter that is missing, unknown or given twice,
/// [`Error::Operand`] for one of another type.
pub(super) fn encode(
    title: &str,
    interface: &Interface,
    given: &[(String, Value)],
) -> Result<Vec<u8>> {
    let block = interface.params.as_ref();
    let fields = block.map(|block| block.fields.as_slice()).unwrap_or_default();
    let known = block.map(super::interface::Block::given_names).unwrap_or_default();
    let refuse = |problem: &str, name: &str, remedy: &str| Error::Name {
        node: title.to_owned(),
        problem: problem.to_owned(),
        name: name.to_owned(),
        known: known.clone(),
        remedy: remedy.to_owned(),
    };
    let mut bytes = vec![0; block.map_or(0, |block| block.bytes as usize)];
    for (number, (name, value)) in given.iter().enumerate() {
        let Some(field) = fields.iter().find(|field| field.name == *name) else {
            return Err(refuse("there is no parameter", name, "use one of these names"));
        };
        if field.shape_of.is_some() {
            let problem = "a call does not give the parameter";
            return Err(refuse(problem, name, "it is filled with the shape of the array it names"));
        }
        if given.iter().take(number).any(|(earlier, _)| earlier == name) {
            return Err(refuse("two values are given for parameter", name, "give one"));
        }
        if value.kind != field.kind {
            return Err(Error::Operand {
                node: title.to_owned(),
                operand: format!("parameter \"{name}\""),
                got: format!("is given as {}", value.kind),
                expected: format!("the source declares {}", field.kind),
                shapes: format!("byte {} of the parameters", field.offset),
                remedy: "give a value of that type".to_owned(),
            });
        }
        value.write(&mut bytes, field.offset);
    }
    let is_given = |field: &Field| given.iter().any(|(name, _)| *name == field.name);
    match fields.iter().find(|field| field.shape_of.is_none() && !is_given(field)) {
        Some(field) => Err(refuse(
            "nothing is given for parameter",
            &field.name,
            "give it with OwnCall::param",
        )),
        None => Ok(bytes),
    }
}

/// Fills in the shapes, once a plan knows them.
///
/// # Errors
///
/// [`Error::Operand`] when a shape has another rank than its parameter has lanes.
pub(super) fn fill_shapes(
    title: &str,
    interface: &Interface,
    bytes: &mut [u8],
    operands: &[Vec<usize>],
    result: &[usize],
) -> Result<()> {
    for field in interface.params.iter().flat_map(|block| &block.fields) {
        let shape = match field.shape_of {
            None => continue,
            Some(ShapeOf::Input(number)) => operands.get(number).map(Vec::as_slice),
            Some(ShapeOf::Output) => Some(result),
        };
        let shape = shape.unwrap_or_default();
        let narrow = |length: &usize| u32::try_from(*length).ok();
        let lengths: Option<Vec<u32>> = shape.iter().map(narrow).collect();
        let value = lengths.map(|lengths| Value::new(Scalar::U32, lengths.into_iter()));
        match value.filter(|value| value.kind == field.kind && shape.len() <= 4) {
            Some(value) => value.write(bytes, field.offset),
            None => {
                return Err(Error::Operand {
                    node: title.to_owned(),
                    operand: format!("parameter \"{}\"", field.name),
                    got: format!("is {}", field.kind),
                    expected: format!("the shape it takes is {shape:?}"),
                    shapes: format!("operands {operands:?}, result {result:?}"),
                    remedy: "declare one u32 for each dimension: u32, vec2<u32>, vec3<u32> or \
                             vec4<u32>"
                        .to_owned(),
                });
            }
        }
    }
    Ok(())
}

/// The parameters of a call, as a kernel's twin on the host reads them.
#[derive(Clone, Copy, Debug)]
pub struct Params<'a> {
    pub(super) interface: &'a Interface,
    pub(super) bytes: &'a [u8],
}

impl Params<'_> {
    /// Returns an `f32`, or `None` where the source declares no such parameter of that type.
    #[must_use]
    pub fn f32(&self, name: &str) -> Option<f32> {
        self.lanes(name, Scalar::F32).map(|[x, ..]| f32::from_bits(x))
    }

    /// Returns an `i32`, or `None` where the source declares no such parameter of that type.
    #[must_use]
    pub fn i32(&self, name: &str) -> Option<i32> {
        self.lanes(name, Scalar::I32).map(|[x, ..]| x.cast_signed())
    }

    /// Returns a `u32`, or `None` where the source declares no such parameter of that type.
    #[must_use]
    pub fn u32(&self, name: &str) -> Option<u32> {
        self.lanes(name, Scalar::U32).map(|[x, ..]| x)
    }

    /// Returns a vector of `f32`, zeros behind its own lanes.
    #[must_use]
    pub fn f32s(&self, name: &str) -> Option<[f32; 4]> {
        self.lanes(name, Scalar::F32).map(|lanes| lanes.map(f32::from_bits))
    }

    /// Returns a vector of `i32`, zeros behind its own lanes.
    #[must_use]
    pub fn i32s(&self, name: &str) -> Option<[i32; 4]> {
        self.lanes(name, Scalar::I32).map(|lanes| lanes.map(u32::cast_signed))
    }

    /// Returns a vector of `u32`, zeros behind its own lanes.
    #[must_use]
    pub fn u32s(&self, name: &str) -> Option<[u32; 4]> {
        self.lanes(name, Scalar::U32)
    }

    /// Returns the parameters that a call gives, in the order of the source.
    pub(super) fn given(&self) -> Vec<(String, Value)> {
        let fields = self.interface.params.iter().flat_map(|block| &block.fields);
        let given = fields.filter(|field| field.shape_of.is_none());
        let value = |field: &Field| {
            let Kind { scalar, lanes } = field.kind;
            let words = self.lanes(&field.name, scalar)?;
            let value = Value::from_words(scalar, words.get(..lanes as usize)?)?;
            Some((field.name.clone(), value))
        };
        given.filter_map(value).collect()
    }

    fn lanes(&self, name: &str, scalar: Scalar) -> Option<[u32; 4]> {
        let mut fields = self.interface.params.iter().flat_map(|block| &block.fields);
        let field = fields.find(|field| field.name == name && field.kind.scalar == scalar)?;
        let bytes = self.bytes.get(field.offset as usize..)?;
        let mut lanes = [0; 4];
        let (words, _) = bytes.as_chunks::<4>();
        for (to, word) in lanes.iter_mut().zip(words).take(field.kind.lanes as usize) {
            *to = u32::from_le_bytes(*word);
        }
        Some(lanes)
    }
}
