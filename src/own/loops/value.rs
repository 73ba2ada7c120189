//! Values of a function's expressions, as ranges, where a dispatch is known.

use std::collections::HashMap;

use naga::valid::FunctionInfo;
use naga::{
    AddressSpace, BinaryOperator, Binding, BuiltIn, Expression, Function, GlobalVariable, Handle,
    Literal, LocalVariable, MathFunction, Module, ScalarKind, Type, TypeInner,
};

use super::Dispatch;
use super::range::{Arithmetic, Kind, Range, apply};

/// A scalar's range in each place, or a vector's lanes.
pub(super) type Lanes = [Range; 4];

/// What a function is looked at in: its source, its dispatch, and its variables at this point.
pub(super) struct Frame<'a> {
    pub module: &'a Module,
    pub function: &'a Function,
    pub info: &'a FunctionInfo,
    pub dispatch: &'a Dispatch<'a>,
    /// The values of the arguments; those of an entry point are what its dispatch gives.
    pub arguments: Vec<Lanes>,
    pub locals: HashMap<Handle<LocalVariable>, Lanes>,
    pub values: HashMap<Handle<Expression>, Lanes>,
}

/// What a pointer, or a member of a value, leads to.
enum Place {
    Local(Handle<LocalVariable>, Vec<u32>),
    Global(Handle<GlobalVariable>, Vec<u32>),
    Elsewhere,
}

