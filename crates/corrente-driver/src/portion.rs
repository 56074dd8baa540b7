//! How many descriptors to ask the kernel for in a turn, from how much lies about unanswered after each.
//!
//! A task that is woken by what was read answers in the next turn, after everything else that was read in this one. Where that is
//! more than the processor keeps close by, each byte comes from further away every time it is touched: fifty messages of 100 KiB
//! cost a quarter more each than four at a time. Plain data: it asks nobody. Key invariant: at least four are asked for.

use crate::epoll::EVENTS;

/// So many at least: a wait for each one would cost more than it spares.
const LEAST: usize = 4;
/// Bytes that may lie about. A processor of a server has 1 or 2 MiB for itself (its second-level cache), and a message is there up to
/// four times: as the kernel got it, as it was read, as it is written, and as the kernel sends it.
const BYTES: u64 = 384 * 1024;

/// A number of descriptors.
#[derive(Debug)]
pub struct Portion {
    most: usize,
}

impl Default for Portion {
    fn default() -> Self {
        Self { most: EVENTS }
    }
}

impl Portion {
    /// How many to ask for.
    pub fn most(&self) -> usize {
        self.most
    }

    /// So many descriptors were ready, and so many bytes of them are left for the next turn.
    pub fn left(&mut self, descriptors: usize, bytes: u64) {
        if bytes > BYTES {
            let fitting = descriptors as u64 * BYTES / bytes;
            self.most = usize::try_from(fitting).map_or(EVENTS, |fitting| fitting.max(LEAST));
        } else if descriptors >= self.most && bytes <= BYTES / 2 {
            self.most = (2 * self.most).min(EVENTS);
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// What is asked for after turns of messages of so many bytes, where there are always enough.
    fn after(portion: &mut Portion, turns: usize, waiting: usize, length: u64) -> usize {
        for _ in 0..turns {
            let descriptors = waiting.min(portion.most());
            portion.left(descriptors, descriptors as u64 * length);
        }
        portion.most()
    }

    #[test]
    fn small_messages_are_all_asked_for() {
        let mut portion = Portion::default();
        assert_eq!(after(&mut portion, 10, EVENTS, 1024), EVENTS);
        assert_eq!(after(&mut portion, 10, 30, 10 * 1024), EVENTS);
    }

    #[test]
    fn of_large_ones_few_are_asked_for_until_they_are_small_again() {
        let mut portion = Portion::default();
        let few = after(&mut portion, 1, 50, 64 * 1024);
        assert_eq!(few as u64, BYTES / (64 * 1024));
        assert_eq!(after(&mut portion, 10, 50, 64 * 1024), few, "it stays");
        assert_eq!(after(&mut portion, 10, 50, 1024 * 1024), LEAST);
        assert_eq!(
            after(&mut portion, 10, 2, 0),
            LEAST,
            "nothing is known of more"
        );
        assert_eq!(after(&mut portion, 10, EVENTS, 0), EVENTS);
    }
}
