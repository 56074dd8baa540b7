//! Calls of resources: opened when a driver is called, closed when it has answered.
//!
//! A synchronous call belongs to its thread ([`begin_wait`], [`end_wait`], nested ones are part of
//! the outermost); a call of a coroutine is a value of its own ([`OpenCall`]) that may be closed in
//! any later step. Both end as a note of the request.

use std::cell::RefCell;
use std::sync::Arc;

use super::calls::{CallKind, CallNote};
use super::clock;
use super::request::Request;
use super::thread::{self, Place, WAITING};

/// What is about to be called, and from where.
#[derive(Debug, Clone, Copy, Default)]
pub struct Call {
    /// Index of the resource, from [`Recorder::resource`](super::Recorder::resource).
    pub resource: u16,
    /// Whether it counts by itself.
    pub kind: CallKind,
    /// The place in the program that calls; 0 where that is not known.
    pub site: u64,
}

/// A call that has not been answered yet.
#[derive(Debug)]
pub struct OpenCall {
    request: Arc<Request>,
    call: Call,
    begin_ns: u64,
    begin_cpu_ns: u64,
    /// Whether another call was open when it began, and how many such cases there had been.
    beside_another: bool,
    overlaps: u64,
    blocking: bool,
}

thread_local! {
    static OPEN: RefCell<Option<OpenCall>> = const { RefCell::new(None) };
}

/// Whether this thread works for a request, so that a call would be noted. Asked first: finding out
/// the place of a call costs more than this.
pub fn is_noted() -> bool {
    WAITING.get() == 0 && thread::with_current(|_| ()).is_some()
}

/// A synchronous call begins in this thread.
pub fn begin_wait(call: Call) {
    begin_wait_at(call, || call.site);
}

/// The same, where finding the place takes time: that is a part of what the call takes, since nobody else
/// is to be charged with it. It is asked only where the call is noted.
pub fn begin_wait_at(call: Call, site: impl FnOnce() -> u64) {
    let depth = WAITING.get();
    WAITING.set(depth + 1);
    if depth == 0 {
        let opened = open(call, Mode::Synchronous).map(|mut open| {
            open.call.site = site();
            open
        });
        // `try_with`: a thread that is ending notes nothing any more.
        let _kept = OPEN.try_with(|open| open.replace(opened));
    }
}

/// The synchronous call that this thread began has been answered.
pub fn end_wait() {
    let depth = WAITING.get().saturating_sub(1);
    WAITING.set(depth);
    if depth == 0 {
        let opened = OPEN.try_with(RefCell::take).ok().flatten();
        if let Some(call) = opened {
            let cpu = clock::thread_cpu();
            call.note(cpu);
            // What follows is a new segment.
            thread::with_current(|current| current.segment = cpu);
        }
    }
}

/// The resource of the synchronous call that is open in this thread: what belongs to it may come later,
/// as the rest of a body that is read in pieces. `None` where none is open that is noted.
pub fn open_resource() -> Option<u16> {
    let open = OPEN.try_with(|open| open.borrow().as_ref().map(|one| one.call.resource));
    open.ok().flatten()
}

/// In the child of a fork: the call that the parent's thread has open is not the child's.
pub(super) fn forget() {
    WAITING.set(0);
    std::mem::forget(OPEN.try_with(RefCell::take).ok());
}

/// A call of a coroutine begins; `None` where this thread works for no request.
pub fn begin_async_wait(call: Call) -> Option<OpenCall> {
    open(call, Mode::Awaited)
}

#[derive(Clone, Copy, PartialEq, Eq)]
enum Mode {
    Synchronous,
    Awaited,
}

fn open(call: Call, mode: Mode) -> Option<OpenCall> {
    let (request, place, segment, cpu_before_step) = thread::with_current(|current| {
        let request = Arc::clone(&current.request);
        (request, current.place, current.segment, current.cpu)
    })?;
    let cpu = clock::thread_cpu();
    let begin_ns = clock::monotonic();
    let mut live = request.live();
    let beside_another = live.open > 0;
    if beside_another {
        live.overlaps += 1;
    } else {
        live.opened_ns = begin_ns;
    }
    live.open += 1;
    let overlaps = live.overlaps;
    if place == Place::Thread {
        live.segment(cpu.saturating_sub(segment));
    }
    // In a coroutine the CPU time of a call is what the request used while it was open.
    let begin_cpu_ns = match mode {
        Mode::Synchronous => cpu,
        Mode::Awaited => live.cpu_ns + cpu.saturating_sub(cpu_before_step),
    };
    drop(live);
    Some(OpenCall {
        request,
        call,
        begin_ns,
        begin_cpu_ns,
        beside_another,
        overlaps,
        blocking: mode == Mode::Synchronous && place == Place::Step,
    })
}

impl OpenCall {
    /// The answer to a call of a coroutine is there.
    pub fn close_async(self) {
        let in_step = thread::with_current(|current| {
            Arc::ptr_eq(&current.request, &self.request).then_some(current.cpu)
        });
        let before = self.request.live().cpu_ns;
        let cpu = match in_step.flatten() {
            Some(step_began) => before + clock::thread_cpu().saturating_sub(step_began),
            None => before,
        };
        self.note(cpu);
    }

    fn note(self, cpu: u64) {
        let now = clock::monotonic();
        let mut live = self.request.live();
        live.open = live.open.saturating_sub(1);
        if live.open == 0 {
            live.in_calls_ns += now.saturating_sub(live.opened_ns);
        }
        let overlapped = self.beside_another || live.overlaps != self.overlaps;
        live.note(CallNote {
            resource: self.call.resource,
            wall_ns: now.saturating_sub(self.begin_ns),
            cpu_ns: cpu.saturating_sub(self.begin_cpu_ns),
            site: self.call.site,
            kind: self.call.kind,
            overlapped,
            blocking: self.blocking,
        });
    }
}
