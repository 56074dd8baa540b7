//! The engine: takes the next event, lets the strands that it frees go on, until all wait again.
//!
//! A request is one strand, and as many more as it forks. A strand is in exactly one place: ready or
//! computing in its process, at a station or in line for it, in line for a pool, or (track 0 only)
//! waiting for the strands that it forked.

use std::collections::VecDeque;

use slab::Slab;

use super::events::Events;
use super::outcome::{Outcome, Recorder};
use super::places::Places;
use super::processor::Processor;
use super::system::{Intake, Invalid, Load, Plan, Pool, PoolId, Scope, StationId, Step, System};

/// The client's TCP sends a connection request again after this many seconds, and doubles it each
/// time (RFC 6298, section 2.1 and 5.5).
const FIRST_RETRY: f64 = 1.0;
/// Doublings after which the pause stays the same.
const MOST_DOUBLINGS: u32 = 5;
/// Work below this, in seconds, is rounding.
const NO_WORK: f64 = 1e-12;

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
            processor: Processor::new(system.cores),
            processes: (0..system.processes).map(|_| Process::default()).collect(),
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
        };
        engine.first_sends();
        engine
    }

    fn first_sends(&mut self) {
        match self.load {
            Load::Closed { users, think } => {
                for connection in 0..*users {
                    let at = think.draw(&mut self.arrivals);
                    self.events.push(at, Event::Send { connection });
                }
            }
            Load::Open { .. } => self.next_arrival(),
        }
    }

    fn run(&mut self, plan: Plan) {
        while self.recorder.counted() < plan.warm_up && self.step() {}
        self.recorder.begin(self.now);
        self.busy_before = self.processor.busy_until(self.now);
        self.turned_away = 0;
        while self.recorder.counted() < plan.requests && self.step() {}
    }

    fn outcome(&mut self) -> Outcome {
        let busy = self.processor.busy_until(self.now) - self.busy_before;
        let (now, cores, turned_away) = (self.now, self.system.cores, self.turned_away);
        self.recorder.outcome(now, busy, cores, turned_away)
    }

    /// Takes the next event; `false` where there is none.
    fn step(&mut self) -> bool {
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
            self.proceed(strand);
        }
    }
}

