//! A prediction for a service: what async would bring, the verdict, and what was taken for granted.
//!
//! Values only, as a reader and other programs get them: the JSON of `corrente gauge predict` is this
//! document ([`SCHEMA`]). Whoever predicted fills it in; [`Terminal::prediction`](crate::Terminal)
//! and [`html::gauge_page`](crate::html::gauge_page) set it as text, in the words of `words`. What
//! was not predicted is absent.

mod curves;
mod words;

use serde::Serialize;

pub use self::curves::{Curves, TailPoint, ThroughputPoint};

/// Name and version of the document.
pub const SCHEMA: &str = "corrente.prediction/1";

/// A prediction.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct PredictionReport {
    /// [`SCHEMA`].
    pub schema: &'static str,
    /// What to do with the service as a whole.
    pub judgement: Judgement,
    /// What it runs on.
    pub from: Stack,
    /// What it would run on.
    pub to: Stack,
    /// Requests that were recorded.
    pub requests: u64,
    /// Users of the closed load under which the throughput is predicted.
    pub users: Option<u64>,
    /// Requests a second under which the latency is predicted.
    pub rate_per_s: Option<f64>,
    /// The present side.
    pub before: Option<Side>,
    /// The other one.
    pub after: Option<Side>,
    /// Throughput after over before.
    pub gain: Option<Span>,
    /// P99 latency after over before.
    pub p99_ratio: Option<Span>,
    /// What the rule gain = 1 + waiting / computing says.
    pub naive_gain: Option<f64>,
    /// Median latency after, milliseconds, if the calls of one line were made together.
    pub gathered_p50_ms: Option<f64>,
    /// Share of the waiting that no watched library explains.
    pub unexplained_share: Option<f64>,
    /// The endpoints, those that keep the service busiest first.
    pub endpoints: Vec<Endpoint>,
    /// For a service that is asynchronous already: where its loop's time goes.
    pub event_loop: Option<EventLoop>,
    /// What was taken for granted.
    pub assumptions: Vec<Assumption>,
    /// Throughput by users and P99 by rate, where they were asked for.
    pub curves: Option<Curves>,
}

/// An estimate with its 95 % interval.
#[derive(Debug, Clone, Copy, PartialEq, Serialize)]
pub struct Span {
    /// The estimate.
    pub estimate: f64,
    /// Lower end.
    pub low: f64,
    /// Upper end.
    pub high: f64,
}

/// Server, framework and drivers.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize)]
pub struct Stack {
    /// The server.
    pub server: String,
    /// The framework.
    pub framework: String,
    /// The drivers.
    pub drivers: Vec<String>,
}

/// One side of a prediction.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct Side {
    /// How it is deployed.
    pub setting: Setting,
    /// Requests a second at most.
    pub throughput_per_s: Span,
    /// Median latency at the rate, milliseconds; absent where it cannot keep up.
    pub p50_ms: Option<f64>,
    /// 99 in 100 are faster; absent where it cannot keep up.
    pub p99_ms: Option<Span>,
    /// Processor time of a request, milliseconds.
    pub cpu_ms: f64,
    /// What limits.
    pub limit: Option<Limit>,
    /// Memory of all processes.
    pub memory_bytes: f64,
    /// Cost of a million requests at full use.
    pub cost_per_million: Option<f64>,
}

/// A deployment.
#[derive(Debug, Clone, Copy, PartialEq, Serialize)]
pub struct Setting {
    /// Processor cores.
    pub cores: f64,
    /// Processes.
    pub workers: u64,
    /// Threads in each; absent for event loops.
    pub threads: Option<u64>,
    /// Connections of each process to a database; absent where there is no limit.
    pub pool: Option<u64>,
}

/// What limits throughput.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
#[serde(tag = "code", rename_all = "snake_case")]
pub enum Limit {
    /// Users in flight: more would bring more.
    Users,
    /// Workers and threads.
    Workers,
    /// Processor cores.
    Cores,
    /// Loops that calls block.
    BlockedLoop,
    /// Connections.
    Connections {
        /// To what.
        resource: String,
    },
    /// What a resource serves at once.
    Resource {
        /// Which.
        resource: String,
    },
}

/// What to do.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize)]
#[serde(rename_all = "snake_case")]
pub enum Verdict {
    /// Go async.
    Migrate,
    /// Change settings, or what blocks a loop.
    Tune,
    /// Async would change less than is worth it.
    NoGain,
    /// Async would be slower.
    Worse,
    /// It cannot be told.
    CannotTell,
}

/// A verdict with its reason.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct Judgement {
    /// What to do.
    pub verdict: Verdict,
    /// Why.
    pub reason: Reason,
}

