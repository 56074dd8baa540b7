//! Merging: the recordings of several processes or hosts become one.
//!
//! Processes are listed side by side; endpoints of the same name and interface are added up, and so
//! are their resources. Nothing is lost but names beyond the limits, which go to `(other)`.

use std::collections::BTreeMap;

use crate::recording::{Calls, Endpoint, Recording, Resource, Runs, SCHEMA};
use crate::{ENDPOINTS_MAX, OTHER, RESOURCES_MAX, RecordError, trim_name};

impl Recording {
    /// An empty recording.
    pub fn new(made_by: impl Into<String>) -> Self {
        Self {
            schema: SCHEMA.to_owned(),
            made_by: made_by.into(),
            ..Self::default()
        }
    }

    /// Reads a recording and checks it.
    pub fn from_json(text: &str) -> Result<Self, RecordError> {
        let value: serde_json::Value = serde_json::from_str(text).map_err(unreadable)?;
        // The schema first: a foreign document should hear that, not which field it lacks.
        let schema = value.get("schema").and_then(|schema| schema.as_str());
        if schema != Some(SCHEMA) {
            return Err(RecordError::Schema {
                expected: SCHEMA,
                found: trim_name(schema.unwrap_or("none")),
            });
        }
        let recording: Self = serde_json::from_value(value).map_err(unreadable)?;
        recording.validate()?;
        Ok(recording)
    }

    /// The document.
    pub fn to_json(&self) -> String {
        // Maps have string keys and no number is refused, so this cannot fail; an empty file would
        // be found by the reader.
        serde_json::to_string(self).unwrap_or_default()
    }

    /// Adds what another recording holds.
    pub fn merge(&mut self, other: Self) -> Result<(), RecordError> {
        for process in &other.processes {
            let same = |known: &&crate::Process| {
                (&known.host, known.pid, known.started_unix_ms)
                    == (&process.host, process.pid, process.started_unix_ms)
            };
            if self.processes.iter().any(|known| same(&known)) {
                return Err(RecordError::Twice {
                    host: process.host.clone(),
                    pid: process.pid,
                });
            }
        }
        self.processes.extend(other.processes);
        for endpoint in other.endpoints {
            self.merge_endpoint(endpoint);
        }
        Ok(())
    }

    fn merge_endpoint(&mut self, mut endpoint: Endpoint) {
        if let Some(known) = self.find(&endpoint) {
            known.merge(endpoint);
        } else if self.endpoints.len() < ENDPOINTS_MAX || endpoint.name == OTHER {
            self.endpoints.push(endpoint);
        } else {
            OTHER.clone_into(&mut endpoint.name);
            self.merge_endpoint(endpoint);
        }
    }

    fn find(&mut self, endpoint: &Endpoint) -> Option<&mut Endpoint> {
        self.endpoints
            .iter_mut()
            .find(|known| known.name == endpoint.name && known.interface == endpoint.interface)
    }
}

fn unreadable(error: serde_json::Error) -> RecordError {
    RecordError::Unreadable(error.to_string())
}

impl Endpoint {
    /// Adds the requests of another of the same name. What would be beyond a figure's range stays at
    /// its end: the files may be anybody's.
    pub fn merge(&mut self, other: Self) {
        add(&mut self.requests, other.requests);
        add_up(&mut self.statuses, other.statuses);
        add(&mut self.exceptions, other.exceptions);
        add(&mut self.abandoned, other.abandoned);
        add(&mut self.bytes_received, other.bytes_received);
        add(&mut self.bytes_sent, other.bytes_sent);
        self.wall_ns.merge(&other.wall_ns);
        self.cpu_ns.merge(&other.cpu_ns);
        self.segment_cpu_ns.merge(&other.segment_cpu_ns);
        self.run_queue_ns.merge(&other.run_queue_ns);
        self.wait_ns.merge(&other.wait_ns);
        self.voluntary_switches.merge(&other.voluntary_switches);
        self.involuntary_switches.merge(&other.involuntary_switches);
        self.in_calls_ns.merge(&other.in_calls_ns);
        self.steps.merge(&other.steps);
        self.blocked_ns.merge(&other.blocked_ns);
        add(&mut self.pool_calls, other.pool_calls);
        add(&mut self.pool_wall_ns, other.pool_wall_ns);
        add(&mut self.pool_cpu_ns, other.pool_cpu_ns);
        add(&mut self.alone.requests, other.alone.requests);
        add(&mut self.alone.wall_ns, other.alone.wall_ns);
        add(&mut self.alone.cpu_ns, other.alone.cpu_ns);
        for calls in other.calls {
            self.merge_calls(calls);
        }
    }

