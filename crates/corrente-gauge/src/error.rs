//! What can go wrong with recordings on disk: one line each, with the path and what to do.
//!
//! The recorder itself has no errors: inside a service that is watched, what cannot be recorded is
//! not recorded, and the recording says so.

use std::path::PathBuf;

use corrente_record::RecordError;
use thiserror::Error;

/// Why a recording cannot be had.
#[derive(Debug, Error)]
pub enum GaugeError {
    /// A file or folder cannot be read or written.
    #[error("{path}: {error}")]
    File {
        /// Which.
        path: PathBuf,
        /// What the system said.
        error: std::io::Error,
    },
    /// A file is no recording.
    #[error("{path}: {error}")]
    Recording {
        /// Which.
        path: PathBuf,
        /// What is wrong with it.
        error: RecordError,
    },
    /// A file is larger than any recording.
    #[error(
        "{path}: is larger than {mib_max} MiB, so it is no recording; give a file of `corrente gauge run`"
    )]
    TooLarge {
        /// Which.
        path: PathBuf,
        /// What a recording may have.
        mib_max: u64,
    },
    /// A folder holds no recording.
    #[error("{path}: holds no recording; nothing was served, or not by a Python with corrente")]
    Empty {
        /// Which.
        path: PathBuf,
    },
}
