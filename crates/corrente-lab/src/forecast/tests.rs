//! Forecasts of a service whose costs are known by hand.
//!
//! Sync: 0.3 ms a request and 0.5 ms a call. Async: 0.1 ms and 0.1 ms. One core.

use super::*;

const PLAN: &str = r#"
[[calibration]]
id = "plain"
driver = "http"

[[calibration]]
id = "calls"
driver = "http"
calls = { counts = { http = 8 } }

[work]
id = "work"
driver = "http"
"#;

fn cost(users: usize, elapsed_us: u64, cpu_us: u64) -> Cost {
    Cost {
        users,
        elapsed: Duration::from_micros(elapsed_us),
        cpu: Duration::from_micros(cpu_us),
        others: None,
        speed: None,
    }
}

fn known() -> Known {
    let mut known = Known::default();
    known.learn("flask", "plain", cost(1, 300, 300));
    known.learn("flask", "calls", cost(1, 20_300, 4_300));
    known.learn("starlette", "plain", cost(32, 100, 100));
    known.learn("starlette", "calls", cost(32, 900, 900));
    known
}

fn contender(text: &str) -> ContenderPlan {
    toml::from_str(text).expect("a contender")
}

fn runner(text: &str) -> Option<Runner> {
    Runner::new("any", &contender(text))
}

/// The gain of one loop over so many sync workers, of requests with `calls` calls that wait 20 ms
/// each and 2 ms of work, for 64 users.
fn gain(known: &mut Known, workers: usize, calls: u64) -> f64 {
    let cpu = 2_300 + 500 * calls;
    known.learn("flask", "judged", cost(1, cpu + 20_000 * calls, cpu));
    let plan: PredictionPlan = toml::from_str(PLAN).expect("a plan");
    let case = format!(
        "id = \"judged\"\ndriver = \"http\"\nusers = 64\ncalls = {{ counts = {{ http = {calls} }} }}"
    );
    let flask = format!(
        "id = \"flask\"\nside = \"sync\"\ncommand = []\nsettings = {{ workers = {workers} }}"
    );
    let starlette = "id = \"starlette\"\nside = \"async\"\ncommand = []";
    let of = Runner::new("starlette", &contender(starlette)).expect("a loop");
    let over = Runner::new("flask", &contender(&flask)).expect("workers");
    let comparison = Comparison {
        plan: &plan,
        case: &toml::from_str(&case).expect("a case"),
        of: &of,
        over: &over,
        measured: &over,
        warm: None,
        cores: 1,
        others: 1,
        seed: 1,
    };
    let prediction = known.forecast(&comparison).expect("all is known");
    prediction.expect("calibrated").gain.estimate
}

#[test]
fn the_code_stays_and_the_stack_is_exchanged() {
    // Sync: 3 calls are 63.8 ms in one worker. Async: 2 ms of code, 0.1 and 3 times 0.1 ms.
    let found = gain(&mut known(), 1, 3);
    let expected = 63.8 / 2.4;
    assert!(
        (found / expected - 1.0).abs() < 0.05,
        "{found}, not {expected}"
    );
}

#[test]
fn work_is_taken_to_cost_what_it_cost_on_each_side() {
    let mut known = known();
    known.learn("flask", "work", cost(1, 10_300, 10_300));
    known.learn("starlette", "work", cost(32, 9_100, 9_100));
    // Sync: 63.8 ms in one worker. Async: 0.9 times 2 ms of code, 0.1 and 3 times 0.1 ms.
    let found = gain(&mut known, 1, 3);
    let expected = 63.8 / 2.2;
    assert!(
        (found / expected - 1.0).abs() < 0.04,
        "{found}, not {expected}"
    );
}

