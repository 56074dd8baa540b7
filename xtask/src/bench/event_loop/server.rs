//! A server of one contender: started, checked, and put under load.
//!
//! Its processor time is the kernel's account of it, read before and after the load, while nobody
//! asks anything and all its threads sleep: exact, whatever the server is written in. What it spends
//! on taking and losing the connections of a load is part of it: thousandths of a measurement.

use std::process::Command;
use std::time::Duration;

use serde_json::Value;

use super::bare_tls;
use super::contender::Contender;
use super::place::{MEASURED_CPU, OTHER_CPU, Place};
use super::program::{Program, Trouble, number};
use super::results::Figures;
use super::rows::{Bare, Load, Server};
use super::verify::{self, Address};
use crate::bench::children::free_port;
use crate::bench::processor_time::{cpu_ns_of, memory_bytes_of};
use crate::failure::Failure;
use crate::step::cannot_start;

/// Users of every load, which is also connections.
const USERS: usize = 50;
/// Before the first figure of a server: its code warm, its tables grown.
const WARM_UP: Duration = Duration::from_millis(200);

/// A running server.
#[derive(Debug)]
pub(super) struct Running {
    pub(super) contender: Contender,
    program: Program,
    address: Address,
    /// Where the load comes from a program that stays connected.
    ping_pong: Option<Program>,
}

impl Running {
    /// Starts it and hears where it listens.
    pub(super) fn start(
        place: &Place,
        server: Server,
        contender: Contender,
    ) -> Result<Self, Trouble> {
        let (program, address) = match (contender, server.floor) {
            (Contender::Floor, Bare::Tls) => {
                listening(place, bare_tls::command(place, MEASURED_CPU))?
            }
            (Contender::Floor, bare) => bare_server(place, bare)?,
            _ => {
                let scratch = place.scratch.to_string_lossy();
                let arguments = [contender.name(), server.kind, &*scratch];
                let command = place.program(MEASURED_CPU, server.program, &arguments);
                let (program, address) = listening(place, command)?;
                let address = match (server.kind, address) {
                    ("datagrams", Address::Tcp(port)) => Address::Udp(port),
                    (_, address) => address,
                };
                (program, address)
            }
        };
        Ok(Self {
            contender,
            program,
            address,
            ping_pong: None,
        })
    }

    /// Sees that the server answers rightly, and warms it up.
    pub(super) fn check(&mut self, place: &Place, load: Load) -> Result<(), Trouble> {
        let right = match (load, &self.address) {
            // The program compares every answer whole.
            (Load::PingPong(..), _) => Ok(true),
            (Load::Http, Address::Tcp(port)) => verify::http(*port),
            (_, address) => verify::echo(address),
        };
        match right {
            Ok(true) => self.warm_up(place, load),
            Ok(false) => Err(Trouble::Contender("its answer is wrong".to_owned())),
            Err(error) => Err(self.program.last_words(&format!("no answer: {error}"))),
        }
    }

    /// Puts it under load for a moment.
    pub(super) fn warm_up(&mut self, place: &Place, load: Load) -> Result<(), Trouble> {
        self.load(place, load, WARM_UP).map(drop)
    }

    /// Puts it under load.
    pub(super) fn load(
        &mut self,
        place: &Place,
        load: Load,
        length: Duration,
    ) -> Result<Figures, Trouble> {
        match self.load_once(place, load, length) {
            // The load knows only that there is no answer any more.
            Err(Trouble::Contender(what)) if self.program.has_ended() => {
                Err(self.program.last_words(&what))
            }
            // A machine that was busy elsewhere for a moment is no fault of the server's.
            Err(Trouble::Contender(_)) => self.load_once(place, load, length),
            loaded => loaded,
        }
    }

    fn load_once(
        &mut self,
        place: &Place,
        load: Load,
        length: Duration,
    ) -> Result<Figures, Trouble> {
        match load {
            Load::PingPong(kind, bytes) => {
                self.ping_pong(place, &[kind, &bytes.to_string()], length)
            }
            _ => self.load_from_generator(place, load, length),
        }
    }

    fn load_from_generator(
        &self,
        place: &Place,
        load: Load,
        length: Duration,
    ) -> Result<Figures, Trouble> {
        let mut command = place.corrente(OTHER_CPU, &["load", "--json", "--warm-up", "0"]);
        command.args(["--users", &USERS.to_string(), "--cpus", "1"]);
        command.args(["--seconds", &length.as_secs_f64().to_string()]);
        match load {
            Load::Messages(bytes) => command.args(["--message-bytes", &bytes.to_string()]),
            Load::Connections(bytes) => {
                command.args(["--no-keep-alive", "--message-bytes", &bytes.to_string()])
            }
            Load::Http | Load::PingPong(..) => &mut command,
        };
        command.arg(match (load, &self.address) {
            (Load::Http, Address::Tcp(port)) => format!("http://127.0.0.1:{port}/"),
            (_, address) => address.url(),
        });
        let before = cpu_ns_of(self.program.id());
        let ran = command
            .output()
            .map_err(|error| cannot_start(&command, &error))?;
        place.interruption.check()?;
        let cpu_ns = cpu_ns_of(self.program.id()).saturating_sub(before);
        if !ran.status.success() {
            let words = String::from_utf8_lossy(&ran.stderr);
            let last = words.lines().last().unwrap_or("the load failed");
            return Err(Trouble::Contender(last.to_owned()));
        }
        figures_of_load(&String::from_utf8_lossy(&ran.stdout), cpu_ns)
    }

