//! Reads one answer from bytes that come in any pieces.
//!
//! It must not know requests beyond whether an answer may have a body. The usual case, a head that
//! arrives whole, is read where it lies; only a split head is copied. Key invariant: the result
//! depends on the bytes alone, not on the pieces; bytes after the answer are reported, not eaten.

use crate::exchange::After;
use crate::http::chunked::ChunkedBody;
use crate::http::content::ContentCheck;
use crate::http::head::{Framing, Head, Malformed, read_head};

/// Longest head of an answer, interim answers each for themselves, in bytes.
const HEAD_MAX_BYTES: usize = 65_536;
/// Most interim (1xx) answers before the final one.
const INTERIM_MAX: u32 = 16;
/// Heads up to this many bytes keep their buffer for the next split head.
const HEAD_KEPT_BYTES: usize = 4096;

/// Whether answers to the request carry bodies.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum BodyRule {
    AsFramed,
    /// The request was a HEAD.
    Never,
}

/// A complete answer's head, as far as it matters.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Answer {
    pub(crate) status: u16,
    pub(crate) connection: After,
}

/// What came of the bytes so far.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Reading {
    More,
    /// Complete after so many bytes of this piece.
    Complete {
        answer: Answer,
        taken: usize,
    },
}

/// The reader of one answer; restarted for the next.
#[derive(Debug, Clone)]
pub(crate) struct ResponseReader {
    body_rule: BodyRule,
    stage: Stage,
    /// The beginning of a head that has not all arrived.
    partial_head: Vec<u8>,
    interim: u32,
    pub(crate) content: ContentCheck,
}

#[derive(Debug, Clone, Copy)]
enum Stage {
    Head,
    Body { answer: Answer, body: Body },
}

#[derive(Debug, Clone, Copy)]
enum Body {
    Sized { left: u64 },
    Chunked(ChunkedBody),
    UntilClose,
}

impl ResponseReader {
    pub(crate) fn new(body_rule: BodyRule, content: ContentCheck) -> Self {
        Self {
            body_rule,
            stage: Stage::Head,
            partial_head: Vec::new(),
            interim: 0,
            content,
        }
    }

    /// Forgets the previous answer.
    pub(crate) fn restart(&mut self) {
        self.stage = Stage::Head;
        self.partial_head.clear();
        self.partial_head.shrink_to(HEAD_KEPT_BYTES);
        self.interim = 0;
        self.content.restart();
    }

    /// Takes a piece of the stream.
    pub(crate) fn take(&mut self, piece: &[u8]) -> Result<Reading, Malformed> {
        let mut taken = 0;
        loop {
            match &mut self.stage {
                Stage::Body { answer, body } => {
                    let answer = *answer;
                    taken += body.take(&piece[taken..], &mut self.content)?;
                    return Ok(if body.is_complete() {
                        Reading::Complete { answer, taken }
                    } else {
                        Reading::More
                    });
                }
                Stage::Head => match self.take_head(&piece[taken..])? {
                    None => return Ok(Reading::More),
                    Some(head_taken) => taken += head_taken,
                },
            }
        }
    }

    /// The peer closed: complete if that is how the body ends.
    pub(crate) fn end(&self) -> Option<Answer> {
        match self.stage {
            Stage::Body {
                answer,
                body: Body::UntilClose,
            } => Some(answer),
            _ => None,
        }
    }

    /// Reads a head, enters the body's stage, and says how much of `piece` the head took.
    fn take_head(&mut self, piece: &[u8]) -> Result<Option<usize>, Malformed> {
        if self.partial_head.is_empty() {
            if let Some(head) = read_head(piece)? {
                self.enter_body(&head)?;
                return Ok(Some(head.length_bytes));
            }
            return self.keep(piece);
        }
        let kept = self.partial_head.len();
        self.partial_head.extend_from_slice(piece);
        // Reading from the start again costs little: heads seldom come in more than two pieces.
        let Some(head) = read_head(&self.partial_head)? else {
            return self.keep(&[]);
        };
        self.partial_head.clear();
        self.enter_body(&head)?;
        Ok(Some(head.length_bytes - kept))
    }

