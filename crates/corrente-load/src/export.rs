//! Histograms in the formats that other tools read.
//!
//! It must not know files: it returns text and bytes. The formats are those of the Java and C
//! `HdrHistogram` libraries: the percentile distribution (`.hgrm`, read by the online plotter) and
//! the interval log V2, compressed (`.hlog`). Values are recorded in nanoseconds and shown in
//! milliseconds; the encoded histograms in a log keep nanoseconds.

use std::fmt::Write as _;
use std::time::{Duration, SystemTime, UNIX_EPOCH};

use hdrhistogram::Histogram;
use hdrhistogram::serialization::V2DeflateSerializer;
use hdrhistogram::serialization::interval_log::{IntervalLogWriterBuilder, Tag};

use crate::error::LoadError;

const NANOSECONDS_PER_MILLISECOND: f64 = 1e6;
/// Lines per halving of the distance to 100 %, as the Java library's default.
const TICKS_PER_HALF_DISTANCE: u32 = 5;

/// One histogram of an interval log.
#[derive(Debug, Clone)]
pub struct LogInterval<'outcome> {
    /// When its window began.
    pub start: SystemTime,
    /// Length of the window.
    pub window: Duration,
    /// Latencies in nanoseconds.
    pub latency: &'outcome Histogram<u64>,
    /// Name of the series, without spaces, commas or line breaks.
    pub tag: Option<&'outcome str>,
}

/// The interval log (V2, compressed) of one or more windows, in their order.
pub fn interval_log(intervals: &[LogInterval<'_>]) -> Result<Vec<u8>, LoadError> {
    let bug = |error: String| LoadError::Bug {
        rule: format!("a log can be written: {error}"),
    };
    let begin = intervals
        .first()
        .map_or(UNIX_EPOCH, |interval| interval.start);
    let mut bytes = Vec::new();
    let mut serializer = V2DeflateSerializer::new();
    let mut writer = IntervalLogWriterBuilder::new()
        .add_comment("Latencies in nanoseconds, written by corrente-load")
        .with_start_time(begin)
        .with_base_time(UNIX_EPOCH)
        .with_max_value_divisor(NANOSECONDS_PER_MILLISECOND)
        .begin_log_with(&mut bytes, &mut serializer)
        .map_err(|error| bug(error.to_string()))?;
    for interval in intervals {
        let tag = interval.tag.map(read_tag).transpose()?;
        let start = interval
            .start
            .duration_since(UNIX_EPOCH)
            .unwrap_or_default();
        writer
            .write_histogram(interval.latency, start, interval.window, tag)
            .map_err(|error| bug(error.to_string()))?;
    }
    Ok(bytes)
}

fn read_tag(text: &str) -> Result<Tag<'_>, LoadError> {
    Tag::new(text).ok_or_else(|| {
        LoadError::setting(
            "log tag",
            "without spaces, commas and line breaks",
            format!("{text:?}"),
        )
    })
}

/// The percentile distribution of a histogram of nanoseconds, in milliseconds (`.hgrm`).
pub fn percentile_text(latency: &Histogram<u64>) -> String {
    let mut text = format!(
        "{:>12} {:>14} {:>10} {:>14}\n\n",
        "Value", "Percentile", "TotalCount", "1/(1-Percentile)"
    );
    let mut total = 0_u64;
    for step in latency.iter_quantiles(TICKS_PER_HALF_DISTANCE) {
        total += step.count_since_last_iteration();
        push_line(
            &mut text,
            step.value_iterated_to(),
            step.quantile_iterated_to(),
            total,
        );
    }
    push_footer(&mut text, latency);
    text
}

fn push_line(text: &mut String, nanoseconds: u64, quantile: f64, total: u64) {
    let value_ms = nanoseconds as f64 / NANOSECONDS_PER_MILLISECOND;
    // Writing to a String cannot fail.
    let written = if quantile < 1.0 {
        let inverse = 1.0 / (1.0 - quantile);
        writeln!(
            text,
            "{value_ms:12.6} {quantile:14.12} {total:10} {inverse:14.2}"
        )
    } else {
        writeln!(text, "{value_ms:12.6} {quantile:14.12} {total:10}")
    };
    debug_assert!(written.is_ok());
}

fn push_footer(text: &mut String, latency: &Histogram<u64>) {
    let milliseconds = |nanoseconds: f64| nanoseconds / NANOSECONDS_PER_MILLISECOND;
    let written = write!(
        text,
        "#[Mean    = {:12.6}, StdDeviation   = {:12.6}]\n\
         #[Max     = {:12.6}, Total count    = {:12}]\n\
         #[Buckets = {:12}, SubBuckets     = {:12}]\n",
        milliseconds(latency.mean()),
        milliseconds(latency.stdev()),
        milliseconds(latency.max() as f64),
        latency.len(),
        latency.buckets(),
        // The library keeps its sub-bucket count to itself; this is its formula.
        (2 * 10_u64.pow(u32::from(latency.sigfig()))).next_power_of_two(),
    );
    debug_assert!(written.is_ok());
}

#[cfg(test)]
mod tests {
    use hdrhistogram::serialization::Deserializer;
    use hdrhistogram::serialization::interval_log::{IntervalLogIterator, LogEntry};

    use super::*;
    use crate::outcome::empty_histogram;

    fn histogram() -> Histogram<u64> {
        let mut histogram = empty_histogram().unwrap();
        for milliseconds in 1..=100_u64 {
            histogram.record(milliseconds * 1_000_000).unwrap();
        }
        histogram
    }

    #[test]
    fn percentile_text_has_the_plotter_s_columns() {
        let text = percentile_text(&histogram());
        let lines: Vec<&str> = text.lines().collect();
        assert!(lines[0].ends_with("Value     Percentile TotalCount 1/(1-Percentile)"));
        let columns: Vec<&str> = lines[2].split_whitespace().collect();
        assert_eq!(columns[1..], ["0.000000000000", "1", "1.00"]);
        assert!(columns[0].starts_with("1.0"));
        let last = lines[lines.len() - 4];
        assert_eq!(last.split_whitespace().nth(2), Some("100"));
        assert!(lines[lines.len() - 2].contains("Total count    =          100]"));
    }

    #[test]
    fn interval_log_reads_back() {
        let histogram = histogram();
        let start = UNIX_EPOCH + Duration::from_secs(1_700_000_000);
        let interval = |tag| LogInterval {
            start,
            window: Duration::from_secs(3),
            latency: &histogram,
            tag,
        };
        let bytes = interval_log(&[interval(None), interval(Some("sync"))]).unwrap();
        let read: Vec<_> = IntervalLogIterator::new(&bytes)
            .filter_map(|entry| match entry.unwrap() {
                LogEntry::Interval(interval) => Some(interval),
                _ => None,
            })
            .collect();
        assert_eq!(read.len(), 2);
        assert_eq!(read[1].tag().unwrap().as_str(), "sync");
        assert_eq!(read[1].duration(), Duration::from_secs(3));
        assert!(read[0].encoded_histogram().starts_with("HIST"));
        assert!(interval_log(&[interval(Some("a b"))]).is_err());
    }

    #[test]
    fn encoded_histograms_keep_their_samples() {
        let histogram = histogram();
        let mut bytes = Vec::new();
        let mut serializer = V2DeflateSerializer::new();
        hdrhistogram::serialization::Serializer::serialize(&mut serializer, &histogram, &mut bytes)
            .unwrap();
        let read: Histogram<u64> = Deserializer::new()
            .deserialize(&mut bytes.as_slice())
            .unwrap();
        assert_eq!(read, histogram);
    }
}
