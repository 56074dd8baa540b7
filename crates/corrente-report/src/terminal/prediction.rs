//! A prediction for a terminal: the verdict first, then what it rests on.
//!
//! The verdict and its reason stand above the figures, what was taken for granted below them.
//! Invariant: no verdict without its reason, no estimate without its interval.

use super::{Align, Cell, Paint, Table, Terminal};
use crate::catalogue::Message;
use crate::number::ABSENT;
use crate::prediction::{
    Assumption, Endpoint, EventLoop, Judgement, Limit, PredictionReport, Reason, Setting, Side,
    Span, Stack, Verdict,
};

impl Terminal {
    /// A prediction.
    pub fn prediction(&self, report: &PredictionReport) -> String {
        let title = match report.event_loop {
            Some(_) => Message::PredictLoopTitle,
            None => Message::PredictTitle,
        };
        let mut text = self.heading(&self.text(title)).trim_start().to_owned();
        if report.from != report.to {
            let stacks = format!("{} → {}", stack(&report.from), stack(&report.to));
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
            text.extend(assumptions.map(|one| self.item(&self.assumption(one))));
        }
        text
    }

    /// The verdict and its reason.
    fn judgement(&self, judgement: &Judgement) -> String {
        let verdict = self.text(verdict(judgement.verdict));
        let line = self.text(Message::PredictVerdict { verdict: &verdict });
        let painted = self.colour.apply(paint(judgement.verdict), &line);
        format!(
            "{painted}\n{}",
            self.paragraph(&self.reason(&judgement.reason))
        )
    }

    /// The reason of a verdict, in one sentence.
    pub fn reason(&self, reason: &Reason) -> String {
        let numbers = self.catalogue().numbers();
        let quantity = |value: &f64| numbers.quantity(*value);
        let two = |one: &f64, other: &f64| [quantity(one), quantity(other)];
        match reason {
            Reason::WorkersWait { wait_ms, wall_ms } => {
                let [wait, wall] = &two(wait_ms, wall_ms);
                self.text(Message::PredictWorkersWait { wait, wall })
            }
            Reason::CheaperStack {
                before_ms,
                after_ms,
            } => {
                let [before, after] = &two(before_ms, after_ms);
                self.text(Message::PredictCheaper { before, after })
            }
            Reason::DearerStack {
                before_ms,
                after_ms,
            } => {
                let [before, after] = &two(before_ms, after_ms);
                self.text(Message::PredictDearer { before, after })
            }
            Reason::BetterSetting {
                setting,
                throughput_per_s,
                async_per_s,
                memory_bytes,
            } => self.text(Message::PredictBetter {
                setting: &self.deployed(setting),
                rate: &quantity(throughput_per_s),
                other: &self.span(*async_per_s),
                memory: &numbers.bytes(*memory_bytes as u64),
            }),
            Reason::BeyondSetting {
                setting,
                throughput_per_s,
                async_per_s,
            } => self.text(Message::PredictBeyond {
                setting: &self.deployed(setting),
                rate: &quantity(throughput_per_s),
                other: &self.span(*async_per_s),
            }),
            Reason::Unblock { resource, share } => self.text(Message::PredictUnblock {
                resource: &self.resource(resource),
                share: &numbers.percent(*share),
            }),
            Reason::LoopFree { share } => {
                let share = &numbers.percent(*share);
                self.text(Message::PredictLoopFree { share })
            }
            Reason::SameLimit { limit } => {
                let limit = &self.limit(limit);
                self.text(Message::PredictSameLimit { limit })
            }
            Reason::NewLimit { limit } => {
                let limit = &self.limit(limit);
                self.text(Message::PredictNewLimit { limit })
            }
            Reason::Small => self.text(Message::PredictSmall),
            other => self.doubt(other),
        }
    }

    /// Why nothing can be told.
    fn doubt(&self, reason: &Reason) -> String {
        let numbers = self.catalogue().numbers();
        match reason {
            Reason::FewRequests { requests, more } => self.text(Message::PredictFew {
                requests: &numbers.integer(*requests),
                more: &numbers.integer(*more),
            }),
            Reason::FewOfEndpoint { endpoint, more } => self.text(Message::PredictFewOf {
                endpoint,
                more: &numbers.integer(*more),
            }),
            Reason::Wide { more } => {
                let more = &numbers.integer(*more);
                self.text(Message::PredictWide { more })
            }
            Reason::UnsureCosts { stack } => self.text(Message::PredictUnsure { stack }),
            Reason::Greenlets => self.text(Message::PredictGreenlets),
            Reason::ThreadPool => self.text(Message::PredictThreadPool),
            Reason::FreeThreaded => self.text(Message::PredictFreeThreaded),
            Reason::Unpredictable { detail } => self.text(Message::PredictFailed { detail }),
            _ => self.text(Message::PredictNoCpu),
        }
    }

