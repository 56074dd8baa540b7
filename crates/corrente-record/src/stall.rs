//! Stalls of an event loop: as long as one lasts, nothing else runs on that loop.
//!
//! Added up by where they happened, so that their number is bounded by the program and not by its
//! traffic. Invariant: a place is code of the program, never a value that it worked on.

use serde::{Deserialize, Serialize};

use crate::{OTHER, STALLS_MAX, trim_name};

/// All stalls in one place.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Stall {
    /// End of the file's path, line and function of the program's innermost own code.
    #[serde(default)]
    pub place: String,
    /// The package that it called, or the library in C that waited; empty where it computed itself.
    #[serde(default)]
    pub package: String,
    /// What it waited in; empty where it did not.
    #[serde(default)]
    pub system_call: String,
    /// How many there were.
    #[serde(default)]
    pub count: u64,
    /// How long they were together.
    #[serde(default)]
    pub wall_ns: u64,
    /// Of it, on a processor.
    #[serde(default)]
    pub cpu_ns: u64,
    /// Of it, ready while others had the processors.
    #[serde(default)]
    pub queued_ns: u64,
    /// The longest.
    #[serde(default)]
    pub longest_ns: u64,
}

impl Stall {
    /// Of it, asleep in the kernel.
    pub fn blocked_ns(&self) -> u64 {
        self.wall_ns
            .saturating_sub(self.cpu_ns)
            .saturating_sub(self.queued_ns)
    }

    fn is_where(&self, other: &Self) -> bool {
        let key = |one: &Self| [&one.place, &one.package, &one.system_call].map(String::clone);
        key(self) == key(other)
    }

    fn merge(&mut self, other: &Self) {
        self.count += other.count;
        self.wall_ns += other.wall_ns;
        self.cpu_ns += other.cpu_ns;
        self.queued_ns += other.queued_ns;
        self.longest_ns = self.longest_ns.max(other.longest_ns);
    }

    /// Adds this to those of the same place, or to [`OTHER`] where there are too many places.
    pub fn add_to(mut self, stalls: &mut Vec<Self>) {
        for name in [&mut self.place, &mut self.package, &mut self.system_call] {
            *name = trim_name(name);
        }
        if let Some(known) = stalls.iter_mut().find(|known| known.is_where(&self)) {
            known.merge(&self);
        } else if stalls.len() < STALLS_MAX || self.place == OTHER {
            stalls.push(self);
        } else {
            OTHER.clone_into(&mut self.place);
            self.package.clear();
            self.system_call.clear();
            self.add_to(stalls);
        }
    }

    /// What came after `before`, earlier states of the same stalls; `None` where nothing did.
    pub(crate) fn since(mut self, before: &[Self]) -> Option<Self> {
        if let Some(known) = before.iter().find(|known| known.is_where(&self)) {
            self.count = self.count.saturating_sub(known.count);
            self.wall_ns = self.wall_ns.saturating_sub(known.wall_ns);
            self.cpu_ns = self.cpu_ns.saturating_sub(known.cpu_ns);
            self.queued_ns = self.queued_ns.saturating_sub(known.queued_ns);
        }
        (self.count > 0).then_some(self)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn stall(place: &str, wall_ns: u64) -> Stall {
        Stall {
            place: place.to_owned(),
            count: 1,
            wall_ns,
            cpu_ns: wall_ns / 4,
            longest_ns: wall_ns,
            ..Stall::default()
        }
    }

    #[test]
    fn stalls_of_one_place_are_added_up() {
        let mut stalls = Vec::new();
        stall("a.py:1 in f", 100).add_to(&mut stalls);
        stall("a.py:1 in f", 300).add_to(&mut stalls);
        let elsewhere = Stall {
            package: "requests".to_owned(),
            ..stall("a.py:1 in f", 7)
        };
        elsewhere.add_to(&mut stalls);
        assert_eq!(stalls.len(), 2);
        let first = &stalls[0];
        assert_eq!(
            (first.count, first.wall_ns, first.longest_ns),
            (2, 400, 300)
        );
        assert_eq!(first.blocked_ns(), 300);
    }

    #[test]
    fn places_beyond_the_limit_share_one() {
        let mut stalls = Vec::new();
        for number in 0..STALLS_MAX + 5 {
            stall(&format!("a.py:{number} in f"), 1).add_to(&mut stalls);
        }
        assert_eq!(stalls.len(), STALLS_MAX + 1);
        assert_eq!(stalls[STALLS_MAX].place, OTHER);
        assert_eq!(stalls[STALLS_MAX].count, 5);
    }

    #[test]
    fn what_came_later_is_told_apart() {
        let before = [stall("a.py:1 in f", 100)];
        let mut now = before.to_vec();
        stall("a.py:1 in f", 50).add_to(&mut now);
        let later = now[0].clone().since(&before).expect("there is one more");
        assert_eq!((later.count, later.wall_ns), (1, 50));
        assert_eq!(before[0].clone().since(&before), None);
    }
}
