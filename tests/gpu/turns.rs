//! Sums that are longer than the loops of a software driver, which ends them silently.

use longshore::{
    Conv1d, Conv1dTranspose, Conv2d, CumSum, Dense, DepthwiseConv2d, Dim, Error, Graph, HostArray,
    Interpolation, LayerWeights, Lrn, MatMul, Pooling, Reduce, ReduceOp, Resize2d, Symbol, TopK,
};
use ndarray::{ArrayD, IxDyn};

use longshore_testing::executor::gpu::runtime;
use longshore_testing::executor::run;

fn ones(shape: &[usize]) -> ArrayD<f32> {
    ArrayD::from_elem(IxDyn(shape), 1.0)
}

fn kernel(shape: &[usize]) -> LayerWeights {
    LayerWeights::new(HostArray::from(ones(shape)))
}

/// Runs a graph over an input of ones and looks for a sum of ones in its output; on llvmpipe,
/// where `refused` is a number of turns that its driver does not run, looks for the refusal.
#[track_caller]
fn check(
    shape: &[usize],
    build: impl Fn(&mut Graph, Symbol) -> longshore::Result<Symbol>,
    (sum, refused): (f32, Option<&str>),
) {
    let mut g = Graph::new();
    let x = g.input("x", shape.iter().copied().map(Dim::Fixed).collect::<Vec<Dim>>());
    let y = build(&mut g, x).unwrap();
    g.output("y", y);
    let runtime = runtime();
    if let (Some(turns), Some(_)) = (refused, runtime.limits().max_loop_iterations) {
        let error = runtime.prepare(&g.plan(1).unwrap()).unwrap_err();
        assert!(matches!(error, Error::Limit { .. }));
        let expected = format!(
            ": the sum of one result needs {turns} loop iterations but the limit of the driver \
             llvmpipe before Mesa 25 is 65400 loop iterations; run it on a GPU, with Mesa 25 or \
             newer, or on the host executor: Runtime::host()"
        );
        assert!(error.to_string().ends_with(&expected), "{error}");
        return;
    }
    let found = &run(runtime, &g, 1, &[("x", &ones(shape))])["y"];
    let largest = found.iter().copied().fold(0.0, f32::max);
    assert!((largest - sum).abs() <= sum * 1e-4, "{largest} is not {sum}");
    assert!(found.iter().all(|value| value.is_finite()));
}

/// A number that differs from its neighbors and is exact in sums of a million.
fn digit(number: usize) -> f32 {
    (number * 7 % 16) as f32 - 7.0
}

#[test]
fn a_dense_layer_sums_over_all_inputs_in_as_many_steps_as_it_takes() {
    let runtime = runtime();
    let ends_loops = runtime.limits().max_loop_iterations.is_some();
    for (inputs, units, steps) in [
        (65_400, 1, 1),
        (65_401, 1, 2),
        (300_000, 1, 5),
        (65_400, 4, 1),
        (65_402, 4, 2),
        (261_600, 4, 1),
        (300_000, 4, 2),
        (300_001, 3, 5),
    ] {
        let kernel = ArrayD::from_shape_fn(IxDyn(&[inputs, units]), |at| digit(at[0] + at[1]));
        let bias = ArrayD::from_shape_fn(IxDyn(&[units]), |at| at[0] as f32 + 0.5);
        let input = ArrayD::from_shape_fn(IxDyn(&[2, inputs]), |at| ((at[0] + at[1]) % 3) as f32);
        let mut g = Graph::new();
        let x = g.input("x", [2, inputs].map(Dim::Fixed));
        let weights = LayerWeights::new(HostArray::from(kernel.clone()));
        let weights = weights.bias(HostArray::from(bias.clone()));
        let y = g.dense(x, Dense::new(units).name("deep"), &weights).unwrap();
        let y = g.abs(y).unwrap();
        g.output("y", y);
        let session = runtime.session(&g, 2).unwrap();
        let wanted = if ends_loops { steps } else { 1 };
        assert_eq!(session.plan().steps().len(), wanted, "{}", session.plan());
        let found = &run(runtime, &g, 2, &[("x", &input)])["y"];
        let expected = ArrayD::from_shape_fn(IxDyn(&[2, units]), |at| {
            let term = |k| f64::from(input[[at[0], k]]) * f64::from(kernel[[k, at[1]]]);
            let sum: f64 = (0..inputs).map(term).sum::<f64>() + f64::from(bias[[at[1]]]);
            sum.abs() as f32
        });
        // Whole numbers and halves below 2^23: no sum is rounded.
        assert_eq!(found, &expected, "{inputs} to {units}");
    }
}

#[test]
fn a_product_sums_over_all_of_its_inner_axis_or_is_refused() {
    for (inner, columns, transposed, refused) in [
        (65_400, 1, false, None),
        (300_000, 1, false, Some("300000")),
        (65_400, 4, false, None),
        (65_404, 4, false, Some("65404")),
        (261_600, 4, true, None),
        (300_000, 4, true, Some("75000")),
    ] {
        let build = |g: &mut Graph, x| {
            let right = if transposed { [columns, inner] } else { [inner, columns] };
            let right = g.constant("right", HostArray::from(ones(&right)))?;
            let options = MatMul::new().name("deep").transpose_right(transposed);
            g.matmul_with(x, right, options)
        };
        check(&[2, inner], build, (inner as f32, refused));
    }
}

