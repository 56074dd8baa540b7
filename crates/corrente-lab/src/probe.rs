//! Does a contender answer, and rightly? One plain request, read whole.
//!
//! Asked before anything is measured, so that no figure comes from an error page. Uses its own
//! few lines of HTTP/1.1 with `Connection: close`: the load generator counts, this one looks.

use std::io::{Read as _, Write as _};
use std::net::{SocketAddr, TcpStream};
use std::time::Duration;

/// How long one answer may take where nothing else is said.
pub(crate) const ANSWER_LIMIT: Duration = Duration::from_secs(15);

/// What came back.
#[derive(Debug, PartialEq, Eq)]
pub(crate) struct Answer {
    pub(crate) status: u16,
    pub(crate) body: String,
}

/// Asks once for `path`; no part of the answer may keep it waiting for longer than `limit`.
pub(crate) fn ask(address: SocketAddr, path: &str, limit: Duration) -> std::io::Result<Answer> {
    let mut stream = TcpStream::connect_timeout(&address, Duration::from_secs(1))?;
    stream.set_read_timeout(Some(limit))?;
    write!(
        stream,
        "GET {path} HTTP/1.1\r\nHost: {address}\r\nConnection: close\r\n\r\n"
    )?;
    let mut bytes = Vec::new();
    let mut buffer = [0; 16 * 1024];
    while !is_whole(&bytes) {
        match stream.read(&mut buffer)? {
            0 => break,
            length => bytes.extend_from_slice(&buffer[..length]),
        }
    }
    parse(&bytes).ok_or_else(|| std::io::Error::other("the answer is not HTTP/1.1"))
}

/// Whether the body is there as far as the head tells; a server may keep the connection in spite
/// of `Connection: close`, so its end alone is no measure.
fn is_whole(bytes: &[u8]) -> bool {
    let text = String::from_utf8_lossy(bytes);
    let Some((head, _)) = text.split_once("\r\n\r\n") else {
        return false;
    };
    let head_bytes = head.len() + 4;
    let headers = head.lines().filter_map(|line| line.split_once(':'));
    for (name, value) in headers {
        if name.eq_ignore_ascii_case("content-length") {
            let length = value.trim().parse().unwrap_or(usize::MAX);
            return bytes.len().saturating_sub(head_bytes) >= length;
        }
        if name.eq_ignore_ascii_case("transfer-encoding") {
            return bytes.ends_with(b"0\r\n\r\n");
        }
    }
    false
}

/// Sends `length` bytes and waits for as many.
pub(crate) fn echo(address: SocketAddr, length: usize) -> std::io::Result<()> {
    let mut stream = TcpStream::connect_timeout(&address, Duration::from_secs(1))?;
    stream.set_read_timeout(Some(ANSWER_LIMIT))?;
    let message = vec![b'x'; length];
    let mut back = vec![0; length];
    stream.write_all(&message)?;
    stream.read_exact(&mut back)?;
    if back == message {
        Ok(())
    } else {
        Err(std::io::Error::other("other bytes came back"))
    }
}

fn parse(bytes: &[u8]) -> Option<Answer> {
    let text = String::from_utf8_lossy(bytes);
    let (head, body) = text.split_once("\r\n\r\n")?;
    let status = head
        .strip_prefix("HTTP/1.")?
        .split(' ')
        .nth(1)?
        .parse()
        .ok()?;
    Some(Answer {
        status,
        body: body.to_owned(),
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn knows_when_a_body_is_whole() {
        let length = b"HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\nab";
        assert!(is_whole(length) && !is_whole(&length[..length.len() - 1]));
        let chunked = b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n1\r\na\r\n0\r\n\r\n";
        assert!(is_whole(chunked) && !is_whole(&chunked[..chunked.len() - 5]));
        assert!(!is_whole(b"HTTP/1.1 200 OK\r\n\r\nuntil the end"));
    }

    #[test]
    fn reads_status_and_body() {
        let answer = parse(b"HTTP/1.1 503 Service Unavailable\r\nA: b\r\n\r\nbusy");
        assert_eq!(
            answer,
            Some(Answer {
                status: 503,
                body: "busy".to_owned()
            })
        );
        assert_eq!(parse(b"SSH-2.0-x\r\n\r\n"), None);
    }
}
