//! The engine: takes the next event, lets the strands that it frees go on, until all wait again.
//!
//! A request is one strand, and as many more as it forks. A strand is in exactly one place: ready or
//! computing in its process, at a station or in line for it, in line for a pool, or (track 0 only)
//! waiting for the strands that it forked.

use std::collections::VecDeque;

use slab::Slab;

use super::events::Events;
use super::outcome::{Outcome, Recorder, Used};
use super::places::Places;
use super::processor::Processor;
use super::system::{Intake, Invalid, Load, Plan, Pool, RequestClass, Scope, Step, System};

mod processes;
mod requests;
mod strands;

/// Simulates `system` under `load`.
///
/// # Errors
///
/// [`Invalid`] where the system or the load cannot be: see [`System::check`].
pub fn simulate(system: &System, load: &Load, plan: Plan) -> Result<Outcome, Invalid> {
    system.check(load)?;
    let mut engine = Engine::new(system, load, plan);
    engine.run(plan);
    Ok(engine.outcome())
}

/// The part of the events that may warm up.
const WARM_UP: u64 = 4;

/// Index of a strand.
type StrandId = usize;
/// Index of a request.
type RequestId = usize;

#[derive(Debug, Clone, Copy)]
enum Event {
    /// A user sends the next request, or the next request of an open load arrives.
    Send { connection: usize },
    /// A connection that was turned away comes again.
    Retry(RequestId),
    /// A station has served a strand.
    Served(StrandId),
}

#[derive(Debug, Clone, Copy)]
struct Strand {
    request: RequestId,
    track: usize,
    step: usize,
    work_left: f64,
}

#[derive(Debug, Clone, Copy)]
struct Request {
    class: usize,
    process: usize,
    connection: usize,
    sent: f64,
    attempts: u32,
    main: StrandId,
    forked: usize,
    /// Work that no part has had yet, in seconds, and how many parts have not.
    work_left: f64,
    parts_left: usize,
}

#[derive(Debug, Default)]
struct Process {
    /// The strand that computes or blocks.
    current: Option<StrandId>,
    /// Strands that want to, first come first served.
    ready: VecDeque<StrandId>,
    /// Requests that the process has in hand.
    in_hand: usize,
}

#[derive(Debug)]
struct Engine<'a> {
    system: &'a System,
    load: &'a Load,
    now: f64,
    random: fastrand::Rng,
    arrivals: fastrand::Rng,
    events: Events<Event>,
    processor: Processor,
    processes: Vec<Process>,
    /// Parts of the work of a request, by class.
    parts: Vec<usize>,
    /// Requests before the service, for each line there is.
    intake: Vec<Places<RequestId>>,
    waiting: usize,
    stations: Vec<Places<StrandId>>,
    pools: Vec<Vec<Places<StrandId>>>,
    strands: Slab<Strand>,
    requests: Slab<Request>,
    /// Strands that can take their next step now.
    movable: VecDeque<StrandId>,
    recorder: Recorder,
    busy_before: f64,
    turned_away: u64,
    happened: u64,
}

impl<'a> Engine<'a> {
    fn new(system: &'a System, load: &'a Load, plan: Plan) -> Self {
        let mut engine = Self {
            system,
            load,
            now: 0.0,
            random: fastrand::Rng::with_seed(plan.seed),
            arrivals: fastrand::Rng::with_seed(plan.seed.wrapping_add(0x9E37_79B9_7F4A_7C15)),
            events: Events::new(),
            processor: Processor::new(system, plan.seed),
            processes: (0..system.processes).map(|_| Process::default()).collect(),
            parts: system.classes.iter().map(parts_of).collect(),
            intake: lines_before(system),
            waiting: 0,
            stations: stations_of(system),
            pools: pools_of(system),
            strands: Slab::new(),
            requests: Slab::new(),
            movable: VecDeque::new(),
            recorder: Recorder::new(),
            busy_before: 0.0,
            turned_away: 0,
            happened: 0,
        };
        engine.first_sends();
        engine
    }

    fn first_sends(&mut self) {
        match self.load {
            Load::Closed { users, think } => {
                // Who begins at once goes on in waves, which few requests do not even out: they begin as the
                // cores can take them.
                let apart = self.system.work_per_request() / self.system.cores;
                for connection in 0..*users {
                    let at = think.draw(&mut self.arrivals) + connection as f64 * apart;
                    self.events.push(at, Event::Send { connection });
                }
            }
            Load::Open { .. } => self.next_arrival(),
        }
    }

    fn run(&mut self, plan: Plan) {
        let warming = |engine: &Self| {
            engine.recorder.counted() < plan.warm_up && engine.happened < plan.events / WARM_UP
        };
        while warming(self) && self.step() {}
        self.recorder.begin(self.now);
        self.busy_before = self.processor.busy_until(self.now);
        self.turned_away = 0;
        let counting = |engine: &Self| {
            engine.recorder.counted() < plan.requests && engine.happened < plan.events
        };
        while counting(self) && self.step() {}
    }

    fn outcome(&mut self) -> Outcome {
        let used = Used {
            core_seconds: self.processor.busy_until(self.now) - self.busy_before,
            cores: self.system.cores,
            turned_away: self.turned_away,
            events: self.happened,
        };
        self.recorder.outcome(self.now, &used)
    }

    /// Takes the next event; `false` where there is none.
    fn step(&mut self) -> bool {
        self.happened += 1;
        let (timed, computed) = (self.events.next_time(), self.processor.next_time());
        if computed <= timed {
            if computed.is_infinite() {
                return false;
            }
            self.now = computed;
            if let Some(process) = self.processor.end(computed) {
                self.slice_ends(process);
            }
        } else {
            self.now = timed;
            match self.events.pop() {
                Some(Event::Send { connection }) => self.send(connection),
                Some(Event::Retry(request)) => self.arrive(request),
                Some(Event::Served(strand)) => self.served(strand),
                None => return false,
            }
        }
        self.settle();
        true
    }

    /// Lets every movable strand go on until it waits.
    fn settle(&mut self) {
        while let Some(strand) = self.movable.pop_front() {
            self.happened += 1;
            self.proceed(strand);
        }
    }
}

fn parts_of(class: &RequestClass) -> usize {
    let steps = class.tracks.iter().flatten();
    steps.filter(|step| matches!(step, Step::Part)).count()
}

fn lines_before(system: &System) -> Vec<Places<RequestId>> {
    match system.intake {
        Intake::Shared => vec![Places::new(system.processes.saturating_mul(system.slots))],
        Intake::PerConnection => (0..system.processes)
            .map(|_| Places::new(system.slots))
            .collect(),
    }
}

fn stations_of(system: &System) -> Vec<Places<StrandId>> {
    let servers = system.stations.iter().map(|station| station.servers);
    servers.map(Places::new).collect()
}

fn pools_of(system: &System) -> Vec<Vec<Places<StrandId>>> {
    let copies = |pool: &Pool| match pool.scope {
        Scope::Service => 1,
        Scope::Process => system.processes,
    };
    let pool_of = |pool: &Pool| (0..copies(pool)).map(|_| Places::new(pool.size)).collect();
    system.pools.iter().map(pool_of).collect()
}
