//! Frames as they go by: whether one is in the middle, and how many of them move nothing.
//!
//! h2 answers each PING and SETTINGS and takes any number of frames that only cost (CVE-2019-9512, -9515, -9517 and
//! the like). The meter counts those against what is moved; a caller that begins a new count once a second has
//! a limit of a rate.

use super::PREFACE;

/// Bytes of a frame's header (RFC 9113, section 4.1).
const HEADER: usize = 9;

/// Frames that move nothing and may come between two counts, whatever else happens. A client that pings and changes
/// its settings for a reason sends a few.
const IDLE_MOST: u64 = 1000;

/// More of them for each request, answer, or piece of a body: windows are given back frame by frame.
const IDLE_EACH: u64 = 4;

const DATA: u8 = 0;
const HEADERS: u8 = 1;
const CONTINUATION: u8 = 9;
const END_HEADERS: u8 = 4;

/// What has been seen of the client's frames.
#[derive(Debug)]
pub(super) struct Meter {
    /// Bytes of the preface or of a payload that are still to come.
    skip: usize,
    header: [u8; HEADER],
    /// How much of `header` is there.
    filled: usize,
    within_head: bool,
    idle: u64,
    useful: u64,
}

impl Default for Meter {
    fn default() -> Self {
        Self {
            skip: PREFACE.len(),
            header: [0; HEADER],
            filled: 0,
            within_head: true,
            idle: 0,
            useful: 0,
        }
    }
}

impl Meter {
    /// Takes note of what has come.
    pub(super) fn pass(&mut self, mut input: &[u8]) {
        while !input.is_empty() {
            let skipped = self.skip.min(input.len());
            self.skip -= skipped;
            input = &input[skipped..];
            let length = input.len().min(HEADER - self.filled);
            self.header[self.filled..self.filled + length].copy_from_slice(&input[..length]);
            self.filled += length;
            input = &input[length..];
            if self.filled == HEADER {
                self.filled = 0;
                self.frame();
            }
        }
    }

    fn frame(&mut self) {
        let [high, middle, low, kind, flags, ..] = self.header;
        self.skip = usize::from(high) << 16 | usize::from(middle) << 8 | usize::from(low);
        self.within_head = match kind {
            HEADERS | CONTINUATION => flags & END_HEADERS == 0,
            // The first one is SETTINGS, and ends the beginning.
            _ => false,
        };
        match kind {
            HEADERS => self.useful += 1,
            DATA if self.skip > 0 => self.useful += 1,
            _ => self.idle += 1,
        }
    }

    /// Something was sent that moves something.
    pub(super) fn sent(&mut self) {
        self.useful += 1;
    }

    /// So many frames of data were sent: a client may give the window back for each of them.
    pub(super) fn moved(&mut self, frames: u64) {
        self.useful += frames;
    }

    /// Whether the client owes us the rest of a head, or of the beginning.
    pub(super) fn is_within_head(&self) -> bool {
        self.within_head
    }

    /// Whether a frame is in the middle.
    pub(super) fn is_within_frame(&self) -> bool {
        self.skip > 0 || self.filled > 0
    }

    pub(super) fn is_flooded(&self) -> bool {
        self.idle > IDLE_MOST + self.useful * IDLE_EACH
    }

    /// Begins a new count.
    pub(super) fn restart(&mut self) {
        self.idle = 0;
        self.useful = 0;
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn frame(kind: u8, flags: u8, payload: &[u8]) -> Vec<u8> {
        let length = payload.len() as u8;
        [&[0, 0, length, kind, flags, 0, 0, 0, 1], payload].concat()
    }

    #[test]
    fn heads_and_frames_are_known_to_be_whole() {
        let mut meter = Meter::default();
        meter.pass(&PREFACE[..5]);
        assert!(meter.is_within_head());
        meter.pass(&PREFACE[5..]);
        assert!(meter.is_within_head(), "settings belong to the beginning");
        meter.pass(&frame(4, 0, b""));
        assert!(!meter.is_within_head() && !meter.is_within_frame());
        for byte in frame(HEADERS, 0, b"abc") {
            meter.pass(&[byte]);
        }
        assert!(meter.is_within_head() && !meter.is_within_frame());
        meter.pass(&frame(CONTINUATION, END_HEADERS, b"")[..4]);
        assert!(meter.is_within_head() && meter.is_within_frame());
        meter.pass(&frame(CONTINUATION, END_HEADERS, b"")[4..]);
        assert!(!meter.is_within_head() && !meter.is_within_frame());
    }

    #[test]
    fn a_flood_is_what_moves_nothing() {
        let mut meter = Meter::default();
        meter.pass(PREFACE);
        let ping = frame(6, 0, &[0; 8]);
        for _ in 0..IDLE_MOST {
            meter.pass(&ping);
        }
        assert!(!meter.is_flooded());
        meter.pass(&frame(DATA, 0, b""));
        assert!(meter.is_flooded());
        meter.pass(&frame(DATA, 0, b"x"));
        assert!(!meter.is_flooded());
        meter.restart();
        meter.pass(&ping);
        assert!(!meter.is_flooded());
    }
}
