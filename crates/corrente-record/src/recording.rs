//! The document: processes that were watched, and endpoints with what their requests cost.
//!
//! Plain data with public fields. Every field has a default, so that a later version can add some
//! and an earlier reader still reads the rest; what is not known is absent or empty, never invented.
//! Times are nanoseconds unless the name says otherwise.

use std::collections::BTreeMap;

use serde::{Deserialize, Serialize};

use crate::{Distribution, Stall};

/// Name and version of the format. A new number means that an old reader must not read it.
pub const SCHEMA: &str = "corrente.recording/1";

/// A recording: of one process while it is made, of many once merged.
#[derive(Debug, Clone, Default, PartialEq, Serialize, Deserialize)]
pub struct Recording {
    /// [`SCHEMA`].
    pub schema: String,
    /// Program and version that wrote it.
    #[serde(default)]
    pub made_by: String,
    /// The processes that were watched.
    #[serde(default)]
    pub processes: Vec<Process>,
    /// What their requests cost, over all processes.
    #[serde(default)]
    pub endpoints: Vec<Endpoint>,
}

/// Where the figures of a process come from.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Source {
    /// The recorder inside the process: every figure.
    #[default]
    Recorder,
    /// Samples of its stacks from outside: times per endpoint, no distributions.
    Sampler,
    /// Spans of a tracing system: wall times and calls, no CPU times.
    Traces,
}

/// One process that was watched.
#[derive(Debug, Clone, Default, PartialEq, Serialize, Deserialize)]
pub struct Process {
    /// Name of its host.
    pub host: String,
    /// Its process identifier there.
    pub pid: u32,
    /// When the recording of it began, milliseconds since 1970.
    pub started_unix_ms: u64,
    /// Where the figures come from.
    #[serde(default)]
    pub source: Source,
    /// From the begin of the recording to the last snapshot.
    #[serde(default)]
    pub observed_ns: u64,
    /// From the begin of the recording to the begin of the first request; 0 where it is not known.
    #[serde(default)]
    pub first_request_ns: u64,
    /// From the begin of the first request to the end of the last.
    #[serde(default)]
    pub active_ns: u64,
    /// Version of the interpreter: `3.13.1`, with a `t` for a free-threaded one.
    #[serde(default)]
    pub python: String,
    /// What serves.
    #[serde(default)]
    pub server: Server,
    /// Processors that it may use: those it is bound to, or fewer where a quota (cgroup) says so.
    #[serde(default)]
    pub cores: Option<f64>,
    /// The machine that it ran on.
    #[serde(default)]
    pub machine: Machine,
    /// CPU time of all its threads while it was observed.
    #[serde(default)]
    pub cpu_ns: u64,
    /// The threads that requests ran in.
    #[serde(default)]
    pub threads: Vec<Thread>,
    /// Its memory, at the last look.
    #[serde(default)]
    pub memory: Memory,
    /// Requests in the process when one arrives, that one included.
    #[serde(default)]
    pub in_flight: Distribution,
    /// Requests that came, whether measured or not.
    #[serde(default)]
    pub requests_seen: u64,
    /// Of those, the ones behind the figures of the endpoints.
    #[serde(default)]
    pub requests_measured: u64,
    /// What is measured of every request, and what of some.
    #[serde(default)]
    pub sampling: Sampling,
    /// Libraries that were watched, with versions: a resource that none of them knows is not seen.
    #[serde(default)]
    pub watched: Vec<String>,
    /// Where its event loop stood still, if that has a watchdog (Corrente's own).
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub stalls: Vec<Stall>,
    /// What could not be told, and why.
    #[serde(default)]
    pub cannot_tell: Vec<Doubt>,
}

/// What serves requests, and how it is set.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Server {
    /// `gunicorn`, `uvicorn`, …; empty where it is not known.
    #[serde(default)]
    pub name: String,
    /// Its version.
    #[serde(default)]
    pub version: String,
    /// Kind of worker, in the server's own words: `sync`, `gthread`, `asyncio`, …
    #[serde(default)]
    pub worker: String,
    /// Worker processes.
    #[serde(default)]
    pub workers: Option<u32>,
    /// Threads of a worker that run requests.
    #[serde(default)]
    pub threads: Option<u32>,
}

