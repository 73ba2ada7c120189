//! The macros that make everything of the tables in `functions.rs`, and what a row is to others.

use serde::{Deserialize, Deserializer, Serialize, Serializer};

use crate::error::Result;
use crate::serial::number;

/// What kernels know of a function.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Row {
    /// The name that messages and plans print.
    pub name: &'static str,
    /// What it gives.
    pub wgsl: Wgsl,
    /// What the exponential is taken of that it is made of, if it is.
    pub exp: Option<&'static str>,
}

/// An expression in WGSL.
#[derive(Clone, Copy, Debug)]
pub(crate) enum Wgsl {
    /// Of elements that are not NaN.
    One(&'static str),
    /// Of any elements.
    Nan(&'static str),
    /// Of any elements, one or four at a time.
    Any(&'static str),
}

/// Reads a number of a node that is imported, by a constant's name, with a default.
pub(crate) type Read<'a> = &'a dyn Fn(&'static str, f32) -> Result<f32>;

/// A constant of a function: as kernels take it, in an imported node, in a saved graph.
pub(crate) trait Constant: Copy {
    fn number(self) -> f32;
    /// A flag is the default.
    fn import(read: Read<'_>, name: &'static str, default: Self) -> Result<Self>;
    fn save<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error>;
    fn load<'de, D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error>;
}

impl Constant for f32 {
    fn number(self) -> f32 {
        self
    }

    fn import(read: Read<'_>, name: &'static str, default: Self) -> Result<Self> {
        read(name, default)
    }

    fn save<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        number::serialize(self, serializer)
    }

    fn load<'de, D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        number::deserialize(deserializer)
    }
}

impl Constant for bool {
    fn number(self) -> f32 {
        u8::from(self).into()
    }

    fn import(_: Read<'_>, _: &'static str, default: Self) -> Result<Self> {
        Ok(default)
    }

    fn save<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        self.serialize(serializer)
    }

    fn load<'de, D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        bool::deserialize(deserializer)
    }
}

/// A loop over a function of one number, compiled for each function.
pub(crate) trait Visit {
    fn visit(self, function: impl Fn(f32) -> f32);
}

/// A loop over a function of two numbers, compiled for each function.
pub(crate) trait VisitTwo {
    fn visit(self, function: impl Fn(f32, f32) -> f32);
}

/// Gives what is in brackets, or what stands behind them where they are empty.
macro_rules! given {
    ([] $($other:tt)*) => { $($other)* };
    ([$($given:tt)+] $($other:tt)*) => { $($given)+ };
}
pub(super) use given;

/// Makes the WGSL of a row.
macro_rules! wgsl {
    ($text:literal) => {
        Wgsl::One($text)
    };
    (nan $text:literal) => {
        Wgsl::Nan($text)
    };
    (any $text:literal) => {
        Wgsl::Any($text)
    };
}
pub(super) use wgsl;

/// Makes the two constants of a function.
macro_rules! constants {
    () => {
        [0.0, 0.0]
    };
    ($one:ident) => {
        [$one.number(), 0.0]
    };
    ($one:ident $two:ident) => {
        [$one.number(), $two.number()]
    };
}
pub(super) use constants;

