//! Rules about crates: who may depend on whom, and what every crate must declare.
//!
//! The direction of knowledge is the project's first invariant (docs/ARCHITECTURE.md). The table
//! below is that section as code: a new edge is a decision, made there and here in one change.

use toml::Table;

use super::{Finding, Tree};

/// What each crate may depend on among ours, with tests and build scripts included. Crates that do
/// not exist yet stand here too, so that their place is settled before they come.
const DIRECTIONS: &[(&str, &[&str])] = &[
    (
        "corrente-python",
        &[
            "corrente-cli",
            "corrente-operations",
            "corrente-server",
            "corrente-loop",
            "corrente-gauge",
        ],
    ),
    (
        "corrente-cli",
        &[
            "corrente-gauge",
            "corrente-split",
            "corrente-lab",
            "corrente-load",
            "corrente-report",
            "corrente-operations",
        ],
    ),
    (
        "corrente-lab",
        &[
            "corrente-load",
            "corrente-model",
            "corrente-gauge",
            "corrente-report",
        ],
    ),
    (
        "corrente-split",
        &["corrente-model", "corrente-record", "corrente-report"],
    ),
    (
        "corrente-gauge",
        &["corrente-record", "corrente-model", "corrente-report"],
    ),
    ("corrente-check", &["corrente-record", "corrente-report"]),
    ("corrente-operations", &["corrente-http", "corrente-record"]),
    (
        "corrente-server",
        &["corrente-loop", "corrente-http", "corrente-record"],
    ),
    ("corrente-loop", &["corrente-driver", "corrente-record"]),
    ("corrente-driver", &[]),
    ("corrente-http", &[]),
    ("corrente-model", &[]),
    ("corrente-record", &[]),
    ("corrente-load", &[]),
    ("corrente-report", &[]),
    ("xtask", &["corrente-model", "corrente-report"]),
];

/// Crates that cannot forbid `unsafe`, with the files in which it may be written by hand (what PyO3's
/// macros expand to is not seen here): docs/SAFETY.md.
const MAY_HOLD_UNSAFE: &[(&str, &[&str])] = &[
    ("crates/corrente-driver", &["src/descriptor.rs"]),
    ("crates/corrente-loop", &["src/ffi/"]),
    ("crates/corrente-python", &[]),
    ("crates/corrente-operations", &["src/ffi.rs"]),
];

/// Lints that only these packages may switch off.
const RESERVED_LINTS: &[(&str, &[&str])] = &[
    ("clippy::print_stdout", &["crates/corrente-cli", "xtask"]),
    ("clippy::print_stderr", &["crates/corrente-cli", "xtask"]),
    ("clippy::unwrap_used", &[]),
    ("clippy::undocumented_unsafe_blocks", &[]),
];

/// Dependencies among our crates that the table does not have.
pub(super) fn directions(tree: &Tree) -> Vec<Finding> {
    let mut found = Vec::new();
    for (folder, text) in tree.packages() {
        let path = format!("{folder}/Cargo.toml");
        let manifest = match text.parse::<Table>() {
            Ok(manifest) => manifest,
            Err(error) => {
                found.push(Finding::new(
                    &path,
                    0,
                    format!("is no TOML: {}", error.message()),
                ));
                continue;
            }
        };
        let name = name_of(&manifest).unwrap_or_default();
        let Some((_, allowed)) = DIRECTIONS.iter().find(|(known, _)| *known == name) else {
            let what = format!("package `{name}` has no place in the direction of crates");
            found.push(Finding::new(&path, 0, what));
            continue;
        };
        for dependency in ours_in(&manifest) {
            if !allowed.contains(&dependency.as_str()) {
                found.push(Finding::new(
                    &path,
                    0,
                    format!("{name} must not know {dependency}"),
                ));
            }
        }
    }
    found
}

fn name_of(manifest: &Table) -> Option<&str> {
    manifest.get("package")?.get("name")?.as_str()
}

