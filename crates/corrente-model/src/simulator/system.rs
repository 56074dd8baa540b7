//! What is simulated, as data: the processes, what a request does, who sends requests.
//!
//! A request class is a list of tracks. A request runs track 0; a `Fork` step runs other tracks
//! beside each other and goes on when all have ended, as `asyncio.gather` does.

use std::fmt;

use crate::law::Law;

/// The service and what is behind it.
#[derive(Debug, Clone, PartialEq)]
pub struct System {
    /// Processor cores that the processes share; a container's quota may be a fraction.
    pub cores: f64,
    /// How long a process computes on a core before another that wants it gets its turn, in seconds:
    /// about 3 ms on Linux (`sched_base_slice_ns`).
    pub core_slice: f64,
    /// How far apart the moments are at which the kernel looks whether a turn has lasted so long, in
    /// seconds: a turn lasts up to this much longer, by chance. 4 ms on most Linux (`CONFIG_HZ`).
    pub core_tick: f64,
    /// Worker processes, or event loops.
    pub processes: usize,
    /// Requests that one process has in hand at most: 1 for a sync worker, its threads for a
    /// threaded one, `usize::MAX` for an event loop.
    pub slots: usize,
    /// How long one request computes before another that is ready in the process gets its turn:
    /// infinite for a loop, 5 ms for threads (`sys.getswitchinterval`).
    pub time_slice: f64,
    /// How requests reach processes.
    pub intake: Intake,
    /// Requests that wait for a process before further ones are refused (the listen backlog).
    pub backlog: usize,
    /// What requests wait for.
    pub stations: Vec<Station>,
    /// What requests hold while they wait, connections for instance.
    pub pools: Vec<Pool>,
    /// The kinds of requests.
    pub classes: Vec<RequestClass>,
}

/// How requests reach processes.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Intake {
    /// One queue; a process with a free slot takes the next. Pre-fork servers on one socket.
    Shared,
    /// A connection belongs to a process, and so do its requests. Event loops with keep-alive.
    PerConnection,
}

/// Something outside the process that takes time: a database, another service.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Station {
    /// Requests that it serves at once; further ones queue. `usize::MAX`: no limit.
    pub servers: usize,
}

/// Permits of which a request holds one at a time.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Pool {
    /// Permits.
    pub size: usize,
    /// Whether each process has its own.
    pub scope: Scope,
    /// Who gets one that is given back.
    pub discipline: Discipline,
}

/// Who gets a permit that is given back while others wait for one.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Discipline {
    /// Whoever has waited longest, at once.
    Fair,
    /// Whoever asks first. Who has waited longest is only woken, asks again when its process comes to
    /// it, and goes to the end of the line if another one was there before. Permits are given back in
    /// the process's turn, too. So does `asyncio.Queue` (CPython, Lib/asyncio/queues.py: `put_nowait`
    /// wakes a getter and `get` asks again in a loop, but takes what is there without looking for
    /// getters), and with it asyncpg's pool, whose free connections are in an `asyncio.LifoQueue`
    /// (asyncpg/pool.py, `Pool._acquire`).
    Barging,
}

/// Who shares a pool.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Scope {
    /// All processes.
    Service,
    /// Each process has one.
    Process,
}

/// The place of a station in [`System::stations`].
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct StationId(pub usize);

/// The place of a pool in [`System::pools`].
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct PoolId(pub usize);

/// Requests of one kind.
#[derive(Debug, Clone, PartialEq)]
pub struct RequestClass {
    /// How often it comes, relative to the other classes.
    pub weight: f64,
    /// Processor time of a request in all its [`Step::Part`]s together.
    pub work: Law,
    /// What it does; track 0 first.
    pub tracks: Vec<Track>,
}

/// Steps taken one after another.
pub type Track = Vec<Step>;

/// One step of a request.
#[derive(Debug, Clone, PartialEq)]
pub enum Step {
    /// Computes in the process: nothing else of the process computes meanwhile.
    Compute(Law),
    /// The same, for a part of the request's work: it falls to its parts at random, each division as
    /// likely as any other.
    Part,
    /// Waits for a station; the process is free for others.
    Wait(StationId, Law),
    /// Waits for a station and holds the process: a blocking call in an event loop.
    Block(StationId, Law),
    /// Takes a permit, waiting in line for it.
    Acquire(PoolId),
    /// Gives it back.
    Release(PoolId),
    /// Runs the tracks `first .. first + count` of the class beside each other.
    Fork {
        /// The first of the tracks.
        first: usize,
        /// How many.
        count: usize,
    },
}

/// Who sends requests.
#[derive(Debug, Clone, PartialEq)]
pub enum Load {
    /// So many users, each sending its next request after the answer and a pause.
    Closed {
        /// Users.
        users: usize,
        /// The pause between an answer and the next request.
        think: Law,
    },
    /// Requests come whether or not earlier ones were answered.
    Open {
        /// Requests a second.
        rate_per_s: f64,
        /// Connections over which they come, for [`Intake::PerConnection`].
        connections: usize,
        /// The time between two requests; its mean is replaced by 1 / rate.
        spacing: Law,
    },
}

