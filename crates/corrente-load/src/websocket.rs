//! WebSocket echo: each user opens a connection once, sends a message and waits for as long a one back.
//!
//! It shares the event loop with HTTP and must not know it; here are the protocol (RFC 6455, and RFC 7692
//! for compression) and its plan. So that it costs less than any server, messages are framed, masked and
//! compressed before the run, and compressed answers are counted and not decompressed.
//! Key invariant: an echo that is not compressed is good only if its length and its ends are right.

mod frame;
mod messages;
mod opening;

use std::sync::Arc;
use std::sync::atomic::AtomicBool;

use self::frame::{Found, Reader, Received};
use self::messages::Messages;
use self::opening::{Opened, request};
use crate::error::LoadError;
use crate::exchange::{After, Completion, Exchange, Session, Step, Verdict};
use crate::outcome::{ErrorKind, Outcome};
use crate::plan::{Users, within};
use crate::run::{Progress, run_session};
use crate::target::Target;

/// Longest message, in bytes.
const MESSAGE_MAX_BYTES: usize = 16 * 1024 * 1024;
/// Longest head that answers the request to open, in bytes.
const HEAD_MAX_BYTES: usize = 16 * 1024;

/// What a message is.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Kind {
    /// UTF-8, which servers check.
    Text,
    /// Bytes.
    Binary,
}

/// Whether messages are compressed.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Compression {
    /// It is not offered.
    Off,
    /// permessage-deflate is offered; a server that declines it fails.
    Deflate,
}

/// One run; always a closed loop on one thread.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Plan {
    /// Where the server listens, and the path; the method and the body do not count.
    pub target: Target,
    /// Length of each message in bytes before compression, at least 1.
    pub message_bytes: usize,
    /// What the messages are.
    pub kind: Kind,
    /// Whether they are compressed.
    pub compression: Compression,
    /// Who sends them, and for how long.
    pub users: Users,
}

impl Plan {
    fn session(&self) -> Result<Session, LoadError> {
        self.target.request.check()?;
        let lengths = 1..=MESSAGE_MAX_BYTES;
        within("message length", self.message_bytes, lengths, "bytes")?;
        self.users.session(self.target.address.into())
    }
}

/// Runs the plan and blocks until it is done or `stop` is set; see [`crate::run()`].
pub fn run(
    plan: &Plan,
    stop: &AtomicBool,
    progress: impl FnMut(Progress) + Send,
) -> Result<Outcome, LoadError> {
    let session = plan.session()?;
    let work = Arc::new(Work::new(plan)?);
    run_session(&session, || Echo::new(Arc::clone(&work)), stop, progress)
}

/// What all connections of a run have in common.
#[derive(Debug)]
struct Work {
    request: Box<[u8]>,
    messages: Messages,
    compression: Compression,
}

impl Work {
    fn new(plan: &Plan) -> Result<Self, LoadError> {
        Ok(Self {
            request: request(&plan.target.request, plan.compression),
            messages: Messages::new(plan)?,
            compression: plan.compression,
        })
    }
}

/// How far a connection has come.
#[derive(Debug, PartialEq, Eq)]
enum Stage {
    /// Being opened; what has come of the answer.
    Opening(Vec<u8>),
    Open,
}

/// One connection's echoes.
#[derive(Debug)]
struct Echo {
    work: Arc<Work>,
    stage: Stage,
    reader: Reader,
    picked: usize,
    /// Pongs that are owed, which go out before the next message.
    owed: Vec<u8>,
    /// Pongs and the current message, where there are any.
    joined: Vec<u8>,
}

impl Echo {
    fn new(work: Arc<Work>) -> Self {
        Self {
            work,
            stage: Stage::Opening(Vec::new()),
            reader: Reader::default(),
            picked: 0,
            owed: Vec::new(),
            joined: Vec::new(),
        }
    }

    fn open(&mut self, bytes: &[u8]) -> Step {
        let Stage::Opening(head) = &mut self.stage else {
            return Step::Failed(ErrorKind::Malformed);
        };
        head.extend_from_slice(bytes);
        match Opened::read(head, self.work.compression) {
            Ok(None) if head.len() < HEAD_MAX_BYTES => Step::More,
            Ok(None) => Step::Failed(ErrorKind::Malformed),
            Ok(Some(Opened { taken })) => {
                let rest = head.split_off(taken);
                self.stage = Stage::Open;
                match self.frames(&rest) {
                    Step::More => Step::Next,
                    // Nobody has said anything yet that could have been answered.
                    Step::Complete(_) => Step::Failed(ErrorKind::Malformed),
                    other => other,
                }
            }
            Err(kind) => Step::Failed(kind),
        }
    }

    fn frames(&mut self, mut bytes: &[u8]) -> Step {
        loop {
            match self.reader.take(&mut bytes) {
                Ok(Found::Nothing) => return Step::More,
                Ok(Found::Ping) => self.reader.answer(&mut self.owed),
                Ok(Found::Message(received)) if bytes.is_empty() => return self.judge(received),
                Ok(Found::Close) => return Step::Failed(ErrorKind::Reset),
                Ok(Found::Message(_)) | Err(_) => return Step::Failed(ErrorKind::Malformed),
            }
        }
    }

