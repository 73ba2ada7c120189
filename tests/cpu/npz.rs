//! Reading and writing `.npz`: archives NumPy wrote, refusals, and archives that lie.

use std::io::Write as _;
use std::path::PathBuf;

use longshore::array::{DType, Npz, NpzCompression, read_npz, write_npz, write_npz_with};
use longshore::{Error, HostArray};
use ndarray::array;
use zip::write::SimpleFileOptions;
use zip::{CompressionMethod, ZipWriter};

fn fixture(name: &str) -> PathBuf {
    PathBuf::from(env!("CARGO_MANIFEST_DIR")).join("tests/fixtures/npy").join(name)
}

fn scratch(name: &str) -> PathBuf {
    PathBuf::from(env!("CARGO_TARGET_TMPDIR")).join(name)
}

fn npy(header: &str, data: &[u8]) -> Vec<u8> {
    let mut bytes = b"\x93NUMPY\x01\x00".to_vec();
    bytes.extend(u16::try_from(header.len()).unwrap().to_le_bytes());
    bytes.extend(header.as_bytes());
    bytes.extend(data);
    bytes
}

fn archive(members: &[(&str, &[u8])], method: CompressionMethod) -> Vec<u8> {
    let mut zip = ZipWriter::new(std::io::Cursor::new(Vec::new()));
    for (name, bytes) in members {
        zip.start_file(*name, SimpleFileOptions::default().compression_method(method)).unwrap();
        zip.write_all(bytes).unwrap();
    }
    zip.finish().unwrap().into_inner()
}

/// Replaces a byte string wherever it occurs; both have one length, so offsets stay.
fn replace(bytes: &mut [u8], from: &[u8], to: &[u8]) -> usize {
    assert_eq!(from.len(), to.len());
    let mut count = 0;
    for at in 0..=bytes.len() - from.len() {
        if bytes[at..].starts_with(from) {
            bytes[at..at + to.len()].copy_from_slice(to);
            count += 1;
        }
    }
    count
}

#[test]
fn archives_that_numpy_wrote_read_exactly() {
    for (name, count) in [("stored.npz", 3), ("deflated.npz", 4)] {
        let path = fixture(name);
        let npz = Npz::open(&path).unwrap();
        assert_eq!(npz.names().len(), count);
        assert_eq!(npz.names().take(3).collect::<Vec<_>>(), ["conv/bias", "conv/kernel", "steps"]);
        let kernel = npz.array("conv/kernel").unwrap();
        assert_eq!(kernel.name(), format!("{}:conv/kernel", path.display()));
        assert_eq!((kernel.dtype(), kernel.shape()), (DType::F32, &[2, 2, 1, 3][..]));
        let halves: Vec<f32> = (0..12_u8).map(|number| f32::from(number) / 2.0).collect();
        assert_eq!(kernel.to_array::<f32>().unwrap().into_raw_vec_and_offset().0, halves);
        let bias = npz.array("conv/bias").unwrap().to_array::<f64>().unwrap();
        assert_eq!(bias, array![0.5, -1.5, 2.5].into_dyn());
        let steps = npz.array("steps").unwrap().to_array::<i64>().unwrap();
        assert_eq!(steps, ndarray::arr0(41).into_dyn());
    }
    let all = read_npz(fixture("deflated.npz")).unwrap();
    assert_eq!(all.len(), 4);
    assert_eq!(
        all["zeros"].to_array::<f32>().unwrap(),
        ndarray::ArrayD::<f32>::zeros(vec![64, 64])
    );
    assert_eq!(all["steps"].to_f64(), ndarray::arr0(41.0).into_dyn());
}

#[test]
fn members_that_are_not_npy_are_ignored() {
    let npz = Npz::open(fixture("mixed.npz")).unwrap();
    assert_eq!(npz.names().collect::<Vec<_>>(), ["steps"]);
    let error = npz.array("notes.txt").unwrap_err().to_string();
    assert!(
        error.ends_with(
            "mixed.npz: no array named \"notes.txt\"; known: steps; ask for one of these"
        ),
        "{error}"
    );
}

