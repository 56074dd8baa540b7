//! A result document for tests: every verdict, every reason for invalidity, every outcome.
//!
//! The figures are invented and shaped to be told apart in a report; none of them is evidence.
//! Invariant: the fixture is a constant, so snapshots made from it are stable.

mod fan_out;
pub(crate) mod gauge;

use std::collections::BTreeMap;

use crate::result::{
    Case, Contender, Finding, FindingPoint, Interval, Invalid, LabResult, Latency, Machine,
    Measure, Measurement, Mode, Outcome, Placement, Prices, Published, SCHEMA, ScenarioResult,
    Side, Stack, Text, Verdict,
};

/// The whole document.
pub(crate) fn fixture() -> LabResult {
    LabResult {
        schema: SCHEMA.to_owned(),
        corrente_version: "0.1.0".to_owned(),
        started_at: "2026-03-01T09:00:00Z".to_owned(),
        finished_at: Some("2026-03-01T10:12:30Z".to_owned()),
        mode: Mode::Quick,
        seed: 20_260_301,
        asked: Vec::new(),
        repeat: None,
        machine: Machine {
            cpu: "AMD EPYC 7763 64-Core Processor".to_owned(),
            cores: 2,
            memory_bytes: 8 << 30,
            kernel: "Linux 6.1.0-18-amd64".to_owned(),
            virtualised: true,
            python: "3.13.2".to_owned(),
            postgres: Some("15.6".to_owned()),
        },
        prices: Prices {
            currency: "USD".to_owned(),
            per_vcpu_hour: 0.0425,
            per_gib_hour: 0.0057,
            per_million_requests: 0.2,
            per_gib_second: 0.000_016_666_7,
            source: "AWS price list, us-east-1, read 2026-02-20".to_owned(),
        },
        scenarios: vec![
            fan_out::fan_out(),
            paterson(),
            azure_uvloop(),
            feature_store(),
            instagram(),
        ],
    }
}

/// A text that differs by language, so that a wrong choice shows.
pub(crate) fn text(en: &str, de: &str, zh: &str) -> Text {
    Text {
        en: en.to_owned(),
        it: format!("{en} (it)"),
        fr: format!("{en} (fr)"),
        de: de.to_owned(),
        zh: zh.to_owned(),
    }
}

fn interval(estimate: f64, spread: f64) -> Interval {
    Interval {
        estimate,
        low: estimate / spread,
        high: estimate * spread,
    }
}

fn contender(id: &str, side: Side, stack: [&str; 4], workers: u32) -> Contender {
    let [server, framework, driver, concurrency] = stack.map(str::to_owned);
    Contender {
        id: id.to_owned(),
        side,
        stack: Stack {
            server,
            framework,
            driver,
            concurrency,
        },
        settings: BTreeMap::from([("workers".to_owned(), workers.to_string())]),
        missing: None,
    }
}

fn case(id: &str, users: u64, parameters: &[(&str, f64)]) -> Case {
    Case {
        id: id.to_owned(),
        users: Some(users),
        parameters: parameters
            .iter()
            .map(|(name, value)| ((*name).to_owned(), *value))
            .collect(),
    }
}

/// Latency whose tail grows by `tail` with every nine.
fn latency(p50: f64, tail: f64, samples: u64) -> Latency {
    let at = |nines: f64| p50 * tail.powf(nines - 0.301);
    let curve = (0..=32)
        .map(|step| f64::from(step) * 0.1)
        .filter(|nines| 10f64.powf(*nines) * 10.0 <= samples as f64)
        .map(|nines| (1.0 - 10f64.powf(-nines), at(nines)))
        .collect();
    Latency {
        samples,
        mean_ms: p50 * 1.1,
        p50_ms: p50,
        p90_ms: Some(at(1.0)),
        p99_ms: (samples >= 1000).then(|| at(2.0)),
        p999_ms: (samples >= 10_000).then(|| at(3.0)),
        max_ms: at(4.1),
        curve,
        p50_rounds_ms: vec![p50 * 0.98, p50, p50 * 1.03],
        p99_rounds_ms: vec![at(2.0) * 0.9, at(2.0), at(2.0) * 1.2],
    }
}

