//! The streams of a loop, by their descriptors: for asyncio's code, which asks whether a transport has a socket, and for
//! servers, which close their connections.
//!
//! A stream that is watched is in the table of descriptors anyway; only one that is not has a weak reference, made when it pauses.
//! Key invariant: no stream is kept alive by being found here.

use corrente_driver::Descriptor;
use pyo3::prelude::*;
use pyo3::types::{PyList, PyWeakrefReference};

use super::Loop;
use crate::ffi::method::{Arguments, Method};
use crate::state::{Job, State};
use crate::watched::{Known, weakly};

pub(super) static METHODS: [Method; 3] = [
    Method::new(
        c"_stream",
        c"_stream($self, fd, /)\n--\n\nThe stream of a descriptor, or None.",
        stream,
    ),
    Method::new(
        c"_streams",
        c"_streams($self, /)\n--\n\nAll streams that are there.",
        streams,
    ),
    Method::END,
];

impl Loop {
    /// A stream begins in the next turn.
    pub(crate) fn begin_soon(&self, stream: &Bound<'_, PyAny>) -> PyResult<()> {
        let job = Job::Begin(stream.clone().unbind());
        self.state
            .with(stream.py(), |state| state.ready.push_back(job))
    }

    /// A stream is not watched (yet, or any more): it is found by a weak reference, unless its other side is watched.
    pub(crate) fn remember_stream(
        &self,
        stream: &Bound<'_, PyAny>,
        descriptor: Descriptor,
    ) -> PyResult<()> {
        let py = stream.py();
        let is_watched = |state: &mut State| state.watched.has_stream(descriptor);
        if self.state.with(py, is_watched)? {
            return Ok(());
        }
        let mut reference = weakly(stream);
        self.state.with(py, |state| {
            state.watched.remember(descriptor, &mut reference);
        })?;
        drop(reference);
        Ok(())
    }

    /// A stream has ended. One that has its number by now stays known.
    pub(crate) fn forget_stream(
        &self,
        stream: &Bound<'_, PyAny>,
        descriptor: Descriptor,
    ) -> PyResult<()> {
        let py = stream.py();
        let known = self
            .state
            .with(py, |state| state.watched.stream(py, descriptor))?;
        if let Some(Known::Weakly(reference)) = known
            && upgraded(py, reference).is_some_and(|found| found.is(stream))
        {
            let gone = self
                .state
                .with(py, |state| state.watched.forget(descriptor))?;
            drop(gone);
        }
        Ok(())
    }
}

fn upgraded(py: Python<'_>, reference: Py<PyAny>) -> Option<Bound<'_, PyAny>> {
    let reference = reference.into_bound(py).cast_into::<PyWeakrefReference>();
    reference.ok()?.upgrade()
}

fn found(py: Python<'_>, known: Known) -> Option<Bound<'_, PyAny>> {
    match known {
        Known::Watched(stream) => Some(stream.into_bound(py)),
        Known::Weakly(reference) => upgraded(py, reference),
    }
}

type Answer<'py> = PyResult<Bound<'py, PyAny>>;

fn stream<'py>(receiver: &Bound<'py, PyAny>, arguments: Arguments<'_, 'py>) -> Answer<'py> {
    let py = receiver.py();
    let this = receiver.cast::<Loop>()?.get();
    let number: i32 = arguments.required("_stream", 0, "fd")?.extract()?;
    let known = match Descriptor::new(number) {
        Some(descriptor) => this
            .state
            .with(py, |state| state.watched.stream(py, descriptor))?,
        None => None,
    };
    let stream = known.and_then(|known| found(py, known));
    Ok(stream.unwrap_or_else(|| py.None().into_bound(py)))
}

fn streams<'py>(receiver: &Bound<'py, PyAny>, _: Arguments<'_, 'py>) -> Answer<'py> {
    let py = receiver.py();
    let this = receiver.cast::<Loop>()?.get();
    let all = this.state.with(py, |state| state.watched.streams(py))?;
    let all: Vec<_> = all
        .into_iter()
        .filter_map(|known| found(py, known))
        .collect();
    Ok(PyList::new(py, all)?.into_any())
}
