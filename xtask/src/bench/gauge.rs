//! `cargo xtask bench gauge`: what recording costs a service, and whether its CPU totals are right.
//!
//! Two services of one program run side by side, one of them under `corrente gauge run`; the load
//! meets one at a time, in turns, and each round has new ones. The recorded one is switched off and
//! on as well: the same process, with and without. What the native wrappers cost is measured once more without a
//! server, where the difference is larger than the machine's moods. This file decides what is
//! measured; how it is written down is in `report`.

mod report;

use std::fs;
use std::path::Path;

use serde_json::Value;

use self::report::Wrappers;
use super::children::{Interruption, turns};
use super::conditions;
use super::document::Published;
use super::gunicorn::{Kind, Place, Sample, Service, Switch};
use super::options::{self, Asked, Flag};
use super::programs::{self, Program};
use crate::extension;
use crate::failure::Failure;
use crate::python::Environment;
use crate::step::{Project, output};

pub(super) const USAGE: &str = "\
cargo xtask bench gauge [--rounds N] [--seconds S] [--write]

  --rounds N    runs of each service in each part, 2 to 100 (default: 12)
  --seconds S   length of a run, 1 to 60 (default: 2)
  --write       put the result into docs/BENCHMARKS.md
";

/// One round carries no interval.
const FLAGS: [Flag; 2] = [
    Flag {
        name: "--rounds",
        least: 2,
        most: 100,
        default: 12,
    },
    Flag {
        name: "--seconds",
        least: 1,
        most: 60,
        default: 2,
    },
];

/// The programs that are measured, and the one that measures the wrappers.
const PROGRAMS: [Program; 2] = [
    ("hello.py", include_str!("gauge/hello.py")),
    ("wrappers.py", include_str!("gauge/wrappers.py")),
];

/// A pair of services.
#[derive(Debug)]
struct Part {
    title: &'static str,
    gunicorn: &'static str,
    users: usize,
}

const PARTS: &[Part] = &[
    Part {
        title: "A1. Flask's hello world, Gunicorn sync: service on CPU 0, generator on CPU 1",
        gunicorn: "--workers 1",
        users: 4,
    },
    Part {
        title: "A2. The same, Gunicorn gthread with 4 threads",
        gunicorn: "--workers 1 --threads 4",
        users: 8,
    },
];

/// Runs all parts and prints the result.
pub(super) fn gauge(project: &Project, arguments: &[String]) -> Result<(), Failure> {
    let Asked {
        numbers: [rounds, seconds],
        outcome,
    } = options::parse("gauge", FLAGS, arguments)?;
    let options = Options {
        rounds: rounds as usize,
        seconds,
    };
    conditions::two_processors()?;
    let published = Published::wanted(outcome, &project.root, "gauge")?;
    let environment = extension::service(project)?;
    let place = Place {
        corrente: environment.program("corrente"),
        gunicorn: environment.program("gunicorn"),
        folder: programs::write(project, "bench-gauge", &PROGRAMS)?,
        app: "hello:app",
        environment: Vec::new(),
    };
    let interruption = Interruption::listen()?;
    let mut text = heading(project, &environment, &options)?;
    println!("{text}");
    let mut add = |part: String| {
        println!("{part}");
        text = format!("{text}\n{part}");
    };
    for part in PARTS {
        let pair = measure(part, &options, &place, &interruption)?;
        add(report::part(part.title, &pair));
    }
    add(report::wrappers(&wrappers(
        project,
        &environment,
        &place,
        &options,
    )?));
    add(report::totals(&totals(&place, &options, &interruption)?));
    fs::remove_dir_all(&place.folder).ok();
    published.map_or(Ok(()), |published| published.write(&text))
}

fn heading(
    project: &Project,
    environment: &Environment,
    options: &Options,
) -> Result<String, Failure> {
    let versions = conditions::versions(project, environment, &["corrente", "flask", "gunicorn"])?;
    let conditions = conditions::describe()?;
    let Options { rounds, seconds } = options;
    Ok(format!(
        "{versions}\n{conditions}\n{rounds} rounds of {seconds} s a run, order rotated\n"
    ))
}

