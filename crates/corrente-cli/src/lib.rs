//! The command line as a library: arguments in, an exit code out. The only crate that prints.
//!
//! Data goes to standard output, everything else to standard error. It knows every verb and no
//! verb's business: parsing, printing, progress and signals live here, the work elsewhere. A verb
//! ends with a [`Exit`], which is the exit code that the help documents.

#![forbid(unsafe_code)]

mod arguments;
mod check;
mod gauge;
mod lab;
mod load;
mod progress;
mod serve;
mod terminal;

use std::ffi::OsString;

use clap::Parser as _;

use arguments::{Arguments, Gauge, Lab, Verb};

/// How a command ended.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Exit {
    /// It did what it was asked.
    Done,
    /// A scenario or a contender could not run.
    Incomplete,
    /// The command line or an input is wrong.
    Usage,
    /// This machine lacks something.
    Machine,
    /// Ctrl-C or SIGTERM.
    Interrupted,
    /// A bug of ours.
    Bug,
}

impl Exit {
    /// The exit code: documented in `corrente --help`.
    pub fn code(self) -> u8 {
        match self {
            Self::Done => 0,
            Self::Incomplete => 1,
            Self::Usage => 2,
            Self::Machine => 3,
            Self::Bug => 70,
            Self::Interrupted => 130,
        }
    }
}

/// Runs the command line. `arguments` are those after the command's name; `program` is how to start
/// the command again, its first word being the Python interpreter.
pub fn run(arguments: Vec<OsString>, program: Vec<OsString>) -> u8 {
    let words = std::iter::once(OsString::from("corrente")).chain(arguments.iter().cloned());
    let parsed = match Arguments::try_parse_from(words) {
        Ok(parsed) => parsed,
        Err(error) => return refuse(&error),
    };
    let exit = match parsed.verb {
        Verb::Load(load) => load::run(&load),
        Verb::Gauge(Gauge::Run(run)) => gauge::run(&run, &program),
        Verb::Gauge(Gauge::Attach(attach)) => gauge::attach(&attach, &program),
        Verb::Gauge(Gauge::Import(import)) => gauge::import(&import),
        Verb::Gauge(Gauge::Report(report)) => gauge::report(&report),
        Verb::Gauge(Gauge::Predict(predict)) => gauge::predict(&predict),
        Verb::Gauge(Gauge::Calibrate(calibrate)) => gauge::calibrate(&calibrate),
        Verb::Gauge(Gauge::Watch(watch)) => gauge::watch(&watch),
        // The analyser's exit codes are its own, as a worker's is.
        Verb::Check(check) => return check::run(&check, &program),
        Verb::Serve(serve) => return serve::run(serve, &program),
        Verb::Lab(Lab::List(list)) => lab::list(&list),
        Verb::Lab(Lab::Run(run)) => lab::run(&run, &arguments, &program),
        Verb::Lab(Lab::Report(report)) => lab::report(&report),
        Verb::Lab(Lab::Compare(compare)) => lab::compare(&compare),
        Verb::Lab(Lab::ServeOrigin(origin)) => lab::serve_origin(&origin),
        Verb::Lab(Lab::ServeEcho(echo)) => lab::serve_echo(&echo),
    };
    exit.code()
}

/// Help and version go to standard output with code 0; anything else is one clear line.
fn refuse(error: &clap::Error) -> u8 {
    use clap::error::ErrorKind::{
        DisplayHelp, DisplayHelpOnMissingArgumentOrSubcommand, DisplayVersion,
    };
    match error.kind() {
        DisplayHelp | DisplayVersion => {
            terminal::data(&error.to_string());
            Exit::Done.code()
        }
        DisplayHelpOnMissingArgumentOrSubcommand => {
            terminal::note(error.to_string().trim_end());
            Exit::Usage.code()
        }
        _ => {
            let text = error.to_string();
            let lines: Vec<&str> = text
                .lines()
                .map(str::trim)
                .take_while(|line| !line.starts_with("Usage:"))
                .filter(|line| !line.is_empty() && !line.starts_with("For more information"))
                .collect();
            let line = lines.join("; ").replace(":; ", ": ");
            terminal::error(line.strip_prefix("error: ").unwrap_or(&line));
            Exit::Usage.code()
        }
    }
}