/// Requests: sent, admitted, answered.
impl Engine<'_> {
    fn next_arrival(&mut self) {
        if let Load::Open {
            rate_per_s,
            connections,
            spacing,
        } = self.load
        {
            let mean = spacing.mean();
            let shape = if mean > 0.0 { spacing.draw(&mut self.arrivals) / mean } else { 1.0 };
            let connection = self.arrivals.usize(..*connections);
            self.events.push(self.now + shape / rate_per_s, Event::Send { connection });
        }
    }

    fn send(&mut self, connection: usize) {
        if matches!(self.load, Load::Open { .. }) {
            self.next_arrival();
        }
        let class = self.draw_class();
        let request = self.requests.insert(Request {
            class,
            process: 0,
            connection,
            sent: self.now,
            attempts: 0,
            main: 0,
            forked: 0,
        });
        self.recorder.sent(self.now);
        self.arrive(request);
    }

    fn draw_class(&mut self) -> usize {
        let classes = &self.system.classes;
        if classes.len() == 1 {
            return 0;
        }
        let total: f64 = classes.iter().map(|class| class.weight).sum();
        let mut left = self.random.f64() * total;
        let chosen = classes.iter().position(|class| {
            left -= class.weight;
            left < 0.0
        });
        chosen.unwrap_or(classes.len() - 1)
    }

    /// A request comes to the service: it is taken, waits in line, or finds the line full.
    fn arrive(&mut self, request: RequestId) {
        let line = self.line_of(request);
        if self.waiting >= self.system.backlog && self.intake[line].is_full() {
            self.turn_away(request);
            return;
        }
        match self.intake[line].enter(request) {
            Some(request) => self.admit(request),
            None => self.waiting += 1,
        }
    }

    fn turn_away(&mut self, request: RequestId) {
        let attempts = self.requests[request].attempts;
        let pause = FIRST_RETRY * f64::from(1_u32 << attempts.min(MOST_DOUBLINGS));
        self.requests[request].attempts += 1;
        self.turned_away += 1;
        self.events.push(self.now + pause, Event::Retry(request));
    }

    fn line_of(&self, request: RequestId) -> usize {
        match self.system.intake {
            Intake::Shared => 0,
            Intake::PerConnection => self.requests[request].connection % self.system.processes,
        }
    }

    fn admit(&mut self, request: RequestId) {
        let process = match self.system.intake {
            Intake::Shared => self.least_loaded(),
            Intake::PerConnection => self.line_of(request),
        };
        let main = self.strands.insert(Strand {
            request,
            track: 0,
            step: 0,
            work_left: 0.0,
        });
        let entry = &mut self.requests[request];
        (entry.process, entry.main) = (process, main);
        self.processes[process].in_hand += 1;
        self.movable.push_back(main);
    }

    /// Idle workers wake first when a connection comes.
    fn least_loaded(&self) -> usize {
        let by_load = (0..self.processes.len()).min_by_key(|process| self.processes[*process].in_hand);
        by_load.unwrap_or(0)
    }

    fn answer(&mut self, request: RequestId) {
        let Request { process, connection, sent, .. } = self.requests.remove(request);
        self.recorder.answered(self.now, self.now - sent);
        if let Load::Closed { think, .. } = self.load {
            let at = self.now + think.draw(&mut self.arrivals);
            self.events.push(at, Event::Send { connection });
        }
        self.processes[process].in_hand -= 1;
        let line = match self.system.intake {
            Intake::Shared => 0,
            Intake::PerConnection => process,
        };
        if let Some(next) = self.intake[line].leave() {
            self.waiting -= 1;
            self.admit(next);
        }
    }
}

/// Strands: their steps.
impl<'a> Engine<'a> {
    fn proceed(&mut self, strand: StrandId) {
        let system = self.system;
        let Strand { request, track, step, .. } = self.strands[strand];
        let Request { class, process, .. } = self.requests[request];
        match system.classes[class].tracks[track].get(step) {
            None => self.end_strand(strand),
            Some(Step::Compute(_) | Step::Block(..)) => {
                self.processes[process].ready.push_back(strand);
                self.dispatch(process);
            }
            Some(Step::Wait(StationId(station), _)) => self.go_to_station(strand, *station),
            Some(Step::Acquire(pool)) => {
                let places = &mut self.pools[pool.0][place_of(system, *pool, process)];
                if let Some(strand) = places.enter(strand) {
                    self.go_on(strand);
                }
            }
            Some(Step::Release(pool)) => {
                let places = &mut self.pools[pool.0][place_of(system, *pool, process)];
                if let Some(next) = places.leave() {
                    self.go_on(next);
                }
                self.go_on(strand);
            }
            Some(Step::Fork { first, count }) => self.fork(request, *first, *count),
        }
    }

    /// The present step is done: the next one may be taken.
    fn go_on(&mut self, strand: StrandId) {
        self.strands[strand].step += 1;
        self.movable.push_back(strand);
    }

    fn fork(&mut self, request: RequestId, first: usize, count: usize) {
        self.requests[request].forked = count;
        for track in first..first + count {
            let strand = self.strands.insert(Strand {
                request,
                track,
                step: 0,
                work_left: 0.0,
            });
            self.movable.push_back(strand);
        }
    }

    fn end_strand(&mut self, strand: StrandId) {
        let Strand { request, track, .. } = self.strands.remove(strand);
        if track == 0 {
            self.answer(request);
            return;
        }
        self.requests[request].forked -= 1;
        if self.requests[request].forked == 0 {
            self.go_on(self.requests[request].main);
        }
    }

