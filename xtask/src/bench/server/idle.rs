//! The rows of idle keep-alive connections: the memory that each takes, and what the rate of others
//! keeps beside them.
//!
//! Memory is what the server's processes have for themselves, before and after.

use std::time::Duration;

use super::contender::Contender;
use super::load::Generator;
use super::results::{Figures, Results};
use super::rows::{How, IDLE_LOAD, Row};
use super::running::Server;
use super::served::{contenders, of_contender};
use crate::bench::children::turns;
use crate::bench::place::{OTHER_CPU, Place};
use crate::bench::program::{Program, Trouble, good, number};
use crate::failure::Failure;

/// Idle connections; every server and the client need as many descriptors.
const CONNECTIONS: u32 = 10_000;
/// Opening them, one after another.
const OPENING: Duration = Duration::from_mins(1);

/// What one server came to.
#[derive(Debug, Clone, Copy)]
struct Measured {
    memory_kib: f64,
    alone: Figures,
    together: Figures,
}

/// One round of `rows`, which have one application.
pub(super) fn round(
    place: &Place,
    generator: Generator,
    rows: &[&'static Row],
    round: usize,
    results: &mut Results,
) -> Result<(), Failure> {
    let Some(first) = rows.first() else {
        return Ok(());
    };
    let contenders = contenders(place, first.application);
    for index in turns(round, contenders.len()) {
        let contender = contenders[index];
        if rows.iter().all(|row| results.is_out(row, contender)) {
            continue;
        }
        let measured = of_contender(measure(place, generator, first, contender))?;
        for row in rows {
            let figures = measured.clone().map(|measured| figures(row.how, measured));
            results.note(row, contender, figures);
        }
    }
    Ok(())
}

fn figures(how: How, measured: Measured) -> Figures {
    let Measured {
        memory_kib,
        alone,
        together,
    } = measured;
    if how == How::IdleMemory {
        return Figures {
            value: memory_kib,
            per_s: None,
            p99_ms: None,
        };
    }
    let rates = [together.per_s, alone.per_s].map(Option::unwrap_or_default);
    Figures {
        value: rates[0] / rates[1],
        ..together
    }
}

fn measure(
    place: &Place,
    generator: Generator,
    row: &Row,
    contender: Contender,
) -> Result<Measured, Trouble> {
    let mut server = Server::start(place, row.application, contender)?;
    server.check(place, IDLE_LOAD)?;
    let alone = server.load(place, generator, IDLE_LOAD)?;
    let before = server.memory_bytes();
    let arguments = [server.port.to_string(), CONNECTIONS.to_string()];
    let arguments = [arguments[0].as_str(), &arguments[1]];
    let command = place.program(OTHER_CPU, "silence.py", &arguments);
    let mut silence = Program::start(command, &place.interruption)?;
    let told = silence.hear(OPENING)?;
    good(&told)?;
    let memory_bytes = server.memory_bytes().saturating_sub(before);
    let together = server.load(place, generator, IDLE_LOAD)?;
    let left = number(&silence.ask("end", Duration::ZERO)?, "open")?;
    if left < f64::from(CONNECTIONS) {
        let what = format!("has closed all but {left} of the idle connections");
        return Err(Trouble::Contender(what));
    }
    Ok(Measured {
        memory_kib: memory_bytes as f64 / 1024.0 / f64::from(CONNECTIONS),
        alone,
        together,
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_row_takes_its_own_of_what_was_measured() {
        let loaded = |per_s: f64| Figures {
            value: 5.0,
            per_s: Some(per_s),
            p99_ms: Some(2.0),
        };
        let measured = Measured {
            memory_kib: 1.5,
            alone: loaded(200.0),
            together: loaded(190.0),
        };
        assert_eq!(
            figures(How::IdleMemory, measured).value.to_bits(),
            1.5_f64.to_bits()
        );
        let rate = figures(How::IdleRate, measured);
        assert!((rate.value - 0.95).abs() < 1e-9);
        assert_eq!(rate.p99_ms, Some(2.0));
    }
}
