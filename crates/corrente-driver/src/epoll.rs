//! The kernel's epoll as a driver: level-triggered, woken by an eventfd.
//!
//! Waits are precise to the nanosecond where the kernel has `epoll_pwait2` (Linux 5.11), which is
//! probed, since a sandbox may forbid it; else they are rounded up to milliseconds, never down.

use std::io;
use std::mem::MaybeUninit;
use std::os::fd::OwnedFd;
use std::time::Duration;

use rustix::event::epoll::{self, Event, EventData, EventFlags};
use rustix::event::{EventfdFlags, Timespec, eventfd};
use rustix::io::Errno;
use rustix::time::{ClockId, clock_gettime};

use crate::{Descriptor, Driver, Interest, Readiness};

/// Events that one wait can bring; more wait for the next, which begins with those left over.
pub const EVENTS: usize = 256;
/// What the waker's events carry in place of a descriptor's number.
const WAKER: u64 = u64::MAX;
/// Longer waits are cut into pieces: what fits into 31 bits of milliseconds, and then some room.
const LONGEST: Duration = Duration::from_hours(24);

/// The driver.
#[derive(Debug)]
pub struct Epoll {
    queue: OwnedFd,
    waker: OwnedFd,
    precision: Precision,
}

/// How exactly the kernel can wait.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Precision {
    Nanoseconds,
    Milliseconds,
}

impl Epoll {
    /// # Errors
    ///
    /// Where the kernel has no descriptor left.
    pub fn new() -> io::Result<Self> {
        let queue = epoll::create(epoll::CreateFlags::CLOEXEC)?;
        let waker = eventfd(0, EventfdFlags::CLOEXEC | EventfdFlags::NONBLOCK)?;
        let data = EventData::new_u64(WAKER);
        epoll::add(&queue, &waker, data, EventFlags::IN)?;
        let precision = probe(&queue);
        Ok(Self {
            queue,
            waker,
            precision,
        })
    }

    fn until(&self, limit: Duration) -> Timespec {
        let limit = limit.min(LONGEST);
        let limit = match self.precision {
            Precision::Nanoseconds => limit,
            Precision::Milliseconds => {
                Duration::from_millis(limit.as_nanos().div_ceil(1_000_000) as u64)
            }
        };
        Timespec {
            tv_sec: limit.as_secs().cast_signed(),
            tv_nsec: i64::from(limit.subsec_nanos()),
        }
    }

    fn change(&self, descriptor: Descriptor, from: Interest, to: EventFlags) -> io::Result<()> {
        let data = EventData::new_u64(descriptor.index() as u64);
        let add = || epoll::add(&self.queue, descriptor, data, to);
        let change = || epoll::modify(&self.queue, descriptor, data, to);
        let is_nothing = !to.intersects(EventFlags::IN | EventFlags::OUT);
        let outcome = match from {
            Interest::None if is_nothing => Ok(()),
            _ if is_nothing => match epoll::delete(&self.queue, descriptor) {
                // It was closed, and so has left already.
                Err(Errno::NOENT | Errno::BADF) => Ok(()),
                other => other,
            },
            Interest::None => match add() {
                // A duplicate of it was watched and is still open under another number.
                Err(Errno::EXIST) => change(),
                other => other,
            },
            _ => match change() {
                // It was closed, and this is another one of its number.
                Err(Errno::NOENT) => add(),
                other => other,
            },
        };
        outcome.map_err(io::Error::from)
    }

    fn drain_waker(&self) {
        let mut count = [0; 8];
        // EAGAIN: another wait has drained it.
        rustix::io::read(&self.waker, &mut count).ok();
    }
}

/// The driver's clock: Python's `time.monotonic()`, to the last bit.
pub fn monotonic() -> f64 {
    let now = clock_gettime(ClockId::Monotonic);
    (now.tv_sec * 1_000_000_000 + now.tv_nsec) as f64 / 1e9
}

/// A wait of one nanosecond, which only `epoll_pwait2` can express.
fn probe(queue: &OwnedFd) -> Precision {
    let mut events = [MaybeUninit::<Event>::uninit(); 1];
    let moment = Timespec {
        tv_sec: 0,
        tv_nsec: 1,
    };
    match epoll::wait(queue, &mut events[..], Some(&moment)) {
        Ok(_) | Err(Errno::INTR) => Precision::Nanoseconds,
        Err(_) => Precision::Milliseconds,
    }
}