    fn go_to_station(&mut self, strand: StrandId, station: usize) {
        if let Some(strand) = self.stations[station].enter(strand) {
            self.serve(strand);
        }
    }

    fn serve(&mut self, strand: StrandId) {
        if let Some(Step::Wait(_, law) | Step::Block(_, law)) = self.present_step(strand) {
            let at = self.now + law.draw(&mut self.random);
            self.events.push(at, Event::Served(strand));
        }
    }

    fn served(&mut self, strand: StrandId) {
        let (station, holds_process) = match self.present_step(strand) {
            Some(Step::Wait(StationId(station), _)) => (*station, false),
            Some(Step::Block(StationId(station), _)) => (*station, true),
            _ => return,
        };
        if let Some(next) = self.stations[station].leave() {
            self.serve(next);
        }
        if holds_process {
            self.strands[strand].step += 1;
            self.carry_on(strand);
        } else {
            self.go_on(strand);
        }
    }

    fn present_step(&self, strand: StrandId) -> Option<&'a Step> {
        let Strand { request, track, step, .. } = self.strands[strand];
        let class = self.requests[request].class;
        let system: &'a System = self.system;
        system.classes[class].tracks[track].get(step)
    }
}

/// Processes: which strand computes.
impl Engine<'_> {
    /// Gives an idle process its next strand.
    fn dispatch(&mut self, process: usize) {
        if self.processes[process].current.is_some() {
            return;
        }
        if let Some(strand) = self.processes[process].ready.pop_front() {
            self.processes[process].current = Some(strand);
            self.occupy(strand, process);
        }
    }

    /// Begins, or goes on with, the step of the strand that has the process.
    fn occupy(&mut self, strand: StrandId, process: usize) {
        let system = self.system;
        let Strand { request, track, step, work_left } = self.strands[strand];
        let class = self.requests[request].class;
        match &system.classes[class].tracks[track][step] {
            Step::Block(StationId(station), _) => self.go_to_station(strand, *station),
            Step::Compute(law) if work_left <= 0.0 => {
                let work = law.draw(&mut self.random);
                self.compute(strand, process, work);
            }
            _ => self.compute(strand, process, work_left),
        }
    }

    fn compute(&mut self, strand: StrandId, process: usize, work: f64) {
        let slice = work.min(self.system.time_slice);
        self.strands[strand].work_left = work - slice;
        self.processor.begin(self.now, process, slice);
    }

    fn slice_ends(&mut self, process: usize) {
        let Some(strand) = self.processes[process].current else {
            return;
        };
        let work_left = self.strands[strand].work_left;
        if work_left <= NO_WORK {
            self.strands[strand].work_left = 0.0;
            self.strands[strand].step += 1;
            self.carry_on(strand);
        } else if self.processes[process].ready.is_empty() {
            self.compute(strand, process, work_left);
        } else {
            self.processes[process].ready.push_back(strand);
            self.processes[process].current = None;
            self.dispatch(process);
        }
    }

    /// The strand that has the process keeps it while its steps need it, then gives it up.
    fn carry_on(&mut self, strand: StrandId) {
        let process = self.requests[self.strands[strand].request].process;
        if let Some(Step::Compute(_) | Step::Block(..)) = self.present_step(strand) {
            self.occupy(strand, process);
        } else {
            self.processes[process].current = None;
            self.movable.push_back(strand);
            self.dispatch(process);
        }
    }
}

fn lines_before(system: &System) -> Vec<Places<RequestId>> {
    match system.intake {
        Intake::Shared => vec![Places::new(system.processes.saturating_mul(system.slots))],
        Intake::PerConnection => (0..system.processes).map(|_| Places::new(system.slots)).collect(),
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

fn place_of(system: &System, pool: PoolId, process: usize) -> usize {
    match system.pools[pool.0].scope {
        Scope::Service => 0,
        Scope::Process => process,
    }
}
