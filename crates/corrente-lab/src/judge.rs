//! From samples to verdicts: ratios with intervals, the published figure, what follows.
//!
//! The rule itself is [`Band`]'s: confirmed where the whole 95 % interval lies within the published
//! figure's band, refuted where it lies wholly outside, else inconclusive. Here it is applied to
//! what was measured, case by case. Pure: samples in, findings out.

use std::collections::BTreeMap;
use std::time::Duration;

use corrente_model::statistics::{self, paired_ratio, share_ratio};
use corrente_report::band::Band;
use corrente_report::result::{
    FactorStep, Finding, FindingPoint, Interval, Measure, Published, Tail, UNPINNED, Verdict,
};

use crate::cost::Capacity;
use crate::forecast::{Foretold, Predictions};
use crate::samples::{Series, Slice};
use crate::scenario::{FactorPlan, FindingPlan, Pricing, Scenario, declared_case};

/// A product of factors this close to 1 has no shares worth the name.
const SHARELESS: f64 = 0.05;

/// Whether the processors were shared out during a measurement.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Pinning {
    Pinned,
    Unpinned,
}

/// Everything measured in a scenario.
#[derive(Debug)]
pub(crate) struct Evidence<'run> {
    /// Slices by contender and case.
    pub series: &'run BTreeMap<(String, String), Series>,
    /// The naive rule's gain by case, taken before the run.
    pub naive: &'run BTreeMap<String, f64>,
    /// The model's predictions, taken before the run.
    pub predicted: &'run Predictions,
    /// Mean latency of one user alone by contender and case.
    pub alone: &'run BTreeMap<(String, String), Duration>,
    /// Cases in their order.
    pub cases: &'run [String],
    /// Processors and prices.
    pub capacity: Capacity<'run>,
    /// Seed of the bootstrap.
    pub seed: u64,
}

