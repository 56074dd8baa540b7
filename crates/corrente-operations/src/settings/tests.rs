//! Settings as users write them, and what they read when something is wrong.

use std::collections::BTreeMap;
use std::path::Path;

use super::*;
use crate::listen::Address;

fn sources(file: &str, environment: &[(&str, &str)], flags: &[(&str, &[&str])]) -> Sources {
    let place = Place {
        path: "corrente.toml".into(),
        table: "serve",
    };
    let text = file.to_owned();
    let owned = |words: &[&str]| words.iter().map(|word| (*word).to_owned()).collect();
    Sources {
        file: (!file.is_empty()).then_some(File { place, text }),
        environment: environment
            .iter()
            .map(|(name, value)| ((*name).to_owned(), (*value).to_owned()))
            .collect(),
        flags: flags
            .iter()
            .map(|(name, words)| ((*name).to_owned(), owned(words)))
            .collect(),
    }
}

fn read(file: &str, environment: &[(&str, &str)], flags: &[(&str, &[&str])]) -> Values {
    Values::read(&sources(file, environment, flags)).expect("they are right")
}

fn wrong(file: &str, environment: &[(&str, &str)], flags: &[(&str, &[&str])]) -> Vec<String> {
    let read = Values::read(&sources(file, environment, flags));
    read.expect_err("they are wrong").lines
}

#[test]
fn each_source_is_stronger_than_the_one_before() {
    let file = "[serve]\nworkers = 2\nbacklog = 10\nthreads = 3\n";
    let environment = [("CORRENTE_WORKERS", "4"), ("CORRENTE_BACKLOG", "20")];
    let values = read(file, &environment, &[("workers", &["8"])]);
    let origin = |name: &str| {
        let found = values.get(name);
        format!("{} from {}", found.value, found.origin)
    };
    assert_eq!(origin("workers"), "8 from --workers");
    assert_eq!(origin("backlog"), "20 from CORRENTE_BACKLOG");
    assert_eq!(origin("threads"), "3 from corrente.toml [serve]");
    assert_eq!(origin("idle-timeout"), "75s from default");
}

#[test]
fn a_value_means_the_same_wherever_it_stands() {
    let file = "[serve]\nidle-timeout = 5\nbind = [\":80\", \"unix:/run/a\"]\nreload = true\n";
    let environment = [
        ("CORRENTE_IDLE_TIMEOUT", "5s"),
        ("CORRENTE_BIND", ":80, unix:/run/a"),
        ("CORRENTE_RELOAD", "1"),
    ];
    let flags: [(&str, &[&str]); 3] = [
        ("idle-timeout", &["5000ms"]),
        ("bind", &[":80", "unix:/run/a"]),
        ("reload", &["on"]),
    ];
    let settings = [
        Settings::from(&read(file, &[], &[])),
        Settings::from(&read("", &environment, &[])),
        Settings::from(&read("", &[], &flags)),
    ];
    assert_eq!(settings[0], settings[1]);
    assert_eq!(settings[1], settings[2]);
    assert_eq!(settings[0].sockets.addresses.len(), 2);
}

#[test]
fn every_mistake_is_one_line_that_names_its_place() {
    let file = "[serve]\nworkers = \"many\"\nidle_timeout = 5\nbind = 8000\nthreads = [1]\n\
                log-level = \"loud\"\nbacklog = {}\nfrobnicate = 1\n";
    let environment = [("CORRENTE_MAX_BODY_BYTES", "10 megabytes")];
    let flags: [(&str, &[&str]); 3] = [
        ("app", &["shop"]),
        ("trusted-proxies", &["10.0.0.0/33"]),
        ("header", &["X-A: b\r\nX-C: d"]),
    ];
    let lines = wrong(file, &environment, &flags);
    insta::assert_snapshot!(lines.join("\n"));
}

#[test]
fn settings_that_contradict_each_other_are_told() {
    let file = "[serve]\ntls-key = \"k.pem\"\n";
    let environment = [("CORRENTE_TLS_CLIENT", "required")];
    let flags: [(&str, &[&str]); 3] = [
        ("max-requests-jitter", &["10"]),
        ("mount", &["/a=b:c", "/a/=d:e"]),
        ("static", &["/a=files"]),
    ];
    insta::assert_snapshot!(wrong(file, &environment, &flags).join("\n"));
}

