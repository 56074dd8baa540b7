//! Reads the head of an answer: status, framing of the body, fate of the connection.
//!
//! It must not keep anything between calls: it is given the head's bytes and says what they mean.
//! Key invariant: contradictory framing (two lengths, a length beside chunks) is refused, because
//! two readers could cut such a stream in different places (RFC 9112, section 6.3).

use std::mem::MaybeUninit;

use crate::exchange::After;

/// Most header fields in an answer.
const HEADERS_MAX: usize = 128;
/// Most header fields tried first: nearly every answer has fewer, and less memory is touched.
const HEADERS_USUAL: usize = 24;

/// What an answer's head says.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Head {
    pub(crate) status: u16,
    pub(crate) framing: Framing,
    pub(crate) connection: After,
    /// Length of the head itself.
    pub(crate) length_bytes: usize,
}

/// How the end of the body is found.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Framing {
    /// So many bytes.
    Sized(u64),
    Chunked,
    /// Everything until the peer closes.
    UntilClose,
}

/// The answer cannot be read, or not with certainty.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Malformed;

/// Reads a head from the beginning of `bytes`; `None` means that it has not all arrived.
pub(crate) fn read_head(bytes: &[u8]) -> Result<Option<Head>, Malformed> {
    match read_with::<HEADERS_USUAL>(bytes) {
        Err(Refusal::TooManyHeaders) => {
            read_with::<HEADERS_MAX>(bytes).map_err(|_refusal| Malformed)
        }
        other => other.map_err(|_refusal| Malformed),
    }
}

enum Refusal {
    Malformed,
    TooManyHeaders,
}

impl From<Malformed> for Refusal {
    fn from(_: Malformed) -> Self {
        Self::Malformed
    }
}

fn read_with<const HEADERS: usize>(bytes: &[u8]) -> Result<Option<Head>, Refusal> {
    let mut headers = [const { MaybeUninit::uninit() }; HEADERS];
    let mut response = httparse::Response::new(&mut []);
    let parsed = httparse::ParserConfig::default().parse_response_with_uninit_headers(
        &mut response,
        bytes,
        &mut headers,
    );
    let length_bytes = match parsed {
        Ok(httparse::Status::Complete(length_bytes)) => length_bytes,
        Ok(httparse::Status::Partial) => return Ok(None),
        Err(httparse::Error::TooManyHeaders) => return Err(Refusal::TooManyHeaders),
        Err(_) => return Err(Refusal::Malformed),
    };
    let mut fields = Fields::default();
    for header in &*response.headers {
        fields.take(header)?;
    }
    Ok(Some(Head {
        status: response.code.ok_or(Malformed)?,
        framing: fields.framing()?,
        connection: fields.connection(response.version),
        length_bytes,
    }))
}

/// The fields of a head that decide about framing and connection.
#[derive(Debug, Default)]
struct Fields {
    content_length: Option<u64>,
    transfer_coding: Option<Coding>,
    says_close: bool,
    says_keep_alive: bool,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Coding {
    Chunked,
    Other,
}

impl Fields {
    // The length of the name rules out nearly every field before any text is compared.
    fn take(&mut self, header: &httparse::Header<'_>) -> Result<(), Malformed> {
        match header.name.len() {
            10 if header.name.eq_ignore_ascii_case("connection") => self.take_connection(header),
            14 if header.name.eq_ignore_ascii_case("content-length") => {
                let length = read_length(header.value)?;
                if self.content_length.is_some_and(|other| other != length) {
                    return Err(Malformed);
                }
                self.content_length = Some(length);
            }
            17 if header.name.eq_ignore_ascii_case("transfer-encoding") => {
                self.take_codings(header.value)?;
            }
            _ => {}
        }
        Ok(())
    }

    fn take_connection(&mut self, header: &httparse::Header<'_>) {
        for option in options(header.value) {
            self.says_close |= option.eq_ignore_ascii_case(b"close");
            self.says_keep_alive |= option.eq_ignore_ascii_case(b"keep-alive");
        }
    }

    fn take_codings(&mut self, value: &[u8]) -> Result<(), Malformed> {
        for coding in options(value) {
            // Chunked must be the last coding and be applied once (RFC 9112, section 6.1).
            if self.transfer_coding == Some(Coding::Chunked) {
                return Err(Malformed);
            }
            let is_chunked = coding.eq_ignore_ascii_case(b"chunked");
            self.transfer_coding = Some(if is_chunked {
                Coding::Chunked
            } else {
                Coding::Other
            });
        }
        Ok(())
    }

