//! Element types, byte orders and memory orders, and the NumPy names for them.

use std::ffi::c_long;
use std::fmt;

/// An element type that can become f32.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub enum DType {
    /// One byte; zero is false and every other value is true.
    Bool,
    /// Signed, 8 bits.
    I8,
    /// Signed, 16 bits.
    I16,
    /// Signed, 32 bits.
    I32,
    /// Signed, 64 bits.
    I64,
    /// Unsigned, 8 bits.
    U8,
    /// Unsigned, 16 bits.
    U16,
    /// Unsigned, 32 bits.
    U32,
    /// Unsigned, 64 bits.
    U64,
    /// IEEE 754 half precision.
    F16,
    /// IEEE 754 single precision.
    F32,
    /// IEEE 754 double precision.
    F64,
}

impl DType {
    /// Every dtype, in declaration order.
    pub const ALL: [DType; 12] = [
        DType::Bool,
        DType::I8,
        DType::I16,
        DType::I32,
        DType::I64,
        DType::U8,
        DType::U16,
        DType::U32,
        DType::U64,
        DType::F16,
        DType::F32,
        DType::F64,
    ];

    /// Returns the bytes of one element.
    #[must_use]
    pub const fn size_bytes(self) -> usize {
        match self {
            DType::Bool | DType::I8 | DType::U8 => 1,
            DType::I16 | DType::U16 | DType::F16 => 2,
            DType::I32 | DType::U32 | DType::F32 => 4,
            DType::I64 | DType::U64 | DType::F64 => 8,
        }
    }

    /// Returns NumPy's name, as in `float64`.
    #[must_use]
    pub const fn name(self) -> &'static str {
        match self {
            DType::Bool => "bool",
            DType::I8 => "int8",
            DType::I16 => "int16",
            DType::I32 => "int32",
            DType::I64 => "int64",
            DType::U8 => "uint8",
            DType::U16 => "uint16",
            DType::U32 => "uint32",
            DType::U64 => "uint64",
            DType::F16 => "float16",
            DType::F32 => "float32",
            DType::F64 => "float64",
        }
    }

    /// Returns the little-endian `descr` of the `.npy` format, as in `<f8`.
    #[must_use]
    pub const fn descr(self) -> &'static str {
        match self {
            DType::Bool => "|b1",
            DType::I8 => "|i1",
            DType::I16 => "<i2",
            DType::I32 => "<i4",
            DType::I64 => "<i8",
            DType::U8 => "|u1",
            DType::U16 => "<u2",
            DType::U32 => "<u4",
            DType::U64 => "<u8",
            DType::F16 => "<f2",
            DType::F32 => "<f4",
            DType::F64 => "<f8",
        }
    }
}

impl fmt::Display for DType {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.pad(self.name())
    }
}

/// The order of the bytes within one element.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum ByteOrder {
    /// Least significant byte first; also stated for one-byte dtypes.
    Little,
    /// Most significant byte first.
    Big,
}

impl ByteOrder {
    /// The order of the machine this code was compiled for.
    pub const NATIVE: ByteOrder =
        if cfg!(target_endian = "big") { ByteOrder::Big } else { ByteOrder::Little };
}

impl fmt::Display for ByteOrder {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.pad(match self {
            ByteOrder::Little => "little-endian",
            ByteOrder::Big => "big-endian",
        })
    }
}

/// The order of the elements of a contiguous array in memory.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Order {
    /// The last axis runs fastest.
    C,
    /// The first axis runs fastest.
    Fortran,
}

impl fmt::Display for Order {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.pad(match self {
            Order::C => "C order",
            Order::Fortran => "Fortran order",
        })
    }
}

/// Why a `descr` string is not one of [`DType`].
#[derive(Debug, PartialEq, Eq)]
pub(super) enum DescrError {
    /// A NumPy dtype that has no numbers f32 could hold.
    Refused {
        /// The name NumPy prints.
        dtype: String,
        /// The family it belongs to.
        reason: &'static str,
    },
    /// Not a NumPy dtype.
    Unknown,
}

/// Reads a `descr` string such as `<f8`, `|u1`, `>i4`, `=f4`, `?` or `float32`.
///
/// `=`, `|` and no prefix at all mean the byte order of this machine, as they do in NumPy, and C's
/// types have the sizes that they have here.
pub(super) fn parse_descr(descr: &str) -> Result<(DType, ByteOrder), DescrError> {
    let (byte_order, code) = match descr.as_bytes().first() {
        Some(b'<') => (ByteOrder::Little, descr.get(1..)),
        Some(b'>' | b'!') => (ByteOrder::Big, descr.get(1..)),
        Some(b'=' | b'|') => (ByteOrder::NATIVE, descr.get(1..)),
        _ => (ByteOrder::NATIVE, Some(descr)),
    };
    let code = code.unwrap_or_default();
    let dtype = named(descr).or_else(|| coded(code)).ok_or_else(|| refuse(descr, code))?;
    // The byte order of a single byte says nothing; one value keeps reports comparable.
    let byte_order = if dtype.size_bytes() == 1 { ByteOrder::Little } else { byte_order };
    Ok((dtype, byte_order))
}

