//! Pieces of a concatenation that are written in place: every family writes into the middle of a buffer whose other
//! pieces are there already, or come later, and changes nothing of them.

use longshore::plan::Place;
use longshore::{
    Activation, BatchNormalization, Conv2d, Conv2dTranspose, CumSum, Dense, DepthwiseConv2d, Graph,
    GridSample, HostArray, Interpolation, LayerNormalization, LayerWeights, Lrn, Pad, Padding,
    Passes, Plan, PlanOptions, Pooling, Reduce, ReduceOp, Reshape, Resize2d, Result, Slice, Symbol,
    Tensor, TopK,
};
use ndarray::{Array1, ArrayD, IxDyn};

use crate::executor::Executor;
use crate::golden::{assert_same_bits, weights};
use crate::random::Random;

/// Numbers of a row: pieces of whole rows end at multiples of 256 bytes, where every device can bind.
const ROW: usize = 64;

/// Makes a value of as many elements as `x`, which is (rows, 64).
type Make = fn(&mut Graph, Symbol, usize) -> Result<Symbol>;

/// What makes pieces, by the kernel that writes them.
const MAKERS: [(&str, Make); 34] = [
    ("activation/elements4", |g, x, _| g.activation(x, Activation::Tanh)),
    ("activation/elements4", |g, x, _| g.erf(x)),
    ("batch_normalization/general", |g, x, _| {
        let mut given = LayerWeights::default();
        for (name, seed) in [("moving_mean", 1), ("moving_variance", 2)] {
            given = given.with(name, HostArray::from(drawn(seed, &[ROW]).mapv(|x| x + 1.5)));
        }
        g.batch_normalization(x, BatchNormalization::new().scale(false).center(false), &given)
    }),
    ("binary/same4", |g, x, _| g.multiply(x, x)),
    ("binary/repeat_right4", |g, x, _| {
        let row = constant(g, &[ROW]);
        g.add(x, row)
    }),
    ("binary/repeat_left4", |g, x, _| {
        let base = g.constant("base", HostArray::from(ArrayD::from_elem(IxDyn(&[1]), 1.5)))?;
        g.power(base, x)
    }),
    ("conv2d/blocks4", |g, x, rows| {
        let x = g.reshape_to(x, Reshape::new([1, rows as isize, 8, 8]))?;
        g.conv2d(x, Conv2d::new(8, 3).padding(Padding::Same), &kernel(&[3, 3, 8, 8]))
    }),
    ("conv2d/channels4", |g, x, rows| {
        let x = g.reshape_to(x, Reshape::new([1, rows as isize, 32, 2]))?;
        let layer = Conv2d::new(4, 3).strides((1, 2)).padding(Padding::Same);
        g.conv2d(x, layer, &kernel(&[3, 3, 2, 4]))
    }),
    ("conv2d/depthwise4", |g, x, rows| {
        let x = g.reshape_to(x, Reshape::new([1, rows as isize, 8, 8]))?;
        let layer = DepthwiseConv2d::new(3).padding(Padding::Same);
        g.depthwise_conv2d(x, layer, &kernel(&[3, 3, 8, 1]))
    }),
    ("conv2d/general", |g, x, rows| {
        let x = g.reshape_to(x, Reshape::new([1, rows as isize, 64, 1]))?;
        g.conv2d(x, Conv2d::new(1, 3).padding(Padding::Same), &kernel(&[3, 3, 1, 1]))
    }),
    ("conv2d_transpose/general", |g, x, rows| {
        let x = g.reshape_to(x, Reshape::new([1, rows as isize, 64, 1]))?;
        let layer = Conv2dTranspose::new(1, 3).padding(Padding::Same);
        g.conv2d_transpose(x, layer, &kernel(&[3, 3, 1, 1]))
    }),
    ("conv2d_transpose/inputs4", |g, x, rows| {
        let x = g.reshape_to(x, Reshape::new([1, rows as isize, 8, 8]))?;
        let layer = Conv2dTranspose::new(8, 3).padding(Padding::Same);
        g.conv2d_transpose(x, layer, &kernel(&[3, 3, 8, 8]))
    }),
    ("copy/copy", |g, x, _| g.flip(x, &[0, 1])),
    ("copy/copy4", |g, x, rows| {
        let x = g.reshape_to(x, Reshape::new([rows as isize, 16, 4]))?;
        g.transpose(x, &[1, 0, 2])
    }),
    ("copy/copy4", |g, x, _| {
        let left = g.slice(x, Slice::new([0], [32]).axes([1]))?;
        let right = g.slice(x, Slice::new([32], [64]).axes([1]))?;
        g.concat(&[right, left], 1)
    }),
    ("cumsum/general", |g, x, _| g.cumsum(x, CumSum::new().axis(1))),
    ("dense/blocks4", |g, x, _| g.dense(x, Dense::new(ROW), &kernel(&[ROW, ROW]))),
    ("dense/general", |g, x, _| {
        let x = g.reshape_to(x, Reshape::new([-1, 1]))?;
        g.dense(x, Dense::new(1), &kernel(&[1, 1]))
    }),
    ("gather/gather", |g, x, _| {
        let back = Array1::from_iter((0..ROW as i64).rev());
        g.gather(x, &back.into_dyn(), 1)
    }),
    ("gather/gather4", |g, x, rows| {
        let back = Array1::from_iter((0..rows as i64).rev());
        g.gather(x, &back.into_dyn(), 0)
    }),
    ("grid_sample/channels4", |g, x, rows| {
        let x = g.reshape_to(x, Reshape::new([1, rows as isize, 8, 8]))?;
        let grid = constant(g, &[1, rows, 8, 2]);
        g.grid_sample(x, grid, GridSample::new())
    }),
    ("lrn/general", |g, x, _| g.lrn(x, Lrn::new(5))),
    ("matmul/columns4", |g, x, _| {
        let right = constant(g, &[ROW, ROW]);
        g.matmul(x, right)
    }),
    ("normalization/general", |g, x, _| {
        let layer = LayerNormalization::new().scale(false).center(false);
        g.layer_normalization(x, layer, &LayerWeights::default())
    }),
    ("pad/pad", |g, x, _| g.pad(x, Pad::new([(-3, 3)]).axes([1]))),
    ("pool2d/channels4", |g, x, rows| {
        let x = g.reshape_to(x, Reshape::new([1, rows as isize, 8, 8]))?;
        g.max_pooling2d(x, Pooling::new(3).strides(1).padding(Padding::Same))
    }),
    ("pool2d/general", |g, x, rows| {
        let x = g.reshape_to(x, Reshape::new([1, rows as isize, 64, 1]))?;
        g.average_pooling2d(x, Pooling::new(3).strides(1).padding(Padding::Same))
    }),
    ("reduce/general", |g, x, rows| {
        let x = g.reshape_to(x, Reshape::new([rows as isize, 64, 1]))?;
        let x = g.tile(x, &[1, 1, 3])?;
        g.reduce(x, Reduce::new(ReduceOp::Sum).axes([-1]))
    }),
    ("reduce/shared_row", |g, x, _| {
        let x = g.reshape_to(x, Reshape::new([-1, 1]))?;
        let x = g.tile(x, &[1, 300])?;
        g.reduce(x, Reduce::new(ReduceOp::Max).axes([-1]))
    }),
    ("resize2d/taps", |g, x, rows| {
        let x = g.slice(x, Slice::new([0], [32]).axes([1]))?;
        let x = g.reshape_to(x, Reshape::new([1, rows as isize, 32, 1]))?;
        let layer = Resize2d::new((rows, 64)).interpolation(Interpolation::Bilinear);
        g.resize2d(x, layer)
    }),
    ("resize2d/nearest4", |g, x, rows| {
        let x = g.slice(x, Slice::new([0], [32]).axes([1]))?;
        let x = g.reshape_to(x, Reshape::new([1, rows as isize, 8, 4]))?;
        g.resize2d(x, Resize2d::new((rows, 16)))
    }),
    ("select/same4", |g, x, _| {
        let other = g.flip(x, &[1])?;
        g.select(x, other, x)
    }),
    ("softmax/general", |g, x, _| g.softmax(x, -1)),
    ("top_k/general", |g, x, _| Ok(g.top_k(x, TopK::new(ROW).axis(1))?.values)),
];

