//! Why a socket could not be had, in one line that says what to do.
//!
//! Every message names the address as the user wrote it.

use std::path::PathBuf;

use rustix::io::Errno;

use super::address::Address;

/// Why a socket could not be had.
#[derive(Debug, thiserror::Error)]
pub enum ListenError {
    /// Somebody else listens there.
    #[error("{address} is in use by {holder}; stop it, or listen elsewhere with `--bind`")]
    InUse {
        /// What was asked for.
        address: Address,
        /// `process 17 (nginx)`, or that it cannot be told.
        holder: String,
    },
    /// This user may not.
    #[error("{address}: not permitted; {advice}")]
    NotPermitted {
        /// What was asked for.
        address: Address,
        /// What to do.
        advice: &'static str,
    },
    /// This machine does not have the address.
    #[error("{0}: this machine has no such address")]
    NoSuchAddress(Address),
    /// The name is not known.
    #[error("{address}: the name cannot be looked up: {reason}")]
    Unknown {
        /// What was asked for.
        address: Address,
        /// The resolver's answer.
        reason: String,
    },
    /// The same address twice.
    #[error("{0} is given twice")]
    Twice(Address),
    /// Something that is no socket is where the socket should be.
    #[error("{}: there is a file that is no socket; remove it, or choose another path", .0.display())]
    NotASocket(PathBuf),
    /// A descriptor that is not what it should be.
    #[error("descriptor {number}: expected a listening stream socket, found {found}")]
    Descriptor {
        /// Its number.
        number: i32,
        /// What it is.
        found: String,
    },
    /// Anything else the system says.
    #[error("cannot {what}: {reason}")]
    System {
        /// What was tried.
        what: String,
        /// The system's answer.
        reason: std::io::Error,
    },
}

impl ListenError {
    /// The system's number for it (`errno(3)`), where there is one.
    pub fn code(&self) -> Option<i32> {
        let error = match self {
            Self::InUse { .. } | Self::Twice(_) => Errno::ADDRINUSE,
            Self::NotPermitted { .. } => Errno::ACCESS,
            Self::NoSuchAddress(_) => Errno::ADDRNOTAVAIL,
            Self::NotASocket(_) => Errno::EXIST,
            Self::Descriptor { .. } => Errno::BADF,
            Self::Unknown { .. } => return None,
            Self::System { reason, .. } => return reason.raw_os_error(),
        };
        Some(error.raw_os_error())
    }

    pub(super) fn system(what: impl Into<String>, error: Errno) -> Self {
        Self::System {
            what: what.into(),
            reason: error.into(),
        }
    }
}
