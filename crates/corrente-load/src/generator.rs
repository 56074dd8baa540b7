//! One generator thread: an epoll loop that keeps connections busy and records what comes back.
//!
//! It must not know the protocol, other threads, or how results are merged. Per request it makes
//! one write and one read, reads the clock once, and allocates nothing.
//!
//! Key invariants: a connection slot is in exactly one place, busy, free or resting; in an open
//! loop the schedule itself is the queue, and a request's time runs from when it was due.

pub(crate) mod clock;
mod connection;
mod recorder;
mod socket;

use std::collections::VecDeque;
use std::io;
use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};
use std::time::Duration;

use mio::{Events, Poll, Token};

use crate::arrival::Schedule;
use crate::error::LoadError;
use crate::exchange::{Completion, Exchange, Step};
use crate::generator::clock::{Alarm, Clock};
use crate::generator::connection::{Activity, Connection, Input, Link};
use crate::generator::recorder::{Recorder, Unfinished};
use crate::outcome::{ErrorKind, Outcome};
use crate::peer::Peer;

/// Most events taken from the kernel at once.
const EVENTS_PER_TURN: usize = 1024;
/// The one buffer that everything is read into, in bytes.
const READ_BUFFER_BYTES: usize = 64 * 1024;
/// Pause of a slot whose connection failed before it was of any use, so that a server that is down
/// does not cost a CPU.
const RECONNECT_PAUSE_NS: u64 = 10_000_000;
/// Timeouts are looked for this many times within one timeout, ...
const SCANS_PER_TIMEOUT: u64 = 20;
/// ... but at most this often ...
const SCAN_INTERVAL_MIN_NS: u64 = 1_000_000;
/// ... and at least this often.
const SCAN_INTERVAL_MAX_NS: u64 = 250_000_000;
/// Longest sleep, so that a stop is noticed.
const HEARTBEAT_NS: u64 = 50_000_000;
/// The alarm's token; connections have their index.
const ALARM: Token = Token(usize::MAX);

/// What one generator thread is to do.
#[derive(Debug)]
pub(crate) struct Assignment {
    pub(crate) peer: Peer,
    pub(crate) connections: usize,
    pub(crate) pace: Pace,
    pub(crate) tickets: Tickets,
    pub(crate) clock: Clock,
    pub(crate) window_start_ns: u64,
    pub(crate) window_end_ns: u64,
    pub(crate) timeout_ns: u64,
}

/// What starts a request.
#[derive(Debug)]
pub(crate) enum Pace {
    /// The previous answer.
    Closed,
    /// The schedule.
    Open(Schedule),
}

/// Numbers for requests, different on each thread.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Tickets {
    pub(crate) next: u64,
    pub(crate) step: u64,
}

impl Tickets {
    fn take(&mut self) -> u64 {
        let ticket = self.next;
        self.next = self.next.wrapping_add(self.step);
        ticket
    }
}

/// What a generator thread and the thread that waits for it tell each other.
#[derive(Debug)]
pub(crate) struct Signals<'run> {
    /// Set by the user.
    pub(crate) stop: &'run AtomicBool,
    /// Set when another generator thread failed.
    pub(crate) abandon: &'run AtomicBool,
    /// Good answers of this thread so far.
    pub(crate) completed: &'run AtomicU64,
}

impl Signals<'_> {
    // Relaxed throughout: the numbers are for show, and a late stop is only a little late.
    fn asks_to_stop(&self) -> bool {
        self.stop.load(Ordering::Relaxed) || self.abandon.load(Ordering::Relaxed)
    }
}

/// A slot that waits before it connects again.
#[derive(Debug, Clone, Copy)]
struct Resting {
    index: usize,
    until_ns: u64,
}

/// The event loop of one thread.
#[derive(Debug)]
pub(crate) struct Generator<E> {
    assignment: Assignment,
    poll: Poll,
    alarm: Alarm,
    connections: Vec<Connection<E>>,
    /// Last in, first out: a warm connection is taken before a cold one.
    free: Vec<usize>,
    /// All pauses are equally long, so the first in is the first out.
    resting: VecDeque<Resting>,
    recorder: Recorder,
    buffer: Box<[u8]>,
    /// The latest reading of the clock.
    now_ns: u64,
    next_scan_ns: u64,
}

