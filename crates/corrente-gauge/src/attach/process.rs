//! What the kernel says of a process and its threads without stopping them: `/proc`.
//!
//! Times on a processor and on a run queue are exact and come from here; samples only share them
//! out. A process that has ended reads as nothing.

use std::collections::BTreeMap;
use std::fs::{self, File};
use std::os::unix::fs::{FileExt, MetadataExt};
use std::time::Duration;

use super::blocked::{Kernel, kernel_state, state_letter};

/// Times of one thread since it began, nanoseconds.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub(super) struct ThreadTimes {
    pub(super) cpu: u64,
    pub(super) run_queue: u64,
}

impl ThreadTimes {
    pub(super) fn add(&mut self, other: Self) {
        self.cpu += other.cpu;
        self.run_queue += other.run_queue;
    }

    pub(super) fn since(self, earlier: Self) -> Self {
        Self {
            cpu: self.cpu.saturating_sub(earlier.cpu),
            run_queue: self.run_queue.saturating_sub(earlier.run_queue),
        }
    }
}

/// Times of all threads of a process, by thread id.
pub(super) fn thread_times(pid: u32) -> BTreeMap<u32, ThreadTimes> {
    numbers_in(&format!("/proc/{pid}/task"))
        .into_iter()
        .filter_map(|thread| {
            let text = fs::read_to_string(format!("/proc/{pid}/task/{thread}/schedstat")).ok()?;
            Some((thread, times_in(&text)))
        })
        .collect()
}

/// The file with a thread's times.
pub(super) fn schedstat(pid: u32, thread: u32) -> std::io::Result<File> {
    File::open(format!("/proc/{pid}/task/{thread}/schedstat"))
}

/// On a processor, then on a run queue (kernel documentation, sched-stats).
pub(super) fn times_in(schedstat: &str) -> ThreadTimes {
    let mut numbers = schedstat
        .split_ascii_whitespace()
        .map(|word| word.parse().unwrap_or(0));
    ThreadTimes {
        cpu: numbers.next().unwrap_or(0),
        run_queue: numbers.next().unwrap_or(0),
    }
}

/// Times of `stat` are in ticks of a hundredth of a second (proc(5); `USER_HZ` is 100 on every
/// architecture that has wheels).
const NS_PER_TICK: u64 = 10_000_000;

/// CPU time of all threads of a process, those that have ended too, nanoseconds.
pub(super) fn cpu_ns(pid: u32) -> Option<u64> {
    cpu_in(&fs::read_to_string(format!("/proc/{pid}/stat")).ok()?)
}

/// Fields 14 and 15 of `stat`, in user and in system mode.
fn cpu_in(stat: &str) -> Option<u64> {
    let (_, after_name) = stat.rsplit_once(')')?;
    let mut fields = after_name.split_ascii_whitespace().skip(11);
    let user: u64 = fields.next()?.parse().ok()?;
    let system: u64 = fields.next()?.parse().ok()?;
    Some((user + system) * NS_PER_TICK)
}

/// Lets this program have as many files open as it may: one is kept for each thread that is watched,
/// and the usual soft limit is 1024.
pub(super) fn raise_file_limit() {
    let mut limit = rustix::process::getrlimit(rustix::process::Resource::Nofile);
    limit.current = limit.maximum;
    // With fewer files some threads are asked for more often, and all else is the same.
    rustix::process::setrlimit(rustix::process::Resource::Nofile, limit).ok();
}

/// CPU time of the calling thread.
pub(super) fn own_cpu() -> Duration {
    let time = rustix::time::clock_gettime(rustix::time::ClockId::ThreadCPUTime);
    Duration::new(
        u64::try_from(time.tv_sec).unwrap_or(0),
        u32::try_from(time.tv_nsec).unwrap_or(0),
    )
}

/// What a thread is doing now.
pub(super) fn kernel(pid: u32, thread: u32) -> Option<Kernel> {
    let folder = format!("/proc/{pid}/task/{thread}");
    if let Ok(text) = fs::read_to_string(format!("{folder}/syscall")) {
        return Some(kernel_state(&text));
    }
    let stat = fs::read_to_string(format!("{folder}/stat")).ok()?;
    Some(state_letter(&stat))
}

/// The first descriptor of a list for `poll` in the memory of another process.
pub(super) fn first_polled(memory: &File, address: u64) -> Option<u64> {
    let mut descriptor = [0; 4];
    memory.read_exact_at(&mut descriptor, address).ok()?;
    u64::try_from(i32::from_ne_bytes(descriptor)).ok()
}

/// The memory of a process; an error says whether it may be read at all.
pub(super) fn memory(pid: u32) -> std::io::Result<File> {
    File::open(format!("/proc/{pid}/mem"))
}

/// `root` and every descendant.
pub(super) fn tree(root: u32) -> Vec<u32> {
    let parents: Vec<(u32, u32)> = numbers_in("/proc")
        .into_iter()
        .filter_map(|process| {
            let stat = fs::read_to_string(format!("/proc/{process}/stat")).ok()?;
            Some((process, parent_in(&stat)?))
        })
        .collect();
    let mut found = vec![root];
    let mut next = 0;
    while next < found.len() {
        let parent = found[next];
        let children = parents.iter().filter(|(_, above)| *above == parent);
        found.extend(children.map(|(process, _)| *process));
        next += 1;
    }
    found
}

/// Fourth field of `stat`.
fn parent_in(stat: &str) -> Option<u32> {
    let (_, after_name) = stat.rsplit_once(')')?;
    after_name.split_ascii_whitespace().nth(1)?.parse().ok()
}

