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

    fn says_enough(_: &Subject) -> bool {
        true
    }
}

/// Counts how often it was asked, and says enough from the third time on.
struct Counts(u32);

impl Witness for Counts {
    type Testimony = u32;

    fn look(&mut self, _: Subject) -> u32 {
        self.0 += 1;
        self.0
    }

    fn says_enough(count: &u32) -> bool {
        *count >= 3
    }
}

fn enter<T>(watch: &Watch<T>) -> Subject {
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
    assert!(watch.pulse.is_noticed());
    // The witness has spoken; a moment later that is known.
    let (began, _, seen) = loop {
        match watch.peek(|subject| *subject) {
            Some(found) => break found,
            None => thread::yield_now(),
        }
    };
    assert_eq!((began, seen), (begin, subject));
    let (ledger, testimony) = loop {
        match watch.take() {
            Some(taken) => break taken,
            None => thread::yield_now(),
        }
    };
    assert_eq!(testimony, Some(subject));
    assert!(ledger.processor <= own_processor_time());
    assert!(watch.peek(|subject| *subject).is_none(), "it was taken");
    watchdog.end();
    assert_eq!(Arc::strong_count(&watch), 1, "the thread has ended");
}

#[test]
fn the_latest_word_that_says_enough_counts() {
    let watch = Arc::new(Watch::new(THRESHOLD));
    enter(&watch);
    let watchdog = Watchdog::start(Arc::clone(&watch), Counts(0)).expect("a thread");
    watch.pulse.end_wait(monotonic());
    let mut words = Vec::new();
    while words.len() < 2 {
        if let Some((_, _, word)) = watch.peek(|count| *count)
            && words.last() != Some(&word)
        {
            words.push(word);
        }
        thread::yield_now();
    }
    // The first word counts in any case. It need not be number one: while this looks at the desk nothing is noted.
    assert!(words[1] >= 3, "{words:?}");
    watchdog.end();
}

#[test]
fn beats_and_waits_are_not_noticed() {
    let (tell, told) = channel();
    let watch = Arc::new(Watch::new(LONG));
    enter(&watch);
    let watchdog = Watchdog::start(Arc::clone(&watch), Asked(tell)).expect("a thread");
    let begin = monotonic();
    while monotonic() < begin + 0.02 {
        watch.pulse.begin_at(monotonic());
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
