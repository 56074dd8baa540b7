//! The writer: one thread that puts the recording into its file, once a second when it has changed.
//!
//! The file is replaced as a whole (temporary file, then rename), so that a reader never sees half
//! of it, and a service that is killed loses the last second. What cannot be written is not written:
//! the service goes on. The same thread looks whether recording is to be off.

use std::fs;
use std::io;
use std::path::{Path, PathBuf};
use std::sync::atomic::Ordering::Relaxed;
use std::sync::{Arc, Condvar, Mutex};
use std::thread::JoinHandle;
use std::time::{Duration, Instant};

use nix::sys::signal::SigSet;

use super::state::{State, held};
use super::{OFF_FILE, machine, snapshot};
use crate::read::replace;

/// From one snapshot to the next, if something has changed.
const INTERVAL: Duration = Duration::from_secs(1);
/// A snapshot that takes long is made less often: at most this share of one processor.
const SHARE_MAX: u32 = 100;
/// From one look at the memory to the next.
const MEMORY_INTERVAL: Duration = Duration::from_secs(30);
/// Files in a folder: servers that replace their workers must not fill a disk. Whoever reads a folder with
/// more says that there were more processes.
pub(crate) const FILES_MAX: usize = 2_000;

/// The writing thread of a state.
#[derive(Debug, Default)]
pub(crate) struct Writer {
    phase: Phase,
    thread: Option<JoinHandle<()>>,
    stop: Arc<Stop>,
}

#[derive(Debug, Default, PartialEq, Eq)]
enum Phase {
    #[default]
    NotYet,
    Running,
    Over,
}

/// Tells the thread to end.
#[derive(Debug, Default)]
struct Stop {
    asked: Mutex<bool>,
    bell: Condvar,
}

impl Stop {
    /// Waits for so long, or until it is asked; says which.
    fn wait(&self, limit: Duration) -> bool {
        let asked = held(&self.asked);
        let waited = self.bell.wait_timeout_while(asked, limit, |asked| !*asked);
        waited.map_or(true, |(asked, _)| *asked)
    }
}

/// Starts the thread with the first request.
pub(crate) fn ensure(state: &Arc<State>) {
    // Whoever holds the lock is starting it.
    let Ok(mut writer) = state.writer.try_lock() else {
        return;
    };
    if writer.phase != Phase::NotYet {
        return;
    }
    writer.phase = Phase::Running;
    let (shared, stop) = (Arc::clone(state), Arc::clone(&writer.stop));
    let builder = std::thread::Builder::new().name("corrente-gauge".to_owned());
    writer.thread = builder.spawn(move || run(&shared, &stop)).ok();
    if writer.thread.is_none() {
        // Without a thread nothing would ever be written, so nothing is recorded either.
        state.on.store(false, Relaxed);
    }
}

/// Ends the thread and writes the file for the last time.
pub(crate) fn finish(state: &Arc<State>) {
    let thread = {
        let mut writer = held(&state.writer);
        if writer.phase != Phase::Running {
            return;
        }
        writer.phase = Phase::Over;
        *held(&writer.stop.asked) = true;
        writer.stop.bell.notify_all();
        writer.thread.take()
    };
    state.on.store(false, Relaxed);
    // A panic of that thread has nothing to tell at the end of a process.
    drop(thread.map(JoinHandle::join));
}

/// Writes the file now.
pub(crate) fn flush(state: &State) {
    if held(&state.writer).phase == Phase::Running {
        // What cannot be written now may be in a second.
        drop(write(state));
    }
}

fn write(state: &State) -> io::Result<()> {
    let _one_at_a_time = held(&state.file);
    replace(&file_of(state), &snapshot::snapshot(state).to_json())
}

fn run(state: &Arc<State>, stop: &Stop) {
    // The service's signals are for the service's threads: taken by this one, a signal would not
    // wake the one that waits for it. Without the mask everything else still works.
    SigSet::all().thread_block().ok();
    if rustix::fs::access(&state.settings.folder, rustix::fs::Access::EXISTS).is_err() {
        // The folder is made by whoever asked for the recording; for the one-line middleware, here.
        drop(fs::create_dir_all(&state.settings.folder));
    }
    if count_files(&state.settings.folder) > FILES_MAX {
        state.on.store(false, Relaxed);
        return;
    }
    let is_off = || state.settings.folder.join(OFF_FILE).exists();
    switch(state, is_off());
    // The first snapshot is written in any case: it may have to say why there is nothing in it.
    let mut written = None;
    let mut looked: Option<Instant> = None;
    let mut pause = INTERVAL;
    loop {
        let over = stop.wait(pause);
        let begun = Instant::now();
        let switched = !over && switch(state, is_off());
        if over || looked.is_none_or(|at| at.elapsed() >= MEMORY_INTERVAL) {
            *held(&state.memory) = machine::memory();
            looked = Some(begun);
        }
        let ended = Some(requests_ended(state));
        if (ended != written || over || switched) && write(state).is_ok() {
            written = ended;
        }
        if over {
            return;
        }
        pause = INTERVAL.max(begun.elapsed() * SHARE_MAX);
    }
}

/// Switches recording off or on; says whether that is a change.
fn switch(state: &State, off: bool) -> bool {
    let was_on = state.on.swap(!off, Relaxed);
    if off && was_on {
        held(&state.about).doubt("switched_off", "recording was switched off for a while");
    }
    off == was_on
}

fn requests_ended(state: &State) -> u64 {
    state.tables().iter().map(|table| table.ended.get()).sum()
}

fn count_files(folder: &Path) -> usize {
    fs::read_dir(folder).map_or(0, Iterator::count)
}

/// `HOST-PID-START.json`: a name that no other process has, on this host or another.
fn file_of(state: &State) -> PathBuf {
    let host: String = machine::host()
        .chars()
        .map(|c| {
            if c.is_ascii_alphanumeric() || c == '.' {
                c
            } else {
                '_'
            }
        })
        .collect();
    let (process, started) = (std::process::id(), state.started_unix_ms);
    let name = format!("{host}-{process}-{started}.json");
    state.settings.folder.join(name)
}