#[test]
fn a_file_that_is_no_toml_is_told_with_its_line() {
    let lines = wrong("[serve]\nworkers = 2\nbind = [\n", &[], &[]);
    assert_eq!(lines.len(), 1, "{lines:?}");
    assert!(
        lines[0].starts_with("corrente.toml:3: is no TOML"),
        "{lines:?}"
    );
    let lines = wrong("serve = 1\n", &[], &[]);
    assert_eq!(
        lines,
        ["corrente.toml: `serve`: expected a table, found integer"]
    );
}

#[test]
fn an_empty_variable_is_none() {
    let values = read("", &[("CORRENTE_WORKERS", "")], &[]);
    assert_eq!(values.get("workers").origin, Origin::Default);
}

#[test]
fn what_a_worker_is_told_means_the_same() {
    let file = "[serve]\napp = \"shop:app\"\nheader = [\"A: b, c\"]\nmax-memory = \"1GiB\"\n";
    let values = read(file, &[("CORRENTE_TLS_CERTIFICATE", "c.pem")], &[]);
    let again = Values::from_words(values.words()).expect("they were right before");
    assert_eq!(Settings::from(&values), Settings::from(&again));
    assert_eq!(
        Settings::from(&again).web.headers,
        [("A".into(), "b, c".into())]
    );
}

#[test]
fn a_secret_is_never_shown() {
    let flags: [(&str, &[&str]); 2] = [("tls-password", &["hunter2"]), ("tls-certificate", &["c"])];
    let values = read("", &[], &flags);
    let rows = values.rows();
    let row = rows.iter().find(|row| row.name == "tls-password");
    assert_eq!(row.map(|row| row.value.as_str()), Some("(hidden)"));
    assert!(!values.json().to_string().contains("hunter2"));
    let tls = Settings::from(&values).tls.expect("there is a certificate");
    assert_eq!(tls.password.as_deref(), Some("hunter2"));
}

#[test]
fn the_defaults_are_these() {
    let lines: Vec<String> = read("", &[], &[])
        .rows()
        .into_iter()
        .map(|row| format!("{:?} {} = {}", row.group, row.name, row.value))
        .collect();
    insta::assert_snapshot!(lines.join("\n"));
}

#[test]
fn every_setting_arrives_at_its_type() {
    // Each setting in turn is given another value than its default; the typed settings have to differ.
    let plain = Settings::from(&read("", &[], &[("tls-certificate", &["c.pem"])]));
    for entry in entries() {
        let other = match entry.kind {
            Kind::Choice(words) => words.iter().rfind(|word| Some(**word) != entry.default),
            Kind::Switch if entry.default == Some("on") => Some(&"off"),
            Kind::Switch => Some(&"on"),
            Kind::Target => Some(&"other:app"),
            Kind::Route => Some(&"/other"),
            Kind::Addresses => Some(&"unix:/other"),
            Kind::Networks => Some(&"10.0.0.0/8"),
            Kind::Mounts | Kind::StaticFolders => Some(&"/other=other:app"),
            Kind::Fields => Some(&"Other: field"),
            _ => Some(&"7"),
        };
        let other = other.expect("every kind has another value");
        let mut flags = BTreeMap::from([("tls-certificate".to_owned(), vec!["c.pem".to_owned()])]);
        for (needs, needed, value) in [
            ("tls-client", "tls-ca", "ca.pem"),
            ("max-requests-jitter", "max-requests", "9"),
            ("static-max-age", "static", "/a=b"),
        ] {
            if entry.name == needs {
                flags.insert(needed.to_owned(), vec![value.to_owned()]);
            }
        }
        if entry.name == "proxy-protocol" {
            // The one that excludes it.
            flags.clear();
        }
        let without = Values::from_words(flags.clone());
        flags.insert(entry.name.to_owned(), vec![(*other).to_owned()]);
        let with =
            Values::from_words(flags).unwrap_or_else(|error| panic!("{}: {error}", entry.name));
        let before = without.as_ref().map_or(plain.clone(), Settings::from);
        assert_ne!(Settings::from(&with), before, "{} is not used", entry.name);
    }
}

