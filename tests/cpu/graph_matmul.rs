//! Products of two symbols: shapes as NumPy gives them, and what is refused.

use longshore::{Dim, Gemm, Graph, MatMul, Result, Shape, Symbol};

use Dim::Batch;

fn dims(shape: &[usize]) -> Vec<Dim> {
    shape.iter().copied().map(Dim::Fixed).collect()
}

fn batch(rest: &[usize]) -> Vec<Dim> {
    std::iter::once(Batch).chain(dims(rest)).collect()
}

fn build<const N: usize>(
    operands: [Vec<Dim>; N],
    node: impl FnOnce(&mut Graph, [Symbol; N]) -> Result<Symbol>,
) -> std::result::Result<Shape, String> {
    let mut g = Graph::new();
    let mut names = ["a", "b", "c"].into_iter();
    let symbols = operands.map(|dims| g.input(names.next().unwrap(), dims));
    match node(&mut g, symbols) {
        Ok(symbol) => Ok(g.shape(symbol).unwrap().clone()),
        Err(error) => {
            assert_eq!(g.nodes().len(), N, "a refused product leaves no node");
            Err(error.to_string())
        }
    }
}

fn product(
    left: Vec<Dim>,
    right: Vec<Dim>,
    transposed: [bool; 2],
) -> std::result::Result<Shape, String> {
    let options = MatMul::new().transpose_left(transposed[0]).transpose_right(transposed[1]);
    build([left, right], |g, [a, b]| g.matmul_with(a, b, options))
}

#[test]
fn shapes_are_those_of_numpy() {
    let plain = [false; 2];
    for (left, right, transposed, result) in [
        (&[5, 3][..], &[3, 8][..], plain, &[5, 8][..]),
        (&[3], &[3], plain, &[]),
        (&[3], &[3, 8], plain, &[8]),
        (&[5, 3], &[3], plain, &[5]),
        (&[2, 5, 3], &[3], plain, &[2, 5]),
        (&[3], &[2, 3, 8], plain, &[2, 8]),
        (&[2, 1, 5, 3], &[7, 3, 8], plain, &[2, 7, 5, 8]),
        (&[6, 2, 1, 1, 5, 3], &[4, 7, 3, 8], plain, &[6, 2, 4, 7, 5, 8]),
        (&[3, 5], &[3, 8], [true, false], &[5, 8]),
        (&[2, 5, 3], &[2, 8, 3], [false, true], &[2, 5, 8]),
        (&[3, 5], &[8, 3], [true, true], &[5, 8]),
        (&[5, 0], &[0, 8], plain, &[5, 8]),
        (&[0, 5, 3], &[3, 0], plain, &[0, 5, 0]),
    ] {
        assert_eq!(product(dims(left), dims(right), transposed), Ok(Shape::new(dims(result))));
    }
    let kept = Shape::new(batch(&[5, 8]));
    assert_eq!(product(batch(&[5, 3]), dims(&[3, 8]), plain), Ok(kept.clone()));
    assert_eq!(product(dims(&[5, 3]), batch(&[3, 8]), plain), Ok(kept.clone()));
    assert_eq!(product(batch(&[5, 3]), batch(&[3, 8]), plain), Ok(kept));
    assert_eq!(product(batch(&[3]), dims(&[3, 8]), plain), Ok(Shape::new(batch(&[8]))));
    assert_eq!(product(dims(&[3]), batch(&[3]), [false, true]), Ok(Shape::new(batch(&[]))));
}

