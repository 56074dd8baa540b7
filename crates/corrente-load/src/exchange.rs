//! The line between the event loop and the protocols: one request, one answer, no sockets.
//!
//! An [`Exchange`] lives as long as its connection's slot and is begun anew for every request. It
//! gives the bytes to send, takes the bytes that arrive in whatever pieces they come, and says when
//! the answer is complete. It must not know time, sockets, latency or statistics.
//!
//! Key invariant: the outcome depends only on the bytes, never on how they were split.

use std::time::Duration;

use crate::outcome::ErrorKind;
use crate::peer::Peer;
use crate::plan::Arrival;

/// One protocol's conversation on one connection, one exchange at a time.
pub(crate) trait Exchange {
    /// The next bytes go over a new connection, of which most protocols need not know.
    fn connected(&mut self) {}

    /// Forgets the previous exchange; `ticket` numbers the run's requests and picks what to send.
    fn begin(&mut self, ticket: u64);

    /// All bytes of the current request.
    fn outgoing(&self) -> &[u8];

    /// Takes bytes that arrived.
    fn receive(&mut self, bytes: &[u8]) -> Step;

    /// The peer sends no more.
    fn end_of_input(&mut self) -> Step;
}

/// Where an exchange stands.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Step {
    /// The answer is not complete.
    More,
    /// What was sent opened the connection; the request follows: `outgoing` begins anew.
    Next,
    /// The answer is complete.
    Complete(Completion),
    /// The exchange failed and its connection is of no further use.
    Failed(ErrorKind),
}

/// A complete answer.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Completion {
    /// The status code, if the protocol has one.
    pub(crate) status: Option<u16>,
    /// Whether it is the answer that was expected.
    pub(crate) verdict: Verdict,
    /// What happens to the connection.
    pub(crate) connection: After,
}

/// Whether a complete answer is the expected one.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Verdict {
    Good,
    Wrong(ErrorKind),
}

/// What happens to a connection after an exchange.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum After {
    Reuse,
    Close,
}

/// The part of a plan that does not depend on the protocol.
#[derive(Debug, Clone)]
pub(crate) struct Session {
    pub(crate) peer: Peer,
    pub(crate) arrival: Arrival,
    pub(crate) warm_up: Duration,
    pub(crate) duration: Duration,
    pub(crate) timeout: Duration,
    pub(crate) seed: u64,
    pub(crate) cpus: Vec<usize>,
    pub(crate) threads: usize,
}
