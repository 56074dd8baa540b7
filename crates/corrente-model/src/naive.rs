//! The rule of thumb: gain = 1 + `T_io` / `T_cpu`.
//!
//! It is the corner of the bounds in docs/ARCHITECTURE.md where there is one sync worker a core,
//! async costs no more CPU than sync, nothing stays blocking, and no pool or downstream limits.
//! It is here to stand beside what was measured, not to be believed.

use std::time::Duration;

/// The throughput gain that the rule promises for a request that takes `wall` alone on the sync
/// service and burns `cpu` of it. `None` where no CPU time was measured.
///
/// Source: Little's law with one request a worker; the seed documents' "key takeaway".
pub fn gain(wall: Duration, cpu: Duration) -> Option<f64> {
    if cpu.is_zero() {
        return None;
    }
    let waiting = wall.saturating_sub(cpu);
    Some(1.0 + waiting.as_secs_f64() / cpu.as_secs_f64())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn twenty_queries_of_four_milliseconds_keep_eighty_coroutines_busy() {
        let gain = gain(Duration::from_millis(81), Duration::from_millis(1));
        assert_eq!(gain, Some(81.0));
    }

    #[test]
    fn work_on_several_cores_at_once_waits_for_nothing() {
        assert_eq!(
            gain(Duration::from_millis(1), Duration::from_millis(2)),
            Some(1.0)
        );
    }

    #[test]
    fn says_nothing_without_cpu_time() {
        assert_eq!(gain(Duration::from_millis(1), Duration::ZERO), None);
    }
}