fn measurement(contender: &str, case: &str, rate: f64, latency: Option<Latency>) -> Measurement {
    Measurement {
        contender: contender.to_owned(),
        case: case.to_owned(),
        throughput_per_s: rate,
        throughput_rounds: vec![rate * 0.97, rate, rate * 1.04],
        open_loop: None,
        operations: (rate * 30.0) as u64,
        errors: BTreeMap::new(),
        cpu_s_per_1000: 950.0 / rate,
        peak_pss_bytes: 180 << 20,
        cost_per_million: 24.0 / rate,
        extra: BTreeMap::new(),
        others_cpu_s_per_1000: 0.31,
        generator_busy: 0.34,
        others_busy: 0.52,
        application_busy: 0.97,
        speed_rounds: Vec::new(),
        speed_moved: None,
        invalid: None,
        latency,
    }
}

fn point(
    case: &str,
    measured: Option<Interval>,
    naive: Option<f64>,
    verdict: Verdict,
) -> FindingPoint {
    FindingPoint {
        case: case.to_owned(),
        measured,
        naive,
        predicted: None,
        shipped: None,
        verdict,
    }
}

fn finding(id: &str, measure: Measure, sides: [&str; 2], published: Published) -> Finding {
    let [of, over] = sides.map(str::to_owned);
    Finding {
        id: id.to_owned(),
        measure,
        of,
        over,
        tuned: false,
        published,
        verdict: Verdict::Inconclusive,
        points: Vec::new(),
    }
}

fn scenario(name: &str, title: Text) -> ScenarioResult {
    ScenarioResult {
        name: name.to_owned(),
        title,
        source: vec![format!("https://example.org/{name}")],
        outcome: Outcome::Measured,
        differences: Vec::new(),
        remarks: Vec::new(),
        contenders: Vec::new(),
        cases: Vec::new(),
        measurements: Vec::new(),
        known: Vec::new(),
        burn_rounds_per_ms: None,
        sweeps: Vec::new(),
        findings: Vec::new(),
        tails: Vec::new(),
        factors: Vec::new(),
        elapsed_s: 0.0,
        placement: Placement::default(),
        versions: BTreeMap::new(),
    }
}

/// Every reason for invalidity, and a published range.
fn paterson() -> ScenarioResult {
    let mut result = scenario(
        "paterson",
        text(
            "Cal Paterson: one PostgreSQL row a request, async is not faster",
            "Cal Paterson: eine PostgreSQL-Zeile je Anfrage, async ist nicht schneller",
            "Cal Paterson：每次请求读取一行 PostgreSQL，异步并不更快",
        ),
    );
    let names = [
        "gunicorn-bottle",
        "uvicorn-starlette",
        "sanic",
        "aiohttp",
        "granian-asgi",
        "hypercorn",
    ];
    result.contenders = names
        .iter()
        .enumerate()
        .map(|(index, name)| {
            let side = if index == 0 { Side::Sync } else { Side::Async };
            contender(name, side, [name, "", "psycopg", ""], 4)
        })
        .collect();
    result.cases = vec![case("row", 100, &[])];
    let reasons = [
        None,
        Some(Invalid::GeneratorSaturated),
        Some(Invalid::OthersSaturated),
        Some(Invalid::MachineNoisy),
        Some(Invalid::ProcessorStolen),
        Some(Invalid::OtherPrograms),
    ];
    for (index, (name, reason)) in names.iter().zip(reasons).enumerate() {
        let rate = 3110.0 - 140.0 * index as f64;
        let mut one = measurement(
            name,
            "row",
            rate,
            Some(latency(28.0, 1.1 + 0.12 * index as f64, 90_000)),
        );
        one.invalid = reason;
        let speed = 19_200.0 + 640.0 * index as f64;
        (one.speed_rounds, one.speed_moved) = (vec![speed], Some(0.034 * index as f64));
        result.measurements.push(one);
    }
    let sides = ["uvicorn-starlette", "gunicorn-bottle"];
    let mut tail = finding("p99", Measure::P99, sides, Published::Range(2.0, 3.0));
    tail.verdict = Verdict::Invalid;
    tail.points = vec![point("row", None, None, Verdict::Invalid)];
    let mut rate = finding(
        "rate",
        Measure::Throughput,
        ["aiohttp", "gunicorn-bottle"],
        Published::Lower,
    );
    rate.verdict = Verdict::Refuted;
    rate.points = vec![point(
        "row",
        Some(interval(1.02, 1.02)),
        Some(1.4),
        Verdict::Refuted,
    )];
    result.findings = vec![tail, rate];
    result.elapsed_s = 401.0;
    result
}