#[test]
fn looks_that_lie_far_apart_are_unsteady() {
    let mut known = Known::default();
    for (case, cpus) in [("a", [130, 100, 180]), ("b", [210, 200, 400])] {
        for cpu in cpus {
            known.learn("flask", case, cost(1, 1_000, cpu));
            known.learn("steady", case, cost(1, 1_000, 100));
        }
    }
    for cpu in [108, 100, 0] {
        known.learn("flask", "c", cost(1, 1_000, cpu));
    }
    let of = |id: &str| {
        let any = Runner {
            id: id.to_owned(),
            ..runner("id = \"any\"\nside = \"sync\"\ncommand = []").expect("a runner")
        };
        calibrated::unsteadiness(&known.alone, &any)
    };
    // By 30, 5 and 8 %: the middle one.
    assert!((of("flask") - 0.08).abs() < 1e-9);
    // Chance, where they do not differ, or where there is one look each.
    assert!((of("steady") - 0.01).abs() < 1e-9);
    assert!((of("nobody") - 0.01).abs() < 1e-9);
}

#[test]
fn enough_workers_are_as_good_but_for_their_stack() {
    let found = gain(&mut known(), 24, 3);
    let expected = 3.8 / 2.4;
    assert!(
        (found / expected - 1.0).abs() < 0.05,
        "{found}, not {expected}"
    );
}

#[test]
fn a_pass_without_processor_time_counts_for_nothing() {
    // As where the processes of the contender ended before their time was read.
    let mut unread = known();
    unread.learn("flask", "calls", cost(1, 20_300, 0));
    unread.learn("starlette", "plain", cost(32, 100, 0));
    assert_eq!(
        gain(&mut unread, 4, 2).to_bits(),
        gain(&mut known(), 4, 2).to_bits()
    );
}

#[test]
fn a_pass_without_processor_time_still_tells_how_long_a_request_takes() {
    let mut unread = Known::default();
    unread.learn("flask", "calls", cost(1, 20_700, 0));
    unread.learn("flask", "calls", cost(1, 20_400, 0));
    let latency = |known: &Known| known.latencies_alone().next().map(|(_, time)| time);
    assert_eq!(latency(&unread), Some(Duration::from_micros(20_400)));
    assert_eq!(unread.latencies_alone().count(), 1);
    // Once it is read, the pass that was disturbed least tells that, too.
    unread.learn("flask", "calls", cost(1, 20_500, 300));
    assert_eq!(latency(&unread), Some(Duration::from_micros(20_500)));
}

#[test]
fn a_speed_of_nothing_is_not_known() {
    // As a document that was written by hand may say.
    let mut known = known();
    known.learn(
        "flask",
        "timed",
        Cost {
            speed: Some(150.0),
            ..cost(1, 300, 300)
        },
    );
    let read = known.at(Some(0.0));
    assert_eq!(read.costs(), known.costs());
}

#[test]
fn of_two_passes_the_less_disturbed_counts() {
    let mut disturbed = known();
    disturbed.learn("flask", "calls", cost(1, 30_000, 9_000));
    disturbed.learn("starlette", "plain", cost(32, 400, 400));
    assert_eq!(
        gain(&mut disturbed, 4, 2).to_bits(),
        gain(&mut known(), 4, 2).to_bits()
    );
}

/// Three calls of 20 ms; alone they take 2 ms of code, 0.3 ms and 3 times 0.5 ms.
const JUDGED: &str =
    "id = \"judged\"\ndriver = \"http\"\nusers = 64\ncalls = { counts = { http = 3 } }";

/// So many workers of one thread, by this name.
fn workers(id: &str, processes: usize) -> Runner {
    let one = runner("id = \"flask\"\nside = \"sync\"\ncommand = []").expect("a worker");
    Runner {
        id: id.to_owned(),
        processes,
        ..one
    }
}

/// What the judged request costs in so many processes of `crowded`, in seconds.
fn crowded_cpu(known: &Known, plan: &str, processes: usize, cores: usize) -> Option<f64> {
    let plan: PredictionPlan = toml::from_str(plan).expect("a plan");
    let case = toml::from_str(JUDGED).expect("a case");
    let of = runner("id = \"b\"\nside = \"async\"\ncommand = []").expect("a loop");
    let mut known = Known::from_costs(&known.costs());
    known.learn("flask", "judged", cost(1, 63_800, 3_800));
    let alone = known.service(&case, "flask").expect("measured");
    let found = known.crowded(
        &alone,
        &Comparison {
            plan: &plan,
            case: &case,
            of: &of,
            over: &workers("crowded", processes),
            measured: &workers("flask", 1),
            warm: None,
            cores,
            others: 1,
            seed: 1,
        },
    );
    found.map(|service| service.endpoints[0].cpu.mean())
}

