//! `--watch`: runs again whenever a file has changed, until it is interrupted.
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

/// Runs `once` now and after each change. Does not return but with what stops a first run.
pub(super) fn run(
    paths: &[PathBuf],
    excluded: &Excluded,
    once: impl Fn() -> Result<u8, Refusal>,
) -> Result<u8, Refusal> {
    let mut seen = state(paths, excluded);
    once()?;
    loop {
        output::message("corrente-check: watching; Ctrl-C ends it");
        seen = next(paths, excluded, &seen);
        if let Err(Refusal(reason)) = once() {
            // What cannot run now may run after the next change.
            output::message(&format!("corrente-check: {reason}"));
        }
    }
}

fn next(paths: &[PathBuf], excluded: &Excluded, seen: &State) -> State {
    loop {
        std::thread::sleep(PAUSE);
        let now = state(paths, excluded);
        if now != *seen {
            return now;
        }
    }
}

fn state(paths: &[PathBuf], excluded: &Excluded) -> State {
    let files = files::list(paths, excluded).unwrap_or_default();
    let known = files.into_iter().filter_map(|path| {
        let known = path.metadata().ok()?;
        Some((path, (known.modified().ok(), known.len())))
    });
    known.collect()
}
