//! `cargo xtask bench server`: the server of corrente against Uvicorn, Granian, fastpysgi and others.
//!
//! All take part in one run, in rounds of rotated order, row by row, so that a mood of the machine
//! meets all of them; beside them stand a bare epoll server and the framework without a server. This
//! file decides what is measured and when; the rows and their goals are data in `rows`, how a row is
//! measured is in `served` and `idle`, the text is in `report`. The programs are in `bench/server`.

mod comparison;
mod contender;
mod idle;
mod load;
mod paired;
mod reload;
mod report;
mod results;
mod rows;
mod running;
mod served;

use std::fs;
use std::time::Duration;

use self::contender::{CONTENDERS, PACKAGES};
use self::load::Generator;
use self::paired::Paired;
use self::reload::Reload;
use self::results::Results;
use self::rows::{How, Load, ROWS, Row, Transport};
use self::running::FILE;
use self::served::Group;
use super::children::{Interruption, can_pin};
use super::conditions;
use super::document::Published;
use super::options::Flag;
use super::place::Place;
use super::programs;
use super::selection::{Extent, Named, Selection};
use super::versions::Versions;
use crate::extension;
use crate::failure::Failure;
use crate::python::Interpreter;
use crate::step::Project;

pub(super) const USAGE: &str = "\
cargo xtask bench server [ROW…] [--rounds N] [--seconds N] [--python VERSION]
                         [--quick] [--write]
cargo xtask bench server --rows

  ROW…              only these rows or kinds of rows (default: all)
  --rounds N        runs of each contender in each row, 2 to 100 (default: 5; quick: 3)
  --seconds N       length of a run, 1 to 60 (default: 3; quick: 1)
  --python VERSION  the interpreter: `3.13`, or a path (default: as for every chore)
  --quick           about 17 minutes instead of 50
  --rows            the names of rows
  --write           put the result into docs/BENCHMARKS.md
";

/// The programs, under the project's folder.
const PROGRAMS: &str = "bench/server";
/// The program that tells versions, beside them.
const VERSIONS: &str = "../loop/versions.py";
/// Of the file that is served.
const FILE_BYTES: usize = 50_000;

/// Runs the rows that were asked for and prints the result.
pub(super) fn server(project: &Project, arguments: &[String]) -> Result<(), Failure> {
    if arguments.iter().any(|word| word == "--rows") {
        print!("{}", list());
        return Ok(());
    }
    let options = selected(arguments)?;
    conditions::two_processors()?;
    can_pin()?;
    let published = Published::wanted(options.outcome, &project.root, "server")?;
    let (generator, generator_version) = Generator::find();
    let place = place(project, &options)?;
    prepare(&place, &options.rows)?;
    let heading = format!(
        "{}, {generator_version}\n{}\n{} rounds of {} s a run, order rotated; medians, and ratios \
         within a round\n",
        place.versions.describe(),
        conditions::describe()?,
        options.rounds,
        options.length.as_secs(),
    );
    println!("{heading}");
    let results = measure(&place, generator, &options)?;
    let text = report::report(&results);
    println!("{text}");
    // It holds a key and scripts; a folder that stays harms nobody.
    fs::remove_dir_all(&place.scratch).ok();
    published.map_or(Ok(()), |published| {
        published.write(&format!("{heading}\n{text}"))
    })
}

/// The names that can be asked for.
fn list() -> String {
    let rows = ROWS.iter().map(|row| (row.name, row.title));
    let lines = rows.map(|(name, title)| format!("{name:<18}{title}\n"));
    lines.collect()
}

fn place(project: &Project, options: &Selection<Row>) -> Result<Place, Failure> {
    let interpreter = match &options.python {
        Some(name) => Interpreter::named(name)?,
        None => Interpreter::find()?,
    };
    let requirements = format!("{PROGRAMS}/requirements.txt");
    let environment =
        extension::with_release(project, &interpreter, "server", Some(&requirements))?;
    let programs = project.root.join(PROGRAMS);
    let mut versions = environment.command(project, "python");
    versions.arg(programs.join(VERSIONS)).args(PACKAGES);
    Ok(Place {
        python: environment.program("python"),
        corrente: environment.program("corrente"),
        scratch: programs::write(project, "bench-server", &[])?,
        programs,
        versions: Versions::ask(&mut versions)?,
        interruption: Interruption::listen()?,
        length: options.length,
    })
}

/// Makes what the rows need besides servers.
fn prepare(place: &Place, rows: &[&Row]) -> Result<(), Failure> {
    let path = place.scratch.join(FILE);
    let content: Vec<u8> = (0..FILE_BYTES).map(|index| (index % 251) as u8).collect();
    fs::write(&path, content)
        .map_err(|error| Failure::step(format!("cannot write {}: {error}", path.display())))?;
    let has_tls = |row: &&Row| row.application.transport == Transport::Tls;
    if rows.iter().any(has_tls) {
        place.make_certificate()?;
    }
    Ok(())
}