/// A program without latency, and markup and control characters where names are expected.
fn azure_uvloop() -> ScenarioResult {
    let mut result = scenario(
        "azure-uvloop",
        text(
            "Azure <script>alert(\"x\")</script> & uvloop\u{1b}[31m as default",
            "Azure: <b>uvloop</b> als Standard-Event-Loop ab Python 3.13",
            "Azure：以 uvloop 作为默认事件循环",
        ),
    );
    result.source.push("javascript:alert(1)".to_owned());
    result.contenders = vec![
        contender("asyncio", Side::Reference, ["", "", "", "asyncio"], 1),
        contender("uvloop", Side::Async, ["", "", "", "uvloop"], 1),
    ];
    result.cases = vec![Case {
        id: "task".to_owned(),
        users: None,
        parameters: BTreeMap::new(),
    }];
    let mut plain = measurement("asyncio", "task", 12_345.6, None);
    plain.extra = BTreeMap::from([("start_us".to_owned(), 41.2), ("switch_us".to_owned(), 7.9)]);
    result.measurements = vec![plain, measurement("uvloop", "task", 13_210.0, None)];
    let mut gain = finding(
        "rps",
        Measure::Throughput,
        ["uvloop", "asyncio"],
        Published::Ratio(1.07),
    );
    gain.verdict = Verdict::Confirmed;
    gain.points = vec![point(
        "task",
        Some(interval(1.07, 1.02)),
        Some(1.0),
        Verdict::Confirmed,
    )];
    let mut memory = finding(
        "memory",
        Measure::UnitMemory,
        ["uvloop", "asyncio"],
        Published::AtMost(0.8),
    );
    memory.points = vec![point(
        "task",
        Some(interval(0.98, 1.12)),
        None,
        Verdict::Inconclusive,
    )];
    result.findings = vec![gain, memory];
    result.elapsed_s = 62.0;
    result
}

/// Not measured.
fn feature_store() -> ScenarioResult {
    let mut result = scenario(
        "feature-store",
        text(
            "Feature store: threads to asyncio",
            "Feature Store: von Threads zu asyncio",
            "特征存储：从线程迁移到 asyncio",
        ),
    );
    result.outcome = Outcome::NotMeasured {
        reason: "redis-server is not on this machine".to_owned(),
    };
    let mut claim = finding(
        "latency",
        Measure::P50,
        ["asyncio", "threads"],
        Published::Ratio(0.6),
    );
    claim.verdict = Verdict::NotMeasured;
    result.findings = vec![claim];
    result
}

/// Failed.
fn instagram() -> ScenarioResult {
    let mut result = scenario(
        "instagram",
        text(
            "Instagram: asyncio behind Django",
            "Instagram: asyncio hinter Django",
            "Instagram：Django 后端上的 asyncio",
        ),
    );
    result.outcome = Outcome::Failed {
        reason: "django-asgi: worker 3 left with status 1 while starting".to_owned(),
    };
    let mut claim = finding(
        "idle",
        Measure::Idle,
        ["django-asgi", "django-wsgi"],
        Published::Lower,
    );
    claim.verdict = Verdict::NotMeasured;
    claim.points = vec![point("feed", None, None, Verdict::NotMeasured)];
    result.findings = vec![claim];
    result
}
