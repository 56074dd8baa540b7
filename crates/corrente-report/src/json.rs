//! The result document as JSON: reading with a check of the schema, and writing.
//!
//! It knows no file and no path. Invariant: what [`write()`] gives out, [`parse`] takes back
//! unchanged; a document of another schema or version is named as such before its fields are tried.

use serde::Deserialize;

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

/// Writes a result document, indented, with a final line break.
///
/// `serde_json` turns a number that is not finite into `null` without a word, which no reader would
/// accept. The document is therefore read back before it is given out.
pub fn write(result: &LabResult) -> Result<String, ReportError> {
    let mut document = serde_json::to_string_pretty(result).map_err(ReportError::Unwritable)?;
    document.push('\n');
    serde_json::from_str::<LabResult>(&document).map_err(ReportError::Unwritable)?;
    Ok(document)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::fixture::fixture;

    #[test]
    fn reads_back_what_it_wrote() {
        let result = fixture();
        let document = write(&result).unwrap();
        assert_eq!(parse(&document).unwrap(), result);
    }

    #[test]
    fn names_the_schema_it_found() {
        let document = write(&fixture()).unwrap().replace(SCHEMA, "corrente.lab/2");
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

    #[test]
    fn refuses_to_write_what_nobody_could_read() {
        let mut result = fixture();
        result.prices.per_vcpu_hour = f64::NAN;
        assert!(matches!(write(&result), Err(ReportError::Unwritable(_))));
    }
}
