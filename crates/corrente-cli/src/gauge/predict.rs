//! `corrente gauge predict`, and the verdict at the end of `run` and `report`.
//!
//! The verdict is part of the answer, whatever it is: a service that should not migrate is no error.
//! Too little data is one: nothing was predicted.

use std::fs;
use std::path::Path;

use corrente_gauge::aggregate::Figures;
use corrente_gauge::predict::{CostTable, Detail, PredictError, Settings};
use corrente_gauge::{Recording, aggregate, predict as model, read};
use corrente_report::prediction::{PredictionReport, Reason};
use corrente_report::terminal::Terminal;
use serde_json::Value;

use super::page::Page;
use super::{Failure, keep};
use crate::arguments::{GaugePredict, LanguageChoice};
use crate::{Exit, lab, terminal};

/// Predicts, and shows it as text, JSON or a page.
pub(super) fn predict(predict: &GaugePredict) -> Result<Exit, Failure> {
    let page = Page::asked(predict.html.as_deref(), &predict.files, &predict.language)?;
    let recording = read::read(&predict.files)?;
    let names = keep::names(&predict.files);
    let settings = settings(predict)?;
    let report = model::predict(&recording, &settings).map_err(|error| match error {
        PredictError::NoRequest | PredictError::Greenlets => {
            Failure::new(Exit::Incomplete, format!("{names}: {error}"))
        }
        _ => Failure::new(Exit::Usage, error.to_string()),
    })?;
    if predict.json {
        terminal::data(&serde_json::to_string(&report).unwrap_or_default());
    }
    if let Some(page) = &page {
        page.write(&recording, &aggregate(&recording), Some(&report))?;
    }
    if let Some(line) = too_few(&report.judgement.reason) {
        return Err(Failure::new(Exit::Incomplete, format!("{names}: {line}")));
    }
    if !predict.json && page.is_none() {
        terminal::data(&text(&report, &predict.language));
    }
    Ok(Exit::Done)
}

/// What to say where too little is recorded to predict anything.
fn too_few(reason: &Reason) -> Option<String> {
    match reason {
        Reason::FewRequests { requests, more } => Some(format!(
            "cannot tell from so few requests ({requests}): record at least {more} more"
        )),
        Reason::FewOfEndpoint { endpoint, more } => Some(format!(
            "cannot tell from so few requests of `{endpoint}`: record at least {more} more"
        )),
        _ => None,
    }
}

/// Ends the tables of a recording with its verdict; a recording without requests has none.
pub(super) fn append(recording: &Recording, language: &LanguageChoice) {
    if let Ok(report) = model::predict(recording, &Settings::default()) {
        terminal::data(&format!("\n{}", text(&report, language)));
    }
}

/// The prediction as a page has it; a recording without requests has none.
pub(super) fn with_curves(recording: &Recording) -> Option<PredictionReport> {
    let settings = Settings {
        detail: Detail::Curves,
        ..Settings::default()
    };
    model::predict(recording, &settings).ok()
}

/// Figures as JSON, with the prediction; that is null where there is no request.
pub(super) fn with_figures(recording: &Recording, figures: &Figures) -> Value {
    let prediction = model::predict(recording, &Settings::default()).ok();
    let mut document = serde_json::to_value(figures).unwrap_or_default();
    document["prediction"] = serde_json::to_value(prediction).unwrap_or_default();
    document
}

fn settings(predict: &GaugePredict) -> Result<Settings, Failure> {
    let setting = &predict.setting;
    Ok(Settings {
        cores: setting.cores,
        workers: setting.workers,
        threads: setting.threads,
        pool: setting.pool,
        rate: setting.rate,
        price: setting.price,
        to: setting.to.clone(),
        // Text has no place for curves.
        detail: if predict.json || predict.html.is_some() {
            Detail::Curves
        } else {
            Detail::Figures
        },
        costs: predict.costs.as_deref().map(costs).transpose()?,
    })
}

/// The costs in a file of the user's.
fn costs(path: &Path) -> Result<CostTable, Failure> {
    let failed =
        |what: String| Failure::new(Exit::Usage, format!("--costs {}: {what}", path.display()));
    let text = fs::read_to_string(path).map_err(|error| failed(error.to_string()))?;
    CostTable::from_toml(&text).map_err(|error| failed(error.to_string()))
}

fn text(report: &PredictionReport, language: &LanguageChoice) -> String {
    let language = lab::language(language);
    let screen = Terminal::new(language, terminal::width(), terminal::colour());
    screen.prediction(report)
}