#[test]
fn an_average_needs_the_time_that_it_is_over() {
    let flags: [(&str, &[&str]); 2] = [("min-body-rate", &["1KiB"]), ("body-timeout", &["off"])];
    assert_eq!(
        wrong("", &[], &flags),
        ["--min-body-rate: needs `body-timeout` to be set, too"]
    );
}

#[test]
fn a_descriptor_alone_takes_the_place_of_the_default_address() {
    let flags: [(&str, &[&str]); 1] = [("fd", &["7"])];
    let settings = Settings::from(&read("", &[], &flags));
    assert_eq!(settings.sockets.addresses, [Address::Descriptor(7)]);
    assert_eq!(settings.sockets.asked, Switch::On);
    assert_eq!(
        Settings::from(&read("", &[], &[])).sockets.asked,
        Switch::Off
    );
}

#[test]
fn the_file_is_found_where_it_is_kept() {
    let folder = tempfile::tempdir().expect("a folder");
    let found = |named: Option<&Path>| Values::find_file(named, folder.path());
    let table = |named: Option<&Path>| found(named).map(|file| file.map(|file| file.place.table));
    assert_eq!(table(None), Ok(None));
    let write = |name: &str, text: &str| {
        std::fs::write(folder.path().join(name), text).expect("it can be written");
    };
    write("pyproject.toml", "[project]\nname = \"shop\"\n");
    assert_eq!(table(None), Ok(None));
    write("pyproject.toml", "[tool.corrente.serve]\nworkers = 2\n");
    assert_eq!(table(None), Ok(Some("tool.corrente.serve")));
    write("corrente.toml", "[serve]\nworkers = 3\n");
    assert_eq!(table(None), Ok(Some("serve")));
    let missing = folder.path().join("none.toml");
    assert!(found(Some(&missing)).is_err());
    let other = folder.path().join("pyproject.toml");
    assert_eq!(table(Some(&other)), Ok(Some("tool.corrente.serve")));
}

#[test]
fn a_variable_that_is_nearly_one_is_told() {
    let environment = [
        ("CORRENTE_WORKRS", "4"),
        ("CORRENTE_IDLE-TIMEOUT", "4"),
        ("CORRENTE_IDLE_TIMEOUT", "4"),
        ("CORRENTE_LAB", "x"),
        ("CORRENTE_TLS", "x"),
        ("CORRENTE_GAUGE_FOLDER", "x"),
        ("CORRENTE_CHANNEL", "x"),
        ("CORRENTE_BOARD", "x"),
        // What Kubernetes makes of a service that is called `corrente`.
        ("CORRENTE_PORT", "tcp://10.0.0.1:80"),
        ("CORRENTE_SERVICE_HOST", "10.0.0.1"),
        ("CORRENTE_PORT_80_TCP_PROTO", "tcp"),
    ];
    let told = Values::slips(&sources("", &environment, &[]));
    assert_eq!(
        told,
        [
            "CORRENTE_IDLE-TIMEOUT is no setting and has no effect; did you mean CORRENTE_IDLE_TIMEOUT?",
            "CORRENTE_WORKRS is no setting and has no effect; did you mean CORRENTE_WORKERS?",
        ]
    );
}

#[test]
fn settings_that_are_read_again_replace_those_that_may_change() {
    let before = read("[serve]\nworkers = 2\nbind = \":80\"\n", &[], &[]);
    let file = "[serve]\nworkers = 3\nidle-timeout = 5\nbind = \":81\"\nlog-level = \"info\"\n";
    let renewal = read(file, &[], &[])
        .renewing(&before)
        .expect("they are right");
    assert_eq!(renewal.changed, ["workers", "idle-timeout"]);
    assert_eq!(renewal.waiting, ["bind"]);
    let value = |name: &str| renewal.values.get(name).value.to_string();
    assert_eq!([value("workers"), value("bind")], ["3", ":80"]);
    let same = before.clone().renewing(&before).expect("they are right");
    assert!(same.changed.is_empty() && same.waiting.is_empty());
}