    fn keep(&mut self, piece: &[u8]) -> Result<Option<usize>, Malformed> {
        self.partial_head.extend_from_slice(piece);
        if self.partial_head.len() > HEAD_MAX_BYTES {
            Err(Malformed)
        } else {
            Ok(None)
        }
    }

    fn enter_body(&mut self, head: &Head) -> Result<(), Malformed> {
        if head.length_bytes > HEAD_MAX_BYTES {
            return Err(Malformed);
        }
        match head.status {
            // We never ask to switch protocols, so nobody may (RFC 9110, section 15.2.2).
            101 | 0..100 | 600.. => return Err(Malformed),
            100..200 if self.interim < INTERIM_MAX => {
                self.interim += 1;
                self.stage = Stage::Head;
                return Ok(());
            }
            100..200 => return Err(Malformed),
            _ => {}
        }
        let body = self.body_of(head);
        let connection = match body {
            Body::UntilClose => After::Close,
            _ => head.connection,
        };
        self.stage = Stage::Body {
            answer: Answer {
                status: head.status,
                connection,
            },
            body,
        };
        Ok(())
    }

    fn body_of(&self, head: &Head) -> Body {
        let never = self.body_rule == BodyRule::Never || matches!(head.status, 204 | 304);
        match head.framing {
            _ if never => Body::Sized { left: 0 },
            Framing::Sized(left) => Body::Sized { left },
            Framing::Chunked => Body::Chunked(ChunkedBody::START),
            Framing::UntilClose => Body::UntilClose,
        }
    }
}

impl Body {
    fn take(&mut self, piece: &[u8], content: &mut ContentCheck) -> Result<usize, Malformed> {
        match self {
            Self::Sized { left } => {
                let length = piece
                    .len()
                    .min(usize::try_from(*left).unwrap_or(usize::MAX));
                content.take(&piece[..length]);
                *left -= length as u64;
                Ok(length)
            }
            Self::Chunked(chunked) => chunked.take(piece, content),
            Self::UntilClose => {
                content.take(piece);
                Ok(piece.len())
            }
        }
    }

