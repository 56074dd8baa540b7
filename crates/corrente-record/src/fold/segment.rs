//! One segment of a path: a word that stays, or a value that is folded to its kind.
//!
//! Whole segments are judged first (UUID, date, address), then their parts between separators, so
//! that `item-17.png` keeps what names the endpoint. When in doubt a value is folded: a name too
//! general costs resolution, a name too precise costs privacy and the table's places.

use std::borrow::Cow;

const NUMBER: &str = "{n}";
const UUID: &str = "{uuid}";
const HASH: &str = "{hash}";
const DATE: &str = "{date}";
const EMAIL: &str = "{email}";
const IDENTIFIER: &str = "{id}";
const TEXT: &str = "{text}";
const REST: &str = "…";

/// What a folded segment can be; these are folded already.
const FOLDED: &[&str] = &[NUMBER, UUID, HASH, DATE, EMAIL, IDENTIFIER, TEXT, REST];

/// A longer segment is text or a token, whatever is in it. Longer than any UUID or SHA-1, shorter
/// than a signed token.
const MAX_SEGMENT_BYTES: usize = 48;

/// A part that is folded may grow (`1` becomes `{n}`); beyond this the whole is `{text}`.
const MAX_FOLDED_BYTES: usize = 64;

/// Hexadecimal digits from which on a part with letters and digits is a digest: short Git hashes
/// have seven, and a word of a–f with a digit inside is rare at eight.
const MIN_HASH: usize = 8;

/// The same without a single digit: no English word of a–f has twelve letters.
const MIN_HASH_OF_LETTERS: usize = 12;

/// Digits at the end of a word that make it an identifier: `user1234` but `oauth2`, `base64`.
const MIN_TRAILING_DIGITS: usize = 3;

/// Characters that separate parts.
const SEPARATORS: &[char] = &[
    '-', '_', '.', ',', ':', '~', '+', '=', '!', '@', '(', ')', '|',
];

/// What pages are made of, by the ends of files' names: there are hundreds, and none is an endpoint.
const FILES: &[&str] = &[
    "{file}.css",
    "{file}.js",
    "{file}.mjs",
    "{file}.map",
    "{file}.png",
    "{file}.jpg",
    "{file}.jpeg",
    "{file}.gif",
    "{file}.svg",
    "{file}.webp",
    "{file}.avif",
    "{file}.ico",
    "{file}.woff",
    "{file}.woff2",
    "{file}.ttf",
    "{file}.otf",
    "{file}.eot",
];

/// The kind of file that a path's last segment names, if it is one that pages are made of.
pub(super) fn fold_file(segment: &str) -> Option<&'static str> {
    let segment = segment.split(';').next().unwrap_or_default();
    let (name, end) = segment.rsplit_once('.')?;
    let is_kind = |file: &&str| file["{file}.".len()..].eq_ignore_ascii_case(end);
    let kind = FILES.iter().copied().find(is_kind);
    kind.filter(|_| !name.is_empty())
}

/// Folds one segment, which is not empty and has no slash.
pub(super) fn fold_segment(segment: &str) -> Cow<'_, str> {
    // Matrix parameters are parameters (RFC 3986, section 3.3).
    let segment = segment.split(';').next().unwrap_or_default();
    if segment.is_empty() {
        return Cow::Borrowed(TEXT);
    }
    if let Some(whole) = fold_whole(segment) {
        return Cow::Borrowed(whole);
    }
    let folded = fold_parts(segment);
    if folded.len() > MAX_FOLDED_BYTES {
        return Cow::Borrowed(TEXT);
    }
    folded
}

/// What the segment is as a whole; nothing where its parts decide.
fn fold_whole(segment: &str) -> Option<&'static str> {
    if let Some(folded) = FOLDED.iter().copied().find(|folded| *folded == segment) {
        return Some(folded);
    }
    if is_email(segment) {
        return Some(EMAIL);
    }
    let odd = |byte: u8| !byte.is_ascii_graphic() || byte == b'%';
    if segment.bytes().any(odd) {
        return Some(TEXT);
    }
    if is_uuid(segment) {
        return Some(UUID);
    }
    if is_date(segment) {
        return Some(DATE);
    }
    if is_number(segment) {
        return Some(NUMBER);
    }
    if is_hash(segment) {
        return Some(HASH);
    }
    if segment.len() > MAX_SEGMENT_BYTES && !is_made_of_folded_parts(segment) {
        return Some(TEXT);
    }
    is_identifier(segment).then_some(IDENTIFIER)
}

/// A segment that folding has made longer than the limit for raw ones.
fn is_made_of_folded_parts(segment: &str) -> bool {
    segment.len() <= MAX_FOLDED_BYTES && FOLDED.iter().any(|folded| segment.contains(folded))
}

fn fold_parts(segment: &str) -> Cow<'_, str> {
    let mut folded = String::new();
    let mut changed = false;
    for piece in segment.split_inclusive(SEPARATORS) {
        let (part, separator) = split_separator(piece);
        match fold_part(part) {
            Some(kind) => {
                changed = true;
                folded.push_str(&kind);
            }
            None => folded.push_str(part),
        }
        folded.push_str(separator);
    }
    if changed {
        Cow::Owned(folded)
    } else {
        Cow::Borrowed(segment)
    }
}

