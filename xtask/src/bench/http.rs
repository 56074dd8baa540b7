//! `cargo xtask bench http`: what decoding a request and encoding a response cost, in memory.
//!
//! The measuring is done by an example of `corrente-http`, which this one builds in release mode and runs;
//! httparse stands beside it in the same run. No sockets, no Python, a few seconds.

use super::conditions;
use super::document::Published;
use super::options::{self, Asked};
use crate::failure::Failure;
use crate::step::{Project, output};

pub(super) const USAGE: &str = "\
cargo xtask bench http [--write]

  --write       put the result into docs/BENCHMARKS.md
";

const SPEED: [&str; 7] = [
    "run",
    "--quiet",
    "--release",
    "-p",
    "corrente-http",
    "--example",
    "speed",
];

/// Runs the example and prints its figures with their conditions.
pub(super) fn http(project: &Project, arguments: &[String]) -> Result<(), Failure> {
    let Asked { outcome, .. } = options::parse("http", [], arguments)?;
    let published = Published::wanted(outcome, &project.root, "http")?;
    let figures = output(&mut project.cargo(&SPEED))?;
    let text = format!("{}\n\n{figures}", conditions::describe()?);
    println!("{text}");
    published.map_or(Ok(()), |published| published.write(&text))
}
