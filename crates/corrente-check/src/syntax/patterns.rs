//! `match`: what its patterns bind.
//!
//! A mapping's parts are by their keys, a sequence's by their positions as far as these are known; class
//! patterns narrow. What a class has by position is what its `__match_args__` or its fields say.

use ruff_python_ast::{Pattern, PatternMatchClass, PatternMatchMapping, StmtMatch};
use ruff_text_size::{Ranged as _, TextRange};

use super::lowering::Lowering;
use super::statements::word;
use crate::facts::{Action, Key, Slot, Test, Trait};

/// Classes of which `case str(name)` binds the object itself (PEP 634).
const WHOLE: &[&str] = &[
    "bool",
    "bytearray",
    "bytes",
    "dict",
    "float",
    "frozenset",
    "int",
    "list",
    "set",
    "str",
    "tuple",
];

/// Cases of which those after them know that they did not match.
const CASES_MAX: usize = 32;

impl Lowering<'_> {
    pub(super) fn match_statement(&mut self, choice: &StmtMatch) {
        let subject = self.expression(&choice.subject);
        let before = self.mark();
        let mut ends = Vec::new();
        let mut complete = false;
        let mut earlier = Vec::new();
        for case in &choice.cases {
            self.resume(before.clone());
            let asked = self.matched(&case.pattern, subject);
            let first = self.here();
            self.pattern(&case.pattern, subject);
            if let Some(guard) = &case.guard {
                self.expression(guard);
            }
            self.statements(&case.body);
            let not_before = Test::Any(earlier.clone()).negated();
            self.guarded(first, &Test::All(vec![asked.clone(), not_before]));
            if case.guard.is_none() && earlier.len() < CASES_MAX {
                earlier.push(asked);
            }
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

    /// Binds the names of a pattern; gives what matches it.
    fn pattern(&mut self, pattern: &Pattern, subject: Slot) -> Slot {
        let range = pattern.range();
        match pattern {
            Pattern::MatchAs(capture) => {
                let inner = capture.pattern.as_ref();
                let matched = inner.map_or(subject, |inner| self.pattern(inner, subject));
                if let Some(name) = &capture.name {
                    self.write(range, name.as_str(), matched);
                }
                return matched;
            }
            Pattern::MatchStar(star) => {
                if let Some(name) = &star.name {
                    self.write(range, name.as_str(), subject);
                }
            }
            Pattern::MatchOr(any) => {
                let to = self.slot();
                for one in &any.patterns {
                    let from = self.pattern(one, subject);
                    self.emit(range, Action::Copy { to, from });
                }
                return to;
            }
            Pattern::MatchSequence(sequence) => self.sequence_pattern(&sequence.patterns, subject),
            Pattern::MatchMapping(mapping) => self.mapping_pattern(mapping, subject),
            Pattern::MatchClass(class) => return self.class_pattern(class, subject),
            Pattern::MatchValue(_) | Pattern::MatchSingleton(_) => {}
        }
        subject
    }

    fn sequence_pattern(&mut self, parts: &[Pattern], subject: Slot) {
        let is_star = |part: &Pattern| matches!(part, Pattern::MatchStar(_));
        let star = parts.iter().position(is_star);
        for (index, part) in parts.iter().enumerate() {
            if star.is_none_or(|star| index < star) {
                let inner = self.part(part.range(), subject, Key::position(index));
                self.pattern(part, inner);
                continue;
            }
            let inner = self.part(part.range(), subject, Key::Any);
            if star == Some(index) {
                let rest = self.collected(part.range(), vec![(Key::Any, inner)], Vec::new());
                self.pattern(part, rest);
            } else {
                self.pattern(part, inner);
            }
        }
    }

    fn mapping_pattern(&mut self, mapping: &PatternMatchMapping, subject: Slot) {
        for (key, part) in mapping.keys.iter().zip(&mapping.patterns) {
            let key = self.key(key);
            let inner = self.part(part.range(), subject, key);
            self.pattern(part, inner);
        }
        if let Some(rest) = &mapping.rest {
            self.write(mapping.range(), rest.as_str(), subject);
        }
    }

    fn part(&mut self, range: TextRange, base: Slot, key: Key) -> Slot {
        let to = self.slot();
        self.emit(range, Action::Item { to, base, key });
        to
    }

    /// The attribute that the class names at a position of its `__match_args__`.
    fn by_position(
        &mut self,
        range: TextRange,
        (class, subject): (Slot, Slot),
        index: usize,
    ) -> Slot {
        let names = self.slot();
        let name = self.name("__match_args__");
        let base = class;
        self.emit(
            range,
            Action::Attribute {
                to: names,
                base,
                name,
            },
        );
        let name = self.part(range, names, Key::position(index));
        self.call_builtin(range, "getattr", &[subject, name])
    }

    fn class_pattern(&mut self, class: &PatternMatchClass, subject: Slot) -> Slot {
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
        for (index, part) in class.arguments.patterns.iter().enumerate() {
            let is_whole = WHOLE.contains(&word(&class.cls));
            let inner = if is_whole {
                narrowed
            } else {
                self.by_position(part.range(), (slot, narrowed), index)
            };
            self.pattern(part, inner);
        }
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
        narrowed
    }
}
