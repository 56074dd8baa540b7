//! What can be wrong with a recording: always one line that says where, and what to do.
//!
//! The texts do not name a file; whoever opened it puts its name before them. The user is to blame
//! for none of these: a foreign file was given, or a recorder wrote nonsense.

use thiserror::Error;

/// Why a document is no recording, or why two cannot be merged.
#[derive(Debug, Clone, PartialEq, Eq, Error)]
pub enum RecordError {
    /// It is not JSON, or not of this shape.
    #[error("is not a recording: {0}; was it written by `corrente gauge`, and to its end?")]
    Unreadable(String),
    /// It says that it is something else.
    #[error(
        "expected schema `{expected}`, found `{found}`; give a file of `corrente gauge run`, or a newer corrente"
    )]
    Schema {
        /// What this version reads.
        expected: &'static str,
        /// What the document says.
        found: String,
    },
    /// Its figures do not agree.
    #[error("{place}: {fault}; the file is damaged, record again")]
    Inconsistent {
        /// Endpoint or process, and the field.
        place: String,
        /// What is wrong there.
        fault: String,
    },
    /// The same process comes in both recordings.
    #[error("process {pid} of host `{host}` is in it twice; give each file once")]
    Twice {
        /// Name of the host.
        host: String,
        /// Its process identifier.
        pid: u32,
    },
}
