//! Facts that outlive a run: what each file was lowered to, found again by its text.
//!
//! Pure: bytes in, bytes out; the program reads and writes the file. A store that is corrupt, or
//! from another version, is an empty one. It holds what the last run needed and no more, so it is
//! bounded by the project's size.

mod decoding;
mod encoding;

use std::ops::Range;

use rustc_hash::FxHashMap;
use sha2::{Digest as _, Sha256};

use crate::facts::ModuleFacts;

/// Says what the bytes are, and in which form: it changes with `encoding` and with what `syntax`
/// makes of a source.
const FORMAT: &str = concat!("corrente-check facts 5 ", env!("CARGO_PKG_VERSION"), "\n");

/// Bytes of a digest.
const DIGEST: usize = 32;

/// The digest of a file's text: SHA-256, since equal digests must mean equal files.
type Key = [u8; DIGEST];

/// Facts of files, by what is in them.
#[derive(Debug, Default)]
pub struct Store {
    bytes: Vec<u8>,
    known: FxHashMap<Key, Range<usize>>,
}

/// Facts of a file that may go into a store.
#[derive(Debug)]
pub(crate) struct Lowered {
    key: Key,
    pub(crate) facts: ModuleFacts,
    /// What the store has not; none if it has it.
    new: Option<Vec<u8>>,
}

impl Lowered {
    /// Stands for a file that could not be lowered; it is not kept.
    pub(crate) fn broken() -> Self {
        Self {
            key: [0; DIGEST],
            facts: ModuleFacts::broken(),
            new: None,
        }
    }
}

impl Store {
    /// The store that was written as `bytes`; an empty one, if they are not such.
    pub fn read(bytes: Vec<u8>) -> Self {
        let known = index(&bytes).unwrap_or_default();
        Self { bytes, known }
    }

    /// A file's facts: known ones, else as `lower` makes them.
    pub(crate) fn facts(&self, text: &str, lower: impl FnOnce() -> ModuleFacts) -> Lowered {
        let key: Key = Sha256::digest(text.as_bytes()).into();
        let known = self.known.get(&key);
        let known = known.and_then(|range| decoding::decode(&self.bytes[range.clone()]));
        let (facts, new) = if let Some(mut facts) = known {
            crate::syntax::follow(text, &mut facts);
            (facts, None)
        } else {
            let facts = lower();
            let new = encoding::encode(&facts);
            (facts, Some(new))
        };
        Lowered { key, facts, new }
    }

    /// What to write, after a run over these files; nothing if it is what was read.
    pub(crate) fn updated(&self, files: &[Lowered]) -> Option<Vec<u8>> {
        if files.iter().all(|file| file.new.is_none()) && files.len() == self.known.len() {
            return None;
        }
        let mut bytes = FORMAT.as_bytes().to_vec();
        for file in files {
            let record = match (&file.new, self.known.get(&file.key)) {
                (Some(new), _) => new,
                (None, Some(range)) => &self.bytes[range.clone()],
                (None, None) => continue,
            };
            bytes.extend_from_slice(&file.key);
            bytes.extend_from_slice(&(record.len() as u64).to_le_bytes());
            bytes.extend_from_slice(record);
        }
        let digest = Sha256::digest(&bytes);
        bytes.extend_from_slice(&digest);
        Some(bytes)
    }
}

/// Where each file's record is, if the bytes are as they were written.
fn index(bytes: &[u8]) -> Option<FxHashMap<Key, Range<usize>>> {
    let end = bytes.len().checked_sub(DIGEST)?;
    let (content, digest) = bytes.split_at(end);
    if !content.starts_with(FORMAT.as_bytes()) || Sha256::digest(content)[..] != *digest {
        return None;
    }
    let mut known = FxHashMap::default();
    let mut at = FORMAT.len();
    while at < end {
        let key: Key = content.get(at..at + DIGEST)?.try_into().ok()?;
        let length = content.get(at + DIGEST..at + DIGEST + 8)?;
        let length = usize::try_from(u64::from_le_bytes(length.try_into().ok()?)).ok()?;
        let start = at + DIGEST + 8;
        at = start.checked_add(length).filter(|next| *next <= end)?;
        known.insert(key, start..at);
    }
    Some(known)
}

#[cfg(test)]
mod tests {
    use super::*;

    const TEXT: &str = "
import a.b, os as c
from .x import *
@decorated(1, key='v', *a, **c)
class A(B):
    x: int = -3
    def __init__(self, y=[1, *x], *args, z: 'str' = None, **rest):
        self.y = y[0] + rest['k'] or {**rest, 'a': not y}
        with open(y) as f, z: yield f
        for i in y: del y[i]
async def f():
    async with a: await b
    if isinstance(a, str) and not isinstance(b, int): return lambda q: q[1:2]
    match a:
        case A(x=1) | [*_]: pass
# corrente: ignore[x] y
def (:
";

    fn run(store: &Store, text: &str) -> Lowered {
        store.facts(text, || crate::syntax::lower(text))
    }

    #[test]
    fn facts_come_back_as_they_were() {
        let first = run(&Store::default(), TEXT);
        let bytes = Store::default().updated(std::slice::from_ref(&first));
        let store = Store::read(bytes.expect("the file is new"));
        let second = store.facts(TEXT, || unreachable!("the store has it"));
        assert_eq!(format!("{:?}", first.facts), format!("{:?}", second.facts));
        assert!(store.updated(&[second]).is_none());
    }

    #[test]
    fn what_is_no_longer_there_is_dropped() {
        let both = ["x = 1\n", "y = 2\n"].map(|text| run(&Store::default(), text));
        let bytes = Store::default().updated(&both).expect("both are new");
        let store = Store::read(bytes.clone());
        let fewer = store.updated(&[run(&store, "x = 1\n")]);
        assert!(fewer.expect("one is gone").len() < bytes.len());
    }

    #[test]
    fn what_is_corrupt_or_foreign_is_empty() {
        let file = run(&Store::default(), TEXT);
        let bytes = Store::default().updated(&[file]).expect("it is new");
        for at in 0..bytes.len() {
            let mut other = bytes.clone();
            other[at] ^= 0x10;
            assert!(Store::read(other).known.is_empty(), "byte {at}");
            assert!(Store::read(bytes[..at].to_vec()).known.is_empty(), "{at}");
        }
    }

    #[test]
    fn records_of_any_bytes_do_no_harm() {
        let record = encoding::encode(&crate::syntax::lower(TEXT));
        for at in 0..record.len() {
            for flip in [1, 0x80, 0xff] {
                let mut other = record.clone();
                other[at] ^= flip;
                let decoded = decoding::decode(&other);
                assert!(decoded.is_none_or(|facts| facts.functions.len() < 10_000));
            }
        }
    }
}
