//! Idle connections: what each takes in memory, and what many of them leave of the rate of others.
//!
//! Memory is what the server's process has for itself, before and after; what the kernel keeps for a
//! connection is the same for all contenders and is not in it.

use std::time::Duration;

use super::contender::{CONTENDERS, Contender, present};
use super::place::{OTHER_CPU, Place};
use super::program::{Program, Trouble};
use super::results::{Figures, Results};
use super::rows::{How, IDLE_LOAD, IDLE_SERVER, Row};
use super::served::note;
use super::server::Running;
use crate::bench::children::turns;
use crate::failure::Failure;

/// Idle connections; every server and the client need as many descriptors.
const CONNECTIONS: u32 = 10_000;
/// Opening them, one after another.
const OPENING: Duration = Duration::from_mins(1);

/// What one server came to.
struct Measured {
    memory_kib: f64,
    rate_left: f64,
}

/// One round of `rows`.
pub(super) fn round(
    place: &Place,
    rows: &[&'static Row],
    round: usize,
    results: &mut Results,
) -> Result<(), Failure> {
    let takes_part = |contender: &Contender| *contender != Contender::Aiofastnet;
    let contenders = present(&place.versions, CONTENDERS.into_iter().filter(takes_part));
    for index in turns(round, contenders.len()) {
        let contender = contenders[index];
        if rows.iter().all(|row| results.is_out(row, contender)) {
            continue;
        }
        let measured = match measure(place, contender) {
            Ok(measured) => Ok(measured),
            Err(trouble) => Err(trouble.of_contender()?),
        };
        for row in rows {
            let value = match &measured {
                Ok(measured) if row.how == How::IdleMemory => Ok(measured.memory_kib),
                Ok(measured) => Ok(measured.rate_left),
                Err(why) => Err(Trouble::Contender(why.clone())),
            };
            let figures = value.map(|value| Figures { value, per_s: None });
            note(figures, row, contender, results)?;
        }
    }
    Ok(())
}

fn measure(place: &Place, contender: Contender) -> Result<Measured, Trouble> {
    let mut server = Running::start(place, IDLE_SERVER, contender)?;
    server.check(place, IDLE_LOAD)?;
    let alone = rate(&mut server, place)?;
    let before = memory(&server)?;
    let port = server.port().unwrap_or_default().to_string();
    let arguments = [port.as_str(), &CONNECTIONS.to_string()];
    let command = place.program(OTHER_CPU, "idle.py", &arguments);
    let mut idle = Program::start(command, &place.interruption)?;
    idle.hear(OPENING)?;
    let memory_kib = (memory(&server)? - before) / 1024.0 / f64::from(CONNECTIONS);
    // As before the first figure: what came with so many connections is over.
    server.warm_up(place, IDLE_LOAD)?;
    let together = rate(&mut server, place)?;
    Ok(Measured {
        memory_kib,
        rate_left: together / alone,
    })
}

fn memory(server: &Running) -> Result<f64, Trouble> {
    let bytes = server.memory_bytes();
    let unknown = || Trouble::Contender("its memory is not to be seen".to_owned());
    bytes.map(|bytes| bytes as f64).ok_or_else(unknown)
}

fn rate(server: &mut Running, place: &Place) -> Result<f64, Trouble> {
    let figures = server.load(place, IDLE_LOAD, place.length)?;
    figures
        .per_s
        .ok_or_else(|| Trouble::Contender("has no rate".to_owned()))
}
