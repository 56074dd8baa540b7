//! The machine of a service that several processes of several hosts may have served.
//!
//! A request's CPU time is that of the machine which served it, so the speed that belongs to the mean
//! over all requests is the mean over them, too. Where one machine's is not known, none is.

use corrente_record::{Machine, Process};

/// One machine in place of all that served requests.
pub(super) fn machine(processes: &[Process]) -> Machine {
    let serving = || processes.iter().filter(|one| one.requests_seen > 0);
    let mut processors = serving().map(|one| one.machine.processor.as_str());
    let first = processors.next().unwrap_or_default();
    let processor = if processors.all(|one| one == first) {
        first.to_owned()
    } else {
        String::new()
    };
    // Work takes time in inverse proportion to speed, so it is the times that are added up.
    let requests: f64 = serving().map(|one| one.requests_seen as f64).sum();
    let times = serving().map(|one| {
        let rounds = one.machine.burn_rounds_per_ms?;
        Some(one.requests_seen as f64 / rounds)
    });
    let time: Option<f64> = times.sum();
    Machine {
        processor,
        burn_rounds_per_ms: time.filter(|time| *time > 0.0).map(|time| requests / time),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn process(requests: u64, processor: &str, rounds: Option<f64>) -> Process {
        Process {
            requests_seen: requests,
            machine: Machine {
                processor: processor.to_owned(),
                burn_rounds_per_ms: rounds,
            },
            ..Process::default()
        }
    }

    fn check(processes: &[Process], processor: &str, rounds: Option<f64>) {
        let found = machine(processes);
        assert_eq!(found.processor, processor);
        assert_eq!(found.burn_rounds_per_ms, rounds);
    }

    #[test]
    fn machines_count_by_the_requests_that_they_served() {
        let fast = process(300, "a", Some(20_000.0));
        let slow = process(100, "b", Some(10_000.0));
        check(&[fast.clone(), fast.clone()], "a", Some(20_000.0));
        // 300 of 400 requests take 1 / 20 of a time, 100 take 1 / 10 of it: 25 in all.
        check(&[fast, slow], "", Some(16_000.0));
    }

    #[test]
    fn one_that_is_not_known_leaves_the_speed_unknown() {
        let known = process(1, "a", Some(20_000.0));
        check(&[known.clone(), process(1, "a", None)], "a", None);
        check(&[known, process(0, "", None)], "a", Some(20_000.0));
        check(&[], "", None);
    }
}
