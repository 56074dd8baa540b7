//! The shape of a file that facts leave out: which statements stand one after another, which run in a
//! loop, and where functions begin and end.
//!
//! Only a plan asks for it, and only for files in which it has something to tell.

use ruff_python_ast::visitor::{self, Visitor};
use ruff_python_ast::{Expr, PySourceType, Stmt};
use ruff_python_parser::parse_unchecked_source;
use ruff_text_size::{Ranged as _, TextRange};

use super::span_of;
use crate::facts::Span;

/// A statement.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Statement {
    pub(crate) span: Span,
    /// The list of statements that it stands in.
    pub(crate) block: u32,
    /// It has no statements of its own.
    pub(crate) simple: bool,
    /// It may end the block before its last statement.
    pub(crate) may_leave: bool,
}

/// What is run again and again: the body of a `for`, the element of a comprehension.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Repeated {
    pub(crate) span: Span,
    pub(crate) may_leave: bool,
}

/// The shape of a file.
#[derive(Debug, Default)]
pub(crate) struct Outline {
    pub(crate) functions: Vec<Span>,
    pub(crate) statements: Vec<Statement>,
    pub(crate) repeated: Vec<Repeated>,
    blocks: u32,
}

impl Outline {
    /// Reads a source. Deep source needs a deep stack: see [`super::STACK_BYTES`].
    pub(crate) fn of(source: &str) -> Self {
        let parsed = parse_unchecked_source(source, PySourceType::Python);
        let mut outline = Self::default();
        outline.visit_body(parsed.suite());
        outline
    }

    /// The innermost function around a place.
    pub(crate) fn function(&self, at: Span) -> Option<Span> {
        innermost(self.functions.iter().copied(), at)
    }

    /// The innermost statement around a place.
    pub(crate) fn statement(&self, at: Span) -> Option<Statement> {
        let around = self.statements.iter().filter(|one| holds(one.span, at));
        around
            .min_by_key(|one| one.span.end - one.span.start)
            .copied()
    }

    /// The innermost repetition around a place, within the function there.
    pub(crate) fn repetition(&self, at: Span) -> Option<Repeated> {
        let function = self.function(at);
        let around = self.repeated.iter().filter(|one| holds(one.span, at));
        around
            .filter(|one| function.is_none_or(|function| holds(function, one.span)))
            .min_by_key(|one| one.span.end - one.span.start)
            .copied()
    }

    fn repeat(&mut self, body: TextRange, may_leave: bool) {
        self.repeated.push(Repeated {
            span: span_of(body),
            may_leave,
        });
    }
}

fn innermost(spans: impl Iterator<Item = Span>, at: Span) -> Option<Span> {
    spans
        .filter(|span| holds(*span, at))
        .min_by_key(|span| span.end - span.start)
}

fn holds(outer: Span, inner: Span) -> bool {
    outer.start <= inner.start && inner.end <= outer.end
}

impl<'a> Visitor<'a> for Outline {
    fn visit_body(&mut self, body: &'a [Stmt]) {
        let block = self.blocks;
        self.blocks += 1;
        for statement in body {
            self.statements.push(Statement {
                span: span_of(statement.range()),
                block,
                simple: is_simple(statement),
                may_leave: Leaving::in_statement(statement),
            });
            self.visit_stmt(statement);
        }
    }

    fn visit_stmt(&mut self, statement: &'a Stmt) {
        match statement {
            Stmt::FunctionDef(function) => self.functions.push(span_of(function.range())),
            Stmt::For(repeated) => {
                if let (Some(first), Some(last)) = (repeated.body.first(), repeated.body.last()) {
                    let leaves = repeated.body.iter().any(Leaving::in_statement);
                    self.repeat(TextRange::new(first.start(), last.end()), leaves);
                }
            }
            _ => {}
        }
        visitor::walk_stmt(self, statement);
    }

    fn visit_expr(&mut self, expression: &'a Expr) {
        match expression {
            Expr::ListComp(list) => self.repeat(list.elt.range(), false),
            Expr::SetComp(set) => self.repeat(set.elt.range(), false),
            Expr::DictComp(dict) => self.repeat(dict.value.range(), false),
            _ => {}
        }
        visitor::walk_expr(self, expression);
    }
}

fn is_simple(statement: &Stmt) -> bool {
    matches!(
        statement,
        Stmt::Assign(_) | Stmt::AnnAssign(_) | Stmt::AugAssign(_) | Stmt::Expr(_) | Stmt::Return(_)
    )
}

/// Whether calling it comes back to nobody: frameworks' and the interpreter's ways to raise.
fn ends(callee: &Expr) -> bool {
    let name = match callee {
        Expr::Name(name) => name.id.as_str(),
        Expr::Attribute(attribute) => attribute.attr.as_str(),
        _ => return false,
    };
    ENDING.contains(&name)
}

/// Functions that raise, whatever they are given.
const ENDING: &[&str] = &["abort", "exit", "_exit", "quit"];

/// Looks for statements after which the next one may not run.
#[derive(Default)]
struct Leaving(bool);

impl Leaving {
    fn in_statement(statement: &Stmt) -> bool {
        let mut leaving = Self::default();
        leaving.visit_stmt(statement);
        leaving.0
    }
}

impl<'a> Visitor<'a> for Leaving {
    fn visit_stmt(&mut self, statement: &'a Stmt) {
        match statement {
            Stmt::Return(_)
            | Stmt::Raise(_)
            | Stmt::Break(_)
            | Stmt::Continue(_)
            | Stmt::Assert(_)
            | Stmt::Try(_) => self.0 = true,
            // What a function inside does is not done here.
            Stmt::FunctionDef(_) | Stmt::ClassDef(_) => {}
            _ => visitor::walk_stmt(self, statement),
        }
    }

    fn visit_expr(&mut self, expression: &'a Expr) {
        match expression {
            Expr::Yield(_) | Expr::YieldFrom(_) => self.0 = true,
            Expr::Call(call) if ends(&call.func) => self.0 = true,
            Expr::Lambda(_) => {}
            _ => visitor::walk_expr(self, expression),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn at(source: &str, what: &str) -> Span {
        let start = source.find(what).expect("it is in the source") as u32;
        Span {
            start,
            end: start + what.len() as u32,
        }
    }

    #[test]
    fn statements_know_their_block() {
        let source = "def f():\n    a = one()\n    if a:\n        two()\n    three()\n";
        let outline = Outline::of(source);
        let block = |what| {
            outline
                .statement(at(source, what))
                .expect("it is one")
                .block
        };
        assert_eq!(block("one()"), block("three()"));
        assert_ne!(block("one()"), block("two()"));
    }

    #[test]
    fn a_loop_in_another_function_is_none() {
        let source = "for x in y:\n    def f():\n        one()\n    two()\n";
        let outline = Outline::of(source);
        assert!(outline.repetition(at(source, "one()")).is_none());
        assert!(outline.repetition(at(source, "two()")).is_some());
    }

    #[test]
    fn what_may_leave_is_seen() {
        let source = "for x in y:\n    if x:\n        break\n    two()\n";
        let outline = Outline::of(source);
        let repeated = outline.repetition(at(source, "two()"));
        assert!(repeated.is_some_and(|repeated| repeated.may_leave));
    }
}
