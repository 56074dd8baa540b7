//! Mutated Python sources: the analyser neither fails nor hangs, whatever they say.
//!
//! The programs of the suites are cut, doubled, spliced into one another and sprinkled with words
//! of the language; `proptest` finds the smallest one that breaks it.

use std::fs;
use std::path::Path;
use std::sync::OnceLock;

use corrente_check::{Catalogue, Effort, Memory, Report, Source, Store, check, check_again};
use proptest::collection::vec;
use proptest::prelude::*;
use proptest::sample::Index;

const EFFORT: Effort = Effort {
    threads: 1,
    memory: Memory::Freed,
};

/// Words that open, close, bind and unbind things.
const WORDS: &[&str] = &[
    "async ",
    "await ",
    "lambda x: ",
    "yield ",
    "yield from ",
    "class A(A): pass\n",
    "global x\n",
    "nonlocal x\n",
    "del x\n",
    "*",
    "**",
    "(",
    ")",
    "[",
    "]",
    "{",
    "}",
    ":",
    ":=",
    "=",
    ",",
    ".",
    "\n",
    "    ",
    "\t",
    "\\\n",
    "\"\"\"",
    "f'{",
    "}'",
    "\0",
    "é",
    "x",
    "self",
    "super()",
    "@x\n",
    "from . import *\n",
    "import main\n",
    "from main import x as x\n",
    "match x:\n case {**x}: x\n",
    "try:\n x\nexcept* x as x:\n x\n",
    "type X[T] = X\n",
    "for x in x: x()\n",
    "x = x\n",
    "while 1: break\n",
    "with x as x, x: x\n",
    "[x for x in x for x in x]",
    "print 'x'\n",
    "def x(x=x, /, *x, x, **x): return x\n",
];

#[derive(Debug, Clone)]
enum Edit {
    Insert(Index, Index),
    Delete(Index, usize),
    Double(Index, usize),
    Splice(Index, Index, Index, usize),
}

fn edit() -> impl Strategy<Value = Edit> {
    let at = any::<Index>;
    prop_oneof![
        (at(), at()).prop_map(|(at, word)| Edit::Insert(at, word)),
        (at(), 1..60_usize).prop_map(|(at, length)| Edit::Delete(at, length)),
        (at(), 1..200_usize).prop_map(|(at, length)| Edit::Double(at, length)),
        (at(), at(), at(), 1..200_usize)
            .prop_map(|(at, program, from, length)| Edit::Splice(at, program, from, length)),
    ]
}

/// The programs of the suites that are open to all.
fn programs() -> &'static [String] {
    static PROGRAMS: OnceLock<Vec<String>> = OnceLock::new();
    PROGRAMS.get_or_init(|| {
        let tests = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests");
        let mut files: Vec<_> = ["programs", "call_graphs"]
            .iter()
            .flat_map(|folder| fs::read_dir(tests.join(folder)).expect("the suite is there"))
            .map(|entry| entry.expect("it can be listed").path())
            .collect();
        files.sort();
        let texts = files
            .iter()
            .map(|file| fs::read_to_string(file).expect("it is text"));
        let parts = texts.flat_map(|text| {
            let parts = text.split("### ").skip(1);
            parts
                .filter_map(|part| part.split_once('\n'))
                .map(|(_, body)| body.to_owned())
                .collect::<Vec<_>>()
        });
        parts.collect()
    })
}

/// The place in `text` where a character begins.
fn place(text: &str, at: Index) -> usize {
    let at = at.index(text.len() + 1);
    (at..=text.len())
        .find(|at| text.is_char_boundary(*at))
        .unwrap_or(text.len())
}

fn piece(text: &str, from: Index, length: usize) -> (usize, usize) {
    let start = place(text, from);
    let end = text[start..]
        .char_indices()
        .nth(length)
        .map_or(text.len(), |(offset, _)| start + offset);
    (start, end)
}

