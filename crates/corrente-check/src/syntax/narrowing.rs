//! What a test says of a variable, and so of what its branches see.
//!
//! `if iscoroutinefunction(function)`, `if isinstance(object, Class)`: also where a variable keeps the answer, and
//! for kinds of functions of attributes and of variables further out. And branches that are for want of something:
//! of a thread to which the other branch hands the work. Only what the source says; values are the machine's business.

use ruff_python_ast::visitor::{Visitor, walk_expr};
use ruff_python_ast::{BoolOp, CmpOp, Expr, ExprCompare, Stmt, UnaryOp};
use ruff_text_size::{Ranged as _, TextRange};

use super::kinds;
use super::lowering::Lowering;
use super::scopes::Place;
use super::statements::word;
use crate::facts::{Action, Kinds, Slot, Trait};

/// What a test says of a variable.
#[derive(Debug, Clone)]
pub(super) struct Narrowing {
    pub(super) name: String,
    pub(super) holds: Trait,
    pub(super) fails: Trait,
}

/// Which way code went at a test.
#[derive(Debug, Clone, Copy)]
pub(super) enum Side {
    Holds,
    Fails,
}

impl Narrowing {
    fn of_kinds((name, kinds): (String, Kinds)) -> Self {
        Self {
            name,
            holds: Trait::Function(kinds),
            fails: Trait::Function(kinds.others()),
        }
    }

    /// What a side sees.
    pub(super) fn on(&self, side: Side) -> Trait {
        match side {
            Side::Holds => self.holds,
            Side::Fails => self.fails,
        }
    }
}

/// What a branch comes by: a test of an attribute or of a variable of a body further out.
#[derive(Debug)]
pub(super) struct Within {
    /// As the source writes it; empty when it may be something else by now.
    path: String,
    by: Trait,
}

/// A test for coroutine functions that code comes by only if it is passed.
#[derive(Debug, Clone, Copy)]
pub(super) struct Tested {
    /// What was tested.
    pub(super) subject: Slot,
    /// What it left of that.
    pub(super) kept: Slot,
    pub(super) by: Trait,
}

/// A test whose answer a variable keeps: `is_async = iscoroutinefunction(function)`.
#[derive(Debug)]
pub(super) struct Kept {
    /// The answer.
    answer: Slot,
    /// The version of what was tested; none where that is no variable of the body's own.
    subject: Option<Slot>,
    narrowing: Narrowing,
}