/// Makes `UnaryOp`, `Activation` and the builders of the rows of `functions.rs`.
macro_rules! unary_functions {
    ($(
        $(#[doc = $doc:literal])+
        $variant:ident
        $(($one:ident: $one_kind:ty = $one_default:expr))?
        $({$($(#[doc = $field_doc:literal])+ $field:ident: $kind:ty = $default:expr,)+})?
        {
            method: $method:ident,
            $(name: $name:literal,)?
            onnx: [$($onnx:literal),*],
            $(exp: $exp:literal,)?
            wgsl: $($is:ident)? $text:literal,
            host: |$x:ident| $host:expr,
            $(tests: [$($example:expr),+],)?
            $(domain: $domain:expr,)?
        }
    )+) => {
        /// Names an element-wise function of one operand; `x` is the value it is applied to.
        ///
        /// Formulas are Keras 3's, and ONNX's for what Keras lacks. NaN stays NaN in all of them
        /// but [`UnaryOp::LogicalNot`], [`UnaryOp::IsNan`] and [`UnaryOp::IsInf`].
        #[derive(Clone, Copy, Debug, PartialEq, Serialize, Deserialize)]
        #[serde(remote = "Self", rename_all = "snake_case", deny_unknown_fields)]
        #[non_exhaustive]
        pub enum UnaryOp {
            $(
                $(#[doc = $doc])+
                $variant
                $((#[serde(serialize_with = "Constant::save", deserialize_with = "Constant::load")] $one_kind))?
                $({$(
                    $(#[doc = $field_doc])+
                    #[serde(serialize_with = "Constant::save", deserialize_with = "Constant::load")]
                    $field: $kind,
                )+})?,
            )+
        }

        /// Names what a layer applies to its result: a function of each element, or softmax.
        ///
        /// Each but [`Activation::Softmax`] is the [`UnaryOp`] of the same name.
        #[derive(Clone, Copy, Debug, PartialEq)]
        #[non_exhaustive]
        pub enum Activation {
            $(
                $(#[doc = $doc])+
                $variant $(($one_kind))? $({$($(#[doc = $field_doc])+ $field: $kind,)+})?,
            )+
            /// `exp(x - max) / sum(exp(x - max))` over the last axis; a layer that asks for it
            /// becomes two nodes.
            Softmax,
        }

        impl Activation {
            /// Returns the element-wise function; none for softmax.
            #[must_use]
            pub fn function(self) -> Option<UnaryOp> {
                Some(match self {
                    $(Activation::$variant $(($one))? $({$($field),+})? => {
                        UnaryOp::$variant $(($one))? $({$($field),+})?
                    })+
                    Activation::Softmax => return None,
                })
            }
        }

        impl From<UnaryOp> for Activation {
            fn from(function: UnaryOp) -> Self {
                match function {
                    $(UnaryOp::$variant $(($one))? $({$($field),+})? => {
                        Activation::$variant $(($one))? $({$($field),+})?
                    })+
                }
            }
        }

        impl UnaryOp {
            /// Returns every function, with a constant or several where it has some.
            pub fn all() -> impl Iterator<Item = UnaryOp> {
                #[allow(clippy::enum_glob_use, reason = "rows name variants alone")]
                use UnaryOp::*;
                const ALL: &[&[UnaryOp]] = &[$(given!([$(&[$($example),+])?] &[$variant])),+];
                ALL.iter().copied().flatten().copied()
            }

            /// Returns a range of numbers over which it is finite and continuous.
            #[must_use]
            pub fn domain(self) -> std::ops::Range<f32> {
                match self {
                    $(UnaryOp::$variant { .. } => given!([$($domain)?] -8.0..8.0),)+
                }
            }

            pub(crate) fn row(self) -> Row {
                match self {
                    $(UnaryOp::$variant { .. } => Row {
                        name: given!([$($name)?] stringify!($method)),
                        wgsl: wgsl!($($is)? $text),
                        exp: given!([$(Some($exp))?] None),
                    },)+
                }
            }

            /// Returns the constants, as numbers and in order; 0 for those that it does not have.
            #[must_use]
            pub fn constants(self) -> [f32; 2] {
                match self {
                    $(UnaryOp::$variant $(($one))? $({$($field),+})? => {
                        constants!($($one)? $($($field)+)?)
                    })+
                }
            }

            /// Returns the names of ONNX's operators that are such functions.
            pub(crate) fn operators() -> impl Iterator<Item = &'static str> {
                [$($($onnx,)*)+].into_iter()
            }

            /// Makes the function of one of ONNX's operators.
            pub(crate) fn import(
                operator: &str,
                read: Read<'_>,
            ) -> Result<Option<UnaryOp>> {
                $(
                    let names: &[&str] = &[$($onnx),*];
                    if names.contains(&operator) {
                        $(let $one = Constant::import(read, stringify!($one), $one_default)?;)?
                        $($(let $field = Constant::import(read, stringify!($field), $default)?;)+)?
                        return Ok(Some(UnaryOp::$variant $(($one))? $({$($field),+})?));
                    }
                )+
                Ok(None)
            }

            /// Runs a loop over the function, in f32 on the host.
            #[inline(always)]
            pub(crate) fn visit(self, visit: impl Visit) {
                match self {
                    $(UnaryOp::$variant $(($one))? $({$($field),+})? => {
                        visit.visit(#[inline(always)] move |$x: f32| -> f32 { $host });
                    })+
                }
            }
        }

        impl Graph {
            $(
                #[doc = concat!("Applies [`UnaryOp::", stringify!($variant), "`] to every element.")]
                ///
                $(#[doc = $doc])+
                ///
                /// # Errors
                ///
                /// As [`Graph::activation`].
                pub fn $method(
                    &mut self,
                    x: Symbol,
                    $($one: $one_kind,)?
                    $($($field: $kind,)+)?
                ) -> Result<Symbol> {
                    self.activation(x, UnaryOp::$variant $(($one))? $({$($field),+})?)
                }
            )+
        }
    };
}
pub(super) use unary_functions;

/// Makes `BinaryOp` and the builders of the rows of `functions.rs`.
macro_rules! binary_functions {
    ($(
        $(#[doc = $doc:literal])+
        $variant:ident {
            method: $method:ident,
            $(name: $name:literal,)?
            onnx: [$($onnx:literal),*],
            wgsl: $($is:ident)? $text:literal,
            host: |$a:ident, $b:ident| $host:expr,
        }
    )+) => {
        /// Names an element-wise function of two operands.
        ///
        /// Comparisons give 1 or 0, and 0 where an operand is NaN; to logical functions whatever
        /// is not 0 is true, NaN too.
        #[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
        #[serde(rename_all = "snake_case")]
        #[non_exhaustive]
        pub enum BinaryOp {
            $($(#[doc = $doc])+ $variant,)+
        }

        impl BinaryOp {
            /// Every function.
            pub const ALL: &[BinaryOp] = &[$(BinaryOp::$variant),+];

            pub(crate) fn row(self) -> Row {
                match self {
                    $(BinaryOp::$variant => Row {
                        name: given!([$($name)?] stringify!($method)),
                        wgsl: wgsl!($($is)? $text),
                        exp: None,
                    },)+
                }
            }

            /// Returns the names of ONNX's operators that are such functions.
            pub(crate) fn operators() -> impl Iterator<Item = &'static str> {
                [$($($onnx,)*)+].into_iter()
            }

            /// Returns the function of one of ONNX's operators.
            pub(crate) fn import(operator: &str) -> Option<BinaryOp> {
                match operator {
                    $($($onnx => Some(BinaryOp::$variant),)*)+
                    _ => None,
                }
            }

            /// Runs a loop over the function, in f32 on the host.
            #[inline(always)]
            pub(crate) fn visit(self, visit: impl VisitTwo) {
                match self {
                    $(BinaryOp::$variant => {
                        visit.visit(#[inline(always)] |$a: f32, $b: f32| -> f32 { $host });
                    })+
                }
            }
        }

        impl Graph {
            $(
                #[doc = concat!("Applies [`BinaryOp::", stringify!($variant), "`], broadcasting as NumPy does.")]
                ///
                $(#[doc = $doc])+
                ///
                /// # Errors
                ///
                /// As [`Graph::binary`].
                pub fn $method(&mut self, left: Symbol, right: Symbol) -> Result<Symbol> {
                    self.binary(BinaryOp::$variant, left, right)
                }
            )+
        }
    };
}
pub(super) use binary_functions;
