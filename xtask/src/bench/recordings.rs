//! `cargo xtask bench recordings`: how far `gauge predict` is off where all that it has is a recording of
//! sync workers.
//!
//! Points of the lab's grid are recorded once more: their synchronous side alone, by `gauge run`. What is
//! predicted from each recording, by the shipped costs and by those that the lab's run has calibrated, takes
//! the place of the run's own predictions in its result; accuracy is reckoned as for those
//! (`model::accuracy`). Each is predicted once more as if it did not tell what its calls took. The gains are
//! the run's, so the machine has to be the one that it ran on.

mod points;

use std::collections::BTreeMap;
use std::fs;
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};

use corrente_report::result::{Interval, LabResult, ScenarioResult};
use serde_json::Value;

use self::points::Point;
use super::children::{Guard, Interruption, free_port, pinned};
use super::conditions;
use super::document::Published;
use super::gunicorn::{Kind, Place, Service, Switch};
use super::model::accuracy::{Families, Table};
use super::model::read;
use super::options::{self, Word};
use super::place::OTHER_CPU;
use super::programs::{self, Program};
use crate::extension;
use crate::failure::Failure;
use crate::python::Environment;
use crate::step::{Project, cannot_start, output};

pub(super) const USAGE: &str = "\
cargo xtask bench recordings [--result RESULT.json] [--write]

  --result FILE   the gains that are to be predicted: a full lab run of `formula` on this machine
                  (default: docs/evidence/formula-xeon.json)
  --write         put the figures into docs/BENCHMARKS.md
";

/// A full run of the grid, and the machine that it ran on is named in it.
const RESULT: &str = "docs/evidence/formula-xeon.json";
/// The scenario that is the grid.
const GRID: &str = "formula";
const PROGRAMS: [Program; 1] = [("calls.py", include_str!("recordings/calls.py"))];

/// What a recording is predicted from: the costs that come with Corrente, and those of the lab's run.
const SHIPPED: usize = 0;
const CALIBRATED: usize = 1;

/// What of a recording is predicted from.
const FORMS: [&str; 2] = [
    "From recordings that tell what their calls took",
    "From the same recordings, as if they did not: what such calls took elsewhere",
];

/// A gain that was predicted, or why there is none.
type Gain = Result<Interval, String>;

