//! `cargo xtask bench loop`: the event loop of corrente against asyncio, uvloop, rloop and others.
//!
//! All take part in one run, in rounds of rotated order, row by row, so that a mood of the machine
//! meets all of them; beside them stands the floor, which is what the kernel or the interpreter
//! costs without a loop. This file decides what is measured and when; the rows and their goals are
//! data in `rows`, how a row is measured is in the module of its kind, the text is in `report`. The
//! programs that are measured are in `bench/loop`.

mod asking;
mod bare_tls;
mod comparison;
mod contender;
mod idle;
mod report;
mod results;
mod rows;
mod scheduling;
mod served;
mod server;
mod verify;

use std::fs;
use std::time::Duration;

use self::contender::CONTENDERS;
use self::results::Results;
use self::rows::{Bare, FAMILIES, How, Row};
use self::served::{Group, Loaded};
use super::children::{Interruption, can_pin};
use super::conditions;
use super::document::Published;
use super::options::Flag;
use super::place::{self, Place};
use super::program;
use super::programs;
use super::selection::{Extent, Named, Selection};
use super::versions::Versions;
use crate::extension;
use crate::failure::Failure;
use crate::python::Interpreter;
use crate::step::Project;

pub(super) const USAGE: &str = "\
cargo xtask bench loop [ROW…] [--rounds N] [--milliseconds N] [--python VERSION]
                       [--quick] [--write]
cargo xtask bench loop --rows

  ROW…              only these rows, kinds of rows or tables (default: all)
  --rounds N        runs of each contender in each row, 2 to 100 (default: 5)
  --milliseconds N  length of a run, 100 to 60000 (default: 1000)
  --python VERSION  the interpreter: `3.13`, or a path (default: as for every chore)
  --quick           runs of 300 ms: 12 minutes instead of 25
  --rows            the names of rows and tables
  --write           put the result into docs/BENCHMARKS.md
";

/// The programs, under the project's folder.
const PROGRAMS: &str = "bench/loop";

/// Runs the rows that were asked for and prints the result.
pub(super) fn event_loop(project: &Project, arguments: &[String]) -> Result<(), Failure> {
    if arguments.iter().any(|word| word == "--rows") {
        print!("{}", list());
        return Ok(());
    }
    let options = selected(arguments)?;
    conditions::two_processors()?;
    can_pin()?;
    let published = Published::wanted(options.outcome, &project.root, "loop")?;
    let place = place(project, &options)?;
    if options.rows.iter().any(|row| has_tls(row)) {
        bare_tls::prepare(&place)?;
    }
    let heading = heading(&place, &options)?;
    println!("{heading}");
    let results = measure(&place, &options)?;
    let text = report::report(&results);
    println!("{text}");
    // It holds sockets and a key; a folder that stays harms nobody.
    fs::remove_dir_all(&place.scratch).ok();
    published.map_or(Ok(()), |published| {
        published.write(&format!("{heading}\n{text}"))
    })
}

/// The names that can be asked for.
fn list() -> String {
    let mut lines = Vec::new();
    for family in FAMILIES {
        lines.push(format!("{}: {}", family.name, family.title));
        let rows = family.rows.iter();
        lines.extend(rows.map(|row| format!("  {:<16}{}", row.name, row.title)));
    }
    lines.join("\n") + "\n"
}

fn place(project: &Project, options: &Selection<Row>) -> Result<Place, Failure> {
    let interpreter = match &options.python {
        Some(name) => Interpreter::named(name)?,
        None => Interpreter::find()?,
    };
    let requirements = format!("{PROGRAMS}/requirements.txt");
    let environment = extension::with_release(project, &interpreter, "loop", Some(&requirements))?;
    let programs = project.root.join(PROGRAMS);
    let mut versions = environment.command(project, "python");
    let versions = Versions::ask(versions.arg(programs.join("versions.py")))?;
    Ok(Place {
        python: environment.program("python"),
        corrente: environment.program("corrente"),
        scratch: programs::write(project, "bench-loop", &[])?,
        programs,
        versions,
        interruption: Interruption::listen()?,
        length: options.length,
    })
}

fn heading(place: &Place, options: &Selection<Row>) -> Result<String, Failure> {
    Ok(format!(
        "{}\n{}\n{} rounds of {} s a run, order rotated; medians, and ratios within a round\n",
        place.versions.describe(),
        conditions::describe()?,
        options.rounds,
        options.length.as_secs_f64(),
    ))
}

fn has_tls(row: &Row) -> bool {
    matches!(row.how, How::Served { server, .. } if server.floor == Bare::Tls)
}

