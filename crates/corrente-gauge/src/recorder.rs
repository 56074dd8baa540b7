//! The recorder: inside the service, it notes what requests cost and writes it down.
//!
//! Threads write into tables of their own, without locks; one thread of ours writes the file, once
//! a second when something has changed. A request that cannot be measured is counted and let be:
//! nothing here waits, fails, or grows with traffic. After a fork the child starts afresh.

mod calls;
mod clock;
mod machine;
mod request;
mod snapshot;
mod state;
mod table;
mod thread;
mod wait;
mod writer;

use std::path::PathBuf;
use std::sync::atomic::{AtomicBool, AtomicU64, Ordering::Relaxed};
use std::sync::{Arc, Mutex};

use corrente_record::Interface;

pub use calls::CallKind;
pub use corrente_record::{Resource, Server, Stall};
pub use request::Request;
pub use state::About;
pub use thread::{Entered, Place, current, enter, leave, name_endpoint};
pub use wait::{
    Call, OpenCall, begin_async_wait, begin_wait, begin_wait_at, end_wait, is_noted, open_resource,
};
pub(crate) use writer::FILES_MAX;

use calls::CallNote;
use request::Live;
use state::{State, held};
use table::{EndpointTable, Room};
use thread::{Current, seated};

/// Name of a file in the folder that switches recording off as long as it is there.
pub const OFF_FILE: &str = "off";

/// Run-queue times and switches of context are read for one request of so many: they cost more than
/// all other clocks.
const SAMPLE_WSGI: u32 = 8;

/// The same for coroutines, where both are read for each of many steps.
const SAMPLE_ASGI: u32 = 64;

/// How a recorder is set.
#[derive(Debug, Clone)]
pub struct Settings {
    /// The folder that each process writes its file into.
    pub folder: PathBuf,
    /// Program and version, for the recording.
    pub made_by: String,
}

/// How a request ended.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Ending {
    /// The response is complete.
    Finished,
    /// The application raised an exception.
    Raised,
    /// The server or the client gave it up.
    Abandoned,
}

/// The recorder of one process.
#[derive(Debug)]
pub struct Recorder {
    state: Mutex<Arc<State>>,
    /// That of the state: a seat at one of its tables is known by it without the lock.
    generation: AtomicU64,
    /// The lock was left behind by a thread that a fork did not take along.
    lost: AtomicBool,
}

impl Recorder {
    /// A recorder that writes nothing until the first request.
    pub fn new(settings: Settings) -> Self {
        let generation = next_generation();
        Self {
            state: Mutex::new(Arc::new(State::new(settings, generation))),
            generation: AtomicU64::new(generation),
            lost: AtomicBool::new(false),
        }
    }

    /// In the child of a fork: forgets the parent's requests, threads and file.
    pub fn after_fork(&self) {
        let generation = next_generation();
        self.generation.store(generation, Relaxed);
        // A thread of the parent may have held the lock when it forked; it is not here any more, and
        // nobody would ever give the lock back. Then this child does not record.
        let Ok(mut state) = self.state.try_lock() else {
            self.lost.store(true, Relaxed);
            return;
        };
        let child = State::new(state.settings.clone(), generation);
        thread::forget();
        wait::forget();
        // What hooks found out in the parent is true of the child.
        if let Ok(about) = state.about.try_lock() {
            *held(&child.about) = about.clone();
        }
        if state.knows_routes() {
            child.know_routes();
        }
        // Hooks keep the numbers of resources that they got in the parent.
        if let Ok(resources) = state.resources.try_lock() {
            held(&child.resources).clone_from(&resources);
        }
        let parent = std::mem::replace(&mut *state, Arc::new(child));
        // Its locks may be held for ever as well: it is left alone.
        parent.relic.store(true, Relaxed);
        std::mem::forget(parent);
    }

    fn state(&self) -> Option<Arc<State>> {
        let usable = !self.lost.load(Relaxed);
        usable.then(|| Arc::clone(&held(&self.state)))
    }

    /// Begins to write the file, even if no request comes.
    pub fn start(&self) {
        if let Some(state) = self.state() {
            writer::ensure(&state);
        }
    }