#[test]
fn other_compressions_and_encryption_are_refused_by_name() {
    let error = Npz::open(fixture("bzip2.npz")).unwrap().array("bias").unwrap_err().to_string();
    assert!(
        error.ends_with(
            "bzip2.npz:bias: member is compressed with bzip2 but stored and deflated members can be \
             read; write the archive again with numpy.savez or numpy.savez_compressed"
        ),
        "{error}"
    );
    // The lowest flag bit says encrypted: 8 bytes into a central entry, 6 into a local one.
    let mut bytes = archive(&[("a.npy", b"anything")], CompressionMethod::Stored);
    for (signature, flags) in [(b"PK\x01\x02", 8), (b"PK\x03\x04", 6)] {
        let at = bytes.windows(4).position(|window| window == signature).unwrap();
        bytes[at + flags] |= 1;
    }
    let error = Npz::from_bytes("x.npz", bytes).unwrap().array("a").unwrap_err().to_string();
    assert!(error.starts_with("x.npz:a: member is encrypted but stored and deflated"), "{error}");
}

#[test]
fn what_is_written_reads_back_and_is_the_same_every_time() {
    let image = HostArray::from(array![[1_u8, 2, 3], [4, 5, 6]]);
    let weights = array![[0.5_f32, -1.0], [2.0, 4.0]];
    let turned = HostArray::from(weights.t());
    for compression in [NpzCompression::Stored, NpzCompression::Deflated] {
        let path = scratch(&format!("written_{compression:?}.npz"));
        write_npz_with(&path, [("dense/w", &turned), ("image", &image)], compression).unwrap();
        let back = read_npz(&path).unwrap();
        assert_eq!(back.keys().collect::<Vec<_>>(), ["dense/w", "image"]);
        assert_eq!(
            back["dense/w"].to_array::<f32>().unwrap(),
            array![[0.5_f32, 2.0], [-1.0, 4.0]].into_dyn()
        );
        assert_eq!(back["image"].to_f64(), image.to_f64());
        let first = std::fs::read(&path).unwrap();
        write_npz_with(&path, [("dense/w", &turned), ("image", &image)], compression).unwrap();
        assert_eq!(std::fs::read(&path).unwrap(), first);
    }
    // What was read can be written as it is.
    let path = scratch("again.npz");
    write_npz(&path, &read_npz(fixture("stored.npz")).unwrap()).unwrap();
    assert_eq!(read_npz(&path).unwrap()["conv/bias"].to_f64(), array![0.5, -1.5, 2.5].into_dyn());
}

#[test]
fn names_written_twice_or_empty_are_errors() {
    let one = HostArray::from(array![1.0_f32]);
    for names in [["a", "a"], ["b", ""]] {
        let path = scratch("refused.npz");
        let error = write_npz(&path, names.map(|name| (name, &one))).unwrap_err();
        assert!(matches!(error, Error::Name { .. }), "{error}");
        assert!(!path.exists(), "names are checked before the file is made");
    }
}

#[test]
fn two_members_of_one_name_are_refused() {
    let member = npy("{'descr':'<f4','fortran_order':False,'shape':()}", &[0; 4]);
    let two = [("a.npy", member.as_slice()), ("b.npy", member.as_slice())];
    let mut bytes = archive(&two, CompressionMethod::Stored);
    assert_eq!(replace(&mut bytes, b"b.npy", b"a.npy"), 2);
    let error = Npz::from_bytes("x.npz", bytes).unwrap_err();
    assert_eq!(
        error.to_string(),
        "x.npz: zip archive has two members of one name but names are unique; \
         write the archive again with numpy.savez"
    );
}

#[test]
fn members_that_share_bytes_are_refused() {
    // Both central entries point at the first local header, as in overlapping zip bombs.
    let member = npy("{'descr':'<f4','fortran_order':False,'shape':()}", &[0; 4]);
    let two = [("a.npy", member.as_slice()), ("b.npy", member.as_slice())];
    let mut bytes = archive(&two, CompressionMethod::Stored);
    let second = bytes.windows(4).rposition(|window| window == b"PK\x01\x02").unwrap();
    bytes[second + 42..second + 46].fill(0);
    let error = Npz::from_bytes("x.npz", bytes).unwrap_err();
    assert!(error.to_string().contains("has members that share bytes"), "{error}");
}

/// A deflated member of 64 MiB of zeros: 64 KiB in the archive.
fn bomb(header: &str) -> Vec<u8> {
    archive(&[("bomb.npy", &npy(header, &vec![0; 64 << 20]))], CompressionMethod::Deflated)
}

