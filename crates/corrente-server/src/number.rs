//! Request ids: taken from trusted proxies, or made.
//!
//! Made ones are 32 hexadecimal digits that no other process makes. They are no secrets.

use std::hash::{BuildHasher as _, RandomState};
use std::sync::atomic::{AtomicU64, Ordering};

use corrente_http::KnownName;
use corrente_http::h1::Head;

use crate::peer::Peer;

/// Ids of proxies that are longer are replaced, in bytes.
const LONGEST: usize = 128;

/// Where ids come from.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
enum Source {
    #[default]
    None,
    Made,
    /// Trusted proxies', where they give one.
    Trusted,
}

/// What gives ids to requests.
#[derive(Debug, Default)]
pub(crate) struct Numbers {
    source: Source,
    next: AtomicU64,
    /// Two halves of an id, random for each process.
    halves: [RandomState; 2],
}

impl Numbers {
    /// `off`, `on` or `trusted`.
    pub(crate) fn read(word: &str) -> Option<Self> {
        let source = match word {
            "off" => Source::None,
            "on" => Source::Made,
            "trusted" => Source::Trusted,
            _ => return None,
        };
        Some(Self {
            source,
            ..Self::default()
        })
    }

    pub(crate) fn are_given(&self) -> bool {
        self.source != Source::None
    }

    /// The id of a request.
    pub(crate) fn number(&self, head: &Head<'_>, peer: &Peer) -> Option<String> {
        let given = || {
            let value = head.fields().first(KnownName::XRequestId)?;
            let is_plain = value.iter().all(u8::is_ascii_graphic);
            let is_one = is_plain && !value.is_empty() && value.len() <= LONGEST;
            is_one.then(|| String::from_utf8_lossy(value).into_owned())
        };
        match self.source {
            Source::None => None,
            Source::Trusted if peer.is_trusted => Some(given().unwrap_or_else(|| self.make())),
            Source::Made | Source::Trusted => Some(self.make()),
        }
    }

    fn make(&self) -> String {
        let number = self.next.fetch_add(1, Ordering::Relaxed);
        let [first, second] = &self.halves;
        format!(
            "{:016x}{:016x}",
            first.hash_one(number),
            second.hash_one(number)
        )
    }
}
