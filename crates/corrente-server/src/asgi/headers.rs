//! Header fields as Python has them, made once for many requests.
//!
//! Most fields of a request were in one before it: the same names, hosts, agents. A small table keeps their pairs of
//! `bytes`, which never change, so they can be in many lists. What may be secret is not kept, nor what is long.

use std::hash::{Hash, Hasher};

use corrente_http::Name;
use corrente_loop::Confined;
use pyo3::prelude::*;
use pyo3::types::{PyBytes, PyTuple};

use crate::secret::is_secret_lower;

/// Pairs that are kept at most.
const KEPT: usize = 512;

/// Values of more bytes are not kept.
const LONGEST_KEPT: usize = 128;

/// The table: a pair's place is told by its hash, and the last one has it.
pub(crate) struct HeaderTable {
    pairs: Confined<Vec<Option<Pair>>>,
}

struct Pair {
    name: Py<PyBytes>,
    value: Py<PyBytes>,
    tuple: Py<PyTuple>,
}

impl Default for HeaderTable {
    fn default() -> Self {
        let mut pairs = Vec::new();
        pairs.resize_with(KEPT, || None);
        Self {
            pairs: Confined::new(pairs),
        }
    }
}

impl HeaderTable {
    /// The pair of `bytes` of a field, its name in lower case.
    pub(crate) fn pair<'py>(
        &self,
        py: Python<'py>,
        name: Name<'_>,
        value: &[u8],
    ) -> PyResult<Bound<'py, PyTuple>> {
        let mut scratch = Vec::new();
        let lower = name.lower(&mut scratch);
        if value.len() > LONGEST_KEPT || is_secret_lower(lower) {
            return made(py, lower, value).map(|pair| pair.tuple.into_bound(py));
        }
        let place = place(lower, value);
        let known = self.pairs.with(py, |pairs| {
            let pair = pairs[place].as_ref()?;
            let is_same = pair.name.as_bytes(py) == lower && pair.value.as_bytes(py) == value;
            is_same.then(|| pair.tuple.clone_ref(py))
        })?;
        if let Some(tuple) = known {
            return Ok(tuple.into_bound(py));
        }
        let pair = made(py, lower, value)?;
        let tuple = pair.tuple.clone_ref(py);
        let before = self.pairs.with(py, |pairs| pairs[place].replace(pair))?;
        drop(before);
        Ok(tuple.into_bound(py))
    }
}

fn made(py: Python<'_>, name: &[u8], value: &[u8]) -> PyResult<Pair> {
    let (name, value) = (PyBytes::new(py, name), PyBytes::new(py, value));
    let tuple = PyTuple::new(py, [&name, &value])?;
    Ok(Pair {
        name: name.unbind(),
        value: value.unbind(),
        tuple: tuple.unbind(),
    })
}

fn place(name: &[u8], value: &[u8]) -> usize {
    let mut hasher = rustc_hash::FxHasher::default();
    name.hash(&mut hasher);
    value.hash(&mut hasher);
    hasher.finish() as usize % KEPT
}