    /// Writes the file now, if it has been begun: for servers that end without a farewell.
    pub fn flush(&self) {
        if let Some(state) = self.state() {
            writer::flush(&state);
        }
    }

    /// Writes the file for the last time and ends the recording of this process.
    pub fn finish(&self) {
        if let Some(state) = self.state() {
            writer::finish(&state);
        }
    }

    /// Notes something about the process.
    pub fn note(&self, change: impl FnOnce(&mut About)) {
        if let Some(state) = self.state() {
            change(&mut held(&state.about));
        }
    }

    /// Notes a stall of an event loop of the process.
    pub fn stalled(&self, stall: Stall) {
        if let Some(state) = self.state()
            && state.on.load(Relaxed)
        {
            stall.add_to(&mut held(&state.stalls));
        }
    }

    /// Notes that a framework's routes are watched.
    pub fn know_routes(&self) {
        if let Some(state) = self.state() {
            state.know_routes();
        }
    }

    /// The index by which calls of a resource are noted.
    pub fn resource(&self, resource: Resource) -> u16 {
        self.state()
            .map_or(state::OTHER_INDEX, |state| state.resource(resource))
    }

    /// A request came to a WSGI application. `None`: it is not measured.
    pub fn begin_wsgi(&self) -> Option<Arc<Request>> {
        self.abandon_unclosed();
        let request = self.begin(Interface::Wsgi)?;
        thread::replace(Some(Current::begin(Arc::clone(&request), Place::Thread)));
        Some(request)
    }

    /// A request came to an ASGI application. `None`: it is not measured.
    pub fn begin_asgi(&self) -> Option<Arc<Request>> {
        self.begin(Interface::Asgi)
    }

    /// A server that did not close the response before (PEP 3333 asks it to) is done with it now.
    fn abandon_unclosed(&self) {
        let unclosed = thread::with_current(|current| {
            let returned = current.place == Place::Thread && current.request.live().returned;
            returned.then(|| Arc::clone(&current.request))
        });
        if let Some(request) = unclosed.flatten() {
            self.end(&request, Ending::Abandoned);
        }
    }

    /// Whether the request that comes next to this thread is not measured; it is counted then, and is not to be begun.
    /// Most requests to a fast service are such: it costs nanoseconds.
    pub fn passes_over(&self) -> bool {
        let running = thread::with_current(|current| !current.request.has_ended());
        running != Some(true) && thread::passes_over(self.generation.load(Relaxed))
    }

    fn begin(&self, interface: Interface) -> Option<Arc<Request>> {
        if self.passes_over() {
            return None;
        }
        let state = self.state()?;
        let running = thread::with_current(|current| !current.request.has_ended());
        if !state.on.load(Relaxed) || running == Some(true) {
            // Off, or a part of a request that is measured already.
            return None;
        }
        writer::ensure(&state);
        let begin_ns = clock::monotonic();
        let every = match interface {
            Interface::Wsgi => SAMPLE_WSGI,
            Interface::Asgi => SAMPLE_ASGI,
        };
        let sampled = seated(&state, |seat| {
            if seat.table.first_begin.get() == 0 {
                seat.table.first_begin.set(begin_ns);
            }
            seat.see().then(|| seat.one_of(every))
        });
        let Some(sampled) = sampled else {
            state.without_table.fetch_add(1, Relaxed);
            return None;
        };
        let request = Request::new(Arc::clone(&state), interface, sampled?, begin_ns);
        if !state.is_sampled() {
            let in_flight = state.in_flight();
            seated(&state, |seat| seat.table.in_flight.record(in_flight));
        }
        Some(request)
    }

