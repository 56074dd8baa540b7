//! Where ways part and meet: branches, loops, `try`.
//!
//! Where two ways meet, a variable that they set differently has a slot that gets both.

use ruff_python_ast::visitor::{Visitor, walk_expr, walk_stmt};
use ruff_python_ast::{ExceptHandler, Expr, ExprContext, ExprGenerator, Pattern, Stmt};
use ruff_text_size::TextRange;
use rustc_hash::FxHashMap;

use super::lowering::{Loop, Lowering, Versions};
use crate::facts::{Action, Name, Slot, Test};

impl Lowering<'_> {
    /// The way as it is, to go back to.
    pub(super) fn mark(&mut self) -> Versions {
        self.frame().versions.clone()
    }

    /// Goes on from `versions`; gives the way that was left.
    pub(super) fn resume(&mut self, versions: Versions) -> Versions {
        std::mem::replace(&mut self.frame().versions, versions)
    }

    /// No code comes by from here on.
    pub(super) fn stop(&mut self) -> Versions {
        self.frame().versions.take()
    }

    /// The current way and `other` meet.
    pub(super) fn join(&mut self, other: Versions) {
        self.join_tested(other, &Test::Other);
    }

    /// The same where code came by `other` if a test held, and by the current way if it did not.
    pub(super) fn join_tested(&mut self, other: Versions, test: &Test) {
        let Some(other) = other else { return };
        let Some(mut here) = self.stop() else {
            self.frame().versions = Some(other);
            return;
        };
        let mut names: Vec<(Name, Slot)> = other.into_iter().collect();
        names.sort_unstable();
        let mut both = Vec::new();
        for (name, theirs) in names {
            match here.get(&name).copied() {
                None => {
                    here.insert(name, theirs);
                }
                Some(ours) if ours != theirs => {
                    let to = self.slot();
                    both.push((to, ours, theirs));
                    here.insert(name, to);
                }
                Some(_) => {}
            }
        }
        self.copies(
            both.iter().map(|(to, ours, _)| (*to, *ours)),
            &test.negated(),
        );
        self.copies(both.iter().map(|(to, _, theirs)| (*to, *theirs)), test);
        self.frame().versions = Some(here);
    }

    fn copies(&mut self, pairs: impl Iterator<Item = (Slot, Slot)>, test: &Test) {
        let first = self.here();
        for (to, from) in pairs {
            self.emit(TextRange::default(), Action::Copy { to, from });
        }
        self.guarded(first, test);
    }

    /// Gives each variable that `body` sets a slot that gets all its versions; a loop's head.
    pub(super) fn begin_loop(&mut self, body: &[Stmt], target: Option<&Expr>) -> Vec<(Name, Slot)> {
        let heads = self.heads(body, target);
        for (name, slot) in &heads {
            if let Some(versions) = &mut self.frame().versions {
                versions.insert(*name, *slot);
            }
        }
        self.frame().loops.push(Loop::default());
        heads
    }

    /// The loop's end: versions flow back to its head, and out. What `break` leaves does not come by `orelse`.
    pub(super) fn end_loop(&mut self, heads: &[(Name, Slot)], exit: Versions, orelse: &[Stmt]) {
        let ended = self.frame().loops.pop().unwrap_or_default();
        let mut back = ended.continues;
        back.push(self.stop());
        for versions in back.into_iter().flatten() {
            for (name, to) in heads {
                if let Some(from) = versions.get(name).copied().filter(|from| from != to) {
                    self.emit(TextRange::default(), Action::Copy { to: *to, from });
                }
            }
        }
        self.frame().versions = exit;
        self.statements(orelse);
        for versions in ended.breaks {
            self.join(versions);
        }
    }

    fn heads(&mut self, body: &[Stmt], target: Option<&Expr>) -> Vec<(Name, Slot)> {
        let mut names = Vec::new();
        if let Some(target) = target {
            super::scopes::names_in(target, &mut names);
        }
        names.extend(assigned(body));
        names.sort_unstable();
        names.dedup();
        let mut heads = Vec::new();
        for name in names {
            let number = self.name(&name);
            let to = self.slot();
            let before = self
                .frame()
                .versions
                .as_ref()
                .and_then(|known| known.get(&number).copied());
            if let Some(from) = before {
                self.emit(TextRange::default(), Action::Copy { to, from });
            }
            heads.push((number, to));
        }
        heads
    }

    /// A `try` begins: whatever its body sets may be seen by what handles it.
    pub(super) fn begin_try(&mut self, body: &[Stmt]) -> FxHashMap<Name, Slot> {
        let recorder: FxHashMap<Name, Slot> = self.heads(body, None).into_iter().collect();
        self.frame().recorders.push(recorder.clone());
        recorder
    }

    /// The variables as a handler may find them.
    pub(super) fn handled(before: &Versions, recorder: &FxHashMap<Name, Slot>) -> Versions {
        let mut versions = before.clone()?;
        versions.extend(recorder.iter().map(|(name, slot)| (*name, *slot)));
        Some(versions)
    }
}

