//! `corrente._native`: the extension module behind `import corrente`.
//!
//! It translates, and does nothing else: Python's arguments in, the command line's exit code out,
//! a panic into an exception; requests of a service into calls of the recorder. What state it holds
//! is locked or atomic, so it is safe without the GIL. This is the one crate that knows Python; all
//! `unsafe` code in it is what PyO3's macros expand to.

mod gauge;
mod guard;

use pyo3::prelude::*;

/// The parts of Corrente that are written in Rust.
#[pymodule(gil_used = false)]
mod _native {
    use std::ffi::OsString;

    use pyo3::exceptions::PyRuntimeError;
    use pyo3::prelude::*;

    #[pymodule_export]
    use crate::gauge::{Asgi, Recorder, Wsgi};
    use crate::guard::guarded;

    #[pymodule_init]
    fn init(module: &Bound<'_, PyModule>) -> PyResult<()> {
        module.add("__version__", env!("CARGO_PKG_VERSION"))?;
        corrente_loop::register(module)
    }

    /// Runs the command line and returns its exit code.
    ///
    /// `arguments` are those after the command's name; `program` is how to start the command again.
    /// A bug in Corrente (a Rust panic) is raised as `RuntimeError`.
    #[pyfunction]
    fn run(py: Python<'_>, arguments: Vec<OsString>, program: Vec<OsString>) -> PyResult<u8> {
        py.detach(|| guarded(|| corrente_cli::run(arguments, program)))
            .map_err(|panic| PyRuntimeError::new_err(panic.to_string()))
    }
}
