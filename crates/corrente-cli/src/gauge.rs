//! `corrente gauge`: record what a service does, and show it.
//!
//! `run` starts the user's command with recording on, hands it every signal, and merges what its
//! processes have written when it has ended. The command is the user's: its output, its exit and its
//! signals stay as they are, but for the one signal that switches recording off and on.

mod attach;
mod calibrate;
mod command;
mod import;
mod keep;
mod machine;
mod page;
mod predict;
mod watch;
mod witness;

use std::path::{Path, PathBuf};
use std::time::Duration;

use corrente_gauge::{GaugeError, Recording, aggregate, read};
use corrente_report::gauge::GaugeReport as Shown;
use corrente_report::terminal::Terminal;

use crate::arguments::{
    GaugeAttach, GaugeCalibrate, GaugeImport, GaugePredict, GaugeReport, GaugeRun, GaugeWatch,
    LanguageChoice,
};
use crate::{Exit, lab, terminal};
use command::Recorded;
use page::Page;

/// A command that ended badly: its exit and what to say.
struct Failure {
    exit: Exit,
    line: String,
}

impl Failure {
    fn new(exit: Exit, line: impl Into<String>) -> Self {
        Self {
            exit,
            line: line.into(),
        }
    }
}

/// A recording that cannot be read is the user's input; what cannot be written is the machine's.
impl From<GaugeError> for Failure {
    fn from(error: GaugeError) -> Self {
        Self::new(Exit::Usage, error.to_string())
    }
}

/// `corrente gauge run`.
pub(crate) fn run(run: &GaugeRun, program: &[std::ffi::OsString]) -> Exit {
    conclude(record(run, program))
}

/// `corrente gauge attach`.
pub(crate) fn attach(attach: &GaugeAttach, program: &[std::ffi::OsString]) -> Exit {
    conclude(attach::attach(attach, program))
}

/// `corrente gauge import`.
pub(crate) fn import(import: &GaugeImport) -> Exit {
    conclude(import::import(import))
}

/// `corrente gauge report`.
pub(crate) fn report(report: &GaugeReport) -> Exit {
    conclude(show_again(report))
}

/// `corrente gauge predict`.
pub(crate) fn predict(predict: &GaugePredict) -> Exit {
    conclude(predict::predict(predict))
}

/// `corrente gauge calibrate`.
pub(crate) fn calibrate(calibrate: &GaugeCalibrate) -> Exit {
    conclude(calibrate::calibrate(calibrate))
}

/// `corrente gauge watch`.
pub(crate) fn watch(watch: &GaugeWatch) -> Exit {
    conclude(watch::watch(watch))
}

fn conclude(outcome: Result<Exit, Failure>) -> Exit {
    outcome.unwrap_or_else(|failure| {
        terminal::error(&failure.line);
        failure.exit
    })
}

/// A recording that is there already: as a page where one was asked for, else here.
fn show_again(report: &GaugeReport) -> Result<Exit, Failure> {
    let page = Page::asked(report.html.as_deref(), &report.files, &report.language)?;
    let recording = read::read(&report.files)?;
    let figures = aggregate(&recording);
    if let Some(page) = &page {
        let prediction = predict::with_curves(&recording);
        page.write(&recording, &figures, prediction.as_ref())?;
    }
    if page.is_none() || report.json {
        show(&recording, &figures, report.json, &report.language);
    }
    Ok(Exit::Done)
}

/// `corrente serve --gauge FILE` begins: its workers write into a folder beside the file.
pub(crate) fn begin_serving(out: &Path) -> Result<(), Exit> {
    let made = keep::check("--gauge", out).and_then(|()| command::make(&folder_of(out)));
    made.map_err(|failure| {
        terminal::error(&failure.line);
        failure.exit
    })
}

/// It has ended: the folder becomes the file. A server that has answered nothing leaves none.
pub(crate) fn end_serving(out: &Path, program: &[std::ffi::OsString]) -> Exit {
    let folder = folder_of(out);
    let kept = match read::read(std::slice::from_ref(&folder)) {
        Ok(mut recording) => {
            machine::note(&mut recording, [own(program), None]);
            keep::write(&recording, out).map(|()| {
                let path = out.display();
                terminal::error(&format!(
                    "recorded: `corrente gauge report {path}` shows it"
                ));
                Exit::Done
            })
        }
        Err(GaugeError::Empty { .. }) => {
            terminal::error("nothing was recorded: no request was answered");
            Ok(Exit::Done)
        }
        // Whatever is in the folder is all there is: it stays.
        Err(error) => return conclude(Err(error.into())),
    };
    if kept.is_ok() {
        remove(&folder);
    }
    conclude(kept)
}

fn record(run: &GaugeRun, program: &[std::ffi::OsString]) -> Result<Exit, Failure> {
    let folder = folder_of(&run.out);
    let recorded = command::record(run, program, &folder)?;
    let name = run.command[0].to_string_lossy().into_owned();
    let mut recording = match read::read(std::slice::from_ref(&folder)) {
        Ok(recording) => recording,
        Err(GaugeError::Empty { .. }) => {
            remove(&folder);
            return Err(nothing(&name, &recorded));
        }
        // Whatever is in the folder is all there is: it stays.
        Err(error) => return Err(error.into()),
    };
    let interpreters = [machine::of_command(&run.command[0]), own(program)];
    machine::note(&mut recording, interpreters);
    keep::write(&recording, &run.out)?;
    remove(&folder);
    let figures = aggregate(&recording);
    show(&recording, &figures, run.json, &run.language);
    keep::tell(&run.out, &run.language);
    if let Some(end) = recorded.failure() {
        return Err(Failure::new(Exit::Incomplete, format!("`{name}` {end}")));
    }
    Ok(if figures.endpoints.is_empty() {
        Exit::Incomplete
    } else {
        Exit::Done
    })
}

/// The interpreter that hosts corrente.
fn own(program: &[std::ffi::OsString]) -> Option<PathBuf> {
    program.first().map(PathBuf::from)
}

/// Where the processes write: beside the recording that it becomes.
fn folder_of(out: &Path) -> PathBuf {
    out.with_extension("recording.d")
}

fn remove(folder: &Path) {
    if let Err(error) = std::fs::remove_dir_all(folder) {
        terminal::error(&format!("{}: cannot be removed: {error}", folder.display()));
    }
}

fn nothing(name: &str, recorded: &Recorded) -> Failure {
    let line = match recorded.failure() {
        Some(end) => format!("`{name}` {end} before any request; nothing was recorded"),
        None => format!(
            "nothing was recorded: `{name}` served no request, or not with a Python that has \
             corrente; install it where the service is installed"
        ),
    };
    Failure::new(Exit::Incomplete, line)
}

/// A flag's seconds as a time.
fn seconds(flag: &str, value: f64) -> Result<Duration, Failure> {
    Duration::try_from_secs_f64(value).map_err(|_| {
        let line = format!("{flag}: expected a number of seconds of 0 or more, found {value}");
        Failure::new(Exit::Usage, line)
    })
}

/// The figures of a recording, and the verdict on its service.
fn show(
    recording: &Recording,
    figures: &aggregate::Figures,
    json: bool,
    language: &LanguageChoice,
) {
    if json {
        let document = predict::with_figures(recording, figures);
        terminal::data(&document.to_string());
        return;
    }
    let chosen = lab::language(language);
    let screen = Terminal::new(chosen, terminal::width(), terminal::colour());
    terminal::data(&screen.gauge(&Shown::from(figures)));
    predict::append(recording, language);
}
