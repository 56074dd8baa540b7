//! The recorder as servers and drivers use it, and the file that comes of it.

mod limits;

use std::time::Duration;

use corrente_record::{Endpoint, Recording};

use super::*;

/// A recorder in a folder of its own.
struct Fixture {
    folder: tempfile::TempDir,
    recorder: Recorder,
}

impl Fixture {
    fn new() -> Self {
        let folder = tempfile::tempdir().expect("a temporary folder");
        let recorder = Recorder::new(Settings {
            folder: folder.path().join("a.recording.d"),
            made_by: "test".to_owned(),
        });
        Self { folder, recorder }
    }

    fn database(&self) -> u16 {
        self.recorder.resource(Resource {
            kind: "database".to_owned(),
            driver: "psycopg".to_owned(),
            host: "db:5432".to_owned(),
        })
    }

    /// Ends the recording and reads it.
    fn recording(self) -> Recording {
        self.recorder.finish();
        let folder = self.folder.path().join("a.recording.d");
        crate::read::read(&[folder]).expect("the recorder wrote it")
    }
}

fn serve(recorder: &Recorder, route: &str) {
    let request = recorder.begin_wsgi().expect("it is measured");
    request.describe("GET", 7);
    request.name(route);
    request.status(200);
    request.sent(100);
    recorder.end(&request, Ending::Finished);
}

fn only(recording: &Recording) -> &Endpoint {
    assert_eq!(recording.endpoints.len(), 1, "{:?}", recording.endpoints);
    &recording.endpoints[0]
}

fn spin(time: Duration) {
    let begin = clock::thread_cpu();
    while clock::thread_cpu() - begin < time.as_nanos() as u64 {
        std::hint::spin_loop();
    }
}

#[test]
fn a_request_is_in_the_file() {
    let fixture = Fixture::new();
    serve(&fixture.recorder, "/users/{id}");
    let recording = fixture.recording();
    let endpoint = only(&recording);
    assert_eq!(endpoint.name, "GET /users/{id}");
    assert_eq!((endpoint.requests, endpoint.statuses["2xx"]), (1, 1));
    assert_eq!((endpoint.bytes_received, endpoint.bytes_sent), (7, 100));
    assert_eq!(endpoint.wall_ns.count, 1);
    assert_eq!(endpoint.alone.requests, 1);
    let process = &recording.processes[0];
    assert_eq!(process.pid, std::process::id());
    assert_eq!((process.requests_seen, process.requests_measured), (1, 1));
    assert_eq!(process.in_flight.max, 1);
    assert!(
        process
            .memory
            .rss_bytes
            .is_some_and(|bytes| bytes > 1_000_000)
    );
}

#[test]
fn a_request_that_is_being_answered_is_in_no_figure_yet() {
    let fixture = Fixture::new();
    let folder = fixture.folder.path().join("a.recording.d");
    // Made here, so that nobody has to wait for the writer's thread to do so.
    std::fs::create_dir_all(&folder).expect("it is new");
    let open = fixture.recorder.begin_asgi().expect("it is measured");
    serve(&fixture.recorder, "/");
    fixture.recorder.flush();
    let seen = |recording: &Recording| recording.processes[0].requests_seen;
    let recording = crate::read::read(&[folder]).expect("it has just been written");
    assert_eq!(seen(&recording), 1);
    fixture.recorder.end(&open, Ending::Finished);
    assert_eq!(seen(&fixture.recording()), 2);
}

#[test]
fn waiting_and_working_are_told_apart() {
    let fixture = Fixture::new();
    let database = fixture.database();
    let request = fixture.recorder.begin_wsgi().expect("it is measured");
    spin(Duration::from_millis(10));
    for _ in 0..2 {
        begin_wait(Call {
            resource: database,
            site: 5,
            ..Call::default()
        });
        std::thread::sleep(Duration::from_millis(20));
        end_wait();
    }
    request.name("/");
    fixture.recorder.end(&request, Ending::Finished);
    let recording = fixture.recording();
    let endpoint = only(&recording);
    let ms = |ns: u64| ns / 1_000_000;
    assert!((10..30).contains(&ms(endpoint.cpu_ns.sum)), "{endpoint:?}");
    assert!(ms(endpoint.in_calls_ns.sum) >= 40);
    // Before, between and after the two calls.
    assert_eq!(endpoint.segment_cpu_ns.count, 3);
    let calls = &endpoint.calls[0];
    assert_eq!(calls.resource.driver, "psycopg");
    assert_eq!((calls.per_request.sum, calls.call_ns.count), (2, 2));
    assert!(ms(calls.call_ns.sum) >= 40 && ms(calls.cpu_ns) < 10);
    assert_eq!((calls.overlapped, calls.blocking), (0, 0));
    assert_eq!((calls.runs.length.count, calls.runs.length.sum), (1, 2));
    assert!(calls.runs.longest_ns * 2 >= calls.runs.wall_ns);
}