/// Our crates in any dependency table, whichever the target or the kind.
fn ours_in(table: &Table) -> Vec<String> {
    let mut ours = Vec::new();
    for (key, value) in table {
        let Some(inner) = value.as_table() else {
            continue;
        };
        if key.ends_with("dependencies") {
            for (name, detail) in inner {
                let renamed = detail.get("package").and_then(|package| package.as_str());
                ours.push(renamed.unwrap_or(name).to_owned());
            }
        } else {
            ours.extend(ours_in(inner));
        }
    }
    ours.retain(|name| name.starts_with("corrente") || name == "xtask");
    ours.sort();
    ours
}

/// Packages that do not take the workspace's lints.
pub(super) fn inherited_lints(tree: &Tree) -> Vec<Finding> {
    let inherits = |text: &str| {
        let manifest = text.parse::<Table>().ok()?;
        manifest.get("lints")?.get("workspace")?.as_bool()
    };
    tree.packages()
        .filter(|(_, text)| inherits(text) != Some(true))
        .map(|(folder, _)| {
            let path = format!("{folder}/Cargo.toml");
            Finding::new(&path, 0, "lacks `[lints] workspace = true`")
        })
        .collect()
}

/// Crates that do not forbid `unsafe`, and files that use it where it may not stand.
pub(super) fn no_unsafe(tree: &Tree) -> Vec<Finding> {
    const FORBID: &str = "#![forbid(unsafe_code)]";
    let mut found = Vec::new();
    for (folder, _) in tree
        .packages()
        .filter(|(folder, _)| !MAY_HOLD_UNSAFE.iter().any(|(known, _)| known == folder))
    {
        for root in ["src/lib.rs", "src/main.rs"] {
            let path = format!("{folder}/{root}");
            if tree.text(&path).is_some_and(|text| !text.contains(FORBID)) {
                found.push(Finding::new(&path, 0, format!("lacks `{FORBID}`")));
            }
        }
    }
    for (path, text) in tree
        .ending(".rs")
        .filter(|(path, _)| path.starts_with("crates/") && !is_unsafe_place(path))
    {
        for (number, line) in numbered(text) {
            let code = line.split("//").next().unwrap_or_default();
            let starts = ["unsafe {", "unsafe fn ", "unsafe impl ", "unsafe extern "];
            if starts.iter().any(|start| code.contains(start)) {
                let what = "unsafe code stands only where docs/SAFETY.md says";
                found.push(Finding::new(path, number, what));
            }
        }
    }
    found
}

fn is_unsafe_place(path: &str) -> bool {
    MAY_HOLD_UNSAFE.iter().any(|(folder, places)| {
        let inside = path
            .strip_prefix(folder)
            .and_then(|rest| rest.strip_prefix('/'));
        inside.is_some_and(|inside| places.iter().any(|place| inside.starts_with(place)))
    })
}

/// Reserved lints that are switched off elsewhere.
pub(super) fn no_lint_escapes(tree: &Tree) -> Vec<Finding> {
    let mut found = Vec::new();
    for (path, text) in tree.ending(".rs").filter(|(path, _)| *path != file!()) {
        for (number, line) in numbered(text) {
            for (lint, owners) in RESERVED_LINTS {
                let owned = owners
                    .iter()
                    .any(|owner| path.starts_with(&format!("{owner}/")));
                if line.contains(lint) && !owned {
                    found.push(Finding::new(
                        path,
                        number,
                        format!("may not switch off {lint}"),
                    ));
                }
            }
        }
    }
    found
}

fn numbered(text: &str) -> impl Iterator<Item = (usize, &str)> {
    (1..).zip(text.lines())
}

#[cfg(test)]
mod tests {
    use super::*;

    const LINTS: &str = "[lints]\nworkspace = true\n";

    fn check(rule: fn(&Tree) -> Vec<Finding>, files: &[(&str, &str)], expected: &[&str]) {
        let found: Vec<String> = rule(&Tree::of(files))
            .iter()
            .map(ToString::to_string)
            .collect();
        assert_eq!(found, expected);
    }

