//! Running a server and, one after another, generators against it, and watching their CPU time.
//!
//! Every wait has a limit, ends at Ctrl-C, and kills what was started. CPU time is read from
//! outside, in the same way for every process, over a window in the middle of a run: neither the
//! start of an interpreter nor the connecting counts. Knows no generator's options or output.

use std::fs;
use std::net::{Ipv4Addr, TcpStream};
use std::path::Path;
use std::process::{Command, Stdio};
use std::thread;
use std::time::{Duration, Instant};

use crate::bench::children::{
    Guard, Interruption, LIMIT, PACE, collect, free_port, joined, pinned,
};
use crate::failure::Failure;
use crate::step::cannot_start;

/// The window in which CPU time is read opens so long after the start: by then every generator
/// has started and warmed up, corrente's interpreter included.
const WINDOW_OPENS: Duration = Duration::from_millis(800);
/// It closes so long before the shortest run ends.
const WINDOW_MARGIN: Duration = Duration::from_millis(200);
/// Clock ticks a second in `/proc` (`USER_HZ`, `time(7)`): 100 on every architecture that wrk,
/// oha and CPython are all packaged for.
const TICKS_PER_S: f64 = 100.0;

/// A server that listens on a free port of the loopback interface.
pub(super) struct Server {
    process: Guard,
    port: u16,
}

impl Server {
    /// Starts `corrente lab ARGUMENTS --port N` on `cpu` and waits until it listens.
    pub(super) fn start(
        corrente: &Path,
        arguments: &str,
        cpu: usize,
        interruption: &Interruption,
    ) -> Result<Self, Failure> {
        let port = free_port()?;
        let mut command = pinned(cpu, corrente);
        command.arg("lab").args(arguments.split(' '));
        command.args(["--port", &port.to_string()]);
        let process = command
            .stdin(Stdio::null())
            .spawn()
            .map_err(|error| cannot_start(&command, &error))?;
        let mut server = Self {
            process: Guard(process),
            port,
        };
        let what = format!("`{arguments}` does not listen on {port}");
        interruption.wait(&what, || {
            if let Some(status) = ended(&mut server.process)? {
                return Err(Failure::step(format!("`{arguments}` ended ({status})")));
            }
            Ok(TcpStream::connect((Ipv4Addr::LOCALHOST, port)).is_ok())
        })?;
        Ok(server)
    }

    /// Where it answers.
    pub(super) fn url(&self) -> String {
        format!("http://127.0.0.1:{}/", self.port)
    }
}

/// What one run of a generator came to.
#[derive(Debug)]
pub(super) struct Watched {
    /// What it printed.
    pub(super) text: String,
    pub(super) busy: Busy,
}

/// CPU seconds in each second of the window.
#[derive(Debug, Clone, Copy, PartialEq)]
pub(super) struct Busy {
    pub(super) generator: f64,
    pub(super) server: f64,
    /// All other programs of the machine, and what the hypervisor gave to other machines.
    pub(super) others: f64,
}

/// Runs `command` for `seconds` against `server`.
pub(super) fn watch(
    command: &mut Command,
    seconds: u32,
    server: &Server,
    interruption: &Interruption,
) -> Result<Watched, Failure> {
    command
        .stdin(Stdio::null())
        .stdout(Stdio::piped())
        .stderr(Stdio::piped());
    let start = Instant::now();
    let child = command
        .spawn()
        .map_err(|error| cannot_start(command, &error))?;
    let mut generator = Guard(child);
    let printed = collect(generator.0.stdout.take());
    let complained = collect(generator.0.stderr.take());
    let length = Duration::from_secs(seconds.into());
    let processes = [generator.0.id(), server.process.0.id()];

    let mut readings = Vec::new();
    for time in [WINDOW_OPENS, length.saturating_sub(WINDOW_MARGIN)] {
        if wait_until(start + time, &mut generator, interruption)?.is_none() {
            readings.push(Reading::take(processes)?);
        }
    }
    let limit = start + length + LIMIT;
    let Some(status) = wait_until(limit, &mut generator, interruption)? else {
        let limit = LIMIT.as_secs();
        return Err(Failure::step(format!(
            "still runs {limit} s after its time"
        )));
    };
    if !status.success() {
        let complaint = joined(complained);
        let last = complaint.lines().last().unwrap_or_default();
        return Err(Failure::step(format!("ended with {status}: {last}")));
    }
    let [before, after] = readings.as_slice() else {
        return Err(Failure::step("ended before its time"));
    };
    Ok(Watched {
        text: joined(printed),
        busy: after.since(before),
    })
}

