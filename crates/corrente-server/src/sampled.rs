//! An application of which only some requests are measured: those go to one in its place that measures them.
//!
//! Who measures is asked before each request, so that the others cost no call more than without. The border to whatever
//! measures (`corrente-gauge`, by `corrente-python`): the server does not know how requests are chosen.

use std::sync::Arc;

use pyo3::gc::{PyTraverseError, PyVisit};
use pyo3::prelude::*;
use pyo3::types::{PyDict, PyTuple};

/// Chooses requests.
pub trait Choice: Send + Sync {
    /// Whether the request that comes next to this thread may be one that is measured. Where not, it is counted with this.
    fn may_measure(&self) -> bool;
}

/// An application, and one that measures what it does.
#[pyclass(frozen, module = "corrente._native")]
pub struct Sampled {
    plain: Py<PyAny>,
    measured: Py<PyAny>,
    choice: Arc<dyn Choice>,
}

impl std::fmt::Debug for Sampled {
    fn fmt(&self, formatter: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        formatter.write_str("Sampled")
    }
}

impl Sampled {
    /// Of an application, the same as it is measured, and who chooses.
    pub fn new(plain: Py<PyAny>, measured: Py<PyAny>, choice: Arc<dyn Choice>) -> Self {
        Self {
            plain,
            measured,
            choice,
        }
    }

    /// What the next request goes to, of whatever is served.
    #[inline]
    pub(crate) fn next<'a, 'py>(application: &'a Bound<'py, PyAny>) -> &'a Bound<'py, PyAny> {
        let Ok(sampled) = application.cast_exact::<Self>() else {
            return application;
        };
        let (py, this) = (application.py(), sampled.get());
        if this.choice.may_measure() {
            this.measured.bind(py)
        } else {
            this.plain.bind(py)
        }
    }
}

#[pymethods]
impl Sampled {
    /// For whoever does not ask: the lifespan.
    #[pyo3(signature = (*arguments, **keywords))]
    fn __call__<'py>(
        &self,
        arguments: &Bound<'py, PyTuple>,
        keywords: Option<&Bound<'py, PyDict>>,
    ) -> PyResult<Bound<'py, PyAny>> {
        let measured = self.measured.bind(arguments.py());
        measured.call(arguments, keywords)
    }

    fn __getattr__(&self, py: Python<'_>, name: &str) -> PyResult<Py<PyAny>> {
        self.plain.getattr(py, name)
    }

    fn __traverse__(&self, visit: PyVisit<'_>) -> Result<(), PyTraverseError> {
        visit.call(&self.plain)?;
        visit.call(&self.measured)
    }
}
