//! Where to begin: endpoints in the order of what they bring.
//!
//! With a recording, the endpoint first in whose requests most time is waited. Without one, the most
//! blocking calls for each function that is still to be changed: what an earlier endpoint has
//! changed costs the later ones nothing.

use std::cmp::Ordering;
use std::collections::BTreeSet;

use super::EndpointPlan;
use crate::finding::{Certainty, Place};

/// The same endpoints in the order of work.
pub(super) fn ordered(endpoints: Vec<EndpointPlan>) -> Vec<EndpointPlan> {
    let mut rest = endpoints;
    rest.sort_by(|a, b| (&a.place, &a.route).cmp(&(&b.place, &b.route)));
    let mut changed: BTreeSet<Place> = BTreeSet::new();
    let mut done = Vec::with_capacity(rest.len());
    while !rest.is_empty() {
        let mut best = 0;
        for at in 1..rest.len() {
            if before(&rest[at], &rest[best], &changed) == Ordering::Greater {
                best = at;
            }
        }
        let mut next = rest.remove(best);
        next.new_functions = new_functions(&next, &changed);
        changed.extend(next.functions.iter().map(|function| function.place.clone()));
        done.push(next);
    }
    done
}

fn before(a: &EndpointPlan, b: &EndpointPlan, changed: &BTreeSet<Place>) -> Ordering {
    let waited = |one: &EndpointPlan| one.measured.as_ref().map_or(0.0, |found| found.waited_ms);
    waited(a)
        .total_cmp(&waited(b))
        .then_with(|| worth(a, changed).total_cmp(&worth(b, changed)))
}

/// Blocking calls for each function that is to be changed.
fn worth(endpoint: &EndpointPlan, changed: &BTreeSet<Place>) -> f64 {
    let weights = endpoint.calls.iter().map(|call| match call.certainty {
        Certainty::Certain => 1.0,
        Certainty::Probable | Certainty::Possible => 0.5,
    });
    weights.sum::<f64>() / (1 + new_functions(endpoint, changed)) as f64
}

fn new_functions(endpoint: &EndpointPlan, changed: &BTreeSet<Place>) -> usize {
    let new = endpoint.functions.iter();
    new.filter(|function| !changed.contains(&function.place))
        .count()
}
