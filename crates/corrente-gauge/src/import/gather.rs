//! Requests out of spans: each call finds its request, and intervals become time waited.
//!
//! A call belongs to the nearest server span above it. A client span inside another client span is
//! the same wait seen twice (a driver under an ORM, a connection under a request) and counts once,
//! as the outer one. Overlapping calls count once in the time waited, and are counted as
//! overlapping: those were concurrent already.

use std::collections::{BTreeMap, HashMap};

use super::ImportError;
use super::attributes::{Resource, Sender};
use super::span::{Key, Role, Span, Spans};
use crate::names::NameId;

/// Spans between a call and its request; a longer chain is a circle.
const MAX_DEPTH: usize = 200;

/// What an import found.
#[derive(Debug, Clone, PartialEq)]
pub struct Imported {
    /// The service.
    pub service: String,
    /// The processes that answered.
    pub senders: Vec<Sender>,
    /// From the first request's start to the last one's end, nanoseconds since 1970.
    pub observed: (u64, u64),
    /// The requests, by start.
    pub requests: Vec<Request>,
    /// Calls whose request is not among the spans: background work, or a trace that was cut.
    pub calls_without_request: u64,
    /// Spans without an id or a time.
    pub unusable_spans: u64,
}

/// One request.
#[derive(Debug, Clone, PartialEq)]
pub struct Request {
    /// The endpoint's name.
    pub endpoint: String,
    /// The process that answered: its place in [`Imported::senders`].
    pub sender: usize,
    /// Nanoseconds since 1970.
    pub start: u64,
    /// How long it took, nanoseconds.
    pub wall: u64,
    /// Time in which at least one call was waited for, nanoseconds.
    pub wait: u64,
    /// The answer's status code; 500 where only a failure is known, 0 where nothing is.
    pub status: u16,
    /// What it waited for.
    pub resources: Vec<(Resource, ResourceUse)>,
}

/// What one request did with one resource.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct ResourceUse {
    /// Time in which at least one call was waited for, nanoseconds.
    pub wait: u64,
    /// How long each call took, nanoseconds.
    pub calls: Vec<u64>,
    /// Calls that overlapped another call of the request.
    pub overlapped: u64,
    /// Runs of like calls, one after the other with no other call between: what could be one query,
    /// or run at once.
    pub runs: Vec<Run>,
}

/// A run of like calls.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Run {
    /// How many.
    pub calls: u64,
    /// How long all took, nanoseconds.
    pub wall: u64,
    /// How long the longest took, nanoseconds.
    pub longest: u64,
}

/// A call under its request.
#[derive(Debug, Clone, Copy)]
struct Call {
    start: u64,
    end: u64,
    resource: u32,
    site: u64,
    overlaps: bool,
}

/// Puts the requests of a service together.
pub(super) fn requests(mut spans: Spans, service: Option<&str>) -> Result<Imported, ImportError> {
    unnest(&mut spans);
    let service = choose(&spans, service)?;
    let (mut calls, calls_without_request) = calls_of(&spans, service);
    let mut senders: Vec<u32> = Vec::new();
    let mut places: HashMap<u32, usize> = HashMap::new();
    let mut requests = Vec::new();
    for (key, span) in &spans.kept {
        let Role::Server {
            endpoint,
            sender,
            status,
        } = span.role
        else {
            continue;
        };
        if spans.service(sender) != service {
            continue;
        }
        let place = *places.entry(sender).or_insert_with(|| {
            senders.push(sender);
            senders.len() - 1
        });
        let calls = calls.remove(key).unwrap_or_default();
        requests.push(Request {
            endpoint: spans.endpoints.name(endpoint).to_owned(),
            sender: place,
            status,
            ..request(span, calls, &spans)
        });
    }
    requests.sort_by(|a, b| (a.start, a.wall, &a.endpoint).cmp(&(b.start, b.wall, &b.endpoint)));
    let start = requests.iter().map(|request| request.start).min();
    let end = requests.iter().map(|request| request.start + request.wall);
    let sender = |number: &u32| spans.senders[*number as usize].0.clone();
    Ok(Imported {
        service: spans.services.name(service).to_owned(),
        senders: senders.iter().map(sender).collect(),
        observed: (start.unwrap_or(0), end.max().unwrap_or(0)),
        requests,
        calls_without_request,
        unusable_spans: spans.unusable,
    })
}

/// Makes inner spans of server spans inside of a server span of the same process: a framework and
/// the server below it are often both instrumented, and are one request.
fn unnest(spans: &mut Spans) {
    let nested = |span: &Span| match span.role {
        Role::Server { sender, .. } => {
            matches!(owner(spans, span), Owner::Request(key, _) if sender_of(spans, key) == Some(sender))
        }
        _ => false,
    };
    let inner: Vec<Key> = spans
        .kept
        .iter()
        .filter(|(_, span)| nested(span))
        .map(|(key, _)| *key)
        .collect();
    for key in inner {
        if let Some(span) = spans.kept.get_mut(&key) {
            span.role = Role::Inner;
        }
    }
}

fn sender_of(spans: &Spans, key: Key) -> Option<u32> {
    match spans.kept.get(&key)?.role {
        Role::Server { sender, .. } => Some(sender),
        _ => None,
    }
}

