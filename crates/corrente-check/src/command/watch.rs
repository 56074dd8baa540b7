//! `--watch`: runs again whenever a file has changed, or the settings have, until it is interrupted.
//!
//! Files are looked at, not subscribed to: it works on every file system, network ones included, and a
//! look at some thousand files takes milliseconds.

use std::collections::BTreeMap;
use std::path::PathBuf;
use std::time::{Duration, SystemTime};

use super::files::{self, Excluded};
use super::{Refusal, output};

/// Between two looks: short to a person, and less than a hundredth of a processor.
const PAUSE: Duration = Duration::from_millis(300);

/// Of each file, when it was written and its bytes.
type State = BTreeMap<PathBuf, (Option<SystemTime>, u64)>;

/// What is looked at beside the files, and which of those are left out.
pub(super) struct Watched {
    /// Settings, catalogues, the baseline; they need not exist.
    pub(super) beside: Vec<PathBuf>,
    pub(super) excluded: Excluded,
}

/// Runs `once` now and after each change. Does not return but with what stops a first run.
pub(super) fn run(
    paths: &[PathBuf],
    watched: impl Fn() -> Watched,
    once: impl Fn() -> Result<u8, Refusal>,
) -> Result<u8, Refusal> {
    let mut is_first = true;
    loop {
        // Looked at before it is read: what changes meanwhile is read again.
        let watched = watched();
        let seen = state(paths, &watched);
        match once() {
            Err(refusal) if is_first => return Err(refusal),
            // What cannot run now may run after the next change.
            Err(Refusal(reason)) => output::message(&format!("corrente-check: {reason}")),
            Ok(_) => {}
        }
        is_first = false;
        output::message("corrente-check: watching; Ctrl-C ends it");
        while state(paths, &watched) == seen {
            std::thread::sleep(PAUSE);
        }
    }
}

fn state(paths: &[PathBuf], watched: &Watched) -> State {
    let files = files::list(paths, &watched.excluded).unwrap_or_default();
    let all = files.into_iter().chain(watched.beside.iter().cloned());
    let known = all.filter_map(|path| {
        let known = path.metadata().ok()?;
        Some((path, (known.modified().ok(), known.len())))
    });
    known.collect()
}
