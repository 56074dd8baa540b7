//! What proxies in front of us say about the client: the PROXY protocol and forwarding headers.
//!
//! Everybody can say it, so it counts only from peers that are trusted; who they are is the caller's to
//! know. Pure functions of bytes, fields and addresses.

mod forwarded;
mod network;
mod protocol;

pub use forwarded::{Client, Forwarding, forwarding};
pub use network::{Network, NetworkError, Trusted};
pub use protocol::{Addresses, ProxyError, ProxyHeader, proxy_header};