fn edited(program: &str, edits: &[Edit]) -> String {
    let mut text = program.to_owned();
    for edit in edits {
        match edit {
            Edit::Insert(at, word) => {
                let at = place(&text, *at);
                text.insert_str(at, WORDS[word.index(WORDS.len())]);
            }
            Edit::Delete(from, length) => {
                let (start, end) = piece(&text, *from, *length);
                text.replace_range(start..end, "");
            }
            Edit::Double(from, length) => {
                let (start, end) = piece(&text, *from, *length);
                let again = text[start..end].to_owned();
                text.insert_str(end, &again);
            }
            Edit::Splice(at, program, from, length) => {
                let other = &programs()[program.index(programs().len())];
                let (start, end) = piece(other, *from, *length);
                let at = place(&text, *at);
                text.insert_str(at, &other[start..end]);
            }
        }
    }
    text
}

fn catalogue() -> &'static Catalogue {
    static CATALOGUE: OnceLock<Catalogue> = OnceLock::new();
    CATALOGUE.get_or_init(|| Catalogue::built_in().expect("the catalogue is sound"))
}

fn sources(text: String) -> [Source; 2] {
    let good = "import time\nasync def job():\n    time.sleep(1)\n".to_owned();
    [("good.py", good), ("main.py", text)].map(|(path, text)| Source {
        path: path.to_owned(),
        module: None,
        text,
    })
}

fn is_whole(report: &Report) -> bool {
    let ours = |message: &str| message.contains("bug of ours");
    report.faults.iter().all(|fault| !ours(&fault.message))
        && report
            .findings
            .iter()
            .any(|finding| finding.place.path == "good.py")
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 400, failure_persistence: None, ..ProptestConfig::default() })]

    #[test]
    fn mutated_programs_do_no_harm(program in any::<Index>(), edits in vec(edit(), 1..12)) {
        let program = &programs()[program.index(programs().len())];
        let sources = sources(edited(program, &edits));
        let report = check(&sources, catalogue(), 1);
        prop_assert!(is_whole(&report), "{}", sources[1].text);
        let (again, _) = check_again(&sources, catalogue(), EFFORT, &Store::default());
        prop_assert_eq!(report, again);
    }
}

/// Some programs of the suites as one, each a folder of it.
fn project(first: Index) -> Vec<Source> {
    let all = programs();
    let from = first.index(all.len());
    let chosen = all.iter().cycle().skip(from).take(PROGRAMS_OF_A_PROJECT);
    let files = chosen.enumerate().flat_map(|(number, text)| {
        let whole = if text.starts_with("#@ ") {
            text.clone()
        } else {
            format!("#@ main.py\n{text}")
        };
        let files = whole.split("#@ ").skip(1);
        let files = files.filter_map(|file| file.split_once('\n'));
        files
            .map(|(name, text)| (format!("part{number}/{}", name.trim()), text.to_owned()))
            .collect::<Vec<_>>()
    });
    let sources = files.map(|(path, text)| Source {
        path,
        module: None,
        text,
    });
    sources.collect()
}

const PROGRAMS_OF_A_PROJECT: usize = 12;

proptest! {
    #![proptest_config(ProptestConfig { cases: 48, failure_persistence: None, ..ProptestConfig::default() })]

    #[test]
    fn a_run_after_an_edit_tells_what_a_cold_one_tells(
        first in any::<Index>(),
        rounds in vec((any::<Index>(), vec(edit(), 1..4)), 1..5),
    ) {
        let mut sources = project(first);
        let mut kept = Kept::default();
        for (which, edits) in rounds {
            kept = after_a_run(&sources, kept);
            let which = which.index(sources.len());
            sources[which].text = edited(&sources[which].text, &edits);
            let (again, _) = check_again(&sources, catalogue(), EFFORT, &kept.store());
            prop_assert_eq!(again, check(&sources, catalogue(), 2));
        }
    }
}

/// What a run leaves for the next one.
#[derive(Default)]
struct Kept {
    facts: Vec<u8>,
    findings: Vec<u8>,
}

impl Kept {
    fn store(&self) -> Store {
        Store::read(self.facts.clone(), self.findings.clone())
    }
}