/// The machine of a process, so that costs of other machines can be compared with what it did.
#[derive(Debug, Clone, Default, PartialEq, Serialize, Deserialize)]
pub struct Machine {
    /// Model of its processor, as the kernel names it; empty where it is not known.
    #[serde(default)]
    pub processor: String,
    /// How fast it is at Python work: rounds of the lab's `burn` loop a millisecond
    /// (lab/apps/workload.py), measured while the service did not run or was not watched.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub burn_rounds_per_ms: Option<f64>,
}

/// A thread that requests ran in.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Thread {
    /// The kernel's name for it.
    #[serde(default)]
    pub name: String,
    /// Its CPU time while it was observed.
    #[serde(default)]
    pub cpu_ns: u64,
    /// The part of it that was measured in requests.
    #[serde(default)]
    pub request_cpu_ns: u64,
    /// Its time on a run queue: ready, with no processor.
    #[serde(default)]
    pub run_queue_ns: u64,
    /// Requests that ended in it.
    #[serde(default)]
    pub requests: u64,
    /// Steps of coroutines of requests.
    #[serde(default)]
    pub steps: u64,
    /// Wall time of those steps: as long as a step lasts, its loop does nothing else.
    #[serde(default)]
    pub step_wall_ns: u64,
}

/// Memory of a process.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Memory {
    /// Its own, and its share of what it shares (PSS).
    #[serde(default)]
    pub pss_bytes: Option<u64>,
    /// All that is resident (RSS), shared pages in full.
    #[serde(default)]
    pub rss_bytes: Option<u64>,
}

/// Of how many requests one is measured.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Sampling {
    /// Run-queue time and `wait_ns` are measured in one of so many measured requests.
    #[serde(default = "one")]
    pub run_queue_every: u32,
    /// Switches of context too.
    #[serde(default = "one")]
    pub switches_every: u32,
    /// The largest distance between measured requests that was used; 1 where all were measured.
    #[serde(default = "one")]
    pub requests_every: u32,
}

fn one() -> u32 {
    1
}

impl Default for Sampling {
    fn default() -> Self {
        Self {
            run_queue_every: 1,
            switches_every: 1,
            requests_every: 1,
        }
    }
}

/// Something that could not be told.
#[derive(Debug, Clone, Default, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
pub struct Doubt {
    /// A word for programs: `greenlets`, `thread_pool`, `hook_failed`, …
    pub code: String,
    /// A line for people.
    #[serde(default)]
    pub detail: String,
}

/// How a server calls the application.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Interface {
    /// One call a request, in a thread of its own (PEP 3333).
    #[default]
    Wsgi,
    /// A coroutine a request.
    Asgi,
}

/// One endpoint: a method and a route template.
#[derive(Debug, Clone, Default, PartialEq, Serialize, Deserialize)]
pub struct Endpoint {
    /// `GET /users/{id}`.
    pub name: String,
    /// How it is called.
    #[serde(default)]
    pub interface: Interface,
    /// Requests that were measured.
    #[serde(default)]
    pub requests: u64,
    /// Responses by class of status: `2xx`, `5xx`, `none`.
    #[serde(default)]
    pub statuses: BTreeMap<String, u64>,
    /// Requests that ended with an exception of the application.
    #[serde(default)]
    pub exceptions: u64,
    /// Requests that the server or the client gave up.
    #[serde(default)]
    pub abandoned: u64,
    /// Bytes of request bodies, as their headers say.
    #[serde(default)]
    pub bytes_received: u64,
    /// Bytes of response bodies.
    #[serde(default)]
    pub bytes_sent: u64,
    /// Time from the call of the application to the end of the response.
    #[serde(default)]
    pub wall_ns: Distribution,
    /// CPU time in the request's thread, or in all steps of its coroutine and of the tasks it started.
    #[serde(default)]
    pub cpu_ns: Distribution,
    /// CPU time between two waits: between calls of resources, or one step of a coroutine.
    #[serde(default)]
    pub segment_cpu_ns: Distribution,
    /// Time on a run queue, a request; of some requests only ([`Sampling`]).
    #[serde(default)]
    pub run_queue_ns: Distribution,
    /// Wall time without CPU and run-queue time, a request; of the same ones.
    #[serde(default)]
    pub wait_ns: Distribution,
    /// Voluntary switches, a request: how often its thread went to sleep.
    #[serde(default)]
    pub voluntary_switches: Distribution,
    /// Involuntary switches, a request: how often its thread was put aside.
    #[serde(default)]
    pub involuntary_switches: Distribution,
    /// Time with at least one call of a resource open, a request with calls.
    #[serde(default)]
    pub in_calls_ns: Distribution,
    /// ASGI: steps of the coroutine and of its tasks, a request.
    #[serde(default)]
    pub steps: Distribution,
    /// ASGI: wall time of its steps without their CPU time, a request: the loop stood still.
    #[serde(default)]
    pub blocked_ns: Distribution,
    /// ASGI: functions run in a thread pool for it.
    #[serde(default)]
    pub pool_calls: u64,
    /// ASGI: their wall time, in the pool's threads.
    #[serde(default)]
    pub pool_wall_ns: u64,
    /// ASGI: their CPU time, which `cpu_ns` does not hold.
    #[serde(default)]
    pub pool_cpu_ns: u64,
    /// Requests that were alone in their process, from begin to end.
    #[serde(default)]
    pub alone: Alone,
    /// Calls of databases, other services and caches.
    #[serde(default)]
    pub calls: Vec<Calls>,
}

