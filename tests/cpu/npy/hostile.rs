//! Files that are damaged, cut or lie about themselves.

use longshore::{Error, HostArray};

use super::{file, fixture, scratch};

fn parse_error(header: &str, data: &[u8]) -> String {
    HostArray::from_npy_bytes("x.npy", &file(header, data)).unwrap_err().to_string()
}

#[test]
fn wrong_headers_are_said_in_words() {
    let keys = "the keys are descr, fortran_order and shape";
    let again = "write the file again with numpy.save";
    let lengths = "lengths are whole numbers from 0 to 2^64 - 1";
    let dict = "a Python dict of descr, fortran_order and shape should be there";
    for (header, got, expected) in [
        ("{'descr': '<f4', 'shape': (1,)}", "has no key 'fortran_order'", keys),
        ("{'descr': '<f4', 'descr': '<f4'}", "has the key 'descr' twice", keys),
        ("{'extra': 1}", "has a key 'extra'", keys),
        ("{1: 1}", "has a key 1", keys),
        ("(1, 2)", "is not a Python dict", "one should be there"),
        ("{'descr' '<f4'}", "has '\\'' at position 9 where ':' should be", dict),
        ("", "ends at position 0 where a Python literal should be", dict),
        (
            "{'descr': '<f4', 'fortran_order': 0, 'shape': (1,)}",
            "says fortran_order 0",
            "it is True or False",
        ),
        ("{'descr': '<f4', 'fortran_order': False, 'shape': (-1,)}", "says shape (-1,)", lengths),
        (
            "{'descr': '<f4', 'fortran_order': False, 'shape': (99999999999999999999,)}",
            "says shape (99999999999999999999,)",
            lengths,
        ),
        (
            "{'descr': '<f4', 'fortran_order': False, 'shape': (2, 'a')}",
            "says shape (2, 'a')",
            lengths,
        ),
        (
            "{'descr': '<f4', 'fortran_order': False, 'shape': 3}",
            "says shape 3",
            "it is a tuple of lengths",
        ),
        (
            "{'descr': 4, 'fortran_order': False, 'shape': (1,)}",
            "says descr 4",
            "it is a dtype string",
        ),
        (
            "{'descr': '<f3', 'fortran_order': False, 'shape': (1,)}",
            "says descr '<f3'",
            "that is no NumPy dtype; bool, int8 to uint64, float16, float32 and float64 can be read",
        ),
    ] {
        assert_eq!(
            parse_error(header, &[0; 4]),
            format!("x.npy: npy header {got} but {expected}; {again}"),
            "{header}"
        );
    }
    let axes = format!("{{'descr':'<f4','fortran_order':False,'shape':({})}}", "1,".repeat(65));
    assert!(parse_error(&axes, &[0; 4]).contains("says 65 axes but NumPy has at most 64"));
}

#[test]
fn lying_lengths_are_errors_and_allocate_nothing() {
    let header = |shape: &str| format!("{{'descr':'<f8','fortran_order':False,'shape':{shape}}}");
    for shape in ["(9223372036854775808,)", "(4294967296, 4294967296)", "(9223372036854775808, 0)"]
    {
        let bytes = file(&header(shape), &[0; 8]);
        let error = HostArray::from_npy_bytes("x.npy", &bytes).unwrap_err();
        assert!(matches!(error, Error::Limit { .. }), "{error}");
        assert!(
            error.to_string().contains("the largest array in memory is 9223372036854775807 bytes"),
            "{error}"
        );
    }
    // 2^59 doubles fit the address space but not the file.
    let lie = file(&header("(576460752303423488,)"), &[0; 8]);
    let wanted = "npy data has 8 bytes but shape [576460752303423488] of float64 is \
                  4611686018427387904 bytes; the file is truncated: copy or write it again";
    let error = HostArray::from_npy_bytes("x.npy", &lie).unwrap_err();
    assert_eq!(error.to_string(), format!("x.npy: {wanted}"));
    let error = HostArray::read_named("pipe", lie.as_slice()).unwrap_err();
    let bound = "the array needs 4611686018427387904 bytes but the most that is read is 4294967296 \
                 bytes; allow more with ReadOptions::most_bytes";
    assert_eq!(error.to_string(), format!("pipe: {bound}"));
    let path = scratch("lie.npy");
    std::fs::write(&path, &lie).unwrap();
    let error = HostArray::read(&path).unwrap_err();
    assert_eq!(error.to_string(), format!("{}: {wanted}", path.display()));

    assert_eq!(
        parse_error(&header("(2,)"), &[0; 19]),
        "x.npy: npy data is followed by 3 more bytes but shape [2] of float64 is 16 bytes; \
         save one array in each file, or several with numpy.savez"
    );
    let long = b"\x93NUMPY\x02\x00\xff\xff\xff\xff{}";
    assert_eq!(
        HostArray::from_npy_bytes("x", long).unwrap_err().to_string(),
        "x: npy header says it has 4294967295 bytes but headers of up to 1048576 bytes are read; \
         write the file again with numpy.save"
    );
}

