//! `corrente lab`: list, run, report, compare, and the parts that scenarios start.
//!
//! Turns arguments into the lab's plans and its results into text. A run goes through the keeper
//! (see `corrente_lab::keeper`): this process waits, and itself started once more does the work.

use std::ffi::OsString;
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::sync::atomic::AtomicBool;

use corrente_lab::files::LabFiles;
use corrente_lab::keeper::{self, Worker, WorkerEnd};
use corrente_lab::session::{self, Listed, RunPlan};
use corrente_lab::{Fault, LabError, echo, is_absent, origin, scenario, store};
use corrente_report::result::{LabResult, Mode, Outcome};
use corrente_report::terminal::Terminal;
use corrente_report::{Catalogue, Language, Message, html};
use signal_hook::consts::{SIGHUP, SIGINT, SIGQUIT, SIGTERM};

use crate::arguments::{
    Compare, EchoProtocol, Extent, LanguageChoice, List, Reading, Report, Run, ServeEcho,
    ServeOrigin,
};
use crate::progress::LabProgress;
use crate::{Exit, terminal};

/// `corrente lab list`.
pub(crate) fn list(list: &List) -> Exit {
    let language = language(&list.reading.language);
    conclude(session::list(&files(&list.reading)).map(|listed| {
        terminal::data(&if list.json {
            listed_json(&listed)
        } else {
            listed_text(&listed, language)
        });
        if listed.iter().any(|entry| entry.scenario.is_err()) {
            Exit::Usage
        } else {
            Exit::Done
        }
    }))
}

fn listed_text(listed: &[Listed], language: Language) -> String {
    let screen = Terminal::new(language, terminal::width(), terminal::colour());
    let texts: Vec<String> = listed
        .iter()
        .map(|entry| match &entry.scenario {
            Ok(scenario) => scenario.title.in_language(language).to_owned(),
            Err(error) => format!("{}: {error}", screen.catalogue().text(Message::LabelError)),
        })
        .collect();
    screen.entries(
        listed
            .iter()
            .map(|entry| entry.name.as_str())
            .zip(texts.iter().map(String::as_str)),
    )
}

fn listed_json(listed: &[Listed]) -> String {
    let entries: Vec<serde_json::Value> = listed
        .iter()
        .map(|entry| {
            let mut value = serde_json::json!({ "name": entry.name });
            match &entry.scenario {
                Ok(scenario) => {
                    value["claim"] = scenario.claim.clone().into();
                    value["title"] = serde_json::to_value(&scenario.title).unwrap_or_default();
                    value["sources"] = scenario.sources.clone().into();
                    value["quick_s"] = entry.quick.as_secs().into();
                    value["full_s"] = entry.full.as_secs().into();
                }
                Err(error) => value["error"] = error.clone().into(),
            }
            value
        })
        .collect();
    serde_json::Value::from(entries).to_string()
}

/// `corrente lab run`: the keeper, unless this process is the worker already.
pub(crate) fn run(run: &Run, arguments: &[OsString], program: &[OsString]) -> Exit {
    let interrupted = match interruption() {
        Ok(flag) => flag,
        Err(error) => {
            terminal::error(&format!("cannot listen for Ctrl-C: {error}"));
            return Exit::Machine;
        }
    };
    match Worker::from_environment() {
        Some(worker) => conclude(work(run, program, &worker.work, &interrupted)),
        None => conclude(keep(run, arguments, program, &interrupted)),
    }
}

fn keep(
    run: &Run,
    arguments: &[OsString],
    program: &[OsString],
    interrupted: &AtomicBool,
) -> Result<Exit, LabError> {
    // Checked here as well, so that a typing error does not cost a start.
    session::check_names(&files(&run.reading), &run.names)?;
    let command: Vec<OsString> = program.iter().chain(arguments).cloned().collect();
    Ok(match keeper::keep(&command, interrupted)? {
        WorkerEnd::Exited(0) => Exit::Done,
        WorkerEnd::Exited(1) => Exit::Incomplete,
        WorkerEnd::Exited(2) => Exit::Usage,
        WorkerEnd::Exited(70) => Exit::Bug,
        WorkerEnd::Exited(130) => Exit::Interrupted,
        WorkerEnd::Exited(_) => Exit::Machine,
        WorkerEnd::Killed(signal) => {
            terminal::error(&format!("the lab's worker was killed by signal {signal}"));
            Exit::Machine
        }
    })
}

