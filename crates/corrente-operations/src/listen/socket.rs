//! Making sockets that listen.
//!
//! `SO_REUSEADDR` so that a restart does not wait for connections that linger; IPv6 takes IPv4 too unless
//! IPv4 is asked for by itself. A Unix socket's stale file is removed if nobody answers behind it, and
//! ours goes when we do.

use std::fs;
use std::io;
use std::net::{IpAddr, Ipv4Addr, Ipv6Addr, SocketAddr, ToSocketAddrs as _};
use std::os::fd::{AsFd, OwnedFd};
use std::os::unix::fs::{FileTypeExt as _, MetadataExt as _, PermissionsExt as _};
use std::path::{Path, PathBuf};

use rustix::io::Errno;
use rustix::net::{
    AddressFamily, SocketAddrUnix, SocketFlags, SocketType, getsockname, socket_with, sockopt,
};

use super::address::Address;
use super::given::endpoint;
use super::{ListenError, Listener, holder};
use crate::settings::{Sockets, Switch};

/// Connections that may wait for a server that has yet to say how many: Python's default for servers.
const UNIX_BACKLOG: u32 = 128;

/// Binds an address; a name may stand for several.
pub(super) fn bind(address: &Address, sockets: &Sockets) -> Result<Vec<Listener>, ListenError> {
    match address {
        Address::Host { host, port } => {
            let mut listeners = Vec::new();
            for found in look_up(address, host, *port)? {
                listeners.push(internet(address, found, sockets)?);
            }
            Ok(listeners)
        }
        Address::Everywhere { port } => {
            let six = SocketAddr::new(IpAddr::V6(Ipv6Addr::UNSPECIFIED), *port);
            match internet(address, six, sockets) {
                Err(error) if lacks_ipv6(&error) => {
                    let four = SocketAddr::new(IpAddr::V4(Ipv4Addr::UNSPECIFIED), *port);
                    Ok(vec![internet(address, four, sockets)?])
                }
                bound => Ok(vec![bound?]),
            }
        }
        Address::Unix(path) => Ok(vec![unix(address, path, sockets)?]),
        Address::Abstract(name) => Ok(vec![abstract_name(address, name, sockets)?]),
        Address::Descriptor(number) => Ok(vec![super::adopt(*number)?]),
    }
}

fn lacks_ipv6(error: &ListenError) -> bool {
    let unsupported =
        |reason: &io::Error| reason.raw_os_error() == Some(Errno::AFNOSUPPORT.raw_os_error());
    match error {
        ListenError::NoSuchAddress(_) => true,
        ListenError::System { reason, .. } => unsupported(reason),
        _ => false,
    }
}

fn look_up(address: &Address, host: &str, port: u16) -> Result<Vec<SocketAddr>, ListenError> {
    let unknown = |reason: String| ListenError::Unknown {
        address: address.clone(),
        reason,
    };
    let found = (host, port).to_socket_addrs();
    let mut found: Vec<SocketAddr> = found.map_err(|error| unknown(error.to_string()))?.collect();
    found.sort();
    found.dedup();
    // Port 0 is one port, not one for each address of a name.
    if port == 0 {
        found.truncate(1);
    }
    if found.is_empty() {
        return Err(unknown("no address".to_owned()));
    }
    Ok(found)
}

fn internet(
    address: &Address,
    found: SocketAddr,
    sockets: &Sockets,
) -> Result<Listener, ListenError> {
    let failed = |error: Errno| refused(address, error, || holder::of_port(found));
    let family = match found {
        SocketAddr::V4(_) => AddressFamily::INET,
        SocketAddr::V6(_) => AddressFamily::INET6,
    };
    let socket = stream(family).map_err(failed)?;
    sockopt::set_socket_reuseaddr(&socket, true).map_err(failed)?;
    if sockets.reuse_port == Switch::On {
        sockopt::set_socket_reuseport(&socket, true).map_err(failed)?;
    }
    if family == AddressFamily::INET6 {
        let mut others = sockets.addresses.iter();
        let is_alone = !others.any(|other| other.is_all_of_ipv4(found.port()));
        let takes_both = is_alone && found.ip().is_unspecified();
        sockopt::set_ipv6_v6only(&socket, !takes_both).map_err(failed)?;
    }
    rustix::net::bind(&socket, &found).map_err(failed)?;
    listen(socket, sockets).map_err(failed)
}

