//! Behaviour of the import, on documents as exporters write them.

use std::sync::atomic::AtomicBool;

use proptest::prelude::*;
use serde_json::{Value, json};

use super::gather::Run;
use super::*;

/// One span; times in milliseconds.
fn span(id: u64, parent: u64, kind: u64, times: (u64, u64), attributes: &[(&str, &str)]) -> Value {
    let attributes: Vec<Value> = attributes
        .iter()
        .map(|(key, value)| json!({"key": key, "value": {"stringValue": value}}))
        .collect();
    json!({
        "traceId": "5b8efff798038103d269b633813fc60c",
        "spanId": format!("{id:016x}"),
        "parentSpanId": if parent == 0 { String::new() } else { format!("{parent:016X}") },
        "name": format!("span of kind {kind}"),
        "kind": kind,
        "startTimeUnixNano": (1_700_000_000_000_000_000 + times.0 * 1_000_000).to_string(),
        "endTimeUnixNano": (1_700_000_000_000_000_000 + times.1 * 1_000_000).to_string(),
        "attributes": attributes,
    })
}

fn document_of(service: &str, spans: &[Value]) -> String {
    json!({"resourceSpans": [{
        "resource": {"attributes": [{"key": "service.name", "value": {"stringValue": service}}]},
        "scopeSpans": [{
            "scope": {"name": "opentelemetry.instrumentation.flask"},
            "spans": spans,
        }],
    }]})
    .to_string()
}

fn document(spans: &[Value]) -> String {
    document_of("shop", spans)
}

fn import(sources: &[&[u8]], service: Option<&str>) -> Result<Imported, ImportError> {
    let cancel = AtomicBool::new(false);
    let mut import = Import::new(&cancel);
    for source in sources {
        import.read(*source, &mut |_| ())?;
    }
    import.requests(service)
}

fn read(text: &str) -> Result<Imported, ImportError> {
    import(&[text.as_bytes()], None)
}

fn only_request(spans: &[Value]) -> Request {
    let imported = read(&document(spans)).expect("is sound");
    let [request] = imported.requests.as_slice() else {
        panic!("{imported:?}");
    };
    request.clone()
}

const ROUTE: &[(&str, &str)] = &[
    ("http.method", "GET"),
    ("http.route", "/items/<int:id>"),
    ("http.target", "/items/7?q=1"),
];
const POSTGRES: &[(&str, &str)] = &[("db.system", "postgresql"), ("net.peer.name", "db")];
const SHOP: &[(&str, &str)] = &[
    ("http.method", "GET"),
    ("http.url", "http://user:secret@api.example:8080/x?token=1"),
];

fn ms(milliseconds: u64) -> u64 {
    milliseconds * 1_000_000
}

#[test]
fn a_request_waits_for_its_calls() {
    let request = only_request(&[
        span(1, 0, 2, (0, 100), ROUTE),
        span(2, 1, 1, (5, 90), &[]),
        span(3, 2, 3, (10, 30), POSTGRES),
        span(4, 1, 3, (40, 80), SHOP),
    ]);
    assert_eq!(request.endpoint, "GET /items/<int:id>");
    assert_eq!((request.wall, request.wait), (ms(100), ms(60)));
    let shown: Vec<_> = request
        .resources
        .iter()
        .map(|(resource, used)| {
            (
                resource.kind,
                resource.driver.as_str(),
                resource.host.as_str(),
                used.wait,
            )
        })
        .collect();
    assert!(
        shown.contains(&(ResourceKind::Database, "postgresql", "db", ms(20))),
        "{shown:?}"
    );
    assert!(
        shown.contains(&(ResourceKind::Http, "flask", "api.example:8080", ms(40))),
        "{shown:?}"
    );
}

