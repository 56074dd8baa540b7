//! What happens later: a queue of timed events, first in order of time, then in order of entry.
//!
//! Equal times keep their order, so a run depends on nothing but its seed.

use std::cmp::Ordering;
use std::collections::BinaryHeap;

/// Something that happens at a time.
#[derive(Debug, Clone, Copy)]
struct Entry<T> {
    time: f64,
    order: u64,
    what: T,
}

impl<T> PartialEq for Entry<T> {
    fn eq(&self, other: &Self) -> bool {
        self.order == other.order
    }
}

impl<T> Eq for Entry<T> {}

impl<T> PartialOrd for Entry<T> {
    fn partial_cmp(&self, other: &Self) -> Option<Ordering> {
        Some(self.cmp(other))
    }
}

impl<T> Ord for Entry<T> {
    /// Reversed: the heap gives out its greatest, and the earliest is wanted.
    fn cmp(&self, other: &Self) -> Ordering {
        other
            .time
            .total_cmp(&self.time)
            .then(other.order.cmp(&self.order))
    }
}

/// The queue.
#[derive(Debug)]
pub(super) struct Events<T> {
    heap: BinaryHeap<Entry<T>>,
    entered: u64,
}

impl<T> Events<T> {
    pub(super) fn new() -> Self {
        Self {
            heap: BinaryHeap::new(),
            entered: 0,
        }
    }

    pub(super) fn push(&mut self, time: f64, what: T) {
        self.entered += 1;
        self.heap.push(Entry {
            time,
            order: self.entered,
            what,
        });
    }

    /// When the next one happens; infinity without one.
    pub(super) fn next_time(&self) -> f64 {
        self.heap.peek().map_or(f64::INFINITY, |entry| entry.time)
    }

    pub(super) fn pop(&mut self) -> Option<T> {
        self.heap.pop().map(|entry| entry.what)
    }

    pub(super) fn len(&self) -> usize {
        self.heap.len()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn equal_times_keep_their_order() {
        let mut events = Events::new();
        for (time, what) in [(2.0, 'c'), (1.0, 'a'), (1.0, 'b'), (2.0, 'd')] {
            events.push(time, what);
        }
        let order: String = std::iter::from_fn(|| events.pop()).collect();
        assert_eq!(order, "abcd");
    }
}