#[test]
fn crowded_processes_cost_what_they_do_under_load() {
    let mut known = known();
    // Half as much again as one user alone shows: 0.45 ms a request, 0.75 a call.
    known.learn("crowded", "plain", cost(32, 450, 450));
    known.learn("crowded", "calls", cost(32, 6_450, 6_450));
    let found = crowded_cpu(&known, PLAN, 4, 1).expect("measured");
    let expected = 0.002 + 0.000_45 + 3.0 * 0.000_75;
    assert!((found / expected - 1.0).abs() < 1e-6, "{found}");
    assert_eq!(crowded_cpu(&known, PLAN, 2, 2), None);
}

/// Requests whose two calls wait 30 ms each, not 2.
const SLOW: &str =
    "\n[[waits]]\nid = \"slow\"\ndriver = \"http\"\ncalls = { counts = { http = 2 } }\n";

#[test]
fn crowded_processes_get_cold_while_they_wait() {
    let mut known = known();
    // Alone a long wait changes nothing; in the crowd all costs grow by a fifth for each unit of ln(1 + wait / 1 ms).
    known.learn("flask", "slow", cost(1, 61_300, 1_300));
    let cold = |base: f64, wait_ms: f64| (base * (1.0 + 0.2 * wait_ms.ln_1p())) as u64;
    for (case, base, wait_ms) in [
        ("plain", 450.0, 0.0),
        ("calls", 6_450.0, 2.0),
        ("slow", 1_950.0, 30.0),
    ] {
        // How long each took of all of them tells nothing of the wait: it is a line before the core as well.
        let cpu = cold(base, wait_ms);
        known.learn("crowded", case, cost(32, cpu, cpu));
    }
    let plan = format!("{PLAN}{SLOW}");
    let found = crowded_cpu(&known, &plan, 4, 1).expect("measured");
    let expected = 0.002 + cold(450.0 + 3.0 * 750.0, 20.0) as f64 / 1e6;
    assert!(
        (found / expected - 1.0).abs() < 1e-3,
        "{found}, not {expected}"
    );
}

/// The gain over 19 workers that tell what they cost under load, where a request of one call of 20 ms does nothing by
/// itself; alone it costs 0.3 and 0.5 ms, in the crowd a fifth more for each unit of ln(1 + wait / 1 ms).
fn gain_over_a_cold_crowd(plan: &str) -> f64 {
    let mut known = known();
    known.learn("flask", "slow", cost(1, 61_300, 1_300));
    known.learn("flask", "judged", cost(1, 20_800, 800));
    let cold = |base: f64, wait_ms: f64| (base * (1.0 + 0.2 * wait_ms.ln_1p())) as u64;
    for (case, base, wait_ms) in [
        ("plain", 300.0, 0.0),
        ("calls", 4_300.0, 2.0),
        ("slow", 1_300.0, 30.0),
        ("judged", 800.0, 20.0),
    ] {
        let cpu = cold(base, wait_ms);
        known.learn("flask", case, cost(100, cpu, cpu));
    }
    let over = workers("flask", 19);
    let of = Runner {
        id: "starlette".to_owned(),
        ..runner("id = \"b\"\nside = \"async\"\ncommand = []").expect("a loop")
    };
    let mut case: CasePlan = toml::from_str(JUDGED).expect("a case");
    case.calls.counts.insert("http".to_owned(), 1.0);
    case.users = Some(100);
    let prediction = known.forecast(&Comparison {
        plan: &toml::from_str(plan).expect("a plan"),
        case: &case,
        of: &of,
        over: &over,
        measured: &over,
        warm: Some(&over),
        cores: 1,
        others: 1,
        seed: 1,
    });
    let prediction = prediction.expect("all is known");
    prediction.expect("calibrated").gain.estimate
}

