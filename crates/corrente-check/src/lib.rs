//! Blocking calls that async code can reach: a whole-program analysis of Python source.
//!
//! Pure: sources in, a [`Report`] out; the program of the same name does the reading and printing.
//! `syntax` turns each file into facts, `program` puts them together, `solve` follows values
//! through them, `reach` searches from coroutines to what the `catalogue` says is blocking, `telling`
//! makes the report of that.

#![forbid(unsafe_code)]

mod baseline;
mod catalogue;
mod configuration;
mod facts;
mod finding;
mod found;
mod graph;
mod origins;
pub mod plan;
mod program;
mod reach;
pub mod render;
mod routing;
mod solve;
mod spans;
mod store;
mod suppressions;
mod symbols;
mod syntax;
mod telling;
mod uses;

use std::panic::{self, AssertUnwindSafe};
use std::thread;

pub use baseline::{Baseline, BaselineError};
pub use catalogue::{Catalogue, CatalogueError};
pub use configuration::Configuration;
pub use finding::{Certainty, Extent, Fault, Finding, Place, Report, Step};
pub use graph::CallGraph;
pub use store::{Store, Updated};
pub use syntax::STACK_BYTES;

use facts::ModuleFacts;
use plan::{Plan, Recorded};
use program::{NewModule, Program};
use solve::Machine;
use store::{Digested, Lowered};
use symbols::Symbols;
use telling::Files;

/// A file of the program to be checked.
#[derive(Debug, Clone)]
pub struct Source {
    /// Its path as people are told it, with `/`.
    pub path: String,
    /// Its dotted name, where that is known; else it follows from the paths.
    pub module: Option<String>,
    /// Its text.
    pub text: String,
}

/// Checks a program, with so many threads for the parsing.
pub fn check(sources: &[Source], catalogue: &Catalogue, threads: usize) -> Report {
    let facts = lower_all(sources, threads, &syntax::lower);
    solved(sources, facts, catalogue, |machine| {
        let found = reach::found(machine);
        let facts = &machine.program.facts();
        Files { sources, facts }.report(&found, catalogue)
    })
}

/// What a run may use, and what it leaves.
#[derive(Debug, Clone, Copy)]
pub struct Effort {
    /// Threads for the parsing.
    pub threads: usize,
    /// What becomes of the memory.
    pub memory: Memory,
}

/// What becomes of a run's memory.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Memory {
    /// It is given back, piece by piece.
    Freed,
    /// It is left to the system: for a process that ends after this, which is sooner done.
    Left,
}

/// The same with what an earlier run left; also gives what to keep for the next one.
///
/// Where only the layout of files has changed since (comments, docstrings, empty lines), what was found then
/// is told again. Else values flow anew: what a full set holds depends on the order in which it came.
pub fn check_again(
    sources: &[Source],
    catalogue: &Catalogue,
    effort: Effort,
    store: &Store,
) -> (Report, Updated) {
    let lowered = lower_all(sources, effort.threads, &|text: &str| {
        store.facts(text, || syntax::lower(text))
    });
    let shape = store::shape(sources, &lowered, catalogue);
    let mut updated = Updated {
        facts: store.updated(&lowered),
        findings: None,
    };
    if let Some(report) =
        shape.and_then(|shape| told_again((sources, catalogue), &lowered, store, &shape))
    {
        leave(lowered, effort.memory);
        return (report, updated);
    }
    let facts = lowered.into_iter().map(|file| file.facts).collect();
    let input = (sources, facts, catalogue);
    let report = solve(input, effort.memory, |machine| {
        let found = reach::found(machine);
        let facts = &machine.program.facts();
        updated.findings = shape.and_then(|shape| store::kept(&found, &shape, facts));
        Files { sources, facts }.report(&found, catalogue)
    });
    (report, updated)
}

/// The report on what the last run found, if the program is made of the same as then.
fn told_again(
    (sources, catalogue): (&[Source], &Catalogue),
    lowered: &[Lowered],
    store: &Store,
    shape: &Digested,
) -> Option<Report> {
    let facts: &Vec<&ModuleFacts> = &lowered.iter().map(|file| &file.facts).collect();
    let found = store.found(shape, facts)?;
    Some(Files { sources, facts }.report(&found, catalogue))
}

