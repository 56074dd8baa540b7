//! What is told of an exchange when it is over, and to whom.
//!
//! The border between the server and what keeps logs: the server knows no format and no file (those are
//! `corrente-operations`), the log no connection. What is told is borrowed: whoever wants to keep it, copies it.

use std::sync::Arc;
use std::time::{Duration, SystemTime};

use pyo3::prelude::*;

/// An exchange that is over: a request and what became of it.
#[derive(Debug, Clone)]
pub struct Account<'a> {
    /// When its head was there.
    pub began: SystemTime,
    /// From then to the last byte of the response.
    pub duration: Duration,
    /// The client's address, after what trusted proxies said; empty on a Unix socket.
    pub client: &'a str,
    /// `http` or `https`, after what trusted proxies said.
    pub scheme: &'a str,
    /// The method; empty where what came was no request.
    pub method: &'a [u8],
    /// The target as it was sent.
    pub target: &'a [u8],
    /// `HTTP/1.1` and the like.
    pub version: &'a str,
    /// Of the response; 499 where the client went before there was one, 101 for a WebSocket.
    pub status: u16,
    /// Bytes of the response's body, without its framing.
    pub sent_bytes: u64,
    /// Bytes of the request's body.
    pub received_bytes: u64,
    /// Those fields of the request that the log wants.
    pub request_headers: &'a [(&'a [u8], &'a [u8])],
    /// Those of the response.
    pub response_headers: &'a [(&'a [u8], &'a [u8])],
    /// Empty where requests have none.
    pub request_id: &'a str,
}

/// What is told of exchanges.
pub trait Log: Send + Sync {
    /// The names of request fields that it wants, in lower case.
    fn request_fields(&self) -> &[String];

    /// The names of response fields that it wants, in lower case.
    fn response_fields(&self) -> &[String];

    /// An exchange is over. Called by the loop's thread: it must not wait.
    fn put(&self, account: &Account<'_>);

    /// The file has been moved away.
    fn reopen(&self);

    /// Nothing more comes: all is written out when this returns.
    fn finish(&self);
}

/// A log, as Python hands it from whoever made it to a server.
#[pyclass(frozen, module = "corrente._native")]
pub struct AccessLog(Arc<dyn Log>);

impl AccessLog {
    /// Of what keeps it.
    pub fn new(log: Arc<dyn Log>) -> Self {
        Self(log)
    }

    pub(crate) fn log(&self) -> Arc<dyn Log> {
        Arc::clone(&self.0)
    }
}

impl std::fmt::Debug for AccessLog {
    fn fmt(&self, formatter: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        formatter.write_str("AccessLog")
    }
}

#[pymethods]
impl AccessLog {
    /// Opens the file again: it has been moved away.
    fn reopen(&self) {
        self.0.reopen();
    }

    /// Writes out what has gathered; what comes later is dropped.
    fn finish(&self, py: Python<'_>) {
        py.detach(|| self.0.finish());
    }
}
