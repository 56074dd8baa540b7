//! Reading the stacks of one process through `py-spy`, without stopping it.
//!
//! The process is never paused and never written to: pausing wakes sleeping threads and lets their
//! system calls fail with `EINTR`, which a live service must not suffer. What that costs is that a
//! stack may change while it is read. Such a read fails or ends early, and is told as torn. What the
//! kernel says of each thread is read first, so that a thread found asleep was asleep when its stack
//! was read; as long as no thread has run since, the stacks are not read again. A panic of the
//! library is an error like any other.

use std::collections::HashMap;
use std::collections::hash_map::DefaultHasher;
use std::fs::File;
use std::hash::{Hash, Hasher};
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::rc::Rc;

use py_spy::config::{Config, LineNo, LockingStrategy};
use py_spy::{PythonSpy, StackTrace};

use super::blocked::Kernel;
use super::frame::Frame;
use super::mark::Mark;
use super::process::{self, ThreadTimes};
use super::stack::{Known, Position, position};

/// Different stacks remembered with what they mean; more are worked out again.
const MAX_STACKS: usize = 20_000;

/// Reads of one moment before it is given up as torn.
const ATTEMPTS: usize = 3;

/// A thread at one moment.
#[derive(Debug, Clone)]
pub(super) struct ThreadState {
    pub(super) thread: u32,
    pub(super) kernel: Kernel,
    /// Its times, where it is asleep.
    pub(super) times: Option<ThreadTimes>,
    pub(super) position: Rc<Position>,
    pub(super) owns_lock: bool,
}

/// A process whose stacks can be read.
pub(super) struct Reader {
    pub(super) pid: u32,
    spy: PythonSpy,
    /// Its memory, for lists of descriptors; nothing where that may not be read.
    memory: Option<File>,
    threads: Vec<u32>,
    /// How often each of them has run, at the last read.
    marks: HashMap<u32, Mark>,
    /// What each thread did at the last read.
    last: Vec<(u32, Kernel)>,
    positions: HashMap<u64, Rc<Position>>,
}

impl std::fmt::Debug for Reader {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Reader")
            .field("pid", &self.pid)
            .finish_non_exhaustive()
    }
}

impl Reader {
    /// Finds the interpreter of a process; the error is what the library says, in one line.
    pub(super) fn new(pid: u32) -> Result<Self, String> {
        let config = Config {
            blocking: LockingStrategy::NonBlocking,
            native: false,
            collect_thread_names: false,
            // The line of the definition comes with the function; that of the instruction would
            // cost a further read for each frame.
            lineno: LineNo::First,
            ..Config::default()
        };
        let process = py_spy::Pid::try_from(pid).map_err(|error| error.to_string())?;
        let spy = guarded(|| PythonSpy::new(process, &config))?;
        Ok(Self {
            pid,
            spy,
            memory: process::memory(pid).ok(),
            threads: vec![pid],
            marks: HashMap::new(),
            last: Vec::new(),
            positions: HashMap::new(),
        })
    }

    /// Version of the interpreter.
    pub(super) fn version(&self) -> String {
        let version = &self.spy.version;
        format!(
            "{}.{}.{}{}",
            version.major, version.minor, version.patch, version.release_flags
        )
    }

    /// The descriptor that a thread in `poll` looks at first.
    pub(super) fn first_polled(&self, address: u64) -> Option<u64> {
        process::first_polled(self.memory.as_ref()?, address)
    }

    /// Whether all its Python threads have slept since the last read.
    pub(super) fn unchanged(&self) -> bool {
        !self.last.is_empty()
            && self
                .last
                .iter()
                .all(|asleep| sleeps_on(asleep, &self.marks))
    }

    /// Whether threads that were running run on, and all others sleep on.
    pub(super) fn runs_on(&self) -> bool {
        let same = |thread: &u32| self.marks.get(thread).is_some_and(|mark| !mark.has_run());
        !self.last.is_empty()
            && self.last.iter().all(|(thread, kernel)| {
                let asleep = || process::kernel(self.pid, *thread) != Some(Kernel::Running);
                same(thread) && !(*kernel == Kernel::Running && asleep())
            })
    }

    /// The Python threads of the process now; nothing where their stacks changed too fast.
    pub(super) fn read(&mut self) -> Option<Vec<ThreadState>> {
        let mut states = (0..ATTEMPTS).find_map(|_| self.attempt());
        if let Some(states) = &mut states
            && states.iter().any(|state| self.has_ended(state))
            && let Some(later) = self.attempt()
        {
            settle(states, &later);
        }
        self.last.clear();
        let read = states.iter().flatten();
        self.last
            .extend(read.map(|state| (state.thread, state.kernel)));
        states
    }

    /// Whether a thread that was running sleeps by now: its stack may be from before or after.
    fn has_ended(&self, state: &ThreadState) -> bool {
        let now = || process::kernel(self.pid, state.thread);
        state.kernel == Kernel::Running && now().is_some_and(|now| now != Kernel::Running)
    }

