//! Shaders: WGSL that declares by itself what it uses, binds and takes as parameters.
//!
//! A shader is its own file, and whatever it names of the functions, structs and constants in
//! `shaders/shared/`. It is parsed once per process, at first use.

use std::collections::{BTreeMap, HashMap, HashSet};
use std::sync::{LazyLock, OnceLock};

use naga::{AddressSpace, Module, StorageAccess, TypeInner};

use super::epilogue::write;
use super::{Binding, Kernel, Launch, fold};
use crate::error::{Error, Result};
use crate::ops::BinaryOp;
use crate::own::{Field, Kind, Scalar, Value, kind_of};

/// The files of `shaders/shared/`.
const SHARED: [&str; 13] = [
    include_str!("../../shaders/shared/activate.wgsl"),
    include_str!("../../shaders/shared/block.wgsl"),
    include_str!("../../shaders/shared/combine.wgsl"),
    include_str!("../../shaders/shared/epilogue.wgsl"),
    include_str!("../../shaders/shared/exponential.wgsl"),
    include_str!("../../shaders/shared/group.wgsl"),
    include_str!("../../shaders/shared/half.wgsl"),
    include_str!("../../shaders/shared/logarithm.wgsl"),
    include_str!("../../shaders/shared/power.wgsl"),
    include_str!("../../shaders/shared/rows.wgsl"),
    include_str!("../../shaders/shared/thread.wgsl"),
    include_str!("../../shaders/shared/trigonometry.wgsl"),
    include_str!("../../shaders/shared/window.wgsl"),
];

/// Makes the shader of a file in `shaders/`.
macro_rules! shader {
    ($stem:literal) => {
        $crate::kernels::Shader::new($stem, include_str!(concat!("../../shaders/", $stem, ".wgsl")))
    };
}
pub(super) use shader;

/// The WGSL of a family of kernels, and what it declares.
#[derive(Debug)]
pub struct Shader {
    stem: &'static str,
    own: &'static str,
    read: OnceLock<Result<Interface, String>>,
}

/// What a shader's text declares.
#[derive(Debug)]
struct Interface {
    entries: Vec<String>,
    bindings: Vec<Binding>,
    fields: Vec<Field>,
    bytes: usize,
}

impl Shader {
    pub(super) const fn new(stem: &'static str, own: &'static str) -> Self {
        Shader { stem, own, read: OnceLock::new() }
    }

    /// Returns the name of the shader's file, of the kernel's, the tests' and the bench's.
    #[must_use]
    pub fn stem(&self) -> &'static str {
        self.stem
    }

    /// Returns the WGSL of its kernels: with functions that are written for the step at hand
    /// ([`Work::functions`](super::Work::functions)), and what both use of `shaders/shared/`.
    #[must_use]
    pub fn source(&self, functions: &str) -> String {
        link(&format!("{}\n{functions}", self.own))
    }

    /// Lists the entry points, in the order of the text; none for a shader that cannot be read.
    pub fn entries(&self) -> impl Iterator<Item = &str> {
        let interface = self.interface(self.stem).ok();
        interface.into_iter().flat_map(|interface| interface.entries.iter().map(String::as_str))
    }

    /// Returns what group 0 binds, by binding number; nothing for a shader that cannot be read.
    #[must_use]
    pub fn bindings(&self) -> &[Binding] {
        self.interface(self.stem).map_or(&[], |interface| &interface.bindings)
    }

    /// Returns the parameters: members of the uniform struct, those of a struct in it as `outer.inner`.
    #[must_use]
    pub fn parameters(&self) -> &[Field] {
        self.interface(self.stem).map_or(&[], |interface| &interface.fields)
    }

    /// Reads a whole number out of a launch's parameters.
    pub(crate) fn parameter(&self, params: &[u8], name: &str) -> Option<u32> {
        let wanted = Kind { scalar: Scalar::U32, lanes: 1 };
        let mut fields = self.parameters().iter();
        let field = fields.find(|field| field.name == name && field.kind == wanted)?;
        params.get(field.offset as usize..)?.first_chunk().map(|word| u32::from_le_bytes(*word))
    }

    /// Begins a launch of an entry point over a number of threads, which is the parameter
    /// `threads`.
    pub(super) fn launch<'a>(
        &'static self,
        node: &'a str,
        entry: &'static str,
        threads: u32,
    ) -> Draft<'a> {
        let (bytes, count) =
            self.interface(self.stem).map_or((0, 0), |found| (found.bytes, found.fields.len()));
        let draft = Draft {
            node,
            shader: self,
            entry,
            threads,
            params: vec![0; bytes],
            given: vec![false; count],
            table: Vec::new(),
            problem: None,
        };
        draft.set("threads", threads)
    }

    fn parse(&self) -> Result<Interface, String> {
        let text = self.source(&write(Some(BinaryOp::Add), &[]));
        let module = naga::front::wgsl::parse_str(&text).map_err(|e| e.emit_to_string(&text))?;
        let (fields, bytes) = parameters(&module)?;
        let entries = module.entry_points.iter().map(|entry| entry.name.clone()).collect();
        Ok(Interface { bindings: bindings(&module)?, entries, fields, bytes })
    }

    fn interface(&self, node: &str) -> Result<&Interface> {
        let read = self.read.get_or_init(|| self.parse());
        let expected = "it is WGSL";
        let broken =
            |problem: &String| defect(node, self.stem, "the text", problem.clone(), expected);
        read.as_ref().map_err(broken)
    }
}

