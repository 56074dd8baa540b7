//! What the generators print, as figures in the same units.
//!
//! Pure: text in, figures out. Each generator has its own format: wrk prints lines with scaled
//! units, oha and corrente print JSON. A figure that is not there is an error that names it, never
//! a zero, as a changed format must not become a result.

use serde_json::Value;

/// What a generator says of one run.
#[derive(Debug, Clone, Copy, PartialEq)]
pub(super) struct Figures {
    /// Requests that were answered, or had a part of the server when the time was over.
    pub(super) requests: f64,
    pub(super) requests_per_s: f64,
    pub(super) p50_ms: f64,
    pub(super) p99_ms: f64,
    /// Requests that failed, were not answered in time or with another status than 2xx or 3xx.
    pub(super) failed: u64,
    /// CPU time of a request by the generator's own account, microseconds, where it gives one.
    pub(super) own_cpu_us: Option<f64>,
}

/// Figures of `corrente load --json`.
pub(super) fn of_corrente(text: &str) -> Result<Figures, String> {
    let document = json(text)?;
    let ok = ["/statuses/200", "/completed"].map(|path| document.pointer(path));
    let [Some(ok), Some(completed)] = ok.map(|count| count.and_then(Value::as_u64)) else {
        return Err("`statuses` has no 200, or `completed` is missing".to_owned());
    };
    let mut figures = of_echo(text)?;
    figures.failed += completed.saturating_sub(ok);
    Ok(figures)
}

/// Figures of `corrente load --json` where answers have no status.
pub(super) fn of_echo(text: &str) -> Result<Figures, String> {
    let document = json(text)?;
    Ok(Figures {
        requests: number(&document, "/completed")? + sum_of(&document, "/unfinished"),
        requests_per_s: number(&document, "/requests_per_second")?,
        p50_ms: number(&document, "/latency/p50_ms")?,
        p99_ms: number(&document, "/latency/p99_ms")?,
        failed: sum(&document, "/errors", |_| true),
        own_cpu_us: Some(number(&document, "/self_check/cpu_per_request_us")?),
    })
}

/// Figures of `h2load -D` and its log: when a request began, its status, and how long it took, microseconds.
pub(super) fn of_h2load(text: &str, log: &str) -> Result<Figures, String> {
    let line = |label: &str| {
        let mut lines = text.lines();
        let found = lines.find_map(|line| line.strip_prefix(label));
        found.ok_or_else(|| format!("`{label}` is missing"))
    };
    let count = |label: &str, what: &str| {
        let mut parts = line(label)?.split(',').map(str::trim);
        let found = parts.find_map(|part| part.strip_suffix(what)?.trim().parse::<f64>().ok());
        found.ok_or_else(|| format!("`{label} … {what}` is missing"))
    };
    let requests = count("requests:", "done")?;
    let good = count("status codes:", "2xx")?;
    let mut times_us: Vec<u32> = log
        .lines()
        .filter_map(|line| line.split('\t').nth(2)?.trim().parse().ok())
        .collect();
    times_us.sort_unstable();
    let quantile_ms = |share: f64| {
        let time_us = times_us.get((times_us.len() as f64 * share) as usize);
        let time_us = time_us.ok_or("the log holds no request")?;
        Ok::<_, String>(f64::from(*time_us) / 1e3)
    };
    Ok(Figures {
        requests,
        requests_per_s: count("finished in", "req/s")?,
        p50_ms: quantile_ms(0.5)?,
        p99_ms: quantile_ms(0.99)?,
        failed: (count("requests:", "failed")? + requests - good) as u64,
        own_cpu_us: None,
    })
}

/// Figures of `oha --output-format json`, whose times are seconds.
pub(super) fn of_oha(text: &str) -> Result<Figures, String> {
    // Requests that are under way when time is up. The others do not count them; oha counts them
    // in `requestsPerSec`, which is therefore not used.
    const UNFINISHED: &str = "aborted due to deadline";
    let document = json(text)?;
    let statuses = "/statusCodeDistribution";
    let ok = sum(&document, statuses, |status| status == "200");
    if ok == 0 {
        return Err(format!("`{statuses}/200` is missing"));
    }
    Ok(Figures {
        requests: ok as f64,
        requests_per_s: ok as f64 / number(&document, "/summary/total")?,
        p50_ms: 1e3 * number(&document, "/latencyPercentiles/p50")?,
        p99_ms: 1e3 * number(&document, "/latencyPercentiles/p99")?,
        failed: sum(&document, "/errorDistribution", |kind| kind != UNFINISHED)
            + sum(&document, statuses, |status| status != "200"),
        own_cpu_us: None,
    })
}