impl Lowering<'_> {
    /// A branch begins: what it sees is what passes the test. Gives what `leave_branch` needs.
    pub(super) fn enter_branch(
        &mut self,
        range: TextRange,
        narrowing: Option<&Narrowing>,
        side: Side,
    ) -> usize {
        let around = self.frame().within.len();
        if let Some(narrowing) = narrowing {
            let by = narrowing.on(side);
            self.narrow(range, &narrowing.name, by);
            let path = narrowing.name.clone();
            if !matches!(by, Trait::Any) && self.is_elsewhere(&path) {
                self.frame().within.push(Within { path, by });
            }
        }
        around
    }

    /// The branch ends.
    pub(super) fn leave_branch(&mut self, around: usize) {
        self.frame().within.truncate(around);
    }

    /// Whether something is no variable of the body's own.
    fn is_elsewhere(&mut self, path: &str) -> bool {
        if path.contains('.') {
            return true;
        }
        let number = self.name(path);
        let scopes = self.scopes;
        let frame = self.frame();
        let is_target = frame.shadows.contains(&number) || frame.passed.is_some();
        !is_target && matches!(scopes.find(frame.scope, path), Place::Outer(_))
    }

    /// What an expression holds, as far as it passed the tests of the branches around it.
    pub(super) fn as_passed(&mut self, expression: &Expr, from: Slot) -> Slot {
        if self.frame().within.is_empty() {
            return from;
        }
        match dotted(expression) {
            Some(path) => self.as_passed_under(expression.range(), &path, from),
            None => from,
        }
    }

    /// The same for what the source calls so.
    pub(super) fn as_passed_under(&mut self, range: TextRange, path: &str, from: Slot) -> Slot {
        let mut within = self.frame().within.iter().rev();
        let Some(by) = within.find(|one| one.path == path).map(|one| one.by) else {
            return from;
        };
        let to = self.slot();
        self.emit(range, Action::Filter { to, from, by });
        to
    }

    /// What is awaited of a variable whose kind the function around asks: whichever way it asks, what is no
    /// coroutine function goes to another wrapper.
    pub(super) fn as_chosen(&mut self, callee: &Expr, from: Slot) -> Slot {
        let Expr::Name(name) = callee else {
            return from;
        };
        let name = name.id.as_str();
        let around = self
            .chosen_by
            .split_last()
            .map_or(&[][..], |(_, rest)| rest);
        let is_asked = around.iter().flatten().any(|asked| asked == name);
        if !is_asked || !self.is_elsewhere(name) {
            return from;
        }
        let to = self.slot();
        let by = Trait::Function(Kinds::COROUTINE);
        self.emit(callee.range(), Action::Filter { to, from, by });
        to
    }

    /// What is assigned now has passed no test.
    pub(super) fn forget_tests_of(&mut self, target: &Expr) {
        if !self.frame().within.is_empty()
            && let Some(path) = dotted(target)
        {
            self.forget_tests(&path);
        }
    }

    /// The same for what the source calls so, and for what is reached through it.
    pub(super) fn forget_tests(&mut self, path: &str) {
        for one in &mut self.frame().within {
            let rest = one.path.strip_prefix(path);
            if rest.is_some_and(|rest| rest.is_empty() || rest.starts_with('.')) {
                one.path.clear();
            }
        }
    }

    /// The variable's next version is what passes the test.
    pub(super) fn narrow(&mut self, range: TextRange, name: &str, by: Trait) {
        if name.contains('.') || matches!(by, Trait::Any) {
            return;
        }
        let from = self.read(range, name);
        let to = self.slot();
        self.emit(range, Action::Filter { to, from, by });
        if let Trait::Function(_) = by {
            self.frame().tests.push(Tested {
                subject: from,
                kept: to,
                by,
            });
        }
        let number = self.name(name);
        let scopes = self.scopes;
        let frame = self.frame();
        let is_target = frame.shadows.contains(&number) || frame.passed.is_some();
        if is_target || scopes.find(frame.scope, name) == Place::Own {
            self.version(number, to);
        }
    }

    /// What a test says, if it is one that is understood.
    pub(super) fn narrowing(&mut self, test: &Expr) -> Option<Narrowing> {
        if let Some(asked) = kinds::asked(test) {
            return Some(Narrowing::of_kinds(asked));
        }
        match test {
            Expr::UnaryOp(unary) if unary.op == UnaryOp::Not => {
                let inner = self.narrowing(&unary.operand)?;
                Some(Narrowing {
                    holds: inner.fails,
                    fails: inner.holds,
                    ..inner
                })
            }
            Expr::Name(answer) => self.kept_test(answer.id.as_str()),
            Expr::Attribute(_) => {
                let kept = self.answers.last()?.get(&dotted(test)?)?;
                Some(Narrowing::of_kinds(kept.clone()))
            }
            Expr::Compare(compare) => end_of_process(compare),
            Expr::BoolOp(parts) => {
                let inner = parts.values.iter().find_map(|part| self.narrowing(part))?;
                // Of the other side nobody knows which part decided.
                Some(match parts.op {
                    BoolOp::And => Narrowing {
                        fails: Trait::Any,
                        ..inner
                    },
                    BoolOp::Or => Narrowing {
                        holds: Trait::Any,
                        ..inner
                    },
                })
            }
            Expr::Call(call) if call.arguments.is_empty() => readiness(&call.func),
            Expr::Call(call) => {
                let subject = call.arguments.args.first()?;
                if word(&call.func) != "isinstance" {
                    return None;
                }
                let class = self.expression(call.arguments.args.get(1)?);
                Some(Narrowing {
                    name: dotted(subject)?,
                    holds: Trait::Instance(class),
                    fails: Trait::NotInstance(class),
                })
            }
            _ => None,
        }
    }

    /// Notes that `answer` is what a test says.
    pub(super) fn keep_test(&mut self, test: &Expr, answer: Slot) {
        if let Expr::Call(_) | Expr::UnaryOp(_) | Expr::BoolOp(_) = test
            && let Some(narrowing) = self.narrowing(test)
        {
            let subject = self.version_of(&narrowing.name);
            self.frame().kept.push(Kept {
                answer,
                subject,
                narrowing,
            });
        }
    }

    /// The test whose answer a variable is, if what was tested is still what it was.
    fn kept_test(&mut self, answer: &str) -> Option<Narrowing> {
        let answer = self.version_of(answer)?;
        let kept = &self.frame().kept;
        let at = kept.iter().rposition(|kept| kept.answer == answer)?;
        let narrowing = kept[at].narrowing.clone();
        let subject = self.version_of(&narrowing.name);
        (self.frame().kept[at].subject == subject).then_some(narrowing)
    }

    fn version_of(&mut self, name: &str) -> Option<Slot> {
        if name.contains('.') {
            return None;
        }
        let number = self.name(name);
        let versions = self.frame().versions.as_ref();
        versions.and_then(|known| known.get(&number).copied())
    }
}

