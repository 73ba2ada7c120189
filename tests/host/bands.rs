//! What the host executor does in parts: turned sides of a product, long lines of a choice.

use longshore::{Dim, Graph, MatMul};
use ndarray::{Array1, Array2, ArrayD};

use longshore_testing::executor::host::runtime;
use longshore_testing::executor::run;

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

/// A line without others beside it is cut anywhere; what is repeated stays where it is.
#[test]
fn parts_of_a_long_line_choose_their_own() {
    let length = 300_007;
    let condition = Array1::from_shape_fn(length, |i| (i % 3) as f32);
    let other = Array1::from_shape_fn(length, |i| i as f32);
    let single = Array1::from_elem(1, -1.5);
    for swapped in [false, true] {
        let mut g = Graph::new();
        let [c, x, y] =
            [("c", length), ("x", length), ("y", 1)].map(|(name, n)| g.input(name, [n]));
        let (yes, no) = if swapped { (x, y) } else { (y, x) };
        let chosen = g.select(c, yes, no).unwrap();
        g.output("z", chosen);
        let arrays = [&condition, &other, &single].map(|array| array.clone().into_dyn());
        let inputs = [("c", &arrays[0]), ("x", &arrays[1]), ("y", &arrays[2])];
        let pool = rayon::ThreadPoolBuilder::new().num_threads(4).build().unwrap();
        let actual = pool.install(|| run(runtime(), &g, 1, &inputs)["z"].clone());
        // What is not 0 is true.
        let expected =
            other.indexed_iter().map(|(i, &x)| if (i % 3 == 0) == swapped { -1.5 } else { x });
        assert_eq!(actual, Array1::from_iter(expected).into_dyn());
    }
}
