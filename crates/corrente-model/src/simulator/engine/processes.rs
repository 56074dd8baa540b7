//! Processes: which strand computes, for how long, and which comes next.
//!
//! A process has one strand that computes or blocks it, and a line of those that are ready. The
//! cores are shared further down (`processor`): here a process only asks for one. What an unfair
//! pool's permits cost is no time, but a turn.

use super::strands::place_of;
use super::{Engine, RequestId, Strand, StrandId};
use crate::simulator::system::{PoolId, StationId, Step};

/// Work below this, in seconds, is rounding.
const NO_WORK: f64 = 1e-12;

impl Engine<'_> {
    /// Gives an idle process its next strand, until one keeps it.
    pub(super) fn dispatch(&mut self, process: usize) {
        while self.processes[process].current.is_none() {
            let Some(strand) = self.processes[process].ready.pop_front() else {
                return;
            };
            self.processes[process].current = Some(strand);
            self.occupy(strand, process);
        }
    }

    /// Begins, or goes on with, the step of the strand that has the process.
    pub(super) fn occupy(&mut self, strand: StrandId, process: usize) {
        let system = self.system;
        let Strand {
            request,
            track,
            step,
            work_left,
        } = self.strands[strand];
        let class = self.requests[request].class;
        match &system.classes[class].tracks[track][step] {
            Step::Block(StationId(station), _) => self.go_to_station(strand, *station),
            Step::Acquire(pool) => self.ask_again(strand, *pool),
            Step::Release(pool) => self.offer(strand, *pool),
            Step::Compute(law) if work_left <= 0.0 => {
                let work = law.draw(&mut self.random);
                self.compute(strand, process, work);
            }
            Step::Part if work_left <= 0.0 => {
                let work = self.next_part(request);
                self.compute(strand, process, work);
            }
            _ => self.compute(strand, process, work_left),
        }
    }

    /// What the next part of a request's work is: of n points that fall on what is left of it, the
    /// first one cuts it off (David and Nagaraja 2003, "Order Statistics", section 6.4).
    fn next_part(&mut self, request: RequestId) -> f64 {
        let entry = &mut self.requests[request];
        let points = entry.parts_left.saturating_sub(1);
        let share = match points {
            0 => 1.0,
            _ => 1.0 - self.random.f64().powf(1.0 / points as f64),
        };
        let part = entry.work_left * share;
        (entry.work_left, entry.parts_left) = (entry.work_left - part, points);
        part
    }

    pub(super) fn compute(&mut self, strand: StrandId, process: usize, work: f64) {
        let slice = work.min(self.system.time_slice);
        self.strands[strand].work_left = work - slice;
        self.processor.begin(self.now, process, slice);
    }

    pub(super) fn slice_ends(&mut self, process: usize) {
        let Some(strand) = self.processes[process].current else {
            return;
        };
        let work_left = self.strands[strand].work_left;
        if work_left <= NO_WORK {
            self.strands[strand].work_left = 0.0;
            self.strands[strand].step += 1;
            self.carry_on(strand);
        } else if self.processes[process].ready.is_empty() {
            self.compute(strand, process, work_left);
        } else {
            self.processes[process].ready.push_back(strand);
            self.processes[process].current = None;
            self.dispatch(process);
        }
    }

    /// A strand that was woken for a permit has its turn: it may find none.
    fn ask_again(&mut self, strand: StrandId, pool: PoolId) {
        let process = self.requests[self.strands[strand].request].process;
        let places = &mut self.pools[pool.0][place_of(self.system, pool, process)];
        if places.enter(strand).is_some() {
            self.strands[strand].step += 1;
            self.keep_or_give_up(strand);
        } else {
            self.processes[process].current = None;
        }
    }

    /// A strand gives a permit back in its turn, and wakes who has waited longest.
    fn offer(&mut self, strand: StrandId, pool: PoolId) {
        let process = self.requests[self.strands[strand].request].process;
        let places = &mut self.pools[pool.0][place_of(self.system, pool, process)];
        if let Some(woken) = places.offer() {
            let process = self.requests[self.strands[woken].request].process;
            self.processes[process].ready.push_back(woken);
            self.dispatch(process);
        }
        self.strands[strand].step += 1;
        self.keep_or_give_up(strand);
    }

    /// The strand that has the process keeps it while its steps need it, then gives it up.
    pub(super) fn carry_on(&mut self, strand: StrandId) {
        let process = self.requests[self.strands[strand].request].process;
        self.keep_or_give_up(strand);
        self.dispatch(process);
    }

    fn keep_or_give_up(&mut self, strand: StrandId) {
        let process = self.requests[self.strands[strand].request].process;
        if let Some(Step::Compute(_) | Step::Part | Step::Block(..)) = self.present_step(strand) {
            self.occupy(strand, process);
        } else {
            self.processes[process].current = None;
            self.movable.push_back(strand);
        }
    }
}
