//! Progress of a lab run on standard error: a bar with the time left, or plain lines.
//!
//! Hears the lab (an [`Observer`]) and shows it. Where standard error is no terminal, each scenario
//! gets a line when it begins and when it fails, so that a log stays readable.

use std::time::Duration;

use corrente_lab::observer::{Activity, Observer};
use corrente_report::result::{Outcome, ScenarioResult};
use corrente_report::{Catalogue, Message};
use indicatif::{ProgressBar, ProgressDrawTarget, ProgressStyle};

use crate::terminal;

/// A progress bar that hears the lab. Its unit is a millisecond of expected time.
pub(crate) struct LabProgress<'run> {
    catalogue: &'run Catalogue,
    bar: ProgressBar,
    scenarios: usize,
    begun: usize,
    /// Expected time of the scenario in hand that is already on the bar.
    advanced: Duration,
    /// The last warning: a scenario that fails for the same reason is not told twice.
    warned: String,
}

impl<'run> LabProgress<'run> {
    pub(crate) fn new(catalogue: &'run Catalogue) -> Self {
        let bar = ProgressBar::with_draw_target(None, ProgressDrawTarget::stderr_with_hz(8));
        let style =
            ProgressStyle::with_template("{bar:16} {percent:>3}% {elapsed}/{eta} {wide_msg}");
        bar.set_style(style.unwrap_or_else(|_| ProgressStyle::default_bar()));
        Self {
            catalogue,
            bar,
            scenarios: 0,
            begun: 0,
            advanced: Duration::ZERO,
            warned: String::new(),
        }
    }

    /// Takes the bar off the screen.
    pub(crate) fn end(&self) {
        self.bar.finish_and_clear();
    }

    fn line(&self, text: &str) {
        if self.bar.is_hidden() {
            terminal::note(text);
        } else {
            self.bar.println(text);
        }
    }

    fn advance(&self, expected: Duration) {
        self.bar
            .inc(u64::try_from(expected.as_millis()).unwrap_or(0));
    }
}

impl Observer for LabProgress<'_> {
    fn begins(&mut self, scenarios: usize, expected: Duration) {
        self.scenarios = scenarios;
        self.bar
            .set_length(u64::try_from(expected.as_millis()).unwrap_or(u64::MAX));
        self.bar.enable_steady_tick(Duration::from_millis(500));
    }

    fn scenario(&mut self, name: &str) {
        self.begun += 1;
        self.advanced = Duration::ZERO;
        let (number, count) = (self.begun as u64, self.scenarios as u64);
        self.line(&self.catalogue.text(Message::ProgressScenario {
            scenario: name,
            number,
            count,
        }));
    }

    fn activity(&mut self, activity: Activity<'_>) {
        let text = self.catalogue.text(match activity {
            Activity::Installing { what } => Message::ProgressSettingUp { scenario: what },
            Activity::SettingUp { scenario } => Message::ProgressSettingUp { scenario },
            Activity::Starting { contender } => Message::ProgressStarting { contender },
            Activity::Tuning { contender } => Message::ProgressTuning { contender },
            Activity::Measuring { contender, case } => {
                Message::ProgressMeasuring { contender, case }
            }
        });
        if self.bar.is_hidden() && matches!(activity, Activity::Installing { .. }) {
            terminal::note(&text);
        }
        self.bar.set_message(text);
    }

    fn advanced(&mut self, expected: Duration) {
        self.advanced += expected;
        self.advance(expected);
    }

    fn warning(&mut self, line: &str) {
        line.clone_into(&mut self.warned);
        let label = self.catalogue.text(Message::LabelWarning);
        self.line(&format!("{label}: {line}"));
    }

    /// What was skipped or not foreseen is put right, so that the time left stays honest.
    fn finished(&mut self, scenario: &ScenarioResult, expected: Duration) {
        self.advance(expected.saturating_sub(self.advanced));
        let name = scenario.name.as_str();
        match &scenario.outcome {
            Outcome::Measured => {}
            Outcome::Failed { reason } if self.warned.ends_with(reason.as_str()) => {}
            Outcome::NotMeasured { reason } => {
                self.line(&self.catalogue.text(Message::ProgressSkipped {
                    scenario: name,
                    reason,
                }));
            }
            Outcome::Failed { reason } => {
                self.line(&self.catalogue.text(Message::ProgressFailed {
                    scenario: name,
                    reason,
                }));
            }
        }
    }
}
