//! The suite of small synchronous programs, each with its expected plan beside the code.
//!
//! A `.case` file has programs under `### name` and files under `#@ path`. Marks stand after `#:` on the
//! line that they are about, with commas between them: `endpoint ROUTE`, `free ROUTE` (nothing blocks
//! it), `async` (has to become so), `waits CALL`, `together`, `loop`, `shared`, `beside N` (a hook that
//! waits beside so many endpoints), `inherited HANDLERS` (which the framework's class has).

use std::collections::BTreeSet;
use std::fs;
use std::path::Path;

use corrente_check::plan::{Plan, TogetherKind};
use corrente_check::{Catalogue, Source, plan};

struct Program {
    name: String,
    sources: Vec<Source>,
    expected: BTreeSet<String>,
}

fn programs() -> Vec<Program> {
    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/plans");
    let mut files: Vec<_> = fs::read_dir(folder)
        .expect("the suite is there")
        .map(|entry| entry.expect("it can be listed").path())
        .collect();
    files.sort();
    let mut found = Vec::new();
    for file in files
        .iter()
        .filter(|file| file.extension().is_some_and(|end| end == "case"))
    {
        let text = fs::read_to_string(file).expect("it is text");
        for part in text.split("### ").skip(1) {
            let (name, body) = part.split_once('\n').expect("a program has a body");
            found.push(program(name, body));
        }
    }
    found
}

fn program(name: &str, body: &str) -> Program {
    let mut sources: Vec<Source> = Vec::new();
    let mut expected = BTreeSet::new();
    for line in body.lines() {
        let path = line.strip_prefix("#@ ");
        if path.is_some() || sources.is_empty() {
            sources.push(Source {
                path: path.unwrap_or("main.py").to_owned(),
                module: None,
                text: String::new(),
            });
        }
        if path.is_some() {
            continue;
        }
        let source = sources.last_mut().expect("one was just made");
        let (code, marks) = line.split_once("#:").unwrap_or((line, ""));
        source.text.push_str(code.trim_end());
        source.text.push('\n');
        let number = source.text.lines().count();
        for mark in marks
            .split(',')
            .map(str::trim)
            .filter(|mark| !mark.is_empty())
        {
            expected.insert(format!("{}:{number} {mark}", source.path));
        }
    }
    Program {
        name: name.to_owned(),
        sources,
        expected,
    }
}

/// What a plan says, in the words of the marks.
fn said(plan: &Plan) -> BTreeSet<String> {
    let mut said = BTreeSet::new();
    let at =
        |place: &corrente_check::Place, what: &str| format!("{}:{} {what}", place.path, place.line);
    let named = |methods: &[String], route: Option<&String>| {
        let mut words = methods.to_vec();
        words.extend(route.cloned());
        words.join(" ")
    };
    for endpoint in &plan.endpoints {
        let name = named(&endpoint.methods, endpoint.route.as_ref());
        said.insert(at(&endpoint.place, format!("endpoint {name}").trim_end()));
        for function in &endpoint.functions {
            said.insert(at(&function.place, "async"));
        }
        for call in &endpoint.calls {
            let last = call.call.rsplit('.').next().unwrap_or_default();
            said.insert(at(&call.place, &format!("waits {last}")));
        }
    }
    for free in &plan.free {
        let route = free.route.clone().unwrap_or_default();
        said.insert(at(&free.place, format!("free {route}").trim_end()));
    }
    for together in &plan.together {
        let word = match together.kind {
            TogetherKind::Sequence => "together",
            TogetherKind::Loop => "loop",
        };
        said.extend(together.calls.iter().map(|call| at(&call.place, word)));
    }
    for hook in &plan.hooks {
        let word = format!("beside {}", hook.endpoints);
        said.insert(at(&hook.place, &word));
        for function in &hook.functions {
            said.insert(at(&function.place, "async"));
        }
        for call in &hook.calls {
            let last = call.call.rsplit('.').next().unwrap_or_default();
            said.insert(at(&call.place, &format!("waits {last}")));
        }
    }
    for one in &plan.inherited {
        let handlers = one.handlers.join(" ");
        said.insert(at(&one.place, &format!("inherited {handlers}")));
    }
    said.extend(plan.shared.iter().map(|shared| at(&shared.place, "shared")));
    said
}

#[test]
fn each_program_gets_its_plan() {
    let catalogue = Catalogue::for_plan().expect("the catalogue is sound");
    let mut wrong = Vec::new();
    let programs = programs();
    for program in &programs {
        let said = said(&plan(&program.sources, &catalogue, 1, None));
        let missing = program.expected.difference(&said);
        wrong.extend(missing.map(|mark| format!("missing {}: {mark}", program.name)));
        let extra = said.difference(&program.expected);
        wrong.extend(extra.map(|mark| format!("extra   {}: {mark}", program.name)));
    }
    assert!(programs.len() > 20, "{} programs", programs.len());
    assert!(wrong.is_empty(), "\n{}", wrong.join("\n"));
}
