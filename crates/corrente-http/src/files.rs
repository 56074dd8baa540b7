//! What a request for a file asks, and what it gets: which part, which coding, or that the client has it already.
//!
//! Pure: facts about a request and about a file come in, a decision goes out. RFC 9110, sections 8.8 (validators), 12.5.3
//! (codings), 13 (conditions) and 14 (ranges).

mod coding;
mod kind;
mod place;
mod range;
mod tag;

pub use coding::Coding;
pub use kind::content_type;
pub use place::Place;
pub use range::Span;
pub use tag::{Age, Tag};

use self::range::Ranges;
use crate::date::seconds_of;
use crate::h1::Head;
use crate::{KnownName, Method};

/// What a request says about the file that it wants.
#[derive(Debug, Clone, Default)]
pub struct Wish {
    is_get: bool,
    /// Lists of tags, as they came.
    if_match: Option<Vec<u8>>,
    if_none_match: Option<Vec<u8>>,
    /// Seconds since 1970; dates that are none count as not given (RFC 9110, sections 13.1.3 and 13.1.4).
    if_modified_since: Option<u64>,
    if_unmodified_since: Option<u64>,
    if_range: Option<Vec<u8>>,
    range: Option<Vec<u8>>,
    codings: Vec<Coding>,
}

/// What is known of the representation of a file that was chosen.
#[derive(Debug, Clone, Copy)]
pub struct Known<'a> {
    /// Its bytes.
    pub length: u64,
    /// Which version of it this is.
    pub tag: &'a Tag,
    /// When it was changed last, in seconds since 1970.
    pub modified: u64,
}

/// What the client gets.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Verdict {
    /// 200 with all of it.
    Whole,
    /// 206 with these bytes.
    Part(Span),
    /// 304: it has it already.
    NotModified,
    /// 412: what it went by is not so.
    Failed,
    /// 416: no byte of it is in the range that was asked for.
    Unsatisfiable,
}

impl Wish {
    /// What the request with this head says.
    pub fn of(head: &Head<'_>) -> Self {
        let fields = head.fields();
        let joined = |name: KnownName| {
            let mut values = fields.all(name);
            let mut list = values.next()?.to_vec();
            for value in values {
                list.extend_from_slice(b", ");
                list.extend_from_slice(value);
            }
            Some(list)
        };
        let date = |name: KnownName| fields.first(name).and_then(seconds_of);
        Self {
            is_get: head.method() == Method::Get,
            if_match: joined(KnownName::IfMatch),
            if_none_match: joined(KnownName::IfNoneMatch),
            if_modified_since: date(KnownName::IfModifiedSince),
            if_unmodified_since: date(KnownName::IfUnmodifiedSince),
            if_range: fields.first(KnownName::IfRange).map(<[u8]>::to_vec),
            range: joined(KnownName::Range),
            codings: Coding::accepted(fields.list(KnownName::AcceptEncoding)),
        }
    }

    /// The codings that the client takes, the one that it likes best first.
    pub fn codings(&self) -> &[Coding] {
        &self.codings
    }

    /// What it gets of a file, in the order of RFC 9110, section 13.2.2.
    pub fn verdict(&self, known: &Known<'_>) -> Verdict {
        let is_as_assumed = match (&self.if_match, self.if_unmodified_since) {
            (Some(tags), _) => known.tag.is_in(tags),
            (None, Some(since)) => known.modified <= since,
            (None, None) => true,
        };
        if !is_as_assumed {
            return Verdict::Failed;
        }
        let is_known = match (&self.if_none_match, self.if_modified_since) {
            (Some(tags), _) => known.tag.is_weakly_in(tags),
            (None, Some(since)) => known.modified <= since,
            (None, None) => false,
        };
        if is_known {
            return Verdict::NotModified;
        }
        self.part(known)
    }

    /// A range is defined for `GET` alone (RFC 9110, section 14.2).
    fn part(&self, known: &Known<'_>) -> Verdict {
        let range = self.range.as_ref().filter(|_| self.is_get);
        let range = range.filter(|_| self.may_have_part(known));
        match range.map_or(Ranges::Whole, |range| Ranges::of(range, known.length)) {
            Ranges::Whole => Verdict::Whole,
            Ranges::One(span) => Verdict::Part(span),
            Ranges::Unsatisfiable => Verdict::Unsatisfiable,
        }
    }

    /// Whether what the client has is of the same version (RFC 9110, section 13.1.5). A date is as good as a tag where
    /// the file has rested since, so that nobody can have got another version of the same second.
    fn may_have_part(&self, known: &Known<'_>) -> bool {
        let Some(given) = &self.if_range else {
            return true;
        };
        match seconds_of(given) {
            Some(date) => date == known.modified && known.tag.is_strong(),
            None => known.tag.is_alone(given),
        }
    }
}
