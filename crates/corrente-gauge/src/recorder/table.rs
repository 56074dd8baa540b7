//! What one thread has recorded: counters and distributions by endpoint and resource.
//!
//! One thread writes a table, the snapshot reads it, and no lock is taken: all is atomic. Tables
//! outlive their threads: the next thread takes over where one has ended, so that a server with a
//! thread for each connection needs no more tables than it has connections at once.

use std::sync::OnceLock;
use std::sync::atomic::{AtomicI32, AtomicU8, AtomicU32, AtomicU64, Ordering::Relaxed};

use corrente_record::{
    Alone, AtomicDistribution, Calls, ENDPOINTS_MAX, Endpoint, Interface, RESOURCES_MAX, Resource,
    Runs,
};

use super::calls::Run;
use super::state::OTHER_INDEX;

/// Endpoints of a table: the named ones, `(other)` and `(no route)`.
pub(crate) const ENDPOINTS: usize = ENDPOINTS_MAX + 2;
/// Resources: the named ones and `(other)`.
pub(crate) const RESOURCES: usize = RESOURCES_MAX + 1;

/// A counter with one writer.
#[derive(Debug, Default)]
pub(crate) struct Counter(AtomicU64);

impl Counter {
    pub(crate) fn add(&self, value: u64) {
        self.0.store(self.get().wrapping_add(value), Relaxed);
    }

    pub(crate) fn set(&self, value: u64) {
        self.0.store(value, Relaxed);
    }

    pub(crate) fn get(&self) -> u64 {
        self.0.load(Relaxed)
    }
}

/// One thread's recording.
#[derive(Debug)]
pub(crate) struct Table {
    /// The thread that writes now; 0 between two.
    pub(crate) thread: AtomicI32,
    /// CPU and run-queue time of that thread when it took the table.
    pub(crate) cpu_base: Counter,
    pub(crate) run_queue_base: Counter,
    /// The same of threads that have left it.
    pub(crate) cpu_done: Counter,
    pub(crate) run_queue_done: Counter,
    pub(crate) seen: Counter,
    pub(crate) ended: Counter,
    pub(crate) every_max: AtomicU32,
    pub(crate) first_begin: Counter,
    pub(crate) last_end: Counter,
    pub(crate) request_cpu: Counter,
    pub(crate) steps: Counter,
    pub(crate) step_wall: Counter,
    /// Calls or segments beyond what one request may note.
    pub(crate) dropped: Counter,
    pub(crate) in_flight: AtomicDistribution,
    endpoints: Box<[OnceLock<Box<EndpointTable>>]>,
}

impl Default for Table {
    fn default() -> Self {
        Self {
            thread: AtomicI32::new(0),
            cpu_base: Counter::default(),
            run_queue_base: Counter::default(),
            cpu_done: Counter::default(),
            run_queue_done: Counter::default(),
            seen: Counter::default(),
            ended: Counter::default(),
            every_max: AtomicU32::new(1),
            first_begin: Counter::default(),
            last_end: Counter::default(),
            request_cpu: Counter::default(),
            steps: Counter::default(),
            step_wall: Counter::default(),
            dropped: Counter::default(),
            in_flight: AtomicDistribution::default(),
            endpoints: (0..ENDPOINTS).map(|_| OnceLock::new()).collect(),
        }
    }
}

/// Tables of endpoints and of calls that the threads of a process may make together, so that memory is
/// bounded by about 60 MiB: enough for 20 endpoints with two resources each in 130 threads.
const ROOM: u64 = 8_000;

/// How many of those there are.
#[derive(Debug, Default)]
pub(crate) struct Room {
    taken: AtomicU64,
}

impl Room {
    /// The slot to use: `index`, or the one for all others where it is empty and no room is left.
    /// Every thread has that one for itself, beyond the limit.
    fn slot<T>(&self, slots: &[OnceLock<T>], index: u16) -> usize {
        let index = usize::from(index).min(slots.len() - 1);
        if slots[index].get().is_some() || self.taken.fetch_add(1, Relaxed) < ROOM {
            return index;
        }
        usize::from(OTHER_INDEX)
    }

    /// Whether something was not told apart for want of it.
    pub(crate) fn is_full(&self) -> bool {
        self.taken.load(Relaxed) > ROOM
    }
}

impl Table {
    pub(crate) fn endpoint(&self, index: u16, room: &Room) -> &EndpointTable {
        self.endpoints[room.slot(&self.endpoints, index)].get_or_init(Box::default)
    }

    /// The endpoints that had requests, with their index.
    pub(crate) fn used(&self) -> impl Iterator<Item = (usize, &EndpointTable)> {
        let slots = self.endpoints.iter().enumerate();
        slots.filter_map(|(index, slot)| Some((index, slot.get()?.as_ref())))
    }
}

