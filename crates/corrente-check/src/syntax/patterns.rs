//! `match`: what its patterns bind.
//!
//! A pattern's parts are taken for anything inside the subject; class patterns narrow it.

use ruff_python_ast::{Pattern, StmtMatch};
use ruff_text_size::Ranged as _;

use super::lowering::Lowering;
use crate::facts::{Action, Key, Slot, Trait};

impl Lowering<'_> {
    pub(super) fn match_statement(&mut self, choice: &StmtMatch) {
        let subject = self.expression(&choice.subject);
        let before = self.mark();
        let mut ends = Vec::new();
        let mut complete = false;
        for case in &choice.cases {
            self.resume(before.clone());
            self.pattern(&case.pattern, subject);
            if let Some(guard) = &case.guard {
                self.expression(guard);
            }
            self.statements(&case.body);
            ends.push(self.stop());
            complete |= case.guard.is_none() && case.pattern.is_irrefutable();
        }
        if !complete {
            ends.push(before);
        }
        for end in ends {
            self.join(end);
        }
    }

    fn pattern(&mut self, pattern: &Pattern, subject: Slot) {
        let range = pattern.range();
        match pattern {
            Pattern::MatchAs(capture) => {
                if let Some(inner) = &capture.pattern {
                    self.pattern(inner, subject);
                }
                if let Some(name) = &capture.name {
                    self.write(range, name.as_str(), subject);
                }
            }
            Pattern::MatchStar(star) => {
                if let Some(name) = &star.name {
                    self.write(range, name.as_str(), subject);
                }
            }
            Pattern::MatchOr(any) => any
                .patterns
                .iter()
                .for_each(|one| self.pattern(one, subject)),
            Pattern::MatchSequence(sequence) => self.parts(&sequence.patterns, subject),
            Pattern::MatchMapping(mapping) => self.parts(&mapping.patterns, subject),
            Pattern::MatchClass(class) => self.class_pattern(class, subject),
            Pattern::MatchValue(_) | Pattern::MatchSingleton(_) => {}
        }
    }

    fn parts(&mut self, parts: &[Pattern], subject: Slot) {
        for part in parts {
            let to = self.slot();
            self.emit(
                part.range(),
                Action::Item {
                    to,
                    base: subject,
                    key: Key::Any,
                },
            );
            self.pattern(part, to);
        }
    }

    fn class_pattern(&mut self, class: &ruff_python_ast::PatternMatchClass, subject: Slot) {
        let slot = self.expression(&class.cls);
        let narrowed = self.slot();
        let by = Trait::Instance(slot);
        self.emit(
            class.range(),
            Action::Filter {
                to: narrowed,
                from: subject,
                by,
            },
        );
        for keyword in &class.arguments.keywords {
            let to = self.slot();
            let name = self.name(keyword.attr.as_str());
            self.emit(
                keyword.range,
                Action::Attribute {
                    to,
                    base: narrowed,
                    name,
                },
            );
            self.pattern(&keyword.pattern, to);
        }
    }
}
