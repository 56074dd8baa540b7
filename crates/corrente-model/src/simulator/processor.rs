//! The cores: processes that compute take turns on them, a slice each (round robin).
//!
//! That is what Linux does with equal processes: one that computes briefly is not interrupted, one
//! that computes long is, every few milliseconds. As the slice goes to zero this becomes
//! processor sharing (Kleinrock 1967). A quota of 1.5 cores is two cores of 3/4 the speed.
//!
//! A turn ends at a tick of the kernel's clock, so its length has a part that is chance. Without it,
//! equal processes whose work is a little longer than a turn would come to wait all at once.

use std::collections::VecDeque;

use super::events::Events;
use super::system::System;

/// Added to a simulation's seed, so that turns draw other numbers than requests do.
const SEED: u64 = 0xD1B5_4A32_D192_ED03;

/// A process and the seconds of work that it has left.
#[derive(Debug, Clone, Copy)]
struct Job {
    process: usize,
    work: f64,
}

/// The shared cores.
#[derive(Debug)]
pub(super) struct Processor {
    cores: usize,
    speed: f64,
    slice: f64,
    tick: f64,
    random: fastrand::Rng,
    running: Events<Job>,
    queue: VecDeque<Job>,
    updated: f64,
    busy: f64,
}

impl Processor {
    pub(super) fn new(system: &System, seed: u64) -> Self {
        let whole = system.cores.ceil().max(1.0);
        Self {
            cores: whole as usize,
            speed: system.cores / whole,
            slice: system.core_slice,
            tick: system.core_tick,
            random: fastrand::Rng::with_seed(seed.wrapping_add(SEED)),
            running: Events::new(),
            queue: VecDeque::new(),
            updated: 0.0,
            busy: 0.0,
        }
    }

    /// `process` computes for `work` seconds of a core from `now`.
    pub(super) fn begin(&mut self, now: f64, process: usize, work: f64) {
        let job = Job { process, work };
        if self.running.len() < self.cores {
            self.run(now, job);
        } else {
            self.queue.push_back(job);
        }
    }

    /// When the next turn ends; infinity when all cores are idle.
    pub(super) fn next_time(&self) -> f64 {
        self.running.next_time()
    }

    /// Ends the turn that ends at `now`; the process, where it has done its work.
    pub(super) fn end(&mut self, now: f64) -> Option<usize> {
        self.advance(now);
        let job = self.running.pop()?;
        let unfinished = job.work > 0.0;
        if unfinished {
            self.queue.push_back(job);
        }
        if let Some(next) = self.queue.pop_front() {
            self.run(now, next);
        }
        (!unfinished).then_some(job.process)
    }

    /// Core-seconds used until `now`.
    pub(super) fn busy_until(&mut self, now: f64) -> f64 {
        self.advance(now);
        self.busy
    }

    /// Gives a core to a job for one turn; what is left of it after that stays with it.
    fn run(&mut self, now: f64, job: Job) {
        self.advance(now);
        let turn = job.work.min(self.slice + self.tick * self.random.f64());
        let left = Job {
            work: job.work - turn,
            ..job
        };
        self.running.push(now + turn / self.speed, left);
    }

    fn advance(&mut self, now: f64) {
        self.busy += (now - self.updated) * self.running.len() as f64 * self.speed;
        self.updated = now;
    }
}

#[cfg(test)]
#[allow(clippy::float_cmp, reason = "these times are exact in binary")]
mod tests {
    use super::*;
    use crate::simulator::Intake;

    fn system(cores: f64, core_slice: f64) -> System {
        System {
            cores,
            core_slice,
            core_tick: 0.0,
            processes: 1,
            slots: 1,
            time_slice: f64::INFINITY,
            intake: Intake::Shared,
            backlog: 1,
            stations: Vec::new(),
            pools: Vec::new(),
            classes: Vec::new(),
        }
    }

    fn processor(cores: f64, slice: f64) -> Processor {
        Processor::new(&system(cores, slice), 1)
    }

    #[test]
    fn two_processes_take_turns_on_one_core() {
        let mut processor = processor(1.0, 0.5);
        processor.begin(0.0, 0, 1.0);
        processor.begin(0.0, 1, 0.5);
        assert_eq!(processor.end(processor.next_time()), None);
        assert_eq!((processor.next_time(), processor.end(1.0)), (1.0, Some(1)));
        assert_eq!((processor.next_time(), processor.end(1.5)), (1.5, Some(0)));
        assert_eq!(processor.busy_until(10.0), 1.5);
    }

    #[test]
    fn a_quota_slows_and_an_idle_core_does_not_help() {
        let mut processor = processor(1.5, 10.0);
        processor.begin(5.0, 0, 0.75);
        assert_eq!(processor.next_time(), 6.0);
        assert_eq!(processor.end(6.0), Some(0));
        assert_eq!(processor.busy_until(6.0), 0.75);
        assert_eq!(processor.next_time(), f64::INFINITY);
    }

    #[test]
    fn a_turn_ends_at_a_tick() {
        let mut processor = Processor::new(
            &System {
                core_tick: 4.0,
                ..system(1.0, 3.0)
            },
            1,
        );
        processor.begin(0.0, 0, 100.0);
        let mut turns = Vec::new();
        while processor.next_time().is_finite() {
            let before = turns.iter().sum::<f64>();
            let now = processor.next_time();
            turns.push(now - before);
            processor.end(now);
        }
        let all = &turns[..turns.len() - 1];
        assert!(all.iter().all(|turn| (3.0..=7.0).contains(turn)), "{all:?}");
        assert!(all.iter().any(|turn| *turn > 5.0) && all.iter().any(|turn| *turn < 5.0));
    }
}
