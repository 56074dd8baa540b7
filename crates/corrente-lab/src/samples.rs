//! What was measured, slice by slice, and its summary.
//!
//! A slice is one measurement of one contender in one case; a round takes one slice of each, so
//! slices of equal position are neighbours in time. Summaries keep the per-round values, as
//! intervals are made from those. Pure: no clock, no I/O.

use std::collections::BTreeMap;
use std::time::Duration;

use corrente_model::statistics::{median, relative_spread};
use corrente_report::result::{Invalid, Latency, Measurement, OpenLoop};
use hdrhistogram::Histogram;

use crate::cost::Capacity;
use crate::speedometer::Speed;

/// Rounds of one contender that differ by more than this (relative spread) come from a machine
/// that was too noisy. Needs three rounds: two always have a spread of their own.
pub(crate) const NOISE_MAX: f64 = 0.15;

/// Share of the processors that a hypervisor may take before a measurement is no result.
pub(crate) const STOLEN_MAX: f64 = 0.05;

/// Share of the application's own processors that other programs of the machine may use before a
/// measurement is no result. In quiet runs interrupts and the kernel's threads took up to 0.05.
pub(crate) const FOREIGN_MAX: f64 = 0.10;

/// Processors of generator, origin and database that are busier than this have no headroom.
pub(crate) const OTHERS_BUSY_MAX: f64 = 0.95;

/// A contender that uses this share of processors that it has to itself is the limit, however busy
/// the generator and the other parts are: with faster ones it would do at most 1 / 0.95 as much.
pub(crate) const FULL_MIN: f64 = 0.95;

/// Samples that must lie beyond a percentile for it to be reported.
const BEYOND_MIN: f64 = 10.0;

/// Latencies in nanoseconds.
pub(crate) type Latencies = Histogram<u64>;

/// One measurement.
#[derive(Debug, Clone)]
pub(crate) struct Slice {
    /// Operations completed.
    pub operations: u64,
    /// Time that they took together.
    pub elapsed: Duration,
    /// Latencies, where the load has them.
    pub latencies: Option<Latencies>,
    /// Operations, those that the window's ends cut by their parts; where the load tells.
    pub parts: Option<f64>,
    /// Errors by kind.
    pub errors: BTreeMap<String, u64>,
    /// CPU time of the contender's process tree.
    pub cpu: Duration,
    /// CPU time of origin and database.
    pub others_cpu: Duration,
    /// Peak of the contender's proportional set size, bytes.
    pub peak_pss_bytes: u64,
    /// Busy share of the generator's thread.
    pub generator_busy: f64,
    /// Whether the generator says that it had no headroom: throughput is a lower bound.
    pub generator_busy_itself: bool,
    /// Whether the generator was late with its own sends: latencies are upper bounds.
    pub generator_late: bool,
    /// Busy share of the processors of generator, origin and database.
    pub others_busy: f64,
    /// Busy share of the application's processors.
    pub application_busy: f64,
    /// Whether these are others than the generator's and the parts'.
    pub apart: bool,
    /// Largest share of either that the hypervisor took.
    pub stolen: f64,
    /// Share of the application's processors that other programs used, where these are its own.
    pub foreign: f64,
    /// How fast the application's processors were, where that is known.
    pub speed: Option<Speed>,
    /// What a program reports of itself.
    pub extra: BTreeMap<String, f64>,
}

impl Slice {
    /// Operations a second.
    pub(crate) fn throughput(&self) -> f64 {
        self.operations as f64 / self.elapsed.as_secs_f64().max(1e-9)
    }

    /// Operations, those that the window's beginning and end cut by their parts. Whole ones alone would be off
    /// by up to one of each user: users who began together end together, wave by wave, and a window of one
    /// wave and a half counts one or two.
    pub(crate) fn operations_by_parts(&self) -> f64 {
        let whole = self.operations.max(1) as f64;
        self.parts.filter(|parts| *parts > 0.0).unwrap_or(whole)
    }

    /// CPU-seconds an operation.
    pub(crate) fn cpu_s(&self) -> f64 {
        self.cpu.as_secs_f64() / self.operations.max(1) as f64
    }

