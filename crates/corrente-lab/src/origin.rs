//! The "third-party API": an HTTP server whose latency, errors and limits are set, not found.
//!
//! It runs as a process of its own (`corrente lab serve-origin`), so that its processor can be
//! chosen and its CPU time told apart. Each call waits for a fixed or log-normal time and is
//! answered with a JSON body; a share fails with 500, and calls beyond the limit get 503, as an
//! overloaded service answers. On tokio and hyper: it is a stand-in, not a hot path of ours.

use std::cell::{Cell, RefCell};
use std::collections::BTreeMap;
use std::convert::Infallible;
use std::f64::consts::TAU;
use std::net::Ipv4Addr;
use std::rc::Rc;
use std::time::Duration;

use http_body_util::Full;
use hyper::body::{Bytes, Incoming};
use hyper::service::service_fn;
use hyper::{Request, Response, StatusCode};
use hyper_util::rt::{TokioIo, TokioTimer};
use tokio::sync::Semaphore;

use crate::error::LabError;
use crate::scenario::OriginPlan;

/// No call waits longer than this, whatever the log-normal's tail says.
const LATENCY_MAX: Duration = Duration::from_mins(1);

/// The answer's size may not exceed this many bytes.
const BODY_BYTES_MAX: usize = 16 * 1024 * 1024;

/// Serves until the process ends.
pub fn serve(plan: OriginPlan, port: u16, seed: u64) -> Result<Infallible, LabError> {
    let runtime = tokio::runtime::Builder::new_current_thread()
        .enable_all()
        .build();
    let runtime = runtime.map_err(|error| start_error(&error))?;
    tokio::task::LocalSet::new().block_on(&runtime, accept(plan, port, seed))
}

fn start_error(error: &std::io::Error) -> LabError {
    LabError::Start {
        part: "origin".to_owned(),
        reason: error.to_string(),
    }
}

async fn accept(plan: OriginPlan, port: u16, seed: u64) -> Result<Infallible, LabError> {
    let address = (Ipv4Addr::LOCALHOST, port);
    let listener = tokio::net::TcpListener::bind(address).await;
    let listener = listener.map_err(|error| start_error(&error))?;
    let origin = Rc::new(Origin {
        plan,
        in_flight: Cell::new(0),
        random: RefCell::new(fastrand::Rng::with_seed(seed)),
        queues: RefCell::default(),
    });
    loop {
        // Accepting fails for want of descriptors, which a later turn may find.
        let Ok((stream, _)) = listener.accept().await else {
            tokio::time::sleep(Duration::from_millis(10)).await;
            continue;
        };
        // Nagle's delay would be added to every latency asked for; a socket that refuses is gone.
        stream.set_nodelay(true).ok();
        tokio::task::spawn_local(converse(Rc::clone(&origin), stream));
    }
}

async fn converse(origin: Rc<Origin>, stream: tokio::net::TcpStream) {
    let service = service_fn(move |request| {
        let origin = Rc::clone(&origin);
        async move { Ok::<_, Infallible>(origin.answer(&request).await) }
    });
    // A client that hangs up in the middle is the client's business.
    hyper::server::conn::http1::Builder::new()
        .timer(TokioTimer::new())
        .serve_connection(TokioIo::new(stream), service)
        .await
        .ok();
}

struct Origin {
    plan: OriginPlan,
    in_flight: Cell<usize>,
    random: RefCell<fastrand::Rng>,
    queues: RefCell<BTreeMap<usize, Rc<Semaphore>>>,
}

impl Origin {
    async fn answer(&self, request: &Request<Incoming>) -> Response<Full<Bytes>> {
        if request.uri().path() == "/ready" {
            return json(StatusCode::OK, body(2));
        }
        let call = Call::of(self.plan, request.uri().query().unwrap_or_default());
        let limit = self.plan.concurrency_limit;
        if limit > 0 && self.in_flight.get() >= limit {
            return json(StatusCode::SERVICE_UNAVAILABLE, body(2));
        }
        let (latency, fails) = {
            let mut random = self.random.borrow_mut();
            (
                call.latency(&mut random),
                random.f64() < self.plan.error_rate,
            )
        };
        self.in_flight.set(self.in_flight.get() + 1);
        let lane = self.lane(call.lanes);
        // A semaphore that nobody closes gives its permit.
        let _permit = match &lane {
            Some(lane) => lane.acquire().await.ok(),
            None => None,
        };
        tokio::time::sleep(latency).await;
        self.in_flight.set(self.in_flight.get() - 1);
        let status = if fails {
            StatusCode::INTERNAL_SERVER_ERROR
        } else {
            StatusCode::OK
        };
        json(status, body(call.body_bytes))
    }

