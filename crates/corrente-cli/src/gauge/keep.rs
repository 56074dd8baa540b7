//! Where a recording goes: checked before it is made, written whole, and said.
//!
//! Shared by the verbs that make recordings. A recording that took minutes must not be lost to a
//! folder that is missing, so that is looked at first.

use std::path::{Path, PathBuf};

use corrente_gauge::{Recording, aggregate, read};
use corrente_report::{Catalogue, Message};

use super::{Failure, show};
use crate::arguments::LanguageChoice;
use crate::{Exit, lab, terminal};

/// Where a recording goes and how it is shown.
pub(super) struct Kept<'a> {
    pub(super) out: &'a Path,
    pub(super) json: bool,
    pub(super) language: &'a LanguageChoice,
}

impl Kept<'_> {
    /// Refuses a place where no file can be made, before anybody has waited for the recording.
    pub(super) fn check(&self) -> Result<(), Failure> {
        check("--out", self.out)
    }

    /// Writes the recording, shows it, and says where it is.
    pub(super) fn keep(&self, recording: &Recording) -> Result<(), Failure> {
        write(recording, self.out)?;
        show(recording, &aggregate(recording), self.json, self.language);
        tell(self.out, self.language);
        Ok(())
    }
}

/// Refuses a place where no file can be made; `flag` named it.
pub(super) fn check(flag: &str, path: &Path) -> Result<(), Failure> {
    let refuse = |why: &str| {
        let path = path.display();
        let line = format!("{flag} {path}: {why}; give a file in a folder that is there");
        Err(Failure::new(Exit::Usage, line))
    };
    if path.is_dir() {
        return refuse("is a folder");
    }
    let folder = path
        .parent()
        .filter(|folder| !folder.as_os_str().is_empty());
    if folder.is_some_and(|folder| !folder.is_dir()) {
        return refuse("its folder is missing");
    }
    Ok(())
}

/// Writes a recording as a whole. That it cannot be written is the machine's fault.
pub(super) fn write(recording: &Recording, path: &Path) -> Result<(), Failure> {
    read::write(recording, path).map_err(|error| Failure::new(Exit::Machine, error.to_string()))
}

/// Says where the recording is.
pub(super) fn tell(path: &Path, language: &LanguageChoice) {
    let catalogue = Catalogue::new(lab::language(language));
    let path = path.display().to_string();
    terminal::note(&catalogue.text(Message::GaugeWritten { path: &path }));
}

/// Several files, as a message names them.
pub(super) fn names(paths: &[PathBuf]) -> String {
    let each = paths.iter().map(|path| path.display().to_string());
    each.collect::<Vec<_>>().join(", ")
}

/// Name and version of this program, as recordings have it.
pub(super) fn made_by() -> String {
    concat!("corrente ", env!("CARGO_PKG_VERSION")).to_owned()
}