/// All rounds. Each goes through all rows, so that a mood of minutes meets every row in one round
/// at most.
fn measure(place: &Place, options: &Selection<Row>) -> Result<Results, Failure> {
    let mut results = Results::default();
    let plan = Plan::of(&options.rows);
    for round in 0..options.rounds {
        eprintln!("round {} of {}", round + 1, options.rounds);
        if !plan.within.is_empty() {
            scheduling::round(place, &plan.within, round, &mut results)?;
            progress(&plan.within, &results);
        }
        for group in &plan.groups {
            group.round(place, round, &mut results)?;
            let rows: Vec<&Row> = group.rows.iter().map(|loaded| loaded.row).collect();
            progress(&rows, &results);
        }
        if !plan.idle.is_empty() {
            idle::round(place, &plan.idle, round, &mut results)?;
            progress(&plan.idle, &results);
        }
        for row in &plan.asking {
            asking::round(place, row, round, &mut results)?;
            progress(&[*row], &results);
        }
    }
    Ok(results)
}

/// The last figure of everybody.
fn progress(rows: &[&Row], results: &Results) {
    for row in rows {
        let figures = CONTENDERS.into_iter().filter_map(|contender| {
            let last = *results.series(row, contender)?.values.last()?;
            Some(format!("{} {last:.2}", contender.name()))
        });
        let figures: Vec<String> = figures.collect();
        eprintln!("  {:<16}{}", row.name, figures.join(", "));
    }
}

/// The rows by how they are measured.
#[derive(Debug, Default)]
struct Plan {
    within: Vec<&'static Row>,
    groups: Vec<Group>,
    idle: Vec<&'static Row>,
    asking: Vec<&'static Row>,
}

impl Plan {
    fn of(rows: &[&'static Row]) -> Self {
        let mut plan = Self::default();
        for row in rows {
            match row.how {
                How::Within { .. } => plan.within.push(row),
                How::IdleMemory | How::IdleRate => plan.idle.push(row),
                How::Asking { .. } => plan.asking.push(row),
                How::Served { server, load } => {
                    let loaded = Loaded { row, load };
                    match plan.groups.iter_mut().find(|group| group.server == server) {
                        Some(group) => group.rows.push(loaded),
                        None => plan.groups.push(Group {
                            server,
                            rows: vec![loaded],
                        }),
                    }
                }
            }
        }
        plan
    }
}

/// A median of fewer rounds is not published.
const EXTENT: Extent = Extent {
    bench: "loop",
    rounds: [5, 5],
    length: Flag {
        name: "--milliseconds",
        least: 100,
        most: 60_000,
        default: 1000,
    },
    unit: Duration::from_millis(1),
    quick_length: 300,
};

impl Named for Row {
    fn name(&self) -> &'static str {
        self.name
    }
}

/// What was asked for.
fn selected(arguments: &[String]) -> Result<Selection<Row>, Failure> {
    EXTENT.select(
        arguments,
        FAMILIES.iter().flat_map(|family| family.rows),
        rows::named_by,
    )
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
        let names = |arguments: &str| -> Vec<&str> {
            let options = parse(arguments).expect("is well formed");
            options.rows.iter().map(|row| row.name).collect()
        };
        let expected = ["executor", "unix-1", "unix-10", "unix-100"];
        assert_eq!(names("unix executor unix-10"), expected);
        assert!(names("").len() > 30);
    }

    #[test]
    fn arguments_have_bounds_and_defaults() {
        let options = parse("--python 3.13 --rounds 7").expect("is well formed");
        assert_eq!(
            (options.rounds, options.python.as_deref()),
            (7, Some("3.13"))
        );
        assert_eq!(options.length, Duration::from_secs(1));
        let quick = parse("--rounds 3 --quick").expect("is well formed");
        assert_eq!((quick.rounds, quick.length.as_millis()), (3, 300));
        let complaints = [
            ("fast", "`bench loop` has no argument `fast`"),
            ("--rounds 1", "`--rounds` needs a number of 2 to 100"),
            ("--python", "`--python` needs a version or a path"),
            ("tls --write", "`--write` publishes all rows"),
            ("--rounds 4 --write", "`--write` publishes all rows"),
        ];
        for (arguments, expected) in complaints {
            let complaint = parse(arguments).expect_err(arguments);
            assert!(complaint.starts_with(expected), "{complaint}");
        }
    }

    #[test]
    fn rows_of_one_server_share_it() {
        let options = parse("protocol accept unix-1").expect("is well formed");
        let plan = Plan::of(&options.rows);
        let sizes: Vec<usize> = plan.groups.iter().map(|group| group.rows.len()).collect();
        // The three sizes and the connections, and the other one.
        assert_eq!(sizes, [4, 1]);
    }
}
