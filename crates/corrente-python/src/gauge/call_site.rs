//! The place in a program that makes a call, as a number.
//!
//! Two calls come from the same place if their stacks agree in every frame that is looked at: the
//! same code, the same instruction. So a loop around a helper is seen as a loop, whatever libraries
//! lie between it and the driver, and nothing has to be known of what is a library and what is not.

use std::hash::{DefaultHasher, Hash as _, Hasher as _};
use std::sync::atomic::{AtomicBool, Ordering::Relaxed};

use pyo3::intern;
use pyo3::prelude::*;
use pyo3::sync::PyOnceLock;
use pyo3::types::{PyFrame, PyFrameMethods as _};

/// Frames that are looked at, from the driver outwards: enough to leave an ORM and to reach the view,
/// and not dear (about 0.1 µs each).
const FRAMES: usize = 24;

/// The place of the call that is being made; 0 where it cannot be found.
pub(super) fn find(py: Python<'_>) -> u64 {
    static FAILED: AtomicBool = AtomicBool::new(false);
    if FAILED.load(Relaxed) {
        return 0;
    }
    stack(py).unwrap_or_else(|_| {
        // Without `sys._getframe` there is nothing to be found, now or later.
        FAILED.store(true, Relaxed);
        0
    })
}

fn stack(py: Python<'_>) -> PyResult<u64> {
    static GETFRAME: PyOnceLock<Py<PyAny>> = PyOnceLock::new();
    let getframe = GETFRAME.get_or_try_init(py, || -> PyResult<_> {
        Ok(py.import("sys")?.getattr("_getframe")?.unbind())
    })?;
    let mut frame = Some(getframe.bind(py).call0()?.cast_into::<PyFrame>()?);
    let mut hasher = DefaultHasher::new();
    for _ in 0..FRAMES {
        let Some(here) = frame else { break };
        here.code().as_ptr().addr().hash(&mut hasher);
        let instruction: i64 = here.getattr(intern!(py, "f_lasti"))?.extract()?;
        instruction.hash(&mut hasher);
        frame = here.outer();
    }
    // 0 means that there is none.
    Ok(hasher.finish().max(1))
}
