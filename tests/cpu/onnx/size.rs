//! Files that are long, or short and ask for much: neither takes minutes or gigabytes.

use std::time::{Duration, Instant};

use longshore::import::onnx::{ImportOptions, OnnxModel};

use super::{
    field, floats, int, ints, model, model_over, node, node_with, numbers, outcome, says, tensor,
};

/// How many nodes or initializers a long file has.
const MANY: usize = 50_000;

/// Far longer than a second or two on a slow machine, far shorter than what grows with the square.
const PATIENCE: Duration = Duration::from_secs(60);

/// Does something that must not take minutes.
#[track_caller]
fn soon<T>(body: impl FnOnce() -> T) -> T {
    let start = Instant::now();
    let result = body();
    assert!(start.elapsed() < PATIENCE, "took {:?}", start.elapsed());
    result
}

fn import(bytes: &[u8]) -> Result<usize, String> {
    let model = OnnxModel::from_bytes("m.onnx", bytes).map_err(|error| error.to_string())?;
    let imported = model.import(ImportOptions::new()).map_err(|error| error.to_string())?;
    Ok(imported.graph.nodes().len())
}

/// A chain of nodes from `x` to `y`, each made from the names of its input and output.
fn chain(count: usize, link: impl Fn(&str, &str) -> Vec<u8>) -> Vec<Vec<u8>> {
    let name = |place: usize| match place {
        0 => "x".to_owned(),
        place if place == count => "y".to_owned(),
        place => format!("v{place}"),
    };
    (0..count).map(|place| link(&name(place), &name(place + 1))).collect()
}

#[test]
fn a_chain_of_many_nodes_is_imported() {
    let nodes = chain(MANY, |from, to| node("Relu", &[from], to));
    let bytes = model(&nodes, &[]);
    assert_eq!(soon(|| import(&bytes)), Ok(MANY + 1));
    // Which is then planned, and no longer than that.
    soon(|| outcome(&bytes)).unwrap();
}

/// A join of as many values, which all live until then.
#[test]
fn many_pieces_are_joined() {
    let name = |number: usize| format!("v{number}");
    let mut nodes: Vec<Vec<u8>> =
        (0..MANY).map(|number| node("Relu", &["x"], &name(number))).collect();
    let pieces: Vec<String> = (0..MANY).map(name).collect();
    let pieces: Vec<&str> = pieces.iter().map(String::as_str).collect();
    for axis in [0, 1] {
        nodes.push(node_with("Concat", &pieces, &["y"], &[int("axis", axis)]));
        soon(|| outcome(&model(&nodes, &[]))).unwrap();
        nodes.pop();
    }
}

/// Each joins what the one before it has joined, or a sum of that twice.
#[test]
fn many_joins_are_planned() {
    let join = |from: [&str; 2], to: &str| node_with("Concat", &from, &[to], &[int("axis", 0)]);
    let last = |place: usize, count: usize| {
        if place == count { "y".to_owned() } else { format!("v{place}") }
    };
    let deep = MANY / 10;
    let mut nodes = vec![node("Relu", &["x"], "v0")];
    for place in 0..deep {
        let (from, other) = (last(place, deep), format!("other{place}"));
        nodes.push(node("Relu", &["x"], &other));
        nodes.push(join([&from, &other], &last(place + 1, deep)));
    }
    soon(|| outcome(&model(&nodes, &[]))).unwrap();
    let wide = MANY / 2;
    let mut nodes = vec![node("Relu", &["x"], "v0")];
    for place in 0..wide {
        let (from, to) = (last(place, wide), last(place + 1, wide));
        let [one, other, joined] = ["one", "other", "joined"].map(|what| format!("{what}{place}"));
        nodes.push(node("Relu", &[&from], &one));
        nodes.push(node("Neg", &[&from], &other));
        nodes.push(join([&one, &other], &joined));
        nodes.push(node("ReduceSum", &[&joined, "axes"], &to));
    }
    let bytes = model(&nodes, &[numbers("axes", &[0])]);
    let plan = soon(|| {
        let model = OnnxModel::from_bytes("m.onnx", &bytes).unwrap();
        model.import(ImportOptions::new()).unwrap().graph.plan(1).unwrap()
    });
    let report = plan.report().passes().iter().find(|report| report.pass() == "concat_in_place");
    let (done, left) = (report.unwrap().done(), report.unwrap().left());
    assert!(done[0].ends_with("1 of 2 pieces written in place"), "{}", done[0]);
    // Not all are looked at, which the report says.
    let last = &left[left.len() - 2..];
    assert!(last[0].ends_with("the plan is too long to look at it"), "{last:?}");
    assert!(last[1].ends_with("no multiple of 256"), "{last:?}");
}