    /// A latency quantile, milliseconds.
    pub(crate) fn quantile_ms(&self, quantile: f64) -> Option<f64> {
        let latencies = self
            .latencies
            .as_ref()
            .filter(|latencies| !latencies.is_empty())?;
        Some(milliseconds(latencies.value_at_quantile(quantile)))
    }
}

/// All slices of one contender in one case.
#[derive(Debug, Clone, Default)]
pub(crate) struct Series {
    /// Closed loop, or a program's runs.
    pub rounds: Vec<Slice>,
    /// Open loop at a rate that is equal for all contenders of the case.
    pub open: Vec<Slice>,
    /// That rate, requests a second.
    pub open_rate_per_s: f64,
}

impl Series {
    /// One value a round.
    pub(crate) fn per_round(&self, value: impl Fn(&Slice) -> f64) -> Vec<f64> {
        self.rounds.iter().map(value).collect()
    }

    /// Operations that failed, and all that were tried.
    pub(crate) fn failures(&self) -> (u64, u64) {
        let failed = self
            .rounds
            .iter()
            .flat_map(|slice| slice.errors.values())
            .sum::<u64>();
        let done: u64 = self.rounds.iter().map(|slice| slice.operations).sum();
        (failed, failed + done)
    }

    /// Whether latencies include the time that answers waited for the generator.
    pub(crate) fn has_busy_generator(&self) -> bool {
        self.rounds.iter().any(|slice| slice.generator_busy_itself)
    }

    /// Why this is no result, where it is none.
    pub(crate) fn invalid(&self) -> Option<Invalid> {
        let all = || self.rounds.iter().chain(&self.open);
        let mean = |value: fn(&Slice) -> f64| {
            self.rounds.iter().map(value).sum::<f64>() / self.rounds.len().max(1) as f64
        };
        let is_full = self.rounds.iter().all(|slice| slice.apart)
            && mean(|slice| slice.application_busy) >= FULL_MIN;
        if !is_full && self.has_busy_generator() {
            return Some(Invalid::GeneratorSaturated);
        }
        if !is_full && mean(|slice| slice.others_busy) > OTHERS_BUSY_MAX {
            return Some(Invalid::OthersSaturated);
        }
        if all().map(|slice| slice.stolen).sum::<f64>() > STOLEN_MAX * all().count() as f64 {
            return Some(Invalid::ProcessorStolen);
        }
        if mean(|slice| slice.foreign) > FOREIGN_MAX {
            return Some(Invalid::OtherPrograms);
        }
        let throughput = self.per_round(Slice::throughput);
        let noisy = relative_spread(&throughput).is_some_and(|spread| spread > NOISE_MAX);
        (noisy && throughput.len() >= 3).then_some(Invalid::MachineNoisy)
    }

    /// The speeds that are known, round by round.
    fn speeds(&self) -> impl Iterator<Item = Speed> {
        self.rounds.iter().filter_map(|slice| slice.speed)
    }

    /// By which share the speed moved within a measurement, in the mean.
    fn speed_moved(&self) -> Option<f64> {
        let moves: Vec<f64> = self.speeds().map(Speed::moved).collect();
        (!moves.is_empty()).then(|| moves.iter().sum::<f64>() / moves.len() as f64)
    }