    fn sides(&self, report: &PredictionReport) -> String {
        let (Some(before), Some(after)) = (&report.before, &report.after) else {
            return String::new();
        };
        let numbers = self.catalogue().numbers();
        let other = match report.event_loop {
            Some(_) => Message::PredictUnblocked,
            None => Message::PredictAsync,
        };
        let mut table = Table::new([
            (String::new(), Align::Left),
            (self.text(Message::PredictNow), Align::Left),
            (self.text(other), Align::Left),
        ]);
        let mut row = |head: String, of: &dyn Fn(&Side) -> String| {
            table.push(vec![head.into(), of(before).into(), of(after).into()]);
        };
        let places = usize::from(before.setting.cores.fract() > 0.0);
        let cores = &numbers.decimal(before.setting.cores, places);
        row(self.text(Message::PredictRowSetting { cores }), &|side| {
            self.deployed(&side.setting)
        });
        row(self.text(Message::PredictRowRate), &|side| {
            self.span(side.throughput_per_s)
        });
        row(self.text(Message::PredictRowLimit), &|side| {
            side.limit
                .as_ref()
                .map_or(ABSENT.to_owned(), |limit| self.limit(limit))
        });
        if let Some(rate) = report.rate_per_s {
            let rate = &numbers.quantity(rate);
            let overloaded = || self.text(Message::PredictOverloaded);
            row(self.text(Message::PredictRowMedian { rate }), &|side| {
                side.p50_ms
                    .map_or_else(overloaded, |time| numbers.quantity(time))
            });
            row(self.text(Message::PredictRowTail { rate }), &|side| {
                side.p99_ms.map_or_else(overloaded, |time| self.span(time))
            });
        }
        row(self.text(Message::PredictRowCpu), &|side| {
            numbers.quantity(side.cpu_ms)
        });
        row(self.text(Message::PredictRowMemory), &|side| {
            numbers.bytes(side.memory_bytes as u64)
        });
        if before.cost_per_million.is_some() {
            row(self.text(Message::PredictRowCost), &|side| {
                side.cost_per_million
                    .map_or(ABSENT.to_owned(), |cost| numbers.quantity(cost))
            });
        }
        format!("\n{}\n{}", self.table(&table), self.gain(report))
    }

    /// The gain beside the rule's, and what gathering would bring.
    fn gain(&self, report: &PredictionReport) -> String {
        let numbers = self.catalogue().numbers();
        let mut parts = Vec::new();
        if let Some(gain) = report.gain {
            parts.push(self.text(Message::PredictGain {
                gain: &numbers.ratio(gain.estimate),
                range: &numbers.interval(gain.low, gain.high),
            }));
        }
        if let Some(gain) = report.naive_gain {
            let gain = &numbers.ratio(gain);
            parts.push(self.text(Message::PredictRule { gain }));
        }
        let mut text = self.paragraph(&parts.join(" · "));
        if let Some(time) = report.gathered_p50_ms {
            let time = &numbers.quantity(time);
            text.push_str(&self.paragraph(&self.text(Message::PredictGather { time })));
        }
        text
    }

    fn predicted_endpoints(&self, endpoints: &[Endpoint]) -> String {
        if endpoints.is_empty() {
            return String::new();
        }
        let numbers = self.catalogue().numbers();
        let mut table = Table::new([
            (self.text(Message::ColumnEndpoint), Align::Left),
            (self.text(Message::ColumnRequests), Align::Right),
            (self.text(Message::PredictHeadGain), Align::Right),
            (self.text(Message::PredictHeadRule), Align::Right),
            (self.text(Message::ColumnVerdict), Align::Left),
        ]);
        for endpoint in endpoints {
            let judgement = &endpoint.judgement;
            let rule = endpoint.naive_gain.map(|gain| numbers.ratio(gain));
            table.push(vec![
                endpoint.name.clone().into(),
                numbers.integer(endpoint.requests).into(),
                endpoint
                    .gain
                    .map_or(ABSENT.to_owned(), |gain| self.span(gain))
                    .into(),
                rule.unwrap_or_else(|| ABSENT.to_owned()).into(),
                Cell::painted(
                    self.text(short(judgement.verdict)),
                    paint(judgement.verdict),
                ),
            ]);
        }
        let mut text = format!("\n{}\n", self.table(&table));
        for endpoint in endpoints {
            let reason = &self.reason(&endpoint.judgement.reason);
            let endpoint = &endpoint.name;
            text.push_str(&self.item(&self.text(Message::PredictReason { endpoint, reason })));
        }
        text
    }

