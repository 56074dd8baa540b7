//! Dates as HTTP writes them: `Sun, 06 Nov 1994 08:49:37 GMT` (RFC 9110, section 5.6.7).
//!
//! Pure functions of seconds: whoever has a clock calls them, once a second. The calendar is Howard
//! Hinnant's `civil_from_days` and its opposite.

/// Bytes of a date.
pub const DATE_BYTES: usize = 29;

const DAYS: &[u8; 21] = b"ThuFriSatSunMonTueWed";
const MONTHS: &[u8; 36] = b"JanFebMarAprMayJunJulAugSepOctNovDec";

/// The date `seconds` after the beginning of 1970. Years beyond 9999 are cut to their last four digits.
pub fn http_date(seconds: u64) -> [u8; DATE_BYTES] {
    let (days, second) = (seconds / 86_400, seconds % 86_400);
    let (year, month, day) = civil(days);
    let mut date = *b"Thu, 01 Jan 1970 00:00:00 GMT";
    let weekday = (days % 7) as usize * 3;
    date[..3].copy_from_slice(&DAYS[weekday..weekday + 3]);
    date[8..11].copy_from_slice(&MONTHS[(month - 1) * 3..month * 3]);
    let mut two = |at: usize, number: u64| {
        date[at] = b'0' + (number / 10 % 10) as u8;
        date[at + 1] = b'0' + (number % 10) as u8;
    };
    two(5, day);
    two(12, year / 100);
    two(14, year);
    two(17, second / 3600);
    two(20, second / 60 % 60);
    two(23, second % 60);
    date
}

/// Year, month from 1, day from 1, of a day since the beginning of 1970.
fn civil(days: u64) -> (u64, usize, u64) {
    // Years begin in March here, so that the leap day is the last one.
    let shifted = days + 719_468;
    let (era, day_of_era) = (shifted / 146_097, shifted % 146_097);
    let year_of_era =
        (day_of_era - day_of_era / 1460 + day_of_era / 36_524 - day_of_era / 146_096) / 365;
    let day_of_year = day_of_era - (365 * year_of_era + year_of_era / 4 - year_of_era / 100);
    let month_from_march = (5 * day_of_year + 2) / 153;
    let day = day_of_year - (153 * month_from_march + 2) / 5 + 1;
    let (month, carried) = match month_from_march {
        0..10 => (month_from_march + 3, 0),
        _ => (month_from_march - 9, 1),
    };
    (year_of_era + era * 400 + carried, month as usize, day)
}

/// The seconds of a date, in any of the three ways that a recipient has to know (RFC 9110, section 5.6.7); `None` for
/// what is none, and for dates before 1970.
pub(crate) fn seconds_of(date: &[u8]) -> Option<u64> {
    let text = str::from_utf8(date).ok()?.trim_matches([' ', '\t']);
    let (weekday, rest) = text.split_at_checked(text.find([',', ' '])?)?;
    let parts: Vec<&str> = match rest.strip_prefix(',') {
        Some(rest) => rest
            .split([' ', '-'])
            .filter(|part| !part.is_empty())
            .collect(),
        None => rest.split(' ').filter(|part| !part.is_empty()).collect(),
    };
    let is_short = weekday.len() == 3;
    let (day, month, year, clock) = match *parts.as_slice() {
        // Sun, 06 Nov 1994 08:49:37 GMT
        [day, month, year, clock, "GMT"] if is_short && year.len() == 4 => {
            (day, month, year, clock)
        }
        // Sunday, 06-Nov-94 08:49:37 GMT
        [day, month, year, clock, "GMT"] if !is_short && year.len() == 2 => {
            (day, month, year, clock)
        }
        // Sun Nov  6 08:49:37 1994
        [month, day, clock, year] if is_short && year.len() == 4 => (day, month, year, clock),
        _ => return None,
    };
    let month = MONTHS.chunks(3).position(|name| name == month.as_bytes())? + 1;
    let year = match number(year)? {
        // What seems to be far ahead is long past: nobody has served files for so long.
        year @ 0..70 if !is_short => year + 2000,
        year if !is_short => year + 1900,
        year => year,
    };
    let second = second_of_day(clock)?;
    Some(days_of(year, month, number(day)?)? * 86_400 + second)
}

