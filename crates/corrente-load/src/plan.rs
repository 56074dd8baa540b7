//! What to do to a server: how requests arrive, for how long, and which answers count as good.
//!
//! It must not know sockets or threads. Every number a plan carries is checked against a named
//! limit before the run starts, so the generator can rely on sane values.

use std::ops::RangeInclusive;
use std::time::Duration;

use crate::error::LoadError;
use crate::exchange::Session;
use crate::peer::Peer;
use crate::target::Target;

/// Most simulated users, or connections of an open loop, in one run.
pub(crate) const CONNECTIONS_MAX: usize = 200_000;
/// Most generator threads in one run.
pub(crate) const THREADS_MAX: usize = 256;
/// Highest open-loop rate, in requests per second.
pub(crate) const RATE_MAX_PER_S: f64 = 10_000_000.0;
/// Longest warm-up, duration and timeout.
pub(crate) const DURATION_MAX: Duration = Duration::from_hours(24);
/// Longest piece of body text to look for, in bytes.
pub(crate) const BODY_CONTAINS_MAX_BYTES: usize = 4096;

/// The users of an echo, in a closed loop on one thread.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Users {
    /// How many, which is also connections.
    pub count: usize,
    /// Load that is made but not recorded, before the measured window.
    pub warm_up: Duration,
    /// Length of the measured window.
    pub duration: Duration,
    /// How long one echo may take before it is given up.
    pub timeout: Duration,
    /// CPUs to pin the generator thread to; the first counts, empty means no pinning.
    pub cpus: Vec<usize>,
    /// Decides the content of the messages.
    pub seed: u64,
}

impl Users {
    pub(crate) fn session(&self, peer: Peer) -> Result<Session, LoadError> {
        let session = Session {
            peer,
            arrival: Arrival::Closed { users: self.count },
            warm_up: self.warm_up,
            duration: self.duration,
            timeout: self.timeout,
            seed: self.seed,
            cpus: self.cpus.clone(),
            threads: 1,
        };
        session.check()?;
        Ok(session)
    }
}

/// How requests come to the server.
#[derive(Debug, Clone, Copy, PartialEq)]
pub enum Arrival {
    /// Each user sends, waits for the answer, and sends again.
    Closed {
        /// Users, which is also connections.
        users: usize,
    },
    /// Requests come at their own times, whether or not the server keeps up.
    ///
    /// Latency counts from the due time, so waiting for a free connection is part of it.
    Open {
        /// Requests per second, of all threads together.
        rate_per_s: f64,
        /// How the times are spread.
        process: Process,
        /// Most connections open at once, of all threads together.
        connections_max: usize,
    },
}

/// How the due times of an open loop are spread.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Process {
    /// Evenly spaced.
    Constant,
    /// Independent of each other, as of many users who do not know of each other.
    Poisson,
}

/// Which answers count as good; everything else is an error and stays out of the latencies.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Expect {
    /// Good status codes.
    pub statuses: StatusSet,
    /// Bytes that every body must contain; checked only if given, because it costs time.
    pub body_contains: Option<Vec<u8>>,
}

impl Default for Expect {
    fn default() -> Self {
        Self {
            statuses: StatusSet::success(),
            body_contains: None,
        }
    }
}

/// A set of HTTP status codes.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct StatusSet {
    ranges: Vec<RangeInclusive<u16>>,
}

impl StatusSet {
    /// 200 to 299.
    pub fn success() -> Self {
        Self {
            ranges: vec![200..=299],
        }
    }

    /// One status.
    pub fn only(status: u16) -> Self {
        Self {
            ranges: vec![status..=status],
        }
    }

    /// Whether `status` is in the set.
    pub fn contains(&self, status: u16) -> bool {
        self.ranges.iter().any(|range| range.contains(&status))
    }

    /// Reads `2xx`, `200`, `200-204`, or several of them with commas between.
    pub fn parse(text: &str) -> Result<Self, LoadError> {
        let ranges = text
            .split(',')
            .map(|part| range(part.trim()))
            .collect::<Option<Vec<_>>>();
        ranges.map(|ranges| Self { ranges }).ok_or_else(|| {
            LoadError::setting("expected status", "like 2xx, 200, 200-204 or 2xx,304", text)
        })
    }
}

fn range(part: &str) -> Option<RangeInclusive<u16>> {
    let status = |text: &str| {
        text.parse()
            .ok()
            .filter(|status| (100..=599).contains(status))
    };
    if let Some(class) = part.strip_suffix("xx") {
        let first = status(&format!("{class}00"))?;
        return Some(first..=first + 99);
    }
    let (first, last) = part.split_once('-').unwrap_or((part, part));
    let (first, last) = (status(first)?, status(last)?);
    (first <= last).then_some(first..=last)
}

/// One HTTP load run.
#[derive(Debug, Clone, PartialEq)]
pub struct Plan {
    /// Whom to ask for what.
    pub target: Target,
    /// How requests arrive.
    pub arrival: Arrival,
    /// Load that is made but not recorded, before the measured window.
    pub warm_up: Duration,
    /// Length of the measured window.
    pub duration: Duration,
    /// How long one request may take, from when it was due, before it is given up.
    pub timeout: Duration,
    /// The same seed gives the same due times and the same choice of paths.
    pub seed: u64,
    /// CPUs to pin the generator threads to, in turn; empty means no pinning.
    pub cpus: Vec<usize>,
    /// Generator threads; users and rate are spread over them.
    pub threads: usize,
    /// Which answers are good.
    pub expect: Expect,
}

