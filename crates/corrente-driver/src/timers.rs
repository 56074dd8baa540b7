//! What is due when: a queue of timers with cheap cancellation.
//!
//! Due timers come in the order of their times, equal times in the order in which they were
//! scheduled. A timer is cancelled by marking whatever it carries and telling the queue that there is
//! one more of those; the marked ones leave when they reach the front, or all together once they are
//! the larger part (asyncio's thresholds).
//!
//! Plain data: it reads no clock. Key invariant: every child in the heap is due no earlier than its
//! parent.

use std::cmp::Ordering;

/// Children of a node: four share a cache line, and the heap is half as deep as a binary one.
const ARITY: usize = 4;
/// Cancelled timers are left where they are up to this number,
const CANCELLED_LEAST: usize = 100;
/// and up to one in this many.
const CANCELLED_ONE_IN: usize = 2;
/// So many due timers are taken one by one, unless those that lie first are all due; only then is it looked whether most of the
/// queue is due.
const ONE_BY_ONE: usize = 16;
/// Where one in this many is due, they are sorted out at once: to take one by one costs the depth of the heap each.
const DUE_ONE_IN: usize = 8;

/// Timers, each carrying a `T`.
#[derive(Debug)]
pub struct Timers<T> {
    heap: Vec<Timer<T>>,
    next: u64,
    cancelled: usize,
}

#[derive(Debug)]
struct Timer<T> {
    /// Seconds of the driver's clock.
    when: f64,
    /// Its number among all that were ever scheduled.
    sequence: u64,
    carried: T,
}

impl<T> Timer<T> {
    /// A time that is no number is later than any other.
    fn order(&self, other: &Self) -> Ordering {
        let order = self.when.total_cmp(&other.when);
        order.then(self.sequence.cmp(&other.sequence))
    }

    fn is_before(&self, other: &Self) -> bool {
        self.order(other).is_lt()
    }
}

impl<T> Default for Timers<T> {
    fn default() -> Self {
        Self {
            heap: Vec::new(),
            next: 0,
            cancelled: 0,
        }
    }
}

impl<T> Timers<T> {
    /// Timers, those cancelled and not yet gone included.
    pub fn len(&self) -> usize {
        self.heap.len()
    }

    /// Whether there is none.
    pub fn is_empty(&self) -> bool {
        self.heap.is_empty()
    }

    /// Adds a timer for `when`, in seconds. What is no number is never due.
    pub fn schedule(&mut self, when: f64, carried: T) {
        // Of either sign, lest a negative one come first for ever.
        let when = if when.is_nan() { f64::NAN } else { when };
        let sequence = self.next;
        self.next += 1;
        self.heap.push(Timer {
            when,
            sequence,
            carried,
        });
        self.rise(self.heap.len() - 1);
    }

    /// One more timer was cancelled. What `is_cancelled` says of may leave now; it is given back, for
    /// the caller to drop when it likes.
    pub fn cancelled(&mut self, is_cancelled: impl Fn(&T) -> bool) -> Vec<T> {
        self.cancelled += 1;
        let mut gone = Vec::new();
        // A timer that was scheduled last and is cancelled first, as timeouts are, is the last leaf.
        while self
            .heap
            .last()
            .is_some_and(|last| is_cancelled(&last.carried))
        {
            gone.extend(self.heap.pop().map(|timer| timer.carried));
            self.cancelled = self.cancelled.saturating_sub(1);
        }
        if self.cancelled > CANCELLED_LEAST && self.cancelled * CANCELLED_ONE_IN > self.heap.len() {
            gone.extend(self.compact(is_cancelled));
        }
        gone
    }

    /// When the first timer that is not cancelled is due; the cancelled ones before it leave.
    pub fn first(&mut self, is_cancelled: impl Fn(&T) -> bool) -> (Option<f64>, Vec<T>) {
        let mut gone = Vec::new();
        while self
            .heap
            .first()
            .is_some_and(|first| is_cancelled(&first.carried))
        {
            gone.extend(self.take_first().map(|first| first.carried));
            self.cancelled = self.cancelled.saturating_sub(1);
        }
        (self.heap.first().map(|first| first.when), gone)
    }

    /// When the first timer is due, be it cancelled or not.
    pub fn earliest(&self) -> Option<f64> {
        self.heap.first().map(|first| first.when)
    }

    /// Takes all timers whose time has come by `now`, in their order, with that time; whoever takes them looks
    /// which are cancelled.
    pub fn due(&mut self, now: f64, mut take: impl FnMut(f64, T)) {
        let mut taken = if self.begins_due(now) { ONE_BY_ONE } else { 0 };
        while self.earliest().is_some_and(|when| when <= now) {
            if taken == ONE_BY_ONE && self.count_due(now) * DUE_ONE_IN >= self.heap.len() {
                for timer in self.sort_out(now) {
                    take(timer.when, timer.carried);
                }
                return;
            }
            if let Some(timer) = self.take_first() {
                take(timer.when, timer.carried);
            }
            taken += 1;
        }
    }

