//! How fast this machine is at the lab's Python work.
//!
//! Whoever has that figure of two machines can take a cost from the one to the other. The lab's own
//! program measures it (lab/apps/workload.py): started alone in an empty folder it calibrates its
//! `burn` loop and leaves the figure there, as the first application of a scenario does. So all such
//! figures are of the same loop.

use std::path::Path;
use std::process::{Child, Command, Stdio};
use std::thread;
use std::time::{Duration, Instant};

use crate::files::LabFiles;

/// The program takes less than a fiftieth of it on a machine with nothing else to do; what takes longer
/// is not the interpreter it should be.
const LIMIT: Duration = Duration::from_secs(5);
/// How often it is looked whether the program has ended.
const PACE: Duration = Duration::from_millis(5);
/// It is started so often, if that takes no longer than this.
const STARTS: (usize, Duration) = (3, Duration::from_millis(150));

/// Rounds of `burn` a millisecond by this interpreter, the least disturbed of some tries; `None` where
/// that cannot be measured.
pub fn burn_rounds_per_ms(python: &Path) -> Option<f64> {
    let start = Instant::now();
    (0..STARTS.0)
        .take_while(|_| start.elapsed() < STARTS.1)
        .filter_map(|_| measured(python))
        .reduce(f64::max)
}

/// What one start of the program measures, in ten tries of its own.
fn measured(python: &Path) -> Option<f64> {
    let program = LabFiles::Embedded.text("apps/workload.py").ok()?;
    let folder = tempfile::tempdir().ok()?;
    let mut child = Command::new(python)
        // Neither settings in the environment nor installed packages have a part in it.
        .args(["-I", "-S", "-c", &program])
        .current_dir(folder.path())
        .stdin(Stdio::null())
        .stdout(Stdio::null())
        .stderr(Stdio::null())
        .spawn()
        .ok()?;
    end(&mut child);
    written(folder.path())
}

/// Waits until the program has ended, or ends it.
fn end(child: &mut Child) {
    let start = Instant::now();
    while matches!(child.try_wait(), Ok(None)) && start.elapsed() < LIMIT {
        thread::sleep(PACE);
    }
    // Both fail only where it has ended and was waited for already.
    child.kill().ok();
    child.wait().ok();
}

/// What the first application that works in this folder wrote down.
pub(crate) fn written(work: &Path) -> Option<f64> {
    let text = std::fs::read_to_string(work.join("burn-rounds-per-ms")).ok()?;
    let rounds: f64 = text.trim().parse().ok()?;
    (rounds.is_finite() && rounds > 0.0).then_some(rounds)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_interpreter_is_measured() {
        let rounds = burn_rounds_per_ms(Path::new("python3")).expect("there is a Python");
        assert!((100.0..10_000_000.0).contains(&rounds), "{rounds}");
    }

    #[test]
    fn what_is_no_interpreter_has_no_speed() {
        for program in ["true", "no-such-program"] {
            assert_eq!(burn_rounds_per_ms(Path::new(program)), None, "{program}");
        }
    }
}