fn work(
    run: &Run,
    program: &[OsString],
    work: &Path,
    interrupted: &AtomicBool,
) -> Result<Exit, LabError> {
    let resumed = run.resume.as_deref().map(store::load).transpose()?;
    let plan = plan(run, resumed.as_ref(), program);
    let language = language(&run.reading.language);
    let catalogue = Catalogue::new(language);
    let mut progress = LabProgress::new(&catalogue);
    let result = session::run(&plan, resumed, work, interrupted, &mut progress);
    progress.end();
    match result {
        Ok(result) => show(&result, &plan.out, language),
        Err(LabError::Interrupted) => {
            terminal::error(&catalogue.text(Message::ProgressInterrupted));
            terminal::note(&format!("  {}", resume_command(run, &plan)));
            Ok(Exit::Interrupted)
        }
        Err(error) => Err(error),
    }
}

fn plan(run: &Run, resumed: Option<&LabResult>, program: &[OsString]) -> RunPlan {
    let started = jiff::Zoned::now()
        .strftime("lab-results/%Y-%m-%dT%H-%M-%S")
        .to_string();
    let out = run.resume.clone().or_else(|| run.out.clone());
    RunPlan {
        names: match resumed {
            Some(result) if run.names.is_empty() => result.asked.clone(),
            _ => run.names.clone(),
        },
        mode: resumed.map_or_else(|| mode(&run.extent), |result| result.mode),
        out: out.unwrap_or_else(|| PathBuf::from(started)),
        postgres: run.postgres.clone(),
        prices: run.prices.clone(),
        seed: resumed.map_or(run.seed, |result| result.seed),
        repeat: run.repeat.or(resumed.and_then(|result| result.repeat)),
        files: files(&run.reading),
        corrente: program.to_vec(),
        python: program
            .first()
            .map_or_else(|| "python3".into(), PathBuf::from),
    }
}

/// The command that goes on with an interrupted run: what the result does not hold is said again.
fn resume_command(run: &Run, plan: &RunPlan) -> String {
    let mut words = vec!["corrente".into(), "lab".into(), "run".into()];
    words.extend(["--resume".into(), plan.out.display().to_string()]);
    let paths = [("--lab", &run.reading.lab), ("--prices", &run.prices)];
    for (flag, path) in paths {
        words.extend(
            path.iter()
                .flat_map(|path| [flag.into(), path.display().to_string()]),
        );
    }
    words.extend(
        run.postgres
            .iter()
            .flat_map(|url| ["--postgres".into(), url.clone()]),
    );
    words
        .iter()
        .map(|word| quoted(word))
        .collect::<Vec<String>>()
        .join(" ")
}

/// A word as a shell reads it back.
fn quoted(word: &str) -> String {
    let plain = |letter: char| letter.is_alphanumeric() || "-_./:=@%+,".contains(letter);
    if !word.is_empty() && word.chars().all(plain) {
        return word.to_owned();
    }
    format!("'{}'", word.replace('\'', "'\\''"))
}

fn mode(extent: &Extent) -> Mode {
    match (extent.full, extent.smoke) {
        (true, _) => Mode::Full,
        (_, true) => Mode::Smoke,
        _ => Mode::Quick,
    }
}

fn show(result: &LabResult, out: &Path, language: Language) -> Result<Exit, LabError> {
    let screen = Terminal::new(language, terminal::width(), terminal::colour());
    terminal::data(&screen.summary(result));
    let report = out.join("report.html");
    store::write(&report, &html::page(result, language))?;
    let result_file = out.join(store::RESULT_FILE).display().to_string();
    let written = Message::ProgressResultWritten { path: &result_file };
    terminal::note(&screen.catalogue().text(written));
    say_written(&screen, &report);
    let broken = broken(result);
    if broken.is_empty() {
        return Ok(Exit::Done);
    }
    let parts = broken.join(", ");
    let message = Message::ProgressNotWhole { parts: &parts };
    terminal::note(&screen.catalogue().text(message));
    Ok(Exit::Incomplete)
}

fn say_written(screen: &Terminal, path: &Path) {
    let path = path.display().to_string();
    let written = Message::ProgressReportWritten { path: &path };
    terminal::note(&screen.catalogue().text(written));
}

