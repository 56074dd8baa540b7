//! Reading a scenario file and checking that it is consistent with itself.
//!
//! Every complaint names the file and the entry at fault, so that the author of a scenario can go
//! straight to it. Nothing here starts anything.

use std::collections::BTreeSet;

use corrente_report::result::Published;

use super::{CasePlan, ContenderPlan, Driver, PredictionPlan, Scenario};

/// No single measurement may last longer.
const LENGTH_MAX_S: f64 = 3600.0;

/// A scenario file that cannot be used: the file's author is at fault.
#[derive(Debug, thiserror::Error)]
pub enum ScenarioError {
    /// Not TOML, or not the fields of lab/README.md.
    #[error("scenario `{name}`: {message}")]
    Malformed {
        /// Scenario name.
        name: String,
        /// The parser's first line and the place.
        message: String,
    },
    /// An entry names another that is not there.
    #[error(
        "scenario `{name}`: {entry} names the {kind} `{missing}`, which the file does not define"
    )]
    Unknown {
        /// Scenario name.
        name: String,
        /// The entry that names it.
        entry: String,
        /// `contender` or `case`.
        kind: &'static str,
        /// The name.
        missing: String,
    },
    /// A value that cannot be measured with.
    #[error("scenario `{name}`: {entry}: {message}")]
    Unusable {
        /// Scenario name.
        name: String,
        /// The entry at fault.
        entry: String,
        /// What was expected and what was found.
        message: String,
    },
}

impl Scenario {
    /// Reads and checks the text of `NAME.toml`.
    pub fn parse(name: &str, text: &str) -> Result<Self, ScenarioError> {
        let mut scenario: Self =
            toml::from_str(text).map_err(|error| ScenarioError::Malformed {
                name: name.to_owned(),
                message: place_and_message(text, &error),
            })?;
        name.clone_into(&mut scenario.name);
        scenario.check()?;
        Ok(scenario)
    }

    /// The contender of this id, tuned or not.
    pub fn contender(&self, id: &str) -> Option<&ContenderPlan> {
        let plain = id.strip_suffix(":tuned").unwrap_or(id);
        self.contenders.iter().find(|contender| {
            contender.id == plain && (plain.len() == id.len() || !contender.tune.is_empty())
        })
    }

    /// The case of this id.
    pub fn case(&self, id: &str) -> Option<&CasePlan> {
        self.cases.iter().find(|case| case.id == id)
    }

    fn check(&self) -> Result<(), ScenarioError> {
        self.check_entries()?;
        for finding in &self.findings {
            let entry = format!("finding `{}`", finding.id);
            if !is_a_ratio(finding.published) {
                let message = "`published` must be one or two finite numbers above 0";
                return Err(self.unusable(entry, message));
            }
            self.know_contender(&entry, &finding.of)?;
            self.know_contender(&entry, &finding.over)?;
            for case in finding.cases.iter().flatten() {
                self.know_case(&entry, case)?;
            }
        }
        for factor in &self.factors {
            let entry = format!("factor `{}` to `{}`", factor.from, factor.to);
            self.know_contender(&entry, &factor.from)?;
            self.know_contender(&entry, &factor.to)?;
            self.know_case(&entry, &factor.case)?;
        }
        self.naive
            .iter()
            .try_for_each(|id| self.know_contender("naive", id))
    }

