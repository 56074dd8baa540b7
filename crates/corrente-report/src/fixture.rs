//! A result document for tests: every verdict, every reason for invalidity, every outcome.
//!
//! The figures are invented and shaped to be told apart in a report; none of them is evidence.
//! Invariant: the fixture is a constant, so snapshots made from it are stable.

use std::collections::BTreeMap;

use crate::result::{
    Case, Contender, Factor, FactorStep, Finding, FindingPoint, Interval, Invalid, LabResult,
    Latency, Machine, Measure, Measurement, Mode, OpenLoop, Outcome, Placement, Prices, Published,
    SCHEMA, ScenarioResult, Side, Stack, Sweep, SweepPoint, Text, Verdict,
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
        machine: Machine {
            cpu: "AMD EPYC 7763 64-Core Processor".to_owned(),
            cores: 2,
            memory_bytes: 8 << 30,
            kernel: "Linux 6.1.0-18-amd64".to_owned(),
            virtualised: true,
            python: "CPython 3.13.2".to_owned(),
            postgres: Some("PostgreSQL 15.6".to_owned()),
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
            fan_out(),
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
        sweeps: Vec::new(),
        findings: Vec::new(),
        factors: Vec::new(),
        elapsed_s: 0.0,
        placement: Placement::default(),
        versions: BTreeMap::new(),
    }
}

/// A region of two parameters, users that vary, a sweep, factors, a missing contender.
fn fan_out() -> ScenarioResult {
    let mut result = scenario(
        "super",
        text(
            "Super.com: a hotel search with 40 calls a request, Flask to Quart",
            "Super.com: Hotelsuche mit 40 Aufrufen je Anfrage, Flask zu Quart",
            "Super.com：每次请求 40 次网络调用的酒店搜索，从 Flask 迁移到 Quart",
        ),
    );
    result.differences = vec![text(
        "One machine instead of AWS Lambda and EC2; the third parties are an origin on loopback.",
        "Eine Maschine statt AWS Lambda und EC2; die Drittanbieter sind eine lokale Gegenstelle.",
        "使用一台机器代替 AWS Lambda 与 EC2；第三方由本机上游服务代替。",
    )];
    result.remarks = vec![text(
        "1000 to 50 USD a day is −95 %, printed as −90 %.",
        "Von 1000 auf 50 USD am Tag sind −95 %, gedruckt steht −90 %.",
        "每天从 1000 美元降至 50 美元是 −95%，原文印作 −90%。",
    )];
    result.contenders = fan_out_contenders();
    result.cases = fan_out_cases();
    result.measurements = fan_out_measurements();
    result.findings = fan_out_findings();
    result.factors = fan_out_factors();
    result.sweeps = vec![fan_out_sweep()];
    result.elapsed_s = 812.4;
    result.placement = Placement {
        application: vec![0],
        others: vec![1],
    };
    result.versions = BTreeMap::from([
        ("flask".to_owned(), "3.1.0".to_owned()),
        ("gunicorn".to_owned(), "23.0.0".to_owned()),
        ("quart".to_owned(), "0.20.0".to_owned()),
    ]);
    result
}

fn fan_out_contenders() -> Vec<Contender> {
    let flask = ["gunicorn gthread", "Flask", "requests", "threads"];
    let mut missing = contender(
        "swoole",
        Side::Reference,
        ["Swoole", "Hyperf", "", "coroutines"],
        1,
    );
    missing.missing = Some("php-swoole is not installed".to_owned());
    vec![
        contender("flask", Side::Sync, flask, 2),
        contender("flask:tuned", Side::Sync, flask, 16),
        contender(
            "quart",
            Side::Async,
            ["hypercorn", "Quart", "aiohttp", "asyncio"],
            2,
        ),
        contender(
            "quart-uvloop",
            Side::Async,
            ["hypercorn", "Quart", "aiohttp", "uvloop"],
            2,
        ),
        missing,
    ]
}

const CALLS: [f64; 3] = [1.0, 5.0, 40.0];
const DELAYS: [f64; 3] = [1.0, 10.0, 100.0];

fn fan_out_cases() -> Vec<Case> {
    let mut cases: Vec<Case> = CALLS
        .iter()
        .flat_map(|calls| DELAYS.iter().map(move |delay| (*calls, *delay)))
        .map(|(calls, delay)| {
            case(
                &format!("c{calls}-l{delay}"),
                50,
                &[("calls", calls), ("latency_ms", delay)],
            )
        })
        .collect();
    for users in [1_u64, 10, 200] {
        let parameters = [("calls", 40.0), ("latency_ms", 10.0)];
        cases.push(case(&format!("users-{users}"), users, &parameters));
    }
    cases
}