    /// So many that were cancelled have come out of [`Timers::due`].
    pub fn left(&mut self, cancelled: usize) {
        self.cancelled = self.cancelled.saturating_sub(cancelled);
    }

    /// All that is carried, in no order; the queue is empty afterwards.
    pub fn clear(&mut self) -> Vec<T> {
        self.cancelled = 0;
        let timers = std::mem::take(&mut self.heap).into_iter();
        timers.map(|timer| timer.carried).collect()
    }

    /// All that is carried, in no order.
    pub fn iter(&self) -> impl Iterator<Item = &T> {
        self.heap.iter().map(|timer| &timer.carried)
    }

    fn compact(&mut self, is_cancelled: impl Fn(&T) -> bool) -> Vec<T> {
        let timers = std::mem::take(&mut self.heap).into_iter();
        let (gone, left): (Vec<_>, Vec<_>) = timers.partition(|timer| is_cancelled(&timer.carried));
        self.cancelled = 0;
        self.restore(left);
        gone.into_iter().map(|timer| timer.carried).collect()
    }

    /// Whether as many are due as lie first: then it is looked at once whether most are. To take some one by one would take those
    /// behind them out of the order in which they were scheduled, in which they need no sorting.
    fn begins_due(&self, now: f64) -> bool {
        let first = self.heap.get(..=ONE_BY_ONE);
        first.is_some_and(|first| first.iter().all(|timer| timer.when <= now))
    }

    /// How many are due: a timer is due no earlier than its parent, so only due ones and their children are looked at.
    fn count_due(&self, now: f64) -> usize {
        let mut count = 0;
        let mut open = vec![0];
        while let Some(place) = open.pop() {
            if self.heap.get(place).is_some_and(|timer| timer.when <= now) {
                count += 1;
                open.extend(place * ARITY + 1..=place * ARITY + ARITY);
            }
        }
        count
    }

    /// Takes all that are due, in their order.
    fn sort_out(&mut self, now: f64) -> Vec<Timer<T>> {
        let timers = std::mem::take(&mut self.heap).into_iter();
        let (mut due, left): (Vec<_>, Vec<_>) = timers.partition(|timer| timer.when <= now);
        self.restore(left);
        // Scheduled in the order of their times, as most are, they lie in that order.
        due.sort_by(Timer::order);
        due
    }

    /// Makes a heap of timers in any order.
    fn restore(&mut self, timers: Vec<Timer<T>>) {
        self.heap = timers;
        for place in (0..self.heap.len().div_ceil(ARITY)).rev() {
            self.sink(place);
        }
    }

    fn take_first(&mut self) -> Option<Timer<T>> {
        if self.heap.is_empty() {
            return None;
        }
        let first = self.heap.swap_remove(0);
        self.sink(0);
        Some(first)
    }

    fn rise(&mut self, mut place: usize) {
        while place > 0 {
            let parent = (place - 1) / ARITY;
            if !self.heap[place].is_before(&self.heap[parent]) {
                return;
            }
            self.heap.swap(place, parent);
            place = parent;
        }
    }

    fn sink(&mut self, mut place: usize) {
        loop {
            let children = place * ARITY + 1..(place * ARITY + 1 + ARITY).min(self.heap.len());
            let earlier = |a: usize, b: usize| {
                if self.heap[b].is_before(&self.heap[a]) {
                    b
                } else {
                    a
                }
            };
            let Some(child) = children.reduce(earlier) else {
                return;
            };
            if !self.heap[child].is_before(&self.heap[place]) {
                return;
            }
            self.heap.swap(place, child);
            place = child;
        }
    }
}

#[cfg(test)]
mod tests {
    use std::cell::Cell;
    use std::rc::Rc;

    use proptest::prelude::*;

    use super::*;

    type Marked = Rc<(usize, Cell<bool>)>;

    fn is_cancelled(carried: &Marked) -> bool {
        carried.1.get()
    }

    fn drain(timers: &mut Timers<Marked>, now: f64) -> Vec<usize> {
        let mut due = Vec::new();
        timers.due(now, |_, carried| {
            if is_cancelled(&carried) {
                return;
            }
            due.push(carried.0);
        });
        due
    }

    #[test]
    fn equal_times_come_in_the_order_of_scheduling() {
        let mut timers = Timers::default();
        for name in 0..50 {
            timers.schedule(1.0, Rc::new((name, Cell::new(false))));
        }
        assert_eq!(drain(&mut timers, 1.0), (0..50).collect::<Vec<_>>());
    }

