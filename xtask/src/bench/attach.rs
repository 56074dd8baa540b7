//! `cargo xtask bench attach`: what `gauge attach` finds from outside, against `gauge run`.
//!
//! One service under steady load is watched by both at once, so that both see the same requests. Each
//! service is a part; this file decides what is measured and compared. How the programs are started is
//! in `watched`, how the result is written down in `report`.

mod report;
mod watched;

use std::fs;
use std::path::PathBuf;

use self::watched::Place;
use super::arguments::{Outcome, Words};
use super::child::{Interruption, two_processors};
use super::conditions;
use super::programs::{self, Program};
use crate::extension;
use crate::failure::Failure;
use crate::python::Environment;
use crate::step::{Project, output, step};

const USAGE: &str = "\
cargo xtask bench attach [--seconds S] [--write]

  --seconds S   how long each service is sampled, 5 to 600 (default: 30)
  --write       put the result into docs/BENCHMARKS.md
";

/// The programs that are measured, and what they wait for.
const PROGRAMS: [Program; 3] = [
    ("backends.py", include_str!("attach/backends.py")),
    ("service_flask.py", include_str!("attach/service_flask.py")),
    (
        "service_starlette.py",
        include_str!("attach/service_starlette.py"),
    ),
];

/// The PostgreSQL driver, which the locked tools do not hold; it is locked for the lab.
const DRIVER: &str = "psycopg2-binary";

/// A service, and what is asked of it.
#[derive(Debug)]
struct Part {
    title: &'static str,
    /// `PORT` stands for the port.
    command: &'static str,
    module: &'static str,
    kind: Kind,
    loads: &'static [(&'static str, u32)],
}

/// What can be compared: on a loop requests cannot be counted from outside.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Kind {
    Threads,
    Loop,
}

/// Functions of `service_flask.py`, and requests a second.
const FLASK: &[(&str, u32)] = &[("sql", 20), ("web", 20), ("work", 15)];

const PARTS: &[Part] = &[
    Part {
        title: "A. Flask under Gunicorn sync, 4 workers",
        command: "gunicorn service_flask:app --workers 4 --bind 127.0.0.1:PORT",
        module: "service_flask",
        kind: Kind::Threads,
        loads: FLASK,
    },
    Part {
        title: "B. Flask under Gunicorn gthread, 2 workers of 4 threads",
        command: "gunicorn service_flask:app --workers 2 --threads 4 --bind 127.0.0.1:PORT",
        module: "service_flask",
        kind: Kind::Threads,
        loads: FLASK,
    },
    Part {
        title: "C. Starlette under Uvicorn, one process",
        command: "uvicorn service_starlette:app --log-level warning --port PORT",
        module: "service_starlette",
        kind: Kind::Loop,
        loads: &[("web", 40), ("work", 20), ("blocked", 20)],
    },
];

/// Runs all parts and prints the result.
pub(super) fn attach(project: &Project, arguments: &[String]) -> Result<(), Failure> {
    if arguments.iter().any(|word| word == "--help") {
        print!("{USAGE}");
        return Ok(());
    }
    let options = Options::parse(arguments)?;
    two_processors()?;
    let published = options.outcome.document(project, "attach")?;
    let environment = extension::service(project)?;
    install_driver(project, &environment)?;
    let place = place(project, &environment)?;
    let interruption = Interruption::listen()?;
    let mut text = heading(project, &environment, &options)?;
    println!("{text}");
    let mut all = Vec::new();
    for part in PARTS {
        let both = watched::watch(part, options.seconds, &place, &interruption)?;
        let compared = report::compare(part, &both)
            .map_err(|what| Failure::step(format!("{}: {what}", part.title)))?;
        let table = report::part(part, &compared);
        println!("{table}");
        text = format!("{text}\n{table}");
        all.extend(compared);
    }
    let verdict = report::verdict(&all);
    println!("{verdict}");
    text = format!("{text}\n{verdict}\n");
    fs::remove_dir_all(&place.folder).ok();
    published.map_or(Ok(()), |published| published.write(&text))
}

