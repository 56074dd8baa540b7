//! A server of one contender, or a framework without one: started, checked, and measured.
//!
//! Processor time is the kernel's account of the whole tree of processes, read before and after a
//! load, while nobody asks anything. A server is a process group of its own, which ends with its
//! value, workers and all.

use std::net::{Ipv4Addr, TcpStream};
use std::os::unix::process::CommandExt as _;
use std::process::Command;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::thread;
use std::time::{Duration, Instant};

use super::contender::Contender;
use super::load::Generator;
use super::results::Figures;
use super::rows::{Application, Asked, Load, Transport};
use crate::bench::children::{LIMIT, PACE, free_port};
use crate::bench::place::{MEASURED_CPU, OTHER_CPU, Place};
use crate::bench::processor_time::{cpu_ns_of, memory_bytes_of, tree};
use crate::bench::program::{Program, Trouble, good, number};

/// The bytes of the greeting, which the bare server answers too.
const HELLO_BYTES: &str = "13";
/// Ends a process group.
const KILL: &str = "-KILL";
/// The file of the row that has one.
pub(super) const FILE: &str = "file.bin";

/// What is measured, of a contender.
#[derive(Debug)]
pub(super) enum Running {
    Server(Server),
    /// The framework alone, called by `directly.py`.
    Framework(Program),
}

impl Running {
    /// Starts it.
    pub(super) fn start(
        place: &Place,
        application: Application,
        contender: Contender,
    ) -> Result<Self, Trouble> {
        if contender != Contender::FrameworkAlone {
            return Server::start(place, application, contender).map(Self::Server);
        }
        let arguments = [application.name, application.interface.name()];
        let command = place.program(MEASURED_CPU, "directly.py", &arguments);
        let mut program = Program::start(command, &place.interruption)?;
        program.ask("0.2", Duration::ZERO)?;
        Ok(Self::Framework(program))
    }

    /// Sees that it answers rightly, and warms it up.
    pub(super) fn check(&mut self, place: &Place, load: Load) -> Result<(), Trouble> {
        match self {
            Self::Server(server) => server.check(place, load),
            Self::Framework(_) => Ok(()),
        }
    }

    /// Has it wait without running: one that looks for work over and over would cost the others theirs.
    pub(super) fn pause(&self) {
        if let Self::Server(server) = self {
            server.signal("-STOP");
        }
    }

    /// Has it run again.
    pub(super) fn resume(&self) {
        if let Self::Server(server) = self {
            server.signal("-CONT");
        }
    }

    /// What a request costs it.
    pub(super) fn measure(
        &mut self,
        place: &Place,
        generator: Generator,
        load: Load,
    ) -> Result<Figures, Trouble> {
        let program = match self {
            Self::Server(server) => return server.load(place, generator, load),
            Self::Framework(program) => program,
        };
        // Nothing has to settle, and nothing is random.
        let length = place.length / 2;
        let answer = program.ask(&length.as_secs_f64().to_string(), length)?;
        let calls = number(&answer, "calls")?;
        Ok(Figures {
            value: number(&answer, "cpu_s")? * 1e6 / calls,
            per_s: None,
            p99_ms: None,
        })
    }
}

/// Another one for each server that is started: the kernel may give a port twice, and a recording is not written over.
fn start_number() -> String {
    static STARTED: AtomicUsize = AtomicUsize::new(0);
    STARTED.fetch_add(1, Ordering::Relaxed).to_string()
}

/// What `serving.py` is told.
fn arguments(application: Application, contender: Contender, port: &str) -> Vec<String> {
    let protocol = application.protocol.name();
    let mut words = vec![contender.program(), application.name, port];
    words.extend(["--protocol", protocol]);
    if application.transport == Transport::Tls {
        words.extend(["--tls", "certificate.pem", "key.pem"]);
    }
    let mut words: Vec<String> = words.into_iter().map(str::to_owned).collect();
    if let Some(workers) = application.workers {
        words.push(format!("--workers={workers}"));
    }
    if contender == Contender::Corrente {
        // As one word: an option begins like those of the program.
        let start = start_number();
        let options = application.options.iter();
        words.extend(options.map(|word| format!("--option={}", word.replace("{start}", &start))));
    }
    words
}

/// A running server.
#[derive(Debug)]
pub(super) struct Server {
    contender: Contender,
    program: Program,
    application: Application,
    pub(super) port: u16,
}

impl Drop for Server {
    fn drop(&mut self) {
        self.signal(KILL);
    }
}