#[test]
fn windows_are_summed_whole_or_refused() {
    for (steps, channels, filters, refused) in [
        (641, 100, 1, None),
        (642, 100, 1, Some("65486")),
        (2515, 100, 4, Some("67907")),
        (2420, 100, 4, None),
    ] {
        let weights = kernel(&[steps, channels, filters]);
        let layer = || Conv1d::new(filters, steps).name("deep");
        let build = |g: &mut Graph, x| g.conv1d(x, layer(), &weights);
        // Two windows, as tiles are for images wider than a pixel.
        check(&[1, steps + 1, channels], build, ((steps * channels) as f32, refused));
    }
    let weights = kernel(&[200, 120, 1, 1]);
    let build = |g: &mut Graph, x| g.conv2d(x, Conv2d::new(1, (200, 120)).name("deep"), &weights);
    check(&[1, 200, 120, 1], build, (24_000.0, Some("72400")));
    for (width, sum, refused) in [(200, 60_000.0, None), (218, 65_400.0, Some("66000"))] {
        let weights = kernel(&[300, width, 4, 1]);
        let build = |g: &mut Graph, x| {
            g.depthwise_conv2d(x, DepthwiseConv2d::new((300, width)).name("deep"), &weights)
        };
        check(&[1, 300, width, 4], build, (sum, refused));
    }
}

#[test]
fn transposed_windows_are_summed_whole_or_refused() {
    for (steps, channels, refused) in [(640, 99, None), (660, 99, Some("66662"))] {
        let weights = kernel(&[steps, 1, channels]);
        let layer = || Conv1dTranspose::new(1, steps).name("deep");
        let build = |g: &mut Graph, x| g.conv1d_transpose(x, layer(), &weights);
        check(&[1, steps, channels], build, ((steps * channels) as f32, refused));
    }
}

#[test]
fn pooled_windows_are_read_whole_or_refused() {
    for (width, refused) in [(105, None), (109, Some("66600"))] {
        let build = |g: &mut Graph, x| g.average_pooling2d(x, Pooling::new((300, width)));
        check(&[1, 300, width, 1], build, (1.0, refused));
    }
    for (width, refused) in [(210, None), (218, Some("66600"))] {
        let build = |g: &mut Graph, x| g.max_pooling2d(x, Pooling::new((300, width)));
        check(&[1, 300, width, 1], build, (1.0, refused));
    }
    for (width, refused) in [(40, None), (60, Some("91200"))] {
        let build = |g: &mut Graph, x| g.lp_pooling2d(x, 2, Pooling::new((300, width)));
        check(&[1, 300, width, 1], build, ((300.0 * width as f32).sqrt(), refused));
    }
}

#[test]
fn softmax_of_a_long_axis_is_shared_by_threads_that_turn_seldom() {
    for length in [21_840, 300_000] {
        let build = |g: &mut Graph, x| g.softmax(x, -1);
        check(&[1, length], build, (1.0 / length as f32, None));
    }
}

#[test]
fn rows_of_any_length_that_can_be_planned_are_read_whole() {
    let build = |g: &mut Graph, x| g.reduce(x, Reduce::new(ReduceOp::LogSumExp).axes([1]));
    check(&[1, 1 << 24], build, (((1 << 24) as f32).ln() + 1.0, None));
}

#[test]
fn lines_are_summed_to_their_end_or_refused() {
    for (length, refused) in [(65_400, None), (65_401, Some("65401"))] {
        let build = |g: &mut Graph, x| g.cumsum(x, CumSum::new().axis(1));
        check(&[1, length], build, (length as f32, refused));
    }
}

#[test]
fn lines_are_ordered_to_their_end_or_refused() {
    for (length, refused) in [(65_400, None), (65_401, Some("65401"))] {
        let build = |g: &mut Graph, x| Ok(g.top_k(x, TopK::new(7))?.indices);
        check(&[1, length], build, (6.0, refused));
    }
}

#[test]
fn channels_round_a_channel_are_read_whole_or_refused() {
    // The root of the sum of the squares, over the number of channels.
    let layer = |channels| Lrn::new(2 * channels).alpha(2.0 * channels as f32).beta(0.5).bias(0.0);
    for (channels, refused) in [(3000, None), (65_401, Some("65401"))] {
        let build = |g: &mut Graph, x| g.lrn(x, layer(channels));
        check(&[1, channels], build, (1.0 / (channels as f32).sqrt(), refused));
    }
}

#[test]
fn taps_are_read_whole_or_refused() {
    for ([height, width], refused) in [
        ([300, 215], None),
        ([300, 218], Some("66000")),
        ([21_700, 1], None),
        ([21_900, 1], Some("65700")),
        ([1, 60_000], None),
        ([1, 65_399], Some("65401")),
    ] {
        let layer = Resize2d::new(1).interpolation(Interpolation::Bilinear).antialias(true);
        let build = |g: &mut Graph, x| g.resize2d(x, layer);
        check(&[1, height, width, 1], build, (1.0, refused));
    }
    // Nearest pixels need no loop.
    let build = |g: &mut Graph, x| g.resize2d(x, Resize2d::new(1));
    check(&[1, 70_000, 1, 1], build, (1.0, None));
}
