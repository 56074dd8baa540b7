//! The last seconds of a recording that is being made: what a live table shows.
//!
//! Pure: instants are handed in. It keeps the states of the recording that it was given, as many as
//! the window is long, and gives the difference of the newest and the oldest.

use std::collections::VecDeque;
use std::time::{Duration, Instant};

use corrente_record::Recording;

/// States of a recording, and how far back is looked.
#[derive(Debug)]
pub struct Window {
    length: Duration,
    states: VecDeque<(Instant, Recording)>,
}

/// What came in a window.
#[derive(Debug)]
pub struct View {
    /// The recording of that time.
    pub recording: Recording,
    /// How long it is: shorter than the window while the recording is young, and longer while the
    /// window is, which begins with all that was recorded before.
    pub length: Duration,
}

impl Window {
    /// An empty window of this length.
    pub fn new(length: Duration) -> Self {
        Self {
            length,
            states: VecDeque::new(),
        }
    }

    /// Takes the state that the recording has at `at`, and gives what came in the window.
    pub fn look(&mut self, at: Instant, state: Recording) -> View {
        if self.states.is_empty() {
            let began = at.checked_sub(observed(&state)).unwrap_or(at);
            self.states.push_back((began, Recording::default()));
        }
        self.states.push_back((at, state.clone()));
        let begins = |(then, _): &(Instant, Recording)| at.duration_since(*then) >= self.length;
        while self.states.get(1).is_some_and(begins) {
            self.states.pop_front();
        }
        // Where the window is shorter than the time between two looks, the last one is all there is.
        let (then, before) = &self.states[0];
        View {
            length: at.duration_since(*then),
            recording: state.since(before),
        }
    }
}

fn observed(state: &Recording) -> Duration {
    let processes = state.processes.iter();
    Duration::from_nanos(processes.map(|one| one.observed_ns).max().unwrap_or(0))
}

#[cfg(test)]
mod tests {
    use super::*;
    use corrente_record::{Distribution, Endpoint, Process};

    fn state(seconds: u64, requests: u64) -> Recording {
        let mut recording = Recording::new("test");
        recording.processes.push(Process {
            observed_ns: seconds * 1_000_000_000,
            requests_seen: requests,
            ..Process::default()
        });
        recording.endpoints.push(Endpoint {
            name: "GET /".to_owned(),
            requests,
            wall_ns: Distribution::of((0..requests).map(|_| 5)),
            ..Endpoint::default()
        });
        recording
    }

    #[test]
    fn it_grows_to_its_length_and_then_moves() {
        let mut window = Window::new(Duration::from_secs(10));
        let begin = Instant::now() + Duration::from_secs(1_000);
        let mut check = |second: u64, requests: u64, expected: (u64, u64)| {
            let at = begin + Duration::from_secs(second);
            // The recording is two seconds older than the first look.
            let view = window.look(at, state(second + 2, requests));
            let found = view.recording.processes[0].requests_seen;
            assert_eq!((found, view.length.as_secs()), expected);
        };
        check(0, 100, (100, 2));
        check(1, 110, (110, 3));
        check(9, 190, (190, 11));
        check(10, 200, (100, 10));
        check(11, 210, (100, 10));
        check(30, 215, (5, 19));
        check(40, 215, (0, 10));
    }
}
