//! How many datagrams or connections to ask the kernel for in a turn, from how many came the last times.
//!
//! To ask until there are no more costs a call that finds nothing, at every turn of a socket to which one comes at a
//! time. Plain data: it asks nobody. Key invariant: at least one is asked for, and no more than [`MOST`].

/// Datagrams or connections of one socket in a turn: the others' turn comes after them.
pub const MOST: usize = 16;
/// Only after so many turns that brought all that was asked for, more is asked for.
const TURNS_BEFORE_MORE: u32 = 4;

/// A number of datagrams.
#[derive(Debug)]
pub struct Burst {
    at_once: usize,
    full_turns: u32,
}

impl Default for Burst {
    fn default() -> Self {
        Self {
            at_once: 1,
            full_turns: 0,
        }
    }
}

impl Burst {
    /// How many to ask for.
    pub fn at_once(&self) -> usize {
        self.at_once
    }

    /// So many have come in a turn.
    pub fn came(&mut self, count: usize) {
        if count < self.at_once {
            self.at_once = count.max(1);
            self.full_turns = 0;
            return;
        }
        self.full_turns += 1;
        if self.full_turns == TURNS_BEFORE_MORE {
            self.at_once = (2 * self.at_once).min(MOST);
            self.full_turns = 0;
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn more_is_asked_for_where_more_comes_and_less_where_less() {
        let mut burst = Burst::default();
        assert_eq!(burst.at_once(), 1);
        for _ in 0..100 {
            burst.came(burst.at_once());
        }
        assert_eq!(burst.at_once(), MOST);
        burst.came(3);
        assert_eq!(burst.at_once(), 3);
        burst.came(0);
        assert_eq!(burst.at_once(), 1);
        for _ in 1..TURNS_BEFORE_MORE {
            burst.came(1);
        }
        assert_eq!(burst.at_once(), 1);
    }
}
