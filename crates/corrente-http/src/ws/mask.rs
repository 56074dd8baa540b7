//! The mask of a client's frames: each byte exclusive-or one of four (RFC 6455, section 5.3).
//!
//! Eight bytes at a time; the compiler makes vectors of it. Masking twice gives what was there before.

/// Masks `bytes`, of which so many came before them in the frame.
pub(super) fn apply(bytes: &mut [u8], key: [u8; 4], before: u64) {
    let shift = (before % 4) as usize;
    let turned: [u8; 4] = std::array::from_fn(|place| key[(place + shift) % 4]);
    let [a, b, c, d] = turned;
    let word = u64::from_ne_bytes([a, b, c, d, a, b, c, d]);
    let (words, rest) = bytes.as_chunks_mut::<8>();
    for chunk in words {
        *chunk = (u64::from_ne_bytes(*chunk) ^ word).to_ne_bytes();
    }
    for (byte, key) in rest.iter_mut().zip(turned.into_iter().cycle()) {
        *byte ^= key;
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn each_byte_meets_its_byte_of_the_key_however_it_is_cut() {
        let key = [1, 20, 77, 255];
        let plain: Vec<u8> = (0..100).collect();
        let slow: Vec<u8> = plain
            .iter()
            .zip(key.iter().cycle())
            .map(|(byte, key)| byte ^ key)
            .collect();
        for cut in 0..=plain.len() {
            let mut bytes = plain.clone();
            let (start, end) = bytes.split_at_mut(cut);
            apply(start, key, 0);
            apply(end, key, cut as u64);
            assert_eq!(bytes, slow);
        }
    }
}