/// The scenarios that could not run, and those with the contenders that could not. What the machine
/// lacks (Node, Go, PHP) is no failure: the report says that it was not measured.
fn broken(result: &LabResult) -> Vec<String> {
    let mut parts = Vec::new();
    for scenario in &result.scenarios {
        if let Outcome::Failed { .. } = scenario.outcome {
            parts.push(scenario.name.clone());
            continue;
        }
        let contenders = scenario.contenders.iter().filter(|contender| {
            let missing = contender.missing.as_deref();
            missing.is_some_and(|reason| !is_absent(reason))
        });
        parts.extend(contenders.map(|contender| format!("{} ({})", scenario.name, contender.id)));
    }
    parts
}

/// `corrente lab report`.
pub(crate) fn report(report: &Report) -> Exit {
    conclude(write_report(report))
}

fn write_report(report: &Report) -> Result<Exit, LabError> {
    let result = store::load(&report.result)?;
    let language = language(&report.language);
    let screen = Terminal::new(language, terminal::width(), terminal::colour());
    if let Some(path) = &report.html {
        store::write(path, &html::page(&result, language))?;
        say_written(&screen, path);
    }
    if let Some(path) = &report.picture {
        store::write(path, &html::summary_svg(&result, language))?;
        say_written(&screen, path);
    }
    if report.html.is_none() && report.picture.is_none() {
        terminal::data(&screen.summary(&result));
        for scenario in result.scenarios.iter().filter(|_| report.detail) {
            terminal::data(&screen.detail(scenario, &result.prices));
        }
    }
    Ok(Exit::Done)
}

/// `corrente lab compare`.
pub(crate) fn compare(compare: &Compare) -> Exit {
    let language = language(&compare.language);
    conclude(store::load(&compare.first).and_then(|first| {
        let second = store::load(&compare.second)?;
        let screen = Terminal::new(language, terminal::width(), terminal::colour());
        terminal::data(&screen.comparison(&first, &second));
        Ok(Exit::Done)
    }))
}

/// `corrente lab serve-origin`.
pub(crate) fn serve_origin(arguments: &ServeOrigin) -> Exit {
    let plan = scenario::OriginPlan {
        median_ms: arguments.median_ms,
        sigma: arguments.sigma,
        error_rate: arguments.error_rate,
        concurrency_limit: arguments.concurrency_limit,
        body_bytes: arguments.body_bytes,
    };
    conclude(origin::serve(plan, arguments.port, arguments.seed).map(|never| match never {}))
}

/// `corrente lab serve-echo`.
pub(crate) fn serve_echo(arguments: &ServeEcho) -> Exit {
    let protocol = match arguments.protocol {
        EchoProtocol::Tcp => echo::Protocol::Echo,
        EchoProtocol::Udp => echo::Protocol::Datagrams,
        EchoProtocol::Http => echo::Protocol::Http {
            body_bytes: arguments.body_bytes,
        },
    };
    let place = match &arguments.unix {
        Some(path) => echo::Place::Path(path.clone()),
        // The arguments say that one of both is there.
        None => echo::Place::Port(arguments.port.unwrap_or_default()),
    };
    conclude(echo::serve(protocol, &place).map(|never| match never {}))
}

fn conclude(result: Result<Exit, LabError>) -> Exit {
    result.unwrap_or_else(|error| {
        terminal::error(&error.to_string());
        exit(&error)
    })
}

/// The exit code that says whose move it is.
pub(crate) fn exit(error: &LabError) -> Exit {
    match error.fault() {
        Fault::Input => Exit::Usage,
        Fault::Machine => Exit::Machine,
        Fault::Interrupted => Exit::Interrupted,
    }
}

pub(crate) fn files(reading: &Reading) -> LabFiles {
    reading
        .lab
        .clone()
        .map_or(LabFiles::Embedded, LabFiles::Folder)
}

/// The language asked for, else the locale's, else English (POSIX: `LC_ALL`, `LC_MESSAGES`, LANG).
pub(crate) fn language(choice: &LanguageChoice) -> Language {
    let locale = || {
        let names = ["LC_ALL", "LC_MESSAGES", "LANG"];
        let set = names.iter().filter_map(|name| std::env::var(name).ok());
        set.filter(|value| !value.is_empty())
            .find_map(|value| Language::from_locale(&value))
    };
    choice.language.or_else(locale).unwrap_or(Language::En)
}

/// A flag that Ctrl-C, SIGTERM and the end of the terminal raise.
pub(crate) fn interruption() -> std::io::Result<Arc<AtomicBool>> {
    let flag = Arc::new(AtomicBool::new(false));
    for signal in [SIGHUP, SIGINT, SIGQUIT, SIGTERM] {
        signal_hook::flag::register(signal, Arc::clone(&flag))?;
    }
    Ok(flag)
}
