//! Names of endpoints where no framework tells the route: the path with its identifiers folded.
//!
//! `/users/42/orders/9f1c…` becomes `/users/{n}/orders/{hash}`. A name never holds a query string,
//! and never more than so many characters, whatever a client sent.

use crate::NAME_CHARACTERS_MAX;

/// Hexadecimal digits from which on a segment is taken for a hash.
const HASH_DIGITS: usize = 16;
/// Characters from which on a segment of letters and digits is taken for an identifier.
const IDENTIFIER_CHARACTERS: usize = 20;
/// Segments that are kept; deeper paths end in `…`.
const SEGMENTS_MAX: usize = 12;

/// The path with numbers, UUIDs, hashes and long identifiers folded.
pub fn fold_path(path: &str) -> String {
    let path = path.split(['?', '#']).next().unwrap_or_default();
    let mut folded = String::with_capacity(path.len() + 1);
    for (number, segment) in path.trim_start_matches('/').split('/').enumerate() {
        folded.push('/');
        if number == SEGMENTS_MAX {
            folded.push('…');
            break;
        }
        folded.push_str(fold(segment));
    }
    trim_name(&folded)
}

/// The name, cut to its limit and without control characters.
pub fn trim_name(name: &str) -> String {
    let mut characters = name.chars().map(|c| if c.is_control() { ' ' } else { c });
    let mut trimmed: String = characters.by_ref().take(NAME_CHARACTERS_MAX).collect();
    if characters.next().is_some() {
        trimmed.pop();
        trimmed.push('…');
    }
    trimmed
}

fn fold(segment: &str) -> &str {
    let digits = segment.bytes().filter(u8::is_ascii_digit).count();
    if digits > 0 && digits == segment.len() {
        "{n}"
    } else if is_uuid(segment) {
        "{uuid}"
    } else if segment.len() >= HASH_DIGITS && segment.bytes().all(|b| b.is_ascii_hexdigit()) {
        "{hash}"
    } else if digits > 0 && is_identifier(segment) {
        "{id}"
    } else {
        segment
    }
}

/// Groups of 8, 4, 4, 4 and 12 hexadecimal digits (RFC 9562, section 4).
fn is_uuid(segment: &str) -> bool {
    segment.len() == 36
        && segment.bytes().enumerate().all(|(at, byte)| match at {
            8 | 13 | 18 | 23 => byte == b'-',
            _ => byte.is_ascii_hexdigit(),
        })
}

/// Long, and of the characters that tokens are made of; a word with a dot is a file's name.
fn is_identifier(segment: &str) -> bool {
    segment.len() >= IDENTIFIER_CHARACTERS
        && segment
            .bytes()
            .all(|byte| byte.is_ascii_alphanumeric() || matches!(byte, b'-' | b'_' | b'~' | b'='))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn check(path: &str, expected: &str) {
        assert_eq!(fold_path(path), expected);
    }

    #[test]
    fn identifiers_are_folded_and_words_are_not() {
        check("/", "/");
        check("", "/");
        check("/users/42/orders", "/users/{n}/orders");
        check("/users/4f2/", "/users/4f2/");
        check("/item/123e4567-e89b-12d3-a456-426614174000", "/item/{uuid}");
        check(
            "/blob/da39a3ee5e6b4b0d3255bfef95601890afd80709",
            "/blob/{hash}",
        );
        check("/cafe/babe", "/cafe/babe");
        check("/t/eyJhbGciOiJIUzI1NiIsInR5", "/t/{id}");
        check(
            "/static/app.0123456789abcdef0123.js",
            "/static/app.0123456789abcdef0123.js",
        );
        check("/internationalisation-guide", "/internationalisation-guide");
    }

    #[test]
    fn a_query_string_is_never_kept() {
        check("/search?q=secret", "/search");
        check("/search#secret", "/search");
    }

    #[test]
    fn a_hostile_path_gives_a_short_clean_name() {
        let long = fold_path(&"/ab".repeat(10_000));
        assert!(long.chars().count() <= NAME_CHARACTERS_MAX, "{long}");
        assert!(long.ends_with("/…"));
        assert_eq!(
            trim_name(&"x".repeat(300)).chars().count(),
            NAME_CHARACTERS_MAX
        );
        assert_eq!(trim_name("a\nb\u{1b}"), "a b ");
    }
}