    fn ping_pong(
        &mut self,
        place: &Place,
        [kind, bytes]: &[&str; 2],
        length: Duration,
    ) -> Result<Figures, Trouble> {
        let mut client = match (self.ping_pong.take(), &self.address) {
            (Some(client), _) => client,
            (None, Address::Tcp(port)) => {
                let arguments = [*kind, &port.to_string(), &USERS.to_string()];
                let command = place.program(OTHER_CPU, "ping_pong.py", &arguments);
                let mut client = Program::start(command, &place.interruption)?;
                client.hear(Duration::ZERO)?;
                client
            }
            (None, address) => {
                let what = format!("{} speaks no {kind}", address.url());
                return Err(Trouble::Contender(what));
            }
        };
        let before = cpu_ns_of(self.program.id());
        let answer = client.ask(&format!("{bytes} {}", length.as_secs_f64()), length)?;
        let cpu_ns = cpu_ns_of(self.program.id()).saturating_sub(before);
        self.ping_pong = Some(client);
        let messages = number(&answer, "messages")?;
        figures(cpu_ns, messages, messages / number(&answer, "seconds")?)
    }

    /// Where it listens.
    pub(super) fn port(&self) -> Option<u16> {
        match self.address {
            Address::Tcp(port) => Some(port),
            Address::Udp(_) | Address::Unix(_) => None,
        }
    }

    /// Memory that it has for itself.
    pub(super) fn memory_bytes(&self) -> Option<u64> {
        memory_bytes_of(self.program.id())
    }
}

/// Starts a program that tells where it listens.
fn listening(place: &Place, command: Command) -> Result<(Program, Address), Trouble> {
    let mut program = Program::start(command, &place.interruption)?;
    let told = program.hear(Duration::ZERO)?;
    let port = told["port"].as_u64().and_then(|port| port.try_into().ok());
    let path = told["path"].as_str().map(|path| Address::Unix(path.into()));
    let address = port.map(Address::Tcp).or(path);
    let address = address.ok_or_else(|| Trouble::Contender(format!("told `{told}`")))?;
    Ok((program, address))
}

/// Starts `corrente lab serve-echo` and waits until it answers: it tells nothing.
fn bare_server(place: &Place, bare: Bare) -> Result<(Program, Address), Trouble> {
    let port = free_port()?;
    let (address, protocol) = match bare {
        Bare::Udp => (Address::Udp(port), "udp"),
        Bare::Unix => {
            let path = place.scratch.join(format!("bare-{port}.socket"));
            (Address::Unix(path), "tcp")
        }
        Bare::Tcp | Bare::Tls | Bare::Absent => (Address::Tcp(port), "tcp"),
    };
    let mut command = place.corrente(MEASURED_CPU, &["lab", "serve-echo"]);
    command.args(["--protocol", protocol]);
    match &address {
        Address::Unix(path) => command.arg("--unix").arg(path),
        Address::Tcp(port) | Address::Udp(port) => command.args(["--port", &port.to_string()]),
    };
    let program = Program::start(command, &place.interruption)?;
    place
        .interruption
        .wait("the bare server does not answer", || {
            Ok(verify::echo(&address).is_ok_and(|is_right| is_right))
        })?;
    Ok((program, address))
}

/// What the load generator says of a load that cost the server so much.
fn figures_of_load(text: &str, cpu_ns: u64) -> Result<Figures, Trouble> {
    let outcome: Value = serde_json::from_str(text)
        .map_err(|error| Failure::step(format!("`corrente load` did not print JSON: {error}")))?;
    if let Some(errors) = outcome["errors"].as_object()
        && !errors.is_empty()
    {
        return Err(Trouble::Contender(format!(
            "under load: {}",
            outcome["errors"]
        )));
    }
    // Requests that were under way when the time was over have had their part of the server, too.
    let messages = number(&outcome, "completed")? + number(&outcome, "unfinished")?;
    figures(cpu_ns, messages, number(&outcome, "requests_per_second")?)
}

fn figures(cpu_ns: u64, messages: f64, per_s: f64) -> Result<Figures, Trouble> {
    if messages <= 0.0 {
        return Err(Trouble::Contender("answered nothing under load".to_owned()));
    }
    Ok(Figures {
        value: cpu_ns as f64 / 1e3 / messages,
        per_s: Some(per_s),
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_was_under_way_counts_and_errors_are_trouble() {
        let text = r#"{"completed": 950, "unfinished": 50, "requests_per_second": 95.0,
            "errors": {}}"#;
        let found = figures_of_load(text, 10_000_000).expect("is a load");
        let expected = Figures {
            value: 10.0,
            per_s: Some(95.0),
        };
        assert_eq!(found, expected);
        let failed = r#"{"completed": 9, "unfinished": 1, "requests_per_second": 1.0,
            "errors": {"reset": 3}}"#;
        let trouble = figures_of_load(failed, 1).expect_err("requests failed");
        let text = trouble.of_contender().expect("it is the contender's");
        assert_eq!(text, r#"under load: {"reset":3}"#);
        let nothing = r#"{"completed": 0, "unfinished": 0, "requests_per_second": 0.0}"#;
        assert!(figures_of_load(nothing, 1).is_err());
    }
}
