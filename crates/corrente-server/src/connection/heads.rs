//! Heads of responses that are alike: encoded once and written again.
//!
//! An application's fields are mostly those of an answer that it gave a moment ago. A small table has the last answers'; the
//! second one that is the same has its head kept as bytes. What may be secret is not kept, nor what is long. Must not know
//! what fields mean. Key invariant: what is written again was made of the same fields.

use corrente_http::h1::{Encoder, Length, ResponseHead, Written};
use pyo3::prelude::*;

use super::output::{Encoded, Fields};
use crate::secret::is_secret;

/// Heads that are kept at most.
const KEPT: usize = 16;

/// Fields of more bytes are not kept.
const LONGEST_KEPT: usize = 1024;

/// The table: a head's place is told by its status and by how long its fields and its body are, and the last one has it.
#[derive(Debug, Default)]
pub(crate) struct Heads([Option<Kept>; KEPT]);

#[derive(Debug)]
struct Kept {
    status: u16,
    length: Length,
    fields: Fields,
    /// Once it was asked for twice.
    written: Option<Written>,
}

/// Where a head is written to.
pub(super) struct Opening<'a> {
    pub(super) encoder: &'a mut Encoder,
    pub(super) head: ResponseHead<'a>,
    pub(super) out: &'a mut Vec<u8>,
}

impl Heads {
    /// Writes a head with these fields.
    pub(super) fn write(
        &mut self,
        py: Python<'_>,
        fields: Fields,
        opening: Opening<'_>,
    ) -> Encoded<()> {
        let Opening { encoder, head, out } = opening;
        let (place, bytes) = place(py, &head, &fields);
        let known = self.0[place].as_mut();
        if let Some(known) = known.filter(|known| known.is(py, &head, &fields)) {
            let again = |written: &Written| encoder.head_again(&head, written, out);
            if !known.written.as_ref().is_some_and(again) {
                known.written = Some(encoder.head_kept(head, fields.iter(py), out)?);
            }
            return Ok(());
        }
        encoder.head(head, fields.iter(py), out)?;
        if bytes <= LONGEST_KEPT && !has_secret(py, &fields) {
            self.0[place] = Some(Kept {
                status: head.status,
                length: head.length,
                fields,
                written: None,
            });
        }
        Ok(())
    }
}

impl Kept {
    #[inline]
    fn is(&self, py: Python<'_>, head: &ResponseHead<'_>, fields: &Fields) -> bool {
        self.status == head.status && self.length == head.length && self.fields.is_same(py, fields)
    }
}

/// A place in the table, and how many bytes the fields have.
#[inline]
fn place(py: Python<'_>, head: &ResponseHead<'_>, fields: &Fields) -> (usize, usize) {
    let body = match head.length {
        Length::Known(length) => length as usize,
        Length::Unknown => usize::MAX,
    };
    let mut sum = body.wrapping_add(usize::from(head.status));
    let mut bytes = 0;
    for (name, value) in fields.iter(py) {
        bytes += name.len() + value.len();
        sum = sum.wrapping_mul(31).wrapping_add(bytes);
    }
    (sum % KEPT, bytes)
}

fn has_secret(py: Python<'_>, fields: &Fields) -> bool {
    let mut fields = fields.iter(py);
    fields.any(|(name, _)| is_secret(name))
}
