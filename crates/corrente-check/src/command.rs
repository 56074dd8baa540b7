//! The program: arguments, files in, a report out. The half of the crate that does I/O.
//!
//! Data goes to standard output, all else to standard error. Exit codes: 0 clean, 1 findings,
//! 2 it could not run.

mod arguments;
mod cache;
mod encoding;
mod files;
mod output;
mod planning;
mod watch;

use std::fs;
use std::io::ErrorKind;
use std::path::{Path, PathBuf};

use clap::{CommandFactory as _, FromArgMatches as _};
use corrente_check::{
    Baseline, Catalogue, Certainty, Configuration, Effort, Fault, Memory, Report, Source, check,
    check_again, render,
};

use arguments::{Arguments, Form};
use files::Excluded;

/// Findings, if any, are the reason to fail.
const FOUND: u8 = 1;
const CANNOT_RUN: u8 = 2;

/// The file with the project's settings.
const SETTINGS: &str = "pyproject.toml";

/// What it is called when `corrente` starts it.
const CALLED: &str = "corrente check";

/// What stops a run, in a line.
struct Refusal(String);

/// Runs the command line; gives the exit code.
pub(crate) fn run() -> u8 {
    let arguments = match parse() {
        Ok(arguments) => arguments,
        Err(error) => {
            // Help and version are no errors; clap knows which stream they belong to.
            let code = if error.use_stderr() { CANNOT_RUN } else { 0 };
            drop(error.print());
            return code;
        }
    };
    match run_with(&arguments) {
        Ok(code) => code,
        Err(Refusal(reason)) => {
            output::message(&format!("corrente-check: {reason}"));
            CANNOT_RUN
        }
    }
}

/// `corrente check` starts this program under its own name, which the help then shows.
fn parse() -> Result<Arguments, clap::Error> {
    let mut command = Arguments::command();
    if std::env::args_os()
        .next()
        .is_some_and(|name| name == CALLED)
    {
        command = command.bin_name(CALLED);
    }
    let matches = command.try_get_matches()?;
    Arguments::from_arg_matches(&matches)
}

fn run_with(arguments: &Arguments) -> Result<u8, Refusal> {
    if let Some(rule) = &arguments.explain {
        let project = project(arguments)?;
        return explain(&catalogue(arguments, &project)?.known, rule);
    }
    if arguments.watch {
        watch::run(&arguments.paths, || watched(arguments), || once(arguments))
    } else {
        once(arguments)
    }
}

/// Reads the settings and the catalogues, then the files.
fn once(arguments: &Arguments) -> Result<u8, Refusal> {
    let project = &project(arguments)?;
    let catalogue = &catalogue(arguments, project)?;
    project.refuse_unknown_rules(&catalogue.known)?;
    let excluded = &project.excluded(arguments);
    let found = files::read(&arguments.paths, excluded).map_err(Refusal)?;
    for skipped in &found.skipped {
        output::message(&format!("corrente-check: {skipped}"));
    }
    if found.sources.is_empty() {
        return Err(Refusal(
            "found no Python file; name a file or a folder that has some".into(),
        ));
    }
    if arguments.plan {
        return planning::run(arguments, &found, &catalogue.known);
    }
    let mut report = checked(arguments, &found.sources, catalogue);
    found.add_faults(&mut report.faults);
    sift(&mut report, arguments, &project.settings);
    if let Some(path) = &arguments.write_baseline {
        let text = Baseline::of(&report)
            .write()
            .map_err(|error| refuse(path, &error.to_string()))?;
        fs::write(path, text).map_err(|error| refuse(path, &error.to_string()))?;
    }
    let known = apply_baseline(&mut report, arguments, project)?;
    show(arguments, &report, &found.sources, &catalogue.known);
    if known > 0 {
        output::message(&format!("corrente-check: {known} more are in the baseline"));
    }
    Ok(if report.findings.is_empty() { 0 } else { FOUND })
}

