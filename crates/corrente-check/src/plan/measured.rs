//! A recording beside the plan: how long requests to an endpoint wait.
//!
//! The recorder names an endpoint by method and whole route; the code knows the route without the
//! prefix of a blueprint or of an included file. So a route of the code belongs to the recorded route
//! that ends with it; parameters are equal whatever they are called.

use corrente_record::Recording;
use serde::Serialize;

use super::{EndpointPlan, FreeEndpoint};

const NS_PER_MS: f64 = 1e6;

/// A recording that cannot be used.
#[derive(Debug, thiserror::Error)]
pub enum RecordingFault {
    /// It is not the JSON of a recording.
    #[error("is no recording: {0}; `corrente gauge run` makes one")]
    Format(String),
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
    figures: Measured,
}

/// What was measured of an endpoint.
#[derive(Debug, Clone, Default, PartialEq, Serialize)]
pub struct Measured {
    /// Requests that were measured.
    pub requests: u64,
    /// What a request waits in the mean, neither computing nor ready to, milliseconds.
    pub wait_ms: f64,
    /// What a request computes in the mean, milliseconds.
    pub cpu_ms: f64,
    /// What all requests waited, milliseconds.
    pub waited_ms: f64,
}

impl Recorded {
    /// Reads a recording.
    pub fn read(text: &str) -> Result<Self, RecordingFault> {
        let recording = Recording::from_json(text)
            .map_err(|error| RecordingFault::Format(error.to_string()))?;
        let endpoints: Vec<Row> = recording.endpoints.iter().map(row).collect();
        if endpoints.is_empty() {
            return Err(RecordingFault::Empty);
        }
        Ok(Self { endpoints })
    }
}

fn row(endpoint: &corrente_record::Endpoint) -> Row {
    let (method, route) = match endpoint.name.split_once(' ') {
        Some((method, route)) => (Some(method.to_owned()), route),
        None => (None, endpoint.name.as_str()),
    };
    let cpu_ns = endpoint.cpu_ns.mean().unwrap_or_default();
    let wall_ns = endpoint.wall_ns.mean().unwrap_or_default();
    // Waiting is measured of some requests only; the rest of the wall time is nearly as good.
    let wait_ns = endpoint.wait_ns.mean().unwrap_or(wall_ns - cpu_ns).max(0.0);
    Row {
        name: endpoint.name.clone(),
        method,
        route: route.to_owned(),
        figures: Measured {
            requests: endpoint.requests,
            wait_ms: wait_ns / NS_PER_MS,
            cpu_ms: cpu_ns / NS_PER_MS,
            waited_ms: wait_ns / NS_PER_MS * endpoint.requests as f64,
        },
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

fn sum(recorded: &Recorded, rows: &[usize]) -> Measured {
    let mut all = Measured::default();
    for row in rows {
        let figures = &recorded.endpoints[*row].figures;
        all.requests += figures.requests;
        all.waited_ms += figures.waited_ms;
        all.cpu_ms += figures.cpu_ms * figures.requests as f64;
    }
    let requests = all.requests.max(1) as f64;
    all.wait_ms = all.waited_ms / requests;
    all.cpu_ms /= requests;
    all
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

    #[test]
    fn what_is_no_recording_is_refused() {
        let error = Recorded::read("{}").expect_err("it is none");
        assert!(error.to_string().contains("corrente gauge run"));
    }
}
