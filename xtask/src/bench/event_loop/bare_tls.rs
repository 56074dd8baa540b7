//! The server of the TLS rows that has no loop: `bare_tls.c`, built for the run.
//!
//! The floor of those rows: what OpenSSL and the kernel take, and nothing else.

use std::path::PathBuf;
use std::process::Command;

use super::place::Place;
use crate::bench::children::pinned;
use crate::failure::Failure;
use crate::step::output;

/// Makes what the TLS rows need: a key, a certificate, and the server.
pub(super) fn prepare(place: &Place) -> Result<(), Failure> {
    place.make_certificate()?;
    let mut compiler = Command::new("cc");
    compiler.args(["-O2", "-o"]).arg(program(place));
    compiler.arg(place.programs.join("bare_tls.c"));
    output(compiler.args(["-lssl", "-lcrypto"]))
        .map(drop)
        .map_err(|failure| failure.hint("install Debian's packages gcc and libssl-dev"))
}

/// The server with what it is told.
pub(super) fn command(place: &Place, cpu: usize) -> Command {
    let mut command = pinned(cpu, &program(place));
    command.args(["certificate.pem", "key.pem"]);
    command.current_dir(&place.scratch);
    command
}

fn program(place: &Place) -> PathBuf {
    place.scratch.join("bare_tls")
}