fn unix(address: &Address, path: &Path, sockets: &Sockets) -> Result<Listener, ListenError> {
    let failed = |error: Errno| refused(address, error, || holder::of_path(path));
    let name = SocketAddrUnix::new(path).map_err(failed)?;
    clear(address, path, &name)?;
    let socket = stream(AddressFamily::UNIX).map_err(failed)?;
    rustix::net::bind(&socket, &name).map_err(failed)?;
    let system = |reason: io::Error| ListenError::System {
        what: format!("set the permissions of {}", path.display()),
        reason,
    };
    // Before anybody can connect: it does not listen yet.
    let permissions = fs::Permissions::from_mode(sockets.unix_permissions);
    fs::set_permissions(path, permissions).map_err(system)?;
    let file = SocketFile::of(path).map_err(system)?;
    // One that does not listen yet would look as if its server had gone.
    let backlog = sockets.backlog.or(Some(UNIX_BACKLOG));
    let sockets = &Sockets {
        backlog,
        ..sockets.clone()
    };
    let mut listener = listen(socket, sockets).map_err(failed)?;
    listener.file = Some(file);
    Ok(listener)
}

/// Removes the socket file of a server that has gone; one that answers is in use.
fn clear(address: &Address, path: &Path, name: &SocketAddrUnix) -> Result<(), ListenError> {
    let Ok(metadata) = fs::symlink_metadata(path) else {
        return Ok(());
    };
    if !metadata.file_type().is_socket() {
        return Err(ListenError::NotASocket(path.to_owned()));
    }
    let failed = |error: Errno| refused(address, error, || holder::of_path(path));
    let probe = stream(AddressFamily::UNIX).map_err(failed)?;
    match rustix::net::connect(&probe, name) {
        Err(Errno::CONNREFUSED) => fs::remove_file(path).map_err(|reason| ListenError::System {
            what: format!("remove the stale socket {}", path.display()),
            reason,
        }),
        Err(Errno::NOENT) => Ok(()),
        // Also a queue that is full: somebody is there.
        Ok(()) | Err(_) => Err(failed(Errno::ADDRINUSE)),
    }
}

fn abstract_name(
    address: &Address,
    name: &str,
    sockets: &Sockets,
) -> Result<Listener, ListenError> {
    let failed = |error: Errno| refused(address, error, || None);
    let socket = stream(AddressFamily::UNIX).map_err(failed)?;
    let name = SocketAddrUnix::new_abstract_name(name.as_bytes()).map_err(failed)?;
    rustix::net::bind(&socket, &name).map_err(failed)?;
    listen(socket, sockets).map_err(failed)
}

fn stream(family: AddressFamily) -> Result<OwnedFd, Errno> {
    let flags = SocketFlags::CLOEXEC | SocketFlags::NONBLOCK;
    socket_with(family, SocketType::STREAM, flags, None)
}

fn listen(socket: OwnedFd, sockets: &Sockets) -> Result<Listener, Errno> {
    if let Some(backlog) = sockets.backlog {
        let backlog = i32::try_from(backlog).unwrap_or(i32::MAX);
        rustix::net::listen(socket.as_fd(), backlog)?;
    }
    let name = getsockname(&socket)?;
    Ok(Listener {
        endpoint: endpoint(name).ok_or(Errno::AFNOSUPPORT)?,
        socket,
        file: None,
    })
}

fn refused(
    address: &Address,
    error: Errno,
    holder: impl FnOnce() -> Option<String>,
) -> ListenError {
    let address = address.clone();
    match error {
        Errno::ADDRINUSE => ListenError::InUse {
            address,
            holder: holder().unwrap_or_else(|| "another process".to_owned()),
        },
        Errno::ADDRNOTAVAIL => ListenError::NoSuchAddress(address),
        Errno::ACCESS | Errno::PERM => ListenError::NotPermitted {
            advice: match address {
                Address::Unix(_) => "the folder must be writable for this user",
                _ => "ports below 1024 need the capability CAP_NET_BIND_SERVICE, or a proxy",
            },
            address,
        },
        error => ListenError::system(format!("listen on {address}"), error),
    }
}

/// A Unix socket's file that goes with its maker, unless another has taken the path since.
#[derive(Debug)]
pub(super) struct SocketFile {
    path: PathBuf,
    inode: u64,
    maker: u32,
}

impl SocketFile {
    fn of(path: &Path) -> io::Result<Self> {
        Ok(Self {
            path: path.to_owned(),
            inode: fs::symlink_metadata(path)?.ino(),
            maker: std::process::id(),
        })
    }
}

impl Drop for SocketFile {
    fn drop(&mut self) {
        let found = fs::symlink_metadata(&self.path).map(|metadata| metadata.ino());
        if found.is_ok_and(|inode| inode == self.inode) && self.maker == std::process::id() {
            // A folder that is read-only by now keeps it; the next server removes it as stale.
            fs::remove_file(&self.path).ok();
        }
    }
}
