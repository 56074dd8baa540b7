//! What a single Python frame is: server, framework, driver, standard library, or the user's own.
//!
//! A frame is known by its file's place in a package and by its function's name, which is all that
//! a stack read from outside has. The tables hold what the named projects' released versions have
//! had for years; an unknown framework is still told from its server, only its endpoints are then
//! named by the first function of the user's own. Pure.

/// A frame of a stack, as plain text.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Frame<'a> {
    /// With its class from Python 3.11 on: `Flask.dispatch_request`.
    pub(super) function: &'a str,
    pub(super) file: &'a str,
    /// First line of the function.
    pub(super) line: i32,
}

/// What a frame is.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Part {
    /// A server, up to where it calls the application.
    Server(&'static str),
    /// Where a framework takes a request.
    Entry(Style),
    /// Where a framework calls the view.
    Dispatch(Style),
    /// A pool's thread calls a function of the application.
    Pool,
    /// A framework otherwise: never an endpoint.
    Framework,
    /// The event loop.
    Loop,
    /// A thread of a pool, with or without work.
    PoolThread,
    /// A library that waits for something.
    Driver(Driver),
    /// The standard library otherwise, and protocols.
    Standard,
    /// A package otherwise.
    Package,
    /// The user's own code.
    Own,
}

/// How a framework is called.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Style {
    Wsgi,
    Asgi,
    /// Django and Falcon are both.
    Either,
}

/// A library that waits.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub(super) struct Driver {
    /// `database`, `http`, `cache` or `other`, as recordings have it.
    pub(super) kind: &'static str,
    pub(super) name: &'static str,
}

const fn driver(kind: &'static str, name: &'static str) -> Driver {
    Driver { kind, name }
}

/// Entries and dispatchers: file, function, what it is.
const PLACES: &[(&str, &str, Part)] = &[
    ("flask/app.py", "__call__", Part::Entry(Style::Wsgi)),
    ("flask/app.py", "wsgi_app", Part::Entry(Style::Wsgi)),
    (
        "flask/app.py",
        "dispatch_request",
        Part::Dispatch(Style::Wsgi),
    ),
    ("quart/app.py", "__call__", Part::Entry(Style::Asgi)),
    ("quart/app.py", "handle_request", Part::Entry(Style::Asgi)),
    (
        "quart/app.py",
        "dispatch_request",
        Part::Dispatch(Style::Asgi),
    ),
    (
        "django/core/handlers/wsgi.py",
        "__call__",
        Part::Entry(Style::Wsgi),
    ),
    (
        "django/core/handlers/asgi.py",
        "__call__",
        Part::Entry(Style::Asgi),
    ),
    (
        "django/core/handlers/base.py",
        "_get_response",
        Part::Dispatch(Style::Either),
    ),
    (
        "django/core/handlers/base.py",
        "_get_response_async",
        Part::Dispatch(Style::Asgi),
    ),
    (
        "starlette/applications.py",
        "__call__",
        Part::Entry(Style::Asgi),
    ),
    (
        "fastapi/applications.py",
        "__call__",
        Part::Entry(Style::Asgi),
    ),
    ("starlette/routing.py", "app", Part::Dispatch(Style::Asgi)),
    (
        "starlette/endpoints.py",
        "dispatch",
        Part::Dispatch(Style::Asgi),
    ),
    ("fastapi/routing.py", "app", Part::Dispatch(Style::Asgi)),
    (
        "fastapi/routing.py",
        "run_endpoint_function",
        Part::Dispatch(Style::Asgi),
    ),
    ("falcon/app.py", "__call__", Part::Dispatch(Style::Wsgi)),
    (
        "falcon/asgi/app.py",
        "__call__",
        Part::Dispatch(Style::Asgi),
    ),
    ("bottle.py", "_handle", Part::Dispatch(Style::Wsgi)),
    (
        "pyramid/router.py",
        "invoke_request",
        Part::Dispatch(Style::Wsgi),
    ),
    (
        "aiohttp/web_protocol.py",
        "_handle_request",
        Part::Dispatch(Style::Asgi),
    ),
    (
        "sanic/app.py",
        "handle_request",
        Part::Dispatch(Style::Asgi),
    ),
    ("tornado/web.py", "_execute", Part::Dispatch(Style::Asgi)),
    ("anyio/_backends/_asyncio.py", "run", Part::Pool),
    ("asgiref/sync.py", "thread_handler", Part::Pool),
];