fn second_of_day(clock: &str) -> Option<u64> {
    let mut parts = clock
        .split(':')
        .map(|part| number(part).filter(|_| part.len() == 2));
    let (hour, minute, second) = (parts.next()??, parts.next()??, parts.next()??);
    // A minute may have a leap second.
    let is_time = hour < 24 && minute < 60 && second <= 60 && parts.next().is_none();
    is_time.then_some(hour * 3600 + minute * 60 + second)
}

fn number(digits: &str) -> Option<u64> {
    let is_number = digits.bytes().all(|byte| byte.is_ascii_digit());
    digits.parse().ok().filter(|_| is_number)
}

/// Days since the beginning of 1970; `None` where there is no such day.
fn days_of(year: u64, month: usize, day: u64) -> Option<u64> {
    let month_from_march = (month as u64 + 9) % 12;
    let shifted = year.checked_sub(u64::from(month <= 2))?;
    let (era, year_of_era) = (shifted / 400, shifted % 400);
    let day_of_year = (153 * month_from_march + 2) / 5 + day.checked_sub(1)?;
    let day_of_era = year_of_era * 365 + year_of_era / 4 - year_of_era / 100 + day_of_year;
    let days = (era * 146_097 + day_of_era).checked_sub(719_468)?;
    (civil(days) == (year, month, day)).then_some(days)
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    #[test]
    fn dates_are_written_as_the_standard_has_them() {
        for (seconds, expected) in [
            (0, "Thu, 01 Jan 1970 00:00:00 GMT"),
            (784_111_777, "Sun, 06 Nov 1994 08:49:37 GMT"),
            (951_782_399, "Mon, 28 Feb 2000 23:59:59 GMT"),
            (951_782_400, "Tue, 29 Feb 2000 00:00:00 GMT"),
            (4_107_542_400, "Mon, 01 Mar 2100 00:00:00 GMT"),
            (1_798_761_599, "Thu, 31 Dec 2026 23:59:59 GMT"),
        ] {
            assert_eq!(http_date(seconds), expected.as_bytes(), "{seconds}");
        }
    }

    #[test]
    fn dates_are_read_in_three_ways() {
        for text in [
            "Sun, 06 Nov 1994 08:49:37 GMT",
            "Sunday, 06-Nov-94 08:49:37 GMT",
            "Sun Nov  6 08:49:37 1994",
        ] {
            assert_eq!(seconds_of(text.as_bytes()), Some(784_111_777), "{text}");
        }
        let leap = seconds_of(b"Thursday, 29-Feb-24 23:59:60 GMT");
        assert_eq!(leap, Some(1_709_251_200));
        for text in [
            "",
            "0",
            "now",
            "Sun, 06 Nov 1994 08:49:37",
            "Sun, 06 Nov 1994 08:49:37 CET",
            "Sun, 06 Nov 94 08:49:37 GMT",
            "Sun, 31 Nov 1994 08:49:37 GMT",
            "Sun, 29 Feb 2023 08:49:37 GMT",
            "Sun, 06 Nov 1994 24:00:00 GMT",
            "Sun, 06 Nov 1994 8:49:37 GMT",
            "Sun, 06 nov 1994 08:49:37 GMT",
            "Sun, +6 Nov 1994 08:49:37 GMT",
            "Mon, 06 Nov 1944 08:49:37 GMT",
            "\"784111777\"",
        ] {
            assert_eq!(seconds_of(text.as_bytes()), None, "{text}");
        }
    }

    proptest! {
        #[test]
        fn what_is_written_is_read(seconds in 0_u64..253_402_300_800) {
            prop_assert_eq!(seconds_of(&http_date(seconds)), Some(seconds));
        }

        #[test]
        fn nothing_that_is_read_panics(text in ".{0,40}|[SunMo ,]{3,5}[0-9 :NovGMT-]{0,40}") {
            let _date = seconds_of(text.as_bytes());
        }
    }
}
