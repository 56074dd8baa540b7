//! Watching a contender while it is under load: CPU time, memory, and how busy the processors are.
//!
//! [`watch`] runs a measurement and looks at the process trees before, during and after it. The
//! sampler runs on the processors of the generator, never on the application's, and takes a look
//! four times a second: reading the memory of a tree costs it a few milliseconds.

use std::sync::mpsc::{RecvTimeoutError, channel};
use std::time::Duration;

use crate::machine::ProcessorTicks;
use crate::process_tree::{self, CpuSnapshot};

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
}

/// Runs `measurement` and tells what it used.
pub(crate) fn watch<T>(watched: &Watched<'_>, measurement: impl FnOnce() -> T) -> (T, Usage) {
    let (done, wait) = channel::<()>();
    std::thread::scope(|scope| {
        let sampler = scope.spawn(move || {
            process_tree::pin_this_thread(watched.other_processors);
            let mut peak = 0;
            loop {
                let finished = wait.recv_timeout(SAMPLE_EVERY) != Err(RecvTimeoutError::Timeout);
                let processes = process_tree::tree(watched.contender);
                peak = peak.max(process_tree::proportional_set_size(&processes));
                if finished {
                    return peak;
                }
            }
        });
        let before = Counters::read(watched);
        let result = measurement();
        let after = Counters::read(watched);
        drop(done);
        let mut usage = after.since(&before);
        // The sampler only reads files; were it to panic, the memory figure would be missing.
        usage.peak_pss_bytes = sampler.join().unwrap_or(0);
        (result, usage)
    })
}

struct Counters {
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
            contender: CpuSnapshot::of_tree(watched.contender),
            others: CpuSnapshot::of_processes(&others),
            application: ProcessorTicks::read(watched.application_processors),
            rest: ProcessorTicks::read(watched.other_processors),
        }
    }

    fn since(&self, before: &Self) -> Usage {
        let application = self.application.since(before.application);
        let rest = self.rest.since(before.rest);
        Usage {
            cpu: self.contender.since(&before.contender),
            others_cpu: self.others.since(&before.others),
            peak_pss_bytes: 0,
            application_busy: application.busy,
            others_busy: rest.busy,
            stolen: application.stolen.max(rest.stolen),
        }
    }
}
