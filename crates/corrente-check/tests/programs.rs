//! The suite of small programs, each with its expected findings beside the code.
//!
//! A `.case` file has programs under `### name`, files under `#@ path`, and `#! call` on each line
//! where a finding is expected. `held_out` is run for the record only: nobody reads it while working.
//! `named` has a program for each driver and framework that users are promised, with its twin that
//! does not block beside it; there nothing may be missed and nothing may be told too much.

use std::collections::BTreeSet;
use std::fs;
use std::path::Path;

use corrente_check::{Catalogue, Certainty, Source, check};

/// The differences that are left; docs/guide/check.md has the figures.
const KNOWN: &[&str] = &[
    "extra  eighth_author_language/plugins_found_by_their_base: plugins/disk.py:6 walk",
    "missed eighth_author_mixed/overloads_and_type_guards: main.py:22 sleep",
    "missed fourth_author_services/tornado_handler_with_mixin_and_prepare: main.py:17 open",
    "extra  ninth_author_clean/containers_that_keep_slow_things_unused: main.py:4 sleep",
    "extra  ninth_author_clean/properties_of_other_instances: main.py:8 stat",
    "missed ninth_author_drivers/sqlalchemy_events_that_wait: main.py:9 post",
    "missed ninth_author_language/class_decorators_and_wrapped_methods: main.py:12 open",
    "extra  ninth_author_language/registering_decorators_that_leave_alone: main.py:16 sleep",
    "extra  ninth_author_layers/service_locator_with_lazy_providers: main.py:26 touch",
    "extra  ninth_author_more/mocked_in_a_demo: main.py:7 get",
    "extra  ninth_author_more/nested_functions_never_called: main.py:5 sleep",
    "extra  ninth_author_near_misses/isinstance_takes_the_other_way: main.py:11 open",
    "extra  ninth_author_near_misses/events_of_two_buses: main.py:12 SMTP",
    "extra  ninth_author_near_misses/events_of_two_buses: main.py:12 sendmail",
    "extra  ninth_author_near_misses/generator_context_that_yields_before_waiting: main.py:11 sleep",
    "extra  ninth_author_near_misses/generator_context_that_yields_before_waiting: main.py:9 sleep",
    "extra  ninth_author_variations/table_of_a_parameter_with_more_callers: main.py:4 sleep",
    "extra  ninth_author_variations/sums_over_lists_of_two_kinds: main.py:7 getsize",
    "extra  ninth_author_variations/managers_held_by_objects: main.py:6 sleep",
    "extra  second_author_near_misses/classes_of_two_owners_deep: main.py:18 sleep",
    "missed sixth_author_language/protocol_made_by_a_factory_with_arguments: main.py:8 call",
    "missed sixth_author_language/exception_with_arguments_that_are_called: main.py:3 sleep",
    "missed sixth_author_language/class_made_by_type: main.py:3 sleep",
];

struct Program {
    name: String,
    sources: Vec<Source>,
    expected: BTreeSet<String>,
}

#[derive(Default)]
struct Score {
    programs: usize,
    hits: usize,
    missed: usize,
    extra: usize,
    told: Vec<String>,
}

impl Score {
    fn recall(&self) -> f64 {
        self.hits as f64 / (self.hits + self.missed).max(1) as f64
    }

    fn precision(&self) -> f64 {
        self.hits as f64 / (self.hits + self.extra).max(1) as f64
    }
}

fn programs(folder: &str) -> Vec<Program> {
    let path = Path::new(env!("CARGO_MANIFEST_DIR"))
        .join("tests")
        .join(folder);
    let mut files: Vec<_> = fs::read_dir(path)
        .expect("the suite is there")
        .map(|entry| entry.expect("it can be listed").path())
        .collect();
    files.sort();
    let mut found = Vec::new();
    for file in files {
        let text = fs::read_to_string(&file).expect("it is text");
        let stem = file
            .file_stem()
            .and_then(|stem| stem.to_str())
            .unwrap_or_default()
            .to_owned();
        for part in text.split("### ").skip(1) {
            let (name, body) = part.split_once('\n').expect("a program has a body");
            found.push(program(format!("{stem}/{name}"), body));
        }
    }
    found
}