impl Evidence<'_> {
    /// Judges every finding of a scenario, over the plain sync side and over the tuned one.
    pub(crate) fn findings(&self, scenario: &Scenario) -> Vec<Finding> {
        let mut findings = Vec::new();
        for plan in &scenario.findings {
            let tuned = format!("{}:tuned", plan.over);
            let tuned = scenario.contender(&tuned).map(|_| tuned);
            for over in std::iter::once(plan.over.clone()).chain(tuned) {
                findings.push(self.finding(plan, &over, Pinning::Pinned));
                // The unpinned pass has no open loop.
                if !matches!(plan.measure, Measure::OpenP50 | Measure::OpenP99) {
                    let unpinned = self.finding(plan, &over, Pinning::Unpinned);
                    findings.extend(Some(unpinned).filter(|finding| !finding.points.is_empty()));
                }
            }
        }
        findings
    }

    fn finding(&self, plan: &FindingPlan, over: &str, pinning: Pinning) -> Finding {
        let named = |case: &&String| {
            let declared = declared_case(case).to_owned();
            (declared != **case) == (pinning == Pinning::Unpinned)
                && plan
                    .cases
                    .as_ref()
                    .is_none_or(|cases| cases.contains(&declared))
        };
        let points: Vec<FindingPoint> = self
            .cases
            .iter()
            .filter(named)
            .filter(|case| self.has(&plan.of, case) || self.has(over, case))
            .map(|case| self.point(plan, over, case))
            .collect();
        let suffix = if pinning == Pinning::Unpinned {
            UNPINNED
        } else {
            ""
        };
        Finding {
            id: format!("{}{suffix}", plan.id),
            measure: plan.measure,
            of: plan.of.clone(),
            over: over.to_owned(),
            tuned: over.ends_with(":tuned"),
            published: plan.published,
            verdict: overall(&points),
            points,
        }
    }

    fn has(&self, contender: &str, case: &str) -> bool {
        self.series
            .contains_key(&(contender.to_owned(), case.to_owned()))
    }

    fn point(&self, plan: &FindingPlan, over: &str, case: &str) -> FindingPoint {
        let key = |contender: &str| (contender.to_owned(), case.to_owned());
        let naive = (plan.measure == Measure::Throughput)
            .then(|| self.naive.get(case).copied())
            .flatten();
        let pair = (plan.of.clone(), over.to_owned(), case.to_owned());
        let foretold = self.predicted.get(&pair).copied().unwrap_or_default();
        let sides = (self.series.get(&key(&plan.of)), self.series.get(&key(over)));
        let (measured, verdict) = match sides {
            (Some(of), Some(below)) if of.invalid().or(below.invalid()).is_none() => {
                let measured = self.ratio(plan, (&plan.of, of), (over, below), case);
                (measured, judge(plan.published, measured))
            }
            (Some(_), Some(_)) => (None, Verdict::Invalid),
            _ => (None, Verdict::NotMeasured),
        };
        FindingPoint {
            case: case.to_owned(),
            measured,
            naive,
            predicted: foretold.calibrated(plan.measure),
            shipped: foretold.shipped(plan.measure),
            verdict,
        }
    }

    /// P99 of every predicted pair and case, whether a claim is about it or not.
    pub(crate) fn tails(&self) -> Vec<Tail> {
        let series = |contender: &str, case: &str| {
            let key = (contender.to_owned(), case.to_owned());
            let series = self.series.get(&key);
            series.filter(|series| series.invalid().is_none())
        };
        let ratio = |of: &str, over: &str, case: &str| {
            let of = values(Measure::P99, series(of, case)?)?;
            let over = values(Measure::P99, series(over, case)?)?;
            paired_ratio(&of, &over, self.seed).map(interval)
        };
        let tail = |((of, over, case), foretold): (&(String, String, String), &Foretold)| Tail {
            of: of.clone(),
            over: over.clone(),
            case: case.clone(),
            measured: ratio(of, over, case),
            predicted: foretold.calibrated(Measure::P99),
            shipped: foretold.shipped(Measure::P99),
        };
        self.predicted.iter().map(tail).collect()
    }

    fn ratio(
        &self,
        plan: &FindingPlan,
        (of, above): (&str, &Series),
        (over, below): (&str, &Series),
        case: &str,
    ) -> Option<Interval> {
        if plan.measure == Measure::Errors {
            return share_ratio(above.failures(), below.failures()).map(interval);
        }
        let costs = |contender: &str, series: &Series, pricing: Pricing| -> Option<Vec<f64>> {
            let alone = self
                .alone
                .get(&(contender.to_owned(), case.to_owned()))
                .copied();
            let cost = |slice: &Slice| {
                self.capacity
                    .cost(pricing, slice.throughput(), slice.peak_pss_bytes, alone)
            };
            series.rounds.iter().map(cost).collect()
        };
        let (numerators, denominators) = if plan.measure == Measure::Cost {
            (
                costs(of, above, plan.of_pricing)?,
                costs(over, below, plan.over_pricing)?,
            )
        } else {
            (values(plan.measure, above)?, values(plan.measure, below)?)
        };
        paired_ratio(&numerators, &denominators, self.seed).map(interval)
    }

    /// Ratio and share of each step of the chains; steps of one case form one chain.
    pub(crate) fn factors(&self, plans: &[FactorPlan]) -> Vec<FactorStep> {
        let mut steps = self.whole_chains(plans);
        for case in self.cases {
            let of_case = || steps.iter().filter(|step| step.case == *case);
            let logarithms: Option<Vec<f64>> = of_case()
                .map(|step| Some(step.ratio?.estimate.ln()))
                .collect();
            let Some(whole) = logarithms.map(|logarithms| logarithms.iter().sum::<f64>()) else {
                continue;
            };
            if whole.abs() < (1.0 + SHARELESS).ln() {
                continue;
            }
            for step in steps.iter_mut().filter(|step| step.case == *case) {
                step.share = step.ratio.map(|ratio| ratio.estimate.ln() / whole);
            }
        }
        steps
    }

    /// The steps of the chains whose contenders all take part in this run.
    fn whole_chains(&self, plans: &[FactorPlan]) -> Vec<FactorStep> {
        let measured =
            |plan: &FactorPlan| self.has(&plan.from, &plan.case) && self.has(&plan.to, &plan.case);
        let whole = |case: &str| plans.iter().filter(|plan| plan.case == case).all(measured);
        plans
            .iter()
            .filter(|plan| whole(&plan.case))
            .map(|plan| self.step(plan))
            .collect()
    }

    fn step(&self, plan: &FactorPlan) -> FactorStep {
        let key = |contender: &String| (contender.clone(), plan.case.clone());
        let valid = |contender| {
            self.series
                .get(&key(contender))
                .filter(|s| s.invalid().is_none())
        };
        let ratio = valid(&plan.to)
            .zip(valid(&plan.from))
            .and_then(|(to, from)| {
                let (to, from) = (
                    to.per_round(Slice::throughput),
                    from.per_round(Slice::throughput),
                );
                paired_ratio(&to, &from, self.seed).map(interval)
            });
        FactorStep {
            factor: plan.factor,
            from: plan.from.clone(),
            to: plan.to.clone(),
            case: plan.case.clone(),
            ratio,
            share: None,
        }
    }
}