impl<E: Exchange> Generator<E> {
    pub(crate) fn new(assignment: Assignment, make: impl Fn() -> E) -> Result<Self, LoadError> {
        let poll = Poll::new().map_err(LoadError::system("create an epoll instance"))?;
        let count = assignment.connections;
        Ok(Self {
            alarm: Alarm::new(assignment.clock, poll.registry(), ALARM)?,
            poll,
            connections: (0..count).map(|_| Connection::new(make())).collect(),
            free: (0..count).rev().collect(),
            resting: VecDeque::with_capacity(count),
            recorder: Recorder::new()?,
            buffer: vec![0; READ_BUFFER_BYTES].into_boxed_slice(),
            now_ns: assignment.clock.now_ns(),
            next_scan_ns: 0,
            assignment,
        })
    }

    /// Makes load until the window closes or somebody asks to stop.
    pub(crate) fn run(mut self, signals: &Signals<'_>) -> Result<Outcome, LoadError> {
        let mut events = Events::with_capacity(EVENTS_PER_TURN);
        self.start_users()?;
        while self.now_ns < self.assignment.window_end_ns && !signals.asks_to_stop() {
            self.wait(&mut events)?;
            self.turn(&events)?;
            if self.recorder.is_open() {
                signals
                    .completed
                    .store(self.recorder.completed(), Ordering::Relaxed);
            }
        }
        let unfinished = self.unfinished();
        Ok(self
            .recorder
            .conclude(self.assignment.clock.now_ns(), &unfinished))
    }

    /// In a closed loop every user sends at once; in an open loop the schedule starts requests.
    fn start_users(&mut self) -> Result<(), LoadError> {
        if matches!(self.assignment.pace, Pace::Open(_)) {
            return Ok(());
        }
        while let Some(index) = self.free.pop() {
            self.now_ns = self.assignment.clock.now_ns();
            self.start(index, self.now_ns)?;
        }
        Ok(())
    }

    /// Handles everything that has happened or become due.
    fn turn(&mut self, events: &Events) -> Result<(), LoadError> {
        let begun_ns = self.assignment.clock.now_ns();
        self.now_ns = begun_ns;
        if !self.recorder.is_open() && begun_ns >= self.assignment.window_start_ns {
            self.recorder.open_window(begun_ns);
        }
        for event in events {
            if event.token() != ALARM {
                self.drive(event.token().0, Input::of(event))?;
            }
        }
        if matches!(self.assignment.pace, Pace::Closed) && !events.is_empty() {
            self.recorder.lag(self.now_ns - begun_ns);
        }
        self.wake_resting()?;
        self.dispatch_due()?;
        self.scan_timeouts()
    }

    /// Sleeps until something arrives or the next thing is due.
    fn wait(&mut self, events: &mut Events) -> Result<(), LoadError> {
        let window = if self.recorder.is_open() {
            self.assignment.window_end_ns
        } else {
            self.assignment.window_start_ns
        };
        let rested_ns = self
            .resting
            .front()
            .map_or(u64::MAX, |resting| resting.until_ns);
        let mut until_ns = window.min(self.next_scan_ns).min(rested_ns);
        if let Pace::Open(schedule) = &self.assignment.pace
            && !self.free.is_empty()
        {
            let due_ns = schedule.next_ns();
            if due_ns > self.now_ns {
                self.alarm.set(due_ns)?;
            } else {
                until_ns = due_ns;
            }
        }
        let sleep = Duration::from_nanos(until_ns.saturating_sub(self.now_ns).min(HEARTBEAT_NS));
        match self.poll.poll(events, Some(sleep)) {
            Err(error) if error.kind() != io::ErrorKind::Interrupted => Err(LoadError::System {
                action: "wait for events",
                source: error,
            }),
            _ => Ok(()),
        }
    }

    /// Carries on with a connection that an event was about.
    fn drive(&mut self, index: usize, input: Input) -> Result<(), LoadError> {
        let connection = &mut self.connections[index];
        if connection.activity != Activity::Busy {
            if let Err(kind) = connection.inspect_idle(&mut self.buffer) {
                self.recorder.error(kind);
            }
            return Ok(());
        }
        if let Err(kind) = connection.send() {
            return self.fail(index, kind);
        }
        if input == Input::Nothing {
            return Ok(());
        }
        let received = connection.receive(&mut self.buffer, input);
        self.recorder.bytes(received.bytes);
        match received.step {
            Step::More | Step::Next => Ok(()),
            Step::Complete(completion) => self.complete(index, completion),
            Step::Failed(kind) => self.fail(index, kind),
        }
    }

    /// Sends a request that was due at `due_ns`, connecting first if necessary.
    fn start(&mut self, index: usize, due_ns: u64) -> Result<(), LoadError> {
        let connection = &mut self.connections[index];
        connection.begin(self.assignment.tickets.take(), due_ns);
        let opened = connection.open(&self.assignment.peer, self.poll.registry(), Token(index))?;
        match opened.and_then(|()| connection.send()) {
            Ok(()) => Ok(()),
            Err(kind) => self.fail(index, kind),
        }
    }

