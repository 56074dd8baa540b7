//! The application server: HTTP connections on an asyncio loop, and the applications behind them.
//!
//! `connection` and `http2` turn bytes into requests and answers into bytes (with `corrente-http`), `talk` is a WebSocket on
//! either; `asgi` and `wsgi` give requests to applications, `calling` calls those, `folder` answers for static files,
//! `exchange` is the border in between; `server` is what Python makes. Parsing, the application's first step and the write happen on the loop's thread, in one
//! call where nothing has to be waited for.
//!
//! Must not know how sockets are bound or how workers are kept (`corrente-operations`). Key invariant: no borrow of a
//! connection's or a request's state is held while Python code runs.

#![forbid(unsafe_code)]

mod account;
mod application;
mod asgi;
mod calling;
mod connection;
mod date;
mod due;
mod exchange;
mod field;
mod file;
mod folder;
mod http2;
mod meter;
mod mount;
mod number;
mod operations;
mod packed;
mod peer;
mod percent;
mod prototypes;
mod root;
mod sampled;
mod secret;
mod server;
mod shared;
mod talk;
mod trace;
mod wire;
mod wsgi;

use pyo3::prelude::*;

pub use account::{AccessLog, Account, Log};
pub use sampled::{Choice, Sampled};

/// The names of the classes that [`register`] adds.
pub const CLASSES: [&str; 5] = [
    "AccessLog",
    "ClientDisconnectedError",
    "Folder",
    "HttpServer",
    "Operations",
];

/// Adds the server's classes to the extension module.
///
/// # Errors
///
/// The interpreter's.
pub fn register(module: &Bound<'_, PyModule>) -> PyResult<()> {
    let class = module
        .py()
        .get_type::<asgi::request::ClientDisconnectedError>();
    module.add("ClientDisconnectedError", class)?;
    asgi::answer::register(module.py());
    module.add_class::<AccessLog>()?;
    module.add_class::<folder::Folder>()?;
    module.add_class::<operations::Operations>()?;
    module.add_class::<server::HttpServer>()
}