impl Plan {
    /// A plan with the defaults: 1 s warm-up, 10 s window, 10 s timeout, one thread, not pinned.
    pub fn new(target: Target, arrival: Arrival) -> Self {
        Self {
            target,
            arrival,
            warm_up: Duration::from_secs(1),
            duration: Duration::from_secs(10),
            timeout: Duration::from_secs(10),
            seed: 0,
            cpus: Vec::new(),
            threads: 1,
            expect: Expect::default(),
        }
    }

    /// The part of the plan that does not depend on the protocol, checked.
    pub(crate) fn session(&self) -> Result<Session, LoadError> {
        self.target.request.check()?;
        let needle = self.expect.body_contains.as_ref().map_or(1, Vec::len);
        within(
            "expected body text",
            needle,
            1..=BODY_CONTAINS_MAX_BYTES,
            "bytes",
        )?;
        let session = Session {
            peer: self.target.address.into(),
            arrival: self.arrival,
            warm_up: self.warm_up,
            duration: self.duration,
            timeout: self.timeout,
            seed: self.seed,
            cpus: self.cpus.clone(),
            threads: self.threads,
        };
        session.check()?;
        Ok(session)
    }
}

impl Session {
    /// Holds every number against its limit.
    pub(crate) fn check(&self) -> Result<(), LoadError> {
        within("threads", self.threads, 1..=THREADS_MAX, "threads")?;
        let connections = self.arrival.connections();
        within(
            "users or connections_max",
            connections,
            1..=CONNECTIONS_MAX,
            "connections",
        )?;
        if connections < self.threads {
            let expected = format!("at least the number of threads, {}", self.threads);
            return Err(LoadError::setting(
                "users or connections_max",
                expected,
                connections,
            ));
        }
        if let Arrival::Open { rate_per_s, .. } = self.arrival
            && !(rate_per_s > 0.0 && rate_per_s <= RATE_MAX_PER_S)
        {
            let expected = format!("above 0 and at most {RATE_MAX_PER_S} per second");
            return Err(LoadError::setting("rate", expected, rate_per_s));
        }
        let least = Duration::from_millis(1);
        within_time("warm-up", self.warm_up, Duration::ZERO)?;
        within_time("duration", self.duration, least)?;
        within_time("timeout", self.timeout, least)
    }
}

impl Arrival {
    /// Most connections open at once.
    pub(crate) fn connections(&self) -> usize {
        match *self {
            Self::Closed { users } => users,
            Self::Open {
                connections_max, ..
            } => connections_max,
        }
    }
}

/// Refuses a number outside `range`.
pub(crate) fn within(
    setting: &'static str,
    value: usize,
    range: RangeInclusive<usize>,
    unit: &str,
) -> Result<(), LoadError> {
    if range.contains(&value) {
        return Ok(());
    }
    let expected = format!("{} to {} {unit}", range.start(), range.end());
    Err(LoadError::setting(setting, expected, value))
}

fn within_time(setting: &'static str, value: Duration, least: Duration) -> Result<(), LoadError> {
    if (least..=DURATION_MAX).contains(&value) {
        return Ok(());
    }
    let expected = format!("{least:?} to {DURATION_MAX:?}");
    Err(LoadError::setting(setting, expected, format!("{value:?}")))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn plan() -> Plan {
        Plan::new(
            Target::parse("http://127.0.0.1:1/").unwrap(),
            Arrival::Closed { users: 1 },
        )
    }

    fn refusal(change: impl FnOnce(&mut Plan)) -> String {
        let mut plan = plan();
        change(&mut plan);
        plan.session().map(|_| ()).unwrap_err().to_string()
    }

    #[test]
    fn status_sets_are_read_and_refused() {
        let set = StatusSet::parse("2xx, 304,400-404").unwrap();
        for (status, expected) in [
            (200, true),
            (299, true),
            (300, false),
            (304, true),
            (405, false),
        ] {
            assert_eq!(set.contains(status), expected, "{status}");
        }
        for text in ["", "xx", "2x", "99", "204-200", "600", "200,,"] {
            assert!(StatusSet::parse(text).is_err(), "{text:?}");
        }
    }

    #[test]
    fn numbers_out_of_range_are_named_in_the_error() {
        let open = |rate_per_s| Arrival::Open {
            rate_per_s,
            process: Process::Poisson,
            connections_max: 1,
        };
        assert!(refusal(|plan| plan.threads = 0).contains("threads must be 1 to 256"));
        assert!(refusal(|plan| plan.threads = 2).contains("number of threads, 2, found 1"));
        assert!(refusal(|plan| plan.arrival = open(0.0)).contains("rate must be above 0"));
        assert!(refusal(|plan| plan.arrival = open(f64::NAN)).contains("found NaN"));
        assert!(refusal(|plan| plan.duration = Duration::ZERO).contains("duration must be 1ms"));
        assert!(refusal(|plan| plan.expect.body_contains = Some(vec![])).contains("body text"));
    }
}