fn after_a_run(sources: &[Source], before: Kept) -> Kept {
    let (_, updated) = check_again(sources, catalogue(), EFFORT, &before.store());
    Kept {
        facts: updated.facts.unwrap_or(before.facts),
        findings: updated.findings.unwrap_or(before.findings),
    }
}

/// What may stand between two statements of a file and changes nothing.
const LAYOUT: &[&str] = &[
    "\n",
    "# why\n",
    "        # corrente: ignore[sleep] why\n",
    "# corrente: ignore\n",
    "\n\n# a\n# b\n\n",
    "    # é\n",
];

/// The text with comments and empty lines before some of its lines, and at the end of others.
fn laid_out(text: &str, edits: &[(Index, Index)]) -> String {
    let mut lines: Vec<String> = text.lines().map(|line| format!("{line}\n")).collect();
    for (at, layout) in edits {
        let at = at.index(lines.len().max(1));
        let Some(line) = lines.get_mut(at) else {
            continue;
        };
        let what = LAYOUT[layout.index(LAYOUT.len())];
        if layout.index(2) == 0 {
            line.insert_str(0, what);
        } else {
            *line = format!("{}  # corrente: ignore why\n", line.trim_end());
        }
    }
    lines.concat()
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 48, failure_persistence: None, ..ProptestConfig::default() })]

    #[test]
    fn a_run_after_a_change_of_layout_tells_what_a_cold_one_tells(
        first in any::<Index>(),
        rounds in vec((any::<Index>(), vec((any::<Index>(), any::<Index>()), 1..8)), 1..6),
    ) {
        let mut sources = project(first);
        let store = after_a_run(&sources, Kept::default()).store();
        for (which, edits) in rounds {
            let which = which.index(sources.len());
            sources[which].text = laid_out(&sources[which].text, &edits);
            let (again, _) = check_again(&sources, catalogue(), EFFORT, &store);
            prop_assert_eq!(again, check(&sources, catalogue(), 2));
        }
    }
}

#[test]
fn after_a_change_of_layout_values_do_not_flow_anew() {
    let before = sources("import time\nasync def main():\n    time.sleep(1)\n".to_owned());
    let store = after_a_run(&before, Kept::default()).store();
    let text = "# why\nimport time\n\nasync def main():\n    'It waits.'\n    time.sleep(  1)\n";
    let (report, updated) = check_again(&sources(text.to_owned()), catalogue(), EFFORT, &store);
    assert!(updated.findings.is_none(), "what was found is still known");
    assert!(updated.facts.is_some(), "the file is another one");
    let places: Vec<_> = report
        .findings
        .iter()
        .map(|found| found.place.line)
        .collect();
    assert_eq!(places, [3, 6]);
    let text = text.replace("time.sleep(", "print(");
    let (report, updated) = check_again(&sources(text), catalogue(), EFFORT, &store);
    assert_eq!(
        (report.findings.len(), updated.findings.is_some()),
        (1, true)
    );
}

#[test]
fn what_was_found_by_another_catalogue_is_not_told() {
    let sources = sources("import ours\nasync def main():\n    ours.wait()\n".to_owned());
    let store = after_a_run(&sources, Kept::default()).store();
    let mut other = Catalogue::built_in().expect("the catalogue is sound");
    let text = "[[block]]\nrule = \"sleep\"\nnames = [\"ours.wait\"]\n";
    other.add("ours", text).expect("it is right");
    let (report, _) = check_again(&sources, &other, EFFORT, &store);
    assert_eq!(report, check(&sources, &other, 1));
    assert_eq!(report.findings.len(), 2);
}

#[test]
fn generated_files_are_read_through() {
    let rows = |row: &str| row.repeat(1_000_000 / row.len());
    for text in [
        format!("table = [{}]\n", rows("('a', 1, None, work),\n")),
        format!("def work(): pass\n{}", rows("work()\n")),
        format!("table = {{{}}}\n", rows("'a': work,\n")),
        rows("x = x + [work]\n"),
        rows("if x: x = work\nelse: x = other\n"),
        format!("async def f():\n{}", rows("  x = g(x)\n")),
    ] {
        assert!(is_whole(&check(&sources(text), catalogue(), 1)));
    }
}