impl Frame<'_> {
    /// Gives variables the values that they are declared with.
    pub(super) fn begin(&mut self) {
        for (handle, variable) in self.function.local_variables.iter() {
            let value = match variable.init {
                Some(init) => self.value(init),
                None => match kind_of(&self.module.types[variable.ty].inner) {
                    Kind::Other => continue,
                    Kind::U32 | Kind::I32 => [Range::point(0); 4],
                },
            };
            self.locals.insert(handle, value);
        }
    }

    /// Computes an expression at the place where it is emitted.
    pub(super) fn emit(&mut self, expression: Handle<Expression>) {
        let value = self.compute(expression);
        self.values.insert(expression, value);
    }

    /// Returns the value of an expression; what is never emitted is computed here.
    pub(super) fn value(&self, expression: Handle<Expression>) -> Lanes {
        self.values.get(&expression).copied().unwrap_or_else(|| self.compute(expression))
    }

    /// Returns the value of a scalar.
    pub(super) fn scalar(&self, expression: Handle<Expression>) -> Range {
        let [first, ..] = self.value(expression);
        first
    }

    pub(super) fn kind(&self, expression: Handle<Expression>) -> Kind {
        kind_of(self.info[expression].ty.inner_with(&self.module.types))
    }

    fn compute(&self, expression: Handle<Expression>) -> Lanes {
        let kind = self.kind(expression);
        match self.function.expressions[expression] {
            Expression::Literal(literal) => [number(literal).unwrap_or(kind.any()); 4],
            Expression::Constant(constant) => {
                self.constant(self.module.constants[constant].init, kind)
            }
            Expression::ZeroValue(_) if kind != Kind::Other => [Range::point(0); 4],
            Expression::Compose { ref components, .. } => self.compose(components, kind),
            Expression::Splat { value, .. } => self.value(value),
            Expression::Swizzle { vector, pattern, .. } => {
                let lanes = self.value(vector);
                pattern.map(|component| lane(lanes, component as u32))
            }
            Expression::AccessIndex { base, index } => self.member(expression, base, index, kind),
            Expression::Load { pointer } => self.load(pointer, kind),
            Expression::FunctionArgument(index) => {
                self.arguments.get(index as usize).copied().unwrap_or([kind.any(); 4])
            }
            Expression::Binary { op, left, right } => self.binary(op, [left, right], kind),
            Expression::Select { accept, reject, .. } => {
                zip(self.value(accept), self.value(reject), Range::or)
            }
            Expression::Math { fun, arg, arg1, arg2, .. } => {
                self.math(fun, arg, [arg1, arg2], kind)
            }
            Expression::As { expr, convert: Some(4), .. } if self.is_integer(expr) => {
                self.value(expr).map(|range| range.cast(kind))
            }
            Expression::ArrayLength(array) => [self.length(array); 4],
            _ => [kind.any(); 4],
        }
    }

    fn is_integer(&self, expression: Handle<Expression>) -> bool {
        self.kind(expression) != Kind::Other
    }

    /// The value of a constant of the module.
    fn constant(&self, expression: Handle<Expression>, kind: Kind) -> Lanes {
        let scalar = |handle: Handle<Expression>| match self.module.global_expressions[handle] {
            Expression::Literal(literal) => number(literal).unwrap_or(kind.any()),
            _ => kind.any(),
        };
        match &self.module.global_expressions[expression] {
            Expression::Compose { components, .. } => {
                let mut lanes = [kind.any(); 4];
                lanes.iter_mut().zip(components).for_each(|(to, &from)| *to = scalar(from));
                lanes
            }
            Expression::Splat { value, .. } => [scalar(*value); 4],
            Expression::ZeroValue(_) if kind != Kind::Other => [Range::point(0); 4],
            _ => [scalar(expression); 4],
        }
    }

    fn compose(&self, components: &[Handle<Expression>], kind: Kind) -> Lanes {
        let parts = components.iter().flat_map(|&part| {
            let inner = self.info[part].ty.inner_with(&self.module.types);
            let length =
                if let TypeInner::Vector { size, .. } = inner { *size as usize } else { 1 };
            self.value(part).into_iter().take(length)
        });
        let mut lanes = [kind.any(); 4];
        if kind != Kind::Other {
            lanes.iter_mut().zip(parts).for_each(|(to, from)| *to = from);
        }
        lanes
    }

    /// One lane of a vector, a member of a struct of arguments, or of the parameters.
    fn member(
        &self,
        expression: Handle<Expression>,
        base: Handle<Expression>,
        index: u32,
        kind: Kind,
    ) -> Lanes {
        match (self.info[base].ty.inner_with(&self.module.types), self.place(expression)) {
            (TypeInner::Vector { .. }, _) => [lane(self.value(base), index); 4],
            (_, Place::Global(global, path)) => self.parameter(global, &path, kind),
            (TypeInner::Struct { members, .. }, _)
                if matches!(self.function.expressions[base], Expression::FunctionArgument(_)) =>
            {
                let binding = members.get(index as usize).and_then(|found| found.binding.as_ref());
                self.dispatch.builtin(binding).unwrap_or([kind.any(); 4])
            }
            _ => [kind.any(); 4],
        }
    }

    fn load(&self, pointer: Handle<Expression>, kind: Kind) -> Lanes {
        match self.place(pointer) {
            Place::Local(local, path) => {
                let found = self.locals.get(&local).copied().unwrap_or([kind.any(); 4]);
                match path.as_slice() {
                    [] => found,
                    &[index] if self.is_vector(self.function.local_variables[local].ty) => {
                        [lane(found, index); 4]
                    }
                    _ => [kind.any(); 4],
                }
            }
            Place::Global(global, path) => self.parameter(global, &path, kind),
            Place::Elsewhere => [kind.any(); 4],
        }
    }

    pub(super) fn is_vector(&self, ty: Handle<Type>) -> bool {
        matches!(self.module.types[ty].inner, TypeInner::Vector { .. })
    }

    /// Reads a number of the uniform parameters.
    fn parameter(&self, global: Handle<GlobalVariable>, path: &[u32], kind: Kind) -> Lanes {
        let variable = &self.module.global_variables[global];
        let unknown = [kind.any(); 4];
        let (AddressSpace::Uniform, TypeInner::Struct { members, .. }) =
            (variable.space, &self.module.types[variable.ty].inner)
        else {
            return unknown;
        };
        let Some((member, rest)) = path
            .split_first()
            .and_then(|(&first, rest)| members.get(first as usize).map(|member| (member, rest)))
        else {
            return unknown;
        };
        let mut lanes = unknown;
        for (number, to) in (0..).zip(&mut lanes) {
            *to = self.dispatch.word(member.offset + 4 * number, kind).unwrap_or(kind.any());
        }
        match *rest {
            [] if self.is_vector(member.ty) => lanes,
            [] => [lane(lanes, 0); 4],
            [index, ..] => [lane(lanes, index); 4],
        }
    }

    /// Follows a pointer, or the members of a value that was loaded, to its variable.
    fn place(&self, mut expression: Handle<Expression>) -> Place {
        let mut path = Vec::new();
        let mut was_loaded = false;
        loop {
            expression = match self.function.expressions[expression] {
                Expression::AccessIndex { base, index } => {
                    path.insert(0, index);
                    base
                }
                Expression::Load { pointer } => {
                    was_loaded = true;
                    pointer
                }
                // A variable may have changed since.
                Expression::LocalVariable(local) if !was_loaded => {
                    return Place::Local(local, path);
                }
                Expression::GlobalVariable(global) => return Place::Global(global, path),
                _ => return Place::Elsewhere,
            };
        }
    }

    /// Returns the variable that a pointer leads into, if it is the function's own.
    pub(super) fn target(&self, mut pointer: Handle<Expression>) -> Option<Handle<LocalVariable>> {
        loop {
            pointer = match self.function.expressions[pointer] {
                Expression::AccessIndex { base, .. } | Expression::Access { base, .. } => base,
                Expression::LocalVariable(local) => return Some(local),
                _ => return None,
            };
        }
    }

    fn binary(
        &self,
        op: BinaryOperator,
        [left, right]: [Handle<Expression>; 2],
        kind: Kind,
    ) -> Lanes {
        match arithmetic(op) {
            Some(operation) => zip(self.value(left), self.value(right), |left, right| {
                apply(operation, left, right, kind)
            }),
            None => [kind.any(); 4],
        }
    }

    fn math(
        &self,
        fun: MathFunction,
        first: Handle<Expression>,
        others: [Option<Handle<Expression>>; 2],
        kind: Kind,
    ) -> Lanes {
        let (first, others) = (self.value(first), others.map(|arg| arg.map(|arg| self.value(arg))));
        match (fun, others) {
            _ if kind == Kind::Other => [kind.any(); 4],
            (MathFunction::Min, [Some(other), _]) => zip(first, other, |a, b| a.min(b, kind)),
            (MathFunction::Max, [Some(other), _]) => zip(first, other, Range::max),
            (MathFunction::Clamp, [Some(low), Some(high)]) => {
                zip(zip(first, low, Range::max), high, |a, b| a.min(b, kind))
            }
            _ => [kind.any(); 4],
        }
    }

    /// The number of elements of a storage buffer.
    fn length(&self, array: Handle<Expression>) -> Range {
        let Expression::GlobalVariable(global) = self.function.expressions[array] else {
            return Kind::U32.any();
        };
        let binding = self.module.global_variables[global].binding.as_ref();
        let length = binding.and_then(|binding| self.dispatch.length(binding.binding));
        length.map_or(Kind::U32.any(), |length| Range::point(length).cast(Kind::U32))
    }
}

