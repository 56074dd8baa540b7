//! Whole process trees: what they use, where they run, and how they end.
//!
//! A server is its master and all its workers, so CPU time and memory are summed over a process
//! and its descendants. Reads `/proc`; knows nothing of scenarios. A process that ends while it is
//! being read counts as nothing, which is what it is.

use std::collections::{BTreeMap, BTreeSet};
use std::fs;
use std::time::{Duration, Instant};

use rustix::process::{Pid, Signal, WaitOptions, waitpid};
use rustix::thread::CpuSet;

/// A tree that uses less than a tenth of a processor over this time is at rest.
const SETTLE_LOOK: Duration = Duration::from_millis(30);

/// Pace of looking whether a killed process has ended.
const REAP_PACE: Duration = Duration::from_millis(2);

/// Looks at a tree that is to be bound, which a program that starts others for ever would never end.
const PIN_LOOKS_MAX: u32 = 100;

/// CPU time of every thread of a tree, by thread id: two of them give the time in between.
#[derive(Debug, Clone, Default)]
pub(crate) struct CpuSnapshot {
    threads: BTreeMap<u32, Duration>,
}

impl CpuSnapshot {
    /// Reads the tree under `root`.
    pub(crate) fn of_tree(root: u32) -> Self {
        Self::of_processes(&tree(root))
    }

    /// Reads these processes.
    pub(crate) fn of_processes(processes: &[u32]) -> Self {
        let mut threads = BTreeMap::new();
        for thread in processes.iter().flat_map(|process| threads_of(*process)) {
            let text = fs::read_to_string(format!("/proc/{thread}/schedstat")).unwrap_or_default();
            threads.insert(thread, on_processor(&text));
        }
        Self { threads }
    }

    /// CPU time spent since `earlier` by the threads that still live.
    pub(crate) fn since(&self, earlier: &Self) -> Duration {
        self.threads
            .iter()
            .map(|(thread, now)| {
                now.saturating_sub(earlier.threads.get(thread).copied().unwrap_or_default())
            })
            .sum()
    }
}

/// First column of schedstat: nanoseconds on a processor (kernel docs, sched-stats).
fn on_processor(schedstat: &str) -> Duration {
    let nanoseconds = schedstat
        .split_ascii_whitespace()
        .next()
        .and_then(|n| n.parse().ok());
    Duration::from_nanos(nanoseconds.unwrap_or(0))
}

/// `root` and every descendant.
pub(crate) fn tree(root: u32) -> Vec<u32> {
    let parents = parents();
    let mut found = vec![root];
    let mut next = 0;
    while next < found.len() {
        let parent = found[next];
        found.extend(
            parents
                .iter()
                .filter(|(_, above)| **above == parent)
                .map(|(pid, _)| *pid),
        );
        next += 1;
    }
    found
}

/// Proportional set size of these processes together, bytes.
pub(crate) fn proportional_set_size(processes: &[u32]) -> u64 {
    processes
        .iter()
        .filter_map(|process| fs::read_to_string(format!("/proc/{process}/smaps_rollup")).ok())
        .filter_map(|text| {
            let line = text
                .lines()
                .find_map(|line| line.strip_prefix("Pss:"))?
                .to_owned();
            line.split_ascii_whitespace().next()?.parse::<u64>().ok()
        })
        .map(|kibibytes| kibibytes * 1024)
        .sum()
}

/// Waits until the tree under `root` does nothing any more; false where it still works after
/// `limit`. Who waits for a processor, as on a busy machine, works.
pub(crate) fn settles_within(root: u32, limit: Duration) -> bool {
    let deadline = Instant::now() + limit;
    loop {
        let before = CpuSnapshot::of_tree(root);
        std::thread::sleep(SETTLE_LOOK);
        let used = CpuSnapshot::of_tree(root).since(&before);
        if used < SETTLE_LOOK / 10 && !is_runnable(root) {
            return true;
        }
        if Instant::now() > deadline {
            return false;
        }
    }
}

