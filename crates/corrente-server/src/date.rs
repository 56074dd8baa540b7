//! The date of responses, worked out once a second.
//!
//! The clock is read for each response; only the text is kept. It is the kernel's coarse one, which is some milliseconds late
//! and costs a fifth.

use corrente_http::{DATE_BYTES, http_date};
use rustix::time::{ClockId, clock_gettime};

/// The last date that was asked for.
#[derive(Debug)]
pub(crate) struct Date {
    second: u64,
    text: [u8; DATE_BYTES],
}

impl Default for Date {
    fn default() -> Self {
        Self {
            second: 0,
            text: http_date(0),
        }
    }
}

impl Date {
    /// The date now.
    pub(crate) fn now(&mut self) -> &[u8] {
        let now = clock_gettime(ClockId::RealtimeCoarse);
        let second = u64::try_from(now.tv_sec).unwrap_or_default();
        if second != self.second {
            self.second = second;
            self.text = http_date(second);
        }
        &self.text
    }
}
