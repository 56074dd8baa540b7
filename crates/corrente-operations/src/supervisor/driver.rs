//! Does what the machine says: starts processes, sends signals, waits.
//!
//! One thread, one `poll`: signals, channels, the next deadline. It decides nothing. As process 1 of a
//! container it also buries orphans. Workers are started by this thread and have it as their parent, so
//! they hear of its death (`PR_SET_PDEATHSIG(2const)` goes by thread).

use std::collections::BTreeMap;
use std::ffi::OsString;
use std::io;
use std::os::fd::{AsFd as _, OwnedFd};
use std::process::Command;
use std::time::{Duration, Instant};

use rustix::event::{PollFd, PollFlags, Timespec, poll};
use rustix::io::Errno;
use rustix::process::{Pid, Signal, WaitOptions, WaitStatus, kill_process, wait, waitpid};

use super::changes::{self, Changes, Watched};
use super::channel::{self, CHANNEL_VARIABLE, End, ParentEnd};
use super::clock::{Clock, LONGEST_WAIT};
use super::machine::{Action, Event, Machine, Order, Outcome, Plan, WorkerId};
use super::notice::Notice;
use super::process::{Exit, resident_bytes};
use super::signals::Signals;
use crate::listen::{Listener, SYSTEMD_VARIABLES};

/// How often the memory of workers is looked at.
const MEMORY_INTERVAL: Duration = Duration::from_secs(10);

/// A worker's program.
#[derive(Debug)]
pub struct Program {
    /// The command and its arguments; not empty.
    pub command: Vec<OsString>,
    /// What each worker is told of the settings.
    pub settings: BTreeMap<String, Vec<String>>,
    /// A file on which workers leave their counts for each other.
    pub board: Option<OwnedFd>,
}

/// What comes of settings that were read again.
#[derive(Debug)]
pub struct Renewed {
    /// What the parent goes by.
    pub plan: Plan,
    /// What each worker is told of the settings.
    pub settings: BTreeMap<String, Vec<String>>,
    /// As the program's, where it had none.
    pub board: Option<OwnedFd>,
    /// What people are told of it.
    pub notices: Vec<Notice>,
}

/// Reads the settings again, or says why they stay as they are.
pub type Rereading<'a> = Box<dyn FnMut() -> Result<Renewed, String> + 'a>;

/// The number of the board's descriptor.
const BOARD_VARIABLE: &str = "CORRENTE_BOARD";

/// Why the parent cannot work.
#[derive(Debug, thiserror::Error)]
pub enum DriverError {
    /// Signals cannot be taken.
    #[error("cannot take signals: {0}")]
    Signals(io::Error),
    /// It cannot wait.
    #[error("cannot wait for workers: {0}")]
    Wait(io::Error),
}

struct Process {
    pid: Pid,
    parent_end: ParentEnd,
    /// Its end of the channel is closed: nothing to poll any more.
    is_silent: bool,
}

/// The parent of workers.
pub struct Supervisor<'a> {
    machine: Machine,
    program: Program,
    listeners: &'a [Listener],
    observer: &'a mut dyn FnMut(&Notice),
    processes: BTreeMap<WorkerId, Process>,
    signals: Signals,
    clock: Clock,
    changes: Option<(Changes, Instant)>,
    weighs_next: Option<Instant>,
    rereading: Option<Rereading<'a>>,
}

impl std::fmt::Debug for Supervisor<'_> {
    fn fmt(&self, formatter: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        formatter
            .debug_struct("Supervisor")
            .field("machine", &self.machine)
            .finish_non_exhaustive()
    }
}

impl<'a> Supervisor<'a> {
    /// A parent that has not begun. From now on signals are its business.
    pub fn new(
        machine: Machine,
        program: Program,
        listeners: &'a [Listener],
        observer: &'a mut dyn FnMut(&Notice),
    ) -> Result<Self, DriverError> {
        Ok(Self {
            machine,
            program,
            listeners,
            observer,
            processes: BTreeMap::new(),
            signals: Signals::take().map_err(DriverError::Signals)?,
            clock: Clock::new(),
            changes: None,
            weighs_next: None,
            rereading: None,
        })
    }

    /// Reads the settings again before all workers are replaced by a signal.
    pub fn reread_by(&mut self, rereading: Rereading<'a>) {
        self.rereading = Some(rereading);
    }

