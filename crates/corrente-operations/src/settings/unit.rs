//! Durations and sizes with their units, read and written.
//!
//! What is written can be read again and means the same. A number without a unit is seconds or bytes,
//! as Gunicorn and Uvicorn have them, so that values can be carried over.

use std::time::Duration;

use super::kind::Complaint;

/// Longest first where one is the end of another.
const TIMES: [(&str, f64); 5] = [
    ("ms", 0.001),
    ("s", 1.0),
    ("m", 60.0),
    ("h", 3600.0),
    ("d", 86_400.0),
];

/// Beyond this a timeout is a mistake: ten years.
const LONGEST_S: f64 = 10.0 * 365.0 * 86_400.0;

const SIZES: [(&str, u64); 7] = [
    ("KiB", 1 << 10),
    ("MiB", 1 << 20),
    ("GiB", 1 << 30),
    ("KB", 1_000),
    ("MB", 1_000_000),
    ("GB", 1_000_000_000),
    ("B", 1),
];

/// `30s`, `1.5s`, `500ms`, `5m`, `2h`, `1d`, `30`.
pub(super) fn duration(word: &str) -> Result<Duration, Complaint> {
    let complaint = || Complaint::new("a duration such as `30s`, `500ms` or `5m`", word);
    let unit = TIMES.iter().find(|(unit, _)| word.ends_with(unit));
    let (digits, factor) = unit.map_or((word, 1.0), |(unit, factor)| {
        (word.trim_end_matches(unit).trim_end(), *factor)
    });
    let is_plain = digits.bytes().all(|b| b.is_ascii_digit() || b == b'.');
    let number: f64 = digits.parse().map_err(|_| complaint())?;
    let seconds = number * factor;
    if !is_plain || seconds > LONGEST_S {
        return Err(complaint());
    }
    // To the microsecond: 0.3 seconds are not 299.999999 ms.
    Ok(Duration::from_micros((seconds * 1e6).round() as u64))
}

/// `64KiB`, `10MB`, `65536`.
pub(super) fn size(word: &str) -> Result<u64, Complaint> {
    let complaint = || Complaint::new("a size in bytes such as `65536`, `64KiB` or `10MB`", word);
    let unit = SIZES.iter().find(|(unit, _)| word.ends_with(unit));
    let (digits, factor) = unit.map_or((word, 1), |(unit, factor)| {
        (word.trim_end_matches(unit).trim_end(), *factor)
    });
    let is_plain = !digits.is_empty() && digits.bytes().all(|b| b.is_ascii_digit());
    let number = digits.parse::<u64>().ok().filter(|_| is_plain);
    number
        .and_then(|number| number.checked_mul(factor))
        .ok_or_else(complaint)
}

/// The shortest text without loss.
pub(super) fn write_duration(duration: Duration) -> String {
    let milliseconds = duration.as_micros() as f64 / 1000.0;
    let whole =
        |unit: u128| duration.as_micros() >= unit && duration.as_micros().is_multiple_of(unit);
    let count = |unit: u128| duration.as_micros() / unit;
    match () {
        () if duration.is_zero() => "0s".to_owned(),
        () if whole(86_400_000_000) => format!("{}d", count(86_400_000_000)),
        () if whole(3_600_000_000) => format!("{}h", count(3_600_000_000)),
        () if whole(60_000_000) => format!("{}m", count(60_000_000)),
        () if whole(1_000_000) => format!("{}s", count(1_000_000)),
        () => format!("{milliseconds}ms"),
    }
}

/// The shortest text without loss, in binary units.
pub(super) fn write_size(bytes: u64) -> String {
    let unit = [("GiB", 1 << 30), ("MiB", 1 << 20), ("KiB", 1 << 10)]
        .into_iter()
        .find(|(_, factor)| bytes >= *factor && bytes.is_multiple_of(*factor));
    match unit {
        Some((unit, factor)) => format!("{}{unit}", bytes / factor),
        None => bytes.to_string(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    fn check_duration(word: &str, expected_us: Option<u64>) {
        let found = duration(word).ok().map(|found| found.as_micros() as u64);
        assert_eq!(found, expected_us, "{word}");
    }

    #[test]
    fn a_duration_has_a_unit_or_is_in_seconds() {
        check_duration("30", Some(30_000_000));
        check_duration("30s", Some(30_000_000));
        check_duration("1.5s", Some(1_500_000));
        check_duration("0.3", Some(300_000));
        check_duration("500ms", Some(500_000));
        check_duration("5m", Some(300_000_000));
        check_duration("2 h", Some(7_200_000_000));
        check_duration("1d", Some(86_400_000_000));
        check_duration("0", Some(0));
        for word in [
            "", "s", "-1", "1e9", "inf", "nan", "5x", "1h30m", "20000d", "+3",
        ] {
            check_duration(word, None);
        }
    }

    #[test]
    fn a_size_has_a_unit_or_is_in_bytes() {
        let check = |word: &str, expected: Option<u64>| {
            assert_eq!(size(word).ok(), expected, "{word}");
        };
        check("0", Some(0));
        check("65536", Some(65_536));
        check("64KiB", Some(65_536));
        check("64 KiB", Some(65_536));
        check("10MB", Some(10_000_000));
        check("7B", Some(7));
        check("1GiB", Some(1 << 30));
        for word in ["", "KiB", "1.5MiB", "-1", "64K", "99999999999GiB", "1kib"] {
            check(word, None);
        }
    }

    proptest! {
        #[test]
        fn what_is_written_is_read_again(us in 0_u64..1_000_000_000_000, bytes in any::<u64>()) {
            let time = Duration::from_micros(us);
            prop_assert_eq!(duration(&write_duration(time)).ok(), Some(time));
            prop_assert_eq!(size(&write_size(bytes)).ok(), Some(bytes));
        }
    }
}