impl Server {
    /// Starts it and waits until it listens.
    pub(super) fn start(
        place: &Place,
        application: Application,
        contender: Contender,
    ) -> Result<Self, Trouble> {
        let port = free_port()?;
        let text = port.to_string();
        let mut command = if contender == Contender::Floor {
            let words = ["lab", "serve-echo", "--protocol", "http", "--body-bytes"];
            let mut command = place.corrente(MEASURED_CPU, &words);
            command.args([HELLO_BYTES, "--port", &text]);
            command
        } else {
            let arguments = arguments(application, contender, &text);
            let arguments: Vec<&str> = arguments.iter().map(String::as_str).collect();
            place.program(MEASURED_CPU, "serving.py", &arguments)
        };
        // `python -m` finds the applications there.
        command.env("PYTHONPATH", &place.programs);
        command.env("BENCH_FILE", place.scratch.join(FILE));
        command.process_group(0);
        let mut server = Self {
            contender,
            program: Program::start(command, &place.interruption)?,
            application,
            port,
        };
        server.wait(place)?;
        Ok(server)
    }

    fn wait(&mut self, place: &Place) -> Result<(), Trouble> {
        let end = Instant::now() + LIMIT;
        while TcpStream::connect((Ipv4Addr::LOCALHOST, self.port)).is_err() {
            place.interruption.check()?;
            if self.program.has_ended() || Instant::now() > end {
                return Err(self.program.last_words("does not listen"));
            }
            thread::sleep(PACE);
        }
        Ok(())
    }

    /// Sees that it answers rightly; the floor answers one thing to whatever comes.
    pub(super) fn check(&mut self, place: &Place, load: Load) -> Result<(), Trouble> {
        if self.contender == Contender::Floor {
            return Ok(());
        }
        let [port, checks] = [u32::from(self.port), load.checks].map(|number| number.to_string());
        let answer = match load.asked {
            Asked::Messages(messages) => messages.name(),
            _ => load.answer.to_owned(),
        };
        let protocol = self.application.protocol.name();
        let mut arguments = vec![port.as_str(), protocol, &answer, &checks];
        if self.application.transport == Transport::Tls {
            arguments.push("tls");
        }
        let mut command = place.program(OTHER_CPU, "checking.py", &arguments);
        command.env("BENCH_FILE", place.scratch.join(FILE));
        let mut checking = Program::start(command, &place.interruption)?;
        let checked = checking.hear(LIMIT).and_then(|told| good(&told));
        match checked {
            Err(Trouble::Contender(_)) if self.program.has_ended() => {
                Err(self.program.last_words("ended"))
            }
            checked => checked,
        }
    }

    /// Puts it under load.
    pub(super) fn load(
        &mut self,
        place: &Place,
        generator: Generator,
        load: Load,
    ) -> Result<Figures, Trouble> {
        let before = self.cpu_ns();
        let loaded = generator.run(place, load, &self.url(load.path));
        let cpu_ns = self.cpu_ns().saturating_sub(before);
        let printed = match loaded {
            Err(Trouble::Contender(what)) if self.program.has_ended() => {
                return Err(self.program.last_words(&what));
            }
            loaded => loaded?,
        };
        if printed.failed > 0 || printed.requests <= 0.0 {
            let what = format!(
                "{} of {} requests failed under load",
                printed.failed, printed.requests
            );
            return Err(Trouble::Contender(what));
        }
        Ok(Figures {
            value: cpu_ns as f64 / 1e3 / printed.requests,
            per_s: Some(printed.requests_per_s),
            p99_ms: Some(printed.p99_ms),
        })
    }

    /// Has it replace its workers.
    pub(super) fn reload(&self) {
        // One that has ended answers nobody, which is what will be seen.
        Command::new("kill")
            .args(["-HUP", &self.program.id().to_string()])
            .output()
            .ok();
    }

    /// It and all that it has started.
    pub(super) fn processes(&self) -> Vec<u32> {
        tree(self.program.id())
    }

    /// Sends a signal to its processes.
    fn signal(&self, signal: &str) {
        // The bare server ends where its wait is interrupted, and sleeps where nobody asks it.
        if self.contender == Contender::Floor && signal != KILL {
            return;
        }
        let group = format!("-{}", self.program.id());
        // Fails only where all of them have ended.
        Command::new("kill")
            .args([signal, "--", &group])
            .output()
            .ok();
    }

    pub(super) fn url(&self, path: &str) -> String {
        let scheme = match self.application.transport {
            Transport::Plain => "http",
            Transport::Tls => "https",
        };
        format!("{scheme}://127.0.0.1:{}{path}", self.port)
    }

    fn cpu_ns(&self) -> u64 {
        self.processes().into_iter().map(cpu_ns_of).sum()
    }

    /// Memory that its processes have for themselves.
    pub(super) fn memory_bytes(&self) -> u64 {
        let processes = self.processes().into_iter();
        processes.filter_map(memory_bytes_of).sum()
    }
}
