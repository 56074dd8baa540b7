//! `cargo xtask conformance autobahn`, `frameworks`, `http1` and `http11probe`: suites for the server, over sockets.
//!
//! `corrente serve` from a release build of the present tree, and others beside it, each a process of its own in one
//! locked environment. How a suite is run is Python (`tests/conformance/servers`); this judges what ours did by what
//! is expected of it (`tests/conformance/expected.toml`). What the others did is only counted.

mod autobahn;
mod document;
mod verdict;

pub(super) use document::{is_of_server, section};

use std::fs;
use std::path::{Path, PathBuf};

use super::expected::Expected;
use super::{Options, Outcome};
use crate::extension;
use crate::failure::Failure;
use crate::python::{Environment, Interpreter};
use crate::step::{Project, cannot_start};
use verdict::{Run, Verdict};

/// The folder of the scripts, under the project's.
const FOLDER: &str = "tests/conformance/servers";
/// What locks servers, frameworks and clients.
const LOCK: &str = "tests/conformance/servers.txt";

/// A suite for the server.
#[derive(Debug)]
pub(super) struct Suite {
    pub(super) name: &'static str,
    /// What it is, for a reader of the result.
    about: &'static str,
    /// What its groups are.
    groups: &'static str,
}

/// The name of the one that needs an old Python.
const AUTOBAHN: &str = "autobahn";

/// Every suite, in the order of the page.
pub(super) const SUITES: [Suite; 4] = [
    Suite {
        name: AUTOBAHN,
        about: "Autobahn's WebSocket suite, its fuzzing client against an application that echoes; deflate included. \
                A case is passed where its behaviour and its closing handshake are OK or informational",
        groups: "cases",
    },
    Suite {
        name: "frameworks",
        about: "applications of ten frameworks and interfaces, asked over sockets: passed is the same answer as on the \
                framework's usual server (Uvicorn for ASGI, Gunicorn for WSGI), without `date` and `server`",
        groups: "application",
    },
    Suite {
        name: "http1",
        about: "our own table of raw requests (`tests/http/requests`) over sockets. Where an RFC leaves a choice the \
                table has the strict one, so not each row that another server does not pass is a fault of it. A request \
                that has to be turned away is passed by the others where they answer any 4xx or 5xx, or just close; \
                ours has to answer with the very status",
        groups: "section",
    },
    Suite {
        name: "http11probe",
        about: "the cases of the public Http11Probe, sent and judged as it does; its own table of 2026-02-12 has 85 of \
                the 125 for the Uvicorn of that day, 78 for Gunicorn, 112 for the best of all servers. It counts as passed \
                what it would have, also where the RFC asks for the contrary or leaves a choice, and what an application \
                decides",
        groups: "cases",
    },
];

/// Runs the suites that are asked for; gives how many results nobody expected.
pub(super) fn run(
    project: &Project,
    options: &Options,
    expected: &Expected,
    interpreter: &Interpreter,
) -> Result<usize, Failure> {
    let mut surprises = 0;
    for suite in SUITES.iter().filter(|suite| options.wants(suite.name)) {
        surprises += one(project, options, expected, (suite, interpreter))?;
    }
    Ok(surprises)
}

fn one(
    project: &Project,
    options: &Options,
    expected: &Expected,
    (suite, interpreter): (&Suite, &Interpreter),
) -> Result<usize, Failure> {
    let mut arguments = Vec::new();
    if suite.name == AUTOBAHN {
        match autobahn::prepare(project)? {
            Some(more) => arguments = more,
            None if options.suites.is_empty() => {
                println!("==> {AUTOBAHN}: not run: {}", autobahn::NO_PYTHON);
                return Ok(0);
            }
            None => return Err(Failure::step(autobahn::NO_PYTHON).hint(autobahn::HINT)),
        }
    }
    arguments.extend(options.only.iter().map(|only| format!("--only={only}")));
    println!("==> {} on {}", suite.name, interpreter.version());
    let environment =
        extension::with_release(project, interpreter, "conformance-servers", Some(LOCK))?;
    let run = run_script(project, &environment, suite, &arguments)?;
    let known = expected.of(suite.name, &interpreter.version());
    let mut verdict = Verdict::of(&run, &known);
    if options.only.is_some() {
        verdict.not_needed.clear();
    }
    print!("{verdict}");
    if options.outcome == Outcome::Write {
        document::write(&project.root, suite, &run, &verdict)?;
        super::document::write_table(&project.root)?;
    }
    Ok(verdict.surprises())
}

/// Runs a suite's script; its result, its log and its scratch go to target/conformance.
fn run_script(
    project: &Project,
    environment: &Environment,
    suite: &Suite,
    arguments: &[String],
) -> Result<Run, Failure> {
    let out = project.target.join("conformance").join(suite.name);
    fs::create_dir_all(&out).map_err(|error| failed(&out, &error))?;
    let mut command = environment.command(project, "python");
    command.arg(project.root.join(FOLDER).join("run_server_suite.py"));
    command
        .args([suite.name, "--out"])
        .arg(&out)
        .args(arguments);
    let status = command
        .status()
        .map_err(|error| cannot_start(&command, &error))?;
    if !status.success() {
        let what = format!("{}: the suite could not be run ({status})", suite.name);
        return Err(Failure::step(what).hint("what it printed above says why"));
    }
    read(&out.join("result.json"))
}

fn read(path: &PathBuf) -> Result<Run, Failure> {
    let text = fs::read_to_string(path).map_err(|error| failed(path, &error))?;
    serde_json::from_str(&text)
        .map_err(|error| Failure::step(format!("{}: {error}", path.display())))
}

fn failed(path: &Path, error: &std::io::Error) -> Failure {
    Failure::step(format!("{}: {error}", path.display()))
}
