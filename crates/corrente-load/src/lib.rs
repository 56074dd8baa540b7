//! Corrente's load generator: HTTP/1.1, raw ping-pong and WebSocket echo, closed and open loop.
//!
//! A generator thread is one epoll loop over non-blocking sockets that writes prebuilt bytes and
//! reads into one buffer, so that it costs less processor time per request than the servers it
//! measures. It must not know what a scenario, a contender or a report is, and it prints nothing.
//!
//! Key invariants: the latency of an open-loop request counts from the moment it was *due*, never
//! from the moment a connection was free for it; nothing is recorded during warm-up; every
//! [`Outcome`] carries a [`SelfCheck`] that says whether the generator itself was the bottleneck.
//!
//! Start with [`Target::parse`], fill a [`Plan`], call [`run()`].

#![forbid(unsafe_code)]

mod arrival;
mod error;
mod exchange;
mod export;
mod generator;
mod http;
mod limits;
mod outcome;
mod peer;
pub mod ping_pong;
mod plan;
mod ramp;
mod random;
mod run;
mod self_check;
mod summary;
mod target;
pub mod websocket;

pub use error::LoadError;
pub use export::{LogInterval, interval_log, percentile_text};
pub use hdrhistogram::Histogram;
pub use limits::raise_descriptor_limit;
pub use outcome::{ErrorKind, Outcome};
pub use peer::Peer;
pub use plan::{Arrival, Expect, Plan, Process, StatusSet, Users};
pub use ramp::{Ramp, Stage};
pub use run::{Progress, run};
pub use self_check::{BUSY_SHARE_MAX, LAG_P99_MAX, SelfCheck};
pub use summary::{LatencySummary, SelfCheckSummary, Summary};
pub use target::{Header, KeepAlive, Method, PathOrder, Request, Target};
