//! When a request began, as lines show it: worked out once for all requests of a second.
//!
//! To find the zone's offset and to spell a date costs more than all else of a line. Requests end in another order than
//! they began, so that some seconds are remembered, not one. Must not read a clock.

use std::time::SystemTime;

use jiff::Timestamp;
#[cfg(test)]
use jiff::Zoned;
use jiff::tz::TimeZone;

/// Seconds that are remembered: most requests take less.
const REMEMBERED: usize = 16;

/// A second, spelled.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
struct Second {
    /// Since the epoch.
    number: i64,
    common: String,
    date_and_time: String,
    offset: String,
}

impl Second {
    fn of(number: i64, zone: TimeZone) -> Self {
        let time = Timestamp::from_second(number).unwrap_or(Timestamp::UNIX_EPOCH);
        let time = time.to_zoned(zone);
        let shown = |format: &str| time.strftime(format).to_string();
        Self {
            number,
            common: shown("[%d/%b/%Y:%H:%M:%S %z]"),
            date_and_time: shown("%Y-%m-%dT%H:%M:%S"),
            offset: shown("%:z"),
        }
    }
}

/// A moment, in the zone that people read.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Moment<'a> {
    second: &'a Second,
    millisecond: u16,
}

impl Moment<'_> {
    /// As Apache has it: `[22/Nov/2026:02:30:57 +0100]`.
    pub(super) fn common(&self) -> &str {
        &self.second.common
    }

    /// As RFC 3339 has it: `2026-11-22T02:30:57.250+01:00`.
    pub(super) fn internet(&self) -> String {
        let Second {
            date_and_time,
            offset,
            ..
        } = self.second;
        let millisecond = self.millisecond;
        format!("{date_and_time}.{millisecond:03}{offset}")
    }
}

/// The seconds that lines have shown last.
#[derive(Debug, Default)]
pub struct Seconds([Option<Box<Second>>; REMEMBERED]);

impl Seconds {
    /// A time in the zone of the machine.
    pub fn moment(&mut self, time: SystemTime) -> Moment<'_> {
        let time = Timestamp::try_from(time).unwrap_or(Timestamp::UNIX_EPOCH);
        self.moment_in(time, TimeZone::system)
    }

    /// A time in its own zone.
    #[cfg(test)]
    pub(super) fn moment_of(&mut self, time: &Zoned) -> Moment<'_> {
        self.moment_in(time.timestamp(), || time.time_zone().clone())
    }

    fn moment_in(&mut self, time: Timestamp, zone: impl FnOnce() -> TimeZone) -> Moment<'_> {
        let millisecond = time.as_millisecond();
        let number = millisecond.div_euclid(1000);
        let place = usize::try_from(number).unwrap_or_default() % REMEMBERED;
        let known = self.0[place].take();
        let known = known.filter(|second| second.number == number);
        let known = known.unwrap_or_else(|| Box::new(Second::of(number, zone())));
        Moment {
            second: self.0[place].insert(known),
            millisecond: millisecond.rem_euclid(1000) as u16,
        }
    }
}

#[cfg(test)]
mod tests {
    use std::time::{Duration, UNIX_EPOCH};

    use super::*;

    #[test]
    fn a_second_is_spelled_anew_when_another_takes_its_place() {
        let mut seconds = Seconds::default();
        for number in [0, 1, 16, 0, 17] {
            let time = UNIX_EPOCH + Duration::from_millis(number * 1000 + 7);
            let shown = Timestamp::try_from(time).expect("a time");
            let shown = shown.to_zoned(TimeZone::system());
            let moment = seconds.moment(time);
            let expected = shown.strftime("%Y-%m-%dT%H:%M:%S%.3f%:z").to_string();
            assert_eq!(moment.internet(), expected);
            let expected = shown.strftime("[%d/%b/%Y:%H:%M:%S %z]").to_string();
            assert_eq!(moment.common(), expected);
        }
    }
}
