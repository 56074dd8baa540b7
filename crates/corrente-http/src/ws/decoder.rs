//! The decoder of a WebSocket: what has arrived in, messages and control frames out.
//!
//! A message that is one frame, uncompressed and all there is given as a slice of the input, which is
//! unmasked in place; any other is put together in memory of ours. A violation is final.

use super::deflate::Inflater;
use super::extension::Deflate;
use super::frame::{FrameHead, Opcode};
use super::message::{Assembly, Kind};
use super::violation::Violation;
use super::{Limits, Role, mask};

/// What comes next on the connection.
#[derive(Debug, PartialEq, Eq)]
pub enum Event<'a> {
    /// Nothing yet: ask again when more has arrived.
    NeedMore,
    /// A message of text.
    Text(&'a str),
    /// A message of bytes.
    Binary(&'a [u8]),
    /// Has to be answered with a pong of the same bytes.
    Ping(&'a [u8]),
    /// An answer to a ping, or just a sign of life.
    Pong(&'a [u8]),
    /// The peer closes; it has to be answered with a close frame, unless we sent one. Nothing follows.
    Close {
        /// Why; 1005 where the frame does not say.
        code: u16,
        /// For people and logs; may be empty.
        reason: &'a str,
    },
}

/// An event, and how much of the input it took.
#[derive(Debug, PartialEq, Eq)]
pub struct Step<'a> {
    /// Bytes at the beginning of the input that the caller drops before it asks again.
    pub consumed: usize,
    /// What they were.
    pub event: Event<'a>,
}

/// Decodes what a peer sends.
#[derive(Debug)]
pub struct Decoder {
    role: Role,
    limits: Limits,
    assembly: Assembly,
    state: State,
}

#[derive(Debug, Clone, Copy)]
enum State {
    /// Between frames.
    Frame,
    /// Within the payload of a data frame.
    Payload {
        head: FrameHead,
        taken: u64,
    },
    /// After a close frame: what still comes is dropped.
    Closed,
    Failed(Violation),
}

/// An event without what it borrows.
#[derive(Debug, Clone, Copy)]
enum Found {
    NeedMore,
    /// A message that is one frame, in the input.
    Whole(Kind),
    Assembled,
    Control(Opcode),
}

impl Decoder {
    /// For one end of a connection on which so much compression was agreed.
    pub fn new(role: Role, limits: Limits, deflate: Option<&Deflate>) -> Self {
        let resets = |deflate: &Deflate| match role {
            Role::Server => deflate.client_resets,
            Role::Client => deflate.server_resets,
        };
        let inflater = deflate.map(|deflate| Inflater::new(resets(deflate)));
        let assembly = Assembly::new(inflater, limits.max_message_bytes);
        Self {
            role,
            limits,
            assembly,
            state: State::Frame,
        }
    }

    /// Takes the next event from `input`: all bytes that have arrived and were not consumed. They are
    /// unmasked in place as far as they are consumed.
    pub fn next<'b>(&'b mut self, input: &'b mut [u8]) -> Result<Step<'b>, Violation> {
        let (skipped, length, found) = match self.advance(input) {
            Ok(moved) => moved,
            Err(violation) => {
                self.state = State::Failed(violation);
                return Err(violation);
            }
        };
        let consumed = skipped + length;
        let bytes = &input[skipped..consumed];
        let event = match found {
            Found::NeedMore => Ok(Event::NeedMore),
            Found::Whole(kind) => message(kind, bytes),
            Found::Assembled => match self.assembly.end() {
                Ok((kind, bytes)) => message(kind, bytes),
                Err(violation) => Err(violation),
            },
            Found::Control(opcode) => control(opcode, bytes),
        };
        match event {
            Ok(event) => Ok(Step { consumed, event }),
            Err(violation) => {
                self.state = State::Failed(violation);
                Err(violation)
            }
        }
    }

    /// Bytes to skip, bytes of the event, and the event.
    fn advance(&mut self, input: &mut [u8]) -> Result<(usize, usize, Found), Violation> {
        let mut skipped = 0;
        loop {
            let rest = &mut input[skipped..];
            match self.state {
                State::Failed(violation) => return Err(violation),
                State::Closed => return Ok((skipped + rest.len(), 0, Found::NeedMore)),
                State::Payload { head, taken } => {
                    let (read, is_done) = self.payload(rest, head, taken)?;
                    skipped += read;
                    if !is_done {
                        return Ok((skipped, 0, Found::NeedMore));
                    }
                    self.state = State::Frame;
                    if head.is_final {
                        return Ok((skipped, 0, Found::Assembled));
                    }
                }
                State::Frame => {
                    let Some((head, bytes)) = FrameHead::read(rest)? else {
                        return Ok((skipped, 0, Found::NeedMore));
                    };
                    self.check(head)?;
                    if let Some((length, found)) = self.whole(head, &mut rest[bytes..])? {
                        return Ok((skipped + bytes, length, found));
                    }
                    if head.opcode.is_control() {
                        return Ok((skipped, 0, Found::NeedMore));
                    }
                    self.begin(head);
                    skipped += bytes;
                    self.state = State::Payload { head, taken: 0 };
                }
            }
        }
    }

    /// What a head may have wrong here and now.
    fn check(&self, head: FrameHead) -> Result<(), Violation> {
        if head.mask.is_some() != (self.role == Role::Server) {
            return Err(Violation::Mask);
        }
        let is_first = matches!(head.opcode, Opcode::Text | Opcode::Binary);
        if head.is_compressed && !(is_first && self.assembly.inflates()) {
            return Err(Violation::ReservedBits);
        }
        match (head.opcode, self.assembly.kind) {
            (Opcode::Continuation, None) => Err(Violation::Continuation),
            (Opcode::Text | Opcode::Binary, Some(_)) => Err(Violation::Interleaved),
            (Opcode::Continuation, Some(_)) => self.assembly.check_room(head.length),
            (Opcode::Text | Opcode::Binary, None)
                if head.length > self.limits.max_message_bytes as u64 =>
            {
                Err(Violation::TooLarge)
            }
            _ => Ok(()),
        }
    }

    /// A frame that is an event by itself, where all of it has come.
    fn whole(
        &mut self,
        head: FrameHead,
        rest: &mut [u8],
    ) -> Result<Option<(usize, Found)>, Violation> {
        let found = match head.opcode {
            opcode if opcode.is_control() => Found::Control(opcode),
            Opcode::Text if head.is_final && !head.is_compressed => Found::Whole(Kind::Text),
            Opcode::Binary if head.is_final && !head.is_compressed => Found::Whole(Kind::Binary),
            _ => return Ok(None),
        };
        let length = usize::try_from(head.length).map_err(|_| Violation::TooLarge)?;
        let Some(payload) = rest.get_mut(..length) else {
            return Ok(None);
        };
        if let Some(key) = head.mask {
            mask::apply(payload, key, 0);
        }
        if head.opcode == Opcode::Close {
            self.state = State::Closed;
        }
        Ok(Some((length, found)))
    }

    fn begin(&mut self, head: FrameHead) {
        let kind = match head.opcode {
            Opcode::Text => Kind::Text,
            Opcode::Binary => Kind::Binary,
            _ => return,
        };
        self.assembly.begin(kind, head.is_compressed);
    }

    /// Takes what there is of a data frame's payload; gives how much, and whether it was the last of it.
    fn payload(
        &mut self,
        rest: &mut [u8],
        head: FrameHead,
        taken: u64,
    ) -> Result<(usize, bool), Violation> {
        let length = (head.length - taken).min(rest.len() as u64);
        let piece = &mut rest[..length as usize];
        if let Some(key) = head.mask {
            mask::apply(piece, key, taken);
        }
        self.assembly.add(piece)?;
        let taken = taken + length;
        self.state = State::Payload { head, taken };
        Ok((length as usize, taken == head.length))
    }
}

fn message(kind: Kind, bytes: &[u8]) -> Result<Event<'_>, Violation> {
    match kind {
        Kind::Text => str::from_utf8(bytes)
            .map(Event::Text)
            .map_err(|_| Violation::Text),
        Kind::Binary => Ok(Event::Binary(bytes)),
    }
}

fn control(opcode: Opcode, bytes: &[u8]) -> Result<Event<'_>, Violation> {
    match opcode {
        Opcode::Ping => Ok(Event::Ping(bytes)),
        Opcode::Pong => Ok(Event::Pong(bytes)),
        _ => close(bytes),
    }
}

/// RFC 6455, section 5.5.1: two bytes of code, then a reason in UTF-8, or nothing.
fn close(bytes: &[u8]) -> Result<Event<'_>, Violation> {
    match bytes {
        [] => Ok(Event::Close {
            code: 1005,
            reason: "",
        }),
        [_] => Err(Violation::CloseCode),
        [high, low, reason @ ..] => {
            let code = u16::from_be_bytes([*high, *low]);
            if !may_be_sent(code) {
                return Err(Violation::CloseCode);
            }
            let reason = str::from_utf8(reason).map_err(|_| Violation::Text)?;
            Ok(Event::Close { code, reason })
        }
    }
}

/// Codes that a close frame may have (section 7.4, and the registry for 1012 to 1014).
pub(super) fn may_be_sent(code: u16) -> bool {
    matches!(code, 1000..=1003 | 1007..=1014 | 3000..=4999)
}