/// Whether a thread of the tree runs or waits for a processor.
fn is_runnable(root: u32) -> bool {
    let processes = tree(root);
    let mut threads = processes.iter().flat_map(|process| threads_of(*process));
    threads.any(|thread| {
        let stat = fs::read_to_string(format!("/proc/{thread}/stat")).unwrap_or_default();
        state_in(&stat) == Some("R")
    })
}

/// Binds every thread of the tree under `root` to `processors`; what they start later inherits it. Looks
/// again until nobody is new: who was started between a look and the binding of its parent is bound to
/// nothing, as are some of many workers while they start.
pub(crate) fn pin_tree(root: u32, processors: &[usize]) {
    if !processors.is_empty() {
        bind_all(
            || tree(root).into_iter().flat_map(threads_of).collect(),
            processors,
        );
    }
}

fn bind_all(mut look: impl FnMut() -> Vec<u32>, processors: &[usize]) {
    let mut bound = BTreeSet::new();
    for _ in 0..PIN_LOOKS_MAX {
        let threads = look();
        let found = bound.len();
        for thread in threads {
            bind(pid(thread), processors);
            bound.insert(thread);
        }
        if bound.len() == found {
            return;
        }
    }
}

/// Binds the calling thread; an empty list leaves it where it is.
pub(crate) fn pin_this_thread(processors: &[usize]) {
    if !processors.is_empty() {
        bind(None, processors);
    }
}

fn bind(thread: Option<Pid>, processors: &[usize]) {
    let mut set = CpuSet::new();
    for processor in processors {
        set.set(*processor);
    }
    // Refused where the processor has gone, and the thread then runs where it may; one that has ended in the
    // meantime needs none.
    rustix::thread::sched_setaffinity(thread, &set).ok();
}

/// Sends a signal to every process of `processes`; those that have ended are past caring.
pub(crate) fn signal(processes: &[u32], signal: Signal) {
    for process in processes.iter().filter_map(|process| pid(*process)) {
        rustix::process::kill_process(process, signal).ok();
    }
}

/// Sends a signal to a process group, which may have lost its leader.
pub(crate) fn signal_group(leader: u32, signal: Signal) {
    if let Some(group) = pid(leader) {
        rustix::process::kill_process_group(group, signal).ok();
    }
}

/// Takes the exit statuses of those of `processes` that are this process's children by now: as a
/// subreaper it inherits what an ended part had started, and a long run would fill the table of
/// processes with them. Who has not ended within `limit` is left to the keeper.
pub(crate) fn reap(mut processes: Vec<u32>, limit: Duration) {
    let deadline = Instant::now() + limit;
    loop {
        let known = processes.clone();
        processes.retain(|process| is_to_come(*process, &known));
        if processes.is_empty() || Instant::now() > deadline {
            return;
        }
        std::thread::sleep(REAP_PACE);
    }
}

/// Waits for a process without blocking. False for one that has ended, and for who is neither a child
/// nor about to be inherited from one of `known`.
fn is_to_come(process: u32, known: &[u32]) -> bool {
    let Some(child) = pid(process) else {
        return false;
    };
    match waitpid(Some(child), WaitOptions::NOHANG) {
        Ok(ended) => ended.is_none(),
        Err(_) => parent_of(process).is_some_and(|parent| known.contains(&parent)),
    }
}

fn pid(number: u32) -> Option<Pid> {
    i32::try_from(number).ok().and_then(Pid::from_raw)
}

fn threads_of(process: u32) -> Vec<u32> {
    numbers_in(&format!("/proc/{process}/task"))
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

fn parents() -> BTreeMap<u32, u32> {
    numbers_in("/proc")
        .into_iter()
        .filter_map(|process| Some((process, parent_of(process)?)))
        .collect()
}

fn parent_of(process: u32) -> Option<u32> {
    let stat = fs::read_to_string(format!("/proc/{process}/stat")).ok()?;
    parent_in(&stat)
}

/// Third field of `/proc/PID/stat`.
fn state_in(stat: &str) -> Option<&str> {
    after_name(stat)?.next()
}

/// Fourth field of `/proc/PID/stat`.
fn parent_in(stat: &str) -> Option<u32> {
    after_name(stat)?.nth(1)?.parse().ok()
}

/// The fields from the third on; the second is the name in brackets and may hold anything.
fn after_name(stat: &str) -> Option<std::str::SplitAsciiWhitespace<'_>> {
    let (_, rest) = stat.rsplit_once(')')?;
    Some(rest.split_ascii_whitespace())
}