/// The report, with what an earlier run knows of files that have not changed.
fn checked(arguments: &Arguments, sources: &[Source], catalogue: &Loaded) -> Report {
    let threads = threads();
    let cache = if arguments.no_cache {
        None
    } else {
        cache::Cache::of(arguments.cache_dir.as_deref(), &arguments.paths)
    };
    let Some(cache) = cache else {
        return check(sources, &catalogue.known, threads);
    };
    let memory = if arguments.watch {
        Memory::Freed
    } else {
        Memory::Left
    };
    let effort = Effort { threads, memory };
    let input = cache.input(&catalogue.texts, sources);
    if let Some(report) = cache.report(&input) {
        return report;
    }
    let (report, updated) = check_again(sources, &catalogue.known, effort, &cache.read());
    cache.write(&updated);
    cache.keep_report(&input, &report);
    report
}

/// As many as there are processors for us.
fn threads() -> usize {
    std::thread::available_parallelism().map_or(1, std::num::NonZero::get)
}

fn refuse(path: &Path, reason: &str) -> Refusal {
    Refusal(format!("`{}` {reason}", path.display()))
}

/// The project's settings and where they stand.
#[derive(Default)]
struct Project {
    folder: PathBuf,
    settings: Configuration,
}

impl Project {
    fn excluded(&self, arguments: &Arguments) -> Excluded {
        let mut excluded = Excluded::default();
        excluded.add(&self.folder, &self.settings.exclude);
        excluded.add(Path::new("."), &arguments.exclude);
        excluded
    }

    /// The catalogues that are the user's own.
    fn catalogues(&self, arguments: &Arguments) -> Vec<PathBuf> {
        let settings = self.settings.catalogue.iter();
        let of_project = settings.map(|path| self.folder.join(path));
        of_project
            .chain(arguments.catalogue.iter().cloned())
            .collect()
    }

    /// The file with what is known, if there is one.
    fn baseline(&self, arguments: &Arguments) -> Option<PathBuf> {
        let of_project = self.settings.baseline.as_ref();
        let of_project = of_project.map(|path| self.folder.join(path));
        arguments.baseline.clone().or(of_project)
    }

    /// A rule that is misspelt would silently be told all the same.
    fn refuse_unknown_rules(&self, catalogue: &Catalogue) -> Result<(), Refusal> {
        let mut ignored = self.settings.ignore.iter();
        match ignored.find(|rule| !catalogue.has_rule(rule)) {
            None => Ok(()),
            Some(rule) => {
                let path = self.folder.join(SETTINGS);
                let known = catalogue.rule_names().join(", ");
                let reason = format!("`ignore`: there is no rule `{rule}`; there are {known}");
                Err(refuse(&path, &reason))
            }
        }
    }
}

/// Where the search for settings begins.
fn start(arguments: &Arguments) -> PathBuf {
    let first = arguments.paths.first();
    let first = first.map_or(Path::new("."), PathBuf::as_path);
    fs::canonicalize(first).unwrap_or_else(|_| first.to_path_buf())
}

/// The settings of the nearest pyproject.toml at or above the first path.
fn project(arguments: &Arguments) -> Result<Project, Refusal> {
    for folder in start(arguments).ancestors() {
        let path = folder.join(SETTINGS);
        if let Ok(text) = fs::read_to_string(&path) {
            let settings = Configuration::read(&text).map_err(|reason| refuse(&path, &reason))?;
            return Ok(Project {
                folder: folder.to_path_buf(),
                settings,
            });
        }
    }
    Ok(Project {
        folder: PathBuf::from("."),
        settings: Configuration::default(),
    })
}

/// What a run depends on beside the files. Settings that are wrong now may be right after the next change.
fn watched(arguments: &Arguments) -> watch::Watched {
    let ancestors = start(arguments);
    let mut beside: Vec<PathBuf> = ancestors
        .ancestors()
        .map(|folder| folder.join(SETTINGS))
        .collect();
    let project = project(arguments).unwrap_or_default();
    beside.extend(project.catalogues(arguments));
    beside.extend(project.baseline(arguments));
    watch::Watched {
        beside,
        excluded: project.excluded(arguments),
    }
}

