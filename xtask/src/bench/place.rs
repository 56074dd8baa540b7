//! Where the programs are, on which processor each runs, and how long a measurement is.
//!
//! What is measured runs on CPU 0, what loads it on CPU 1. Knows no row.

use std::path::PathBuf;
use std::process::Command;
use std::time::Duration;

use super::children::{Interruption, pinned};
use super::versions::Versions;
use crate::failure::Failure;
use crate::step::output;

/// What is measured.
pub(super) const MEASURED_CPU: usize = 0;
/// What it talks to.
pub(super) const OTHER_CPU: usize = 1;

/// The programs and the conditions of a run.
#[derive(Debug)]
pub(super) struct Place {
    pub(super) python: PathBuf,
    pub(super) corrente: PathBuf,
    /// The folder of the programs.
    pub(super) programs: PathBuf,
    /// A folder of the run's own, for certificates and sockets.
    pub(super) scratch: PathBuf,
    pub(super) versions: Versions,
    pub(super) interruption: Interruption,
    /// Of one measurement.
    pub(super) length: Duration,
}

impl Place {
    /// A program of the folder, with arguments.
    pub(super) fn program(&self, cpu: usize, name: &str, arguments: &[&str]) -> Command {
        let mut command = pinned(cpu, &self.python);
        command.current_dir(&self.scratch);
        command.arg(self.programs.join(name)).args(arguments);
        // The order of names in dictionaries is no difference between two processes.
        command.env("PYTHONHASHSEED", "0");
        command
    }

    /// `corrente` with arguments.
    pub(super) fn corrente(&self, cpu: usize, arguments: &[&str]) -> Command {
        let mut command = pinned(cpu, &self.corrente);
        command.current_dir(&self.scratch).args(arguments);
        command
    }

    /// Makes `key.pem` and `certificate.pem` in the scratch folder.
    pub(super) fn make_certificate(&self) -> Result<(), Failure> {
        const REQUEST: &str = "req -x509 -newkey ec -pkeyopt ec_paramgen_curve:prime256v1 -nodes \
                               -days 2 -subj /CN=localhost -keyout key.pem -out certificate.pem";
        let mut openssl = Command::new("openssl");
        openssl.current_dir(&self.scratch);
        output(openssl.args(REQUEST.split_ascii_whitespace()))
            .map(drop)
            .map_err(|failure| failure.hint("install Debian's package openssl"))
    }
}
