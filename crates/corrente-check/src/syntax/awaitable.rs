//! Whether what a plain function returns may be something that is awaited.
//!
//! It may not where it returns nothing, or only what is written down there, or where its annotation says that it is
//! text or a number. Who awaits it all the same does not get to it: another function of the name is meant.

use ruff_python_ast::visitor::{Visitor, walk_stmt};
use ruff_python_ast::{Expr, Stmt, StmtFunctionDef};

use super::statements::word;

/// Builtin classes of which nothing can be awaited.
const PLAIN: &[&str] = &[
    "bool",
    "bytes",
    "bytearray",
    "complex",
    "dict",
    "float",
    "frozenset",
    "int",
    "list",
    "set",
    "str",
    "tuple",
];

/// Whether a function's returns, or its annotation, leave something to await.
pub(super) fn gives_awaitable(function: &StmtFunctionDef) -> bool {
    if function.returns.as_deref().is_some_and(is_plain) {
        return false;
    }
    let mut returns = Returns::default();
    for statement in &function.body {
        returns.visit_stmt(statement);
    }
    returns.found
}

/// Whether an annotation names what cannot be awaited.
fn is_plain(annotation: &Expr) -> bool {
    match annotation {
        Expr::NoneLiteral(_) => true,
        Expr::Name(name) => PLAIN.contains(&name.id.as_str()),
        Expr::Subscript(item) => item.value.is_name_expr() && PLAIN.contains(&word(&item.value)),
        Expr::StringLiteral(text) => PLAIN.contains(&text.value.to_str()),
        Expr::BinOp(both) => is_plain(&both.left) && is_plain(&both.right),
        _ => false,
    }
}

/// Looks for a `return` of something that may be awaited.
#[derive(Default)]
struct Returns {
    found: bool,
}

impl<'a> Visitor<'a> for Returns {
    fn visit_stmt(&mut self, statement: &'a Stmt) {
        match statement {
            Stmt::Return(given) => {
                self.found |= given
                    .value
                    .as_deref()
                    .is_some_and(|value| !is_literal(value));
            }
            Stmt::FunctionDef(_) | Stmt::ClassDef(_) => {}
            _ => walk_stmt(self, statement),
        }
    }

    fn visit_expr(&mut self, _: &'a Expr) {}
}

fn is_literal(value: &Expr) -> bool {
    value.is_literal_expr()
        || matches!(
            value,
            Expr::FString(_)
                | Expr::Dict(_)
                | Expr::List(_)
                | Expr::Tuple(_)
                | Expr::Set(_)
                | Expr::Compare(_)
        )
}
