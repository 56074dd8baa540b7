//! Why another process may not be read, in one line that says what to do.
//!
//! Reading another process's memory needs what attaching a debugger needs (ptrace(2), "Ptrace access
//! mode checking"): the same user or the capability `CAP_SYS_PTRACE`, and the consent of Yama where
//! the kernel has it. The facts are read from `/proc`; the sentence is made of them by a pure
//! function.

use std::fs;

use super::process;

/// Bit of `CAP_SYS_PTRACE` in a set of capabilities (linux/capability.h).
const CAP_SYS_PTRACE: u32 = 19;

/// What decides whether a process may be read.
#[derive(Debug, Clone, Copy, Default)]
struct Facts {
    /// The user that the process belongs to.
    owner: Option<u32>,
    /// The user that this program runs as.
    own: Option<u32>,
    /// Whether this program may trace any process.
    capable: bool,
    /// `kernel.yama.ptrace_scope`; nothing where the kernel has no Yama.
    scope: Option<u32>,
}

/// The reason why process `pid` may not be read.
pub(super) fn reason(pid: u32) -> String {
    explain(Facts {
        owner: process::owner(pid),
        own: process::owner(std::process::id()),
        capable: is_capable(&fs::read_to_string("/proc/self/status").unwrap_or_default()),
        scope: fs::read_to_string("/proc/sys/kernel/yama/ptrace_scope")
            .ok()
            .and_then(|text| text.trim().parse().ok()),
    })
}

fn is_capable(status: &str) -> bool {
    let set = status.lines().find_map(|line| line.strip_prefix("CapEff:"));
    let set = set.and_then(|set| u64::from_str_radix(set.trim(), 16).ok());
    set.is_some_and(|set| set >> CAP_SYS_PTRACE & 1 == 1)
}

fn explain(facts: Facts) -> String {
    if facts.scope == Some(3) {
        return "this system allows no process to be read (kernel.yama.ptrace_scope is 3, until the next boot); use `corrente gauge run`".to_owned();
    }
    if facts.capable {
        return "the kernel refused although this program has CAP_SYS_PTRACE; a container or a security module forbids it, so run this inside the container or use `corrente gauge run`".to_owned();
    }
    match (facts.owner, facts.own) {
        (Some(owner), Some(own)) if owner != own => format!(
            "it belongs to user {owner} and this program runs as user {own}; run it as that user or as root"
        ),
        _ if facts.scope.is_some_and(|scope| scope > 0) => format!(
            "this system lets a program read its own children only (kernel.yama.ptrace_scope is {}); run this as root or with CAP_SYS_PTRACE",
            facts.scope.unwrap_or_default()
        ),
        _ => "the kernel refused; run this as root or with CAP_SYS_PTRACE (in a container: add the capability SYS_PTRACE)".to_owned(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn check(facts: Facts, expected: &str) {
        let line = explain(facts);
        assert!(line.contains(expected), "{line}");
        assert!(!line.contains('\n'));
    }

    #[test]
    fn each_reason_has_its_own_way_out() {
        let same = Facts {
            owner: Some(7),
            own: Some(7),
            ..Facts::default()
        };
        check(
            Facts {
                owner: Some(33),
                ..same
            },
            "belongs to user 33 and this program runs as user 7",
        );
        check(
            Facts {
                scope: Some(1),
                ..same
            },
            "ptrace_scope is 1",
        );
        check(
            Facts {
                scope: Some(3),
                capable: true,
                ..same
            },
            "ptrace_scope is 3",
        );
        check(
            Facts {
                capable: true,
                ..same
            },
            "although this program has CAP_SYS_PTRACE",
        );
        check(same, "the kernel refused; run this as root");
    }

    #[test]
    fn capabilities_are_bits() {
        assert!(is_capable("Name:\tx\nCapEff:\t000001ffffffffff\n"));
        assert!(is_capable("CapEff:\t0000000000080000\n"));
        assert!(!is_capable("CapEff:\t0000000000000000\n"));
        assert!(!is_capable(""));
    }
}
