//! Limits, forks, and what cannot be measured: the recorder goes on and says so.
//!
//! Nothing here may fail or stop a service: each test ends with a recording that can be read.

use super::*;

#[test]
fn names_beyond_the_limit_are_other() {
    let fixture = Fixture::new();
    for number in 0..corrente_record::ENDPOINTS_MAX + 10 {
        // Spaced out, or recording would be found too dear for requests that do nothing.
        spin(Duration::from_micros(200));
        serve(&fixture.recorder, &format!("/{number}"));
    }
    let recording = fixture.recording();
    assert!(recording.endpoints.len() <= corrente_record::ENDPOINTS_MAX + 1);
    let other = recording.endpoints.iter().find(|one| one.name == "(other)");
    assert!(other.is_some_and(|other| other.requests > 0));
}

#[test]
fn what_no_route_wanted_shares_a_name() {
    let fixture = Fixture::new();
    fixture.recorder.know_routes();
    for path in ["/wp-login.php", "/admin.php"] {
        let request = fixture.recorder.begin_wsgi().expect("it is measured");
        request.describe("GET", 0);
        request.status(404);
        request.name_by_path(path);
        fixture.recorder.end(&request, Ending::Finished);
    }
    let recording = fixture.recording();
    let endpoint = only(&recording);
    assert_eq!(
        (endpoint.name.as_str(), endpoint.requests),
        ("(no route)", 2)
    );
}

#[test]
fn after_a_fork_nothing_of_the_parent_is_left() {
    let fixture = Fixture::new();
    fixture
        .recorder
        .note(|about| about.watch("flask 3.1".to_owned()));
    serve(&fixture.recorder, "/parent");
    fixture.recorder.after_fork();
    serve(&fixture.recorder, "/child");
    fixture.recorder.finish();
    let folder = fixture.folder.path().join("a.recording.d");
    let files = std::fs::read_dir(folder).expect("it is there");
    let texts: Vec<String> = files
        .flatten()
        .filter_map(|file| std::fs::read_to_string(file.path()).ok())
        .collect();
    let child = texts.iter().find(|text| text.contains("/child"));
    let child = child.expect("the child wrote its file");
    assert!(!child.contains("/parent"));
    assert!(child.contains("flask 3.1"));
}

#[test]
fn without_a_request_there_is_no_file() {
    let fixture = Fixture::new();
    fixture.recorder.finish();
    assert!(!fixture.folder.path().join("a.recording.d").exists());
}

#[test]
fn a_response_closed_in_another_thread_is_not_measured_and_stops_nothing() {
    let fixture = Fixture::new();
    let moved = fixture.recorder.begin_wsgi().expect("it is measured");
    moved.name("/moved");
    moved.returned();
    std::thread::scope(|scope| {
        scope.spawn(|| fixture.recorder.end(&moved, Ending::Finished));
    });
    serve(&fixture.recorder, "/next");
    let recording = fixture.recording();
    // Its CPU time would be 0.
    assert_eq!(only(&recording).name, "GET /next");
    let process = &recording.processes[0];
    assert_eq!((process.requests_seen, process.requests_measured), (2, 1));
    assert_eq!(process.cannot_tell[0].code, "moved_thread");
}

#[test]
fn after_a_fork_nothing_of_the_parent_is_running() {
    let fixture = Fixture::new();
    let parents = fixture.recorder.begin_wsgi().expect("it is measured");
    begin_wait(Call::default());
    fixture.recorder.after_fork();
    assert!(!is_noted());
    serve(&fixture.recorder, "/child");
    let recording = fixture.recording();
    assert_eq!(only(&recording).name, "GET /child");
    assert!(only(&recording).calls.is_empty());
    drop(parents);
}

#[test]
fn a_child_knows_the_resources_that_hooks_got_in_the_parent() {
    // A driver that was imported before the fork (Gunicorn's `--preload`) keeps its number.
    let fixture = Fixture::new();
    let database = Resource {
        kind: "database".to_owned(),
        driver: "sqlite3".to_owned(),
        host: "(local)".to_owned(),
    };
    let number = fixture.recorder.resource(database.clone());
    fixture.recorder.after_fork();
    let request = fixture.recorder.begin_wsgi().expect("it is measured");
    begin_wait(Call {
        resource: number,
        ..Call::default()
    });
    end_wait();
    fixture.recorder.end(&request, Ending::Finished);
    let recording = fixture.recording();
    assert_eq!(only(&recording).calls.len(), 1);
    assert_eq!(only(&recording).calls[0].resource, database);
}

#[test]
fn where_requests_are_left_out_nobody_is_said_to_be_alone() {
    let fixture = Fixture::new();
    serve(&fixture.recorder, "/");
    let state = fixture.recorder.state().expect("it records");
    state.sample();
    serve(&fixture.recorder, "/");
    let recording = fixture.recording();
    assert_eq!(only(&recording).requests, 2);
    assert_eq!(only(&recording).alone.requests, 1);
    assert_eq!(recording.processes[0].in_flight.count, 1);
}