/// Where servers send what an application gave them: file and function. Until they have, the request
/// is not over, and the application may be asked for more. Recordings from inside count it, too.
const ANSWERING: &[(&str, &str)] = &[
    ("gunicorn/http/wsgi.py", "send_headers"),
    ("gunicorn/http/wsgi.py", "write"),
    ("gunicorn/http/wsgi.py", "write_file"),
    ("gunicorn/http/wsgi.py", "close"),
    ("gunicorn/glogging.py", "access"),
    ("waitress/task.py", "write"),
    ("werkzeug/serving.py", "write"),
    ("wsgiref/handlers.py", "write"),
    ("wsgiref/handlers.py", "finish_content"),
];

/// Loops and pools of the standard library: file, function or any, what it is.
const STANDARD_PLACES: &[(&str, &str, Part)] = &[
    ("asyncio/base_events.py", "run_forever", Part::Loop),
    ("asyncio/base_events.py", "run_until_complete", Part::Loop),
    ("asyncio/base_events.py", "_run_once", Part::Loop),
    ("asyncio/runners.py", "run", Part::Loop),
    ("concurrent/futures/thread.py", "_worker", Part::PoolThread),
    (
        "http/client.py",
        "",
        Part::Driver(driver("http", "http.client")),
    ),
    (
        "urllib/request.py",
        "",
        Part::Driver(driver("http", "http.client")),
    ),
    (
        "subprocess.py",
        "",
        Part::Driver(driver("other", "subprocess")),
    ),
    ("smtplib.py", "", Part::Driver(driver("other", "smtplib"))),
    ("ftplib.py", "", Part::Driver(driver("other", "ftplib"))),
    (
        "sqlite3/dbapi2.py",
        "",
        Part::Driver(driver("database", "sqlite3")),
    ),
    ("wsgiref/", "", Part::Server("wsgiref")),
    ("socketserver.py", "", Part::Standard),
];

/// Packages by the beginning of their path. The first that fits decides.
const PACKAGES: &[(&str, Part)] = &[
    ("gunicorn/", Part::Server("gunicorn")),
    ("uvicorn/", Part::Server("uvicorn")),
    ("uvicorn_worker/", Part::Server("uvicorn")),
    ("hypercorn/", Part::Server("hypercorn")),
    ("granian/", Part::Server("granian")),
    ("waitress/", Part::Server("waitress")),
    ("werkzeug/serving.py", Part::Server("werkzeug")),
    ("django/core/servers/", Part::Server("django")),
    ("daphne/", Part::Server("daphne")),
    ("cheroot/", Part::Server("cheroot")),
    ("gevent/", Part::Server("gevent")),
    ("eventlet/", Part::Server("eventlet")),
    // Protocols that servers speak are never an endpoint, and no part of the application either.
    ("h11/", Part::Standard),
    ("h2/", Part::Standard),
    ("hpack/", Part::Standard),
    ("hyperframe/", Part::Standard),
    ("priority/", Part::Standard),
    ("wsproto/", Part::Standard),
    ("websockets/", Part::Standard),
    // The pages of Django's admin are views, of nobody's own.
    ("django/contrib/admin/options.py", Part::Package),
    (
        "django/db/backends/",
        Part::Driver(driver("database", "django.db")),
    ),
    (
        "sqlalchemy/engine/default.py",
        Part::Driver(driver("database", "sqlalchemy")),
    ),
    ("psycopg/", Part::Driver(driver("database", "psycopg"))),
    ("psycopg_pool/", Part::Driver(driver("database", "psycopg"))),
    ("psycopg2/", Part::Driver(driver("database", "psycopg2"))),
    ("asyncpg/", Part::Driver(driver("database", "asyncpg"))),
    ("aiopg/", Part::Driver(driver("database", "psycopg2"))),
    ("pymysql/", Part::Driver(driver("database", "pymysql"))),
    ("aiomysql/", Part::Driver(driver("database", "pymysql"))),
    ("MySQLdb/", Part::Driver(driver("database", "mysqlclient"))),
    (
        "mysql/connector/",
        Part::Driver(driver("database", "mysql.connector")),
    ),
    ("oracledb/", Part::Driver(driver("database", "oracledb"))),
    ("pymongo/", Part::Driver(driver("database", "pymongo"))),
    ("cassandra/", Part::Driver(driver("database", "cassandra"))),
    (
        "clickhouse_connect/",
        Part::Driver(driver("database", "clickhouse")),
    ),
    ("redis/", Part::Driver(driver("cache", "redis"))),
    ("valkey/", Part::Driver(driver("cache", "valkey"))),
    ("pymemcache/", Part::Driver(driver("cache", "pymemcache"))),
    ("httpx/", Part::Driver(driver("http", "httpx"))),
    ("httpx2/", Part::Driver(driver("http", "httpx"))),
    ("httpcore/", Part::Driver(driver("http", "httpx"))),
    ("aiohttp/client", Part::Driver(driver("http", "aiohttp"))),
    ("aiohttp/connector", Part::Driver(driver("http", "aiohttp"))),
    ("requests/", Part::Driver(driver("http", "http.client"))),
    ("urllib3/", Part::Driver(driver("http", "http.client"))),
    ("botocore/", Part::Driver(driver("http", "http.client"))),
    ("pycurl", Part::Driver(driver("http", "pycurl"))),
    ("grpc/", Part::Driver(driver("other", "grpc"))),
    ("pika/", Part::Driver(driver("other", "pika"))),
    ("kombu/", Part::Driver(driver("other", "kombu"))),
    ("kafka/", Part::Driver(driver("other", "kafka"))),
    (
        "elastic_transport/",
        Part::Driver(driver("database", "elasticsearch")),
    ),
];

