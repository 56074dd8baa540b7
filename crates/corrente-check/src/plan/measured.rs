//! A recording beside the plan: how long requests to an endpoint wait.
//!
//! The recorder names an endpoint by method and whole route; the code knows the route without the
//! prefix of a blueprint or of an included file. So a route of the code belongs to the recorded route
//! that ends with it; parameters are equal whatever they are called.

use corrente_record::{Recording, Waiting};
use serde::Serialize;

use super::{EndpointPlan, FreeEndpoint};

const NS_PER_MS: f64 = 1e6;

/// A recording that cannot be used.
#[derive(Debug, thiserror::Error)]
pub enum RecordingFault {
    /// It is not the JSON of a recording.
    #[error("is no recording: {0}; `corrente gauge run` makes one")]
    Format(String),
    /// Nothing could be recorded.
    #[error(
        "has no endpoint: gevent and eventlet run many requests in one thread, so none is recorded; record the service under threads (`gunicorn -k gthread`)"
    )]
    Greenlets,
    /// There is nothing in it.
    #[error("has no endpoint; record while requests come")]
    Empty,
}

/// What a recording says of endpoints.
#[derive(Debug, Clone, PartialEq)]
pub struct Recorded {
    endpoints: Vec<Row>,
}

#[derive(Debug, Clone, PartialEq)]
struct Row {
    name: String,
    method: Option<String>,
    route: String,
    requests: u64,
    waiting: Waiting,
    cpu_ns: Option<f64>,
}

/// What was measured of an endpoint.
#[derive(Debug, Clone, Default, PartialEq, Serialize)]
pub struct Measured {
    /// Requests that were measured.
    pub requests: u64,
    /// What a request waits in the mean, neither computing nor ready to, milliseconds.
    pub wait_ms: Option<f64>,
    /// The most that it can be, where that is not known: nobody was asked how long it was ready to
    /// compute.
    pub wait_at_most_ms: Option<f64>,
    /// What a request computes in the mean, milliseconds; absent in recordings that cannot tell.
    pub cpu_ms: Option<f64>,
    /// What all requests waited, milliseconds, or the most that it can be.
    pub waited_ms: f64,
}

impl Recorded {
    /// Reads a recording.
    pub fn read(text: &str) -> Result<Self, RecordingFault> {
        let recording = Recording::from_json(text)
            .map_err(|error| RecordingFault::Format(error.to_string()))?;
        let endpoints: Vec<Row> = recording.endpoints.iter().map(row).collect();
        if endpoints.is_empty() {
            let mut doubts = recording.processes.iter().flat_map(|one| &one.cannot_tell);
            return Err(if doubts.any(|doubt| doubt.code == "greenlets") {
                RecordingFault::Greenlets
            } else {
                RecordingFault::Empty
            });
        }
        Ok(Self { endpoints })
    }
}

fn row(endpoint: &corrente_record::Endpoint) -> Row {
    let (method, route) = match endpoint.name.split_once(' ') {
        Some((method, route)) => (Some(method.to_owned()), route),
        None => (None, endpoint.name.as_str()),
    };
    // Of traces the processor time is not known: all of a request may be waiting.
    let wall_ns = endpoint.wall_ns.mean().unwrap_or_default();
    Row {
        name: endpoint.name.clone(),
        method,
        route: route.to_owned(),
        requests: endpoint.requests,
        waiting: Waiting::of(endpoint).unwrap_or(Waiting::AtMost(wall_ns)),
        cpu_ns: endpoint.cpu_ns.mean(),
    }
}

/// Gives each endpoint its figures; gives the recorded ones that belong to none.
pub(super) fn join(
    recorded: &Recorded,
    endpoints: &mut [EndpointPlan],
    free: &[FreeEndpoint],
) -> Vec<String> {
    let mut used = vec![false; recorded.endpoints.len()];
    for endpoint in endpoints.iter_mut() {
        let Some(route) = &endpoint.route else {
            continue;
        };
        let rows = best(recorded, route, &endpoint.methods);
        if !rows.is_empty() {
            endpoint.measured = Some(sum(recorded, &rows));
        }
        for row in rows {
            used[row] = true;
        }
    }
    for route in free.iter().filter_map(|one| one.route.as_ref()) {
        for row in best(recorded, route, &[]) {
            used[row] = true;
        }
    }
    let left = recorded.endpoints.iter().zip(used);
    left.filter(|(_, used)| !used)
        .map(|(row, _)| row.name.clone())
        .collect()
}

/// The recorded routes that end with this one and have least before it.
fn best(recorded: &Recorded, route: &str, methods: &[String]) -> Vec<usize> {
    let wanted = segments(route);
    let mut found: Vec<(usize, usize)> = Vec::new();
    for (number, row) in recorded.endpoints.iter().enumerate() {
        let whole = segments(&row.route);
        let of_method = |method: &String| methods.is_empty() || methods.contains(method);
        let fits = whole.ends_with(&wanted) && row.method.as_ref().is_none_or(of_method);
        if fits && (!wanted.is_empty() || whole.is_empty()) {
            found.push((whole.len() - wanted.len(), number));
        }
    }
    let least = found.iter().map(|(before, _)| *before).min();
    found.retain(|(before, _)| Some(*before) == least);
    found.into_iter().map(|(_, number)| number).collect()
}

