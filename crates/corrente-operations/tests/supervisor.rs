//! The supervisor with real processes: tiny workers in Python and shell, real signals, no sleeps.
//!
//! Signals belong to a whole process, so each test starts the supervisor as one: this program again, told
//! by the environment to run the test `as_supervisor`, which else does nothing.

use std::fs;
use std::io::{BufRead as _, BufReader};
use std::net::TcpStream;
use std::path::{Path, PathBuf};
use std::process::{Child, ChildStdout, Command, Stdio};
use std::time::{Duration, Instant};

use corrente_operations::listen::Endpoint;
use corrente_operations::supervisor::{
    FirstFailure, Machine, Notice, Outcome, Plan, Program, Supervisor, Watched,
};
use rustix::process::{Pid, Signal, kill_process, test_kill_process};

const ROLE: &str = "CORRENTE_TEST_WORKER";
const WORKERS: &str = "CORRENTE_TEST_WORKERS";
const WATCHED: &str = "CORRENTE_TEST_WATCHED";

/// For anything that a test waits for.
const LIMIT: Duration = Duration::from_secs(20);

/// A worker that does as it should: reads its first line, is ready, ends on SIGTERM.
const GOOD: &str = r#"
import json, os, signal, socket, sys
channel = socket.socket(fileno=int(os.environ["CORRENTE_CHANNEL"]))
told = json.loads(channel.makefile().readline())
signal.signal(signal.SIGTERM, lambda *_: sys.exit(0))
channel.sendall(b"ready\n")
channel.recv(1)
"#;

/// The supervisor's process, where a test has started this program as one.
#[test]
fn as_supervisor() {
    let Some(worker) = std::env::var_os(ROLE) else {
        return;
    };
    let workers = std::env::var(WORKERS)
        .ok()
        .and_then(|text| text.parse().ok());
    let plan = Plan {
        workers: workers.unwrap_or(1),
        startup: Duration::from_secs(10),
        graceful: Duration::from_secs(10),
        hang: None,
        max_lifetime: None,
        max_memory_bytes: None,
        first_failure: FirstFailure::End,
    };
    let program = Program {
        command: vec!["python3".into(), "-c".into(), worker],
        settings: [("app".to_owned(), vec!["shop:app".to_owned()])].into(),
        board: None,
    };
    let sockets = corrente_operations::settings::Sockets {
        addresses: vec![corrente_operations::listen::Address::Host {
            host: "127.0.0.1".to_owned(),
            port: 0,
        }],
        asked: corrente_operations::settings::Switch::On,
        backlog: Some(16),
        unix_permissions: 0o600,
        reuse_port: corrente_operations::settings::Switch::Off,
    };
    let listeners = corrente_operations::listen::open(
        &sockets,
        &corrente_operations::listen::Systemd::default(),
    )
    .expect("a port");
    listeners[0].hand_down().expect("it is ours");
    let Endpoint::Internet(address) = listeners[0].endpoint() else {
        panic!("a port was asked for");
    };
    println!("\nport {}", address.port());
    let mut observer = |notice: &Notice| println!("told {notice}");
    let machine = Machine::new(plan);
    let mut supervisor =
        Supervisor::new(machine, program, &listeners, &mut observer).expect("signals are free");
    if let Some(folder) = std::env::var_os(WATCHED) {
        supervisor.watch(Watched {
            folders: vec![folder.into()],
            include: vec!["*".to_owned()],
            exclude: vec![],
        });
    }
    match supervisor.run().expect("it can wait") {
        Outcome::Stopped => println!("outcome stopped"),
        Outcome::Failed(failure) => println!("outcome failed: {}", failure.text),
    }
}

/// A supervisor that runs.
struct Running {
    process: Child,
    output: BufReader<ChildStdout>,
    seen: Vec<String>,
}

impl Running {
    fn start(worker: &str, workers: usize) -> Self {
        Self::start_with(worker, workers, |_| ())
    }

