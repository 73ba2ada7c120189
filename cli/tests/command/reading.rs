//! What the command reads, and what it refuses before it reads it.

use std::fs::{self, File};
use std::io::Write;
use std::process::{Command, Stdio};
use std::time::{Duration, Instant};

use longshore::HostArray;
use ndarray::Array1;

use super::models::{self, Folder, model, read};
use super::support::{Finished, longshore};

/// Runs `longshore` with bytes on its standard input.
fn fed(arguments: &[&str], bytes: &[u8]) -> Finished {
    let mut command = Command::new(env!("CARGO_BIN_EXE_longshore"));
    command.args(arguments).stdin(Stdio::piped()).stdout(Stdio::piped()).stderr(Stdio::piped());
    let mut child = command.spawn().expect("the command starts");
    let mut input = child.stdin.take().expect("a pipe");
    // It may end before it has read everything.
    let _ = input.write_all(bytes);
    drop(input);
    let output = child.wait_with_output().expect("an end");
    let text = |bytes| String::from_utf8(bytes).expect("UTF-8");
    Finished {
        status: output.status.code(),
        stdout: text(output.stdout),
        stderr: text(output.stderr),
    }
}

/// A folder, and in it an array of so many zeros of f32, of which the disk keeps none.
fn zeros(name: &str, count: u64) -> (Folder, String) {
    let folder = Folder::new(name);
    fs::create_dir_all(folder.path()).expect("a folder");
    let path = folder.file("zeros.npy");
    let empty = HostArray::from(Array1::<f32>::zeros(0)).to_npy_bytes();
    let header = String::from_utf8_lossy(&empty[10..]).replace("(0,)", &format!("({count},)"));
    let mut bytes = empty[..10].to_vec();
    bytes.extend(header.trim_end().bytes());
    bytes.resize(127, b' ');
    bytes.push(b'\n');
    fs::write(&path, bytes).expect("a file");
    let file = File::options().write(true).open(&path).expect("a file");
    file.set_len(128 + 4 * count).expect("a sparse file");
    (folder, path)
}

#[test]
fn standard_input_is_a_model_or_an_array() {
    let folder = Folder::new("stdin");
    let x = models::array("stdin-x", &[1, 3], &[1.0, 2.0, 3.0]);
    let (layers, path) = (model("layers"), folder.path());
    let (input, array) = (format!("x={}", x.path()), fs::read(x.path()).expect("an array"));
    let onnx = fs::read(&layers).expect("a model");
    let more = ["--output", &path, "--adapter", "host"];
    let run = |model: &str, input: &str, bytes: &[u8]| {
        fed(&[&["run", model, "--input", input], &more[..]].concat(), bytes)
    };
    run(&layers, &input, &[]).succeeded();
    let expected = read(&folder.file("out%2Frelu%3A0.npy"));
    for (model, input, bytes) in [("-", input.as_str(), &onnx), (&*layers, "x=-", &array)] {
        fs::remove_dir_all(folder.path()).expect("a folder");
        run(model, input, bytes).succeeded();
        assert_eq!(read(&folder.file("out%2Frelu%3A0.npy")), expected);
    }
    let twice = run("-", "x=-", &onnx);
    let line = "longshore: standard input is given twice and read once; give one of them as a file";
    assert_eq!(twice.failed(), line);
    let more = fed(&["inspect", "-", "--max-bytes", "20"], &onnx);
    let line = "longshore: standard input: has more than the 20 bytes that are read; allow more with \
                --max-bytes";
    assert_eq!(more.failed(), line);
}

