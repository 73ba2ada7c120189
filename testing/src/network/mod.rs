//! Random small networks of every operator, and what each of their values must be.
//!
//! A network is drawn together with its inputs, so each layer sees what its operands hold and by how much f32 may be
//! off there. A function that jumps is drawn only where no operand can be at a jump within its bound, a logarithm only
//! of what is clearly positive; where no value fits, a new input or constant is made that does.

mod convolutions;
mod deck;
mod lines;
mod moving;
mod normalizations;
mod pointwise;
mod pooling;
mod products;
mod rows;
mod sampling;
mod views;

use longshore::{Graph, HostArray, Result, Symbol};
use ndarray::ArrayD;

use crate::golden::{batched, widen};
use crate::oracle::Expected;
use crate::random::Random;
pub use deck::{DECK, NOT_DRAWN};
use deck::{OFTEN, often};

/// The most elements of a value.
const MOST: usize = 600;

/// Computes a layer in f64. What operands may be off by goes into what the result may be off by.
type Oracle = Box<dyn Fn(&[&Expected]) -> Expected>;

/// An operand or result: leaves have no oracle.
pub struct Value {
    pub symbol: Symbol,
    pub operands: Vec<usize>,
    pub oracle: Option<Oracle>,
    pub expected: Expected,
    is_batched: bool,
    /// What drew it, by its name in the deck; empty for leaves.
    drawn_by: &'static str,
    /// Whether it holds NaN or infinity, and layers drawn later leave it alone.
    is_special: bool,
}

impl Value {
    fn shape(&self) -> &[usize] {
        self.expected.value.shape()
    }

    /// The first axis that is not the batch's.
    fn first(&self) -> usize {
        self.is_batched.into()
    }
}

/// What a new input or constant holds.
#[derive(Clone, Copy)]
enum Holds {
    /// Numbers from -1 to 1.
    Uniform,
    /// Halves from -2 to 2, many of them equal and some of them 0.
    Halves,
    /// Numbers from 0.25 to 2.25.
    Positive,
    /// Some numbers, NaN and infinities.
    Special,
}

/// A graph without outputs, its inputs, and its values in the order they were added.
pub struct Network {
    pub graph: Graph,
    pub batch: usize,
    pub inputs: Vec<(String, ArrayD<f32>)>,
    pub values: Vec<Value>,
    /// The operators drawn, by their names in the deck.
    pub drawn: Vec<&'static str>,
    pub random: Random,
    /// Whether the inputs' first dimension is the batch.
    is_symbolic: bool,
    /// The operator that is being drawn.
    current: &'static str,
}

impl Network {
    /// Draws a network. Each seed has some operators that it must draw, so that all of them are over many seeds.
    pub fn draw(seed: u64) -> Network {
        const WISHES: u64 = 4;
        let mut random = Random::new(seed);
        let mut net = Network {
            graph: Graph::new(),
            batch: random.range(1, 4),
            inputs: Vec::new(),
            values: Vec::new(),
            drawn: Vec::new(),
            is_symbolic: random.range(0, 3) > 0,
            current: "",
            random,
        };
        for rank in [4, [2, 3, 4][net.random.range(0, 3)]] {
            net.leaf_of_rank(rank);
        }
        let mut wishes: Vec<_> = (0..WISHES)
            .map(|number| DECK[((seed * WISHES + number) % DECK.len() as u64) as usize])
            .collect();
        let layers = net.random.range(6, 12);
        for _ in 0..100 {
            if net.drawn.len() >= layers && wishes.is_empty() {
                break;
            }
            let is_wish = !wishes.is_empty() && net.random.range(0, 2) == 0;
            let (name, draw) = match is_wish {
                true => wishes[0],
                false if net.coin() => {
                    let name = *net.random.pick(OFTEN);
                    often(name)
                }
                false => *net.random.pick(&DECK),
            };
            net.current = name;
            if draw(&mut net, name) {
                net.drawn.push(name);
                if is_wish {
                    wishes.remove(0);
                }
            }
        }
        net
    }

