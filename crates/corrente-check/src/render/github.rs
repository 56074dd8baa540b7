//! Annotations of GitHub's workflows: one command a finding.
//!
//! The escapes are those of the workflow commands: percent, line ends, and in properties `:` and `,`.

use crate::finding::{Certainty, Report};

/// One line a finding.
pub fn github(report: &Report) -> String {
    let mut lines = Vec::new();
    for finding in &report.findings {
        let level = match finding.certainty {
            Certainty::Certain => "error",
            Certainty::Probable => "warning",
            Certainty::Possible => "notice",
        };
        let place = &finding.place;
        let chain: Vec<&str> = finding
            .chain
            .iter()
            .map(|step| step.function.as_str())
            .collect();
        let way = if chain.is_empty() {
            String::new()
        } else {
            format!(": {}", chain.join(" > "))
        };
        let instead = match finding.instead.as_str() {
            "" => String::new(),
            known => format!(". Instead: {known}"),
        };
        let message = format!("{}{way}{instead}", finding.headline());
        lines.push(format!(
            "::{level} file={},line={},col={},title=corrente {}::{}\n",
            property(&place.path),
            place.line,
            place.column,
            property(&finding.rule),
            data(&message),
        ));
    }
    lines.concat()
}

fn data(text: &str) -> String {
    text.replace('%', "%25")
        .replace('\r', "%0D")
        .replace('\n', "%0A")
}

fn property(text: &str) -> String {
    data(text).replace(':', "%3A").replace(',', "%2C")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_path_cannot_end_a_property() {
        assert_eq!(property("a,b:c%d\n"), "a%2Cb%3Ac%25d%0A");
    }
}
