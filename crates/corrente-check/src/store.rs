//! What outlives a run: what each file was lowered to, found again by its text, and what was found in
//! all of them, as long as they are made of the same.
//!
//! Pure: bytes in, bytes out; the program reads and writes the files. A store that is corrupt, or
//! from another version, is an empty one. It holds what the last run needed and no more, so it is
//! bounded by the project's size.

mod decoding;
mod encoding;

use std::ops::Range;

use rustc_hash::{FxHashMap, FxHashSet};
use sha2::{Digest as _, Sha256};

use crate::Source;
use crate::catalogue::Catalogue;
use crate::facts::ModuleFacts;
use crate::found::Found;
use crate::spans::Spans;

/// Says what the bytes are, and in which form: it changes with `encoding` and with what `syntax`
/// makes of a source.
const FORMAT: &str = concat!("corrente-check facts 12 ", env!("CARGO_PKG_VERSION"), "\n");

/// Bytes of a digest.
const DIGEST: usize = 32;

/// SHA-256 of a file's text, or of what it was lowered to, since equal digests must mean equal files.
pub(crate) type Digested = [u8; DIGEST];

/// Facts of files, by what is in them, and what the last run found.
#[derive(Debug, Default)]
pub struct Store {
    facts: Vec<u8>,
    known: FxHashMap<Digested, Range<usize>>,
    findings: Vec<u8>,
}

/// What to write after a run, as far as it is not what was read.
#[derive(Debug, Default)]
pub struct Updated {
    /// The facts of all files.
    pub facts: Option<Vec<u8>>,
    /// What was found. It holds for the analyser that found it: who writes it has to see to that.
    pub findings: Option<Vec<u8>>,
}

/// Facts of a file that may go into a store.
#[derive(Debug)]
pub(crate) struct Lowered {
    key: Digested,
    /// Of what the file is made of, without where that stands; none if it could not be lowered.
    shape: Option<Digested>,
    pub(crate) facts: ModuleFacts,
    /// What the store has not; none if it has it.
    new: Option<Vec<u8>>,
}

impl Lowered {
    /// Stands for a file that could not be lowered; it is not kept.
    pub(crate) fn broken() -> Self {
        Self {
            key: [0; DIGEST],
            shape: None,
            facts: ModuleFacts::broken(),
            new: None,
        }
    }
}

impl Store {
    /// The store that was written as these bytes; what is not such is left out.
    pub fn read(facts: Vec<u8>, findings: Vec<u8>) -> Self {
        let known = index(&facts).unwrap_or_default();
        Self {
            facts,
            known,
            findings,
        }
    }

    /// A file's facts: known ones, else as `lower` makes them.
    pub(crate) fn facts(&self, text: &str, lower: impl FnOnce() -> ModuleFacts) -> Lowered {
        let key: Digested = Sha256::digest(text.as_bytes()).into();
        if let Some(known) = self.known_facts(text, key) {
            return known;
        }
        let facts = lower();
        let encoded = encoding::encode(&facts);
        let mut record = (encoded.shape.len() as u64).to_le_bytes().to_vec();
        record.extend_from_slice(&encoded.shape);
        record.extend_from_slice(&encoded.places);
        Lowered {
            key,
            shape: Some(Sha256::digest(&encoded.shape).into()),
            facts,
            new: Some(record),
        }
    }

    fn known_facts(&self, text: &str, key: Digested) -> Option<Lowered> {
        let record = &self.facts[self.known.get(&key)?.clone()];
        let (length, rest) = record.split_at_checked(8)?;
        let length = usize::try_from(u64::from_le_bytes(length.try_into().ok()?)).ok()?;
        let (shape, places) = rest.split_at_checked(length)?;
        let mut facts = decoding::decode(shape, places)?;
        crate::syntax::follow(text, &mut facts);
        Some(Lowered {
            key,
            shape: Some(Sha256::digest(shape).into()),
            facts,
            new: None,
        })
    }

