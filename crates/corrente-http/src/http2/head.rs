//! The head of a request, as the rest of the server knows heads.

use h2::ext::Protocol;
use http::Request;

use crate::h1::{Foreign, Translated};
use crate::{Limits, Rejection};

/// The head of a request that h2 has read, held to the rules for heads of HTTP/1.1.
pub fn translated(
    request: &Request<()>,
    is_ended: bool,
    limits: &Limits,
) -> Result<Translated, Rejection> {
    let uri = request.uri();
    let protocol = request.extensions().get::<Protocol>();
    let target = uri.path_and_query().map_or("", |target| target.as_str());
    let authority = uri.authority().map(http::uri::Authority::as_str);
    let foreign = Foreign {
        method: request.method().as_str().as_bytes(),
        target: target.as_bytes(),
        authority: authority.map(str::as_bytes),
        protocol: protocol.map(|protocol| protocol.as_str().as_bytes()),
        is_ended,
    };
    let fields = request.headers().iter();
    let fields = fields.map(|(name, value)| (name.as_str().as_bytes(), value.as_bytes()));
    Translated::of(foreign, fields, limits)
}