    /// The summary that the result document holds.
    pub(crate) fn summary(
        &self,
        contender: &str,
        case: &str,
        capacity: Capacity<'_>,
    ) -> Measurement {
        let throughput_rounds = self.per_round(Slice::throughput);
        let throughput_per_s = median(&throughput_rounds).unwrap_or(0.0);
        let operations: u64 = self.rounds.iter().map(|slice| slice.operations).sum();
        let mean = |value: fn(&Slice) -> f64| {
            self.rounds.iter().map(value).sum::<f64>() / self.rounds.len().max(1) as f64
        };
        let peak_pss_bytes = self.rounds.iter().map(|slice| slice.peak_pss_bytes).max();
        let peak_pss_bytes = peak_pss_bytes.unwrap_or(0);
        let per_1000 = |value: fn(&Slice) -> Duration| {
            let sum: Duration = self.rounds.iter().map(value).sum();
            sum.as_secs_f64() / operations.max(1) as f64 * 1000.0
        };
        Measurement {
            contender: contender.to_owned(),
            case: case.to_owned(),
            throughput_per_s,
            throughput_rounds,
            latency: latency(&self.rounds),
            open_loop: self.open_loop(),
            operations,
            errors: errors(&self.rounds),
            cpu_s_per_1000: per_1000(|slice| slice.cpu),
            peak_pss_bytes,
            cost_per_million: capacity.cost_per_million(throughput_per_s, peak_pss_bytes),
            extra: extra(&self.rounds),
            others_cpu_s_per_1000: per_1000(|slice| slice.others_cpu),
            generator_busy: mean(|slice| slice.generator_busy),
            others_busy: mean(|slice| slice.others_busy),
            application_busy: mean(|slice| slice.application_busy),
            speed_rounds: self.speeds().map(Speed::mean).collect(),
            speed_moved: self.speed_moved(),
            invalid: self.invalid(),
        }
    }

    fn open_loop(&self) -> Option<OpenLoop> {
        Some(OpenLoop {
            rate_per_s: self.open_rate_per_s,
            completed_per_s: median(
                &self
                    .open
                    .iter()
                    .map(Slice::throughput)
                    .collect::<Vec<f64>>(),
            )?,
            errors: errors(&self.open),
            latency: latency(&self.open)?,
        })
    }
}

fn errors(slices: &[Slice]) -> BTreeMap<String, u64> {
    let mut sum = BTreeMap::new();
    for (kind, count) in slices.iter().flat_map(|slice| &slice.errors) {
        *sum.entry(kind.clone()).or_insert(0) += count;
    }
    sum
}

/// The median over the rounds of each figure that a program reports.
fn extra(slices: &[Slice]) -> BTreeMap<String, f64> {
    let mut values: BTreeMap<String, Vec<f64>> = BTreeMap::new();
    for (name, value) in slices.iter().flat_map(|slice| &slice.extra) {
        values.entry(name.clone()).or_default().push(*value);
    }
    values
        .into_iter()
        .filter_map(|(name, values)| Some((name, median(&values)?)))
        .collect()
}

/// The summary of all latencies together; `None` where there are none.
fn latency(slices: &[Slice]) -> Option<Latency> {
    let mut all = slices.iter().find_map(|slice| slice.latencies.clone())?;
    all.reset();
    for latencies in slices.iter().filter_map(|slice| slice.latencies.as_ref()) {
        // Histograms of one configuration that grow by themselves add up without loss.
        all.add(latencies).ok();
    }
    if all.is_empty() {
        return None;
    }
    let carried = |quantile: f64| {
        let beyond = (1.0 - quantile) * all.len() as f64;
        (beyond >= BEYOND_MIN).then(|| milliseconds(all.value_at_quantile(quantile)))
    };
    Some(Latency {
        samples: all.len(),
        mean_ms: all.mean() / 1e6,
        p50_ms: milliseconds(all.value_at_quantile(0.5)),
        p90_ms: carried(0.9),
        p99_ms: carried(0.99),
        p999_ms: carried(0.999),
        max_ms: milliseconds(all.max()),
        curve: curve(&all),
        p50_rounds_ms: slices
            .iter()
            .filter_map(|slice| slice.quantile_ms(0.5))
            .collect(),
        p99_rounds_ms: slices
            .iter()
            .filter_map(|slice| slice.quantile_ms(0.99))
            .collect(),
    })
}

/// Points of the percentile curve: evenly spaced in nines, as far as the sample carries.
fn curve(latencies: &Latencies) -> Vec<(f64, f64)> {
    const STEPS_PER_NINE: i32 = 8;
    (0..=4 * STEPS_PER_NINE)
        .map(|step| 1.0 - 10f64.powf(-f64::from(step) / f64::from(STEPS_PER_NINE)))
        .take_while(|quantile| (1.0 - quantile) * latencies.len() as f64 >= 1.0)
        .map(|quantile| {
            (
                quantile,
                milliseconds(latencies.value_at_quantile(quantile)),
            )
        })
        .collect()
}

fn milliseconds(nanoseconds: u64) -> f64 {
    nanoseconds as f64 / 1e6
}

