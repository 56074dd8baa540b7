//! One measurement of one contender in one case, whatever kind of load the case has.
//!
//! The only module that knows the load generator. It translates a case into the generator's plan
//! and the generator's outcome into a [`Slice`].

use std::collections::BTreeMap;
use std::time::Duration;

use corrente_load::{
    Arrival, Expect, KeepAlive, LoadError, Outcome, Process, Request, Target, Users,
};

use crate::contender::{Instance, Surroundings};
use crate::error::LabError;
use crate::program::{self, Place};
use crate::runner::Run;
use crate::samples::Slice;
use crate::scenario::{CasePlan, Driver, Rounds, Scenario};
use crate::watch::{Usage, Watched, watch};
use crate::{probe, process_tree};

/// A request that takes longer than this counts as an error.
const REQUEST_LIMIT: Duration = Duration::from_secs(10);

/// Connections that the open loop may have at once; requests beyond wait, and the wait counts.
const OPEN_CONNECTIONS_MAX: usize = 1000;

/// Users of a case that does not say how many.
const USERS_DEFAULT: usize = 16;

/// How long a server may work on after its load has ended before it is started anew.
/// Longer than most queues last, and about what a server of many processes takes to start.
const SETTLE_LIMIT: Duration = Duration::from_millis(1500);

/// How long a server that was started anew may go on starting. Its first answer comes from the first of
/// its workers; the others still import meanwhile, on the processors of whoever is measured next.
const START_LIMIT: Duration = Duration::from_secs(10);

/// Length of a look at what is known before the run, at least and at most: half a round's length.
const LOOK: (Duration, Duration) = (Duration::from_millis(300), Duration::from_millis(800));
/// Requests that a look at one user alone must see: one alone may be the first of its kind.
const LEAST_ALONE: u64 = 3;
/// The load before a look at one user alone.
const ALONE_WARM_UP: Duration = Duration::from_millis(100);

/// Requests one after the other, in each place, that a look under load lasts, and its load before.
const LOOK_LATENCIES: u32 = 3;
const WARM_UP_LATENCIES: u32 = 1;

/// What load is applied for how long.
#[derive(Debug, Clone)]
pub(crate) struct Load {
    kind: Kind,
    length: Duration,
    warm_up: Duration,
}

#[derive(Debug, Clone, Copy, PartialEq)]
enum Kind {
    /// The case's users, each waiting for its answer.
    Closed,
    /// One user.
    Alone,
    /// As many users as there are workers.
    Warming { workers: usize },
    /// Requests at a Poisson rate.
    Open { rate_per_s: f64, seed: u64 },
}

impl Load {
    pub(crate) fn closed(rounds: Rounds) -> Self {
        Self {
            kind: Kind::Closed,
            length: rounds.length(),
            warm_up: rounds.warm_up(),
        }
    }

    pub(crate) fn alone(rounds: Rounds) -> Self {
        Self {
            kind: Kind::Alone,
            length: look(rounds),
            warm_up: ALONE_WARM_UP,
        }
    }

    /// Before looks at one user alone, who would ask each of many workers for the first time, one after the
    /// other: it serves nobody else meanwhile, so that none of them is left a queue.
    pub(crate) fn warming(workers: usize) -> Self {
        Self {
            kind: Kind::Warming { workers },
            length: LOOK.0,
            warm_up: Duration::ZERO,
        }
    }

    /// All users, for what calibrates the model.
    pub(crate) fn calibration(rounds: Rounds) -> Self {
        Self {
            length: look(rounds),
            ..Self::closed(rounds)
        }
    }

    /// Long enough for requests that take so long. They begin together and so end together, wave by wave;
    /// how many ends a look catches that is no longer than one says little.
    #[must_use]
    pub(crate) fn for_requests_of(self, latency: Duration) -> Self {
        Self {
            length: self.length.max(latency * LOOK_LATENCIES),
            warm_up: self.warm_up.max(latency * WARM_UP_LATENCIES),
            ..self
        }
    }

    pub(crate) fn open(rounds: Rounds, rate_per_s: f64, seed: u64) -> Self {
        let kind = Kind::Open { rate_per_s, seed };
        Self {
            kind,
            length: rounds.length(),
            warm_up: rounds.warm_up(),
        }
    }

    /// Requests that it must see answered: of one user some, since they are all that is known.
    fn least(&self) -> u64 {
        match self.kind {
            Kind::Alone => LEAST_ALONE,
            Kind::Closed | Kind::Warming { .. } | Kind::Open { .. } => 1,
        }
    }

