//! The functions in WGSL: one alone, or all of a kind behind a `switch` over their numbers.

use std::sync::LazyLock;

use super::table::{RARE, Row, Wgsl};
use super::{BinaryOp, UnaryOp};

/// Up to these numbers, for one operand and for two, functions are those of most networks: relu,
/// clip, leaky relu, affine, and the four basic operations.
pub(crate) const LAST_COMMON: [u32; 2] = [4, 3];

/// Functions of one operand, or of two.
struct Family {
    name: &'static str,
    /// Parameters of a function in WGSL, and of one of four elements at once.
    parameters: &'static str,
    of_four: &'static str,
    /// What a number that no function has gives.
    first: &'static str,
    /// How the common functions of four elements are asked for one.
    common: &'static str,
    last_common: u32,
}

const UNARY: Family = Family {
    name: "activate",
    parameters: "alpha: f32, beta: f32, x: f32",
    of_four: "alpha: f32, beta: f32, x: vec4<f32>",
    first: "x",
    common: "activate_common(kind, alpha, beta, vec4(x)).x",
    last_common: LAST_COMMON[0],
};
const BINARY: Family = Family {
    name: "combine",
    parameters: "a: f32, b: f32",
    of_four: "a: vec4<f32>, b: vec4<f32>",
    first: "a",
    common: "combine_common(kind, vec4(a), vec4(b)).x",
    last_common: LAST_COMMON[1],
};

/// Functions that shaders use as they use files of `shaders/shared/`: name and text.
static FUNCTIONS: LazyLock<[(&str, String); 4]> = LazyLock::new(|| {
    // A function that is listed with several constants is one.
    let mut unary: Vec<Row> = UnaryOp::all().map(UnaryOp::row).collect();
    unary.dedup_by_key(|row| row.number);
    let binary: Vec<Row> = BinaryOp::ALL.iter().map(|operation| operation.row()).collect();
    [
        ("unary", UNARY.common(&unary) + &UNARY.all(&unary, false)),
        ("unary_rare", UNARY.all(&unary, true)),
        ("binary", BINARY.common(&binary) + &BINARY.all(&binary, false)),
        ("binary_rare", BINARY.all(&binary, true)),
    ]
});

/// Returns functions by the name by which shaders use them.
pub(crate) fn functions(name: &str) -> Option<&'static str> {
    FUNCTIONS.iter().find(|(known, _)| *known == name).map(|(_, text)| text.as_str())
}

impl Row {
    /// Returns the expression, of one element or of four.
    fn value(&self, width: &str) -> String {
        let (Wgsl::One(text) | Wgsl::Nan(text) | Wgsl::Any(text)) = self.wgsl;
        text.replace("V(", &format!("{width}("))
    }
}

const GUARD: &str = "    if is_nan(x) { return x; }\n";
const EXPONENTIAL: &str =
    "    let both = exponentials(t);\n    let e = both.x;\n    let m = both.y;\n";

/// Writes a `switch`; functions of equal text have one case.
fn switch(rows: &[&Row], text: impl Fn(&Row) -> String) -> String {
    let mut cases: Vec<(String, String)> = Vec::new();
    for row in rows {
        let (text, number) = (text(row), format!("{}u", row.number));
        match cases.iter_mut().find(|(other, _)| *other == text) {
            Some((_, numbers)) => numbers.extend([", ", &number]),
            None => cases.push((text, number)),
        }
    }
    let cases =
        cases.iter().map(|(text, numbers)| format!("        case {numbers}: {{ {text}; }}\n"));
    format!("    switch kind {{\n{}        default: {{}}\n    }}\n", cases.collect::<String>())
}

impl Family {
    /// Writes the common functions, of four elements at once.
    fn common(&self, rows: &[Row]) -> String {
        let Family { name, of_four, first, last_common, .. } = self;
        let rows: Vec<&Row> = rows.iter().filter(|row| row.number <= *last_common).collect();
        let cases = switch(&rows, |row| format!("return {}", row.value("vec4<f32>")));
        format!(
            "fn {name}_common(kind: u32, {of_four}) -> vec4<f32> {{\n{cases}    return {first};\n}}\n\n"
        )
    }

