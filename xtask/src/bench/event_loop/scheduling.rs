//! The rows that need no socket: a process for each contender, all of which wait while one works.
//!
//! Every round has processes of its own; within a round the contenders take turns row by row, so
//! that their figures are neighbours in time. Before its first figure each is checked.

use std::time::Duration;

use super::contender::{CONTENDERS, Contender, present};
use super::place::{MEASURED_CPU, Place};
use super::program::{Program, Trouble, good, number};
use super::results::{Figures, Results};
use super::rows::{How, Row};
use crate::bench::children::turns;
use crate::failure::Failure;

/// A scheduling row takes so much less time than a row under load: there is nothing to settle.
const SHARE: f64 = 0.5;
/// What is not timed may take this many times as long as what is, as in scheduling.py.
const WALL: u32 = 4;

/// Whether a contender has a place in these rows: transports alone schedule nothing.
fn takes_part(contender: Contender) -> bool {
    contender != Contender::Aiofastnet
}

/// One round of `rows`; one that is not measured within a process is none of its business.
pub(super) fn round(
    place: &Place,
    rows: &[&'static Row],
    round: usize,
    results: &mut Results,
) -> Result<(), Failure> {
    let contenders = present(
        &place.versions,
        CONTENDERS.into_iter().filter(|one| takes_part(*one)),
    );
    let mut programs = Vec::new();
    for contender in &contenders {
        programs.push(start(place, *contender)?);
    }
    for row in rows {
        let How::Within { unit_per_s } = row.how else {
            continue;
        };
        for index in turns(round, contenders.len()) {
            let contender = contenders[index];
            if results.is_out(row, contender) {
                continue;
            }
            match measure(place, row, &mut programs[index]) {
                Ok(per_s) => {
                    let value = per_s / unit_per_s;
                    results.add(row, contender, Figures { value, per_s: None });
                }
                Err(trouble) => {
                    results.refuse(row, contender, &trouble.of_contender()?);
                    // What is left of it may be in any state.
                    programs[index] = start(place, contender)?;
                }
            }
        }
    }
    Ok(())
}

fn start(place: &Place, contender: Contender) -> Result<Program, Failure> {
    let command = place.program(MEASURED_CPU, "scheduling.py", &[contender.name()]);
    Program::start(command, &place.interruption)
}

/// Operations a second.
fn measure(place: &Place, row: &Row, program: &mut Program) -> Result<f64, Trouble> {
    good(&program.ask(&format!("check {}", row.name), Duration::ZERO)?)?;
    let length = place.length.mul_f64(SHARE);
    let question = format!("measure {} {}", row.name, length.as_secs_f64());
    let answer = program.ask(&question, length * WALL)?;
    good(&answer)?;
    Ok(number(&answer, "operations")? / number(&answer, "seconds")?)
}
