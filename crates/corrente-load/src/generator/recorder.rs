//! What one generator thread counts while the window is open.
//!
//! It must not know connections. It is told what happened and when; opening the window forgets the
//! warm-up. Key invariant: recording allocates nothing and reads no clock.

use std::fs;
use std::time::Duration;

use hdrhistogram::Histogram;

use crate::error::LoadError;
use crate::exchange::{Completion, Verdict};
use crate::generator::clock::thread_cpu_ns;
use crate::outcome::{ErrorKind, Outcome, empty_histogram};
use crate::self_check::SelfCheck;

/// Statuses are counted in an array with a place for each three-digit number.
const STATUSES: usize = 1000;

/// Counts and latencies of one thread.
#[derive(Debug)]
pub(crate) struct Recorder {
    opened: Option<Opened>,
    completed: u64,
    /// Parts of completed requests that lie before the window.
    before: f64,
    bytes_received: u64,
    errors: [u64; ErrorKind::ALL.len()],
    statuses: Box<[u64]>,
    latency: Histogram<u64>,
    lag: Histogram<u64>,
    queued: u64,
}

/// Requests without an answer when the window closes.
#[derive(Debug, Default)]
pub(crate) struct Unfinished {
    /// Those that were due.
    pub(crate) count: u64,
    /// When those were due that are under way.
    pub(crate) due_ns: Vec<u64>,
}

/// State of the machine when the window opened.
#[derive(Debug, Clone, Copy)]
#[expect(clippy::struct_field_names, reason = "the unit belongs into the name")]
struct Opened {
    at_ns: u64,
    cpu_ns: u64,
    waited_for_cpu_ns: Option<u64>,
}

impl Recorder {
    pub(crate) fn new() -> Result<Self, LoadError> {
        Ok(Self {
            opened: None,
            completed: 0,
            before: 0.0,
            bytes_received: 0,
            errors: [0; ErrorKind::ALL.len()],
            statuses: vec![0; STATUSES].into_boxed_slice(),
            latency: empty_histogram()?,
            lag: empty_histogram()?,
            queued: 0,
        })
    }

    /// Forgets the warm-up and opens the window.
    pub(crate) fn open_window(&mut self, now_ns: u64) {
        self.completed = 0;
        self.before = 0.0;
        self.bytes_received = 0;
        self.errors.fill(0);
        self.statuses.fill(0);
        self.latency.reset();
        self.lag.reset();
        self.queued = 0;
        self.opened = Some(Opened {
            at_ns: now_ns,
            cpu_ns: thread_cpu_ns(),
            waited_for_cpu_ns: waited_for_cpu_ns(),
        });
    }

    pub(crate) fn is_open(&self) -> bool {
        self.opened.is_some()
    }

    /// Good answers so far.
    pub(crate) fn completed(&self) -> u64 {
        self.completed
    }

    /// A request that was due then has its answer now.
    pub(crate) fn answer(&mut self, completion: Completion, due_ns: u64, now_ns: u64) {
        let latency_ns = now_ns.saturating_sub(due_ns);
        if let Some(count) = completion
            .status
            .and_then(|status| self.status_count(status))
        {
            *count += 1;
        }
        match completion.verdict {
            Verdict::Good => {
                self.completed += 1;
                self.latency.saturating_record(latency_ns);
                let opened_ns = self.opened.map_or(0, |opened| opened.at_ns);
                let before_ns = opened_ns.saturating_sub(due_ns).min(latency_ns);
                self.before += before_ns as f64 / latency_ns.max(1) as f64;
            }
            Verdict::Wrong(kind) => self.error(kind),
        }
    }

    pub(crate) fn error(&mut self, kind: ErrorKind) {
        self.errors(kind, 1);
    }

    pub(crate) fn errors(&mut self, kind: ErrorKind, count: u64) {
        self.errors[kind as usize] += count;
    }

    pub(crate) fn bytes(&mut self, bytes: u64) {
        self.bytes_received += bytes;
    }

    pub(crate) fn lag(&mut self, lag_ns: u64) {
        self.lag.saturating_record(lag_ns);
    }

    pub(crate) fn queued(&mut self) {
        self.queued += 1;
    }

    /// Closes the window; without one, for instance when stopped in the warm-up, all is empty. Of requests
    /// that are under way it is known when they were due.
    pub(crate) fn conclude(mut self, now_ns: u64, unfinished: &Unfinished) -> Outcome {
        if self.opened.is_none() {
            self.open_window(now_ns);
        }
        Outcome {
            window: Duration::from_nanos(self.window_ns(now_ns)),
            completed: self.completed,
            parts: self.parts(now_ns, unfinished),
            bytes_received: self.bytes_received,
            errors: self.errors_seen().collect(),
            statuses: self.statuses_seen().collect(),
            unfinished: unfinished.count,
            self_check: self.self_check(now_ns),
            latency: self.latency,
        }
    }

    /// Requests in the window, those that its ends cut by their parts. One that is under way is taken to last
    /// as long as the others did, if it has not lasted longer already.
    fn parts(&self, now_ns: u64, unfinished: &Unfinished) -> f64 {
        let opened_ns = self.opened.map_or(now_ns, |opened| opened.at_ns);
        let usual_ns = self.latency.mean();
        let part = |due_ns: &u64| {
            let age_ns = now_ns.saturating_sub(*due_ns) as f64;
            let within_ns = now_ns.saturating_sub(opened_ns.max(*due_ns)) as f64;
            within_ns / age_ns.max(usual_ns).max(1.0)
        };
        let begun: f64 = unfinished.due_ns.iter().map(part).sum();
        self.completed as f64 - self.before + begun
    }

