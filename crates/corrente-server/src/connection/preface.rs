//! What comes before the first request: the PROXY protocol's header, which names the client.
//!
//! The rules of who may send it are `operations`', its syntax is `corrente-http`'s.

use std::sync::Arc;

use corrente_http::proxy::{Addresses, ProxyError, ProxyHeader, proxy_header};
use pyo3::IntoPyObjectExt as _;
use pyo3::prelude::*;

use super::{Connection, incoming, life};
use crate::application::Templates;
use crate::asgi::scope::Ends;
use crate::operations::ProxyProtocol;

/// What a connection is to begin with.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Opening {
    /// A request.
    Request,
    /// The header, or a request.
    HeaderAllowed,
    /// The header.
    HeaderRequired,
}

/// What a new connection of this peer has to begin with; `None` where it has no business here.
pub(super) fn expected(shared: &crate::shared::Shared, template: &Templates) -> Option<Opening> {
    match (shared.operations().proxy_protocol, template.peer.is_trusted) {
        (ProxyProtocol::Off, _) | (ProxyProtocol::Allowed, false) => Some(Opening::Request),
        (ProxyProtocol::Allowed, true) => Some(Opening::HeaderAllowed),
        (ProxyProtocol::Required, true) => Some(Opening::HeaderRequired),
        (ProxyProtocol::Required, false) => None,
    }
}

/// Something has come.
pub(super) fn received(
    connection: &Arc<Connection>,
    py: Python<'_>,
    content: &[u8],
) -> PyResult<()> {
    match header(connection, py, content)? {
        Some(rest) if !rest.is_empty() => incoming::received(connection, py, &rest),
        _ => Ok(()),
    }
}

/// Reads the header; gives back what is behind it, once it is whole.
pub(super) fn header(
    connection: &Arc<Connection>,
    py: Python<'_>,
    content: &[u8],
) -> PyResult<Option<Vec<u8>>> {
    let (opening, mut all) = connection.with(py, |state| {
        state.held.extend_from_slice(content);
        (state.opening, std::mem::take(&mut state.held))
    })?;
    match proxy_header(&all) {
        Ok(ProxyHeader::NeedMore) => {
            connection.with(py, |state| state.held = all)?;
            return Ok(None);
        }
        Ok(ProxyHeader::Complete {
            consumed,
            addresses,
        }) => {
            all.drain(..consumed);
            if let Some(addresses) = addresses {
                connection.rename(py, addresses)?;
            }
        }
        Err(ProxyError::Absent) if opening == Opening::HeaderAllowed => {}
        Err(error) => {
            let text = format!("a trusted proxy's connection is ended: {error}");
            connection.shared.report(py, &text, None)?;
            connection.abort(py)?;
            return Ok(None);
        }
    }
    connection.with(py, |state| state.opening = Opening::Request)?;
    Ok(Some(all))
}

impl Connection {
    /// The ends of the connection are those that the proxy names.
    fn rename(&self, py: Python<'_>, addresses: Addresses) -> PyResult<()> {
        let Some(transport) = self.transport(py)? else {
            return Ok(());
        };
        let end = |address: std::net::SocketAddr| {
            (address.ip().to_string(), address.port()).into_bound_py_any(py)
        };
        let ends = Ends {
            client: end(addresses.source)?,
            server: end(addresses.destination)?,
            ..life::ends(py, &self.shared, &transport)?
        };
        let template = Templates::new(py, &self.shared, &ends)?;
        self.with(py, |state| state.template = Some(Arc::new(template)))
    }
}
