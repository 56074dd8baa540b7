//! Whether a thread has run since the last look, for a microsecond.
//!
//! `/proc/PID/task/TID/schedstat` ends in the number of times that the thread has come onto a
//! processor (kernel documentation, sched-stats). A thread that was asleep and has come no more often
//! is still asleep, in the same call, with the same stack. The file stays open: reading it again
//! costs a tenth of opening it.

use std::fs::File;
use std::os::unix::fs::FileExt;

use super::blocked::Kernel;
use super::process::{self, ThreadTimes, times_in};

/// Bytes of the file at most: three numbers of 64 bits.
const BYTES: usize = 72;

/// How often a thread had run when it was last looked at.
#[derive(Debug)]
pub(super) struct Mark {
    file: Option<File>,
    /// Nothing where it cannot be told.
    runs: Option<u64>,
    /// At the last look it was asleep, or woken but not on a processor.
    off: bool,
}

impl Mark {
    pub(super) fn new(pid: u32, thread: u32) -> Self {
        Self {
            file: process::schedstat(pid, thread).ok(),
            runs: None,
            off: false,
        }
    }

    /// Asks what the thread does and remembers how often it has run. One that was off the processor
    /// and has not come onto it since, but sleeps no more, is ready. The times are those of a thread
    /// that is asleep: the kernel brings them up to date when a thread goes to sleep.
    pub(super) fn look(
        &mut self,
        state: impl FnOnce() -> Option<Kernel>,
    ) -> Option<(Kernel, Option<ThreadTimes>)> {
        let before = self.now();
        let mut state = state()?;
        let after = self.now();
        let runs = |now: &Option<Now>| now.as_ref().map(|now| now.runs);
        if state == Kernel::Running && self.off && self.runs.is_some() && self.runs == runs(&after)
        {
            state = Kernel::Ready;
        }
        // What has run meanwhile was perhaps asleep only after that.
        self.runs = runs(&before);
        self.off = state != Kernel::Running;
        let asleep = self.off && state != Kernel::Ready && runs(&before) == runs(&after);
        Some((state, after.filter(|_| asleep).map(|now| now.times)))
    }

    /// Whether it has run since the last look, as far as can be told: when in doubt it has.
    pub(super) fn has_run(&self) -> bool {
        self.runs.is_none() || self.runs != self.now().map(|now| now.runs)
    }

    fn now(&self) -> Option<Now> {
        let mut bytes = [0; BYTES];
        let length = self.file.as_ref()?.read_at(&mut bytes, 0).ok()?;
        let text = std::str::from_utf8(bytes.get(..length)?).ok()?;
        let runs = text.split_ascii_whitespace().nth(2)?.parse().ok()?;
        Some(Now {
            times: times_in(text),
            runs,
        })
    }
}

/// What the file says.
struct Now {
    times: ThreadTimes,
    runs: u64,
}

#[cfg(test)]
mod tests {
    use std::sync::mpsc::channel;

    use super::*;

    #[test]
    fn a_thread_that_sleeps_has_not_run_and_one_that_wakes_has() {
        let (number, numbers) = channel();
        let (wake, woken) = channel::<()>();
        let (answer, answers) = channel();
        let thread = std::thread::spawn(move || {
            let id = rustix::thread::gettid().as_raw_nonzero().get();
            number
                .send(u32::try_from(id).expect("is positive"))
                .expect("is heard");
            while woken.recv().is_ok() {
                answer.send(()).expect("is heard");
            }
        });
        let own = std::process::id();
        let thread_number = numbers.recv().expect("is told");
        let mut mark = Mark::new(own, thread_number);
        wake.send(()).expect("it listens");
        answers.recv().expect("it answers");
        let mut look = || mark.look(|| process::kernel(own, thread_number));
        // It is on its way to sleep again.
        while look().is_none_or(|(state, times)| state == Kernel::Running || times.is_none()) {
            std::thread::yield_now();
        }
        assert!(!mark.has_run());
        // It has not run, and yet it does not sleep: it has been woken.
        let seen = mark.look(|| Some(Kernel::Running));
        assert_eq!(seen, Some((Kernel::Ready, None)));
        wake.send(()).expect("it listens");
        answers.recv().expect("it answers");
        assert!(mark.has_run());
        let seen = mark.look(|| Some(Kernel::Running));
        assert_eq!(seen, Some((Kernel::Running, None)));
        drop(wake);
        thread.join().expect("ends");
    }

    #[test]
    fn what_cannot_be_read_counts_as_run() {
        let mut mark = Mark::new(std::process::id(), u32::MAX);
        let seen = mark.look(|| Some(Kernel::Sleep));
        assert_eq!(seen, Some((Kernel::Sleep, None)));
        assert!(mark.has_run());
    }
}