    fn framing(&self) -> Result<Framing, Malformed> {
        match (self.transfer_coding, self.content_length) {
            (Some(_), Some(_)) => Err(Malformed),
            (Some(Coding::Chunked), None) => Ok(Framing::Chunked),
            (None, Some(length)) => Ok(Framing::Sized(length)),
            (Some(Coding::Other) | None, None) => Ok(Framing::UntilClose),
        }
    }

    fn connection(&self, version: Option<u8>) -> After {
        let is_http_1_0 = version == Some(0);
        if self.says_close || (is_http_1_0 && !self.says_keep_alive) {
            After::Close
        } else {
            After::Reuse
        }
    }
}

/// The parts of a comma-separated list, without the empty ones.
fn options(value: &[u8]) -> impl Iterator<Item = &[u8]> {
    value
        .split(|&byte| byte == b',')
        .map(<[u8]>::trim_ascii)
        .filter(|option| !option.is_empty())
}

/// Digits only: `+1`, `0x1` and `1, 1` are refused.
fn read_length(value: &[u8]) -> Result<u64, Malformed> {
    if value.is_empty() {
        return Err(Malformed);
    }
    value.iter().try_fold(0_u64, |length, byte| {
        if !byte.is_ascii_digit() {
            return Err(Malformed);
        }
        let digit = u64::from(byte - b'0');
        length
            .checked_mul(10)
            .and_then(|tens| tens.checked_add(digit))
            .ok_or(Malformed)
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    fn check(fields: &str, expected: Result<(Framing, After), Malformed>) {
        let text = format!("HTTP/1.1 200 OK\r\n{fields}\r\n");
        let found = read_head(text.as_bytes()).map(|head| {
            let head = head.unwrap();
            assert_eq!(head.length_bytes, text.len());
            (head.framing, head.connection)
        });
        assert_eq!(found, expected, "{fields:?}");
    }

    #[test]
    fn framing_follows_rfc_9112() {
        check("", Ok((Framing::UntilClose, After::Reuse)));
        check(
            "Content-Length: 12\r\n",
            Ok((Framing::Sized(12), After::Reuse)),
        );
        check(
            "content-length: 0\r\nCONTENT-LENGTH: 0\r\n",
            Ok((Framing::Sized(0), After::Reuse)),
        );
        check(
            "Transfer-Encoding: Chunked\r\n",
            Ok((Framing::Chunked, After::Reuse)),
        );
        check(
            "Transfer-Encoding: gzip, chunked\r\n",
            Ok((Framing::Chunked, After::Reuse)),
        );
        check(
            "Transfer-Encoding: gzip\r\n",
            Ok((Framing::UntilClose, After::Reuse)),
        );
    }

    #[test]
    fn uncertain_framing_is_malformed() {
        for fields in [
            "Content-Length: 1\r\nContent-Length: 2\r\n",
            "Content-Length: 1\r\nTransfer-Encoding: chunked\r\n",
            "Content-Length: +1\r\n",
            "Content-Length: 1, 1\r\n",
            "Content-Length:\r\n",
            "Content-Length: 18446744073709551616\r\n",
            "Transfer-Encoding: chunked, gzip\r\n",
            "Transfer-Encoding: chunked\r\nTransfer-Encoding: chunked\r\n",
        ] {
            check(fields, Err(Malformed));
        }
    }

    #[test]
    fn connection_options_and_version_decide_about_reuse() {
        let length = "Content-Length: 0\r\n";
        let close = Ok((Framing::Sized(0), After::Close));
        check(&format!("{length}Connection: foo, Close\r\n"), close);
        let old = |fields| {
            let text = format!("HTTP/1.0 200 OK\r\n{length}{fields}\r\n");
            read_head(text.as_bytes()).unwrap().unwrap().connection
        };
        assert_eq!(old(""), After::Close);
        assert_eq!(old("Connection: Keep-Alive\r\n"), After::Reuse);
    }

    #[test]
    fn many_headers_are_read_and_too_many_refused() {
        check(
            &"X: y\r\n".repeat(HEADERS_MAX),
            Ok((Framing::UntilClose, After::Reuse)),
        );
        check(&"X: y\r\n".repeat(HEADERS_MAX + 1), Err(Malformed));
    }
}
