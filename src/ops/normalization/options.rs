//! Options of the normalizations.

/// Writes the setters that several normalizations share.
macro_rules! setters {
    ($($name:ident: $kind:ty, $what:literal;)*) => {
        $(
            #[doc = $what]
            #[must_use]
            pub fn $name(mut self, $name: $kind) -> Self {
                self.$name = $name;
                self
            }
        )*

        /// Names the node; its moments are `NAME/moments`.
        #[must_use]
        pub fn name(mut self, name: impl Into<String>) -> Self {
            self.name = Some(name.into());
            self
        }
    };
}

/// Describes a layer normalization; names and defaults are Keras's.
///
/// ```
/// use longshore::{Graph, HostArray, LayerNormalization, LayerWeights, Shape};
///
/// # fn main() -> longshore::Result<()> {
/// let mut g = Graph::new();
/// let x = g.input("x", Shape::batch([8, 4]));
/// let ones = || HostArray::from(ndarray::arr1(&[1.0_f32; 4]));
/// let weights = LayerWeights::default().with("gamma", ones()).with("beta", ones());
/// let y = g.layer_normalization(x, LayerNormalization::new().epsilon(1e-5), &weights)?;
/// assert_eq!(g.shape(y), g.shape(x));
/// # Ok(())
/// # }
/// ```
#[derive(Clone, Debug)]
pub struct LayerNormalization {
    pub(crate) axis: Vec<isize>,
    pub(crate) epsilon: f32,
    pub(crate) center: bool,
    pub(crate) scale: bool,
    pub(crate) name: Option<String>,
}

impl Default for LayerNormalization {
    fn default() -> Self {
        LayerNormalization { axis: vec![-1], epsilon: 1e-3, center: true, scale: true, name: None }
    }
}

impl LayerNormalization {
    /// Makes a normalization of the last axis.
    #[must_use]
    pub fn new() -> Self {
        LayerNormalization::default()
    }

    /// Sets the axes that a row spans; a negative one counts from the end.
    #[must_use]
    pub fn axis(mut self, axes: impl IntoIterator<Item = isize>) -> Self {
        self.axis = axes.into_iter().collect();
        self
    }

    setters! {
        epsilon: f32, "Sets what is added to the variance.";
        center: bool, "Adds `beta`, or leaves it out.";
        scale: bool, "Multiplies by `gamma`, or leaves it out.";
    }
}

/// Describes a normalization by the root mean square; names and defaults are Keras's.
///
/// ```
/// use longshore::{Graph, HostArray, LayerWeights, RmsNormalization, Shape};
///
/// # fn main() -> longshore::Result<()> {
/// let mut g = Graph::new();
/// let x = g.input("x", Shape::batch([8, 4]));
/// let ones = || HostArray::from(ndarray::arr1(&[1.0_f32; 4]));
/// let weights = LayerWeights::default().with("scale", ones());
/// let y = g.rms_normalization(x, RmsNormalization::new(), &weights)?;
/// assert_eq!(g.shape(y), g.shape(x));
/// # Ok(())
/// # }
/// ```
#[derive(Clone, Debug)]
pub struct RmsNormalization {
    pub(crate) axis: Vec<isize>,
    pub(crate) epsilon: f32,
    pub(crate) name: Option<String>,
}

impl Default for RmsNormalization {
    fn default() -> Self {
        RmsNormalization { axis: vec![-1], epsilon: 1e-6, name: None }
    }
}

impl RmsNormalization {
    /// Makes a normalization of the last axis.
    #[must_use]
    pub fn new() -> Self {
        RmsNormalization::default()
    }

    /// Sets the axes that a row spans; a negative one counts from the end.
    #[must_use]
    pub fn axis(mut self, axes: impl IntoIterator<Item = isize>) -> Self {
        self.axis = axes.into_iter().collect();
        self
    }

    setters! {
        epsilon: f32, "Sets what is added to the mean square.";
    }
}

/// Describes a group normalization; names and defaults are Keras's.
///
/// ```
/// use longshore::{Graph, GroupNormalization, HostArray, LayerWeights, Shape};
///
/// # fn main() -> longshore::Result<()> {
/// let mut g = Graph::new();
/// let x = g.input("x", Shape::batch([8, 8, 4]));
/// let ones = || HostArray::from(ndarray::arr1(&[1.0_f32; 4]));
/// let weights = LayerWeights::default().with("gamma", ones()).with("beta", ones());
/// let y = g.group_normalization(x, GroupNormalization::new(2), &weights)?;
/// assert_eq!(g.shape(y), g.shape(x));
/// # Ok(())
/// # }
/// ```
#[derive(Clone, Debug)]
pub struct GroupNormalization {
    pub(crate) groups: isize,
    pub(crate) axis: isize,
    pub(crate) epsilon: f32,
    pub(crate) center: bool,
    pub(crate) scale: bool,
    pub(crate) name: Option<String>,
}

