//! Flow control: when a protocol has to stop writing, and when it may go on.
//!
//! The limits and their defaults are asyncio's (`_FlowControlMixin`): above `high` bytes the protocol is
//! paused, at `low` bytes or below it goes on. Plain data; it calls nobody.

use pyo3::exceptions::PyValueError;
use pyo3::prelude::*;

/// The upper water mark, in bytes.
const HIGH_DEFAULT: usize = 64 * 1024;
/// The lower one is this part of the upper one.
const LOW_ONE_IN: i64 = 4;

/// The state of a transport's writing side.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Flow {
    high: usize,
    low: usize,
    is_paused: bool,
}

/// What to tell the protocol.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Signal {
    Nothing,
    Pause,
    Resume,
}

impl Default for Flow {
    fn default() -> Self {
        Self {
            high: HIGH_DEFAULT,
            low: HIGH_DEFAULT / 4,
            is_paused: false,
        }
    }
}

impl Flow {
    /// The lower and the upper water mark, in bytes.
    pub(crate) fn limits(self) -> (usize, usize) {
        (self.low, self.high)
    }

    pub(crate) fn is_paused(self) -> bool {
        self.is_paused
    }

    /// Sets the limits; what is not given follows from the other, as in asyncio.
    ///
    /// # Errors
    ///
    /// `ValueError` in asyncio's words where they cross or are negative.
    pub(crate) fn set_limits(&mut self, high: Option<i64>, low: Option<i64>) -> PyResult<()> {
        let high = match (high, low) {
            (Some(high), _) => high,
            (None, Some(low)) => low.saturating_mul(LOW_ONE_IN),
            (None, None) => HIGH_DEFAULT.cast_signed() as i64,
        };
        let low = low.unwrap_or(high.div_euclid(LOW_ONE_IN));
        if !(high >= low && low >= 0) {
            return Err(PyValueError::new_err(format!(
                "high ({high}) must be >= low ({low}) must be >= 0"
            )));
        }
        self.high = high as usize;
        self.low = low as usize;
        Ok(())
    }

    /// More waits to be written, this much in all.
    pub(crate) fn grown(&mut self, bytes: usize) -> Signal {
        if bytes <= self.high || self.is_paused {
            return Signal::Nothing;
        }
        self.is_paused = true;
        Signal::Pause
    }

    /// Something was written; this much is left.
    pub(crate) fn shrunk(&mut self, bytes: usize) -> Signal {
        if !self.is_paused || bytes > self.low {
            return Signal::Nothing;
        }
        self.is_paused = false;
        Signal::Resume
    }
}