/// What gives back its operand, over and over.
#[test]
fn a_chain_of_views_is_planned() {
    let nodes = chain(MANY / 2, |from, to| node("Reshape", &[from, "n"], to));
    soon(|| outcome(&model(&nodes, &[numbers("n", &[2, 3])]))).unwrap();
}

/// Each makes three nodes, of which two get names with numbers.
#[test]
fn many_nodes_of_one_kind_get_names() {
    let nodes = chain(MANY / 2, |from, to| node("MaxPool", &[from], to));
    let pool = ints("kernel_shape", &[1, 1]);
    let nodes: Vec<Vec<u8>> =
        nodes.into_iter().map(|node| [node, field(5, &pool)].concat()).collect();
    let made = soon(|| import(&model_over(&[1, 1, 2, 3], 13, &nodes, &[]))).unwrap();
    assert!(made > MANY, "{made}");
}

#[test]
fn many_initializers_are_read_and_used() {
    let name = |number: usize| format!("w{number}");
    let weights: Vec<Vec<u8>> = (0..MANY).map(|number| floats(&name(number), &[1.0])).collect();
    let relu = [node("Relu", &["x"], "y")];
    assert_eq!(soon(|| import(&model(&relu, &weights))), Ok(2));
    let used = chain(MANY, |from, to| {
        let number = from.trim_start_matches(['x', 'v']).parse().unwrap_or(0);
        node("Add", &[from, &name(number)], to)
    });
    let bytes = model(&used, &weights);
    assert_eq!(soon(|| import(&bytes)), Ok(2 * MANY + 1));
    soon(|| outcome(&bytes)).unwrap();
}

#[test]
fn a_long_model_that_is_refused_says_so_in_a_few_words() {
    let mut nodes = chain(MANY, |from, to| node("Relu", &[from], to));
    nodes.push(node("Add", &["y", "nowhere"], "z"));
    let error = soon(|| import(&model(&nodes, &[]))).unwrap_err();
    assert!(error.contains("input \"nowhere\" is made by no node"), "{error}");
    let unknown: Vec<Vec<u8>> =
        (0..MANY).map(|number| node(&format!("Op{number}"), &["x"], "y")).collect();
    let error = soon(|| import(&model(&unknown, &[]))).unwrap_err();
    assert!(error.starts_with("m.onnx: 50000 nodes: Op0 (y), Op1 (y)"), "{error}");
    assert!(error.contains(" and 49936 more: which") && error.len() < 2000, "{}", error.len());
    let inputs = vec!["x"; MANY];
    let error = soon(|| import(&model(&[node("Relu", &inputs, "y")], &[]))).unwrap_err();
    assert!(error.contains("inputs x, x") && error.len() < 1000, "{}", error.len());
    let mut graph = longshore::Graph::new();
    let x = graph.input("x", [1]);
    for _ in 0..200 {
        graph.negative(x).unwrap();
    }
    let error = graph.rename(x, "negative").unwrap_err().to_string();
    assert!(error.contains("negative_62 and 137 more"), "{error}");
}

