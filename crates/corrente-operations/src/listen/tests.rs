//! Sockets on this machine: free ports, temporary folders.

use std::net::{TcpListener, TcpStream};
use std::os::fd::{AsRawFd as _, IntoRawFd as _};
use std::os::unix::fs::PermissionsExt as _;
use std::os::unix::net::{UnixListener, UnixStream};
use std::path::Path;

use super::*;

fn sockets(words: &[&str]) -> Sockets {
    let read = |word: &&str| Address::read(word).expect("an address");
    Sockets {
        addresses: words.iter().map(read).collect(),
        asked: Switch::On,
        backlog: Some(16),
        unix_permissions: 0o600,
        reuse_port: Switch::Off,
    }
}

fn opened(words: &[&str]) -> Result<Vec<Listener>, ListenError> {
    open(&sockets(words), &Systemd::default())
}

fn refusal(words: &[&str]) -> String {
    opened(words).expect_err("it is refused").to_string()
}

fn port(listener: &Listener) -> u16 {
    match listener.endpoint() {
        Endpoint::Internet(address) => address.port(),
        other => panic!("{other} has no port"),
    }
}

#[test]
fn a_port_takes_connections() {
    let listeners = opened(&["127.0.0.1:0"]).expect("a free port");
    TcpStream::connect(("127.0.0.1", port(&listeners[0]))).expect("somebody listens");
}

#[test]
fn everywhere_is_ipv6_and_ipv4() {
    let listeners = opened(&[":0"]).expect("a free port");
    let port = port(&listeners[0]);
    TcpStream::connect(("127.0.0.1", port)).expect("IPv4");
    if TcpListener::bind("[::1]:0").is_ok() {
        TcpStream::connect(("::1", port)).expect("IPv6");
    }
}

#[test]
fn a_port_in_use_is_told_with_who_has_it() {
    let other = TcpListener::bind("127.0.0.1:0").expect("a free port");
    let port = other.local_addr().expect("it has one").port();
    let line = refusal(&[&format!("127.0.0.1:{port}")]);
    let own = std::process::id();
    let expected = format!("127.0.0.1:{port} is in use by process {own} (");
    assert!(line.starts_with(&expected), "{line}");
    assert!(
        line.ends_with("); stop it, or listen elsewhere with `--bind`"),
        "{line}"
    );
}

#[test]
fn an_address_that_is_not_ours_is_told() {
    // TEST-NET-1 (RFC 5737) belongs to nobody.
    let line = refusal(&["192.0.2.1:0"]);
    assert_eq!(line, "192.0.2.1:0: this machine has no such address");
}

#[test]
fn the_same_address_twice_is_told() {
    assert_eq!(
        refusal(&["127.0.0.1:0", "127.0.0.1:0"]),
        "127.0.0.1:0 is given twice"
    );
}

fn unix(path: &Path) -> String {
    format!("unix:{}", path.display())
}

#[test]
fn a_unix_socket_has_its_permissions_and_goes_with_its_maker() {
    let folder = tempfile::tempdir().expect("a folder");
    let path = folder.path().join("socket");
    let listeners = opened(&[&unix(&path)]).expect("a free path");
    UnixStream::connect(&path).expect("somebody listens");
    let mode = std::fs::metadata(&path)
        .expect("it is there")
        .permissions()
        .mode();
    assert_eq!(mode & 0o777, 0o600);
    drop(listeners);
    assert!(!path.exists());
}

#[test]
fn another_servers_socket_is_left_when_we_go() {
    let folder = tempfile::tempdir().expect("a folder");
    let path = folder.path().join("socket");
    let ours = opened(&[&unix(&path)]).expect("a free path");
    // A second file at the same path, while the first inode is still taken by a link.
    std::fs::rename(&path, folder.path().join("old")).expect("moved away");
    let _theirs = UnixListener::bind(&path).expect("a free path");
    drop(ours);
    assert!(path.exists());
}

#[test]
fn a_stale_socket_is_replaced_and_a_living_one_is_not() {
    let folder = tempfile::tempdir().expect("a folder");
    let path = folder.path().join("socket");
    let living = UnixListener::bind(&path).expect("a free path");
    let line = refusal(&[&unix(&path)]);
    assert!(line.contains("is in use by process"), "{line}");
    drop(living);
    opened(&[&unix(&path)]).expect("the stale one is replaced");
}

#[test]
fn a_file_in_the_way_is_not_removed() {
    let folder = tempfile::tempdir().expect("a folder");
    let path = folder.path().join("notes.txt");
    std::fs::write(&path, "mine").expect("written");
    let line = refusal(&[&unix(&path)]);
    assert!(line.contains("there is a file that is no socket"), "{line}");
    assert!(path.exists());
}

#[test]
fn a_path_that_is_too_long_is_told() {
    let line = refusal(&[&format!("unix:/run/{}", "a".repeat(200))]);
    assert!(line.starts_with("cannot listen on unix:/run/aaa"), "{line}");
}

#[test]
fn an_abstract_name_takes_connections() {
    let name = format!("corrente-test-{}", std::process::id());
    let word = format!("unix:@{name}");
    let listeners = opened(&[&word]).expect("a free name");
    assert_eq!(listeners[0].endpoint().to_string(), word);
    assert!(refusal(&[&word]).contains("is in use by another process"));
}

#[test]
fn a_descriptor_has_to_listen() {
    let listening = TcpListener::bind("127.0.0.1:0").expect("a free port");
    let expected = listening.local_addr().expect("it has one").port();
    let listener = adopt(listening.into_raw_fd()).expect("it listens");
    assert_eq!(port(&listener), expected);
    let flags = rustix::io::fcntl_getfd(&listener).expect("it is open");
    assert!(flags.contains(FdFlags::CLOEXEC));
    listener.hand_down().expect("it is ours");
    let flags = rustix::io::fcntl_getfd(&listener).expect("it is open");
    assert!(!flags.contains(FdFlags::CLOEXEC));

    let (near, _far) = UnixStream::pair().expect("a pair");
    let line = adopt(near.into_raw_fd())
        .expect_err("it does not listen")
        .to_string();
    assert!(
        line.ends_with("found a socket that does not listen"),
        "{line}"
    );

    let file = tempfile::tempfile().expect("a file");
    let line = adopt(file.as_raw_fd()).expect_err("no socket").to_string();
    assert!(line.ends_with("found a file"), "{line}");
    file.metadata().expect("it is still open, and whose it was");

    let line = adopt(65_000).expect_err("there is none").to_string();
    assert_eq!(
        line,
        "descriptor 65000: expected a listening stream socket, found none of this number"
    );
}

#[test]
fn a_descriptor_that_is_named_twice_has_one_owner() {
    let listening = TcpListener::bind("127.0.0.1:0").expect("a free port");
    let number = listening.into_raw_fd();
    let mut listeners = Vec::new();
    for _ in 0..2 {
        adopt_once(&mut listeners, number).expect("it listens");
    }
    assert_eq!(listeners.len(), 1);
}

#[test]
fn systemd_speaks_to_the_process_that_it_names() {
    let count = |process: &str, sockets: &str| {
        let variable = |name: &str| match name {
            "LISTEN_PID" => Some(process.to_owned()),
            "LISTEN_FDS" => Some(sockets.to_owned()),
            _ => None,
        };
        let systemd = Systemd::from_environment(17, variable);
        systemd.descriptors().collect::<Vec<i32>>()
    };
    assert_eq!(count("17", "2"), [3, 4]);
    assert!(count("18", "2").is_empty());
    assert!(count("17", "x").is_empty());
    assert!(count("", "").is_empty());
}