    fn check_entries(&self) -> Result<(), ScenarioError> {
        let mut ids = BTreeSet::new();
        for contender in &self.contenders {
            let entry = format!("contender `{}`", contender.id);
            if !ids.insert(&contender.id) {
                return Err(self.unusable(entry, "is defined twice; give each its own id"));
            }
            if contender.command.is_empty() {
                return Err(self.unusable(entry, "`command` is empty; name a program"));
            }
            for case in contender.cases.iter().flatten().chain(&contender.tune_case) {
                self.know_case(&entry, case)?;
            }
            self.check_drivers(contender)?;
        }
        let mut ids = BTreeSet::new();
        for case in &self.cases {
            if !ids.insert(&case.id) {
                let entry = format!("case `{}`", case.id);
                return Err(self.unusable(entry, "is defined twice; give each its own id"));
            }
            self.check_case(case)?;
        }
        for case in self.prediction.iter().flat_map(PredictionPlan::cases) {
            self.check_case(case)?;
        }
        for (name, rounds) in [("quick", self.quick), ("full", self.full)] {
            let lengths_fit = (0.0..=LENGTH_MAX_S).contains(&rounds.seconds)
                && (0.0..=LENGTH_MAX_S).contains(&rounds.warm_up);
            if rounds.rounds == 0 || rounds.seconds <= 0.0 || !lengths_fit {
                let message = "needs rounds and seconds above 0, and at most an hour";
                return Err(self.unusable(name.to_owned(), message));
            }
        }
        self.check_origin()
    }

    fn check_case(&self, case: &CasePlan) -> Result<(), ScenarioError> {
        let entry = || format!("case `{}`", case.id);
        if case.driver == Driver::Http && !case.path.starts_with('/') {
            return Err(self.unusable(entry(), "`path` must begin with `/` for an HTTP case"));
        }
        if case.driver == Driver::Tcp && case.message_bytes == 0 {
            return Err(self.unusable(entry(), "`message_bytes` must be at least 1 for TCP"));
        }
        if case.users == Some(0) || case.quick.users == Some(0) {
            return Err(self.unusable(entry(), "`users` must be at least 1"));
        }
        let mut parameters = case
            .parameters
            .values()
            .chain(case.quick.parameters.values());
        if parameters.any(|value| !value.is_finite()) {
            return Err(self.unusable(entry(), "a parameter is not a finite number"));
        }
        let counts = case.calls.counts.values();
        let can_be = |count: &f64| count.is_finite() && *count >= 0.0;
        if !counts.into_iter().all(can_be) || !(0.0..=1.0).contains(&case.calls.gathered) {
            let message = "`calls` needs counts of 0 or more, and `gathered` from 0 to 1";
            return Err(self.unusable(entry(), message));
        }
        Ok(())
    }

    fn check_origin(&self) -> Result<(), ScenarioError> {
        let Some(origin) = self.parts.origin else {
            return Ok(());
        };
        let amounts = [origin.median_ms, origin.sigma, origin.error_rate];
        if amounts
            .iter()
            .all(|amount| amount.is_finite() && *amount >= 0.0)
        {
            return Ok(());
        }
        let message = "`median_ms`, `sigma` and `error_rate` must be numbers of 0 or more";
        Err(self.unusable("parts.origin".to_owned(), message))
    }

    /// A server and a program of one contender would be started for each other's cases.
    fn check_drivers(&self, contender: &ContenderPlan) -> Result<(), ScenarioError> {
        let cases = || {
            self.cases
                .iter()
                .filter(|case| contender.takes_part_in(&case.id))
        };
        let programs = cases()
            .filter(|case| case.driver == Driver::Program)
            .count();
        if programs == 0 || programs == cases().count() {
            return Ok(());
        }
        let entry = format!("contender `{}`", contender.id);
        Err(self.unusable(
            entry,
            "takes part in program cases and others; name its `cases`",
        ))
    }

    fn know_contender(&self, entry: &str, id: &str) -> Result<(), ScenarioError> {
        self.contender(id)
            .map(|_| ())
            .ok_or_else(|| self.unknown(entry, "contender", id))
    }

    fn know_case(&self, entry: &str, id: &str) -> Result<(), ScenarioError> {
        self.case(id)
            .map(|_| ())
            .ok_or_else(|| self.unknown(entry, "case", id))
    }

    fn unknown(&self, entry: &str, kind: &'static str, missing: &str) -> ScenarioError {
        ScenarioError::Unknown {
            name: self.name.clone(),
            entry: entry.to_owned(),
            kind,
            missing: missing.to_owned(),
        }
    }

