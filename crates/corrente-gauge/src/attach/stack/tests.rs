//! Stacks as the named servers and frameworks make them, and what they mean.

use super::*;

const SITE: &str = "/venv/lib/python3.11/site-packages/";

/// The position for a stack written outermost first, as `file function`; `@` is site-packages,
/// `~` the standard library.
fn position_of(stack: &[&str]) -> Position {
    let lines: Vec<(String, &str)> = stack
        .iter()
        .rev()
        .map(|line| {
            let (file, function) = line.split_once(' ').expect("file and function");
            let file = file.replace('@', SITE).replace('~', "/usr/lib/python3.11/");
            (file, function)
        })
        .collect();
    let known: Vec<Known<'_>> = lines
        .iter()
        .map(|(file, function)| {
            Known::new(
                Frame {
                    function,
                    file,
                    line: 7,
                },
                None,
            )
        })
        .collect();
    position(&known)
}

fn check(stack: &[&str], stage: Stage) {
    assert_eq!(position_of(stack).stage, stage, "{stack:?}");
}

fn endpoint_of(name: &str) -> Stage {
    Stage::Endpoint(name.to_owned())
}

const GUNICORN: &[&str] = &[
    "/venv/bin/gunicorn <module>",
    "@gunicorn/app/base.py run",
    "@gunicorn/arbiter.py spawn_worker",
    "@gunicorn/workers/base.py init_process",
    "@gunicorn/workers/sync.py run_for_one",
    "@gunicorn/workers/sync.py handle_request",
];

