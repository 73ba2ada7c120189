//! Compares matrix products: longshore's host executor with `matrixmultiply` (through ndarray),
//! `gemm`, `faer` and `rten-gemm`.
//!
//! Each result is compared with a plain product in f64 before it is timed. Turns of all crates
//! alternate, so that what else the machine does hits all of them. `matrixmultiply` is run on two
//! threads by splitting the rows; the others split by themselves. longshore runs a whole session
//! of one dense layer, and its result is read into the same memory as the others'.

use std::time::Instant;

use anyhow::{Context, Result, ensure};
use longshore::{Dense, Dim, Graph, HostArray, LayerWeights, Runtime, Session, Tensor};
use rayon::prelude::*;
use serde_json::json;

/// What the product is for, and rows, inner length and columns.
const SHAPES: [(&str, [usize; 3]); 7] = [
    ("dense", [512, 512, 512]),
    ("one row, 784 to 128", [1, 784, 128]),
    ("one row, 4096 to 1000", [1, 4096, 1000]),
    ("32 rows, 2048 to 10", [32, 2048, 10]),
    ("im2col 3x3, 64 to 64 at 64x64", [4096, 576, 64]),
    ("im2col 3x3, 512 to 512 at 14x14", [196, 4608, 512]),
    ("1x1, 64 to 256 at 56x56", [3136, 64, 256]),
];

const TURNS: usize = 30;

/// One product: row-major (rows, inner) times (inner, columns).
struct Product {
    shape: [usize; 3],
    left: Vec<f32>,
    right: Vec<f32>,
    exact: Vec<f64>,
}

type Multiply = fn(&Product, &mut [f32], usize);

const CRATES: [(&str, Multiply); 4] = [
    ("matrixmultiply 0.3.11 through ndarray", through_ndarray),
    ("gemm 0.19.0", through_gemm),
    ("faer 0.24.4", through_faer),
    ("rten-gemm 0.27.0", through_rten),
];

const LONGSHORE: &str = "longshore, host executor";

fn through_ndarray(product: &Product, result: &mut [f32], threads: usize) {
    let [rows, inner, columns] = product.shape;
    let right = ndarray::ArrayView2::from_shape((inner, columns), &product.right).expect("right");
    let band = rows.div_ceil(threads);
    let multiply = |(left, result): (&[f32], &mut [f32])| {
        let rows = left.len() / inner;
        let left = ndarray::ArrayView2::from_shape((rows, inner), left).expect("left");
        let mut result =
            ndarray::ArrayViewMut2::from_shape((rows, columns), result).expect("result");
        ndarray::linalg::general_mat_mul(1.0, &left, &right, 0.0, &mut result);
    };
    if threads == 1 {
        multiply((&product.left, result));
    } else {
        let bands = product.left.par_chunks(band * inner);
        bands.zip(result.par_chunks_mut(band * columns)).for_each(multiply);
    }
}

fn through_gemm(product: &Product, result: &mut [f32], threads: usize) {
    let [rows, inner, columns] = product.shape;
    let parallelism =
        if threads == 1 { gemm::Parallelism::None } else { gemm::Parallelism::Rayon(threads) };
    let (row, column) = (columns as isize, inner as isize);
    // SAFETY: the three slices hold the matrices that the numbers describe.
    unsafe {
        gemm::gemm(
            rows,
            columns,
            inner,
            result.as_mut_ptr(),
            1,
            row,
            false,
            product.left.as_ptr(),
            1,
            column,
            product.right.as_ptr(),
            1,
            row,
            0.0,
            1.0,
            false,
            false,
            false,
            parallelism,
        );
    }
}

fn through_faer(product: &Product, result: &mut [f32], threads: usize) {
    let [rows, inner, columns] = product.shape;
    let parallelism = if threads == 1 { faer::Par::Seq } else { faer::Par::rayon(threads) };
    faer::linalg::matmul::matmul(
        faer::MatMut::from_row_major_slice_mut(result, rows, columns),
        faer::Accum::Replace,
        faer::MatRef::from_row_major_slice(&product.left, rows, inner),
        faer::MatRef::from_row_major_slice(&product.right, inner, columns),
        1.0,
        parallelism,
    );
}

fn through_rten(product: &Product, result: &mut [f32], _threads: usize) {
    use rten_tensor::{AsView, NdTensorView};
    let [rows, inner, columns] = product.shape;
    let left = NdTensorView::from_data([rows, inner], product.left.as_slice());
    let right = NdTensorView::from_data([inner, columns], product.right.as_slice());
    rten_gemm::GemmExecutor::<f32>::new()
        .gemm(
            result,
            rten_gemm::GemmInputA::Unpacked(left.view()),
            rten_gemm::GemmInputB::Unpacked(right.view()),
            rten_gemm::GemmOptions::default(),
        )
        .expect("shapes agree");
}

