//! What the kernel says of one thread of this process: its clocks, and the system call that it is in.
//!
//! Asked from another thread, without stopping it. What the kernel does not tell (an old one, a sandbox) is
//! nothing: zero times, no call.

use std::fs::File;
use std::os::unix::fs::FileExt;
use std::time::Duration;

use nix::libc::{self, c_long};
use nix::sys::signal::{SigSet, SigmaskHow};
use nix::time::{ClockId, clock_gettime};
use rustix::time::ClockId as OwnClock;

/// Does `work` while this thread takes no signals. A thread that it starts takes none ever: a signal for the process
/// then waits for a thread that can do something with it.
pub(crate) fn without_signals<R>(work: impl FnOnce() -> R) -> R {
    let before = SigSet::all().thread_swap_mask(SigmaskHow::SIG_BLOCK);
    let result = work();
    // Neither fails: the arguments are right.
    before.and_then(|before| before.thread_set_mask()).ok();
    result
}

/// The kernel's number of the calling thread.
pub fn own_number() -> u32 {
    rustix::thread::gettid()
        .as_raw_nonzero()
        .get()
        .unsigned_abs()
}

/// Processor time of the calling thread.
pub fn own_processor_time() -> Duration {
    let time = rustix::time::clock_gettime(OwnClock::ThreadCPUTime);
    Duration::new(time.tv_sec.unsigned_abs(), time.tv_nsec as u32)
}

/// Processor time of a thread of this process.
pub fn processor_time(thread: u32) -> Duration {
    // What `pthread_getcpuclockid(3)` computes: CPUCLOCK_PERTHREAD_MASK | CPUCLOCK_SCHED (Linux,
    // include/linux/posix-timers.h).
    let clock = ClockId::from_raw((!thread.cast_signed() << 3) | 6);
    clock_gettime(clock).map_or(Duration::ZERO, Duration::from)
}

/// How long a thread of this process was ready to run, and another one had the processor.
#[derive(Debug)]
pub struct QueueClock(Option<File>);

impl QueueClock {
    /// Of a thread. The file stays open: to read it again costs a microsecond.
    pub fn of(thread: u32) -> Self {
        Self(File::open(format!("/proc/self/task/{thread}/schedstat")).ok())
    }

    /// The time until now.
    pub fn time(&self) -> Duration {
        let mut bytes = [0; SCHEDSTAT];
        let file = self.0.as_ref();
        let length = file.and_then(|file| file.read_at(&mut bytes, 0).ok());
        let text = std::str::from_utf8(&bytes[..length.unwrap_or(0)]);
        let queued = text.ok().and_then(queued_in);
        Duration::from_nanos(queued.unwrap_or(0))
    }
}

/// Bytes of the file at most: three numbers of 64 bits.
const SCHEDSTAT: usize = 72;

/// The second number (kernel documentation, sched-stats).
fn queued_in(schedstat: &str) -> Option<u64> {
    schedstat.split_ascii_whitespace().nth(1)?.parse().ok()
}

/// A system call that a thread waits in.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct SystemCall {
    /// Its number.
    pub number: u32,
    /// Its first argument: mostly a descriptor.
    pub first: u64,
    /// Where the thread's stack ends.
    pub stack: u64,
}

/// What the kernel says of the system calls of a thread.
#[derive(Debug)]
pub struct CallReader(Option<File>);

impl CallReader {
    /// Of a thread of this process. The file stays open: to find it again costs more than to read it.
    pub fn of(thread: u32) -> Self {
        Self(File::open(format!("/proc/self/task/{thread}/syscall")).ok())
    }

    /// The system call that the thread waits in; `None` while it runs.
    pub fn now(&self) -> Option<SystemCall> {
        let mut bytes = [0; SYSCALL];
        let length = self.0.as_ref()?.read_at(&mut bytes, 0).ok()?;
        call_in(std::str::from_utf8(&bytes[..length]).ok()?)
    }
}

/// Bytes of the file at most: a number and eight words of 64 bits with their prefixes.
const SYSCALL: usize = 192;

/// Number, six arguments, stack pointer, program counter (proc(5)); `running`, or -1 outside of a call.
fn call_in(text: &str) -> Option<SystemCall> {
    let words: Vec<&str> = text.split_ascii_whitespace().collect();
    let hexadecimal = |at: usize| {
        let digits = words.get(at)?.strip_prefix("0x")?;
        u64::from_str_radix(digits, 16).ok()
    };
    Some(SystemCall {
        number: words.first()?.parse().ok()?,
        first: hexadecimal(1)?,
        stack: hexadecimal(7)?,
    })
}

