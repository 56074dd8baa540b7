//! The project's own chores: `cargo xtask lab`, `test`, `check` and others; `cargo xtask help`.
//!
//! Each chore is a module with one entry. A chore runs ordinary tools (cargo, pip, ruff, mypy,
//! pytest), says each step before it takes it, and stops at the first that fails with the command,
//! the reason and what to do. Of the workspace it depends on the model's statistics alone, so that
//! it builds in seconds and works while another crate does not compile.
#![forbid(unsafe_code)]
#![allow(
    clippy::print_stdout,
    clippy::print_stderr,
    reason = "chores report to a terminal"
)]

mod bench;
mod chores;
mod conformance;
mod deny;
mod extension;
mod failure;
mod lab;
mod python;
mod step;
mod tidy;
mod wheels;

use std::env;
use std::process::ExitCode;

use failure::Failure;
use step::Project;

const HELP: &str = "\
The project's chores.

Usage: cargo xtask CHORE [ARGUMENT…]

  lab [ARGUMENT…]   set up and run the lab: `corrente lab run --quick`; arguments replace `--quick`,
                    and `list`, `report` or `compare` as the first one replaces `run` too
  test              every check and every test, Rust and Python
  check             formatting, lints and tidy rules; no tests
  smoke             every scenario of the lab with its real parts, seconds each
  tidy              only the tidy rules (docs/STYLE.md)
  deny              licences, banned crates and sources of the dependencies (needs cargo-deny)
  wheels            a release wheel for each CPython 3.11 or newer that is found, and a source
                    distribution, each one tried
  calibration RESULT.json
                    the shipped costs of stacks (crates/corrente-model/data) from a full lab run, by
                    `corrente gauge calibrate`
  conformance [SUITE…] [--python VERSION] [--write]
                    suites that others wrote, on asyncio's loop and on ours; `--help` says more
  bench [NAME]      a benchmark of the project's own; without a name, the list
  help              this text

Environment:
  PYTHON            the interpreter to use, 3.11 or newer (default: python3, else python3.13 … 3.11)
  CARGO_TARGET_DIR  where builds and virtual environments go (default: target)

Examples:
  cargo xtask lab                       the whole lab in quick mode
  cargo xtask lab json super --full     two scenarios with the published counts
  cargo xtask lab list                  what there is
  PYTHON=python3.13 cargo xtask test

Exit codes: 0 done; 1 a step failed; 2 wrong usage; `lab` and `smoke` end with corrente's own code.
";

fn main() -> ExitCode {
    let mut arguments = env::args().skip(1);
    let chore = arguments.next().unwrap_or_default();
    let rest: Vec<String> = arguments.collect();
    match run(&chore, &rest) {
        Ok(()) => ExitCode::SUCCESS,
        Err(failure) => {
            eprintln!("xtask: {failure}");
            failure.exit_code()
        }
    }
}

fn run(chore: &str, rest: &[String]) -> Result<(), Failure> {
    let takes_arguments = matches!(chore, "lab" | "bench" | "calibration" | "conformance");
    if let (false, Some(first)) = (takes_arguments, rest.first()) {
        return Err(Failure::usage(format!(
            "`{chore}` takes no argument, but was given `{first}`"
        )));
    }
    let project = Project::here()?;
    match chore {
        "lab" => lab::lab(&project, rest),
        "smoke" => lab::smoke(&project),
        "test" => chores::test(&project),
        "check" => chores::check(&project),
        "tidy" => chores::tidy(&project),
        "deny" => deny::deny(&project),
        "wheels" => wheels::wheels(&project),
        "calibration" => lab::calibration(&project, rest),
        "conformance" => conformance::conformance(&project, rest),
        "bench" => bench::bench(&project, rest),
        "" | "help" | "--help" | "-h" => {
            print!("{HELP}");
            Ok(())
        }
        other => Err(Failure::usage(format!("there is no chore `{other}`"))),
    }
}
