//! The processors behind a contender, as a queue: those that database, origin and generator have.
//!
//! One user alone never waits in a line. What many users make one another wait follows from what a call
//! takes of these processors, which the calibration's requests under load tell, by the same fit that
//! tells what they take of the application's: a part for each request, the generator's mostly, and one
//! for each call. Under load, since a database that sleeps between two requests takes several times as
//! much for each. Pure.

use std::collections::BTreeMap;

use corrente_model::service::{Servers, Service};

use super::calibrated::{Calibrated, Figure, Under};
use super::{Comparison, Known, Runner};

impl Known {
    /// The service with what the other processors are to its calls, as far as that was measured on this
    /// contender. A limit that the case itself states stays.
    pub(super) fn with_downstream(
        &self,
        service: &Service,
        comparison: &Comparison<'_>,
        contender: &Runner,
    ) -> Service {
        let mut service = service.clone();
        let taken = self.taken(comparison, contender).unwrap_or_default();
        for resource in &mut service.resources {
            let taken = taken.get(&resource.kind).copied();
            let queue = taken.map(|taken| Servers {
                count: comparison.others,
                taken: Some(taken),
            });
            resource.servers = resource.servers.or(queue);
        }
        service
    }

    /// Seconds for which a call of each kind takes one of the other processors, its share of what the
    /// request takes of them included.
    fn taken(
        &self,
        comparison: &Comparison<'_>,
        contender: &Runner,
    ) -> Option<BTreeMap<String, f64>> {
        let Comparison { plan, case, .. } = comparison;
        let calls: f64 = case.calls.counts.values().sum();
        if comparison.others == 0 || calls <= 0.0 {
            return None;
        }
        let measured = self.points(plan, &contender.id, Under::Load, Figure::Others);
        let costs = Calibrated::fit(plan, &measured, Under::Load)?.of(case);
        let of_request = costs.request.mean.max(0.0) / calls;
        let called = case.calls.counts.iter().filter(|(_, count)| **count > 0.0);
        let taken = called.filter_map(|(kind, _)| {
            let of_call = costs.calls.get(kind)?.mean.max(0.0);
            Some((kind.clone(), of_call + of_request))
        });
        Some(taken.collect())
    }
}