    fn merge_calls(&mut self, mut calls: Calls) {
        let resource = &calls.resource;
        if let Some(known) = self
            .calls
            .iter_mut()
            .find(|known| known.resource == *resource)
        {
            known.merge(&calls);
        } else if self.calls.len() < RESOURCES_MAX || *resource == all_others() {
            self.calls.push(calls);
        } else {
            calls.resource = all_others();
            self.merge_calls(calls);
        }
    }
}

/// What stands for all resources beyond the limit.
fn all_others() -> Resource {
    Resource {
        kind: "other".to_owned(),
        driver: OTHER.to_owned(),
        host: String::new(),
    }
}

fn add(figure: &mut u64, other: u64) {
    *figure = figure.saturating_add(other);
}

fn add_up(counts: &mut BTreeMap<String, u64>, others: BTreeMap<String, u64>) {
    for (name, count) in others {
        add(counts.entry(name).or_default(), count);
    }
}

impl Calls {
    /// Adds the calls of the same resource.
    pub fn merge(&mut self, other: &Self) {
        self.per_request.merge(&other.per_request);
        self.call_ns.merge(&other.call_ns);
        add(&mut self.cpu_ns, other.cpu_ns);
        // All of it is known only where it is of both.
        self.entered &= other.entered;
        add(&mut self.continued_ns, other.continued_ns);
        add(&mut self.overlapped, other.overlapped);
        add(&mut self.blocking, other.blocking);
        self.runs.merge(&other.runs);
    }
}