    /// The graph with outputs: those that no layer takes, and those that `names` says.
    pub fn with_outputs(&self, names: impl Fn(usize) -> bool) -> Graph {
        let mut graph = self.graph.clone();
        let taken: Vec<usize> =
            self.values.iter().flat_map(|value| value.operands.iter().copied()).collect();
        for (number, value) in self.values.iter().enumerate() {
            if value.oracle.is_some() && (!taken.contains(&number) || names(number)) {
                // A clone of a graph knows the symbols of the original.
                graph.output(format!("value {number}"), value.symbol);
            }
        }
        graph
    }

    /// Makes an input or a constant.
    fn leaf(&mut self, shape: &[usize], holds: Holds, is_batched: bool) -> usize {
        let random = &mut self.random;
        let array = ArrayD::from_shape_simple_fn(shape, || match holds {
            Holds::Uniform => random.signed(),
            Holds::Halves => random.range(0, 9) as f32 / 2.0 - 2.0,
            Holds::Positive => random.signed() + 1.25,
            Holds::Special => {
                *random.pick(&[f32::NAN, f32::INFINITY, f32::NEG_INFINITY, 0.0, -1.5, 3.0e38])
            }
        });
        self.leaf_of(array, is_batched, matches!(holds, Holds::Special))
    }

    fn leaf_of(&mut self, array: ArrayD<f32>, is_batched: bool, is_special: bool) -> usize {
        let is_constant = !is_batched && !is_special && self.random.range(0, 2) == 0;
        if is_constant {
            return self.constant(array);
        }
        let name = format!("input {}", self.values.len());
        let symbol = if is_batched {
            self.graph.input(name.clone(), batched(array.shape()))
        } else {
            self.graph.input(name.clone(), array.shape().iter().copied())
        };
        let expected = Expected::exact(widen(&array));
        self.inputs.push((name, array));
        self.push_leaf(symbol, expected, is_batched, is_special)
    }

    fn constant(&mut self, array: ArrayD<f32>) -> usize {
        let expected = Expected::exact(widen(&array));
        let name = format!("constant {}", self.values.len());
        let symbol = self.graph.constant(name, HostArray::from(array)).unwrap();
        self.push_leaf(symbol, expected, false, false)
    }

    fn push_leaf(
        &mut self,
        symbol: Symbol,
        expected: Expected,
        is_batched: bool,
        is_special: bool,
    ) -> usize {
        self.values.push(Value {
            symbol,
            operands: Vec::new(),
            oracle: None,
            expected,
            is_batched,
            drawn_by: "",
            is_special,
        });
        self.values.len() - 1
    }

    /// Makes a leaf of small random lengths.
    fn leaf_of_rank(&mut self, rank: usize) -> usize {
        let mut shape: Vec<usize> = (0..rank).map(|_| self.random.range(1, 6)).collect();
        if rank == 4 {
            shape = vec![0, self.random.range(2, 6), self.random.range(2, 6), shape[3]];
        }
        if rank > 0 {
            shape[0] = self.batch;
        }
        let holds = *self.random.pick(&[Holds::Uniform, Holds::Uniform, Holds::Halves]);
        self.leaf(&shape, holds, self.is_symbolic && rank > 0)
    }

    /// Picks a value that fits; the newest ones more often.
    fn pick(&mut self, fits: impl Fn(&Value) -> bool) -> Option<usize> {
        let found: Vec<usize> = (0..self.values.len())
            .filter(|&number| !self.values[number].is_special && fits(&self.values[number]))
            .collect();
        let last = *found.last()?;
        let newest = self.random.range(0, 2) == 0;
        Some(if newest { last } else { *self.random.pick(&found) })
    }

    /// Picks a value of a rank, or makes one.
    fn of_rank(&mut self, rank: usize) -> usize {
        let found = self.pick(|value| value.shape().len() == rank);
        found.unwrap_or_else(|| self.leaf_of_rank(rank))
    }