/// One array, the input of a node so often that copies of it would fill the memory.
#[test]
fn one_array_read_very_often_is_not_copied_each_time() {
    let long = numbers("n", &vec![1; 4096]);
    let often = vec!["n"; MANY];
    let joined = node_with("Concat", &often, &["s"], &[int("axis", 0)]);
    let result = soon(|| outcome(&model(&[joined, node("Mul", &["x", "s"], "y")], &[long])));
    assert!(result.is_err(), "{result:?}");
    let long = floats("w", &vec![1.0; 1 << 18]);
    let sum = node("Sum", &vec!["w"; MANY], "s");
    soon(|| import(&model(&[sum, node("Relu", &["x"], "y")], &[long]))).unwrap();
}

/// Many layers that share a great kernel bring it into their own layout once.
#[test]
fn a_shared_kernel_is_brought_into_its_layout_once() {
    let x = [1, 64, 1, 1];
    let shape = [64, 64, 1, 1];
    for (op, rank) in [("Conv", 4), ("Conv", 3), ("MatMul", 2), ("Gemm", 2)] {
        let kernel = tensor("w", 1, &shape[..rank], &[0; 64 * 64 * 4]);
        let nodes = chain(300, |from, to| node(op, &[from, "w"], to));
        let bytes = model_over(&x[..rank], 13, &nodes, &[kernel]);
        let model = OnnxModel::from_bytes("m.onnx", &bytes).unwrap();
        let graph = model.import(ImportOptions::new()).unwrap().graph;
        let plan = soon(|| graph.plan(1)).unwrap();
        assert_eq!(plan.weights().len(), 1, "{op} of {rank} dimensions");
    }
}

/// The graphs of the onnx package have weights that a node fills, of some hundred megabytes.
#[test]
fn weights_may_be_filled_by_a_node() {
    let rows = 4097;
    let nodes = [node("ConstantOfShape", &["n"], "c"), node("MatMul", &["x", "c"], "y")];
    let bytes = model_over(&[1, rows], 13, &nodes, &[numbers("n", &[rows as i64, 4096])]);
    outcome(&bytes).unwrap();
}

#[test]
fn constants_made_of_a_few_bytes_are_bounded() {
    let filled = |lengths: &[i64]| {
        let nodes = [node("ConstantOfShape", &["n"], "c"), node("Mul", &["x", "c"], "y")];
        model(&nodes, &[numbers("n", lengths)])
    };
    outcome(&filled(&[2, 3])).unwrap();
    let refused = "what nodes fill with one number needs 1073741828 bytes but what \
                   is left of the 1073741824 bytes for a model is 1073741824 bytes; \
                   allow more with ImportOptions::filled_bytes";
    says(&filled(&[(1 << 28) + 1]), refused);
    let within = |bytes: u64| {
        let model = OnnxModel::from_bytes("m.onnx", &filled(&[2, 3])).unwrap();
        model.import(ImportOptions::new().filled_bytes(bytes)).map(drop)
    };
    assert!(within(24).is_ok());
    let text = within(23).unwrap_err().to_string();
    assert!(text.contains("left of the 23 bytes for a model is 23 bytes"), "{text}");
    for lengths in [&[1 << 62][..], &[1 << 31, 1 << 31, 4], &[0, 1 << 40, 1 << 40]] {
        assert!(outcome(&filled(lengths)).is_err(), "{lengths:?}");
    }
    // Each is small, and all of them would be 1.6 GB.
    let nodes = chain(MANY, |from, to| node("Neg", &[if from == "x" { "n" } else { from }], to));
    let error = soon(|| import(&model(&nodes, &[numbers("n", &vec![1; 4096])]))).unwrap_err();
    assert!(error.contains("what the import computes of constants"), "{error}");
    // The same for the indices that nodes hold.
    let picks: Vec<Vec<u8>> = (0..MANY)
        .map(|place| node_with("Gather", &["x", "n"], &[&format!("g{place}")], &[int("axis", 1)]))
        .collect();
    let error = soon(|| import(&model(&picks, &[numbers("n", &vec![1; 4096])]))).unwrap_err();
    assert!(error.contains("what the import computes of constants"), "{error}");
}

