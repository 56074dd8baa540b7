//! Reports: terminal tables, plots, HTML and JSON, in five languages.
//!
//! Pure: results come in as values, text goes out as strings. It opens no file, reads no clock,
//! and knows nothing of how a result was measured.

#![forbid(unsafe_code)]

pub mod band;
pub mod catalogue;
mod claim;
pub mod compare;
mod disturbance;
mod error;
#[cfg(test)]
mod fixture;
pub mod gauge;
pub mod html;
pub mod json;
pub mod language;
mod markup;
pub mod number;
mod plot;
pub mod prediction;
pub mod result;
mod sheet;
mod svg;
pub mod terminal;

pub use catalogue::{Catalogue, Message};
pub use error::ReportError;
pub use language::Language;
pub use terminal::{Colour, Terminal};