#[test]
fn an_array_of_another_shape_is_refused_by_its_header() {
    // 4 GiB for an input of 12 bytes, where 1 TiB would not be read either.
    let layers = model("layers");
    let begun = Instant::now();
    for count in [(1 << 30) - 32, 1 << 38] {
        let (folder, path) = zeros(&format!("zeros-{count}"), count);
        let (input, output) = (format!("x={path}"), folder.file("out"));
        let mut run = vec!["run", &*layers, "--input", &input, "--output", &output];
        let finished = longshore(&run);
        let line = finished.failed();
        if count < 1 << 30 {
            let expected = "input \"x\" has 1 dimensions but the model declares [batch, 3]";
            assert!(line.contains(expected), "{line}");
        } else {
            assert!(line.contains("allow more with --max-bytes"), "{line}");
            run.extend(["--max-bytes", "2000000000000"]);
            let finished = longshore(&run);
            assert!(finished.failed().contains("input \"x\" has 1 dimensions"));
        }
    }
    assert!(begun.elapsed() < Duration::from_secs(20));
}

#[test]
#[cfg(target_os = "linux")]
fn devices_and_pipes_are_refused() {
    let folder = Folder::new("pipes");
    fs::create_dir_all(folder.path()).expect("a folder");
    let (pipe, json) = (folder.file("pipe"), folder.file("pipe.json"));
    for path in [&pipe, &json] {
        assert!(Command::new("mkfifo").arg(path).status().expect("mkfifo").success());
    }
    for path in ["/dev/zero", &pipe, &json] {
        let finished = longshore(&["inspect", path]);
        let expected = format!("longshore: {path}: it is no regular file but");
        assert!(finished.failed().starts_with(&expected), "{}", finished.stderr);
        let (input, output) = (format!("x={path}"), folder.file("out"));
        let run = ["run", &model("layers"), "--input", &input, "--output", &output];
        let finished = longshore(&run);
        assert!(finished.failed().starts_with(&expected), "{}", finished.stderr);
    }
}

/// A field of a message: bytes, or a number.
fn field(number: u8, bytes: &[u8]) -> Vec<u8> {
    let length = u8::try_from(bytes.len()).expect("a short field");
    assert!(length < 128);
    [&[number << 3 | 2, length], bytes].concat()
}

fn whole(number: u8, value: u8) -> Vec<u8> {
    vec![number << 3, value]
}

/// `y` = `x` + `w` of two numbers, of which `w` lies in `data`.
fn external() -> Vec<u8> {
    let location = [field(1, b"location"), field(2, b"data")].concat();
    let tensor = [whole(1, 2), whole(2, 1), field(8, b"w"), field(13, &location), whole(14, 1)];
    let node = [field(1, b"x"), field(1, b"w"), field(2, b"y"), field(4, b"Add")].concat();
    let shape = field(2, &field(1, &whole(1, 2)));
    let port = |name| [field(1, name), field(2, &field(1, &[whole(1, 1), shape.clone()].concat()))];
    let graph = [field(1, &node), field(5, &tensor.concat()), field(11, &port(b"x").concat())];
    let graph = [graph.concat(), field(12, &port(b"y").concat())].concat();
    [field(8, &whole(2, 13)), field(7, &graph)].concat()
}

/// As caches of models have it: each file is a link into a store.
#[test]
#[cfg(unix)]
fn links_out_of_the_models_folder_take_an_option() {
    use std::os::unix::fs::symlink;
    let (folder, store) = (Folder::new("linked"), Folder::new("store"));
    for path in [folder.path(), store.path()] {
        fs::create_dir_all(path).expect("a folder");
    }
    let bytes: Vec<u8> = [1.0_f32, 2.0].iter().flat_map(|value| value.to_le_bytes()).collect();
    fs::write(store.file("1"), external()).expect("a model");
    fs::write(store.file("2"), bytes).expect("data");
    symlink(store.file("1"), folder.file("m.onnx")).expect("a link");
    symlink(store.file("2"), folder.file("data")).expect("a link");
    let file = folder.file("m.onnx");
    let finished = longshore(&["inspect", &file]);
    assert_eq!(
        finished.failed(),
        format!(
            "longshore: {file}: tensor \"w\" lies in \"data\", which is a link out of the model's \
             folder but a file below it; give --allow-links if you trust it"
        )
    );
    longshore(&["inspect", &file, "--allow-links"]).succeeded();
    let finished = longshore(&["inspect", &file, "--allow-links", "--max-bytes", "7"]);
    assert!(finished.failed().contains("allow more with"), "{}", finished.stderr);
}
