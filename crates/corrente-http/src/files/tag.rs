//! Entity tags (RFC 9110, section 8.8.3): which version of a file somebody has.
//!
//! Made of the time of the last change and the length, as nginx and others do, so that several servers with the same files
//! agree. A file that was changed a moment ago may change again without either of them becoming another: its tag is weak
//! until it has rested.

use std::time::Duration;

use super::Coding;

/// A tag, as it is written.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Tag {
    text: String,
    is_strong: bool,
}

/// How long ago a file was changed.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Age {
    /// So long ago that another change would be seen.
    Rested,
    /// A moment ago.
    Fresh,
}

impl Tag {
    /// For a file that was changed at this time since 1970, and is of so many bytes, in this coding.
    pub fn new(changed: Duration, length: u64, coding: Option<Coding>, age: Age) -> Self {
        let (seconds, nanoseconds) = (changed.as_secs(), changed.subsec_nanos());
        let coding = coding.map_or("", Coding::suffix).replace('.', "-");
        let is_strong = age == Age::Rested;
        let mark = if is_strong { "" } else { "W/" };
        Self {
            text: format!("{mark}\"{seconds:x}.{nanoseconds:x}-{length:x}{coding}\""),
            is_strong,
        }
    }

    /// The value of `etag`.
    pub fn as_bytes(&self) -> &[u8] {
        self.text.as_bytes()
    }

    /// Whether equal tags mean equal bytes.
    pub fn is_strong(&self) -> bool {
        self.is_strong
    }

    fn opaque(&self) -> &[u8] {
        let text = self.text.strip_prefix("W/").unwrap_or(&self.text);
        text.trim_matches('"').as_bytes()
    }

    /// Whether a list of tags has it, or any, by the strong comparison.
    pub(super) fn is_in(&self, list: &[u8]) -> bool {
        is_any(list) || self.is_strong && given(list).any(|one| one.is_strong && self.is(one))
    }

    /// The same by the weak comparison.
    pub(super) fn is_weakly_in(&self, list: &[u8]) -> bool {
        is_any(list) || given(list).any(|one| self.is(one))
    }

    /// Whether this is the tag that was given, by the strong comparison.
    pub(super) fn is_alone(&self, value: &[u8]) -> bool {
        let mut tags = given(value);
        let first = tags.next().filter(|one| one.is_strong && self.is(*one));
        first.is_some() && self.is_strong && tags.next().is_none()
    }

    fn is(&self, given: Given<'_>) -> bool {
        given.opaque == self.opaque()
    }
}

/// A tag of a list.
#[derive(Debug, Clone, Copy)]
struct Given<'a> {
    opaque: &'a [u8],
    is_strong: bool,
}

fn is_any(list: &[u8]) -> bool {
    list.trim_ascii() == b"*"
}

/// The tags of a list, up to what is none. A tag may have commas.
fn given(list: &[u8]) -> impl Iterator<Item = Given<'_>> {
    let mut rest = list;
    std::iter::from_fn(move || {
        while let [b' ' | b'\t' | b',', after @ ..] = rest {
            rest = after;
        }
        let (is_strong, quoted) = match rest {
            [b'W', b'/', b'"', after @ ..] => (false, after),
            [b'"', after @ ..] => (true, after),
            _ => return None,
        };
        let end = quoted.iter().position(|byte| *byte == b'"')?;
        rest = &quoted[end + 1..];
        Some(Given {
            opaque: &quoted[..end],
            is_strong,
        })
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    fn tag(age: Age) -> Tag {
        Tag::new(Duration::from_secs(0x10), 0xff, None, age)
    }

    #[test]
    fn versions_and_codings_have_tags_of_their_own() {
        let gzip = Tag::new(
            Duration::new(16, 255),
            4096,
            Some(Coding::Gzip),
            Age::Rested,
        );
        assert_eq!(gzip.as_bytes(), br#""10.ff-1000-gz""#);
        assert_eq!(tag(Age::Fresh).as_bytes(), br#"W/"10.0-ff""#);
    }

    #[test]
    fn tags_are_compared_as_the_standard_says() {
        // The list, and whether it has the tag: strongly where it is strong, weakly, and by itself.
        for (list, strongly, weakly, alone) in [
            (r#""10.0-ff""#, true, true, true),
            (r#"W/"10.0-ff""#, false, true, false),
            (r#""a,b" , "10.0-ff""#, true, true, false),
            (r#""10.0-ff", "a""#, true, true, false),
            (r#", ,W/"a","10.0-ff""#, true, true, false),
            ("*", true, true, false),
            (r#"w/"10.0-ff""#, false, false, false),
            ("10.0-ff", false, false, false),
            (r#""10.0-ff"#, false, false, false),
            ("", false, false, false),
        ] {
            let (rested, fresh) = (tag(Age::Rested), tag(Age::Fresh));
            let list = list.as_bytes();
            assert_eq!(rested.is_in(list), strongly, "{list:?}");
            assert_eq!(rested.is_weakly_in(list), weakly, "{list:?}");
            assert_eq!(rested.is_alone(list), alone, "{list:?}");
            assert_eq!(fresh.is_in(list), list == b"*", "{list:?}");
            assert_eq!(fresh.is_weakly_in(list), weakly, "{list:?}");
            assert!(!fresh.is_alone(list), "{list:?}");
        }
    }
}