/// One endpoint in one thread. The fields are those of [`Endpoint`], which says what they mean.
#[derive(Debug, Default)]
pub(crate) struct EndpointTable {
    pub(crate) asgi: AtomicU8,
    pub(crate) requests: Counter,
    pub(crate) statuses: [Counter; 6],
    pub(crate) exceptions: Counter,
    pub(crate) abandoned: Counter,
    pub(crate) bytes_received: Counter,
    pub(crate) bytes_sent: Counter,
    pub(crate) wall: AtomicDistribution,
    pub(crate) cpu: AtomicDistribution,
    pub(crate) segment_cpu: AtomicDistribution,
    pub(crate) run_queue: AtomicDistribution,
    pub(crate) wait: AtomicDistribution,
    pub(crate) voluntary: AtomicDistribution,
    pub(crate) involuntary: AtomicDistribution,
    pub(crate) in_calls: AtomicDistribution,
    pub(crate) steps: AtomicDistribution,
    pub(crate) blocked: AtomicDistribution,
    pub(crate) pool_calls: Counter,
    pub(crate) pool_wall: Counter,
    pub(crate) pool_cpu: Counter,
    pub(crate) alone_requests: Counter,
    pub(crate) alone_wall: Counter,
    pub(crate) alone_cpu: Counter,
    calls: OnceLock<Box<[OnceLock<Box<CallsTable>>]>>,
}

/// Names of the classes of statuses, by their first digit.
const CLASSES: [&str; 6] = ["none", "1xx", "2xx", "3xx", "4xx", "5xx"];

impl EndpointTable {
    pub(crate) fn calls(&self, resource: u16, room: &Room) -> &CallsTable {
        let tables = self
            .calls
            .get_or_init(|| (0..RESOURCES).map(|_| OnceLock::new()).collect());
        tables[room.slot(tables, resource)].get_or_init(Box::default)
    }

    pub(crate) fn count_status(&self, status: u16) {
        let class = usize::from(status / 100);
        self.statuses[if class < CLASSES.len() { class } else { 0 }].add(1);
    }

    pub(crate) fn snapshot(&self, name: &str, resources: &[Resource]) -> Endpoint {
        let statuses = CLASSES.iter().zip(&self.statuses);
        Endpoint {
            name: name.to_owned(),
            interface: if self.asgi.load(Relaxed) == 0 {
                Interface::Wsgi
            } else {
                Interface::Asgi
            },
            requests: self.requests.get(),
            statuses: statuses
                .filter(|(_, count)| count.get() > 0)
                .map(|(class, count)| ((*class).to_owned(), count.get()))
                .collect(),
            exceptions: self.exceptions.get(),
            abandoned: self.abandoned.get(),
            bytes_received: self.bytes_received.get(),
            bytes_sent: self.bytes_sent.get(),
            wall_ns: self.wall.snapshot(),
            cpu_ns: self.cpu.snapshot(),
            segment_cpu_ns: self.segment_cpu.snapshot(),
            run_queue_ns: self.run_queue.snapshot(),
            wait_ns: self.wait.snapshot(),
            voluntary_switches: self.voluntary.snapshot(),
            involuntary_switches: self.involuntary.snapshot(),
            in_calls_ns: self.in_calls.snapshot(),
            steps: self.steps.snapshot(),
            blocked_ns: self.blocked.snapshot(),
            pool_calls: self.pool_calls.get(),
            pool_wall_ns: self.pool_wall.get(),
            pool_cpu_ns: self.pool_cpu.get(),
            alone: Alone {
                requests: self.alone_requests.get(),
                wall_ns: self.alone_wall.get(),
                cpu_ns: self.alone_cpu.get(),
            },
            calls: self.snapshot_calls(resources),
        }
    }

    fn snapshot_calls(&self, resources: &[Resource]) -> Vec<Calls> {
        let Some(tables) = self.calls.get() else {
            return Vec::new();
        };
        let used = resources.iter().zip(tables.iter());
        used.filter_map(|(resource, table)| Some(table.get()?.snapshot(resource)))
            .collect()
    }
}

/// Calls of one resource by one endpoint in one thread; see [`Calls`].
#[derive(Debug, Default)]
pub(crate) struct CallsTable {
    pub(crate) per_request: AtomicDistribution,
    pub(crate) call: AtomicDistribution,
    pub(crate) cpu: Counter,
    pub(crate) continued: Counter,
    pub(crate) overlapped: Counter,
    pub(crate) blocking: Counter,
    run_length: AtomicDistribution,
    run_wall: Counter,
    run_longest: Counter,
}

impl CallsTable {
    pub(crate) fn run(&self, run: &Run) {
        self.run_length.record(run.length);
        self.run_wall.add(run.wall_ns);
        self.run_longest.add(run.longest_ns);
    }

    fn snapshot(&self, resource: &Resource) -> Calls {
        // First the part, then the whole: a call that comes in between must not make it smaller.
        let longest_ns = self.run_longest.get();
        Calls {
            resource: resource.clone(),
            per_request: self.per_request.snapshot(),
            call_ns: self.call.snapshot(),
            cpu_ns: self.cpu.get(),
            // The snapshot knows of which drivers that is so.
            entered: false,
            continued_ns: self.continued.get(),
            overlapped: self.overlapped.get(),
            blocking: self.blocking.get(),
            runs: Runs {
                length: self.run_length.snapshot(),
                wall_ns: self.run_wall.get().max(longest_ns),
                longest_ns,
            },
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn beyond_the_room_everything_is_other() {
        let (table, room) = (Table::default(), Room::default());
        table.endpoint(5, &room).requests.add(1);
        room.taken.store(ROOM, Relaxed);
        // One that is there stays, a new one is not made.
        table.endpoint(5, &room).requests.add(1);
        table.endpoint(6, &room).requests.add(1);
        let used: Vec<_> = table
            .used()
            .map(|(index, one)| (index, one.requests.get()))
            .collect();
        assert_eq!(used, [(usize::from(OTHER_INDEX), 1), (5, 2)]);
        assert!(room.is_full());
    }
}
