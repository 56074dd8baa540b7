//! What a span's attributes say: the endpoint of a request, the resource of a call.
//!
//! Attribute names are those of OpenTelemetry's semantic conventions, the stable ones first and the
//! ones before them second, since stored spans have both. Only names of routes, systems and hosts
//! are taken; statements, URLs' paths and queries and peers' names of users are not looked at, but
//! for the path of a server span without a route, which is folded.

use corrente_record::fold_path;

use super::otlp::{Attribute, Holder, Integer, Span};

/// What a request waits for.
#[derive(Debug, Clone, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct Resource {
    /// Its kind.
    pub kind: ResourceKind,
    /// What speaks to it: the database system or the instrumented library.
    pub driver: String,
    /// Host and port, as far as the span says.
    pub host: String,
}

/// Kinds of resources.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub enum ResourceKind {
    /// A database.
    Database,
    /// A cache: Redis, Memcached.
    Cache,
    /// Another HTTP service.
    Http,
    /// A message broker.
    Messaging,
    /// A remote procedure, a cloud provider's API.
    Rpc,
    /// None of these.
    Other,
}

/// A process that sent spans.
#[derive(Debug, Clone, Default, PartialEq, Eq, Hash)]
pub struct Sender {
    /// Its service.
    pub service: String,
    /// Its host, or the instance of the service where no host is told.
    pub host: String,
    /// Its number there; 0 where it is not told.
    pub pid: u32,
    /// Version of its interpreter.
    pub python: String,
    /// How it runs, if its instrumentation tells.
    pub kind: Option<ServerKind>,
}

/// How the server that made the spans runs its handlers, if its instrumentation tells.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum ServerKind {
    /// WSGI.
    Sync,
    /// ASGI.
    Async,
}

/// Cache systems among `db.system` (semantic conventions, "Database").
const CACHES: &[&str] = &["redis", "memcached", "valkey"];

/// Last words of instrumentation scopes, by the kind of their server.
const SERVER_SCOPES: &[(&str, ServerKind)] = &[
    ("flask", ServerKind::Sync),
    ("wsgi", ServerKind::Sync),
    ("pyramid", ServerKind::Sync),
    ("fastapi", ServerKind::Async),
    ("starlette", ServerKind::Async),
    ("asgi", ServerKind::Async),
    ("aiohttp_server", ServerKind::Async),
    ("tornado", ServerKind::Async),
];

/// A view of attributes.
#[derive(Debug, Clone, Copy)]
pub(super) struct Attributes<'a>(pub(super) &'a [Attribute]);

impl<'a> Attributes<'a> {
    /// The first of `keys` that has text.
    pub(super) fn text(self, keys: &[&str]) -> Option<&'a str> {
        keys.iter().find_map(|key| {
            let value = self.value(key)?;
            value.text.as_deref().filter(|text| !text.is_empty())
        })
    }

    /// The first of `keys` that has a number.
    pub(super) fn number(self, keys: &[&str]) -> Option<u64> {
        keys.iter().find_map(|key| {
            let value = self.value(key)?;
            let integer = value.integer.as_ref().and_then(Integer::number);
            integer.or_else(|| value.text.as_deref()?.parse().ok())
        })
    }

    fn value(self, key: &str) -> Option<&'a super::otlp::Value> {
        let found = self.0.iter().find(|attribute| attribute.key == key)?;
        found.value.as_ref()
    }
}

/// The process that a resource describes.
pub(super) fn sender(resource: &Holder) -> Sender {
    let attributes = Attributes(&resource.attributes);
    let text = |keys: &[&str]| attributes.text(keys).unwrap_or_default().to_owned();
    let pid = attributes.number(&["process.pid"]);
    Sender {
        service: attributes
            .text(&["service.name"])
            .unwrap_or("unknown_service")
            .to_owned(),
        host: text(&[
            "host.name",
            "service.instance.id",
            "k8s.pod.name",
            "container.id",
        ]),
        pid: pid.and_then(|pid| u32::try_from(pid).ok()).unwrap_or(0),
        python: text(&["process.runtime.version"]),
        kind: None,
    }
}

