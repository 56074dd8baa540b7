//! What a gauge shows: the endpoints of a service, what each costs and waits for.
//!
//! Values only, in the units of a reader; whoever measured fills them in. What is not known is
//! absent. [`Terminal::gauge`](crate::Terminal) and [`html::gauge_page`](crate::html::gauge_page)
//! set them as tables, in the words of `words`.

mod words;

/// A service and its endpoints.
#[derive(Debug, Clone, Default, PartialEq)]
pub struct GaugeReport {
    /// What serves, in its own words: `gunicorn 27.0.1 gthread`.
    pub server: String,
    /// Processes that served.
    pub processes: u64,
    /// Requests that came.
    pub requests: u64,
    /// Others came, which nobody could count.
    pub requests_are_partial: bool,
    /// A second, while there were any.
    pub requests_per_s: Option<f64>,
    /// From the first request to the last.
    pub active_s: f64,
    /// Mean number of requests in a process.
    pub in_flight: Option<f64>,
    /// CPU time of the server itself, a request.
    pub server_cpu_ms: Option<f64>,
    /// Share of the time in which the event loops were busy with requests.
    pub loop_busy_share: Option<f64>,
    /// Memory of a process.
    pub memory_bytes: Option<u64>,
    /// The endpoints, in the order in which they are shown.
    pub endpoints: Vec<GaugeEndpoint>,
    /// Where event loops stood still, in the order in which they are shown.
    pub stalls: Vec<GaugeStall>,
    /// What could not be told, a line each, in English as it was recorded.
    pub doubts: Vec<String>,
}

/// One endpoint; figures are a request.
#[derive(Debug, Clone, Default, PartialEq)]
pub struct GaugeEndpoint {
    /// Method and route.
    pub name: String,
    /// Requests that came.
    pub requests: u64,
    /// Share of them that failed: a status of 500 and above, or an exception.
    pub error_share: f64,
    /// CPU time.
    pub cpu_ms: Option<f64>,
    /// Time waiting.
    pub wait_ms: Option<f64>,
    /// The most that it can be, where it is not known.
    pub wait_at_most_ms: Option<f64>,
    /// 99 in 100 are faster.
    pub p99_ms: Option<f64>,
    /// Waiting over computing.
    pub blocking: Option<f64>,
    /// How often it waits.
    pub waits: Option<f64>,
    /// Time that it holds up an event loop without computing.
    pub stalls_ms: Option<f64>,
    /// What it calls.
    pub calls: Vec<GaugeCalls>,
}

/// Calls of one resource by an endpoint.
#[derive(Debug, Clone, Default, PartialEq)]
pub struct GaugeCalls {
    /// `database psycopg db:5432`.
    pub resource: String,
    /// Calls a request; absent where they could not be counted.
    pub calls: Option<f64>,
    /// Waiting in a call.
    pub wait_ms: Option<f64>,
    /// Share of the calls that held up an event loop.
    pub blocking_share: f64,
    /// What making those from one line together would save a request, at most.
    pub gather_saves_ms: f64,
}

/// The stalls of event loops in one place.
#[derive(Debug, Clone, Default, PartialEq)]
pub struct GaugeStall {
    /// `shop/views.py:31 in show`.
    pub place: String,
    /// The library and the system call that it waited in; empty where it computed.
    pub waited: String,
    /// How many there were.
    pub count: u64,
    /// How long they were together.
    pub total_ms: f64,
    /// Share of it that was spent on a processor.
    pub cpu_share: f64,
    /// The longest.
    pub longest_ms: f64,
}
