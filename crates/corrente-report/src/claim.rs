//! What a claim, a case or a measurement is called, shared by every form of report.
//!
//! It knows the result document and the catalogue, no table and no page: each function gives one
//! short plain text. Invariant: a verdict is always a mark and a word, never a colour alone.

use std::collections::BTreeMap;

use crate::catalogue::{Catalogue, Message};
use crate::number::ABSENT;
use crate::result::{
    Case, Contender, Finding, FindingPoint, Interval, Measurement, Published, ScenarioResult,
    Verdict,
};

/// The figures printed in the original: none, one or two.
pub(crate) fn printed(published: Published) -> Vec<f64> {
    match published {
        Published::Ratio(ratio) | Published::AtLeast(ratio) | Published::AtMost(ratio) => {
            vec![ratio]
        }
        Published::Range(low, high) => vec![low, high],
        Published::Higher | Published::Lower => Vec::new(),
    }
}

/// The mark of a verdict; every mark is one column wide and has a shape of its own.
pub(crate) const fn mark(verdict: Verdict) -> &'static str {
    match verdict {
        Verdict::Confirmed => "✓",
        Verdict::Refuted => "✗",
        Verdict::Inconclusive => "?",
        Verdict::Invalid => "!",
        Verdict::NotMeasured => "–",
    }
}

/// Every verdict, the decided ones first.
pub(crate) const VERDICTS: [Verdict; 5] = [
    Verdict::Confirmed,
    Verdict::Refuted,
    Verdict::Inconclusive,
    Verdict::Invalid,
    Verdict::NotMeasured,
];

/// The two contenders of a claim.
pub(crate) fn sides(finding: &Finding) -> String {
    format!("{} / {}", finding.of, finding.over)
}

/// The points of a finding that have a figure.
pub(crate) fn measured_points(
    finding: &Finding,
) -> impl Iterator<Item = (&FindingPoint, Interval)> {
    finding
        .points
        .iter()
        .filter_map(|point| Some((point, point.measured?)))
}

/// The smallest and the largest of some figures; `None` where there is none.
pub(crate) fn extremes(values: impl Iterator<Item = f64>) -> Option<(f64, f64)> {
    values
        .filter(|value| value.is_finite())
        .map(|value| (value, value))
        .reduce(|(low, high), (value, _)| (low.min(value), high.max(value)))
}

/// Between the parts of a list in which figures may hold commas.
pub(crate) const SEPARATOR: &str = " · ";

/// A name and its value, which stay together at the end of a line.
fn pair(name: &str, value: &str) -> String {
    format!("{name}\u{a0}=\u{a0}{value}")
}

/// `name = value` pairs in one line.
pub(crate) fn pairs(settings: &BTreeMap<String, String>) -> String {
    let pairs: Vec<String> = settings
        .iter()
        .map(|(name, value)| pair(name, value))
        .collect();
    pairs.join(SEPARATOR)
}

/// The parts of a contender's stack in one line, each named once.
pub(crate) fn stack(contender: &Contender) -> String {
    let stack = &contender.stack;
    let mut parts: Vec<&str> = Vec::new();
    for part in [
        &stack.server,
        &stack.framework,
        &stack.driver,
        &stack.concurrency,
    ] {
        if !part.is_empty() && !parts.contains(&part.as_str()) {
            parts.push(part);
        }
    }
    parts.join(SEPARATOR)
}

/// Processor numbers in one line.
pub(crate) fn processors(numbers: &[usize]) -> String {
    let numbers: Vec<String> = numbers.iter().map(usize::to_string).collect();
    numbers.join(", ")
}

/// What tells a finding from another of the same measure, from its id: `cost-same-pricing` is the
/// cost at the same pricing. Ids are names in a scenario file and stay untranslated.
fn variant(finding: &Finding) -> Option<String> {
    let measure = serde_json::to_value(finding.measure).ok()?;
    let rest = finding.id.strip_prefix(measure.as_str()?)?;
    let words = rest.strip_prefix(['-', ':'])?;
    Some(words.replace([':', '-'], " "))
}

impl Catalogue {
    /// The mark and the word of a verdict.
    pub(crate) fn verdict(&self, verdict: Verdict) -> String {
        format!("{} {}", mark(verdict), self.text(verdict))
    }

