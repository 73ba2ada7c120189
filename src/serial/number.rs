//! Floats in a description: finite ones as numbers, others by name, each with all its bits.

use serde::de::Error;
use serde::{Deserialize, Deserializer, Serializer};
use serde_json::value::RawValue;

/// What a NaN begins with; its bits follow in hexadecimal.
const NAN: &str = "nan 0x";

/// Writes the shortest number that reads back the same.
#[expect(clippy::trivially_copy_pass_by_ref, reason = "serde hands out references")]
pub(crate) fn serialize<S: Serializer>(value: &f32, serializer: S) -> Result<S::Ok, S::Error> {
    if value.is_finite() {
        serializer.serialize_f32(*value)
    } else if value.is_nan() {
        serializer.serialize_str(&format!("{NAN}{:08x}", value.to_bits()))
    } else {
        serializer.serialize_str(if *value > 0.0 { "inf" } else { "-inf" })
    }
}

/// Reads a number from its own digits: by way of an f64 it would be rounded twice.
pub(crate) fn deserialize<'de, D: Deserializer<'de>>(deserializer: D) -> Result<f32, D::Error> {
    let raw = Box::<RawValue>::deserialize(deserializer)?;
    parse(raw.get()).ok_or_else(|| {
        let text: String = raw.get().chars().take(40).collect();
        D::Error::custom(format!(
            "{text} is no f32: a finite number, \"inf\", \"-inf\" or \"{NAN}BITS\" is expected"
        ))
    })
}

fn parse(text: &str) -> Option<f32> {
    if let Some(name) = text.strip_prefix('"').and_then(|text| text.strip_suffix('"')) {
        return match name {
            "inf" => Some(f32::INFINITY),
            "-inf" => Some(f32::NEG_INFINITY),
            _ => {
                let bits = name.strip_prefix(NAN).filter(|bits| bits.len() == 8)?;
                let bits = u32::from_str_radix(bits, 16).ok()?;
                Some(f32::from_bits(bits)).filter(|value| value.is_nan())
            }
        };
    }
    // JSON has checked the digits; "true" and "null" are left for here.
    text.parse().ok().filter(|value: &f32| value.is_finite())
}

/// Two numbers.
pub(crate) mod pair {
    use serde::{Deserialize, Deserializer, Serialize, Serializer};

    #[derive(Serialize, Deserialize)]
    struct One(#[serde(with = "super")] f32);

    #[expect(clippy::trivially_copy_pass_by_ref, reason = "serde hands out references")]
    pub(crate) fn serialize<S: Serializer>(
        values: &[f32; 2],
        serializer: S,
    ) -> Result<S::Ok, S::Error> {
        values.map(One).serialize(serializer)
    }

    pub(crate) fn deserialize<'de, D: Deserializer<'de>>(
        deserializer: D,
    ) -> Result<[f32; 2], D::Error> {
        Ok(<[One; 2]>::deserialize(deserializer)?.map(|One(value)| value))
    }
}

#[cfg(test)]
mod tests {
    use serde::Serialize;

    use super::*;

    #[derive(Serialize, Deserialize)]
    struct Number(#[serde(with = "super")] f32);

    fn round_trip(value: f32) -> (String, f32) {
        let text = serde_json::to_string(&Number(value)).unwrap();
        let back: Number = serde_json::from_str(&text).unwrap();
        (text, back.0)
    }

    #[test]
    fn every_bit_survives() {
        let special = [0.0, -0.0, f32::MIN_POSITIVE, f32::MAX, f32::MIN, 1e-45, 0.1, 16_777_217.0];
        for value in special.into_iter().chain([f32::INFINITY, f32::NEG_INFINITY, f32::NAN]) {
            assert_eq!(round_trip(value).1.to_bits(), value.to_bits(), "{value}");
        }
        // A step that is odd reaches every residue, exponents and NaN with payloads among them.
        let mut bits = 0u32;
        for _ in 0..200_000 {
            bits = bits.wrapping_add(2_654_435_769);
            assert_eq!(round_trip(f32::from_bits(bits)).1.to_bits(), bits, "{bits:#x}");
        }
    }

    #[test]
    fn numbers_are_short_and_the_others_have_names() {
        let written = [0.1, -1.0, f32::INFINITY, f32::NEG_INFINITY, f32::NAN];
        let written = written.map(|value| round_trip(value).0);
        assert_eq!(written, ["0.1", "-1.0", "\"inf\"", "\"-inf\"", "\"nan 0x7fc00000\""]);
    }

    #[test]
    fn what_is_no_f32_is_refused() {
        let wrong = [
            "1e39",
            "-1e999",
            "true",
            "null",
            "[1.0]",
            "{}",
            "\"1.0\"",
            "\"nan\"",
            "\"infinity\"",
            "\"nan 0x3f800000\"",
            "\"nan 0x7fc0\"",
            "\"nan 0x+fc00000\"",
        ];
        for text in wrong {
            let refused = serde_json::from_str::<Number>(text).err().unwrap().to_string();
            assert!(refused.contains("is no f32"), "{text}: {refused}");
        }
        let long = format!("\"{}\"", "x".repeat(1000));
        let refused = serde_json::from_str::<Number>(&long).err().unwrap().to_string();
        assert!(refused.len() < 200, "{refused}");
    }
}
