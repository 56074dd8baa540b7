//! Call graphs of small programs, by the categories of `PyCG`'s micro-benchmark.
//!
//! A `.case` file is a category; it has programs under `### name`, files under `#@ path`, and an
//! edge that has to be there on each line `#> caller -> callee`. The programs are our own, written
//! after the published categories. Calls of builtins and libraries do not count.

use std::collections::BTreeSet;
use std::fs;
use std::path::Path;

use corrente_check::{Catalogue, Source, call_graph};

/// What the issue asks for.
const PRECISION_LEAST: f64 = 0.98;
const RECALL_LEAST: f64 = 0.95;

#[derive(Default)]
struct Score {
    programs: usize,
    exact: usize,
    right: usize,
    missed: usize,
    extra: usize,
}

impl Score {
    fn line(&self, category: &str) -> String {
        format!(
            "{category:<14} {:>3} programs, {:>3} exact; edges: precision {:.3}, recall {:.3}",
            self.programs,
            self.exact,
            self.precision(),
            self.recall()
        )
    }

    fn precision(&self) -> f64 {
        self.right as f64 / (self.right + self.extra).max(1) as f64
    }

    fn recall(&self) -> f64 {
        self.right as f64 / (self.right + self.missed).max(1) as f64
    }

    fn add(&mut self, other: &Self) {
        self.programs += other.programs;
        self.exact += other.exact;
        self.right += other.right;
        self.missed += other.missed;
        self.extra += other.extra;
    }
}

fn sources(body: &str) -> Vec<Source> {
    let mut sources: Vec<Source> = Vec::new();
    let first = if body.starts_with("#@ ") {
        ""
    } else {
        "#@ main.py\n"
    };
    for line in format!("{first}{body}").lines() {
        if let Some(path) = line.strip_prefix("#@ ") {
            sources.push(Source {
                path: path.to_owned(),
                module: None,
                text: String::new(),
            });
        } else if let Some(source) = sources.last_mut() {
            source.text.push_str(line);
            source.text.push('\n');
        }
    }
    sources
}

fn edges(body: &str) -> BTreeSet<(String, String)> {
    body.lines()
        .filter_map(|line| line.strip_prefix("#> ")?.split_once(" -> "))
        .map(|(caller, callee)| (caller.to_owned(), callee.to_owned()))
        .collect()
}

fn category(text: &str, catalogue: &Catalogue, told: &mut Vec<String>) -> Score {
    let mut score = Score::default();
    for part in text.split("### ").skip(1) {
        let (name, body) = part.split_once('\n').expect("a program has a body");
        let expected = edges(body);
        let graph = call_graph(&sources(body), catalogue);
        let found: BTreeSet<(String, String)> = graph
            .into_iter()
            .flat_map(|(caller, callees)| {
                callees
                    .into_iter()
                    .map(move |callee| (caller.clone(), callee))
            })
            .collect();
        let missed: Vec<_> = expected.difference(&found).collect();
        let extra: Vec<_> = found.difference(&expected).collect();
        score.programs += 1;
        score.exact += usize::from(missed.is_empty() && extra.is_empty());
        score.right += expected.intersection(&found).count();
        score.missed += missed.len();
        score.extra += extra.len();
        told.extend(missed.iter().map(|edge| format!("missed {name}: {edge:?}")));
        told.extend(extra.iter().map(|edge| format!("extra  {name}: {edge:?}")));
    }
    score
}

#[test]
fn call_graphs_are_right() {
    let catalogue = Catalogue::built_in().expect("the catalogue is sound");
    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/call_graphs");
    let mut files: Vec<_> = fs::read_dir(folder)
        .expect("the suite is there")
        .map(|entry| entry.expect("it can be listed").path())
        .collect();
    files.sort();
    let mut told = Vec::new();
    let mut total = Score::default();
    for file in files {
        let text = fs::read_to_string(&file).expect("it is text");
        let score = category(&text, &catalogue, &mut told);
        let stem = file.file_stem().unwrap_or_default().to_string_lossy();
        println!("{}", score.line(&stem));
        total.add(&score);
    }
    println!("{}\n{}", total.line("all"), told.join("\n"));
    assert!(total.precision() >= PRECISION_LEAST);
    assert!(total.recall() >= RECALL_LEAST);
}