/// Returns the dtype of a kind with its size in bytes, or of NumPy's letter for a type of C's.
fn coded(code: &str) -> Option<DType> {
    Some(match code {
        "?" | "b1" => DType::Bool,
        "i1" | "b" => DType::I8,
        "i2" | "h" => DType::I16,
        "i4" | "i" => DType::I32,
        "i8" | "q" => DType::I64,
        "u1" | "B" => DType::U8,
        "u2" | "H" => DType::U16,
        "u4" | "I" => DType::U32,
        "u8" | "Q" => DType::U64,
        "f2" | "e" => DType::F16,
        "f4" | "f" => DType::F32,
        "f8" | "d" => DType::F64,
        "l" => return signed(size_of::<c_long>()),
        "L" => return unsigned(size_of::<c_long>()),
        "p" | "n" => return signed(size_of::<usize>()),
        "P" | "N" => return unsigned(size_of::<usize>()),
        _ => return None,
    })
}

/// Returns the dtype that NumPy has under a name; a name has no prefix.
fn named(name: &str) -> Option<DType> {
    Some(match name {
        "bool" | "bool_" => DType::Bool,
        "int8" | "byte" => DType::I8,
        "int16" | "short" => DType::I16,
        "int32" | "intc" => DType::I32,
        "int64" | "longlong" => DType::I64,
        "uint8" | "ubyte" => DType::U8,
        "uint16" | "ushort" => DType::U16,
        "uint32" | "uintc" => DType::U32,
        "uint64" | "ulonglong" => DType::U64,
        "float16" | "half" => DType::F16,
        "float32" | "single" => DType::F32,
        "float64" | "double" | "float" => DType::F64,
        "long" => return signed(size_of::<c_long>()),
        "ulong" => return unsigned(size_of::<c_long>()),
        "int" | "int_" | "intp" => return signed(size_of::<usize>()),
        "uint" | "uintp" => return unsigned(size_of::<usize>()),
        _ => return None,
    })
}

/// Returns the signed integer of a size in bytes.
fn signed(bytes: usize) -> Option<DType> {
    [DType::I32, DType::I64].into_iter().find(|dtype| dtype.size_bytes() == bytes)
}

/// Returns the unsigned integer of a size in bytes.
fn unsigned(bytes: usize) -> Option<DType> {
    [DType::U32, DType::U64].into_iter().find(|dtype| dtype.size_bytes() == bytes)
}

fn refuse(descr: &str, code: &str) -> DescrError {
    let refused = |dtype: &str, reason| DescrError::Refused { dtype: dtype.to_owned(), reason };
    match descr {
        "complex" | "complex64" | "csingle" | "complex128" | "cdouble" | "complex256"
        | "clongdouble" => refused(descr, "it holds complex numbers"),
        "float128" | "float96" | "longdouble" => {
            refused(descr, "it is a C long double, whose bits differ between machines")
        }
        "object" | "object_" => refused("object", "it holds pickled Python objects"),
        "datetime64" => refused(descr, "it holds dates"),
        "timedelta64" => refused(descr, "it holds time differences"),
        "str" | "str_" | "unicode" => refused("str", "it holds text"),
        "bytes" | "bytes_" => refused("bytes", "it holds byte strings"),
        "void" => refused(descr, "it holds raw bytes"),
        _ => refuse_code(descr, code),
    }
}

