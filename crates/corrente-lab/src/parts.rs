//! The real parts beside the contenders: the origin and the database of a scenario.
//!
//! They start before the contenders, run on the processors of the generator, and end with the
//! scenario. Knows how to start them; what they are is in `origin` and `postgres`.

use std::collections::BTreeMap;
use std::ffi::OsString;
use std::net::{Ipv4Addr, SocketAddr};
use std::path::Path;
use std::time::{Duration, Instant};

use crate::error::LabError;
use crate::part::{Part, PartPlan, Stop};
use crate::postgres::Postgres;
use crate::runner::Run;
use crate::scenario::{OriginPlan, Scenario};
use crate::{ports, probe, process_tree};

/// How long the origin may take to answer.
const START_LIMIT: Duration = Duration::from_secs(15);

const PACE: Duration = Duration::from_millis(20);

/// The running parts of a scenario.
#[derive(Debug)]
pub(crate) struct Parts {
    origin: Option<(Part, u16)>,
    postgres: Option<Postgres>,
}

impl Parts {
    pub(crate) fn start(run: &Run<'_>, scenario: &Scenario, work: &Path) -> Result<Self, LabError> {
        let origin = match scenario.parts.origin {
            Some(plan) => Some(start_origin(run, scenario, plan, work)?),
            None => None,
        };
        let postgres = if scenario.parts.postgres {
            let rows = work.join("postgres.sql");
            crate::store::write(&rows, &run.files.text("postgres.sql")?)?;
            Some(Postgres::prepare(run.stacks, work, &rows, run.postgres)?)
        } else {
            None
        };
        Ok(Self { origin, postgres })
    }

    pub(crate) fn origin_address(&self) -> Option<String> {
        self.origin
            .as_ref()
            .map(|(_, port)| format!("http://127.0.0.1:{port}"))
    }

    pub(crate) fn postgres_address(&self) -> Option<String> {
        self.postgres.as_ref().map(|database| database.url.clone())
    }

    pub(crate) fn postgres_version(&self) -> Option<&str> {
        self.postgres
            .as_ref()
            .map(|database| database.version.as_str())
    }

    /// Root processes.
    pub(crate) fn roots(&self) -> Vec<u32> {
        let origin = self.origin.as_ref().map(|(part, _)| part.root());
        let server = self
            .postgres
            .as_ref()
            .and_then(|database| database.server.as_ref());
        origin.into_iter().chain(server.map(Part::root)).collect()
    }

    /// Binds them to these processors; a backend that PostgreSQL starts later inherits it.
    pub(crate) fn pin(&self, processors: &[usize]) {
        for root in self.roots() {
            process_tree::pin_tree(root, processors);
        }
    }
}

fn start_origin(
    run: &Run<'_>,
    scenario: &Scenario,
    plan: OriginPlan,
    work: &Path,
) -> Result<(Part, u16), LabError> {
    let port = ports::free()?;
    let mut command: Vec<OsString> = run.corrente.to_vec();
    command.extend(["lab".into(), "serve-origin".into()]);
    let flags = [
        ("--port", port.to_string()),
        ("--seed", run.seed.to_string()),
        ("--median-ms", plan.median_ms.to_string()),
        ("--sigma", plan.sigma.to_string()),
        ("--error-rate", plan.error_rate.to_string()),
        ("--concurrency-limit", plan.concurrency_limit.to_string()),
        ("--body-bytes", plan.body_bytes.to_string()),
    ];
    for (flag, value) in flags {
        command.extend([flag.into(), value.into()]);
    }
    let mut part = Part::start(&PartPlan {
        name: "origin".to_owned(),
        command,
        environment: BTreeMap::new(),
        directory: work.to_owned(),
        log: run.logs.join(&scenario.name).join("origin.log"),
        output: None,
        user: None,
        stop: Stop::Kill,
    })?;
    wait_until_ready(&mut part, port)?;
    Ok((part, port))
}

fn wait_until_ready(part: &mut Part, port: u16) -> Result<(), LabError> {
    let address: SocketAddr = (Ipv4Addr::LOCALHOST, port).into();
    let deadline = Instant::now() + START_LIMIT;
    loop {
        match probe::ask(address, "/ready", probe::ANSWER_LIMIT) {
            Ok(answer) if answer.status == 200 => return Ok(()),
            _ => {}
        }
        if let Some(status) = part.ended() {
            return Err(part.failure(status));
        }
        if Instant::now() > deadline {
            return Err(LabError::Start {
                part: part.name.clone(),
                reason: format!("not ready after {START_LIMIT:?}: {}", part.last_words()),
            });
        }
        std::thread::sleep(PACE);
    }
}