    fn start_with(worker: &str, workers: usize, change: impl Fn(&mut Command)) -> Self {
        let own = std::env::current_exe().expect("it runs");
        let mut command = Command::new(own);
        command
            .args([
                "--exact",
                "as_supervisor",
                "--nocapture",
                "--test-threads=1",
            ])
            .env(ROLE, worker)
            .env(WORKERS, workers.to_string())
            .stdin(Stdio::null())
            .stdout(Stdio::piped());
        change(&mut command);
        let mut process = command.spawn().expect("it is this program");
        let output = BufReader::new(process.stdout.take().expect("it is piped"));
        Self {
            process,
            output,
            seen: Vec::new(),
        }
    }

    /// The next line that holds `text`. A supervisor that says nothing is ended by the test's own limit.
    fn line(&mut self, text: &str) -> String {
        loop {
            let mut line = String::new();
            let bytes = self.output.read_line(&mut line).expect("it is piped");
            assert!(bytes > 0, "no `{text}` in:\n{}", self.seen.join(""));
            self.seen.push(line.clone());
            if line.contains(text) {
                return line.trim_end().to_owned();
            }
        }
    }

    fn ready(&mut self, workers: usize) {
        for _ in 0..workers {
            self.line("is ready");
        }
    }

    fn signal(&self, signal: Signal) {
        kill_process(Pid::from_child(&self.process), signal).expect("it runs");
    }

    fn children(&self) -> Vec<Pid> {
        let process = self.process.id();
        // The main thread of a test does not run the test: look at all of them.
        let threads = fs::read_dir(format!("/proc/{process}/task"))
            .into_iter()
            .flatten();
        let lists = threads
            .flatten()
            .map(|thread| fs::read_to_string(thread.path().join("children")).unwrap_or_default());
        let all = lists.collect::<Vec<String>>().join(" ");
        let numbers = all
            .split_whitespace()
            .filter_map(|number| number.parse().ok());
        numbers.filter_map(Pid::from_raw).collect()
    }
}

impl Drop for Running {
    fn drop(&mut self) {
        self.process.kill().ok();
        self.process.wait().ok();
    }
}

fn wait_until(what: &str, condition: impl Fn() -> bool) {
    let begun = Instant::now();
    while !condition() {
        assert!(begun.elapsed() < LIMIT, "waited {LIMIT:?} for {what}");
        std::thread::yield_now();
    }
}

fn is_alive(pid: Pid) -> bool {
    // A zombie is dead, too; its state stands behind its name.
    let stat = fs::read_to_string(format!("/proc/{}/stat", pid.as_raw_nonzero()));
    stat.is_ok_and(|stat| !stat.contains(") Z ")) && test_kill_process(pid).is_ok()
}

#[test]
fn workers_begin_and_end_as_told() {
    let mut running = Running::start(GOOD, 2);
    running.ready(2);
    assert_eq!(running.children().len(), 2);
    running.signal(Signal::TERM);
    assert_eq!(running.line("outcome"), "outcome stopped");
}

#[test]
fn a_worker_is_given_its_settings_and_sockets() {
    let worker = GOOD.replace(
        "channel.sendall",
        "listener = socket.socket(fileno=told['listeners'][0])\n\
         assert told['settings'] == {'app': ['shop:app']}, told\n\
         assert 'LISTEN_FDS' not in os.environ\n\
         channel.sendall",
    );
    // It waits for its parent as well: a worker that outlives its test holds the test's output.
    let worker = worker.replace(
        "channel.recv(1)",
        "import select\n\
         if listener in select.select([listener, channel], [], [])[0]:\n\
         \x20   listener.accept()\n\
         \x20   channel.sendall(b'going it was called\\n')\n\
         \x20   channel.recv(1)",
    );
    let mut running = Running::start_with(&worker, 1, |command| {
        command.env("LISTEN_FDS", "0");
    });
    let port = running.line("port ");
    running.ready(1);
    let port: u16 = port.trim_start_matches("port ").parse().expect("a number");
    TcpStream::connect(("127.0.0.1", port)).expect("the parent listens");
    running.line("worker 1 is replaced: it was called");
    running.line("worker 2 is ready");
    running.line("worker 1 has ended");
}