fn program(name: String, body: &str) -> Program {
    let mut sources: Vec<Source> = Vec::new();
    for line in body.lines() {
        if let Some(path) = line.strip_prefix("#@ ") {
            sources.push(Source {
                path: path.to_owned(),
                module: None,
                text: String::new(),
            });
            continue;
        }
        if sources.is_empty() {
            sources.push(Source {
                path: "main.py".to_owned(),
                module: None,
                text: String::new(),
            });
        }
        let source = sources.last_mut().expect("one was just made");
        source.text.push_str(line);
        source.text.push('\n');
    }
    let expected = sources
        .iter()
        .flat_map(|source| {
            (1..).zip(source.text.lines()).filter_map(|(line, text)| {
                let (_, call) = text.split_once("#!")?;
                let last = call.trim().rsplit('.').next()?;
                Some(format!("{}:{line} {last}", source.path))
            })
        })
        .collect();
    // The marks themselves must not change the program.
    for source in &mut sources {
        let lines: Vec<&str> = source
            .text
            .lines()
            .map(|line| line.split("#!").next().unwrap_or(line))
            .collect();
        source.text = lines.join("\n") + "\n";
    }
    Program {
        name,
        sources,
        expected,
    }
}

fn run(folder: &str) -> Score {
    let catalogue = Catalogue::built_in().expect("the catalogue is sound");
    let mut score = Score::default();
    for program in programs(folder) {
        let report = check(&program.sources, &catalogue, 1);
        let found: BTreeSet<String> = report
            .findings
            .iter()
            .filter(|finding| finding.certainty != Certainty::Possible)
            .map(|finding| {
                let last = finding.call.rsplit('.').next().unwrap_or_default();
                format!("{}:{} {last}", finding.place.path, finding.place.line)
            })
            .collect();
        score.programs += 1;
        score.hits += found.intersection(&program.expected).count();
        for missed in program.expected.difference(&found) {
            score.missed += 1;
            score
                .told
                .push(format!("missed {}: {missed}", program.name));
        }
        for extra in found.difference(&program.expected) {
            score.extra += 1;
            score.told.push(format!("extra  {}: {extra}", program.name));
        }
    }
    score
}

#[test]
fn the_programs_are_understood() {
    let score = run("programs");
    println!("{}", score.told.join("\n"));
    println!(
        "{} programs: recall {:.3}, precision {:.3}",
        score.programs,
        score.recall(),
        score.precision()
    );
    assert_eq!(score.told, KNOWN);
}

/// What users are promised by name: drivers, calls of the standard library, frameworks, hand-offs.
const PROMISED: &[&str] = &[
    "drivers/psycopg2",
    "drivers/psycopg",
    "drivers/mysqlclient",
    "drivers/PyMySQL",
    "drivers/pymongo",
    "drivers/redis",
    "drivers/boto3",
    "drivers/botocore",
    "drivers/elasticsearch",
    "drivers/kafka",
    "drivers/pika",
    "drivers/grpc",
    "drivers/cassandra",
    "drivers/pyodbc",
    "drivers/oracledb",
    "drivers/sqlite3",
    "drivers/SQLAlchemy",
    "drivers/Django ORM",
    "drivers/peewee",
    "drivers/HTTP clients",
    "drivers/cloud SDKs",
    "drivers/password hashing",
    "drivers/image and data libraries",
    "standard/files",
    "standard/sockets",
    "standard/DNS",
    "standard/subprocess",
    "standard/locks",
    "standard/queues",
    "standard/futures",
    "standard/sleep",
    "standard/input",
    "entries/FastAPI",
    "entries/Starlette",
    "entries/Quart",
    "entries/aiohttp.web",
    "entries/Sanic",
    "entries/Litestar",
    "entries/Django",
    "entries/Tornado",
    "entries/gRPC aio",
    "entries/scripts",
    "entries/pytest-asyncio",
    "entries/asyncio.to_thread",
    "entries/run_in_executor",
    "entries/anyio.to_thread",
    "entries/sync_to_async",
    "entries/process pools",
];

#[test]
fn all_that_is_promised_by_name_is_found_and_its_twin_is_not() {
    for program in programs("named") {
        let marked = |path: &str| {
            let mut marks = program.expected.iter();
            marks.any(|mark| mark.starts_with(path))
        };
        assert!(
            marked("blocking.py:") && !marked("twin.py:"),
            "{}",
            program.name
        );
        assert!(program.sources.len() > 1, "{} has no twin", program.name);
    }
    let known: BTreeSet<String> = programs("named").into_iter().map(|one| one.name).collect();
    let promised = PROMISED.iter().map(|name| (*name).to_owned()).collect();
    assert_eq!(known, promised);
    let score = run("named");
    assert!(score.told.is_empty(), "\n{}", score.told.join("\n"));
}

#[test]
#[ignore = "for the record: cargo test -p corrente-check --test programs -- --ignored --nocapture"]
fn the_programs_that_were_set_aside() {
    let score = run("held_out");
    println!(
        "{} programs set aside: recall {:.3}, precision {:.3}",
        score.programs,
        score.recall(),
        score.precision()
    );
}
