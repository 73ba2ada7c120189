//! Lengths in a description: whole numbers up to 2^63 - 1.
//!
//! No array is longer, and products of two such numbers fit the 128 bits in which sizes of
//! windows are computed.

use serde::de::Error;
use serde::{Deserialize, Deserializer, Serializer};

/// Writes a length.
#[expect(clippy::trivially_copy_pass_by_ref, reason = "serde hands out references")]
pub(crate) fn serialize<S: Serializer>(value: &usize, serializer: S) -> Result<S::Ok, S::Error> {
    serializer.serialize_u64(*value as u64)
}

/// Reads a length, and refuses what is longer than any array.
pub(crate) fn deserialize<'de, D: Deserializer<'de>>(deserializer: D) -> Result<usize, D::Error> {
    let value = u64::deserialize(deserializer)?;
    let fits = isize::try_from(value).ok().and_then(|value| usize::try_from(value).ok());
    fits.ok_or_else(|| D::Error::custom(format!("{value} is longer than any array can be")))
}

/// Several lengths.
pub(crate) mod list {
    use serde::{Deserialize, Deserializer, Serialize, Serializer};

    #[derive(Serialize, Deserialize)]
    struct One(#[serde(with = "super")] usize);

    pub(crate) fn serialize<S: Serializer>(
        values: &[usize],
        serializer: S,
    ) -> Result<S::Ok, S::Error> {
        serializer.collect_seq(values.iter().map(|&value| One(value)))
    }

    pub(crate) fn deserialize<'de, D: Deserializer<'de>>(
        deserializer: D,
    ) -> Result<Vec<usize>, D::Error> {
        let values = Vec::<One>::deserialize(deserializer)?;
        Ok(values.into_iter().map(|One(value)| value).collect())
    }
}

/// Several lengths, or null.
pub(crate) mod option_list {
    use serde::{Deserialize, Deserializer, Serialize, Serializer};

    #[derive(Serialize, Deserialize)]
    struct List(#[serde(with = "super::list")] Vec<usize>);

    #[expect(clippy::ref_option, reason = "serde hands out references")]
    pub(crate) fn serialize<S: Serializer>(
        values: &Option<Vec<usize>>,
        serializer: S,
    ) -> Result<S::Ok, S::Error> {
        values.clone().map(List).serialize(serializer)
    }

    pub(crate) fn deserialize<'de, D: Deserializer<'de>>(
        deserializer: D,
    ) -> Result<Option<Vec<usize>>, D::Error> {
        let values = Option::<List>::deserialize(deserializer)?;
        Ok(values.map(|List(values)| values))
    }
}
