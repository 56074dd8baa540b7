//! Fields as applications give them: pairs of `bytes`.

use pyo3::exceptions::PyTypeError;
use pyo3::prelude::*;
use pyo3::types::{PyBytes, PyList, PyTuple};

/// A name and a value.
pub(crate) type Field = (Py<PyBytes>, Py<PyBytes>);

/// Headers as pairs of `bytes`.
pub(crate) fn fields(headers: &Bound<'_, PyAny>) -> PyResult<Vec<Field>> {
    if let Ok(list) = headers.cast::<PyList>() {
        return list.iter().map(|pair| field(&pair)).collect();
    }
    headers.try_iter()?.map(|pair| field(&pair?)).collect()
}

fn field(pair: &Bound<'_, PyAny>) -> PyResult<Field> {
    let wrong = || {
        let text = format!("a header must be a pair of bytes, not {pair}");
        PyTypeError::new_err(text)
    };
    let bytes = |object: Bound<'_, PyAny>| {
        let bytes = object.cast_into::<PyBytes>();
        bytes.map(Bound::unbind).map_err(|_| wrong())
    };
    if let Ok(tuple) = pair.cast::<PyTuple>() {
        let (name, value) = tuple.extract::<(Bound<'_, PyAny>, Bound<'_, PyAny>)>()?;
        return Ok((bytes(name)?, bytes(value)?));
    }
    if pair.len()? != 2 {
        return Err(wrong());
    }
    Ok((bytes(pair.get_item(0)?)?, bytes(pair.get_item(1)?)?))
}

/// The values of `Link` that an early hint has.
pub(crate) fn links<'py>(links: &Bound<'py, PyAny>) -> PyResult<Vec<Bound<'py, PyBytes>>> {
    let links = links.try_iter()?;
    links
        .map(|link| Ok(link?.cast_into::<PyBytes>()?))
        .collect()
}

/// The same fields, as bytes.
pub(crate) fn borrowed<'a>(py: Python<'a>, fields: &'a [Field]) -> Vec<(&'a [u8], &'a [u8])> {
    let fields = fields.iter();
    fields
        .map(|(name, value)| (name.as_bytes(py), value.as_bytes(py)))
        .collect()
}
