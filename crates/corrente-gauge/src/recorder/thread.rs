//! What a thread knows: its seat at a table, the request it works for, and the call it waits in.
//!
//! All of it is thread-local, so that drivers deep below a request find it without being told, and
//! nothing here is shared but the table. No borrow of a cell lasts over a call of foreign code.

use std::cell::{Cell, RefCell};
use std::collections::HashMap;
use std::sync::Arc;
use std::sync::atomic::Ordering::Relaxed;

use super::clock::{self, RunQueue, Switches};
use super::request::{Method, Request};
use super::state::{OTHER_INDEX, State};
use super::table::Table;

thread_local! {
    static SEAT: RefCell<Option<Seat>> = const { RefCell::new(None) };
    static CURRENT: RefCell<Option<Current>> = const { RefCell::new(None) };
    pub(super) static WAITING: Cell<u32> = const { Cell::new(0) };
}

/// A thread's place at a table.
#[derive(Debug)]
pub(super) struct Seat {
    state: Arc<State>,
    pub(super) table: Arc<Table>,
    pub(super) run_queue: RunQueue,
    /// Indices of the endpoints that this thread has met, by method and route.
    names: [HashMap<String, u16>; Method::COUNT],
    random: u64,
    /// One of so many requests is measured.
    every: u32,
    /// Requests until the next one that is.
    left: u32,
    /// The thread's CPU time and requests at the last look at `every`.
    adapted_cpu: u64,
    adapted_seen: u64,
}

/// Requests between two looks at how dear recording is.
const ADAPT_EVERY: u64 = 256;
/// What recording costs a measured request, and the share of its CPU time that it may take. In a tight
/// loop it is 2 µs (`cargo xtask bench gauge`, B); in a service that meets the recorder's code and
/// tables with cold caches it is four times as much.
const COST_NS: f64 = 8_000.0;
const COST_SHARE: f64 = 0.01;
/// The largest distance between two measured requests.
const EVERY_MAX: u32 = 128;

impl Seat {
    fn take(state: &Arc<State>) -> Option<Self> {
        let table = state.take_table()?;
        let run_queue = RunQueue::open();
        let cpu = clock::thread_cpu();
        table.cpu_base.set(cpu);
        table.run_queue_base.set(run_queue.now().unwrap_or(0));
        table
            .thread
            .store(rustix::thread::gettid().as_raw_nonzero().get(), Relaxed);
        Some(Self {
            state: Arc::clone(state),
            names: Default::default(),
            random: clock::monotonic() | 1,
            every: 1,
            left: 0,
            adapted_cpu: cpu,
            adapted_seen: table.seen.get(),
            table,
            run_queue,
        })
    }

    /// The index of an endpoint's name.
    pub(super) fn endpoint(&mut self, method: Method, route: &str) -> u16 {
        let known = &mut self.names[method.number()];
        if let Some(index) = known.get(route) {
            return *index;
        }
        let index = self.state.endpoint(method, route);
        if index != OTHER_INDEX {
            // Not the names beyond the limit: they have none.
            known.insert(route.to_owned(), index);
        }
        index
    }

    /// Counts a request and decides whether to measure it.
    pub(super) fn see(&mut self) -> bool {
        if self.pass_over() {
            return false;
        }
        let seen = self.count();
        if seen - self.adapted_seen >= ADAPT_EVERY {
            self.adapt(seen);
        }
        // One of `every` on average.
        let spread = u64::from(self.every) * 2 - 1;
        self.left = (self.chance() % spread) as u32;
        true
    }

    /// Counts a request that is not measured; `false` where it is not one of those.
    fn pass_over(&mut self) -> bool {
        if self.left == 0 {
            return false;
        }
        self.left -= 1;
        self.count();
        true
    }

    fn count(&self) -> u64 {
        let seen = self.table.seen.get() + 1;
        self.table.seen.set(seen);
        seen
    }

    /// Whether this is one of so many.
    pub(super) fn one_of(&mut self, every: u32) -> bool {
        self.chance().is_multiple_of(u64::from(every))
    }

    /// Chance, not turns: a client that repeats a pattern must not always meet the same part of it.
    fn chance(&mut self) -> u64 {
        // xorshift64 (Marsaglia 2003): fast, and good enough to choose by.
        self.random ^= self.random << 13;
        self.random ^= self.random >> 7;
        self.random ^= self.random << 17;
        self.random >> 32
    }