#[test]
fn a_member_larger_than_its_header_promises_is_refused() {
    let bytes = bomb("{'descr':'<f4','fortran_order':False,'shape':(2,)}");
    assert!(bytes.len() < 100_000, "{}", bytes.len());
    let error = Npz::from_bytes("x.npz", bytes.clone()).unwrap().array("bomb").unwrap_err();
    assert_eq!(
        error.to_string(),
        "x.npz:bomb: member says it has 67108924 bytes but its npy header promises 68; \
         the archive is damaged or hostile: write it again with numpy.savez"
    );
    // With the entries agreeing with the header, the stream itself is what lies.
    let mut bytes = bytes;
    let size = 67_108_924_u32.to_le_bytes();
    assert_eq!(replace(&mut bytes, &size, &68_u32.to_le_bytes()), 2);
    let error = Npz::from_bytes("x.npz", bytes).unwrap().array("bomb").unwrap_err();
    assert!(matches!(error, Error::Format { .. }), "{error}");
}

#[test]
fn a_member_smaller_than_it_says_is_refused_and_nothing_is_allocated() {
    // 2^59 doubles, and an entry that agrees: only the bytes themselves tell.
    let header = "{'descr':'<f8','fortran_order':False,'shape':(402653184,)}";
    for method in [CompressionMethod::Stored, CompressionMethod::Deflated] {
        let member = npy(header, &[0; 64]);
        let mut bytes = archive(&[("lie.npy", &member)], method);
        let size = u32::try_from(member.len()).unwrap().to_le_bytes();
        let promised = 3_221_225_472_u32 + u32::try_from(member.len() - 64).unwrap();
        let central = bytes.windows(4).position(|window| window == b"PK\x01\x02").unwrap();
        assert_eq!(bytes[central + 24..central + 28], size);
        bytes[central + 24..central + 28].copy_from_slice(&promised.to_le_bytes());
        let error = Npz::from_bytes("x.npz", bytes).and_then(|npz| npz.array("lie")).unwrap_err();
        assert!(matches!(error, Error::Format { .. }), "{method:?}: {error}");
    }
}

#[test]
fn a_damaged_member_fails_its_checksum() {
    let mut bytes = std::fs::read(fixture("stored.npz")).unwrap();
    let value = 2.5_f64.to_le_bytes();
    assert_eq!(replace(&mut bytes, &value, &3.5_f64.to_le_bytes()), 1);
    let error = Npz::from_bytes("x.npz", bytes).unwrap().array("conv/bias").unwrap_err();
    assert!(matches!(error, Error::Format { .. }), "{error}");
    assert!(error.to_string().contains("x.npz:conv/bias: zip archive cannot be decompressed"));
}

#[test]
fn refused_arrays_are_refused_inside_archives() {
    let complex = std::fs::read(fixture("refused_complex64.npy")).unwrap();
    let bytes = archive(&[("z.npy", &complex)], CompressionMethod::Deflated);
    let error = Npz::from_bytes("x.npz", bytes).unwrap().arrays().unwrap_err();
    assert!(matches!(&error, Error::Dtype { dtype, .. } if dtype == "complex64"), "{error}");
}

#[test]
fn damaged_archives_are_errors_and_never_panic() {
    let missing = Npz::open(scratch("missing.npz")).unwrap_err();
    assert!(matches!(missing, Error::Io { action: "open", .. }), "{missing}");
    let text = Npz::from_bytes("x.npz", b"this is not an archive".to_vec()).unwrap_err();
    assert!(matches!(text, Error::Format { .. }), "{text}");

    let mut seed = 0x2545_f491_4f6c_dd1d_u64;
    let mut next = |below: usize| {
        seed ^= seed << 13;
        seed ^= seed >> 7;
        seed ^= seed << 17;
        usize::try_from(seed >> 33).unwrap() % below
    };
    for name in ["stored.npz", "deflated.npz", "mixed.npz"] {
        let whole = std::fs::read(fixture(name)).unwrap();
        for length in 0..whole.len() {
            let cut = Npz::from_bytes("cut", whole[..length].to_vec()).and_then(|npz| npz.arrays());
            assert!(cut.is_err(), "{name} cut at {length}");
        }
        let mut refused = 0;
        for _ in 0..1500 {
            let mut bytes = whole.clone();
            for _ in 0..=next(3) {
                let at = next(bytes.len());
                bytes[at] = u8::try_from(next(256)).unwrap();
            }
            match Npz::from_bytes("flipped", bytes).and_then(|npz| npz.arrays()) {
                Ok(arrays) => {
                    for array in arrays.values() {
                        assert_eq!(array.to_f64().len(), array.len());
                    }
                }
                Err(_) => refused += 1,
            }
        }
        assert!(refused > 750, "{name}: {refused}");
    }
}
