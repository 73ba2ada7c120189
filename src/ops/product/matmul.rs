//! Matrix products of two symbols: `MatMul` as NumPy and ONNX define it, and ONNX's `Gemm`.

use crate::error::{Error, Result};
use crate::graph::{Graph, Operand, Site, Symbol, title};
use crate::ops::Op;
use crate::shape::{Dim, Shape, broadcast, element_count};

/// The most dimensions of a product's result.
pub const MAX_MATMUL_RANK: usize = 6;

/// A product whose options are resolved: `alpha * left @ right + beta * addend`.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Resolved {
    /// Whether the last two axes of the left operand are taken in turned order.
    pub transpose_left: bool,
    /// Whether the last two axes of the right operand are taken in turned order.
    pub transpose_right: bool,
    /// Scales the products.
    pub alpha: f32,
    /// Scales the addend.
    pub beta: f32,
    /// Whether a third operand is added, which broadcasts to the result's two axes.
    pub has_addend: bool,
}

/// Describes a product of two symbols; by default plain `left @ right`.
#[derive(Clone, Debug, Default)]
pub struct MatMul {
    name: Option<String>,
    transpose_left: bool,
    transpose_right: bool,
}

impl MatMul {
    /// Makes a plain product.
    #[must_use]
    pub fn new() -> Self {
        MatMul::default()
    }

    /// Names the node.
    #[must_use]
    pub fn name(mut self, name: impl Into<String>) -> Self {
        self.name = Some(name.into());
        self
    }

    /// Sets whether the last two axes of the left operand are exchanged; nothing is copied.
    #[must_use]
    pub fn transpose_left(mut self, transpose: bool) -> Self {
        self.transpose_left = transpose;
        self
    }

    /// Sets whether the last two axes of the right operand are exchanged; nothing is copied.
    #[must_use]
    pub fn transpose_right(mut self, transpose: bool) -> Self {
        self.transpose_right = transpose;
        self
    }
}

/// Describes ONNX's `Gemm`, `alpha * A' @ B' + beta * C`; defaults are ONNX's.
#[derive(Clone, Debug)]
pub struct Gemm {
    name: Option<String>,
    alpha: f32,
    beta: f32,
    trans_a: bool,
    trans_b: bool,
}

impl Default for Gemm {
    fn default() -> Self {
        Gemm { name: None, alpha: 1.0, beta: 1.0, trans_a: false, trans_b: false }
    }
}

impl Gemm {
    /// Makes a product with `alpha` and `beta` 1 and nothing transposed.
    #[must_use]
    pub fn new() -> Self {
        Gemm::default()
    }

    /// Names the node.
    #[must_use]
    pub fn name(mut self, name: impl Into<String>) -> Self {
        self.name = Some(name.into());
        self
    }

    /// Sets what scales the product.
    #[must_use]
    pub fn alpha(mut self, alpha: f32) -> Self {
        self.alpha = alpha;
        self
    }

    /// Sets what scales C; with 0 C is not read, so NaN in it stays out.
    #[must_use]
    pub fn beta(mut self, beta: f32) -> Self {
        self.beta = beta;
        self
    }

    /// Sets whether A is transposed.
    #[must_use]
    pub fn trans_a(mut self, trans_a: bool) -> Self {
        self.trans_a = trans_a;
        self
    }

    /// Sets whether B is transposed.
    #[must_use]
    pub fn trans_b(mut self, trans_b: bool) -> Self {
        self.trans_b = trans_b;
        self
    }
}