/// Why.
#[derive(Debug, Clone, PartialEq, Serialize)]
#[serde(tag = "code", rename_all = "snake_case")]
pub enum Reason {
    /// Workers are taken while their requests wait, and no better setting frees them.
    WorkersWait {
        /// Waiting of a request, milliseconds.
        wait_ms: f64,
        /// From begin to end.
        wall_ms: f64,
    },
    /// The other stack needs less processor time.
    CheaperStack {
        /// Processor time of a request now, milliseconds.
        before_ms: f64,
        /// Then.
        after_ms: f64,
    },
    /// A better setting brings the same.
    BetterSetting {
        /// The setting.
        setting: Setting,
        /// What the server is started with for it; empty where that is not known.
        flags: String,
        /// What it brings, requests a second.
        throughput_per_s: f64,
        /// What async would bring.
        async_per_s: Span,
        /// Its memory.
        memory_bytes: f64,
    },
    /// A better setting brings more than there is, and async surely more than that.
    BeyondSetting {
        /// The setting.
        setting: Setting,
        /// What the server is started with for it; empty where that is not known.
        flags: String,
        /// What it brings, requests a second.
        throughput_per_s: f64,
        /// What async would bring.
        async_per_s: Span,
    },
    /// A loop that is blocked: that is what to change.
    Unblock {
        /// What blocks most.
        resource: String,
        /// Share of the loop's time in which it is blocked.
        share: f64,
    },
    /// Hardly anything blocks the loop.
    LoopFree {
        /// Share of the loop's time in which it is blocked.
        share: f64,
    },
    /// Both sides have the same limit.
    SameLimit {
        /// Which.
        limit: Limit,
    },
    /// The difference is small.
    Small,
    /// The other stack needs more processor time.
    DearerStack {
        /// Processor time of a request now, milliseconds.
        before_ms: f64,
        /// Then.
        after_ms: f64,
    },
    /// The other side has a limit that this one does not have.
    NewLimit {
        /// Which.
        limit: Limit,
    },
    /// Too few requests were recorded.
    FewRequests {
        /// How many there are.
        requests: u64,
        /// How many more are needed.
        more: u64,
    },
    /// An endpoint that matters has too few.
    FewOfEndpoint {
        /// Which.
        endpoint: String,
        /// How many more are needed.
        more: u64,
    },
    /// The requests fail.
    Failing {
        /// Share of them.
        share: f64,
    },
    /// The requests of an endpoint that matters fail.
    FailingEndpoint {
        /// Which.
        endpoint: String,
        /// Share of them.
        share: f64,
    },
    /// The interval is too wide, and more requests would make it narrow enough.
    Wide {
        /// How many more are needed.
        more: u64,
    },
    /// The interval is too wide, because costs of the other stack are not known better.
    UnsureCosts {
        /// Its name.
        stack: String,
    },
    /// Greenlets: many requests share a thread.
    Greenlets,
    /// Requests run in a thread pool below the application.
    ThreadPool,
    /// The recording has no processor times, or no distributions.
    NoCpuTimes,
    /// Most of the waiting is for nobody knows what, so that the gain is no advice.
    Unexplained {
        /// Share of the waiting.
        share: f64,
    },
    /// Synchronous and asynchronous requests in one recording: two services.
    MixedInterfaces,
    /// A free-threaded interpreter: the model is of the other one.
    FreeThreaded,
    /// The model could not be asked.
    Unpredictable {
        /// What it said, in English.
        detail: String,
    },
}

/// One endpoint by itself.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct Endpoint {
    /// Method and route.
    pub name: String,
    /// Requests that were recorded.
    pub requests: u64,
    /// What to do with a service of this endpoint alone.
    pub judgement: Judgement,
    /// Throughput after over before, of a service of this endpoint alone.
    pub gain: Option<Span>,
    /// What the rule says.
    pub naive_gain: Option<f64>,
}

/// Where a loop's time goes.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct EventLoop {
    /// Share of the time that it is busy.
    pub busy_share: Option<f64>,
    /// Computing of a request, milliseconds.
    pub cpu_ms: f64,
    /// Time that a request blocks it without computing, milliseconds.
    pub blocked_ms: f64,
    /// What blocks it, the longest first.
    pub blockers: Vec<Blocker>,
}

/// Something that blocks a loop.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct Blocker {
    /// The resource; empty where no watched library explains it.
    pub resource: String,
    /// Milliseconds a request.
    pub ms: f64,
}

/// Something that was taken for granted.
#[derive(Debug, Clone, PartialEq, Serialize)]
#[serde(tag = "code", rename_all = "snake_case")]
pub enum Assumption {
    /// Waiting that no library explains could be awaited.
    UnexplainedWaiting {
        /// Its share.
        share: f64,
    },
    /// Costs are those of a similar stack.
    BorrowedStack {
        /// The stack that was asked for.
        stack: String,
        /// The one whose costs were taken.
        source: String,
    },
    /// A driver was not measured: it is taken to cost the same on both sides.
    UnknownDriver {
        /// Which.
        driver: String,
    },
    /// The stacks' costs were measured on another machine, and scaled by the speed of both.
    OtherMachine {
        /// Its processor.
        processor: String,
        /// A cost may be off by this factor (95 %).
        doubt: f64,
    },
    /// The same, on this processor at another speed.
    OtherSpeed {
        /// The processor.
        processor: String,
        /// How many times as fast it was at Python work.
        times: f64,
        /// A cost may be off by this factor (95 %).
        doubt: f64,
    },
    /// The same, on this processor with another interpreter.
    OtherPython {
        /// The processor.
        processor: String,
        /// Version of that interpreter.
        python: String,
        /// A cost may be off by this factor (95 %).
        doubt: f64,
    },
    /// The speed of this machine is not known beside that of the reference.
    UnknownSpeed,
    /// Requests took less than their stack should have, so the costs of both sides are lowered.
    LoweredCosts {
        /// To this share of them.
        share: f64,
    },
    /// So many connections in each process of the asynchronous side.
    Pool {
        /// How many.
        connections: u64,
    },
    /// A resource answers more calls at once as fast as those that were recorded.
    Elastic {
        /// Which.
        resource: String,
        /// Calls at once in the recording: mean.
        recorded: f64,
        /// The same at the predicted throughput.
        predicted: f64,
    },
    /// The cores are not in the recording.
    Cores {
        /// How many were taken.
        cores: f64,
    },
    /// With threads, waiting holds waiting for the interpreter lock.
    NeverAlone,
    /// How long requests stood in line for a processor is not known: it counts as waiting.
    LineUnknown,
    /// More processes on a core than any calibration had, and brief waits.
    Crowded {
        /// How many on a core, now or in the setting that is advised.
        per_core: f64,
    },
    /// Requests take so much simulating that the figures rest on few of them.
    FewSimulated {
        /// How many.
        requests: u64,
    },
}
