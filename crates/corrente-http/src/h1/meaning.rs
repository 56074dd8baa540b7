//! What the fields of a head mean for the message itself: how long it is, and what becomes of the connection.
//!
//! Fields come one by one, so that what is wrong is said at its line; what depends on several is judged at
//! the end of the head. Whatever two programs could read in two ways is refused, not repaired.

use super::fields::elements;
use super::head::{Body, Version};
use super::host;
use crate::characters::is_all_token;
use crate::{KnownName, Limits, Method, Rejection};

/// What has been understood so far.
#[derive(Debug, Clone, Copy, Default)]
#[expect(
    clippy::struct_excessive_bools,
    reason = "each is one thing that a client may say"
)]
pub(super) struct Meaning {
    pub(super) length: Option<u64>,
    pub(super) is_chunked: bool,
    has_host: bool,
    pub(super) asks_to_close: bool,
    pub(super) asks_to_keep: bool,
    pub(super) asks_to_upgrade: bool,
    pub(super) expects_continue: bool,
}

impl Meaning {
    /// Takes note of a field.
    #[inline]
    pub(super) fn note(
        &mut self,
        name: KnownName,
        value: &[u8],
        version: Version,
    ) -> Result<(), Rejection> {
        match name {
            KnownName::Host => self.note_host(value),
            KnownName::ContentLength => self.note_length(value),
            KnownName::TransferEncoding => self.note_encoding(value, version),
            KnownName::Connection => {
                self.note_connection(value);
                Ok(())
            }
            KnownName::Expect => self.note_expectation(value, version),
            _ => Ok(()),
        }
    }

    fn note_host(&mut self, value: &[u8]) -> Result<(), Rejection> {
        if self.has_host {
            return Err(Rejection::HostRepeated);
        }
        self.has_host = true;
        if host::is_host(value) {
            Ok(())
        } else {
            Err(Rejection::HostInvalid)
        }
    }

    fn note_length(&mut self, value: &[u8]) -> Result<(), Rejection> {
        if self.length.is_some() {
            return Err(Rejection::LengthRepeated);
        }
        self.length = Some(decimal(value).ok_or(Rejection::LengthInvalid)?);
        Ok(())
    }

    fn note_encoding(&mut self, value: &[u8], version: Version) -> Result<(), Rejection> {
        if version == Version::Http10 {
            return Err(Rejection::EncodingInOld);
        }
        if self.is_chunked || value.is_empty() {
            return Err(Rejection::EncodingInvalid);
        }
        if value.eq_ignore_ascii_case(b"chunked") {
            self.is_chunked = true;
            return Ok(());
        }
        Err(encoding_fault(value))
    }

    fn note_connection(&mut self, value: &[u8]) {
        for option in elements(value) {
            self.asks_to_close |= option.eq_ignore_ascii_case(b"close");
            self.asks_to_keep |= option.eq_ignore_ascii_case(b"keep-alive");
            self.asks_to_upgrade |= option.eq_ignore_ascii_case(b"upgrade");
        }
    }

    /// RFC 9110, section 10.1.1: in HTTP/1.0 an expectation means nothing.
    fn note_expectation(&mut self, value: &[u8], version: Version) -> Result<(), Rejection> {
        if version == Version::Http10 {
            return Ok(());
        }
        if !value.eq_ignore_ascii_case(b"100-continue") {
            return Err(Rejection::Expectation);
        }
        self.expects_continue = true;
        Ok(())
    }

    /// Judges the whole head; gives the body that follows it.
    #[inline]
    pub(super) fn judge(
        &self,
        method: Method,
        version: Version,
        limits: &Limits,
    ) -> Result<Body, Rejection> {
        if !self.has_host && version != Version::Http10 {
            return Err(Rejection::HostMissing);
        }
        let body = match (self.length, self.is_chunked) {
            (Some(_), true) => return Err(Rejection::LengthAndEncoding),
            (Some(length), false) if length > limits.max_body_bytes => {
                return Err(Rejection::BodyTooLarge);
            }
            (Some(length), false) if length > 0 => Body::Length(length),
            (_, true) => Body::Chunked,
            (_, false) => Body::None,
        };
        if method == Method::Trace && body != Body::None {
            return Err(Rejection::TraceBody);
        }
        Ok(body)
    }

    /// Whether another request may follow on the connection (RFC 9112, section 9.3).
    pub(super) fn keeps_alive(&self, version: Version) -> bool {
        !self.asks_to_close && (version != Version::Http10 || self.asks_to_keep)
    }
}

/// Whether a name is one of framing's but for an underscore. It means nothing, and what means nothing is to be ignored (RFC 9110,
/// section 5.1); programs that take `_` and `-` for the same, as CGI's variables do, would see another length than we do.
#[inline]
pub(super) fn is_disguised(name: &[u8]) -> bool {
    match name.len() {
        14 => name.eq_ignore_ascii_case(b"content_length"),
        17 => name.eq_ignore_ascii_case(b"transfer_encoding"),
        _ => false,
    }
}

/// A plain decimal number. Leading zeros are refused: some programs read them as octal.
fn decimal(value: &[u8]) -> Option<u64> {
    if value.is_empty() || (value.len() > 1 && value[0] == b'0') {
        return None;
    }
    value.iter().try_fold(0_u64, |number, byte| {
        let digit = byte.is_ascii_digit().then(|| u64::from(byte - b'0'))?;
        number.checked_mul(10)?.checked_add(digit)
    })
}

/// What is wrong with codings that are not just `chunked`. Where `chunked` is not the last, the body's end
/// cannot be known, and RFC 9112, section 6.3, demands 400; 501 is for codings that we could be asked for.
#[cold]
fn encoding_fault(value: &[u8]) -> Rejection {
    let is_chunked = |coding: &[u8]| coding.eq_ignore_ascii_case(b"chunked");
    let mut codings = value
        .rsplit(|&byte| byte == b',')
        .map(crate::characters::trim);
    let ends = codings.next().is_some_and(is_chunked);
    let mut rest = 0;
    let all_others = codings.all(|coding| {
        rest += 1;
        is_all_token(coding) && !is_chunked(coding)
    });
    if ends && all_others && rest > 0 {
        Rejection::EncodingUnsupported
    } else {
        Rejection::EncodingInvalid
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_length_is_a_plain_decimal_number() {
        assert_eq!(decimal(b"0"), Some(0));
        assert_eq!(decimal(b"18446744073709551615"), Some(u64::MAX));
        for value in [
            "",
            "00",
            "05",
            "+5",
            "-1",
            "5,5",
            "5 ",
            "0x5",
            "1_0",
            "18446744073709551616",
        ] {
            assert_eq!(decimal(value.as_bytes()), None, "{value}");
        }
    }

    #[test]
    fn codings_that_end_with_one_chunked_are_unknown_and_others_wrong() {
        for value in ["gzip, chunked", "a,b,Chunked"] {
            assert_eq!(
                encoding_fault(value.as_bytes()),
                Rejection::EncodingUnsupported,
                "{value}"
            );
        }
        for value in [
            "gzip",
            "chunked, gzip",
            "chunked, chunked",
            ", chunked",
            "g(zip, chunked",
        ] {
            assert_eq!(
                encoding_fault(value.as_bytes()),
                Rejection::EncodingInvalid,
                "{value}"
            );
        }
    }
}