/// Waits until the child has ended or until `time`, whichever is first.
fn wait_until(
    time: Instant,
    child: &mut Guard,
    interruption: &Interruption,
) -> Result<Option<std::process::ExitStatus>, Failure> {
    loop {
        interruption.check()?;
        if let Some(status) = ended(child)? {
            return Ok(Some(status));
        }
        let left = time.saturating_duration_since(Instant::now());
        if left.is_zero() {
            return Ok(None);
        }
        thread::sleep(left.min(PACE));
    }
}

fn ended(child: &mut Guard) -> Result<Option<std::process::ExitStatus>, Failure> {
    let status = child.0.try_wait();
    status.map_err(|error| Failure::step(format!("cannot wait for a child: {error}")))
}

/// CPU ticks of generator, server and the whole machine at a moment.
struct Reading {
    at: Instant,
    ticks: [u64; 3],
}

impl Reading {
    fn take([generator, server]: [u32; 2]) -> Result<Self, Failure> {
        let read = |path: String, parse: fn(&str) -> Option<u64>| {
            let text = fs::read_to_string(&path).unwrap_or_default();
            let failure = || Failure::step(format!("cannot read the CPU time in {path}"));
            parse(&text).ok_or_else(failure)
        };
        Ok(Self {
            at: Instant::now(),
            ticks: [
                read(format!("/proc/{generator}/stat"), cpu_ticks)?,
                read(format!("/proc/{server}/stat"), cpu_ticks)?,
                read("/proc/stat".to_owned(), machine_ticks)?,
            ],
        })
    }

    fn since(&self, before: &Self) -> Busy {
        let ticks = (self.at - before.at).as_secs_f64() * TICKS_PER_S;
        let [generator, server, machine] = [0, 1, 2]
            .map(|which| self.ticks[which].saturating_sub(before.ticks[which]) as f64 / ticks);
        Busy {
            generator,
            server,
            // A tick more or less on either side is no program.
            others: (machine - generator - server).max(0.0),
        }
    }
}

/// User, nice, system and stolen time of all processors (`proc_stat(5)`). Interrupts are left out:
/// they are mostly the load's own packets, and part of no process.
fn machine_ticks(text: &str) -> Option<u64> {
    let fields: Vec<&str> = text.lines().next()?.split_ascii_whitespace().collect();
    let field = |number: usize| fields.get(number)?.parse::<u64>().ok();
    Some(field(1)? + field(2)? + field(3)? + field(8)?)
}

/// `utime` and `stime`, fields 14 and 15 of `proc_pid_stat(5)`: all threads of the process. The
/// second field, the name in parentheses, may hold anything.
fn cpu_ticks(text: &str) -> Option<u64> {
    let (_, after_name) = text.rsplit_once(')')?;
    let fields: Vec<&str> = after_name.split_ascii_whitespace().collect();
    let field = |number: usize| fields.get(number - 3)?.parse::<u64>().ok();
    Some(field(14)? + field(15)?)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn cpu_time_is_read_behind_any_name() {
        let text = "71 (a (b) 1 2) S 1 71 71 0 -1 4194304 9 0 0 0 250 31 7 8 20 0 1 0 5";
        assert_eq!(cpu_ticks(text), Some(281));
        assert_eq!(cpu_ticks(""), None);
    }

    #[test]
    fn the_machine_is_busy_with_programs_and_other_machines() {
        let text = "cpu  1 20 300 9 9 9 9 4000 0 0\ncpu0 1 1 1 1 1 1 1 1 0 0\n";
        assert_eq!(machine_ticks(text), Some(4321));
        assert_eq!(machine_ticks("cpu 1 2"), None);
    }

    #[test]
    fn waiting_ends_with_the_child_and_at_an_interruption() {
        let limit = Instant::now() + Duration::from_secs(20);
        let mut child = Guard(Command::new("true").spawn().expect("starts"));
        let status = wait_until(limit, &mut child, &Interruption::never());
        let status = status.expect("nobody interrupts");
        assert!(status.is_some_and(|status| status.success()));
        let interrupted = wait_until(limit, &mut child, &Interruption::raised());
        let failure = interrupted.expect_err("it is raised");
        assert_eq!(failure.to_string(), "interrupted; nothing was written");
    }
}
