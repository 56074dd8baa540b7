//! Requests: sent, admitted to a process, answered, or turned away and sent again.
//!
//! A request that finds every slot taken waits in the line before the service; one that finds that
//! line full comes again, as the client's TCP does.

use super::{Engine, Event, Request, RequestId, Strand};
use crate::simulator::system::{Intake, Load};

/// The client's TCP sends a connection request again after this many seconds, and doubles it each
/// time (RFC 6298, section 2.1 and 5.5).
const FIRST_RETRY: f64 = 1.0;
/// To look at so many processes takes about as long as an event.
const LOOKS_AN_EVENT: u64 = 64;
/// Doublings after which the pause stays the same.
const MOST_DOUBLINGS: u32 = 5;

impl Engine<'_> {
    pub(super) fn next_arrival(&mut self) {
        if let Load::Open {
            rate_per_s,
            connections,
            spacing,
        } = self.load
        {
            let mean = spacing.mean();
            let shape = if mean > 0.0 {
                spacing.draw(&mut self.arrivals) / mean
            } else {
                1.0
            };
            let connection = self.arrivals.usize(..*connections);
            self.events
                .push(self.now + shape / rate_per_s, Event::Send { connection });
        }
    }

    pub(super) fn send(&mut self, connection: usize) {
        if matches!(self.load, Load::Open { .. }) {
            self.next_arrival();
        }
        let class = self.draw_class();
        let request = self.requests.insert(Request {
            class,
            process: 0,
            connection,
            sent: self.now,
            attempts: 0,
            main: 0,
            forked: 0,
            work_left: self.system.classes[class].work.draw(&mut self.random),
            parts_left: self.parts[class],
        });
        self.recorder.sent(self.now);
        self.arrive(request);
    }

    pub(super) fn draw_class(&mut self) -> usize {
        let classes = &self.system.classes;
        if classes.len() == 1 {
            return 0;
        }
        let total: f64 = classes.iter().map(|class| class.weight).sum();
        let mut left = self.random.f64() * total;
        let chosen = classes.iter().position(|class| {
            left -= class.weight;
            left < 0.0
        });
        chosen.unwrap_or(classes.len() - 1)
    }

    /// A request comes to the service: it is taken, waits in line, or finds the line full.
    pub(super) fn arrive(&mut self, request: RequestId) {
        let line = self.line_of(request);
        if self.waiting >= self.system.backlog && self.intake[line].is_full() {
            self.turn_away(request);
            return;
        }
        match self.intake[line].enter(request) {
            Some(request) => self.admit(request),
            None => self.waiting += 1,
        }
    }

    pub(super) fn turn_away(&mut self, request: RequestId) {
        let attempts = self.requests[request].attempts;
        let pause = FIRST_RETRY * f64::from(1_u32 << attempts.min(MOST_DOUBLINGS));
        self.requests[request].attempts += 1;
        self.turned_away += 1;
        self.events.push(self.now + pause, Event::Retry(request));
    }

    pub(super) fn line_of(&self, request: RequestId) -> usize {
        match self.system.intake {
            Intake::Shared => 0,
            Intake::PerConnection => self.requests[request].connection % self.system.processes,
        }
    }

    pub(super) fn admit(&mut self, request: RequestId) {
        let process = match self.system.intake {
            Intake::Shared => self.least_loaded(),
            Intake::PerConnection => self.line_of(request),
        };
        let main = self.strands.insert(Strand {
            request,
            track: 0,
            step: 0,
            work_left: 0.0,
        });
        let entry = &mut self.requests[request];
        (entry.process, entry.main) = (process, main);
        self.processes[process].in_hand += 1;
        self.movable.push_back(main);
    }

    /// Idle workers wake first when a connection comes.
    pub(super) fn least_loaded(&mut self) -> usize {
        let idle = self.processes.iter().position(|one| one.in_hand == 0);
        let looked_at = idle.unwrap_or(self.processes.len());
        self.happened += looked_at as u64 / LOOKS_AN_EVENT;
        idle.unwrap_or_else(|| {
            let all = 0..self.processes.len();
            all.min_by_key(|process| self.processes[*process].in_hand)
                .unwrap_or(0)
        })
    }

    pub(super) fn answer(&mut self, request: RequestId) {
        let Request {
            process,
            connection,
            sent,
            ..
        } = self.requests.remove(request);
        self.recorder.answered(self.now, self.now - sent);
        if let Load::Closed { think, .. } = self.load {
            let at = self.now + think.draw(&mut self.arrivals);
            self.events.push(at, Event::Send { connection });
        }
        self.processes[process].in_hand -= 1;
        let line = match self.system.intake {
            Intake::Shared => 0,
            Intake::PerConnection => process,
        };
        if let Some(next) = self.intake[line].leave() {
            self.waiting -= 1;
            self.admit(next);
        }
    }
}
