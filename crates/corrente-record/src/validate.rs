//! Checking a recording that was read: do its figures agree with themselves?
//!
//! Only what would make a later computation wrong is checked. A message names endpoint or process,
//! the field and the fault; the reader of the file puts the file's name before it.

use crate::recording::{Calls, Endpoint, Process, Recording};
use crate::{Distribution, ENDPOINTS_MAX, RESOURCES_MAX, RecordError, trim_name};

/// Processors that no machine has.
const PROCESSORS: u128 = 100_000;
/// So many times the time observed a thread may have computed, and nanoseconds more: both are read one after the
/// other.
const THREAD_SLACK: (u128, u128) = (2, 10_000_000_000);
/// Characters that a name may have in a file that somebody else's program wrote.
const NAME_CHARACTERS: usize = 1_000;

impl Recording {
    /// Checks the figures; the error is the first fault.
    pub fn validate(&self) -> Result<(), RecordError> {
        if self.endpoints.len() > ENDPOINTS_MAX + 2 {
            let count = self.endpoints.len();
            return Err(fault(
                "endpoints",
                format!("{count} names, over {ENDPOINTS_MAX}"),
            ));
        }
        self.processes.iter().try_for_each(check_process)?;
        self.endpoints.iter().try_for_each(check_endpoint)
    }
}

fn fault(place: impl Into<String>, what: impl Into<String>) -> RecordError {
    RecordError::Inconsistent {
        place: place.into(),
        fault: what.into(),
    }
}

fn check_process(process: &Process) -> Result<(), RecordError> {
    let place = || {
        format!(
            "process {} of host `{}`",
            process.pid,
            trim_name(&process.host)
        )
    };
    let figures = [
        ("cores", process.cores),
        ("burn_rounds_per_ms", process.machine.burn_rounds_per_ms),
    ];
    for (field, value) in figures {
        if value.is_some_and(|value| !value.is_finite() || value <= 0.0) {
            return Err(fault(place(), format!("`{field}` is not a number above 0")));
        }
    }
    if process.requests_measured > process.requests_seen {
        return Err(fault(place(), "more requests measured than seen"));
    }
    check_processor_time(process, place)?;
    check_distribution(&process.in_flight, || format!("{}, in_flight", place()))
}

/// No thread computes for longer than it was observed, and no process on more processors than there are.
/// Where nothing says how long it was observed, nothing is checked.
fn check_processor_time(process: &Process, place: impl Fn() -> String) -> Result<(), RecordError> {
    let observed = u128::from(process.observed_ns);
    if observed == 0 {
        return Ok(());
    }
    let (times, more) = THREAD_SLACK;
    let most = times * observed + more;
    let seconds = |ns: u64| ns / 1_000_000_000;
    let check = |what: &str, cpu_ns: u64, most: u128| {
        if u128::from(cpu_ns) <= most {
            return Ok(());
        }
        let (cpu_s, observed_s) = (seconds(cpu_ns), seconds(process.observed_ns));
        Err(fault(
            place(),
            format!("{what} computed for {cpu_s} s in {observed_s} s that were observed"),
        ))
    };
    check("it", process.cpu_ns, PROCESSORS * most)?;
    let each = process.threads.iter();
    let mut each = each.flat_map(|thread| [thread.cpu_ns, thread.request_cpu_ns]);
    each.try_for_each(|cpu_ns| check("a thread", cpu_ns, most))
}

fn check_endpoint(endpoint: &Endpoint) -> Result<(), RecordError> {
    if endpoint.name.is_empty() || endpoint.name.chars().count() > NAME_CHARACTERS {
        return Err(fault("endpoints", "a name is empty or too long"));
    }
    let place = |field: &str| format!("endpoint `{}`, {field}", trim_name(&endpoint.name));
    let distributions = [
        ("wall_ns", &endpoint.wall_ns),
        ("cpu_ns", &endpoint.cpu_ns),
        ("segment_cpu_ns", &endpoint.segment_cpu_ns),
        ("run_queue_ns", &endpoint.run_queue_ns),
        ("wait_ns", &endpoint.wait_ns),
        ("voluntary_switches", &endpoint.voluntary_switches),
        ("involuntary_switches", &endpoint.involuntary_switches),
        ("in_calls_ns", &endpoint.in_calls_ns),
        ("steps", &endpoint.steps),
        ("blocked_ns", &endpoint.blocked_ns),
    ];
    for (field, distribution) in distributions {
        check_distribution(distribution, || place(field))?;
    }
    if endpoint.calls.len() > RESOURCES_MAX + 1 {
        let count = endpoint.calls.len();
        return Err(fault(
            place("calls"),
            format!("{count} resources, over {RESOURCES_MAX}"),
        ));
    }
    endpoint
        .calls
        .iter()
        .try_for_each(|calls| check_calls(endpoint, calls))
}