/// A launch in the making: parameters are filled in by their names in the WGSL.
///
/// A name that the shader does not have, a type that it does not declare, and a parameter that
/// nothing is given for are bugs in longshore; the tests launch every kernel.
pub(super) struct Draft<'a> {
    pub(super) node: &'a str,
    shader: &'static Shader,
    entry: &'static str,
    threads: u32,
    params: Vec<u8>,
    given: Vec<bool>,
    table: Vec<u8>,
    problem: Option<Error>,
}

impl Draft<'_> {
    /// Gives a parameter.
    pub(super) fn set(mut self, name: &str, value: impl Into<Value>) -> Self {
        self.put(name, |field| field == name, value.into());
        self
    }

    /// Gives the parameters NAME1, NAME2, ... where `first` is 1.
    pub(super) fn set_each(mut self, name: &str, first: usize, values: &[u32]) -> Self {
        for (number, &value) in (first..).zip(values) {
            let is_it = |field: &str| {
                field.strip_prefix(name).is_some_and(|rest| rest.parse() == Ok(number))
            };
            self.put(&format!("{name}{number}"), is_it, value.into());
        }
        self
    }

    /// Gives the lookup table.
    pub(super) fn table(mut self, table: Vec<u8>) -> Self {
        self.table = table;
        self
    }

    /// Spreads the threads over workgroups.
    ///
    /// # Errors
    ///
    /// [`Error::Limit`] for more threads than the device can number; [`Error::Operand`] for
    /// parameters that are not the shader's.
    pub(super) fn finish(mut self, max_workgroups_per_dimension: u32) -> Result<Launch> {
        self.shader.interface(self.node)?;
        let mut both = self.shader.parameters().iter().zip(&self.given);
        if let Some((missing, _)) = both.find(|(_, given)| !**given) {
            let (name, expected) = (&missing.name, format!("the shader has {}", missing.kind));
            self.refuse(name, "is not given", &expected);
        }
        match self.problem {
            Some(problem) => Err(problem),
            None => Ok(Launch {
                kernel: Kernel { stem: self.shader.stem, entry: self.entry },
                params: self.params,
                table: self.table,
                workgroups: fold(self.node, self.threads.into(), max_workgroups_per_dimension)?,
            }),
        }
    }

    fn put(&mut self, name: &str, is_it: impl Fn(&str) -> bool, value: Value) {
        let fields = self.shader.parameters();
        let Some(number) = fields.iter().position(|field| is_it(&field.name)) else {
            let known: Vec<&str> = fields.iter().map(|field| field.name.as_str()).collect();
            return self.refuse(name, "is given", &format!("the shader has {}", known.join(", ")));
        };
        let field = &fields[number];
        if field.kind != value.kind() {
            let expected = format!("the shader has {}", field.kind);
            return self.refuse(name, &format!("is given as {}", value.kind()), &expected);
        }
        if std::mem::replace(&mut self.given[number], true) {
            return self.refuse(name, "is given twice", "once is enough");
        }
        value.write(&mut self.params, field.offset);
    }

    fn refuse(&mut self, name: &str, got: &str, expected: &str) {
        let operand = format!("parameter \"{name}\"");
        let problem = defect(self.node, self.shader.stem, &operand, got.to_owned(), expected);
        self.problem.get_or_insert(problem);
    }
}