#[cfg(test)]
pub(crate) mod tests {
    use super::*;

    /// A slice of one second with this many operations, each of one millisecond.
    pub(crate) fn slice(operations: u64) -> Slice {
        let mut latencies = Latencies::new(3).expect("three digits are allowed");
        latencies
            .record_n(1_000_000, operations)
            .expect("grows by itself");
        Slice {
            operations,
            elapsed: Duration::from_secs(1),
            latencies: Some(latencies),
            parts: None,
            errors: BTreeMap::new(),
            cpu: Duration::from_millis(500),
            others_cpu: Duration::from_millis(100),
            peak_pss_bytes: 1 << 30,
            generator_busy: 0.1,
            generator_busy_itself: false,
            generator_late: false,
            others_busy: 0.2,
            application_busy: 0.9,
            apart: true,
            stolen: 0.0,
            foreign: 0.0,
            speed: None,
            extra: BTreeMap::new(),
        }
    }

    pub(crate) fn series(operations: &[u64]) -> Series {
        Series {
            rounds: operations.iter().map(|count| slice(*count)).collect(),
            ..Series::default()
        }
    }

    #[test]
    fn a_busy_generator_counts_only_where_the_contender_had_time_left() {
        let mut measured = series(&[100, 100]);
        for slice in &mut measured.rounds {
            (slice.generator_busy_itself, slice.others_busy) = (true, 0.97);
        }
        assert_eq!(measured.invalid(), Some(Invalid::GeneratorSaturated));
        for slice in &mut measured.rounds {
            slice.application_busy = 0.97;
        }
        assert_eq!(measured.invalid(), None);
        measured.rounds[1].apart = false;
        assert_eq!(measured.invalid(), Some(Invalid::GeneratorSaturated));
    }

    #[test]
    fn a_percentile_needs_ten_samples_beyond_it() {
        let few = latency(&series(&[500]).rounds).expect("has samples");
        assert_eq!((few.p90_ms.is_some(), few.p99_ms), (true, None));
        let many = latency(&series(&[500, 500]).rounds).expect("has samples");
        assert!(many.p99_ms.is_some() && many.p999_ms.is_none());
    }

    #[test]
    fn a_quiet_machine_is_valid_and_each_disturbance_has_its_name() {
        let mut series = series(&[100, 101, 99]);
        assert_eq!(series.invalid(), None);
        // Contenders take turns: a speed that moves widens intervals, and makes nothing invalid.
        series.rounds[1].speed = Some(Speed {
            before: 150.0,
            after: 100.0,
        });
        assert_eq!(series.invalid(), None);
        series.rounds[1].foreign = 0.6;
        assert_eq!(series.invalid(), Some(Invalid::OtherPrograms));
        series.rounds[0].stolen = 0.5;
        assert_eq!(series.invalid(), Some(Invalid::ProcessorStolen));
        series
            .rounds
            .iter_mut()
            .for_each(|slice| slice.others_busy = 0.99);
        assert_eq!(series.invalid(), Some(Invalid::OthersSaturated));
        series.rounds[1].generator_busy_itself = true;
        assert_eq!(series.invalid(), Some(Invalid::GeneratorSaturated));
    }

    #[test]
    fn rounds_that_differ_make_a_noisy_machine() {
        assert_eq!(
            series(&[100, 150, 70]).invalid(),
            Some(Invalid::MachineNoisy)
        );
        assert_eq!(series(&[100, 150]).invalid(), None);
    }

    #[test]
    fn operations_count_by_their_parts_where_these_are_known() {
        let by_parts = |parts| {
            let slice = Slice { parts, ..slice(7) };
            slice.operations_by_parts()
        };
        assert!((by_parts(Some(7.4)) - 7.4).abs() < 1e-9);
        assert!((by_parts(None) - 7.0).abs() < 1e-9);
    }

    #[test]
    fn the_curve_rises_to_what_the_sample_carries() {
        let latency = latency(&series(&[1000]).rounds).expect("has samples");
        let last = latency.curve.last().expect("has points").0;
        assert!((0.99..=0.999_001).contains(&last), "{last}");
    }
}
