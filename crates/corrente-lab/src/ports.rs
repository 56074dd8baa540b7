//! Free ports on loopback.
//!
//! The kernel is asked for a port, which is given back at once so that a part can take it. Another
//! process may be quicker; the part then fails to bind and says so in its log.

use std::net::{Ipv4Addr, TcpListener};
use std::path::Path;

use crate::error::LabError;

/// A port that was free a moment ago.
pub(crate) fn free() -> Result<u16, LabError> {
    let listener = TcpListener::bind((Ipv4Addr::LOCALHOST, 0));
    let address = listener.and_then(|listener| listener.local_addr());
    address
        .map(|address| address.port())
        .map_err(|error| LabError::file(Path::new("a free port on 127.0.0.1"), &error))
}
