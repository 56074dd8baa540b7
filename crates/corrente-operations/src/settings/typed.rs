//! The settings with types, in groups, for those who act on them.
//!
//! Made from [`Values`], which have been checked: nothing here can fail. A limit or timeout that is
//! `off` is `None`.

use std::path::PathBuf;
use std::time::Duration;

use super::Values;
use super::kind::{Switch, Value};
use crate::listen::Address;

/// Everything that `corrente serve` goes by.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Settings {
    /// What is served.
    pub application: Application,
    /// Where it listens.
    pub sockets: Sockets,
    /// Processes and their lives.
    pub processes: Processes,
    /// How long anything may take.
    pub timeouts: Timeouts,
    /// How much of anything is taken.
    pub limits: Limits,
    /// HTTP and what stands before the application.
    pub web: Web,
    /// WebSocket.
    pub web_socket: WebSocket,
    /// TLS; `None` without a certificate.
    pub tls: Option<Tls>,
    /// Logs and measurements.
    pub logging: Logging,
    /// Development.
    pub development: Development,
}

/// What is served.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Application {
    /// `MODULE:ATTRIBUTE`; `None` where none was given.
    pub target: Option<String>,
    /// Whether the attribute makes the application.
    pub factory: Switch,
    /// How it is called.
    pub interface: Interface,
    /// The folder in which modules are looked for first.
    pub folder: PathBuf,
    /// ASGI's lifespan.
    pub lifespan: Lifespan,
    /// Other applications below prefixes.
    pub mounts: Vec<Mount>,
    /// Folders of files below prefixes.
    pub static_folders: Vec<StaticFolder>,
    /// How long clients may keep a static file.
    pub static_max_age: Option<Duration>,
    /// The path below which a proxy shows the application, without a slash at its end.
    pub root_path: String,
    /// The event loop.
    pub event_loop: Loop,
}

/// How an application is called.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Interface {
    /// What its signature says.
    Auto,
    /// ASGI.
    Asgi,
    /// WSGI.
    Wsgi,
}

/// Whether ASGI's lifespan is run.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Lifespan {
    /// Where the application takes it.
    Auto,
    /// It must.
    On,
    /// Not.
    Off,
}

/// Which event loop runs.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Loop {
    /// Ours.
    Corrente,
    /// Python's own.
    Asyncio,
}

/// An application below a prefix.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Mount {
    /// With a leading slash, without one at the end.
    pub prefix: String,
    /// `MODULE:ATTRIBUTE`.
    pub target: String,
}

/// Files below a prefix.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct StaticFolder {
    /// With a leading slash, without one at the end.
    pub prefix: String,
    /// Where the files are.
    pub folder: PathBuf,
}

/// Where the server listens.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Sockets {
    /// Addresses, and descriptors that were given by number.
    pub addresses: Vec<Address>,
    /// Whether somebody asked for these addresses; else systemd's sockets take their place.
    pub asked: Switch,
    /// Connections that may wait to be taken; `None` where whoever takes them is to listen.
    pub backlog: Option<u32>,
    /// Of Unix sockets.
    pub unix_permissions: u32,
    /// `SO_REUSEPORT`.
    pub reuse_port: Switch,
}

/// Processes and their lives.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Processes {
    /// Workers; `None` for one a processor.
    pub workers: Option<usize>,
    /// What they are.
    pub workers_as: WorkersAs,
    /// Threads for WSGI in a worker.
    pub threads: usize,
    /// Requests after which a worker goes.
    pub max_requests: Option<u64>,
    /// Up to so many more, by chance.
    pub max_requests_jitter: u64,
    /// Age at which a worker goes, give or take a tenth.
    pub max_lifetime: Option<Duration>,
    /// Memory above which a worker goes.
    pub max_memory_bytes: Option<u64>,
    /// Where the parent's process id is written.
    pub pid_file: Option<PathBuf>,
}

/// What workers are.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum WorkersAs {
    /// Each a process.
    Processes,
    /// All of them threads of one process.
    Threads,
}

