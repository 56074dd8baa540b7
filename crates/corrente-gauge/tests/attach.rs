//! Sampling real Python processes from outside, and the lines that say why one cannot be.

use std::io::{BufRead, BufReader, Read, Write};
use std::net::{SocketAddr, TcpStream};
use std::process::{Child, ChildStdout, Command, Stdio};
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::Duration;

use corrente_gauge::attach::{AttachError, Attached, Target, attach};

/// A WSGI application on the standard library's server, one request at a time. It prints its port,
/// then the numbers of requests and of nanoseconds on a processor when it is told to on its input.
const SERVER: &str = r#"
import sys, threading, time
from wsgiref.simple_server import WSGIRequestHandler, make_server

done = {"/wait": [0, 0], "/work": [0, 0]}

def burn(seconds):
    end = time.thread_time() + seconds
    while time.thread_time() < end:
        sum(range(100))

def wait_a_little():
    time.sleep(0.012)
    burn(0.002)

def work():
    burn(0.006)

def application(environ, start_response):
    before = time.thread_time_ns()
    path = environ["PATH_INFO"]
    wait_a_little() if path == "/wait" else work()
    done[path][0] += 1
    done[path][1] += time.thread_time_ns() - before
    start_response("200 OK", [("Content-Length", "2")])
    return [b"ok"]

class Quiet(WSGIRequestHandler):
    def log_message(self, *arguments):
        pass

def tell():
    for _ in sys.stdin:
        print(*done["/wait"], *done["/work"], flush=True)

server = make_server("127.0.0.1", 0, application, handler_class=Quiet)
print(server.server_port, flush=True)
threading.Thread(target=tell, daemon=True).start()
server.serve_forever()
"#;

struct Server {
    child: Child,
    output: BufReader<ChildStdout>,
    address: SocketAddr,
}

impl Server {
    fn start() -> Self {
        let mut child = Command::new("python3")
            .args(["-c", SERVER])
            .stdin(Stdio::piped())
            .stdout(Stdio::piped())
            .spawn()
            .expect("python3 starts");
        let mut output = BufReader::new(child.stdout.take().expect("is piped"));
        let mut line = String::new();
        output.read_line(&mut line).expect("it tells its port");
        let port: u16 = line.trim().parse().expect("a port");
        Self {
            child,
            output,
            address: SocketAddr::from(([127, 0, 0, 1], port)),
        }
    }

    /// Requests and nanoseconds on a processor so far: waiting, working.
    fn totals(&mut self) -> [f64; 4] {
        let input = self.child.stdin.as_mut().expect("is piped");
        input.write_all(b"\n").expect("it reads");
        let mut line = String::new();
        self.output.read_line(&mut line).expect("it answers");
        let numbers: Vec<f64> = line
            .split_ascii_whitespace()
            .map(|number| number.parse().expect("a number"))
            .collect();
        numbers.try_into().expect("four numbers")
    }
}

impl Drop for Server {
    fn drop(&mut self) {
        self.child.kill().expect("is ours");
        self.child.wait().expect("ends");
    }
}

fn get(address: SocketAddr, path: &str) {
    let mut stream = TcpStream::connect(address).expect("it listens");
    write!(stream, "GET {path} HTTP/1.0\r\n\r\n").expect("it reads");
    let mut answer = String::new();
    stream.read_to_string(&mut answer).expect("it answers");
    assert!(answer.ends_with("ok"), "{answer}");
}

fn sample(pid: u32, seconds: f64) -> Result<Attached, AttachError> {
    let target = Target {
        pid,
        time: Duration::from_secs_f64(seconds),
        made_by: "test".to_owned(),
    };
    attach(&target, &AtomicBool::new(false), &mut |_| ())
}