    fn unusable(&self, entry: String, message: &str) -> ScenarioError {
        ScenarioError::Unusable {
            name: self.name.clone(),
            entry,
            message: message.to_owned(),
        }
    }
}

fn is_a_ratio(published: Published) -> bool {
    let positive = |ratio: f64| ratio.is_finite() && ratio > 0.0;
    match published {
        Published::Ratio(ratio) | Published::AtLeast(ratio) | Published::AtMost(ratio) => {
            positive(ratio)
        }
        Published::Range(low, high) => positive(low) && positive(high) && low <= high,
        Published::Higher | Published::Lower => true,
    }
}

fn place_and_message(text: &str, error: &toml::de::Error) -> String {
    let line = error
        .span()
        .map(|span| text[..span.start].matches('\n').count() + 1);
    let message = error.message().lines().next().unwrap_or_default();
    match line {
        Some(line) => format!("line {line}: {message}"),
        None => message.to_owned(),
    }
}

#[cfg(test)]
mod tests {
    use super::Scenario;

    const WHOLE: &str = r#"
        claim = "json"
        order = 1
        sources = []
        title = { en = "a", it = "a", fr = "a", de = "a", zh = "a" }
        [[contender]]
        id = "flask"
        side = "sync"
        command = ["flask"]
        settings = { workers = 1 }
        tune = [{ workers = 2 }]
        [[case]]
        id = "one"
        driver = "http"
        path = "/"
        [[finding]]
        id = "throughput"
        measure = "throughput"
        of = "flask"
        over = "flask:tuned"
        published = { range = [3.0, 5.0] }
    "#;

    #[track_caller]
    fn refuses(from: &str, to: &str, message: &str) {
        let text = WHOLE.replacen(from, to, 1);
        assert_ne!(text, WHOLE, "the replacement must change something");
        let found = Scenario::parse("json", &text)
            .expect_err("must be refused")
            .to_string();
        assert_eq!(found, message);
    }

    #[test]
    fn reads_a_whole_file() {
        let scenario = Scenario::parse("json", WHOLE).expect("is whole");
        assert_eq!(scenario.name, "json");
        assert!(scenario.contender("flask:tuned").is_some());
        assert!(scenario.contender("quart").is_none());
    }

    #[test]
    fn names_the_line_of_a_syntax_error() {
        refuses(
            "order = 1",
            "order = one",
            "scenario `json`: line 3: string values must be quoted, expected literal string",
        );
    }

    #[test]
    fn names_what_a_finding_misses() {
        refuses(
            "of = \"flask\"",
            "of = \"quart\"",
            "scenario `json`: finding `throughput` names the contender `quart`, which the file does not define",
        );
    }

    #[test]
    fn refuses_a_tuned_contender_without_a_sweep() {
        refuses(
            "tune = [{ workers = 2 }]",
            "",
            "scenario `json`: finding `throughput` names the contender `flask:tuned`, which the file does not define",
        );
    }

    #[test]
    fn refuses_a_path_without_a_slash() {
        refuses(
            "path = \"/\"",
            "path = \"x\"",
            "scenario `json`: case `one`: `path` must begin with `/` for an HTTP case",
        );
    }

    #[test]
    fn refuses_calls_that_cannot_be_counted() {
        let message = "scenario `json`: case `one`: `calls` needs counts of 0 or more, and `gathered` from 0 to 1";
        for calls in ["{ counts = { http = nan } }", "{ gathered = 1.5 }"] {
            let to = format!("path = \"/\"\ncalls = {calls}");
            refuses("path = \"/\"", &to, message);
        }
        let more = "[[prediction.calibration]]\nid = \"one\"\ndriver = \"http\"\npath = \"/\"\ncalls = { counts = { http = -1 } }\n[[finding]]";
        refuses("[[finding]]", more, message);
    }
}