fn flags(interest: Interest) -> EventFlags {
    let mut flags = EventFlags::empty();
    flags.set(EventFlags::IN, interest.reads());
    flags.set(EventFlags::OUT, interest.writes());
    flags
}

/// What events say; a hang-up or an error is for both sides to see.
fn interest(flags: EventFlags) -> Interest {
    let broken = flags.intersects(EventFlags::HUP | EventFlags::ERR);
    Interest::of(
        broken || flags.intersects(EventFlags::IN | EventFlags::RDHUP | EventFlags::PRI),
        broken || flags.contains(EventFlags::OUT),
    )
}

impl Driver for Epoll {
    fn watch(&self, descriptor: Descriptor, from: Interest, to: Interest) -> io::Result<()> {
        self.change(descriptor, from, flags(to))
    }

    fn watch_news(&self, descriptor: Descriptor, from: Interest, to: Interest) -> io::Result<()> {
        let mut watched = flags(to) | EventFlags::ET;
        watched.set(EventFlags::RDHUP | EventFlags::PRI, to.reads());
        self.change(descriptor, from, watched)
    }

    fn wait(
        &self,
        limit: Option<Duration>,
        most: usize,
        ready: &mut Vec<Readiness>,
    ) -> io::Result<()> {
        let mut events = [MaybeUninit::<Event>::uninit(); EVENTS];
        let limit = limit.map(|limit| self.until(limit));
        let room = &mut events[..most.clamp(1, EVENTS)];
        let (events, _) = epoll::wait(&self.queue, room, limit.as_ref())?;
        for event in events.iter() {
            let data = event.data;
            if data.u64() == WAKER {
                self.drain_waker();
                continue;
            }
            let number = i32::try_from(data.u64()).unwrap_or(-1);
            ready.extend(Descriptor::new(number).map(|descriptor| Readiness {
                descriptor,
                interest: interest(event.flags),
                is_plain: (event.flags - (EventFlags::IN | EventFlags::OUT)).is_empty(),
            }));
        }
        Ok(())
    }

    fn wake(&self) {
        // EAGAIN: it is woken 2^64 - 2 times already.
        rustix::io::write(&self.waker, &1_u64.to_ne_bytes()).ok();
    }

    fn now(&self) -> f64 {
        monotonic()
    }
}

#[cfg(test)]
mod tests {
    use std::io::Write;
    use std::os::fd::AsRawFd;
    use std::os::unix::net::UnixStream;

    use super::*;

    fn descriptor(of: &impl AsRawFd) -> Descriptor {
        Descriptor::new(of.as_raw_fd()).expect("it is open")
    }

    fn ready(driver: &Epoll, limit: Duration) -> Vec<Readiness> {
        let mut ready = Vec::new();
        driver
            .wait(Some(limit), EVENTS, &mut ready)
            .expect("it waits");
        ready
    }

    #[test]
    fn what_can_be_read_is_ready_until_it_is_read() {
        let driver = Epoll::new().expect("epoll");
        let (mut near, far) = UnixStream::pair().expect("a pair");
        let far_end = descriptor(&far);
        driver
            .watch(far_end, Interest::None, Interest::Read)
            .expect("it is watched");
        assert_eq!(ready(&driver, Duration::ZERO), []);
        near.write_all(b"x").expect("it is written");
        for _ in 0..2 {
            let expected = Readiness {
                descriptor: far_end,
                interest: Interest::Read,
                is_plain: true,
            };
            assert_eq!(ready(&driver, Duration::from_secs(10)), [expected]);
        }
    }

    #[test]
    fn news_are_told_once_each() {
        let driver = Epoll::new().expect("epoll");
        let (mut near, far) = UnixStream::pair().expect("a pair");
        let far_end = descriptor(&far);
        near.write_all(b"x").expect("it is written");
        driver
            .watch_news(far_end, Interest::None, Interest::Read)
            .expect("it is watched");
        for _ in 0..2 {
            assert_eq!(ready(&driver, Duration::from_secs(10)).len(), 1);
            assert_eq!(ready(&driver, Duration::ZERO), []);
            near.write_all(b"x").expect("it is written");
        }
        driver
            .watch(far_end, Interest::Read, Interest::Read)
            .expect("it is watched");
        for _ in 0..2 {
            assert_eq!(ready(&driver, Duration::from_secs(10)).len(), 1);
        }
    }

