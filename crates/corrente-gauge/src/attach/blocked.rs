//! What a sleeping thread waits for, from `/proc/PID/task/TID/syscall`.
//!
//! The file holds the system call that a thread is blocked in with its arguments, or `running`
//! (proc(5)). That says more than the innermost Python frame where a driver is written in C. The
//! numbers are the kernel's for x86-64 and for arm64; elsewhere the state letter of `stat` has to
//! do. Pure, but for the architecture.

/// What a thread is doing, as the kernel sees it.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub(super) enum Kernel {
    /// On a processor, or ready for one.
    Running,
    /// Woken, and not on a processor yet.
    Ready,
    /// In a call that reads or writes this descriptor.
    Descriptor(u64),
    /// In `poll`, with the address of its list.
    Poll(u64),
    /// In `epoll_wait`: an event loop, or a server that waits for connections.
    Events,
    /// In `select`.
    Select,
    /// In a futex: a lock, the interpreter lock, a queue.
    Lock,
    /// In a sleep.
    Sleep,
    /// Waiting for a child process.
    Child,
    /// Asleep otherwise, or not to be told.
    Asleep,
}

/// System calls by number. Sources: the kernel's `syscall_64.tbl` and `unistd.h` (generic).
struct Numbers {
    descriptor: &'static [u64],
    poll: &'static [u64],
    events: &'static [u64],
    select: &'static [u64],
    lock: &'static [u64],
    sleep: &'static [u64],
    child: &'static [u64],
}

#[cfg(target_arch = "x86_64")]
const NUMBERS: Numbers = Numbers {
    // read write pread readv writev connect accept sendto recvfrom sendmsg recvmsg fsync fdatasync
    // accept4 recvmmsg
    descriptor: &[0, 1, 17, 19, 20, 42, 43, 44, 45, 46, 47, 74, 75, 288, 299],
    poll: &[7, 271],
    events: &[232, 281, 441],
    select: &[23, 270],
    lock: &[202, 449, 455],
    sleep: &[35, 230],
    child: &[61, 247],
};

#[cfg(target_arch = "aarch64")]
const NUMBERS: Numbers = Numbers {
    descriptor: &[
        63, 64, 65, 66, 67, 82, 83, 202, 203, 206, 207, 211, 212, 242, 243,
    ],
    poll: &[73],
    events: &[22, 441],
    select: &[72],
    lock: &[98, 449, 455],
    sleep: &[101, 115],
    child: &[95, 260],
};

#[cfg(not(any(target_arch = "x86_64", target_arch = "aarch64")))]
const NUMBERS: Numbers = Numbers {
    descriptor: &[],
    poll: &[],
    events: &[],
    select: &[],
    lock: &[],
    sleep: &[],
    child: &[],
};

/// Reads the file's text.
pub(super) fn kernel_state(syscall: &str) -> Kernel {
    let mut words = syscall.split_ascii_whitespace();
    let number = match words.next() {
        Some("running") => return Kernel::Running,
        Some(word) => word.parse::<u64>().ok(),
        None => None,
    };
    let Some(number) = number else {
        // −1 is a thread that sleeps outside of a system call: a page fault, a stop.
        return Kernel::Asleep;
    };
    let first = words.next().and_then(hexadecimal).unwrap_or(0);
    let is = |calls: &[u64]| calls.contains(&number);
    if is(NUMBERS.descriptor) {
        Kernel::Descriptor(first)
    } else if is(NUMBERS.poll) {
        Kernel::Poll(first)
    } else if is(NUMBERS.events) {
        Kernel::Events
    } else if is(NUMBERS.select) {
        Kernel::Select
    } else if is(NUMBERS.lock) {
        Kernel::Lock
    } else if is(NUMBERS.sleep) {
        Kernel::Sleep
    } else if is(NUMBERS.child) {
        Kernel::Child
    } else {
        Kernel::Asleep
    }
}

/// Third field of `stat`, where `syscall` cannot be read; the second is the name in brackets and
/// may hold anything.
pub(super) fn state_letter(stat: &str) -> Kernel {
    let letter = stat
        .rsplit_once(')')
        .and_then(|(_, after)| after.trim_start().chars().next());
    if letter == Some('R') {
        Kernel::Running
    } else {
        Kernel::Asleep
    }
}

fn hexadecimal(word: &str) -> Option<u64> {
    u64::from_str_radix(word.strip_prefix("0x")?, 16).ok()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    #[cfg(target_arch = "x86_64")]
    fn system_calls_are_told_apart() {
        let check = |text: &str, expected| assert_eq!(kernel_state(text), expected, "{text}");
        check("running\n", Kernel::Running);
        check(
            "0 0x3 0x7fd1 0x20000 0x0 0x0 0x0 0x7ffe 0x7fd1\n",
            Kernel::Descriptor(3),
        );
        check(
            "45 0x1f 0x0 0x0 0x0 0x0 0x0 0x0 0x0\n",
            Kernel::Descriptor(31),
        );
        check(
            "7 0x7ffd10 0x1 0xffffffff 0x0 0x0 0x0 0x0 0x0",
            Kernel::Poll(0x7f_fd10),
        );
        check("232 0x4 0x0 0x0 0x0 0x0 0x0 0x0 0x0", Kernel::Events);
        check("202 0x4 0x0 0x0 0x0 0x0 0x0 0x0 0x0", Kernel::Lock);
        check("230 0x1 0x0 0x0 0x0 0x0 0x0 0x0 0x0", Kernel::Sleep);
        check("-1 0x7ffe 0x7fd1", Kernel::Asleep);
        check("", Kernel::Asleep);
        check("nonsense", Kernel::Asleep);
    }

    #[test]
    fn a_state_letter_follows_the_name() {
        assert_eq!(state_letter("7 (a) R b) R 1 2"), Kernel::Running);
        assert_eq!(state_letter("7 (R) S 1 2"), Kernel::Asleep);
        assert_eq!(state_letter(""), Kernel::Asleep);
    }
}