#[test]
fn what_a_crowd_loses_while_it_waits_is_not_the_code_s_own() {
    // 19 workers that compute 1.29 ms and wait for 20 fill the core; the loop takes 0.2 ms.
    let told = gain_over_a_cold_crowd(&format!("{PLAN}{SLOW}"));
    let untold = gain_over_a_cold_crowd(PLAN);
    assert!((5.5..7.5).contains(&told), "{told}");
    // Else the half of a millisecond that caches lost would move along.
    assert!(untold < 0.7 * told, "{untold}, told {told}");
}

#[test]
fn what_was_not_measured_is_not_foretold() {
    let plan: PredictionPlan = toml::from_str(PLAN).expect("a plan");
    let case: CasePlan = toml::from_str("id = \"other\"\ndriver = \"http\"").expect("a case");
    let over = runner("id = \"a\"\nside = \"sync\"\ncommand = []").expect("workers");
    let of = runner("id = \"b\"\nside = \"async\"\ncommand = []").expect("a loop");
    let comparison = Comparison {
        plan: &plan,
        case: &case,
        of: &of,
        over: &over,
        measured: &over,
        warm: None,
        cores: 1,
        others: 1,
        seed: 1,
    };
    assert!(known().forecast(&comparison).is_none());
}

#[test]
fn settings_become_what_the_model_knows() {
    let sync = |settings: &str| {
        runner(&format!(
            "id = \"a\"\nside = \"sync\"\ncommand = []\nsettings = {settings}"
        ))
    };
    let concurrency = |settings| sync(settings).map(|runner| runner.concurrency);
    assert_eq!(
        concurrency("{ threads = 8 }"),
        Some(Concurrency::Threads(8))
    );
    assert_eq!(
        concurrency("{ worker = \"gevent\" }"),
        Some(Concurrency::Loop { gathered: 0.0 })
    );
    // Calls that overlap in threads of one request are beyond it.
    assert_eq!(concurrency("{ fanout = 40 }"), None);
}

#[test]
fn what_was_measured_at_another_speed_is_taken_to_one() {
    let at = |speed: f64, cost: Cost| Cost {
        speed: Some(speed),
        ..cost
    };
    // The calibration ran while the processor was half as fast: all its computing took twice as long.
    let mut slow = Known::default();
    slow.learn("flask", "plain", at(10.0, cost(1, 600, 600)));
    slow.learn("flask", "calls", at(10.0, cost(1, 24_600, 8_600)));
    slow.learn("starlette", "plain", at(10.0, cost(32, 200, 200)));
    slow.learn("starlette", "calls", at(10.0, cost(32, 1_800, 1_800)));
    slow.learn("flask", "judged", at(20.0, cost(1, 63_800, 3_800)));
    let mut taken = slow.at(Some(20.0));
    let (found, expected) = (gain(&mut taken, 4, 3), gain(&mut known(), 4, 3));
    assert!(
        (found / expected - 1.0).abs() < 1e-9,
        "{found}, not {expected}"
    );
    let uncorrected = gain(&mut slow, 4, 3);
    assert!(
        (uncorrected / expected - 1.0).abs() > 0.1,
        "{uncorrected}, {expected}"
    );
    assert_eq!(slow.speed(), Some(10.0));
    assert_eq!(known().speed(), None);
}

#[test]
fn the_least_disturbed_pass_of_those_at_the_usual_speed_counts() {
    let typical = |passes: &[(f64, u64)]| {
        let mut known = Known::default();
        for (speed, cpu_us) in passes {
            let cost = Cost {
                speed: Some(*speed),
                ..cost(1, *cpu_us, *cpu_us)
            };
            known.learn("flask", "plain", cost);
        }
        // A result holds all of them, and tells the same.
        let known = Known::from_costs(&known.costs()).at(Some(10.0));
        let typical: Vec<Duration> = known.alone().map(|(_, cost)| cost.cpu).collect();
        typical
    };
    // The least work was seen at a speed that may have been misread, and another is disturbed.
    let passes = [(9.0, 300), (10.0, 320), (9.9, 450)];
    assert_eq!(typical(&passes), [Duration::from_micros(320)]);
    // Its workers imported meanwhile: what a slower processor did in less time says so.
    let passes = [(10.0, 32_000), (7.0, 2000), (8.0, 1900)];
    assert_eq!(typical(&passes), [Duration::from_micros(1400)]);
    // What differs as two readings do is not corrected.
    assert_eq!(typical(&[(9.8, 300)]), [Duration::from_micros(300)]);
    assert_eq!(typical(&[(20.0, 300)]), [Duration::from_micros(600)]);
}

