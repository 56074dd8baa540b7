//! The rows of servers under load: one server of each contender, all there at the same time.
//!
//! Every round starts them anew; within a round they take turns under each load, so that their
//! figures are neighbours in time. A server that waits costs the one that works nothing.

use super::contender::{CONTENDERS, Contender, present};
use super::place::Place;
use super::program::Trouble;
use super::results::{Figures, Results};
use super::rows::{Bare, Load, Row, Server};
use super::server::Running;
use crate::bench::children::turns;
use crate::failure::Failure;

/// A row and what its server is asked.
#[derive(Debug, Clone, Copy)]
pub(super) struct Loaded {
    pub(super) row: &'static Row,
    pub(super) load: Load,
}

/// The rows of one server.
#[derive(Debug)]
pub(super) struct Group {
    pub(super) server: Server,
    pub(super) rows: Vec<Loaded>,
}

impl Group {
    /// Who serves this: aiofastnet has transports of TLS, and a floor is not always to be had.
    fn contenders(&self, place: &Place) -> Vec<Contender> {
        let has_floor = self.server.floor != Bare::Absent;
        let takes_part = |contender: &Contender| match contender {
            Contender::Floor => has_floor,
            Contender::Aiofastnet => self.server.kind == "tls",
            _ => true,
        };
        present(&place.versions, CONTENDERS.into_iter().filter(takes_part))
    }

    /// One round of its rows.
    pub(super) fn round(
        &self,
        place: &Place,
        round: usize,
        results: &mut Results,
    ) -> Result<(), Failure> {
        let contenders = self.contenders(place);
        let mut running = Vec::new();
        for index in turns(round, contenders.len()) {
            running.extend(self.start(place, contenders[index], results)?);
        }
        for Loaded { row, load } in &self.rows {
            for server in &mut running {
                if results.is_out(row, server.contender) {
                    continue;
                }
                let measured = server.load(place, *load, place.length);
                note(measured, row, server.contender, results)?;
            }
            // The next row begins with another one.
            let one = usize::from(!running.is_empty());
            running.rotate_left(one);
        }
        Ok(())
    }

    /// A server that answers rightly; else its contender is out of all these rows.
    fn start(
        &self,
        place: &Place,
        contender: Contender,
        results: &mut Results,
    ) -> Result<Option<Running>, Failure> {
        let are_out = |loaded: &Loaded| results.is_out(loaded.row, contender);
        if self.rows.iter().all(are_out) {
            return Ok(None);
        }
        let started = Running::start(place, self.server, contender).and_then(|mut running| {
            match self.rows.first() {
                Some(first) => running.check(place, first.load).map(|()| running),
                None => Ok(running),
            }
        });
        match started {
            Ok(running) => Ok(Some(running)),
            Err(trouble) => {
                let why = trouble.of_contender()?;
                for Loaded { row, .. } in &self.rows {
                    results.refuse(row, contender, &why);
                }
                Ok(None)
            }
        }
    }
}

/// Puts what was measured where it belongs.
pub(super) fn note(
    measured: Result<Figures, Trouble>,
    row: &Row,
    contender: Contender,
    results: &mut Results,
) -> Result<(), Failure> {
    match measured {
        Ok(figures) => results.add(row, contender, figures),
        Err(trouble) => results.refuse(row, contender, &trouble.of_contender()?),
    }
    Ok(())
}
