//! Random small networks: sharing slots changes no value, and every layer is right on the
//! values that it was really given.

use longshore::{
    Conv2d, Dense, Graph, HostArray, Interpolation, Padding, Plan, Run, Session, StagePolicy,
    Symbol, UpSampling2d,
};
use ndarray::ArrayD;

use super::golden::{ELEMENTWISE, Twin, assert_same_bits, batched, trials, weights, widen};
use crate::common::compare::assert_close;
use crate::common::oracle::Expected;
use crate::common::oracle::resize2d as exact;
use crate::common::oracle::{binary, conv2d, dense, reshape, softmax};
use crate::common::random::Random;
use crate::harness::{runtime, stage};

/// What a value is made by; operands are numbers of earlier values, 0 is the input.
enum Layer {
    Conv { strides: (usize, usize), twin: Twin, kernel: ArrayD<f32>, bias: ArrayD<f32> },
    UpSample { factors: (usize, usize), bilinear: bool },
    Add(usize),
    Multiply(usize),
    Activation(Twin),
    Softmax,
    Flatten,
    Dense { twin: Twin, kernel: ArrayD<f32> },
}

/// A chain of layers, each over the value before it; some take a second, older one.
struct Network {
    item: Vec<usize>,
    layers: Vec<Layer>,
}

/// Weights that keep values small: exponentials and long chains stay far from overflow.
fn small(random: &mut Random, shape: &[usize]) -> ArrayD<f32> {
    let inputs: usize = shape[..shape.len() - 1].iter().product();
    random.uniform(shape) * (2.0 / inputs as f32)
}

impl Network {
    fn draw(random: &mut Random) -> Network {
        let item = vec![random.range(2, 6), random.range(2, 6), random.range(1, 5)];
        let mut shapes = vec![item.clone()];
        let mut layers = Vec::new();
        for _ in 0..random.range(4, 11) {
            let (layer, shape) = draw_layer(random, &shapes);
            layers.push(layer);
            shapes.push(shape);
        }
        Network { item, layers }
    }

    /// Builds the graph; names every value as an output, or the last one alone.
    fn graph(&self, names_all: bool) -> Graph {
        let mut g = Graph::new();
        let shape: Vec<usize> = std::iter::once(1).chain(self.item.iter().copied()).collect();
        let mut values = vec![g.input("x", batched(&shape))];
        for (number, layer) in self.layers.iter().enumerate() {
            let value = layer.add_to(&mut g, &values);
            values.push(value);
            if names_all || number + 1 == self.layers.len() {
                g.output(format!("value {}", number + 1), value);
            }
        }
        g
    }

    fn last(&self) -> String {
        format!("value {}", self.layers.len())
    }
}

fn draw_layer(random: &mut Random, shapes: &[Vec<usize>]) -> (Layer, Vec<usize>) {
    let shape = shapes.last().unwrap().clone();
    let alike: Vec<usize> = (0..shapes.len()).filter(|&value| shapes[value] == shape).collect();
    let twin = *random.pick(&ELEMENTWISE);
    let choice = random.range(0, 9);
    let &[height, width, channels] = shape.as_slice() else {
        let units = if random.range(0, 2) == 0 { shape[0] } else { random.range(1, 9) };
        return match choice {
            0..3 => {
                let kernel = small(random, &[shape[0], units]);
                (Layer::Dense { twin, kernel }, vec![units])
            }
            3 => (Layer::Softmax, shape),
            4..6 => (Layer::Add(*random.pick(&alike)), shape),
            6 => (Layer::Multiply(*random.pick(&alike)), shape),
            _ => (Layer::Activation(twin), shape),
        };
    };
    match choice {
        0..3 => {
            // Half of the convolutions keep the shape, so that there is something to skip to.
            let keeps = random.range(0, 2) == 0;
            let (filters, step) =
                if keeps { (channels, 1) } else { (random.range(1, 9), random.range(1, 3)) };
            let kernel = small(random, &[3, 2, channels, filters]);
            let bias = random.uniform(&[filters]);
            let shape = vec![height.div_ceil(step), width, filters];
            (Layer::Conv { strides: (step, 1), twin, kernel, bias }, shape)
        }
        3 if height * width < 60 => {
            let (factors, bilinear) = ((random.range(1, 3), 2), random.range(0, 2) == 0);
            let shape = vec![height * factors.0, width * factors.1, channels];
            (Layer::UpSample { factors, bilinear }, shape)
        }
        4 => (Layer::Multiply(*random.pick(&alike)), shape),
        5 => (Layer::Softmax, shape),
        6 if random.range(0, 2) == 0 => (Layer::Flatten, vec![height * width * channels]),
        7 => (Layer::Activation(twin), shape),
        _ => (Layer::Add(*random.pick(&alike)), shape),
    }
}

