//! Expressions: each leaves its value in a slot.
//!
//! Comprehensions run where they stand; their targets shadow. Generator expressions are bodies of
//! their own.

use ruff_python_ast::{
    Arguments, Comprehension, Expr, ExprCall, ExprFString, ExprGenerator, ExprUnaryOp, Int, Number,
    Operator, UnaryOp,
};
use ruff_text_size::{Ranged as _, TextRange};

use super::flow::Awaits;
use super::lowering::{Lowering, NewBody};
use super::narrowing::{Side, awaited_future};
use super::scopes::names_in;
use super::statements::{DEPTH_MAX, word};
use super::truth::{Truth, truth};
use crate::facts::{
    Action, Argument, ArgumentKind, BEGINNING, BodyKind, Call, Collection, EXPRESSION, Key, Mode,
    PROSE, RETURNED, Slot, Trait, YIELDS,
};

impl Lowering<'_> {
    pub(super) fn expression(&mut self, expression: &Expr) -> Slot {
        if self.depth >= DEPTH_MAX {
            self.too_deep(expression.range());
            return self.slot();
        }
        self.depth += 1;
        let slot = self.deeper(expression);
        self.note_part(expression, slot);
        self.depth -= 1;
        slot
    }

    fn deeper(&mut self, expression: &Expr) -> Slot {
        let range = expression.range();
        match expression {
            Expr::Name(name) => self.read(range, name.id.as_str()),
            Expr::Call(call) => self.call(call, Mode::Plain),
            Expr::Attribute(attribute) => {
                let base = self.expression(&attribute.value);
                let name = self.name(attribute.attr.as_str());
                let to = self.slot();
                self.emit(range, Action::Attribute { to, base, name });
                let to = self.as_passed(expression, to);
                if !self.scopes.unblocked.contains(attribute.attr.as_str()) {
                    return to;
                }
                let (from, to, by) = (to, self.slot(), Trait::Unblocked);
                self.emit(range, Action::Filter { to, from, by });
                to
            }
            Expr::Subscript(item) if word(&item.value) == "Annotated" => {
                self.expression(&item.slice);
                self.annotation(expression)
            }
            Expr::Subscript(item) => {
                let base = self.expression(&item.value);
                let key = self.key(&item.slice);
                let to = self.slot();
                self.emit(range, Action::Item { to, base, key });
                to
            }
            Expr::Await(awaited) => {
                let from = match &*awaited.value {
                    Expr::Call(call) => self.call(call, Mode::Awaited),
                    other => self.expression(other),
                };
                let to = self.slot();
                self.emit(range, Action::Await { to, from });
                if let Some(future) = awaited_future(&awaited.value) {
                    self.narrow(range, future, Trait::Ready);
                }
                to
            }
            Expr::Lambda(lambda) => self.lambda(lambda),
            Expr::Starred(starred) => {
                let from = self.expression(&starred.value);
                self.iterate(range, from, Mode::Plain)
            }
            Expr::Named(named) => {
                let from = self.expression(&named.value);
                self.assign(&named.target, from);
                from
            }
            _ => self.literal(expression),
        }
    }

    fn literal(&mut self, expression: &Expr) -> Slot {
        let range = expression.range();
        match expression {
            Expr::StringLiteral(literal) => self.text(range, as_known(literal.value.to_str())),
            // What bytes there are, nobody asks; their `join` iterates as that of a text does.
            Expr::BytesLiteral(literal) => {
                let text = if literal.value.is_empty() { "" } else { PROSE };
                self.text(range, text)
            }
            Expr::NoneLiteral(_) => {
                let to = self.slot();
                self.emit(range, Action::Nothing { to });
                to
            }
            Expr::NumberLiteral(literal) => {
                let number = match &literal.value {
                    Number::Int(whole) => whole.as_i64(),
                    // The one that means "do not wait".
                    Number::Float(real) if *real == 0.0 => Some(0),
                    Number::Float(_) | Number::Complex { .. } => None,
                };
                self.number(range, number)
            }
            Expr::BooleanLiteral(literal) => self.number(range, Some(i64::from(literal.value))),
            _ => self.composite(expression),
        }
    }

    fn composite(&mut self, expression: &Expr) -> Slot {
        let range = expression.range();
        match expression {
            Expr::BoolOp(any) => self.either(range, any),
            Expr::If(choice) => self.choice(choice),
            Expr::BinOp(binary) => {
                let left = self.expression(&binary.left);
                let right = self.expression(&binary.right);
                let to = self.binary(range, binary.op, left, right);
                if let (Expr::StringLiteral(text), Operator::Add) = (&*binary.left, binary.op) {
                    self.beginning(range, to, text.value.to_str());
                }
                to
            }
            Expr::UnaryOp(unary) => {
                let operand = self.expression(&unary.operand);
                let method = match unary.op {
                    UnaryOp::Not => "__bool__",
                    UnaryOp::USub => "__neg__",
                    UnaryOp::UAdd => "__pos__",
                    UnaryOp::Invert => "__invert__",
                };
                self.special(range, method, operand, None)
            }
            Expr::Compare(compare) => self.compare(compare),
            Expr::FString(text) => self.f_string(text),
            Expr::Yield(given) => {
                let from = given.value.as_ref().map(|value| self.expression(value));
                let from = from.unwrap_or_else(|| self.slot());
                let to = self.slot();
                self.emit(range, Action::Yield { to, from });
                to
            }
            Expr::YieldFrom(given) => {
                let from = self.expression(&given.value);
                let to = self.iterate(range, from, Mode::Plain);
                self.emit(
                    range,
                    Action::Copy {
                        to: YIELDS,
                        from: to,
                    },
                );
                // What it returns is what the expression is.
                self.call_builtin(range, RETURNED, &[from])
            }
            _ => self.collection(expression),
        }
    }

    fn collection(&mut self, expression: &Expr) -> Slot {
        let range = expression.range();
        match expression {
            Expr::List(list) => self.sequence(range, &list.elts),
            Expr::Tuple(tuple) => self.sequence(range, &tuple.elts),
            Expr::Set(set) => self.sequence(range, &set.elts),
            Expr::Dict(dict) => {
                let mut items = Vec::new();
                let mut spread = Vec::new();
                for item in &dict.items {
                    let key = item.key.as_ref().map(|key| self.key(key));
                    let value = self.expression(&item.value);
                    match key {
                        Some(key) => items.push((key, value)),
                        None => spread.push(value),
                    }
                }
                self.collected(range, items, spread)
            }
            Expr::ListComp(list) => self.comprehension(range, &list.generators, &[&list.elt]),
            Expr::SetComp(set) => self.comprehension(range, &set.generators, &[&set.elt]),
            Expr::Generator(each) => self.generator(each),
            Expr::DictComp(dict) => {
                let mut parts: Vec<&Expr> = dict.key.iter().map(|key| &**key).collect();
                parts.push(&dict.value);
                self.comprehension(range, &dict.generators, &parts)
            }
            Expr::Slice(slice) => {
                for part in [&slice.lower, &slice.upper, &slice.step]
                    .into_iter()
                    .flatten()
                {
                    self.expression(part);
                }
                self.slot()
            }
            _ => self.slot(),
        }
    }

    pub(super) fn text(&mut self, range: TextRange, text: &str) -> Slot {
        let (to, text) = (self.slot(), self.name(text));
        self.emit(range, Action::Text { to, text });
        to
    }

    fn number(&mut self, range: TextRange, number: Option<i64>) -> Slot {
        let to = self.slot();
        if let Some(number) = number {
            self.emit(range, Action::Number { to, number });
        }
        to
    }

    fn choice(&mut self, choice: &ruff_python_ast::ExprIf) -> Slot {
        let asked = self.tested(&choice.test);
        match truth(&choice.test) {
            Truth::Always => return self.expression(&choice.body),
            Truth::Never | Truth::Typing => return self.expression(&choice.orelse),
            Truth::Unknown => {}
        }
        let narrowing = self.narrowing(&choice.test);
        let to = self.slot();
        let before = self.mark();
        let tested = choice.test.range();
        let first = self.here();
        let around = self.enter_branch(tested, narrowing.as_ref(), Side::Holds);
        let from = self.expression(&choice.body);
        self.leave_branch(around);
        self.emit(choice.range(), Action::Copy { to, from });
        self.guarded(first, &asked);
        let taken = self.resume(before);
        let first = self.here();
        let around = self.enter_branch(tested, narrowing.as_ref(), Side::Fails);
        let from = self.expression(&choice.orelse);
        self.leave_branch(around);
        self.emit(choice.range(), Action::Copy { to, from });
        self.guarded(first, &asked.negated());
        self.join_tested(taken, &asked);
        to
    }

    /// The key of a subscription or of a dict's item.
    pub(super) fn key(&mut self, key: &Expr) -> Key {
        match key {
            Expr::StringLiteral(literal) => Key::Text(self.name(as_known(literal.value.to_str()))),
            Expr::NumberLiteral(literal) => match literal.value.as_int().and_then(Int::as_i64) {
                Some(number) => Key::Number(number),
                None => Key::Any,
            },
            Expr::Slice(_) => {
                self.expression(key);
                Key::Slice
            }
            Expr::UnaryOp(unary) => {
                self.expression(key);
                negative(unary).map_or(Key::Any, Key::Number)
            }
            _ => Key::Slot(self.expression(key)),
        }
    }

    pub(super) fn call(&mut self, call: &ExprCall, mode: Mode) -> Slot {
        let mut callee = self.expression(&call.func);
        if mode == Mode::Awaited {
            callee = self.as_chosen(&call.func, callee);
        }
        let arguments = self.arguments(&call.arguments);
        let to = self.slot();
        let call_made = Call {
            to,
            callee,
            arguments,
            mode,
        };
        self.emit(call.range(), Action::Call(Box::new(call_made)));
        to
    }

    fn arguments(&mut self, given: &Arguments) -> Vec<Argument> {
        let mut arguments = Vec::new();
        for argument in &given.args {
            let (kind, value) = match argument {
                Expr::Starred(starred) => (ArgumentKind::Star, &*starred.value),
                other => (ArgumentKind::Positional, other),
            };
            let slot = self.expression(value);
            arguments.push(Argument { kind, slot });
        }
        for keyword in &given.keywords {
            let slot = self.expression(&keyword.value);
            let kind = match &keyword.arg {
                Some(name) => ArgumentKind::Keyword(self.name(name.as_str())),
                None => ArgumentKind::DoubleStar,
            };
            arguments.push(Argument { kind, slot });
        }
        arguments
    }

    fn sequence(&mut self, range: TextRange, parts: &[Expr]) -> Slot {
        let mut items = Vec::new();
        let mut spread = Vec::new();
        for (index, part) in parts.iter().enumerate() {
            if let Expr::Starred(starred) = part {
                spread.push(self.expression(&starred.value));
            } else {
                let key = if spread.is_empty() {
                    Key::position(index)
                } else {
                    Key::Any
                };
                items.push((key, self.expression(part)));
            }
        }
        self.collected(range, items, spread)
    }

    /// A collection of what slots hold.
    pub(super) fn collected(
        &mut self,
        range: TextRange,
        items: Vec<(Key, Slot)>,
        spread: Vec<Slot>,
    ) -> Slot {
        let to = self.slot();
        let made = Collection { to, items, spread };
        self.emit(range, Action::Collection(Box::new(made)));
        to
    }

    fn comprehension(
        &mut self,
        range: TextRange,
        generators: &[Comprehension],
        parts: &[&Expr],
    ) -> Slot {
        let before = self.mark();
        let shadows = self.frame().shadows.len();
        for generator in generators {
            let from = self.expression(&generator.iter);
            self.clause(generator, from);
        }
        let values: Vec<Slot> = parts.iter().map(|part| self.expression(part)).collect();
        self.frame().shadows.truncate(shadows);
        self.resume(before);
        let items = values
            .last()
            .map(|value| (Key::Any, *value))
            .into_iter()
            .collect();
        self.collected(range, items, Vec::new())
    }

    /// `for target in from if …` of a comprehension.
    fn clause(&mut self, generator: &Comprehension, from: Slot) {
        let mode = if generator.is_async {
            Mode::Awaited
        } else {
            Mode::Plain
        };
        let item = self.iterate(generator.iter.range(), from, mode);
        let mut names = Vec::new();
        names_in(&generator.target, &mut names);
        for name in names {
            let number = self.name(&name);
            self.frame().shadows.push(number);
        }
        self.assign(&generator.target, item);
        for test in &generator.ifs {
            self.expression(test);
            if let Some(narrowing) = self.narrowing(test) {
                self.narrow(test.range(), &narrowing.name, narrowing.holds);
            }
        }
    }

    /// A generator expression is a function, called where it stands: its body runs when it is
    /// iterated, its first iterable is evaluated at once.
    fn generator(&mut self, each: &ExprGenerator) -> Slot {
        let Some((first, rest)) = each.generators.split_first() else {
            return self.slot();
        };
        let outside = self.expression(&first.iter);
        let kind = if Awaits::any(each) {
            BodyKind::AsyncGenerator
        } else {
            BodyKind::Generator
        };
        let name = self.name(EXPRESSION);
        let function = self.open_expression(NewBody { name, kind });
        let iterated = self.name(".0");
        let from = self.pass(iterated, outside);
        self.clause(first, from);
        for generator in rest {
            let from = self.expression(&generator.iter);
            self.clause(generator, from);
        }
        let from = self.expression(&each.elt);
        let sent = self.slot();
        self.emit(each.elt.range(), Action::Yield { to: sent, from });
        let defaults = self.close_expression();
        let (to, callee) = (self.slot(), self.slot());
        let made = Action::Function {
            to: callee,
            function,
            defaults,
        };
        self.emit(each.range(), made);
        let call = Call {
            to,
            callee,
            arguments: Vec::new(),
            mode: Mode::Plain,
        };
        self.emit(each.range(), Action::Call(Box::new(call)));
        to
    }

    fn iterate(&mut self, range: TextRange, from: Slot, mode: Mode) -> Slot {
        let to = self.slot();
        self.emit(range, Action::Iterate { to, from, mode });
        to
    }

    fn f_string(&mut self, text: &ExprFString) -> Slot {
        let to = self.slot();
        let first = text.value.elements().next();
        if let Some(first) = first.and_then(|element| element.as_literal()) {
            self.beginning(text.range(), to, &first.value);
        }
        for element in text.value.elements() {
            if let Some(interpolation) = element.as_interpolation() {
                let value = self.expression(&interpolation.expression);
                let from = self.special(interpolation.range, "__format__", value, None);
                self.emit(interpolation.range, Action::Copy { to, from });
            }
        }
        to
    }

    /// What begins like a name may be one that is looked for: `f"do_{action}"`, `f"plugins.{name}"`.
    fn beginning(&mut self, range: TextRange, to: Slot, text: &str) {
        let is_name = |one: char| one.is_ascii_alphanumeric() || one == '_';
        let is_path = text.ends_with('.') && text.chars().all(|one| is_name(one) || one == '.');
        if is_path || text.len() > 1 && text.chars().all(is_name) {
            let text = self.name(&format!("{text}{BEGINNING}"));
            self.emit(range, Action::Text { to, text });
        }
    }
}

/// A text as far as it makes a difference what it says.
fn as_known(text: &str) -> &str {
    if text.contains(char::is_whitespace) {
        PROSE
    } else {
        text
    }
}

/// `-1`, which counts from the end.
fn negative(unary: &ExprUnaryOp) -> Option<i64> {
    let (UnaryOp::USub, Expr::NumberLiteral(literal)) = (unary.op, &*unary.operand) else {
        return None;
    };
    let number = literal.value.as_int().and_then(Int::as_i64)?;
    number.checked_neg().filter(|number| *number < 0)
}
