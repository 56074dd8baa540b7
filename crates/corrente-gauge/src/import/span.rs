//! Spans as they are kept: 64 bytes each, names in tables.
//!
//! Files hold spans in any order (file exporter specification, "Streaming appending"), so all must
//! be in memory before the first request can be put together. Ids become one number of 64 bits: two
//! of two million collide once in ten million imports, and would then cost one call.

use std::collections::HashMap;

use corrente_record::{OTHER, RESOURCES_MAX, trim_name};

use super::attributes::{self, Resource, ResourceKind, Sender};
use super::otlp;
use super::{ImportError, MAX_SPANS};
use crate::names::{NameId, NameTable};

/// Processes told apart; those beyond are added to the last one.
const MAX_SENDERS: usize = 10_000;

/// A span's key: its trace and its own id.
pub(super) type Key = u64;

/// A span.
#[derive(Debug, Clone, Copy)]
pub(super) struct Span {
    pub(super) parent: Option<Key>,
    /// Nanoseconds since 1970.
    pub(super) start: u64,
    pub(super) end: u64,
    pub(super) role: Role,
}

/// What a span is to us.
#[derive(Debug, Clone, Copy)]
pub(super) enum Role {
    /// A request.
    Server {
        endpoint: NameId,
        /// Its place in [`Spans::senders`].
        sender: u32,
        status: u16,
    },
    /// A wait. `site` tells calls of one kind from others: it stands for the span's name.
    Client { resource: u32, site: u64 },
    /// Something between the two.
    Inner,
}

/// All spans of an import.
#[derive(Debug, Default)]
pub(super) struct Spans {
    pub(super) kept: HashMap<Key, Span>,
    pub(super) endpoints: NameTable,
    pub(super) services: NameTable,
    pub(super) resources: Resources,
    /// Processes that sent spans, and the services they belong to.
    pub(super) senders: Vec<(Sender, NameId)>,
    numbers: HashMap<Sender, u32>,
    /// Spans that end before they start or have no time or no id.
    pub(super) unusable: u64,
}

impl Spans {
    /// Takes the spans of one document.
    pub(super) fn add(&mut self, document: otlp::Document) -> Result<(), ImportError> {
        for source in document.resource_spans.into_iter().flatten() {
            let sender = self.sender(attributes::sender(&source.resource));
            for scope in &source.scopes {
                for span in &scope.spans {
                    self.add_span(span, &scope.scope.name, sender);
                }
                if self.kept.len() > MAX_SPANS {
                    return Err(ImportError::TooManySpans);
                }
            }
        }
        Ok(())
    }

    fn sender(&mut self, sender: Sender) -> u32 {
        if let Some(number) = self.numbers.get(&sender) {
            return *number;
        }
        let number = self.senders.len().min(MAX_SENDERS - 1) as u32;
        if self.senders.len() < MAX_SENDERS {
            // It is listed in messages; what sent it is not known.
            let service = self.services.id(&trim_name(&sender.service));
            self.senders.push((sender.clone(), service));
            self.numbers.insert(sender, number);
        }
        number
    }

    /// The service of a process.
    pub(super) fn service(&self, sender: u32) -> NameId {
        self.senders
            .get(sender as usize)
            .map_or(NameId::OTHER, |(_, service)| *service)
    }

    fn add_span(&mut self, span: &otlp::Span, scope: &str, sender: u32) {
        let (start, end) = (span.start.number(), span.end.number());
        let (Some(start), Some(end)) = (start, end) else {
            self.unusable += 1;
            return;
        };
        if start == 0 || end < start || span.id.is_empty() {
            self.unusable += 1;
            return;
        }
        let parent = span.parent.as_deref().filter(|parent| is_id(parent));
        let kept = Span {
            parent: parent.map(|parent| key(&span.trace, parent)),
            start,
            end,
            role: self.role(span, scope, sender),
        };
        self.kept.insert(key(&span.trace, &span.id), kept);
    }

    fn role(&mut self, span: &otlp::Span, scope: &str, sender: u32) -> Role {
        if is_server(span) {
            let status = attributes::status(span).and_then(|status| u16::try_from(status).ok());
            let failed = span.status.as_ref();
            let failed = failed.is_some_and(|status| status.code.is(2, "ERROR"));
            if let Some((known, _)) = self.senders.get_mut(sender as usize) {
                known.kind = known.kind.or(attributes::server_kind(scope));
            }
            return Role::Server {
                endpoint: self.endpoints.id(&attributes::endpoint(span)),
                sender,
                status: status.unwrap_or(if failed { 500 } else { 0 }),
            };
        }
        // 3 is a client, 4 a producer, which waits for its broker (trace.proto, `SpanKind`).
        if span.kind.is(3, "CLIENT") || span.kind.is(4, "PRODUCER") {
            let resource = self.resources.id(attributes::resource(span, scope));
            let site = hash(&[span.name.as_bytes()]);
            return Role::Client { resource, site };
        }
        Role::Inner
    }
}

/// 2 is a server (trace.proto, `SpanKind`).
fn is_server(span: &otlp::Span) -> bool {
    span.kind.is(2, "SERVER")
}

/// Root spans have no parent's id, an empty one, or zeros.
fn is_id(text: &str) -> bool {
    text.bytes().any(|byte| byte != b'0')
}

fn key(trace: &str, id: &str) -> Key {
    hash(&[trace.as_bytes(), b"/", id.as_bytes()])
}

/// FNV-1a of 64 bits (draft-eastlake-fnv) with a closing mix, so that close ids end far apart. Not
/// the standard library's hasher: its result may change with the compiler.
fn hash(parts: &[&[u8]]) -> u64 {
    let mut hash: u64 = 0xcbf2_9ce4_8422_2325;
    for byte in parts.iter().copied().flatten() {
        hash ^= u64::from(byte.to_ascii_lowercase());
        hash = hash.wrapping_mul(0x0000_0100_0000_01b3);
    }
    hash ^= hash >> 32;
    hash = hash.wrapping_mul(0xd6e8_feb8_6659_fd93);
    hash ^ (hash >> 32)
}

/// Resources by number; when the table is full, one for all others.
#[derive(Debug)]
pub(super) struct Resources {
    list: Vec<Resource>,
    numbers: HashMap<Resource, u32>,
}

impl Default for Resources {
    fn default() -> Self {
        let other = Resource {
            kind: ResourceKind::Other,
            driver: OTHER.to_owned(),
            host: String::new(),
        };
        Self {
            numbers: HashMap::from([(other.clone(), 0)]),
            list: vec![other],
        }
    }
}

impl Resources {
    fn id(&mut self, resource: Resource) -> u32 {
        if let Some(number) = self.numbers.get(&resource) {
            return *number;
        }
        let number = u32::try_from(self.list.len()).unwrap_or(0);
        if self.list.len() > RESOURCES_MAX || number == 0 {
            return 0;
        }
        self.list.push(resource.clone());
        self.numbers.insert(resource, number);
        number
    }

    pub(super) fn get(&self, number: u32) -> &Resource {
        self.list.get(number as usize).unwrap_or(&self.list[0])
    }
}
