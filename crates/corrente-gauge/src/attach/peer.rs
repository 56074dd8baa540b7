//! The far end of a socket: `/proc/PID/fd` and `/proc/PID/net/tcp` say what host and port it has,
//! `/proc/PID/net/unix` that it is one of the machine itself.
//!
//! Each connection is looked up once; tables are read again only for a connection not seen before,
//! and not oftener than [`READ_AGAIN`], because on a busy host they are long.

use std::collections::{HashMap, HashSet};
use std::fs;
use std::net::{IpAddr, Ipv4Addr, Ipv6Addr, SocketAddr};
use std::time::{Duration, Instant};

/// Shortest time between two reads of the tables of one process.
const READ_AGAIN: Duration = Duration::from_millis(500);

/// Connections remembered, over all processes.
const MAX_KNOWN: usize = 20_000;

/// What a socket is connected to.
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
pub(super) enum Peer {
    /// A server that this process is a client of.
    Server(SocketAddr),
    /// A client of this process.
    Client,
    /// A socket of the machine itself, which has no port.
    Local,
    /// No socket, one that has gone, or one of another kind: the answer of a name server, say.
    Unknown,
}

/// Kinds by well-known port (IANA's registry and the products' defaults).
const PORTS: &[(u16, &str, &str)] = &[
    (5432, "database", "postgresql"),
    (6432, "database", "postgresql"),
    (3306, "database", "mysql"),
    (1521, "database", "oracle"),
    (1433, "database", "mssql"),
    (27017, "database", "mongodb"),
    (9042, "database", "cassandra"),
    (9200, "database", "elasticsearch"),
    (6379, "cache", "redis"),
    (11211, "cache", "memcached"),
    (80, "http", "http"),
    (443, "http", "http"),
    (8080, "http", "http"),
    (5672, "other", "amqp"),
    (9092, "other", "kafka"),
];

/// Kind and name of what usually listens on a port.
pub(super) fn usual(port: u16) -> Option<(&'static str, &'static str)> {
    PORTS
        .iter()
        .find(|(known, ..)| *known == port)
        .map(|(_, kind, name)| (*kind, *name))
}

/// The sockets of the processes that are sampled.
#[derive(Debug, Default)]
pub(super) struct Peers {
    known: HashMap<(u32, u64), Peer>,
    read: HashMap<u32, Instant>,
}

impl Peers {
    /// What descriptor `descriptor` of process `pid` is connected to.
    pub(super) fn of(&mut self, pid: u32, descriptor: u64) -> Peer {
        let link = fs::read_link(format!("/proc/{pid}/fd/{descriptor}"));
        let link = link.unwrap_or_default();
        let Some(inode) = link.to_str().and_then(socket_inode) else {
            return Peer::Unknown;
        };
        if let Some(peer) = self.known.get(&(pid, inode)) {
            return peer.clone();
        }
        if !self.may_read(pid) {
            return Peer::Unknown;
        }
        self.read_tables(pid);
        // What is in no table is not looked for again.
        let peer = self.known.entry((pid, inode)).or_insert(Peer::Unknown);
        peer.clone()
    }

    fn may_read(&mut self, pid: u32) -> bool {
        let now = Instant::now();
        let last = self.read.insert(pid, now);
        match last.filter(|last| now.duration_since(*last) < READ_AGAIN) {
            Some(last) => {
                self.read.insert(pid, last);
                false
            }
            None => true,
        }
    }

    fn read_tables(&mut self, pid: u32) {
        if self.known.len() > MAX_KNOWN {
            self.known.clear();
        }
        let tables: Vec<String> = ["tcp", "tcp6"]
            .iter()
            .filter_map(|table| fs::read_to_string(format!("/proc/{pid}/net/{table}")).ok())
            .collect();
        let rows: Vec<Row> = tables
            .iter()
            .flat_map(|table| table.lines().filter_map(row))
            .collect();
        let listening: HashSet<u16> = rows
            .iter()
            .filter(|row| row.listens)
            .map(|row| row.local.port())
            .collect();
        for row in rows.iter().filter(|row| !row.listens && row.inode != 0) {
            let peer = if listening.contains(&row.local.port()) {
                Peer::Client
            } else {
                Peer::Server(row.remote)
            };
            self.known.insert((pid, row.inode), peer);
        }
        let table = fs::read_to_string(format!("/proc/{pid}/net/unix")).unwrap_or_default();
        let local = table.lines().filter_map(local_inode);
        self.known
            .extend(local.map(|inode| ((pid, inode), Peer::Local)));
    }
}

