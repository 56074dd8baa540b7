//! Tests for kinds of functions: `iscoroutinefunction(function)`, `isasyncgenfunction(function)`, what `and`, `or` and
//! `not` make of them, and answers that an object keeps: `self.is_async = iscoroutinefunction(self.function)`.
//!
//! Only what the source says. An answer that an object keeps counts as long as the class's own methods set it once,
//! and set what was tested before it only.

use ruff_python_ast::visitor::{Visitor, walk_expr, walk_stmt};
use ruff_python_ast::{BoolOp, Expr, Stmt, UnaryOp};
use ruff_text_size::{Ranged as _, TextRange};
use rustc_hash::FxHashMap;

use super::narrowing::dotted;
use super::statements::word;
use crate::facts::Kinds;

/// Answers that an object keeps, as methods write them: what was tested, and the kinds it is if the answer is yes.
pub(super) type KeptAnswers = FxHashMap<String, (String, Kinds)>;

/// What a test asks the kind of, and the kinds that pass.
pub(super) fn asked(test: &Expr) -> Option<(String, Kinds)> {
    match test {
        Expr::UnaryOp(unary) if unary.op == UnaryOp::Not => {
            let (subject, kinds) = asked(&unary.operand)?;
            Some((subject, kinds.others()))
        }
        Expr::BoolOp(parts) => {
            let mut parts_asked = parts.values.iter().map(asked);
            let (subject, mut all) = parts_asked.next()??;
            for part in parts_asked {
                let (other, kinds) = part?;
                if other != subject {
                    return None;
                }
                all = match parts.op {
                    BoolOp::And => all.and(kinds),
                    BoolOp::Or => all.or(kinds),
                };
            }
            Some((subject, all))
        }
        Expr::Call(call) => {
            let kinds = match word(&call.func) {
                "iscoroutinefunction" | "is_async_callable" | "is_coroutine_function" => {
                    Kinds::COROUTINE
                }
                "isasyncgenfunction" => Kinds::ASYNC_GENERATOR,
                "isgeneratorfunction" => Kinds::GENERATOR,
                _ => return None,
            };
            Some((dotted(call.arguments.args.first()?)?, kinds))
        }
        _ => None,
    }
}

/// The variables whose kind a function with coroutines inside of it asks, its inner functions apart: a decorator
/// that has a wrapper for either kind, and chooses one when both are made.
pub(super) fn asked_in(body: &[Stmt]) -> Vec<String> {
    let has_coroutines = body
        .iter()
        .any(|statement| matches!(statement, Stmt::FunctionDef(inner) if inner.is_async));
    let mut found = Asked::default();
    if has_coroutines {
        for statement in body {
            found.visit_stmt(statement);
        }
    }
    found.names
}

#[derive(Debug, Default)]
struct Asked {
    names: Vec<String>,
}

impl<'a> Visitor<'a> for Asked {
    fn visit_stmt(&mut self, statement: &'a Stmt) {
        if !matches!(statement, Stmt::FunctionDef(_) | Stmt::ClassDef(_)) {
            walk_stmt(self, statement);
        }
    }

    fn visit_expr(&mut self, expression: &'a Expr) {
        match asked(expression) {
            Some((name, kinds)) if !name.contains('.') && kinds.parts_coroutines() => {
                self.names.push(name);
            }
            _ => walk_expr(self, expression),
        }
    }
}

/// The answers that objects of a class keep.
pub(super) fn kept_by(body: &[Stmt]) -> KeptAnswers {
    let mut stores = Stores::default();
    for (method, statement) in body.iter().enumerate() {
        if let Stmt::FunctionDef(function) = statement {
            stores.method = method;
            for inner in &function.body {
                stores.visit_stmt(inner);
            }
        }
    }
    let answers = stores.all.iter().filter_map(|store| {
        let (subject, kinds) = asked(store.value?)?;
        let tested = stores.tested(store, &subject)?;
        (stores.of(&store.path).count() == 1).then(|| (store.path.clone(), (tested, kinds)))
    });
    answers.collect()
}

/// A place where a method sets an attribute.
#[derive(Debug)]
struct StoreAt<'a> {
    path: String,
    method: usize,
    range: TextRange,
    /// What it is set to, where that is a plain assignment.
    value: Option<&'a Expr>,
}

/// What the methods of a class set.
#[derive(Debug, Default)]
struct Stores<'a> {
    all: Vec<StoreAt<'a>>,
    method: usize,
}

impl<'a> Stores<'a> {
    fn of(&self, path: &str) -> impl Iterator<Item = &StoreAt<'a>> {
        self.all.iter().filter(move |store| store.path == path)
    }

    /// The attribute that an answer is about: what was tested, or what was given that.
    fn tested(&self, answer: &StoreAt<'_>, subject: &str) -> Option<String> {
        if subject.contains('.') {
            let before = |store: &StoreAt<'_>| {
                store.method == answer.method && store.range.start() < answer.range.start()
            };
            return self.of(subject).all(before).then(|| subject.to_owned());
        }
        let given = |store: &&StoreAt<'_>| {
            let is_subject = |value: &Expr| matches!(value, Expr::Name(name) if name.id == subject);
            store.method == answer.method && store.value.is_some_and(is_subject)
        };
        let store = self.all.iter().find(given)?;
        (self.of(&store.path).count() == 1).then(|| store.path.clone())
    }
}

impl<'a> Visitor<'a> for Stores<'a> {
    fn visit_stmt(&mut self, statement: &'a Stmt) {
        let before = self.all.len();
        walk_stmt(self, statement);
        let plain = match statement {
            Stmt::Assign(assign) => Some((&assign.targets[..], Some(&*assign.value))),
            Stmt::AnnAssign(assign) => Some((
                std::slice::from_ref(&*assign.target),
                assign.value.as_deref(),
            )),
            _ => None,
        };
        let Some(([target], value)) = plain else {
            return;
        };
        let new = self.all.iter_mut().skip(before);
        for store in new.filter(|store| store.range == target.range()) {
            store.value = value;
        }
    }

    fn visit_expr(&mut self, expression: &'a Expr) {
        if let Expr::Attribute(attribute) = expression
            && !attribute.ctx.is_load()
            && let Some(path) = dotted(expression)
        {
            self.all.push(StoreAt {
                path,
                method: self.method,
                range: attribute.range(),
                value: None,
            });
        }
        walk_expr(self, expression);
    }
}