/// Requests under load cost 40 µs, a new connection 30, a query 35 and the first one 25 more.
fn database() -> (Known, PredictionPlan) {
    let mut plan = Vec::new();
    let mut known = Known::default();
    for (id, keep_alive, queries) in [
        ("plain", false, 0),
        ("queries", false, 4),
        ("kept", true, 0),
        ("two", false, 2),
    ] {
        plan.push(format!(
            "[[calibration]]\nid = \"{id}\"\ndriver = \"http\"\nkeep_alive = {keep_alive}\n\
             calls = {{ counts = {{ sql = {queries} }} }}\n"
        ));
        let connection = if keep_alive { 0 } else { 30 };
        let cpu = 40 + connection + 35 * queries + if queries > 0 { 25 } else { 0 };
        known.learn("starlette", id, cost(100, cpu, cpu));
        // A server that closes every connection, measured by one user alone: a query costs it 20.
        let alone = 90 + 20 * queries;
        known.learn("uwsgi", id, cost(1, alone, alone));
    }
    (known, toml::from_str(&plan.concat()).expect("a plan"))
}

fn query(keep_alive: bool) -> CasePlan {
    let text = format!(
        "id = \"a\"\ndriver = \"http\"\nkeep_alive = {keep_alive}\ncalls = {{ counts = {{ sql = 1 }} }}"
    );
    toml::from_str(&text).expect("a case")
}

/// Microseconds of a request and of a call.
fn costs(costs: &calibration::Costs) -> [u64; 2] {
    [costs.request.mean, costs.calls["sql"].mean].map(|seconds| (seconds * 1e6).round() as u64)
}

#[test]
fn a_connection_and_a_first_query_cost_what_only_their_requests_have() {
    let (known, plan) = database();
    let busy = known
        .costs_of("starlette", Under::Load, &plan)
        .expect("told");
    assert_eq!(costs(&busy.of(&query(false))), [95, 35]);
    assert_eq!(costs(&busy.of(&query(true))), [65, 35]);
    // As before they were told apart: with the connection, and the longest request's mean call.
    assert_eq!(costs(&busy.for_table(&plan)), [70, 41]);
    let closing = known
        .costs_of("uwsgi", Under::OneUser, &plan)
        .expect("told");
    for keep_alive in [false, true] {
        assert_eq!(costs(&closing.of(&query(keep_alive))), [90, 20]);
    }
}

#[test]
fn a_first_call_is_told_of_one_user_only_by_requests_that_wait_alike() {
    let (mut known, mut plan) = database();
    // A first query costs the server 15 µs beside the 20 of each.
    for (id, queries) in [("queries", 4), ("two", 2), ("one", 1), ("eight", 8)] {
        let cpu = 105 + 20 * queries;
        known.alone.remove(&("uwsgi".to_owned(), id.to_owned()));
        known.learn("uwsgi", id, cost(1, cpu, cpu));
    }
    let told = |plan: &PredictionPlan| {
        let costs = known.costs_of("uwsgi", Under::OneUser, plan).expect("told");
        self::costs(&costs.of(&query(false)))
    };
    // Of four requests nothing would be left to judge the fit by.
    assert_ne!(told(&plan), [105, 20]);
    let case = |id: &str, queries: u64| {
        let mut case = query(false);
        id.clone_into(&mut case.id);
        case.calls.counts.insert("sql".to_owned(), queries as f64);
        case
    };
    plan.calibration.extend([case("one", 1), case("eight", 8)]);
    assert_eq!(told(&plan), [105, 20]);
    plan.waits.extend(plan.calibration.drain(3..));
    assert_ne!(told(&plan), [105, 20]);
}

