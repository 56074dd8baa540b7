//! Where the `__slots__` of classes that are written in Python are.
//!
//! Read from the descriptors that the interpreter made for them, so it holds for any version. Knows nothing of
//! what the slots are for.

use pyo3::ffi::{self, PyObject};
use pyo3::prelude::*;
use pyo3::types::{PyDict, PyType};

/// The slots of a class and its bases: offsets in bytes from an object's begin.
pub(super) fn slots(class: &Bound<'_, PyType>) -> PyResult<Vec<usize>> {
    Ok(named_slots(class)?
        .into_iter()
        .map(|(_, offset)| offset)
        .collect())
}

/// The same with their names.
pub(super) fn named_slots(class: &Bound<'_, PyType>) -> PyResult<Vec<(String, usize)>> {
    let mut found = Vec::new();
    for base in class.mro() {
        let items = base.getattr("__dict__")?.call_method0("items")?;
        for (name, descriptor) in PyDict::from_sequence(&items)? {
            let offset = offset(&descriptor);
            found.extend(offset.map(|offset| (name.to_string(), offset)));
        }
    }
    Ok(found)
}

/// Where a slot is, if this descriptor is one's.
fn offset(descriptor: &Bound<'_, PyAny>) -> Option<usize> {
    let members = (&raw mut ffi::PyMemberDescr_Type).cast::<PyObject>();
    if descriptor.get_type().as_ptr() != members {
        return None;
    }
    let descriptor = descriptor.as_ptr().cast::<ffi::PyMemberDescrObject>();
    // SAFETY: its type says that it is one.
    let member = unsafe { (*descriptor).d_member };
    // SAFETY: a descriptor's definition lives as long as its class.
    if unsafe { (*member).type_code } != ffi::Py_T_OBJECT_EX {
        return None;
    }
    // SAFETY: as above.
    let offset = unsafe { (*member).offset };
    usize::try_from(offset).ok()
}