fn defect(node: &str, stem: &str, operand: &str, got: String, expected: &str) -> Error {
    Error::Operand {
        node: node.to_owned(),
        operand: format!("{operand} of the shader {stem}"),
        got,
        expected: expected.to_owned(),
        shapes: "the same for every model".to_owned(),
        remedy: "this is a bug in longshore; please report it".to_owned(),
    }
}

/// Adds to a text what it names of `shaders/shared/`, and what that names.
fn link(text: &str) -> String {
    static ITEMS: LazyLock<HashMap<&str, &str>> =
        LazyLock::new(|| SHARED.iter().flat_map(|text| items(text)).collect());
    let mut known: HashSet<&str> = items(text).map(|(name, _)| name).collect();
    let mut linked = text.to_owned();
    let mut unread = vec![text];
    while let Some(text) = unread.pop() {
        for (word, is_called) in words(text) {
            let item = ITEMS.get(word).filter(|item| is_called || !item.starts_with("fn "));
            if let Some(item) = item.filter(|_| known.insert(word)) {
                linked.push_str(item);
                unread.push(item);
            }
        }
    }
    linked
}

/// Cuts a text into its functions, structs, constants and variables: each one's name and text.
fn items(text: &str) -> impl Iterator<Item = (&str, &str)> {
    let starts = |line: &&str| line.starts_with(|first: char| first.is_ascii_alphabetic());
    let is_last =
        |line: &str| line.starts_with('}') || line.starts_with(')') && line.ends_with(";\n");
    let mut lines = text.split_inclusive('\n').scan(0, |offset, line| {
        let start = *offset;
        *offset += line.len();
        Some((start, line))
    });
    std::iter::from_fn(move || {
        let (start, first) = lines.by_ref().find(|(_, line)| starts(line))?;
        let code = first.split("//").next().unwrap_or(first);
        let end = if code.trim_end().ends_with([';', '}']) {
            start + first.len()
        } else {
            let (last, line) = lines.by_ref().find(|(_, line)| is_last(line))?;
            last + line.len()
        };
        let (name, _) = words(first).find(|(word, _)| !KEYWORDS.contains(word))?;
        Some((name, &text[start..end]))
    })
}

const KEYWORDS: [&str; 5] = ["fn", "struct", "const", "var", "workgroup"];

/// Lists the words of a text, but for comments and members of structs, and tells whether they are called.
fn words(text: &str) -> impl Iterator<Item = (&str, bool)> {
    let is_word = |c: char| c.is_ascii_alphanumeric() || c == '_';
    let code = text.lines().map(|line| line.split("//").next().unwrap_or(line));
    code.flat_map(move |line| {
        let parts = line.split_inclusive(move |c| !is_word(c) && c != '.');
        parts.filter_map(move |part| {
            let word = part.split(|c| !is_word(c)).next().filter(|word| !word.is_empty())?;
            Some((word, part.ends_with('(')))
        })
    })
}

/// Lists the members of the uniform struct, and counts its bytes.
fn parameters(module: &Module) -> Result<(Vec<Field>, usize), String> {
    let mut variables = module.global_variables.iter();
    let params = variables.find(|(_, variable)| variable.space == AddressSpace::Uniform);
    let (_, params) = params.ok_or("there is no uniform")?;
    let TypeInner::Struct { members, span } = &module.types[params.ty].inner else {
        return Err("the uniform is no struct".to_owned());
    };
    let mut fields = Vec::new();
    for member in members {
        let name = member.name.clone().unwrap_or_default();
        let inner = &module.types[member.ty].inner;
        if let TypeInner::Struct { members, .. } = inner {
            for part in members {
                let name = format!("{name}.{}", part.name.as_deref().unwrap_or_default());
                let inner = &module.types[part.ty].inner;
                fields.push(field(name, member.offset + part.offset, inner)?);
            }
        } else {
            fields.push(field(name, member.offset, inner)?);
        }
    }
    Ok((fields, *span as usize))
}

fn field(name: String, offset: u32, inner: &TypeInner) -> Result<Field, String> {
    match kind_of(inner) {
        Some(kind) => Ok(Field { name, offset, kind, shape_of: None }),
        None => Err(format!("parameter {name} is neither scalar nor vector")),
    }
}