/// The name of the endpoint that a server span answered: method and route, as recordings have it.
pub(super) fn endpoint(span: &Span) -> String {
    let attributes = Attributes(&span.attributes);
    let path = attributes.text(&["url.path", "http.target", "url.full", "http.url"]);
    let route = match attributes.text(&["http.route"]) {
        Some(route) => Some(slashed(route)),
        None => path.map(fold_path),
    };
    if let Some(route) = route {
        return match attributes.text(&["http.request.method", "http.method"]) {
            Some(method) => format!("{method} {route}"),
            None => route,
        };
    }
    if let Some(method) = attributes.text(&["rpc.method"]) {
        return match attributes.text(&["rpc.service"]) {
            Some(service) => format!("{service}/{method}"),
            None => method.to_owned(),
        };
    }
    // A span's name has few values by specification ("Span", trace API), but `GET /users/7` does
    // occur.
    fold_words(&span.name)
}

/// Django's routes have no slash at their front.
fn slashed(route: &str) -> String {
    if route.starts_with(['/', '^']) {
        route.to_owned()
    } else {
        format!("/{route}")
    }
}

/// Folds what looks like a path in a span's name.
fn fold_words(name: &str) -> String {
    let words = name.split_ascii_whitespace().map(|word| {
        if word.starts_with('/') {
            fold_path(word)
        } else {
            word.to_owned()
        }
    });
    words.collect::<Vec<_>>().join(" ")
}

/// The status code of the answer, if the span has it.
pub(super) fn status(span: &Span) -> Option<u64> {
    Attributes(&span.attributes).number(&["http.response.status_code", "http.status_code"])
}

/// What a client span waited for. `scope` is the name of the library that made it.
pub(super) fn resource(span: &Span, scope: &str) -> Resource {
    let attributes = Attributes(&span.attributes);
    let (kind, system) = kind_and_system(attributes);
    let driver = system
        .or_else(|| last_word(scope))
        .unwrap_or("unknown")
        .to_ascii_lowercase();
    Resource {
        kind,
        driver,
        host: host(attributes),
    }
}

fn kind_and_system(attributes: Attributes<'_>) -> (ResourceKind, Option<&str>) {
    if let Some(system) = attributes.text(&["db.system.name", "db.system"]) {
        let kind = if CACHES.contains(&system) {
            ResourceKind::Cache
        } else {
            ResourceKind::Database
        };
        return (kind, Some(system));
    }
    if let Some(system) = attributes.text(&["messaging.system"]) {
        return (ResourceKind::Messaging, Some(system));
    }
    // Before HTTP: gRPC and cloud APIs carry HTTP attributes too.
    if let Some(system) = attributes.text(&["rpc.system.name", "rpc.system"]) {
        return (ResourceKind::Rpc, Some(system));
    }
    let http = ["http.request.method", "http.method", "url.full", "http.url"];
    if attributes.text(&http).is_some() {
        return (ResourceKind::Http, None);
    }
    (ResourceKind::Other, None)
}

/// `opentelemetry.instrumentation.psycopg2` to `psycopg2`.
fn last_word(scope: &str) -> Option<&str> {
    scope
        .rsplit(['.', '/'])
        .next()
        .filter(|word| !word.is_empty())
}

fn host(attributes: Attributes<'_>) -> String {
    let named = attributes.text(&[
        "server.address",
        "net.peer.name",
        "network.peer.address",
        "net.peer.ip",
    ]);
    let host = named.or_else(|| host_of_url(attributes.text(&["url.full", "http.url"])?));
    let host = host.or_else(|| attributes.text(&["peer.service"]));
    let port = attributes.number(&["server.port", "net.peer.port", "network.peer.port"]);
    match (host, port) {
        (Some(host), Some(port)) if named.is_some() => format!("{host}:{port}"),
        (Some(host), _) => host.to_owned(),
        (None, _) => String::new(),
    }
}

/// Host and port of a URL, without the user that may stand before them.
fn host_of_url(url: &str) -> Option<&str> {
    let (_, rest) = url.split_once("://")?;
    let authority = rest.split(['/', '?', '#']).next()?;
    let host = authority.rsplit('@').next()?;
    (!host.is_empty()).then_some(host)
}

/// How the server behind a server span runs, by the library that made the span.
pub(super) fn server_kind(scope: &str) -> Option<ServerKind> {
    let word = last_word(scope)?;
    SERVER_SCOPES
        .iter()
        .find(|(name, _)| *name == word)
        .map(|(_, kind)| *kind)
}
