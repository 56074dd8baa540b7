//! The tables of a gauge: the service in two lines, its endpoints, and what they call.
//!
//! Invariant: what was not measured is shown as absent, and what could not be told stands below the
//! tables, whoever forgot to ask for it.

use super::{Table, Terminal};
use crate::catalogue::Message;
use crate::gauge::GaugeReport;

/// Columns that make room for names where the terminal is narrow, the first of them first: what follows
/// from two others, then what the fewest ask for.
const SPARED: [Message<'static>; 2] = [Message::ColumnBlocking, Message::ColumnWaits];

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
            let endpoints = catalogue.gauge_endpoints(report);
            let (endpoints, left_out) = self.fitted(endpoints, &SPARED);
            let sheets = [
                Some(endpoints),
                catalogue.gauge_calls(report),
                catalogue.gauge_stalls(report),
            ];
            for sheet in sheets.into_iter().flatten() {
                text.push('\n');
                text.push_str(&self.table(&Table::from(sheet)));
            }
            text.push('\n');
            text.push_str(&self.paragraph(&catalogue.gauge_read(report)));
            if !left_out.is_empty() {
                let columns = &left_out.join(", ");
                text.push_str(&self.paragraph(&self.text(Message::GaugeNarrow { columns })));
            }
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
    fn names_are_readable_where_stalls_and_errors_are_shown() {
        let mut report = report();
        report.endpoints[0].name = "POST /orders/<int:order>/lines".to_owned();
        report.endpoints[0].stalls_ms = Some(12.5);
        let narrow = Terminal::new(Language::En, 80, Colour::Plain).gauge(&report);
        let line = |start: &str| narrow.lines().find(|line| line.starts_with(start));
        assert!(line("POST /orders/<int:").is_some(), "{narrow}");
        assert!(
            narrow.contains("Left out for want of room: Wait/CPU"),
            "{narrow}"
        );
        let head = line("Endpoint").expect("there is one");
        assert!(
            head.contains("Stalls") && !head.contains("Wait/CPU"),
            "{head}"
        );
        let wide = Terminal::new(Language::En, 120, Colour::Plain).gauge(&report);
        assert!(
            wide.contains("Waits") && !wide.contains("Left out"),
            "{wide}"
        );
    }

    #[test]
    fn a_column_that_is_not_there_is_not_explained() {
        let mut report = report();
        for endpoint in &mut report.endpoints {
            endpoint.calls.clear();
            endpoint.blocking = None;
        }
        let text = Terminal::new(Language::En, 100, Colour::Plain).gauge(&report);
        assert!(text.contains("Times are means"), "{text}");
        for column in ["Wait/CPU", "ms/call", "Together"] {
            assert!(!text.contains(column), "{column}: {text}");
        }
    }

    #[test]
    fn what_no_clock_can_tell_is_shown_as_nothing() {
        let mut report = report();
        report.endpoints[0].wait_ms = Some(0.000_068);
        report.endpoints[0].blocking = Some(0.000_005_8);
        let text = Terminal::new(Language::En, 100, Colour::Plain).gauge(&report);
        assert!(!text.contains("0.0000"), "{text}");
    }

    #[test]
    fn waiting_that_is_not_known_is_said_to_be_a_bound() {
        let mut report = report();
        report.endpoints[0].wait_ms = None;
        report.endpoints[0].wait_at_most_ms = Some(20.5);
        for language in Language::ALL {
            let text = Terminal::new(language, 100, Colour::Plain).gauge(&report);
            assert_eq!(text.matches('≤').count(), 2, "{language}: {text}");
        }
    }

    #[test]
    fn requests_that_were_not_all_counted_have_no_rate() {
        let mut report = report();
        report.requests_are_partial = true;
        report.requests_per_s = None;
        let text = Terminal::new(Language::En, 100, Colour::Plain).gauge(&report);
        assert!(
            text.contains("requests counted in") && text.contains("could not be counted"),
            "{text}"
        );
        assert!(!text.contains("/s)"), "{text}");
    }

    #[test]
    fn without_requests_there_is_a_line_and_no_table() {
        let text = Terminal::new(Language::En, 80, Colour::Plain).gauge(&GaugeReport::default());
        assert!(text.contains("No request"), "{text}");
        assert!(!text.contains('─'), "{text}");
    }
}
