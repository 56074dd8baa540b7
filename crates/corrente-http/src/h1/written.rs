//! Heads of responses that were written, for responses that are alike.
//!
//! Most answers of a service have the head of an earlier one within the same second. It is kept with all that it was
//! made of but the application's fields, which the caller compares. Must not know where heads are kept. Key invariant:
//! what is written again is what [`Encoder::head`] would have written.

use super::encoder::{Asked, Encoder, Framing, Length, ResponseError, ResponseHead};

/// A head as it was written.
#[derive(Debug, Clone)]
pub struct Written {
    /// What it was made of.
    asked: Asked,
    was_to_close: bool,
    status: u16,
    length: Length,
    date: Vec<u8>,
    server: Vec<u8>,
    /// What came of it.
    bytes: Vec<u8>,
    framing: Framing,
    closes: bool,
}

impl Encoder {
    /// Does what [`Encoder::head`] does, and gives what was written.
    pub fn head_kept<'h>(
        &mut self,
        head: ResponseHead<'_>,
        fields: impl IntoIterator<Item = (&'h [u8], &'h [u8])>,
        out: &mut Vec<u8>,
    ) -> Result<Written, ResponseError> {
        let (begin, was_to_close) = (out.len(), self.closes);
        self.head(head, fields, out)?;
        Ok(Written {
            asked: self.asked,
            was_to_close,
            status: head.status,
            length: head.length,
            date: head.date.to_vec(),
            server: head.server.to_vec(),
            bytes: out.get(begin..).unwrap_or_default().to_vec(),
            framing: self.framing.ok_or(ResponseError::Order)?,
            closes: self.closes,
        })
    }

    /// Writes a head once more and says so; nothing where it would be another one. The application's fields have to be
    /// those that it was written with.
    pub fn head_again(
        &mut self,
        head: &ResponseHead<'_>,
        written: &Written,
        out: &mut Vec<u8>,
    ) -> bool {
        let is_same = self.framing.is_none()
            && self.closes == written.was_to_close
            && self.asked == written.asked
            && head.status == written.status
            && head.length == written.length
            && head.date == written.date
            && head.server == written.server;
        if is_same {
            out.extend_from_slice(&written.bytes);
            self.framing = Some(written.framing);
            self.closes = written.closes;
        }
        is_same
    }
}