/// Calls that programs block in.
const NAMES: &[(c_long, &str)] = &[
    (libc::SYS_accept4, "accept4"),
    (libc::SYS_clock_nanosleep, "clock_nanosleep"),
    (libc::SYS_connect, "connect"),
    (libc::SYS_epoll_pwait, "epoll_pwait"),
    (libc::SYS_fdatasync, "fdatasync"),
    (libc::SYS_flock, "flock"),
    (libc::SYS_fsync, "fsync"),
    (libc::SYS_futex, "futex"),
    (libc::SYS_getdents64, "getdents64"),
    (libc::SYS_nanosleep, "nanosleep"),
    (libc::SYS_openat, "openat"),
    (libc::SYS_ppoll, "ppoll"),
    (libc::SYS_pread64, "pread64"),
    (libc::SYS_pselect6, "pselect6"),
    (libc::SYS_pwrite64, "pwrite64"),
    (libc::SYS_read, "read"),
    (libc::SYS_readv, "readv"),
    (libc::SYS_recvfrom, "recvfrom"),
    (libc::SYS_recvmsg, "recvmsg"),
    (libc::SYS_sendmsg, "sendmsg"),
    (libc::SYS_sendto, "sendto"),
    (libc::SYS_statx, "statx"),
    (libc::SYS_wait4, "wait4"),
    (libc::SYS_waitid, "waitid"),
    (libc::SYS_write, "write"),
    (libc::SYS_writev, "writev"),
    #[cfg(target_arch = "x86_64")]
    (libc::SYS_poll, "poll"),
    #[cfg(target_arch = "x86_64")]
    (libc::SYS_select, "select"),
    #[cfg(target_arch = "x86_64")]
    (libc::SYS_epoll_wait, "epoll_wait"),
    #[cfg(target_arch = "x86_64")]
    (libc::SYS_open, "open"),
];

impl SystemCall {
    /// Its name; `system call N` for one that programs seldom block in.
    pub fn name(&self) -> String {
        let known = NAMES
            .iter()
            .find(|(number, _)| *number == c_long::from(self.number));
        known.map_or_else(
            || format!("system call {}", self.number),
            |(_, name)| (*name).to_owned(),
        )
    }
}

#[cfg(test)]
mod tests {
    use std::io::{Read, Write};
    use std::os::fd::AsRawFd;
    use std::os::unix::net::UnixStream;
    use std::sync::mpsc::channel;

    use super::*;

    #[test]
    fn a_thread_that_computes_has_used_its_processor() {
        let own = own_number();
        let before = processor_time(own);
        while processor_time(own) < before + Duration::from_millis(2) {}
        assert!(own_processor_time() >= before + Duration::from_millis(2));
        assert_eq!(processor_time(u32::MAX / 16), Duration::ZERO);
    }

    #[test]
    fn a_thread_that_reads_is_seen_in_its_call() {
        let (mut near, mut far) = UnixStream::pair().expect("a pair");
        let descriptor = far.as_raw_fd();
        let (tell, told) = channel();
        let reader = std::thread::spawn(move || {
            tell.send(own_number()).expect("it is heard");
            far.read_exact(&mut [0]).expect("it reads");
        });
        let thread = told.recv().expect("it is told");
        let reader_of_calls = CallReader::of(thread);
        let call = loop {
            let call = reader_of_calls.now();
            if let Some(call) = call.filter(|call| call.first == descriptor as u64) {
                break call;
            }
            std::thread::yield_now();
        };
        assert!(["read", "recvfrom"].contains(&&*call.name()), "{call:?}");
        near.write_all(b"x").expect("it writes");
        reader.join().expect("it ends");
    }

    #[test]
    fn what_runs_is_in_no_call() {
        assert_eq!(call_in("running\n"), None);
        assert_eq!(call_in("-1 0x7ffe 0x7f00\n"), None);
        let waiting = "7 0x10 0x1 0x2 0x3 0x4 0x5 0x7ffe10 0x7f0020\n";
        let expected = SystemCall {
            number: 7,
            first: 0x10,
            stack: 0x7f_fe10,
        };
        assert_eq!(call_in(waiting), Some(expected));
        assert_eq!(queued_in("12 34 5\n"), Some(34));
    }
}
