//! Shape rules of sampling by grids, and what they refuse: the variant, then the exact text.

use longshore::{Dim, Error, Graph, GridPadding, GridSample, GridSampleMode, Shape};

use crate::graph::batch_of;

#[test]
fn shapes() {
    for (item, points, result) in [
        (vec![9, 3], vec![5, 1], vec![5, 3]),
        (vec![9, 7, 3], vec![5, 6, 2], vec![5, 6, 3]),
        (vec![2, 9, 7, 3], vec![1, 5, 6, 3], vec![1, 5, 6, 3]),
        (vec![0, 7, 3], vec![5, 0, 2], vec![5, 0, 3]),
    ] {
        let mut g = Graph::new();
        let x = g.input("x", batch_of(&item));
        let grid = g.input("grid", batch_of(&points));
        let layer = GridSample::new()
            .mode(GridSampleMode::Cubic)
            .padding_mode(GridPadding::Border)
            .align_corners(true)
            .name("sampled");
        let y = g.grid_sample(x, grid, layer).unwrap();
        assert_eq!(g.shape(y), Some(&Shape::new(batch_of(&result))));
        assert_eq!(g.nodes()[2].title(), "grid_sample \"sampled\"");
    }
}

#[test]
fn what_does_not_fit_is_refused() {
    let refuses = |x: &[Dim], grid: &[Dim], text: &str| {
        let mut g = Graph::new();
        let x = g.input("x", x.iter().copied());
        let grid = g.input("grid", grid.iter().copied());
        let error = g.grid_sample(x, grid, GridSample::new()).unwrap_err();
        assert!(matches!(error, Error::Operand { .. }));
        assert_eq!(error.to_string(), format!("grid_sample \"grid_sample\": {text}"));
        assert_eq!(g.nodes().len(), 2);
    };
    let batch = |item: &[usize]| batch_of(item);
    let fixed = |dims: &[usize]| dims.iter().map(|&dim| Dim::Fixed(dim)).collect::<Vec<_>>();
    refuses(
        &batch(&[4]),
        &batch(&[4]),
        "\"x\" has 2 dimensions but lines have 3, images 4 and volumes 5, batch first and channels \
         last\n  (x [batch, 4], grid [batch, 4]); reshape it",
    );
    refuses(
        &batch(&[4, 5, 6, 7, 1]),
        &batch(&[4]),
        "\"x\" has 6 dimensions but lines have 3, images 4 and volumes 5, batch first and channels \
         last\n  (x [batch, 4, 5, 6, 7, 1], grid [batch, 4]); reshape it",
    );
    refuses(
        &batch(&[4, 5, 6]),
        &batch(&[4, 2]),
        "\"grid\" has 3 dimensions but it has as many as \"x\", 4\n  (x [batch, 4, 5, 6], grid \
         [batch, 4, 2]); reshape it",
    );
    refuses(
        &batch(&[4, 5, 6]),
        &fixed(&[2, 3, 4, 2]),
        "\"grid\" begins with 2 but its first is that of \"x\", batch\n  (x [batch, 4, 5, 6], grid \
         [2, 3, 4, 2]); make both equal",
    );
    refuses(
        &batch(&[4, 5, 6]),
        &batch(&[4, 5, 3]),
        "\"grid\" has points of 3 numbers but a point has 2, one for each axis between\n  (x \
         [batch, 4, 5, 6], grid [batch, 4, 5, 3]); bring x, then y, then z",
    );
    refuses(
        &batch(&[4, 0, 6]),
        &batch(&[4, 5, 2]),
        "\"x\" has an axis of length 0 but an image without pixels cannot be sampled\n  (x [batch, \
         4, 0, 6], grid [batch, 4, 5, 2]); use at least one pixel",
    );
    let mut g = Graph::new();
    let x = g.input("x", [1usize, 4, 5, 6]);
    let grid = g.input("grid", [1usize, usize::MAX / 2, 4, 2]);
    let error = g.grid_sample(x, grid, GridSample::new()).unwrap_err();
    assert!(matches!(error, Error::Limit { .. }), "{error}");
    let small = g.input("small", [1usize, 4, 4, 2]);
    let error = g.grid_sample(x, small, GridSample::new().name("x")).unwrap_err();
    assert!(matches!(error, Error::Name { .. }), "{error}");
}
