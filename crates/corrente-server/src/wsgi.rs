//! WSGI (PEP 3333): an application is called when its request is whole, in the loop's thread or in one of a pool.
//!
//! So `read()` of the body never blocks. In the loop's thread what the application yields goes out as fast as its client reads: where
//! that is slow, the next piece is asked for when there is room. Knows CGI's names, not HTTP's framing.

mod answer;
pub(crate) mod call;
mod environ;
mod input;
pub(crate) mod pool;
pub(crate) mod remote;
mod wrapper;

pub(crate) use environ::{Concurrency, Template};