#[cfg(test)]
mod tests {
    use std::process::{Command, Stdio};

    use super::*;

    #[test]
    fn a_name_with_brackets_and_spaces_does_not_confuse() {
        let stat = "12 (a) b) S 7 12 12 0";
        assert_eq!((parent_in(stat), state_in(stat)), (Some(7), Some("S")));
    }

    #[test]
    fn a_grandchild_belongs_to_the_tree() {
        let mut child = Command::new("sh")
            .args(["-c", "sleep 30 & echo ready; wait"])
            .stdout(Stdio::piped())
            .spawn()
            .expect("sh starts");
        let mut line = String::new();
        let mut output = std::io::BufReader::new(child.stdout.take().expect("is piped"));
        std::io::BufRead::read_line(&mut output, &mut line).expect("says ready");
        let found = tree(child.id());
        signal(&found, Signal::KILL);
        child.wait().expect("ends");
        assert_eq!(found.len(), 2, "{found:?}");
        assert_eq!(tree(found[1]).len(), 1);
    }

    #[test]
    fn who_is_started_while_a_tree_is_bound_is_bound_too() {
        let sleep = || Command::new("sleep").arg("60").spawn().expect("starts");
        let (mut early, mut late) = (sleep(), sleep());
        let numbers = [early.id(), late.id()];
        let allowed = rustix::thread::sched_getaffinity(None).expect("own");
        let first = (0..CpuSet::MAX_CPU).find(|cpu| allowed.is_set(*cpu));
        let mut looks = [vec![numbers[0]], numbers.to_vec(), numbers.to_vec()].into_iter();
        bind_all(
            || looks.next().expect("no further look"),
            &[first.expect("there is one")],
        );
        let counts = numbers.map(|process| {
            let set = rustix::thread::sched_getaffinity(pid(process)).expect("is there");
            set.count()
        });
        signal(&numbers, Signal::KILL);
        early.wait().and(late.wait()).expect("both end");
        assert_eq!(counts, [1, 1]);
    }

    #[test]
    fn an_ended_child_leaves_the_table_of_processes() {
        let mut child = Command::new("sleep").arg("60").spawn().expect("starts");
        let number = child.id();
        signal(&[number], Signal::KILL);
        reap(vec![number], Duration::from_mins(1));
        assert!(!std::path::Path::new(&format!("/proc/{number}")).exists());
        assert!(child.wait().is_err(), "nothing is left to wait for");
    }

    #[test]
    fn who_is_no_child_is_not_waited_for() {
        let parent = std::os::unix::process::parent_id();
        let began = Instant::now();
        reap(vec![parent], Duration::from_mins(10));
        assert!(began.elapsed() < Duration::from_mins(5));
    }

    #[test]
    fn a_sleeper_is_at_rest_and_a_worker_is_not() {
        let look = |words: &[&str], limit_ms| {
            let mut child = Command::new(words[0])
                .args(&words[1..])
                .spawn()
                .expect("starts");
            let settles = settles_within(child.id(), Duration::from_millis(limit_ms));
            child.kill().expect("is ours");
            child.wait().expect("ends");
            settles
        };
        // A busy machine lets it begin to sleep late, and the other one wait for a processor.
        assert!(look(&["sleep", "60"], 20_000));
        assert!(!look(&["sh", "-c", "while :; do :; done"], 200));
    }

    #[test]
    fn own_memory_and_time_are_seen() {
        let own = [std::process::id()];
        assert!(proportional_set_size(&own) > 100_000);
        let now = CpuSnapshot::of_processes(&own);
        assert!(now.since(&CpuSnapshot::default()) > Duration::ZERO);
    }
}
