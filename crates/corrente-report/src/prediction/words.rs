//! What a prediction says in words: reasons, limits, settings, assumptions, and its two tables.
//!
//! Shared by the terminal and the page. It decides nothing: the verdict and its reason come in.
//! Invariant: every reason is one sentence, and an estimate never stands without its interval.

use super::{
    Assumption, Blocker, Endpoint, EventLoop, Limit, PredictionReport, Reason, Setting, Side, Span,
    Stack, Verdict,
};
use crate::catalogue::{Catalogue, Message};
use crate::number::ABSENT;
use crate::sheet::{Kind, Sheet};

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

impl From<Verdict> for Message<'_> {
    fn from(verdict: Verdict) -> Self {
        match verdict {
            Verdict::Migrate => Self::PredictMigrate,
            Verdict::Tune => Self::PredictTune,
            Verdict::NoGain => Self::PredictNoGain,
            Verdict::Worse => Self::PredictWorse,
            Verdict::CannotTell => Self::PredictCannotTell,
        }
    }
}

/// The verdict in a table, where there is little room.
fn short(verdict: Verdict) -> Message<'static> {
    match verdict {
        Verdict::Tune => Message::PredictTuneShort,
        other => other.into(),
    }
}

impl Catalogue {
    /// Both stacks; `None` where nothing is exchanged.
    pub(crate) fn stacks(&self, report: &PredictionReport) -> Option<String> {
        if report.from == report.to {
            return None;
        }
        let mut from = stack(&report.from);
        if from.is_empty() {
            from = self.text(Message::PredictStackUnknown);
        }
        Some(format!("{from} → {}", stack(&report.to)))
    }

    /// What a prediction is about: a migration, or a loop that is there already.
    pub(crate) fn predicted_title(&self, report: &PredictionReport) -> String {
        self.text(match report.event_loop {
            Some(_) => Message::PredictLoopTitle,
            None => Message::PredictTitle,
        })
    }

    /// What the other side is called.
    pub(crate) fn other_side(&self, report: &PredictionReport) -> String {
        self.text(match report.event_loop {
            Some(_) => Message::PredictUnblocked,
            None => Message::PredictAsync,
        })
    }