    fn adapt(&mut self, seen: u64) {
        let cpu = clock::thread_cpu();
        let requests = (seen - self.adapted_seen) as f64;
        let each = cpu.saturating_sub(self.adapted_cpu) as f64 / requests;
        self.every = distance(each);
        self.adapted_cpu = cpu;
        self.adapted_seen = seen;
        if self.every > 1 {
            self.state.sample();
        }
        let max = self.table.every_max.load(Relaxed).max(self.every);
        self.table.every_max.store(max, Relaxed);
    }
}

/// How far apart measured requests must be where a request takes so much CPU time.
fn distance(cpu_per_request_ns: f64) -> u32 {
    let affordable = (cpu_per_request_ns * COST_SHARE).max(1.0);
    ((COST_NS / affordable).ceil() as u32).clamp(1, EVERY_MAX)
}

impl Drop for Seat {
    /// The thread ends: its last account is kept, and the table is free for the next.
    fn drop(&mut self) {
        if self.state.relic.load(Relaxed) {
            return;
        }
        let table = &self.table;
        let cpu = clock::thread_cpu().saturating_sub(table.cpu_base.get());
        table.cpu_done.add(cpu);
        let run_queue = self.run_queue.now().unwrap_or(0);
        let run_queue = run_queue.saturating_sub(table.run_queue_base.get());
        table.run_queue_done.add(run_queue);
        table.thread.store(0, Relaxed);
        self.state.leave_table(Arc::clone(table));
    }
}

/// Runs `work` with this thread's seat; `None` where there is no table left, or the thread is ending.
pub(super) fn seated<T>(state: &Arc<State>, work: impl FnOnce(&mut Seat) -> T) -> Option<T> {
    SEAT.try_with(|seat| {
        let mut seat = seat.try_borrow_mut().ok()?;
        let fits = |seat: &Seat| seat.state.generation == state.generation;
        if !seat.as_ref().is_some_and(fits) {
            *seat = Seat::take(state);
        }
        seat.as_mut().map(work)
    })
    .ok()
    .flatten()
}

/// Whether this thread's next request is not to be measured; it is counted, and nothing else is done for it. `false` where
/// that is not known without the state.
pub(super) fn passes_over(generation: u64) -> bool {
    let passed = SEAT.try_with(|seat| {
        let mut seat = seat.try_borrow_mut().ok()?;
        let seat = seat.as_mut()?;
        let is_here = seat.state.generation == generation && seat.state.on.load(Relaxed);
        Some(is_here && seat.pass_over())
    });
    passed.ok().flatten().unwrap_or(false)
}

/// How a thread works for a request.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Place {
    /// WSGI: from begin to end.
    Thread,
    /// ASGI: for a step of a coroutine, in the thread of its loop.
    Step,
    /// ASGI: for a function that the request gave to a pool of threads.
    Pool,
}

/// A step of a coroutine that is shorter than this is taken for computing from end to end: a thread
/// that sleeps or is put aside is away for longer, and the clock costs as much as such a step.
const SHORT_STEP_NS: u64 = 10_000;

/// The request that a thread works for, and the clocks when it began to.
#[derive(Debug)]
pub(super) struct Current {
    pub(super) request: Arc<Request>,
    pub(super) place: Place,
    pub(super) wall: u64,
    pub(super) cpu: u64,
    /// CPU time at which the present segment began.
    pub(super) segment: u64,
    run_queue: Option<u64>,
    switches: Option<Switches>,
}

impl Current {
    /// Reads the clocks; those that are dear only for the requests that were chosen.
    pub(super) fn begin(request: Arc<Request>, place: Place) -> Self {
        let sampled = request.sampled && place != Place::Pool;
        let run_queue = if sampled {
            read_run_queue(&request.state)
        } else {
            None
        };
        let switches = sampled.then(Switches::now);
        // The cheap clock within the dear one, so that it does not measure that.
        let cpu = clock::thread_cpu();
        let wall = clock::monotonic();
        Self {
            request,
            place,
            wall,
            cpu,
            segment: cpu,
            run_queue,
            switches,
        }
    }

