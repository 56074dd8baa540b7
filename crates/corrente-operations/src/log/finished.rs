//! A request that is over, as the access log needs it.
//!
//! Borrowed from whoever served it: nothing is copied for a log that is off.

use std::time::Duration;

use super::moment::Moment;

/// A request that is over.
#[derive(Debug, Clone)]
pub struct Finished<'a> {
    /// When it began, in the zone that people read.
    pub began: Moment<'a>,
    /// The client, after what trusted proxies said; empty for a Unix socket.
    pub client: &'a str,
    /// The method.
    pub method: &'a [u8],
    /// The target as it was sent.
    pub target: &'a [u8],
    /// `HTTP/1.1` and the like.
    pub version: &'a str,
    /// The status of the response; 499 where the client went before there was one.
    pub status: u16,
    /// Bytes of the response's body that were sent.
    pub sent_bytes: u64,
    /// Bytes of the request's body that were read.
    pub received_bytes: u64,
    /// From the first byte of the request to the last of the response.
    pub duration: Duration,
    /// Of the request, as sent.
    pub request_headers: &'a [(&'a [u8], &'a [u8])],
    /// Of the response.
    pub response_headers: &'a [(&'a [u8], &'a [u8])],
    /// `http` or `https`.
    pub scheme: &'a str,
    /// Empty where there is none.
    pub request_id: &'a str,
    /// The worker's process.
    pub process: u32,
}

impl Finished<'_> {
    /// The target's path.
    pub fn path(&self) -> &[u8] {
        let end = self.target.iter().position(|byte| *byte == b'?');
        &self.target[..end.unwrap_or(self.target.len())]
    }

    /// The target's query, without its question mark.
    pub fn query(&self) -> &[u8] {
        let start = self.target.iter().position(|byte| *byte == b'?');
        start.map_or(&[], |start| &self.target[start + 1..])
    }
}

/// The first field of this name.
pub(super) fn field<'h>(headers: &[(&[u8], &'h [u8])], name: &str) -> Option<&'h [u8]> {
    let mut headers = headers.iter();
    headers
        .find(|(known, _)| known.eq_ignore_ascii_case(name.as_bytes()))
        .map(|(_, value)| *value)
}