    fn event_loop(&self, figures: &EventLoop) -> String {
        let numbers = self.catalogue().numbers();
        let mut lines = vec![self.text(Message::PredictLoop {
            cpu: &numbers.quantity(figures.cpu_ms),
            blocked: &numbers.quantity(figures.blocked_ms),
        })];
        if let Some(share) = figures.busy_share {
            let share = &numbers.percent(share);
            lines.push(self.text(Message::PredictLoopBusy { share }));
        }
        let mut text = format!("\n{}", self.paragraph(&lines.join(" ")));
        for blocker in &figures.blockers {
            let resource = &self.resource(&blocker.resource);
            let time = &numbers.quantity(blocker.ms);
            text.push_str(&self.item(&self.text(Message::PredictBlocker { resource, time })));
        }
        text
    }

    fn assumption(&self, assumption: &Assumption) -> String {
        let numbers = self.catalogue().numbers();
        match assumption {
            Assumption::UnexplainedWaiting { share } => {
                let share = &numbers.percent(*share);
                self.text(Message::PredictUnexplained { share })
            }
            Assumption::BorrowedStack { stack, source } => {
                self.text(Message::PredictBorrowed { stack, source })
            }
            Assumption::UnknownDriver { driver } => {
                self.text(Message::PredictUnknownDriver { driver })
            }
            Assumption::UnknownSpeed => self.text(Message::PredictUnknownSpeed),
            Assumption::Pool { connections } => {
                let connections = &numbers.integer(*connections);
                self.text(Message::PredictPool { connections })
            }
            Assumption::Cores { cores } => {
                let cores = &numbers.quantity(*cores);
                self.text(Message::PredictCores { cores })
            }
            Assumption::NeverAlone => self.text(Message::PredictNeverAlone),
        }
    }

    fn deployed(&self, setting: &Setting) -> String {
        let workers = setting.workers;
        let text = match setting.threads {
            Some(threads) => self.text(Message::PredictSettingThreads { workers, threads }),
            None => self.text(Message::PredictSettingLoops { loops: workers }),
        };
        let Some(pool) = setting.pool else {
            return text;
        };
        let pool = &self.catalogue().numbers().integer(pool);
        self.text(Message::PredictSettingPool {
            setting: &text,
            pool,
        })
    }

    fn limit(&self, limit: &Limit) -> String {
        match limit {
            Limit::Users => self.text(Message::PredictLimitUsers),
            Limit::Workers => self.text(Message::PredictLimitWorkers),
            Limit::Cores => self.text(Message::PredictLimitCores),
            Limit::BlockedLoop => self.text(Message::PredictLimitBlocked),
            Limit::Connections { resource } => {
                let resource = &self.resource(resource);
                self.text(Message::PredictLimitPool { resource })
            }
            Limit::Resource { resource } => self.resource(resource),
        }
    }

    fn resource(&self, name: &str) -> String {
        if name.is_empty() {
            self.text(Message::PredictNameless)
        } else {
            name.to_owned()
        }
    }

    /// An estimate with its interval.
    fn span(&self, span: Span) -> String {
        let numbers = self.catalogue().numbers();
        format!(
            "{} {}",
            numbers.quantity(span.estimate),
            numbers.interval(span.low, span.high)
        )
    }
}

/// `Flask, Requests (gunicorn sync)`.
fn stack(stack: &Stack) -> String {
    let words = [std::slice::from_ref(&stack.framework), &stack.drivers].concat();
    let words: Vec<String> = words.into_iter().filter(|word| !word.is_empty()).collect();
    match (words.join(", "), stack.server.as_str()) {
        (words, "") => words,
        (words, server) if words.is_empty() => server.to_owned(),
        (words, server) => format!("{words} ({server})"),
    }
}

fn verdict(verdict: Verdict) -> Message<'static> {
    match verdict {
        Verdict::Migrate => Message::PredictMigrate,
        Verdict::Tune => Message::PredictTune,
        Verdict::NoGain => Message::PredictNoGain,
        Verdict::Worse => Message::PredictWorse,
        Verdict::CannotTell => Message::PredictCannotTell,
    }
}

fn short(of: Verdict) -> Message<'static> {
    match of {
        Verdict::Tune => Message::PredictTuneShort,
        other => verdict(other),
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
