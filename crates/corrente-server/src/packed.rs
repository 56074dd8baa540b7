//! The fields of a response, packed: one piece of memory for all of them.
//!
//! What an application gives are Python objects, which it may change; these are taken apart once, when it gives them, and
//! nothing of Python's has to be kept or looked at again. Knows nothing of what fields mean.

/// How long a name or a value is.
const LENGTH_BYTES: usize = size_of::<u32>();

/// What usual fields of a response need, in bytes.
const USUAL: usize = 256;

/// Names and values, each behind its length.
#[derive(Debug, Default, PartialEq, Eq)]
pub(crate) struct Packed(Vec<u8>);

impl Packed {
    /// For the fields of a usual response.
    pub(crate) fn new() -> Self {
        Self(Vec::with_capacity(USUAL))
    }

    /// Adds a name or a value; they come in turns. `None` where it is too long to have a length.
    pub(crate) fn push(&mut self, part: &[u8]) -> Option<()> {
        let length = u32::try_from(part.len()).ok()?;
        self.0.extend_from_slice(&length.to_ne_bytes());
        self.0.extend_from_slice(part);
        Some(())
    }

    /// The names with their values.
    pub(crate) fn iter(&self) -> Pairs<'_> {
        Pairs(Parts(&self.0))
    }
}

/// Names with their values.
#[derive(Debug)]
pub(crate) struct Pairs<'a>(Parts<'a>);

impl<'a> Iterator for Pairs<'a> {
    type Item = (&'a [u8], &'a [u8]);

    fn next(&mut self) -> Option<Self::Item> {
        Some((self.0.next()?, self.0.next()?))
    }
}

#[derive(Debug)]
struct Parts<'a>(&'a [u8]);

impl<'a> Iterator for Parts<'a> {
    type Item = &'a [u8];

    fn next(&mut self) -> Option<&'a [u8]> {
        let (length, rest) = self.0.split_first_chunk::<LENGTH_BYTES>()?;
        let length = usize::try_from(u32::from_ne_bytes(*length)).ok()?;
        let (part, rest) = rest.split_at_checked(length)?;
        self.0 = rest;
        Some(part)
    }
}
