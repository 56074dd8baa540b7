//! The request line: `GET /path HTTP/1.1` (RFC 9112, section 3).
//!
//! It is read from the left, each byte once, and where the bytes end is remembered; what is wrong is
//! said at the first byte that shows it. No leniency: one space, no tab, CR LF.

use super::head::Version;
use super::target::{self, Form};
use crate::characters::{is_token, target_end};
use crate::{Limits, Method, Rejection};

/// How far the line has been read.
#[derive(Debug, Clone, Copy, Default)]
pub(super) struct Cursor {
    /// Where the target begins; 0 while the method is read.
    target: usize,
    /// Where reading goes on.
    at: usize,
}

/// A request line that was read to its end.
#[derive(Debug, Clone, Copy)]
pub(super) struct RequestLine {
    pub(super) method: Method,
    pub(super) target: (u32, u32),
    pub(super) form: Form,
    pub(super) version: Version,
    /// Where the next line begins.
    pub(super) end: usize,
}

/// Reads on; `None` where more bytes are needed.
pub(super) fn read(
    view: &[u8],
    cursor: &mut Cursor,
    limits: &Limits,
) -> Result<Option<RequestLine>, Rejection> {
    if cursor.target == 0 {
        let Some(end) = method_end(view, limits)? else {
            return Ok(None);
        };
        cursor.target = end + 1;
        cursor.at = end + 1;
    }
    let end = target_end(view, cursor.at);
    cursor.at = end;
    if end - cursor.target > limits.max_target_bytes {
        return Err(Rejection::TargetTooLong);
    }
    match view.get(end) {
        None => return Ok(None),
        Some(b' ') if end > cursor.target => {}
        Some(b' ' | b'\t') if end == cursor.target => return Err(Rejection::NoTarget),
        Some(b'\r' | b'\n' | b'\t') => return Err(Rejection::Version),
        Some(byte) => return Err(Rejection::TargetByte(*byte)),
    }
    let Some((version, next)) = version(view, end + 1)? else {
        return Ok(None);
    };
    let method = Method::of(&view[..cursor.target - 1]);
    let form = target::form(method, &view[cursor.target..end])?;
    target::check_path(&view[cursor.target..end])?;
    Ok(Some(RequestLine {
        method,
        target: (cursor.target as u32, end as u32),
        form,
        version,
        end: next,
    }))
}

/// Where the method ends, at the space.
fn method_end(view: &[u8], limits: &Limits) -> Result<Option<usize>, Rejection> {
    if view.starts_with(b"GET ") {
        return Ok(Some(3));
    }
    let Some(end) = view.iter().position(|&byte| !is_token(byte)) else {
        let too_long = view.len() > limits.max_method_bytes;
        return if too_long {
            Err(Rejection::MethodTooLong)
        } else {
            Ok(None)
        };
    };
    match view[end] {
        byte if end == 0 => Err(Rejection::NoMethod(byte)),
        _ if end > limits.max_method_bytes => Err(Rejection::MethodTooLong),
        b' ' if is_of_lower_case(&view[..end]) => Err(Rejection::MethodCase),
        b' ' => Ok(Some(end)),
        byte => Err(Rejection::MethodByte(byte)),
    }
}

/// Whether a method is one that programs take for two: its case counts (RFC 9110, section 9.1), ASGI's methods are in
/// upper case, and frameworks for WSGI make them so.
pub(super) fn is_of_lower_case(method: &[u8]) -> bool {
    method.iter().any(u8::is_ascii_lowercase)
}

/// The version and where the next line begins.
fn version(view: &[u8], from: usize) -> Result<Option<(Version, usize)>, Rejection> {
    const COMMON: &[u8] = b"HTTP/1.1\r\n";
    let rest = &view[from..];
    if rest.starts_with(COMMON) {
        return Ok(Some((Version::Http11, from + COMMON.len())));
    }
    // The digits may differ, nothing else (RFC 9112, section 2.3).
    for (place, &expected) in COMMON.iter().enumerate() {
        match rest.get(place) {
            None => return Ok(None),
            Some(byte) if matches!(place, 5 | 7) && byte.is_ascii_digit() => {}
            Some(byte) if *byte == expected => {}
            Some(_) if place == 9 => return Err(Rejection::BareCarriageReturn),
            Some(b'\n') if place == 8 => return Err(Rejection::BareLineFeed),
            Some(_) => return Err(Rejection::Version),
        }
    }
    let version = match (rest[5] - b'0', rest[7] - b'0') {
        (1, 0) => Version::Http10,
        // A higher minor version is understood as the highest that we have (RFC 9110, section 2.5).
        (1, _) => Version::Http11,
        (major, minor) => return Err(Rejection::VersionUnsupported { major, minor }),
    };
    Ok(Some((version, from + COMMON.len())))
}