    /// The same with four times the length.
    fn longer(&self) -> Self {
        Self {
            length: self.length * 4,
            ..self.clone()
        }
    }

    /// How long it takes.
    pub(crate) fn expected(&self) -> Duration {
        self.length + self.warm_up
    }

    /// Only the open loop draws lots.
    fn seed(&self) -> u64 {
        match self.kind {
            Kind::Open { seed, .. } => seed,
            Kind::Closed | Kind::Alone | Kind::Warming { .. } => 0,
        }
    }

    fn users(&self, case: &CasePlan) -> usize {
        match self.kind {
            Kind::Alone => 1,
            Kind::Warming { workers } => workers,
            Kind::Closed | Kind::Open { .. } => case.users.unwrap_or(USERS_DEFAULT),
        }
    }

    fn arrival(&self, case: &CasePlan) -> Arrival {
        match self.kind {
            Kind::Closed | Kind::Alone | Kind::Warming { .. } => Arrival::Closed {
                users: self.users(case),
            },
            Kind::Open { rate_per_s, .. } => Arrival::Open {
                rate_per_s,
                process: Process::Poisson,
                connections_max: OPEN_CONNECTIONS_MAX,
            },
        }
    }
}

fn look(rounds: Rounds) -> Duration {
    let (least, most) = LOOK;
    (rounds.length() / 2).clamp(least, most)
}

/// What every measurement of a scenario needs.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Bench<'run> {
    pub(crate) scenario: &'run Scenario,
    pub(crate) surroundings: &'run Surroundings<'run>,
    pub(crate) place: Place<'run>,
    pub(crate) run: &'run Run<'run>,
}

impl Bench<'_> {
    /// Measures `instance` in `case` once.
    pub(crate) fn measure(
        &self,
        instance: &mut Instance,
        case: &CasePlan,
        load: &Load,
    ) -> Result<Slice, LabError> {
        if case.driver == Driver::Program {
            let plan = instance.program(self.scenario, case, self.surroundings)?;
            return program::run(&plan, self.place, &|| self.run.interrupted());
        }
        let (outcome, usage) = self.apply(instance, case, load)?;
        if outcome.completed >= load.least() {
            return Ok(slice(outcome, usage, self.place));
        }
        if !outcome.errors.is_empty() {
            return Err(unanswered(&instance.id, case, &outcome));
        }
        // Nothing went wrong and too little came back: requests take longer than the look.
        let (outcome, usage) = self.apply(instance, case, &load.longer())?;
        match outcome.completed {
            0 => Err(unanswered(&instance.id, case, &outcome)),
            _ => Ok(slice(outcome, usage, self.place)),
        }
    }

    fn apply(
        &self,
        instance: &mut Instance,
        case: &CasePlan,
        load: &Load,
    ) -> Result<(Outcome, Usage), LabError> {
        let target = target(instance, case)?;
        let server = instance.server.as_mut().ok_or_else(|| LabError::Start {
            part: instance.id.clone(),
            reason: "its server is not running".to_owned(),
        })?;
        let watched = Watched {
            contender: server.root(),
            others: self.place.other_parts,
            application_processors: self.place.application,
            other_processors: self.place.others,
        };
        let send = || apply(case, load, &target, self.place.others, self.run);
        let (outcome, usage) = watch(&watched, load.warm_up, send);
        let root = server.root();
        if self.run.interrupted() {
            return Err(LabError::Interrupted);
        }
        if let Some(status) = server.ended() {
            return Err(server.failure(status));
        }
        if !comes_to_rest(&target, case, root, queue(load, case, &outcome)) {
            self.renew(instance, case);
        }
        Ok((
            outcome.map_err(|error| LabError::Load(error.to_string()))?,
            usage,
        ))
    }

    /// A sync server answers every request that was queued when the load ended, for seconds, and
    /// would take that time from whoever is measured next.
    fn renew(&self, instance: &mut Instance, case: &CasePlan) {
        let interrupted = || self.run.interrupted();
        instance.restart(self.scenario, case, self.surroundings, &interrupted);
        if let Some(server) = &instance.server {
            process_tree::pin_tree(server.root(), self.place.application);
            // Where it works on for longer, `foreign` says so of whoever is measured next.
            process_tree::settles_within(server.root(), START_LIMIT);
        }
    }
}

/// How long a sync server will be busy with what its users left in its queue.
fn queue(load: &Load, case: &CasePlan, outcome: &Result<Outcome, LoadError>) -> Duration {
    let rate = outcome.as_ref().map_or(0.0, Outcome::requests_per_second);
    let seconds = load.users(case) as f64 / rate;
    Duration::try_from_secs_f64(seconds).unwrap_or(Duration::MAX)
}