/// One value a round of a measure; `None` where the sample does not carry it.
fn values(measure: Measure, series: &Series) -> Option<Vec<f64>> {
    let quantiles = |slices: &[Slice], quantile: f64| {
        let samples: u64 = slices
            .iter()
            .filter_map(|slice| slice.latencies.as_ref())
            .map(hdrhistogram::Histogram::len)
            .sum();
        // Ten samples beyond the percentile, as everywhere.
        let carried = (1.0 - quantile) * samples as f64 >= 10.0;
        let values: Option<Vec<f64>> = slices
            .iter()
            .map(|slice| slice.quantile_ms(quantile))
            .collect();
        values.filter(|_| carried)
    };
    let extra = |name: &str| -> Option<Vec<f64>> {
        series
            .rounds
            .iter()
            .map(|slice| slice.extra.get(name).copied())
            .collect()
    };
    let late = series
        .open
        .iter()
        .filter(|slice| slice.generator_late)
        .count()
        * 2
        > series.open.len();
    match measure {
        Measure::Throughput => Some(series.per_round(Slice::throughput)),
        Measure::Time => Some(series.per_round(|slice| 1.0 / slice.throughput())),
        // A busy or late generator adds its own delay to every latency that it reports.
        Measure::P50 | Measure::P99 if series.has_busy_generator() => None,
        Measure::P50 => quantiles(&series.rounds, 0.5),
        Measure::P99 => quantiles(&series.rounds, 0.99),
        Measure::OpenP50 | Measure::OpenP99 if late => None,
        Measure::OpenP50 => quantiles(&series.open, 0.5),
        Measure::OpenP99 => quantiles(&series.open, 0.99),
        Measure::Cpu => Some(series.per_round(Slice::cpu_s)),
        Measure::Memory => Some(series.per_round(|slice| slice.peak_pss_bytes as f64)),
        Measure::Idle => Some(series.per_round(idle)),
        Measure::UnitMemory => extra("unit_memory_bytes"),
        Measure::Start => extra("start_us"),
        Measure::Switch => extra("switch_us"),
        Measure::Errors | Measure::Cost => None,
    }
}

/// The share of time that the application's processors had nothing to do, at least what its clock
/// can tell: it ticks every 10 ms, and a slice has one or two seconds. Without that floor no ratio
/// could be made with a side that is never idle.
fn idle(slice: &Slice) -> f64 {
    const RESOLUTION: f64 = 0.005;
    (1.0 - slice.application_busy).max(RESOLUTION)
}

fn interval(interval: statistics::Interval) -> Interval {
    Interval {
        estimate: interval.estimate,
        low: interval.low,
        high: interval.high,
    }
}

/// A ratio that the sample does not carry decides nothing.
fn judge(published: Published, measured: Option<Interval>) -> Verdict {
    measured.map_or(Verdict::Inconclusive, |measured| {
        Band::from(published).judge(measured)
    })
}

/// A claim stands or falls only where all of its points agree.
fn overall(points: &[FindingPoint]) -> Verdict {
    let Some(first) = points.first() else {
        return Verdict::NotMeasured;
    };
    let agreed = points.iter().all(|point| point.verdict == first.verdict);
    if agreed {
        first.verdict
    } else {
        Verdict::Inconclusive
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::samples::tests::series;

    #[test]
    fn a_side_that_is_never_idle_still_makes_a_ratio() {
        let mut slice = series(&[100]).rounds.remove(0);
        slice.application_busy = 1.0;
        assert!((idle(&slice) - 0.005).abs() < 1e-12);
        slice.application_busy = 0.5;
        assert!((idle(&slice) - 0.5).abs() < 1e-12);
    }

    #[test]
    fn points_that_disagree_leave_the_claim_open() {
        let point = |verdict| FindingPoint {
            case: "a".to_owned(),
            measured: None,
            naive: None,
            predicted: None,
            shipped: None,
            verdict,
        };
        let (yes, no) = (point(Verdict::Confirmed), point(Verdict::Refuted));
        assert_eq!(overall(&[yes.clone(), yes.clone()]), Verdict::Confirmed);
        assert_eq!(overall(&[yes, no]), Verdict::Inconclusive);
        assert_eq!(overall(&[]), Verdict::NotMeasured);
    }

    #[test]
    fn shares_of_a_chain_add_up_to_one() {
        let key = |contender: &str| (contender.to_owned(), "a".to_owned());
        let all = BTreeMap::from([
            (key("flask"), series(&[100, 101, 99])),
            (key("quart"), series(&[200, 202, 198])),
            (key("gather"), series(&[400, 404, 396])),
        ]);
        let prices = corrente_report::result::Prices {
            currency: String::new(),
            per_vcpu_hour: 1.0,
            per_gib_hour: 1.0,
            per_million_requests: 1.0,
            per_gib_second: 1.0,
            source: String::new(),
        };
        let cases = ["a".to_owned()];
        let evidence = Evidence {
            series: &all,
            naive: &BTreeMap::new(),
            predicted: &Predictions::new(),
            alone: &BTreeMap::new(),
            cases: &cases,
            capacity: Capacity {
                processors: 1,
                prices: &prices,
            },
            seed: 1,
        };
        let plan = |factor, from: &str, to: &str| FactorPlan {
            factor,
            from: from.to_owned(),
            to: to.to_owned(),
            case: "a".to_owned(),
        };
        let steps = evidence.factors(&[
            plan(corrente_report::result::Factor::Framework, "flask", "quart"),
            plan(corrente_report::result::Factor::Gather, "quart", "gather"),
        ]);
        let shares: Vec<f64> = steps.iter().filter_map(|step| step.share).collect();
        assert_eq!(shares.len(), 2);
        assert!(
            (shares[0] - 0.5).abs() < 1e-9 && (shares[1] - 0.5).abs() < 1e-9,
            "{shares:?}"
        );
    }
}
