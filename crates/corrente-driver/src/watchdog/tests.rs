//! The watchdog beside a thread that beats as a loop does.

use std::sync::mpsc::{Sender, channel};

use super::*;
use crate::pulse::Watcher;
use crate::thread::{own_number, own_processor_time};

const THRESHOLD: Duration = Duration::from_millis(1);
/// Longer than a busy machine leaves a thread without a processor.
const LONG: Duration = Duration::from_millis(200);

/// Says when it was asked.
struct Asked(Sender<Subject>);

impl Witness for Asked {
    type Testimony = Subject;

    fn look(&mut self, subject: Subject) -> Subject {
        // Nobody listens any more once the test is over.
        self.0.send(subject).ok();
        subject
    }
}

fn enter(watch: &Watch<Subject>) -> Subject {
    let subject = Subject {
        thread: own_number(),
        key: 7,
    };
    watch.pulse.enter(subject);
    subject
}

#[test]
fn a_beat_that_stays_is_noticed_and_witnessed() {
    let (tell, told) = channel();
    let watch = Arc::new(Watch::new(THRESHOLD));
    let subject = enter(&watch);
    let watchdog = Watchdog::start(Arc::clone(&watch), Asked(tell)).expect("a thread");
    let begin = monotonic();
    watch.pulse.end_wait(begin);
    assert_eq!(told.recv().expect("it looks"), subject);
    let notice = loop {
        // The witness has spoken; a moment later that is known.
        assert!(watch.pulse.is_noticed());
        let notice = watch.take();
        match notice {
            Some(notice) if notice.testimony.is_some() => break notice,
            Some(notice) => *watch.lock().expect("free") = Some(notice),
            None => {}
        }
    };
    assert!((notice.began - begin).abs() < 1e-9, "the turn's begin");
    assert!(notice.seen >= begin);
    assert!(notice.processor <= own_processor_time());
    assert_eq!(notice.testimony, Some(subject));
    watchdog.end();
    assert_eq!(Arc::strong_count(&watch), 1, "the thread has ended");
}

#[test]
fn beats_and_waits_are_not_noticed() {
    let (tell, told) = channel();
    let watch = Arc::new(Watch::new(LONG));
    enter(&watch);
    let watchdog = Watchdog::start(Arc::clone(&watch), Asked(tell)).expect("a thread");
    let begin = monotonic();
    while monotonic() < begin + 0.02 {
        watch.pulse.begin_turn(monotonic());
    }
    watch.pulse.begin_wait();
    // Whoever rests has looked at the wait several times.
    while !watch.pulse.is_resting() {
        thread::yield_now();
    }
    assert_eq!(watch.pulse.end_wait(monotonic()), Watcher::Rests);
    watch.pulse.begin_wait();
    watchdog.end();
    assert!(told.try_recv().is_err(), "nothing has stalled");
}

#[test]
fn one_that_rests_ends_when_it_is_dropped() {
    let watch = Arc::new(Watch::<Subject>::new(THRESHOLD));
    let (tell, _told) = channel();
    let watchdog = Watchdog::start(Arc::clone(&watch), Asked(tell)).expect("a thread");
    while !watch.pulse.is_resting() {
        thread::yield_now();
    }
    drop(watchdog);
    while Arc::strong_count(&watch) > 1 {
        thread::yield_now();
    }
}
