//! Operators and comparisons: each asks a special method of one side, and may ask another of the other.
//!
//! Which of them is asked in the end is the machine's business.

use ruff_python_ast::{CmpOp, ExprCompare, Operator};
use ruff_text_size::{Ranged as _, TextRange};

use super::lowering::Lowering;
use crate::facts::{Action, Name, Slot};

impl Lowering<'_> {
    pub(super) fn compare(&mut self, compare: &ExprCompare) -> Slot {
        let mut left = self.expression(&compare.left);
        let mut to = left;
        for (operator, right) in compare.ops.iter().zip(&compare.comparators) {
            let right = self.expression(right);
            to = match operator {
                CmpOp::Is | CmpOp::IsNot => self.slot(),
                CmpOp::In | CmpOp::NotIn => {
                    self.special(compare.range(), "__contains__", right, Some(left))
                }
                _ => self.ordered(compare.range(), *operator, left, right),
            };
            left = right;
        }
        to
    }

    fn ordered(&mut self, range: TextRange, operator: CmpOp, left: Slot, right: Slot) -> Slot {
        let (method, mirrored) = comparison(operator);
        let asked = (self.name(method), Some(self.name(mirrored)));
        self.asked(range, asked, (left, Some(right)))
    }

    /// A special method of one or two operands.
    pub(super) fn special(
        &mut self,
        range: TextRange,
        method: &str,
        left: Slot,
        right: Option<Slot>,
    ) -> Slot {
        let method = self.name(method);
        self.asked(range, (method, None), (left, right))
    }

    pub(super) fn binary(
        &mut self,
        range: TextRange,
        operator: Operator,
        left: Slot,
        right: Slot,
    ) -> Slot {
        let stem = stem(operator);
        let method = self.name(&format!("__{stem}__"));
        let reflected = Some(self.name(&format!("__r{stem}__")));
        self.asked(range, (method, reflected), (left, Some(right)))
    }

    /// A method of the left operand, and the one that is asked of the right one where there is such.
    fn asked(
        &mut self,
        range: TextRange,
        (method, reflected): (Name, Option<Name>),
        (left, right): (Slot, Option<Slot>),
    ) -> Slot {
        let to = self.slot();
        let action = Action::Special {
            to,
            method,
            reflected,
            left,
            right,
        };
        self.emit(range, action);
        to
    }

    /// The same for `left += right`, which asks `__iadd__` first.
    pub(super) fn in_place(
        &mut self,
        range: TextRange,
        operator: Operator,
        (left, right): (Slot, Slot),
        to: Slot,
    ) {
        let method = self.name(&format!("__i{}__", stem(operator)));
        let action = Action::Special {
            to,
            method,
            reflected: None,
            left,
            right: Some(right),
        };
        self.emit(range, action);
    }
}

fn stem(operator: Operator) -> &'static str {
    match operator {
        Operator::Add => "add",
        Operator::Sub => "sub",
        Operator::Mult => "mul",
        Operator::MatMult => "matmul",
        Operator::Div => "truediv",
        Operator::Mod => "mod",
        Operator::Pow => "pow",
        Operator::LShift => "lshift",
        Operator::RShift => "rshift",
        Operator::BitOr => "or",
        Operator::BitXor => "xor",
        Operator::BitAnd => "and",
        Operator::FloorDiv => "floordiv",
    }
}

/// The method that a comparison asks, and the one that it asks of the other side.
fn comparison(operator: CmpOp) -> (&'static str, &'static str) {
    match operator {
        CmpOp::Eq => ("__eq__", "__eq__"),
        CmpOp::NotEq => ("__ne__", "__ne__"),
        CmpOp::Lt => ("__lt__", "__gt__"),
        CmpOp::LtE => ("__le__", "__ge__"),
        CmpOp::Gt => ("__gt__", "__lt__"),
        _ => ("__ge__", "__le__"),
    }
}
