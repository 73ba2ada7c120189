//! Random small networks, and what each of their values must be.

use longshore::{Conv2d, Dense, Graph, Interpolation, Padding, Symbol, UpSampling2d};
use ndarray::ArrayD;

use super::golden::{ELEMENTWISE, Twin, batched, weights, widen};
use crate::common::oracle::Expected;
use crate::common::oracle::resize2d as exact;
use crate::common::oracle::{binary, conv2d, dense, reshape, softmax};
use crate::common::random::Random;

/// What a value is made by; operands are numbers of earlier values, 0 is the input.
pub enum Layer {
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
pub struct Network {
    pub item: Vec<usize>,
    pub layers: Vec<Layer>,
}

/// Weights that keep values small: exponentials and long chains stay far from overflow.
fn small(random: &mut Random, shape: &[usize]) -> ArrayD<f32> {
    let inputs: usize = shape[..shape.len() - 1].iter().product();
    random.uniform(shape) * (2.0 / inputs as f32)
}

impl Network {
    pub fn draw(random: &mut Random) -> Network {
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

    /// Builds the graph; the last value is an output, and so are those that `names` says.
    pub fn graph(&self, names: impl Fn(usize) -> bool) -> Graph {
        let mut g = Graph::new();
        let shape: Vec<usize> = std::iter::once(1).chain(self.item.iter().copied()).collect();
        let mut values = vec![g.input("x", batched(&shape))];
        for (number, layer) in self.layers.iter().enumerate() {
            let value = layer.add_to(&mut g, &values);
            values.push(value);
            if names(number + 1) || number + 1 == self.layers.len() {
                g.output(format!("value {}", number + 1), value);
            }
        }
        g
    }

    pub fn last(&self) -> String {
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

    /// Computes the layer in f64. What values may be off by goes into what the result may be off by.
    pub fn expected(&self, values: &[Expected]) -> Expected {
        let x = values.last().unwrap();
        let other = |number: &usize| &values[*number];
        match self {
            Layer::Conv { strides, twin, kernel, bias } => {
                let (kernel, bias) = (widen(kernel), widen(bias));
                let same = conv2d::Padding::Same;
                let apply = |x: &ArrayD<f64>, kernel: &ArrayD<f64>, bias: Option<&ArrayD<f64>>| {
                    conv2d::conv2d(x, kernel, bias, *strides, (1, 1), 1, same)
                };
                let result = apply(&x.value, &kernel, Some(&bias));
                let spread = apply(&x.bound, &kernel.mapv(f64::abs), None).value;
                twin.apply(wider(result, &spread))
            }
            Layer::UpSample { factors, bilinear } => {
                let rule = if *bilinear {
                    exact::Interpolation::Bilinear
                } else {
                    exact::Interpolation::Nearest
                };
                let spread = exact::up_sampling2d(&x.bound, *factors, rule).value;
                wider(exact::up_sampling2d(&x.value, *factors, rule), &spread)
            }
            Layer::Add(number) => {
                let other = other(number);
                wider(binary::add(&x.value, &other.value), &(&x.bound + &other.bound))
            }
            Layer::Multiply(number) => {
                let other = other(number);
                let spread = &x.bound * &other.value.mapv(f64::abs)
                    + &other.bound * &x.value.mapv(f64::abs)
                    + &x.bound * &other.bound;
                wider(binary::multiply(&x.value, &other.value), &spread)
            }
            Layer::Activation(twin) => twin.apply(x.clone()),
            Layer::Softmax => softmax::softmax_of(x.clone(), -1),
            Layer::Flatten => {
                let result = reshape::flatten(&x.value);
                wider(result, &reshape::flatten(&x.bound).value)
            }
            Layer::Dense { twin, kernel } => {
                let kernel = widen(kernel);
                let spread = dense::dense(&x.bound, &kernel.mapv(f64::abs), None).value;
                twin.apply(wider(dense::dense(&x.value, &kernel, None), &spread))
            }
        }
    }
}

/// Adds to what a result may be off by.
fn wider(mut result: Expected, spread: &ArrayD<f64>) -> Expected {
    result.bound += spread;
    result
}