    fn window_ns(&self, now_ns: u64) -> u64 {
        self.opened
            .map_or(0, |opened| now_ns.saturating_sub(opened.at_ns))
    }

    fn status_count(&mut self, status: u16) -> Option<&mut u64> {
        self.statuses.get_mut(usize::from(status))
    }

    fn errors_seen(&self) -> impl Iterator<Item = (ErrorKind, u64)> {
        let counts = ErrorKind::ALL
            .into_iter()
            .map(|kind| (kind, self.errors[kind as usize]));
        counts.filter(|&(_, count)| count > 0)
    }

    fn statuses_seen(&self) -> impl Iterator<Item = (u16, u64)> {
        (0..)
            .zip(self.statuses.iter().copied())
            .filter(|&(_, count)| count > 0)
    }

    fn self_check(&self, now_ns: u64) -> SelfCheck {
        let cpu_ns = self
            .opened
            .map_or(0, |opened| thread_cpu_ns() - opened.cpu_ns);
        let waited_before = self.opened.and_then(|opened| opened.waited_for_cpu_ns);
        let waited_ns = waited_for_cpu_ns()
            .zip(waited_before)
            .map(|(now, then)| now.saturating_sub(then));
        SelfCheck {
            cpu: Duration::from_nanos(cpu_ns),
            busy_share: self.share_of_window(cpu_ns, now_ns),
            demand_share: self.share_of_window(cpu_ns + waited_ns.unwrap_or(0), now_ns),
            waited_for_cpu: waited_ns.map(Duration::from_nanos),
            lag: self.lag.clone(),
            queued: self.queued,
        }
    }

    fn share_of_window(&self, part_ns: u64, now_ns: u64) -> f64 {
        match self.window_ns(now_ns) {
            0 => 0.0,
            window_ns => part_ns as f64 / window_ns as f64,
        }
    }
}

/// How long the calling thread has been ready to run without a CPU, in nanoseconds.
///
/// The second number of `/proc/thread-self/schedstat` (kernel documentation, sched-stats); `None`
/// where the kernel or the sandbox does not show it.
fn waited_for_cpu_ns() -> Option<u64> {
    let text = fs::read_to_string("/proc/thread-self/schedstat").ok()?;
    text.split_whitespace().nth(1)?.parse().ok()
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::exchange::After;

    fn answer(status: u16, verdict: Verdict) -> Completion {
        Completion {
            status: Some(status),
            verdict,
            connection: After::Reuse,
        }
    }

    #[test]
    fn the_warm_up_is_forgotten_and_errors_stay_out_of_the_latencies() {
        let mut recorder = Recorder::new().unwrap();
        recorder.answer(answer(200, Verdict::Good), 900, 905);
        recorder.error(ErrorKind::Connect);
        recorder.open_window(1000);
        recorder.answer(answer(200, Verdict::Good), 1000, 1007);
        recorder.answer(answer(503, Verdict::Wrong(ErrorKind::Status)), 1000, 1009);
        let unfinished = Unfinished {
            count: 4,
            ..Unfinished::default()
        };
        let outcome = recorder.conclude(3000, &unfinished);
        assert_eq!(outcome.window, Duration::from_micros(2));
        assert_eq!(
            (
                outcome.completed,
                outcome.latency.len(),
                outcome.latency.max()
            ),
            (1, 1, 7)
        );
        assert_eq!(
            outcome.errors.into_iter().collect::<Vec<_>>(),
            [(ErrorKind::Status, 1)]
        );
        assert_eq!(
            outcome.statuses.into_iter().collect::<Vec<_>>(),
            [(200, 1), (503, 1)]
        );
        assert_eq!(outcome.unfinished, 4);
    }

    /// Requests of a window of 10 ns that opened at 100, by when they were due and answered.
    fn parts(answered: &[(u64, u64)], under_way: &[u64]) -> f64 {
        let mut recorder = Recorder::new().unwrap();
        recorder.open_window(100);
        for (due_ns, now_ns) in answered {
            recorder.answer(answer(200, Verdict::Good), *due_ns, *now_ns);
        }
        let unfinished = Unfinished {
            count: under_way.len() as u64,
            due_ns: under_way.to_vec(),
        };
        recorder.conclude(110, &unfinished).parts
    }

    #[test]
    fn requests_that_the_window_cuts_count_by_their_parts() {
        let near = |found: f64, expected: f64| {
            assert!((found - expected).abs() < 1e-9, "{found}, not {expected}");
        };
        near(parts(&[(100, 104), (104, 108)], &[]), 2.0);
        // Two users whose requests take 8: a wave ends at the window's begin or in its middle.
        near(parts(&[(100, 108), (100, 108)], &[108, 108]), 2.5);
        near(parts(&[(96, 104), (96, 104)], &[104, 104]), 2.5);
        // One that has waited for longer than any other is not over for it.
        near(parts(&[(100, 104), (104, 108)], &[90]), 2.5);
        near(parts(&[], &[105]), 1.0);
    }

    #[test]
    fn every_kind_has_its_own_place() {
        for (place, kind) in ErrorKind::ALL.into_iter().enumerate() {
            assert_eq!(kind as usize, place);
        }
    }
}
