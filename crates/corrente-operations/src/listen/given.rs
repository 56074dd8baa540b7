//! Sockets that were open before we began: by number, or as systemd hands them over.
//!
//! What is taken over is looked at first: a descriptor that does not listen would only show as a server
//! that nobody can reach. Systemd's protocol is `sd_listen_fds(3)`.

use std::ffi::OsStr;
use std::net::SocketAddr;
use std::os::unix::ffi::OsStrExt as _;
use std::path::PathBuf;

use rustix::fs::{FileType, fstat};
use rustix::io::FdFlags;
use rustix::net::{SocketAddrAny, SocketAddrUnix, SocketType, getsockname, sockopt};

use super::address::Endpoint;
use super::{ListenError, Listener};
use crate::ffi;

/// The first descriptor that systemd hands over.
const FIRST: i32 = 3;

/// Variables of systemd's protocol; workers must not see them.
pub(crate) const SYSTEMD_VARIABLES: [&str; 3] = ["LISTEN_PID", "LISTEN_FDS", "LISTEN_FDNAMES"];

/// How many sockets systemd has handed over.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct Systemd {
    count: i32,
}

impl Systemd {
    /// What the environment says: `LISTEN_FDS` counts if `LISTEN_PID` is this process.
    pub fn from_environment(own: u32, variable: impl Fn(&str) -> Option<String>) -> Self {
        let number = |name: &str| variable(name)?.parse::<u32>().ok();
        let count = number("LISTEN_PID")
            .filter(|process| *process == own)
            .and_then(|_| number("LISTEN_FDS"))
            .and_then(|count| i32::try_from(count).ok());
        Self {
            count: count.unwrap_or(0),
        }
    }

    pub(super) fn descriptors(self) -> impl Iterator<Item = i32> {
        FIRST..FIRST.saturating_add(self.count)
    }
}

/// Takes over a socket by its number: in the parent one that was given, in a worker the parent's. To be called
/// once for a number.
pub fn adopt(number: i32) -> Result<Listener, ListenError> {
    let refuse = |found: &str| ListenError::Descriptor {
        number,
        found: found.to_owned(),
    };
    let socket = ffi::adopt(number).ok_or_else(|| refuse("none of this number"))?;
    let system = |error| ListenError::system(format!("use descriptor {number}"), error);
    let status = fstat(&socket).map_err(system)?;
    let kind = FileType::from_raw_mode(status.st_mode);
    if kind != FileType::Socket {
        // It is not ours after all: whoever has it keeps it.
        std::mem::forget(socket);
        return Err(refuse(name_of(kind)));
    }
    if sockopt::socket_type(&socket).map_err(system)? != SocketType::STREAM {
        return Err(refuse("a socket of another kind"));
    }
    if !sockopt::socket_acceptconn(&socket).map_err(system)? {
        return Err(refuse("a socket that does not listen"));
    }
    // Subprocesses of the application must not keep the port open.
    rustix::io::fcntl_setfd(&socket, FdFlags::CLOEXEC).map_err(system)?;
    let name = getsockname(&socket).map_err(system)?;
    Ok(Listener {
        endpoint: endpoint(name).ok_or_else(|| refuse("a socket of an unknown family"))?,
        socket,
        file: None,
    })
}

fn name_of(kind: FileType) -> &'static str {
    match kind {
        FileType::RegularFile => "a file",
        FileType::Directory => "a folder",
        FileType::Fifo => "a pipe",
        FileType::CharacterDevice => "a terminal or another device",
        _ => "no socket",
    }
}

pub(super) fn endpoint(name: SocketAddrAny) -> Option<Endpoint> {
    if let Ok(address) = SocketAddr::try_from(name.clone()) {
        return Some(Endpoint::Internet(address));
    }
    let unix = SocketAddrUnix::try_from(name).ok()?;
    if let Some(name) = unix.abstract_name() {
        return Some(Endpoint::Abstract(
            String::from_utf8_lossy(name).into_owned(),
        ));
    }
    let path = unix.path_bytes().unwrap_or_default();
    Some(Endpoint::Unix(PathBuf::from(OsStr::from_bytes(path))))
}