/// Packages that stand around views and are none: frameworks and what is put between.
const FRAMEWORKS: &[&str] = &[
    "flask/",
    "werkzeug/",
    "django/",
    "starlette/",
    "fastapi/",
    "quart/",
    "falcon/",
    "asgiref/",
    "anyio/",
    "sniffio/",
    "bottle.py",
    "pyramid/",
    "sanic/",
    "tornado/",
    "aiohttp/",
    "uvloop/",
    "rest_framework/",
    "ninja/",
    "connexion/",
    "flask_login/",
    "flask_restful/",
    "flask_cors/",
    "corsheaders/",
    "whitenoise/",
    "a2wsgi/",
    "opentelemetry/",
    "sentry_sdk/",
    "ddtrace/",
    "newrelic/",
    "elasticapm/",
    "wrapt/",
    "blinker/",
    "click/",
    "pydantic/",
    "sqlalchemy/",
    "jinja2/",
    "prometheus_client/",
    "prometheus_flask_exporter/",
    "slowapi/",
    "litestar/",
    "greenlet/",
    "debug_toolbar/",
    "corrente/",
];

impl<'a> Frame<'a> {
    /// The function's name without its class or the function around it.
    pub(super) fn name(self) -> &'a str {
        self.function.rsplit('.').next().unwrap_or(self.function)
    }
}

/// Whether a server sends a response there.
pub(super) fn is_answering(frame: Frame<'_>) -> bool {
    match origin(frame.file) {
        Origin::Package(path) | Origin::Standard(path) => ANSWERING.contains(&(path, frame.name())),
        Origin::Own => false,
    }
}

/// What a frame is.
pub(super) fn part_of(frame: Frame<'_>) -> Part {
    match origin(frame.file) {
        Origin::Package(path) => part_of_package(path, frame.name()),
        Origin::Standard(path) => {
            place(STANDARD_PLACES, path, frame.name()).unwrap_or(Part::Standard)
        }
        Origin::Own => Part::Own,
    }
}

fn part_of_package(path: &str, function: &str) -> Part {
    if let Some(part) = place(PLACES, path, function) {
        return part;
    }
    if let Some((_, part)) = PACKAGES.iter().find(|(begin, _)| path.starts_with(begin)) {
        return *part;
    }
    if FRAMEWORKS.iter().any(|begin| path.starts_with(begin)) {
        return Part::Framework;
    }
    Part::Package
}

fn place(table: &[(&str, &str, Part)], path: &str, function: &str) -> Option<Part> {
    table
        .iter()
        .find(|(file, name, _)| {
            let file_fits = if name.is_empty() {
                path.starts_with(file)
            } else {
                path == *file
            };
            file_fits && (name.is_empty() || *name == function)
        })
        .map(|(_, _, part)| *part)
}

enum Origin<'a> {
    /// Path below `site-packages`.
    Package(&'a str),
    /// Path below `lib/python3.N`.
    Standard(&'a str),
    Own,
}

fn origin(file: &str) -> Origin<'_> {
    for folder in ["/site-packages/", "/dist-packages/"] {
        if let Some((_, path)) = file.rsplit_once(folder) {
            return Origin::Package(path);
        }
    }
    if file.starts_with("<frozen ") {
        return Origin::Standard(file);
    }
    // `/usr/lib/python3.11/threading.py`, `/opt/python/lib/python3.13t/asyncio/runners.py`
    for folder in ["/lib/python3.", "/lib64/python3."] {
        if let Some((_, versioned)) = file.rsplit_once(folder)
            && let Some((_, path)) = versioned.split_once('/')
        {
            return Origin::Standard(path);
        }
    }
    Origin::Own
}

/// A module's name from its file: `/srv/shop/views.py` to `shop.views` where `package` is
/// `shop/views.py`, the path from the outermost folder with an `__init__.py`.
pub(super) fn module(file: &str, package: Option<&str>) -> String {
    let path = package.unwrap_or_else(|| file.rsplit('/').next().unwrap_or(file));
    let path = path.strip_suffix(".py").unwrap_or(path);
    let path = path.strip_suffix("/__init__").unwrap_or(path);
    path.replace('/', ".")
}
