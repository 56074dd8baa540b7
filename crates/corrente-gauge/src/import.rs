//! OpenTelemetry spans as requests: what OTLP JSON says about waiting, without new instrumentation.
//!
//! Reads what the OpenTelemetry file exporter and the Collector write: one or many `TracesData`
//! documents, one a line or not. A server span is a request, named by `http.route`; the client
//! spans under it are its waits, by resource. Spans know no processor time: wall minus waits is only
//! its upper bound, and the result says so. What a span carries besides (statements, parameters,
//! headers) is not kept. Memory is bounded by [`MAX_SPANS`].

mod attributes;
mod gather;
mod otlp;
mod record;
mod span;

use std::io::{self, BufRead as _, BufReader, Read};
use std::sync::atomic::{AtomicBool, Ordering};

pub use attributes::{Resource, ResourceKind, Sender, ServerKind};
pub use gather::{Imported, Request, ResourceUse, Run};

use span::Spans;

/// Spans kept in memory: about 100 bytes each, so 200 MB.
pub const MAX_SPANS: usize = 2_000_000;

/// Bytes between two calls of the progress callback and looks at the cancel flag.
const PROGRESS_STEP: u64 = 4 << 20;

/// Why spans could not be imported. One line; the caller puts the file's name before it.
#[derive(Debug, thiserror::Error)]
pub enum ImportError {
    /// The system could not read it.
    #[error("cannot be read: {0}")]
    Read(io::Error),
    /// No JSON, or JSON with other types than OTLP has.
    #[error(
        "line {line}, column {column}: {reason}; expected OTLP JSON as the OpenTelemetry file exporter writes it"
    )]
    Syntax {
        /// Line, from 1.
        line: usize,
        /// Column, from 1.
        column: usize,
        /// What the parser found.
        reason: String,
    },
    /// The last document has no end.
    #[error(
        "line {line}: the file ends in the middle of a document; copy it again when its writer has finished"
    )]
    Truncated {
        /// Line, from 1.
        line: usize,
    },
    /// JSON, but another format.
    #[error("document {document} is {found}; expected OTLP JSON with `resourceSpans`")]
    Foreign {
        /// Which document, from 1.
        document: usize,
        /// What it seems to be.
        found: &'static str,
    },
    /// Nothing in it at all.
    #[error("is empty; expected OTLP JSON with `resourceSpans`")]
    Empty,
    /// Nothing in it is a request.
    #[error(
        "no request among {spans} spans: expected spans of kind SERVER; instrument the web framework, not only its clients"
    )]
    NoRequests {
        /// All spans.
        spans: usize,
    },
    /// Which service?
    #[error("requests of {} services: {}; choose one with `--service`", names.len(), names.join(", "))]
    SeveralServices {
        /// Their names.
        names: Vec<String>,
    },
    /// The service that was asked for is not there.
    #[error("no request of service `{asked}`; there are: {}", names.join(", "))]
    UnknownService {
        /// What the caller wants.
        asked: String,
        /// What there is.
        names: Vec<String>,
    },
    /// More than fits.
    #[error("more than {MAX_SPANS} spans; import a shorter stretch of time")]
    TooManySpans,
    /// The caller gave up.
    #[error("interrupted")]
    Cancelled,
}

/// Spans that are read from one file after the other, and then put together.
#[derive(Debug)]
pub struct Import<'run> {
    spans: Spans,
    bytes: u64,
    cancel: &'run AtomicBool,
}

impl<'run> Import<'run> {
    /// Nothing read yet. When `cancel` becomes true the import ends.
    pub fn new(cancel: &'run AtomicBool) -> Self {
        Self {
            spans: Spans::default(),
            bytes: 0,
            cancel,
        }
    }

    /// Reads all documents of a source. `progress` hears how many bytes have been read so far, from
    /// all sources.
    pub fn read(
        &mut self,
        source: impl Read,
        progress: &mut dyn FnMut(u64),
    ) -> Result<(), ImportError> {
        let counted = Counted {
            source,
            told: self.bytes,
            bytes: &mut self.bytes,
            progress,
            cancel: self.cancel,
        };
        let mut source = BufReader::with_capacity(1 << 16, counted);
        if let Some(found) = no_object(source.fill_buf().map_err(read_error)?) {
            return Err(ImportError::Foreign { document: 1, found });
        }
        read_documents(source, &mut self.spans)
    }

    /// Makes requests of the spans. `service` is the one whose requests are wanted; it is needed
    /// where the spans are of several.
    pub fn requests(self, service: Option<&str>) -> Result<Imported, ImportError> {
        gather::requests(self.spans, service)
    }
}

/// What a source is whose first bytes begin no JSON object; nothing where they may.
fn no_object(head: &[u8]) -> Option<&'static str> {
    // No JSON has such bytes; OTLP's other encoding, and whatever is compressed, have some of them soon.
    let is_binary = |byte: &u8| *byte < b' ' && !byte.is_ascii_whitespace();
    if head.iter().any(is_binary) {
        Some("no text: OTLP as protobuf, or compressed")
    } else if head.trim_ascii_start().starts_with(b"[") {
        // Serde would take an array for the fields of a document, one after the other.
        Some("a JSON array, as Zipkin has it")
    } else {
        None
    }
}

fn read_documents(source: impl Read, spans: &mut Spans) -> Result<(), ImportError> {
    let documents = serde_json::Deserializer::from_reader(source).into_iter::<otlp::Document>();
    let mut number = 0;
    for document in documents {
        let document = document.map_err(ImportError::from)?;
        number += 1;
        if let Some(found) = document.foreign() {
            let document = number;
            return Err(ImportError::Foreign { document, found });
        }
        spans.add(document)?;
    }
    if number == 0 {
        return Err(ImportError::Empty);
    }
    Ok(())
}

impl From<serde_json::Error> for ImportError {
    fn from(error: serde_json::Error) -> Self {
        let (line, column) = (error.line(), error.column());
        if error.is_eof() {
            return Self::Truncated { line };
        }
        if error.is_io() {
            return read_error(io::Error::from(error));
        }
        let text = error.to_string();
        // The position is said in our words, at the front.
        let reason = text.split(" at line ").next().unwrap_or(&text).to_owned();
        Self::Syntax {
            line,
            column,
            reason,
        }
    }
}

fn read_error(error: io::Error) -> ImportError {
    if error.to_string() == CANCELLED {
        ImportError::Cancelled
    } else {
        ImportError::Read(error)
    }
}

/// The message by which a cancelled read is known: `Interrupted` would be tried again by the
/// reader above.
const CANCELLED: &str = "cancelled";

/// A reader that tells how far it is and stops when it is told to.
struct Counted<'run, R> {
    source: R,
    bytes: &'run mut u64,
    told: u64,
    progress: &'run mut dyn FnMut(u64),
    cancel: &'run AtomicBool,
}

impl<R: Read> Read for Counted<'_, R> {
    fn read(&mut self, buffer: &mut [u8]) -> io::Result<usize> {
        if self.cancel.load(Ordering::Relaxed) {
            return Err(io::Error::other(CANCELLED));
        }
        let read = self.source.read(buffer)?;
        *self.bytes += read as u64;
        if *self.bytes >= self.told + PROGRESS_STEP {
            self.told = *self.bytes;
            (self.progress)(*self.bytes);
        }
        Ok(read)
    }
}

#[cfg(test)]
mod tests;
