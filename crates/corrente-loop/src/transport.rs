//! Transports: what stands between a descriptor and a protocol, a room for each family.
//!
//! `flow` is what all families share, `tls` stands on a `stream`. Datagrams have asyncio's transport over a `datagram`
//! socket, pipes asyncio's own (python/corrente/_transports.py).

pub(crate) mod datagram;
pub(crate) mod flow;
pub(crate) mod stream;
pub(crate) mod tls;

use pyo3::prelude::*;

/// Adds the classes to the module.
pub(crate) fn register(module: &Bound<'_, PyModule>) -> PyResult<()> {
    datagram::register(module)?;
    stream::register(module)?;
    tls::register(module)
}