/// Figures of `wrk --latency`.
pub(super) fn of_wrk(text: &str) -> Result<Figures, String> {
    let after = |label: &str| {
        let line = text
            .lines()
            .find_map(|line| line.trim().strip_prefix(label));
        line.map(str::trim)
            .ok_or_else(|| format!("`{label}` is missing"))
    };
    let latency = |label: &str| {
        let word = after(label)?;
        milliseconds(word).ok_or_else(|| format!("`{label} {word}` is no time"))
    };
    let rate = after("Requests/sec:")?;
    Ok(Figures {
        requests: requests_in(text).ok_or("`requests in` is missing")?,
        requests_per_s: rate
            .parse()
            .map_err(|_| format!("`Requests/sec: {rate}` is no number"))?,
        p50_ms: latency("50%")?,
        p99_ms: latency("99%")?,
        failed: after("Socket errors:").map_or(0, numbers)
            + after("Non-2xx or 3xx responses:").map_or(0, numbers),
        own_cpu_us: None,
    })
}

/// The count in a line like `56971 requests in 1.10s, 59.28MB read`.
fn requests_in(text: &str) -> Option<f64> {
    let mut lines = text.lines();
    let count = lines.find_map(|line| line.split_once(" requests in "))?.0;
    count.trim().parse().ok()
}

/// A time as wrk prints it (its units.c): `271.00us`, `1.23ms`, `1.02s`, `1.50m`, `1.00h`.
fn milliseconds(text: &str) -> Option<f64> {
    const UNITS: [(&str, f64); 5] = [
        ("us", 1e-3),
        ("ms", 1.0),
        ("s", 1e3),
        ("m", 60e3),
        ("h", 3600e3),
    ];
    let digits = text.trim_end_matches(|letter: char| letter.is_ascii_alphabetic());
    let unit = &text[digits.len()..];
    let (_, factor) = UNITS.iter().find(|(name, _)| *name == unit)?;
    Some(digits.parse::<f64>().ok()? * factor)
}

/// The sum of the numbers in a line like `connect 0, read 3, write 0, timeout 1`.
fn numbers(line: &str) -> u64 {
    line.split([' ', ','])
        .filter_map(|word| word.parse::<u64>().ok())
        .sum()
}

fn json(text: &str) -> Result<Value, String> {
    serde_json::from_str(text).map_err(|error| format!("no JSON: {error}"))
}

fn number(document: &Value, path: &str) -> Result<f64, String> {
    document
        .pointer(path)
        .and_then(Value::as_f64)
        .ok_or_else(|| format!("`{path}` is missing"))
}

/// A number, or nothing where it is not told.
fn sum_of(document: &Value, path: &str) -> f64 {
    let found = document.pointer(path).and_then(Value::as_f64);
    found.unwrap_or_default()
}

/// The sum of the counts in an object whose keys are `wanted`.
fn sum(document: &Value, path: &str, wanted: fn(&str) -> bool) -> u64 {
    let counts = document.pointer(path).and_then(Value::as_object);
    counts
        .into_iter()
        .flatten()
        .filter(|(key, _)| wanted(key))
        .filter_map(|(_, count)| count.as_u64())
        .sum()
}

#[cfg(test)]
mod tests {
    use super::*;

    const WRK: &str = "\
Running 1s test @ http://127.0.0.1:18231/
  1 threads and 64 connections
  Thread Stats   Avg      Stdev     Max   +/- Stdev
    Latency    94.30ms  163.34ms 568.23ms   81.91%
    Req/Sec    90.06k    41.94k  122.23k    83.33%
  Latency Distribution
     50%  271.00us
     75%  138.95ms
     90%  396.68ms
     99%    1.02s
  56971 requests in 1.10s, 59.28MB read
Requests/sec:  51621.47
Transfer/sec:     53.71MB
";

    #[track_caller]
    fn check(found: Result<Figures, String>, expected: (f64, f64, f64, u64)) {
        let found = found.expect("parses");
        let (requests_per_s, p50_ms, p99_ms, failed) = expected;
        let near = |found: f64, expected: f64| (found - expected).abs() < 1e-9 * expected;
        assert!(near(found.requests_per_s, requests_per_s), "{found:?}");
        assert!(near(found.p50_ms, p50_ms), "{found:?}");
        assert!(near(found.p99_ms, p99_ms), "{found:?}");
        assert_eq!(found.failed, failed, "{found:?}");
    }

