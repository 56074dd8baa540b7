//! Objects of a class of ours, most of which are of one class that extends it.
//!
//! Whether an object is one is a walk over the bases of its class, for each call of a method; here the class that was seen
//! first is remembered, and looked for first. Must not know what is done with the objects. Key invariant: what is remembered
//! is alive and extends ours.

use pyo3::prelude::*;
use pyo3::sync::PyOnceLock;
use pyo3::types::PyType;
use pyo3::{CastError, PyTypeInfo};

/// The class that was seen first.
pub(crate) struct Known(PyOnceLock<Py<PyType>>);

impl Known {
    pub(crate) const fn new() -> Self {
        Self(PyOnceLock::new())
    }

    /// An object as one of ours.
    ///
    /// # Errors
    ///
    /// Where it is none.
    #[inline]
    pub(crate) fn cast<'a, 'py, T: PyTypeInfo>(
        &self,
        object: &'a Bound<'py, PyAny>,
    ) -> Result<&'a Bound<'py, T>, CastError<'a, 'py>> {
        let py = object.py();
        let class = object.get_type_ptr();
        if self
            .0
            .get(py)
            .is_some_and(|known| known.as_ptr() == class.cast())
        {
            // SAFETY: it is of a class that was found to extend this one, and lives as long as it is remembered.
            return Ok(unsafe { object.cast_unchecked::<T>() });
        }
        let found = object.cast::<T>()?;
        self.0.get_or_init(py, || object.get_type().unbind());
        Ok(found)
    }
}
