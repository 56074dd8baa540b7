//! The rows of clients: what an answer costs who asks, from a server that answers at once.
//!
//! The client is what is measured; its server runs on the other processor. Each round has clients of
//! its own, one after another, so that a server never has two.

use std::time::Duration;

use super::contender::{CONTENDERS, Contender, present};
use super::place::{MEASURED_CPU, OTHER_CPU, Place};
use super::program::{Program, Trouble, good, number};
use super::results::{Figures, Results};
use super::rows::{How, Row};
use super::served::note;
use crate::bench::children::{free_port, turns};
use crate::bench::processor_time::cpu_ns_of;
use crate::failure::Failure;

/// Before the figure: code warm, connections open.
const WARM_UP_S: f64 = 0.2;

/// One round of a row of clients; any other row is none of its business.
pub(super) fn round(
    place: &Place,
    row: &'static Row,
    round: usize,
    results: &mut Results,
) -> Result<(), Failure> {
    let How::Asking { kind } = row.how else {
        return Ok(());
    };
    let (_server, port) = server(place, kind)?;
    let takes_part =
        |contender: &Contender| !matches!(contender, Contender::Floor | Contender::Aiofastnet);
    let contenders = present(&place.versions, CONTENDERS.into_iter().filter(takes_part));
    for index in turns(round, contenders.len()) {
        let contender = contenders[index];
        if !results.is_out(row, contender) {
            let arguments = [contender.name(), kind, &port.to_string()];
            let client = place.program(MEASURED_CPU, "clients.py", &arguments);
            let client = Program::start(client, &place.interruption)?;
            note(measure(place, client), row, contender, results)?;
        }
    }
    Ok(())
}

/// What answers the clients of this kind, and its port.
fn server(place: &Place, kind: &str) -> Result<(Program, u16), Failure> {
    if kind == "aiohttp" {
        let port = free_port()?;
        let mut command = place.corrente(OTHER_CPU, &["lab", "serve-echo", "--protocol", "http"]);
        command.args(["--port", &port.to_string()]);
        let program = Program::start(command, &place.interruption)?;
        place.interruption.wait("the server does not listen", || {
            Ok(std::net::TcpStream::connect(("127.0.0.1", port)).is_ok())
        })?;
        return Ok((program, port));
    }
    let command = place.program(OTHER_CPU, "postgres.py", &[]);
    let mut program = Program::start(command, &place.interruption)?;
    let failed = |what: String| Failure::step(format!("postgres.py: {what}"));
    let told = match program.hear(Duration::ZERO) {
        Ok(told) => told,
        Err(trouble) => return Err(failed(trouble.of_contender()?)),
    };
    let port = told["port"].as_u64().and_then(|port| port.try_into().ok());
    Ok((
        program,
        port.ok_or_else(|| failed(format!("told `{told}`")))?,
    ))
}

fn measure(place: &Place, mut client: Program) -> Result<Figures, Trouble> {
    client.hear(Duration::ZERO)?;
    good(&client.ask("check", Duration::ZERO)?)?;
    client.ask(&format!("measure {WARM_UP_S}"), place.length)?;
    let before = cpu_ns_of(client.id());
    let question = format!("measure {}", place.length.as_secs_f64());
    let answer = client.ask(&question, place.length)?;
    let cpu_ns = cpu_ns_of(client.id()).saturating_sub(before);
    let operations = number(&answer, "operations")?;
    Ok(Figures {
        value: cpu_ns as f64 / 1e3 / operations,
        per_s: Some(operations / number(&answer, "seconds")?),
    })
}