#[test]
fn what_does_not_fit_is_refused() {
    let plain = [false; 2];
    let check = |left: Vec<Dim>, right: Vec<Dim>, transposed, text: &str| {
        let (a, b) = (Shape::new(left.clone()), Shape::new(right.clone()));
        let site = format!("\n  (a {a}, b {b}); ");
        let text = format!("matmul \"matmul\": {}", text.replace("; ", &site));
        assert_eq!(product(left, right, transposed), Err(text));
    };
    check(
        dims(&[5, 3]),
        dims(&[4, 8]),
        plain,
        "\"b\" has 4 rows to sum over but \"a\" has 3 columns; make both equal",
    );
    check(
        dims(&[5, 3]),
        dims(&[3, 8]),
        [false, true],
        "\"b\" has 8 rows to sum over but \"a\" has 3 columns; make both equal",
    );
    check(
        dims(&[]),
        dims(&[3, 8]),
        plain,
        "\"a\" has 0 dimensions but a product needs at least 1; use multiply for a number",
    );
    check(
        dims(&[5, 3]),
        dims(&[3]),
        [false, true],
        "\"b\" has 1 dimensions but a transposed operand needs 2; leave it as it is",
    );
    check(
        dims(&[2, 5, 3]),
        dims(&[7, 3, 8]),
        plain,
        "\"b\" has [7] in front of its matrices but it must broadcast with [2] of \"a\": aligned at \
         the end, lengths agree or are 1, and the batch stays first; reshape one of them",
    );
    check(
        batch(&[5, 3]),
        dims(&[2, 7, 3, 8]),
        plain,
        "\"b\" has [2, 7] in front of its matrices but it must broadcast with [batch] of \"a\": \
         aligned at the end, lengths agree or are 1, and the batch stays first; reshape one of them",
    );
    check(
        batch(&[3]),
        dims(&[2, 3, 8]),
        plain,
        "the result would be [2, batch, 8] but only the first dimension may be the batch; use fixed \
         dimensions",
    );
    check(
        batch(&[3]),
        batch(&[3]),
        [false, true],
        "the result would be [batch, batch] but only the first dimension may be the batch; use fixed \
         dimensions",
    );
    check(
        batch(&[3]),
        batch(&[4]),
        [true, false],
        "\"b\" has the batch as its rows but a product cannot sum over the batch; use fixed \
         dimensions",
    );
    check(
        dims(&[1; 7]),
        dims(&[1, 1]),
        plain,
        "the result has 7 dimensions but at most 6 are supported; merge dimensions by a reshape",
    );
    let large = product(dims(&[1 << 40, 1]), dims(&[1, 1 << 40]), plain);
    assert!(large.unwrap_err().contains("[1099511627776, 1099511627776]"));
}

#[test]
fn gemm_takes_matrices_and_what_broadcasts_to_their_product() {
    let gemm = |a: Vec<Dim>, b: Vec<Dim>, c: Vec<Dim>, layer: Gemm| {
        build([a, b, c], |g, [a, b, c]| g.gemm(a, b, c, layer))
    };
    let kept = Ok(Shape::new(dims(&[5, 8])));
    for c in [&[5, 8][..], &[1, 8], &[5, 1], &[8], &[1], &[1, 1], &[]] {
        assert_eq!(gemm(dims(&[5, 3]), dims(&[3, 8]), dims(c), Gemm::new()), kept);
    }
    let turned = Gemm::new().trans_a(true).trans_b(true).name("g");
    assert_eq!(gemm(dims(&[3, 5]), dims(&[8, 3]), dims(&[8]), turned), kept);
    let kept = Ok(Shape::new(batch(&[8])));
    for c in [batch(&[8]), batch(&[1]), dims(&[8]), dims(&[])] {
        assert_eq!(gemm(batch(&[3]), dims(&[3, 8]), c, Gemm::new()), kept);
    }
    for c in [dims(&[5]), dims(&[8, 5]), dims(&[1, 5, 8]), batch(&[8])] {
        let text = format!(
            "gemm \"gemm\": \"c\" has shape {0} but it must broadcast to the result's [5, 8]\n  \
             (a [5, 3], b [3, 8], c {0}); reshape it",
            Shape::new(c.clone())
        );
        assert_eq!(gemm(dims(&[5, 3]), dims(&[3, 8]), c, Gemm::new()), Err(text));
    }
    let deep =
        build([dims(&[2, 5, 3]), dims(&[3, 8])], |g, [a, b]| g.gemm(a, b, None, Gemm::new()));
    let text = "gemm \"gemm\": \"a\" has 3 dimensions but gemm multiplies matrices of 2\n  \
                (a [2, 5, 3], b [3, 8]); reshape it, or use matmul";
    assert_eq!(deep, Err(text.to_owned()));
}

#[test]
fn a_product_of_another_graph_and_a_name_used_twice_are_refused() {
    let mut g = Graph::new();
    let a = g.input("a", [3, 3]);
    let other = Graph::new().input("a", [3, 3]);
    let error = g.matmul(a, other).unwrap_err().to_string();
    assert!(error.starts_with("matmul \"matmul\": right is a symbol of another graph"), "{error}");
    let error = g.gemm(a, a, other, Gemm::new()).unwrap_err().to_string();
    assert!(error.starts_with("gemm \"gemm\": c is a symbol of another graph"), "{error}");
    let error = g.matmul_with(a, a, MatMul::new().name("a")).unwrap_err().to_string();
    assert!(error.contains("there is already a node named"), "{error}");
}
