//! What the kernel knows of a process from outside: its processor time and its memory.
//!
//! Time is in nanoseconds and covers every thread; it is exact while the threads sleep, and behind
//! by a tick of the kernel's at most while one runs. Read-only, through `/proc`.

use std::fs;
use std::path::Path;

/// A process and all that descend from it.
pub(super) fn tree(root: u32) -> Vec<u32> {
    let Ok(entries) = fs::read_dir("/proc") else {
        return vec![root];
    };
    let numbers = entries
        .flatten()
        .filter_map(|entry| entry.file_name().to_str()?.parse().ok());
    let parents: Vec<(u32, u32)> = numbers
        .filter_map(|process: u32| {
            let stat = fs::read_to_string(format!("/proc/{process}/stat")).ok()?;
            Some((process, parent_in(&stat)?))
        })
        .collect();
    let mut found = vec![root];
    let mut next = 0;
    while next < found.len() {
        let parent = found[next];
        let children = parents.iter().filter(|(_, of)| *of == parent);
        found.extend(children.map(|(process, _)| *process));
        next += 1;
    }
    found
}

/// The parent, behind the name in parentheses, which may hold anything (`proc_pid_stat(5)`).
fn parent_in(stat: &str) -> Option<u32> {
    let (_, after_name) = stat.rsplit_once(')')?;
    after_name.split_ascii_whitespace().nth(1)?.parse().ok()
}

/// Processor time of all threads of a process, nanoseconds; one that has ended has none.
pub(super) fn cpu_ns_of(process: u32) -> u64 {
    let threads = fs::read_dir(format!("/proc/{process}/task"));
    let folders = threads.into_iter().flatten().flatten();
    folders.filter_map(|folder| cpu_ns_in(&folder.path())).sum()
}

/// The first number of schedstat: nanoseconds on a processor.
fn cpu_ns_in(thread: &Path) -> Option<u64> {
    let text = fs::read_to_string(thread.join("schedstat")).ok()?;
    text.split_ascii_whitespace().next()?.parse().ok()
}

/// Memory that a process has for itself, bytes: `RssAnon` of `proc_pid_status(5)`, which leaves out
/// the files that it has mapped.
pub(super) fn memory_bytes_of(process: u32) -> Option<u64> {
    memory_bytes_in(&fs::read_to_string(format!("/proc/{process}/status")).ok()?)
}

fn memory_bytes_in(status: &str) -> Option<u64> {
    let mut fields = status.lines().filter_map(|line| line.split_once(':'));
    let (_, value) = fields.find(|(name, _)| *name == "RssAnon")?;
    let kib: u64 = value.trim().strip_suffix("kB")?.trim().parse().ok()?;
    Some(kib * 1024)
}

#[cfg(test)]
mod tests {
    use std::process::Command;

    use super::*;

    #[test]
    fn a_child_is_in_the_tree_and_has_cpu_time() {
        let mut child = Command::new("sleep").arg("60").spawn().expect("starts");
        let found = tree(std::process::id());
        assert!(found.contains(&child.id()), "{found:?}");
        assert!(cpu_ns_of(std::process::id()) > 0);
        child.kill().expect("it runs");
        child.wait().expect("it is ours");
        assert_eq!(cpu_ns_of(child.id()), 0);
    }

    #[test]
    fn the_parent_is_found_behind_any_name() {
        assert_eq!(parent_in("71 (a (b) 1 2) S 17 71 71 0"), Some(17));
        assert_eq!(parent_in(""), None);
    }

    #[test]
    fn memory_is_what_no_file_holds() {
        let text = "VmRSS:\t    4096 kB\nRssAnon:\t     120 kB\nRssFile:\t    3976 kB\n";
        assert_eq!(memory_bytes_in(text), Some(122_880));
        assert_eq!(memory_bytes_in("VmRSS:\t    4096 kB\n"), None);
        assert!(memory_bytes_of(std::process::id()) > Some(0));
    }
}