/// Requests that shared their process with no other: nobody else held the GIL.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Alone {
    /// How many.
    #[serde(default)]
    pub requests: u64,
    /// Their wall time.
    #[serde(default)]
    pub wall_ns: u64,
    /// Their CPU time.
    #[serde(default)]
    pub cpu_ns: u64,
}

/// What an endpoint waits for.
#[derive(Debug, Clone, Default, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
pub struct Resource {
    /// `database`, `http`, `cache` or `other`.
    pub kind: String,
    /// The library that makes the calls: `psycopg`, `http.client`, `redis`, …
    #[serde(default)]
    pub driver: String,
    /// Host and port, or the name of a local one; never a path, a user or a password.
    #[serde(default)]
    pub host: String,
}

/// Calls of one resource by one endpoint.
#[derive(Debug, Clone, Default, PartialEq, Serialize, Deserialize)]
pub struct Calls {
    /// What is called.
    pub resource: Resource,
    /// Calls a request, over the requests that made one.
    #[serde(default)]
    pub per_request: Distribution,
    /// Wall time of a call.
    #[serde(default)]
    pub call_ns: Distribution,
    /// CPU time within the calls, which `cpu_ns` of the endpoint holds too.
    #[serde(default)]
    pub cpu_ns: u64,
    /// Calls are watched where the program enters the library, so `cpu_ns` is all that it computes for
    /// them. Not so where only a part of it is watched, and in recordings that do not say it.
    #[serde(default, skip_serializing_if = "is_false")]
    pub entered: bool,
    /// Wall time of what belongs to a call that was counted: connecting, reading the body.
    #[serde(default)]
    pub continued_ns: u64,
    /// Calls that were open together with another call of the same request.
    #[serde(default)]
    pub overlapped: u64,
    /// Calls that blocked an event loop: synchronous ones within a step of a coroutine.
    #[serde(default)]
    pub blocking: u64,
    /// Calls one after the other from the same line.
    #[serde(default)]
    pub runs: Runs,
}

/// For serde, which hands a reference over: what is not so is not written.
#[expect(
    clippy::trivially_copy_pass_by_ref,
    reason = "the signature is serde's"
)]
fn is_false(value: &bool) -> bool {
    !*value
}

/// Runs: two or more calls from one line of the program, with no other call between. They may be
/// independent, and could then be made together; nothing here proves that they are.
#[derive(Debug, Clone, Default, PartialEq, Serialize, Deserialize)]
pub struct Runs {
    /// Calls of a run.
    #[serde(default)]
    pub length: Distribution,
    /// Wall time of all calls in runs.
    #[serde(default)]
    pub wall_ns: u64,
    /// Wall time of the longest call of each run: what would remain if each ran together.
    #[serde(default)]
    pub longest_ns: u64,
}