fn socket_inode(link: &str) -> Option<u64> {
    link.strip_prefix("socket:[")?
        .strip_suffix(']')?
        .parse()
        .ok()
}

/// The inode in a row of `/proc/net/unix` (proc(5)); the first row has titles.
fn local_inode(line: &str) -> Option<u64> {
    line.split_ascii_whitespace().nth(6)?.parse().ok()
}

/// A row of `/proc/net/tcp` (proc(5)).
#[derive(Debug, PartialEq, Eq)]
struct Row {
    local: SocketAddr,
    remote: SocketAddr,
    listens: bool,
    inode: u64,
}

fn row(line: &str) -> Option<Row> {
    let words: Vec<&str> = line.split_ascii_whitespace().collect();
    Some(Row {
        local: address(words.get(1)?)?,
        remote: address(words.get(2)?)?,
        // 0A is TCP_LISTEN (include/net/tcp_states.h).
        listens: *words.get(3)? == "0A",
        inode: words.get(9)?.parse().ok()?,
    })
}

/// `0100007F:1538` is 127.0.0.1:5432: words of 32 bits as they lie in memory, here little-endian.
fn address(text: &str) -> Option<SocketAddr> {
    let (host, port) = text.split_once(':')?;
    let port = u16::from_str_radix(port, 16).ok()?;
    let mut bytes = Vec::with_capacity(16);
    for at in (0..host.len()).step_by(8) {
        let word = u32::from_str_radix(host.get(at..at + 8)?, 16).ok()?;
        bytes.extend(word.to_ne_bytes());
    }
    let host = if let Ok(four) = <[u8; 4]>::try_from(bytes.as_slice()) {
        IpAddr::V4(Ipv4Addr::from(four))
    } else {
        let sixteen = <[u8; 16]>::try_from(bytes.as_slice()).ok()?;
        Ipv6Addr::from(sixteen).to_canonical()
    };
    Some(SocketAddr::new(host, port))
}

#[cfg(test)]
mod tests {
    use std::net::{TcpListener, TcpStream, UdpSocket};
    use std::os::fd::AsRawFd;
    use std::os::unix::net::UnixStream;

    use super::*;

    #[test]
    fn addresses_are_read_as_the_kernel_writes_them() {
        let check = |text: &str, expected: &str| {
            assert_eq!(
                address(text).map(|found| found.to_string()).as_deref(),
                Some(expected)
            );
        };
        check("0100007F:1538", "127.0.0.1:5432");
        check("0000000000000000FFFF00000100007F:0050", "127.0.0.1:80");
        check("00000000000000000000000001000000:1F90", "[::1]:8080");
        assert_eq!(address("nonsense"), None);
        assert_eq!(address("01:zz"), None);
    }

    #[test]
    fn a_connection_knows_its_server_and_its_client() {
        let listener = TcpListener::bind("127.0.0.1:0").expect("loopback");
        let there = listener.local_addr().expect("is bound");
        let client = TcpStream::connect(there).expect("listens");
        let (server, _) = listener.accept().expect("connects");
        let mut peers = Peers::default();
        let own = std::process::id();
        let descriptor = |stream: &TcpStream| u64::try_from(stream.as_raw_fd()).expect("is open");
        assert_eq!(peers.of(own, descriptor(&client)), Peer::Server(there));
        assert_eq!(peers.of(own, descriptor(&server)), Peer::Client);
        assert_eq!(peers.of(own, 99_999), Peer::Unknown);
    }

    #[test]
    fn a_socket_of_the_machine_itself_is_told_from_one_that_has_no_connection() {
        let (one, _other) = UnixStream::pair().expect("a pair");
        let datagrams = UdpSocket::bind("127.0.0.1:0").expect("loopback");
        let mut peers = Peers::default();
        let own = std::process::id();
        let descriptor = |socket: i32| u64::try_from(socket).expect("is open");
        assert_eq!(peers.of(own, descriptor(one.as_raw_fd())), Peer::Local);
        let mut peers = Peers::default();
        let found = peers.of(own, descriptor(datagrams.as_raw_fd()));
        assert_eq!(found, Peer::Unknown);
    }

    #[test]
    fn ports_have_their_usual_names() {
        assert_eq!(usual(5432), Some(("database", "postgresql")));
        assert_eq!(usual(49_152), None);
    }
}