/// Returns the values of an entry point's arguments.
pub(super) fn entry_arguments(function: &Function, dispatch: &Dispatch<'_>) -> Vec<Lanes> {
    let argument = |binding: Option<&Binding>| dispatch.builtin(binding);
    let all = function.arguments.iter();
    all.map(|found| argument(found.binding.as_ref()).unwrap_or_default()).collect()
}

impl Dispatch<'_> {
    /// Returns what a built-in value can be.
    fn builtin(&self, binding: Option<&Binding>) -> Option<Lanes> {
        let Some(Binding::BuiltIn(builtin)) = binding else { return None };
        let below = |counts: [u64; 3]| {
            let mut lanes = [Range::point(0); 4];
            for (to, count) in lanes.iter_mut().zip(counts) {
                *to = Range::of(0, i64::try_from(count).unwrap_or(i64::MAX).saturating_sub(1));
                *to = to.cast(Kind::U32);
            }
            lanes
        };
        let [groups, sizes] = [self.workgroups, self.workgroup_size];
        let [gx, gy, gz] = groups.map(u64::from);
        let [sx, sy, sz] = sizes.map(u64::from);
        match builtin {
            BuiltIn::GlobalInvocationId => Some(below([gx * sx, gy * sy, gz * sz])),
            BuiltIn::LocalInvocationId => Some(below([sx, sy, sz])),
            BuiltIn::LocalInvocationIndex => {
                let [first, ..] = below([sx * sy * sz, 1, 1]);
                Some([first; 4])
            }
            BuiltIn::WorkGroupId => Some(below([gx, gy, gz])),
            BuiltIn::NumWorkGroups => {
                let [x, y, z] = groups.map(|count| Range::point(i64::from(count)));
                Some([x, y, z, Range::point(0)])
            }
            _ => None,
        }
    }

    fn word(&self, offset: u32, kind: Kind) -> Option<Range> {
        let bytes = self.params.get(offset as usize..)?.first_chunk::<4>()?;
        match kind {
            Kind::U32 => Some(Range::point(u32::from_le_bytes(*bytes).into())),
            Kind::I32 => Some(Range::point(i32::from_le_bytes(*bytes).into())),
            Kind::Other => None,
        }
    }

    fn length(&self, binding: u32) -> Option<i64> {
        let found = self.lengths.iter().find(|(number, _)| *number == binding)?;
        i64::try_from(found.1).ok()
    }
}

fn kind_of(inner: &TypeInner) -> Kind {
    let (TypeInner::Scalar(scalar) | TypeInner::Vector { scalar, .. }) = inner else {
        return Kind::Other;
    };
    match (scalar.kind, scalar.width) {
        (ScalarKind::Uint, 4) => Kind::U32,
        (ScalarKind::Sint, 4) => Kind::I32,
        _ => Kind::Other,
    }
}

fn number(literal: Literal) -> Option<Range> {
    match literal {
        Literal::U32(value) => Some(Range::point(value.into())),
        Literal::I32(value) => Some(Range::point(value.into())),
        _ => None,
    }
}

fn lane(lanes: Lanes, index: u32) -> Range {
    lanes.get(index as usize).copied().unwrap_or_default()
}

fn zip(left: Lanes, right: Lanes, f: impl Fn(Range, Range) -> Range) -> Lanes {
    let mut lanes = left;
    lanes.iter_mut().zip(right).for_each(|(to, right)| *to = f(*to, right));
    lanes
}

/// The operations that are followed.
pub(super) fn arithmetic(op: BinaryOperator) -> Option<Arithmetic> {
    match op {
        BinaryOperator::Add => Some(Arithmetic::Add),
        BinaryOperator::Subtract => Some(Arithmetic::Subtract),
        BinaryOperator::Multiply => Some(Arithmetic::Multiply),
        BinaryOperator::Divide => Some(Arithmetic::Divide),
        BinaryOperator::Modulo => Some(Arithmetic::Remainder),
        BinaryOperator::And => Some(Arithmetic::And),
        BinaryOperator::ShiftLeft => Some(Arithmetic::ShiftLeft),
        BinaryOperator::ShiftRight => Some(Arithmetic::ShiftRight),
        _ => None,
    }
}
