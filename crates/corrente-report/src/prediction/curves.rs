//! Curves of a prediction: throughput by users, and P99 by rate, of both sides.
//!
//! Values only, a part of the document of [`PredictionReport`](super::PredictionReport). Points rise
//! along their axis. Invariant: a side is absent at a rate that it cannot keep up with, never zero.

use serde::Serialize;

use super::Span;

/// Both curves. One that was not predicted has no points.
#[derive(Debug, Clone, Default, PartialEq, Serialize)]
pub struct Curves {
    /// Throughput under a closed load: each user waits for its answer.
    pub throughput: Vec<ThroughputPoint>,
    /// P99 latency under an open load: requests come at random.
    pub tail: Vec<TailPoint>,
}

/// Throughput with so many users.
#[derive(Debug, Clone, Copy, PartialEq, Serialize)]
pub struct ThroughputPoint {
    /// Users, each with one request in flight.
    pub users: u64,
    /// Requests a second of the present side.
    pub before_per_s: Span,
    /// Of the other one.
    pub after_per_s: Span,
}

/// P99 latency at a rate.
#[derive(Debug, Clone, Copy, PartialEq, Serialize)]
pub struct TailPoint {
    /// Requests a second.
    pub rate_per_s: f64,
    /// 99 in 100 are faster on the present side, milliseconds; absent where it cannot keep up.
    pub before_ms: Option<Span>,
    /// The same of the other one.
    pub after_ms: Option<Span>,
}