/// Of each point the gain by the shipped costs and by the calibrated ones.
type Predictions = BTreeMap<(&'static str, String), [Gain; 2]>;

/// Seconds of load before a recording: each worker's first requests import what waits for them, connect, and
/// are not what a service costs that has been there for longer.
const WARM_UP_S: u32 = 2;

/// A recording lasts so many times as long as the lab's run says at most.
const LOADS_MOST: u32 = 4;

/// Records, predicts and prints how far off that is.
pub(super) fn recordings(project: &Project, arguments: &[String]) -> Result<(), Failure> {
    let mut path = project.root.join(RESULT);
    let asked = options::parse_with("recordings", [], arguments, |word, rest| {
        if word != "--result" {
            return Ok(Word::Unknown);
        }
        let missing = || Failure::usage("`--result` needs a file".to_owned());
        path = PathBuf::from(rest.next().ok_or_else(missing)?);
        Ok(Word::Taken)
    })?;
    conditions::two_processors()?;
    let published = Published::wanted(asked.outcome, &project.root, "recordings")?;
    let mut result = read(&path)?;
    let families = Families::read(&project.root.join(format!("lab/scenarios/{GRID}.toml")))?;
    let environment = extension::service(project)?;
    let text = heading(project, &environment, &result)?;
    println!("{text}");
    let scenario = result.scenarios.iter_mut().find(|one| one.name == GRID);
    let lacks = || Failure::usage(format!("{} has no run of `{GRID}`", path.display()));
    let scenario = scenario.ok_or_else(lacks)?;
    let bench = Bench::prepare(project, &environment, &path)?;
    let predictions = bench.run(&points::of(scenario, &families))?;
    fs::remove_dir_all(&bench.place.folder).ok();
    let mut tables = Vec::new();
    for (title, predictions) in FORMS.iter().zip(&predictions) {
        replace(scenario, predictions);
        let nothing = || Failure::step("nothing was predicted".to_owned());
        let table = Table::of(scenario, &families).ok_or_else(nothing)?;
        tables.push(format!("{title}\n\n{table}"));
    }
    let tables = format!("{}\n{}", lacking(&predictions[0]), tables.join("\n"));
    println!("{tables}");
    let text = format!("{text}\n{tables}");
    published.map_or(Ok(()), |published| published.write(&text))
}

fn heading(
    project: &Project,
    environment: &Environment,
    result: &LabResult,
) -> Result<String, Failure> {
    let packages = ["corrente", "flask", "gunicorn", "requests"];
    let versions = conditions::versions(project, environment, &packages)?;
    let conditions = conditions::describe()?;
    let (cpu, date) = (&result.machine.cpu, &result.started_at);
    Ok(format!(
        "{versions}\n{conditions}\ngains: measured on {cpu}, {date}\n"
    ))
}

/// What runs while points are recorded.
struct Bench {
    place: Place,
    /// The service that is called.
    _origin: Guard,
    costs: PathBuf,
    interruption: Interruption,
}

impl Bench {
    fn prepare(
        project: &Project,
        environment: &Environment,
        result: &Path,
    ) -> Result<Self, Failure> {
        let folder = programs::write(project, "bench-recordings", &PROGRAMS)?;
        let corrente = environment.program("corrente");
        let costs = folder.join("costs.toml");
        let mut calibrate = Command::new(&corrente);
        calibrate.args(["gauge", "calibrate"]).arg(result);
        calibrate.arg("--out").arg(&costs);
        output(calibrate.env("CORRENTE_LAB", project.root.join("lab")))?;
        let port = free_port()?;
        let mut command = pinned(OTHER_CPU, &corrente);
        command.args(["lab", "serve-origin", "--port", &port.to_string()]);
        command.stdout(Stdio::null());
        let origin = command.spawn();
        let origin = Guard(origin.map_err(|error| cannot_start(&command, &error))?);
        let apps = project.root.join("lab/apps");
        Ok(Self {
            place: Place {
                gunicorn: environment.program("gunicorn"),
                corrente,
                folder,
                app: "calls:app",
                environment: vec![
                    ("PYTHONPATH", apps.display().to_string()),
                    ("LAB_ORIGIN", format!("http://127.0.0.1:{port}")),
                ],
            },
            _origin: origin,
            costs,
            interruption: Interruption::listen()?,
        })
    }

    /// The predictions of each of the [`FORMS`].
    fn run(&self, points: &[Point]) -> Result<[Predictions; 2], Failure> {
        let mut found = [Predictions::new(), Predictions::new()];
        for (number, point) in points.iter().enumerate() {
            self.interruption.check()?;
            let recording = self.record(point)?;
            let forms = [recording.clone(), untold(&recording)?];
            let (over, case, count) = (point.over, &point.case, points.len());
            let mut line = format!("{}/{count} {over}, {case}:", number + 1);
            for (form, found) in forms.iter().zip(&mut found) {
                let gains = [
                    self.predict(form, None)?,
                    self.predict(form, Some(&self.costs))?,
                ];
                for gain in &gains {
                    let shown = gain.as_ref();
                    let shown =
                        shown.map_or("-".to_owned(), |gain| format!("{:.2}", gain.estimate));
                    line = format!("{line} {shown}");
                }
                found.insert((over, case.clone()), gains);
            }
            eprintln!("{line}");
        }
        Ok(found)
    }

    /// The synchronous side under its load, recorded once all of its workers are there and warm.
    fn record(&self, point: &Point) -> Result<PathBuf, Failure> {
        let arguments = format!("--workers {} --backlog 2048", point.workers);
        let service = Service::start(&self.place, Kind::Recorded, &arguments, &self.interruption)?;
        service.rest(&self.interruption)?;
        service.switch(Switch::Off)?;
        let load = |seconds| service.load(&self.place, &point.path, point.users, seconds);
        load(WARM_UP_S)?;
        service.switch(Switch::On)?;
        let mut recorded = 0.0;
        // A machine that is slower than it was needs longer.
        for _ in 0..LOADS_MOST {
            recorded += load(point.seconds)?.requests;
            if recorded >= points::REQUESTS {
                break;
            }
        }
        service.recorded(&self.interruption)
    }

    /// The gain that is predicted from a recording.
    fn predict(&self, recording: &Path, costs: Option<&Path>) -> Result<Gain, Failure> {
        let mut command = Command::new(&self.place.corrente);
        command.args(["gauge", "predict", "--json"]).arg(recording);
        if let Some(costs) = costs {
            command.arg("--costs").arg(costs);
        }
        let ended = command
            .output()
            .map_err(|error| cannot_start(&command, &error))?;
        if !ended.status.success() {
            // So where there were too few requests, which its last line says.
            let text = String::from_utf8_lossy(&ended.stderr);
            return Ok(Err(reason(&text, recording)));
        }
        let said: Value = serde_json::from_slice(&ended.stdout).map_err(|error| {
            Failure::step(format!("`gauge predict` did not print JSON: {error}"))
        })?;
        let code = || {
            said["judgement"]["reason"]["code"]
                .as_str()
                .unwrap_or("no gain is told")
        };
        Ok(interval(&said["gain"]).ok_or_else(|| code().to_owned()))
    }
}

/// The last line of what was said, without the names of the program and of the recording.
fn reason(said: &str, recording: &Path) -> String {
    let last = said.lines().last().unwrap_or_default();
    let start = format!("corrente: {}: ", recording.display());
    last.strip_prefix(&start).unwrap_or(last).to_owned()
}

/// A copy of a recording that does not tell of its calls all that they took.
fn untold(recording: &Path) -> Result<PathBuf, Failure> {
    let failed = |error: String| Failure::step(format!("{}: {error}", recording.display()));
    let text = fs::read_to_string(recording).map_err(|error| failed(error.to_string()))?;
    let mut document: Value =
        serde_json::from_str(&text).map_err(|error| failed(error.to_string()))?;
    without_entered(&mut document);
    let path = recording.with_extension("untold.json");
    fs::write(&path, document.to_string()).map_err(|error| failed(error.to_string()))?;
    Ok(path)
}

fn without_entered(recording: &mut Value) {
    let endpoints = recording["endpoints"].as_array_mut().into_iter().flatten();
    let calls = endpoints.flat_map(|one| one["calls"].as_array_mut().into_iter().flatten());
    for calls in calls.filter_map(Value::as_object_mut) {
        calls.remove("entered");
    }
}

fn interval(value: &Value) -> Option<Interval> {
    let [estimate, low, high] = ["estimate", "low", "high"].map(|name| value[name].as_f64());
    Some(Interval {
        estimate: estimate?,
        low: low?,
        high: high?,
    })
}

/// Which recordings gave no prediction: whoever reads the errors has to know what they leave out.
fn lacking(predictions: &Predictions) -> String {
    let why = |gains: &[Gain; 2]| match gains {
        [Err(why), Err(_)] => Some(why.clone()),
        _ => None,
    };
    let names: Vec<_> = (predictions.iter())
        .filter_map(|((over, case), gains)| Some(format!("  {over}, {case}: {}\n", why(gains)?)))
        .collect();
    let (count, of) = (names.len(), predictions.len());
    format!(
        "without a prediction, and not judged: {count} of {of} recordings\n{}",
        names.concat()
    )
}

/// Puts predictions in the place of the run's own. Points without one are not judged.
fn replace(scenario: &mut ScenarioResult, predictions: &Predictions) {
    scenario.tails.clear();
    for finding in &mut scenario.findings {
        for point in &mut finding.points {
            let mut all = predictions.iter();
            let gains = all.find(|((over, case), _)| {
                finding.of == points::OF && finding.over == *over && point.case == *case
            });
            let of = |source: usize| gains.and_then(|(_, gains)| gains[source].clone().ok());
            (point.shipped, point.predicted) = (of(SHIPPED), of(CALIBRATED));
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// The run that is judged by default.
    fn grid() -> (ScenarioResult, Families) {
        let root = Path::new(env!("CARGO_MANIFEST_DIR")).join("..");
        let result = read(&root.join(RESULT)).expect("it is in the repository");
        let mut scenarios = result.scenarios.into_iter();
        let scenario = scenarios.find(|one| one.name == GRID).expect("it ran");
        let families = Families::read(&root.join("lab/scenarios/formula.toml"));
        (scenario, families.expect("it is one"))
    }

    #[test]
    fn points_are_those_that_a_recording_can_tell_within_some_minutes() {
        let (scenario, families) = grid();
        let points = points::of(&scenario, &families);
        let has = |over: &str, case: &str| {
            let mut all = points.iter();
            all.any(|one| one.over == over && one.case == case)
        };
        assert!(has("flask-1", "cpu-bound") && has("flask-16", "calls-20-latency-5-cpu-1"));
        // Its users are what limits, its requests take too long, and its calls are at once.
        assert!(!has("flask-4", "io-only") && !has("flask-1", "calls-20-latency-5-cpu-1"));
        assert!(!has("flask-4", "calls-5-together") && !has("flask-4", "query"));
        let seconds: u32 = points.iter().map(|one| one.seconds + 10).sum();
        assert!(seconds < 16 * 60, "{seconds} s");
        let one = points.iter().find(|one| one.case == "io-equals-cpu");
        let one = one.expect("it is there");
        assert_eq!(one.path, "/calls?calls=1&latency_ms=10&cpu_ms=10");
    }

    #[test]
    fn a_recording_that_does_not_tell_is_the_same_otherwise() {
        let calls =
            |calls: Value| serde_json::json!({"endpoints": [{"name": "GET /", "calls": [calls]}]});
        let mut told = calls(serde_json::json!({"cpu_ns": 7, "entered": true}));
        without_entered(&mut told);
        assert_eq!(told, calls(serde_json::json!({"cpu_ns": 7})));
    }

    #[test]
    fn why_nothing_was_predicted_is_the_last_line_that_was_said() {
        let said = "a warning\ncorrente: b/c.json: cannot tell from so few requests (7)\n";
        let found = reason(said, Path::new("b/c.json"));
        assert_eq!(found, "cannot tell from so few requests (7)");
        assert_eq!(reason("killed", Path::new("b/c.json")), "killed");
    }

    #[test]
    fn what_was_not_predicted_is_not_judged() {
        let (mut scenario, families) = grid();
        let gain = Interval {
            estimate: 2.0,
            low: 1.5,
            high: 2.5,
        };
        let key = ("flask-4", "io-equals-cpu".to_owned());
        let other = ("flask-16", "cpu-bound".to_owned());
        let few = || Err("too few requests".to_owned());
        let predictions = [(key, [Ok(gain), few()]), (other, [few(), few()])].into();
        let said = lacking(&predictions);
        assert!(
            said.ends_with(": 1 of 2 recordings\n  flask-16, cpu-bound: too few requests\n"),
            "{said}"
        );
        replace(&mut scenario, &predictions);
        let text = Table::of(&scenario, &families)
            .expect("one point")
            .to_string();
        assert!(text.contains("formula: 1 points"), "{text}");
        assert!(
            text.contains("nothing of the async side (1 points)"),
            "{text}"
        );
        assert!(!text.contains("calibrated on the machine"), "{text}");
    }
}
