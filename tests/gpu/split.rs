//! Plans for small bindings: steps that take a part of the batch give what whole ones give.

use longshore::Activation::{Linear, Softmax, Tanh};
use longshore::ops::ResizeMode;
use longshore::plan::Limits;
use longshore::{
    Conv2d, Conv2dTranspose, Coordinates, Dense, DepthwiseConv2d, Graph, GridSample, Interpolation,
    MatMul, Padding, Pooling, Resize, Resize2d, Result, Symbol, UpSampling2d,
};
use ndarray::ArrayD;

use longshore_testing::executor::gpu::runtime;
use longshore_testing::executor::stage;
use longshore_testing::golden::{assert_same_bits, batched, weights};
use longshore_testing::random::Random;

/// A prime, so that the last part is always smaller.
const BATCH: usize = 17;
/// Items of the largest tensor that fit a binding. 4 of them begin at a multiple of 256 bytes,
/// the coarsest alignment a device may have, as every item here has a multiple of 64.
const ITEMS: u64 = 5;

type Build<'a> = &'a dyn Fn(&mut Graph, Symbol, Symbol) -> Result<Symbol>;

/// Runs a network of two inputs whole and split.
#[track_caller]
fn check(what: &str, item: &[usize], build: Build<'_>) {
    let rt = runtime();
    let random = &mut Random::new(77);
    let shape: Vec<usize> = std::iter::once(BATCH).chain(item.iter().copied()).collect();
    let mut g = Graph::new();
    let x = g.input("x", batched(&shape));
    // The same for every item: it is bound whole in each part.
    let shared = g.input("shared", item.iter().copied());
    let y = build(&mut g, x, shared).unwrap();
    g.output("y", y);
    let items = |shape: Vec<usize>| 4 * shape.iter().product::<usize>() as u64;
    let largest = g.nodes().iter().map(|node| items(node.shape().resolve(1))).max().unwrap();
    let limits = Limits { max_storage_buffer_binding_size: largest * ITEMS, ..*rt.limits() };
    let whole = g.plan_within(BATCH, rt.limits()).unwrap();
    let split = g.plan_within(BATCH, &limits).unwrap();
    let parts = |plan: &longshore::Plan| plan.steps().len();
    assert!(parts(&split) > parts(&whole), "{what} is not split:\n{split}");
    let first = split.steps().iter().find(|step| step.node.contains("items 0..")).unwrap();
    assert!(first.node.ends_with("items 0..4") || first.node.ends_with("items 0..5"), "{split}");
    for step in split.steps() {
        for region in step.operands.iter().chain([&step.result]) {
            assert!(region.bytes <= limits.max_storage_buffer_binding_size, "{split}");
            let alignment = u64::from(limits.min_storage_buffer_offset_alignment);
            assert_eq!(region.offset_bytes % alignment, 0, "{split}");
        }
    }
    let (input, other) = (random.uniform(&shape), random.uniform(item));
    let tensors = [("x", stage(rt, "x", &input)), ("shared", stage(rt, "shared", &other))];
    let results: Vec<ArrayD<f32>> = [whole, split]
        .iter()
        .map(|plan| {
            let session = rt.prepare(plan).unwrap();
            let run = session.run(tensors.iter().map(|(name, tensor)| (*name, tensor))).unwrap();
            run["y"].read().unwrap()
        })
        .collect();
    assert_same_bits(what, &results[0], &results[1]);
}

#[test]
fn element_wise_operations() {
    check("activation", &[6, 8], &|g, x, _| g.activation(x, Tanh));
    check("add", &[6, 8], &|g, x, shared| g.add(x, shared));
    check("multiply", &[4, 4, 3], &|g, x, shared| g.multiply(shared, x));
    check("add to itself", &[48], &|g, x, _| g.add(x, x));
}

#[test]
fn softmax_over_any_axis_but_the_batch() {
    for axis in [1, 2, 3, -1] {
        check("softmax", &[3, 4, 4], &|g, x, _| g.softmax(x, axis));
    }
}

#[test]
fn convolutions() {
    let random = &mut Random::new(1);
    for (channels, filters) in [(1, 3), (3, 4), (4, 8)] {
        let kernel = random.uniform(&[3, 2, channels, filters]);
        let bias = random.uniform(&[filters]);
        let weights = weights(&kernel, Some(&bias));
        check("conv2d", &[8, 8, channels], &|g, x, _| {
            let layer = Conv2d::new(filters, (3, 2)).padding(Padding::Same).activation(Tanh);
            g.conv2d(x, layer, &weights)
        });
        check("conv2d with softmax", &[8, 8, channels], &|g, x, _| {
            let layer = Conv2d::new(filters, (3, 2)).padding(Padding::Same).activation(Softmax);
            g.conv2d(x, layer, &weights)
        });
    }
    let kernel = random.uniform(&[3, 3, 4, 1]);
    check("depthwise_conv2d", &[8, 8, 4], &|g, x, _| {
        let layer = DepthwiseConv2d::new((3, 3)).padding(Padding::Same).strides(2);
        g.depthwise_conv2d(x, layer, &weights(&kernel, None))
    });
    let kernel = random.uniform(&[2, 3, 4, 3]);
    check("conv2d_transpose", &[4, 4, 3], &|g, x, _| {
        let layer = Conv2dTranspose::new(4, (2, 3)).padding(Padding::Same).strides(2);
        g.conv2d_transpose(x, layer, &weights(&kernel, None))
    });
}