    #[test]
    fn a_pure_crate_must_not_know_the_lab() {
        let model = "[package]\nname = \"corrente-model\"\n[dependencies]\nserde = \"1\"\n\
                     [target.'cfg(unix)'.dev-dependencies]\ncorrente-lab.workspace = true\n";
        check(
            directions,
            &[("crates/corrente-model/Cargo.toml", model)],
            &["crates/corrente-model/Cargo.toml: corrente-model must not know corrente-lab"],
        );
        let lab =
            "[package]\nname = \"corrente-lab\"\n[dependencies]\ncorrente-model.workspace = true\n";
        check(directions, &[("crates/corrente-lab/Cargo.toml", lab)], &[]);
    }

    #[test]
    fn a_renamed_dependency_is_seen() {
        let model = "[package]\nname = \"corrente-model\"\n\
                     [dependencies]\nlab = { package = \"corrente-lab\", path = \"../corrente-lab\" }\n";
        check(
            directions,
            &[("crates/corrente-model/Cargo.toml", model)],
            &["crates/corrente-model/Cargo.toml: corrente-model must not know corrente-lab"],
        );
    }

    #[test]
    fn a_crate_without_a_place_is_found() {
        check(
            directions,
            &[(
                "crates/corrente-new/Cargo.toml",
                "[package]\nname = \"corrente-new\"\n",
            )],
            &[
                "crates/corrente-new/Cargo.toml: package `corrente-new` has no place in the \
               direction of crates",
            ],
        );
    }

    #[test]
    fn a_package_takes_the_lints_of_the_workspace() {
        check(inherited_lints, &[("crates/a/Cargo.toml", LINTS)], &[]);
        check(
            inherited_lints,
            &[("crates/a/Cargo.toml", "[lints]\nworkspace = false\n")],
            &["crates/a/Cargo.toml: lacks `[lints] workspace = true`"],
        );
    }

    #[test]
    fn unsafe_code_is_forbidden_and_absent() {
        let manifest = ("crates/a/Cargo.toml", LINTS);
        check(
            no_unsafe,
            &[
                manifest,
                (
                    "crates/a/src/lib.rs",
                    "#![forbid(unsafe_code)]\n// unsafe { }\n",
                ),
            ],
            &[],
        );
        check(
            no_unsafe,
            &[manifest, ("crates/a/src/lib.rs", "//! A.\n")],
            &["crates/a/src/lib.rs: lacks `#![forbid(unsafe_code)]`"],
        );
        check(
            no_unsafe,
            &[(
                "crates/corrente-python/src/x.rs",
                "//! X.\nlet x = unsafe { y() };\n",
            )],
            &[
                "crates/corrente-python/src/x.rs:2: unsafe code stands only where docs/SAFETY.md says",
            ],
        );
    }

    #[test]
    fn unsafe_code_stands_in_its_room_only() {
        let code = "//! X.\nlet x = unsafe { y() };\n";
        check(
            no_unsafe,
            &[("crates/corrente-loop/src/ffi/x.rs", code)],
            &[],
        );
        check(
            no_unsafe,
            &[("crates/corrente-loop/src/x.rs", code)],
            &["crates/corrente-loop/src/x.rs:2: unsafe code stands only where docs/SAFETY.md says"],
        );
    }

    #[test]
    fn printing_is_not_switched_on_outside_the_command_line() {
        let line = "#![allow(clippy::print_stdout, reason = \"x\")]\n";
        check(
            no_lint_escapes,
            &[("crates/corrente-cli/src/lib.rs", line)],
            &[],
        );
        check(
            no_lint_escapes,
            &[("crates/corrente-lab/src/lib.rs", line)],
            &["crates/corrente-lab/src/lib.rs:1: may not switch off clippy::print_stdout"],
        );
    }
}
