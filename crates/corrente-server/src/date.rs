//! The date of responses, worked out once a second.
//!
//! The clock is read for each response; only the text is kept.

use std::time::{Duration, SystemTime, UNIX_EPOCH};

use corrente_http::{DATE_BYTES, http_date};

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
        let now = SystemTime::now().duration_since(UNIX_EPOCH);
        let second = now.unwrap_or(Duration::ZERO).as_secs();
        if second != self.second {
            self.second = second;
            self.text = http_date(second);
        }
        &self.text
    }
}
