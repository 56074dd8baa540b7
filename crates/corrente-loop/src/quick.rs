//! Calls between Python and Rust that cost as little as the interpreter's own, for whoever has a class on the path of requests.
//!
//! PyO3 is the usual way. What is here is for what every request does, some of it twice: see each for what it spares.
//! It is safe to use; what holds it is in docs/SAFETY.md.

pub use crate::ffi::construct::construct;
pub use crate::ffi::iterator::iterate_by;
pub use crate::ffi::method::{Arguments, Method};
pub use crate::ffi::sole::has_only;
