//! Who listens on a port or a path already.
//!
//! /proc/net names the socket, /proc/PID/fd the process that has it. Another user's processes cannot be
//! looked into: then there is no answer, and the message does without.

use std::fs;
use std::net::SocketAddr;
use std::path::Path;

/// State of a listening socket in /proc/net/tcp (the kernel's `tcp_states.h`).
const LISTENING: &str = "0A";

/// Flag of a socket that listens in /proc/net/unix (the kernel's `__SO_ACCEPTCON`).
const ACCEPTS: &str = "00010000";

/// The process that listens on the port of `address`.
pub(super) fn of_port(address: SocketAddr) -> Option<String> {
    let read = |name: &str| fs::read_to_string(format!("/proc/net/{name}")).unwrap_or_default();
    let inode = inode_of_port(&read("tcp"), address.port())
        .or_else(|| inode_of_port(&read("tcp6"), address.port()))?;
    process_with(&inode)
}

/// The process that listens on the Unix socket at `path`.
pub(super) fn of_path(path: &Path) -> Option<String> {
    let table = fs::read_to_string("/proc/net/unix").ok()?;
    let inode = inode_of_path(&table, path.to_str()?)?;
    process_with(&inode)
}

fn inode_of_port(table: &str, port: u16) -> Option<String> {
    let wanted = format!(":{port:04X}");
    table.lines().skip(1).find_map(|line| {
        let fields: Vec<&str> = line.split_whitespace().collect();
        let listens = fields.get(1)?.ends_with(&wanted) && *fields.get(3)? == LISTENING;
        listens.then(|| fields.get(9).map(ToString::to_string))?
    })
}

fn inode_of_path(table: &str, path: &str) -> Option<String> {
    table.lines().skip(1).find_map(|line| {
        let fields: Vec<&str> = line.split_whitespace().collect();
        let listens = *fields.get(7)? == path && *fields.get(3)? == ACCEPTS;
        listens.then(|| fields.get(6).map(ToString::to_string))?
    })
}

/// The youngest process of those that have the socket would be a worker; the oldest is its parent.
fn process_with(inode: &str) -> Option<String> {
    let link = format!("socket:[{inode}]");
    let entries = fs::read_dir("/proc").ok()?.flatten();
    let mut processes: Vec<u32> = entries
        .filter_map(|entry| entry.file_name().to_str()?.parse().ok())
        .collect();
    processes.sort_unstable();
    let process = processes.into_iter().find(|process| {
        let folder = fs::read_dir(format!("/proc/{process}/fd"));
        let mut descriptors = folder.into_iter().flatten().flatten();
        descriptors.any(|entry| {
            let target = fs::read_link(entry.path());
            target.is_ok_and(|target| target.as_os_str() == link.as_str())
        })
    })?;
    let name = fs::read_to_string(format!("/proc/{process}/comm")).unwrap_or_default();
    Some(format!("process {process} ({})", name.trim()))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_kernels_tables_are_read() {
        let table = "  sl  local_address rem_address   st tx_queue rx_queue tr tm->when retrnsmt   uid  timeout inode\n\
             0: 0100007F:1F40 0100007F:C000 01 00000000:00000000 00:00000000 00000000  0  0 11 1\n\
             1: 00000000:1F40 00000000:0000 0A 00000000:00000000 00:00000000 00000000  0  0 22 1\n";
        assert_eq!(inode_of_port(table, 8000).as_deref(), Some("22"));
        assert_eq!(inode_of_port(table, 8001), None);
        let table = "Num       RefCount Protocol Flags    Type St Inode Path\n\
             0: 00000002 00000000 00000000 0001 03 33 /run/a\n\
             0: 00000002 00000000 00010000 0001 01 44 /run/a\n\
             0: 00000002 00000000 00010000 0001 01 55 /run/b\n\
             0: 00000002 00000000 00000000 0001 03 66\n";
        assert_eq!(inode_of_path(table, "/run/a").as_deref(), Some("44"));
        assert_eq!(inode_of_path(table, "/run/c"), None);
    }
}