    /// Reads the clocks again and gives the request what has passed.
    pub(super) fn close(self) {
        let wall = clock::monotonic().saturating_sub(self.wall);
        let cpu = if self.place == Place::Step && wall < SHORT_STEP_NS {
            wall
        } else {
            clock::thread_cpu().saturating_sub(self.cpu)
        };
        let switches = self.switches.map(|before| Switches::now().since(before));
        let run_queue = self.run_queue.and_then(|before| {
            read_run_queue(&self.request.state).map(|now| now.saturating_sub(before))
        });
        self.count(wall, cpu);
        let mut live = self.request.live();
        match self.place {
            Place::Pool => {
                live.pool_calls += 1;
                live.pool_wall_ns += wall;
                live.pool_cpu_ns += cpu;
                return;
            }
            Place::Step => {
                live.steps += 1;
                live.blocked_ns += wall.saturating_sub(cpu);
            }
            Place::Thread => {}
        }
        live.cpu_ns += cpu;
        live.segment((self.cpu + cpu).saturating_sub(self.segment));
        if let Some(run_queue) = run_queue {
            *live.run_queue_ns.get_or_insert(0) += run_queue;
        }
        if let Some(switches) = switches {
            let sum = live.switches.get_or_insert_default();
            sum.voluntary += switches.voluntary;
            sum.involuntary += switches.involuntary;
        }
    }

    /// Adds to the account of the thread.
    fn count(&self, wall: u64, cpu: u64) {
        seated(&self.request.state, |seat| {
            seat.table.request_cpu.add(cpu);
            if self.place == Place::Step {
                seat.table.steps.add(1);
                seat.table.step_wall.add(wall);
            }
        });
    }
}

fn read_run_queue(state: &Arc<State>) -> Option<u64> {
    seated(state, |seat| seat.run_queue.now()).flatten()
}

/// What a thread did before it began to work for a request; [`leave`] gives it back.
#[derive(Debug)]
#[must_use = "a thread that entered has to leave"]
pub struct Entered(Before);

#[derive(Debug)]
enum Before {
    /// It worked for the same request: nothing was entered.
    Same,
    /// It worked for this, or for nothing.
    Other(Option<Current>),
}

/// Begins to work for a request. Within work for the same one, nothing is measured twice.
pub fn enter(request: &Arc<Request>, place: Place) -> Entered {
    let same = |current: &mut Current| Arc::ptr_eq(&current.request, request);
    if request.has_ended() || with_current(same) == Some(true) {
        return Entered(Before::Same);
    }
    let begun = Current::begin(Arc::clone(request), place);
    Entered(Before::Other(replace(Some(begun))))
}

/// Ends the work for a request that [`enter`] began.
pub fn leave(entered: Entered) {
    if let Before::Other(before) = entered.0
        && let Some(current) = replace(before)
        && !current.request.has_ended()
    {
        current.close();
    }
}

/// The request that this thread works for.
pub fn current() -> Option<Arc<Request>> {
    with_current(|current| Arc::clone(&current.request))
}

/// Names the endpoint of the request that this thread works for.
pub fn name_endpoint(route: &str) {
    if let Some(request) = current() {
        request.state.know_routes();
        request.name(route);
    }
}

/// Runs `work` with what this thread works for, if anything.
pub(super) fn with_current<T>(work: impl FnOnce(&mut Current) -> T) -> Option<T> {
    CURRENT
        .try_with(|cell| {
            let mut cell = cell.try_borrow_mut().ok()?;
            cell.as_mut().map(work)
        })
        .ok()
        .flatten()
}

/// Puts `next` in place of what this thread works for, and gives that.
pub(super) fn replace(next: Option<Current>) -> Option<Current> {
    CURRENT
        .try_with(|cell| {
            let mut cell = cell.try_borrow_mut().ok()?;
            std::mem::replace(&mut *cell, next)
        })
        .ok()
        .flatten()
}

/// In the child of a fork: what the parent's thread worked for is not the child's. It is not dropped
/// either: locks in it may be held for ever.
pub(super) fn forget() {
    std::mem::forget(replace(None));
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn fast_services_are_measured_less_often() {
        assert_eq!(distance(1_000_000.0), 1);
        assert_eq!(distance(800_000.0), 1);
        assert_eq!(distance(200_000.0), 4);
        assert_eq!(distance(50_000.0), 16);
        assert_eq!(distance(0.0), EVERY_MAX);
    }
}
