//! A service under load: Gunicorn, bare or under `corrente gauge run`, and its CPU time.
//!
//! CPU time is the kernel's account of every thread of every process that the service consists of,
//! read from outside in nanoseconds, before and after a load. Knows nothing of what is compared.

use std::fs;
use std::io::{Read as _, Write as _};
use std::net::{Ipv4Addr, TcpStream};
use std::path::PathBuf;
use std::process::{Child, Command, Stdio};
use std::thread;
use std::time::{Duration, Instant};

use serde_json::Value;

use super::children::{Interruption, LIMIT, free_port};
use super::processor_time::{cpu_ns_of, tree};
use crate::failure::Failure;
use crate::step::{cannot_start, output};

/// How long a switch takes to be heard by every process, with some room.
const SWITCH: Duration = Duration::from_millis(1_300);

/// A service rests that used less than this share of a processor while it was [`LOOK`]ed at.
const RESTING: f64 = 0.1;
/// How long is looked whether a service rests. A worker that imports computes all the time.
const LOOK: Duration = Duration::from_millis(300);

/// Where the programs are, and what is served.
#[derive(Debug)]
pub(super) struct Place {
    pub(super) folder: PathBuf,
    pub(super) corrente: PathBuf,
    pub(super) gunicorn: PathBuf,
    /// `module:name` of the application.
    pub(super) app: &'static str,
    /// What it is told by its environment.
    pub(super) environment: Vec<(&'static str, String)>,
}

/// Whether a service is recorded.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Kind {
    Bare,
    Recorded,
}

/// Whether a recorded service writes down what it serves.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Switch {
    Off,
    On,
}

/// A running service. It does not outlive this value.
pub(super) struct Service {
    child: Child,
    port: u16,
    out: PathBuf,
}

/// What a load came to.
#[derive(Debug, Clone, Copy)]
pub(super) struct Sample {
    pub(super) requests_per_s: f64,
    /// CPU time of the service, seconds.
    pub(super) cpu_s: f64,
    pub(super) requests: f64,
}

impl Sample {
    pub(super) fn cpu_us(&self) -> f64 {
        1e6 * self.cpu_s / self.requests
    }
}

impl Service {
    /// Starts Gunicorn on CPU 0 with these arguments, and waits until it answers.
    pub(super) fn start(
        place: &Place,
        kind: Kind,
        arguments: &str,
        interruption: &Interruption,
    ) -> Result<Self, Failure> {
        let port = free_port()?;
        let out = place.folder.join(format!("{kind:?}-{port}.json"));
        let mut command = Command::new("taskset");
        command.args(["-c", "0"]).current_dir(&place.folder);
        if kind == Kind::Recorded {
            command
                .arg(&place.corrente)
                .args(["gauge", "run", "--json", "--out"]);
            command.arg(&out).arg("--");
        }
        // The order of names in dictionaries is no difference between the two.
        command.env("PYTHONHASHSEED", "0");
        command.envs(place.environment.iter().map(|(name, value)| (name, value)));
        command.stderr(Stdio::null());
        command.arg(&place.gunicorn).args(arguments.split(' '));
        command.args([
            "--bind",
            &format!("127.0.0.1:{port}"),
            "--log-level",
            "warning",
            place.app,
        ]);
        let child = command
            .stdin(Stdio::null())
            .stdout(Stdio::null())
            .spawn()
            .map_err(|error| cannot_start(&command, &error))?;
        let mut service = Self { child, port, out };
        service.wait("answer", |_| answers(port), interruption)?;
        Ok(service)
    }

    /// Waits until all of its processes have loaded the program: the first one answers while others import.
    pub(super) fn rest(&self, interruption: &Interruption) -> Result<(), Failure> {
        let (mut since, mut used_ns) = (Instant::now(), self.cpu_ns());
        interruption.wait("the service does not come to rest", || {
            let elapsed = since.elapsed();
            if elapsed < LOOK {
                return Ok(false);
            }
            let before_ns = used_ns;
            (since, used_ns) = (Instant::now(), self.cpu_ns());
            Ok(is_resting(used_ns.saturating_sub(before_ns), elapsed))
        })
    }

