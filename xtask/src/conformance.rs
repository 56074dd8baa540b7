//! `cargo xtask conformance`: suites that others wrote, on asyncio's own loop and on ours, and for the server.
//!
//! Each suite of the loop runs in an environment of its own, for each version of Python, first on asyncio's loop and then on
//! ours, on this machine. What differs must be known (`tests/conformance/expected.toml`, each with its reason), and
//! what is known must still be so. How tests are run is Python (`tests/conformance/run.py`); this compares.

mod analysers;
mod document;
mod expected;
mod servers;
mod suites;
mod truth;
mod verdict;

use std::fs;
use std::path::PathBuf;

use crate::failure::Failure;
use crate::python::Interpreter;
use crate::step::{Project, cannot_start};
use document::Document;
use expected::Expected;
use suites::{Build, Prepared, SUITES, Suite};
use verdict::{Run, Verdict};

const USAGE: &str = "\
cargo xtask conformance [SUITE…] [--python VERSION]… [--only PATTERN] [--debug] [--write]
cargo xtask conformance check [--json]
cargo xtask conformance truth [PROJECT…] [--again]

  SUITE             cpython, uvloop, aiohttp or anyio for the loop; autobahn, frameworks, http1 or http11probe for the
                    server, with one version of Python, the newest (default: all)
  check             Ruff, flake8-async and hydroid beside corrente-check on its suite of programs
  truth             what blocks while others' tests run, beside what corrente-check finds in them; `--again`: as noted before
  --python VERSION  such as 3.12 or 3.14t, or the path of an interpreter; may be repeated (default: every version that is found)
  --only PATTERN    only the tests of this name; `*` stands for any letters; nothing is written
  --debug           for the loop: a debug build of the tree, not a release build
  --write           put the results into docs/conformance/
";

/// The exit code of run.py where a suite is not there.
const NOT_THERE: i32 = 3;

/// What was asked for.
#[derive(Debug, Default, PartialEq, Eq)]
struct Options {
    suites: Vec<String>,
    versions: Vec<String>,
    only: Option<String>,
    build: Build,
    outcome: Outcome,
}

/// Where the results go, beside the terminal.
#[derive(Debug, Default, Clone, Copy, PartialEq, Eq)]
enum Outcome {
    #[default]
    Print,
    Write,
}

impl Options {
    fn parse(arguments: &[String]) -> Result<Self, Failure> {
        let mut options = Self::default();
        let mut words = arguments.iter();
        while let Some(word) = words.next() {
            let mut value = || {
                let missing = || Failure::usage(format!("`{word}` needs a value"));
                words.next().cloned().ok_or_else(missing)
            };
            match word.as_str() {
                "--debug" => options.build = Build::Debug,
                "--write" => options.outcome = Outcome::Write,
                "--python" => options.versions.push(value()?),
                "--only" => options.only = Some(value()?),
                name if is_suite(name) => options.suites.push(name.to_owned()),
                other => return Err(Failure::usage(format!("conformance knows no `{other}`"))),
            }
        }
        if options.only.is_some() && options.outcome == Outcome::Write {
            let what = "`--only` is a part of a suite, and `--write` writes whole ones";
            return Err(Failure::usage(what));
        }
        Ok(options)
    }

    fn wants(&self, suite: &str) -> bool {
        self.suites.is_empty() || self.suites.iter().any(|name| name == suite)
    }
}

fn is_suite(name: &str) -> bool {
    let mut names = SUITES.iter().map(|suite| suite.name);
    names.any(|known| known == name) || servers::SUITES.iter().any(|suite| suite.name == name)
}

/// Runs what the arguments ask for and says what differs.
pub(crate) fn conformance(project: &Project, arguments: &[String]) -> Result<(), Failure> {
    if arguments.iter().any(|word| word == "--help") {
        print!("{USAGE}");
        return Ok(());
    }
    if let Some(("check", rest)) = first_word(arguments) {
        return analysers::compare(project, rest);
    }
    if let Some(("truth", rest)) = first_word(arguments) {
        return truth::truth(project, rest);
    }
    let options = Options::parse(arguments)?;
    let expected = Expected::read(&project.root)?;
    let mut surprises = 0;
    let interpreters = interpreters(&options.versions)?;
    for interpreter in &interpreters {
        for suite in SUITES.iter().filter(|suite| options.wants(suite.name)) {
            surprises += one(project, &options, &expected, (suite, interpreter))?;
        }
    }
    if let Some(newest) = interpreters.last() {
        surprises += servers::run(project, &options, &expected, newest)?;
    }
    match surprises {
        0 => Ok(()),
        count => Err(Failure::step(format!("conformance: {count} results that nobody expected"))
            .hint("the logs are in target/conformance; what is known is in tests/conformance/expected.toml")),
    }
}

