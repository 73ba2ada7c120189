//! Options of the form `NAME=VALUE`.

use std::path::Path;

use longshore::StagePolicy;

/// `--input NAME=FILE.npy`. Both may have the sign in them, so it takes the model to tell them apart.
#[derive(Clone, Debug)]
pub struct InputFile(String);

impl InputFile {
    /// Returns the name and the file: the longest name that the model has, else what is before the
    /// first sign. A file of a misleading name is written as `./FILE.npy`.
    pub fn parts(&self, is_name: impl Fn(&str) -> bool) -> (&str, &Path) {
        let text = self.0.as_str();
        let ends = text.match_indices('=').map(|(at, _)| at);
        let cut = |at: usize| Some((text.get(..at)?, text.get(at.checked_add(1)?..)?));
        let named = ends.filter_map(cut).filter(|(name, file)| !file.is_empty() && is_name(name));
        let (name, file) = named.last().or_else(|| text.split_once('=')).unwrap_or((text, ""));
        (name, Path::new(file))
    }

    /// Tells whether the file is `-`, whatever the name is.
    pub fn is_stdin(&self) -> bool {
        self.0.ends_with("=-")
    }
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
    match text.split_once('=') {
        Some((name, "")) if !name.is_empty() => {
            Err(format!("input \"{name}\" has no file: NAME=FILE.npy is expected"))
        }
        Some((name, _)) if !name.is_empty() => Ok(InputFile(text.to_owned())),
        _ => Err("NAME=FILE.npy is expected".to_owned()),
    }
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

/// Reads `reject`, `replace=V` or `allow`: the rule for NaN, infinity, and what is infinite as f32.
pub fn policy(text: &str) -> Result<StagePolicy, String> {
    let expected = || format!("\"{text}\" is none of reject, replace=V and allow");
    match text {
        "reject" => Ok(StagePolicy::new()),
        "allow" => Ok(StagePolicy::new().allow_non_finite().allow_overflow()),
        _ => {
            let value = text.strip_prefix("replace=").ok_or_else(expected)?;
            let value: f32 = value.parse().map_err(|_| expected())?;
            if !value.is_finite() {
                return Err(format!("\"{value}\" is not finite; give a finite f32, or allow"));
            }
            Ok(StagePolicy::new().replace_non_finite(value).replace_overflow(value))
        }
    }
}

/// Takes a name and a value without the sign apart.
fn pair<'a>(text: &'a str, form: &str) -> Result<(&'a str, &'a str), String> {
    match text.rsplit_once('=') {
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
    fn a_name_ends_where_the_models_does() {
        let parts = |text: &str, names: &[&str]| {
            let input = input_file(text).unwrap();
            let (name, file) = input.parts(|name| names.contains(&name));
            (name.to_owned(), file.to_str().unwrap().to_owned())
        };
        let pair = |name: &str, file: &str| (name.to_owned(), file.to_owned());
        assert_eq!(parts("x=a=b.npy", &["x"]), pair("x", "a=b.npy"));
        assert_eq!(parts("a=b=c.npy", &["a=b"]), pair("a=b", "c.npy"));
        assert_eq!(parts("a=b=c.npy", &["a", "a=b"]), pair("a=b", "c.npy"));
        assert_eq!(parts("a=./b=c.npy", &["a", "a=b"]), pair("a", "./b=c.npy"));
        assert_eq!(parts("a=b=", &["a", "a=b"]), pair("a", "b="));
        assert_eq!(parts("q=b=c.npy", &["x"]), pair("q", "b=c.npy"));
        for wrong in ["x=", "=a", "x", ""] {
            assert!(input_file(wrong).is_err(), "{wrong}");
        }
    }

    #[test]
    fn lengths_stand_behind_the_last_sign() {
        assert_eq!(input_shape("a=b=2x3").unwrap().name, "a=b");
        let dim = dim_length("n=m=4").unwrap();
        assert_eq!((dim.name.as_str(), dim.length), ("n=m", 4));
    }

    #[test]
    fn policies_are_three() {
        let replace = StagePolicy::new().replace_non_finite(-0.5).replace_overflow(-0.5);
        assert_eq!(policy("replace=-0.5"), Ok(replace));
        let allow = StagePolicy::new().allow_non_finite().allow_overflow();
        assert_eq!(policy("allow"), Ok(allow));
        assert_eq!(policy("reject"), Ok(StagePolicy::new()));
        for wrong in ["", "replace", "replace=", "replace=nan", "replace=1e39", "Allow"] {
            assert!(policy(wrong).is_err(), "{wrong}");
        }
    }
}
