//! How fast the model is: `cargo run --release -p corrente-model --example speed`.
//!
//! `cargo xtask bench model` builds and runs it, and publishes what it prints.

use std::collections::BTreeMap;
use std::io::Write as _;
use std::time::Instant;

use corrente_model::calibration::{Costs, Stack};
use corrente_model::law::Law;
use corrente_model::least_squares::Estimate;
use corrente_model::prediction::{Question, predict};
use corrente_model::service::{
    Calls, Concurrency, Connections, Deployment, Endpoint, Resource, Service,
};
use corrente_model::simulator::{Load, Plan, simulate};

const REQUESTS: u64 = 10_000_000;

fn main() -> Result<(), Box<dyn std::error::Error>> {
    let workers = deployment(8, Concurrency::Threads(1));
    let loops = deployment(2, Concurrency::Loop { gathered: 0.0 });
    for (name, deployment) in [("8 workers", &workers), ("2 loops", &loops)] {
        simulation(name, deployment)?;
    }
    for calls in [1.0, 5.0, 40.0, 400.0] {
        let name = format!("{calls} calls a request");
        prediction(&name, &service(calls), &workers, &loops)?;
    }
    for seconds in [0.3, 10.0] {
        let mut long = service(1.0);
        long.endpoints[0].cpu = Law::with_moments(seconds, 0.2);
        prediction(
            &format!("{seconds} s of computing"),
            &long,
            &workers,
            &loops,
        )?;
        long.endpoints.extend(service(1.0).endpoints);
        let name = format!("{seconds} s of computing in half of the requests");
        prediction(&name, &long, &workers, &loops)?;
    }
    Ok(())
}

/// One endpoint that computes, queries a database and computes.
fn simulation(name: &str, deployment: &Deployment) -> Result<(), Box<dyn std::error::Error>> {
    let system = corrente_model::system(&service(1.0), deployment);
    let plan = Plan {
        warm_up: 1_000,
        requests: REQUESTS,
        events: u64::MAX,
        seed: 1,
    };
    let start = Instant::now();
    let outcome = simulate(&system, &users(), plan)?;
    let seconds = start.elapsed().as_secs_f64();
    writeln!(
        std::io::stdout(),
        "simulation, {name}: {REQUESTS} requests in {seconds:.2} s ({:.0} requests/s simulated)",
        outcome.throughput_per_s
    )?;
    Ok(())
}

fn prediction(
    name: &str,
    service: &Service,
    before: &Deployment,
    after: &Deployment,
) -> Result<(), Box<dyn std::error::Error>> {
    let (from, to) = (stack("sync", 0.0005), stack("async", 0.0003));
    let start = Instant::now();
    let prediction = predict(&Question {
        service,
        present: None,
        cpu_deviation: 0.03,
        from: &from,
        to: &to,
        before,
        after,
        load: &users(),
        model_deviation: 0.05,
        seed: 1,
    })?;
    let gain = prediction.gain;
    writeln!(
        std::io::stdout(),
        "prediction, {name}: {:.3} s (gain {:.2} [{:.2}, {:.2}], of {} requests, {:.1} million events)",
        start.elapsed().as_secs_f64(),
        gain.estimate,
        gain.low,
        gain.high,
        prediction.rests_on,
        prediction.events as f64 / 1e6
    )?;
    Ok(())
}

fn users() -> Load {
    Load::Closed {
        users: 64,
        think: Law::Constant(0.0),
    }
}

fn service(calls: f64) -> Service {
    Service {
        endpoints: vec![Endpoint {
            name: "/".to_owned(),
            weight: 1.0,
            cpu: Law::with_moments(0.002 + 0.0005 * calls, 0.2),
            calls: vec![Calls {
                resource: 0,
                count: calls,
                wait: Law::with_moments(0.01, 0.5),
                independent: 0.0,
                blocking: 0.0,
                cpu: None,
            }],
        }],
        resources: vec![Resource {
            name: "database".to_owned(),
            kind: "sql".to_owned(),
            servers: None,
        }],
    }
}

fn deployment(processes: usize, concurrency: Concurrency) -> Deployment {
    Deployment {
        cores: 2.0,
        processes,
        concurrency,
        connections: vec![Connections::PerProcess(20)],
    }
}

fn stack(name: &str, request: f64) -> Stack {
    let cost = |mean: f64| Estimate {
        mean,
        deviation: 0.03 * mean,
    };
    Stack {
        name: name.to_owned(),
        threads: 1,
        costs: Costs {
            request: cost(request),
            calls: BTreeMap::from([("sql".to_owned(), cost(0.0003))]),
            coldness: 0.0,
            work: None,
            scale_deviation: 0.0,
        },
        process_bytes: 60_000_000,
        request_bytes: 100_000,
    }
}