#[test]
fn requests_and_times_of_a_live_service_are_found() {
    let mut server = Server::start();
    let address = server.address;
    let stop = AtomicBool::new(false);
    let (before, found, after) = std::thread::scope(|scope| {
        // Requests that follow each other without a gap cannot be counted.
        scope.spawn(|| {
            for path in ["/wait", "/work"].into_iter().cycle() {
                if stop.load(Ordering::Relaxed) {
                    return;
                }
                get(address, path);
                std::thread::park_timeout(Duration::from_millis(10));
            }
        });
        let before = server.totals();
        let found = sample(server.child.id(), 8.0);
        let after = server.totals();
        stop.store(true, Ordering::Relaxed);
        (before, found, after)
    });
    let found = found.expect("it is a Python of ours");
    found.recording.validate().expect("is sound");
    let all = found.quality.requests.expect("can be counted").0;
    let truth = |at: usize| after[at] - before[at];
    let near = |what: &str, found: f64, truth: f64, tolerance: f64| {
        assert!(
            (found / truth - 1.0).abs() < tolerance,
            "{what}: {found}, truly {truth}"
        );
    };
    near("requests", all, truth(0) + truth(2), 0.25);
    let cpu: f64 = found.endpoints.iter().map(|endpoint| endpoint.cpu_s).sum();
    near("cpu", cpu, (truth(1) + truth(3)) / 1e9, 0.25);
    let named = |part: &str| {
        let named = found
            .endpoints
            .iter()
            .find(|endpoint| endpoint.name.contains(part));
        named.unwrap_or_else(|| panic!("no {part} in {:?}", found.endpoints))
    };
    // The application is one function; where it is, is its endpoint.
    let application = named("application");
    near("asleep", application.wait_s, truth(0) * 0.012, 0.25);
    let process = &found.recording.processes[0];
    assert_eq!(process.server.name, "wsgiref");
    assert!(
        process
            .memory
            .pss_bytes
            .is_some_and(|bytes| bytes > 1_000_000)
    );
}

#[test]
fn an_idle_service_gives_no_figures() {
    let server = Server::start();
    let error = sample(server.child.id(), 0.3)
        .expect_err("nobody asks")
        .to_string();
    assert!(error.starts_with("no request was seen in 0 s"), "{error}");
}

#[test]
fn what_cannot_be_sampled_is_one_line() {
    let mut child = Command::new("sleep").arg("30").spawn().expect("starts");
    let error = sample(child.id(), 0.1)
        .expect_err("is no Python")
        .to_string();
    assert!(
        error.contains("(`sleep`) nor a child of it is a Python"),
        "{error}"
    );
    assert!(!error.contains('\n'), "{error}");
    child.kill().expect("is ours");
    child.wait().expect("ends");
    let error = sample(child.id(), 0.1).expect_err("has ended").to_string();
    assert!(error.starts_with("there is no process"), "{error}");
}

#[test]
fn a_service_that_ends_meanwhile_is_told() {
    let mut server = Server::start();
    let pid = server.child.id();
    let result = std::thread::scope(|scope| {
        let (begun, wait) = std::sync::mpsc::channel();
        let sampling = scope.spawn(move || {
            let target = Target {
                pid,
                time: Duration::from_secs(30),
                made_by: "test".to_owned(),
            };
            attach(&target, &AtomicBool::new(false), &mut |_| {
                begun.send(()).ok();
            })
        });
        let seen = wait.recv_timeout(Duration::from_secs(20));
        server.child.kill().expect("is ours");
        server.child.wait().expect("ends");
        seen.expect("sampling begins");
        sampling.join().expect("no panic")
    });
    let line = result.expect_err("it has ended").to_string();
    assert!(
        line.contains("ended after") || line.contains("just ended"),
        "{line}"
    );
}

#[test]
fn sampling_can_be_cancelled() {
    let server = Server::start();
    let target = Target {
        pid: server.child.id(),
        time: Duration::from_mins(10),
        made_by: "test".to_owned(),
    };
    let error = attach(&target, &AtomicBool::new(true), &mut |_| ()).expect_err("at once");
    assert!(matches!(error, AttachError::Cancelled), "{error}");
}