/// Whether the process is there and has not ended (a zombie has).
pub(super) fn lives(pid: u32) -> bool {
    fs::read_to_string(format!("/proc/{pid}/stat")).is_ok_and(|stat| {
        let state = stat.rsplit_once(')').map(|(_, after)| after.trim_start());
        state.is_some_and(|state| !state.starts_with(['Z', 'X']))
    })
}

/// Whether the process counts processes and threads differently (`pid_namespaces(7)`).
pub(super) fn in_other_namespace(pid: u32) -> bool {
    let namespace = |process: &str| fs::read_link(format!("/proc/{process}/ns/pid")).ok();
    let (own, other) = (namespace("self"), namespace(&pid.to_string()));
    own.is_some() && other.is_some() && own != other
}

/// The name of the program, as the kernel has it.
pub(super) fn program(pid: u32) -> String {
    let name = fs::read_to_string(format!("/proc/{pid}/comm")).unwrap_or_default();
    name.trim_end().to_owned()
}

/// The user that a process belongs to.
pub(super) fn owner(pid: u32) -> Option<u32> {
    Some(fs::metadata(format!("/proc/{pid}")).ok()?.uid())
}

/// The name of a thread, as the kernel has it.
pub(super) fn thread_name(pid: u32, thread: u32) -> String {
    let name = fs::read_to_string(format!("/proc/{pid}/task/{thread}/comm")).unwrap_or_default();
    name.trim_end().to_owned()
}

/// Proportional and resident set size, bytes.
pub(super) fn memory_bytes(pid: u32) -> (Option<u64>, Option<u64>) {
    let text = fs::read_to_string(format!("/proc/{pid}/smaps_rollup")).unwrap_or_default();
    let field = |name: &str| {
        let line = text.lines().find_map(|line| line.strip_prefix(name))?;
        let kibibytes: u64 = line.split_ascii_whitespace().next()?.parse().ok()?;
        Some(kibibytes * 1024)
    };
    (field("Pss:"), field("Rss:"))
}

/// Processors that a process is bound to.
pub(super) fn processors(pid: u32) -> Option<f64> {
    let status = fs::read_to_string(format!("/proc/{pid}/status")).ok()?;
    let list = status
        .lines()
        .find_map(|line| line.strip_prefix("Cpus_allowed_list:"))?;
    let count: u32 = list.trim().split(',').filter_map(range_length).sum();
    (count > 0).then(|| f64::from(count))
}

/// `0-3` has four, `5` has one.
fn range_length(range: &str) -> Option<u32> {
    let (first, last) = range.split_once('-').unwrap_or((range, range));
    let (first, last): (u32, u32) = (first.parse().ok()?, last.parse().ok()?);
    Some(last.saturating_sub(first) + 1)
}

/// Drivers written in C that a process has loaded; their calls have no Python frame.
pub(super) fn native_drivers(pid: u32) -> Vec<&'static str> {
    const MODULES: &[(&str, &str)] = &[
        ("/_psycopg.", "psycopg2"),
        ("/MySQLdb/_mysql.", "mysqlclient"),
        ("/_sqlite3.", "sqlite3"),
        ("/oracledb/", "oracledb"),
        ("/pymssql/", "pymssql"),
        ("/pyodbc.", "pyodbc"),
    ];
    let maps = fs::read_to_string(format!("/proc/{pid}/maps")).unwrap_or_default();
    MODULES
        .iter()
        .filter(|(file, _)| maps.contains(file))
        .map(|(_, name)| *name)
        .collect()
}

/// The name of this host.
pub(super) fn host() -> String {
    let name = fs::read_to_string("/proc/sys/kernel/hostname").unwrap_or_default();
    name.trim_end().to_owned()
}

fn numbers_in(directory: &str) -> Vec<u32> {
    let Ok(entries) = fs::read_dir(directory) else {
        return Vec::new();
    };
    entries
        .filter_map(Result::ok)
        .filter_map(|entry| entry.file_name().to_string_lossy().parse().ok())
        .collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn own_figures_are_there() {
        let own = std::process::id();
        assert!(lives(own));
        assert!(thread_times(own).values().any(|times| times.cpu > 0));
        assert!(memory_bytes(own).0.is_some_and(|bytes| bytes > 100_000));
        assert!(processors(own).is_some_and(|count| count >= 1.0));
        assert!(tree(own).contains(&own));
        assert!(owner(own).is_some());
        assert!(!in_other_namespace(own));
        assert!(kernel(own, own).is_some());
    }

    #[test]
    fn what_has_ended_is_nothing() {
        let mut child = std::process::Command::new("true").spawn().expect("starts");
        child.wait().expect("ends");
        assert!(!lives(child.id()));
        assert!(thread_times(child.id()).is_empty());
        assert_eq!(memory_bytes(child.id()), (None, None));
    }

    #[test]
    fn fields_are_read_as_the_kernel_writes_them() {
        let times = ThreadTimes {
            cpu: 74_171,
            run_queue: 18_788,
        };
        assert_eq!(times_in("74171 18788 2\n"), times);
        assert_eq!(times_in(""), ThreadTimes::default());
        assert_eq!(parent_in("12 (a) b) S 7 12 12 0"), Some(7));
        let stat = "12 (a) b) S 7 12 12 0 -1 4194304 100 0 0 0 25 5 0 0 20 0 1 0 1";
        assert_eq!(cpu_in(stat), Some(300_000_000));
        assert_eq!(cpu_in("12 (a) S 7"), None);
        assert_eq!(range_length("0-3"), Some(4));
        assert_eq!(range_length("5"), Some(1));
    }
}
