//! `corrente._native`: the extension module behind `import corrente`.
//!
//! It translates, and does nothing else: Python's arguments in, the command line's exit code out,
//! a panic into an exception; requests of a service into calls of the recorder. What state it holds
//! is locked or atomic, so it is safe without the GIL. This is the one crate that knows Python; all
//! `unsafe` code in it is what PyO3's macros expand to.

mod access;
mod bound_sockets;
mod gauge;
mod guard;

mod worker;

use std::sync::{Mutex, PoisonError};

use pyo3::exceptions::PyAttributeError;
use pyo3::prelude::*;
use pyo3::sync::MutexExt as _;

/// The classes of the event loop and of the server, made when they are first asked for: the loop's extend
/// asyncio's, which the command and a recorded service may do without.
#[pyfunction]
#[pyo3(pass_module)]
fn class_of_the_loop<'py>(
    module: &Bound<'py, PyModule>,
    name: &str,
) -> PyResult<Bound<'py, PyAny>> {
    // One thread at a time: classes that are made twice would not know each other's objects.
    static MAKING: Mutex<()> = Mutex::new(());
    // What a panic has left is seen by the look that follows.
    let _turn = MAKING
        .lock_py_attached(module.py())
        .unwrap_or_else(PoisonError::into_inner);
    if let Some(made) = module.dict().get_item(name)? {
        return Ok(made);
    }
    if corrente_server::CLASSES.contains(&name) {
        corrente_server::register(module)?;
        return module.getattr(name);
    }
    if !corrente_loop::CLASSES.contains(&name) {
        let text = format!("module 'corrente._native' has no attribute '{name}'");
        return Err(PyAttributeError::new_err(text));
    }
    corrente_loop::register(module)?;
    module.getattr(name)
}

/// The parts of Corrente that are written in Rust.
#[pymodule(gil_used = false)]
mod _native {
    use std::ffi::OsString;

    use pyo3::exceptions::PyRuntimeError;
    use pyo3::prelude::*;

    #[pymodule_export]
    use crate::access::open_access_log;
    #[pymodule_export]
    use crate::bound_sockets::BoundSockets;
    use crate::class_of_the_loop;
    #[pymodule_export]
    use crate::gauge::{Asgi, Recorder, Wsgi};
    use crate::guard::guarded;
    #[pymodule_export]
    use crate::worker::Worker;

    #[pymodule_init]
    fn init(module: &Bound<'_, PyModule>) -> PyResult<()> {
        // Not by `add`: that would name it in `__all__`.
        let lookup = wrap_pyfunction!(class_of_the_loop, module)?;
        module.dict().set_item("__getattr__", lookup)?;
        module.add("__version__", env!("CARGO_PKG_VERSION"))
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
