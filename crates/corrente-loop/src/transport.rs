//! Transports: what stands between a descriptor and a protocol, a room for each family.
//!
//! `flow` is what all families share. Datagrams, pipes and TLS are asyncio's transports so far
//! (python/corrente/_transports.py).

pub(crate) mod flow;
pub(crate) mod stream;

use pyo3::prelude::*;

/// Adds the classes to the module.
pub(crate) fn register(module: &Bound<'_, PyModule>) -> PyResult<()> {
    stream::register(module)
}
