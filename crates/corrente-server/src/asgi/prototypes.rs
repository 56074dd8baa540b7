//! Scopes of heads that have come before: what a head says is worked out once, and copied for each request that has it.
//!
//! Clients that keep a connection open mostly send the same head again, and so do others of their kind. Kept are heads that a
//! connection has brought twice in a row; not those that have something secret. Must not know what else is in a scope. Key
//! invariant: what is kept is nobody else's, since applications may change what they are given.

use corrente_http::h1::Head;
use corrente_loop::Confined;
use pyo3::intern;
use pyo3::prelude::*;
use pyo3::types::{PyDict, PyList};
use rustc_hash::FxHasher;
use std::hash::Hasher as _;

use super::headers::is_secret;

/// Heads that are kept at most.
const KEPT: usize = 64;

/// The table: a head's place is told by its hash, and the last one has it.
pub(super) struct Prototypes(Confined<Vec<Option<Prototype>>>);

struct Prototype {
    head: Box<[u8]>,
    /// Without the list of its headers.
    scope: Py<PyDict>,
    headers: Py<PyList>,
}

impl Default for Prototypes {
    fn default() -> Self {
        Self(Confined::new(Vec::new()))
    }
}

impl Prototypes {
    /// A scope with what this head says, if it is known.
    pub(super) fn copy<'py>(
        &self,
        py: Python<'py>,
        head: &Head<'_>,
    ) -> PyResult<Option<Bound<'py, PyDict>>> {
        let found = self.0.with(py, |kept| {
            // Empty until one is kept.
            let known = kept.get(place(head))?.as_ref()?;
            let is_same = *known.head == *head.bytes();
            is_same.then(|| (known.scope.clone_ref(py), known.headers.clone_ref(py)))
        })?;
        let Some((scope, headers)) = found else {
            return Ok(None);
        };
        let scope = scope.into_bound(py).copy()?;
        let headers = headers.into_bound(py);
        let copy = headers.get_slice(0, headers.len());
        scope.set_item(intern!(py, "headers"), copy)?;
        Ok(Some(scope))
    }

    /// Keeps a scope that has nothing yet but what this head says.
    pub(super) fn keep(&self, head: &Head<'_>, scope: &Bound<'_, PyDict>) -> PyResult<()> {
        let py = scope.py();
        if head.fields().iter().any(|field| is_secret(field.name)) {
            return Ok(());
        }
        let name = intern!(py, "headers");
        let Some(headers) = scope.get_item(name)? else {
            return Ok(());
        };
        let headers = headers.cast::<PyList>()?;
        let scope = scope.copy()?;
        scope.set_item(name, py.None())?;
        let prototype = Prototype {
            head: head.bytes().into(),
            scope: scope.unbind(),
            headers: headers.get_slice(0, headers.len()).unbind(),
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
