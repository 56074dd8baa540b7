//! A prediction for a terminal: the verdict first, then what it rests on.
//!
//! The verdict and its reason stand above the figures, what was taken for granted below them.
//! Invariant: no verdict without its reason, no estimate without its interval.

use super::{Paint, Table, Terminal};
use crate::catalogue::Message;
use crate::claim::SEPARATOR;
use crate::prediction::{Endpoint, EventLoop, Judgement, PredictionReport, Verdict};

impl Terminal {
    /// A prediction.
    pub fn prediction(&self, report: &PredictionReport) -> String {
        let catalogue = self.catalogue();
        let title = catalogue.predicted_title(report);
        let mut text = self.heading(&title).trim_start().to_owned();
        if let Some(stacks) = catalogue.stacks(report) {
            text.push_str(&self.paragraph(&stacks));
        }
        text.push('\n');
        text.push_str(&self.judgement(&report.judgement));
        if let Some(event_loop) = &report.event_loop {
            text.push_str(&self.event_loop(event_loop));
        }
        text.push_str(&self.sides(report));
        text.push_str(&self.predicted_endpoints(&report.endpoints));
        if !report.assumptions.is_empty() {
            text.push_str(&self.heading(&self.text(Message::PredictAssumed)));
            let assumptions = report.assumptions.iter();
            text.extend(assumptions.map(|one| self.item(&catalogue.assumption(one))));
        }
        text
    }

    /// The verdict and its reason.
    fn judgement(&self, judgement: &Judgement) -> String {
        let verdict = self.text(judgement.verdict);
        let line = self.text(Message::PredictVerdict { verdict: &verdict });
        let painted = self.colour.apply(paint(judgement.verdict), &line);
        let reason = self.catalogue().reason(&judgement.reason);
        format!("{painted}\n{}", self.paragraph(&reason))
    }

    /// Both sides, the gain beside the rule's, and what gathering would bring.
    fn sides(&self, report: &PredictionReport) -> String {
        let catalogue = self.catalogue();
        let Some(sheet) = catalogue.predicted_sides(report) else {
            return String::new();
        };
        let gain = catalogue.predicted_gain(report).join(SEPARATOR);
        let mut text = format!(
            "\n{}\n{}",
            self.table(&Table::from(sheet)),
            self.paragraph(&gain)
        );
        if let Some(gathered) = catalogue.gathered(report) {
            text.push_str(&self.paragraph(&gathered));
        }
        text
    }

    fn predicted_endpoints(&self, endpoints: &[Endpoint]) -> String {
        let catalogue = self.catalogue();
        let Some(sheet) = catalogue.predicted_endpoints(endpoints) else {
            return String::new();
        };
        let mut table = Table::from(sheet);
        let verdicts = endpoints.iter().map(|one| one.judgement.verdict);
        table.paint_last(verdicts.map(paint));
        let mut text = format!("\n{}\n", self.table(&table));
        for endpoint in endpoints {
            text.push_str(&self.item(&catalogue.endpoint_reason(endpoint)));
        }
        text
    }

    fn event_loop(&self, figures: &EventLoop) -> String {
        let catalogue = self.catalogue();
        let mut text = format!("\n{}", self.paragraph(&catalogue.loop_time(figures)));
        for blocker in &figures.blockers {
            text.push_str(&self.item(&catalogue.blocker(blocker)));
        }
        text
    }
}

fn paint(verdict: Verdict) -> Paint {
    match verdict {
        Verdict::Migrate | Verdict::Tune => Paint::Good,
        Verdict::Worse => Paint::Bad,
        Verdict::NoGain => Paint::Strong,
        Verdict::CannotTell => Paint::Unsure,
    }
}

#[cfg(test)]
mod tests;
