//! A gauge as an HTML page: written where `--html` says, whole or not at all.
//!
//! The place is looked at before anything is predicted, so that a slip of the keyboard is told at
//! once. What the page says is decided elsewhere (`corrente_report::html`).

use std::path::{Path, PathBuf};

use corrente_gauge::Recording;
use corrente_gauge::aggregate::Figures;
use corrente_lab::store;
use corrente_report::gauge::GaugeReport as Shown;
use corrente_report::html::{self, GaugePage};
use corrente_report::prediction::PredictionReport;
use corrente_report::{Catalogue, Message};

use super::{Failure, keep};
use crate::arguments::LanguageChoice;
use crate::{Exit, lab, terminal};

/// Where a page goes, and in which language.
pub(super) struct Page<'a> {
    path: &'a Path,
    language: &'a LanguageChoice,
}

impl<'a> Page<'a> {
    /// The page that was asked for, if one was. Its place is one where a file can be made, and
    /// where none of the recordings is.
    pub(super) fn asked(
        path: Option<&'a Path>,
        recordings: &[PathBuf],
        language: &'a LanguageChoice,
    ) -> Result<Option<Self>, Failure> {
        let Some(path) = path else { return Ok(None) };
        keep::check("--html", path)?;
        let place = path.canonicalize().ok();
        let is_place = |file: &PathBuf| place.is_some() && file.canonicalize().ok() == place;
        if recordings.iter().any(is_place) {
            let path = path.display();
            let line = format!("--html {path}: is the recording itself; give another file");
            return Err(Failure::new(Exit::Usage, line));
        }
        Ok(Some(Self { path, language }))
    }

    /// Writes the page and says where it is.
    pub(super) fn write(
        &self,
        recording: &Recording,
        figures: &Figures,
        prediction: Option<&PredictionReport>,
    ) -> Result<(), Failure> {
        let language = lab::language(self.language);
        let page = GaugePage {
            figures: &Shown::from(figures),
            prediction,
            version: env!("CARGO_PKG_VERSION"),
            schema: &recording.schema,
        };
        store::write(self.path, &html::gauge_page(&page, language))
            .map_err(|error| Failure::new(Exit::Machine, error.to_string()))?;
        let path = self.path.display().to_string();
        let written = Message::ProgressReportWritten { path: &path };
        terminal::note(&Catalogue::new(language).text(written));
        Ok(())
    }
}