fn leave<T>(what: T, memory: Memory) {
    match memory {
        Memory::Left => std::mem::forget(what),
        Memory::Freed => drop(what),
    }
}

/// Who calls whom in a program.
pub fn call_graph(sources: &[Source], catalogue: &Catalogue) -> CallGraph {
    let mut facts = lower_all(sources, 1, &syntax::lower);
    // Whom a body may call, whatever it is given.
    facts.iter_mut().for_each(ModuleFacts::forget_tests);
    solved(sources, facts, catalogue, |machine| {
        graph::call_graph(machine)
    })
}

/// Plans the way of a program's endpoints to asynchronous code. The catalogue has to know endpoints:
/// [`Catalogue::for_plan`].
pub fn plan(
    sources: &[Source],
    catalogue: &Catalogue,
    threads: usize,
    recorded: Option<&Recorded>,
) -> Plan {
    let facts = lower_all(sources, threads, &syntax::lower);
    solved(sources, facts, catalogue, |machine| {
        machine.endpoint_classes();
        machine.hooks_of_settings();
        machine.listed_dependencies();
        machine.surroundings();
        machine.run();
        // What decorators give is known when they have run.
        machine.surroundings();
        machine.run();
        machine.absorb_expressions();
        machine.whole_routes();
        let inherited = machine.inherited_handlers();
        plan::make(machine, &inherited, sources, recorded)
    })
}

fn solved<T>(
    sources: &[Source],
    facts: Vec<ModuleFacts>,
    catalogue: &Catalogue,
    ask: impl FnOnce(&mut Machine<'_>) -> T,
) -> T {
    solve((sources, facts, catalogue), Memory::Freed, ask)
}

fn solve<T>(
    (sources, facts, catalogue): (&[Source], Vec<ModuleFacts>, &Catalogue),
    memory: Memory,
    ask: impl FnOnce(&mut Machine<'_>) -> T,
) -> T {
    let files = sources.iter().zip(facts).map(|(source, facts)| NewModule {
        path: source.path.clone(),
        module: source.module.clone(),
        facts,
    });
    let mut symbols = Symbols::default();
    let program = Program::of(files.collect(), &mut symbols);
    let mut machine = Machine::new(&program, symbols, catalogue);
    machine.run();
    machine.framework_methods();
    machine.run();
    machine.absorb_expressions();
    let answer = ask(&mut machine);
    leave(machine, memory);
    leave(program, memory);
    answer
}

/// Lowers all files, on threads with a deep stack: see [`STACK_BYTES`].
fn lower_all<T: Broken + Send>(
    sources: &[Source],
    threads: usize,
    lower: &(impl Fn(&str) -> T + Sync),
) -> Vec<T> {
    let next = std::sync::atomic::AtomicUsize::new(0);
    let work = || {
        let mut done = Vec::new();
        loop {
            let number = next.fetch_add(1, std::sync::atomic::Ordering::Relaxed);
            let Some(source) = sources.get(number) else {
                return done;
            };
            // A file that makes us fail must not take others with it.
            let lowered = panic::catch_unwind(AssertUnwindSafe(|| lower(&source.text)));
            done.extend(lowered.ok().map(|lowered| (number, lowered)));
        }
    };
    let mut all: Vec<(usize, T)> = thread::scope(|scope| {
        let started: Vec<_> = (0..threads.max(1))
            .filter_map(|_| {
                thread::Builder::new()
                    .stack_size(STACK_BYTES)
                    .spawn_scoped(scope, work)
                    .ok()
            })
            .collect();
        // Where no thread can be had, this one has to do.
        let mut done = if started.is_empty() {
            work()
        } else {
            Vec::new()
        };
        for thread in started {
            done.extend(thread.join().unwrap_or_default());
        }
        done
    });
    all.sort_by_key(|(number, _)| *number);
    // A file whose lowering panicked is missing: an empty module stands for it.
    let mut facts: Vec<T> = Vec::with_capacity(sources.len());
    for (number, found) in all {
        facts.resize_with(number, T::broken);
        facts.push(found);
    }
    facts.resize_with(sources.len(), T::broken);
    facts
}

/// What stands for a file that made the lowering fail.
trait Broken {
    fn broken() -> Self;
}

impl Broken for ModuleFacts {
    fn broken() -> Self {
        Self::broken()
    }
}

impl Broken for Lowered {
    fn broken() -> Self {
        Self::broken()
    }
}
