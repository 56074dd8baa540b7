//! What comes before the first request: the PROXY protocol's header, which names the client.
//!
//! The rules of who may send it are `operations`', its syntax is `corrente-http`'s.

use std::sync::Arc;

use corrente_http::proxy::{Addresses, ProxyError, ProxyHeader, proxy_header};
use pyo3::IntoPyObjectExt as _;
use pyo3::prelude::*;

use super::{Connection, incoming, life};
use crate::application::Template;
use crate::asgi::scope::Ends;
use crate::operations::ProxyProtocol;

/// What a connection is to begin with.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Preface {
    /// A request.
    None,
    /// The header, or a request.
    Allowed,
    /// The header.
    Required,
}

/// What a new connection of this peer has to begin with; `None` where it has no business here.
pub(super) fn expected(shared: &crate::shared::Shared, template: &Template) -> Option<Preface> {
    match (shared.operations().proxy_protocol, template.peer.is_trusted) {
        (ProxyProtocol::Off, _) | (ProxyProtocol::Allowed, false) => Some(Preface::None),
        (ProxyProtocol::Allowed, true) => Some(Preface::Allowed),
        (ProxyProtocol::Required, true) => Some(Preface::Required),
        (ProxyProtocol::Required, false) => None,
    }
}

/// Something has come.
pub(super) fn received(
    connection: &Arc<Connection>,
    py: Python<'_>,
    content: &[u8],
) -> PyResult<()> {
    let (preface, read) = connection.with(py, |state| {
        state.held.extend_from_slice(content);
        let read = proxy_header(&state.held);
        if let Ok(ProxyHeader::Complete { consumed, .. }) = read {
            state.held.drain(..consumed);
        }
        (state.preface, read)
    })?;
    match read {
        Ok(ProxyHeader::NeedMore) => return Ok(()),
        Ok(ProxyHeader::Complete { addresses, .. }) => {
            if let Some(addresses) = addresses {
                connection.rename(py, addresses)?;
            }
        }
        Err(ProxyError::Absent) if preface == Preface::Allowed => {}
        Err(error) => {
            let text = format!("a trusted proxy's connection is ended: {error}");
            connection.shared.report(py, &text, None)?;
            return connection.abort(py);
        }
    }
    let is_more = connection.with(py, |state| {
        state.preface = Preface::None;
        !state.held.is_empty()
    })?;
    if is_more {
        return incoming::resume(connection, py);
    }
    Ok(())
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
            ..life::ends(py, &transport)?
        };
        let template = Template::new(py, &self.shared, &ends)?;
        self.with(py, |state| state.template = Some(Arc::new(template)))
    }
}