/// How long anything may take.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Timeouts {
    /// A request head.
    pub header: Option<Duration>,
    /// Between pieces of a request body.
    pub body: Option<Duration>,
    /// A client that takes nothing of a response.
    pub write: Option<Duration>,
    /// A kept connection between requests.
    pub idle: Option<Duration>,
    /// Requests that run when a worker is to stop.
    pub graceful: Duration,
    /// A worker until it is ready.
    pub startup: Duration,
    /// A worker whose loop does not turn.
    pub hang: Option<Duration>,
}

/// How much of anything is taken.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Limits {
    /// Fields of a request head.
    pub headers: usize,
    /// A request head.
    pub head_bytes: usize,
    /// A request target.
    pub target_bytes: usize,
    /// A request body.
    pub body_bytes: Option<u64>,
    /// A request body in a second, averaged over its timeout.
    pub body_rate: Option<u64>,
    /// Requests over one connection.
    pub connection_requests: Option<u64>,
    /// Requests that run at once in a worker.
    pub concurrent_requests: Option<usize>,
    /// Requests that wait for a thread of a worker.
    pub queued_requests: usize,
    /// Open connections of a worker.
    pub connections: usize,
}

/// HTTP and what stands before the application.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Web {
    /// HTTP/2.
    pub http2: Switch,
    /// Networks whose words about clients are believed: `10.0.0.0/8`, an address, `unix`, `*`.
    pub trusted_proxies: Vec<String>,
    /// The PROXY protocol.
    pub proxy_protocol: ProxyProtocol,
    /// The Server field.
    pub server_header: Option<String>,
    /// The Date field.
    pub date_header: Switch,
    /// Fields of every response: name and value.
    pub headers: Vec<(String, String)>,
    /// X-Request-ID.
    pub request_id: RequestId,
    /// Answers while the loop turns.
    pub health_path: Option<String>,
    /// Answers 200 while requests are taken.
    pub ready_path: Option<String>,
    /// Prometheus metrics.
    pub metrics_path: Option<String>,
}

/// Whether connections begin with the PROXY protocol.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum ProxyProtocol {
    /// No.
    Off,
    /// Those of trusted proxies may.
    On,
    /// All have to.
    Required,
}

/// Where request ids come from.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum RequestId {
    /// There are none.
    Off,
    /// From the server.
    Made,
    /// From trusted proxies, else from the server.
    Trusted,
}

/// WebSocket.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct WebSocket {
    /// A message, uncompressed.
    pub message_bytes: usize,
    /// Messages that wait for the application.
    pub queue: usize,
    /// Silence before a ping.
    pub ping_interval: Option<Duration>,
    /// For the answer.
    pub ping_timeout: Option<Duration>,
    /// permessage-deflate.
    pub deflate: Switch,
}

/// TLS.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Tls {
    /// The certificate chain's file.
    pub certificate: PathBuf,
    /// The private key's file.
    pub key: Option<PathBuf>,
    /// The private key's password.
    pub password: Option<String>,
    /// The file of authorities for clients.
    pub authorities: Option<PathBuf>,
    /// Whether clients show a certificate.
    pub client: ClientCertificates,
    /// Ciphers of TLS 1.2.
    pub ciphers: Option<String>,
    /// `1.2` or `1.3`.
    pub minimum: String,
}

/// Whether clients show a certificate.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum ClientCertificates {
    /// They are not asked.
    None,
    /// They are asked.
    Optional,
    /// They have to.
    Required,
}

/// Logs and measurements.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Logging {
    /// Where requests are logged.
    pub access: AccessLog,
    /// `common`, `combined`, `json`, or a format string.
    pub access_format: String,
    /// `debug`, `info`, `warning`, `error`.
    pub level: String,
    /// Where the server's own messages go; `None` for standard error.
    pub file: Option<PathBuf>,
    /// How long the event loop may be held up before it is told.
    pub stall: Option<Duration>,
    /// Where what endpoints cost is recorded.
    pub gauge: Option<PathBuf>,
}

/// Where requests are logged.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum AccessLog {
    /// Nowhere.
    Off,
    /// Standard output.
    Standard,
    /// A file.
    File(PathBuf),
}

/// Development.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Development {
    /// Whether workers are replaced when a file changes.
    pub reload: Switch,
    /// Folders to watch.
    pub folders: Vec<PathBuf>,
    /// Names of files to watch.
    pub include: Vec<String>,
    /// Names not to watch.
    pub exclude: Vec<String>,
}

mod reading;
