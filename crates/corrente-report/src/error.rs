//! What can go wrong in this crate: a language that is not ours, a document that is not a result.
//!
//! Each message says what was wrong, what was found and what was expected. Nothing here knows where
//! a document came from: the caller adds the path. Drawing a report cannot fail.

use thiserror::Error;

use crate::result::SCHEMA;

/// An input that this crate cannot take.
#[derive(Debug, Error)]
pub enum ReportError {
    /// A language code that is not one of the project's five.
    #[error("unknown language \"{found}\", expected one of en, it, fr, de, zh")]
    UnknownLanguage {
        /// What was given.
        found: String,
    },
    /// The text is no JSON at all, or its fields do not fit the schema it names.
    #[error("the document does not follow {SCHEMA}: {0}")]
    Malformed(#[source] serde_json::Error),
    /// The document names another schema or another version of this one.
    #[error("expected {SCHEMA}, found {found}")]
    WrongSchema {
        /// The schema that the document names.
        found: String,
    },
    /// The document names no schema.
    #[error("expected {SCHEMA}, found a JSON document that names no schema")]
    NoSchema,
    /// The result holds a figure that JSON cannot carry (not a number, or infinite).
    #[error("the result cannot be written as {SCHEMA}: {0}")]
    Unwritable(#[source] serde_json::Error),
}