#[test]
fn dense_layers_of_any_rank() {
    let random = &mut Random::new(2);
    for (inputs, units) in [(8, 16), (12, 8), (48, 3)] {
        let kernel = random.uniform(&[inputs, units]);
        let item = if units == 3 { vec![16, inputs] } else { vec![4, inputs] };
        check("dense", &item, &|g, x, _| {
            g.dense(x, Dense::new(units).activation(Linear), &weights(&kernel, None))
        });
    }
}

#[test]
fn kernels_of_dense_layers_by_their_rows() {
    let (rt, random) = (runtime(), &mut Random::new(8));
    for (batch, inputs, units) in [(3, 256, 64), (3, 250, 64), (2, 257, 65)] {
        let (input, kernel) = (random.uniform(&[batch, inputs]), random.uniform(&[inputs, units]));
        let (bias, residual) = (random.uniform(&[units]), random.uniform(&[batch, units]));
        let mut g = Graph::new();
        let x = g.input("x", batched(&[batch, inputs]));
        let shared = g.input("shared", batched(&[batch, units]));
        let layer = Dense::new(units).activation(Tanh);
        let y = g.dense(x, layer, &weights(&kernel, Some(&bias))).unwrap();
        let y = g.multiply(y, shared).unwrap();
        g.output("y", y);
        let bytes = 4 * (100 * units) as u64;
        let limits = Limits { max_storage_buffer_binding_size: bytes, ..*rt.limits() };
        let whole = g.plan_within(batch, rt.limits()).unwrap();
        let split = g.plan_within(batch, &limits).unwrap();
        assert_eq!(whole.steps().len(), 1, "{whole}");
        assert!(split.steps().len() > 2, "{split}");
        for region in split.steps().iter().flat_map(|step| &step.operands) {
            assert!(region.bytes <= limits.max_storage_buffer_binding_size, "{split}");
            let alignment = u64::from(limits.min_storage_buffer_offset_alignment);
            assert_eq!(region.offset_bytes % alignment, 0, "{split}");
        }
        let tensors = [stage(rt, "x", &input), stage(rt, "shared", &residual)];
        let [whole, split] = [whole, split].map(|plan| {
            let session = rt.prepare(&plan).unwrap();
            let named = [("x", &tensors[0]), ("shared", &tensors[1])];
            session.run(named).unwrap()["y"].read().unwrap()
        });
        assert_same_bits(&format!("{inputs} to {units}"), &whole, &split);
    }
}

#[test]
fn products() {
    check("matmul of a batch", &[4, 16], &|g, x, _| {
        g.matmul_with(x, x, MatMul::new().transpose_right(true))
    });
    check("matmul with one for all", &[16, 16], &|g, x, shared| g.matmul(x, shared));
    check("matmul with one for all on the left", &[16, 16], &|g, x, shared| g.matmul(shared, x));
}

#[test]
fn pooling() {
    for (height, channels) in [(8, 4), (6, 2)] {
        check("max_pooling2d", &[height, 8, channels], &|g, x, _| {
            g.max_pooling2d(x, Pooling::new((3, 2)).padding(Padding::Same))
        });
        check("global_average_pooling2d", &[height, 8, channels], &|g, x, _| {
            let pooled = g.global_average_pooling2d(x, true)?;
            g.add(pooled, x)
        });
    }
}

#[test]
fn resampling_by_every_interpolation() {
    use Interpolation::{Bicubic, Bilinear, Lanczos3, Lanczos5, Nearest};
    for interpolation in [Nearest, Bilinear, Bicubic, Lanczos3, Lanczos5] {
        check("up_sampling2d", &[4, 4, 3], &|g, x, _| {
            g.up_sampling2d(x, UpSampling2d::new((3, 2), interpolation))
        });
        check("resize2d", &[8, 8, 1], &|g, x, _| {
            let layer = Resize2d::new((4, 8)).coordinates(Coordinates::AlignCorners);
            g.resize2d(x, layer.interpolation(interpolation))
        });
    }
}

#[test]
fn sampling_by_grids() {
    check("grid_sample", &[8, 4, 2], &|g, x, _| {
        let grid = g.multiply(x, x)?;
        g.grid_sample(x, grid, GridSample::new())
    });
}

#[test]
fn resampling_of_other_axes() {
    check("up_sampling3d", &[4, 4, 4, 1], &|g, x, _| g.up_sampling3d(x, [1, 3, 2]));
    check("resize", &[4, 4, 4], &|g, x, _| {
        g.resize(x, Resize::scales([2.0, 0.5]).axes([1, 3]).mode(ResizeMode::Cubic))
    });
}

#[test]
fn a_chain_with_a_reshape_and_a_skip() {
    let random = &mut Random::new(3);
    let (kernel, matrix) = (random.uniform(&[3, 3, 2, 2]), random.uniform(&[4, 16]));
    check("chain", &[4, 4, 2], &|g, x, shared| {
        let layer = Conv2d::new(2, (3, 3)).padding(Padding::Same);
        let y = g.conv2d(x, layer, &weights(&kernel, None))?;
        let y = g.add(y, x)?;
        let y = g.multiply(y, shared)?;
        let y = g.reshape(y, [8, 4])?;
        g.dense(y, Dense::new(16).activation(Softmax), &weights(&matrix, None))
    });
}
