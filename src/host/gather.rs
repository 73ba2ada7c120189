//! Picking entries along one axis by constant indices.

use super::Step;
use super::threads::for_each_run;
use crate::error::Result;
use crate::kernels::gather::Geometry;

/// Copies what stands behind each index.
pub(super) fn execute(step: &Step<'_>, geometry: &Geometry, result: &mut [f32]) -> Result<()> {
    let Geometry { outer, length, inner, ref indices } = *geometry;
    step.check_length("the output", &[outer, indices.len(), inner], result.len())?;
    let [input] = step.operands([("input", &[outer, length, inner])])?;
    if let Some(index) = indices.iter().find(|&&index| index >= length) {
        let shapes = format!("index {index}");
        return step.refuse("picks what is not there", "indices are below the length", shapes);
    }
    for_each_run(result, inner, inner, |first, run| {
        for (number, entry) in run.chunks_exact_mut(inner).enumerate() {
            let row = first + number;
            let picked = row / indices.len() * length + indices[row % indices.len()];
            entry.copy_from_slice(&input[picked * inner..][..inner]);
        }
    });
    Ok(())
}

#[cfg(test)]
mod tests {
    use crate::kernels::Work;
    use crate::kernels::gather::Geometry;

    #[test]
    fn an_index_outside_of_the_axis_is_refused() {
        let work = Work::Gather(Geometry { outer: 1, length: 2, inner: 1, indices: vec![1, 2] });
        let error = crate::host::execute("g", &work, &[&[1.0, 2.0]], &mut [0.0; 2]).unwrap_err();
        assert!(error.to_string().contains("picks what is not there"), "{error}");
    }
}