fn check_calls(endpoint: &Endpoint, calls: &Calls) -> Result<(), RecordError> {
    let place = |field: &str| {
        let (name, driver) = (trim_name(&endpoint.name), trim_name(&calls.resource.driver));
        format!("endpoint `{name}`, calls of `{driver}`, {field}")
    };
    check_distribution(&calls.per_request, || place("per_request"))?;
    check_distribution(&calls.call_ns, || place("call_ns"))?;
    check_distribution(&calls.runs.length, || place("runs.length"))?;
    if calls.runs.longest_ns > calls.runs.wall_ns {
        return Err(fault(
            place("runs"),
            "the longest calls last longer than all",
        ));
    }
    Ok(())
}

fn check_distribution(
    distribution: &Distribution,
    place: impl FnOnce() -> String,
) -> Result<(), RecordError> {
    distribution
        .fault()
        .map_or(Ok(()), |what| Err(fault(place(), what)))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn check(json: &str, expected: &str) {
        let error = Recording::from_json(json).expect_err("it is bad");
        let line = error.to_string();
        assert!(line.contains(expected), "{line}");
        assert!(!line.contains('\n'), "{line}");
    }

    #[test]
    fn an_empty_recording_is_one() {
        let empty = Recording::new("test").to_json();
        assert!(Recording::from_json(&empty).is_ok());
    }

    #[test]
    fn what_is_no_recording_is_refused() {
        check("", "is not a recording: EOF");
        check("hello", "is not a recording");
        check("{}", "found `none`");
        check(r#"{"schema":"a\nb\u001b[2J"}"#, "found `a b [2J`");
        check(r#"{"schema":"corrente.load/1"}"#, "found `corrente.load/1`");
        check(
            r#"{"schema":"corrente.recording/1","endpoints":3}"#,
            "is not a recording",
        );
    }

    #[test]
    fn a_truncated_file_is_refused() {
        let whole = Recording::new("test").to_json();
        check(&whole[..whole.len() - 3], "to its end");
    }

    #[test]
    fn figures_that_disagree_are_named() {
        let endpoint = |rest: &str| {
            format!(
                r#"{{"schema":"corrente.recording/1","endpoints":[{{"name":"GET /",{rest}}}]}}"#
            )
        };
        check(
            &endpoint(r#""cpu_ns":{"count":2,"buckets":[[5,1]]}"#),
            "endpoint `GET /`, cpu_ns: the buckets hold 1 values, `count` says 2",
        );
        let steering = r#"{"schema":"corrente.recording/1","endpoints":[{"name":"a\nb","cpu_ns":{"count":1}}]}"#;
        check(steering, "endpoint `a b`, cpu_ns");
        check(
            &endpoint(
                r#""calls":[{"resource":{"kind":"x","driver":"d"},"runs":{"longest_ns":1}}]"#,
            ),
            "calls of `d`, runs",
        );
    }

    #[test]
    fn more_resources_than_anybody_records_are_refused() {
        let call = r#"{"resource":{"kind":"x","driver":"d"}}"#;
        let calls = vec![call; RESOURCES_MAX + 2].join(",");
        check(
            &format!(
                r#"{{"schema":"corrente.recording/1","endpoints":[{{"name":"GET /","calls":[{calls}]}}]}}"#
            ),
            "endpoint `GET /`, calls: 202 resources, over 200",
        );
    }

    /// A recording of one process that says this of itself.
    fn with_process(figures: &str) -> String {
        format!(
            r#"{{"schema":"corrente.recording/1","processes":[{{"host":"a","pid":1,"started_unix_ms":1,{figures}}}]}}"#
        )
    }

    #[test]
    fn a_machine_without_speed_is_none() {
        check(
            &with_process(r#""machine":{"burn_rounds_per_ms":0.0}"#),
            "process 1 of host `a`: `burn_rounds_per_ms` is not a number above 0",
        );
        let older = Recording::from_json(&with_process(r#""observed_ns":1"#))
            .expect("an older one has no machine");
        assert_eq!(older.processes[0].machine, crate::Machine::default());
    }

    #[test]
    fn more_processor_time_than_there_was_is_refused() {
        check(
            &with_process(
                r#""observed_ns":60000000000,"threads":[{"cpu_ns":10000000000000000000}]"#,
            ),
            "process 1 of host `a`: a thread computed for 10000000000 s in 60 s that were observed; the file is damaged, record again",
        );
        check(
            &with_process(
                r#""observed_ns":60000000000,"threads":[{"request_cpu_ns":200000000000}]"#,
            ),
            "a thread computed for 200 s in 60 s",
        );
        check(
            &with_process(r#""observed_ns":60000000000,"cpu_ns":18446744073709551615"#),
            "it computed for 18446744073 s",
        );
        let sound = [
            r#""observed_ns":60000000000,"cpu_ns":600000000000,"threads":[{"cpu_ns":60100000000}]"#,
            r#""threads":[{"cpu_ns":60100000000}]"#,
        ];
        for figures in sound {
            let read = Recording::from_json(&with_process(figures));
            assert!(read.is_ok(), "{read:?}");
        }
    }

    #[test]
    fn fields_of_a_later_version_are_passed_over() {
        let later = r#"{"schema":"corrente.recording/1","colour":"blue","endpoints":[]}"#;
        assert!(Recording::from_json(later).is_ok());
    }
}