    fn is_complete(&self) -> bool {
        matches!(
            self,
            Self::Sized { left: 0 } | Self::Chunked(ChunkedBody::Complete)
        )
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    fn reader() -> ResponseReader {
        ResponseReader::new(BodyRule::AsFramed, ContentCheck::Off)
    }

    #[expect(clippy::unnecessary_wraps, reason = "it is compared with results")]
    fn complete(status: u16, connection: After, taken: usize) -> Result<Reading, Malformed> {
        Ok(Reading::Complete {
            answer: Answer { status, connection },
            taken,
        })
    }

    #[test]
    fn statuses_without_a_body_end_with_the_head() {
        for status in [204, 304] {
            let text = format!("HTTP/1.1 {status} X\r\nContent-Length: 5\r\n\r\n");
            assert_eq!(
                reader().take(text.as_bytes()),
                complete(status, After::Reuse, text.len())
            );
        }
        let mut to_head = ResponseReader::new(BodyRule::Never, ContentCheck::Off);
        let text = b"HTTP/1.1 200 X\r\nContent-Length: 5\r\n\r\n";
        assert_eq!(to_head.take(text), complete(200, After::Reuse, text.len()));
    }

    #[test]
    fn interim_answers_are_skipped_up_to_a_limit() {
        let interim = "HTTP/1.1 103 X\r\nLink: a\r\n\r\n";
        let last = "HTTP/1.1 200 X\r\nContent-Length: 0\r\n\r\n";
        let text = format!("{interim}{last}");
        assert_eq!(
            reader().take(text.as_bytes()),
            complete(200, After::Reuse, text.len())
        );
        let text = interim.repeat(17) + last;
        assert_eq!(reader().take(text.as_bytes()), Err(Malformed));
        assert_eq!(reader().take(b"HTTP/1.1 101 X\r\n\r\n"), Err(Malformed));
    }

    #[test]
    fn a_body_until_close_ends_only_there() {
        let mut reader = reader();
        assert_eq!(
            reader.take(b"HTTP/1.1 200 X\r\n\r\nbody"),
            Ok(Reading::More)
        );
        assert_eq!(
            reader.end(),
            Some(Answer {
                status: 200,
                connection: After::Close
            })
        );
        reader.restart();
        assert_eq!(
            reader.take(b"HTTP/1.1 200 X\r\nContent-Length: 5\r\n\r\nbody"),
            Ok(Reading::More)
        );
        assert_eq!(reader.end(), None);
    }

    #[test]
    fn a_head_without_end_is_refused() {
        let mut reader = reader();
        assert_eq!(reader.take(b"HTTP/1.1 200 X\r\nA: "), Ok(Reading::More));
        let results: Vec<_> = (0..70).map(|_| reader.take(&[b'a'; 1000])).collect();
        assert_eq!(results.iter().position(Result::is_err), Some(65));
    }

    /// A well-formed answer, or bytes that merely look like one.
    fn stream() -> impl Strategy<Value = Vec<u8>> {
        let status = prop_oneof![Just(200_u16), Just(204), Just(404), Just(100), Just(700)];
        let body = prop::collection::vec(any::<u8>(), 0..60);
        let tail = prop_oneof![Just(""), Just("HTTP/1.1"), Just("\r\n"), Just("x")];
        (status, body, 0..4_u8, tail, "[a-z]{0,30}").prop_map(
            |(status, body, kind, tail, value)| {
                let mut bytes = format!("HTTP/1.1 {status} X\r\nX-Y: {value}\r\n").into_bytes();
                match kind {
                    0 => bytes.extend(format!("Content-Length: {}\r\n\r\n", body.len()).bytes()),
                    1 => bytes.extend(
                        format!("Transfer-Encoding: chunked\r\n\r\n{:x}\r\n", body.len()).bytes(),
                    ),
                    2 => bytes.extend(b"Connection: close\r\n\r\n"),
                    _ => bytes.extend(b"Content-Length: x\r\n\r\n"),
                }
                bytes.extend(body);
                if kind == 1 {
                    bytes.extend(b"\r\n0\r\nA: b\r\n\r\n");
                }
                bytes.extend(tail.bytes());
                bytes
            },
        )
    }

    /// What a stream led to: an answer and its length, and an answer that ends with the stream.
    type Read = (Result<Option<(Answer, usize)>, Malformed>, Option<Answer>);

    /// Feeds the pieces between `cuts` and gives the total taken at completion, or the first error.
    fn read_in_pieces(bytes: &[u8], cuts: &[usize]) -> Read {
        let mut reader = reader();
        let mut start = 0;
        for &end in cuts.iter().chain([&bytes.len()]) {
            match reader.take(&bytes[start..end]) {
                Ok(Reading::More) => start = end,
                Ok(Reading::Complete { answer, taken }) => {
                    return (Ok(Some((answer, start + taken))), None);
                }
                Err(malformed) => return (Err(malformed), None),
            }
        }
        (Ok(None), reader.end())
    }

    proptest! {
        #[test]
        fn any_split_reads_the_same(
            bytes in stream(),
            cuts in prop::collection::vec(any::<prop::sample::Index>(), 0..12),
        ) {
            let mut cuts: Vec<usize> = cuts.iter().map(|cut| cut.index(bytes.len() + 1)).collect();
            cuts.sort_unstable();
            let every_byte: Vec<usize> = (1..bytes.len()).collect();
            let whole = read_in_pieces(&bytes, &[]);
            prop_assert_eq!(read_in_pieces(&bytes, &cuts), whole);
            prop_assert_eq!(read_in_pieces(&bytes, &every_byte), whole);
        }

        #[test]
        fn noise_never_panics(bytes in prop::collection::vec(any::<u8>(), 0..200)) {
            let _reading = reader().take(&bytes);
        }
    }
}