fn under<'a>(outer: &[&'a str], inner: &[&'a str]) -> Vec<&'a str> {
    [outer, inner].concat()
}

#[test]
fn a_flask_view_is_the_endpoint() {
    let flask = under(
        GUNICORN,
        &[
            "@flask/app.py __call__",
            "@flask/app.py wsgi_app",
            "@flask/app.py full_dispatch_request",
        ],
    );
    check(GUNICORN, Stage::Outside);
    check(&flask, Stage::Application);
    let dispatched = under(&flask, &["@flask/app.py dispatch_request"]);
    check(&dispatched, Stage::Application);
    check(
        &under(&dispatched, &["/srv/shop.py items"]),
        endpoint_of("shop:items"),
    );
    check(
        &under(
            &dispatched,
            &[
                "/srv/auth.py wrapper",
                "/srv/shop.py items",
                "/srv/db.py rows",
            ],
        ),
        endpoint_of("shop:items"),
    );
    check(
        &under(&dispatched, &["/srv/auth.py wrapper"]),
        Stage::Application,
    );
    check(
        &under(&dispatched, &["@flask/views.py view", "/srv/shop.py get"]),
        endpoint_of("shop:get:7"),
    );
    // The server's own frames inside of the application do not end the request.
    check(
        &under(&flask, &["@gunicorn/http/wsgi.py start_response"]),
        Stage::Application,
    );
}

#[test]
fn names_with_their_class_are_known() {
    let flask = under(
        GUNICORN,
        &[
            "@flask/app.py Flask.__call__",
            "@flask/app.py Flask.dispatch_request",
        ],
    );
    check(
        &under(&flask, &["/srv/shop.py Basket.get"]),
        endpoint_of("shop:Basket.get"),
    );
    check(
        &under(
            &flask,
            &["/srv/auth.py needed.<locals>.wrapper", "/srv/shop.py items"],
        ),
        endpoint_of("shop:items"),
    );
}

#[test]
fn a_django_view_is_the_endpoint() {
    let django = under(
        GUNICORN,
        &[
            "@django/core/handlers/wsgi.py __call__",
            "@django/core/handlers/base.py get_response",
            "@django/core/handlers/exception.py inner",
            "/srv/shop/middleware.py __call__",
            "@django/core/handlers/exception.py inner",
        ],
    );
    check(&django, Stage::Application);
    let dispatched = under(&django, &["@django/core/handlers/base.py _get_response"]);
    check(
        &under(&dispatched, &["/srv/shop/views.py basket"]),
        endpoint_of("views:basket"),
    );
    check(
        &under(
            &dispatched,
            &[
                "@django/views/generic/base.py view",
                "@django/views/generic/base.py dispatch",
                "/srv/shop/views.py get",
            ],
        ),
        endpoint_of("views:get:7"),
    );
}

const UVICORN: &[&str] = &[
    "/venv/bin/uvicorn <module>",
    "@uvicorn/main.py run",
    "~asyncio/runners.py run",
    "~asyncio/base_events.py run_until_complete",
    "~asyncio/base_events.py run_forever",
    "~asyncio/base_events.py _run_once",
    "~asyncio/events.py _run",
    "@uvicorn/protocols/http/httptools_impl.py run_asgi",
    "@uvicorn/middleware/proxy_headers.py __call__",
];

#[test]
fn a_fastapi_handler_is_the_endpoint() {
    let fastapi = under(
        UVICORN,
        &[
            "@fastapi/applications.py __call__",
            "@starlette/applications.py __call__",
            "/srv/timing.py __call__",
            "@starlette/routing.py app",
            "@fastapi/routing.py app",
        ],
    );
    check(UVICORN, Stage::Outside);
    check(&fastapi, Stage::Application);
    let handler = under(
        &fastapi,
        &[
            "@fastapi/routing.py run_endpoint_function",
            "/srv/api.py quote",
        ],
    );
    check(&handler, endpoint_of("api:quote"));
    let position = position_of(&handler);
    assert!(position.on_loop);
    assert_eq!(position.asgi, Some(true));
    assert_eq!(position.server.map(|server| server.name), Some("uvicorn"));
}

#[test]
fn a_handler_in_a_pools_thread_is_an_endpoint() {
    let thread = &["~threading.py _bootstrap", "~threading.py _bootstrap_inner"];
    check(
        &under(
            thread,
            &["@anyio/_backends/_asyncio.py run", "/srv/api.py report"],
        ),
        endpoint_of("api:report"),
    );
    check(
        &under(thread, &["@anyio/_backends/_asyncio.py run"]),
        Stage::Outside,
    );
    check(
        &under(
            thread,
            &["@asgiref/sync.py thread_handler", "/srv/api.py load"],
        ),
        endpoint_of("api:load"),
    );
}

#[test]
fn a_plain_application_is_an_endpoint() {
    check(
        &under(GUNICORN, &["/srv/plain.py application"]),
        endpoint_of("plain:application"),
    );
    check(
        &under(UVICORN, &["/srv/plain.py app"]),
        endpoint_of("plain:app:7"),
    );
}

#[test]
fn a_response_that_is_sent_is_not_over() {
    let inside = |inner: &[&'static str]| under(GUNICORN, inner);
    check(
        &inside(&[
            "@gunicorn/http/wsgi.py Response.write",
            "@gunicorn/util.py write_chunk",
        ]),
        Stage::Answering,
    );
    check(&inside(&["@gunicorn/http/wsgi.py create"]), Stage::Outside);
    // What is asked for the next part is the application, as before.
    check(
        &inside(&["@werkzeug/wsgi.py __next__", "/srv/shop.py rows"]),
        endpoint_of("shop:rows"),
    );
    check(
        &[
            "~wsgiref/handlers.py run",
            "~wsgiref/handlers.py finish_content",
        ],
        Stage::Answering,
    );
}

#[test]
fn importing_the_application_is_no_request() {
    check(
        &under(
            &["@gunicorn/app/wsgiapp.py load"],
            &[
                "<frozen importlib._bootstrap> _call",
                "/srv/shop.py <module>",
                "/srv/shop.py setup",
            ],
        ),
        Stage::Outside,
    );
}

#[test]
fn the_innermost_library_names_the_resource() {
    let driver = |inner: &[&str]| {
        let flask = under(
            GUNICORN,
            &["@flask/app.py dispatch_request", "/srv/shop.py items"],
        );
        position_of(&under(&flask, inner))
            .driver
            .map(|driver| driver.name)
    };
    assert_eq!(driver(&[]), None);
    assert_eq!(
        driver(&[
            "@requests/api.py get",
            "@urllib3/connection.py request",
            "~http/client.py begin",
            "~ssl.py read"
        ]),
        Some("http.client")
    );
    assert_eq!(
        driver(&[
            "@sqlalchemy/engine/base.py execute",
            "@sqlalchemy/engine/default.py do_execute"
        ]),
        Some("sqlalchemy")
    );
    assert_eq!(
        driver(&[
            "@sqlalchemy/engine/default.py do_execute",
            "@psycopg/cursor.py execute",
            "@psycopg/waiting.py wait"
        ]),
        Some("psycopg")
    );
    assert_eq!(driver(&["/srv/db.py rows"]), None);
}

#[test]
fn servers_and_workers_are_told() {
    let server = position_of(GUNICORN).server.expect("is there");
    assert_eq!(
        (server.name, server.worker.as_deref()),
        ("gunicorn", Some("sync"))
    );
    let pool = position_of(&[
        "~threading.py _bootstrap",
        "~concurrent/futures/thread.py _worker",
    ]);
    assert!(pool.in_pool && pool.waits_for_thread);
}

#[test]
fn a_protocol_that_a_server_speaks_is_no_endpoint() {
    let uvicorn = [
        "@uvicorn/server.py run",
        "~asyncio/base_events.py run_forever",
        "@uvicorn/protocols/http/h11_impl.py data_received",
        "@h11/_connection.py next_event",
    ];
    check(&uvicorn, Stage::Outside);
    // Below a client it is that client's.
    let client = [
        "@flask/app.py wsgi_app",
        "@flask/app.py dispatch_request",
        "/srv/shop.py items",
        "@httpx/_client.py get",
        "@h11/_connection.py next_event",
    ];
    let found = position_of(&client);
    assert_eq!(found.stage, endpoint_of("shop:items"));
    assert_eq!(found.driver.map(|driver| driver.name), Some("httpx"));
}

#[test]
fn greenlets_are_told_by_their_library() {
    let library = |stack: &[&str]| position_of(stack).greenlets;
    assert_eq!(library(&["@gevent/hub.py run"]), Some("gevent"));
    assert_eq!(library(&["@eventlet/hubs/hub.py run"]), Some("eventlet"));
    let request = [
        "@gevent/baseserver.py _do_handle",
        "@gunicorn/workers/base_async.py handle",
        "@flask/app.py wsgi_app",
        "/srv/shop.py items",
    ];
    assert_eq!(library(&request), Some("gevent"));
    assert_eq!(library(GUNICORN), None);
}
