//! Files that the command writes: whole or not at all, whatever happens meanwhile.

use std::fs;
use std::process::{Child, Command, Stdio};
use std::time::{Duration, Instant};

use longshore::{Dense, Graph, HostArray, LayerWeights};
use ndarray::{Array1, Array2};

use super::models::{self, Folder, model, read};
use super::support::{Finished, longshore};

/// Two dense layers of some size, whose weights are all one number, which names the output too.
fn network(number: f32) -> Graph {
    let mut g = Graph::new();
    let mut x = g.input("x", [1, 256]);
    for name in ["first", "second"] {
        let kernel = HostArray::from(Array2::from_elem((256, 256), number));
        let bias = HostArray::from(Array1::from_elem(256, number));
        let dense = Dense::new(256).name(name);
        x = g.dense(x, dense, &LayerWeights::new(kernel).bias(bias)).expect("a layer");
    }
    g.output(format!("y{number}"), x);
    g
}

/// The number of the network in a file; fails if there is no whole one: the description has the
/// checksums of its weights.
#[track_caller]
fn number_of(path: &str) -> u32 {
    let graph = Graph::load(path).unwrap_or_else(|error| panic!("{error}"));
    let name = graph.output_names().next().expect("an output");
    name.trim_start_matches('y').parse().expect("a number")
}

/// The folder of two saved networks, and their files.
fn sources(name: &str) -> (Folder, [String; 2]) {
    let folder = Folder::new(name);
    fs::create_dir_all(folder.path()).expect("a folder");
    let files = [1.0, 2.0].map(|number| {
        let path = folder.file(&format!("source{number}.json"));
        network(number).save(&path).expect("a saved graph");
        path
    });
    (folder, files)
}

fn start(arguments: &[&str]) -> Child {
    let mut command = Command::new(env!("CARGO_BIN_EXE_longshore"));
    command.args(arguments).stdout(Stdio::null()).stderr(Stdio::null());
    command.spawn().expect("the command starts")
}

/// Files that begin as a folder's other files do not: what an unfinished save leaves.
fn hidden(folder: &Folder) -> Vec<String> {
    folder.files().into_iter().filter(|name| name.starts_with('.')).collect()
}

/// Starts a command again and again, and kills each at another moment of its life.
fn kill(times: u32, arguments: impl Fn(u32) -> Vec<String>, check: impl Fn()) {
    let begun = Instant::now();
    let whole = arguments(0);
    let whole: Vec<&str> = whole.iter().map(String::as_str).collect();
    assert!(start(&whole).wait().expect("an end").success());
    let length = begun.elapsed();
    for number in 0..times {
        let arguments = arguments(number);
        let arguments: Vec<&str> = arguments.iter().map(String::as_str).collect();
        let mut child = start(&arguments);
        // Every part of its life, in an order that mixes long and short ones.
        std::thread::sleep(length * (number * 37 % times) / times);
        child.kill().expect("it is ours");
        child.wait().expect("an end");
        check();
    }
}

#[test]
fn three_hundred_kills_leave_the_old_graph_or_the_new_one() {
    let (_sources, files) = sources("kill-sources");
    let folder = Folder::new("kills");
    fs::create_dir_all(folder.path()).expect("a folder");
    let output = folder.file("net.json");
    let convert = |number: u32| {
        let source = &files[usize::from(number % 2 == 1)];
        ["convert", source, "--output", &output].map(str::to_owned).to_vec()
    };
    kill(300, convert, || {
        number_of(&output);
    });
    // What they left is gone with the next save.
    longshore(&["convert", &files[0], "--output", &output]).succeeded();
    assert_eq!(number_of(&output), 1);
    assert_eq!(folder.files().len(), 2, "{:?}", folder.files());
}

#[test]
fn killed_runs_leave_whole_outputs() {
    let (_sources, files) = sources("killed-run-sources");
    let folder = Folder::new("killed-runs");
    let x = models::array("killed-x", &[1, 256], &[1.0; 256]);
    let run = |number: u32| {
        let (source, name) = (&files[usize::from(number % 2 == 1)], format!("x={}", x.path()));
        let folder = folder.path();
        let arguments = ["run", source, "--input", &name, "--output", &folder];
        let more = ["--keep", "first", "--adapter", "host"];
        arguments.into_iter().chain(more).map(str::to_owned).collect()
    };
    kill(60, run, || {
        for name in folder.files().iter().filter(|name| !name.starts_with('.')) {
            assert_eq!(read(&folder.file(name)).shape(), [1, 256]);
        }
    });
    let last = run(0);
    longshore(&last.iter().map(String::as_str).collect::<Vec<_>>()).succeeded();
    assert_eq!(hidden(&folder), [""; 0]);
}

#[test]
fn two_processes_that_save_under_one_name_leave_one_of_both() {
    let (_sources, files) = sources("race-sources");
    let folder = Folder::new("race");
    fs::create_dir_all(folder.path()).expect("a folder");
    let output = folder.file("net.json");
    network(1.0).save(&output).expect("a saved graph");
    let mut found = [0, 0];
    for round in 0..40 {
        // Rounds of equal graphs too, whose weights would have one name.
        let other = if round % 4 == 3 { &files[0] } else { &files[1] };
        let savers = [&files[0], other].map(|file| start(&["convert", file, "--output", &output]));
        let begun = Instant::now();
        while begun.elapsed() < Duration::from_millis(25) {
            number_of(&output);
        }
        for mut saver in savers {
            assert!(saver.wait().expect("an end").success());
        }
        found[usize::from(number_of(&output) == 2)] += 1;
    }
    assert_eq!(found.iter().sum::<i32>(), 40);
    network(2.0).save(&output).expect("a saved graph");
    assert_eq!(folder.files().len(), 2, "{:?}", folder.files());
}