#[test]
fn axes_without_end_are_refused() {
    let refused = |bytes: &[u8]| {
        let error = soon(|| outcome(bytes)).unwrap_err();
        assert!(error.contains("64") && error.len() < 1000, "{error}");
    };
    let relu = [node("Relu", &["x"], "y")];
    refused(&model_over(&vec![1; 65], 13, &relu, &[]));
    refused(&model_over(&vec![1; MANY], 13, &relu, &[]));
    refused(&model(&relu, &[tensor("w", 1, &vec![1; MANY], &[0; 4])]));
    let shape = numbers("n", &[vec![2, 3], vec![1; 63]].concat());
    refused(&model(&[node("Reshape", &["x", "n"], "y")], &[shape]));
    let axes = numbers("n", &(0..i64::try_from(MANY).unwrap()).collect::<Vec<_>>());
    refused(&model(&[node("Unsqueeze", &["x", "n"], "y")], std::slice::from_ref(&axes)));
    // Each Gather of numbers adds the axes of its indices.
    let many = tensor("i", 7, &[1; 40], &[0; 8]);
    let nodes = [node("Gather", &["n", "i"], "a"), node("Gather", &["a", "i"], "y")];
    refused(&model(&nodes, &[many, numbers("n", &[1])]));
    let options = ImportOptions::new().shape("x", &[1; 65]);
    let model = OnnxModel::from_bytes("m.onnx", &model(&relu, &[])).unwrap();
    assert!(model.import(options).is_err());
}

#[test]
fn inputs_and_initializers_of_one_name_are_refused() {
    let relu = [node("Relu", &["x"], "y")];
    let twice = model(&relu, &[floats("w", &[1.0]), floats("w", &[2.0])]);
    says(&twice, "two inputs or initializers are named \"w\"");
    // An input with a default is one value.
    outcome(&model(&relu, &[floats("x", &[1.0])])).unwrap();
}

#[test]
fn typed_numbers_are_read_as_raw_ones() {
    let typed = |kind: u64, list: Vec<u8>| {
        let tensor = [super::number(1, 2), super::number(2, kind), field(8, b"w"), list].concat();
        let shape = [node("Reshape", &["x", "w"], "y")];
        outcome(&model_over(&[2, 3], 13, &shape, &[tensor]))
    };
    // int32_data is field 5, int64_data is field 7, uint64_data is field 11.
    for (kind, key) in [(2, 5), (3, 5), (4, 5), (5, 5), (6, 5), (7, 7), (12, 11), (13, 11)] {
        typed(kind, field(key, &[3, 2])).unwrap();
    }
    for (kind, key, large) in
        [(2, 5, 256), (3, 5, 128), (4, 5, 65_536), (5, 5, 32_768), (12, 11, 1 << 32)]
    {
        let error = typed(kind, field(key, &[super::varint(large), vec![2]].concat()));
        let error = error.unwrap_err();
        assert!(error.contains("has a number beyond its type but values of"), "{error}");
    }
}

#[test]
fn nodes_in_the_reverse_order_take_no_longer() {
    let mut nodes = chain(MANY, |input, output| node("Relu", &[input], output));
    nodes.reverse();
    assert_eq!(soon(|| import(&model(&nodes, &[]))).unwrap(), MANY + 1);
    // A cycle through all of them is said in few words.
    let mut cycle = chain(MANY, |input, output| node("Relu", &[input], output));
    cycle.push(node("Relu", &["a"], "b"));
    cycle.extend(chain(MANY, |input, output| {
        let name =
            |name: &str| if matches!(name, "x" | "y") { "a".into() } else { format!("c{name}") };
        node("Relu", &[&name(input)], &name(output))
    }));
    let error = soon(|| import(&model(&cycle, &[]))).unwrap_err();
    assert!(error.contains("has a cycle of nodes") && error.len() < 2000, "{error}");
}
