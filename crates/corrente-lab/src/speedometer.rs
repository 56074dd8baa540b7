//! How fast the application's processors are, looked at before and after each measurement.
//!
//! A virtual processor's speed changes with the hour and the neighbours. What was measured at one speed
//! is taken to another by the ratio of the two; a measurement within which it changed much is none. A
//! process of the lab's own, bound to each of these processors, does the work of `burn` when it is asked
//! (lab/apps/speedometer.py). Where none can be started nothing is known of the speed, and nothing fails.

use std::io::{BufRead as _, BufReader, Write as _};
use std::path::Path;
use std::process::{Child, ChildStdin, ChildStdout, Command, Stdio};
use std::sync::mpsc::{Receiver, channel};
use std::thread;
use std::time::Duration;

use crate::files::LabFiles;
use crate::{process_tree, store};

/// The programs, from those that come with the lab: a folder of scenarios need not have them.
const PROGRAMS: [&str; 2] = ["workload.py", "speedometer.py"];
/// A look takes 10 ms on an idle processor, the first one ten times that.
const LIMIT: Duration = Duration::from_secs(5);

/// The speed around one measurement, in rounds of `burn` a millisecond.
#[derive(Debug, Clone, Copy, PartialEq)]
pub(crate) struct Speed {
    pub(crate) before: f64,
    pub(crate) after: f64,
}

impl Speed {
    /// What is taken for the speed meanwhile.
    pub(crate) fn mean(self) -> f64 {
        f64::midpoint(self.before, self.after)
    }

    /// By which share the faster end is above the slower one.
    pub(crate) fn moved(self) -> f64 {
        self.before.max(self.after) / self.before.min(self.after) - 1.0
    }
}

/// One process on each processor of the application.
#[derive(Debug)]
pub(crate) struct Speedometer {
    meters: Vec<Meter>,
}

impl Speedometer {
    /// Starts them with this interpreter; `folder` is theirs alone.
    pub(crate) fn start(python: &Path, folder: &Path, processors: &[usize]) -> Self {
        let places: Vec<&[usize]> = if processors.is_empty() {
            vec![processors]
        } else {
            processors.chunks(1).collect()
        };
        let meters = write(folder).and_then(|()| {
            let meters = places.into_iter();
            meters
                .map(|place| Meter::start(python, folder, place))
                .collect()
        });
        Self {
            meters: meters.unwrap_or_default(),
        }
    }

    /// The mean of the processors. Whoever does not answer is not asked again: a late answer would be
    /// taken for the next one.
    pub(crate) fn look(&mut self) -> Option<f64> {
        let asked = self.meters.iter_mut().all(Meter::ask);
        let speeds: Option<Vec<f64>> = self.meters.iter().map(Meter::answer).collect();
        let Some(speeds) = speeds.filter(|speeds| asked && !speeds.is_empty()) else {
            self.meters.clear();
            return None;
        };
        Some(speeds.iter().sum::<f64>() / speeds.len() as f64)
    }
}

fn write(folder: &Path) -> Option<()> {
    for program in PROGRAMS {
        let text = LabFiles::Embedded.text(&format!("apps/{program}")).ok()?;
        store::write(&folder.join(program), &text).ok()?;
    }
    Some(())
}

#[derive(Debug)]
struct Meter {
    child: Child,
    asked: Option<ChildStdin>,
    answers: Receiver<f64>,
}

impl Meter {
    fn start(python: &Path, folder: &Path, place: &[usize]) -> Option<Self> {
        let mut child = Command::new(python)
            // Neither settings in the environment nor installed packages have a part in it.
            .args(["-E", "-s", "-S", "speedometer.py"])
            .current_dir(folder)
            .stdin(Stdio::piped())
            .stdout(Stdio::piped())
            .stderr(Stdio::null())
            .spawn()
            .ok()?;
        process_tree::pin_tree(child.id(), place);
        let asked = child.stdin.take();
        let answers = answers(child.stdout.take());
        Some(Self {
            child,
            asked,
            answers,
        })
    }

    fn ask(&mut self) -> bool {
        let asked = self.asked.as_mut();
        asked.is_some_and(|pipe| pipe.write_all(b"\n").and_then(|()| pipe.flush()).is_ok())
    }

    fn answer(&self) -> Option<f64> {
        let speed = self.answers.recv_timeout(LIMIT).ok()?;
        (speed.is_finite() && speed > 0.0).then_some(speed)
    }
}

/// A thread waits for the answers, as a pipe has no time limit. It ends with the process.
fn answers(output: Option<ChildStdout>) -> Receiver<f64> {
    let (heard, answers) = channel();
    thread::spawn(move || {
        let lines = output
            .into_iter()
            .flat_map(|pipe| BufReader::new(pipe).lines());
        let speeds = lines.map_while(|line| line.ok()?.trim().parse().ok());
        for speed in speeds {
            if heard.send(speed).is_err() {
                return;
            }
        }
    });
    answers
}

impl Drop for Meter {
    fn drop(&mut self) {
        // Both fail only where it has ended already.
        self.child.kill().ok();
        self.child.wait().ok();
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn started(program: &str) -> (tempfile::TempDir, Speedometer) {
        let folder = tempfile::tempdir().expect("a folder");
        let meter = Speedometer::start(Path::new(program), folder.path(), &[]);
        (folder, meter)
    }

    #[test]
    fn a_processor_is_looked_at_again_and_again() {
        let (_folder, mut meter) = started("python3");
        for _ in 0..3 {
            let speed = meter.look().expect("there is a Python");
            assert!((100.0..10_000_000.0).contains(&speed), "{speed}");
        }
    }

    #[test]
    fn without_an_interpreter_nothing_is_known_and_nothing_fails() {
        for program in ["true", "no-such-program"] {
            let (_folder, mut meter) = started(program);
            assert_eq!((meter.look(), meter.look()), (None, None), "{program}");
        }
    }

    #[test]
    fn its_processes_end_with_it() {
        let (_folder, mut meter) = started("python3");
        meter.look().expect("there is a Python");
        let process = meter.meters[0].child.id();
        drop(meter);
        assert!(!Path::new(&format!("/proc/{process}")).exists());
    }

    #[test]
    fn a_speed_that_falls_moved_as_much_as_one_that_rises() {
        let speed = |before, after| Speed { before, after };
        assert!((speed(100.0, 125.0).moved() - 0.25).abs() < 1e-12);
        assert!((speed(125.0, 100.0).moved() - 0.25).abs() < 1e-12);
        assert!((speed(100.0, 120.0).mean() - 110.0).abs() < 1e-12);
    }
}
