//! Who is at the other end of a connection, as far as it is known without a request.
//!
//! Worked out once for a connection.

use std::net::IpAddr;

use corrente_http::proxy::Trusted;
use pyo3::prelude::*;

use crate::asgi::scope::Ends;

/// The other end of a connection.
#[derive(Debug, Default)]
pub(crate) struct Peer {
    /// None on a Unix socket.
    pub(crate) address: Option<IpAddr>,
    /// The address as text; empty on a Unix socket.
    pub(crate) text: String,
    /// What it says about clients is believed.
    pub(crate) is_trusted: bool,
    /// `http`, or `https` where the connection is TLS.
    pub(crate) scheme: &'static str,
}

impl Peer {
    /// The client's end of a connection.
    pub(crate) fn new(ends: &Ends<'_>, trusted: &Trusted) -> PyResult<Self> {
        let text = if ends.client.is_none() {
            String::new()
        } else {
            ends.client.get_item(0)?.extract::<String>()?
        };
        // A zone, as in `fe80::1%eth0`, is no part of the address.
        let bare = text.split('%').next().unwrap_or_default();
        let address = bare.parse().ok();
        Ok(Self {
            address,
            is_trusted: trusted.trusts(address),
            scheme: if ends.scheme.to_str()? == "https" {
                "https"
            } else {
                "http"
            },
            text,
        })
    }
}
