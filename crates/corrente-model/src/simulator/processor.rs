//! The cores: processes that compute share them equally (egalitarian processor sharing).
//!
//! With n computing processes on c cores each runs at the rate min(1, c / n). A common virtual time
//! advances at that rate, so a piece of work that begins ends at a virtual time that never changes
//! (Parekh and Gallager 1993, generalised processor sharing), and nothing is recomputed when a
//! process comes or goes.

use super::events::Events;

/// The shared cores.
#[derive(Debug)]
pub(super) struct Processor {
    cores: f64,
    computing: Events<usize>,
    virtual_time: f64,
    updated: f64,
    busy: f64,
}

impl Processor {
    pub(super) fn new(cores: f64) -> Self {
        Self {
            cores,
            computing: Events::new(),
            virtual_time: 0.0,
            updated: 0.0,
            busy: 0.0,
        }
    }

    /// `process` computes for `work` seconds of a core from `now`.
    pub(super) fn begin(&mut self, now: f64, process: usize, work: f64) {
        self.advance(now);
        self.computing.push(self.virtual_time + work, process);
    }

    /// When the next piece of work ends, if nothing else begins; infinity when all are idle.
    pub(super) fn next_time(&self) -> f64 {
        let remaining = self.computing.next_time() - self.virtual_time;
        self.updated + remaining.max(0.0) / self.rate()
    }

    /// Ends the piece of work that is next, at its time; its process.
    pub(super) fn end(&mut self, now: f64) -> Option<usize> {
        self.advance(now);
        // Rounding must not leave a finished piece in the virtual future of the next one.
        self.virtual_time = self
            .virtual_time
            .max(self.computing.next_time().min(f64::MAX));
        self.computing.pop()
    }

    /// Core-seconds used until `now`.
    pub(super) fn busy_until(&mut self, now: f64) -> f64 {
        self.advance(now);
        self.busy
    }

    fn rate(&self) -> f64 {
        (self.cores / self.computing.len().max(1) as f64).min(1.0)
    }

    fn advance(&mut self, now: f64) {
        let passed = now - self.updated;
        if self.computing.len() > 0 && passed > 0.0 {
            self.virtual_time += passed * self.rate();
            self.busy += passed * self.rate() * self.computing.len() as f64;
        }
        self.updated = now;
    }
}

#[cfg(test)]
#[allow(clippy::float_cmp, reason = "these times are exact in binary")]
mod tests {
    use super::*;

    #[test]
    fn two_processes_on_one_core_take_twice_as_long() {
        let mut processor = Processor::new(1.0);
        processor.begin(0.0, 0, 1.0);
        processor.begin(0.0, 1, 2.0);
        assert_eq!(processor.next_time(), 2.0);
        assert_eq!(processor.end(2.0), Some(0));
        assert_eq!(processor.next_time(), 3.0);
        assert_eq!(processor.end(3.0), Some(1));
        assert_eq!(processor.busy_until(10.0), 3.0);
    }

    #[test]
    fn an_idle_core_does_not_speed_one_process_up() {
        let mut processor = Processor::new(2.0);
        processor.begin(5.0, 0, 1.0);
        assert_eq!(processor.next_time(), 6.0);
    }
}
