//! Options of the form `NAME=VALUE`.

use std::path::PathBuf;

use longshore::StagePolicy;

/// `--input NAME=FILE.npy`.
#[derive(Clone, Debug)]
pub struct InputFile {
    pub name: String,
    pub path: PathBuf,
}

/// `--dim NAME=N`.
#[derive(Clone, Debug)]
pub struct DimLength {
    pub name: String,
    pub length: usize,
}

/// `--input-shape NAME=1x3x224x224`.
#[derive(Clone, Debug)]
pub struct InputShape {
    pub name: String,
    pub shape: Vec<usize>,
}

/// Reads `NAME=FILE.npy`.
pub fn input_file(text: &str) -> Result<InputFile, String> {
    let (name, file) = pair(text, "NAME=FILE.npy")?;
    if file.is_empty() {
        return Err(format!("input \"{name}\" has no file: NAME=FILE.npy is expected"));
    }
    Ok(InputFile { name: name.to_owned(), path: PathBuf::from(file) })
}

/// Reads `NAME=N`.
pub fn dim_length(text: &str) -> Result<DimLength, String> {
    let (name, length) = pair(text, "NAME=N")?;
    Ok(DimLength { name: name.to_owned(), length: whole(name, length)? })
}

/// Reads `NAME=1x3x224x224`; nothing behind the sign is the shape of a scalar.
pub fn input_shape(text: &str) -> Result<InputShape, String> {
    let (name, lengths) = pair(text, "NAME=1x3x224x224")?;
    let lengths = lengths.split('x').filter(|_| !lengths.is_empty());
    let shape = lengths.map(|length| whole(name, length)).collect::<Result<_, _>>()?;
    Ok(InputShape { name: name.to_owned(), shape })
}

/// Reads `reject`, `replace=V` or `allow`.
pub fn policy(text: &str) -> Result<StagePolicy, String> {
    let expected = || format!("\"{text}\" is none of reject, replace=V and allow");
    match text {
        "reject" => Ok(StagePolicy::new()),
        "allow" => Ok(StagePolicy::new().allow_non_finite()),
        _ => {
            let value = text.strip_prefix("replace=").ok_or_else(expected)?;
            let value: f32 = value.parse().map_err(|_| expected())?;
            if !value.is_finite() {
                return Err(format!("\"{value}\" is not finite; give a finite f32, or allow"));
            }
            Ok(StagePolicy::new().replace_non_finite(value))
        }
    }
}

fn pair<'a>(text: &'a str, form: &str) -> Result<(&'a str, &'a str), String> {
    match text.split_once('=') {
        Some((name, value)) if !name.is_empty() => Ok((name, value)),
        _ => Err(format!("{form} is expected")),
    }
}

fn whole(name: &str, text: &str) -> Result<usize, String> {
    text.parse().map_err(|_| format!("\"{text}\" is no length for \"{name}\": a whole number is"))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn shapes_are_lengths_between_crosses() {
        assert_eq!(input_shape("x=1x3x224x5").unwrap().shape, [1, 3, 224, 5]);
        assert_eq!(input_shape("x=7").unwrap().shape, [7]);
        assert!(input_shape("x=").unwrap().shape.is_empty());
        for wrong in ["x", "=1", "x=1xx2", "x=-1", "x=1X2", "x=18446744073709551616"] {
            assert!(input_shape(wrong).is_err(), "{wrong}");
        }
    }

    #[test]
    fn a_name_ends_at_the_first_sign() {
        let input = input_file("x=a=b.npy").unwrap();
        assert_eq!((input.name.as_str(), input.path.to_str()), ("x", Some("a=b.npy")));
        assert!(input_file("x=").is_err() && input_file("=a").is_err());
    }

    #[test]
    fn policies_are_three() {
        let replace = StagePolicy::new().replace_non_finite(-0.5);
        assert_eq!(policy("replace=-0.5"), Ok(replace));
        assert_eq!(policy("allow"), Ok(StagePolicy::new().allow_non_finite()));
        assert_eq!(policy("reject"), Ok(StagePolicy::new()));
        for wrong in ["", "replace", "replace=", "replace=nan", "replace=1e39", "Allow"] {
            assert!(policy(wrong).is_err(), "{wrong}");
        }
    }
}