fn drawn(seed: u64, shape: &[usize]) -> ArrayD<f32> {
    Random::new(seed).uniform(shape)
}

fn kernel(shape: &[usize]) -> LayerWeights {
    weights(&drawn(7, shape), None)
}

fn constant(g: &mut Graph, shape: &[usize]) -> Symbol {
    let name = format!("constant {}", g.nodes().len());
    g.constant(name, HostArray::from(drawn(8, shape))).unwrap()
}

/// Joins a piece of every maker, made in the pieces' order or the other way round, and a short one behind them.
fn joined(rows: usize, backwards: bool, is_output: bool) -> Graph {
    let mut g = Graph::new();
    let x = g.input("x", [rows, ROW]);
    let short = g.input("short", [65]);
    let mut pieces = Vec::new();
    let order: Vec<usize> = (0..MAKERS.len()).collect();
    let order = if backwards { order.into_iter().rev().collect() } else { order };
    let mut made = vec![None; MAKERS.len()];
    if backwards {
        pieces.push(g.flip(short, &[0]).unwrap());
    }
    for number in order {
        let (kernel, make) = MAKERS[number];
        let piece = make(&mut g, x, rows).unwrap();
        let shape = g.shape(piece).unwrap().resolve(1);
        assert_eq!(shape.iter().product::<usize>(), rows * ROW, "{kernel}");
        made[number] = Some(g.reshape_to(piece, Reshape::new([-1])).unwrap());
    }
    if !backwards {
        pieces.push(g.flip(short, &[0]).unwrap());
    }
    let pieces: Vec<Symbol> = made.into_iter().flatten().chain(pieces).collect();
    let joined = g.concat(&pieces, 0).unwrap();
    let y = if is_output { joined } else { g.negative(joined).unwrap() };
    g.output("y", y);
    g
}

