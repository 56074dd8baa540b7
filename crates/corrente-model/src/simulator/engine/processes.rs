//! Processes: which strand computes, for how long, and which comes next.
//!
//! A process has one strand that computes or blocks it, and a line of those that are ready. The
//! cores are shared further down (`processor`): here a process only asks for one.

use super::{Engine, Strand, StrandId};
use crate::simulator::system::{StationId, Step};

/// Work below this, in seconds, is rounding.
const NO_WORK: f64 = 1e-12;

impl Engine<'_> {
    /// Gives an idle process its next strand.
    pub(super) fn dispatch(&mut self, process: usize) {
        if self.processes[process].current.is_some() {
            return;
        }
        if let Some(strand) = self.processes[process].ready.pop_front() {
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
            Step::Compute(law) if work_left <= 0.0 => {
                let work = law.draw(&mut self.random);
                self.compute(strand, process, work);
            }
            _ => self.compute(strand, process, work_left),
        }
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

    /// The strand that has the process keeps it while its steps need it, then gives it up.
    pub(super) fn carry_on(&mut self, strand: StrandId) {
        let process = self.requests[self.strands[strand].request].process;
        if let Some(Step::Compute(_) | Step::Block(..)) = self.present_step(strand) {
            self.occupy(strand, process);
        } else {
            self.processes[process].current = None;
            self.movable.push_back(strand);
            self.dispatch(process);
        }
    }
}
