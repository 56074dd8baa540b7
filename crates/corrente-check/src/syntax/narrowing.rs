//! What a test says of a variable, and so of what its branches see.
//!
//! `if iscoroutinefunction(function)`, `if isinstance(object, Class)`: also where a variable keeps the answer. And
//! branches that are for want of something: of a thread to which the other branch hands the work. Only what the
//! source says; values are the machine's business.

use ruff_python_ast::visitor::{Visitor, walk_expr};
use ruff_python_ast::{Expr, Stmt, UnaryOp};
use ruff_text_size::TextRange;

use super::lowering::Lowering;
use super::scopes::Place;
use super::statements::word;
use crate::facts::{Action, Slot, Trait};

/// What a test says of a variable.
#[derive(Debug, Clone)]
pub(super) struct Narrowing {
    pub(super) name: String,
    pub(super) holds: Trait,
    pub(super) fails: Trait,
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
    /// The variable's next version is what passes the test.
    pub(super) fn narrow(&mut self, range: TextRange, name: &str, by: Trait) {
        let from = self.read(range, name);
        let to = self.slot();
        self.emit(range, Action::Filter { to, from, by });
        if let Trait::Coroutine | Trait::NotCoroutine = by {
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
            Expr::Call(call) => {
                let Some(Expr::Name(subject)) = call.arguments.args.first() else {
                    return None;
                };
                let (holds, fails) = match word(&call.func) {
                    "iscoroutinefunction" | "is_async_callable" | "is_coroutine_function" => {
                        (Trait::Coroutine, Trait::NotCoroutine)
                    }
                    "isinstance" => {
                        let class = self.expression(call.arguments.args.get(1)?);
                        (Trait::Instance(class), Trait::NotInstance(class))
                    }
                    _ => return None,
                };
                Some(Narrowing {
                    name: subject.id.to_string(),
                    holds,
                    fails,
                })
            }
            _ => None,
        }
    }

    /// Notes that `answer` is what a test says.
    pub(super) fn keep_test(&mut self, test: &Expr, answer: Slot) {
        if let Expr::Call(_) | Expr::UnaryOp(_) = test
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
        let number = self.name(name);
        let versions = self.frame().versions.as_ref();
        versions.and_then(|known| known.get(&number).copied())
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
fn dotted(expression: &Expr) -> Option<String> {
    match expression {
        Expr::Name(name) => Some(name.id.to_string()),
        Expr::Attribute(attribute) => {
            let base = dotted(&attribute.value)?;
            Some(format!("{base}.{}", attribute.attr))
        }
        _ => None,
    }
}
