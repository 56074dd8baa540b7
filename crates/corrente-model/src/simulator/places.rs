//! A counted number of places with a line before them: stations, pools, the slots of processes.
//!
//! First come, first served, unless a place is only offered: then whoever asks first has it. A line has
//! no limit of its own.

use std::collections::VecDeque;

/// Places and the line before them.
#[derive(Debug)]
pub(super) struct Places<T> {
    free: usize,
    line: VecDeque<T>,
}

impl<T> Places<T> {
    pub(super) fn new(count: usize) -> Self {
        Self {
            free: count,
            line: VecDeque::new(),
        }
    }

    /// Takes a place for `who` and gives it back to go on with, or puts it in line.
    pub(super) fn enter(&mut self, who: T) -> Option<T> {
        if self.free == 0 {
            self.line.push_back(who);
            return None;
        }
        self.free -= 1;
        Some(who)
    }

    /// Whether who comes now has to wait.
    pub(super) fn is_full(&self) -> bool {
        self.free == 0
    }

    /// A place is given back and kept for nobody: the next in line leaves it, and is to ask again.
    pub(super) fn offer(&mut self) -> Option<T> {
        self.free += 1;
        self.line.pop_front()
    }

    /// A place is given back: the next in line gets it, and is to go on.
    pub(super) fn leave(&mut self) -> Option<T> {
        let next = self.line.pop_front();
        if next.is_none() {
            self.free += 1;
        }
        next
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_line_is_served_in_order() {
        let mut places = Places::new(1);
        assert_eq!(places.enter('a'), Some('a'));
        assert_eq!((places.enter('b'), places.enter('c')), (None, None));
        assert_eq!(
            (places.leave(), places.leave(), places.leave()),
            (Some('b'), Some('c'), None)
        );
        assert_eq!(places.enter('d'), Some('d'));
    }

    #[test]
    fn a_place_that_is_offered_is_whose_who_asks_first() {
        let mut places = Places::new(1);
        assert_eq!(places.enter('a'), Some('a'));
        assert_eq!((places.enter('b'), places.enter('c')), (None, None));
        assert_eq!(places.offer(), Some('b'));
        assert_eq!(places.enter('d'), Some('d'));
        // Who was woken in vain stands behind all others now.
        assert_eq!(places.enter('b'), None);
        assert_eq!((places.offer(), places.offer()), (Some('c'), Some('b')));
        assert_eq!(places.offer(), None);
    }
}
