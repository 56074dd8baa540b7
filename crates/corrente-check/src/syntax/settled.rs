//! What an object has in any case when its `__init__` is through.
//!
//! Only statements that every call comes by count: an attribute that is set in one branch, or after a `return`
//! in one, may be missing, and then the class's own is found.

use ruff_python_ast::visitor::{Visitor, walk_stmt};
use ruff_python_ast::{Expr, Stmt, StmtFunctionDef, StmtIf};

use super::statements::word;

/// Attributes that an `__init__` sets on its object whatever happens; `__init__` stands for what that of
/// another class sets, if it calls one.
pub(super) fn settled(function: &StmtFunctionDef) -> Vec<&str> {
    let parameters = &function.parameters;
    let mut positional = parameters.posonlyargs.iter().chain(&parameters.args);
    let Some(own) = positional.next() else {
        return Vec::new();
    };
    let mut names = of_statements(&function.body, own.parameter.name.as_str());
    names.sort_unstable();
    names.dedup();
    names
}

fn of_statements<'a>(body: &'a [Stmt], own: &str) -> Vec<&'a str> {
    let mut names = Vec::new();
    for statement in body {
        match statement {
            Stmt::Assign(assign) => {
                for target in &assign.targets {
                    of_target(target, own, &mut names);
                }
            }
            Stmt::AnnAssign(assign) if assign.value.is_some() => {
                of_target(&assign.target, own, &mut names);
            }
            Stmt::Expr(expression) => names.extend(of_another(&expression.value)),
            Stmt::With(with) => names.extend(of_statements(&with.body, own)),
            Stmt::If(choice) => names.extend(of_branches(choice, own)),
            Stmt::Try(attempt) => names.extend(of_statements(&attempt.finalbody, own)),
            _ => {}
        }
        let mut returns = Returns::default();
        returns.visit_stmt(statement);
        if returns.found {
            break;
        }
    }
    names
}

fn of_target<'a>(target: &'a Expr, own: &str, names: &mut Vec<&'a str>) {
    match target {
        Expr::Attribute(attribute) => {
            if matches!(&*attribute.value, Expr::Name(name) if name.id.as_str() == own) {
                names.push(attribute.attr.as_str());
            }
        }
        Expr::Tuple(tuple) => {
            for part in &tuple.elts {
                of_target(part, own, names);
            }
        }
        _ => {}
    }
}

/// `super().__init__(…)` or `Base.__init__(self, …)`.
fn of_another(expression: &Expr) -> Option<&'static str> {
    let Expr::Call(call) = expression else {
        return None;
    };
    (call.func.is_attribute_expr() && word(&call.func) == "__init__").then_some("__init__")
}

/// What all branches set, where one of them is always taken.
fn of_branches<'a>(choice: &'a StmtIf, own: &str) -> Vec<&'a str> {
    let has_else = choice.elif_else_clauses.last();
    if has_else.is_none_or(|last| last.test.is_some()) {
        return Vec::new();
    }
    let mut names = of_statements(&choice.body, own);
    for clause in &choice.elif_else_clauses {
        let others = of_statements(&clause.body, own);
        names.retain(|name| others.contains(name));
    }
    names
}

/// Whether a statement may end the function.
#[derive(Default)]
struct Returns {
    found: bool,
}

impl<'a> Visitor<'a> for Returns {
    fn visit_stmt(&mut self, statement: &'a Stmt) {
        match statement {
            Stmt::Return(_) => self.found = true,
            Stmt::FunctionDef(_) | Stmt::ClassDef(_) => {}
            _ => walk_stmt(self, statement),
        }
    }

    fn visit_expr(&mut self, _: &'a Expr) {}
}
