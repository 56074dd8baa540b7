//! What the system says about the process: its processors, its memory, its host.
//!
//! Reads /proc and /sys. What cannot be read is absent: a container may hide any of it.

use std::fs;
use std::path::Path;

use corrente_record::Memory;

/// Processors that the process may use: those it is bound to, or fewer where a quota says so.
pub(crate) fn cores() -> Option<f64> {
    let bound = rustix::thread::sched_getaffinity(None).ok()?.count();
    let bound = f64::from(bound);
    Some(quota().map_or(bound, |quota| quota.min(bound)))
}

/// The least quota (cgroup v2, `cpu.max`) on the way from the process's group to the root.
fn quota() -> Option<f64> {
    let groups = fs::read_to_string("/proc/self/cgroup").ok()?;
    let group = groups.lines().find_map(|line| line.strip_prefix("0::"))?;
    let root = Path::new("/sys/fs/cgroup");
    let folder = root.join(group.trim_start_matches('/'));
    folder
        .ancestors()
        .take_while(|folder| folder.starts_with(root))
        .filter_map(|folder| parse_quota(&fs::read_to_string(folder.join("cpu.max")).ok()?))
        .reduce(f64::min)
}

/// Microseconds of CPU time a period, and the period; or `max` for no limit.
fn parse_quota(text: &str) -> Option<f64> {
    let mut words = text.split_ascii_whitespace();
    let quota: f64 = words.next()?.parse().ok()?;
    let period: f64 = words.next()?.parse().ok()?;
    let cores = quota / period;
    (cores.is_finite() && cores > 0.0).then_some(cores)
}

/// Name of the host.
pub(crate) fn host() -> String {
    rustix::system::uname()
        .nodename()
        .to_string_lossy()
        .into_owned()
}

/// Memory of the process. The kernel walks its pages for PSS, so this is not for every second.
pub(crate) fn memory() -> Memory {
    let Ok(rollup) = fs::read_to_string("/proc/self/smaps_rollup") else {
        return Memory::default();
    };
    Memory {
        pss_bytes: kilobytes(&rollup, "Pss:"),
        rss_bytes: kilobytes(&rollup, "Rss:"),
    }
}

fn kilobytes(text: &str, field: &str) -> Option<u64> {
    let line = text.lines().find_map(|line| line.strip_prefix(field))?;
    let number: u64 = line.split_ascii_whitespace().next()?.parse().ok()?;
    Some(number * 1024)
}

/// The kernel's name for a thread of this process.
pub(crate) fn thread_name(thread: i32) -> String {
    fs::read_to_string(format!("/proc/self/task/{thread}/comm"))
        .map(|name| name.trim().to_owned())
        .unwrap_or_default()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_quota_is_read_as_the_kernel_writes_it() {
        assert_eq!(parse_quota("150000 100000\n"), Some(1.5));
        assert_eq!(parse_quota("max 100000\n"), None);
        assert_eq!(parse_quota(""), None);
    }

    #[test]
    fn memory_is_read_as_the_kernel_writes_it() {
        let text = "00400000-7fff ---p 00000000 00:00 0 [rollup]\nRss:    1024 kB\nPss:  512 kB\n";
        assert_eq!(kilobytes(text, "Pss:"), Some(512 * 1024));
        assert_eq!(kilobytes(text, "Rss:"), Some(1024 * 1024));
        assert_eq!(kilobytes(text, "Swap:"), None);
    }

    #[test]
    fn there_is_at_least_a_part_of_a_processor() {
        assert!(cores().is_some_and(|cores| cores > 0.0));
    }
}