impl Graph {
    /// Multiplies two symbols as matrices, as NumPy's `matmul` and ONNX's `MatMul` do.
    ///
    /// `left` is (..., m, k), `right` (..., k, n), the result (..., m, n); the leading axes
    /// broadcast. One of a single axis is a row on the left and a column on the right, whose axis
    /// the result lacks. Lengths of 0 are legal: a sum of nothing is 0.
    ///
    /// A symbolic batch may be the first of the leading axes, or `m` where there are none; the
    /// product cannot sum over it. A step too large to bind is split along it: operands that
    /// carry it in front go in parts, others whole.
    ///
    /// # Errors
    ///
    /// [`Error::Operand`] when the shapes do not fit, the batch would leave the first place or
    /// be summed over, or the result has more than [`MAX_MATMUL_RANK`] dimensions.
    pub fn matmul(&mut self, left: Symbol, right: Symbol) -> Result<Symbol> {
        self.matmul_with(left, right, MatMul::new())
    }

    /// Multiplies two symbols as matrices, each transposed or not; see [`Graph::matmul`].
    ///
    /// # Errors
    ///
    /// As [`Graph::matmul`], and [`Error::Operand`] for a transposed operand of one axis.
    pub fn matmul_with(&mut self, left: Symbol, right: Symbol, options: MatMul) -> Result<Symbol> {
        let name = self.name_for("matmul", options.name.as_deref())?;
        let node = title("matmul", &name);
        let left = self.operand(&node, "left", left)?;
        let right = self.operand(&node, "right", right)?;
        let site = Site::new(&node, format!("{}, {}", left.describe(), right.describe()));
        let transposed = [options.transpose_left, options.transpose_right];
        let shape = product(&site, &left, &right, transposed)?;
        element_count(&node, &shape.resolve(1))?;
        let op = Op::MatMul(Resolved {
            transpose_left: options.transpose_left,
            transpose_right: options.transpose_right,
            alpha: 1.0,
            beta: 1.0,
            has_addend: false,
        });
        Ok(self.insert(name, op, vec![left.index, right.index], Vec::new(), shape))
    }

    /// Adds ONNX's `Gemm`: `alpha * A' @ B' + beta * C`, with A' and B' transposed or not.
    ///
    /// `a` is (m, k), or (k, m) with `trans_a`; `b` (k, n), or (n, k) with `trans_b`; `c`
    /// broadcasts to (m, n), and may be left out as `None`. A symbolic batch may be `m`.
    ///
    /// # Errors
    ///
    /// As [`Graph::matmul`], and [`Error::Operand`] for operands of other ranks and for a `c`
    /// that does not broadcast to the result.
    pub fn gemm(
        &mut self,
        a: Symbol,
        b: Symbol,
        c: impl Into<Option<Symbol>>,
        options: Gemm,
    ) -> Result<Symbol> {
        let name = self.name_for("gemm", options.name.as_deref())?;
        let node = title("gemm", &name);
        let a = self.operand(&node, "a", a)?;
        let b = self.operand(&node, "b", b)?;
        let c = c.into().map(|c| self.operand(&node, "c", c)).transpose()?;
        let operands = [Some(&a), Some(&b), c.as_ref()].into_iter().flatten();
        let shapes: Vec<String> = operands.map(Operand::describe).collect();
        let site = Site::new(&node, shapes.join(", "));
        for matrix in [&a, &b] {
            if matrix.shape.rank() != 2 {
                return Err(site.refuse(
                    &format!("\"{}\"", matrix.name),
                    format!("has {} dimensions", matrix.shape.rank()),
                    "gemm multiplies matrices of 2",
                    "reshape it, or use matmul",
                ));
            }
        }
        let shape = product(&site, &a, &b, [options.trans_a, options.trans_b])?;
        if let Some(c) = &c {
            check_addend(&site, c, &shape)?;
        }
        element_count(&node, &shape.resolve(1))?;
        let Gemm { alpha, beta, trans_a, trans_b, .. } = options;
        let addend = c.filter(|_| beta != 0.0);
        let op = Op::MatMul(Resolved {
            transpose_left: trans_a,
            transpose_right: trans_b,
            alpha,
            beta,
            has_addend: addend.is_some(),
        });
        let operands = [a.index, b.index].into_iter().chain(addend.map(|c| c.index)).collect();
        Ok(self.insert(name, op, operands, Vec::new(), shape))
    }
}