    /// Replaces the workers when a file changes.
    pub fn watch(&mut self, watched: Watched) {
        let changes = Changes::new(watched);
        if changes.is_full() {
            (self.observer)(&Notice::WatchesNoMore(changes::FILES));
        }
        self.changes = Some((changes, Instant::now() + changes::INTERVAL));
    }

    /// Looks at the memory of workers now and then.
    pub fn weigh(&mut self) {
        self.weighs_next = Some(Instant::now() + MEMORY_INTERVAL);
    }

    /// Runs until all workers have ended.
    pub fn run(mut self) -> Result<Outcome, DriverError> {
        let mut events = vec![Event::Tick];
        loop {
            for event in events {
                if let Some(outcome) = self.happen(event) {
                    return Ok(outcome);
                }
            }
            self.wait().map_err(DriverError::Wait)?;
            events = self.gather();
        }
    }

    /// Tells the machine and does what it says; events that follow at once are told, too.
    fn happen(&mut self, event: Event) -> Option<Outcome> {
        let mut next = vec![event];
        while let Some(event) = next.pop() {
            for action in self.machine.step(self.clock.now(), event) {
                match action {
                    Action::Start(id) => {
                        if let Err(exit) = self.start(id) {
                            next.push(Event::Exited(id, exit));
                        }
                    }
                    Action::Tell(id, order) => self.tell(id, order),
                    Action::Reread => next.extend(self.reread()),
                    Action::Say(notice) => (self.observer)(&notice),
                    Action::End(outcome) => return Some(outcome),
                }
            }
        }
        None
    }

    /// Reads the settings again; what the machine is told of it.
    fn reread(&mut self) -> Option<Event> {
        let why = "SIGHUP".to_owned();
        let Some(rereading) = &mut self.rereading else {
            return Some(Event::Restart(why));
        };
        match rereading() {
            Ok(renewed) => {
                for notice in &renewed.notices {
                    (self.observer)(notice);
                }
                self.program.settings = renewed.settings;
                if self.program.board.is_none() {
                    self.program.board = renewed.board;
                }
                if renewed.plan.max_memory_bytes.is_some() && self.weighs_next.is_none() {
                    self.weigh();
                }
                Some(Event::Renewed(renewed.plan, why))
            }
            Err(why) => {
                (self.observer)(&Notice::KeepsSettings(why));
                None
            }
        }
    }

    fn start(&mut self, id: WorkerId) -> Result<(), Exit> {
        let (name, arguments) = self.program.command.split_first().ok_or_else(|| {
            let error = io::Error::from(io::ErrorKind::NotFound);
            Exit::not_started("", &error)
        })?;
        let failed = |error: io::Error| Exit::not_started(&name.to_string_lossy(), &error);
        let (mut parent_end, theirs) = ParentEnd::pair().map_err(failed)?;
        let mut command = Command::new(name);
        command
            .args(arguments)
            .env(CHANNEL_VARIABLE, channel::number(&theirs));
        if let Some(board) = &self.program.board {
            command.env(BOARD_VARIABLE, channel::number(board));
        }
        for variable in SYSTEMD_VARIABLES {
            command.env_remove(variable);
        }
        let child = command.spawn().map_err(failed)?;
        drop(theirs);
        let pid = Pid::from_child(&child);
        // One that has ended already does not hear it, and is found to have ended.
        parent_end
            .tell(id.0, self.listeners, &self.program.settings)
            .ok();
        let process = Process {
            pid,
            parent_end,
            is_silent: false,
        };
        self.processes.insert(id, process);
        Ok(())
    }

    fn tell(&mut self, id: WorkerId, order: Order) {
        let signal = match order {
            Order::Stop => Signal::TERM,
            Order::Abort => Signal::ABORT,
            Order::Kill => Signal::KILL,
            Order::ReopenLogs => Signal::USR1,
        };
        if let Some(process) = self.processes.get(&id) {
            // It may have ended; it is not waited for yet, so the number is still its own.
            kill_process(process.pid, signal).ok();
        }
    }

    /// Waits for a signal, a word of a worker, or the next deadline.
    fn wait(&mut self) -> io::Result<()> {
        let timeout = self.timeout().map(|timeout| timeout.min(LONGEST_WAIT));
        let begun = Instant::now();
        let waited = self.wait_within(timeout);
        if let Some(asked) = timeout {
            self.clock.waited(asked, begun.elapsed());
        }
        waited
    }

