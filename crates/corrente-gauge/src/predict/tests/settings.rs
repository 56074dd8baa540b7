//! What a server can be set to, and how the connections of each side are given out.
//!
//! A setting that cannot be made is no advice, and a pool serves in the order of its own driver.

use corrente_model::service::Connections;

use super::*;

#[test]
fn a_server_of_one_process_is_given_threads_only() {
    let shape = Shape {
        cpu_ms: 40,
        call_ms: 400,
        ..SHAPE
    };
    let mut recording = recording(1, shape);
    recording.processes[0].cores = Some(1.0);
    recording.processes[0].server = Server {
        name: "waitress".to_owned(),
        version: "3".to_owned(),
        worker: "threads".to_owned(),
        workers: Some(1),
        threads: Some(2),
    };
    let (verdict, reason) = judged(&recording);
    let (Reason::BetterSetting { setting, flags, .. }
    | Reason::BeyondSetting { setting, flags, .. }) = reason
    else {
        panic!("{verdict:?}: {reason:?}");
    };
    assert_eq!(setting.workers, 1);
    assert!(flags.starts_with("--threads "), "{flags}");
}

/// A service of two workers whose calls go to a database by this driver.
fn recording_of_driver(driver: &str) -> Recording {
    let mut recording = recording(2, SHAPE);
    recording.endpoints[0].calls[0].resource = Resource {
        kind: "database".to_owned(),
        driver: driver.to_owned(),
        host: "db:5432".to_owned(),
    };
    recording
}

/// What `ask` makes of such a service whose pool is set to five.
fn with_a_pool<R>(driver: &str, ask: impl Fn(&Figures, &Reading, &Settings) -> R) -> R {
    let recording = recording_of_driver(driver);
    let figures = aggregate::aggregate(&recording);
    let reading = Reading::new(&recording, &figures);
    let asked = Settings {
        pool: Some(5),
        ..Settings::default()
    };
    ask(&figures, &reading, &asked)
}

#[test]
fn connections_are_given_out_as_the_driver_of_each_side_does() {
    let connections = |driver: &str| {
        let found = with_a_pool(driver, present::deployments);
        [found.before, found.after].map(|side| side.connections)
    };
    let fair = vec![Connections::PerProcess(5)];
    // asyncpg takes the place of Psycopg 2, and whoever asks first gets its connections.
    let barging = vec![Connections::Barging(5)];
    assert_eq!(connections("psycopg2"), [fair.clone(), barging]);
    assert_eq!(connections("psycopg"), [fair.clone(), fair]);
}

#[test]
fn a_loop_that_stays_keeps_its_driver() {
    let connections = |driver: &str| with_a_pool(driver, present::looped).connections;
    assert_eq!(connections("psycopg2"), [Connections::PerProcess(5)]);
    assert_eq!(connections("asyncpg"), [Connections::Barging(5)]);
}
