//! One request while it runs: what it has cost and called until now.
//!
//! Its thread, the steps of its coroutine and the functions it runs in a pool add to it; when it
//! ends, all of it goes into the table of the thread that ended it. Its lock is its own: no other
//! request ever takes it, and a second thread does only where the request itself uses two.

use std::sync::atomic::{AtomicBool, Ordering::Relaxed};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use corrente_record::Interface;

use super::calls::CallNote;
use super::clock::Switches;
use super::state::State;
use super::thread::seated;

/// Calls that one request notes; of what follows, nothing is kept. A page with more is a defect of
/// its own, and the recorder must not grow with it.
const NOTES_MAX: usize = 10_000;

/// Segments of CPU time that one request notes.
const SEGMENTS_MAX: usize = 10_000;

/// A request that is measured. Whoever holds it may add to it; what comes after its end is lost.
#[derive(Debug)]
pub struct Request {
    pub(super) state: Arc<State>,
    pub(super) interface: Interface,
    /// Whether the dear clocks are read for this one.
    pub(super) sampled: bool,
    pub(super) begin_ns: u64,
    /// How many requests had come to the process with this one.
    pub(super) arrival: u64,
    /// Whether no other was in the process when it came.
    pub(super) began_alone: bool,
    pub(super) ended: AtomicBool,
    live: Mutex<Live>,
}

/// What a request gathers.
#[derive(Debug, Default)]
pub(crate) struct Live {
    /// Index of the endpoint's name, once it is known.
    pub(crate) endpoint: Option<u16>,
    pub(crate) method: Method,
    pub(crate) status: u16,
    pub(crate) bytes_received: u64,
    pub(crate) bytes_sent: u64,
    /// When the last byte was handed to the server.
    pub(crate) answered_ns: Option<u64>,
    pub(crate) cpu_ns: u64,
    pub(crate) blocked_ns: u64,
    pub(crate) steps: u64,
    pub(crate) segments: Vec<u64>,
    pub(crate) run_queue_ns: Option<u64>,
    pub(crate) switches: Option<Switches>,
    pub(crate) pool_calls: u64,
    pub(crate) pool_wall_ns: u64,
    pub(crate) pool_cpu_ns: u64,
    pub(crate) notes: Vec<CallNote>,
    /// Calls that are open now.
    pub(crate) open: u32,
    /// When the first of them was opened.
    pub(crate) opened_ns: u64,
    /// Counts the calls that were opened while another was.
    pub(crate) overlaps: u64,
    pub(crate) in_calls_ns: u64,
    /// Segments and calls beyond what a request may note.
    pub(crate) dropped: u64,
    /// WSGI: the application has returned, its response is being read.
    pub(crate) returned: bool,
}

impl Live {
    /// Notes the CPU time of a segment.
    pub(crate) fn segment(&mut self, cpu_ns: u64) {
        if self.segments.len() < SEGMENTS_MAX {
            self.segments.push(cpu_ns);
        } else {
            self.dropped += 1;
        }
    }

    /// Notes a call.
    pub(crate) fn note(&mut self, note: CallNote) {
        if self.notes.len() < NOTES_MAX {
            self.notes.push(note);
        } else {
            self.dropped += 1;
        }
    }
}

impl Request {
    pub(super) fn new(
        state: Arc<State>,
        interface: Interface,
        sampled: bool,
        begin_ns: u64,
    ) -> Arc<Self> {
        let (arrival, in_flight) = state.arrived();
        let others_are_known = !state.is_sampled();
        Arc::new(Self {
            state,
            interface,
            sampled,
            begin_ns,
            arrival,
            began_alone: in_flight == 1 && others_are_known,
            ended: AtomicBool::new(false),
            live: Mutex::default(),
        })
    }

    pub(crate) fn live(&self) -> MutexGuard<'_, Live> {
        // A panic while it was held can only have lost figures of this one request.
        self.live.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Whether it is over: what comes later (a task left behind) does not count.
    pub fn has_ended(&self) -> bool {
        self.ended.load(Relaxed)
    }

    /// Notes the method and the size of the body that the client announced.
    pub fn describe(&self, method: &str, bytes_received: u64) {
        let mut live = self.live();
        live.method = Method::of(method);
        live.bytes_received = bytes_received;
    }

    /// Notes the status of the response.
    pub fn status(&self, status: u16) {
        self.live().status = status;
    }

    /// Notes bytes of the response's body.
    pub fn sent(&self, bytes: usize) {
        self.live().bytes_sent += bytes as u64;
    }

    /// Notes that the response is complete, where that is before the application ends.
    pub fn answered(&self) {
        let now = super::clock::monotonic();
        self.live().answered_ns.get_or_insert(now);
    }

    /// Notes that the application has returned and its response is yet to be read.
    pub fn returned(&self) {
        self.live().returned = true;
    }

    /// Whether a route template has named the endpoint.
    pub fn is_named(&self) -> bool {
        self.live().endpoint.is_some()
    }

    /// Names the endpoint. The last name counts: routers nest, the innermost knows best.
    pub fn name(&self, route: &str) {
        let method = self.live().method;
        let endpoint = seated(&self.state, |seat| seat.endpoint(method, route));
        self.live().endpoint = endpoint;
    }

    /// Names the endpoint by its path, where no framework did. What no known framework wanted
    /// (404) shares one name: such paths are the client's invention.
    pub fn name_by_path(&self, path: &str) {
        let status = self.live().status;
        if status == 404 && self.state.knows_routes() {
            self.live().endpoint = Some(super::state::NO_ROUTE_INDEX);
        } else {
            self.name(&corrente_record::fold_path(path));
        }
    }
}

/// Methods that stand in names; a client may invent others.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Hash)]
pub(crate) struct Method(u8);

const METHODS: [&str; 8] = [
    "OTHER", "GET", "POST", "PUT", "PATCH", "DELETE", "HEAD", "OPTIONS",
];

impl Method {
    pub(crate) fn of(name: &str) -> Self {
        let found = METHODS.iter().position(|known| *known == name);
        Self(found.unwrap_or(0) as u8)
    }

    pub(crate) fn name(self) -> &'static str {
        METHODS[self.number()]
    }

    /// Below [`Self::COUNT`].
    pub(crate) fn number(self) -> usize {
        usize::from(self.0)
    }

    /// How many there are.
    pub(crate) const COUNT: usize = METHODS.len();
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_invented_method_is_other() {
        assert_eq!(Method::of("GET").name(), "GET");
        assert_eq!(Method::of("get").name(), "OTHER");
        assert_eq!(Method::of("BREW").name(), "OTHER");
    }
}