#[test]
fn a_file_cut_at_any_byte_is_an_error() {
    for name in ["float64_be_f.npy", "version_2.npy", "version_3.npy", "scalar.npy"] {
        let whole = std::fs::read(fixture(name)).unwrap();
        assert!(HostArray::from_npy_bytes("whole", &whole).is_ok());
        for length in 0..whole.len() {
            let error = HostArray::from_npy_bytes("cut", &whole[..length]).unwrap_err();
            assert!(matches!(error, Error::Format { .. }), "{name} cut at {length}: {error}");
            let error = HostArray::read_named("cut", &whole[..length]).unwrap_err();
            assert!(matches!(error, Error::Format { .. }), "{name} cut at {length}: {error}");
        }
    }
}

#[test]
fn a_file_with_flipped_bytes_never_panics() {
    let mut seed = 0x9e37_79b9_7f4a_7c15_u64;
    let mut next = |below: usize| {
        seed ^= seed << 13;
        seed ^= seed >> 7;
        seed ^= seed << 17;
        usize::try_from(seed >> 33).unwrap() % below
    };
    let mut refused = 0;
    for name in ["int32_le_f.npy", "version_3.npy", "refused_structured.npy", "cube_f.npy"] {
        let whole = std::fs::read(fixture(name)).unwrap();
        for _ in 0..4000 {
            let mut bytes = whole.clone();
            for _ in 0..=next(3) {
                let at = next(bytes.len().min(80));
                bytes[at] = u8::try_from(next(256)).unwrap();
            }
            match HostArray::from_npy_bytes("flipped", &bytes) {
                // What still reads must hold together.
                Ok(array) => assert_eq!(array.to_f64().len(), array.len()),
                Err(error) => {
                    assert!(!error.to_string().contains('\n'), "{error}");
                    refused += 1;
                }
            }
        }
    }
    assert!((12_000..16_000).contains(&refused), "{refused}");
}

#[test]
fn files_that_are_not_npy_are_errors() {
    let missing = HostArray::read(scratch("missing.npy")).unwrap_err();
    assert!(matches!(missing, Error::Io { action: "open", .. }), "{missing}");
    let folder = HostArray::read(env!("CARGO_TARGET_TMPDIR")).unwrap_err();
    assert!(folder.to_string().contains("it is no regular file"), "{folder}");
    for (bytes, text) in [
        (&b""[..], "x: npy header is missing but the file is empty"),
        (b"PK\x03\x04 and more", "x: npy header does not start with the magic but an .npy file"),
        (b"\x93NUM", "x: npy header ends after 4 bytes but magic and version are 8 bytes"),
        (b"\x93NUMPY\x04\x00\x00\x00", "x: npy header has format version 4.0 but versions 1.0"),
        (b"\x93NUMPY\x03\x00\x02\x00\x00\x00\xff\xfe", "x: npy header is not UTF-8"),
    ] {
        let error = HostArray::from_npy_bytes("x", bytes).unwrap_err().to_string();
        assert!(error.starts_with(text), "{error}");
    }
}