/// What is loaded: the bare service; another one that is the same, to see what the machine makes of no
/// difference at all; the recorded one while recording is switched off, and on.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum State {
    Bare,
    Control,
    Off,
    On,
}

const STATES: [State; 4] = [State::Bare, State::Control, State::Off, State::On];

/// The services of a round; each round another one is started first.
const KINDS: [Kind; 3] = [Kind::Bare, Kind::Bare, Kind::Recorded];

/// The services of a part: a sample of each state in each round, and the recordings.
#[derive(Debug, Default)]
struct Pair {
    bare: Vec<Sample>,
    control: Vec<Sample>,
    off: Vec<Sample>,
    on: Vec<Sample>,
    recordings: Vec<Value>,
}

impl Pair {
    fn of(&mut self, state: State) -> &mut Vec<Sample> {
        match state {
            State::Bare => &mut self.bare,
            State::Control => &mut self.control,
            State::Off => &mut self.off,
            State::On => &mut self.on,
        }
    }
}

/// Every round has services of its own: two processes of one program differ by some percent, as long
/// as they live, by where the kernel has put their memory.
fn measure(
    part: &Part,
    options: &Options,
    place: &Place,
    interruption: &Interruption,
) -> Result<Pair, Failure> {
    let mut pair = Pair::default();
    for round in 0..options.rounds {
        let mut services = [None, None, None];
        for index in turns(round, KINDS.len()) {
            let service = Service::start(place, KINDS[index], part.gunicorn, interruption)?;
            // Imports that wait for the first request, caches, the file of the recording.
            service.load(place, "/", part.users, 1)?;
            services[index] = Some(service);
        }
        let [Some(bare), Some(control), Some(recorded)] = services else {
            return Err(Failure::step("a service was not started"));
        };
        for state in turns(round, STATES.len()).map(|turn| STATES[turn]) {
            interruption.check()?;
            let service = match state {
                State::Bare => &bare,
                State::Control => &control,
                State::Off | State::On => &recorded,
            };
            match state {
                State::Off => recorded.switch(Switch::Off)?,
                State::On => recorded.switch(Switch::On)?,
                State::Bare | State::Control => {}
            }
            let sample = service.load(place, "/", part.users, options.seconds)?;
            pair.of(state).push(sample);
        }
        pair.recordings.push(recorded.stop(interruption)?);
        let last = STATES.map(|state| pair.of(state)[round].cpu_us());
        let (name, number, rounds) = (&part.title[..2], round + 1, options.rounds);
        eprintln!("{name} {number}/{rounds}: {last:.1?} µs of CPU a request");
    }
    Ok(pair)
}

fn wrappers(
    project: &Project,
    environment: &Environment,
    place: &Place,
    options: &Options,
) -> Result<Wrappers, Failure> {
    let mut python = environment.command(project, "python");
    python.current_dir(&place.folder).arg("wrappers.py");
    python.arg(options.rounds.to_string());
    let folder = place.folder.join("wrappers.recording.d");
    let text = output(python.arg(&folder))?;
    Wrappers::read(&text, &only_file(&folder)?)
        .map_err(|what| Failure::step(format!("wrappers.py: {what}")))
}

fn only_file(folder: &Path) -> Result<String, Failure> {
    let mut files = fs::read_dir(folder).into_iter().flatten().flatten();
    let path = files.next().map(|entry| entry.path());
    let text = path.and_then(|path| fs::read_to_string(path).ok());
    text.ok_or_else(|| Failure::step(format!("{} holds no recording", folder.display())))
}

/// CPU time of a service that computes: by its recording, and by the kernel.
#[derive(Debug)]
struct Totals {
    kernel_s: f64,
    recording: Value,
}

fn totals(
    place: &Place,
    options: &Options,
    interruption: &Interruption,
) -> Result<Totals, Failure> {
    let arguments = "--workers 1 --threads 2";
    let service = Service::start(place, Kind::Recorded, arguments, interruption)?;
    let sample = service.load(place, "/work", 4, options.seconds.max(5))?;
    Ok(Totals {
        kernel_s: sample.cpu_s,
        recording: service.stop(interruption)?,
    })
}

/// How much is measured.
#[derive(Debug)]
struct Options {
    rounds: usize,
    seconds: u32,
}