    fn wait_within(&self, timeout: Option<Duration>) -> io::Result<()> {
        let timeout = timeout.map(|timeout| Timespec {
            tv_sec: i64::try_from(timeout.as_secs()).unwrap_or(i64::MAX),
            tv_nsec: timeout.subsec_nanos().into(),
        });
        let speaking = self.processes.values().filter(|process| !process.is_silent);
        let mut watched = vec![PollFd::from_borrowed_fd(
            self.signals.as_fd(),
            PollFlags::IN,
        )];
        watched
            .extend(speaking.map(|process| {
                PollFd::from_borrowed_fd(process.parent_end.as_fd(), PollFlags::IN)
            }));
        match poll(&mut watched, timeout.as_ref()) {
            Ok(_) | Err(Errno::INTR) => Ok(()),
            Err(error) => Err(error.into()),
        }
    }

    fn timeout(&self) -> Option<Duration> {
        let now = Instant::now();
        let deadline = self.machine.wake_at().map(|at| self.clock.instant(at));
        let looks = self.changes.as_ref().map(|(_, at)| *at);
        let next = deadline
            .into_iter()
            .chain(looks)
            .chain(self.weighs_next)
            .min();
        next.map(|at| at.saturating_duration_since(now))
    }

    /// Everything that has happened. What a worker said is told before that it ended.
    fn gather(&mut self) -> Vec<Event> {
        let mut events = self.signals.events();
        for (id, process) in &mut self.processes {
            if !process.is_silent {
                let (messages, end) = process.parent_end.hear();
                process.is_silent = end == End::Closed;
                events.extend(
                    messages
                        .into_iter()
                        .map(|message| Event::Said(*id, message)),
                );
            }
        }
        events.extend(self.bury());
        events.extend(self.look());
        events.push(Event::Tick);
        events
    }

    /// Takes the exits of workers. Others are asked for one by one: a library's children are its own.
    fn bury(&mut self) -> Vec<Event> {
        let mut events = Vec::new();
        let ids: Vec<WorkerId> = self.processes.keys().copied().collect();
        for id in ids {
            let Some(process) = self.processes.get(&id) else {
                continue;
            };
            if let Ok(Some((_, status))) = waitpid(Some(process.pid), WaitOptions::NOHANG) {
                events.extend(self.end(id, status));
            }
        }
        if std::process::id() == 1 {
            events.extend(self.bury_orphans());
        }
        events
    }

    /// A worker's last words, which may have come since they were looked for, and its end.
    fn end(&mut self, id: WorkerId, status: WaitStatus) -> Vec<Event> {
        let process = self.processes.remove(&id);
        let messages = process.map(|mut process| process.parent_end.hear().0);
        let said = messages.into_iter().flatten();
        let mut events: Vec<Event> = said.map(|message| Event::Said(id, message)).collect();
        events.push(Event::Exited(id, Exit::of(status)));
        events
    }

    /// Init's duty: orphans of workers are ours. A worker may be among them that has ended just now.
    fn bury_orphans(&mut self) -> Vec<Event> {
        let mut events = Vec::new();
        while let Ok(Some((pid, status))) = wait(WaitOptions::NOHANG) {
            let mut known = self.processes.iter();
            let Some((id, _)) = known.find(|(_, process)| process.pid == pid) else {
                continue;
            };
            events.extend(self.end(*id, status));
        }
        events
    }

    /// Looks at files and at memory, where it is time.
    fn look(&mut self) -> Vec<Event> {
        let now = Instant::now();
        let mut events = Vec::new();
        if let Some((changes, at)) = self.changes.as_mut().filter(|(_, at)| *at <= now) {
            *at = now + changes::INTERVAL;
            if let Some(path) = changes.next() {
                let why = format!("{} has changed", path.display());
                events.push(Event::Restart(why));
            }
        }
        if self.weighs_next.is_some_and(|at| at <= now) {
            self.weighs_next = Some(now + MEMORY_INTERVAL);
            for (id, process) in &self.processes {
                let process = process.pid.as_raw_nonzero().get().unsigned_abs();
                let bytes = resident_bytes(process);
                events.extend(bytes.map(|bytes| Event::Memory(*id, bytes)));
            }
        }
        events
    }
}