fn refuse_code(descr: &str, code: &str) -> DescrError {
    let mut rest = code.chars();
    let Some(kind) = rest.next() else { return DescrError::Unknown };
    let rest = rest.as_str();
    let refused = |dtype: String, reason| DescrError::Refused { dtype, reason };
    let is_size = !rest.is_empty() && rest.bytes().all(|byte| byte.is_ascii_digit());
    let unit_end = rest.find('[').unwrap_or(rest.len());
    let is_time = rest.starts_with('8') && unit_end == 1;
    match (kind, rest) {
        ('c', "8") => refused("complex64".into(), "it holds complex numbers"),
        ('c', "16") => refused("complex128".into(), "it holds complex numbers"),
        ('c', "20" | "24" | "32") => {
            refused(format!("complex ({descr})"), "it holds complex numbers")
        }
        ('f', "10" | "12" | "16") => {
            let bits = if rest == "16" { "float128" } else { "float96" };
            let name = if rest == "10" { "float80" } else { bits };
            refused(name.into(), "it is a C long double, whose bits differ between machines")
        }
        ('U', _) if is_size => refused(descr.into(), "it holds text"),
        ('S' | 'a', _) if is_size => refused(descr.into(), "it holds byte strings"),
        ('O', _) => refused("object".into(), "it holds pickled Python objects"),
        ('T', _) => refused("StringDType".into(), "it holds variable-width text"),
        ('M', _) if is_time => {
            refused(format!("datetime64{}", &rest[unit_end..]), "it holds dates")
        }
        ('m', _) if is_time => {
            refused(format!("timedelta64{}", &rest[unit_end..]), "it holds time differences")
        }
        ('V', _) if is_size => {
            refused(descr.into(), "it holds raw bytes (bfloat16 and float8 are saved like this)")
        }
        _ => DescrError::Unknown,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn prefixes_name_the_byte_order() {
        use ByteOrder::{Big, Little};
        const NATIVE: ByteOrder = ByteOrder::NATIVE;
        assert_eq!(parse_descr("<f8"), Ok((DType::F64, Little)));
        assert_eq!(parse_descr(">i4"), Ok((DType::I32, Big)));
        assert_eq!(parse_descr("!i4"), Ok((DType::I32, Big)));
        assert_eq!(parse_descr("=u2"), Ok((DType::U16, NATIVE)));
        assert_eq!(parse_descr("|f4"), Ok((DType::F32, NATIVE)));
        assert_eq!(parse_descr("f2"), Ok((DType::F16, NATIVE)));
        assert_eq!(parse_descr(">u1"), Ok((DType::U8, Little)));
        assert_eq!(parse_descr("?"), Ok((DType::Bool, Little)));
        assert_eq!(parse_descr("|b1"), Ok((DType::Bool, Little)));
        assert_eq!(parse_descr("<f"), Ok((DType::F32, Little)));
        assert_eq!(parse_descr(">d"), Ok((DType::F64, Big)));
        assert_eq!(parse_descr("|b"), Ok((DType::I8, Little)));
    }

    /// What `numpy.dtype` makes of each on a 64-bit machine.
    #[test]
    fn names_are_those_of_numpy() {
        let long = if size_of::<c_long>() == 8 { "i8" } else { "i4" };
        let word = if size_of::<usize>() == 8 { "8" } else { "4" };
        for (code, names) in [
            ("?", "bool bool_"),
            ("i1", "int8 byte b"),
            ("i2", "int16 short h"),
            ("i4", "int32 intc i"),
            ("i8", "int64 longlong q"),
            ("u1", "uint8 ubyte B"),
            ("u2", "uint16 ushort H"),
            ("u4", "uint32 uintc I"),
            ("u8", "uint64 ulonglong Q"),
            ("f2", "float16 half e"),
            ("f4", "float32 single f"),
            ("f8", "float64 double float d"),
            (long, "long l"),
            (&long.replace('i', "u"), "ulong L"),
            (&format!("i{word}"), "int int_ intp p n"),
            (&format!("u{word}"), "uint uintp P N"),
        ] {
            let expected = parse_descr(code);
            assert!(expected.is_ok(), "{code}");
            for name in names.split(' ') {
                assert_eq!(parse_descr(name), expected, "{name}");
            }
        }
        for name in ["complex64", "longdouble", "object", "str", "bytes", "void", "datetime64"] {
            assert!(matches!(parse_descr(name), Err(DescrError::Refused { .. })), "{name}");
        }
        // NumPy takes no prefix before a name, no capitals, and no names of its first versions.
        for name in ["<float32", "=float32", "|float32", "Float32", "FLOAT32", "float32 ", "bool8"]
        {
            assert_eq!(parse_descr(name), Err(DescrError::Unknown), "{name}");
        }
    }

    #[test]
    fn garbage_is_unknown() {
        for descr in
            ["", "<", "<f3", "<g", "f4 ", "<i16", "é4", "<é", "U", "V-1", "M9", "M8x", "<<f4"]
        {
            assert_eq!(parse_descr(descr), Err(DescrError::Unknown), "{descr:?}");
        }
    }

    #[test]
    fn every_descr_reads_back() {
        for dtype in DType::ALL {
            assert_eq!(parse_descr(dtype.descr()), Ok((dtype, ByteOrder::Little)));
        }
    }
}
