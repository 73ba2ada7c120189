//! Repeating the elements of lines and volumes: Keras's `UpSampling1D` and `UpSampling3D`.

use crate::error::Result;
use crate::graph::{Graph, Operand, Site, Symbol};
use crate::ops::{AxisMap, Coordinates, Interpolation, Sampling};
use crate::shape::Dim;

impl Graph {
    /// Repeats each step of a line: Keras's `UpSampling1D`.
    ///
    /// `x` is (batch, length, channels), the result (batch, length * size, channels).
    ///
    /// # Errors
    ///
    /// [`Error::Operand`](crate::Error::Operand) when `x` is no line or the factor is 0.
    pub fn up_sampling1d(&mut self, x: Symbol, size: usize) -> Result<Symbol> {
        self.repeat(x, "up_sampling1d", "a line has 3: (batch, length, channels)", &[size])
    }

    /// Repeats each voxel of a volume: Keras's `UpSampling3D`.
    ///
    /// `x` is (batch, depth, height, width, channels); `size` has a factor for each of the
    /// three. Depth and height are one node, `NAME/axes 1, 2`, the width is another.
    ///
    /// # Errors
    ///
    /// [`Error::Operand`](crate::Error::Operand) when `x` is no volume or a factor is 0.
    pub fn up_sampling3d(&mut self, x: Symbol, size: [usize; 3]) -> Result<Symbol> {
        let expected = "a volume has 5: (batch, depth, height, width, channels)";
        self.repeat(x, "up_sampling3d", expected, &size)
    }

    fn repeat(
        &mut self,
        x: Symbol,
        kind: &str,
        expected: &str,
        factors: &[usize],
    ) -> Result<Symbol> {
        let pending = self.begin(kind, None, [("x", x)])?;
        let [x] = &pending.operands;
        let site = pending.site(&format!("size {factors:?}"));
        if x.shape.rank() != factors.len() + 2 {
            return Err(site.refuse(
                &format!("\"{}\"", x.name),
                format!("has {} dimensions", x.shape.rank()),
                expected,
                "reshape it",
            ));
        }
        let maps = factors.iter().enumerate();
        let maps = maps.map(|(number, &factor)| map(&site, x, number + 1, factor));
        let maps = maps.collect::<Result<Vec<(usize, AxisMap)>>>()?;
        let rule = Sampling::keras(Interpolation::Nearest, Coordinates::HalfPixel, false);
        self.resample_axes(pending, maps, rule)
    }
}

fn map(site: &Site, x: &Operand, axis: usize, factor: usize) -> Result<(usize, AxisMap)> {
    let length = x.shape.dims().get(axis).map_or(0, |dim: &Dim| dim.resolve(1));
    if factor == 0 {
        return Err(site.refuse("size", "has a 0", "factors are at least 1", "use 1 or more"));
    }
    let Some(repeated) = length.checked_mul(factor) else {
        return Err(site.refuse(
            "size",
            format!("has {factor}"),
            format!("{length} * {factor} pixels are more than a machine word counts"),
            "use smaller factors",
        ));
    };
    // An empty axis stays as it is.
    let map = if length == 0 { AxisMap::kept(0) } else { AxisMap::sized(length, repeated) };
    Ok((axis, map))
}
