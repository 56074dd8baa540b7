//! Fields as applications give them: pairs of `bytes`.
//!
//! Only their types are checked here; names and values are, where they are encoded.

use pyo3::exceptions::{PyTypeError, PyValueError};
use pyo3::prelude::*;
use pyo3::types::{PyBytes, PyList, PyTuple};

use crate::packed::Packed;

/// A name and a value.
pub(crate) type Field = (Py<PyBytes>, Py<PyBytes>);

/// Headers as pairs of `bytes`.
pub(crate) fn fields(headers: &Bound<'_, PyAny>) -> PyResult<Vec<Field>> {
    let Ok(list) = headers.cast::<PyList>() else {
        return headers.try_iter()?.map(|pair| field(&pair?)).collect();
    };
    let mut fields = Vec::with_capacity(list.len());
    for pair in list.iter() {
        fields.push(field(&pair)?);
    }
    Ok(fields)
}

fn field(pair: &Bound<'_, PyAny>) -> PyResult<Field> {
    let (name, value) = match pair.cast::<PyTuple>() {
        Ok(tuple) if tuple.len() == 2 => {
            let (name, value) = (tuple.get_borrowed_item(0)?, tuple.get_borrowed_item(1)?);
            (bytes(&name), bytes(&value))
        }
        Err(_) if pair.len()? == 2 => (bytes(&pair.get_item(0)?), bytes(&pair.get_item(1)?)),
        _ => (None, None),
    };
    name.zip(value).ok_or_else(|| {
        let text = format!("a header must be a pair of bytes, not {pair}");
        PyTypeError::new_err(text)
    })
}

fn bytes(object: &Bound<'_, PyAny>) -> Option<Py<PyBytes>> {
    let bytes = object.cast::<PyBytes>().ok()?;
    Some(bytes.clone().unbind())
}

/// An early hint's fields, from the values of `Link`.
pub(crate) fn links(links: &Bound<'_, PyAny>) -> PyResult<Packed> {
    let mut fields = Packed::new();
    for link in links.try_iter()? {
        let link = link?.cast_into::<PyBytes>()?;
        let pushed = fields
            .push(b"link")
            .and_then(|()| fields.push(link.as_bytes()));
        pushed.ok_or_else(|| PyValueError::new_err("a header is longer than 4 GiB"))?;
    }
    Ok(fields)
}

/// The same fields, as bytes.
pub(crate) fn borrowed<'a>(py: Python<'a>, fields: &'a [Field]) -> Vec<(&'a [u8], &'a [u8])> {
    let fields = fields.iter();
    fields
        .map(|(name, value)| (name.as_bytes(py), value.as_bytes(py)))
        .collect()
}
