//! ASGI 3: what an application is given and what it may send.
//!
//! Knows messages, not HTTP: what carries them is an `Exchange` or a `Line`.

pub(crate) mod answer;
pub(crate) mod channel;
pub(crate) mod headers;
mod message;
pub(crate) mod request;
pub(crate) mod scope;
pub(crate) mod socket;
pub(crate) mod task;
mod waiting;