    #[test]
    fn wrk_prints_lines_with_scaled_units() {
        check(of_wrk(WRK), (51_621.47, 0.271, 1020.0, 0));
        assert_eq!(requests_in(WRK), Some(56_971.0));
    }

    #[test]
    fn errors_of_wrk_are_counted() {
        let errors = "  Socket errors: connect 0, read 3, write 0, timeout 1\n  \
                      Non-2xx or 3xx responses: 12\n";
        let text = WRK.replace("Requests/sec", &format!("{errors}Requests/sec"));
        check(of_wrk(&text), (51_621.47, 0.271, 1020.0, 16));
    }

    #[test]
    fn a_line_that_is_not_there_is_named() {
        let text = WRK.replace("50%", "51%");
        assert_eq!(of_wrk(&text), Err("`50%` is missing".to_owned()));
        let text = WRK.replace("271.00us", "271.00xs");
        assert_eq!(of_wrk(&text), Err("`50% 271.00xs` is no time".to_owned()));
        assert_eq!(
            of_oha("{\"statusCodeDistribution\":{\"200\":1}}"),
            Err("`/summary/total` is missing".to_owned())
        );
    }

    #[test]
    fn h2load_prints_counts_and_times_are_in_its_log() {
        let text = "\nfinished in 1.01s, 16209.00 req/s, 634.06KB/s\n\
            requests: 100 total, 164 started, 100 done, 99 succeeded, 1 failed, 1 errored, 0 timeout\n\
            status codes: 98 2xx, 0 3xx, 1 4xx, 0 5xx\n";
        let lines = (1..=100).map(|time_us| format!("1795340120497967\t200\t{time_us}0\n"));
        let log: String = lines.collect();
        check(of_h2load(text, &log), (16_209.0, 0.51, 1.0, 3));
        let missing = of_h2load(text, "").expect_err("it has no times");
        assert_eq!(missing, "the log holds no request");
        let missing = of_h2load("", &log).expect_err("it has nothing");
        assert_eq!(missing, "`requests:` is missing");
    }

    #[test]
    fn echoes_have_no_status() {
        let text = r#"{"completed":900,"unfinished":32,"errors":{"reset":2},"statuses":{},
            "latency":{"p50_ms":0.3,"p99_ms":0.9},"requests_per_second":900.0,
            "self_check":{"cpu_per_request_us":1.5}}"#;
        check(of_echo(text), (900.0, 0.3, 0.9, 2));
        assert!(of_corrente(text).is_err());
    }

    #[test]
    fn times_of_wrk_have_five_units() {
        for (text, expected) in [
            ("271.00us", 0.271),
            ("1.23ms", 1.23),
            ("1.02s", 1020.0),
            ("1.50m", 90_000.0),
            ("1.00h", 3_600_000.0),
        ] {
            let found = milliseconds(text).expect(text);
            assert!((found - expected).abs() < 1e-9, "{text}: {found}");
        }
        assert_eq!(milliseconds("1.00"), None);
        assert_eq!(milliseconds("ms"), None);
    }

    #[test]
    fn oha_prints_seconds_and_what_the_deadline_cut_off() {
        let text = r#"{"summary":{"total":4.0,"requestsPerSec":1983.0},
            "latencyPercentiles":{"p50":0.0052,"p99":0.0061},
            "statusCodeDistribution":{"200":7900,"503":4},
            "errorDistribution":{"aborted due to deadline":32,"connection closed":2}}"#;
        check(of_oha(text), (1975.0, 5.2, 6.1, 6));
    }

    #[test]
    fn corrente_prints_json_with_its_own_cpu_time() {
        let text = r#"{"completed":10435,"errors":{"timeout":2},"statuses":{"200":10430,"500":5},
            "latency":{"p50_ms":0.32,"p99_ms":6.2},"requests_per_second":10436.4,
            "self_check":{"cpu_per_request_us":5.5}}"#;
        check(of_corrente(text), (10_436.4, 0.32, 6.2, 7));
        let own = of_corrente(text).expect("parses").own_cpu_us;
        assert_eq!(own, Some(5.5));
    }
}
