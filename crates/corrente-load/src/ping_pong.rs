//! Raw ping-pong: each user sends a message and waits for as many bytes back.
//!
//! Over TCP, UDP or a Unix socket, on a connection that stays or a new one for each message. It
//! shares the event loop with HTTP and must not know it; here is only the protocol and its plan.
//! Key invariant: an echo is good only if its length and its first and last byte are right, which
//! catches answers that are cut, shifted or mixed up between connections at next to no cost.

use std::sync::Arc;
use std::sync::atomic::AtomicBool;

use crate::error::LoadError;
use crate::exchange::{After, Completion, Exchange, Session, Step, Verdict};
use crate::outcome::{ErrorKind, Outcome};
use crate::peer::Peer;
use crate::plan::{Users, within};
use crate::run::{Progress, run_session};
use crate::target::KeepAlive;

/// Longest message, in bytes.
const MESSAGE_MAX_BYTES: usize = 16 * 1024 * 1024;
/// Longest datagram that IPv4 carries, in bytes (udp(7)).
const DATAGRAM_MAX_BYTES: usize = 65_507;
/// Different first and last bytes that messages go through; a prime, so that neighbours differ.
const MARKS: u64 = 251;

/// One ping-pong run; always a closed loop on one thread.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Plan {
    /// Where the echo server listens.
    pub peer: Peer,
    /// Length of each message in bytes, at least 1.
    pub message_bytes: usize,
    /// Whether a connection carries more than one message.
    pub keep_alive: KeepAlive,
    /// Who sends them, and for how long.
    pub users: Users,
}

impl Plan {
    fn session(&self) -> Result<Session, LoadError> {
        let most = match self.peer {
            Peer::Udp(_) => DATAGRAM_MAX_BYTES,
            Peer::Tcp(_) | Peer::Unix(_) => MESSAGE_MAX_BYTES,
        };
        within("message length", self.message_bytes, 1..=most, "bytes")?;
        self.users.session(self.peer.clone())
    }
}

/// Runs the plan and blocks until it is done or `stop` is set; see [`crate::run()`].
pub fn run(
    plan: &Plan,
    stop: &AtomicBool,
    progress: impl FnMut(Progress) + Send,
) -> Result<Outcome, LoadError> {
    let session = plan.session()?;
    let messages = Arc::new(Messages::new(plan.message_bytes, plan.users.seed));
    run_session(
        &session,
        || Echo::new(Arc::clone(&messages), plan.keep_alive),
        stop,
        progress,
    )
}

/// The bytes of all messages: a message is a window onto them, so that neighbours differ.
#[derive(Debug)]
struct Messages {
    bytes: Box<[u8]>,
    message_bytes: usize,
    seed: u64,
}

impl Messages {
    fn new(message_bytes: usize, seed: u64) -> Self {
        let length = message_bytes as u64 + MARKS;
        let bytes = (0..length).map(|place| (place % MARKS) as u8).collect();
        Self {
            bytes,
            message_bytes,
            seed: seed % MARKS,
        }
    }
}

/// One connection's ping-pong.
#[derive(Debug)]
struct Echo {
    messages: Arc<Messages>,
    after: After,
    /// Where in the shared bytes the current message begins.
    start: usize,
    received: usize,
    verdict: Verdict,
}

impl Echo {
    fn new(messages: Arc<Messages>, keep_alive: KeepAlive) -> Self {
        Self {
            messages,
            after: match keep_alive {
                KeepAlive::Reuse => After::Reuse,
                KeepAlive::Close => After::Close,
            },
            start: 0,
            received: 0,
            verdict: Verdict::Good,
        }
    }
}

impl Exchange for Echo {
    fn begin(&mut self, ticket: u64) {
        self.start = ((ticket % MARKS + self.messages.seed) % MARKS) as usize;
        self.received = 0;
        self.verdict = Verdict::Good;
    }

    fn outgoing(&self) -> &[u8] {
        &self.messages.bytes[self.start..self.start + self.messages.message_bytes]
    }

    fn receive(&mut self, bytes: &[u8]) -> Step {
        let (Some(first), Some(last)) = (bytes.first(), bytes.last()) else {
            return Step::More;
        };
        let received = self.received + bytes.len();
        if received > self.messages.message_bytes {
            return Step::Failed(ErrorKind::Malformed);
        }
        let expected = self.outgoing();
        if *first != expected[self.received] || *last != expected[received - 1] {
            self.verdict = Verdict::Wrong(ErrorKind::Content);
        }
        self.received = received;
        if received < self.messages.message_bytes {
            return Step::More;
        }
        let verdict = self.verdict;
        Step::Complete(Completion {
            status: None,
            verdict,
            connection: self.after,
        })
    }

    fn end_of_input(&mut self) -> Step {
        Step::Failed(ErrorKind::Reset)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn echo(message_bytes: usize) -> Echo {
        let mut echo = Echo::new(Arc::new(Messages::new(message_bytes, 9)), KeepAlive::Reuse);
        echo.begin(249);
        echo
    }

    fn complete(verdict: Verdict) -> Step {
        Step::Complete(Completion {
            status: None,
            verdict,
            connection: After::Reuse,
        })
    }

    #[test]
    fn an_echo_in_pieces_is_good() {
        let mut echo = echo(600);
        let message = echo.outgoing().to_vec();
        assert_eq!(echo.receive(&message[..1]), Step::More);
        assert_eq!(echo.receive(&message[1..599]), Step::More);
        assert_eq!(echo.receive(&message[599..]), complete(Verdict::Good));
    }

    #[test]
    fn other_bytes_and_other_lengths_are_not() {
        let mut wrong = echo(4);
        let mut message = wrong.outgoing().to_vec();
        message[3] ^= 1;
        assert_eq!(
            wrong.receive(&message),
            complete(Verdict::Wrong(ErrorKind::Content))
        );
        assert_eq!(echo(4).receive(&[0; 5]), Step::Failed(ErrorKind::Malformed));
        assert_eq!(echo(4).end_of_input(), Step::Failed(ErrorKind::Reset));
    }

    #[test]
    fn successive_messages_differ_at_both_ends() {
        let mut echo = echo(10);
        let before = echo.outgoing().to_vec();
        echo.begin(250);
        assert_ne!(before[0], echo.outgoing()[0]);
        assert_ne!(before[9], echo.outgoing()[9]);
    }
}
