//! The options of a resampling as a description writes them; see `options.rs`.

use serde::{Deserialize, Deserializer, Serialize, Serializer};

use crate::ops::{AxisMap, Coordinates, Filter, NearestMode, Resampling, Sampling, Scale};
use crate::serial::{length, number};

#[derive(Serialize, Deserialize)]
#[serde(remote = "NearestMode", rename_all = "snake_case")]
enum NearestModeFormat {
    RoundPreferFloor,
    RoundPreferCeil,
    Floor,
    Ceil,
}

#[derive(Serialize, Deserialize)]
#[serde(remote = "Filter", rename_all = "snake_case")]
enum FilterFormat {
    Nearest(#[serde(with = "NearestModeFormat")] NearestMode),
    Linear,
    Cubic(#[serde(with = "number")] f32),
    Lanczos3,
    Lanczos5,
}

#[derive(Serialize, Deserialize)]
#[serde(remote = "Coordinates", rename_all = "snake_case")]
enum CoordinatesFormat {
    HalfPixel,
    AlignCorners,
    Asymmetric,
    HalfPixelSymmetric,
    PytorchHalfPixel,
    TfHalfPixelForNn,
    TfCropAndResize,
}

#[derive(Serialize, Deserialize)]
#[serde(remote = "Sampling", deny_unknown_fields)]
struct SamplingFormat {
    #[serde(with = "FilterFormat")]
    filter: Filter,
    #[serde(with = "CoordinatesFormat")]
    coordinates: Coordinates,
    antialias: bool,
    exclude_outside: bool,
    #[serde(with = "number")]
    extrapolation_value: f32,
}

#[derive(Serialize, Deserialize)]
#[serde(remote = "Scale", rename_all = "snake_case", deny_unknown_fields)]
enum ScaleFormat {
    Ratio {
        #[serde(with = "length")]
        output: usize,
        #[serde(with = "length")]
        input: usize,
    },
    Given(#[serde(with = "number")] f32),
}

#[derive(Serialize, Deserialize)]
#[serde(remote = "AxisMap", deny_unknown_fields)]
struct AxisMapFormat {
    #[serde(with = "length")]
    length: usize,
    #[serde(with = "ScaleFormat")]
    scale: Scale,
    #[serde(with = "region")]
    roi: [f32; 2],
}

#[derive(Serialize, Deserialize)]
#[serde(remote = "Resampling", deny_unknown_fields)]
pub(super) struct ResamplingFormat {
    #[serde(with = "length")]
    axis: usize,
    #[serde(with = "AxisMapFormat")]
    rows: AxisMap,
    #[serde(with = "columns")]
    columns: Option<AxisMap>,
    #[serde(with = "SamplingFormat")]
    sampling: Sampling,
}

/// The begin and end of a region.
mod region {
    use super::{Deserialize, Deserializer, Serialize, Serializer, number};

    #[derive(Serialize, Deserialize)]
    struct One(#[serde(with = "number")] f32);

    #[expect(clippy::trivially_copy_pass_by_ref, reason = "serde hands out references")]
    pub(super) fn serialize<S: Serializer>(
        values: &[f32; 2],
        serializer: S,
    ) -> Result<S::Ok, S::Error> {
        values.map(One).serialize(serializer)
    }

    pub(super) fn deserialize<'de, D: Deserializer<'de>>(
        deserializer: D,
    ) -> Result<[f32; 2], D::Error> {
        Ok(<[One; 2]>::deserialize(deserializer)?.map(|One(value)| value))
    }
}

/// The second axis of a resampling, or null.
mod columns {
    use super::{AxisMap, AxisMapFormat, Deserialize, Deserializer, Serialize, Serializer};

    #[derive(Serialize, Deserialize)]
    struct One(#[serde(with = "AxisMapFormat")] AxisMap);

    #[expect(clippy::ref_option, reason = "serde hands out references")]
    pub(super) fn serialize<S: Serializer>(
        value: &Option<AxisMap>,
        serializer: S,
    ) -> Result<S::Ok, S::Error> {
        value.map(One).serialize(serializer)
    }

    pub(super) fn deserialize<'de, D: Deserializer<'de>>(
        deserializer: D,
    ) -> Result<Option<AxisMap>, D::Error> {
        Ok(Option::<One>::deserialize(deserializer)?.map(|One(value)| value))
    }
}
