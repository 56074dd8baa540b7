//! The program `corrente-check`: finds every blocking call that async code can reach.
//!
//! A program of its own, without Python's interface, so that an installation of the event loop need
//! not carry it. All of its work is in `command`; what it knows is in the library.

#![forbid(unsafe_code)]

mod command;

use std::process::ExitCode;

fn main() -> ExitCode {
    ExitCode::from(command::run())
}
