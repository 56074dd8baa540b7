//! Everything that can stop a load run before or while it happens, in one enum.
//!
//! A variant says who is at fault: the plan's author (`Url`, `Setting`), the machine
//! (`Descriptors`, `Pinning`, `System`), or this crate (`Bug`). What the *measured server* does
//! wrong is never a `LoadError`: it is counted in [`crate::Outcome::errors`].

use std::fmt::Display;
use std::io;

use thiserror::Error;

/// Why a load run could not be done.
#[derive(Debug, Error)]
#[non_exhaustive]
pub enum LoadError {
    /// The caller's fault: the URL is not one this crate can load.
    #[error("the URL {url:?} cannot be loaded: expected {expected}, found {found}; {remedy}")]
    Url {
        /// The URL as given.
        url: String,
        /// What would have been right.
        expected: &'static str,
        /// What was there.
        found: String,
        /// What to do.
        remedy: &'static str,
    },
    /// The caller's fault: one setting of the plan is out of its range.
    #[error("the load plan's {setting} must be {expected}, found {found}; change it in the plan")]
    Setting {
        /// The field of the plan.
        setting: &'static str,
        /// The accepted range, with its unit.
        expected: String,
        /// What was there.
        found: String,
    },
    /// The machine's fault: the process may not open enough sockets.
    #[error(
        "{needed} open descriptors are needed, but this process may have at most {allowed}; \
         raise the hard limit (ulimit -Hn, LimitNOFILE=) or use fewer connections"
    )]
    Descriptors {
        /// How many the run needs.
        needed: u64,
        /// The hard limit.
        allowed: u64,
    },
    /// The caller's or the machine's fault: a generator thread cannot run on the CPU asked for.
    #[error(
        "generator thread {thread} cannot run on CPU {cpu}: {source}; name only CPUs that this \
         process is allowed to use (taskset -p, the container's cpuset)"
    )]
    Pinning {
        /// Which generator thread.
        thread: usize,
        /// The CPU asked for.
        cpu: usize,
        /// What the kernel said.
        source: io::Error,
    },
    /// The machine's fault: a system call that should always work did not.
    #[error("the system refused to {action}: {source}; check the process's limits and sandbox")]
    System {
        /// What was attempted.
        action: &'static str,
        /// What the kernel said.
        source: io::Error,
    },
    /// This crate's fault: please report it.
    #[error("corrente-load broke its own rule: {rule}; please report this as a bug")]
    Bug {
        /// The rule that was broken.
        rule: String,
    },
}

impl LoadError {
    /// For `map_err`: wraps what the kernel said about `action`.
    pub(crate) fn system<E: Into<io::Error>>(action: &'static str) -> impl FnOnce(E) -> Self {
        move |source| Self::System {
            action,
            source: source.into(),
        }
    }

    pub(crate) fn setting(
        setting: &'static str,
        expected: impl Into<String>,
        found: impl Display,
    ) -> Self {
        Self::Setting {
            setting,
            expected: expected.into(),
            found: format!("{found}"),
        }
    }
}
