//! What code comes by only if a test holds: the branches of it, and what follows a branch that does not.
//!
//! Only tests count that ask for what callers may give: a name, an attribute, a comparison with a constant, what
//! `and`, `or` and `not` make of these. Which of them hold is the machine's business (`solve/flags`).

use ruff_python_ast::{BoolOp, CmpOp, Expr, ExprBoolOp, ExprCall, ExprCompare, Pattern, UnaryOp};
use ruff_text_size::{Ranged as _, TextRange};

use super::lowering::Lowering;
use super::statements::word;
use crate::facts::{Action, Guard, Slot, Test};

/// How deep a test is looked into, and how many parts of it count: generated code asks more.
const PARTS_MAX: usize = 16;

impl Lowering<'_> {
    /// What stands where a truth is asked for: an object's own `__bool__` or `__len__` tells.
    pub(super) fn tested(&mut self, test: &Expr) -> Test {
        let (value, asked) = self.examined(test);
        if let Expr::Name(_) | Expr::Attribute(_) | Expr::Call(_) | Expr::BoolOp(_) = test {
            self.special(test.range(), "__bool__", value, None);
        }
        asked
    }

    /// What a test holds, and what it asks.
    pub(super) fn examined(&mut self, test: &Expr) -> (Slot, Test) {
        let around = self.frame().noted.replace(Vec::new());
        let slot = self.expression(test);
        let asked = self.asked_by(test, PARTS_MAX);
        let frame = self.frame();
        let inner = std::mem::replace(&mut frame.noted, around);
        if let Some(noted) = &mut frame.noted {
            noted.extend(inner.into_iter().flatten());
        }
        (slot, asked)
    }

    /// Notes what a part of a test holds.
    pub(super) fn note_part(&mut self, part: &Expr, slot: Slot) {
        if is_plain(part)
            && let Some(noted) = &mut self.frame().noted
        {
            noted.push((part.range(), slot));
        }
    }

    fn noted(&mut self, part: &Expr) -> Option<Slot> {
        let range = part.range();
        let mut noted = self.frame().noted.iter().flatten();
        let found = noted.find(|(at, _)| *at == range)?;
        Some(found.1)
    }

    fn asked_by(&mut self, test: &Expr, depth: usize) -> Test {
        let Some(depth) = depth.checked_sub(1) else {
            return Test::Other;
        };
        match test {
            Expr::UnaryOp(unary) if unary.op == UnaryOp::Not => {
                self.asked_by(&unary.operand, depth).negated()
            }
            Expr::BoolOp(parts) if parts.values.len() <= PARTS_MAX => {
                let tests = parts.values.iter().map(|part| self.asked_by(part, depth));
                let tests = tests.collect();
                match parts.op {
                    BoolOp::And => Test::All(tests),
                    BoolOp::Or => Test::Any(tests),
                }
            }
            Expr::Compare(compare) => self.compared(compare).unwrap_or(Test::Other),
            Expr::Call(call) if asks_whether_a_loop_runs(call) => {
                let to = self.slot();
                self.emit(call.range(), Action::Number { to, number: 1 });
                Test::True(to)
            }
            other => self.noted(other).map_or(Test::Other, Test::True),
        }
    }

    fn compared(&mut self, compare: &ExprCompare) -> Option<Test> {
        let ([operator], [right]) = (&*compare.ops, &*compare.comparators) else {
            return None;
        };
        let left = self.noted(&compare.left)?;
        let holds = match operator {
            CmpOp::Eq | CmpOp::NotEq | CmpOp::Is | CmpOp::IsNot => {
                Test::Equal(left, self.noted(right)?)
            }
            CmpOp::In | CmpOp::NotIn => {
                let parts = match right {
                    Expr::Tuple(tuple) => &tuple.elts,
                    Expr::List(list) => &list.elts,
                    Expr::Set(set) => &set.elts,
                    _ => return None,
                };
                if parts.len() > PARTS_MAX {
                    return None;
                }
                let slots = parts.iter().map(|part| self.noted(part));
                let slots: Option<Vec<Slot>> = slots.collect();
                Test::Any(
                    slots?
                        .into_iter()
                        .map(|part| Test::Equal(left, part))
                        .collect(),
                )
            }
            _ => return None,
        };
        Some(match operator {
            CmpOp::NotEq | CmpOp::IsNot | CmpOp::NotIn => holds.negated(),
            _ => holds,
        })
    }

    /// What is lowered next.
    pub(super) fn here(&mut self) -> u32 {
        self.frame().operations.len() as u32
    }

    /// What was lowered from `first` on runs only if this holds.
    pub(super) fn guarded(&mut self, first: u32, test: &Test) {
        let end = self.here();
        let mut asks = false;
        test.each_slot(&mut |_| asks = true);
        if first < end && asks {
            let test = test.clone();
            self.frame().guards.push(Guard { first, end, test });
        }
    }

    /// What follows in the statements around runs only if this holds.
    pub(super) fn guarded_from_here(&mut self, test: Test) {
        let first = self.here();
        self.frame().pending.push((first, test));
    }

    /// The statements end that began when so many tests were pending.
    pub(super) fn end_pending(&mut self, before: usize) {
        let ended = self.frame().pending.split_off(before);
        for (first, test) in ended {
            self.guarded(first, &test);
        }
    }

    /// `a and b`, `a or b`: a part runs only if those before it do not decide.
    pub(super) fn either(&mut self, range: TextRange, parts: &ExprBoolOp) -> Slot {
        let to = self.slot();
        let mut before = Vec::new();
        for part in &parts.values {
            let first = self.here();
            let (from, asked) = self.examined(part);
            self.emit(range, Action::Copy { to, from });
            if !before.is_empty() && before.len() < PARTS_MAX {
                self.guarded(first, &undecided(parts.op, before.clone()));
            }
            before.push(asked);
            if super::truth::decides(parts.op, part) {
                break;
            }
        }
        to
    }

    /// What the pattern of a `case` asks of a slot, as far as it compares.
    pub(super) fn matched(&mut self, pattern: &Pattern, subject: Slot) -> Test {
        match pattern {
            Pattern::MatchValue(value) => Test::Equal(subject, self.expression(&value.value)),
            Pattern::MatchSingleton(value) => {
                let (range, to) = (value.range, self.slot());
                let action = match value.value {
                    ruff_python_ast::Singleton::None => Action::Nothing { to },
                    ruff_python_ast::Singleton::True => Action::Number { to, number: 1 },
                    ruff_python_ast::Singleton::False => Action::Number { to, number: 0 },
                };
                self.emit(range, action);
                Test::Equal(subject, to)
            }
            Pattern::MatchOr(any) if any.patterns.len() <= PARTS_MAX => {
                let parts = any.patterns.iter();
                Test::Any(parts.map(|part| self.matched(part, subject)).collect())
            }
            _ => Test::Other,
        }
    }
}

