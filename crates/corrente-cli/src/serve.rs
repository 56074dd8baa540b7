//! `corrente serve`: settings from everywhere, then the server until it is told to stop.
//!
//! Reading the sources and printing are here; what is done with them is `corrente-operations`. Its workers do not
//! come here: they are Python's (`corrente._worker`).

use std::ffi::OsString;
use std::fs::OpenOptions;
use std::io::Write as _;
use std::path::{Path, PathBuf};

use corrente_operations::listen::Systemd;
use corrente_operations::settings::{Settings, SettingsError, Sources, Values};
use corrente_operations::supervisor::{Fault, Level};
use corrente_operations::{Serve as Parent, ServeError};

use crate::arguments::Serve;
use crate::{Exit, gauge, terminal};

/// `corrente serve`. The exit code, because a worker's is its own.
pub(crate) fn run(serve: Serve, program: &[OsString]) -> u8 {
    let show = (serve.show_config, serve.json);
    let values = match read(serve) {
        Ok(values) => values,
        Err(error) => {
            for line in &error.lines {
                terminal::error(line);
            }
            return Exit::Usage.code();
        }
    };
    let exit = match show {
        (true, true) => {
            terminal::data(&values.json().to_string());
            Exit::Done
        }
        (true, false) => {
            terminal::data(&table(&values));
            Exit::Done
        }
        _ => parent(&values, program),
    };
    exit.code()
}

fn read(serve: Serve) -> Result<Values, SettingsError> {
    let sources = Sources {
        file: Values::find_file(serve.config.as_deref(), Path::new("."))?,
        // One that is no text is none of ours.
        environment: std::env::vars_os()
            .filter_map(|(name, value)| Some((name.into_string().ok()?, value.into_string().ok()?)))
            .collect(),
        flags: serve.flags,
    };
    for line in Values::slips(&sources) {
        terminal::error(&line);
    }
    Values::read(&sources)
}

fn parent(values: &Values, program: &[OsString]) -> Exit {
    let settings = Settings::from(values);
    let least = match settings.logging.level.as_str() {
        "debug" => Level::Debug,
        "warning" => Level::Warning,
        "error" => Level::Error,
        _ => Level::Info,
    };
    let file = settings.logging.file;
    let recording = settings.logging.gauge;
    if let Some(Err(exit)) = recording.as_deref().map(gauge::begin_serving) {
        return exit;
    }
    let mut say = |level: Level, line: String| {
        if level >= least {
            note(file.as_ref(), &line);
        }
    };
    let serve = Parent {
        values,
        program: program.iter().cloned().chain(["serve".into()]).collect(),
        systemd: Systemd::from_environment(std::process::id(), |name| std::env::var(name).ok()),
    };
    let ended = match corrente_operations::run(&serve, &mut say) {
        Ok(()) => Exit::Done,
        Err(error) => {
            terminal::error(&error.to_string());
            exit(&error)
        }
    };
    let kept = recording.map(|file| gauge::end_serving(&file, program));
    match (ended, kept) {
        (Exit::Done, Some(kept)) => kept,
        (ended, _) => ended,
    }
}

fn exit(error: &ServeError) -> Exit {
    match error {
        ServeError::NoApplication => Exit::Usage,
        ServeError::Worker(failure) => match failure.fault {
            Fault::User => Exit::Incomplete,
            Fault::Machine => Exit::Machine,
            Fault::Bug => Exit::Bug,
        },
        _ => Exit::Machine,
    }
}

/// A line of the server's own. The file is opened each time: there are few lines, and one that is moved
/// away (logrotate) is made anew.
fn note(file: Option<&PathBuf>, line: &str) {
    let Some(path) = file else {
        terminal::error(line);
        return;
    };
    let written = OpenOptions::new()
        .append(true)
        .create(true)
        .open(path)
        .and_then(|mut file| writeln!(file, "corrente: {line}"));
    if let Err(error) = written {
        // Nothing that is said gets lost.
        terminal::error(&format!("--log-file {}: {error}", path.display()));
        terminal::error(line);
    }
}

/// One line a setting: its name, its value, where that was written.
fn table(values: &Values) -> String {
    let rows = values.rows();
    let width = |length: fn(&corrente_operations::settings::Row) -> usize| {
        rows.iter().map(length).filter(|width| *width <= 32).max()
    };
    let names = width(|row| row.name.len()).unwrap_or(0);
    let places = width(|row| row.value.chars().count()).unwrap_or(0);
    let mut text = String::new();
    let mut group = None;
    for row in rows {
        if group.replace(row.group) != Some(row.group) {
            let gap = if text.is_empty() { "" } else { "\n" };
            text += &[gap, row.group.headline(), "\n"].concat();
        }
        let (name, value, origin) = (row.name, row.value, row.origin);
        let line = format!("  {name:names$}  {value:places$}  {origin}\n");
        text += &line;
    }
    text
}