/// Checks that C broadcasts to the result, and does not make it larger.
fn check_addend(site: &Site, c: &Operand, shape: &Shape) -> Result<()> {
    if broadcast(&c.shape, shape).as_ref() == Some(shape) {
        return Ok(());
    }
    Err(site.refuse(
        &format!("\"{}\"", c.name),
        format!("has shape {}", c.shape),
        format!("it must broadcast to the result's {shape}"),
        "reshape it",
    ))
}

/// One operand's axes: those in front of the matrix, and the matrix as it is multiplied.
struct Matrix {
    leading: Shape,
    rows: Dim,
    columns: Dim,
    is_vector: bool,
}

impl Matrix {
    fn new(site: &Site, operand: &Operand, is_left: bool, transposed: bool) -> Result<Self> {
        let refuse = |expected: &str, remedy: &str| -> Error {
            site.refuse(
                &format!("\"{}\"", operand.name),
                format!("has {} dimensions", operand.shape.rank()),
                expected,
                remedy,
            )
        };
        let none = Shape::new([] as [Dim; 0]);
        let one = Dim::Fixed(1);
        match operand.shape.dims() {
            [] => Err(refuse("a product needs at least 1", "use multiply for a number")),
            [_] if transposed => Err(refuse("a transposed operand needs 2", "leave it as it is")),
            [length] => {
                let (rows, columns) = if is_left { (one, *length) } else { (*length, one) };
                Ok(Matrix { leading: none, rows, columns, is_vector: true })
            }
            [leading @ .., rows, columns] => {
                let (rows, columns) = if transposed { (columns, rows) } else { (rows, columns) };
                let leading = Shape::new(leading.iter().copied());
                Ok(Matrix { leading, rows: *rows, columns: *columns, is_vector: false })
            }
        }
    }
}

/// Checks a product and returns its shape.
fn product(site: &Site, left: &Operand, right: &Operand, transposed: [bool; 2]) -> Result<Shape> {
    let one = Matrix::new(site, left, true, transposed[0])?;
    let other = Matrix::new(site, right, false, transposed[1])?;
    let right_name = format!("\"{}\"", right.name);
    if one.columns != other.rows {
        return Err(site.refuse(
            &right_name,
            format!("has {} rows to sum over", other.rows),
            format!("\"{}\" has {} columns", left.name, one.columns),
            "make both equal",
        ));
    }
    let fixed = "use fixed dimensions";
    if one.columns == Dim::Batch {
        let expected = "a product cannot sum over the batch";
        return Err(site.refuse(&right_name, "has the batch as its rows", expected, fixed));
    }
    let Some(leading) = broadcast(&one.leading, &other.leading) else {
        return Err(site.refuse(
            &right_name,
            format!("has {} in front of its matrices", other.leading),
            format!(
                "it must broadcast with {} of \"{}\": aligned at the end, lengths agree or are 1, \
                 and the batch stays first",
                one.leading, left.name
            ),
            "reshape one of them",
        ));
    };
    let rows = Some(one.rows).filter(|_| !one.is_vector);
    let columns = Some(other.columns).filter(|_| !other.is_vector);
    let shape = Shape::new(leading.dims().iter().copied().chain(rows).chain(columns));
    if shape.dims().iter().skip(1).any(|&dim| dim == Dim::Batch) {
        let expected = "only the first dimension may be the batch";
        return Err(site.refuse("the result", format!("would be {shape}"), expected, fixed));
    }
    if shape.rank() > MAX_MATMUL_RANK {
        return Err(site.refuse(
            "the result",
            format!("has {} dimensions", shape.rank()),
            format!("at most {MAX_MATMUL_RANK} are supported"),
            "merge dimensions by a reshape",
        ));
    }
    Ok(shape)
}