fn fan_out_measurements() -> Vec<Measurement> {
    let mut all = Vec::new();
    let levels = [
        ("users-1", 2.1, 3.0),
        ("users-10", 17.0, 26.0),
        ("c40-l10", 52.0, 158.0),
        ("users-200", 54.0, 171.0),
    ];
    for (id, slow, fast) in levels {
        all.push(measurement(
            "flask",
            id,
            slow,
            Some(latency(950.0, 1.35, 1500)),
        ));
        all.push(measurement(
            "flask:tuned",
            id,
            slow * 1.6,
            Some(latency(610.0, 1.5, 2400)),
        ));
        let mut quart = measurement("quart", id, fast, Some(latency(310.0, 1.22, 4700)));
        quart.open_loop = Some(OpenLoop {
            rate_per_s: slow * 0.7,
            completed_per_s: slow * 0.7,
            errors: BTreeMap::new(),
            latency: latency(118.0, 1.4, 2100),
        });
        quart.peak_pss_bytes = 96 << 20;
        all.push(quart);
        all.push(measurement(
            "quart-uvloop",
            id,
            fast * 1.12,
            Some(latency(280.0, 1.2, 5100)),
        ));
    }
    if let Some(first) = all
        .iter_mut()
        .find(|one| one.contender == "flask" && one.case == "c40-l10")
    {
        first.errors = BTreeMap::from([("timeout".to_owned(), 12), ("reset".to_owned(), 3)]);
        first.open_loop = Some(OpenLoop {
            rate_per_s: 36.4,
            completed_per_s: 35.9,
            errors: BTreeMap::new(),
            latency: latency(460.0, 1.9, 2100),
        });
    }
    all
}

fn fan_out_findings() -> Vec<Finding> {
    let published = Published::AtLeast(2.0);
    let mut doubled = finding(
        "throughput",
        Measure::Throughput,
        ["quart", "flask"],
        published,
    );
    doubled.verdict = Verdict::Confirmed;
    doubled.points = vec![point(
        "c40-l10",
        Some(interval(3.04, 1.05)),
        Some(9.2),
        Verdict::Confirmed,
    )];

    let mut region = finding(
        "region",
        Measure::Throughput,
        ["quart", "flask:tuned"],
        Published::Higher,
    );
    region.tuned = true;
    region.verdict = Verdict::Inconclusive;
    for (row, calls) in CALLS.iter().enumerate() {
        for (column, delay) in DELAYS.iter().enumerate() {
            let ratio = 0.7 * 1.6_f64.powi(i32::try_from(row + column).unwrap());
            let verdict = match ratio {
                value if value > 1.1 => Verdict::Confirmed,
                value if value < 0.9 => Verdict::Refuted,
                _ => Verdict::Inconclusive,
            };
            let naive = Some(1.0 + calls * delay / 20.0);
            let id = format!("c{calls}-l{delay}");
            region
                .points
                .push(point(&id, Some(interval(ratio, 1.04)), naive, verdict));
        }
    }

    let mut halved = finding(
        "latency",
        Measure::P50,
        ["quart", "flask"],
        Published::Ratio(0.5),
    );
    halved.verdict = Verdict::Refuted;
    halved.points = vec![point(
        "c40-l10",
        Some(interval(0.326, 1.06)),
        None,
        Verdict::Refuted,
    )];
    vec![doubled, region, halved]
}

fn fan_out_factors() -> Vec<FactorStep> {
    let steps = [
        (Factor::Tuning, "flask", "flask:tuned", 1.6, 0.423),
        (Factor::Framework, "flask:tuned", "quart-sync", 0.92, -0.075),
        (Factor::Concurrency, "quart-sync", "quart", 2.065, 0.652),
    ];
    steps
        .into_iter()
        .map(|(factor, from, to, ratio, share)| FactorStep {
            factor,
            from: from.to_owned(),
            to: to.to_owned(),
            case: "c40-l10".to_owned(),
            ratio: Some(interval(ratio, 1.03)),
            share: Some(share),
        })
        .collect()
}

fn fan_out_sweep() -> Sweep {
    let tried = [
        ("2", Some(52.0)),
        ("8", Some(77.4)),
        ("16", Some(83.2)),
        ("64", None),
    ];
    Sweep {
        contender: "flask".to_owned(),
        case: "c40-l10".to_owned(),
        tried: tried
            .into_iter()
            .map(|(workers, throughput_per_s)| SweepPoint {
                settings: BTreeMap::from([("workers".to_owned(), workers.to_owned())]),
                throughput_per_s,
                best: workers == "16",
            })
            .collect(),
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
