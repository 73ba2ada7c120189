//! What the host executor does with sides of a product that are turned, a band of rows at a time.

use longshore::{Dim, Graph, MatMul};
use ndarray::{Array2, ArrayD};

use crate::harness::{run, runtime};

/// More rows than a band has where they are this long, on one thread, which takes them all.
#[test]
fn bands_of_a_transposed_left_side_follow_one_another() {
    let [rows, inner, columns] = [100, 22_000, 5];
    // Small whole numbers, whose sums are exact.
    let left = Array2::from_shape_fn((inner, rows), |(k, row)| ((k + 3 * row) % 7) as f32 - 3.0);
    let right = Array2::from_shape_fn((inner, columns), |(k, column)| ((k + column) % 2) as f32);
    let mut g = Graph::new();
    let [a, b] = [("a", [inner, rows]), ("b", [inner, columns])]
        .map(|(name, lengths)| g.input(name, lengths.map(Dim::Fixed)));
    let y = g.matmul_with(a, b, MatMul::new().transpose_left(true)).unwrap();
    g.output("y", y);
    let inputs: [(&str, &ArrayD<f32>); 2] =
        [("a", &left.clone().into_dyn()), ("b", &right.clone().into_dyn())];
    let pool = rayon::ThreadPoolBuilder::new().num_threads(1).build().unwrap();
    let actual = pool.install(|| run(runtime(), &g, 1, &inputs)["y"].clone());
    let expected = Array2::from_shape_fn((rows, columns), |(row, column)| {
        let product = |k: usize| left[[k, row]] * right[[k, column]];
        (0..inner).map(product).sum::<f32>()
    });
    assert_eq!(actual, expected.into_dyn());
}
