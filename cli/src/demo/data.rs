//! What the demo runs on: digits, a trained network and Keras's answers.

use anyhow::{Context, Result};
use longshore::array::Npz;
use longshore::{HostArray, Weights};
use ndarray::{Array2, Array4, ArrayD, Axis, Dimension, Ix1, Ix2, Ix4, s};

/// The files of `assets/digits`; its README says where they come from.
pub struct Digits {
    /// Gray values 0..1, (image, height, width, 1); float64, as scikit-learn gives them.
    pub images: Array4<f64>,
    /// The digit that each image shows.
    pub labels: Vec<usize>,
    /// The layers `conv`, `conv_1` and `dense`.
    pub weights: Weights,
    /// What Keras answers, (image, digit).
    pub keras: Array2<f32>,
}

// Part of the binary, so that the command works in any directory.
const IMAGES: &[u8] = include_bytes!("../../../assets/digits/test_images.npy");
const LABELS: &[u8] = include_bytes!("../../../assets/digits/test_labels.npy");
const WEIGHTS: &[u8] = include_bytes!("../../../assets/digits/weights.npz");
const KERAS: &[u8] = include_bytes!("../../../assets/digits/probabilities.npy");

impl Digits {
    /// Reads the files that are part of the binary.
    pub fn embedded() -> Result<Self> {
        let array = HostArray::from_npy_bytes("test_images.npy", IMAGES)?.to_array::<f64>()?;
        let images = shaped::<f64, Ix4>("test_images.npy", array)?;
        let array = HostArray::from_npy_bytes("test_labels.npy", LABELS)?.to_array::<u8>()?;
        let labels = shaped::<u8, Ix1>("test_labels.npy", array)?;
        let array = HostArray::from_npy_bytes("probabilities.npy", KERAS)?.to_array::<f32>()?;
        let keras = shaped::<f32, Ix2>("probabilities.npy", array)?;
        let arrays = Npz::from_bytes("weights.npz", WEIGHTS.to_vec())?.arrays()?;
        let weights = Weights::from_arrays("weights.npz", arrays)?;
        let labels = labels.iter().map(|&label| usize::from(label)).collect();
        Ok(Digits { images, labels, weights, keras })
    }

    /// Returns how many images there are.
    pub fn count(&self) -> usize {
        self.images.len_of(Axis(0))
    }

    /// Returns the images followed by images of zeros, up to a multiple of `batch`.
    ///
    /// The answers for the zeros are to be discarded.
    pub fn filled_up(&self, batch: usize) -> Array4<f64> {
        let (count, height, width, channels) = self.images.dim();
        let rows = count.next_multiple_of(batch);
        let mut filled = Array4::zeros((rows, height, width, channels));
        filled.slice_mut(s![..count, .., .., ..]).assign(&self.images);
        filled
    }
}

fn shaped<T, D: Dimension>(file: &str, array: ArrayD<T>) -> Result<ndarray::Array<T, D>> {
    array.into_dimensionality().with_context(|| format!("{file} has another rank than expected"))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn filling_up_keeps_the_images_and_adds_zeros() {
        let digits = Digits::embedded().unwrap();
        assert_eq!((digits.count(), digits.labels.len(), digits.keras.nrows()), (359, 359, 359));
        let filled = digits.filled_up(32);
        assert_eq!(filled.dim(), (384, 8, 8, 1));
        assert_eq!(filled.slice(s![..359, .., .., ..]), digits.images);
        assert!(filled.slice(s![359.., .., .., ..]).iter().all(|&value| value == 0.0));
        assert_eq!(digits.filled_up(359).dim(), (359, 8, 8, 1));
    }
}
