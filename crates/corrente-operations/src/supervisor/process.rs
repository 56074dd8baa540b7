//! How processes end, and what they hold.
//!
//! Thin: what the kernel says, in our words.

use std::fmt;
use std::fs;
use std::io;

use rustix::process::WaitStatus;

/// How a worker's process ended.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Exit {
    /// With this code.
    Code(i32),
    /// By this signal.
    Signal(i32),
    /// It was never started; why.
    NotStarted(String),
}

impl Exit {
    pub(super) fn of(status: WaitStatus) -> Self {
        match (status.exit_status(), status.terminating_signal()) {
            (Some(code), _) => Self::Code(code),
            (None, signal) => Self::Signal(signal.unwrap_or(0)),
        }
    }

    pub(super) fn not_started(program: &str, error: &io::Error) -> Self {
        Self::NotStarted(format!("could not be started: `{program}`: {error}"))
    }
}

impl fmt::Display for Exit {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Code(code) => write!(formatter, "has ended with exit code {code}"),
            Self::Signal(signal) => {
                let name = signal_hook::low_level::signal_name(*signal).unwrap_or("unknown");
                let hint = match *signal {
                    9 => ": by hand, or by the kernel for want of memory",
                    _ => "",
                };
                write!(formatter, "was ended by signal {signal} ({name}{hint})")
            }
            Self::NotStarted(why) => formatter.write_str(why),
        }
    }
}

/// Bytes of memory that a process holds (RSS); `None` where it has ended.
pub(super) fn resident_bytes(process: u32) -> Option<u64> {
    let text = fs::read_to_string(format!("/proc/{process}/statm")).ok()?;
    let pages: u64 = text.split_whitespace().nth(1)?.parse().ok()?;
    Some(pages * rustix::param::page_size() as u64)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn this_process_holds_memory() {
        let bytes = resident_bytes(std::process::id()).expect("it runs");
        assert!(bytes > 100_000, "{bytes}");
        assert_eq!(resident_bytes(u32::MAX), None);
    }

    #[test]
    fn an_end_is_told_in_words() {
        assert_eq!(Exit::Code(3).to_string(), "has ended with exit code 3");
        assert_eq!(
            Exit::Signal(9).to_string(),
            "was ended by signal 9 (SIGKILL: by hand, or by the kernel for want of memory)"
        );
        assert_eq!(
            Exit::Signal(11).to_string(),
            "was ended by signal 11 (SIGSEGV)"
        );
    }
}
