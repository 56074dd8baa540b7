//! Looks for a piece of text in a body that streams by.
//!
//! It must not hold the body: only as many bytes as the text is long are kept between pieces.
//! Key invariant: the answer does not depend on how the body was split.

/// What is known of a body so far.
#[derive(Debug, Clone)]
pub(crate) enum ContentCheck {
    /// Nothing is asked of the body; costs nothing.
    Off,
    /// The needle has not been seen; `tail` holds the end of what went by.
    Looking {
        needle: Vec<u8>,
        tail: Vec<u8>,
        is_found: bool,
    },
}

impl ContentCheck {
    pub(crate) fn looking_for(needle: Vec<u8>) -> Self {
        Self::Looking {
            needle,
            tail: Vec::new(),
            is_found: false,
        }
    }

    /// Forgets the previous body.
    pub(crate) fn restart(&mut self) {
        if let Self::Looking { tail, is_found, .. } = self {
            tail.clear();
            *is_found = false;
        }
    }

    /// Takes a piece of the body.
    pub(crate) fn take(&mut self, piece: &[u8]) {
        let Self::Looking {
            needle,
            tail,
            is_found,
        } = self
        else {
            return;
        };
        if *is_found {
            return;
        }
        // A match across the border lies within the tail and as many bytes of the piece.
        let overlap = piece.len().min(needle.len() - 1);
        tail.extend_from_slice(&piece[..overlap]);
        *is_found = contains(tail, needle) || contains(piece, needle);
        if overlap < piece.len() {
            tail.clear();
            tail.extend_from_slice(&piece[piece.len() - overlap..]);
        }
        tail.drain(..tail.len().saturating_sub(needle.len() - 1));
    }

    pub(crate) fn is_satisfied(&self) -> bool {
        match self {
            Self::Off => true,
            Self::Looking { is_found, .. } => *is_found,
        }
    }
}

/// Skips to the first byte of the needle, which the compiler turns into vector instructions.
fn contains(mut haystack: &[u8], needle: &[u8]) -> bool {
    let Some(first) = needle.first() else {
        return true;
    };
    while haystack.len() >= needle.len() {
        let Some(skip) = haystack.iter().position(|byte| byte == first) else {
            return false;
        };
        if haystack[skip..].starts_with(needle) {
            return true;
        }
        haystack = &haystack[skip + 1..];
    }
    false
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    proptest! {
        #[test]
        fn any_split_gives_the_same_answer(
            body in "[ab]{0,40}",
            needle in "[ab]{1,6}",
            cuts in prop::collection::vec(0..41_usize, 0..6),
        ) {
            let mut content = ContentCheck::looking_for(needle.clone().into_bytes());
            let mut cuts: Vec<usize> = cuts.into_iter().map(|cut| cut.min(body.len())).collect();
            cuts.sort_unstable();
            cuts.push(body.len());
            let mut start = 0;
            for end in cuts {
                content.take(&body.as_bytes()[start..end]);
                start = end;
            }
            prop_assert_eq!(content.is_satisfied(), body.contains(&needle));
        }
    }

    #[test]
    fn a_restart_forgets() {
        let mut content = ContentCheck::looking_for(b"ab".to_vec());
        content.take(b"ab");
        content.restart();
        content.take(b"b");
        assert!(!content.is_satisfied());
    }
}
