//! Shapes in a description: lengths, and the word "batch".

use serde::de::{Error, Unexpected, Visitor};
use serde::{Deserialize, Deserializer, Serialize, Serializer};

use crate::shape::{Dim, Shape};

/// What stands for a dimension that a plan decides.
const BATCH: &str = "batch";

struct One(Dim);

impl Serialize for One {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        match self.0 {
            Dim::Batch => serializer.serialize_str(BATCH),
            Dim::Fixed(length) => super::length::serialize(&length, serializer),
        }
    }
}

impl<'de> Deserialize<'de> for One {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        struct OneVisitor;
        impl Visitor<'_> for OneVisitor {
            type Value = Dim;

            fn expecting(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
                write!(f, "a length up to {}, or \"{BATCH}\"", isize::MAX)
            }

            fn visit_u64<E: Error>(self, value: u64) -> Result<Dim, E> {
                let refused = || E::invalid_value(Unexpected::Unsigned(value), &self);
                let length = isize::try_from(value).map_err(|_| refused())?;
                usize::try_from(length).map(Dim::Fixed).map_err(|_| refused())
            }

            fn visit_str<E: Error>(self, value: &str) -> Result<Dim, E> {
                if value == BATCH {
                    return Ok(Dim::Batch);
                }
                Err(E::invalid_value(Unexpected::Str(value), &self))
            }
        }
        deserializer.deserialize_any(OneVisitor).map(One)
    }
}

/// Writes a list of lengths.
pub(crate) fn serialize<S: Serializer>(shape: &Shape, serializer: S) -> Result<S::Ok, S::Error> {
    serializer.collect_seq(shape.dims().iter().map(|&dim| One(dim)))
}

/// Reads a list of lengths.
pub(crate) fn deserialize<'de, D: Deserializer<'de>>(deserializer: D) -> Result<Shape, D::Error> {
    let dims = Vec::<One>::deserialize(deserializer)?;
    Ok(Shape::new(dims.into_iter().map(|One(dim)| dim)))
}
