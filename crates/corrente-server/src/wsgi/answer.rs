//! What a WSGI application gives: a status, headers, and what it returns; checked and taken apart.
//!
//! PEP 3333: native strings that hold Latin-1, and bytes. What is wrong is told in the words of the application's side.

use pyo3::exceptions::{PyRuntimeError, PyTypeError, PyValueError};
use pyo3::intern;
use pyo3::prelude::*;
use pyo3::types::{PyBytes, PyList, PyString, PyTuple};

use crate::packed::Packed;

/// Several pieces are joined up to so many bytes, which is cheaper than to send each.
const JOINED_MOST: usize = 64 * 1024;

/// The whole body, where it is a list or a tuple of bytes: its length is known then.
pub(super) fn whole<'py>(result: &Bound<'py, PyAny>) -> Option<Bound<'py, PyBytes>> {
    if let Ok(list) = result.cast_exact::<PyList>() {
        return match list.len() {
            1 => list.get_item(0).ok()?.cast_into().ok(),
            _ => joined(result.py(), list.iter()),
        };
    }
    let tuple = result.cast_exact::<PyTuple>().ok()?;
    match tuple.len() {
        1 => tuple.get_item(0).ok()?.cast_into().ok(),
        _ => joined(result.py(), tuple.iter()),
    }
}

fn joined<'py>(
    py: Python<'py>,
    pieces: impl Iterator<Item = Bound<'py, PyAny>>,
) -> Option<Bound<'py, PyBytes>> {
    let mut whole = Vec::new();
    for piece in pieces {
        let piece = piece.cast::<PyBytes>().ok()?.as_bytes();
        if whole.len() + piece.len() > JOINED_MOST {
            return None;
        }
        whole.extend_from_slice(piece);
    }
    Some(PyBytes::new(py, &whole))
}

/// A piece of a body.
pub(super) fn bytes<'py>(piece: &Bound<'py, PyAny>) -> PyResult<Bound<'py, PyBytes>> {
    if let Ok(bytes) = piece.cast::<PyBytes>() {
        return Ok(bytes.clone());
    }
    let name = piece.get_type().name()?;
    let text = format!("a WSGI application yields bytes, not '{name}'");
    Err(PyTypeError::new_err(text))
}

/// The number of a status like `200 OK`.
pub(super) fn code(status: &str) -> PyResult<u16> {
    let digits = status.split(' ').next().unwrap_or_default();
    let is_code = digits.len() == 3 && status.len() > 3;
    let code = digits.parse().ok().filter(|_| is_code);
    code.ok_or_else(|| {
        let text = format!("status must be like '200 OK', not '{status}'");
        PyValueError::new_err(text)
    })
}

/// Headers, from pairs of native strings.
pub(super) fn fields(headers: &Bound<'_, PyAny>) -> PyResult<Packed> {
    let wrong = |_| PyTypeError::new_err("headers must be a list of pairs of strings");
    let mut fields = Packed::new();
    for pair in headers.cast::<PyList>().map_err(wrong)?.iter() {
        let (name, value) = pair.extract::<(Bound<'_, PyString>, Bound<'_, PyString>)>()?;
        add(&mut fields, &name)?;
        add(&mut fields, &value)?;
    }
    Ok(fields)
}

/// How long the application says that its body is. What is no number is refused when the head is made.
pub(super) fn length_of(fields: &Packed) -> Option<u64> {
    let mut fields = fields.iter();
    let (_, value) = fields.find(|(name, _)| name.eq_ignore_ascii_case(b"content-length"))?;
    str::from_utf8(value.trim_ascii()).ok()?.parse().ok()
}

fn add(fields: &mut Packed, text: &Bound<'_, PyString>) -> PyResult<()> {
    let text = text.to_str()?;
    let pushed = if text.is_ascii() {
        fields.push(text.as_bytes())
    } else {
        let bytes = text.chars().map(|one| u8::try_from(u32::from(one)).ok());
        let bytes: Option<Vec<u8>> = bytes.collect();
        let bytes = bytes.ok_or_else(|| {
            let text = format!("a header has characters that are not Latin-1: {text:?}");
            PyRuntimeError::new_err(text)
        })?;
        fields.push(&bytes)
    };
    pushed.ok_or_else(|| PyValueError::new_err("a header is longer than 4 GiB"))
}

/// PEP 3333: `close()` is called, however the request ended.
pub(super) fn close(result: &Bound<'_, PyAny>) -> PyResult<()> {
    let py = result.py();
    match result.getattr_opt(intern!(py, "close"))? {
        Some(close) => close.call0().map(drop),
        None => Ok(()),
    }
}
