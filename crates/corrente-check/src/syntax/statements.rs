//! Statements.
//!
//! Code that cannot run (after `return`, under `if TYPE_CHECKING`, `if False`) is not lowered,
//! apart from the imports and classes under `TYPE_CHECKING`, which annotations name.

use ruff_python_ast::{
    ElifElseClause, ExceptHandler, Expr, ExprCall, Identifier, Stmt, StmtIf, StmtTry,
};
use ruff_text_size::{Ranged as _, TextRange};

use super::lowering::Lowering;
use super::narrowing::{Side, is_for_want_of_a_thread};
use super::scopes::{Place, unblocks};
use super::truth::{Truth, ends, truth};
use crate::facts::{Action, Argument, ArgumentKind, Call, Key, Mode, Passage, Slot, Trait};

/// Nesting of expressions and statements that is followed; generated code goes deeper.
pub(super) const DEPTH_MAX: u32 = 2_000;

impl Lowering<'_> {
    pub(super) fn statements(&mut self, body: &[Stmt]) {
        let pending = self.frame().pending.len();
        for statement in body {
            if !self.is_live() {
                break;
            }
            if self.depth < DEPTH_MAX {
                self.depth += 1;
                let parts = u32::from(parts_ways(statement));
                self.frame().branches += parts;
                self.statement(statement);
                self.frame().branches -= parts;
                self.depth -= 1;
            } else {
                self.too_deep(statement.range());
            }
        }
        self.end_pending(pending);
    }

    fn statement(&mut self, statement: &Stmt) {
        match statement {
            Stmt::FunctionDef(function) => self.function(function),
            Stmt::ClassDef(class) => self.class(class),
            Stmt::Import(import) => self.import(import),
            Stmt::ImportFrom(import) => self.import_from(import),
            Stmt::If(test) => self.if_statement(test),
            Stmt::For(_) | Stmt::While(_) => self.loop_statement(statement),
            Stmt::Try(attempt) => self.try_statement(attempt),
            Stmt::Match(choice) => self.match_statement(choice),
            Stmt::With(with) => {
                let mode = mode(with.is_async);
                for item in &with.items {
                    let from = self.expression(&item.context_expr);
                    let to = self.slot();
                    self.emit(item.context_expr.range(), Action::Enter { to, from, mode });
                    if let Some(target) = &item.optional_vars {
                        self.assign(target, to);
                    }
                }
                self.statements(&with.body);
            }
            Stmt::Break(_) | Stmt::Continue(_) => self.leave(
                matches!(statement, Stmt::Break(_))
                    .then_some(Leaving::Break)
                    .unwrap_or(Leaving::Continue),
            ),
            _ => self.simple(statement),
        }
    }

    fn simple(&mut self, statement: &Stmt) {
        let range = statement.range();
        match statement {
            Stmt::Return(given) => {
                if let Some(value) = &given.value {
                    let from = self.expression(value);
                    self.emit(range, Action::Return { from });
                }
                self.stop();
            }
            Stmt::Raise(raise) => {
                for part in raise.exc.iter().chain(&raise.cause) {
                    self.expression(part);
                }
                self.stop();
            }
            Stmt::Assign(assign) => {
                let from = self.expression(&assign.value);
                for target in &assign.targets {
                    self.assign(target, from);
                }
                self.keep_test(&assign.value, from);
            }
            Stmt::AnnAssign(assign) => self.annotated(assign),
            Stmt::AugAssign(assign) => {
                let left = self.expression(&assign.target);
                let right = self.expression(&assign.value);
                let to = self.binary(range, assign.op, left, right);
                self.in_place(range, assign.op, (left, right), to);
                self.emit(range, Action::Copy { to, from: left });
                self.assign(&assign.target, to);
            }
            // A docstring, or what stands in place of a comment.
            Stmt::Expr(expression) if expression.value.is_string_literal_expr() => {}
            Stmt::Expr(expression) => self.alone(&expression.value),
            Stmt::TypeAlias(alias) => {
                let from = self.annotation(&alias.value);
                self.assign(&alias.name, from);
            }
            Stmt::Assert(assert) => {
                let asked = self.tested(&assert.test);
                self.guarded_from_here(asked);
                if truth(&assert.test) == Truth::Never {
                    self.stop();
                    return;
                }
                if let Some(narrowing) = self.narrowing(&assert.test) {
                    self.narrow(range, &narrowing.name, narrowing.holds);
                }
            }
            Stmt::Delete(delete) => {
                for target in &delete.targets {
                    self.delete(target);
                }
            }
            _ => {}
        }
    }

    /// An expression that stands alone.
    fn alone(&mut self, expression: &Expr) {
        self.expression(expression);
        let Expr::Call(call) = expression else {
            return;
        };
        if let Some(Expr::Name(socket)) = unblocks(call) {
            self.narrow(call.range(), socket.id.as_str(), Trait::Unblocked);
        }
        if self.is_the_end(call) {
            self.stop();
        }
    }

    fn annotated(&mut self, assign: &ruff_python_ast::StmtAnnAssign) {
        let range = assign.range();
        let annotation = self.annotation(&assign.annotation);
        let to = self.slot();
        self.emit(range, Action::Declare { to, annotation });
        if let Some(value) = &assign.value {
            let from = self.expression(value);
            self.emit(range, Action::Copy { to, from });
        }
        if let Expr::Name(name) = &*assign.target {
            let number = self.name(name.id.as_str());
            self.frame().fields.push(number);
        }
        self.assign(&assign.target, to);
    }

    /// Whether a call ends the program: `exit` is the builtin one only where nothing else is called so.
    fn is_the_end(&mut self, call: &ExprCall) -> bool {
        let scope = self.frame().scope;
        match &*call.func {
            Expr::Name(name) => {
                matches!(name.id.as_str(), "exit" | "quit")
                    && self.scopes.find(scope, name.id.as_str()) == Place::Builtin
            }
            other => ends(other),
        }
    }

    fn delete(&mut self, target: &Expr) {
        let range = target.range();
        match target {
            Expr::Subscript(item) => {
                let left = self.expression(&item.value);
                let right = self.expression(&item.slice);
                self.special(range, "__delitem__", left, Some(right));
            }
            Expr::Attribute(attribute) => {
                let base = self.expression(&attribute.value);
                let name = self.text(range, attribute.attr.as_str());
                self.call_builtin(range, "delattr", &[base, name]);
            }
            Expr::Tuple(tuple) => tuple.elts.iter().for_each(|part| self.delete(part)),
            Expr::List(list) => list.elts.iter().for_each(|part| self.delete(part)),
            _ => {}
        }
    }

    /// A call of a builtin function that the source does not write as one.
    pub(super) fn call_builtin(&mut self, range: TextRange, name: &str, given: &[Slot]) -> Slot {
        let (to, callee) = (self.slot(), self.slot());
        let name = self.name(name);
        self.emit(range, Action::Builtin { to: callee, name });
        let kind = ArgumentKind::Positional;
        let arguments = given.iter().map(|slot| Argument { kind, slot: *slot });
        let call = Call {
            to,
            callee,
            arguments: arguments.collect(),
            mode: Mode::Plain,
        };
        self.emit(range, Action::Call(Box::new(call)));
        to
    }

    /// Gives what `from` holds to a target.
    pub(super) fn assign(&mut self, target: &Expr, from: Slot) {
        let range = target.range();
        match target {
            Expr::Name(name) => self.write(range, name.id.as_str(), from),
            Expr::Attribute(attribute) => {
                let base = self.expression(&attribute.value);
                let name = self.name(attribute.attr.as_str());
                let way = match self.frame().branches {
                    0 => Passage::Always,
                    _ => Passage::Sometimes,
                };
                self.emit(
                    range,
                    Action::SetAttribute {
                        base,
                        name,
                        from,
                        way,
                    },
                );
                self.forget_tests_of(target);
            }
            Expr::Subscript(item) => {
                let base = self.expression(&item.value);
                let key = self.key(&item.slice);
                self.emit(range, Action::SetItem { base, key, from });
            }
            Expr::Tuple(tuple) => self.unpack(range, &tuple.elts, from),
            Expr::List(list) => self.unpack(range, &list.elts, from),
            Expr::Starred(starred) => self.assign(&starred.value, from),
            _ => {}
        }
    }

    fn unpack(&mut self, range: TextRange, parts: &[Expr], from: Slot) {
        let is_star = |part: &Expr| matches!(part, Expr::Starred(_));
        let star = parts.iter().position(is_star);
        for (index, part) in parts.iter().enumerate() {
            let to = self.slot();
            let action = if star.is_some_and(|star| star <= index) {
                Action::Iterate {
                    to,
                    from,
                    mode: Mode::Plain,
                }
            } else {
                Action::Item {
                    to,
                    base: from,
                    key: i64::try_from(index).map_or(Key::Any, Key::Part),
                }
            };
            self.emit(range, action);
            let given = if is_star(part) {
                self.collected(range, vec![(Key::Any, to)], Vec::new())
            } else {
                to
            };
            self.assign(part, given);
        }
    }

    fn if_statement(&mut self, test: &StmtIf) {
        self.branch(Some(&test.test), &test.body, &test.elif_else_clauses);
    }

    fn branch(&mut self, test: Option<&Expr>, body: &[Stmt], rest: &[ElifElseClause]) {
        let Some(test) = test else {
            return self.statements(body);
        };
        let asked = self.tested(test);
        let truth = truth(test);
        let narrowing = self.narrowing(test);
        let before = self.mark();
        let first = self.here();
        match truth {
            Truth::Never => self.stop(),
            Truth::Typing => {
                for statement in body {
                    if let Stmt::Import(_) | Stmt::ImportFrom(_) | Stmt::ClassDef(_) = statement {
                        self.statement(statement);
                    }
                }
                None
            }
            Truth::Always | Truth::Unknown => {
                let around = self.enter_branch(test.range(), narrowing.as_ref(), Side::Holds);
                self.statements(body);
                self.leave_branch(around);
                self.guarded(first, &asked);
                None
            }
        };
        if truth == Truth::Always {
            return;
        }
        if truth == Truth::Typing {
            // What `else` binds is what is there when the program runs.
            if let Some((next, after)) = rest.split_first() {
                self.branch(next.test.as_ref(), &next.body, after);
            }
            return;
        }
        let taken = self.resume(before);
        let (first, pending) = (self.here(), self.frame().pending.len());
        let around = self.enter_branch(test.range(), narrowing.as_ref(), Side::Fails);
        if let Some((next, after)) = rest.split_first() {
            if next.test.is_none() && is_for_want_of_a_thread(test, body, &next.body) {
                self.stop();
            }
            self.branch(next.test.as_ref(), &next.body, after);
        }
        self.leave_branch(around);
        self.guarded(first, &asked.negated());
        if taken.is_some() {
            self.end_pending(pending);
        }
        let sides = (taken.is_some(), self.is_live());
        self.join_tested(taken, &asked);
        match sides {
            (false, true) => self.guarded_from_here(asked.negated()),
            (true, false) => self.guarded_from_here(asked),
            _ => {}
        }
    }

    /// `except class as name`: some object of the class, whoever raised it.
    fn caught(&mut self, name: &Identifier, class: Slot) {
        let (to, from) = (self.slot(), self.slot());
        let by = Trait::Caught(class);
        self.emit(name.range, Action::Filter { to, from, by });
        self.write(name.range, name.as_str(), to);
    }

    fn loop_statement(&mut self, statement: &Stmt) {
        match statement {
            Stmt::For(each) => {
                let mode = mode(each.is_async);
                let from = self.expression(&each.iter);
                let heads = self.begin_loop(&each.body, Some(&each.target));
                let to = self.slot();
                self.emit(each.iter.range(), Action::Iterate { to, from, mode });
                let exit = self.mark();
                self.assign(&each.target, to);
                self.statements(&each.body);
                self.end_loop(&heads, exit, &each.orelse);
            }
            Stmt::While(each) => {
                let heads = self.begin_loop(&each.body, None);
                let asked = self.tested(&each.test);
                let truth = truth(&each.test);
                let exit = if truth == Truth::Always {
                    None
                } else {
                    self.mark()
                };
                if truth == Truth::Never {
                    self.stop();
                }
                let narrowing = self.narrowing(&each.test);
                let range = each.test.range();
                let first = self.here();
                let around = self.enter_branch(range, narrowing.as_ref(), Side::Holds);
                self.statements(&each.body);
                self.leave_branch(around);
                self.guarded(first, &asked);
                let innermost = self.frame().loops.last();
                let ends_by_test = innermost.is_some_and(|one| one.breaks.is_empty());
                self.end_loop(&heads, exit, &each.orelse);
                if let (true, Some(narrowing)) = (ends_by_test, &narrowing) {
                    self.narrow(range, &narrowing.name, narrowing.on(Side::Fails));
                }
            }
            _ => {}
        }
    }

    fn leave(&mut self, leaving: Leaving) {
        let versions = self.stop();
        if let Some(innermost) = self.frame().loops.last_mut() {
            match leaving {
                Leaving::Break => innermost.breaks.push(versions),
                Leaving::Continue => innermost.continues.push(versions),
            }
        }
    }

    fn try_statement(&mut self, attempt: &StmtTry) {
        let before = self.mark();
        let recorder = self.begin_try(&attempt.body);
        self.statements(&attempt.body);
        self.frame().recorders.pop();
        let handled = Self::handled(&before, &recorder);
        self.statements(&attempt.orelse);
        let mut ends = vec![self.stop()];
        let asks = asks_for_the_loop(attempt);
        for handler in &attempt.handlers {
            let ExceptHandler::ExceptHandler(handler) = handler;
            self.resume(handled.clone());
            if let Some(kind) = &handler.type_ {
                let class = self.expression(kind);
                if asks && word(kind) == "RuntimeError" {
                    // Only code without a loop gets here.
                    self.stop();
                }
                if let (Some(name), false) = (&handler.name, attempt.is_star) {
                    self.caught(name, class);
                }
            }
            self.statements(&handler.body);
            ends.push(self.stop());
        }
        let falls_through = ends.iter().any(Option::is_some);
        for end in ends {
            self.join(end);
        }
        if !falls_through {
            // `finally` runs all the same; nothing after it does.
            self.resume(handled);
        }
        self.statements(&attempt.finalbody);
        if !falls_through {
            self.stop();
        }
    }
}

#[derive(Debug, Clone, Copy)]
enum Leaving {
    Break,
    Continue,
}

/// Whether code may pass by some of what stands in a statement.
fn parts_ways(statement: &Stmt) -> bool {
    matches!(
        statement,
        Stmt::If(_) | Stmt::For(_) | Stmt::While(_) | Stmt::Try(_) | Stmt::Match(_)
    )
}

/// Whether a `try` begins with `asyncio.get_running_loop()`.
fn asks_for_the_loop(attempt: &StmtTry) -> bool {
    let asked = match attempt.body.first() {
        Some(Stmt::Expr(expression)) => &expression.value,
        Some(Stmt::Assign(assign)) => &assign.value,
        _ => return false,
    };
    matches!(&**asked, Expr::Call(call) if word(&call.func) == "get_running_loop")
}

/// The last name of `a.b`.
pub(super) fn word(expression: &Expr) -> &str {
    match expression {
        Expr::Name(name) => name.id.as_str(),
        Expr::Attribute(attribute) => attribute.attr.as_str(),
        _ => "",
    }
}

fn mode(is_async: bool) -> Mode {
    if is_async { Mode::Awaited } else { Mode::Plain }
}