#[test]
fn nothing_private_is_kept() {
    let imported = read(&document(&[
        span(
            1,
            0,
            2,
            (0, 9),
            &[("http.target", "/u/ada@example.org?token=1")],
        ),
        span(2, 1, 3, (1, 2), SHOP),
        span(
            3,
            1,
            3,
            (3, 4),
            &[("db.system", "mysql"), ("db.statement", "SELECT 'secret'")],
        ),
    ]));
    let shown = format!("{imported:?}");
    assert!(shown.contains("/u/{email}"), "{shown}");
    for secret in ["secret", "token", "ada"] {
        assert!(!shown.contains(secret), "{secret} in {shown}");
    }
}

#[test]
fn overlapping_calls_count_once_and_are_told() {
    let request = only_request(&[
        span(1, 0, 2, (0, 100), ROUTE),
        span(2, 1, 3, (10, 50), POSTGRES),
        span(3, 1, 3, (20, 60), POSTGRES),
        span(4, 1, 3, (70, 80), POSTGRES),
    ]);
    let used = &request.resources[0].1;
    assert_eq!((used.wait, used.overlapped), (ms(60), 2));
    assert_eq!(used.calls.len(), 3);
    assert!(used.runs.is_empty());
}

#[test]
fn like_calls_in_a_row_are_a_run() {
    let mut spans = vec![span(1, 0, 2, (0, 100), ROUTE)];
    spans.extend((0..5).map(|n| span(2 + n, 1, 3, (10 * n, 10 * n + 9), POSTGRES)));
    spans.push(span(9, 1, 3, (60, 70), SHOP));
    spans.push(span(10, 1, 3, (80, 90), POSTGRES));
    let request = only_request(&spans);
    let runs: Vec<_> = request
        .resources
        .iter()
        .flat_map(|(_, used)| &used.runs)
        .collect();
    assert_eq!(
        runs,
        [&Run {
            calls: 5,
            wall: ms(45),
            longest: ms(9)
        }]
    );
}

#[test]
fn a_call_inside_a_call_counts_once() {
    let request = only_request(&[
        span(1, 0, 2, (0, 100), ROUTE),
        span(2, 1, 3, (10, 50), SHOP),
        span(3, 2, 3, (20, 40), SHOP),
    ]);
    assert_eq!(request.resources[0].1.calls, [ms(40)]);
}

#[test]
fn a_request_instrumented_twice_is_one_request() {
    let request = only_request(&[
        span(1, 0, 2, (0, 100), ROUTE),
        span(2, 1, 1, (1, 99), &[]),
        span(3, 2, 2, (2, 98), ROUTE),
        span(4, 3, 3, (10, 50), POSTGRES),
    ]);
    assert_eq!((request.wall, request.wait), (ms(100), ms(40)));
}

#[test]
fn a_call_is_cut_to_its_request() {
    let request = only_request(&[
        span(1, 0, 2, (0, 100), ROUTE),
        span(2, 1, 4, (90, 300), &[("messaging.system", "kafka")]),
        span(3, 1, 3, (150, 300), POSTGRES),
    ]);
    assert_eq!(request.wait, ms(10));
    assert_eq!(request.resources.len(), 1);
    assert_eq!(request.resources[0].0.kind, ResourceKind::Messaging);
}

#[test]
fn the_other_service_of_a_trace_is_another_service() {
    let text = format!(
        "{}\n{}\n",
        document(&[
            span(1, 0, 2, (0, 100), ROUTE),
            span(2, 1, 3, (10, 50), SHOP)
        ]),
        document_of(
            "stock",
            &[
                span(3, 2, 2, (15, 45), ROUTE),
                span(4, 3, 3, (20, 30), POSTGRES)
            ]
        ),
    );
    let error = read(&text).expect_err("there are two");
    assert_eq!(
        error.to_string(),
        "requests of 2 services: shop, stock; choose one with `--service`"
    );
    let chosen = |service| import(&[text.as_bytes()], Some(service));
    assert_eq!(chosen("shop").expect("is there").requests[0].wait, ms(40));
    assert_eq!(chosen("stock").expect("is there").requests[0].wait, ms(10));
    let error = chosen("stok").expect_err("is not there").to_string();
    assert_eq!(
        error,
        "no request of service `stok`; there are: shop, stock"
    );
}

