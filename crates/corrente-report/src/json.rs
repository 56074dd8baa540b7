//! The result document as JSON: reading with a check of the schema, and writing.
//!
//! It knows no file and no path. Invariant: what [`write()`] gives out, [`parse`] takes back
//! unchanged; a document of another schema or version is named as such before its fields are tried.

mod readable;

use serde::Deserialize;

use self::readable::{Readable, readable};
use crate::error::ReportError;
use crate::result::{LabResult, SCHEMA};

/// The one field that every version of the schema shares.
#[derive(Deserialize)]
struct Header {
    schema: Option<String>,
}

/// Reads a result document.
///
/// The schema is checked first: a later version fails with its name, not with a missing field.
pub fn parse(document: &str) -> Result<LabResult, ReportError> {
    let header: Header = serde_json::from_str(document).map_err(ReportError::Malformed)?;
    match header.schema {
        None => Err(ReportError::NoSchema),
        Some(found) if found != SCHEMA => Err(ReportError::WrongSchema { found }),
        Some(_) => serde_json::from_str(document).map_err(ReportError::Malformed),
    }
}

/// A result as it is written.
#[derive(Debug, Clone, PartialEq)]
pub struct Written {
    /// The JSON, indented, with a final line break.
    pub document: String,
    /// What it says.
    pub result: LabResult,
    /// Paths of the figures that are no numbers and may not be absent. They, or the smallest parts around
    /// them that may be, are not in the document.
    pub left_out: Vec<String>,
}

/// Writes a result document.
///
/// `serde_json` turns a number that is not finite into `null` without a word, which no reader would
/// accept. The document is therefore read back before it is given out, and one figure does not cost the
/// rest of a run.
///
/// # Errors
///
/// [`ReportError::Unwritable`] where something is no number that every result has.
pub fn write(result: &LabResult) -> Result<Written, ReportError> {
    let document = text(result)?;
    if let Ok(result) = serde_json::from_str(&document) {
        return Ok(Written {
            document,
            result,
            left_out: Vec::new(),
        });
    }
    let whole = serde_json::to_value(result).map_err(ReportError::Unwritable)?;
    let Readable { result, left_out } = readable(whole).map_err(ReportError::Unwritable)?;
    Ok(Written {
        document: text(&result)?,
        result,
        left_out,
    })
}

fn text(result: &LabResult) -> Result<String, ReportError> {
    let text = serde_json::to_string_pretty(result).map_err(ReportError::Unwritable)?;
    Ok(text + "\n")
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::fixture::fixture;
    use crate::result::{Interval, ScenarioResult};

    #[test]
    fn reads_back_what_it_wrote() {
        let result = fixture();
        let written = write(&result).unwrap();
        assert_eq!(parse(&written.document).unwrap(), result);
        assert_eq!((written.result, written.left_out), (result, Vec::new()));
    }

    #[test]
    fn names_the_schema_it_found() {
        let written = write(&fixture()).unwrap();
        let document = written.document.replace(SCHEMA, "corrente.lab/2");
        let error = parse(&document).unwrap_err().to_string();
        assert_eq!(error, "expected corrente.lab/1, found corrente.lab/2");
    }

    #[test]
    fn tells_a_foreign_document_from_a_broken_one() {
        let foreign = parse("{\"benchmarks\": []}").unwrap_err().to_string();
        assert!(foreign.contains("names no schema"), "{foreign}");
        let broken = parse("{").unwrap_err().to_string();
        assert!(
            broken.contains("does not follow corrente.lab/1"),
            "{broken}"
        );
        let short = parse("{\"schema\": \"corrente.lab/1\"}")
            .unwrap_err()
            .to_string();
        assert!(
            short.contains("missing field `corrente_version`"),
            "{short}"
        );
    }

    /// Writes the fixture with something that is no number in it; gives what is left of its first
    /// scenario, and what is named.
    #[track_caller]
    fn broken(harm: impl FnOnce(&mut ScenarioResult)) -> (ScenarioResult, Vec<String>) {
        let mut result = fixture();
        harm(&mut result.scenarios[0]);
        let written = write(&result).unwrap();
        let mut read = parse(&written.document).unwrap();
        assert_eq!(read, written.result);
        assert_eq!(read.scenarios[1..], fixture().scenarios[1..]);
        (read.scenarios.remove(0), written.left_out)
    }

    const INFINITE: Interval = Interval {
        estimate: 1.0,
        low: 0.0,
        high: f64::INFINITY,
    };

    #[test]
    fn a_prediction_without_bounds_costs_nothing_else() {
        let (scenario, left_out) = broken(|scenario| {
            let point = &mut scenario.findings[0].points[0];
            (point.predicted, point.shipped) = (Some(INFINITE), Some(INFINITE));
        });
        let mut whole = fixture().scenarios.remove(0);
        let point = &mut whole.findings[0].points[0];
        (point.predicted, point.shipped) = (None, None);
        assert_eq!(scenario, whole);
        let of_point = "scenarios[0].findings[0].points[0]";
        let named = ["predicted", "shipped"].map(|name| format!("{of_point}.{name}.high"));
        assert_eq!(left_out, named);
    }

    #[test]
    fn a_round_that_is_no_number_costs_its_measurement() {
        let (scenario, left_out) =
            broken(|scenario| scenario.measurements[0].throughput_rounds[0] = f64::NAN);
        let whole = fixture().scenarios.remove(0);
        assert_eq!(scenario.measurements, whole.measurements[1..]);
        assert_eq!(scenario.findings, whole.findings);
        assert_eq!(
            left_out,
            ["scenarios[0].measurements[0].throughput_rounds[0]"]
        );
    }

    #[test]
    fn a_figure_of_a_program_is_left_out_by_itself() {
        let name = "a~b/c";
        let (scenario, left_out) = broken(|scenario| {
            let extra = &mut scenario.measurements[0].extra;
            extra.insert(name.to_owned(), f64::NEG_INFINITY);
        });
        assert_eq!(scenario, fixture().scenarios.remove(0));
        assert_eq!(
            left_out,
            [format!("scenarios[0].measurements[0].extra.{name}")]
        );
    }

    #[test]
    fn refuses_to_write_what_nobody_could_read() {
        let mut result = fixture();
        result.prices.per_vcpu_hour = f64::NAN;
        assert!(matches!(write(&result), Err(ReportError::Unwritable(_))));
    }
}