/// Whether the server soon has nothing left to do. One more request is answered when those queued
/// before it are, which the processor time alone would not show: a queue that waits uses none.
fn comes_to_rest(target: &Target, case: &CasePlan, root: u32, queue: Duration) -> bool {
    let path = target.request.paths.first().map_or("/", String::as_str);
    let drained = case.driver != Driver::Http
        || (queue < SETTLE_LIMIT && probe::ask(target.address, path, SETTLE_LIMIT).is_ok());
    drained && process_tree::settles_within(root, SETTLE_LIMIT)
}

fn target(instance: &Instance, case: &CasePlan) -> Result<Target, LabError> {
    let address = instance.address();
    let path = if case.driver == Driver::Http {
        instance.path(case)?
    } else {
        "/".to_owned()
    };
    let mut request = Request::get(address.to_string(), path);
    request.keep_alive = if case.keep_alive {
        KeepAlive::Reuse
    } else {
        KeepAlive::Close
    };
    Ok(Target { address, request })
}

fn apply(
    case: &CasePlan,
    load: &Load,
    target: &Target,
    processors: &[usize],
    run: &Run<'_>,
) -> Result<Outcome, LoadError> {
    let arrival = load.arrival(case);
    // The generator has one thread, and one processor to run it on.
    let cpus: Vec<usize> = processors.iter().copied().take(1).collect();
    if case.driver == Driver::Tcp {
        let plan = corrente_load::ping_pong::Plan {
            peer: target.address.into(),
            message_bytes: case.message_bytes,
            keep_alive: KeepAlive::Reuse,
            users: Users {
                count: load.users(case),
                warm_up: load.warm_up,
                duration: load.length,
                timeout: REQUEST_LIMIT,
                cpus,
                seed: run.seed,
            },
        };
        return corrente_load::ping_pong::run(&plan, run.interrupted, |_| {});
    }
    let plan = corrente_load::Plan {
        target: target.clone(),
        arrival,
        warm_up: load.warm_up,
        duration: load.length,
        timeout: REQUEST_LIMIT,
        seed: load.seed(),
        cpus,
        threads: 1,
        expect: Expect::default(),
    };
    corrente_load::run(&plan, run.interrupted, |_| {})
}

fn unanswered(contender: &str, case: &CasePlan, outcome: &Outcome) -> LabError {
    LabError::Answer {
        part: contender.to_owned(),
        request: format!("the load of case `{}`", case.id),
        found: format!("no right answer, but these errors: {:?}", errors(outcome)),
    }
}

fn errors(outcome: &Outcome) -> BTreeMap<String, u64> {
    outcome
        .errors
        .iter()
        .map(|(kind, count)| (name(*kind), *count))
        .collect()
}

/// The kind as the generator's own JSON names it.
fn name(kind: corrente_load::ErrorKind) -> String {
    let value = serde_json::to_value(kind).unwrap_or_default();
    value.as_str().unwrap_or("unknown").to_owned()
}

fn slice(outcome: Outcome, usage: Usage, place: Place<'_>) -> Slice {
    Slice {
        operations: outcome.completed,
        elapsed: outcome.window,
        parts: Some(outcome.parts),
        errors: errors(&outcome),
        cpu: usage.cpu,
        others_cpu: usage.others_cpu,
        peak_pss_bytes: usage.peak_pss_bytes,
        generator_busy: outcome.self_check.busy_share,
        generator_busy_itself: outcome.self_check.is_busy(),
        generator_late: outcome.self_check.is_late(),
        others_busy: usage.others_busy,
        application_busy: usage.application_busy,
        apart: place.is_apart(),
        stolen: usage.stolen,
        foreign: if place.is_apart() { usage.foreign } else { 0.0 },
        speed: None,
        extra: BTreeMap::new(),
        // Of requests that were still waiting when the load ended, only a lower bound is known; with
        // too many of them the others say nothing of the whole.
        latencies: Some(outcome.latency).filter(|_| 2 * outcome.unfinished <= outcome.completed),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_look_lasts_several_requests() {
        let rounds: Rounds =
            toml::from_str("rounds = 4\nseconds = 1.4\nwarm_up = 0.3").expect("rounds");
        let look = |latency_ms| {
            let latency = Duration::from_millis(latency_ms);
            let look = Load::calibration(rounds).for_requests_of(latency);
            (look.length.as_millis(), look.warm_up.as_millis())
        };
        assert_eq!(look(0), (700, 300));
        assert_eq!(look(20), (700, 300));
        assert_eq!(look(500), (1500, 500));
    }
}
