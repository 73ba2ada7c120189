//! Weights of layers: host arrays, staged at preparation, or tensors staged before.

use std::any::Any;
use std::collections::BTreeMap;
use std::fmt;
use std::ops::Index;
use std::sync::Arc;

use crate::array::HostArray;
use crate::error::{Error, Result};

/// An array that lies on a device already; the device layer alone knows where.
pub(crate) trait StagedArray: Any + fmt::Debug + Send + Sync {
    /// Returns its shape.
    fn shape(&self) -> &[usize];
}

/// One array of a layer: on the host, or staged.
#[derive(Clone, Debug)]
pub struct Weight {
    pub(crate) label: String,
    pub(crate) source: Source,
}

#[derive(Clone, Debug)]
pub(crate) enum Source {
    Host(Arc<HostArray<'static>>),
    Staged(Arc<dyn StagedArray>),
}

impl Weight {
    pub(crate) fn staged(label: String, staged: Arc<dyn StagedArray>) -> Self {
        Weight { label, source: Source::Staged(staged) }
    }

    /// Returns the label that messages and the ledger use.
    #[must_use]
    pub fn label(&self) -> &str {
        &self.label
    }

    /// Returns the shape.
    #[must_use]
    pub fn shape(&self) -> &[usize] {
        match &self.source {
            Source::Host(array) => array.shape(),
            Source::Staged(staged) => staged.shape(),
        }
    }

    /// Returns the array if it is still on the host.
    pub(crate) fn host(&self) -> Option<&HostArray<'static>> {
        match &self.source {
            Source::Host(array) => Some(array),
            Source::Staged(_) => None,
        }
    }

    /// Makes a weight of an array, under a label that need not be the array's name.
    pub(crate) fn labeled(label: String, array: HostArray<'static>) -> Self {
        Weight { label, source: Source::Host(Arc::new(array)) }
    }

    /// Returns the address of the array, which tells whether two are the same, not only equal.
    pub(crate) fn address(&self) -> usize {
        match &self.source {
            Source::Host(array) => Arc::as_ptr(array).addr(),
            Source::Staged(staged) => Arc::as_ptr(staged).addr(),
        }
    }
}

impl From<HostArray<'static>> for Weight {
    fn from(array: HostArray<'static>) -> Self {
        // Without a name it takes that of the constant, or the layer's for it.
        let label = array.given_name().unwrap_or_default().to_owned();
        Weight { label, source: Source::Host(Arc::new(array)) }
    }
}

impl From<&Weight> for Weight {
    fn from(weight: &Weight) -> Self {
        weight.clone()
    }
}

/// The arrays of one layer, by Keras's names: `kernel`, `bias`, and for
/// separable convolution `depthwise_kernel` and `pointwise_kernel`.
///
/// ```
/// use longshore::{Dense, Graph, HostArray, LayerWeights, Shape};
/// use ndarray::{Array1, Array2};
///
/// # fn main() -> longshore::Result<()> {
/// let kernel = HostArray::from(Array2::<f32>::ones((3, 2)));
/// let weights = LayerWeights::new(kernel).bias(HostArray::from(Array1::<f32>::zeros(2)));
///
/// let mut g = Graph::new();
/// let x = g.input("x", Shape::batch([3]));
/// let y = g.dense(x, Dense::new(2), &weights)?;
/// assert_eq!(g.shape(y), Some(&Shape::batch([2])));
/// # Ok(())
/// # }
/// ```
#[derive(Clone, Debug, Default)]
pub struct LayerWeights {
    arrays: BTreeMap<String, Weight>,
}

impl LayerWeights {
    /// Makes the weights of a layer that has a kernel.
    pub fn new(kernel: impl Into<Weight>) -> Self {
        LayerWeights::default().with("kernel", kernel)
    }

    /// Makes the weights of a separable convolution.
    pub fn separable(depthwise: impl Into<Weight>, pointwise: impl Into<Weight>) -> Self {
        LayerWeights::default()
            .with("depthwise_kernel", depthwise)
            .with("pointwise_kernel", pointwise)
    }

    /// Adds a bias.
    #[must_use]
    pub fn bias(self, bias: impl Into<Weight>) -> Self {
        self.with("bias", bias)
    }

    /// Adds an array under a name of Keras's.
    #[must_use]
    pub fn with(mut self, name: impl Into<String>, array: impl Into<Weight>) -> Self {
        let name = name.into();
        let mut weight = array.into();
        if weight.label.is_empty() {
            weight.label.clone_from(&name);
        }
        self.arrays.insert(name, weight);
        self
    }

    /// Returns the arrays by name.
    pub fn iter(&self) -> impl Iterator<Item = (&str, &Weight)> {
        self.arrays.iter().map(|(name, weight)| (name.as_str(), weight))
    }

    /// Refuses names that a layer does not know, so that a misspelt bias is not lost.
    pub(crate) fn check_names(&self, node: &str, known: &[&str]) -> Result<()> {
        match self.arrays.keys().find(|name| !known.contains(&name.as_str())) {
            Some(extra) => Err(Error::Name {
                node: node.to_owned(),
                problem: "the layer takes no weight named".to_owned(),
                name: extra.clone(),
                known: known.join(", "),
                remedy: "rename it or leave it out".to_owned(),
            }),
            None => Ok(()),
        }
    }