/// The means of several rows, each with the weight of its requests; a bound among them makes a bound of all.
fn sum(recorded: &Recorded, rows: &[usize]) -> Measured {
    let rows = || rows.iter().map(|row| &recorded.endpoints[*row]);
    let requests = rows().map(|row| row.requests).fold(0, u64::saturating_add);
    let each = |ns: f64| ns / NS_PER_MS / requests.max(1) as f64;
    let waited_ns: f64 = rows()
        .map(|row| row.requests as f64 * most(row.waiting))
        .sum();
    let cpu_ns: Option<f64> = rows()
        .map(|row| Some(row.requests as f64 * row.cpu_ns?))
        .sum();
    let is_known = rows().all(|row| matches!(row.waiting, Waiting::Known(_)));
    let wait_ms = each(waited_ns);
    Measured {
        requests,
        wait_ms: is_known.then_some(wait_ms),
        wait_at_most_ms: (!is_known).then_some(wait_ms),
        cpu_ms: cpu_ns.map(each),
        waited_ms: waited_ns / NS_PER_MS,
    }
}

fn most(waiting: Waiting) -> f64 {
    match waiting {
        Waiting::Known(ns) | Waiting::AtMost(ns) => ns,
    }
}

/// `/orders/<int:id>/` is `orders` and a parameter.
fn segments(route: &str) -> Vec<String> {
    let plain = route.trim_start_matches('^').trim_end_matches('$');
    let parts = plain.split('/').filter(|part| !part.is_empty());
    parts
        .map(|part| {
            if part.contains(['<', '{', '(']) {
                "{}".to_owned()
            } else {
                part.to_owned()
            }
        })
        .collect()
}

#[cfg(test)]
mod tests {
    use corrente_record::Distribution;

    use super::*;

    #[test]
    fn parameters_are_equal_whatever_they_are_called() {
        assert_eq!(segments("/a/<int:id>/"), segments("/a/{number}"));
        assert_ne!(segments("/a/<int:id>/"), segments("/b/{number}"));
    }

    #[test]
    fn the_shortest_prefix_is_taken() {
        let named = |name: &str| {
            row(&corrente_record::Endpoint {
                name: name.to_owned(),
                ..corrente_record::Endpoint::default()
            })
        };
        let recorded = Recorded {
            endpoints: vec![
                named("GET /api/v1/orders"),
                named("GET /orders"),
                named("POST /orders"),
            ],
        };
        assert_eq!(best(&recorded, "/orders", &["GET".to_owned()]), [1]);
        assert_eq!(best(&recorded, "orders", &[]), [1, 2]);
        assert_eq!(best(&recorded, "v1/orders", &[]), [0]);
        assert!(best(&recorded, "/", &[]).is_empty());
    }

    fn asked(wall_ms: u64, cpu_ms: &[u64], slept_ms: &[u64]) -> Row {
        let distribution = |ms: &[u64]| Distribution::of(ms.iter().map(|ms| ms * 1_000_000));
        row(&corrente_record::Endpoint {
            requests: 2,
            wall_ns: distribution(&[wall_ms, wall_ms]),
            cpu_ns: distribution(cpu_ms),
            wait_ns: distribution(slept_ms),
            run_queue_ns: distribution(slept_ms),
            ..corrente_record::Endpoint::default()
        })
    }

    #[test]
    fn waiting_that_is_not_known_is_a_bound() {
        let check = |rows: Vec<Row>, expected: Measured| {
            let numbers: Vec<usize> = (0..rows.len()).collect();
            assert_eq!(sum(&Recorded { endpoints: rows }, &numbers), expected);
        };
        // As long in line as asleep: half of the time without a processor is waiting.
        let known = Measured {
            requests: 2,
            wait_ms: Some(4.0),
            wait_at_most_ms: None,
            cpu_ms: Some(2.0),
            waited_ms: 8.0,
        };
        check(vec![asked(10, &[2, 2], &[3])], known);
        // Nobody was asked: it may all have been in line.
        let bound = Measured {
            requests: 2,
            wait_ms: None,
            wait_at_most_ms: Some(8.0),
            cpu_ms: Some(2.0),
            waited_ms: 16.0,
        };
        check(vec![asked(10, &[2, 2], &[])], bound.clone());
        let both = Measured {
            requests: 4,
            wait_at_most_ms: Some(6.0),
            waited_ms: 24.0,
            ..bound
        };
        check(
            vec![asked(10, &[2, 2], &[3]), asked(10, &[2, 2], &[])],
            both,
        );
        // A trace: nobody knows what was computed.
        let trace = Measured {
            requests: 2,
            wait_ms: None,
            wait_at_most_ms: Some(10.0),
            cpu_ms: None,
            waited_ms: 20.0,
        };
        check(vec![asked(10, &[], &[])], trace);
    }

    #[test]
    fn what_is_no_recording_is_refused() {
        let error = Recorded::read("{}").expect_err("it is none");
        assert!(error.to_string().contains("corrente gauge run"));
    }

    #[test]
    fn a_recording_of_greenlets_says_why_it_is_empty() {
        let check = |process: &str, expected: &str| {
            let text = format!(
                r#"{{"schema":"corrente.recording/1","processes":[{{"host":"a","pid":1,"started_unix_ms":1{process}}}]}}"#
            );
            let error = Recorded::read(&text).expect_err("there is no endpoint");
            assert!(error.to_string().contains(expected), "{error}");
        };
        check("", "record while requests come");
        check(
            r#","cannot_tell":[{"code":"greenlets"}]"#,
            "gunicorn -k gthread",
        );
    }
}