/// The catalogue, and the texts that the user has added to ours.
struct Loaded {
    known: Catalogue,
    texts: Vec<String>,
}

fn catalogue(arguments: &Arguments, project: &Project) -> Result<Loaded, Refusal> {
    let built_in = if arguments.plan {
        Catalogue::for_plan()
    } else {
        Catalogue::built_in()
    };
    let mut catalogue = built_in.map_err(|error| Refusal(format!("a bug of ours: {error}")))?;
    let mut texts = Vec::new();
    for path in project.catalogues(arguments) {
        let text = fs::read_to_string(&path)
            .map_err(|error| refuse(&path, &format!("cannot be read: {error}")))?;
        let name = path.display().to_string();
        catalogue
            .add(&name, &text)
            .map_err(|error| Refusal(error.to_string()))?;
        texts.push(text);
    }
    Ok(Loaded {
        known: catalogue,
        texts,
    })
}

/// Says what a rule is about, or that of one call, whose name was given in its place.
fn explain(catalogue: &Catalogue, asked: &str) -> Result<u8, Refusal> {
    let (rule, calls) = match catalogue.rule_of(asked) {
        Some((rule, instead)) => (rule, vec![(asked, instead)]),
        None => (asked, catalogue.calls_of(asked)),
    };
    let Some(text) = catalogue.explain(rule) else {
        let known = catalogue.rule_names().join(", ");
        return Err(Refusal(format!(
            "there is no rule `{rule}`; there are {known}"
        )));
    };
    let mut lines = vec![format!("{rule}: {text}"), String::new()];
    lines.extend(
        calls
            .iter()
            .map(|(call, instead)| format!("  {call}  ->  {instead}")),
    );
    output::data(&lines.join("\n"));
    Ok(0)
}

fn sift(report: &mut Report, arguments: &Arguments, settings: &Configuration) {
    let least: Certainty = arguments
        .certainty
        .or(settings.certainty)
        .unwrap_or_default();
    report
        .findings
        .retain(|finding| finding.certainty <= least && !settings.ignore.contains(&finding.rule));
}

fn apply_baseline(
    report: &mut Report,
    arguments: &Arguments,
    project: &Project,
) -> Result<usize, Refusal> {
    let Some(path) = project.baseline(arguments) else {
        return Ok(0);
    };
    let text = fs::read_to_string(&path).map_err(|error| {
        let hint = match error.kind() {
            ErrorKind::NotFound => "; `--write-baseline FILE` makes one",
            _ => "",
        };
        refuse(&path, &format!("cannot be read: {error}{hint}"))
    })?;
    let baseline = Baseline::read(&text).map_err(|error| refuse(&path, &error.to_string()))?;
    Ok(baseline.apply(report))
}

fn show(arguments: &Arguments, report: &Report, sources: &[Source], catalogue: &Catalogue) {
    faults(&report.faults);
    if arguments.statistics {
        output::data(&render::statistics(report));
        return;
    }
    match arguments.form() {
        Form::Text => {
            output::data(&render::text(report, sources, output::colour()));
            output::message(&render::summary(report));
        }
        Form::Json => output::data(&render::json(report)),
        Form::Sarif => {
            output::data(&render::sarif(report, catalogue, env!("CARGO_PKG_VERSION")));
        }
        Form::Github => output::data(&render::github(report)),
    }
}

/// Files that could not be read as a whole: one line each, however much is wrong with it.
fn faults(all: &[Fault]) {
    for of_file in all.chunk_by(|one, next| one.place.path == next.place.path) {
        let Some(first) = of_file.first() else {
            continue;
        };
        let place = &first.place;
        let mut line = format!(
            "{}:{}: not parsed: {}",
            place.path, place.line, first.message
        );
        if of_file.len() > 1 {
            line += " (and more in this file)";
        }
        output::message(&format!("corrente-check: {line}"));
    }
}