#[test]
fn documents_may_be_many_lines_files_and_old() {
    let old = document(&[span(1, 0, 2, (0, 10), ROUTE)])
        .replace("scopeSpans", "instrumentationLibrarySpans")
        .replace("\"kind\":2", "\"kind\":\"SPAN_KIND_SERVER\"");
    let pretty = serde_json::to_string_pretty(
        &serde_json::from_str::<Value>(&document(&[span(7, 0, 2, (5, 15), ROUTE)]))
            .expect("is ours"),
    )
    .expect("is ours");
    let sources = [old.as_bytes(), pretty.as_bytes()];
    let imported = import(&sources, None).expect("is sound");
    assert_eq!(imported.requests.len(), 2);
    assert_eq!(imported.observed.1 - imported.observed.0, ms(15));
    assert_eq!(imported.senders.len(), 1);
    assert_eq!(imported.senders[0].kind, Some(ServerKind::Sync));
}

#[test]
fn bad_input_is_one_line_that_says_what_to_do() {
    let check = |text: &str, expected: &str| {
        let error = read(text).expect_err("is bad").to_string();
        assert!(error.contains(expected), "{error}");
        assert!(!error.contains('\n'), "{error}");
    };
    let good = document(&[span(1, 0, 2, (0, 10), ROUTE)]);
    check("", "is empty");
    check(" \n", "is empty");
    check("\n[{}]", "document 1 is a JSON array");
    check("\n\u{10}\u{1}", "document 1 is no text: OTLP as protobuf");
    check("7", "expected an object with `resourceSpans`");
    check("hello", "line 1, column 1: expected value");
    check(
        &good[..good.len() / 2],
        "line 1: the file ends in the middle",
    );
    check("{\"data\":[]}", "document 1 is a Jaeger query's answer");
    check("{\"resourceMetrics\":[]}", "document 1 is OTLP metrics");
    check(
        "{\"schema\":\"corrente.recording/1\"}",
        "a document of Corrente's own",
    );
    check("{}", "document 1 is JSON of another kind");
    check(
        &format!("{good}\n{{}}"),
        "document 2 is JSON of another kind",
    );
    check("{\"resourceSpans\":7}", "line 1, column 19: invalid type");
    check("{\"resourceSpans\":[]}", "no request among 0 spans");
    check(
        &document(&[span(1, 0, 3, (0, 10), POSTGRES)]),
        "no request among 1 spans",
    );
}

#[test]
fn spans_without_time_are_counted_not_used() {
    let mut bad = span(2, 0, 2, (10, 5), ROUTE);
    let imported =
        read(&document(&[span(1, 0, 2, (0, 10), ROUTE), bad.clone()])).expect("is sound");
    assert_eq!((imported.requests.len(), imported.unusable_spans), (1, 1));
    bad["startTimeUnixNano"] = json!("-5");
    let imported = read(&document(&[span(1, 0, 2, (0, 10), ROUTE), bad])).expect("is sound");
    assert_eq!((imported.requests.len(), imported.unusable_spans), (1, 1));
}

#[test]
fn a_circle_of_parents_ends() {
    let imported = read(&document(&[
        span(1, 0, 2, (0, 10), ROUTE),
        span(2, 3, 1, (0, 10), &[]),
        span(3, 2, 1, (0, 10), &[]),
        span(4, 3, 3, (0, 10), POSTGRES),
    ]))
    .expect("is sound");
    assert_eq!(imported.calls_without_request, 1);
}

#[test]
fn an_import_can_be_cancelled() {
    let cancel = AtomicBool::new(true);
    let text = document(&[span(1, 0, 2, (0, 10), ROUTE)]);
    let result = Import::new(&cancel).read(text.as_bytes(), &mut |_| ());
    assert!(matches!(result, Err(ImportError::Cancelled)), "{result:?}");
}

