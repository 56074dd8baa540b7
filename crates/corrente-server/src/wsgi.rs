//! WSGI (PEP 3333): an application is called when its request is whole, on the loop's thread.
//!
//! So `read()` of the body never blocks, and what the application yields goes out as fast as its client reads: where
//! that is slow, the next piece is asked for when there is room. Knows CGI's names, not HTTP's framing.

pub(crate) mod call;
mod environ;

pub(crate) use environ::Template;