    /// The line before a number of lanes, which all calls that ask for that number share.
    fn lane(&self, lanes: usize) -> Option<Rc<Semaphore>> {
        if lanes == 0 {
            return None;
        }
        let mut queues = self.queues.borrow_mut();
        let queue = queues
            .entry(lanes)
            .or_insert_with(|| Rc::new(Semaphore::new(lanes)));
        Some(Rc::clone(queue))
    }
}

/// What one call asks for.
#[derive(Debug, Clone, Copy, PartialEq)]
struct Call {
    median_ms: f64,
    sigma: f64,
    body_bytes: usize,
    /// Calls served at once, the others waiting their turn; 0 is no limit.
    lanes: usize,
}

/// More lanes than this are none.
const LANES_MAX: usize = 4096;

impl Call {
    /// The plan's values, overridden by `latency_ms`, `sigma`, `bytes` and `lanes` in the query.
    fn of(plan: OriginPlan, query: &str) -> Self {
        let mut call = Self {
            median_ms: plan.median_ms,
            sigma: plan.sigma,
            body_bytes: plan.body_bytes,
            lanes: 0,
        };
        for (name, value) in query.split('&').filter_map(|pair| pair.split_once('=')) {
            match (name, value.parse::<f64>()) {
                ("latency_ms", Ok(value)) if value >= 0.0 => call.median_ms = value,
                ("sigma", Ok(value)) if value >= 0.0 => call.sigma = value,
                ("lanes", Ok(value)) => call.lanes = (value as usize).min(LANES_MAX),
                ("bytes", Ok(value)) => call.body_bytes = (value as usize).min(BODY_BYTES_MAX),
                _ => {}
            }
        }
        call
    }

    /// Log-normal with this median: median * exp(sigma * z), z standard normal by Box and Muller.
    fn latency(self, random: &mut fastrand::Rng) -> Duration {
        let radius = (-2.0 * (1.0 - random.f64()).ln()).sqrt();
        let normal = radius * (TAU * random.f64()).cos();
        let seconds = self.median_ms / 1000.0 * (self.sigma * normal).exp();
        Duration::try_from_secs_f64(seconds)
            .unwrap_or(LATENCY_MAX)
            .min(LATENCY_MAX)
    }
}

/// A JSON object of exactly this many bytes, from 11 on.
fn body(bytes: usize) -> Bytes {
    let filling = bytes.saturating_sub("{\"data\":\"\"}".len());
    if filling == 0 {
        return Bytes::from_static(b"{}");
    }
    Bytes::from(format!("{{\"data\":\"{}\"}}", "x".repeat(filling)))
}

fn json(status: StatusCode, body: Bytes) -> Response<Full<Bytes>> {
    let mut response = Response::new(Full::new(body));
    *response.status_mut() = status;
    let kind = hyper::header::HeaderValue::from_static("application/json");
    response
        .headers_mut()
        .insert(hyper::header::CONTENT_TYPE, kind);
    response
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_call_may_ask_for_its_own_latency() {
        let call = Call::of(OriginPlan::default(), "latency_ms=20&sigma=0&bytes=12&x=y");
        assert_eq!(
            call,
            Call {
                median_ms: 20.0,
                sigma: 0.0,
                body_bytes: 12,
                lanes: 0,
            }
        );
        let nonsense = Call::of(OriginPlan::default(), "latency_ms=-1&sigma=a");
        assert_eq!(
            nonsense,
            Call {
                median_ms: 10.0,
                sigma: 0.0,
                body_bytes: 200,
                lanes: 0,
            }
        );
    }

    #[test]
    fn a_fixed_latency_is_fixed() {
        let call = Call {
            median_ms: 20.0,
            sigma: 0.0,
            body_bytes: 0,
            lanes: 0,
        };
        assert_eq!(
            call.latency(&mut fastrand::Rng::with_seed(1)),
            Duration::from_millis(20)
        );
    }

    #[test]
    fn half_of_a_log_normal_lies_below_its_median() {
        let call = Call {
            median_ms: 10.0,
            sigma: 0.8,
            body_bytes: 0,
            lanes: 0,
        };
        let mut random = fastrand::Rng::with_seed(1);
        let median = Duration::from_millis(10);
        let below = (0..10_000)
            .filter(|_| call.latency(&mut random) < median)
            .count();
        assert!((4800..5200).contains(&below), "{below}");
    }

    #[test]
    fn the_body_is_as_long_as_asked() {
        assert_eq!(body(200).len(), 200);
        assert_eq!(&body(12)[..], b"{\"data\":\"x\"}");
        assert_eq!(&body(3)[..], b"{}");
    }
}