#[test]
fn the_dear_clocks_are_read_for_some_requests() {
    let fixture = Fixture::new();
    for _ in 0..200 {
        let request = fixture.recorder.begin_wsgi().expect("it is measured");
        std::thread::sleep(Duration::from_micros(50));
        request.name("/");
        fixture.recorder.end(&request, Ending::Finished);
    }
    let recording = fixture.recording();
    let endpoint = only(&recording);
    // One in 8 by chance; none, or each, would be one of 10^11 such runs.
    let sampled = endpoint.voluntary_switches.count;
    assert!((1..100).contains(&sampled), "{sampled}");
    assert!(endpoint.voluntary_switches.sum >= sampled);
    assert_eq!(endpoint.involuntary_switches.count, sampled);
    assert_eq!(recording.processes[0].sampling.switches_every, SAMPLE_WSGI);
}

#[test]
fn a_short_step_is_computing_and_a_long_one_may_stand_still() {
    let fixture = Fixture::new();
    let request = fixture.recorder.begin_asgi().expect("it is measured");
    leave(enter(&request, Place::Step));
    let long = enter(&request, Place::Step);
    std::thread::sleep(Duration::from_millis(20));
    leave(long);
    request.name("/");
    fixture.recorder.end(&request, Ending::Finished);
    let recording = fixture.recording();
    let endpoint = only(&recording);
    assert_eq!(endpoint.steps.sum, 2);
    assert!(endpoint.blocked_ns.sum >= 15_000_000, "{endpoint:?}");
    assert!(
        (1..5_000_000).contains(&endpoint.cpu_ns.sum),
        "{endpoint:?}"
    );
}

#[test]
fn nested_calls_are_part_of_the_outermost() {
    let fixture = Fixture::new();
    let database = fixture.database();
    let request = fixture.recorder.begin_wsgi().expect("it is measured");
    let call = Call {
        resource: database,
        ..Call::default()
    };
    assert_eq!(open_resource(), None);
    begin_wait(call);
    assert!(!is_noted());
    begin_wait(Call::default());
    assert_eq!(open_resource(), Some(database));
    end_wait();
    end_wait();
    assert!(is_noted());
    assert_eq!(open_resource(), None);
    fixture.recorder.end(&request, Ending::Finished);
    assert!(!is_noted());
    assert_eq!(only(&fixture.recording()).calls[0].per_request.sum, 1);
}

#[test]
fn finding_the_place_of_a_call_is_a_part_of_what_it_takes() {
    let fixture = Fixture::new();
    let resource = fixture.database();
    let request = fixture.recorder.begin_wsgi().expect("it is measured");
    let call = Call {
        resource,
        ..Call::default()
    };
    let site = || {
        spin(Duration::from_millis(5));
        7
    };
    begin_wait_at(call, site);
    // Within a call nobody asks.
    begin_wait_at(call, || unreachable!("it is not noted"));
    end_wait();
    end_wait();
    fixture.recorder.end(&request, Ending::Finished);
    let cpu_ns = only(&fixture.recording()).calls[0].cpu_ns;
    assert!(cpu_ns >= 5_000_000, "{cpu_ns}");
}

#[test]
fn of_a_driver_that_is_entered_by_programs_the_calls_hold_all_that_it_computes() {
    let entered = |driver: Option<&str>| {
        let fixture = Fixture::new();
        let resource = fixture.database();
        if let Some(driver) = driver {
            fixture
                .recorder
                .note(|about| about.enter(driver.to_owned()));
        }
        let request = fixture.recorder.begin_wsgi().expect("it is measured");
        begin_wait(Call {
            resource,
            ..Call::default()
        });
        end_wait();
        fixture.recorder.end(&request, Ending::Finished);
        only(&fixture.recording()).calls[0].entered
    };
    assert!(entered(Some("psycopg")));
    assert!(!entered(Some("requests")) && !entered(None));
}

#[test]
fn a_call_outside_a_request_is_not_noted() {
    let fixture = Fixture::new();
    begin_wait(Call::default());
    end_wait();
    serve(&fixture.recorder, "/");
    assert!(only(&fixture.recording()).calls.is_empty());
}