    #[test]
    fn the_peers_end_is_no_plain_news() {
        let driver = Epoll::new().expect("epoll");
        let (mut near, far) = UnixStream::pair().expect("a pair");
        near.write_all(b"x").expect("it is written");
        driver
            .watch_news(descriptor(&far), Interest::None, Interest::Read)
            .expect("it is watched");
        assert!(ready(&driver, Duration::from_secs(10))[0].is_plain);
        near.shutdown(std::net::Shutdown::Write)
            .expect("it is open");
        assert!(!ready(&driver, Duration::from_secs(10))[0].is_plain);
    }

    #[test]
    fn a_hang_up_is_told_to_a_reader() {
        let driver = Epoll::new().expect("epoll");
        let (near, far) = UnixStream::pair().expect("a pair");
        driver
            .watch(descriptor(&far), Interest::None, Interest::Read)
            .expect("it is watched");
        drop(near);
        let found = ready(&driver, Duration::from_secs(10));
        assert!(found[0].interest.reads());
    }

    #[test]
    fn a_closed_descriptor_of_the_same_number_is_watched_anew() {
        let driver = Epoll::new().expect("epoll");
        let (near, far) = UnixStream::pair().expect("a pair");
        let number = descriptor(&far);
        driver
            .watch(number, Interest::None, Interest::Read)
            .expect("it is watched");
        drop(far);
        let (again, _other) = UnixStream::pair().expect("a pair");
        // The lowest free number is the one that was closed.
        assert_eq!(descriptor(&again), number);
        driver
            .watch(number, Interest::Read, Interest::Both)
            .expect("it is added, not changed");
        assert!(ready(&driver, Duration::from_secs(10))[0].interest.writes());
        drop(near);
    }

    #[test]
    fn who_is_not_told_of_is_told_of_next() {
        let driver = Epoll::new().expect("epoll");
        let mut waiting = Vec::new();
        let pairs: Vec<_> = (0..3)
            .map(|_| {
                let (mut near, far) = UnixStream::pair().expect("a pair");
                near.write_all(b"x").expect("it is written");
                driver
                    .watch(descriptor(&far), Interest::None, Interest::Read)
                    .expect("it is watched");
                waiting.push(descriptor(&far));
                (near, far)
            })
            .collect();
        // What is told of stays ready, and has to wait behind the others.
        for _ in 0..2 {
            let mut ready = Vec::new();
            driver.wait(None, 2, &mut ready).expect("it waits");
            assert_eq!(ready.len(), 2);
            waiting.retain(|one| ready.iter().all(|told| told.descriptor != *one));
        }
        assert_eq!(waiting, [], "of {pairs:?}");
    }

    #[test]
    fn a_regular_file_is_refused() {
        let driver = Epoll::new().expect("epoll");
        let file = std::fs::File::open("/proc/self/exe").expect("a file");
        let refused = driver.watch(descriptor(&file), Interest::None, Interest::Read);
        let error = refused.expect_err("epoll takes no files");
        assert_eq!(error.raw_os_error(), Some(Errno::PERM.raw_os_error()));
    }

    #[test]
    fn a_wake_ends_one_wait() {
        let driver = Epoll::new().expect("epoll");
        driver.wake();
        driver.wake();
        assert_eq!(ready(&driver, Duration::from_mins(1)), []);
        let begin = driver.now();
        assert_eq!(ready(&driver, Duration::from_millis(2)), []);
        assert!(driver.now() - begin >= 0.002, "the waker was not drained");
    }

    #[test]
    fn a_wait_is_never_short() {
        let mut driver = Epoll::new().expect("epoll");
        for precision in [driver.precision, Precision::Milliseconds] {
            driver.precision = precision;
            for micros in [1, 150, 999, 1001] {
                let begin = driver.now();
                ready(&driver, Duration::from_micros(micros));
                assert!(driver.now() - begin >= micros as f64 * 1e-6);
            }
        }
    }
}
