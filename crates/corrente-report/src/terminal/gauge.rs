//! The tables of a gauge: the service in two lines, its endpoints, and what they call.
//!
//! Invariant: what was not measured is shown as absent, and what could not be told stands below the
//! tables, whoever forgot to ask for it.

use super::{Table, Terminal};
use crate::catalogue::Message;
use crate::gauge::GaugeReport;

impl Terminal {
    /// A gauge's tables.
    pub fn gauge(&self, report: &GaugeReport) -> String {
        let catalogue = self.catalogue();
        let mut text = self
            .heading(&self.text(Message::GaugeTitle))
            .trim_start()
            .to_owned();
        text.push_str(&self.paragraph(&catalogue.gauge_server(report)));
        text.push_str(&self.paragraph(&catalogue.gauge_traffic(report)));
        if report.endpoints.is_empty() {
            text.push_str(&self.paragraph(&self.text(Message::GaugeEmpty)));
        } else {
            let sheets = [
                Some(catalogue.gauge_endpoints(report)),
                catalogue.gauge_calls(report),
                catalogue.gauge_stalls(report),
            ];
            for sheet in sheets.into_iter().flatten() {
                text.push('\n');
                text.push_str(&self.table(&Table::from(sheet)));
            }
            text.push('\n');
            text.push_str(&self.paragraph(&self.text(Message::GaugeRead)));
        }
        if !report.doubts.is_empty() {
            text.push_str(&self.heading(&self.text(Message::GaugeDoubts)));
            text.extend(report.doubts.iter().map(|doubt| self.item(doubt)));
        }
        text
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::fixture::gauge::gauge as report;
    use crate::language::Language;
    use crate::terminal::Colour;

    #[test]
    fn the_tables_in_english() {
        let terminal = Terminal::new(Language::En, 100, Colour::Plain);
        insta::assert_snapshot!(terminal.gauge(&report()));
    }

    #[test]
    fn no_language_leaves_anything_out() {
        for language in Language::ALL {
            let text = Terminal::new(language, 100, Colour::Plain).gauge(&report());
            for part in ["GET /health", "psycopg", "hook_failed", "gunicorn"] {
                assert!(
                    text.contains(part),
                    "{language}: {part} is missing in {text}"
                );
            }
        }
    }

    #[test]
    fn without_requests_there_is_a_line_and_no_table() {
        let text = Terminal::new(Language::En, 80, Colour::Plain).gauge(&GaugeReport::default());
        assert!(text.contains("No request"), "{text}");
        assert!(!text.contains('─'), "{text}");
    }
}
