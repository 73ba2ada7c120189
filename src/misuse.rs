//! Mix-ups that do not compile: what a value is is part of its type.
//!
//! A [`HostArray`](crate::HostArray) has data in host memory, a [`Symbol`](crate::Symbol) has
//! a name and a shape, a [`Tensor`](crate::Tensor) has data on a device. Nothing converts one
//! into another unasked, so a copy between host and device cannot hide in a call.
//!
//! Each mistake below is followed by its remedy: the same lines but for the fix.
//!
//! # An `ndarray` array where a symbol is wanted
//!
//! The commonest of them: data is given to a layer, in place of the input declared for it.
//!
//! ```compile_fail,E0308
//! # use longshore::{Graph, Shape, UpSampling2d};
//! # use ndarray::Array4;
//! # fn main() -> longshore::Result<()> {
//! let images = Array4::<f64>::zeros((70, 8, 8, 1));
//! let mut g = Graph::new();
//! let image = g.input("image", Shape::batch([8, 8, 1]));
//! g.up_sampling2d(images, UpSampling2d::nearest(2))?;
//! # let _ = image;
//! # Ok(())
//! # }
//! ```
//!
//! ```
//! # use longshore::{Graph, Shape, UpSampling2d};
//! # use ndarray::Array4;
//! # fn main() -> longshore::Result<()> {
//! let images = Array4::<f64>::zeros((70, 8, 8, 1));
//! let mut g = Graph::new();
//! let image = g.input("image", Shape::batch([8, 8, 1]));
//! g.up_sampling2d(image, UpSampling2d::nearest(2))?;
//! # let _ = images;
//! # Ok(())
//! # }
//! ```
//!
//! # A host array where a symbol is wanted
//!
//! ```compile_fail,E0308
//! # use longshore::{Graph, HostArray, Shape};
//! # fn main() -> longshore::Result<()> {
//! let images = HostArray::from(ndarray::Array4::<f32>::zeros((70, 8, 8, 1)));
//! let mut g = Graph::new();
//! let image = g.input("image", Shape::batch([8, 8, 1]));
//! g.flatten(images)?;
//! # let _ = image;
//! # Ok(())
//! # }
//! ```
//!
//! ```
//! # use longshore::{Graph, HostArray, Shape};
//! # fn main() -> longshore::Result<()> {
//! let images = HostArray::from(ndarray::Array4::<f32>::zeros((70, 8, 8, 1)));
//! let mut g = Graph::new();
//! let image = g.input("image", Shape::batch([8, 8, 1]));
//! g.flatten(image)?;
//! # let _ = images;
//! # Ok(())
//! # }
//! ```
//!
//! # A host array where a tensor is wanted
//!
//! A run takes what lies on the device already; staging is a call of its own.
//!
//! ```compile_fail,E0271
//! # use longshore::{HostArray, Runtime, Session};
//! # fn run(runtime: &Runtime, session: &Session) -> longshore::Result<()> {
//! let images = HostArray::from(ndarray::Array4::<f32>::zeros((70, 8, 8, 1)));
//! session.run([("image", &images)])?;
//! # Ok(())
//! # }
//! ```
//!
//! ```
//! # use longshore::{HostArray, Runtime, Session};
//! # fn run(runtime: &Runtime, session: &Session) -> longshore::Result<()> {
//! let images = HostArray::from(ndarray::Array4::<f32>::zeros((70, 8, 8, 1)));
//! session.run([("image", &runtime.stage("image", &images)?)])?;
//! # Ok(())
//! # }
//! ```
//!
//! # An `ndarray` array where a tensor is wanted
//!
//! ```compile_fail,E0271
//! # use longshore::{HostArray, Runtime, Session};
//! # fn run(runtime: &Runtime, session: &Session) -> longshore::Result<()> {
//! let images = ndarray::Array4::<f32>::zeros((70, 8, 8, 1));
//! session.run([("image", &images)])?;
//! # Ok(())
//! # }
//! ```
//!
//! ```
//! # use longshore::{HostArray, Runtime, Session};
//! # fn run(runtime: &Runtime, session: &Session) -> longshore::Result<()> {
//! let images = ndarray::Array4::<f32>::zeros((70, 8, 8, 1));
//! session.run([("image", &runtime.stage("image", &images)?)])?;
//! # Ok(())
//! # }
//! ```
//!
//! # A symbol where a tensor is wanted
//!
//! The symbol names the input; the run brings its data.
//!
//! ```compile_fail,E0271
//! # use longshore::{Graph, Runtime, Shape, Tensor};
//! # fn run(runtime: &Runtime, staged: &Tensor) -> longshore::Result<()> {
//! let mut g = Graph::new();
//! let image = g.input("image", Shape::batch([8]));
//! g.output("same", image);
//! let session = runtime.session(&g, 70)?;
//! session.run([("image", &image)])?;
//! # Ok(())
//! # }
//! ```
//!
//! ```
//! # use longshore::{Graph, Runtime, Shape, Tensor};
//! # fn run(runtime: &Runtime, staged: &Tensor) -> longshore::Result<()> {
//! let mut g = Graph::new();
//! let image = g.input("image", Shape::batch([8]));
//! g.output("same", image);
//! let session = runtime.session(&g, 70)?;
//! session.run([("image", staged)])?;
//! # Ok(())
//! # }
//! ```
//!
//! # A tensor where a symbol is wanted
//!
//! A graph has no data; one graph serves every tensor of its input's shape.
//!
//! ```compile_fail,E0308
//! # use longshore::{Activation, Graph, Shape, Tensor};
//! # fn build(staged: Tensor) -> longshore::Result<()> {
//! let mut g = Graph::new();
//! let image = g.input("image", Shape::batch([8]));
//! g.activation(staged, Activation::Relu)?;
//! # Ok(())
//! # }
//! ```
//!
//! ```
//! # use longshore::{Activation, Graph, Shape, Tensor};
//! # fn build(staged: Tensor) -> longshore::Result<()> {
//! let mut g = Graph::new();
//! let image = g.input("image", Shape::batch([8]));
//! g.activation(image, Activation::Relu)?;
//! # Ok(())
//! # }
//! ```
//!
//! # A float64 array where a read wants float32
//!
//! Devices compute in f32; a read gives what is there, and widening it is the caller's step.
//!
//! ```compile_fail,E0308
//! # use longshore::Tensor;
//! # fn read(probabilities: &Tensor) -> longshore::Result<()> {
//! let mut values = vec![0.0_f64; 700];
//! probabilities.read_into(&mut values)?;
//! # Ok(())
//! # }
//! ```
//!
//! ```
//! # use longshore::Tensor;
//! # fn read(probabilities: &Tensor) -> longshore::Result<()> {
//! let mut values = vec![0.0_f32; 700];
//! probabilities.read_into(&mut values)?;
//! # Ok(())
//! # }
//! ```
//!
//! # Reading by indexing
//!
//! One element would cost a download, so it is not written as if it were free.
//!
//! ```compile_fail,E0608
//! # use longshore::Tensor;
//! # fn read(probabilities: &Tensor) -> longshore::Result<()> {
//! let first: f32 = probabilities[[0, 0]];
//! # Ok(())
//! # }
//! ```
//!
//! ```
//! # use longshore::Tensor;
//! # fn read(probabilities: &Tensor) -> longshore::Result<()> {
//! let first: f32 = probabilities.read()?[[0, 0]];
//! # Ok(())
//! # }
//! ```
//!
//! # Reading by iterating
//!
//! ```compile_fail,E0277
//! # use longshore::Tensor;
//! # fn read(probabilities: &Tensor) -> longshore::Result<()> {
//! for value in probabilities {
//!     let _: &f32 = value;
//! }
//! # Ok(())
//! # }
//! ```
//!
//! ```
//! # use longshore::Tensor;
//! # fn read(probabilities: &Tensor) -> longshore::Result<()> {
//! for value in &probabilities.read()? {
//!     let _: &f32 = value;
//! }
//! # Ok(())
//! # }
//! ```
