//! What a stream has still to write: a queue of buffers, of which the kernel takes what it likes.
//!
//! Buffers are kept as they were given and never joined; several go to the kernel in one call. Plain
//! data: it writes nothing itself. Key invariant: `len` is the sum of what is left of the buffers, and
//! no buffer in the queue is empty.

use std::collections::VecDeque;
use std::io::IoSlice;

/// Buffers that one call takes; the kernel's own limit (`UIO_MAXIOV`) is 1024.
pub const SLICES: usize = 64;

/// Buffers to be written, oldest first.
#[derive(Debug)]
pub struct Outgoing<B> {
    /// The oldest one. Mostly it is the only one, for which no list is allocated.
    first: Option<B>,
    others: VecDeque<B>,
    /// Bytes of the first one that are written.
    written: usize,
    /// Bytes that are left.
    length: usize,
}

impl<B> Default for Outgoing<B> {
    fn default() -> Self {
        Self {
            first: None,
            others: VecDeque::new(),
            written: 0,
            length: 0,
        }
    }
}

impl<B: AsRef<[u8]>> Outgoing<B> {
    /// Bytes that are left to write.
    pub fn len(&self) -> usize {
        self.length
    }

    /// Whether all is written.
    pub fn is_empty(&self) -> bool {
        self.length == 0
    }

    /// Adds a buffer, of which the first `written` bytes are written already.
    pub fn push(&mut self, buffer: B, written: usize) {
        let left = buffer.as_ref().len().saturating_sub(written);
        if left == 0 {
            return;
        }
        self.length += left;
        if self.first.is_some() {
            debug_assert!(written == 0, "only the first is begun");
            self.others.push_back(buffer);
        } else {
            self.written = written;
            self.first = Some(buffer);
        }
    }

    /// What is left of the oldest buffer.
    pub fn first(&self) -> Option<&[u8]> {
        let first = self.first.as_ref()?;
        Some(&first.as_ref()[self.written..])
    }

    /// What is left of the only buffer, if there is no other: most calls to the kernel take one.
    pub fn only(&self) -> Option<&[u8]> {
        self.first().filter(|_| self.others.is_empty())
    }

    fn buffers(&self) -> impl Iterator<Item = &B> {
        self.first.iter().chain(&self.others)
    }

    /// Copies what is left of the oldest buffers, as much as fits; says how much that is.
    pub fn copy_to(&self, room: &mut [u8]) -> usize {
        let (mut skipped, mut filled) = (self.written, 0);
        for buffer in self.buffers() {
            let left = &buffer.as_ref()[skipped..];
            skipped = 0;
            let length = left.len().min(room.len() - filled);
            room[filled..filled + length].copy_from_slice(&left[..length]);
            filled += length;
            if filled == room.len() {
                break;
            }
        }
        filled
    }

    /// Puts what `earlier` has in front.
    pub fn prepend(&mut self, mut earlier: Self) {
        debug_assert!(self.written == 0, "nothing of it was written");
        let later = std::mem::take(self);
        for buffer in later.first.into_iter().chain(later.others) {
            earlier.push(buffer, 0);
        }
        *self = earlier;
    }

    /// What the next call to the kernel takes.
    pub fn slices(&self) -> Vec<IoSlice<'_>> {
        let mut skipped = self.written;
        let buffers = self.buffers().take(SLICES);
        let slices = buffers.map(|buffer| {
            let slice = &buffer.as_ref()[skipped..];
            skipped = 0;
            IoSlice::new(slice)
        });
        slices.collect()
    }

    /// The kernel has taken this many bytes; the buffers that are done are given back. One of them needs no list.
    pub fn advance(&mut self, mut bytes: usize) -> (Option<B>, Vec<B>) {
        let (mut first_done, mut others) = (None, Vec::new());
        self.length = self.length.saturating_sub(bytes);
        while let Some(first) = &self.first {
            let left = first.as_ref().len() - self.written;
            if bytes < left {
                self.written += bytes;
                break;
            }
            bytes -= left;
            self.written = 0;
            let done = std::mem::replace(&mut self.first, self.others.pop_front());
            if first_done.is_none() {
                first_done = done;
            } else {
                others.extend(done);
            }
        }
        (first_done, others)
    }

    /// Gives up what is left.
    pub fn clear(&mut self) -> Vec<B> {
        let all = std::mem::take(self);
        all.first.into_iter().chain(all.others).collect()
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    #[test]
    fn many_buffers_go_in_several_calls() {
        let mut outgoing = Outgoing::default();
        for _ in 0..SLICES + 3 {
            outgoing.push(b"ab".to_vec(), 0);
        }
        assert_eq!(outgoing.slices().len(), SLICES);
        outgoing.advance(2 * SLICES);
        assert_eq!(outgoing.slices().len(), 3);
    }

    #[test]
    fn a_buffer_that_was_begun_goes_on_where_it_stood() {
        let mut outgoing = Outgoing::default();
        outgoing.push(b"abcdef".to_vec(), 4);
        assert_eq!((outgoing.len(), &*outgoing.slices()[0]), (2, &b"ef"[..]));
        outgoing.push(Vec::new(), 0);
        assert_eq!(outgoing.advance(2), (Some(b"abcdef".to_vec()), Vec::new()));
        assert!(outgoing.is_empty());
    }

    #[test]
    fn buffers_are_copied_as_far_as_there_is_room() {
        let mut outgoing = Outgoing::default();
        outgoing.push(b"abcd".to_vec(), 1);
        outgoing.push(b"ef".to_vec(), 0);
        outgoing.push(b"gh".to_vec(), 0);
        let mut room = [0; 6];
        assert_eq!(outgoing.copy_to(&mut room), 6);
        assert_eq!(&room, b"bcdefg");
        assert_eq!(outgoing.first(), Some(&b"bcd"[..]));
        let mut later = Outgoing::default();
        later.push(b"i".to_vec(), 0);
        later.prepend(outgoing);
        let mut room = [0; 9];
        assert_eq!((later.len(), later.copy_to(&mut room)), (8, 8));
        assert_eq!(&room[..8], b"bcdefghi");
    }

    proptest! {
        #[test]
        fn every_byte_goes_once_and_in_order(
            buffers in prop::collection::vec(prop::collection::vec(any::<u8>(), 0..9), 0..40),
            takes in prop::collection::vec(1_usize..20, 1..200),
        ) {
            let mut outgoing = Outgoing::default();
            for buffer in &buffers {
                outgoing.push(buffer.clone(), 0);
            }
            let mut seen = Vec::new();
            for take in takes.into_iter().cycle() {
                if outgoing.is_empty() {
                    break;
                }
                let offered: Vec<u8> = outgoing.slices().iter().flat_map(|slice| slice.to_vec()).collect();
                let is_one = outgoing.slices().len() == 1;
                prop_assert_eq!(outgoing.only(), is_one.then_some(&*offered));
                let taken = take.min(offered.len());
                seen.extend_from_slice(&offered[..taken]);
                outgoing.advance(taken);
                prop_assert_eq!(outgoing.len(), buffers.concat().len() - seen.len());
            }
            prop_assert_eq!(seen, buffers.concat());
        }
    }
}
