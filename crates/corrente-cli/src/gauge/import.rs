//! `corrente gauge import`: spans that a service has sent already, as a recording.
//!
//! Opens the files one after the other, names the one that is bad, and writes nothing before all of
//! them have been read.

use std::fs::File;
use std::path::Path;

use corrente_gauge::import::{Import, ImportError};
use indicatif::{ProgressBar, ProgressStyle};

use super::Failure;
use super::keep::{Kept, made_by, names};
use crate::arguments::GaugeImport;
use crate::{Exit, lab};

pub(super) fn import(asked: &GaugeImport) -> Result<Exit, Failure> {
    let place = Kept {
        out: &asked.out,
        json: asked.json,
        language: &asked.language,
    };
    place.check()?;
    let interrupted = lab::interruption().map_err(|error| {
        Failure::new(Exit::Machine, format!("cannot listen for Ctrl-C: {error}"))
    })?;
    let mut import = Import::new(&interrupted);
    let bar = bar(asked);
    let read = asked
        .files
        .iter()
        .try_for_each(|path| read(&mut import, path, &bar));
    bar.finish_and_clear();
    read?;
    let imported = import
        .requests(asked.service.as_deref())
        .map_err(|error| failure(&names(&asked.files), &error))?;
    place.keep(&imported.recording(&made_by()))?;
    Ok(Exit::Done)
}

fn read(import: &mut Import<'_>, path: &Path, bar: &ProgressBar) -> Result<(), Failure> {
    let failed = |error| failure(&path.display().to_string(), &error);
    let file = File::open(path).map_err(|error| failed(ImportError::Read(error)))?;
    import
        .read(file, &mut |bytes| bar.set_position(bytes))
        .map_err(failed)
}

/// What is wrong with files is the user's input, whatever it is.
fn failure(of: &str, error: &ImportError) -> Failure {
    match error {
        ImportError::Cancelled => Failure::new(Exit::Interrupted, error.to_string()),
        _ => Failure::new(Exit::Usage, format!("{of}: {error}")),
    }
}

fn bar(asked: &GaugeImport) -> ProgressBar {
    let sizes = asked.files.iter().filter_map(|path| path.metadata().ok());
    let bar = ProgressBar::new(sizes.map(|file| file.len()).sum());
    let style = ProgressStyle::with_template("{bar:30} {bytes}/{total_bytes} {eta}");
    bar.with_style(style.unwrap_or_else(|_| ProgressStyle::default_bar()))
}
