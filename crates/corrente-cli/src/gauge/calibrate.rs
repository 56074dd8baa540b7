//! `corrente gauge calibrate`: what stacks cost on this machine, from a lab's result.
//!
//! The lab makes the table; this finds the result, writes the file and says what is in it.

use corrente_lab::calibration::{self, CalibrationError};
use corrente_lab::{LabError, store};
use corrente_report::{Catalogue, Message};

use super::Failure;
use crate::arguments::GaugeCalibrate;
use crate::{Exit, lab, terminal};

pub(super) fn calibrate(asked: &GaugeCalibrate) -> Result<Exit, Failure> {
    let result = store::load(&asked.result)?;
    let table = calibration::cost_table(&result, &lab::files(&asked.reading));
    let table = table.map_err(|error| match error {
        CalibrationError::Lab(error) => Failure::from(error),
        _ => Failure::new(Exit::Usage, format!("{}: {error}", asked.result.display())),
    })?;
    store::write(&asked.out, &table.to_toml())?;
    let stacks = table.stacks.iter();
    let stacks = stacks.map(|one| format!("{} ({})", one.framework, one.server));
    let drivers = table.drivers.iter().map(|one| one.name.clone());
    let names: Vec<String> = stacks.chain(drivers).collect();
    let catalogue = Catalogue::new(lab::language(&asked.reading.language));
    let text = catalogue.text(Message::CalibrateWritten {
        path: &asked.out.display().to_string(),
        names: &names.join(", "),
    });
    terminal::note(&text);
    Ok(Exit::Done)
}

impl From<LabError> for Failure {
    fn from(error: LabError) -> Self {
        Self::new(lab::exit(&error), error.to_string())
    }
}
