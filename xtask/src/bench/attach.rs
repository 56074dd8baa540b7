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
use super::children::Interruption;
use super::conditions;
use super::document::Published;
use super::options::{self, Asked, Flag};
use super::programs::{self, Program};
use crate::extension;
use crate::failure::Failure;
use crate::python::Environment;
use crate::step::{Project, step};

pub(super) const USAGE: &str = "\
cargo xtask bench attach [--seconds S] [--write]

  --seconds S   how long each service is sampled, 5 to 600 (default: 30)
  --write       put the result into docs/BENCHMARKS.md
";

const FLAGS: [Flag; 1] = [Flag {
    name: "--seconds",
    least: 5,
    most: 600,
    default: 30,
}];

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
    let Asked {
        numbers: [seconds],
        outcome,
    } = options::parse("attach", FLAGS, arguments)?;
    conditions::two_processors()?;
    let published = Published::wanted(outcome, &project.root, "attach")?;
    let environment = extension::service(project)?;
    install_driver(project, &environment)?;
    let python = environment.program("python");
    let place = Place {
        programs: python.parent().map(PathBuf::from).unwrap_or_default(),
        folder: programs::write(project, "bench-attach", &PROGRAMS)?,
    };
    let interruption = Interruption::listen()?;
    let mut text = heading(project, &environment, seconds)?;
    println!("{text}");
    let mut all = Vec::new();
    for part in PARTS {
        let both = watched::watch(part, seconds, &place, &interruption)?;
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

fn heading(project: &Project, environment: &Environment, seconds: u32) -> Result<String, Failure> {
    let packages = ["corrente", "flask", "gunicorn", "starlette", "uvicorn"];
    let versions = conditions::versions(project, environment, &packages)?;
    let conditions = conditions::describe()?;
    Ok(format!("{versions}\n{conditions}\n{seconds} s a service\n"))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn one_package_is_cut_out_of_a_lock() {
        let lock = "a==1 \\\n    --hash=x\nb==2 \\\n    --hash=y \\\n    --hash=z\nc==3\n";
        let expected = "b==2 \\\n    --hash=y \\\n    --hash=z\n";
        assert_eq!(entry_of(lock, "b").as_deref(), Some(expected));
        assert_eq!(entry_of(lock, "d"), None);
    }
}