#[test]
fn a_killed_worker_is_replaced() {
    let mut running = Running::start(GOOD, 2);
    running.ready(2);
    let victim = running.children()[0];
    kill_process(victim, Signal::KILL).expect("it runs");
    running.line("was ended by signal 9");
    running.ready(1);
    assert_eq!(running.children().len(), 2);
    assert!(!running.children().contains(&victim));
}

#[test]
fn the_first_workers_error_ends_it() {
    let worker = "import os\n\
        os.write(int(os.environ['CORRENTE_CHANNEL']), b'failed user no module `shop`\\n')\n";
    let mut running = Running::start(worker, 2);
    assert_eq!(running.line("outcome"), "outcome failed: no module `shop`");
    let mut running = Running::start("raise SystemExit(7)", 1);
    assert_eq!(
        running.line("outcome"),
        "outcome failed: a worker has ended with exit code 7 before it was ready"
    );
}

#[test]
fn a_rolling_restart_changes_every_worker() {
    let mut running = Running::start(GOOD, 2);
    running.ready(2);
    let before = running.children();
    running.signal(Signal::HUP);
    running.line("all workers are replaced: SIGHUP");
    running.line("worker 3 is ready");
    running.line("worker 4 is ready");
    wait_until("the old ones to go", || {
        !before.iter().any(|pid| is_alive(*pid))
    });
    running.signal(Signal::TERM);
    assert_eq!(running.line("outcome"), "outcome stopped");
}

#[test]
fn one_more_and_one_fewer() {
    let mut running = Running::start(GOOD, 1);
    running.ready(1);
    running.signal(Signal::TTIN);
    running.line("2 workers are wanted now");
    running.ready(1);
    running.signal(Signal::TTOU);
    running.line("1 worker is wanted now");
    running.line("worker 2 has ended");
    assert_eq!(running.children().len(), 1);
}

#[test]
fn a_second_interrupt_does_not_wait() {
    let worker = GOOD.replace("lambda *_: sys.exit(0)", "signal.SIG_IGN");
    let mut running = Running::start(&worker, 1);
    running.ready(1);
    running.signal(Signal::INT);
    running.line("stopping; requests that run have 10 s to end");
    wait_until("a second wish that is not the first one's echo", || {
        running.signal(Signal::INT);
        running.children().is_empty()
    });
    running.line("stopping at once");
    assert_eq!(running.line("outcome"), "outcome stopped");
}

#[test]
fn logs_are_opened_again() {
    let worker = GOOD.replace(
        "channel.sendall",
        "signal.signal(signal.SIGUSR1, lambda *_: channel.sendall(b'going USR1\\n'))\n\
         channel.sendall",
    );
    let mut running = Running::start(&worker, 1);
    running.ready(1);
    running.signal(Signal::USR1);
    running.line("worker 1 is replaced: USR1");
}

#[test]
fn a_parent_that_is_killed_takes_its_workers_with_it() {
    let mut running = Running::start(GOOD, 2);
    running.ready(2);
    let workers = running.children();
    assert_eq!(workers.len(), 2);
    running.process.kill().expect("it runs");
    wait_until("the workers to go", || {
        !workers.iter().any(|pid| is_alive(*pid))
    });
}

#[test]
fn a_changed_file_replaces_the_workers() {
    let folder = tempfile::tempdir().expect("a folder");
    let file: PathBuf = folder.path().join("app.py");
    fs::write(&file, "1").expect("written");
    let watched: &Path = folder.path();
    let mut running = Running::start_with(GOOD, 1, |command| {
        command.env(WATCHED, watched);
    });
    running.ready(1);
    fs::write(&file, "22").expect("written");
    running.line("app.py has changed");
    running.line("worker 2 is ready");
    running.line("worker 1 has ended");
}
