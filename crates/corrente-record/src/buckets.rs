//! The layout of the histograms: which value falls into which bucket.
//!
//! Log-linear: values below 64 have a bucket each, and every octave above has 32 of equal width, so
//! that a bucket is never wider than 1/32 of its values. In nanoseconds that reaches from 1 ns to
//! 73 minutes; larger values share the last bucket. The numbers are part of the recording's format.

/// Sub-buckets of an octave, as a power of two.
const SUB_BITS: u32 = 5;

/// Values below this have a bucket each.
const LINEAR: u64 = 1 << (SUB_BITS + 1);

/// Values from here on share the last bucket: 2^42 ns are 73 minutes.
const TOP: u64 = 1 << 42;

/// Number of buckets, the last one being that of all values from 2^42 on.
pub(crate) const BUCKETS: usize = index_below_top(TOP - 1) + 2;

/// The bucket of a value.
pub(crate) fn index(value: u64) -> usize {
    if value >= TOP {
        BUCKETS - 1
    } else {
        index_below_top(value)
    }
}

const fn index_below_top(value: u64) -> usize {
    if value < LINEAR {
        return value as usize;
    }
    let octave = u64::BITS - 1 - value.leading_zeros();
    let within = (value >> (octave - SUB_BITS)) - (1 << SUB_BITS);
    let octaves_above_linear = octave - SUB_BITS - 1;
    LINEAR as usize + ((octaves_above_linear as usize) << SUB_BITS) + within as usize
}

/// The least value of a bucket and the least value above it. The last bucket has no end; its width
/// is that of its neighbour, so that it still has a middle.
pub(crate) fn bounds(index: usize) -> (u64, u64) {
    let index = index as u64;
    if index < LINEAR {
        return (index, index + 1);
    }
    let above = index - LINEAR;
    let shift = (above >> SUB_BITS) + 1;
    let within = (above & ((1 << SUB_BITS) - 1)) + (1 << SUB_BITS);
    (within << shift, (within + 1) << shift)
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    #[test]
    fn small_values_have_a_bucket_each() {
        for value in 0..LINEAR {
            assert_eq!(index(value), value as usize);
            assert_eq!(bounds(value as usize), (value, value + 1));
        }
    }

    #[test]
    fn buckets_join_without_gap_or_overlap() {
        let mut end = 0;
        for bucket in 0..BUCKETS {
            let (from, to) = bounds(bucket);
            assert_eq!(from, end, "bucket {bucket}");
            assert!(to > from);
            end = to;
        }
        assert_eq!(bounds(BUCKETS - 1).0, TOP);
    }

    #[test]
    fn an_hour_in_nanoseconds_is_not_in_the_last_bucket() {
        assert!(index(3_600_000_000_000) < BUCKETS - 1);
        assert_eq!(index(u64::MAX), BUCKETS - 1);
    }

    proptest! {
        #[test]
        fn a_value_lies_in_its_bucket_and_the_bucket_is_narrow(value in 0_u64..TOP) {
            let (from, to) = bounds(index(value));
            prop_assert!(from <= value && value < to);
            prop_assert!(from < LINEAR || (to - from) * 32 <= from);
        }
    }
}
