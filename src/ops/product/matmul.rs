//! Matrix products of two symbols: `MatMul` as NumPy and ONNX define it, and ONNX's `Gemm`.

use serde::{Deserialize, Serialize};

use crate::error::{Error, Result};
use crate::graph::{Graph, Operand, Pending, Site, Symbol};
use crate::kernels::Work;
use crate::ops::{Arguments, Epilogue, Op, Operator, Shapes};
use crate::serial::number;
use crate::shape::{Dim, Shape, broadcast, element_count};

/// The most dimensions of a product's result.
pub const MAX_MATMUL_RANK: usize = 6;

/// A product as a node holds it: `alpha * left @ right + beta * addend`.
#[derive(Clone, Copy, Debug, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Resolved {
    /// Whether the last two axes of the left operand are taken in turned order.
    pub transpose_left: bool,
    /// Whether the last two axes of the right operand are taken in turned order.
    pub transpose_right: bool,
    /// Scales the products.
    #[serde(with = "number")]
    pub alpha: f32,
    /// Scales the addend.
    #[serde(with = "number")]
    pub beta: f32,
    /// Whether a third operand is added, which broadcasts to the result's two axes.
    pub has_addend: bool,
}

impl Default for Resolved {
    fn default() -> Self {
        Resolved {
            transpose_left: false,
            transpose_right: false,
            alpha: 1.0,
            beta: 1.0,
            has_addend: false,
        }
    }
}

/// Describes a product of two symbols; by default plain `left @ right`.
///
/// ```
/// use longshore::{Graph, MatMul, Shape};
///
/// # fn main() -> longshore::Result<()> {
/// let mut g = Graph::new();
/// let x = g.input("x", Shape::batch([4, 6]));
/// let other = g.input("other", Shape::batch([5, 6]));
/// let y = g.matmul_with(x, other, MatMul::new().transpose_right(true))?;
/// assert_eq!(g.shape(y), Some(&Shape::batch([4, 5])));
/// # Ok(())
/// # }
/// ```
#[derive(Clone, Debug, Default)]
pub struct MatMul {
    name: Option<String>,
    rule: Resolved,
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
        self.rule.transpose_left = transpose;
        self
    }

    /// Sets whether the last two axes of the right operand are exchanged; nothing is copied.
    #[must_use]
    pub fn transpose_right(mut self, transpose: bool) -> Self {
        self.rule.transpose_right = transpose;
        self
    }
}

/// Describes ONNX's `Gemm`, `alpha * A' @ B' + beta * C`; defaults are ONNX's.
///
/// ```
/// use longshore::{Gemm, Graph, Shape};
///
/// # fn main() -> longshore::Result<()> {
/// let mut g = Graph::new();
/// let x = g.input("x", Shape::batch([6]));
/// let b = g.input("b", [5, 6]);
/// let y = g.gemm(x, b, None, Gemm::new().trans_b(true))?;
/// assert_eq!(g.shape(y), Some(&Shape::batch([5])));
/// # Ok(())
/// # }
/// ```
#[derive(Clone, Debug, Default)]
pub struct Gemm {
    name: Option<String>,
    rule: Resolved,
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
        self.rule.alpha = alpha;
        self
    }

    /// Sets what scales C; with 0 C is not read, so NaN in it stays out.
    #[must_use]
    pub fn beta(mut self, beta: f32) -> Self {
        self.rule.beta = beta;
        self
    }

    /// Sets whether A is transposed.
    #[must_use]
    pub fn trans_a(mut self, trans_a: bool) -> Self {
        self.rule.transpose_left = trans_a;
        self
    }

    /// Sets whether B is transposed.
    #[must_use]
    pub fn trans_b(mut self, trans_b: bool) -> Self {
        self.rule.transpose_right = trans_b;
        self
    }
}

impl Operator for Resolved {
    fn name(&self) -> &'static str {
        "matmul"
    }

    fn infer(&self, of: &Arguments<'_>) -> Result<Shape> {
        let site = of.site("");
        let Resolved { transpose_left, transpose_right, .. } = *self;
        let plain = Resolved { transpose_left, transpose_right, ..Resolved::default() };
        let shape = if self.has_addend {
            if self.beta == 0.0 {
                let expected = "C would not be read";
                return Err(site.refuse("beta", "is 0", expected, "leave C out"));
            }
            let [left, right, addend] = of.only()?;
            self.gemm(&site, left, right, Some(addend))?
        } else {
            let [left, right] = of.only()?;
            if *self == plain {
                self.product(&site, left, right)?
            } else {
                self.gemm(&site, left, right, None)?
            }
        };
        element_count(of.node, &shape.resolve(1))?;
        Ok(shape)
    }

    fn work(&self, at: &Shapes) -> Option<Work> {
        let transposed = [self.transpose_left, self.transpose_right];
        let addend = if self.has_addend { Some(addend_strides(at.operand(2)?)) } else { None };
        Some(Work::MatMul(Geometry {
            addend,
            alpha: self.alpha,
            beta: self.beta,
            epilogue: at.epilogue.clone(),
            ..Geometry::product(at.operand(0)?, at.operand(1)?, transposed)?
        }))
    }

    fn has_epilogue(&self) -> bool {
        true
    }
}

