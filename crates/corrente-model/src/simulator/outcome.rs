//! What a simulation shows: throughput, latency, and how busy everything was.
//!
//! Latencies go into a histogram of three digits, so that millions of them take no memory. Only
//! what happens after the warm-up counts.

use std::time::Duration;

use hdrhistogram::Histogram;

/// The longest latency that is told apart; longer ones count as this long.
const LONGEST: Duration = Duration::from_hours(1);

/// The figures of one simulation, over the requests that counted.
#[derive(Debug, Clone, PartialEq)]
pub struct Outcome {
    /// Answers a second.
    pub throughput_per_s: f64,
    /// From sending a request to its answer.
    pub latency: Percentiles,
    /// Requests in the service or before it, on average over time.
    pub in_flight: f64,
    /// Core-seconds used, as a share of the cores.
    pub cores_busy: f64,
    /// Connection attempts that found the backlog full and came again later.
    pub turned_away: u64,
    /// Answers that counted: fewer than planned where the system stood still, or the events were used up.
    pub answered: u64,
    /// Events that it took, the warm-up's too: the work of simulating.
    pub events: u64,
}

/// Latencies, in seconds.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Percentiles {
    /// The mean.
    pub mean: f64,
    /// Half are shorter.
    pub p50: f64,
    /// Nine of ten are shorter.
    pub p90: f64,
    /// 99 of 100 are shorter.
    pub p99: f64,
    /// 999 of 1000 are shorter.
    pub p999: f64,
}

/// What a simulation used, beside the requests.
#[derive(Debug)]
pub(super) struct Used {
    /// Since the warm-up's end.
    pub(super) core_seconds: f64,
    pub(super) cores: f64,
    pub(super) turned_away: u64,
    pub(super) events: u64,
}

/// Collects latencies, and the requests in flight over time.
#[derive(Debug)]
pub(super) struct Recorder {
    latency: Histogram<u64>,
    total_latency: f64,
    in_flight: usize,
    in_flight_seconds: f64,
    updated: f64,
    began: f64,
}

impl Recorder {
    pub(super) fn new() -> Self {
        Self {
            latency: empty(),
            total_latency: 0.0,
            in_flight: 0,
            in_flight_seconds: 0.0,
            updated: 0.0,
            began: 0.0,
        }
    }

    /// Forgets what was: the warm-up is over at `now`.
    pub(super) fn begin(&mut self, now: f64) {
        self.advance(now);
        self.latency.reset();
        self.total_latency = 0.0;
        self.in_flight_seconds = 0.0;
        self.began = now;
    }

    pub(super) fn sent(&mut self, now: f64) {
        self.advance(now);
        self.in_flight += 1;
    }

    pub(super) fn answered(&mut self, now: f64, latency: f64) {
        self.advance(now);
        self.in_flight -= 1;
        self.total_latency += latency;
        self.latency.saturating_record((latency * 1e9) as u64);
    }

    pub(super) fn counted(&self) -> u64 {
        self.latency.len()
    }

    /// The figures at `now`.
    pub(super) fn outcome(&mut self, now: f64, used: &Used) -> Outcome {
        let Used {
            core_seconds,
            cores,
            turned_away,
            events,
        } = *used;
        self.advance(now);
        let span = (now - self.began).max(f64::MIN_POSITIVE);
        let answered = self.counted();
        Outcome {
            throughput_per_s: answered as f64 / span,
            latency: self.percentiles(),
            in_flight: self.in_flight_seconds / span,
            cores_busy: core_seconds / span / cores,
            turned_away,
            answered,
            events,
        }
    }

    fn percentiles(&self) -> Percentiles {
        let at = |share| self.latency.value_at_quantile(share) as f64 / 1e9;
        Percentiles {
            mean: self.total_latency / self.counted().max(1) as f64,
            p50: at(0.5),
            p90: at(0.9),
            p99: at(0.99),
            p999: at(0.999),
        }
    }

    fn advance(&mut self, now: f64) {
        self.in_flight_seconds += (now - self.updated) * self.in_flight as f64;
        self.updated = now;
    }
}

fn empty() -> Histogram<u64> {
    // Three digits over this range: the bounds are constants that the crate accepts.
    match Histogram::new_with_bounds(1, LONGEST.as_nanos() as u64, 3) {
        Ok(histogram) => histogram,
        Err(error) => unreachable!("constant bounds: {error}"),
    }
}
