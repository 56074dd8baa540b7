//! What was made of the head that a connection had last: worked out once, and copied while the same one comes again.
//!
//! Clients that keep a connection open mostly send the same head each time. What is made of one that came twice in a row is
//! kept until another one comes, and goes with its connection. Must not know what is made of a head. Key invariant: what is kept
//! is nobody else's, since applications may change what they are given.

use corrente_loop::Confined;
use pyo3::prelude::*;
use pyo3::types::{PyDict, PyList};

use crate::operations::Arrival;

/// Of a connection.
#[derive(Debug)]
pub(crate) struct Last(Confined<Option<Prototype>>);

impl Default for Last {
    fn default() -> Self {
        Self(Confined::new(None))
    }
}

/// What a head and a connection say.
#[derive(Debug)]
pub(crate) struct Prototype {
    made: Py<PyDict>,
    /// A value of it that is copied, too.
    list: Option<(Py<PyAny>, Py<PyList>)>,
}

impl Prototype {
    /// Of what nobody else has.
    pub(crate) fn new(made: Bound<'_, PyDict>) -> Self {
        let made = made.unbind();
        Self { made, list: None }
    }

    /// The same with a list that is the value of a key.
    pub(crate) fn with_list(
        made: Bound<'_, PyDict>,
        key: &Bound<'_, PyAny>,
        list: &Bound<'_, PyList>,
    ) -> PyResult<Self> {
        made.set_item(key, made.py().None())?;
        Ok(Self {
            made: made.unbind(),
            list: Some((key.clone().unbind(), copied(list).unbind())),
        })
    }

    fn clone_ref(&self, py: Python<'_>) -> Self {
        let list = self.list.as_ref();
        Self {
            made: self.made.clone_ref(py),
            list: list.map(|(key, list)| (key.clone_ref(py), list.clone_ref(py))),
        }
    }

    fn copy(self, py: Python<'_>) -> PyResult<Bound<'_, PyDict>> {
        let copy = self.made.into_bound(py).copy()?;
        if let Some((key, list)) = self.list {
            copy.set_item(key.into_bound(py), copied(&list.into_bound(py)))?;
        }
        Ok(copy)
    }
}

fn copied<'py>(list: &Bound<'py, PyList>) -> Bound<'py, PyList> {
    list.get_slice(0, list.len())
}

impl Last {
    /// What is made of a request's head: a copy, where that came before. `keep` makes of it what is copied later.
    pub(crate) fn made<'py>(
        &self,
        py: Python<'py>,
        arrival: &Arrival<'_>,
        make: impl FnOnce() -> PyResult<Bound<'py, PyDict>>,
        keep: impl FnOnce(&Bound<'py, PyDict>) -> PyResult<Prototype>,
    ) -> PyResult<Bound<'py, PyDict>> {
        // What proxies say, and a request's id, are nobody else's.
        if !arrival.head.is_repeated() || !arrival.is_plain() {
            drop(self.0.with(py, Option::take)?);
            return make();
        }
        let known = self.0.with(py, |kept| {
            let kept = kept.as_ref();
            kept.map(|prototype| prototype.clone_ref(py))
        })?;
        if let Some(known) = known {
            return known.copy(py);
        }
        let made = make()?;
        let prototype = keep(&made)?;
        drop(self.0.with(py, |kept| kept.replace(prototype))?);
        Ok(made)
    }
}
