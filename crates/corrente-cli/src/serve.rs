//! `corrente serve`: settings from everywhere, then the server until it is told to stop.
//!
//! Reading the sources and printing are here; what is done with them is `corrente-operations`. Its workers do not
//! come here: they are Python's (`corrente._worker`).

use std::cell::RefCell;
use std::collections::BTreeMap;
use std::ffi::OsString;
use std::fs::OpenOptions;
use std::io::Write as _;
use std::path::{Path, PathBuf};

use corrente_operations::listen::Systemd;
use corrente_operations::settings::{Logging, Settings, SettingsError, Sources, Values};
use corrente_operations::supervisor::{Fault, Level};
use corrente_operations::{Serve as Parent, ServeError};

use crate::arguments::Serve;
use crate::{Exit, gauge, terminal};

/// `corrente serve`. The exit code, because a worker's is its own.
pub(crate) fn run(serve: Serve, program: &[OsString]) -> u8 {
    let show = (serve.show_config, serve.json);
    let reading = Reading::of(serve);
    let values = match reading.read() {
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
        _ => parent(&reading, &values, program),
    };
    exit.code()
}

/// Where settings come from. The file is read each time.
struct Reading {
    config: Option<PathBuf>,
    environment: BTreeMap<String, String>,
    flags: BTreeMap<String, Vec<String>>,
    /// The file that was read last.
    found: RefCell<Option<PathBuf>>,
}

impl Reading {
    fn of(serve: Serve) -> Self {
        Self {
            config: serve.config,
            // One that is no text is none of ours.
            environment: std::env::vars_os()
                .filter_map(|(name, value)| {
                    Some((name.into_string().ok()?, value.into_string().ok()?))
                })
                .collect(),
            flags: serve.flags,
            found: RefCell::new(None),
        }
    }

    fn read(&self) -> Result<Values, SettingsError> {
        let sources = Sources {
            file: Values::find_file(self.config.as_deref(), Path::new("."))?,
            environment: self.environment.clone(),
            flags: self.flags.clone(),
        };
        for line in Values::slips(&sources) {
            terminal::error(&line);
        }
        let path = sources.file.as_ref().map(|file| file.place.path.clone());
        let before = self.found.borrow().clone();
        if let Some(before) = before.filter(|_| path.is_none()) {
            // Somebody may be about to write it anew: that nothing is set any more is not meant.
            let text = format!("{}: has no settings any more", before.display());
            return Err(text.into());
        }
        let values = Values::read(&sources)?;
        self.found.replace(path);
        Ok(values)
    }
}

/// What the server says of itself, and where.
struct Saying {
    least: Level,
    file: Option<PathBuf>,
}

impl Saying {
    fn by(logging: Logging) -> Self {
        Self {
            least: match logging.level.as_str() {
                "debug" => Level::Debug,
                "warning" => Level::Warning,
                "error" => Level::Error,
                _ => Level::Info,
            },
            file: logging.file,
        }
    }
}

fn parent(reading: &Reading, values: &Values, program: &[OsString]) -> Exit {
    let settings = Settings::from(values);
    let recording = settings.logging.gauge.clone();
    let saying = RefCell::new(Saying::by(settings.logging));
    if let Some(Err(exit)) = recording.as_deref().map(gauge::begin_serving) {
        return exit;
    }
    let mut say = |level: Level, line: String| {
        let saying = saying.borrow();
        if level >= saying.least {
            note(saying.file.as_ref(), &line);
        }
    };
    let again = || {
        let values = reading.read()?;
        saying.replace(Saying::by(Settings::from(&values).logging));
        Ok(values)
    };
    let serve = Parent {
        values,
        again: &again,
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
