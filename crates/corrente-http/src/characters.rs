//! Which bytes may stand where, and where the first one is that may not.
//!
//! One table of bits for single bytes; words of eight bytes for the long runs (targets and values). The word
//! tricks are those of Hacker's Delight, 6-1: the lowest byte that they mark is always right.

/// Letters of a token: methods and field names (RFC 9110, section 5.6.2).
const TOKEN: u8 = 1;
/// Bytes of a request target: what is visible in ASCII, less `#`, which begins a fragment.
const TARGET: u8 = 2;
/// Bytes of a field value: all but controls, with the tab (RFC 9110, section 5.5).
const VALUE: u8 = 4;
/// Bytes of a registered name in `Host` (RFC 3986, section 3.2.2), less the comma: two hosts that an
/// intermediary joined to a list look like that. The `%` is looked at by itself.
const HOST: u8 = 8;

static CLASSES: [u8; 256] = classes();

const fn classes() -> [u8; 256] {
    let mut table = [0; 256];
    let mut byte = 0;
    while byte < 256 {
        table[byte] = classes_of(byte as u8);
        byte += 1;
    }
    table
}

const fn classes_of(byte: u8) -> u8 {
    let alphanumeric = byte.is_ascii_alphanumeric();
    let mut found = 0;
    if alphanumeric
        || matches!(
            byte,
            b'!' | b'#'
                | b'$'
                | b'%'
                | b'&'
                | b'\''
                | b'*'
                | b'+'
                | b'-'
                | b'.'
                | b'^'
                | b'_'
                | b'`'
                | b'|'
                | b'~'
        )
    {
        found |= TOKEN;
    }
    if byte > b' ' && byte < 0x7f && byte != b'#' {
        found |= TARGET;
    }
    if byte == b'\t' || (byte >= b' ' && byte != 0x7f) {
        found |= VALUE;
    }
    if alphanumeric
        || matches!(
            byte,
            b'-' | b'.'
                | b'_'
                | b'~'
                | b'!'
                | b'$'
                | b'&'
                | b'\''
                | b'('
                | b')'
                | b'*'
                | b'+'
                | b';'
                | b'='
        )
    {
        found |= HOST;
    }
    found
}

pub(crate) fn is_token(byte: u8) -> bool {
    CLASSES[usize::from(byte)] & TOKEN != 0
}

pub(crate) fn is_value(byte: u8) -> bool {
    CLASSES[usize::from(byte)] & VALUE != 0
}

pub(crate) fn is_host(byte: u8) -> bool {
    CLASSES[usize::from(byte)] & HOST != 0
}

/// Optional white space (RFC 9110, section 5.6.3).
pub(crate) fn is_blank(byte: u8) -> bool {
    matches!(byte, b' ' | b'\t')
}

/// Whether all of it is one token.
pub(crate) fn is_all_token(bytes: &[u8]) -> bool {
    // Without a look at each result, which would cost more than to go on.
    let common = |classes: u8, byte: &u8| classes & CLASSES[usize::from(*byte)];
    !bytes.is_empty() && bytes.iter().fold(TOKEN, common) != 0
}

/// `bytes` without the blanks around it.
pub(crate) fn trim(mut bytes: &[u8]) -> &[u8] {
    while let [b' ' | b'\t', rest @ ..] = bytes {
        bytes = rest;
    }
    while let [rest @ .., b' ' | b'\t'] = bytes {
        bytes = rest;
    }
    bytes
}

/// Where the token that goes on at `from` ends.
pub(crate) fn token_end(bytes: &[u8], from: usize) -> usize {
    let rest = bytes.get(from..).unwrap_or_default();
    let length = rest.iter().position(|&byte| !is_token(byte));
    from + length.unwrap_or(rest.len())
}

const ONES: u64 = 0x0101_0101_0101_0101;
const HIGHS: u64 = 0x8080_8080_8080_8080;

/// Marks the bytes of `word` that are below `bound`, which is at most 0x80.
const fn below(word: u64, bound: u8) -> u64 {
    word.wrapping_sub(ONES * bound as u64) & !word & HIGHS
}

/// Marks the bytes of `word` that are `byte`.
const fn equal(word: u64, byte: u8) -> u64 {
    let difference = word ^ (ONES * byte as u64);
    difference.wrapping_sub(ONES) & !difference & HIGHS
}

/// Where the value that goes on at `from` ends: at the first control but the tab.
pub(crate) fn value_end(bytes: &[u8], from: usize) -> usize {
    run_end(bytes, from, VALUE, |word| {
        // Tabs are rare enough to be found here and seen to be none.
        below(word, b' ') | equal(word, 0x7f)
    })
}

/// Where the target that goes on at `from` ends: at the first byte that no target has.
pub(crate) fn target_end(bytes: &[u8], from: usize) -> usize {
    run_end(bytes, from, TARGET, |word| {
        below(word, b'!') | equal(word, 0x7f) | equal(word, b'#') | (word & HIGHS)
    })
}

/// Where the run of bytes of `class` ends. `marks` marks in a word at least the first that is none.
fn run_end(bytes: &[u8], from: usize, class: u8, marks: impl Fn(u64) -> u64) -> usize {
    let mut at = from;
    while let Some(chunk) = bytes.get(at..).and_then(<[u8]>::first_chunk::<8>) {
        let marked = marks(u64::from_le_bytes(*chunk));
        if marked == 0 {
            at += 8;
            continue;
        }
        at += marked.trailing_zeros() as usize / 8;
        if CLASSES[usize::from(bytes[at])] & class == 0 {
            return at;
        }
        at += 1;
    }
    let rest = bytes.get(at..).unwrap_or_default();
    let length = rest
        .iter()
        .position(|&byte| CLASSES[usize::from(byte)] & class == 0);
    at + length.unwrap_or(rest.len())
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Every byte at every place of a word, against the table.
    #[test]
    fn words_and_the_table_agree() {
        for byte in 0..=255 {
            for place in 0..20 {
                let mut bytes = [b'a'; 20];
                bytes[place] = byte;
                let expected = |class: u8| {
                    let ends = classes_of(byte) & class == 0;
                    if ends { place } else { bytes.len() }
                };
                assert_eq!(
                    value_end(&bytes, 0),
                    expected(VALUE),
                    "{byte:#x} at {place}"
                );
                assert_eq!(
                    target_end(&bytes, 0),
                    expected(TARGET),
                    "{byte:#x} at {place}"
                );
                assert_eq!(
                    token_end(&bytes, 0),
                    expected(TOKEN),
                    "{byte:#x} at {place}"
                );
            }
        }
    }

    #[test]
    fn blanks_are_trimmed_on_both_sides_only() {
        assert_eq!(trim(b" \ta b\t "), b"a b");
        assert_eq!(trim(b" \t "), b"");
    }
}