    fn judge(&self, received: Received) -> Step {
        let is_good = if received.is_compressed {
            self.work.compression == Compression::Deflate
        } else {
            self.work.messages.is_echo(self.picked, received)
        };
        let verdict = if is_good {
            Verdict::Good
        } else {
            Verdict::Wrong(ErrorKind::Content)
        };
        Step::Complete(Completion {
            status: None,
            verdict,
            connection: After::Reuse,
        })
    }
}

impl Exchange for Echo {
    fn connected(&mut self) {
        self.stage = Stage::Opening(Vec::new());
        self.reader = Reader::default();
        self.owed.clear();
        self.joined.clear();
    }

    fn begin(&mut self, ticket: u64) {
        self.picked = self.work.messages.pick(ticket);
        self.joined.clear();
        if !self.owed.is_empty() {
            self.joined.append(&mut self.owed);
            let message = self.work.messages.frame(self.picked);
            self.joined.extend_from_slice(message);
        }
    }

    fn outgoing(&self) -> &[u8] {
        match self.stage {
            Stage::Opening(_) => &self.work.request,
            Stage::Open if self.joined.is_empty() => self.work.messages.frame(self.picked),
            Stage::Open => &self.joined,
        }
    }

    fn receive(&mut self, bytes: &[u8]) -> Step {
        match self.stage {
            Stage::Opening(_) => self.open(bytes),
            Stage::Open => self.frames(bytes),
        }
    }

    fn end_of_input(&mut self) -> Step {
        Step::Failed(ErrorKind::Reset)
    }
}

#[cfg(test)]
mod tests {
    use std::time::Duration;

    use super::*;

    const ANSWER: &[u8] = b"HTTP/1.1 101 Switching Protocols\r\nUpgrade: websocket\r\n\
        Connection: Upgrade\r\nSec-WebSocket-Accept: s3pPLMBiTxaQ9kYGzzhZRbK+xOo=\r\n\r\n";

    fn echo() -> Echo {
        let plan = Plan {
            target: Target::parse("http://127.0.0.1:1/chat").unwrap(),
            message_bytes: 5,
            kind: Kind::Text,
            compression: Compression::Off,
            users: Users {
                count: 1,
                warm_up: Duration::ZERO,
                duration: Duration::from_secs(1),
                timeout: Duration::from_secs(1),
                cpus: Vec::new(),
                seed: 1,
            },
        };
        let mut echo = Echo::new(Arc::new(Work::new(&plan).unwrap()));
        echo.begin(0);
        echo
    }

    fn opened() -> Echo {
        let mut echo = echo();
        assert_eq!(echo.receive(ANSWER), Step::Next);
        echo
    }

    /// The message that was sent, as a server sends it.
    fn answer(echo: &Echo) -> Vec<u8> {
        let frame = echo.work.messages.frame(echo.picked);
        let (mask, payload) = frame[2..].split_at(4);
        let bytes = payload.iter().zip(mask.iter().cycle());
        let mut answer = vec![0x81, 5];
        answer.extend(bytes.map(|(byte, mask)| byte ^ mask));
        answer
    }

    fn verdict(step: Step) -> Option<Verdict> {
        match step {
            Step::Complete(completion) => Some(completion.verdict),
            _ => None,
        }
    }

    #[test]
    fn a_connection_is_opened_before_the_message() {
        let mut echo = echo();
        assert!(echo.outgoing().starts_with(b"GET /chat HTTP/1.1\r\n"));
        assert_eq!(echo.receive(&ANSWER[..50]), Step::More);
        assert_eq!(echo.receive(&ANSWER[50..]), Step::Next);
        assert_eq!(echo.outgoing(), echo.work.messages.frame(0));
        let answer = answer(&echo);
        assert_eq!(echo.receive(&answer[..3]), Step::More);
        assert_eq!(verdict(echo.receive(&answer[3..])), Some(Verdict::Good));
        echo.connected();
        assert!(echo.outgoing().starts_with(b"GET "));
    }

    #[test]
    fn another_echo_is_wrong() {
        let mut echo = opened();
        let mut bytes = answer(&echo);
        bytes[6] ^= 1;
        let wrong = Verdict::Wrong(ErrorKind::Content);
        assert_eq!(verdict(echo.receive(&bytes)), Some(wrong));
        echo.begin(1);
        assert_eq!(verdict(echo.receive(&[0x81, 0])), Some(wrong));
        let mut twice = answer(&echo);
        twice.extend_from_within(..);
        assert_eq!(echo.receive(&twice), Step::Failed(ErrorKind::Malformed));
    }

    #[test]
    fn a_ping_is_answered_with_the_next_message() {
        let mut echo = opened();
        let bytes = [&[0x89, 1, b'!'][..], &answer(&echo)].concat();
        assert_eq!(verdict(echo.receive(&bytes)), Some(Verdict::Good));
        echo.begin(1);
        assert_eq!(echo.outgoing()[..7], [0x8a, 0x81, 0, 0, 0, 0, b'!']);
        assert!(echo.outgoing().ends_with(echo.work.messages.frame(1)));
    }

    #[test]
    fn the_end_of_a_connection_is_no_echo() {
        let mut echo = opened();
        let end = Step::Failed(ErrorKind::Reset);
        assert_eq!(echo.receive(&[0x88, 0]), end);
        assert_eq!(echo.end_of_input(), end);
    }
}
