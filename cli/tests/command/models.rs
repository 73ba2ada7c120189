//! Models and arrays for the tests of the commands that take them.

use std::fs::File;
use std::path::{Path, PathBuf};
use std::sync::OnceLock;

use longshore::HostArray;
use ndarray::{ArrayD, IxDyn};

use super::support::Scratch;

/// What ONNX's own runner allows.
const RTOL: f64 = 1e-3;
const ATOL: f64 = 1e-5;

/// Returns the path of a file of one of ONNX's node cases, which are unpacked at the first call.
pub fn case(name: &str, file: &str) -> String {
    static FOLDER: OnceLock<PathBuf> = OnceLock::new();
    text(&FOLDER.get_or_init(unpack).join(name).join(file))
}

/// Unpacks the cases into a new folder and moves it to its place, where another process may
/// have been first.
fn unpack() -> PathBuf {
    let packed = root().join("../tests/fixtures/onnx/conformance.zip");
    let made = packed.metadata().and_then(|data| data.modified()).expect("the cases");
    let folder = Path::new(env!("CARGO_TARGET_TMPDIR"));
    let seconds = made.duration_since(std::time::UNIX_EPOCH).expect("a date").as_secs();
    let folder = folder.join(format!("conformance-{seconds}"));
    if !folder.is_dir() {
        let fresh = folder.with_extension(std::process::id().to_string());
        let file = File::open(packed).expect("the cases");
        zip::ZipArchive::new(file).expect("an archive").extract(&fresh).expect("a folder");
        if std::fs::rename(&fresh, &folder).is_err() {
            std::fs::remove_dir_all(&fresh).expect("a second copy");
        }
    }
    folder
}

/// Returns the path of a model that `make_models.py` wrote.
pub fn model(name: &str) -> String {
    text(&root().join("tests/fixtures").join(format!("{name}.onnx")))
}

fn root() -> PathBuf {
    PathBuf::from(env!("CARGO_MANIFEST_DIR"))
}

fn text(path: &Path) -> String {
    path.to_str().expect("the repository's path is UTF-8").to_owned()
}

/// Writes an array of f32 to a scratch file.
pub fn array(name: &str, shape: &[usize], values: &[f32]) -> Scratch {
    let array = ArrayD::from_shape_vec(IxDyn(shape), values.to_vec()).expect("values of the shape");
    write(name, &HostArray::from(array))
}

/// Writes an array of any dtype to a scratch file.
pub fn write(name: &str, array: &HostArray<'_>) -> Scratch {
    let file = Scratch::new(name);
    array.write_npy(file.path()).expect("a scratch file");
    file
}

/// Reads a file that must hold f32.
#[track_caller]
pub fn read(path: &str) -> ArrayD<f32> {
    let array = HostArray::read(path).unwrap_or_else(|error| panic!("{error}"));
    array.to_array().unwrap_or_else(|error| panic!("{error}"))
}

/// Asserts that a written file holds what another one does, within ONNX's tolerances.
#[track_caller]
pub fn assert_close(written: &str, expected: &str) {
    let found = read(written);
    let expected = HostArray::read(expected).expect("a golden file").to_f64();
    assert_eq!(found.shape(), expected.shape());
    for (index, &wanted) in expected.indexed_iter() {
        let got = f64::from(found[&index]);
        let difference = (got - wanted).abs();
        assert!(difference <= ATOL + RTOL * wanted.abs(), "{index:?}: {got} but {wanted}");
    }
}

/// A folder for one test, removed when dropped.
pub struct Folder(PathBuf);

impl Folder {
    pub fn new(name: &str) -> Self {
        let path = PathBuf::from(env!("CARGO_TARGET_TMPDIR"));
        let path = path.join(format!("{}-{name}", std::process::id()));
        let _ = std::fs::remove_dir_all(&path);
        Folder(path)
    }

    pub fn path(&self) -> String {
        text(&self.0)
    }

    pub fn file(&self, name: &str) -> String {
        text(&self.0.join(name))
    }

    /// Returns the names of the files, sorted; none if there is no folder.
    pub fn files(&self) -> Vec<String> {
        let Ok(entries) = std::fs::read_dir(&self.0) else { return Vec::new() };
        let name = |entry: std::io::Result<std::fs::DirEntry>| {
            entry.expect("an entry").file_name().into_string().expect("UTF-8")
        };
        let mut names: Vec<String> = entries.map(name).collect();
        names.sort();
        names
    }
}

impl Drop for Folder {
    fn drop(&mut self) {
        let _ = std::fs::remove_dir_all(&self.0);
    }
}
