//! The adapter to Ruff's parser: source in, [`ModuleFacts`] out.
//!
//! Nothing outside this module knows the syntax tree: those crates promise no stability. Lowering
//! never fails; what could not be parsed is in the facts' faults, and the rest of the file counts.
//! Deep source needs a deep stack: whoever calls gives [`STACK_BYTES`].

mod awaitable;
mod definitions;
mod expressions;
mod flow;
mod guards;
mod imports;
mod kinds;
mod lowering;
mod narrowing;
mod operators;
mod outline;
mod pardons;
mod patterns;
mod pruning;
mod scopes;
mod scripts;
mod settled;
mod statements;
mod truth;

use ruff_python_ast::PySourceType;
use ruff_python_parser::parse_unchecked_source;
use ruff_text_size::TextRange;

use crate::facts::{Fault, ModuleFacts, Span};
use crate::origins;
use lowering::Lowering;
pub(crate) use outline::{Outline, Statement};
use scopes::Scopes;

/// Stack of a thread that lowers. Expressions may nest a thousand deep in generated code; a frame
/// of the visitors is below a kilobyte, and untouched pages cost nothing.
pub const STACK_BYTES: usize = 512 << 20;

/// Faults of a file that are told; a file of another language has one a line.
const FAULTS_MAX: usize = 5;

/// Lowers a file.
pub(crate) fn lower(source: &str) -> ModuleFacts {
    let parsed = parse_unchecked_source(source, PySourceType::Python);
    let mut facts = ModuleFacts {
        faults: parsed
            .errors()
            .iter()
            .take(FAULTS_MAX)
            .map(|error| Fault {
                at: error.location.start().into(),
                message: printable(&error.error.to_string()),
            })
            .collect(),
        ..ModuleFacts::default()
    };
    follow(source, &mut facts);
    let body = parsed.suite();
    let scopes = Scopes::of(body);
    Lowering::new(&scopes, &mut facts).module(body);
    facts.functions.iter_mut().for_each(pruning::prune);
    let names = &facts.names;
    for function in facts
        .functions
        .iter_mut()
        .filter(|one| !one.guards.is_empty())
    {
        origins::keep_guards_that_matter(function, names);
    }
    facts.index();
    facts
}

/// Adds what follows from the text alone.
pub(crate) fn follow(source: &str, facts: &mut ModuleFacts) {
    facts.lines = line_starts(source);
    facts.pardons = pardons::read(source);
    facts.scripts = scripts::read(source);
}

/// A message for one line of a terminal: the parser quotes what it found, whatever that is.
fn printable(message: &str) -> String {
    message
        .chars()
        .map(|one| if one.is_control() { ' ' } else { one })
        .collect()
}

fn line_starts(source: &str) -> Vec<u32> {
    let after = source
        .bytes()
        .enumerate()
        .filter(|(_, byte)| *byte == b'\n')
        .map(|(at, _)| at as u32 + 1);
    std::iter::once(0).chain(after).collect()
}

fn span_of(range: TextRange) -> Span {
    Span {
        start: range.start().into(),
        end: range.end().into(),
    }
}