fn first_word(arguments: &[String]) -> Option<(&str, &[String])> {
    let (first, rest) = arguments.split_first()?;
    Some((first, rest))
}

/// The interpreters of these versions or at these paths, or all that are found.
fn interpreters(names: &[String]) -> Result<Vec<Interpreter>, Failure> {
    if names.is_empty() {
        return Ok(Interpreter::all());
    }
    names.iter().map(|name| Interpreter::named(name)).collect()
}

/// Runs one suite with one interpreter on both loops; gives how many results nobody expected.
fn one(
    project: &Project,
    options: &Options,
    expected: &Expected,
    (suite, interpreter): (&Suite, &Interpreter),
) -> Result<usize, Failure> {
    let prepared = suite.prepare(project, interpreter, options.build)?;
    let mut runs = Vec::new();
    for event_loop in ["asyncio", "corrente"] {
        let version = interpreter.version();
        println!("==> {} on {version}: {event_loop}", suite.name);
        let Some(run) = run(project, &prepared, event_loop, options.only.as_deref())? else {
            return Ok(0);
        };
        runs.push(run);
    }
    let [asyncio, corrente] = &runs[..] else {
        return Ok(0);
    };
    let known = expected.of(suite.name, &interpreter.version());
    let mut verdict = Verdict::of(asyncio, corrente, &known);
    if options.only.is_some() {
        verdict.not_needed.clear();
    }
    print!("{verdict}");
    if options.outcome == Outcome::Write {
        let document = Document::new(&prepared, &runs, &verdict, &known)?;
        document.write(&project.root)?;
        document::write_table(&project.root)?;
    }
    Ok(verdict.surprises())
}

/// Runs a suite on one loop; `None` where this interpreter has no such suite.
fn run(
    project: &Project,
    prepared: &Prepared,
    event_loop: &str,
    only: Option<&str>,
) -> Result<Option<Run>, Failure> {
    let out = project.target.join("conformance");
    let mut command = prepared.command(project, event_loop, &out);
    command.args(only.map(|pattern| format!("--only={pattern}")));
    let status = command
        .status()
        .map_err(|error| cannot_start(&command, &error))?;
    if status.code() == Some(NOT_THERE) {
        return Ok(None);
    }
    if !status.success() {
        let what = format!("{}: the tests could not be run ({status})", prepared.name);
        return Err(Failure::step(what).hint("what it printed above says why"));
    }
    read(out.join(prepared.result(event_loop))).map(Some)
}

fn read(path: PathBuf) -> Result<Run, Failure> {
    let failed = |what: String| Failure::step(format!("{}: {what}", path.display()));
    let text = fs::read_to_string(&path).map_err(|error| failed(error.to_string()))?;
    serde_json::from_str(&text).map_err(|error| failed(error.to_string()))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn parsed(words: &[&str]) -> Result<Options, String> {
        let words: Vec<String> = words.iter().map(ToString::to_string).collect();
        Options::parse(&words).map_err(|failure| failure.to_string())
    }

    #[test]
    fn suites_and_versions_may_be_named() {
        let options = parsed(&[
            "cpython", "--python", "3.12", "--python", "3.13", "--debug", "--write",
        ]);
        let options = options.expect("it is right");
        assert_eq!(options.suites, ["cpython"]);
        assert_eq!(options.versions, ["3.12", "3.13"]);
        assert_eq!(options.build, Build::Debug);
        assert_eq!(options.outcome, Outcome::Write);
    }

    #[test]
    fn a_part_of_a_suite_is_not_written() {
        let error = parsed(&["--only", "*Fork*", "--write"]).expect_err("it contradicts itself");
        assert!(error.contains("`--only`"), "{error}");
    }

    #[test]
    fn an_unknown_suite_is_named() {
        let error = parsed(&["trio"]).expect_err("there is none");
        assert!(error.contains("`trio`"), "{error}");
    }
}
