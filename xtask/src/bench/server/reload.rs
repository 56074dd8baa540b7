//! The row of the reload: many users ask while a server replaces its workers, and no request may be lost.
//!
//! A request is lost where its user gets no answer, or another than 200. A server that has not replaced its
//! workers when the load is over has no figure.

use std::thread;
use std::time::{Duration, Instant};

use super::contender::Contender;
use super::load::closed_loop;
use super::results::{Figures, Results};
use super::rows::{Load, Row};
use super::running::Server;
use super::served::{contenders, of_contender};
use crate::bench::children::{PACE, turns};
use crate::bench::place::Place;
use crate::bench::printed::of_corrente;
use crate::bench::program::{Program, Trouble};
use crate::failure::Failure;

/// How long the load lasts: new workers have to start on a processor that has no time for them.
const LENGTH: Duration = Duration::from_secs(6);
/// How much of it comes before the reload.
const BEFORE: Duration = Duration::from_secs(2);

/// A row, and what its servers are asked.
#[derive(Debug, Clone, Copy)]
pub(super) struct Reload {
    pub(super) row: &'static Row,
    pub(super) load: Load,
}

impl Reload {
    /// One round of it: a reload of each server.
    pub(super) fn round(
        self,
        place: &Place,
        round: usize,
        results: &mut Results,
    ) -> Result<(), Failure> {
        let contenders = contenders(place, self.row.application);
        for index in turns(round, contenders.len()) {
            let contender = contenders[index];
            if !results.is_out(self.row, contender) {
                let measured = of_contender(self.measure(place, contender))?;
                results.note(self.row, contender, measured);
            }
        }
        Ok(())
    }

    fn measure(self, place: &Place, contender: Contender) -> Result<Figures, Trouble> {
        let mut server = Server::start(place, self.row.application, contender)?;
        server.check(place, self.load)?;
        let before = server.processes();
        let command = closed_loop(place, self.load, LENGTH, &server.url(self.load.path));
        let mut users = Program::start(command, &place.interruption)?;
        sleep(place, BEFORE)?;
        server.reload();
        let told = users.hear(LENGTH)?;
        let after = server.processes().into_iter();
        let new = after.filter(|process| !before.contains(process)).count();
        let wanted = self.row.application.workers.unwrap_or_default();
        if new < wanted as usize {
            let what = format!("has {new} of {wanted} new workers when the load is over");
            return Err(Trouble::Contender(what));
        }
        let printed = of_corrente(&told.to_string()).map_err(Trouble::Contender)?;
        Ok(Figures {
            value: printed.failed as f64,
            per_s: Some(printed.requests_per_s),
            p99_ms: Some(printed.p99_ms),
        })
    }
}

fn sleep(place: &Place, length: Duration) -> Result<(), Failure> {
    let end = Instant::now() + length;
    while Instant::now() < end {
        place.interruption.check()?;
        thread::sleep(PACE);
    }
    Ok(())
}
