//! A driver without a kernel: a script says what becomes ready when, and time passes only in waits.
//!
//! For tests of what stands above: no socket, no sleep, the same run every time. Key invariant: a wait
//! ends at the first of what is scripted, its limit, or a wake; virtual time moves to just there.

use std::collections::BTreeMap;
use std::io;
use std::sync::{Mutex, PoisonError};
use std::time::Duration;

use crate::{Descriptor, Driver, Interest, Readiness};

/// The driver.
#[derive(Debug, Default)]
pub struct Simulated {
    state: Mutex<State>,
}

#[derive(Debug, Default)]
struct State {
    now: Duration,
    is_woken: bool,
    /// What becomes ready, by its time and by its place in the script.
    script: Vec<(Duration, Readiness)>,
    watched: BTreeMap<usize, Interest>,
}

impl Simulated {
    /// Scripts that a descriptor is ready, once, from `at` on.
    pub fn ready_at(&self, at: Duration, readiness: Readiness) {
        self.with(|state| {
            let place = state.script.partition_point(|(time, _)| *time <= at);
            state.script.insert(place, (at, readiness));
        });
    }

    /// What a descriptor is watched for.
    pub fn interest(&self, descriptor: Descriptor) -> Interest {
        let watched = |state: &mut State| state.watched.get(&descriptor.index()).copied();
        self.with(watched).unwrap_or_default()
    }

    /// Work takes time as well.
    pub fn pass(&self, time: Duration) {
        self.with(|state| state.now += time);
    }

    fn with<R>(&self, change: impl FnOnce(&mut State) -> R) -> R {
        // A test that panicked while it held the lock has failed already.
        change(&mut self.state.lock().unwrap_or_else(PoisonError::into_inner))
    }
}

impl State {
    /// The part of a scripted readiness that somebody watches for.
    fn wanted(&self, readiness: Readiness) -> Interest {
        let watched = self.watched.get(&readiness.descriptor.index());
        let watched = watched.copied().unwrap_or_default();
        Interest::of(
            watched.reads() && readiness.interest.reads(),
            watched.writes() && readiness.interest.writes(),
        )
    }

    fn is_wanted(&self, readiness: Readiness) -> bool {
        self.wanted(readiness) != Interest::None
    }

    /// Moves what is ready by now out of the script.
    fn collect(&mut self, most: usize, ready: &mut Vec<Readiness>) {
        let end = ready.len() + most.max(1);
        for (time, readiness) in std::mem::take(&mut self.script) {
            if time <= self.now && self.is_wanted(readiness) && ready.len() < end {
                ready.push(Readiness {
                    interest: self.wanted(readiness),
                    ..readiness
                });
            } else {
                self.script.push((time, readiness));
            }
        }
    }
}

impl Driver for Simulated {
    fn watch(&self, descriptor: Descriptor, _from: Interest, to: Interest) -> io::Result<()> {
        self.with(|state| match to {
            Interest::None => state.watched.remove(&descriptor.index()),
            _ => state.watched.insert(descriptor.index(), to),
        });
        Ok(())
    }

    fn watch_news(&self, descriptor: Descriptor, from: Interest, to: Interest) -> io::Result<()> {
        // What is scripted is reported once in any case.
        self.watch(descriptor, from, to)
    }

    /// # Errors
    ///
    /// `WouldBlock` where nothing would ever end the wait: with a real driver the test would hang.
    fn wait(
        &self,
        limit: Option<Duration>,
        most: usize,
        ready: &mut Vec<Readiness>,
    ) -> io::Result<()> {
        self.with(|state| {
            if !std::mem::take(&mut state.is_woken) {
                let wanted = state.script.iter().filter(|(_, one)| state.is_wanted(*one));
                let scripted = wanted.map(|(time, _)| time.saturating_sub(state.now)).min();
                let Some(step) = scripted.into_iter().chain(limit).min() else {
                    let what = "nothing is scripted that would end this wait";
                    return Err(io::Error::new(io::ErrorKind::WouldBlock, what));
                };
                state.now += step;
            }
            state.collect(most, ready);
            Ok(())
        })
    }

    fn wake(&self) {
        self.with(|state| state.is_woken = true);
    }

    fn now(&self) -> f64 {
        self.with(|state| state.now.as_nanos() as f64 / 1e9)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn readable(number: i32) -> Readiness {
        Readiness {
            descriptor: Descriptor::new(number).expect("not negative"),
            interest: Interest::Read,
            is_plain: true,
        }
    }

    #[test]
    fn time_moves_to_what_is_scripted_and_no_further() {
        let driver = Simulated::default();
        let seven = readable(7);
        driver.ready_at(Duration::from_secs(3), seven);
        driver
            .watch(seven.descriptor, Interest::None, Interest::Read)
            .expect("it cannot fail");
        let mut ready = Vec::new();
        driver
            .wait(Some(Duration::from_secs(1)), 8, &mut ready)
            .expect("it waits");
        assert_eq!((driver.now(), ready.len()), (1.0, 0));
        driver.wait(None, 8, &mut ready).expect("it waits");
        assert_eq!((driver.now(), ready), (3.0, vec![seven]));
    }

    #[test]
    fn what_nobody_watches_stays_in_the_script() {
        let driver = Simulated::default();
        driver.ready_at(Duration::ZERO, readable(7));
        let mut ready = Vec::new();
        let error = driver.wait(None, 8, &mut ready).expect_err("it would hang");
        assert_eq!(error.kind(), io::ErrorKind::WouldBlock);
        driver.wake();
        driver.wait(None, 8, &mut ready).expect("it was woken");
        assert_eq!(ready, []);
    }
}
