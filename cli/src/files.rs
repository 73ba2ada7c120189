//! File names for values: `NAME.npy`, safe on every system.

use std::fmt::Write;

use anyhow::{Result, bail};

/// The most bytes that file systems allow in a name.
const LONGEST: usize = 255;

/// Returns a file name for each value.
///
/// Letters, digits, `-`, `_`, and points other than a first one stay; every other byte becomes
/// `%` and two hexadecimal digits, so that two names never share a file. Capital letters become
/// that too where another name differs by case alone, which not every file system tells apart,
/// and so does the first letter of what Windows keeps for devices.
pub fn names(values: &[String]) -> Result<Vec<String>> {
    values.iter().map(|value| name(value, values)).collect()
}

fn name(value: &str, all: &[String]) -> Result<String> {
    if value.is_empty() {
        bail!("an output has no name, so none for its file; name it in the model");
    }
    let is_twin = |other: &String| other != value && other.eq_ignore_ascii_case(value);
    let is_alone = !all.iter().any(is_twin);
    let is_device = is_device(value);
    let mut file = String::new();
    for (place, byte) in value.bytes().enumerate() {
        let stays = match byte {
            b'A'..=b'Z' => is_alone && !(is_device && place == 0),
            b'a'..=b'z' => !(is_device && place == 0),
            b'0'..=b'9' | b'-' | b'_' => true,
            b'.' => place > 0,
            _ => false,
        };
        if stays {
            file.push(char::from(byte));
        } else {
            // Writing to a string does not fail.
            let _ = write!(file, "%{byte:02X}");
        }
    }
    file.push_str(".npy");
    if file.len() > LONGEST {
        let length = file.len();
        bail!(
            "output \"{value}\" cannot name a file: {length} bytes but file systems allow \
             {LONGEST}; give it a shorter name in the model"
        );
    }
    Ok(file)
}

/// Tells whether Windows takes a file of this name, whatever its ending, for a device.
fn is_device(value: &str) -> bool {
    let stem = value.split('.').next().unwrap_or_default().to_ascii_lowercase();
    let numbered = |kind: &str| {
        stem.strip_prefix(kind).is_some_and(|rest| matches!(rest.as_bytes(), [b'1'..=b'9']))
    };
    matches!(stem.as_str(), "con" | "prn" | "aux" | "nul") || numbered("com") || numbered("lpt")
}

#[cfg(test)]
mod tests {
    use super::*;

    fn of(values: &[&str]) -> Vec<String> {
        let values: Vec<String> = values.iter().map(|&value| value.to_owned()).collect();
        names(&values).unwrap()
    }

    #[test]
    fn only_plain_names_stay() {
        let files = of(&["y_1-b.c", "a/b:0", "..", "../x", "a b", "%41", "é", "a\\b", "a\0"]);
        let expected = [
            "y_1-b.c.npy",
            "a%2Fb%3A0.npy",
            "%2E..npy",
            "%2E.%2Fx.npy",
            "a%20b.npy",
            "%2541.npy",
            "%C3%A9.npy",
            "a%5Cb.npy",
            "a%00.npy",
        ];
        assert_eq!(files, expected);
    }

    #[test]
    fn names_that_differ_by_case_alone_get_two_files() {
        assert_eq!(of(&["Ab", "ab", "C"]), ["%41b.npy", "ab.npy", "C.npy"]);
    }

    #[test]
    fn names_of_devices_are_escaped() {
        let files = of(&["con", "NUL.x", "com1", "com0", "conv", "lpt10"]);
        let expected = ["%63on.npy", "%4EUL.x.npy", "%63om1.npy", "com0.npy", "conv.npy"];
        assert_eq!(files[..5], expected);
        assert_eq!(files[5], "lpt10.npy");
    }

    #[test]
    fn names_that_no_file_can_have_are_refused() {
        assert!(names(&[String::new()]).unwrap_err().to_string().contains("has no name"));
        assert_eq!(of(&[&"y".repeat(251)])[0].len(), 255);
        let message = names(&["y".repeat(252)]).unwrap_err().to_string();
        assert!(message.contains("256 bytes but file systems allow 255"), "{message}");
    }
}