#[test]
fn a_request_lasts_as_long_as_it_takes_to_compute_and_to_serve_what_all_users_ask() {
    let mut known = Known::default();
    known.learn("flask", "a", cost(1, 90_000, 26_000));
    let case = |users: usize| {
        let case = query(true);
        CasePlan {
            users: Some(users),
            ..case
        }
    };
    let by = |cores, workers| Serving { cores, workers };
    let latency = |users, by| known.latency_of("flask", &case(users), by);
    assert_eq!(latency(2, by(1, 16)), Some(Duration::from_millis(90)));
    assert_eq!(latency(32, by(1, 16)), Some(Duration::from_millis(832)));
    assert_eq!(latency(32, by(4, 16)), Some(Duration::from_millis(208)));
    // Two workers have sixteen of them stand in line each, whatever the cores could do.
    assert_eq!(latency(32, by(1, 2)), Some(Duration::from_millis(1_440)));
    assert_eq!(known.latency_of("sanic", &case(32), by(1, 16)), None);
}

#[test]
fn a_first_call_does_not_cost_less_than_nothing() {
    // Calls that get dearer, the more of them there are: a line through two of these requests would have a request
    // without calls cost less than nothing, and so all that make few.
    let plan = |queries: u64| {
        format!(
            "[[calibration]]\nid = \"{queries}\"\ndriver = \"http\"\ncalls = {{ counts = {{ sql = {queries} }} }}\n"
        )
    };
    let plan = [0, 16, 24].map(plan).concat();
    let plan: PredictionPlan = toml::from_str(&plan).expect("a plan");
    let mut known = Known::default();
    for (id, cpu) in [("0", 100), ("16", 1_700), ("24", 3_300)] {
        known.learn("starlette", id, cost(100, cpu, cpu));
    }
    let told = known.costs_of("starlette", Under::Load, &plan);
    let [request, call] = costs(&told.expect("told").of(&query(true)));
    assert!((90..=110).contains(&request), "{request}");
    assert!((100..=130).contains(&call), "{call}");
}

#[test]
fn what_the_calibration_does_not_vary_is_not_told_apart() {
    let (known, mut plan) = database();
    plan.calibration.truncate(2);
    let busy = known
        .costs_of("starlette", Under::Load, &plan)
        .expect("told");
    for keep_alive in [false, true] {
        assert_eq!(costs(&busy.of(&query(keep_alive))), [70, 41]);
    }
}

#[test]
fn a_database_on_one_processor_makes_many_workers_wait() {
    let (mut known, plan) = database();
    for case in &plan.calibration {
        let queries = case.calls.counts.get("sql").copied().unwrap_or(0.0);
        // The generator takes 50 µs of a request, the database 150 of a query.
        let others = Duration::from_micros(50 + 150 * queries as u64);
        let passes = known
            .loaded
            .get_mut(&("starlette".to_owned(), case.id.clone()));
        for cost in passes.expect("it was measured") {
            cost.others = Some(others);
        }
    }
    known.learn("uwsgi", "a", cost(1, 400, 110));
    let runner = |id: &str, side: &str, workers: usize| {
        let text = format!(
            "id = \"{id}\"\nside = \"{side}\"\ncommand = []\nsettings = {{ workers = {workers} }}"
        );
        Runner::new(id, &contender(&text)).expect("a contender")
    };
    let (of, over) = (runner("starlette", "async", 1), runner("uwsgi", "sync", 8));
    let gain = |others| {
        let case = query(false);
        let comparison = Comparison {
            plan: &plan,
            case: &case,
            of: &of,
            over: &over,
            measured: &over,
            warm: None,
            cores: 1,
            others,
            seed: 1,
        };
        let found = known.forecast(&comparison).expect("all is known");
        found.expect("calibrated").gain.estimate
    };
    // The core does 9,090 requests a second of the one side and 7,690 of the other. One processor of the
    // database does 5,000 of both.
    let (one, many) = (gain(1), gain(64));
    assert!((one - 1.0).abs() < 0.05 && many < 0.9, "{one}, {many}");
}
