//! Dense layers: a matrix product on the last axis.

use crate::error::Result;
use crate::graph::{Graph, LayerWeights, Site, Symbol};
use crate::kernels::Work;
use crate::ops::checks::check_bias;
use crate::ops::{Activation, Arguments, Epilogue, Op, Operator, Shapes};
use crate::shape::{Dim, Shape, element_count};

/// Describes a dense layer; defaults are Keras's.
///
/// ```
/// use longshore::{Activation, Dense, Graph, HostArray, LayerWeights, Shape};
/// use ndarray::Array2;
///
/// # fn main() -> longshore::Result<()> {
/// let mut g = Graph::new();
/// let x = g.input("x", Shape::batch([7]));
/// let kernel = HostArray::from(Array2::<f32>::zeros((7, 3)));
/// let weights = LayerWeights::new(kernel);
/// let y = g.dense(x, Dense::new(3).activation(Activation::Relu), &weights)?;
/// assert_eq!(g.shape(y), Some(&Shape::batch([3])));
/// # Ok(())
/// # }
/// ```
#[derive(Clone, Debug)]
pub struct Dense {
    units: usize,
    name: Option<String>,
    activation: Activation,
}

impl Dense {
    /// Makes a layer of `units` results.
    #[must_use]
    pub fn new(units: usize) -> Self {
        Dense { units, name: None, activation: Activation::Linear }
    }

    /// Names the node.
    #[must_use]
    pub fn name(mut self, name: impl Into<String>) -> Self {
        self.name = Some(name.into());
        self
    }

    /// Sets the activation.
    #[must_use]
    pub fn activation(mut self, activation: Activation) -> Self {
        self.activation = activation;
        self
    }
}

/// A dense layer as a node holds it: its kernel says everything.
pub(crate) struct Rule;

impl Operator for Rule {
    fn name(&self) -> &'static str {
        "dense"
    }

    fn infer(&self, of: &Arguments<'_>) -> Result<Shape> {
        infer(of, None)
    }

    fn work(&self, at: &Shapes) -> Option<Work> {
        let (units, leading) = at.result.split_last()?;
        Some(Work::Dense(Geometry {
            // Both were checked to fit when the shape was made.
            rows: leading.iter().product(),
            inputs: *at.operand(0)?.last()?,
            units: *units,
            has_bias: at.weights > 1,
            part: None,
            epilogue: at.epilogue.clone(),
        }))
    }

    fn has_epilogue(&self) -> bool {
        true
    }
}

/// Checks a layer, of as many units as were asked for or as its kernel has.
fn infer(of: &Arguments<'_>, asked: Option<usize>) -> Result<Shape> {
    let [x] = of.operands()?;
    let (kernel, bias) = of.kernel_and_bias()?;
    let site = of.site(&format!("kernel {:?}", kernel.shape()));
    let &[inputs, units] = kernel.shape() else {
        return Err(site.refuse(
            "kernel",
            format!("has {} dimensions", kernel.shape().len()),
            "a dense kernel has 2: (in, units)",
            "reshape it",
        ));
    };
    let Some((last, leading)) = x.shape.dims().split_last() else {
        return Err(site.refuse(
            &format!("\"{}\"", x.name),
            "has no dimensions",
            "the product is taken over the last one",
            "reshape it to [1, n]",
        ));
    };
    if *last != Dim::Fixed(inputs) {
        return Err(site.refuse(
            "kernel",
            format!("has {inputs} input features"),
            format!("\"{}\" has {last} on its last axis", x.name),
            "make both equal",
        ));
    }
    check_units(&site, units, asked.unwrap_or(units))?;
    check_bias(&site, bias, units)?;
    let shape = Shape::new(leading.iter().copied().chain([Dim::Fixed(units)]));
    element_count(of.node, &shape.resolve(1))?;
    Ok(shape)
}

fn check_units(site: &Site, units: usize, asked: usize) -> Result<()> {
    if units == asked && units > 0 {
        return Ok(());
    }
    Err(site.refuse(
        "kernel",
        format!("gives {units} units"),
        format!("the layer asks for {asked}, and at least 1 is needed"),
        "make both equal and positive",
    ))
}

/// What to compute: (rows, inputs) times (inputs, units) gives (rows, units).
#[derive(Clone, Debug, PartialEq)]
pub struct Geometry {
    /// The product of the input's lengths in front of the last.
    pub rows: usize,
    /// How many inputs are summed over: the input's last length, or a part of it.
    pub inputs: usize,
    /// The kernel's last length.
    pub units: usize,
    /// Whether a bias (units) is added; without one, bind the kernel in its place.
    pub has_bias: bool,
    /// Which of the inputs they are; all of them where there is none.
    pub part: Option<Part>,
    /// What happens to each result before it is stored.
    pub epilogue: Epilogue,
}

/// Where a step of a split layer begins. Its kernel is (inputs, units), the rows for its part.
///
/// The steps follow one another; each but the first goes on from the sums in the result.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Part {
    /// The first input of the part.
    pub first: usize,
    /// The input's last length.
    pub of: usize,
}

impl Geometry {
    /// Returns where the inputs begin in a row, and how long a row is.
    #[must_use]
    pub fn part(&self) -> Part {
        self.part.unwrap_or(Part { first: 0, of: self.inputs })
    }
}

impl Graph {
    /// Adds a dense layer: `x @ kernel + bias` on the last axis of any rank.
    ///
    /// `x` is (..., in), the kernel (in, units), the optional bias (units), the
    /// result (..., units). The rule is Keras's.
    ///
    /// # Errors
    ///
    /// [`Error::Operand`](crate::Error::Operand) when shapes disagree,
    /// [`Error::Name`](crate::Error::Name) for a weight the layer does not know.
    pub fn dense(&mut self, x: Symbol, layer: Dense, weights: &LayerWeights) -> Result<Symbol> {
        let pending = self.begin("dense", layer.name.as_deref(), [("x", x)])?;
        let weights = weights.kernel_and_bias(&pending.node)?;
        infer(&pending.arguments(&weights), Some(layer.units))?;
        self.add_activated_node(pending, Op::Dense, weights, layer.activation)
    }
}
