//! A distribution that one thread writes and any other reads, without a lock.
//!
//! The writer uses relaxed loads and stores: there is one writer, so nothing is lost, and a reader
//! that comes in between sees a value more here than there, never a broken one. Buckets exist in
//! blocks that are made when first needed; a typical distribution needs three of them, 768 bytes.

use std::sync::OnceLock;
use std::sync::atomic::{AtomicU32, AtomicU64, Ordering::Relaxed};

use crate::Distribution;
use crate::buckets;

/// Buckets of a block: two octaves.
const BLOCK: usize = 64;
const BLOCKS: usize = buckets::BUCKETS.div_ceil(BLOCK);

/// 32 bits are enough for a bucket of one thread, and half the memory; a counter that is full stays.
type Block = Box<[AtomicU32; BLOCK]>;

/// The distribution while it is made. Two threads that wrote at once would lose counts, nothing worse.
#[derive(Debug)]
pub struct AtomicDistribution {
    sum: AtomicU64,
    /// Bits of the `f64`.
    sum_of_squares: AtomicU64,
    max: AtomicU64,
    blocks: [OnceLock<Block>; BLOCKS],
}

impl Default for AtomicDistribution {
    fn default() -> Self {
        Self {
            sum: AtomicU64::new(0),
            sum_of_squares: AtomicU64::new(0.0_f64.to_bits()),
            max: AtomicU64::new(0),
            blocks: [const { OnceLock::new() }; BLOCKS],
        }
    }
}

impl AtomicDistribution {
    /// Adds one value; for the one writer.
    pub fn record(&self, value: u64) {
        let bucket = buckets::index(value);
        let block = self.blocks[bucket / BLOCK].get_or_init(new_block);
        let counter = &block[bucket % BLOCK];
        counter.store(counter.load(Relaxed).saturating_add(1), Relaxed);
        self.sum
            .store(self.sum.load(Relaxed).wrapping_add(value), Relaxed);
        let squares = f64::from_bits(self.sum_of_squares.load(Relaxed));
        let squares = squares + (value as f64).powi(2);
        self.sum_of_squares.store(squares.to_bits(), Relaxed);
        if value > self.max.load(Relaxed) {
            self.max.store(value, Relaxed);
        }
    }

    /// What was recorded until now; for any thread.
    pub fn snapshot(&self) -> Distribution {
        let mut buckets = Vec::new();
        for (number, block) in self.blocks.iter().enumerate() {
            for (within, count) in block
                .get()
                .into_iter()
                .flat_map(|block| block.iter().enumerate())
            {
                let count = u64::from(count.load(Relaxed));
                if count > 0 {
                    buckets.push(((number * BLOCK + within) as u16, count));
                }
            }
        }
        Distribution {
            count: buckets.iter().map(|(_, count)| count).sum(),
            sum: self.sum.load(Relaxed),
            sum_of_squares: f64::from_bits(self.sum_of_squares.load(Relaxed)),
            max: self.max.load(Relaxed),
            buckets,
        }
    }
}

fn new_block() -> Block {
    Box::new([const { AtomicU32::new(0) }; BLOCK])
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    #[test]
    fn a_reader_beside_the_writer_sees_sound_distributions() {
        let shared = AtomicDistribution::default();
        std::thread::scope(|scope| {
            let writer = scope.spawn(|| (0..100_000).for_each(|value| shared.record(value)));
            let mut before = 0;
            while !writer.is_finished() {
                let seen = shared.snapshot();
                assert_eq!(seen.fault(), None);
                assert!(seen.count >= before);
                before = seen.count;
            }
        });
        assert_eq!(shared.snapshot(), Distribution::of(0..100_000));
    }

    proptest! {
        #[test]
        fn it_equals_the_plain_one(values in prop::collection::vec(0_u64..1 << 45, 0..100)) {
            let atomic = AtomicDistribution::default();
            for value in &values {
                atomic.record(*value);
            }
            prop_assert_eq!(atomic.snapshot(), Distribution::of(values));
        }
    }
}
