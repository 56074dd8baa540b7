//! A service under load that is recorded from inside and sampled from outside at the same time.
//!
//! Starts the backends, the service under `corrente gauge run`, a load for each endpoint, and
//! `corrente gauge attach`; gives back both recordings. Whatever was started is ended.

use std::fs;
use std::io::{BufRead as _, BufReader};
use std::net::{Ipv4Addr, TcpStream};
use std::path::PathBuf;
use std::process::{Child, Command, Stdio};
use std::thread;
use std::time::{Duration, Instant};

use serde_json::Value;

use super::Part;
use crate::bench::children::{Interruption, LIMIT, PACE, free_port};
use crate::failure::Failure;
use crate::step::{cannot_start, output};

/// The load begins so long before the sampling, and ends as long after it.
const MARGIN_S: u32 = 2;

/// Where the programs are.
#[derive(Debug)]
pub(super) struct Place {
    pub(super) folder: PathBuf,
    /// The folder of the environment's programs.
    pub(super) programs: PathBuf,
}

/// What both say of the same service.
#[derive(Debug)]
pub(super) struct Both {
    pub(super) run: Value,
    pub(super) attach: Value,
}

/// A child that is ended and waited for when it goes out of scope.
struct Guard(Child);

impl Drop for Guard {
    fn drop(&mut self) {
        if matches!(self.0.try_wait(), Ok(Some(_))) {
            return;
        }
        // `gauge run` hands the signal to the service; both have to go.
        output(Command::new("kill").args(["-TERM", &self.0.id().to_string()])).ok();
        let start = Instant::now();
        while start.elapsed() < LIMIT && matches!(self.0.try_wait(), Ok(None)) {
            thread::sleep(PACE);
        }
        self.0.kill().ok();
        self.0.wait().ok();
    }
}

/// Watches the service of `part` for `seconds`.
pub(super) fn watch(
    part: &Part,
    seconds: u32,
    place: &Place,
    interruption: &Interruption,
) -> Result<Both, Failure> {
    let (_backends, ports) = backends(place)?;
    let port = free_port()?;
    let mut service = service(part, port, &ports, place)?;
    interruption.wait("the service does not listen", || {
        Ok(TcpStream::connect((Ipv4Addr::LOCALHOST, port)).is_ok())
    })?;
    let mut loads = Vec::new();
    for (path, rate) in part.loads {
        loads.push(load(port, path, *rate, seconds + 2 * MARGIN_S, place)?);
    }
    thread::sleep(Duration::from_secs(MARGIN_S.into()));
    let attach = attach(service.0.id(), seconds, place);
    for load in &mut loads {
        // What it counts is not asked for; that it ends well is.
        let status = load
            .0
            .wait()
            .map_err(|error| Failure::step(error.to_string()))?;
        if !status.success() {
            return Err(Failure::step(format!("the load ended with {status}")));
        }
    }
    output(Command::new("kill").args(["-TERM", &service.0.id().to_string()]))?;
    interruption.wait("the service does not end", || {
        Ok(matches!(service.0.try_wait(), Ok(Some(_))))
    })?;
    Ok(Both {
        run: recording(place, "run.json")?,
        attach: attach.and_then(|()| recording(place, "attach.json"))?,
    })
}

fn command(place: &Place, program: &str) -> Command {
    let mut command = Command::new(place.programs.join(program));
    command.current_dir(&place.folder).stdin(Stdio::null());
    command
}

fn start(mut command: Command) -> Result<Guard, Failure> {
    let child = command
        .spawn()
        .map_err(|error| cannot_start(&command, &error))?;
    Ok(Guard(child))
}

fn backends(place: &Place) -> Result<(Guard, [String; 2]), Failure> {
    let mut python = command(place, "python");
    python.arg("backends.py").stdout(Stdio::piped());
    let mut backends = start(python)?;
    let mut line = String::new();
    if let Some(pipe) = backends.0.stdout.take() {
        BufReader::new(pipe)
            .read_line(&mut line)
            .map_err(|error| Failure::step(format!("backends.py: {error}")))?;
    }
    let words: Vec<String> = line.split_whitespace().map(str::to_owned).collect();
    let ports = words.try_into();
    let ports = ports.map_err(|_| Failure::step("backends.py does not tell its ports"))?;
    Ok((backends, ports))
}

fn service(
    part: &Part,
    port: u16,
    [http, sql]: &[String; 2],
    place: &Place,
) -> Result<Guard, Failure> {
    let words = part.command.replace("PORT", &port.to_string());
    let (program, arguments) = words.split_once(' ').unwrap_or((&words, ""));
    let mut run = command(place, "corrente");
    run.args(["gauge", "run", "--out", "run.json", "--"]);
    run.arg(place.programs.join(program));
    run.args(arguments.split(' '));
    run.env("HTTP_PORT", http).env("SQL_PORT", sql);
    run.stdout(Stdio::null()).stderr(Stdio::null());
    start(run)
}

fn load(port: u16, path: &str, rate: u32, seconds: u32, place: &Place) -> Result<Guard, Failure> {
    let mut load = command(place, "corrente");
    let words = format!("load --json --rate {rate} --poisson --seconds {seconds} --warm-up 0");
    load.args(words.split(' '));
    load.arg(format!("http://127.0.0.1:{port}/{path}"));
    load.stdout(Stdio::null());
    start(load)
}

fn attach(process: u32, seconds: u32, place: &Place) -> Result<(), Failure> {
    let mut attach = command(place, "corrente");
    attach.args(["gauge", "attach", &process.to_string()]);
    attach.args(["--seconds", &seconds.to_string(), "--out", "attach.json"]);
    output(&mut attach).map(drop)
}

fn recording(place: &Place, name: &str) -> Result<Value, Failure> {
    let text = fs::read_to_string(place.folder.join(name)).unwrap_or_default();
    serde_json::from_str(&text)
        .map_err(|error| Failure::step(format!("{name} cannot be read: {error}")))
}