fn split_separator(piece: &str) -> (&str, &str) {
    match piece.char_indices().next_back() {
        Some((at, last)) if SEPARATORS.contains(&last) => piece.split_at(at),
        _ => (piece, ""),
    }
}

fn fold_part(part: &str) -> Option<Cow<'static, str>> {
    if part.is_empty() || FOLDED.contains(&part) {
        return None;
    }
    if part.bytes().all(|byte| byte.is_ascii_digit()) {
        return Some(Cow::Borrowed(NUMBER));
    }
    if is_hash(part) {
        return Some(Cow::Borrowed(HASH));
    }
    if is_identifier(part) {
        return Some(Cow::Borrowed(IDENTIFIER));
    }
    fold_digits(part)
}

/// `user1234` to `user{n}`; a run in the middle of a word is a value too.
fn fold_digits(part: &str) -> Option<Cow<'static, str>> {
    let mut folded = String::new();
    let mut changed = false;
    let mut rest = part;
    while let Some(start) = rest.find(|c: char| c.is_ascii_digit()) {
        let digits = rest[start..].bytes().take_while(u8::is_ascii_digit).count();
        folded.push_str(&rest[..start]);
        if digits >= MIN_TRAILING_DIGITS {
            folded.push_str(NUMBER);
            changed = true;
        } else {
            folded.push_str(&rest[start..start + digits]);
        }
        rest = &rest[start + digits..];
    }
    folded.push_str(rest);
    changed.then_some(Cow::Owned(folded))
}

/// Numbers with a sign, decimals, coordinates, versions of four numbers, network addresses.
fn is_number(segment: &str) -> bool {
    let mut digits = false;
    segment.bytes().all(|byte| {
        digits |= byte.is_ascii_digit();
        byte.is_ascii_digit() || b"+-.,:".contains(&byte)
    }) && digits
}

/// 8-4-4-4-12 hexadecimal digits (RFC 9562).
fn is_uuid(segment: &str) -> bool {
    let bare = segment
        .strip_prefix('{')
        .and_then(|inner| inner.strip_suffix('}'))
        .unwrap_or(segment);
    bare.len() == 36
        && bare.bytes().enumerate().all(|(at, byte)| match at {
            8 | 13 | 18 | 23 => byte == b'-',
            _ => byte.is_ascii_hexdigit(),
        })
}

fn is_hash(part: &str) -> bool {
    if part.len() < MIN_HASH || !part.bytes().all(|byte| byte.is_ascii_hexdigit()) {
        return false;
    }
    let digits = part.bytes().filter(u8::is_ascii_digit).count();
    part.len() >= MIN_HASH_OF_LETTERS || (digits > 0 && digits < part.len())
}

/// `2026-11-21`, `2026-11`, `2026-11-21T14:25:42Z` (ISO 8601 with its hyphens).
fn is_date(segment: &str) -> bool {
    let bytes = segment.as_bytes();
    let digits = |range: std::ops::Range<usize>| {
        bytes
            .get(range)
            .is_some_and(|part| part.iter().all(u8::is_ascii_digit))
    };
    let month = digits(0..4) && bytes.get(4) == Some(&b'-') && digits(5..7);
    let day = month && bytes.get(7) == Some(&b'-') && digits(8..10);
    let time = || {
        bytes[10..]
            .iter()
            .all(|byte| byte.is_ascii_digit() || b"T:.Z+-_".contains(byte))
    };
    (month && bytes.len() == 7) || (day && (bytes.len() == 10 || time()))
}

/// `name@host.tld`, the sign escaped or not.
fn is_email(segment: &str) -> bool {
    let parts = segment
        .split_once('@')
        .or_else(|| segment.split_once("%40"));
    parts.is_some_and(|(user, host)| {
        !user.is_empty() && !host.contains('@') && host.trim_matches('.').contains('.')
    })
}

/// Base64, base58, ULID, nano ids and their like: capitals, small letters and digits mixed as no
/// word mixes them.
fn is_identifier(part: &str) -> bool {
    let alphabet = |byte: u8| byte.is_ascii_alphanumeric() || b"_-=".contains(&byte);
    if part.len() < 10 || !part.bytes().all(alphabet) {
        return false;
    }
    let digits = part.bytes().filter(u8::is_ascii_digit).count();
    let upper = part.bytes().filter(u8::is_ascii_uppercase).count();
    let lower = part.bytes().filter(u8::is_ascii_lowercase).count();
    let groups = digit_groups(part);
    let separated = part.bytes().filter(|byte| b"_-".contains(byte)).count();
    let mixed = upper > 0 && lower > 0 && groups >= 2 && separated <= 2;
    let capitals = lower == 0 && part.len() >= 16 && groups >= 3 && separated == 0;
    let small = upper == 0 && part.len() >= 16 && groups >= 3 && digits >= 4 && separated == 0;
    mixed || capitals || small
}

fn digit_groups(part: &str) -> usize {
    part.split(|c: char| !c.is_ascii_digit())
        .filter(|group| !group.is_empty())
        .count()
}