    /// The published figure or direction.
    pub(crate) fn published(&self, published: Published) -> String {
        let numbers = self.numbers();
        match published {
            Published::Ratio(ratio) => numbers.ratio(ratio),
            Published::Range(low, high) => numbers.ratio_range(low, high),
            Published::AtLeast(ratio) => format!("≥ {}", numbers.ratio(ratio)),
            Published::AtMost(ratio) => format!("≤ {}", numbers.ratio(ratio)),
            Published::Higher => self.text(Message::ClaimHigher),
            Published::Lower => self.text(Message::ClaimLower),
        }
    }

    /// A label and what it is a label of.
    pub(crate) fn labelled<'a>(&self, label: impl Into<Message<'a>>, value: &str) -> String {
        self.text(Message::Labelled {
            label: &self.text(label),
            value,
        })
    }

    /// Parts of a list, with the comma of the language.
    pub(crate) fn joined(&self, parts: impl IntoIterator<Item = String>) -> String {
        let join = |first: String, second: String| {
            self.text(Message::Joined {
                first: &first,
                second: &second,
            })
        };
        parts.into_iter().reduce(join).unwrap_or_default()
    }

    /// What is compared, in which variant, and whether the sync side was tuned for it.
    pub(crate) fn terms(&self, finding: &Finding) -> String {
        let measure = match variant(finding) {
            Some(variant) => format!("{} ({variant})", self.text(finding.measure)),
            None => self.text(finding.measure),
        };
        let tuned = finding.tuned.then(|| self.text(Message::ClaimTuned));
        self.joined(std::iter::once(measure).chain(tuned))
    }

    /// The whole claim in one line.
    pub(crate) fn claim(&self, finding: &Finding) -> String {
        self.joined([sides(finding), self.terms(finding)])
    }

    /// The measured ratio of a finding in two lines: the estimate, and the interval of a single
    /// case or the count of several.
    pub(crate) fn measured(&self, finding: &Finding) -> [String; 2] {
        let numbers = self.numbers();
        let mut points = measured_points(finding).map(|(_, interval)| interval);
        match (points.next(), points.next()) {
            (None, _) => [ABSENT.to_owned(), String::new()],
            (Some(only), None) if finding.points.len() == 1 => [
                numbers.ratio(only.estimate),
                numbers.interval(only.low, only.high),
            ],
            _ => {
                let estimates = measured_points(finding).map(|(_, interval)| interval.estimate);
                let range = extremes(estimates).map_or_else(
                    || ABSENT.to_owned(),
                    |(low, high)| numbers.ratio_range(low, high),
                );
                [
                    range,
                    self.text(Message::CasesInAll {
                        count: finding.points.len() as u64,
                    }),
                ]
            }
        }
    }

    /// What the naive rule said for a finding, over all of its cases.
    pub(crate) fn naive(&self, finding: &Finding) -> String {
        extremes(finding.points.iter().filter_map(|point| point.naive)).map_or_else(
            || ABSENT.to_owned(),
            |(low, high)| self.numbers().ratio_range(low, high),
        )
    }

    /// What the naive rule said before the run, and the model's lines under it: from stacks that
    /// were calibrated, and from shipped costs.
    pub(crate) fn foretold(&self, point: &FindingPoint) -> (String, Vec<String>) {
        let gain = |predicted: Option<Interval>| Some(self.interval(Some(predicted?)));
        let model = gain(point.predicted).map(|gain| self.text(Message::ModelSays { gain: &gain }));
        let shipped =
            gain(point.shipped).map(|gain| self.text(Message::ShippedSays { gain: &gain }));
        let lines: Vec<String> = model.into_iter().chain(shipped).collect();
        let absent = || if lines.is_empty() { ABSENT } else { "" };
        let naive = point.naive.map(|naive| self.numbers().ratio(naive));
        (naive.unwrap_or_else(|| absent().to_owned()), lines)
    }

    /// One ratio with its interval.
    pub(crate) fn interval(&self, interval: Option<Interval>) -> String {
        let numbers = self.numbers();
        interval.map_or_else(
            || ABSENT.to_owned(),
            |interval| {
                let ends = numbers.interval(interval.low, interval.high);
                format!("{} {ends}", numbers.ratio(interval.estimate))
            },
        )
    }

    /// Users and parameters of a case; its id where it has neither.
    pub(crate) fn case(&self, case: &Case) -> String {
        let mut parts = Vec::new();
        if let Some(count) = case.users {
            parts.push(self.text(Message::UsersInAll { count }));
        }
        parts.extend(self.parameters(&case.parameters));
        if parts.is_empty() {
            case.id.clone()
        } else {
            parts.join(SEPARATOR)
        }
    }

    /// The same for a case id; the id itself where the scenario does not list it.
    pub(crate) fn case_of(&self, scenario: &ScenarioResult, id: &str) -> String {
        let case = scenario.cases.iter().find(|case| case.id == id);
        case.map_or_else(|| id.to_owned(), |case| self.case(case))
    }

    /// `name = value` texts of numeric parameters, without needless decimals.
    pub(crate) fn parameters(&self, parameters: &BTreeMap<String, f64>) -> Vec<String> {
        let text = |(name, value): (&String, &f64)| pair(name, &self.parameter(*value));
        parameters.iter().map(text).collect()
    }

    /// One parameter's value.
    pub(crate) fn parameter(&self, value: f64) -> String {
        let is_whole = value.fract() == 0.0 && value.abs() < 1e9;
        if is_whole {
            self.numbers().decimal(value, 0)
        } else {
            self.numbers().quantity(value)
        }
    }

    /// A number without the zeros that end its decimals, as it stands on an axis.
    pub(crate) fn without_zeros(&self, number: &str) -> String {
        let sign = if self.numbers().decimal(0.5, 1).contains(',') {
            ','
        } else {
            '.'
        };
        match number.split_once(sign) {
            Some((_, decimals)) if decimals.chars().all(|one| one.is_ascii_digit()) => number
                .trim_end_matches('0')
                .trim_end_matches(sign)
                .to_owned(),
            _ => number.to_owned(),
        }
    }

    /// Errors by kind, or the absence of any.
    pub(crate) fn errors(&self, errors: &BTreeMap<String, u64>) -> String {
        let counts: Vec<String> = errors
            .iter()
            .filter(|(_, count)| **count > 0)
            .map(|(kind, count)| format!("{kind}\u{a0}{}", self.numbers().integer(*count)))
            .collect();
        if counts.is_empty() {
            "0".to_owned()
        } else {
            counts.join(", ")
        }
    }

    /// Milliseconds without the unit, which the head of the column names.
    pub(crate) fn milliseconds(&self, milliseconds: Option<f64>) -> String {
        milliseconds.map_or_else(|| ABSENT.to_owned(), |value| self.numbers().quantity(value))
    }

    /// Figures that a program reported of itself.
    pub(crate) fn further(&self, measurement: &Measurement) -> String {
        self.parameters(&measurement.extra).join(SEPARATOR)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::fixture::fixture;
    use crate::language::Language;

    #[test]
    fn names_what_was_published() {
        let catalogue = Catalogue::new(Language::De);
        let cases = [
            (Published::Ratio(2.5), "2,50×"),
            (Published::Range(3.0, 5.0), "3,00–5,00×"),
            (Published::AtLeast(2.0), "≥ 2,00×"),
            (Published::AtMost(0.8), "≤ 0,80×"),
            (Published::Higher, "höher"),
            (Published::Lower, "niedriger"),
        ];
        for (published, expected) in cases {
            assert_eq!(catalogue.published(published), expected);
        }
    }

    #[test]
    fn a_verdict_has_a_mark_of_its_own() {
        let marks: std::collections::BTreeSet<&str> = VERDICTS.into_iter().map(mark).collect();
        assert_eq!(marks.len(), VERDICTS.len());
    }

    #[test]
    fn the_model_says_where_its_costs_come_from() {
        let mut point = fixture().scenarios[0].findings[0].points[0].clone();
        let about = |estimate| {
            Some(Interval {
                estimate,
                low: 1.0,
                high: 3.0,
            })
        };
        (point.naive, point.predicted, point.shipped) = (Some(4.0), about(2.0), about(2.5));
        let catalogue = Catalogue::new(Language::En);
        let (naive, lines) = catalogue.foretold(&point);
        assert_eq!(naive, "4.00×");
        let expected = [
            "model 2.00× [1.00,\u{a0}3.00]",
            "shipped 2.50× [1.00,\u{a0}3.00]",
        ];
        assert_eq!(lines, expected);
        (point.naive, point.predicted, point.shipped) = (None, None, None);
        assert_eq!(catalogue.foretold(&point), (ABSENT.to_owned(), Vec::new()));
    }

    #[test]
    fn several_cases_show_their_range_and_count() {
        let result = fixture();
        let catalogue = Catalogue::new(Language::En);
        let [single, region, ..] = result.scenarios[0].findings.as_slice() else {
            unreachable!("the fixture has three findings here")
        };
        assert_eq!(
            catalogue.measured(single),
            ["3.04×", "[2.90,\u{a0}3.19]"].map(str::to_owned)
        );
        assert_eq!(
            catalogue.measured(region),
            ["0.70–4.59×", "9 cases"].map(str::to_owned)
        );
    }
}