fn planned(on: &dyn Executor, g: &Graph, passes: Passes) -> Plan {
    let options = PlanOptions::new().limits(*on.runtime().limits()).passes(passes);
    g.plan_with(1, options).unwrap()
}

fn in_place() -> Passes {
    Passes::none().with("concat_in_place").unwrap()
}

/// Runs a plan over NaN first, so that nothing that is right is left from before.
fn output(on: &dyn Executor, plan: &Plan, inputs: &[(&str, &ArrayD<f32>)]) -> ArrayD<f32> {
    let session = on.runtime().prepare(plan).unwrap();
    let run = |inputs: Vec<(&str, Tensor)>| {
        session.run(inputs.iter().map(|(name, tensor)| (*name, tensor))).unwrap()
    };
    let policy = longshore::StagePolicy::new().allow_non_finite();
    let nan = |array: &ArrayD<f32>| HostArray::from(array.mapv(|_| f32::NAN));
    let poison = inputs.iter().map(|(name, array)| {
        (*name, on.runtime().stage_with(*name, &nan(array), policy).unwrap().0)
    });
    drop(run(poison.collect()));
    let staged = inputs.iter().map(|(name, array)| (*name, on.stage(name, array)));
    run(staged.collect())["y"].read().unwrap()
}

pub fn every_family_writes_its_own_piece_and_no_other(on: &dyn Executor) {
    for rows in [1, 3, 63, 64, 65] {
        let inputs = [("x", &drawn(3, &[rows, ROW])), ("short", &drawn(4, &[65]))];
        for (backwards, is_output) in [(false, true), (true, false)] {
            let g = joined(rows, backwards, is_output);
            let [copied, placed] =
                [Passes::none(), in_place()].map(|passes| planned(on, &g, passes));
            let all = MAKERS.len() + 1;
            let line = format!(": {all} of {all} pieces written in place");
            let report = placed.report().passes().last().unwrap();
            assert!(report.done().iter().any(|done| done.ends_with(&line)), "{placed}");
            // Within a piece there is another one that is joined of two halves of rows.
            assert!(copied.steps().len() - placed.steps().len() >= all, "{placed}");
            assert!(placed.peak_bytes() < copied.peak_bytes(), "{placed}");
            let [expected, found] = [&copied, &placed].map(|plan| output(on, plan, &inputs));
            assert!(expected.iter().all(|value| !value.is_nan()), "{copied}");
            assert_same_bits(&format!("{rows} rows\n{placed}"), &found, &expected);
        }
    }
}