/// Runs `longshore` where no file may be longer than so many blocks of 512 bytes.
#[cfg(unix)]
fn limited(blocks: u32, arguments: &[&str]) -> Finished {
    // The signal is ignored, so that writing fails as on a full disk.
    let script = format!("trap '' XFSZ; ulimit -f {blocks}; exec \"$0\" \"$@\"");
    let mut command = Command::new("sh");
    command.args(["-c", &script, env!("CARGO_BIN_EXE_longshore")]).args(arguments);
    let output = command.output().expect("a shell");
    let text = |bytes| String::from_utf8(bytes).expect("UTF-8");
    Finished {
        status: output.status.code(),
        stdout: text(output.stdout),
        stderr: text(output.stderr),
    }
}

/// That the one line on standard error is the command's shows that no library prints there:
/// `zip` does, where the end of an archive cannot be written.
#[test]
#[cfg(unix)]
fn a_full_disk_leaves_the_old_files() {
    let (_sources, files) = sources("full-sources");
    let folder = Folder::new("full");
    fs::create_dir_all(folder.path()).expect("a folder");
    let output = folder.file("net.json");
    network(1.0).save(&output).expect("a saved graph");
    let before = folder.files();
    // The description alone fits, or half of it.
    for blocks in [1, 3, 100] {
        let finished = limited(blocks, &["convert", &files[1], "--output", &output]);
        let line = finished.failed();
        assert!(line.starts_with(&format!("longshore: {}/net.", folder.path())), "{line}");
        assert!(line.contains(": cannot write: "), "{line}");
        assert_eq!(folder.files(), before);
        assert_eq!(number_of(&output), 1);
    }
    let x = models::array("full-x", &[1, 256], &[1.0; 256]);
    let input = format!("x={}", x.path());
    let (ledger, path) = (folder.file("ledger.json"), folder.path());
    let run = ["run", &output, "--input", &input, "--output", &path, "--adapter", "host"];
    let run = [&run[..], &["--ledger", &ledger]].concat();
    longshore(&run).succeeded();
    let (before, bytes) = (folder.files(), fs::read(folder.file("y1.npy")).expect("an output"));
    let line = limited(2, &run);
    assert!(line.failed().contains("y1.npy: cannot write: "), "{}", line.stderr);
    // Room for the output, and none for the ledger.
    let old = fs::read(&ledger).expect("a ledger");
    let line = limited(3, &run);
    assert!(line.failed().contains("ledger.json: cannot write: "), "{}", line.stderr);
    assert_eq!(folder.files(), before);
    assert_eq!(fs::read(folder.file("y1.npy")).expect("an output"), bytes);
    assert_eq!(fs::read(&ledger).expect("a ledger"), old);
    let picture = folder.file("sheet.png");
    let finished = limited(4, &["demo", "--adapter", "host", "--picture", &picture]);
    assert_eq!(finished.status, Some(1), "{}", finished.stderr);
    assert!(finished.stderr.contains("sheet.png"), "{}", finished.stderr);
    assert_eq!(folder.files(), before);
}

#[test]
fn a_run_writes_all_of_its_outputs_or_none() {
    let folder = Folder::new("all-or-none");
    let x = models::array("all-or-none-x", &[2, 3], &[1.0; 6]);
    let (input, path) = (format!("x={}", x.path()), folder.path());
    let layers = model("layers");
    let run = ["run", &layers, "--input", &input, "--output", &path, "--adapter", "host"];
    longshore(&run).succeeded();
    let [first, second] = <[String; 2]>::try_from(folder.files()).expect("two outputs");
    fs::write(folder.file(&first), "old").expect("a file");
    fs::remove_file(folder.file(&second)).expect("a file");
    fs::create_dir(folder.file(&second)).expect("a folder");
    let finished = longshore(&run);
    assert!(finished.failed().contains(&format!("{second}: cannot create: ")));
    assert_eq!(fs::read(folder.file(&first)).expect("a file"), b"old");
    fs::remove_dir(folder.file(&second)).expect("a folder");
    // Nor are they written where the ledger cannot be.
    let ledger = format!("{}/below/ledger.json", x.path());
    let finished = longshore(&[&run[..], &["--ledger", &ledger]].concat());
    assert!(finished.failed().contains(&ledger), "{}", finished.stderr);
    assert_eq!(folder.files(), [&*first]);
    assert_eq!(fs::read(folder.file(&first)).expect("a file"), b"old");
}

/// A folder in which nothing can be made: for root too, whom no permissions stop.
#[test]
#[cfg(target_os = "linux")]
fn a_read_only_folder_is_one_line() {
    let (_sources, files) = sources("read-only-sources");
    let finished = longshore(&["convert", &files[0], "--output", "/proc/self/net.json"]);
    let line = finished.failed();
    assert!(line.starts_with("longshore: /proc/self/net.json: cannot create: "), "{line}");
    let x = models::array("read-only-x", &[1, 256], &[1.0; 256]);
    let input = format!("x={}", x.path());
    let run = ["run", &files[0], "--input", &input, "--output", "/proc/self", "--adapter", "host"];
    let finished = longshore(&run);
    let line = finished.failed();
    assert!(line.starts_with("longshore: /proc/self/y1.npy: cannot create: "), "{line}");
}