    /// Writes functions of one element, and their numbers' names: those that take NaN first, those
    /// that are made of an exponential last, so that it is computed in one place.
    fn all(&self, rows: &[Row], rare: bool) -> String {
        let Family { name, parameters, first, common, .. } = self;
        let rows: Vec<&Row> = rows.iter().filter(|row| (row.number >= RARE) == rare).collect();
        let names = rows
            .iter()
            .map(|row| format!("const {}: u32 = {}u;\n", row.name.to_uppercase(), row.number));
        let mut text: String = names.collect();
        let suffix = if rare { "_rare" } else { "" };
        text = format!("{text}\nfn {name}{suffix}(kind: u32, {parameters}) -> f32 {{\n");
        if !rare {
            text = format!("{text}    if !ALL_FUNCTIONS {{ return {common}; }}\n");
        }
        let value = |row: &Row| format!("return {}", row.value("f32"));
        let (open, numbers): (Vec<&Row>, Vec<&Row>) =
            rows.into_iter().partition(|row| !matches!(row.wgsl, Wgsl::One(_)));
        let (through, numbers): (Vec<&Row>, Vec<&Row>) =
            numbers.into_iter().partition(|row| row.exp.is_some());
        text += &switch(&open, value);
        if !numbers.is_empty() {
            text += GUARD;
            text += &switch(&numbers, value);
        }
        if !through.is_empty() {
            text += "    var t = x;\n";
            text += &switch(&through, |row| format!("t = {}", row.exp.unwrap_or("x")));
            text += EXPONENTIAL;
            text += &switch(&through, value);
        }
        text + &format!("    return {first};\n}}\n")
    }

    /// Writes one function alone.
    fn alone(&self, name: &str, row: &Row) -> String {
        let kind = format!("    let kind = {}u;\n", row.number);
        let guard = if matches!(row.wgsl, Wgsl::One(_)) { GUARD } else { "" };
        let exponential = row.exp.map(|of| format!("    let t = {of};\n{EXPONENTIAL}"));
        let (value, parameters) = (row.value("f32"), self.parameters);
        format!(
            "fn {name}({parameters}) -> f32 {{\n{kind}{guard}{}    return {value};\n}}\n",
            exponential.unwrap_or_default()
        )
    }
}

impl UnaryOp {
    /// Returns WGSL of `fn NAME(alpha: f32, beta: f32, x: f32) -> f32` that is the function alone.
    #[cfg_attr(not(test), expect(dead_code, reason = "kernels hold all functions as yet"))]
    pub(crate) fn kernel(self, name: &str) -> String {
        UNARY.alone(name, &self.row())
    }
}

impl BinaryOp {
    /// Returns WGSL of `fn NAME(a: f32, b: f32) -> f32` that is the function alone.
    #[cfg_attr(not(test), expect(dead_code, reason = "kernels hold all functions as yet"))]
    pub(crate) fn kernel(self, name: &str) -> String {
        BINARY.alone(name, &self.row())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const SHARED: &[&str] = &[
        include_str!("../../../shaders/shared/activate.wgsl"),
        include_str!("../../../shaders/shared/combine.wgsl"),
        include_str!("../../../shaders/shared/combine_rare.wgsl"),
        include_str!("../../../shaders/shared/exponential.wgsl"),
        include_str!("../../../shaders/shared/logarithm.wgsl"),
        include_str!("../../../shaders/shared/power.wgsl"),
        include_str!("../../../shaders/shared/trigonometry.wgsl"),
    ];

    #[test]
    fn each_function_is_wgsl_alone() {
        let rare = include_str!("../../../shaders/shared/activate_rare.wgsl");
        // Without what reads a kernel's parameters.
        let (rare, _) = rare.split_once("// As `finish`").unwrap();
        let mut shared = SHARED.concat() + rare + "const ALL_FUNCTIONS: bool = true;\n";
        FUNCTIONS.iter().for_each(|(_, text)| shared += text);
        let unary = UnaryOp::all().map(|function| (function.name(), function.kernel("alone")));
        let binary = BinaryOp::ALL.iter().map(|it| (it.name(), it.kernel("alone")));
        for (name, function) in unary.chain(binary) {
            let source = shared.clone() + &function;
            let parsed = naga::front::wgsl::parse_str(&source);
            assert!(parsed.is_ok(), "{name}: {}", parsed.unwrap_err().emit_to_string(&source));
        }
    }
}