/// `loop.is_running()`, `is_loop_running()`: on the loop's thread it does. Not a loop that an object keeps: that may
/// be the one of another thread.
fn asks_whether_a_loop_runs(call: &ExprCall) -> bool {
    let name = word(&call.func);
    if !call.arguments.is_empty() {
        return false;
    }
    match &*call.func {
        Expr::Attribute(asked) if name == "is_running" => match &*asked.value {
            Expr::Name(kept) => kept.id.as_str().contains("loop"),
            Expr::Call(current) => {
                matches!(word(&current.func), "get_event_loop" | "get_running_loop")
            }
            _ => false,
        },
        _ => name.contains("loop") && name.contains("running") && name.starts_with("is_"),
    }
}

/// That none of these parts decides.
fn undecided(operator: BoolOp, before: Vec<Test>) -> Test {
    match operator {
        BoolOp::And => Test::All(before),
        BoolOp::Or => Test::Any(before).negated(),
    }
}

/// Whether what an expression holds may be known beforehand.
fn is_plain(part: &Expr) -> bool {
    matches!(
        part,
        Expr::Name(_)
            | Expr::Attribute(_)
            | Expr::StringLiteral(_)
            | Expr::NumberLiteral(_)
            | Expr::BooleanLiteral(_)
            | Expr::NoneLiteral(_)
    )
}
