//! HTTP/1.1 and HTTP/1.0, the server's side: requests in, responses out (RFC 9112).
//!
//! A [`Decoder`] belongs to a connection and is given what has arrived; the caller owns the buffer, and
//! drops what was consumed. It says where messages begin and end, never what they mean.

mod chunks;
mod decoder;
mod encoder;
mod fields;
mod head;
mod host;
mod meaning;
mod request_line;
mod response;
mod status;
mod target;
mod translated;
mod written;

pub use decoder::{Decoder, Event, Step};
pub use encoder::{After, Asked, Encoder, Framing, Length, ResponseError, ResponseHead};
pub(crate) use fields::elements;
pub use fields::{Fields, Header};
pub use head::{Body, Head, Version};
pub(crate) use host::is_host;
pub use response::{CONTINUE, refuse, switch};
pub(crate) use response::{Seen, sift, sift_trailers};
pub use status::reason;
pub use target::{Form, Scheme, Target};
pub use translated::{Foreign, Translated};
pub use written::Written;
