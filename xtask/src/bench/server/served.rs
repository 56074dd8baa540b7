//! The rows of servers under load: one server of each contender, all there at the same time.
//!
//! Every round starts them anew; within a round they take turns under each load, so that their
//! figures are neighbours in time. A server that waits is stopped, so that it costs the one that works
//! nothing: fastpysgi takes most of a processor even where nobody asks it anything.

use super::contender::{CONTENDERS, Contender};
use super::load::Generator;
use super::results::Results;
use super::rows::{Application, Load, Mark, Row};
use super::running::Running;
use crate::bench::children::turns;
use crate::bench::place::Place;
use crate::bench::program::Trouble;
use crate::failure::Failure;

/// The rows of one application, each with what it asks.
#[derive(Debug)]
pub(super) struct Group {
    pub(super) application: Application,
    pub(super) rows: Vec<(&'static Row, Load)>,
}

/// Who serves an application, and what stands beside them.
pub(super) fn contenders(place: &Place, application: Application) -> Vec<Contender> {
    let takes_part = |contender: &Contender| match contender {
        Contender::Floor => application.mark == Mark::Floor,
        Contender::FrameworkAlone => application.mark == Mark::FrameworkAlone,
        Contender::Without => application.mark == Mark::Without,
        Contender::Corrente => true,
        rival => {
            let can_reload = application.workers.is_none() || rival.reloads();
            let speaks = rival.speaks(application.interface, application.protocol);
            speaks && can_reload && application.mark != Mark::Without
        }
    };
    let all = CONTENDERS.into_iter().filter(takes_part);
    all.filter(|one| one.is_in(&place.versions)).collect()
}

/// Whether a contender has a place in a row: the bare server reads no bodies and sends one answer.
fn has_place(contender: Contender, load: Load) -> bool {
    contender != Contender::Floor || load.answer == "hello"
}

impl Group {
    /// One round of its rows.
    pub(super) fn round(
        &self,
        place: &Place,
        generator: Generator,
        round: usize,
        results: &mut Results,
    ) -> Result<(), Failure> {
        let contenders = contenders(place, self.application);
        let mut running = Vec::new();
        for index in turns(round, contenders.len()) {
            let contender = contenders[index];
            let started = self.start(place, contender, results)?;
            running.extend(started.map(|started| (contender, started)));
        }
        for (row, load) in &self.rows {
            for (contender, server) in &mut running {
                if results.is_out(row, *contender) || !has_place(*contender, *load) {
                    continue;
                }
                server.resume();
                let measured = server
                    .check(place, *load)
                    .and_then(|()| server.measure(place, generator, *load));
                server.pause();
                results.note(row, *contender, of_contender(measured)?);
            }
            // The next row begins with another one.
            let one = usize::from(!running.is_empty());
            running.rotate_left(one);
        }
        Ok(())
    }

    fn start(
        &self,
        place: &Place,
        contender: Contender,
        results: &mut Results,
    ) -> Result<Option<Running>, Failure> {
        if self
            .rows
            .iter()
            .all(|(row, _)| results.is_out(row, contender))
        {
            return Ok(None);
        }
        match of_contender(Running::start(place, self.application, contender))? {
            Ok(running) => {
                running.pause();
                Ok(Some(running))
            }
            Err(why) => {
                for (row, _) in &self.rows {
                    results.note(row, contender, Err(why.clone()));
                }
                Ok(None)
            }
        }
    }
}

/// The contender's trouble beside what was measured; any other ends the benchmark.
pub(super) fn of_contender<T>(measured: Result<T, Trouble>) -> Result<Result<T, String>, Failure> {
    match measured {
        Ok(figures) => Ok(Ok(figures)),
        Err(trouble) => trouble.of_contender().map(Err),
    }
}