    #[test]
    fn nothing_is_early_and_no_number_is_never() {
        let mut timers = Timers::default();
        timers.schedule(-f64::NAN, Rc::new((0, Cell::new(false))));
        timers.schedule(f64::NAN, Rc::new((0, Cell::new(false))));
        timers.schedule(2.0, Rc::new((1, Cell::new(false))));
        assert_eq!(drain(&mut timers, 2.0_f64.next_down()), []);
        assert_eq!(drain(&mut timers, 2.0), [1]);
        assert_eq!(drain(&mut timers, f64::INFINITY), []);
    }

    #[test]
    fn a_timeout_that_is_cancelled_at_once_leaves_at_once() {
        let mut timers = Timers::default();
        timers.schedule(1.0, Rc::new((0, Cell::new(false))));
        let timeout = Rc::new((1, Cell::new(false)));
        timers.schedule(60.0, Rc::clone(&timeout));
        timeout.1.set(true);
        assert_eq!(timers.cancelled(is_cancelled).len(), 1);
        assert_eq!(timers.len(), 1);
    }

    #[test]
    fn the_cancelled_do_not_pile_up() {
        let mut timers = Timers::default();
        let all: Vec<Marked> = (0..1000)
            .map(|name| Rc::new((name, Cell::new(false))))
            .collect();
        for (place, carried) in all.iter().enumerate() {
            timers.schedule(1000.0 - place as f64, Rc::clone(carried));
        }
        for carried in &all[..900] {
            carried.1.set(true);
            timers.cancelled(is_cancelled);
        }
        assert!(timers.len() < 300, "{} are left", timers.len());
        assert_eq!(drain(&mut timers, 1e9).len(), 100);
    }

    #[test]
    fn many_that_are_due_at_once_leave_the_others_in_order() {
        for due in [10, 100, 1000] {
            let mut timers = Timers::default();
            for name in 0..1000_usize {
                let when = f64::from(u32::try_from(name * 7919 % 1000).expect("small"));
                timers.schedule(when, Rc::new((name, Cell::new(false))));
            }
            let mut names: Vec<usize> = (0..1000).collect();
            names.sort_by_key(|name| name * 7919 % 1000);
            assert_eq!(
                drain(&mut timers, f64::from(due - 1)),
                names[..due as usize]
            );
            assert_eq!(timers.len(), 1000 - due as usize);
            assert_eq!(drain(&mut timers, 1000.0), names[due as usize..]);
        }
    }

    #[derive(Debug, Clone)]
    enum Deed {
        Schedule(u8),
        Cancel(prop::sample::Index),
        Drain(u8),
    }

    fn deeds() -> impl Strategy<Value = Vec<Deed>> {
        let deed = prop_oneof![
            4 => any::<u8>().prop_map(Deed::Schedule),
            3 => any::<prop::sample::Index>().prop_map(Deed::Cancel),
            1 => any::<u8>().prop_map(Deed::Drain),
        ];
        prop::collection::vec(deed, 0..600)
    }

    proptest! {
        /// Against the plainest model: a sorted list.
        #[test]
        fn it_does_what_a_sorted_list_does(deeds in deeds()) {
            let mut timers = Timers::default();
            let mut model: Vec<(u8, Marked)> = Vec::new();
            let mut scheduled = 0;
            for deed in deeds {
                match deed {
                    Deed::Schedule(when) => {
                        let carried = Rc::new((scheduled, Cell::new(false)));
                        scheduled += 1;
                        timers.schedule(f64::from(when), Rc::clone(&carried));
                        model.push((when, carried));
                    }
                    Deed::Cancel(which) if !model.is_empty() => {
                        let (_, carried) = model.remove(which.index(model.len()));
                        carried.1.set(true);
                        timers.cancelled(is_cancelled);
                    }
                    Deed::Cancel(_) => {}
                    Deed::Drain(now) => {
                        let (first, _) = timers.first(is_cancelled);
                        let expected = model.iter().map(|(when, _)| *when).min();
                        prop_assert_eq!(first, expected.map(f64::from));
                        let mut due: Vec<(u8, usize)> = Vec::new();
                        model.retain(|(when, carried)| {
                            let is_due = *when <= now;
                            due.extend(is_due.then_some((*when, carried.0)));
                            !is_due
                        });
                        due.sort_unstable();
                        let expected: Vec<usize> = due.into_iter().map(|(_, name)| name).collect();
                        prop_assert_eq!(drain(&mut timers, f64::from(now)), expected);
                    }
                }
            }
        }
    }
}
