//! The program as a user meets it: what it says and its exit codes, for each thing it is asked.

use std::fs;
use std::io::{BufRead as _, BufReader};
use std::path::Path;
use std::process::{Command, Stdio};

use tempfile::TempDir;

const SERVICE: &str = "\
import time

async def main():
    prepare()

def prepare():
    time.sleep(1)
";

const SHOP: &str = "\
import requests
from flask import Flask
from store import find

app = Flask(__name__)

@app.get(\"/orders/<int:number>\")
def order(number):
    return find(number)

@app.get(\"/prices\")
def prices():
    price = requests.get(\"http://prices\").json()
    stock = requests.get(\"http://stock\").json()
    return [price, stock]

@app.get(\"/health\")
def health():
    return \"well\"
";

const STORE: &str = "\
import psycopg2

def find(number):
    connection = psycopg2.connect(\"dbname=shop\")
    cursor = connection.cursor()
    cursor.execute(\"select * from orders where id = %s\", [number])
    return cursor.fetchone()

def report():
    return [find(number) for number in range(10)]
";

fn project(files: &[(&str, &str)]) -> TempDir {
    let folder = tempfile::tempdir().expect("a folder can be made");
    for (name, text) in files {
        let path = folder.path().join(name);
        let above = path.parent().expect("it is in the folder");
        fs::create_dir_all(above).expect("a folder can be made");
        fs::write(path, text).expect("it can be written");
    }
    folder
}

fn program(folder: &Path, arguments: &[&str]) -> Command {
    let mut command = Command::new(env!("CARGO_BIN_EXE_corrente-check"));
    command
        .current_dir(folder)
        .args(arguments)
        .env("NO_COLOR", "1");
    command
}

/// Exit code, standard output and standard error, one below the other.
fn run(folder: &TempDir, arguments: &[&str]) -> String {
    let output = program(folder.path(), arguments)
        .output()
        .expect("the program starts");
    let text = |bytes: Vec<u8>| String::from_utf8(bytes).expect("it is text");
    format!(
        "exit {}\n--- output\n{}--- messages\n{}",
        output.status.code().unwrap_or(-1),
        text(output.stdout),
        text(output.stderr)
    )
}

#[test]
fn a_report() {
    insta::assert_snapshot!(run(&project(&[("service.py", SERVICE)]), &[]));
}

#[test]
fn statistics() {
    insta::assert_snapshot!(run(&project(&[("service.py", SERVICE)]), &["--statistics"]));
}

/// A flag that callers give would else multiply the circumstances in which a long function is looked at.
#[test]
fn circumstances_with_flags_count_as_others() {
    let told_apart = |flag: &str| {
        let body = "    call()\n".repeat(200);
        let work = format!("def work(call, fast):\n    if fast:\n        call()\n{body}");
        let calls = (0..30).map(|number| {
            format!("\ndef called_{number}():\n    pass\n\nwork(called_{number}, {flag})\n")
        });
        let source = work + &calls.collect::<String>();
        let said = run(&project(&[("long.py", &source)]), &["--statistics"]);
        let line = said.lines().find(|line| line.contains("circumstances"));
        line.map(|line| line.trim().starts_with("1 "))
    };
    assert_eq!(told_apart("flag()"), Some(true));
    assert_eq!(told_apart("True"), Some(true));
}

#[test]
fn an_explanation() {
    insta::assert_snapshot!(run(&project(&[]), &["--explain", "input"]));
    insta::assert_snapshot!(run(&project(&[]), &["--explain", "inputs"]));
    insta::assert_snapshot!(run(&project(&[]), &["--explain", "time.sleep"]));
}

#[test]
fn a_suppression_says_why_or_is_a_finding() {
    let said = SERVICE.replace(
        "sleep(1)",
        "sleep(1)  # corrente: ignore[sleep] nothing else runs",
    );
    let unsaid = SERVICE.replace("sleep(1)", "sleep(1)  # corrente: ignore[sleep]");
    insta::assert_snapshot!(run(&project(&[("service.py", &said)]), &[]));
    insta::assert_snapshot!(run(&project(&[("service.py", &unsaid)]), &[]));
}

#[test]
fn a_baseline_fails_for_what_is_new_only() {
    let folder = project(&[("service.py", SERVICE)]);
    assert!(run(&folder, &["--write-baseline", "known.json"]).starts_with("exit 1"));
    let moved = format!("# A line above.\n{SERVICE}");
    fs::write(folder.path().join("service.py"), moved).expect("it can be written");
    insta::assert_snapshot!(run(&folder, &["--baseline", "known.json"]));
    let more = format!("{SERVICE}    open(\"x\")\n");
    fs::write(folder.path().join("service.py"), more).expect("it can be written");
    insta::assert_snapshot!(run(&folder, &["--baseline", "known.json"]));
}

#[test]
fn what_cannot_be_used_is_told_in_a_line() {
    let folder = project(&[
        ("service.py", SERVICE),
        ("list.json", "[]"),
        ("future.json", "{\"schema\": 9, \"known\": []}"),
        ("wrong.toml", "[[blok]]\n"),
        ("empty/notes.txt", ""),
    ]);
    for arguments in [
        &["--baseline", "list.json"][..],
        &["--baseline", "future.json"],
        &["--baseline", "nowhere.json"],
        &["--catalogue", "wrong.toml"],
        &["--plan", "--gauge", "list.json"],
        &["--plan", "--gauge", "nowhere.json"],
        &["--plan", "--format", "sarif"],
        &["--gauge", "list.json"],
        &["--certainty", "sure"],
        &["empty"],
        &["nowhere"],
    ] {
        let said = run(&folder, arguments);
        insta::assert_snapshot!(said.replace("(os error 2)", ""));
        assert!(
            said.starts_with("exit 2\n--- output\n---"),
            "{arguments:?}: {said}"
        );
    }
}

#[test]
fn settings_of_the_project() {
    let settings = "[tool.corrente.check]\nignore = [\"sleep\"]\nexclude = [\"old\"]\n";
    let folder = project(&[
        ("pyproject.toml", settings),
        ("service.py", SERVICE),
        (
            "old/service.py",
            &SERVICE.replace("time.sleep(1)", "open('x')"),
        ),
    ]);
    assert!(run(&folder, &[]).starts_with("exit 0"));
    let unknown = settings.replace("\"sleep\"", "\"sleeep\"");
    fs::write(folder.path().join("pyproject.toml"), unknown).expect("it can be written");
    let said = run(&folder, &[]);
    assert!(
        said.starts_with("exit 2") && said.contains("there is no rule `sleeep`; there are"),
        "{said}"
    );
    let misspelt = settings.replace("ignore", "ignored");
    fs::write(folder.path().join("pyproject.toml"), misspelt).expect("it can be written");
    let said = run(&folder, &[]);
    assert!(
        said.starts_with("exit 2") && said.contains("unknown field `ignored`"),
        "{said}"
    );
}

/// Blocking calls in three folders called `old`, with these settings; the folders that are told of.
fn told_of(exclude: &str, arguments: &[&str]) -> Vec<&'static str> {
    let settings = format!("[tool.corrente.check]\nexclude = [{exclude}]\n");
    let files = ["old/a.py", "src/old/a.py", "src/shop/old/a.py"];
    let mut all = vec![("pyproject.toml", settings.as_str())];
    all.extend(files.map(|file| (file, SERVICE)));
    let said = run(&project(&all), arguments);
    let mut told = files.to_vec();
    told.retain(|file| {
        said.lines()
            .any(|line| line.starts_with(&format!("{file}:7")))
    });
    told
}

#[test]
fn what_is_left_out_is_named_or_has_a_path_from_the_settings() {
    let [top, middle, deep] = ["old/a.py", "src/old/a.py", "src/shop/old/a.py"];
    assert_eq!(told_of("", &[]), [top, middle, deep]);
    assert!(told_of("'old'", &[]).is_empty());
    assert_eq!(told_of("'src/old'", &[]), [top, deep]);
    assert_eq!(told_of("'src/old'", &["src"]), [deep]);
    assert_eq!(told_of("'src/shop/old/a.py'", &["src"]), [middle]);
    assert_eq!(
        told_of("", &["src", "--exclude", "src/shop/old/"]),
        [middle]
    );
    assert_eq!(told_of("", &["src", "--exclude", "./src/old"]), [deep]);
}

#[test]
fn the_same_is_found_by_whichever_path_a_project_is_given() {
    // A module inside a package is not what an absolute import of its last name means.
    let folder = project(&[
        ("shop/__init__.py", ""),
        ("shop/time.py", "x = 1\n"),
        ("shop/api.py", SERVICE),
        (
            "shop/parts/work.py",
            "import time\ndef wait():\n    time.sleep(1)\n",
        ),
        (
            "shop/parts/api.py",
            "from shop.parts.work import wait\nasync def main():\n    wait()\n",
        ),
    ]);
    let found = |path: &str| {
        let said = run(&folder, &[path]);
        said.matches("time.sleep` blocks").count()
    };
    assert_eq!(found("."), 2);
    let path = folder.path().display().to_string();
    assert_eq!(found(&path), 2);
}

#[test]
fn where_the_project_is_does_not_make_it_a_test() {
    let folder = project(&[("test/shop/service.py", SERVICE)]);
    let path = folder.path().join("test/shop").display().to_string();
    assert!(run(&folder, &[&path]).starts_with("exit 1"));
    let folder = project(&[("shop/service.py", "x = 1\n"), ("test/service.py", SERVICE)]);
    assert!(run(&folder, &[]).starts_with("exit 0"));
}

#[test]
fn a_file_that_does_not_parse_is_told_and_the_rest_goes_on() {
    let folder = project(&[("service.py", SERVICE), ("broken.py", "def f(:\n")]);
    insta::assert_snapshot!(run(&folder, &[]));
}

#[test]
fn a_suppression_of_no_rule_is_a_finding() {
    let misspelt = SERVICE.replace(
        "sleep(1)",
        "sleep(1)  # corrente: ignore[slep, dns] nothing else runs",
    );
    let elsewhere = "x = 1  # corrente: ignore[everything] it is old\n";
    let folder = project(&[("service.py", &misspelt), ("other.py", elsewhere)]);
    insta::assert_snapshot!(run(&folder, &[]));
    let catalogue =
        "[rule]\nslep = \"ours\"\n[[block]]\nrule = \"everything\"\nnames = [\"ours.f\"]\n";
    fs::write(folder.path().join("ours.toml"), catalogue).expect("it can be written");
    let said = run(&folder, &["--catalogue", "ours.toml"]);
    assert!(!said.contains("names no rule"), "{said}");
}

#[test]
fn a_file_in_no_declared_encoding_is_told_and_the_rest_goes_on() {
    let folder = project(&[("service.py", SERVICE)]);
    let write = |name: &str, head: &str| {
        let bytes = [head.as_bytes(), b"NAME = 'caf\xe9'\n", SERVICE.as_bytes()].concat();
        fs::write(folder.path().join(name), bytes).expect("it can be written");
    };
    write("old.py", "");
    write("declared.py", "# -*- coding: latin-1 -*-\n");
    insta::assert_snapshot!(run(&folder, &[]));
    let said = run(&folder, &["--json"]);
    assert!(
        said.contains("\"message\": \"byte 0xe9 is not UTF-8"),
        "{said}"
    );
    assert!(run(&folder, &["--plan"]).contains("old.py:1: not parsed: byte 0xe9"));
}

#[test]
fn links_that_lead_nowhere_or_round_are_told() {
    let folder = project(&[("shop/service.py", SERVICE)]);
    let link = |to: &str, name: &str| {
        let made = std::os::unix::fs::symlink(to, folder.path().join(name));
        made.expect("a link can be made");
    };
    link("nowhere.py", "gone.py");
    link("nowhere", "gone");
    link("round.py", "round.py");
    link("..", "shop/again");
    link(".", "shop/self");
    // A second name of a folder, what an editor leaves, and what is no Python are not worth a line.
    link("shop", "store");
    link("me@here:1", ".#service.py");
    link("nowhere.txt", "gone.txt");
    insta::assert_snapshot!(run(&folder, &[]));
    let said = run(&folder, &["round.py"]);
    assert!(said.starts_with("exit 2"), "{said}");
    assert!(
        said.contains("`round.py` is a link that cannot be followed"),
        "{said}"
    );
}

#[test]
fn a_plan() {
    insta::assert_snapshot!(run(
        &project(&[("shop.py", SHOP), ("store.py", STORE)]),
        &["--plan"]
    ));
}

#[test]
fn a_plan_by_a_recording() {
    let recording = include_str!("plans/recording.json");
    let folder = project(&[
        ("shop.py", SHOP),
        ("store.py", STORE),
        ("gauge.json", recording),
    ]);
    insta::assert_snapshot!(run(&folder, &["--plan", "--gauge", "gauge.json"]));
}

#[test]
fn a_plan_for_programs() {
    let folder = project(&[("shop.py", SHOP), ("store.py", STORE)]);
    let output = program(folder.path(), &["--plan", "--json"]).output();
    let output = output.expect("the program starts");
    assert_eq!(output.status.code(), Some(1));
    let plan: serde_json::Value = serde_json::from_slice(&output.stdout).expect("it is JSON");
    assert_eq!(plan["schema"], "corrente.plan/1");
    assert_eq!(plan["endpoints"][0]["route"], "/orders/<int:number>");
    assert_eq!(plan["endpoints"][0]["calls"][0]["call"], "psycopg2.connect");
    assert_eq!(plan["endpoints"][1]["new_functions"], 1);
    assert_eq!(plan["free"][0]["function"], "health");
    assert_eq!(plan["shared"][0]["callers"][0]["name"], "report");
    assert_eq!(plan["together"][0]["kind"], "sequence");
    assert_eq!(plan["size"]["functions"], 3);
}

#[test]
fn without_endpoints_there_is_nothing_to_plan() {
    insta::assert_snapshot!(run(&project(&[("service.py", SERVICE)]), &["--plan"]));
}

/// Changes a file at once, as editors do: of one that is written in place somebody may see the beginning.
fn replace(folder: &TempDir, name: &str, text: &str) {
    let new = folder.path().join("new.txt");
    fs::write(&new, text).expect("it is ours");
    fs::rename(new, folder.path().join(name)).expect("it is ours");
}

#[test]
fn watching_runs_again_when_a_file_changes() {
    let folder = project(&[("service.py", SERVICE)]);
    let mut watching = program(folder.path(), &["--watch"])
        .stdout(Stdio::null())
        .stderr(Stdio::piped())
        .spawn()
        .expect("the program starts");
    let messages = watching.stderr.take().expect("it is piped");
    let mut lines = BufReader::new(messages).lines().map_while(Result::ok);
    let mut summary = || {
        let said: Vec<String> = lines
            .by_ref()
            .take_while(|line| !line.contains("watching"))
            .collect();
        said.join("\n")
    };
    let first = summary();
    replace(&folder, "service.py", "async def main(): ...\n");
    let second = summary();
    replace(&folder, "service.py", SERVICE);
    let third = summary();
    let settings = "[tool.corrente.check]\nignore = [\"sleep\"]\n";
    replace(&folder, "pyproject.toml", settings);
    let fourth = summary();
    watching.kill().expect("it runs");
    watching.wait().expect("it was started here");
    assert!(first.contains("1 blocking call on"), "{first}");
    assert!(second.contains("0 blocking calls"), "{second}");
    assert!(third.contains("1 blocking call on"), "{third}");
    assert!(fourth.contains("0 blocking calls"), "{fourth}");
}

#[test]
fn the_last_report_is_told_again_until_something_changes() {
    let folder = project(&[("src/service.py", SERVICE)]);
    let arguments = ["--cache-dir", "cache", "src"];
    let first = run(&folder, &arguments);
    let kept = fs::read_dir(folder.path().join("cache")).expect("there is a cache");
    let mut kept = kept.map(|entry| entry.expect("it can be listed").path());
    let report = kept.find(|path| path.extension().is_some_and(|end| end == "report"));
    let report = report.expect("the report is kept");
    assert_eq!(run(&folder, &arguments), first);
    let text = fs::read_to_string(&report).expect("it is text");
    let other = text.replace("time.sleep", "time.other");
    fs::write(&report, other).expect("it can be written");
    assert!(
        run(&folder, &arguments).contains("time.other"),
        "it is what is told"
    );
    let more = format!("{SERVICE}# A line below.\n");
    fs::write(folder.path().join("src/service.py"), more).expect("it can be written");
    assert_eq!(
        run(&folder, &arguments).replace("9 lines", "8 lines"),
        first
    );
}

#[test]
fn a_file_with_many_faults_is_one_line() {
    let folder = project(&[("old.py", "print 'a'\nprint 'b'\nexec 'c'\n")]);
    let said = run(&folder, &[]);
    assert_eq!(said.matches("not parsed").count(), 1, "{said}");
    assert!(said.contains("(and more in this file)"), "{said}");
}
