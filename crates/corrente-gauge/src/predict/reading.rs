//! What was recorded as a service of the model: endpoints, resources, and how sure both are.
//!
//! Waiting that no watched library explains is a resource of its own. With threads a request also
//! waits for the interpreter lock while others compute, which is no waiting of the service: there
//! the waiting of requests that were alone is used. Invariant: nothing is rounded up to be known.

use corrente_model::law::Law;
use corrente_model::service::{Calls, Endpoint, Resource, Service};
use corrente_record::{self as record, Distribution, Interface, Recording};

use super::doubts::REQUESTS_OF_ENDPOINT;
use crate::aggregate::{CallFigures, EndpointFigures, Figures};

/// Values that stand for a distribution.
const SAMPLES: u32 = 100;
/// Relative deviation of a mean CPU time beside that of sampling: clocks, and the machine's mood.
const CLOCK_DEVIATION: f64 = 0.03;
/// Name of the resource for waiting that nothing explains.
pub(super) const UNEXPLAINED: &str = "";
/// Waiting that is less than this share of a request's is nothing to model.
const NEGLIGIBLE: f64 = 0.01;
/// Seconds in a millisecond.
pub(super) const MS: f64 = 1e-3;

/// A service as it was recorded.
#[derive(Debug)]
pub(super) struct Reading {
    pub service: Service,
    /// Which of the recorded endpoints each of the service's is: a name alone may stand for two.
    keys: Vec<(String, Interface)>,
    /// What was recorded of each of the service's resources; absent for the unexplained.
    pub resources: Vec<Option<record::Resource>>,
    /// Share of all waiting that nothing explains; absent where there is hardly any waiting.
    pub unexplained_share: Option<f64>,
    /// Relative deviation of the mean request's time that comes from how few there were.
    pub sampling_deviation: f64,
    /// Relative deviation of CPU times.
    pub cpu_deviation: f64,
    /// Too few requests were alone to tell waiting from waiting for the lock.
    pub never_alone: bool,
}

impl Reading {
    pub(super) fn new(recording: &Recording, figures: &Figures) -> Self {
        let mut builder = Builder {
            server_cpu: figures.service.server_cpu_ms.unwrap_or(0.0) * MS,
            resources: Vec::new(),
        };
        let parts: Vec<(Endpoint, &EndpointFigures, &record::Endpoint)> =
            (figures.endpoints.iter())
                .filter_map(|known| {
                    let recorded = recording.endpoints.iter().find(|one| known.is_of(one))?;
                    Some((builder.endpoint(known, recorded), known, recorded))
                })
                .collect();
        let waiting = |of: fn(&EndpointFigures) -> Option<f64>| -> f64 {
            let each = figures.endpoints.iter();
            each.map(|one| one.requests * of(one).unwrap_or(0.0)).sum()
        };
        let all = waiting(EndpointFigures::waiting_ms);
        let unexplained = waiting(unexplained_ms);
        let from_begin_to_end = waiting(|one| one.wall.map(|wall| wall.mean_ms));
        let sampling_deviation = sampling_deviation(&parts);
        let enough = |one: &EndpointFigures| one.alone >= REQUESTS_OF_ENDPOINT;
        Self {
            unexplained_share: (all > NEGLIGIBLE * from_begin_to_end)
                .then(|| (unexplained / all).clamp(0.0, 1.0)),
            sampling_deviation,
            cpu_deviation: cpu_sampling(&parts).hypot(CLOCK_DEVIATION),
            never_alone: !figures.endpoints.iter().take(1).all(enough),
            keys: (parts.iter())
                .map(|(_, known, _)| (known.name.clone(), known.interface))
                .collect(),
            service: Service {
                endpoints: parts.into_iter().map(|(endpoint, ..)| endpoint).collect(),
                resources: (builder.resources.iter())
                    .map(|resource| Resource {
                        name: name(resource.as_ref()),
                        kind: resource
                            .as_ref()
                            .map_or(UNEXPLAINED, |one| &one.driver)
                            .to_owned(),
                        servers: None,
                    })
                    .collect(),
            },
            resources: builder.resources,
        }
    }

    /// The same service with one endpoint alone.
    pub(super) fn alone(&self, known: &EndpointFigures) -> Option<Service> {
        let same = |(name, interface): &(String, Interface)| {
            (name, *interface) == (&known.name, known.interface)
        };
        let place = self.keys.iter().position(same)?;
        Some(Service {
            endpoints: vec![self.service.endpoints.get(place)?.clone()],
            resources: self.service.resources.clone(),
        })
    }
}

/// The share of a service's waiting that nothing explains.
pub(super) fn unexplained_share(service: &Service) -> f64 {
    let mut resources = service.resources.iter();
    let nameless = resources.position(|one| one.name == UNEXPLAINED);
    let unexplained = nameless.map_or(0.0, |number| service.waiting_for(number));
    let all = service.waiting();
    if all > 0.0 { unexplained / all } else { 0.0 }
}

/// A resource as people know it: `database psycopg db:5432`.
pub(super) fn name(resource: Option<&record::Resource>) -> String {
    let Some(one) = resource else {
        return String::new();
    };
    format!("{} {} {}", one.kind, one.driver, one.host)
        .trim()
        .to_owned()
}

/// Waiting in no call, a request; of requests that were alone where there were enough.
fn unexplained_ms(endpoint: &EndpointFigures) -> Option<f64> {
    let factor = lock_free_share(endpoint);
    let unexplained = endpoint.waiting_ms()? - endpoint.wait_in_calls_ms;
    // At most what all of it is: the factor is no more than 1.
    Some(unexplained.max(0.0) * factor)
}