    /// Puts a closed-loop load from CPU 1 on `path`.
    pub(super) fn load(
        &self,
        place: &Place,
        path: &str,
        users: usize,
        seconds: u32,
    ) -> Result<Sample, Failure> {
        let mut command = Command::new(&place.corrente);
        let load = format!("load --json --users {users} --seconds {seconds} --warm-up 0 --cpus 1");
        command.args(load.split(' '));
        command.arg(format!("http://127.0.0.1:{}{path}", self.port));
        let before = self.cpu_ns();
        let text = output(&mut command)?;
        let cpu_s = self.cpu_ns().saturating_sub(before) as f64 / 1e9;
        let answer: Value = serde_json::from_str(&text).map_err(|error| {
            Failure::step(format!("`corrente load` did not print JSON: {error}"))
        })?;
        let number = |name: &str| {
            let found = answer.pointer(name).and_then(Value::as_f64);
            found.ok_or_else(|| Failure::step(format!("`corrente load` does not tell `{name}`")))
        };
        let (requests, fine) = (number("/completed")?, number("/statuses/200")?);
        if requests <= 0.0 || fine < requests {
            return Err(Failure::step(format!(
                "{fine} of {requests} requests were answered well"
            )));
        }
        Ok(Sample {
            requests_per_s: number("/requests_per_second")?,
            cpu_s,
            requests,
        })
    }

    /// Switches the recording of this service off or on, if it is not so already, and waits until its
    /// processes know: they look once a second.
    pub(super) fn switch(&self, to: Switch) -> Result<(), Failure> {
        let folder = self.out.with_extension("recording.d");
        let is_off = folder.join("off").exists();
        if is_off != (to == Switch::Off) {
            output(Command::new("kill").args(["-USR2", &self.child.id().to_string()]))?;
            thread::sleep(SWITCH);
        }
        Ok(())
    }

    /// CPU time until now of all threads of all its processes.
    pub(super) fn cpu_ns(&self) -> u64 {
        tree(self.child.id()).into_iter().map(cpu_ns_of).sum()
    }

    /// Ends it as a supervisor does, and gives its recording.
    pub(super) fn stop(self, interruption: &Interruption) -> Result<Value, Failure> {
        let text = fs::read_to_string(self.recorded(interruption)?).unwrap_or_default();
        serde_json::from_str(&text)
            .map_err(|error| Failure::step(format!("the recording cannot be read: {error}")))
    }

    /// Ends it as a supervisor does, and says where its recording is.
    pub(super) fn recorded(mut self, interruption: &Interruption) -> Result<PathBuf, Failure> {
        let process = self.child.id().to_string();
        output(Command::new("kill").args(["-TERM", &process]))?;
        self.wait(
            "end",
            |child| matches!(child.try_wait(), Ok(Some(_))),
            interruption,
        )?;
        Ok(self.out.clone())
    }

    fn wait(
        &mut self,
        what: &str,
        done: impl Fn(&mut Child) -> bool,
        interruption: &Interruption,
    ) -> Result<(), Failure> {
        interruption.wait(&format!("the service does not {what}"), || {
            if done(&mut self.child) {
                return Ok(true);
            }
            match self.child.try_wait() {
                Ok(Some(status)) => Err(Failure::step(format!("the service ended ({status})"))),
                _ => Ok(false),
            }
        })
    }
}

impl Drop for Service {
    fn drop(&mut self) {
        if matches!(self.child.try_wait(), Ok(Some(_))) {
            return;
        }
        // All that it consists of, as it may not hear any more; each may have ended already.
        for process in tree(self.child.id()) {
            Command::new("kill")
                .args(["-KILL", &process.to_string()])
                .output()
                .ok();
        }
        self.child.wait().ok();
    }
}

fn is_resting(used_ns: u64, elapsed: Duration) -> bool {
    used_ns as f64 / 1e9 < RESTING * elapsed.as_secs_f64()
}

/// Whether a request is answered. Gunicorn listens before its workers have loaded the program.
fn answers(port: u16) -> bool {
    let mut first = [0; 5];
    let asked = TcpStream::connect((Ipv4Addr::LOCALHOST, port)).and_then(|mut stream| {
        stream.set_read_timeout(Some(LIMIT))?;
        stream.write_all(b"GET / HTTP/1.0\r\n\r\n")?;
        stream.read_exact(&mut first)
    });
    asked.is_ok() && first == *b"HTTP/"
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_service_rests_once_no_worker_imports() {
        assert!(!is_resting(290_000_000, LOOK));
        assert!(is_resting(3_000_000, LOOK));
    }
}