#[test]
fn a_request_within_a_request_is_a_part_of_it() {
    let fixture = Fixture::new();
    let outer = fixture.recorder.begin_wsgi().expect("it is measured");
    assert!(fixture.recorder.begin_wsgi().is_none());
    assert!(fixture.recorder.begin_asgi().is_none());
    fixture.recorder.end(&outer, Ending::Finished);
    assert_eq!(only(&fixture.recording()).requests, 1);
}

#[test]
fn a_response_that_nobody_closed_ends_with_the_next_request() {
    let fixture = Fixture::new();
    let first = fixture.recorder.begin_wsgi().expect("it is measured");
    first.returned();
    serve(&fixture.recorder, "/");
    let recording = fixture.recording();
    assert!(first.has_ended());
    let abandoned: u64 = recording.endpoints.iter().map(|one| one.abandoned).sum();
    assert_eq!(abandoned, 1);
}

#[test]
fn steps_of_a_coroutine_add_up_and_blocking_shows() {
    let fixture = Fixture::new();
    let database = fixture.database();
    let request = fixture.recorder.begin_asgi().expect("it is measured");
    let step = enter(&request, Place::Step);
    let nested = enter(&request, Place::Step);
    spin(Duration::from_millis(5));
    leave(nested);
    leave(step);
    let step = enter(&request, Place::Step);
    begin_wait(Call {
        resource: database,
        ..Call::default()
    });
    std::thread::sleep(Duration::from_millis(20));
    end_wait();
    leave(step);
    fixture.recorder.end(&request, Ending::Finished);
    let recording = fixture.recording();
    let endpoint = only(&recording);
    assert_eq!(endpoint.steps.sum, 2);
    assert_eq!(endpoint.segment_cpu_ns.count, 2);
    assert!((5_000_000..15_000_000).contains(&endpoint.cpu_ns.sum));
    assert!(endpoint.blocked_ns.sum >= 19_000_000);
    assert_eq!(endpoint.calls[0].blocking, 1);
    assert_eq!(recording.processes[0].threads[0].steps, 2);
}

#[test]
fn calls_of_a_coroutine_that_are_open_together_overlap() {
    let fixture = Fixture::new();
    let database = fixture.database();
    let request = fixture.recorder.begin_asgi().expect("it is measured");
    let call = Call {
        resource: database,
        site: 3,
        ..Call::default()
    };
    let step = enter(&request, Place::Step);
    let first = begin_async_wait(call).expect("within a request");
    let second = begin_async_wait(call).expect("within a request");
    leave(step);
    first.close_async();
    second.close_async();
    let step = enter(&request, Place::Step);
    begin_async_wait(call)
        .expect("within a request")
        .close_async();
    leave(step);
    fixture.recorder.end(&request, Ending::Finished);
    let recording = fixture.recording();
    let calls = &only(&recording).calls[0];
    assert_eq!((calls.per_request.sum, calls.overlapped), (3, 2));
    assert!(calls.runs.length.is_empty());
}

#[test]
fn work_in_a_pool_is_not_work_of_the_loop() {
    let fixture = Fixture::new();
    let request = fixture.recorder.begin_asgi().expect("it is measured");
    std::thread::scope(|scope| {
        scope.spawn(|| {
            let entered = enter(&request, Place::Pool);
            spin(Duration::from_millis(5));
            leave(entered);
        });
    });
    fixture.recorder.end(&request, Ending::Finished);
    let recording = fixture.recording();
    let endpoint = only(&recording);
    assert_eq!((endpoint.pool_calls, endpoint.cpu_ns.sum), (1, 0));
    assert!(endpoint.pool_cpu_ns >= 5_000_000);
}

#[test]
fn a_table_outlives_its_thread_and_the_accounts_agree() {
    let fixture = Fixture::new();
    for _ in 0..3 {
        std::thread::scope(|scope| {
            let recorder = &fixture.recorder;
            let thread = scope.spawn(move || {
                let request = recorder.begin_wsgi().expect("it is measured");
                spin(Duration::from_millis(5));
                recorder.end(&request, Ending::Finished);
            });
            // The end of the scope does not wait for what a thread does when it has ended.
            thread.join().expect("it does not panic");
        });
    }
    let recording = fixture.recording();
    let threads = &recording.processes[0].threads;
    assert_eq!(threads.len(), 1);
    assert_eq!(threads[0].requests, 3);
    assert!(threads[0].request_cpu_ns >= 15_000_000);
    assert!(threads[0].cpu_ns >= threads[0].request_cpu_ns);
}
