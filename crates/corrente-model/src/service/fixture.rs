//! The service of this crate's tests: one endpoint that computes, and calls one resource.
//!
//! What a test is about it changes in what it gets: times are constant, calls are in turn and wait
//! without blocking, connections are unlimited.

use super::{Calls, Concurrency, Connections, Deployment, Endpoint, Resource, Service};
use crate::law::Law;

/// A request computes for `cpu` seconds and makes `count` queries in turn that wait for `wait` seconds each.
pub(crate) fn service(cpu: f64, count: f64, wait: f64) -> Service {
    Service {
        endpoints: vec![Endpoint {
            name: "/".to_owned(),
            weight: 1.0,
            cpu: Law::Constant(cpu),
            calls: vec![Calls {
                resource: 0,
                count,
                wait: Law::Constant(wait),
                independent: 0.0,
                blocking: 0.0,
                cpu: None,
            }],
        }],
        resources: vec![Resource {
            name: "db".to_owned(),
            kind: "sql".to_owned(),
            servers: None,
        }],
    }
}

/// So many processes, with as many connections as they ask for.
pub(crate) fn deployment(processes: usize, cores: f64, concurrency: Concurrency) -> Deployment {
    Deployment {
        cores,
        processes,
        concurrency,
        connections: vec![Connections::Unlimited],
    }
}