impl Layer {
    fn add_to(&self, g: &mut Graph, values: &[Symbol]) -> Symbol {
        let x = *values.last().unwrap();
        let added = match self {
            Layer::Conv { strides, twin, kernel, bias } => {
                let layer = Conv2d::new(bias.len(), (3, 2)).strides(*strides);
                let layer = layer.padding(Padding::Same).activation(twin.ours);
                g.conv2d(x, layer, &weights(kernel, Some(bias)))
            }
            Layer::UpSample { factors, bilinear: true } => {
                g.up_sampling2d(x, UpSampling2d::new(*factors, Interpolation::Bilinear))
            }
            Layer::UpSample { factors, .. } => g.up_sampling2d(x, UpSampling2d::nearest(*factors)),
            Layer::Add(other) => g.add(x, values[*other]),
            Layer::Multiply(other) => g.multiply(values[*other], x),
            Layer::Activation(twin) => g.activation(x, twin.ours),
            Layer::Softmax => g.softmax(x, -1),
            Layer::Flatten => g.flatten(x),
            Layer::Dense { twin, kernel } => {
                let layer = Dense::new(kernel.shape()[1]).activation(twin.ours);
                g.dense(x, layer, &weights(kernel, None))
            }
        };
        added.unwrap()
    }

    /// Computes the layer in f64, on values that the device has given.
    fn oracle(&self, values: &[ArrayD<f32>]) -> Expected {
        let x = widen(values.last().unwrap());
        let other = |number: &usize| widen(&values[*number]);
        match self {
            Layer::Conv { strides, twin, kernel, bias } => {
                let (kernel, bias) = (widen(kernel), widen(bias));
                let padding = conv2d::Padding::Same;
                twin.apply(conv2d::conv2d(&x, &kernel, Some(&bias), *strides, (1, 1), 1, padding))
            }
            Layer::UpSample { factors, bilinear } => {
                let rule = if *bilinear {
                    exact::Interpolation::Bilinear
                } else {
                    exact::Interpolation::Nearest
                };
                exact::up_sampling2d(&x, *factors, rule)
            }
            Layer::Add(number) => binary::add(&x, &other(number)),
            Layer::Multiply(number) => binary::multiply(&x, &other(number)),
            Layer::Activation(twin) => twin.apply(Expected::exact(x)),
            Layer::Softmax => softmax::softmax(&x, -1),
            Layer::Flatten => reshape::flatten(&x),
            Layer::Dense { twin, kernel } => twin.apply(dense::dense(&x, &widen(kernel), None)),
        }
    }
}

fn prepare(graph: &Graph, batch: usize) -> (Plan, Session) {
    let plan = graph.plan(batch).unwrap();
    let session = runtime().prepare(&plan).unwrap();
    (plan, session)
}

fn run(session: &Session, input: &ArrayD<f32>) -> Run {
    session.run([("x", &stage(runtime(), "x", input))]).unwrap()
}

#[test]
fn sharing_slots_changes_nothing_and_every_layer_is_right() {
    let shared = std::sync::atomic::AtomicUsize::new(0);
    trials(40, |random| {
        let network = Network::draw(random);
        for batch in [1, 3] {
            let shape: Vec<usize> = [batch].into_iter().chain(network.item.clone()).collect();
            let input = random.uniform(&shape);
            let (_, all) = prepare(&network.graph(true), batch);
            let (plan, last) = prepare(&network.graph(false), batch);
            // The last step writes an output, and the others write slots.
            if plan.slots().len() + 1 < plan.steps().len() {
                shared.fetch_add(1, std::sync::atomic::Ordering::Relaxed);
            }
            let (all, last) = (run(&all, &input), run(&last, &input));
            let result = last[&network.last()].read().unwrap();
            let mut values = vec![input];
            for (number, layer) in network.layers.iter().enumerate() {
                let name = format!("value {}", number + 1);
                let actual = all[&name].read().unwrap();
                let what = format!("{name} of batch {batch}\n{plan}");
                assert_close(&what, &actual, &layer.oracle(&values));
                values.push(actual);
            }
            assert_same_bits(&plan.to_string(), &result, values.last().unwrap());
        }
    });
    let shared = shared.into_inner();
    assert!(shared > 20, "{shared} of 80 plans share slots");
}

#[test]
fn nothing_of_an_earlier_run_is_left() {
    trials(40, |random| {
        let network = Network::draw(random);
        let graph = network.graph(false);
        let shape: Vec<usize> = [2].into_iter().chain(network.item.clone()).collect();
        let input = random.uniform(&shape);
        let (plan, used) = prepare(&graph, 2);
        let nan = ArrayD::from_elem(input.raw_dim(), f32::NAN);
        let policy = StagePolicy::new().allow_non_finite();
        let (nan, _) = runtime().stage_with("nan", &HostArray::from(nan), &policy).unwrap();
        let poisoned = used.run([("x", &nan)]).unwrap()[&network.last()].read().unwrap();
        assert!(poisoned.iter().any(|value| value.is_nan()), "{plan}");
        let after = run(&used, &input)[&network.last()].read().unwrap();
        let (_, fresh) = prepare(&graph, 2);
        let fresh = run(&fresh, &input)[&network.last()].read().unwrap();
        assert_same_bits(&plan.to_string(), &after, &fresh);
    });
}