    /// Picks a value drawn by one of these operators, as often as not: what passes look for before the layer.
    fn behind(&mut self, names: &[&str], fits: impl Fn(&Value) -> bool) -> Option<usize> {
        let found = self.pick(|value| names.contains(&value.drawn_by) && fits(value));
        found.filter(|_| self.coin())
    }

    /// Picks an image, as often as not one with padding around it.
    fn image(&mut self) -> usize {
        let found = self.behind(&["pad", "zero_padding2d"], |value| value.shape().len() == 4);
        found.unwrap_or_else(|| self.of_rank(4))
    }

    /// Picks any value with an axis that is not the batch's, and such an axis.
    fn with_axis(&mut self) -> (usize, usize) {
        let found = self.pick(|value| value.shape().len() > value.first());
        let x = found.unwrap_or_else(|| self.leaf_of_rank(3));
        let (first, rank) = (self.values[x].first(), self.values[x].shape().len());
        (x, self.random.range(first, rank))
    }

    fn shape(&self, value: usize) -> Vec<usize> {
        self.values[value].shape().to_vec()
    }

    fn coin(&mut self) -> bool {
        self.random.range(0, 2) == 0
    }

    /// Adds a layer, unless its result is too large or its bound says too little.
    fn layer(
        &mut self,
        operands: &[usize],
        oracle: impl Fn(&[&Expected]) -> Expected + 'static,
        build: impl FnOnce(&mut Graph, &[Symbol]) -> Result<Symbol>,
    ) -> bool {
        self.layers(operands, vec![Box::new(oracle)], |g, x| build(g, x).map(|symbol| vec![symbol]))
    }

    /// Adds a layer of several results.
    fn layers(
        &mut self,
        operands: &[usize],
        oracles: Vec<Oracle>,
        build: impl FnOnce(&mut Graph, &[Symbol]) -> Result<Vec<Symbol>>,
    ) -> bool {
        let known: Vec<&Expected> = operands.iter().map(|&x| &self.values[x].expected).collect();
        let results: Vec<Expected> = oracles.iter().map(|oracle| oracle(&known)).collect();
        if !results.iter().all(says_something) {
            return false;
        }
        let symbols: Vec<Symbol> = operands.iter().map(|&x| self.values[x].symbol).collect();
        let symbols = build(&mut self.graph, &symbols).unwrap();
        assert_eq!(symbols.len(), results.len());
        for ((symbol, expected), oracle) in symbols.into_iter().zip(results).zip(oracles) {
            let shape = self.graph.shape(symbol).unwrap();
            assert_eq!(shape.resolve(self.batch), expected.value.shape(), "{}", self.graph);
            let is_batched = shape.has_batch();
            let (operands, oracle) = (operands.to_vec(), Some(oracle));
            self.values.push(Value {
                symbol,
                operands,
                oracle,
                expected,
                is_batched,
                drawn_by: self.current,
                is_special: false,
            });
        }
        true
    }
}

/// Whether values stay far from overflow, and a wrong one would be seen.
fn says_something(result: &Expected) -> bool {
    let most = |array: &ArrayD<f64>| array.iter().fold(0.0_f64, |most, x| most.max(x.abs()));
    let is_finite = result.value.iter().chain(&result.bound).all(|number| number.is_finite());
    let (value, bound) = (most(&result.value), most(&result.bound));
    let is_small = (1..=MOST).contains(&result.value.len());
    is_small && is_finite && value <= 100.0 && bound <= 1e-3 * value.max(0.1)
}

/// A layer's own bound twice, since a pass may round a weight or a value once more, and what it makes of its operands'.
fn near(own: Expected, spread: &ArrayD<f64>) -> Expected {
    Expected { value: own.value, bound: own.bound * 2.0 + spread }
}

/// A layer that only moves elements.
fn moved(x: &Expected, apply: impl Fn(&ArrayD<f64>) -> ArrayD<f64>) -> Expected {
    Expected { value: apply(&x.value), bound: apply(&x.bound) }
}
