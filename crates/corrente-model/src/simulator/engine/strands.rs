//! Strands: each takes its steps until it has to wait, and goes on when what it waited for comes.
//!
//! A strand never takes two steps that need time in one call: it becomes movable, computes in its
//! process, or stands in a line, and is found there by whoever frees it.

use super::{Engine, Event, Request, RequestId, Strand, StrandId};
use crate::simulator::system::{Discipline, PoolId, Scope, StationId, Step, System};

impl<'a> Engine<'a> {
    pub(super) fn proceed(&mut self, strand: StrandId) {
        let system = self.system;
        let Strand {
            request,
            track,
            step,
            ..
        } = self.strands[strand];
        let Request { class, process, .. } = self.requests[request];
        match system.classes[class].tracks[track].get(step) {
            None => self.end_strand(strand),
            Some(Step::Compute(_) | Step::Part | Step::Block(..)) => {
                self.processes[process].ready.push_back(strand);
                self.dispatch(process);
            }
            Some(Step::Wait(StationId(station), _)) => self.go_to_station(strand, *station),
            Some(Step::Acquire(pool)) => {
                let places = &mut self.pools[pool.0][place_of(system, *pool, process)];
                if let Some(strand) = places.enter(strand) {
                    self.go_on(strand);
                }
            }
            Some(Step::Release(pool)) if system.pools[pool.0].discipline == Discipline::Barging => {
                self.processes[process].ready.push_back(strand);
                self.dispatch(process);
            }
            Some(Step::Release(pool)) => {
                let places = &mut self.pools[pool.0][place_of(system, *pool, process)];
                if let Some(next) = places.leave() {
                    self.go_on(next);
                }
                self.go_on(strand);
            }
            Some(Step::Fork { first, count }) => self.fork(request, *first, *count),
        }
    }

    /// The present step is done: the next one may be taken.
    pub(super) fn go_on(&mut self, strand: StrandId) {
        self.strands[strand].step += 1;
        self.movable.push_back(strand);
    }

    pub(super) fn fork(&mut self, request: RequestId, first: usize, count: usize) {
        self.requests[request].forked = count;
        for track in first..first + count {
            let strand = self.strands.insert(Strand {
                request,
                track,
                step: 0,
                work_left: 0.0,
            });
            self.movable.push_back(strand);
        }
    }

    pub(super) fn end_strand(&mut self, strand: StrandId) {
        let Strand { request, track, .. } = self.strands.remove(strand);
        if track == 0 {
            self.answer(request);
            return;
        }
        self.requests[request].forked -= 1;
        if self.requests[request].forked == 0 {
            self.go_on(self.requests[request].main);
        }
    }

    pub(super) fn go_to_station(&mut self, strand: StrandId, station: usize) {
        if let Some(strand) = self.stations[station].enter(strand) {
            self.serve(strand);
        }
    }

    pub(super) fn serve(&mut self, strand: StrandId) {
        if let Some(Step::Wait(_, law) | Step::Block(_, law)) = self.present_step(strand) {
            let at = self.now + law.draw(&mut self.random);
            self.events.push(at, Event::Served(strand));
        }
    }

    pub(super) fn served(&mut self, strand: StrandId) {
        let (station, holds_process) = match self.present_step(strand) {
            Some(Step::Wait(StationId(station), _)) => (*station, false),
            Some(Step::Block(StationId(station), _)) => (*station, true),
            _ => return,
        };
        if let Some(next) = self.stations[station].leave() {
            self.serve(next);
        }
        if holds_process {
            self.strands[strand].step += 1;
            self.carry_on(strand);
        } else {
            self.go_on(strand);
        }
    }

    pub(super) fn present_step(&self, strand: StrandId) -> Option<&'a Step> {
        let Strand {
            request,
            track,
            step,
            ..
        } = self.strands[strand];
        let class = self.requests[request].class;
        let system: &'a System = self.system;
        system.classes[class].tracks[track].get(step)
    }
}

pub(super) fn place_of(system: &System, pool: PoolId, process: usize) -> usize {
    match system.pools[pool.0].scope {
        Scope::Service => 0,
        Scope::Process => process,
    }
}