/// What `future.done()` and its like say: whether what waits for such a thing would wait now.
fn readiness(asked: &Expr) -> Option<Narrowing> {
    let Expr::Attribute(asked) = asked else {
        return None;
    };
    let (holds, fails) = match asked.attr.as_str() {
        "done" | "ready" | "is_set" => (Trait::Ready, Trait::Any),
        "empty" | "is_alive" => (Trait::Any, Trait::Ready),
        _ => return None,
    };
    Some(Narrowing {
        name: dotted(&asked.value)?,
        holds,
        fails,
    })
}

/// `process.poll() is not None`: it has ended, so that nothing waits for it any more.
fn end_of_process(compare: &ExprCompare) -> Option<Narrowing> {
    let ([operator], [Expr::NoneLiteral(_)]) = (&*compare.ops, &*compare.comparators) else {
        return None;
    };
    let Expr::Call(asked) = &*compare.left else {
        return None;
    };
    let Expr::Attribute(poll) = &*asked.func else {
        return None;
    };
    if poll.attr.as_str() != "poll" || !asked.arguments.is_empty() {
        return None;
    }
    let (holds, fails) = match operator {
        CmpOp::Is | CmpOp::Eq => (Trait::Any, Trait::Ready),
        CmpOp::IsNot | CmpOp::NotEq => (Trait::Ready, Trait::Any),
        _ => return None,
    };
    Some(Narrowing {
        name: dotted(&poll.value)?,
        holds,
        fails,
    })
}

/// The name of the future that `wrap_future` was given, which is done when that was awaited.
pub(super) fn awaited_future(awaited: &Expr) -> Option<&str> {
    let Expr::Call(call) = awaited else {
        return None;
    };
    match (word(&call.func), call.arguments.args.first()?) {
        ("wrap_future", Expr::Name(future)) => Some(future.id.as_str()),
        ("wait_for" | "shield", inner) => awaited_future(inner),
        _ => None,
    }
}

/// Whether `otherwise` calls what `body` hands to a thread, and stands there only for want of that thread: it has
/// not begun yet, or has ended. `if self.is_alive(): self.calls.put(work)`, `else: work()`.
pub(super) fn is_for_want_of_a_thread(test: &Expr, body: &[Stmt], otherwise: &[Stmt]) -> bool {
    let Expr::Call(asked) = test else {
        return false;
    };
    if word(&asked.func) != "is_alive" || !asked.arguments.is_empty() {
        return false;
    }
    let given = Callables::of(body).given;
    let called = Callables::of(otherwise).called;
    called.iter().any(|called| given.contains(called))
}

/// What statements call, and what they give to calls.
#[derive(Debug, Default)]
struct Callables {
    called: Vec<String>,
    given: Vec<String>,
}

impl Callables {
    fn of(body: &[Stmt]) -> Self {
        let mut found = Self::default();
        for statement in body {
            found.visit_stmt(statement);
        }
        found
    }
}

impl<'a> Visitor<'a> for Callables {
    fn visit_expr(&mut self, expression: &'a Expr) {
        if let Expr::Call(call) = expression {
            self.called.extend(dotted(&call.func));
            for given in &call.arguments.args {
                match given {
                    Expr::Tuple(tuple) => self.given.extend(tuple.elts.iter().filter_map(dotted)),
                    other => self.given.extend(dotted(other)),
                }
            }
        }
        walk_expr(self, expression);
    }
}

/// `a.b.c`.
pub(super) fn dotted(expression: &Expr) -> Option<String> {
    match expression {
        Expr::Name(name) => Some(name.id.to_string()),
        Expr::Attribute(attribute) => {
            let base = dotted(&attribute.value)?;
            Some(format!("{base}.{}", attribute.attr))
        }
        _ => None,
    }
}