    /// The facts to write, after a run over these files; nothing if they are what was read.
    pub(crate) fn updated(&self, files: &[Lowered]) -> Option<Vec<u8>> {
        // Empty files are many and all the same.
        let mut written: FxHashSet<Digested> = FxHashSet::default();
        let files: Vec<&Lowered> = files
            .iter()
            .filter(|file| file.new.is_some() || self.known.contains_key(&file.key))
            .filter(|file| written.insert(file.key))
            .collect();
        if files.iter().all(|file| file.new.is_none()) && files.len() == self.known.len() {
            return None;
        }
        let mut bytes = FORMAT.as_bytes().to_vec();
        for file in files {
            let record = match (&file.new, self.known.get(&file.key)) {
                (Some(new), _) => new,
                (None, Some(range)) => &self.facts[range.clone()],
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

    /// What the last run found, if its program had this shape; placed where things stand now.
    pub(crate) fn found(&self, shape: &Digested, facts: &[&ModuleFacts]) -> Option<Found> {
        let found = self.findings.strip_prefix(shape)?;
        let (digest, text) = found.split_at_checked(DIGEST)?;
        if Sha256::digest(text)[..] != *digest {
            return None;
        }
        let numbered: Found<u32> = serde_json::from_slice(text).ok()?;
        let mut known: FxHashMap<u32, Spans> = FxHashMap::default();
        numbered.with_places(|module, number| {
            let facts = facts.get(module as usize)?;
            let spans = known.entry(module).or_insert_with(|| Spans::of(facts));
            spans.all().get(number as usize).copied()
        })
    }
}

/// What to keep of what was found in a program of this shape.
pub(crate) fn kept(found: &Found, shape: &Digested, facts: &[&ModuleFacts]) -> Option<Vec<u8>> {
    let mut known: FxHashMap<u32, Spans> = FxHashMap::default();
    let numbered = found.with_places(|module, span| {
        let facts = facts.get(module as usize)?;
        let spans = known.entry(module).or_insert_with(|| Spans::of(facts));
        spans.known(span)
    })?;
    let text = serde_json::to_vec(&numbered).ok()?;
    let mut bytes = shape.to_vec();
    bytes.extend_from_slice(&Sha256::digest(&text));
    bytes.extend_from_slice(&text);
    Some(bytes)
}

/// What findings follow from, places apart: the names of all modules, what they are made of, the
/// catalogue. None if a module could not be lowered.
pub(crate) fn shape(
    sources: &[Source],
    files: &[Lowered],
    catalogue: &Catalogue,
) -> Option<Digested> {
    let mut digest = Sha256::new();
    digest.update(FORMAT.as_bytes());
    digest.update(catalogue.identity());
    for (source, file) in sources.iter().zip(files) {
        for name in [&*source.path, source.module.as_deref().unwrap_or("?")] {
            digest.update((name.len() as u64).to_le_bytes());
            digest.update(name.as_bytes());
        }
        digest.update(file.shape?);
    }
    Some(digest.finalize().into())
}

/// Where each file's record is, if the bytes are as they were written.
fn index(bytes: &[u8]) -> Option<FxHashMap<Digested, Range<usize>>> {
    let end = bytes.len().checked_sub(DIGEST)?;
    let (content, digest) = bytes.split_at(end);
    if !content.starts_with(FORMAT.as_bytes()) || Sha256::digest(content)[..] != *digest {
        return None;
    }
    let mut known = FxHashMap::default();
    let mut at = FORMAT.len();
    while at < end {
        let key: Digested = content.get(at..at + DIGEST)?.try_into().ok()?;
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
        let store = Store::read(bytes.expect("the file is new"), Vec::new());
        let second = store.facts(TEXT, || unreachable!("the store has it"));
        assert_eq!(format!("{:?}", first.facts), format!("{:?}", second.facts));
        assert!(store.updated(&[second]).is_none());
    }

    #[test]
    fn what_is_no_longer_there_is_dropped() {
        let both = ["x = 1\n", "y = 2\n"].map(|text| run(&Store::default(), text));
        let bytes = Store::default().updated(&both).expect("both are new");
        let store = Store::read(bytes.clone(), Vec::new());
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
            let read = |bytes| Store::read(bytes, Vec::new());
            assert!(read(other).known.is_empty(), "byte {at}");
            assert!(read(bytes[..at].to_vec()).known.is_empty(), "{at}");
        }
    }

    #[test]
    fn records_of_any_bytes_do_no_harm() {
        let encoded = encoding::encode(&crate::syntax::lower(TEXT));
        let harmless = |shape: &[u8], places: &[u8]| {
            let decoded = decoding::decode(shape, places);
            assert!(decoded.is_none_or(|facts| facts.functions.len() < 10_000));
        };
        for flip in [1, 0x80, 0xff] {
            for at in 0..encoded.shape.len() {
                let mut other = encoded.shape.clone();
                other[at] ^= flip;
                harmless(&other, &encoded.places);
            }
            for at in 0..encoded.places.len() {
                let mut other = encoded.places.clone();
                other[at] ^= flip;
                harmless(&encoded.shape, &other);
            }
        }
    }

    #[test]
    fn files_with_the_same_text_are_kept_once() {
        let both = ["x = 1\n", "x = 1\n"].map(|text| run(&Store::default(), text));
        let bytes = Store::default().updated(&both).expect("they are new");
        let store = Store::read(bytes, Vec::new());
        let again = ["x = 1\n", "x = 1\n"].map(|text| run(&store, text));
        assert!(store.updated(&again).is_none(), "nothing has changed");
    }

    #[test]
    fn layout_and_what_is_for_people_do_not_change_the_shape() {
        let shape = |text| run(&Store::default(), text).shape;
        let plain = "def f(a):\n    return [g(a), a.b]\n";
        let laid_out =
            "# why\n\ndef f( a ):\n    'What.'\n    return [\n        (g(a)), a.b,  # b\n    ]\n";
        assert_eq!(shape(plain), shape(laid_out));
        assert_eq!(shape("log('no way')\n"), shape("log('no way out')\n"));
        assert_ne!(shape("log('no')\n"), shape("log('way')\n"));
        assert_ne!(shape(plain), shape("def f(a):\n    return [g(a), a.c]\n"));
        assert_ne!(shape(plain), shape("def f(a):\n    return [g(a), g(a)]\n"));
    }
}
