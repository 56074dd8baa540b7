//! Turns a panic of the calling thread into a value that names what happened and where.
//!
//! A panic must neither end the interpreter nor print Rust's multi-line message: the Python front
//! shows one line. Knows nothing of Python. Other threads keep the standard panic message, as
//! does everybody who asks for a backtrace with `RUST_BACKTRACE`.

use std::any::Any;
use std::cell::RefCell;
use std::fmt;
use std::panic::{AssertUnwindSafe, PanicHookInfo, catch_unwind, set_hook, take_hook};
use std::sync::Once;

/// A panic that was caught: its message and its place in the source.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Caught {
    message: String,
    place: Option<String>,
}

impl fmt::Display for Caught {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        // One line, whatever the message was.
        let message = self
            .message
            .split_whitespace()
            .collect::<Vec<_>>()
            .join(" ");
        match &self.place {
            Some(place) => write!(formatter, "{message} ({place})"),
            None => formatter.write_str(&message),
        }
    }
}

/// What this thread's hook does with a panic.
enum Watch {
    /// Not inside [`guarded`]: the hook that was there before prints it.
    Off,
    /// Inside [`guarded`]: the place is kept for it.
    On(Option<String>),
}

thread_local! {
    static WATCH: RefCell<Watch> = const { RefCell::new(Watch::Off) };
}

/// Runs `work` and returns its value, or what it panicked with.
pub(crate) fn guarded<T>(work: impl FnOnce() -> T) -> Result<T, Caught> {
    static INSTALL: Once = Once::new();
    INSTALL.call_once(install_hook);
    WATCH.set(Watch::On(None));
    // `work` owns what it was given, so nobody sees a value that a panic left half-changed.
    let outcome = catch_unwind(AssertUnwindSafe(work));
    let watched = WATCH.replace(Watch::Off);
    outcome.map_err(|payload| Caught {
        message: message_of(payload.as_ref()),
        place: if let Watch::On(place) = watched {
            place
        } else {
            None
        },
    })
}

/// Puts a hook before the present one: quiet for a guarded thread, transparent for all others.
fn install_hook() {
    let previous = take_hook();
    set_hook(Box::new(move |panic| {
        let backtrace = std::env::var_os("RUST_BACKTRACE").is_some_and(|value| value != "0");
        if !note(panic) || backtrace {
            previous(panic);
        }
    }));
}

/// Keeps the panic's place if this thread is guarded; says whether it is.
fn note(panic: &PanicHookInfo<'_>) -> bool {
    WATCH.with(|watch| match watch.try_borrow_mut().as_deref_mut() {
        Ok(Watch::On(place)) => {
            *place = panic
                .location()
                .map(|at| format!("{}:{}", at.file(), at.line()));
            true
        }
        Ok(Watch::Off) | Err(_) => false,
    })
}

fn message_of(payload: &(dyn Any + Send)) -> String {
    payload
        .downcast_ref::<String>()
        .cloned()
        .or_else(|| {
            payload
                .downcast_ref::<&str>()
                .map(|text| (*text).to_owned())
        })
        .unwrap_or_else(|| "a panic without a message".to_owned())
}
