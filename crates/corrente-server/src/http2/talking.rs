//! Streams carry no WebSockets: RFC 8441 is not announced, so clients open them on connections of HTTP/1.1.

use pyo3::exceptions::PyRuntimeError;
use pyo3::prelude::*;

use super::Stream;
use crate::exchange::{Line, Message};

fn none() -> PyErr {
    PyRuntimeError::new_err("no WebSockets over HTTP/2")
}

impl Line for Stream {
    fn accept(
        &self,
        _py: Python<'_>,
        _subprotocol: Option<&str>,
        _headers: Option<&Bound<'_, PyAny>>,
    ) -> PyResult<()> {
        Err(none())
    }

    fn message(&self, _py: Python<'_>, _message: Message<'_>) -> PyResult<()> {
        Err(none())
    }

    fn close(&self, _py: Python<'_>, _code: u16, _reason: &str) -> PyResult<()> {
        Err(none())
    }
}