/// How long to simulate.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Plan {
    /// Answered requests before anything counts.
    pub warm_up: u64,
    /// Answered requests that count.
    pub requests: u64,
    /// Events after which it ends, however few requests were answered; a quarter of them at most warms
    /// up. They are what takes time: an arrival, a turn on a core, a wait that ends, a strand that goes on.
    pub events: u64,
    /// Seed of every draw.
    pub seed: u64,
}

/// Why a system cannot be simulated.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Invalid {
    /// What is wrong, in one line.
    pub reason: String,
}

impl fmt::Display for Invalid {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.write_str(&self.reason)
    }
}

impl std::error::Error for Invalid {}

impl System {
    /// Says what keeps the system from being simulated under `load`: a count of zero, a reference
    /// to a station, pool or track that is not there, a fork within a fork.
    pub fn check(&self, load: &Load) -> Result<(), Invalid> {
        let counts = [
            ("cores", self.cores > 0.0 && self.cores.is_finite()),
            ("processes", self.processes > 0),
            ("slots", self.slots > 0),
            ("core_slice", self.core_slice > 0.0),
            ("time_slice", self.time_slice > 0.0),
            ("classes", !self.classes.is_empty()),
        ];
        for (name, good) in counts {
            ensure(good, || format!("`{name}` must be above zero"))?;
        }
        ensure(self.core_tick >= 0.0, || {
            "`core_tick` must not be below zero".to_owned()
        })?;
        let pools = self.pools.iter().all(|pool| pool.size > 0);
        ensure(pools, || "a pool must have at least one permit".to_owned())?;
        let stations = self.stations.iter().all(|station| station.servers > 0);
        ensure(stations, || "a station must serve at least one".to_owned())?;
        self.classes
            .iter()
            .try_for_each(|class| self.check_class(class))?;
        check_load(load)
    }

    /// Events that a mean request takes, about: its steps, the ends of those that take time, and the turns
    /// of its work.
    pub(crate) fn events_per_request(&self) -> f64 {
        let turns_per_s = 1.0 / (self.core_slice + self.core_tick / 2.0) + 1.0 / self.time_slice;
        let of_step = |step: &Step| match step {
            Step::Compute(_) | Step::Part | Step::Wait(..) | Step::Block(..) => 2.0,
            Step::Acquire(_) | Step::Release(_) | Step::Fork { .. } => 1.0,
        };
        let steps = self.mean(|class| {
            let steps: f64 = class.tracks.iter().flatten().map(of_step).sum();
            steps + class.tracks.len() as f64
        });
        1.0 + steps + self.work_per_request() * turns_per_s
    }

    /// Processor time of a mean request, in seconds.
    pub(super) fn work_per_request(&self) -> f64 {
        let of_step = |step: &Step| match step {
            Step::Compute(law) => law.mean(),
            _ => 0.0,
        };
        self.mean(|class| {
            let steps: f64 = class.tracks.iter().flatten().map(of_step).sum();
            steps + class.work.mean()
        })
    }

    /// Mean over all requests of what `of` says of a class.
    fn mean(&self, of: impl Fn(&RequestClass) -> f64) -> f64 {
        let weight: f64 = self.classes.iter().map(|class| class.weight).sum();
        let each = self.classes.iter();
        let weighted: f64 = each.map(|class| class.weight * of(class)).sum();
        if weight > 0.0 { weighted / weight } else { 0.0 }
    }

    fn check_class(&self, class: &RequestClass) -> Result<(), Invalid> {
        ensure(class.weight >= 0.0 && class.weight.is_finite(), || {
            format!("a class has the weight {}", class.weight)
        })?;
        ensure(!class.tracks.is_empty(), || {
            "a class has no track".to_owned()
        })?;
        for (number, track) in class.tracks.iter().enumerate() {
            for step in track {
                self.check_step(step, number, class.tracks.len())?;
            }
        }
        Ok(())
    }

    fn check_step(&self, step: &Step, track: usize, tracks: usize) -> Result<(), Invalid> {
        match step {
            Step::Compute(_) | Step::Part => Ok(()),
            Step::Wait(StationId(station), _) | Step::Block(StationId(station), _) => {
                ensure(*station < self.stations.len(), || {
                    format!("a step waits for station {station}, which is not there")
                })
            }
            Step::Acquire(PoolId(pool)) | Step::Release(PoolId(pool)) => {
                ensure(*pool < self.pools.len(), || {
                    format!("a step uses pool {pool}, which is not there")
                })
            }
            Step::Fork { first, count } => {
                let there = track == 0 && *first > 0 && *count > 0 && first + count <= tracks;
                ensure(there, || {
                    "a fork must stand in track 0 and name later tracks".to_owned()
                })
            }
        }
    }
}

fn check_load(load: &Load) -> Result<(), Invalid> {
    match load {
        Load::Closed { users, .. } => ensure(*users > 0, || "there are no users".to_owned()),
        Load::Open {
            rate_per_s,
            connections,
            ..
        } => ensure(
            *rate_per_s > 0.0 && rate_per_s.is_finite() && *connections > 0,
            || "the rate and the connections must be above zero".to_owned(),
        ),
    }
}

fn ensure(good: bool, reason: impl FnOnce() -> String) -> Result<(), Invalid> {
    if good {
        Ok(())
    } else {
        Err(Invalid { reason: reason() })
    }
}