    /// A request is over. Said twice, the first time counts.
    pub fn end(&self, request: &Arc<Request>, ending: Ending) {
        if request.ended.swap(true, Relaxed) {
            return;
        }
        let now = clock::monotonic();
        let known = self.close_thread(request);
        let arrivals = request.state.left();
        let live = std::mem::take(&mut *request.live());
        if known == Cpu::Unknown {
            // A request without CPU time would make all others look cheaper: it is not measured.
            seated(&request.state, |seat| seat.table.ended.add(1));
            return;
        }
        let whole = Whole {
            wall: live
                .answered_ns
                .unwrap_or(now)
                .saturating_sub(request.begin_ns),
            alone: request.began_alone
                && arrivals == request.arrival
                && !request.state.is_sampled(),
            ending,
        };
        seated(&request.state, |seat| {
            let table = &seat.table;
            let room = &request.state.room;
            let endpoint = table.endpoint(live.endpoint.unwrap_or(state::OTHER_INDEX), room);
            store(endpoint, request, &live, &whole);
            store_calls(endpoint, &live.notes, room);
            table.dropped.add(live.dropped);
            table.last_end.set(now);
            table.ended.add(1);
        });
    }

    /// Ends the work of this thread for a WSGI request.
    fn close_thread(&self, request: &Arc<Request>) -> Cpu {
        if request.interface == Interface::Asgi {
            return Cpu::Known;
        }
        let here = |current: &mut Current| Arc::ptr_eq(&current.request, request);
        if thread::with_current(here) == Some(true) {
            if let Some(current) = thread::replace(None) {
                current.close();
            }
            Cpu::Known
        } else {
            self.note(|about| {
                about.doubt(
                    "moved_thread",
                    "a response was closed in another thread than the one that made it: \
                     its CPU time is not known, and it is not measured",
                );
            });
            Cpu::Unknown
        }
    }
}

/// Whether the CPU time of a request can be told.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Cpu {
    Known,
    Unknown,
}

fn next_generation() -> u64 {
    static NEWEST: AtomicU64 = AtomicU64::new(0);
    NEWEST.fetch_add(1, Relaxed)
}

/// What is known of a request only when it is over.
struct Whole {
    wall: u64,
    alone: bool,
    ending: Ending,
}

fn store(table: &EndpointTable, request: &Request, live: &Live, whole: &Whole) {
    let asgi = request.interface == Interface::Asgi;
    table.asgi.store(u8::from(asgi), Relaxed);
    table.count_status(live.status);
    match whole.ending {
        Ending::Finished => {}
        Ending::Raised => table.exceptions.add(1),
        Ending::Abandoned => table.abandoned.add(1),
    }
    table.bytes_received.add(live.bytes_received);
    table.bytes_sent.add(live.bytes_sent);
    table.wall.record(whole.wall);
    table.cpu.record(live.cpu_ns);
    live.segments
        .iter()
        .for_each(|cpu| table.segment_cpu.record(*cpu));
    if let Some(run_queue) = live.run_queue_ns {
        table.run_queue.record(run_queue);
        let busy = live.cpu_ns + run_queue;
        table.wait.record(whole.wall.saturating_sub(busy));
    }
    if let Some(switches) = live.switches {
        table.voluntary.record(switches.voluntary);
        table.involuntary.record(switches.involuntary);
    }
    if asgi {
        table.steps.record(live.steps);
        table.blocked.record(live.blocked_ns);
        table.pool_calls.add(live.pool_calls);
        table.pool_wall.add(live.pool_wall_ns);
        table.pool_cpu.add(live.pool_cpu_ns);
    }
    if whole.alone {
        table.alone_requests.add(1);
        table.alone_wall.add(whole.wall);
        table.alone_cpu.add(live.cpu_ns);
    }
    if !live.notes.is_empty() {
        table.in_calls.record(live.in_calls_ns);
    }
    // Last: a snapshot that comes in between has rather a figure too many than a request.
    table.requests.add(1);
}

fn store_calls(table: &EndpointTable, notes: &[CallNote], room: &Room) {
    for note in notes {
        let calls = table.calls(note.resource, room);
        calls.cpu.add(note.cpu_ns);
        if note.kind == CallKind::Part {
            calls.continued.add(note.wall_ns);
            continue;
        }
        calls.call.record(note.wall_ns);
        calls.overlapped.add(u64::from(note.overlapped));
        calls.blocking.add(u64::from(note.blocking));
    }
    for (resource, count) in calls::counts(notes) {
        table.calls(resource, room).per_request.record(count);
    }
    for run in calls::runs(notes) {
        table.calls(run.resource, room).run(&run);
    }
}

#[cfg(test)]
mod tests;