/// Names that statements set, without those of inner bodies.
pub(super) fn assigned(body: &[Stmt]) -> Vec<String> {
    let mut found = Assigned::default();
    for statement in body {
        found.visit_stmt(statement);
    }
    found.names
}

#[derive(Default)]
struct Assigned {
    names: Vec<String>,
}

impl<'a> Visitor<'a> for Assigned {
    fn visit_stmt(&mut self, statement: &'a Stmt) {
        match statement {
            Stmt::FunctionDef(function) => self.names.push(function.name.to_string()),
            Stmt::ClassDef(class) => self.names.push(class.name.to_string()),
            Stmt::Import(import) => {
                for alias in &import.names {
                    let full = alias.asname.as_ref().unwrap_or(&alias.name).as_str();
                    self.names
                        .push(full.split('.').next().unwrap_or(full).to_owned());
                }
            }
            Stmt::ImportFrom(import) => {
                for alias in &import.names {
                    let name = alias.asname.as_ref().unwrap_or(&alias.name);
                    self.names.push(name.to_string());
                }
            }
            _ => walk_stmt(self, statement),
        }
    }

    fn visit_expr(&mut self, expression: &'a Expr) {
        match expression {
            Expr::Name(name) if name.ctx != ExprContext::Load => {
                self.names.push(name.id.to_string());
            }
            Expr::Lambda(_) => {}
            _ => walk_expr(self, expression),
        }
    }

    fn visit_except_handler(&mut self, handler: &'a ExceptHandler) {
        let ExceptHandler::ExceptHandler(inner) = handler;
        self.names
            .extend(inner.name.iter().map(ToString::to_string));
        ruff_python_ast::visitor::walk_except_handler(self, handler);
    }

    fn visit_pattern(&mut self, pattern: &'a Pattern) {
        let name = match pattern {
            Pattern::MatchAs(capture) => capture.name.as_ref(),
            Pattern::MatchStar(star) => star.name.as_ref(),
            Pattern::MatchMapping(mapping) => mapping.rest.as_ref(),
            _ => None,
        };
        self.names.extend(name.map(ToString::to_string));
        ruff_python_ast::visitor::walk_pattern(self, pattern);
    }
}

/// Whether a generator expression awaits, apart from its first iterable.
#[derive(Default)]
pub(super) struct Awaits {
    found: bool,
}

impl Awaits {
    pub(super) fn any(each: &ExprGenerator) -> bool {
        let mut awaits = Self::default();
        awaits.visit_expr(&each.elt);
        for (number, generator) in each.generators.iter().enumerate() {
            awaits.found |= generator.is_async;
            if number > 0 {
                awaits.visit_expr(&generator.iter);
            }
            for test in &generator.ifs {
                awaits.visit_expr(test);
            }
        }
        awaits.found
    }
}

impl<'a> Visitor<'a> for Awaits {
    fn visit_expr(&mut self, expression: &'a Expr) {
        match expression {
            Expr::Await(_) => self.found = true,
            Expr::Lambda(_) | Expr::Generator(_) => {}
            _ => walk_expr(self, expression),
        }
    }
}
