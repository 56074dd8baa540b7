//! What tests are known to be before anything runs, and what ends the program.
//!
//! Literals, `TYPE_CHECKING` and versions of Python that nobody runs any more; names of the program are never
//! looked up, so a constant of its own is not known.

use ruff_python_ast::{BoolOp, CmpOp, Expr, ExprCompare, Int, UnaryOp};

use super::statements::word;

/// What a test is known to be.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Truth {
    Always,
    Never,
    /// Only for a type checker.
    Typing,
    Unknown,
}

impl Truth {
    /// Whether it does not hold when the program runs.
    pub(super) fn is_false(self) -> bool {
        matches!(self, Self::Never | Self::Typing)
    }
}

/// What a test is known to be.
pub(super) fn truth(test: &Expr) -> Truth {
    match test {
        Expr::BooleanLiteral(literal) if literal.value => Truth::Always,
        Expr::BooleanLiteral(_) | Expr::NoneLiteral(_) => Truth::Never,
        Expr::NumberLiteral(literal) => match literal.value.as_int().and_then(Int::as_i64) {
            Some(0) => Truth::Never,
            Some(_) => Truth::Always,
            None => Truth::Unknown,
        },
        Expr::Name(name) if name.id.as_str() == "TYPE_CHECKING" => Truth::Typing,
        Expr::Attribute(attribute) if attribute.attr.as_str() == "TYPE_CHECKING" => Truth::Typing,
        Expr::UnaryOp(unary) if unary.op == UnaryOp::Not => match truth(&unary.operand) {
            Truth::Always => Truth::Never,
            Truth::Never | Truth::Typing => Truth::Always,
            Truth::Unknown => Truth::Unknown,
        },
        Expr::BoolOp(parts) => {
            let truths: Vec<Truth> = parts.values.iter().map(truth).collect();
            joined(parts.op, &truths)
        }
        Expr::Compare(compare) => of_version(compare).unwrap_or(Truth::Unknown),
        _ => Truth::Unknown,
    }
}

/// Whether a part of `and` or `or` leaves nothing to those after it.
pub(super) fn decides(operator: BoolOp, part: &Expr) -> bool {
    match operator {
        BoolOp::And => truth(part).is_false(),
        BoolOp::Or => truth(part) == Truth::Always,
    }
}

/// What `and` or `or` makes of its parts.
fn joined(operator: BoolOp, truths: &[Truth]) -> Truth {
    let all = |wanted: fn(Truth) -> bool| truths.iter().all(|truth| wanted(*truth));
    let any = |wanted: Truth| truths.contains(&wanted);
    let some_typing = any(Truth::Typing);
    match operator {
        BoolOp::And if any(Truth::Never) => Truth::Never,
        BoolOp::And if some_typing => Truth::Typing,
        BoolOp::And if all(|truth| truth == Truth::Always) => Truth::Always,
        BoolOp::Or if any(Truth::Always) => Truth::Always,
        BoolOp::Or if all(Truth::is_false) && some_typing => Truth::Typing,
        BoolOp::Or if all(Truth::is_false) => Truth::Never,
        BoolOp::And | BoolOp::Or => Truth::Unknown,
    }
}

/// Whether calling this ends the program.
pub(super) fn ends(callee: &Expr) -> bool {
    let Expr::Attribute(function) = callee else {
        return false;
    };
    matches!(
        (word(&function.value), function.attr.as_str()),
        ("sys", "exit") | ("os", "_exit" | "abort")
    )
}

/// The oldest Python that anybody's code still has to run on: versions below are dead branches.
const OLDEST: [i64; 2] = [3, 8];

/// `sys.version_info < (3, 7)` and its like.
fn of_version(compare: &ExprCompare) -> Option<Truth> {
    let ([operator], [Expr::Tuple(tuple)]) = (&*compare.ops, &*compare.comparators) else {
        return None;
    };
    if word(&compare.left) != "version_info" {
        return None;
    }
    let numbers = tuple.elts.iter().map(|part| match part {
        Expr::NumberLiteral(literal) => literal.value.as_int().and_then(Int::as_i64),
        _ => None,
    });
    let numbers: Option<Vec<i64>> = numbers.collect();
    if numbers?.as_slice() > OLDEST.as_slice() {
        return None;
    }
    match operator {
        CmpOp::Lt | CmpOp::LtE => Some(Truth::Never),
        CmpOp::Gt | CmpOp::GtE => Some(Truth::Always),
        _ => None,
    }
}
