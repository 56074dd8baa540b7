//! What was made of heads that have come before: worked out once, and copied for each request that has one of them.
//!
//! Clients that keep a connection open mostly send the same head again, and so do others of their kind. Kept are heads that a
//! connection has brought twice in a row; not those that have something secret. Must not know what is made of a head. Key
//! invariant: what is kept is nobody else's, since applications may change what they are given.

use corrente_http::Name;
use corrente_http::h1::Head;
use corrente_loop::Confined;
use pyo3::prelude::*;
use rustc_hash::FxHasher;
use std::hash::Hasher as _;

use crate::operations::Arrival;

/// Heads that are kept at most.
const KEPT: usize = 64;

/// Names whose values are not kept.
const SECRET: [&[u8]; 4] = [
    b"authorization",
    b"cookie",
    b"proxy-authorization",
    b"x-api-key",
];

/// Whether a field of this name is not kept.
pub(crate) fn is_secret(name: Name<'_>) -> bool {
    is_secret_lower(name.lower(&mut Vec::new()))
}

/// The same of a name in lower case.
pub(crate) fn is_secret_lower(name: &[u8]) -> bool {
    SECRET.contains(&name)
}

/// Whether what such a request is given may be of use to others: it says nothing but what its head says, which came before.
pub(crate) fn is_common(arrival: &Arrival<'_>) -> bool {
    arrival.head.is_repeated() && arrival.is_plain()
}

/// The table: a head's place is told by its hash, and the last one has it.
pub(crate) struct Prototypes<T>(Confined<Vec<Option<Prototype<T>>>>);

struct Prototype<T> {
    head: Box<[u8]>,
    made: T,
}

impl<T> Default for Prototypes<T> {
    fn default() -> Self {
        Self(Confined::new(Vec::new()))
    }
}

impl<T> Prototypes<T> {
    /// Lends what was made of this head, if it is known, to who refers to it; Python code must not run meanwhile.
    pub(crate) fn find<R>(
        &self,
        py: Python<'_>,
        head: &Head<'_>,
        refer: impl FnOnce(&T) -> R,
    ) -> PyResult<Option<R>> {
        self.0.with(py, |kept| {
            // Empty until one is kept.
            let known = kept.get(place(head))?.as_ref()?;
            let is_same = *known.head == *head.bytes();
            is_same.then(|| refer(&known.made))
        })
    }

    /// Keeps what is made of this head, unless that has something secret.
    pub(crate) fn keep(
        &self,
        py: Python<'_>,
        head: &Head<'_>,
        make: impl FnOnce() -> PyResult<T>,
    ) -> PyResult<()> {
        if head.fields().iter().any(|field| is_secret(field.name)) {
            return Ok(());
        }
        let prototype = Prototype {
            head: head.bytes().into(),
            made: make()?,
        };
        let before = self.0.with(py, |kept| {
            kept.resize_with(KEPT, || None);
            kept[place(head)].replace(prototype)
        })?;
        drop(before);
        Ok(())
    }
}

fn place(head: &Head<'_>) -> usize {
    let mut hasher = FxHasher::default();
    hasher.write(head.bytes());
    // The upper half is the better one.
    (hasher.finish() >> 32) as usize % KEPT
}