    fn attempt(&mut self) -> Option<Vec<ThreadState>> {
        // First what a thread does, then its stack: whoever sleeps and has not run at the next look
        // has slept all the time.
        let kernel = self.look();
        let traces = guarded(|| self.spy.get_stack_traces()).ok()?;
        let single = traces.len() == 1;
        let mut states = Vec::with_capacity(traces.len());
        self.threads.clear();
        for trace in &traces {
            // Before Python 3.11 threads do not know their kernel's number; one alone is the main
            // one, whose number is the process's.
            let known = trace.os_thread_id.and_then(|id| u32::try_from(id).ok());
            let Some(thread) = known.or_else(|| single.then_some(self.pid)) else {
                continue;
            };
            self.threads.push(thread);
            let active = if trace.active {
                Kernel::Running
            } else {
                Kernel::Asleep
            };
            let (mut kernel, mut times) = kernel.get(&thread).copied().unwrap_or((active, None));
            if times.is_some() && self.marks.get(&thread).is_some_and(Mark::has_run) {
                // It woke before its stack was read.
                (kernel, times) = (Kernel::Running, None);
            }
            states.push(ThreadState {
                thread,
                kernel,
                times,
                position: self.position(trace)?,
                owns_lock: trace.owns_gil,
            });
        }
        Some(states)
    }

    /// What the kernel says of the threads that were there at the last read.
    fn look(&mut self) -> HashMap<u32, (Kernel, Option<ThreadTimes>)> {
        let (pid, threads) = (self.pid, &self.threads);
        self.marks.retain(|thread, _| threads.contains(thread));
        let mut looks = HashMap::with_capacity(threads.len());
        for thread in threads {
            let mark = self.marks.entry(*thread);
            let mark = mark.or_insert_with(|| Mark::new(pid, *thread));
            if let Some(look) = mark.look(|| process::kernel(pid, *thread)) {
                looks.insert(*thread, look);
            }
        }
        looks
    }

    /// Whether the threads' kernel numbers are unknown, so that they cannot be told apart.
    pub(super) fn cannot_tell_threads(&mut self) -> bool {
        let traces = guarded(|| self.spy.get_stack_traces()).unwrap_or_default();
        traces.len() > 1 && traces.iter().all(|trace| trace.os_thread_id.is_none())
    }

    /// What a stack means. Nothing where it has no end: every stack of Python begins with a module,
    /// a thread's start, or a function that a C program calls, and none is empty but a thread's that
    /// is just coming or going.
    fn position(&mut self, trace: &StackTrace) -> Option<Rc<Position>> {
        let mut hasher = DefaultHasher::new();
        for frame in &trace.frames {
            (&frame.name, &frame.filename, frame.line).hash(&mut hasher);
        }
        let key = hasher.finish();
        if let Some(position) = self.positions.get(&key) {
            return Some(Rc::clone(position));
        }
        if !trace.frames.iter().all(|frame| is_sound(&frame.name)) {
            return None;
        }
        let known: Vec<Known<'_>> = trace
            .frames
            .iter()
            .map(|frame| {
                let plain = Frame {
                    function: &frame.name,
                    file: &frame.filename,
                    line: frame.line,
                };
                Known::new(plain, frame.short_filename.as_deref())
            })
            .collect();
        let position = Rc::new(position(&known));
        if self.positions.len() > MAX_STACKS {
            self.positions.clear();
        }
        self.positions.insert(key, Rc::clone(&position));
        Some(position)
    }
}

/// Threads that were running and whose stack is still the same now that they sleep: they slept
/// already when it was read.
fn settle(states: &mut [ThreadState], later: &[ThreadState]) {
    for state in states
        .iter_mut()
        .filter(|state| state.kernel == Kernel::Running)
    {
        let then = later.iter().find(|later| later.thread == state.thread);
        if let Some(then) = then.filter(|then| then.times.is_some())
            && Rc::ptr_eq(&state.position, &then.position)
        {
            *state = then.clone();
        }
    }
}

/// Whether a thread has slept since it was read.
fn sleeps_on((thread, kernel): &(u32, Kernel), marks: &HashMap<u32, Mark>) -> bool {
    let asleep = !matches!(kernel, Kernel::Running | Kernel::Ready);
    asleep && marks.get(thread).is_some_and(|mark| !mark.has_run())
}

/// A name as programs have them; memory that is no longer a name seldom looks like one.
fn is_sound(name: &str) -> bool {
    !name.is_empty() && name.len() < 500 && !name.contains(char::is_control)
}

/// The result of a call into the library: its error's first line, or that it panicked.
fn guarded<T, E: std::fmt::Display>(call: impl FnOnce() -> Result<T, E>) -> Result<T, String> {
    match catch_unwind(AssertUnwindSafe(call)) {
        Ok(result) => result.map_err(|error| {
            let text = format!("{error:#}");
            text.lines().next().unwrap_or_default().to_owned()
        }),
        Err(_) => Err("the reader of stacks failed".to_owned()),
    }
}