/// A session of one dense layer on the host executor, and its staged input.
struct Layer {
    session: Session,
    left: Tensor,
}

impl Layer {
    fn new(product: &Product) -> Result<Self> {
        let [rows, inner, columns] = product.shape;
        let array = |shape: [usize; 2], values: &[f32]| -> Result<_> {
            Ok(HostArray::from(ndarray::Array2::from_shape_vec(shape, values.to_vec())?))
        };
        let mut graph = Graph::new();
        let x = graph.input("x", [Dim::Batch, Dim::Fixed(inner)]);
        let weights = LayerWeights::new(array([inner, columns], &product.right)?);
        let y = graph.dense(x, Dense::new(columns), &weights)?;
        graph.output("y", y);
        let runtime = Runtime::host();
        let left = runtime.stage("x", &array([rows, inner], &product.left)?)?;
        Ok(Layer { session: runtime.prepare(&graph.plan(rows)?)?, left })
    }

    fn multiply(&self, result: &mut [f32]) -> Result<()> {
        let run = self.session.run([("x", &self.left)])?;
        Ok(run["y"].read_into(result)?)
    }
}

fn product(shape: [usize; 3]) -> Product {
    let [rows, inner, columns] = shape;
    // Numbers between -1 and 1 from a small generator, the same in each run.
    let mut state = 1u64;
    let mut next = || {
        state = state.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1_442_695_040_888_963_407);
        (state >> 40) as f32 / (1u64 << 23) as f32 - 1.0
    };
    let left: Vec<f32> = (0..rows * inner).map(|_| next()).collect();
    let right: Vec<f32> = (0..inner * columns).map(|_| next()).collect();
    let mut exact = vec![0.0; rows * columns];
    for (row, result) in left.chunks(inner).zip(exact.chunks_mut(columns)) {
        for (&a, line) in row.iter().zip(right.chunks(columns)) {
            for (sum, &b) in result.iter_mut().zip(line) {
                *sum += f64::from(a) * f64::from(b);
            }
        }
    }
    Product { shape, left, right, exact }
}

fn check(name: &str, product: &Product, result: &[f32]) -> Result<()> {
    let inner = product.shape[1] as f64;
    // Each of the terms is below 1; rounding adds at most half a unit for each addition.
    let bound = inner * inner * f64::from(f32::EPSILON);
    for (&found, &exact) in result.iter().zip(&product.exact) {
        ensure!((f64::from(found) - exact).abs() <= bound, "{name}: {found} is not {exact}");
    }
    Ok(())
}

fn main() -> Result<()> {
    let mut rows = Vec::new();
    for threads in [1, 2] {
        let pool = rayon::ThreadPoolBuilder::new().num_threads(threads).build()?;
        for (what, shape) in SHAPES {
            let product = product(shape);
            let mut result = vec![f32::NAN; product.exact.len()];
            let mut times = vec![Vec::new(); CRATES.len() + 1];
            let layer = Layer::new(&product)?;
            for turn in 0..TURNS {
                result.fill(f32::NAN);
                let start = Instant::now();
                pool.install(|| layer.multiply(&mut result))?;
                times[CRATES.len()].push(start.elapsed().as_secs_f64());
                if turn == 0 {
                    check(LONGSHORE, &product, &result)?;
                }
                for ((name, multiply), times) in CRATES.iter().zip(&mut times) {
                    result.fill(f32::NAN);
                    let start = Instant::now();
                    pool.install(|| multiply(&product, &mut result, threads));
                    times.push(start.elapsed().as_secs_f64());
                    if turn == 0 {
                        check(name, &product, &result)?;
                    }
                }
            }
            let flops = 2.0 * shape.iter().product::<usize>() as f64;
            let names = CRATES.iter().map(|(name, _)| *name).chain([LONGSHORE]);
            for (name, mut times) in names.zip(times) {
                times.sort_by(f64::total_cmp);
                let (min, median) = (times[0], times[times.len() / 2]);
                println!(
                    "{threads} thread(s)  {what:<34} {name:<38} {:>9.1} us {:>9.1} us {:>7.1} GFLOP/s",
                    min * 1e6,
                    median * 1e6,
                    flops / median / 1e9
                );
                rows.push(json!({
                    "threads": threads, "what": what, "shape": shape, "crate": name,
                    "runs": TURNS, "min_ms": min * 1e3, "median_ms": median * 1e3,
                    "gflops": flops / median / 1e9,
                }));
            }
        }
    }
    let mut arguments = std::env::args().skip(1);
    if arguments.next().as_deref() == Some("--json") {
        let path = arguments.next().context("--json FILE")?;
        let document = json!({ "schema": 1, "bench": "peers/gemm", "rows": rows });
        std::fs::write(&path, serde_json::to_string_pretty(&document)? + "\n")
            .with_context(|| format!("cannot write {path}"))?;
    }
    Ok(())
}