pub fn every_kernel_that_is_named_makes_a_piece(on: &dyn Executor) {
    let plan = planned(on, &joined(3, false, true), in_place());
    for (number, (kernel, _)) in MAKERS.into_iter().enumerate() {
        let is_there = plan.steps().iter().any(|step| {
            let begins = step.result.offset_bytes == 768 * number as u64;
            begins && step.result.place == Place::Output(0) && step.kernel_name() == kernel
        });
        assert!(is_there, "no piece by {kernel}:\n{plan}");
    }
    let largest = plan.steps().iter().map(|step| step.result.offset_bytes).max().unwrap();
    assert_eq!(largest, MAKERS.len() as u64 * 768);
}

pub fn pieces_are_read_by_others_before_and_behind_the_whole(on: &dyn Executor) {
    let mut g = Graph::new();
    let x = g.input("x", [2, ROW]);
    let a = g.activation(x, Activation::Tanh).unwrap();
    let square = g.multiply(a, a).unwrap();
    let b = g.flip(square, &[1]).unwrap();
    let inner = g.concat(&[a, b], 0).unwrap();
    let c = g.negative(square).unwrap();
    let whole = g.concat(&[c, inner, x], 0).unwrap();
    let top = g.slice(whole, Slice::new([1], [3])).unwrap();
    let sum = g.add(a, b).unwrap();
    let y = g.subtract(sum, top).unwrap();
    g.output("y", y);
    g.output("whole", whole);
    let input = drawn(5, &[2, ROW]);
    let plans = [Passes::none(), in_place(), Passes::all()].map(|passes| planned(on, &g, passes));
    assert_eq!(plans[0].steps().len() - plans[1].steps().len(), 4, "{}", plans[1]);
    let x = input.clone();
    let a = x.mapv(|x| f64::from(x).tanh() as f32);
    for plan in plans {
        let session = on.runtime().prepare(&plan).unwrap();
        let run = session.run([("x", &on.stage("x", &x))]).unwrap();
        let (y, whole) = (run["y"].read().unwrap(), run["whole"].read().unwrap());
        let near = |found: f32, expected: f32| {
            assert!((found - expected).abs() <= 1e-5, "{found} is not {expected}\n{plan}");
        };
        for column in 0..ROW {
            let at = |row, column| a[IxDyn(&[row, column])];
            for row in 0..2 {
                let (own, other) = (at(row, column), at(row, ROW - 1 - column));
                near(whole[IxDyn(&[row, column])], -own * own);
                near(whole[IxDyn(&[2 + row, column])], own);
                near(whole[IxDyn(&[4 + row, column])], other * other);
                near(whole[IxDyn(&[6 + row, column])], x[IxDyn(&[row, column])]);
                let behind = if row == 0 { -at(1, column) * at(1, column) } else { at(0, column) };
                near(y[IxDyn(&[row, column])], own + other * other - behind);
            }
        }
    }
}