    pub(crate) fn required(&self, node: &str, name: &str) -> Result<Weight> {
        self.optional(name).ok_or_else(|| Error::Name {
            node: node.to_owned(),
            problem: "the layer's weights have no".to_owned(),
            name: name.to_owned(),
            known: self.arrays.keys().cloned().collect::<Vec<_>>().join(", "),
            remedy: "add it".to_owned(),
        })
    }

    /// Takes the weights of a layer with a kernel and an optional bias, in this order.
    pub(crate) fn kernel_and_bias(&self, node: &str) -> Result<Vec<Weight>> {
        self.check_names(node, &["kernel", "bias"])?;
        Ok(std::iter::once(self.required(node, "kernel")?).chain(self.optional("bias")).collect())
    }

    pub(crate) fn optional(&self, name: &str) -> Option<Weight> {
        self.arrays.get(name).cloned()
    }
}

/// The weights of a network, by layer name.
///
/// ```
/// use longshore::{HostArray, Runtime, Weights};
/// use ndarray::{Array1, Array2};
///
/// # fn main() -> longshore::Result<()> {
/// // As `Weights::read_npz` reads them from members named LAYER/ARRAY.
/// let arrays = [
///     ("dense/kernel".to_owned(), HostArray::from(Array2::<f32>::ones((3, 2)))),
///     ("dense/bias".to_owned(), HostArray::from(Array1::<f32>::zeros(2))),
/// ];
/// let weights = Weights::from_arrays("net.npz", arrays)?;
/// let names: Vec<&str> = weights.layer("dense")?.iter().map(|(name, _)| name).collect();
/// assert_eq!(names, ["bias", "kernel"]);
/// assert!(weights.layer("dens").unwrap_err().to_string().contains("known: dense"));
///
/// // Staged, they are uploaded once for however many sessions.
/// let staged = Runtime::host().stage_weights("weights", &weights)?;
/// assert!(staged.layer("dense").is_ok());
/// # Ok(())
/// # }
/// ```
#[derive(Clone, Debug, Default)]
pub struct Weights {
    layers: BTreeMap<String, LayerWeights>,
}

impl Weights {
    /// Makes an empty set.
    #[must_use]
    pub fn new() -> Self {
        Weights::default()
    }

    /// Reads a `.npz` whose members are named `LAYER/ARRAY`, as in `conv/kernel`.
    ///
    /// # Errors
    ///
    /// What [`read_npz`](crate::array::read_npz) reports, and [`Error::Format`] for a member without a layer.
    #[cfg(feature = "npz")]
    pub fn read_npz(path: impl AsRef<std::path::Path>) -> Result<Self> {
        let path = path.as_ref();
        Weights::from_arrays(&path.display().to_string(), crate::array::read_npz(path)?)
    }

    /// Makes a set from arrays named `LAYER/ARRAY`; messages call it `origin`.
    ///
    /// # Errors
    ///
    /// [`Error::Format`] for a name without a layer.
    pub fn from_arrays(
        origin: &str,
        arrays: impl IntoIterator<Item = (String, HostArray<'static>)>,
    ) -> Result<Self> {
        let mut weights = Weights::default();
        for (path, array) in arrays {
            let Some((layer, name)) = path.rsplit_once('/') else {
                return Err(Error::Format {
                    file: origin.to_owned(),
                    part: format!("member \"{path}\""),
                    got: "has no layer in its name".to_owned(),
                    expected: "members are named LAYER/ARRAY, as in conv/kernel".to_owned(),
                    remedy: "rename it".to_owned(),
                });
            };
            let entry = weights.layers.entry(layer.to_owned()).or_default();
            let array = array.with_name(path.clone());
            entry.arrays.insert(name.to_owned(), Weight::from(array));
        }
        Ok(weights)
    }

    /// Adds a layer.
    #[must_use]
    pub fn with(mut self, layer: impl Into<String>, weights: LayerWeights) -> Self {
        self.layers.insert(layer.into(), weights);
        self
    }

    /// Returns the weights of a layer.
    ///
    /// # Errors
    ///
    /// [`Error::Name`] that lists the layers there are.
    pub fn layer(&self, name: &str) -> Result<&LayerWeights> {
        self.layers.get(name).ok_or_else(|| Error::Name {
            node: "weights".to_owned(),
            problem: "there is no layer named".to_owned(),
            name: name.to_owned(),
            known: self.layers.keys().cloned().collect::<Vec<_>>().join(", "),
            remedy: "use one of these names".to_owned(),
        })
    }

    /// Returns the layers by name.
    pub fn iter(&self) -> impl Iterator<Item = (&str, &LayerWeights)> {
        self.layers.iter().map(|(name, layer)| (name.as_str(), layer))
    }
}

impl Index<&str> for Weights {
    type Output = LayerWeights;

    /// Returns the weights of a layer.
    ///
    /// # Panics
    ///
    /// If there is no such layer, as a map does; [`Weights::layer`] returns an error.
    #[expect(clippy::panic, reason = "indexing a map panics; `layer` is the form that does not")]
    fn index(&self, name: &str) -> &LayerWeights {
        match self.layer(name) {
            Ok(layer) => layer,
            Err(error) => panic!("{error}"),
        }
    }
}