    fn complete(&mut self, index: usize, completion: Completion) -> Result<(), LoadError> {
        self.now_ns = self.assignment.clock.now_ns();
        let due_ns = self.connections[index].due_ns;
        self.recorder.answer(completion, due_ns, self.now_ns);
        self.go_on(index)
    }

    /// Counts a failed request and gives up its connection.
    ///
    /// A connection that never carried an answer rests before the next attempt. One that did is
    /// replaced at once, so `start` and `fail` call each other no more than twice.
    fn fail(&mut self, index: usize, kind: ErrorKind) -> Result<(), LoadError> {
        self.recorder.error(kind);
        let connection = &mut self.connections[index];
        let link = connection.close();
        let was_useless = match kind {
            ErrorKind::Connect | ErrorKind::PortsExhausted => true,
            ErrorKind::Reset => link != Link::Proven,
            _ => false,
        };
        if was_useless {
            connection.activity = Activity::Resting;
            let until_ns = self.assignment.clock.now_ns() + RECONNECT_PAUSE_NS;
            self.resting.push_back(Resting { index, until_ns });
            return Ok(());
        }
        self.now_ns = self.assignment.clock.now_ns();
        self.go_on(index)
    }

    /// Finds the slot its next request.
    fn go_on(&mut self, index: usize) -> Result<(), LoadError> {
        let waited_ns = match &mut self.assignment.pace {
            Pace::Closed => return self.start(index, self.now_ns),
            // With other slots free nobody waits for this one: what is due is dispatched below,
            // where its lag is the generator's own.
            Pace::Open(_) if !self.free.is_empty() => None,
            Pace::Open(schedule) => {
                let expired = schedule.expire(self.now_ns, self.assignment.timeout_ns);
                self.recorder.errors(ErrorKind::Timeout, expired);
                schedule.take_due(self.now_ns)
            }
        };
        if let Some(due_ns) = waited_ns {
            self.recorder.queued();
            self.start(index, due_ns)
        } else {
            self.connections[index].activity = Activity::Free;
            self.free.push(index);
            Ok(())
        }
    }

    fn wake_resting(&mut self) -> Result<(), LoadError> {
        while let Some(first) = self.resting.front().copied()
            && first.until_ns <= self.now_ns
        {
            self.resting.pop_front();
            self.go_on(first.index)?;
        }
        Ok(())
    }

    /// In an open loop: sends what is due, as long as slots are free.
    fn dispatch_due(&mut self) -> Result<(), LoadError> {
        // Fixed, so that a generator that cannot keep up still gets to reading answers.
        let now_ns = self.now_ns;
        while let Pace::Open(schedule) = &mut self.assignment.pace {
            let expired = schedule.expire(now_ns, self.assignment.timeout_ns);
            self.recorder.errors(ErrorKind::Timeout, expired);
            let Some(&index) = self.free.last() else {
                break;
            };
            let Some(due_ns) = schedule.take_due(now_ns) else {
                break;
            };
            self.free.pop();
            self.now_ns = self.assignment.clock.now_ns();
            self.recorder.lag(self.now_ns - due_ns);
            self.start(index, due_ns)?;
        }
        Ok(())
    }

    fn scan_timeouts(&mut self) -> Result<(), LoadError> {
        if self.now_ns < self.next_scan_ns {
            return Ok(());
        }
        let timeout_ns = self.assignment.timeout_ns;
        let interval_ns = timeout_ns / SCANS_PER_TIMEOUT;
        self.next_scan_ns =
            self.now_ns + interval_ns.clamp(SCAN_INTERVAL_MIN_NS, SCAN_INTERVAL_MAX_NS);
        for index in 0..self.connections.len() {
            let connection = &self.connections[index];
            let age_ns = self.now_ns.saturating_sub(connection.due_ns);
            if connection.activity == Activity::Busy && age_ns > timeout_ns {
                self.fail(index, ErrorKind::Timeout)?;
            }
        }
        Ok(())
    }

    /// Requests under way, and those due that never found a connection.
    fn unfinished(&mut self) -> Unfinished {
        let is_busy = |connection: &&Connection<E>| connection.activity == Activity::Busy;
        let busy = self.connections.iter().filter(is_busy);
        let due_ns: Vec<u64> = busy.map(|connection| connection.due_ns).collect();
        let mut count = due_ns.len() as u64;
        if let Pace::Open(schedule) = &mut self.assignment.pace {
            while schedule.take_due(self.now_ns).is_some() {
                count += 1;
            }
        }
        Unfinished { count, due_ns }
    }
}
