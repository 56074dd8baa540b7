//! Watching a contender while it is under load: CPU time, memory, and how busy the processors are.
//!
//! [`watch`] runs a measurement and looks at the process trees before, during and after it. The
//! sampler runs on the processors of the generator, never on the application's, and takes a look
//! four times a second: reading the memory of a tree costs it a few milliseconds.

use std::sync::mpsc::{Receiver, RecvTimeoutError, channel};
use std::time::{Duration, Instant};

use crate::machine::ProcessorTicks;
use crate::process_tree::{self, CpuSnapshot};

/// A look that saw less than this share of a measurement says nothing of it.
const SEEN_MIN: f64 = 0.25;

/// Pace of memory samples.
const SAMPLE_EVERY: Duration = Duration::from_millis(250);

/// Whose resources are counted, and where.
#[derive(Debug)]
pub(crate) struct Watched<'run> {
    /// Root of the contender's tree.
    pub(crate) contender: u32,
    /// Roots of origin and database.
    pub(crate) others: &'run [u32],
    /// Processors of the application.
    pub(crate) application_processors: &'run [usize],
    /// Processors of generator, origin and database.
    pub(crate) other_processors: &'run [usize],
}

/// What was used meanwhile.
#[derive(Debug, Clone, Default)]
pub(crate) struct Usage {
    pub(crate) cpu: Duration,
    pub(crate) others_cpu: Duration,
    pub(crate) peak_pss_bytes: u64,
    pub(crate) application_busy: f64,
    pub(crate) others_busy: f64,
    pub(crate) stolen: f64,
    /// Share of the application's processors that went to programs outside the contender's tree; 0
    /// where none is named.
    pub(crate) foreign: f64,
}

/// Runs `measurement` and tells what it used after its first `warm_up`, in which nothing counts.
pub(crate) fn watch<T>(
    watched: &Watched<'_>,
    warm_up: Duration,
    measurement: impl FnOnce() -> T,
) -> (T, Usage) {
    let (done, wait) = channel::<()>();
    let due = Instant::now() + warm_up;
    std::thread::scope(|scope| {
        let sampler = scope.spawn(move || sample(watched, warm_up, &wait));
        let result = measurement();
        let after = Counters::read(watched);
        drop(done);
        // The sampler only reads files; were it to panic, the figures would be missing.
        let usage = sampler.join().map(|(before, peak_pss_bytes)| Usage {
            peak_pss_bytes,
            ..after.since(&before).of_all(seen(due, before.at, after.at))
        });
        (result, usage.unwrap_or_default())
    })
}

/// Reads the counters at the warm-up's end, and the greatest memory until the measurement is done.
fn sample(watched: &Watched<'_>, warm_up: Duration, wait: &Receiver<()>) -> (Counters, u64) {
    process_tree::pin_this_thread(watched.other_processors);
    if !warm_up.is_zero() {
        wait.recv_timeout(warm_up).ok();
    }
    let before = Counters::read(watched);
    let mut peak = 0;
    loop {
        let finished = wait.recv_timeout(SAMPLE_EVERY) != Err(RecvTimeoutError::Timeout);
        let processes = process_tree::tree(watched.contender);
        peak = peak.max(process_tree::proportional_set_size(&processes));
        if finished {
            return (before, peak);
        }
    }
}

/// The share of a measurement that was seen. The sampler begins late where it waits for a processor itself.
fn seen(due: Instant, before: Instant, after: Instant) -> f64 {
    let all = after.saturating_duration_since(due).as_secs_f64();
    let seen = after.saturating_duration_since(before).as_secs_f64();
    if all > 0.0 {
        (seen / all).min(1.0)
    } else {
        0.0
    }
}

impl Usage {
    /// Processor times of all of a measurement, given what was seen of a share of it; none, as where nothing was
    /// read, where that is too little. The others are shares or peaks.
    fn of_all(self, seen: f64) -> Self {
        let of_all = |time: Duration| {
            if seen < SEEN_MIN {
                Duration::ZERO
            } else {
                time.div_f64(seen)
            }
        };
        Self {
            cpu: of_all(self.cpu),
            others_cpu: of_all(self.others_cpu),
            ..self
        }
    }
}