/// The share of the recorded waiting that was there when requests were alone, too.
fn lock_free_share(endpoint: &EndpointFigures) -> f64 {
    let alone = endpoint
        .wait_alone_ms
        .filter(|_| endpoint.alone >= REQUESTS_OF_ENDPOINT);
    match (alone, endpoint.waiting_ms()) {
        (Some(alone), Some(wait)) if wait > 0.0 => (alone / wait).min(1.0),
        _ => 1.0,
    }
}

/// The share of the time in calls without computing that a request slept: it waits in no call for longer
/// than it waits at all. The rest it stood in line for a processor, which a call cannot tell.
fn slept_share(endpoint: &EndpointFigures) -> f64 {
    let each = endpoint.calls.iter();
    let in_calls: f64 = each.map(|one| one.calls * one.wait_ms.unwrap_or(0.0)).sum();
    match endpoint.waiting_ms() {
        // Calls of a coroutine may be at once, and add up to more.
        Some(wait) if endpoint.interface == Interface::Wsgi && in_calls > wait => wait / in_calls,
        _ => 1.0,
    }
}

struct Builder {
    /// Seconds of the server itself, a request.
    server_cpu: f64,
    resources: Vec<Option<record::Resource>>,
}

impl Builder {
    fn endpoint(&mut self, known: &EndpointFigures, recorded: &record::Endpoint) -> Endpoint {
        let factor = lock_free_share(known) * slept_share(known);
        let mut calls: Vec<Calls> = (known.calls.iter().zip(&recorded.calls))
            .filter(|(figures, _)| figures.calls > 0.0)
            .map(|(figures, recorded)| self.calls(figures, recorded, factor))
            .collect();
        let unexplained = unexplained_ms(known).unwrap_or(0.0);
        if unexplained > NEGLIGIBLE * known.wall.map_or(0.0, |wall| wall.mean_ms) {
            let shape = law(&recorded.wait_ns).unwrap_or(Law::Constant(1.0));
            calls.push(Calls {
                resource: self.resource(None),
                count: 1.0,
                wait: shape.with_mean(unexplained * MS),
                independent: 0.0,
                blocking: 0.0,
                cpu: None,
            });
        }
        let extra = self.server_cpu + known.pool_cpu_ms * MS;
        let cpu = known.cpu.map_or(0.0, |cpu| cpu.mean_ms * MS);
        Endpoint {
            name: known.name.clone(),
            weight: known.requests,
            cpu: shifted(&recorded.cpu_ns, cpu, extra),
            calls,
        }
    }

    fn calls(&mut self, figures: &CallFigures, recorded: &record::Calls, factor: f64) -> Calls {
        let wait = figures.wait_ms.unwrap_or(0.0) * MS * factor;
        Calls {
            resource: self.resource(Some(&figures.resource)),
            count: figures.calls,
            wait: law(&recorded.call_ns).map_or(Law::Constant(wait), |shape| shape.with_mean(wait)),
            independent: figures.run_share,
            blocking: figures.blocking_share,
            cpu: figures.cpu_ms.map(|cpu| cpu * MS),
        }
    }

    fn resource(&mut self, resource: Option<&record::Resource>) -> usize {
        let known = self
            .resources
            .iter()
            .position(|one| one.as_ref() == resource);
        known.unwrap_or_else(|| {
            self.resources.push(resource.cloned());
            self.resources.len() - 1
        })
    }
}

/// The recorded CPU times with the server's part added to each.
fn shifted(recorded: &Distribution, mean: f64, extra: f64) -> Law {
    let Some(own) = law(recorded).map(|law| law.with_mean(mean)) else {
        return Law::Constant(mean + extra);
    };
    match &own {
        Law::Samples(times) => Law::samples(times.iter().map(|time| time + extra))
            .unwrap_or(Law::Constant(mean + extra)),
        _ => own.with_mean(mean + extra),
    }
}

/// A distribution of nanoseconds as a law: its quantiles, evenly spaced.
fn law(distribution: &Distribution) -> Option<Law> {
    let quantile = |number: u32| {
        let at = (f64::from(number) + 0.5) / f64::from(SAMPLES);
        distribution.quantile(at).map(|ns| ns / 1e9)
    };
    Law::samples((0..SAMPLES).map_while(quantile))
}

type Part<'a> = (Endpoint, &'a EndpointFigures, &'a record::Endpoint);

/// Relative standard error of the mean request's wall time.
fn sampling_deviation(parts: &[Part<'_>]) -> f64 {
    standard_error(parts, |(_, known, recorded)| {
        (known.requests, &recorded.wall_ns)
    })
}

/// Relative standard error of the mean request's CPU time.
fn cpu_sampling(parts: &[Part<'_>]) -> f64 {
    standard_error(parts, |(_, known, recorded)| {
        (known.requests, &recorded.cpu_ns)
    })
}

fn standard_error<'a>(
    parts: &'a [Part<'a>],
    of: impl Fn(&'a Part<'a>) -> (f64, &'a Distribution),
) -> f64 {
    let (mut sum, mut variance) = (0.0, 0.0);
    for part in parts {
        let (weight, distribution) = of(part);
        let (Some(mean), count) = (distribution.mean(), distribution.count as f64) else {
            continue;
        };
        let spread = distribution.squared_variation().unwrap_or(0.0);
        sum += weight * mean;
        variance += (weight * mean).powi(2) * spread / count;
    }
    if sum > 0.0 {
        variance.sqrt() / sum
    } else {
        0.0
    }
}
