//! Staging: arrays become tensors, once, in one visible crossing each.

use std::any::Any;
use std::sync::Arc;

use super::upload::{Part, Source, Upload, Uploaded};
use super::{Inner, Runtime, Tensor};
use crate::array::{HostArray, PackReport, StagePolicy};
use crate::error::{Error, Result};
use crate::graph::{LayerWeights, Source as WeightSource, Weight, Weights};
use crate::ledger::{Call, Cause};
use crate::plan::{buffer_bytes, padded_bytes};
use crate::shape::byte_count;

impl Runtime {
    /// Packs an array straight into GPU-visible memory and uploads it: one crossing.
    ///
    /// Any dtype, byte order and memory order becomes C-order f32. NaN, infinity and
    /// values beyond f32 are refused; [`Runtime::stage_with`] takes another policy. It takes an
    /// `ndarray` array or view, a [`HostArray`], or a reference to either.
    ///
    /// ```
    /// use longshore::{HostArray, Runtime};
    /// use ndarray::array;
    ///
    /// # fn main() -> longshore::Result<()> {
    /// let rt = Runtime::host();
    /// let matrix = array![[1_u8, 2], [3, 4]];
    /// let turned = rt.stage("turned", matrix.t())?;
    /// assert_eq!(turned.read()?, array![[1.0, 3.0], [2.0, 4.0]].into_dyn());
    ///
    /// let pixels = [0.0_f32, 0.25, 0.5, 1.0];
    /// let image = rt.stage("image", HostArray::from_slice(&pixels, &[1, 2, 2, 1])?)?;
    /// assert_eq!(image.shape(), [1, 2, 2, 1]);
    /// # Ok(())
    /// # }
    /// ```
    ///
    /// # Errors
    ///
    /// [`Error::NonFinite`] and [`Error::Overflow`] by the policy, [`Error::Limit`] for
    /// an array larger than the device's buffers, [`Error::Crossing`] when a guard
    /// refuses. Nothing has crossed when an error is returned.
    #[track_caller]
    pub fn stage<'a>(
        &self,
        label: impl Into<Arc<str>>,
        array: impl Into<HostArray<'a>>,
    ) -> Result<Tensor> {
        Ok(self.stage_with(label, array, StagePolicy::default())?.0)
    }

    /// Stages an array under a policy, and reports what packing had to do.
    ///
    /// # Errors
    ///
    /// As [`Runtime::stage`].
    #[track_caller]
    pub fn stage_with<'a>(
        &self,
        label: impl Into<Arc<str>>,
        array: impl Into<HostArray<'a>>,
        policy: StagePolicy,
    ) -> Result<(Tensor, PackReport)> {
        let (label, array) = (label.into(), array.into());
        let node = format!("stage \"{label}\"");
        let bytes = byte_count(&node, array.shape())?;
        // Policy errors name the array as the ledger does.
        let array = array.with_name(label.to_string());
        let parts = [Part { array: &array, offset_bytes: 0, bytes }];
        let Uploaded { places, reports } = self.inner.executor.upload(
            &self.inner,
            &Upload {
                label: &label,
                call: self.call(Cause::Stage),
                usage: tensor_usage(),
                payload_bytes: bytes,
                total_bytes: buffer_bytes(bytes),
                source: Source::Arrays(&parts, policy),
            },
        )?;
        let Some(((storage, offset_bytes), report)) = places.into_iter().zip(reports).next() else {
            return Err(Error::Device {
                doing: node,
                message: "packing gave no report".to_owned(),
                remedy: crate::error::BUG.to_owned(),
            });
        };
        let shape = array.shape().to_vec();
        let (runtime, guards) = (Arc::clone(&self.inner), self.guards.clone());
        Ok((Tensor { runtime, storage, offset_bytes, shape, label, guards }, report))
    }

    /// Stages a network's weights together: one crossing for the set.
    ///
    /// The result has the same layers and names; arrays that are staged already stay
    /// where they are.
    ///
    /// # Errors
    ///
    /// As [`Runtime::stage`].
    #[track_caller]
    pub fn stage_weights(&self, label: &str, weights: &Weights) -> Result<Weights> {
        self.stage_weights_with(label, weights, StagePolicy::default())
    }

    /// Stages a network's weights together under a policy.
    ///
    /// # Errors
    ///
    /// As [`Runtime::stage`].
    #[track_caller]
    pub fn stage_weights_with(
        &self,
        label: &str,
        weights: &Weights,
        policy: StagePolicy,
    ) -> Result<Weights> {
        let flat: Vec<Weight> = weights
            .iter()
            .flat_map(|(_, layer)| layer.iter().map(|(_, weight)| weight.clone()))
            .collect();
        let call = self.call(Cause::Stage);
        let mut staged = self.stage_set(label, call, &flat, policy)?.into_iter();
        let mut result = Weights::new();
        for (name, layer) in weights.iter() {
            let mut entry = LayerWeights::default();
            for ((array, _), tensor) in layer.iter().zip(&mut staged) {
                entry = entry.with(array, &tensor);
            }
            result = result.with(name, entry);
        }
        Ok(result)
    }

    /// Uploads those of the weights that are on the host, in one crossing, and returns
    /// all of them as tensors, in order.
    pub(crate) fn stage_set(
        &self,
        label: &str,
        call: Call<'_>,
        weights: &[Weight],
        policy: StagePolicy,
    ) -> Result<Vec<Tensor>> {
        let mut parts = Vec::new();
        let (mut payload_bytes, mut total_bytes) = (0u64, 0u64);
        for weight in weights {
            if let WeightSource::Host(array) = &weight.source {
                let bytes = byte_count(weight.label(), array.shape())?;
                parts.push(Part { array, offset_bytes: total_bytes, bytes });
                payload_bytes = payload_bytes.saturating_add(bytes);
                total_bytes = total_bytes.saturating_add(padded_bytes(bytes));
            }
        }
        let mut places = Vec::new().into_iter();
        if !parts.is_empty() {
            let source = Source::Arrays(&parts, policy);
            let usage = tensor_usage();
            let upload = Upload { label, call, usage, payload_bytes, total_bytes, source };
            places = self.inner.executor.upload(&self.inner, &upload)?.places.into_iter();
        }
        let mut tensor = |weight: &Weight| {
            let WeightSource::Host(array) = &weight.source else {
                return self.staged_tensor(weight);
            };
            let (storage, offset_bytes) = places.next().ok_or_else(|| Error::Device {
                doing: format!("preparing weight \"{}\"", weight.label()),
                message: "it was not uploaded".to_owned(),
                remedy: crate::error::BUG.to_owned(),
            })?;
            let (runtime, shape) = (Arc::clone(&self.inner), array.shape().to_vec());
            let (label, guards) = (weight.label().into(), self.guards.clone());
            Ok(Tensor { runtime, storage, offset_bytes, shape, label, guards })
        };
        weights.iter().map(&mut tensor).collect()
    }

    /// Takes the tensor out of a staged weight.
    fn staged_tensor(&self, weight: &Weight) -> Result<Tensor> {
        let tensor = match &weight.source {
            WeightSource::Staged(staged) => (&**staged as &dyn Any).downcast_ref::<Tensor>(),
            WeightSource::Host(_) => None,
        };
        match tensor {
            Some(tensor) => {
                self.inner.check_own("weights", weight.label(), tensor)?;
                Ok(tensor.clone())
            }
            None => Err(Error::Device {
                doing: format!("preparing weight \"{}\"", weight.label()),
                message: "it is not a tensor of this crate".to_owned(),
                remedy: "make weights from host arrays or tensors".to_owned(),
            }),
        }
    }
}

impl Inner {
    /// Refuses a tensor that lies on another runtime's device.
    pub(crate) fn check_own(&self, node: &str, operand: &str, tensor: &Tensor) -> Result<()> {
        if std::ptr::eq(self, Arc::as_ptr(&tensor.runtime)) {
            return Ok(());
        }
        Err(Error::Operand {
            node: node.to_owned(),
            operand: format!("\"{operand}\""),
            got: format!("is staged on another runtime, of {}", tensor.runtime.ledger.adapter()),
            expected: format!("this runtime's adapter is {}", self.ledger.adapter()),
            shapes: format!("{} {:?}", tensor.label, tensor.shape),
            remedy: "stage it on this runtime".to_owned(),
        })
    }
}

/// What every tensor's buffer can be used for.
pub(crate) fn tensor_usage() -> wgpu::BufferUsages {
    wgpu::BufferUsages::STORAGE | wgpu::BufferUsages::COPY_DST | wgpu::BufferUsages::COPY_SRC
}
