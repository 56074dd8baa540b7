//! Time for generator threads: one monotonic clock for all of a run, and an exact alarm.
//!
//! It must not know what is waited for. Times are nanoseconds since the run began, in a `u64`,
//! because comparing them is on the path of every request. epoll's own timeout counts in
//! milliseconds, which is too coarse for an open loop; the alarm is a timer descriptor instead.

use std::os::fd::{AsRawFd, OwnedFd};

use mio::unix::SourceFd;
use mio::{Interest, Registry, Token};
use rustix::time::{
    ClockId, Itimerspec, TimerfdClockId, TimerfdFlags, TimerfdTimerFlags, Timespec, clock_gettime,
    timerfd_create, timerfd_settime,
};

use crate::error::LoadError;

const NANOSECONDS_PER_SECOND: u64 = 1_000_000_000;

/// Nanoseconds since the run began.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Clock {
    origin_ns: u64,
}

impl Clock {
    /// A clock that shows zero now.
    pub(crate) fn start() -> Self {
        Self {
            origin_ns: read(ClockId::Monotonic),
        }
    }

    pub(crate) fn now_ns(self) -> u64 {
        read(ClockId::Monotonic).saturating_sub(self.origin_ns)
    }
}

/// CPU time of the calling thread in nanoseconds.
pub(crate) fn thread_cpu_ns() -> u64 {
    read(ClockId::ThreadCPUTime)
}

fn read(clock: ClockId) -> u64 {
    let time = clock_gettime(clock);
    let seconds = u64::try_from(time.tv_sec).unwrap_or(0);
    let nanoseconds = u64::try_from(time.tv_nsec).unwrap_or(0);
    seconds * NANOSECONDS_PER_SECOND + nanoseconds
}

/// Wakes an event loop at an exact time.
#[derive(Debug)]
pub(crate) struct Alarm {
    timer: OwnedFd,
    origin_ns: u64,
    set_to_ns: Option<u64>,
}

impl Alarm {
    pub(crate) fn new(clock: Clock, registry: &Registry, token: Token) -> Result<Self, LoadError> {
        let flags = TimerfdFlags::NONBLOCK | TimerfdFlags::CLOEXEC;
        let timer = timerfd_create(TimerfdClockId::Monotonic, flags)
            .map_err(LoadError::system("create a timer"))?;
        registry
            .register(&mut SourceFd(&timer.as_raw_fd()), token, Interest::READABLE)
            .map_err(LoadError::system("watch a timer"))?;
        Ok(Self {
            timer,
            origin_ns: clock.origin_ns,
            set_to_ns: None,
        })
    }

    /// Makes the event loop wake at `time_ns`; a time in the past wakes it at once.
    ///
    /// Setting the same time again costs nothing. The timer is never read: setting it resets it,
    /// and edge-triggered epoll reports each expiry once.
    pub(crate) fn set(&mut self, time_ns: u64) -> Result<(), LoadError> {
        if self.set_to_ns == Some(time_ns) {
            return Ok(());
        }
        // Zero would switch the timer off (timerfd_create(2)); the machine's clock never shows it.
        let absolute_ns = (self.origin_ns + time_ns).max(1);
        let value = Itimerspec {
            it_interval: timespec(0),
            it_value: timespec(absolute_ns),
        };
        timerfd_settime(&self.timer, TimerfdTimerFlags::ABSTIME, &value)
            .map_err(LoadError::system("set a timer"))?;
        self.set_to_ns = Some(time_ns);
        Ok(())
    }
}

fn timespec(time_ns: u64) -> Timespec {
    Timespec {
        tv_sec: (time_ns / NANOSECONDS_PER_SECOND).cast_signed(),
        tv_nsec: (time_ns % NANOSECONDS_PER_SECOND).cast_signed(),
    }
}

#[cfg(test)]
mod tests {
    use std::time::Duration;

    use mio::{Events, Poll};

    use super::*;

    #[test]
    fn the_alarm_wakes_after_its_time_and_again_when_set_again() {
        let mut poll = Poll::new().unwrap();
        let mut events = Events::with_capacity(4);
        let clock = Clock::start();
        let mut alarm = Alarm::new(clock, poll.registry(), Token(5)).unwrap();
        for time_ns in [clock.now_ns() + 3_000_000, clock.now_ns() + 6_000_000, 1] {
            alarm.set(time_ns).unwrap();
            poll.poll(&mut events, Some(Duration::from_secs(10)))
                .unwrap();
            assert_eq!(
                events
                    .iter()
                    .map(mio::event::Event::token)
                    .collect::<Vec<_>>(),
                [Token(5)]
            );
            assert!(clock.now_ns() >= time_ns);
        }
    }
}