impl Runs {
    fn merge(&mut self, other: &Self) {
        self.length.merge(&other.length);
        add(&mut self.wall_ns, other.wall_ns);
        add(&mut self.longest_ns, other.longest_ns);
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::{Distribution, Interface, Process};

    fn process(pid: u32) -> Process {
        Process {
            host: "a".to_owned(),
            pid,
            started_unix_ms: 1,
            ..Process::default()
        }
    }

    fn endpoint(name: &str, wall_ns: u64) -> Endpoint {
        Endpoint {
            name: name.to_owned(),
            requests: 1,
            statuses: [("2xx".to_owned(), 1)].into(),
            wall_ns: Distribution::of([wall_ns]),
            calls: vec![Calls {
                resource: Resource {
                    kind: "database".to_owned(),
                    driver: "psycopg".to_owned(),
                    host: "db:5432".to_owned(),
                },
                call_ns: Distribution::of([wall_ns / 2]),
                ..Calls::default()
            }],
            ..Endpoint::default()
        }
    }

    fn recording(pid: u32, endpoints: Vec<Endpoint>) -> Recording {
        Recording {
            processes: vec![process(pid)],
            endpoints,
            ..Recording::new("test")
        }
    }

    #[test]
    fn endpoints_of_one_name_are_added_up() {
        let mut all = recording(1, vec![endpoint("GET /", 100)]);
        let second = recording(2, vec![endpoint("GET /", 300), endpoint("GET /b", 5)]);
        all.merge(second).expect("they are two processes");
        assert_eq!(all.processes.len(), 2);
        assert_eq!(all.endpoints.len(), 2);
        let first = &all.endpoints[0];
        assert_eq!(first.requests, 2);
        assert_eq!(first.statuses["2xx"], 2);
        assert_eq!(first.wall_ns, Distribution::of([100, 300]));
        assert_eq!(first.calls.len(), 1);
        assert_eq!(first.calls[0].call_ns, Distribution::of([50, 150]));
    }

    #[test]
    fn all_that_a_client_computes_is_known_where_it_is_of_both() {
        let merged = |first, second| {
            let mut all = recording(1, vec![endpoint("GET /", 100)]);
            all.endpoints[0].calls[0].entered = first;
            let mut other = recording(2, vec![endpoint("GET /", 100)]);
            other.endpoints[0].calls[0].entered = second;
            all.merge(other).expect("two processes");
            all.endpoints[0].calls[0].entered
        };
        assert!(merged(true, true));
        assert!(!merged(true, false) && !merged(false, true));
    }

    #[test]
    fn sync_and_async_of_one_name_stay_apart() {
        let mut other = endpoint("GET /", 100);
        other.interface = Interface::Asgi;
        let mut all = recording(1, vec![endpoint("GET /", 100)]);
        all.merge(recording(2, vec![other])).expect("two processes");
        assert_eq!(all.endpoints.len(), 2);
    }

    #[test]
    fn a_file_given_twice_is_refused() {
        let mut all = recording(7, Vec::new());
        let error = all
            .merge(recording(7, Vec::new()))
            .expect_err("same process");
        assert_eq!(
            error.to_string(),
            "process 7 of host `a` is in it twice; give each file once"
        );
    }

    #[test]
    fn names_beyond_the_limit_share_one() {
        let mut all = Recording::new("test");
        for number in 0..ENDPOINTS_MAX as u32 + 50 {
            let one = recording(number, vec![endpoint(&format!("GET /{number}"), 1)]);
            all.merge(one).expect("processes differ");
        }
        assert_eq!(all.endpoints.len(), ENDPOINTS_MAX + 1);
        let rest = all.endpoints.last().expect("there are some");
        assert_eq!((rest.name.as_str(), rest.requests), (OTHER, 50));
    }

    #[test]
    fn resources_beyond_the_limit_share_one_whatever_they_are_called() {
        let mut all = recording(0, vec![endpoint("GET /", 100)]);
        for number in 1..RESOURCES_MAX as u32 + 50 {
            let mut one = endpoint("GET /", 100);
            one.calls[0].resource = Resource {
                kind: "database".to_owned(),
                driver: OTHER.to_owned(),
                host: format!("db{number}"),
            };
            all.merge(recording(number, vec![one]))
                .expect("processes differ");
        }
        let calls = &all.endpoints[0].calls;
        assert_eq!(calls.len(), RESOURCES_MAX + 1);
        assert_eq!(calls[RESOURCES_MAX].call_ns.count, 50);
        assert_eq!(all.validate(), Ok(()));
    }

    #[test]
    fn figures_at_the_end_of_their_range_stay_there() {
        let full = |pid| {
            let mut one = endpoint("GET /", 100);
            one.requests = u64::MAX;
            one.statuses = [("2xx".to_owned(), u64::MAX)].into();
            one.alone.cpu_ns = u64::MAX;
            one.wall_ns.sum_of_squares = f64::MAX;
            one.calls[0].cpu_ns = u64::MAX;
            one.calls[0].runs.wall_ns = u64::MAX;
            recording(pid, vec![one])
        };
        let mut all = full(1);
        all.merge(full(2)).expect("they are two processes");
        let merged = &all.endpoints[0];
        assert_eq!((merged.requests, merged.alone.cpu_ns), (u64::MAX, u64::MAX));
        assert_eq!(
            (merged.statuses["2xx"], merged.calls[0].runs.wall_ns),
            (u64::MAX, u64::MAX)
        );
        let again = Recording::from_json(&all.to_json()).expect("it is one still");
        assert_eq!(again, all);
    }

    #[test]
    fn the_document_comes_back_as_it_went() {
        let recording = recording(1, vec![endpoint("GET /", 100)]);
        let again = Recording::from_json(&recording.to_json()).expect("it is one");
        assert_eq!(again, recording);
    }
}