struct Counters {
    at: Instant,
    processors: usize,
    contender: CpuSnapshot,
    others: CpuSnapshot,
    application: ProcessorTicks,
    rest: ProcessorTicks,
}

impl Counters {
    fn read(watched: &Watched<'_>) -> Self {
        let others: Vec<u32> = watched
            .others
            .iter()
            .flat_map(|root| process_tree::tree(*root))
            .collect();
        Self {
            at: Instant::now(),
            processors: watched.application_processors.len(),
            contender: CpuSnapshot::of_tree(watched.contender),
            others: CpuSnapshot::of_processes(&others),
            application: ProcessorTicks::read(watched.application_processors),
            rest: ProcessorTicks::read(watched.other_processors),
        }
    }

    fn since(&self, before: &Self) -> Usage {
        let application = self.application.since(before.application);
        let rest = self.rest.since(before.rest);
        let cpu = self.contender.since(&before.contender);
        let available = self.at.duration_since(before.at) * self.processors as u32;
        Usage {
            foreign: foreign(application.busy, cpu, available),
            cpu,
            others_cpu: self.others.since(&before.others),
            peak_pss_bytes: 0,
            application_busy: application.busy,
            others_busy: rest.busy,
            stolen: application.stolen.max(rest.stolen),
        }
    }
}

/// What the kernel counts for processors beyond what it counts for the contender. Interrupts and the
/// kernel's own threads are part of it: in quiet runs of the lab up to a twentieth.
fn foreign(busy: f64, contender: Duration, available: Duration) -> f64 {
    if available.is_zero() {
        return 0.0;
    }
    (busy - contender.as_secs_f64() / available.as_secs_f64()).max(0.0)
}

#[cfg(test)]
mod tests {
    use std::process::Command;

    use super::*;

    #[test]
    fn what_is_used_while_warming_up_does_not_count() {
        let mut child = Command::new("sh")
            .args(["-c", "while :; do :; done"])
            .spawn()
            .expect("a shell");
        let watched = Watched {
            contender: child.id(),
            others: &[],
            application_processors: &[],
            other_processors: &[],
        };
        let half = Duration::from_millis(150);
        let end = Instant::now() + 2 * half;
        let ((), usage) = watch(&watched, half, || while Instant::now() < end {});
        child.kill().expect("it still runs");
        child.wait().expect("a child");
        assert!(usage.cpu > Duration::ZERO);
        assert!(usage.cpu < half * 3 / 2, "{:?}", usage.cpu);
    }

    #[test]
    fn a_look_that_began_late_stands_for_the_whole() {
        let second = Duration::from_secs(1);
        let due = Instant::now();
        let share = |late_ms| seen(due, due + Duration::from_millis(late_ms), due + second);
        let used = |share: f64| {
            let usage = Usage {
                cpu: second / 4,
                others_cpu: second / 8,
                ..Usage::default()
            };
            let whole = usage.of_all(share);
            (whole.cpu, whole.others_cpu)
        };
        assert_eq!(used(share(0)), (second / 4, second / 8));
        assert_eq!(used(share(500)), (second / 2, second / 4));
        // The sampler got no processor until it was nearly over, or quite.
        for late_ms in [900, 1000, 1100] {
            assert_eq!(used(share(late_ms)), (Duration::ZERO, Duration::ZERO));
        }
        // It may be a little early, too, and nothing may be due yet when all is over.
        assert!((seen(due + second, due, due + 2 * second) - 1.0).abs() < 1e-9);
        assert!(seen(due + second, due, due).abs() < 1e-9);
    }

    #[test]
    fn what_the_contender_did_not_use_is_foreign() {
        let second = Duration::from_secs(1);
        let share = |busy, contender| foreign(busy, contender, 2 * second);
        assert!((share(0.8, second) - 0.3).abs() < 1e-9);
        assert!(share(0.4, second).abs() < 1e-9);
        assert!(foreign(1.0, second, Duration::ZERO).abs() < 1e-9);
    }
}