/// Tells what each binding of group 0 is; a number may have several names, for views of a buffer.
fn bindings(module: &Module) -> Result<Vec<Binding>, String> {
    let mut found = BTreeMap::new();
    for (_, variable) in module.global_variables.iter() {
        let Some(place) = &variable.binding else { continue };
        let kind = match (variable.space, variable.name.as_deref()) {
            (AddressSpace::Uniform, _) => Binding::Params,
            (AddressSpace::Storage { access }, name) if access == StorageAccess::LOAD => match name
            {
                Some("table") => Binding::Table,
                Some("extra") => Binding::Extra,
                _ => Binding::Read,
            },
            _ => Binding::Write,
        };
        let earlier = found.insert(place.binding, kind);
        if place.group != 0 || earlier.is_some_and(|earlier| earlier != kind) {
            return Err(format!("{:?} cannot be bound", variable.name));
        }
    }
    let is_dense = found.keys().zip(0..).all(|(number, expected)| *number == expected);
    if !is_dense {
        return Err("binding numbers are left out".to_owned());
    }
    Ok(found.into_values().collect())
}

#[cfg(test)]
mod tests {
    use super::*;

    static PROBE: Shader = Shader::new(
        "probe",
        "struct Params { threads: u32, channels: u32, factor: f32, bias: f32 }
        @group(0) @binding(0) var<uniform> params: Params;
        @group(0) @binding(1) var<storage, read> input: array<f32>;
        @group(0) @binding(2) var<storage, read_write> output: array<f32>;
        @compute @workgroup_size(WORKGROUP_SIZE)
        fn general(@builtin(local_invocation_index) local: u32) {
            if local < params.threads + params.channels {
                output[local] = params.factor * input[local] + params.bias;
            }
        }",
    );

    /// A launch with these parameters, and the last one of another name and value.
    fn filled(name: &str, last: impl Into<Value>) -> Result<Launch> {
        let draft = PROBE.launch("probe \"n\"", "general", 3);
        draft.set("channels", 1u32).set("factor", 1.0).set(name, last).finish(9)
    }

    #[test]
    fn parameters_that_the_shader_does_not_declare_are_refused() {
        assert_eq!(filled("bias", 2.0).unwrap().params[12..], 2f32.to_le_bytes());
        let text = |name, last: Value| filled(name, last).unwrap_err().to_string();
        assert_eq!(
            text("gain", 2.0.into()),
            "probe \"n\": parameter \"gain\" of the shader probe is given but the shader has \
             threads, channels, factor, bias\n  (the same for every model); \
             this is a bug in longshore; please report it"
        );
        let found = text("bias", 2u32.into());
        assert!(
            found.contains("\"bias\" of the shader probe is given as u32 but the shader has f32")
        );
        let found = text("factor", 2.0.into());
        assert!(found.contains("\"factor\" of the shader probe is given twice but"), "{found}");
        let draft = PROBE.launch("n", "general", 3);
        let found = draft.finish(9).unwrap_err().to_string();
        assert!(found.contains("\"channels\" of the shader probe is not given but"), "{found}");
    }

    #[test]
    fn what_is_named_is_linked_once() {
        let text =
            "// thread_index\nfn f() -> u32 { return params.erf + thread_index(g, h, 3u); }\n";
        let linked = link(text);
        assert!(linked.starts_with(text));
        let names: Vec<&str> = items(&linked).map(|(name, _)| name).collect();
        assert_eq!(names, ["f", "thread_index", "WORKGROUP_SIZE"]);
        let own = "fn clip() {}\nfn f() { clip(); }\n";
        assert_eq!(link(own), own);
    }

    /// Else a function of a stage could call the shader's own in its place.
    #[test]
    fn no_shader_defines_what_is_shared() {
        let shared: HashSet<&str> =
            SHARED.iter().flat_map(|text| items(text)).map(|i| i.0).collect();
        let count: usize = SHARED.iter().map(|text| items(text).count()).sum();
        assert_eq!(shared.len(), count, "a name is shared twice");
        for shader in crate::kernels::SHADERS {
            for (name, _) in items(shader.own) {
                assert!(!shared.contains(name), "{} defines {name}", shader.stem);
            }
        }
    }

    #[test]
    fn a_text_that_cannot_be_read_is_refused() {
        static BROKEN: Shader = Shader::new("broken", "fn f() { thread(); }\n");
        assert_eq!((BROKEN.bindings(), BROKEN.entries().count()), (&[][..], 0));
        let found = BROKEN.launch("n", "general", 3).finish(9).unwrap_err().to_string();
        assert!(found.starts_with("n: the text of the shader broken "), "{found}");
        assert!(found.ends_with("this is a bug in longshore; please report it"), "{found}");
    }
}