/// The service whose requests are meant.
fn choose(spans: &Spans, asked: Option<&str>) -> Result<NameId, ImportError> {
    let mut found: Vec<NameId> = Vec::new();
    for span in spans.kept.values() {
        if let Role::Server { sender, .. } = span.role
            && !found.contains(&spans.service(sender))
        {
            found.push(spans.service(sender));
        }
    }
    let mut names: Vec<String> = found
        .iter()
        .map(|id| spans.services.name(*id).to_owned())
        .collect();
    names.sort();
    let by_name = |name: &str| found.iter().find(|id| spans.services.name(**id) == name);
    match (asked, found.as_slice()) {
        (_, []) => Err(ImportError::NoRequests {
            spans: spans.kept.len(),
        }),
        (Some(asked), _) => by_name(asked)
            .copied()
            .ok_or_else(|| ImportError::UnknownService {
                asked: asked.to_owned(),
                names,
            }),
        (None, [only]) => Ok(*only),
        (None, _) => Err(ImportError::SeveralServices { names }),
    }
}

/// Calls by the request they belong to, and how many belong to none.
fn calls_of(spans: &Spans, service: NameId) -> (HashMap<Key, Vec<Call>>, u64) {
    let mut calls: HashMap<Key, Vec<Call>> = HashMap::new();
    let mut without = 0;
    for span in spans.kept.values() {
        let Role::Client { resource, site } = span.role else {
            continue;
        };
        match owner(spans, span) {
            Owner::Request(key, of) if of == service => {
                calls.entry(key).or_default().push(Call {
                    start: span.start,
                    end: span.end,
                    resource,
                    site,
                    overlaps: false,
                });
            }
            Owner::Request(..) | Owner::Call => {}
            Owner::None => without += 1,
        }
    }
    (calls, without)
}

/// What stands above a call.
enum Owner {
    Request(Key, NameId),
    Call,
    None,
}

fn owner(spans: &Spans, span: &Span) -> Owner {
    let mut above = span.parent;
    for _ in 0..MAX_DEPTH {
        let Some((key, parent)) = above.and_then(|key| Some((key, spans.kept.get(&key)?))) else {
            return Owner::None;
        };
        match parent.role {
            Role::Server { sender, .. } => return Owner::Request(key, spans.service(sender)),
            Role::Client { .. } => return Owner::Call,
            Role::Inner => above = parent.parent,
        }
    }
    Owner::None
}

/// The figures of one request; its endpoint and status are for the caller to fill in.
fn request(span: &Span, calls: Vec<Call>, spans: &Spans) -> Request {
    let calls = within(span, calls);
    let mut resources: BTreeMap<u32, ResourceUse> = BTreeMap::new();
    for call in &calls {
        let used = resources.entry(call.resource).or_default();
        used.calls.push(call.end - call.start);
        used.overlapped += u64::from(call.overlaps);
    }
    for (resource, used) in &mut resources {
        used.wait = union(calls.iter().filter(|call| call.resource == *resource));
        used.runs = runs(&calls, *resource);
    }
    let named = |(number, used)| (spans.resources.get(number).clone(), used);
    Request {
        endpoint: String::new(),
        sender: 0,
        start: span.start,
        wall: span.end - span.start,
        wait: union(calls.iter()),
        status: 0,
        resources: resources.into_iter().map(named).collect(),
    }
}

/// The calls by start, cut to the time of their request. What runs on after the answer was not
/// waited for.
fn within(span: &Span, calls: Vec<Call>) -> Vec<Call> {
    let cut = calls.into_iter().map(|call| Call {
        start: call.start.max(span.start),
        end: call.end.min(span.end),
        ..call
    });
    let mut calls: Vec<Call> = cut.filter(|call| call.start < call.end).collect();
    calls.sort_by_key(|call| (call.start, call.end, call.resource, call.site));
    // The call that ends last so far: whoever overlaps any earlier call overlaps it.
    let mut last: Option<usize> = None;
    for at in 0..calls.len() {
        if let Some(before) = last {
            if calls[at].start < calls[before].end {
                calls[at].overlaps = true;
                calls[before].overlaps = true;
            }
            if calls[at].end <= calls[before].end {
                continue;
            }
        }
        last = Some(at);
    }
    calls
}

/// Time covered by at least one of the calls, which come by start.
fn union<'a>(calls: impl Iterator<Item = &'a Call>) -> u64 {
    let (mut covered, mut until) = (0, 0);
    for call in calls {
        covered += call.end.saturating_sub(call.start.max(until));
        until = until.max(call.end);
    }
    covered
}

/// Runs of like calls to `resource` with no other call between them.
fn runs(calls: &[Call], resource: u32) -> Vec<Run> {
    let alike = |a: &Call, b: &Call| {
        (a.resource, a.site) == (b.resource, b.site) && !a.overlaps && !b.overlaps
    };
    calls
        .chunk_by(alike)
        .filter(|run| run.len() > 1 && run[0].resource == resource)
        .map(|run| {
            let length = |call: &Call| call.end - call.start;
            Run {
                calls: run.len() as u64,
                wall: run.iter().map(length).sum(),
                longest: run.iter().map(length).max().unwrap_or(0),
            }
        })
        .collect()
}