#[test]
fn a_cache_is_no_database() {
    let request = only_request(&[
        span(1, 0, 2, (0, 100), ROUTE),
        span(
            2,
            1,
            3,
            (10, 50),
            &[("db.system.name", "redis"), ("server.address", "cache")],
        ),
    ]);
    assert_eq!(request.resources[0].0.kind, ResourceKind::Cache);
}

proptest! {
    #[test]
    fn waits_never_exceed_wall_and_no_resource_exceeds_the_whole(
        calls in prop::collection::vec((0_u64..120, 0_u64..60, any::<bool>()), 0..20),
    ) {
        let mut spans = vec![span(1, 0, 2, (10, 100), ROUTE)];
        spans.extend((2..).zip(&calls).map(|(id, (start, long, database))| {
            let attributes = if *database { POSTGRES } else { SHOP };
            span(id, 1, 3, (*start, start + long), attributes)
        }));
        let request = only_request(&spans);
        prop_assert!(request.wait <= request.wall);
        let each: Vec<u64> = request.resources.iter().map(|(_, used)| used.wait).collect();
        prop_assert!(each.iter().all(|wait| *wait <= request.wait));
        prop_assert!(each.iter().sum::<u64>() >= request.wait);
        for (_, used) in &request.resources {
            prop_assert!(used.overlapped <= used.calls.len() as u64);
            prop_assert!(used.calls.iter().sum::<u64>() >= used.wait);
            prop_assert!(used.runs.iter().map(|run| run.calls).sum::<u64>() <= used.calls.len() as u64);
        }
    }

    #[test]
    fn any_bytes_are_an_error_and_no_panic(bytes in prop::collection::vec(any::<u8>(), 0..200)) {
        prop_assert!(import(&[bytes.as_slice()], None).is_err());
    }
}

#[test]
fn the_recording_holds_what_spans_know_and_says_what_they_do_not() {
    let mut spans = vec![
        span(1, 0, 2, (0, 100), ROUTE),
        span(20, 0, 2, (50, 60), ROUTE),
    ];
    spans.extend((0..5).map(|n| span(2 + n, 1, 3, (10 * n, 10 * n + 9), POSTGRES)));
    let mut failed = span(
        30,
        0,
        2,
        (200, 210),
        &[("http.method", "PUT"), ("http.target", "/a/7")],
    );
    failed["status"] = json!({"code": 2});
    spans.push(failed);
    let recording = read(&document(&spans)).expect("is sound").recording("test");
    recording.validate().expect("is sound");
    let [process] = recording.processes.as_slice() else {
        panic!("{recording:?}");
    };
    assert_eq!((process.requests_seen, process.observed_ns), (3, ms(210)));
    assert_eq!((process.in_flight.max, process.in_flight.sum), (2, 4));
    let codes: Vec<&str> = process
        .cannot_tell
        .iter()
        .map(|doubt| doubt.code.as_str())
        .collect();
    assert!(codes.contains(&"cpu_time"), "{codes:?}");
    // What is not known is not zero.
    let service = crate::aggregate::aggregate(&recording).service;
    assert_eq!((service.server_cpu_ms, service.other_cpu_ms), (None, None));
    let named = |name: &str| {
        let found = recording
            .endpoints
            .iter()
            .find(|endpoint| endpoint.name == name);
        found.unwrap_or_else(|| panic!("{name} in {recording:?}"))
    };
    let items = named("GET /items/<int:id>");
    assert_eq!(
        (items.requests, items.wall_ns.sum, items.in_calls_ns.sum),
        (2, ms(110), ms(45))
    );
    assert_eq!((items.in_calls_ns.count, items.cpu_ns.count), (1, 0));
    let calls = &items.calls[0];
    assert_eq!(calls.resource.kind, "database");
    assert_eq!((calls.per_request.sum, calls.call_ns.sum), (5, ms(45)));
    assert_eq!((calls.runs.wall_ns, calls.runs.longest_ns), (ms(45), ms(9)));
    assert_eq!(named("PUT /a/{n}").statuses.get("5xx"), Some(&1));
}
