//! How much is simulated for a prediction: so many events, whatever the requests are.
//!
//! Events are what takes time, not requests: one that makes forty calls or computes for a second is hundreds
//! of them. What a request takes is reckoned first, and seen in the simulation that the estimate comes of;
//! requests that take many events are simulated in smaller numbers. Invariant: no simulation takes more
//! events than both sides of its repetition are to take, so a prediction's work is bounded by three times
//! [`Effort`]'s, whatever was measured.

use super::Pair;
use crate::simulator::{Load, Plan, System};

/// The share of the events that goes into the estimate itself.
const CENTRAL: f64 = 0.3;
/// Requests that one simulation answers at most: more tell nothing new.
const REQUESTS: f64 = 60_000.0;
/// Repetitions that answer fewer than this are made in smaller number, each of them longer.
const FEW_REQUESTS: f64 = 500.0;
/// Repetitions then. The least and the greatest of 16 lie as far out as the 2nd of 40 (1.77 and 1.75
/// deviations, where the draws are normal).
const FEW_DRAWS: u64 = 16;
/// The warm-up's part of the answers, where they suffice for nothing longer.
const WARM_UP: f64 = 0.4;

/// How much is simulated for one prediction.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Effort {
    /// Repetitions for the intervals, where requests are not too dear.
    draws: u64,
    /// Events of all simulations together.
    events: f64,
}

impl Effort {
    /// For a figure that stands by itself: a fifth of a second. The ends of its interval are the 2nd
    /// least and the 2nd greatest of 40.
    pub const FIGURE: Self = Self {
        draws: 40,
        events: 5e6,
    };
    /// For a point among others on a curve: some hundredths of a second.
    pub const POINT: Self = Self {
        draws: FEW_DRAWS,
        events: 1e6,
    };

    /// For one of `count` figures, which together take twice as much as one that stands by itself.
    pub fn of_one_among(count: usize) -> Self {
        Self {
            events: (1e7 / count.max(1) as f64).min(Self::FIGURE.events),
            ..Self::FIGURE
        }
    }
}

/// How many requests each simulation answers, and the events that it takes at most.
#[derive(Debug, Clone, Copy)]
pub(super) struct Budget {
    /// Repetitions.
    pub(super) draws: u64,
    events: f64,
    users: f64,
}

impl Budget {
    pub(super) fn new(effort: Effort, load: &Load, events_per_pair: f64) -> Self {
        let users = match load {
            Load::Closed { users, .. } => *users as f64,
            Load::Open { .. } => 0.0,
        };
        let per_draw = (1.0 - CENTRAL) * effort.events / effort.draws as f64;
        let draws = if per_draw < FEW_REQUESTS * events_per_pair {
            effort.draws.min(FEW_DRAWS)
        } else {
            effort.draws
        };
        Self {
            draws,
            events: effort.events,
            users,
        }
    }

    /// The simulation that the estimate comes of, where a request takes so many events on both sides.
    pub(super) fn central(&self, events_per_pair: f64, seed: u64) -> Plan {
        self.plan(CENTRAL * self.events, events_per_pair, seed)
    }

    /// A repetition.
    pub(super) fn drawn(&self, events_per_pair: f64, seed: u64) -> Plan {
        let each = (1.0 - CENTRAL) * self.events / self.draws as f64;
        self.plan(each, events_per_pair, seed)
    }

    /// A tenth of the requests, and five of each user, warm up: fewer where that would be too much of what
    /// can be answered.
    fn plan(&self, events: f64, events_per_pair: f64, seed: u64) -> Plan {
        let answers = (events / events_per_pair).max(1.0);
        let warm_up = (0.1 * answers).max(5.0 * self.users).min(WARM_UP * answers);
        Plan {
            warm_up: warm_up as u64,
            requests: (answers - warm_up).clamp(1.0, REQUESTS) as u64,
            events: events as u64,
            seed,
        }
    }
}

/// Events that a request is reckoned to take on both sides.
pub(super) fn reckoned(sides: [&System; 2]) -> f64 {
    sides.map(System::events_per_request).iter().sum()
}

/// Events that a request took on both sides.
pub(super) fn seen(pair: &Pair, plan: Plan) -> f64 {
    let outcomes = [&pair.before, &pair.after];
    let each = outcomes.map(|outcome| {
        let answered = outcome.answered + plan.warm_up;
        outcome.events as f64 / answered.max(1) as f64
    });
    each.iter().sum()
}