/// All rounds. Each goes through all rows, so that a mood of minutes meets every row in one round
/// at most.
fn measure(
    place: &Place,
    generator: Generator,
    options: &Selection<Row>,
) -> Result<Results, Failure> {
    let mut results = Results::default();
    let plan = Plan::of(&options.rows);
    for round in 0..options.rounds {
        eprintln!("round {} of {}", round + 1, options.rounds);
        for group in &plan.groups {
            group.round(place, generator, round, &mut results)?;
            let rows: Vec<&Row> = group.rows.iter().map(|(row, _)| *row).collect();
            progress(&rows, &results);
        }
        idle::round(place, generator, &plan.idle, round, &mut results)?;
        progress(&plan.idle, &results);
        for reload in &plan.reloads {
            reload.round(place, round, &mut results)?;
            progress(&[reload.row], &results);
        }
        for pair in &plan.pairs {
            pair.round(place, generator, round, &mut results)?;
            progress(&[pair.row], &results);
        }
    }
    Ok(results)
}

/// The last figure of everybody.
fn progress(rows: &[&Row], results: &Results) {
    for row in rows {
        let figures = CONTENDERS.into_iter().filter_map(|contender| {
            let last = *results.series(row, contender)?.values().last()?;
            Some(format!("{} {last:.2}", contender.name()))
        });
        let figures: Vec<String> = figures.collect();
        eprintln!("  {:<12}{}", row.name, figures.join(", "));
    }
}

/// The rows by how they are measured.
#[derive(Debug, Default)]
struct Plan {
    groups: Vec<Group>,
    idle: Vec<&'static Row>,
    reloads: Vec<Reload>,
    pairs: Vec<Paired>,
}

impl Plan {
    fn of(rows: &[&'static Row]) -> Self {
        let mut plan = Self::default();
        for row in rows {
            match row.how {
                How::Served(load) => plan.serve(row, load),
                How::Paired(load) => plan.pairs.push(Paired { row, load }),
                How::Reload(load) => plan.reloads.push(Reload { row, load }),
                How::IdleMemory | How::IdleRate => plan.idle.push(row),
            }
        }
        plan
    }

    /// Puts a row to those of its application.
    fn serve(&mut self, row: &'static Row, load: Load) {
        let application = row.application;
        let mut groups = self.groups.iter_mut();
        match groups.find(|group| group.application == application) {
            Some(group) => group.rows.push((row, load)),
            None => self.groups.push(Group {
                application,
                rows: vec![(row, load)],
            }),
        }
    }
}

/// A median of fewer rounds is not published.
const EXTENT: Extent = Extent {
    bench: "server",
    rounds: [5, 3],
    length: Flag {
        name: "--seconds",
        // wrk takes whole seconds.
        least: 1,
        most: 60,
        default: 3,
    },
    unit: Duration::from_secs(1),
    quick_length: 1,
};

impl Named for Row {
    fn name(&self) -> &'static str {
        self.name
    }
}

/// What was asked for.
fn selected(arguments: &[String]) -> Result<Selection<Row>, Failure> {
    EXTENT.select(arguments, ROWS.iter(), rows::named_by)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn parse(arguments: &str) -> Result<Selection<Row>, String> {
        let words: Vec<String> = arguments.split_whitespace().map(str::to_owned).collect();
        selected(&words).map_err(|failure| failure.to_string())
    }

    #[test]
    fn rows_are_taken_in_the_order_of_the_tables_and_once() {
        let options = parse("echo raw raw-wsgi").expect("is well formed");
        let names: Vec<&str> = options.rows.iter().map(|row| row.name).collect();
        assert_eq!(names, ["raw-asgi", "raw-wsgi", "echo"]);
    }

    #[test]
    fn arguments_have_bounds_and_defaults() {
        let options = parse("--python 3.13").expect("is well formed");
        assert_eq!(
            (options.rounds, options.python.as_deref()),
            (5, Some("3.13"))
        );
        assert_eq!(options.length, Duration::from_secs(3));
        let quick = parse("--seconds 2 --quick").expect("is well formed");
        assert_eq!((quick.rounds, quick.length.as_secs()), (3, 2));
        let complaints = [
            ("fast", "`bench server` has no argument `fast`"),
            ("--seconds 0", "`--seconds` needs a number of 1 to 60"),
            ("--python", "`--python` needs a version or a path"),
            ("tls --write", "`--write` publishes all rows"),
            ("--quick --write", "`--write` publishes all rows"),
        ];
        for (arguments, expected) in complaints {
            let complaint = parse(arguments).expect_err(arguments);
            assert!(complaint.starts_with(expected), "{complaint}");
        }
    }

    #[test]
    fn rows_of_one_application_share_a_server() {
        let options = parse("").expect("is well formed");
        let plan = Plan::of(&options.rows);
        let sizes: Vec<usize> = plan.groups.iter().map(|group| group.rows.len()).collect();
        // Raw ASGI with what it is asked, raw WSGI, three frameworks, TLS, HTTP/2 twice, WebSockets.
        assert_eq!(sizes, [5, 1, 1, 1, 1, 1, 1, 1, 4]);
        let others = [plan.idle.len(), plan.reloads.len(), plan.pairs.len()];
        assert_eq!(others, [2, 1, 2]);
    }
}
