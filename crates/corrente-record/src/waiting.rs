//! How long requests to an endpoint waited, as far as a recording tells.
//!
//! Only some requests are asked how long they stood in line for a processor; the waiting of all
//! follows from theirs. Where none was asked, the time without a processor is the most that waiting
//! can be. What a function computes in a pool of threads is no waiting, though the coroutine that
//! asked for it sleeps. Pure. Invariant: a bound is never taken for a figure.

use crate::Endpoint;

/// Mean waiting of a request, nanoseconds.
#[derive(Debug, Clone, Copy, PartialEq)]
pub enum Waiting {
    /// Neither computing nor in line for a processor.
    Known(f64),
    /// No request was asked how long it stood in line, which this may be.
    AtMost(f64),
}

impl Waiting {
    /// What is known of an endpoint's; nothing where its wall or CPU time was not measured.
    pub fn of(endpoint: &Endpoint) -> Option<Self> {
        let pooled = endpoint.pool_cpu_ns as f64 / endpoint.requests.max(1) as f64;
        let away = endpoint.wall_ns.mean()? - endpoint.cpu_ns.mean()? - pooled;
        let away = away.max(0.0);
        let is_asked = !endpoint.wait_ns.is_empty() || !endpoint.run_queue_ns.is_empty();
        Some(if is_asked {
            Self::Known(slept(endpoint, away, pooled))
        } else {
            Self::AtMost(away)
        })
    }
}

/// The part of the time without a processor, `away`, in which a request slept; in the rest it stood
/// in line. Only some requests are asked how long they did: their share holds for all. To take their
/// mean from the time of all would leave what differs between both as waiting. `pooled` is what each
/// computed in a pool, which theirs holds as well.
fn slept(endpoint: &Endpoint, away: f64, pooled: f64) -> f64 {
    let slept = endpoint.wait_ns.sum as f64 - pooled * endpoint.wait_ns.count as f64;
    let slept = slept.max(0.0);
    let ready = endpoint.run_queue_ns.sum as f64;
    let left = if endpoint.wait_ns.is_empty() {
        away - endpoint.run_queue_ns.mean().unwrap_or(0.0)
    } else if slept + ready > 0.0 {
        away * slept / (slept + ready)
    } else {
        away
    };
    left.max(0.0)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::Distribution;

    /// Two requests of 10 ns, 4 of them computing; what one was asked for.
    fn check(run_queue: &[u64], wait: &[u64], expected: Option<Waiting>) {
        let endpoint = Endpoint {
            wall_ns: Distribution::of([10, 10]),
            cpu_ns: Distribution::of([4, 4]),
            run_queue_ns: Distribution::of(run_queue.iter().copied()),
            wait_ns: Distribution::of(wait.iter().copied()),
            ..Endpoint::default()
        };
        assert_eq!(Waiting::of(&endpoint), expected);
    }

    #[test]
    fn what_was_asked_of_one_request_holds_for_all() {
        check(&[1], &[2], Some(Waiting::Known(4.0)));
        check(&[2], &[], Some(Waiting::Known(4.0)));
        check(&[9], &[], Some(Waiting::Known(0.0)));
        check(&[0], &[0], Some(Waiting::Known(6.0)));
    }

    #[test]
    fn what_a_pool_computes_is_no_waiting() {
        let endpoint = |requests| Endpoint {
            requests,
            wall_ns: Distribution::of([10, 10]),
            cpu_ns: Distribution::of([4, 4]),
            pool_cpu_ns: 8,
            run_queue_ns: Distribution::of([1]),
            wait_ns: Distribution::of([5]),
            ..Endpoint::default()
        };
        assert_eq!(Waiting::of(&endpoint(2)), Some(Waiting::Known(1.0)));
        // Functions that ran beside one another may have computed for longer than the request took.
        assert_eq!(Waiting::of(&endpoint(1)), Some(Waiting::Known(0.0)));
    }

    #[test]
    fn what_nobody_was_asked_is_a_bound() {
        check(&[], &[], Some(Waiting::AtMost(6.0)));
    }

    #[test]
    fn without_processor_time_nothing_is_known() {
        let endpoint = Endpoint {
            wall_ns: Distribution::of([10]),
            ..Endpoint::default()
        };
        assert_eq!(Waiting::of(&endpoint), None);
    }
}