    /// The reason of a verdict, in one sentence.
    pub(crate) fn reason(&self, reason: &Reason) -> String {
        let numbers = self.numbers();
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
                flags,
                throughput_per_s,
                async_per_s,
                memory_bytes,
            } => self.text(Message::PredictBetter {
                setting: &self.offered(setting, flags),
                rate: &quantity(throughput_per_s),
                other: &self.span(*async_per_s),
                memory: &numbers.bytes(*memory_bytes as u64),
            }),
            Reason::BeyondSetting {
                setting,
                flags,
                throughput_per_s,
                async_per_s,
            } => self.text(Message::PredictBeyond {
                setting: &self.offered(setting, flags),
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
        let numbers = self.numbers();
        match reason {
            Reason::FewRequests { requests, more } => self.text(Message::PredictFew {
                requests: &self.requests_in_all(*requests),
                more: &numbers.integer(*more),
            }),
            Reason::FewOfEndpoint { endpoint, more } => self.text(Message::PredictFewOf {
                endpoint,
                more: &numbers.integer(*more),
            }),
            Reason::Failing { share } => {
                let share = &numbers.percent(*share);
                self.text(Message::PredictFailing { share })
            }
            Reason::FailingEndpoint { endpoint, share } => {
                let share = &numbers.percent(*share);
                self.text(Message::PredictFailingOf { endpoint, share })
            }
            Reason::Wide { more } => {
                let more = &numbers.integer(*more);
                self.text(Message::PredictWide { more })
            }
            Reason::UnsureCosts { stack } => self.text(Message::PredictUnsure { stack }),
            Reason::Greenlets => self.text(Message::PredictGreenlets),
            Reason::ThreadPool => self.text(Message::PredictThreadPool),
            Reason::Unexplained { share } => {
                let share = &numbers.percent(*share);
                self.text(Message::PredictLock { share })
            }
            Reason::MixedInterfaces => self.text(Message::PredictMixed),
            Reason::FreeThreaded => self.text(Message::PredictFreeThreaded),
            Reason::Unpredictable { detail } => self.text(Message::PredictFailed { detail }),
            _ => self.text(Message::PredictNoCpu),
        }
    }

    /// Both sides, a figure a row; `None` where they were not predicted.
    pub(crate) fn predicted_sides(&self, report: &PredictionReport) -> Option<Sheet> {
        let (before, after) = (report.before.as_ref()?, report.after.as_ref()?);
        let numbers = self.numbers();
        let mut sheet = Sheet::new([
            (String::new(), Kind::Words),
            (self.text(Message::PredictNow), Kind::Words),
            (self.other_side(report), Kind::Words),
        ]);
        let mut row = |head: String, of: &dyn Fn(&Side) -> String| {
            sheet.push(vec![head, of(before), of(after)]);
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
        Some(sheet)
    }

    /// The gain, and beside it the rule's.
    pub(crate) fn predicted_gain(&self, report: &PredictionReport) -> Vec<String> {
        let numbers = self.numbers();
        let gain = report.gain.map(|gain| {
            self.text(Message::PredictGain {
                gain: &numbers.ratio(gain.estimate),
                range: &numbers.interval(gain.low, gain.high),
            })
        });
        let rule = report.naive_gain.map(|gain| {
            let gain = &numbers.ratio(gain);
            self.text(Message::PredictRule { gain })
        });
        gain.into_iter().chain(rule).collect()
    }

    /// What making calls together would bring.
    pub(crate) fn gathered(&self, report: &PredictionReport) -> Option<String> {
        let time = &self.numbers().quantity(report.gathered_p50_ms?);
        Some(self.text(Message::PredictGather { time }))
    }

    /// The endpoints, each by itself, with the verdict in the last column; `None` without any.
    pub(crate) fn predicted_endpoints(&self, endpoints: &[Endpoint]) -> Option<Sheet> {
        let numbers = self.numbers();
        let mut sheet = Sheet::new([
            (self.text(Message::ColumnEndpoint), Kind::Words),
            (self.text(Message::ColumnRequests), Kind::Number),
            (self.text(Message::PredictHeadGain), Kind::Number),
            (self.text(Message::PredictHeadRule), Kind::Number),
            (self.text(Message::ColumnVerdict), Kind::Words),
        ]);
        for endpoint in endpoints {
            let gain = endpoint.gain.map(|gain| self.span(gain));
            let rule = endpoint.naive_gain.map(|gain| numbers.ratio(gain));
            sheet.push(vec![
                endpoint.name.clone(),
                numbers.integer(endpoint.requests),
                gain.unwrap_or_else(|| ABSENT.to_owned()),
                rule.unwrap_or_else(|| ABSENT.to_owned()),
                self.text(short(endpoint.judgement.verdict)),
            ]);
        }
        (!endpoints.is_empty()).then_some(sheet)
    }

    /// Why an endpoint has its verdict.
    pub(crate) fn endpoint_reason(&self, endpoint: &Endpoint) -> String {
        let reason = &self.reason(&endpoint.judgement.reason);
        let endpoint = &endpoint.name;
        self.text(Message::PredictReason { endpoint, reason })
    }

    /// Where a loop's time goes.
    pub(crate) fn loop_time(&self, figures: &EventLoop) -> String {
        let numbers = self.numbers();
        let mut lines = vec![self.text(Message::PredictLoop {
            cpu: &numbers.quantity(figures.cpu_ms),
            blocked: &numbers.quantity(figures.blocked_ms),
        })];
        if let Some(share) = figures.busy_share {
            let share = &numbers.percent(share);
            lines.push(self.text(Message::PredictLoopBusy { share }));
        }
        lines.join(" ")
    }

    /// What blocks a loop, and for how long.
    pub(crate) fn blocker(&self, blocker: &Blocker) -> String {
        let resource = &self.resource(&blocker.resource);
        let time = &self.numbers().quantity(blocker.ms);
        self.text(Message::PredictBlocker { resource, time })
    }

    /// Something that was taken for granted.
    pub(crate) fn assumption(&self, assumption: &Assumption) -> String {
        let numbers = self.numbers();
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
            Assumption::OtherMachine { processor, doubt } => {
                let doubt = &numbers.quantity(*doubt);
                self.text(Message::PredictOtherMachine { processor, doubt })
            }
            Assumption::OtherSpeed {
                processor,
                times,
                doubt,
            } => self.text(Message::PredictOtherSpeed {
                processor,
                times: &numbers.quantity(*times),
                doubt: &numbers.quantity(*doubt),
            }),
            Assumption::OtherPython {
                processor,
                python,
                doubt,
            } => self.text(Message::PredictOtherPython {
                processor,
                python,
                doubt: &numbers.quantity(*doubt),
            }),
            Assumption::UnknownSpeed => self.text(Message::PredictUnknownSpeed),
            Assumption::LoweredCosts { share } => {
                let share = &numbers.percent(*share);
                self.text(Message::PredictLowered { share })
            }
            Assumption::Pool { connections } => {
                let connections = &numbers.integer(*connections);
                self.text(Message::PredictPool { connections })
            }
            Assumption::Elastic {
                resource,
                recorded,
                predicted,
            } => self.text(Message::PredictElastic {
                resource,
                recorded: &numbers.quantity(*recorded),
                predicted: &numbers.quantity(*predicted),
            }),
            Assumption::Cores { cores } => {
                let cores = &numbers.quantity(*cores);
                self.text(Message::PredictCores { cores })
            }
            Assumption::NeverAlone => self.text(Message::PredictNeverAlone),
            Assumption::LineUnknown => self.text(Message::PredictLineUnknown),
            Assumption::Crowded { per_core } => {
                let processes = &self.numbers().quantity(*per_core);
                self.text(Message::PredictCrowded { processes })
            }
            Assumption::FewSimulated { requests } => {
                let requests = &numbers.integer(*requests);
                self.text(Message::PredictFewSimulated { requests })
            }
        }
    }

    /// A setting that the server does not have, with what to start it with.
    fn offered(&self, setting: &Setting, flags: &str) -> String {
        let setting = &self.deployed(setting);
        if flags.is_empty() {
            return setting.clone();
        }
        self.text(Message::PredictSettingFlags { setting, flags })
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
        let pool = &self.numbers().integer(pool);
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
        let numbers = self.numbers();
        format!(
            "{} {}",
            numbers.quantity(span.estimate),
            numbers.interval(span.low, span.high)
        )
    }
}
