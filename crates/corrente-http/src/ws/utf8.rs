//! UTF-8 that comes in pieces: what cannot become valid any more is found at once.
//!
//! Between pieces at most three bytes are kept, the beginning of a character. The standard library does
//! the checking.

/// A text that is being checked.
#[derive(Debug, Clone, Copy, Default)]
pub(super) struct Utf8 {
    /// The beginning of a character.
    begun: [u8; 4],
    length: usize,
}

/// The bytes are no UTF-8, whatever follows.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Invalid;

impl Utf8 {
    /// Takes the next piece.
    pub(super) fn take(&mut self, mut piece: &[u8]) -> Result<(), Invalid> {
        while self.length > 0 {
            let Some((&byte, rest)) = piece.split_first() else {
                return Ok(());
            };
            piece = rest;
            self.begun[self.length] = byte;
            self.length += 1;
            match str::from_utf8(&self.begun[..self.length]) {
                Ok(_) => self.length = 0,
                Err(error) if error.error_len().is_some() => return Err(Invalid),
                Err(_) => {}
            }
        }
        let Err(error) = str::from_utf8(piece) else {
            return Ok(());
        };
        if error.error_len().is_some() {
            return Err(Invalid);
        }
        let begun = &piece[error.valid_up_to()..];
        self.begun[..begun.len()].copy_from_slice(begun);
        self.length = begun.len();
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    proptest! {
        #[test]
        fn pieces_are_judged_as_the_whole(
            text in prop_oneof![
                "\\PC{0,20}".prop_map(String::into_bytes),
                prop::collection::vec(prop::sample::select(
                    &[0x41, 0xc3, 0xa9, 0xe2, 0x82, 0xac, 0xf0, 0x9f, 0x98, 0x80, 0xf4, 0x90, 0xed, 0xff][..]
                ), 0..8),
            ],
            size in 1..5_usize,
        ) {
            let mut checked = Utf8::default();
            let taken = text.chunks(size).try_for_each(|piece| checked.take(piece));
            let valid = taken.is_ok() && checked.length == 0;
            prop_assert_eq!(valid, str::from_utf8(&text).is_ok());
            // What is only cut short is not refused yet.
            let cut_short = str::from_utf8(&text).is_err_and(|error| error.error_len().is_none());
            prop_assert_eq!(taken.is_ok() && checked.length > 0, cut_short);
        }
    }
}