/// Installs the driver with the lab's hashes.
fn install_driver(project: &Project, environment: &Environment) -> Result<(), Failure> {
    let path = project.root.join("lab/requirements.txt");
    let locked = fs::read_to_string(&path)
        .map_err(|error| Failure::step(format!("cannot read lab/requirements.txt: {error}")))?;
    let entry = entry_of(&locked, DRIVER)
        .ok_or_else(|| Failure::step(format!("lab/requirements.txt has no {DRIVER}")))?;
    if environment.is_stamped("driver", &entry) {
        return Ok(());
    }
    let file = project.target.join("bench-driver.txt");
    fs::write(&file, &entry)
        .map_err(|error| Failure::step(format!("cannot write {}: {error}", file.display())))?;
    let mut pip = environment.pip(project, &["install", "--no-deps", "--require-hashes", "-r"]);
    step(
        DRIVER,
        pip.arg(&file),
        "the Python package registry must be reachable",
    )?;
    environment.stamp("driver", &entry)
}

/// The lines of one package: its own and the indented ones below.
fn entry_of(locked: &str, name: &str) -> Option<String> {
    let mut lines = locked
        .lines()
        .skip_while(|line| !line.starts_with(&format!("{name}==")));
    let first = lines.next()?;
    let rest = lines.take_while(|line| line.starts_with(' '));
    Some(
        std::iter::once(first)
            .chain(rest)
            .fold(String::new(), |text, line| text + line + "\n"),
    )
}

/// A folder of its own under the target folder, with the programs in it.
fn place(project: &Project, environment: &Environment) -> Result<Place, Failure> {
    let folder = programs::lay_out(project, "bench-attach", &PROGRAMS)?;
    let programs: PathBuf = environment.program("python");
    Ok(Place {
        programs: programs.parent().map(PathBuf::from).unwrap_or_default(),
        folder,
    })
}

fn heading(
    project: &Project,
    environment: &Environment,
    options: &Options,
) -> Result<String, Failure> {
    const VERSIONS: &str = "import platform; from importlib.metadata import version as v; \
         print(', '.join(f'{name} {v(name)}' for name in ('corrente', 'flask', 'gunicorn', \
         'starlette', 'uvicorn')) + f', CPython {platform.python_version()}')";
    let versions = output(
        environment
            .command(project, "python")
            .args(["-c", VERSIONS]),
    )?;
    let conditions = conditions::describe()?;
    let seconds = options.seconds;
    Ok(format!("{versions}\n{conditions}\n{seconds} s a service\n"))
}

#[derive(Debug, PartialEq, Eq)]
struct Options {
    seconds: u32,
    outcome: Outcome,
}

impl Options {
    fn parse(arguments: &[String]) -> Result<Self, Failure> {
        let mut options = Self {
            seconds: 30,
            outcome: Outcome::Print,
        };
        let mut words = Words::new("attach", arguments);
        while let Some(word) = words.word() {
            match word {
                "--seconds" => options.seconds = words.number(word, 5..=600)?,
                "--write" => options.outcome = Outcome::Write,
                _ => return Err(words.unknown(word)),
            }
        }
        Ok(options)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn arguments_have_bounds_and_defaults() {
        let check = |arguments: &str, expected: Option<(u32, Outcome)>| {
            let words: Vec<String> = arguments.split_whitespace().map(str::to_owned).collect();
            let found = Options::parse(&words).ok();
            assert_eq!(found.map(|found| (found.seconds, found.outcome)), expected);
        };
        check("", Some((30, Outcome::Print)));
        check("--seconds 5 --write", Some((5, Outcome::Write)));
        check("--seconds 4", None);
        check("fast", None);
    }

    #[test]
    fn one_package_is_cut_out_of_a_lock() {
        let lock = "a==1 \\\n    --hash=x\nb==2 \\\n    --hash=y \\\n    --hash=z\nc==3\n";
        let expected = "b==2 \\\n    --hash=y \\\n    --hash=z\n";
        assert_eq!(entry_of(lock, "b").as_deref(), Some(expected));
        assert_eq!(entry_of(lock, "d"), None);
    }
}
