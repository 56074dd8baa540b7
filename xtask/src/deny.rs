//! `cargo xtask deny`: licences, banned crates and sources of every dependency, by cargo-deny.
//!
//! The rules are in deny.toml. `advisories` is left out: its database is not in a package registry.

use crate::failure::Failure;
use crate::step::{Project, step, succeeds};

/// Runs cargo-deny.
pub(crate) fn deny(project: &Project) -> Result<(), Failure> {
    if !succeeds(&mut project.cargo(&["deny", "--version"])) {
        return Err(Failure::step("`cargo deny` is not installed")
            .hint("cargo install --locked cargo-deny   (about two minutes)"));
    }
    step(
        "licences, bans and sources",
        &mut project.cargo(&["deny", "--locked", "check", "licenses", "bans", "sources"]),
        "the rules are in deny.toml",
    )
}
