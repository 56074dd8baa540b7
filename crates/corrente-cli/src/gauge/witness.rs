//! Whether a signal was sent to our whole process group, and so has reached the command, too.
//!
//! kill(2) does not tell its receiver. So a process that does nothing stands in the group beside the
//! command: a signal that ends it was sent to all of the group. What comes to us waits a moment for
//! that, and is handed on only if it came to us alone: a server takes a second interrupt for
//! impatience, and lets its requests go. The process reads a pipe of ours, so it never outlives us.
//! `Signals` is pure: times come in.

use std::os::unix::process::ExitStatusExt as _;
use std::process::{Child, Command, Stdio};
use std::time::{Duration, Instant};

/// How far apart we and the witness may hear of one signal: much longer than ending a process takes
/// where the processors are busy, and short for whoever waits for a service to stop.
const TOGETHER: Duration = Duration::from_millis(300);

/// A program that does nothing until its input ends, and lets signals end it.
const PROGRAM: &str = "cat";

/// Stands a witness in our process group. `heard` is told the signal that ended it, and says whether
/// there is to be another. Without the program there is none, and every signal is handed on.
pub(super) fn stand(heard: impl Fn(i32) -> bool + Send + 'static) {
    let Ok(first) = start() else {
        return;
    };
    std::thread::spawn(move || {
        let mut witness = Ok(first);
        while let Ok(mut process) = witness {
            // To wait would close it, and with it end the witness.
            let input = process.stdin.take();
            let ended = process.wait().ok().and_then(|status| status.signal());
            drop(input);
            if !ended.is_some_and(&heard) {
                return;
            }
            witness = start();
        }
    });
}

fn start() -> std::io::Result<Child> {
    Command::new(PROGRAM)
        .stdin(Stdio::piped())
        .stdout(Stdio::null())
        .stderr(Stdio::null())
        .spawn()
}

/// Signals that have come to us, until it is known whether they came to the command as well.
#[derive(Debug, Default)]
pub(super) struct Signals {
    /// When each is handed on.
    held: Vec<(i32, Instant)>,
    /// When the witness last heard each.
    heard: Vec<(i32, Instant)>,
}

impl Signals {
    /// One has come to us.
    pub(super) fn came(&mut self, signal: i32, now: Instant) {
        let fresh = |(known, at): &(i32, Instant)| {
            *known == signal && now.saturating_duration_since(*at) <= TOGETHER
        };
        let is_held = self.held.iter().any(|(known, _)| *known == signal);
        if !is_held && !self.heard.iter().any(fresh) {
            self.held.push((signal, now + TOGETHER));
        }
    }

    /// One has come to the command as well.
    pub(super) fn heard(&mut self, signal: i32, now: Instant) {
        self.held.retain(|(known, _)| *known != signal);
        self.heard.retain(|(known, _)| *known != signal);
        self.heard.push((signal, now));
    }

    /// Those that came to us alone, as far as can be told by now, in the order in which they came.
    pub(super) fn due(&mut self, now: Instant) -> Vec<i32> {
        let (due, held) = self.held.iter().partition(|(_, at)| *at <= now);
        self.held = held;
        let due: Vec<(i32, Instant)> = due;
        due.into_iter().map(|(signal, _)| signal).collect()
    }

    /// When the next is due.
    pub(super) fn next(&self) -> Option<Instant> {
        self.held.iter().map(|(_, at)| *at).min()
    }
}

#[cfg(test)]
mod tests {
    use signal_hook::consts::{SIGINT, SIGTERM};

    use super::*;

    enum Event {
        Came(i32),
        Heard(i32),
    }
    use Event::{Came, Heard};

    /// What is handed on in the end of what happens at these times, milliseconds.
    fn check(events: &[(u64, Event)], expected: &[i32]) {
        let start = Instant::now();
        let at = |ms: u64| start + Duration::from_millis(ms);
        let mut signals = Signals::default();
        let mut sent = Vec::new();
        for (ms, event) in events {
            sent.extend(signals.due(at(*ms)));
            match event {
                Came(signal) => signals.came(*signal, at(*ms)),
                Heard(signal) => signals.heard(*signal, at(*ms)),
            }
        }
        sent.extend(signals.due(at(1_000_000)));
        assert_eq!(sent, expected);
        assert_eq!(signals.next(), None);
    }

    #[test]
    fn what_comes_to_us_alone_is_handed_on_in_order() {
        check(&[(0, Came(SIGINT)), (1, Came(SIGTERM))], &[SIGINT, SIGTERM]);
        check(&[(0, Came(SIGINT)), (900, Came(SIGINT))], &[SIGINT, SIGINT]);
    }

    #[test]
    fn what_comes_to_the_group_is_not_whoever_hears_it_first() {
        check(&[(0, Came(SIGINT)), (5, Heard(SIGINT))], &[]);
        check(&[(0, Heard(SIGINT)), (5, Came(SIGINT))], &[]);
        // `timeout` sends it to its child and to the group.
        let both = [(0, Came(SIGINT)), (3, Heard(SIGINT)), (4, Came(SIGINT))];
        check(&both, &[]);
    }

    #[test]
    fn another_signal_is_another_matter() {
        check(&[(0, Came(SIGTERM)), (5, Heard(SIGINT))], &[SIGTERM]);
        check(&[(0, Heard(SIGINT)), (900, Came(SIGINT))], &[SIGINT]);
    }
}
