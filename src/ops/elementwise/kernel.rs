//! The functions in WGSL, as kernels call them: of one element, and of four at once.

use super::table::{Row, Wgsl};

impl Row {
    /// Writes a function of one operand as `NAME(alpha, beta, x)` and `NAME4`.
    pub(crate) fn unary(&self, name: &str) -> String {
        let one = |width: &str| format!("alpha: f32, beta: f32, x: {width}");
        let guard = if matches!(self.wgsl, Wgsl::One(_)) { GUARD } else { "" };
        let exponential = self.exp.map(|of| EXPONENTIAL.replace("OF", of)).unwrap_or_default();
        let each = "    var y = x;
    for (var i = 0u; i < 4u; i++) { y = vec4(y.yzw, NAME(alpha, beta, y.x)); }
    return y;\n";
        self.widths(name, one, &(guard.to_owned() + &exponential), each)
    }

    /// Writes a function of two operands as `NAME(a, b)` and `NAME4`.
    pub(crate) fn binary(&self, name: &str) -> String {
        let two = |width: &str| format!("a: {width}, b: {width}");
        let each = "    var y = a;
    var z = b;
    for (var i = 0u; i < 4u; i++) {
        y = vec4(y.yzw, NAME(y.x, z.x));
        z = z.yzwx;
    }
    return y;\n";
        self.widths(name, two, "", each)
    }

    fn widths(
        &self,
        name: &str,
        parameters: impl Fn(&str) -> String,
        before: &str,
        each: &str,
    ) -> String {
        let (Wgsl::One(text) | Wgsl::Nan(text) | Wgsl::Any(text)) = self.wgsl;
        let give = |width: &str| {
            format!("{before}    return {};\n", text.replace("V(", &format!("{width}(")))
        };
        let function = |name: &str, width: &str, body: &str| {
            format!("fn {name}({}) -> {width} {{\n{body}}}\n\n", parameters(width))
        };
        let wide = "vec4<f32>";
        let four = match self.wgsl {
            Wgsl::Any(_) => give(wide),
            // A loop, so that the function is compiled once; turning the vectors round needs no
            // indexing, which would move them from registers to memory.
            Wgsl::One(_) | Wgsl::Nan(_) => each.replace("NAME", name),
        };
        function(name, "f32", &give("f32")) + &function(&format!("{name}4"), wide, &four)
    }
}

const GUARD: &str = "    if is_nan(x) { return x; }\n";
const EXPONENTIAL: &str =
    "    let both = exponentials(OF);\n    let e = both.x;\n    let m = both.y;\n";