impl Resolved {
    /// Checks a product and returns its shape.
    fn product(&self, site: &Site, left: &Operand, right: &Operand) -> Result<Shape> {
        let one = Matrix::new(site, left, true, self.transpose_left)?;
        let other = Matrix::new(site, right, false, self.transpose_right)?;
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

    /// Checks a product of two matrices, and what is added to it, and returns its shape.
    fn gemm(
        &self,
        site: &Site,
        left: &Operand,
        right: &Operand,
        addend: Option<&Operand>,
    ) -> Result<Shape> {
        for matrix in [left, right] {
            if matrix.shape.rank() != 2 {
                return Err(site.refuse(
                    &format!("\"{}\"", matrix.name),
                    format!("has {} dimensions", matrix.shape.rank()),
                    "gemm multiplies matrices of 2",
                    "reshape it, or use matmul",
                ));
            }
        }
        let shape = self.product(site, left, right)?;
        addend.map_or(Ok(()), |addend| check_addend(site, addend, &shape))?;
        Ok(shape)
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

/// Returns how far a value of up to two axes moves along rows and columns that it broadcasts to.
fn addend_strides(shape: &[usize]) -> [usize; 2] {
    let step = |length: usize, stride| if length == 1 { 0 } else { stride };
    match *shape {
        [rows, columns] => [step(rows, columns), step(columns, 1)],
        [columns] => [0, step(columns, 1)],
        _ => [0, 0],
    }
}

/// What to compute: `alpha * left @ right + beta * addend`, in C order.
#[derive(Clone, Debug, PartialEq)]
pub struct Geometry {
    /// The axes in front of the matrices, the first one outermost.
    pub batch: Vec<BatchAxis>,
    /// Rows of the left operand and the result.
    pub rows: usize,
    /// Numbers of each sum.
    pub inner: usize,
    /// Columns of the right operand and the result.
    pub columns: usize,
    /// Elements of the left operand from one row to the next, and along a row.
    pub left: [usize; 2],
    /// Elements of the right operand from one row to the next, and along a row.
    pub right: [usize; 2],
    /// Elements of the addend, if there is one, from one row to the next and along a row; each
    /// item of the batch has the same.
    pub addend: Option<[usize; 2]>,
    /// Scales the products.
    pub alpha: f32,
    /// Scales the addend.
    pub beta: f32,
    /// What happens to each result before it is stored.
    pub epilogue: Epilogue,
}

/// An axis in front of the matrices: its length, and how far each operand moves along it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct BatchAxis {
    /// Items along the axis.
    pub length: usize,
    /// Elements between items of the left operand; 0 where all share one matrix.
    pub left: usize,
    /// Elements between items of the right operand; 0 where all share one matrix.
    pub right: usize,
}

impl Geometry {
    /// Makes the geometry of a product of operands in C order, each transposed or not.
    ///
    /// The shapes broadcast as NumPy's `matmul` demands; one of a single axis is a row on the
    /// left and a column on the right. `None` for shapes without axes or of different inner
    /// lengths.
    #[must_use]
    pub fn product(left: &[usize], right: &[usize], transposed: [bool; 2]) -> Option<Self> {
        let (left_batch, [rows, inner], left_strides) = matrix(left, true, transposed[0])?;
        let (right_batch, [inner_too, columns], right_strides) =
            matrix(right, false, transposed[1])?;
        let rank = left_batch.len().max(right_batch.len());
        let mut batch = Vec::with_capacity(rank);
        let (mut left_item, mut right_item) = (
            rows.saturating_mul(inner), // Only an empty shape can saturate.
            inner.saturating_mul(columns),
        );
        for axis in (0..rank).rev() {
            let at = |shape: &[usize]| {
                (axis + shape.len()).checked_sub(rank).map_or(1, |inside| shape[inside])
            };
            let (l, r) = (at(left_batch), at(right_batch));
            let length = if l == 1 { r } else { l };
            let step = |own: usize, item: usize| if own == 1 { 0 } else { item };
            batch.push(BatchAxis { length, left: step(l, left_item), right: step(r, right_item) });
            left_item = left_item.saturating_mul(l);
            right_item = right_item.saturating_mul(r);
        }
        batch.reverse();
        (inner == inner_too).then(|| Geometry {
            batch,
            rows,
            inner,
            columns,
            left: left_strides,
            right: right_strides,
            addend: None,
            alpha: 1.0,
            beta: 1.0,
            epilogue: Epilogue::default(),
        })
    }
}

/// Takes a shape apart: what is in front of the matrix, its lengths and its strides.
fn matrix(
    shape: &[usize],
    is_left: bool,
    transposed: bool,
) -> Option<(&[usize], [usize; 2], [usize; 2])> {
    let (batch, lengths, strides) = match *shape {
        [] => return None,
        [length] if is_left => (&shape[..0], [1, length], [length, 1]),
        [length] => (&shape[..0], [length, 1], [1, 1]),
        [ref batch @ .., rows, columns] => (batch, [rows, columns], [columns, 1]),
    };
    let turn = |[one, other]: [usize; 2]| if transposed { [other, one] } else { [one, other] };
    Some((batch, turn(lengths), turn(strides)))
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
        let operands = [("left", left), ("right", right)];
        let pending = self.begin("matmul", options.name.as_deref(), operands)?;
        self.add_node(pending, Op::MatMul(options.rule), Vec::new())
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
        let pending = self.begin("gemm", options.name.as_deref(), [("a", a), ("b", b)])?;
        let c = c.into().map(|c| self.operand(&pending.node, "c", c)).transpose()?;
        let [a, b] = &pending.operands;
        let site = pending.site(&c.as_ref().map_or_else(String::new, Operand::describe));
        // C must fit even where it is not read.
        options.rule.gemm(&site, a, b, c.as_ref())?;
        let Some(c) = c.filter(|_| options.rule.beta != 0.0) else {
            return self.add_node(pending, Op::MatMul(options.rule), Vec::new());
        };
        let Pending { name, node, operands: [a, b] } = pending;
        let pending = Pending { name, node, operands: [a, b, c] };
        let rule = Resolved { has_addend: true, ..options.rule };
        self.add_node(pending, Op::MatMul(rule), Vec::new())
    }
}