impl Default for GroupNormalization {
    fn default() -> Self {
        GroupNormalization::new(32)
    }
}

impl GroupNormalization {
    /// Makes a normalization of this many groups of channels on the last axis; -1 stands for one
    /// channel to a group.
    #[must_use]
    pub fn new(groups: isize) -> Self {
        GroupNormalization {
            groups,
            axis: -1,
            epsilon: 1e-3,
            center: true,
            scale: true,
            name: None,
        }
    }

    setters! {
        axis: isize, "Sets the channel axis; a negative one counts from the end. ONNX's is 1.";
        epsilon: f32, "Sets what is added to the variance.";
        center: bool, "Adds `beta`, or leaves it out.";
        scale: bool, "Multiplies by `gamma`, or leaves it out.";
    }
}

/// Describes an instance normalization; the default epsilon is that of ONNX's
/// `InstanceNormalization`, the channels are on the last axis.
///
/// ```
/// use longshore::{Graph, HostArray, InstanceNormalization, LayerWeights, Shape};
///
/// # fn main() -> longshore::Result<()> {
/// let mut g = Graph::new();
/// let x = g.input("x", Shape::batch([8, 8, 4]));
/// let ones = || HostArray::from(ndarray::arr1(&[1.0_f32; 4]));
/// let weights = LayerWeights::default().with("gamma", ones()).with("beta", ones());
/// let y = g.instance_normalization(x, InstanceNormalization::new(), &weights)?;
/// assert_eq!(g.shape(y), g.shape(x));
/// # Ok(())
/// # }
/// ```
#[derive(Clone, Debug)]
pub struct InstanceNormalization(pub(crate) GroupNormalization);

impl Default for InstanceNormalization {
    fn default() -> Self {
        InstanceNormalization(GroupNormalization::new(-1).epsilon(1e-5))
    }
}

impl InstanceNormalization {
    /// Makes a normalization of the channels on the last axis.
    #[must_use]
    pub fn new() -> Self {
        InstanceNormalization::default()
    }

    /// Sets the channel axis; a negative one counts from the end. ONNX's is 1.
    #[must_use]
    pub fn axis(self, axis: isize) -> Self {
        InstanceNormalization(self.0.axis(axis))
    }

    /// Sets what is added to the variance.
    #[must_use]
    pub fn epsilon(self, epsilon: f32) -> Self {
        InstanceNormalization(self.0.epsilon(epsilon))
    }

    /// Names the node; its moments are `NAME/moments`.
    #[must_use]
    pub fn name(self, name: impl Into<String>) -> Self {
        InstanceNormalization(self.0.name(name))
    }
}

/// Describes a normalization to mean 0 and variance 1; names and defaults are those of ONNX's
/// `MeanVarianceNormalization`.
///
/// ```
/// use longshore::{Graph, MeanVarianceNormalization};
///
/// # fn main() -> longshore::Result<()> {
/// let mut g = Graph::new();
/// let x = g.input("x", [2, 4, 8, 8]);
/// let y = g.mean_variance_normalization(x, MeanVarianceNormalization::new())?;
/// assert_eq!(g.shape(y), g.shape(x));
/// # Ok(())
/// # }
/// ```
#[derive(Clone, Debug)]
pub struct MeanVarianceNormalization {
    pub(crate) axes: Vec<isize>,
    pub(crate) name: Option<String>,
}

impl Default for MeanVarianceNormalization {
    fn default() -> Self {
        MeanVarianceNormalization { axes: vec![0, 2, 3], name: None }
    }
}

impl MeanVarianceNormalization {
    /// Makes a normalization over axes 0, 2 and 3: all but the channels, if those are on axis 1.
    #[must_use]
    pub fn new() -> Self {
        MeanVarianceNormalization::default()
    }

    /// Sets the axes that a row spans; a negative one counts from the end.
    #[must_use]
    pub fn axes(mut self, axes: impl IntoIterator<Item = isize>) -> Self {
        self.axes = axes.into_iter().collect();
        self
    }

    setters! {}
}
