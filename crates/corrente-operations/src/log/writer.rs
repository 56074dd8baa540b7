//! Writes lines into a file without holding up who logs them.
//!
//! A line goes into memory; a thread writes what has gathered, whole lines in one call, at most ten times
//! a second. The loop's thread never waits for a disk: where the memory is full, because the disk is, lines
//! are counted instead of kept. That writing fails is said once, and how many lines were lost when it works again.

use std::fs::{File, OpenOptions};
use std::io::{self, Write as _};
use std::path::{Path, PathBuf};
use std::sync::{Arc, Condvar, Mutex, MutexGuard, PoisonError};
use std::thread::JoinHandle;
use std::time::Duration;

/// Bytes of lines that wait. A disk that takes nothing is noticed long before.
const WAITING_BYTES: usize = 4 * 1024 * 1024;

/// Memory that is kept for lines: as much as the busiest worker gathers.
const KEPT_BYTES: usize = 2 * 1024 * 1024;

/// For lines to gather: nobody reads a log faster, and a write for each line would cost as much as the request.
const GATHERING: Duration = Duration::from_millis(100);

/// Where lines go.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Target {
    /// Standard output.
    Standard,
    /// A file, which is made where it is missing and appended to.
    File(PathBuf),
}

/// What has to be said about a log.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum Trouble {
    /// It cannot be written; why.
    #[error("it cannot be written, the service goes on without: {0}")]
    Cannot(String),
    /// So many lines are lost.
    #[error("{0} lines of it are lost")]
    Lost(u64),
}

/// A log that is written by a thread of its own; it is written out and closed with this value.
#[derive(Debug)]
pub struct Writer {
    shared: Arc<Shared>,
    thread: Mutex<Option<JoinHandle<()>>>,
}

#[derive(Debug)]
struct Shared {
    state: Mutex<State>,
    changed: Condvar,
}

#[derive(Debug, Default)]
struct State {
    waiting: Vec<u8>,
    lost: u64,
    reopens: bool,
    ends: bool,
}

impl Shared {
    fn lock(&self) -> MutexGuard<'_, State> {
        // Whoever panicked left whole lines.
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Writer {
    /// Opens the target; `report` hears of trouble, on the writer's thread.
    ///
    /// # Errors
    ///
    /// Where the file cannot be opened, or no thread be had.
    pub fn open(target: Target, report: impl FnMut(Trouble) + Send + 'static) -> io::Result<Self> {
        let file = open(&target)?;
        let shared = Arc::new(Shared {
            state: Mutex::default(),
            changed: Condvar::new(),
        });
        let writing = Writing {
            shared: Arc::clone(&shared),
            memory: Vec::new(),
            target,
            file,
            report: Box::new(report),
            trouble: None,
            is_torn: false,
            lost: 0,
        };
        let named = std::thread::Builder::new().name("corrente-log".to_owned());
        let thread = named.spawn(move || writing.run())?;
        Ok(Self {
            shared,
            thread: Mutex::new(Some(thread)),
        })
    }

    /// Takes lines, each with its end. Never waits for the disk.
    pub fn write(&self, lines: &[u8]) {
        let mut state = self.shared.lock();
        if state.waiting.len() + lines.len() > WAITING_BYTES {
            state.lost += ends_of_lines(lines);
            return;
        }
        let was_empty = state.waiting.is_empty();
        state.waiting.extend_from_slice(lines);
        drop(state);
        if was_empty {
            self.shared.changed.notify_one();
        }
    }

    /// Opens the file again, after what was written before: it has been moved away.
    pub fn reopen(&self) {
        self.shared.lock().reopens = true;
        self.shared.changed.notify_one();
    }

    /// Writes out what waits; what comes later is dropped.
    pub fn finish(&self) {
        self.shared.lock().ends = true;
        self.shared.changed.notify_one();
        let mut thread = self.thread.lock().unwrap_or_else(PoisonError::into_inner);
        if let Some(thread) = thread.take() {
            // It has told of its trouble itself.
            thread.join().ok();
        }
    }
}

impl Drop for Writer {
    fn drop(&mut self) {
        self.finish();
    }
}

struct Writing {
    shared: Arc<Shared>,
    /// Memory for lines, which is exchanged with that in which they gather.
    memory: Vec<u8>,
    target: Target,
    file: File,
    report: Box<dyn FnMut(Trouble) + Send>,
    /// Why writing failed the last time, unless it has worked since.
    trouble: Option<String>,
    /// The last line in the file was cut off by what went wrong.
    is_torn: bool,
    /// Lines that nobody was told of.
    lost: u64,
}

impl Writing {
    fn run(mut self) {
        let shared = Arc::clone(&self.shared);
        loop {
            let mut state = shared.lock();
            while state.waiting.is_empty() && !state.reopens && !state.ends {
                let waited = shared.changed.wait(state);
                state = waited.unwrap_or_else(PoisonError::into_inner);
            }
            if !state.ends && !state.reopens {
                let gathered = shared.changed.wait_timeout(state, GATHERING);
                state = gathered.unwrap_or_else(PoisonError::into_inner).0;
            }
            let memory = std::mem::take(&mut self.memory);
            let lines = std::mem::replace(&mut state.waiting, memory);
            let lost = std::mem::take(&mut state.lost);
            let reopens = std::mem::take(&mut state.reopens);
            let ends = state.ends;
            drop(state);
            self.put(&lines, lost);
            self.keep(lines);
            if reopens {
                self.reopen();
            }
            if ends {
                self.tell_lost();
                return;
            }
        }
    }

    /// Keeps the memory of lines that are written, unless they were unusually many.
    fn keep(&mut self, mut lines: Vec<u8>) {
        if lines.capacity() <= KEPT_BYTES {
            lines.clear();
            self.memory = lines;
        }
    }

    fn put(&mut self, lines: &[u8], lost: u64) {
        self.lost += lost;
        if lines.is_empty() {
            return;
        }
        if let Err(stopped) = self.end_torn() {
            self.lost += ends_of_lines(lines);
            return self.fails(stopped.why);
        }
        match self.put_all(lines) {
            Ok(()) => {
                self.trouble = None;
                self.tell_lost();
            }
            // A full disk: what is left of these lines is lost, those that come are tried again.
            Err(Stopped { left, why }) => {
                let (gone, left) = lines.split_at(lines.len() - left);
                self.is_torn = gone.last().is_some_and(|byte| *byte != b'\n');
                self.lost += ends_of_lines(left);
                self.fails(why);
            }
        }
    }

    /// Ends a line that was cut off, so that the next one is whole.
    fn end_torn(&mut self) -> Result<(), Stopped> {
        if self.is_torn {
            self.put_all(b"\n")?;
            self.is_torn = false;
        }
        Ok(())
    }

    fn put_all(&mut self, bytes: &[u8]) -> Result<(), Stopped> {
        let mut rest = bytes;
        while !rest.is_empty() {
            match self.file.write(rest) {
                Ok(bytes) => rest = &rest[bytes..],
                Err(error) if error.kind() == io::ErrorKind::Interrupted => {}
                Err(error) => {
                    let why = error.to_string();
                    return Err(Stopped {
                        left: rest.len(),
                        why,
                    });
                }
            }
        }
        Ok(())
    }

    /// Says it once: a disk stays full for longer than anybody wants to read of it.
    fn fails(&mut self, why: String) {
        if self.trouble.as_ref() != Some(&why) {
            (self.report)(Trouble::Cannot(why.clone()));
            self.trouble = Some(why);
        }
    }

    fn tell_lost(&mut self) {
        if self.lost > 0 {
            (self.report)(Trouble::Lost(std::mem::take(&mut self.lost)));
        }
    }

    fn reopen(&mut self) {
        match open(&self.target) {
            Ok(file) => {
                self.file = file;
                self.is_torn = false;
            }
            // The old one is better than none.
            Err(error) => self.fails(error.to_string()),
        }
    }
}

/// A write that has stopped, with so many bytes left, and why.
struct Stopped {
    left: usize,
    why: String,
}

fn ends_of_lines(lines: &[u8]) -> u64 {
    lines.split(|byte| *byte == b'\n').count().saturating_sub(1) as u64
}

fn open(target: &Target) -> io::Result<File> {
    match target {
        Target::Standard => {
            use std::os::fd::AsFd as _;
            Ok(File::from(io::stdout().as_fd().try_clone_to_owned()?))
        }
        Target::File(path) => append(path),
    }
}

/// Appending, so that several workers write whole lines into one file.
fn append(path: &Path) -> io::Result<File> {
    OpenOptions::new().append(true).create(true).open(path)
}

#[cfg(test)]
mod tests {
    use std::fs;
    use std::io::Read as _;
    use std::os::fd::OwnedFd;
    use std::sync::mpsc;

    use super::*;

    #[test]
    fn what_is_written_is_there_when_it_is_closed() {
        let folder = tempfile::tempdir().expect("a folder");
        let path = folder.path().join("access.log");
        let target = Target::File(path.clone());
        let writer = Writer::open(target, |trouble| panic!("{trouble:?}")).expect("it opens");
        writer.write(b"one\n");
        writer.write(b"two\n");
        drop(writer);
        assert_eq!(fs::read_to_string(path).expect("it is there"), "one\ntwo\n");
    }

    #[test]
    fn a_file_that_was_moved_away_is_made_anew() {
        let folder = tempfile::tempdir().expect("a folder");
        let path = folder.path().join("access.log");
        let moved = folder.path().join("access.log.1");
        let target = Target::File(path.clone());
        let writer = Writer::open(target, |trouble| panic!("{trouble:?}")).expect("it opens");
        writer.write(b"before\n");
        fs::rename(&path, &moved).expect("moved");
        writer.reopen();
        // Until the new file is there, so that the line goes to it.
        while !path.exists() {
            std::thread::yield_now();
        }
        writer.write(b"after\n");
        drop(writer);
        assert_eq!(fs::read_to_string(moved).expect("it is there"), "before\n");
        assert_eq!(fs::read_to_string(path).expect("it is there"), "after\n");
    }

    #[test]
    fn a_full_disk_is_told_with_what_is_lost() {
        let (sender, trouble) = mpsc::channel();
        // Takes nothing, as a full disk (full(4)).
        let target = Target::File("/dev/full".into());
        let writer = Writer::open(target, move |said| drop(sender.send(said))).expect("it opens");
        writer.write(b"one\ntwo\n");
        drop(writer);
        let told: Vec<Trouble> = trouble.iter().collect();
        assert!(
            matches!(&told[0], Trouble::Cannot(why) if why.contains("No space")),
            "{told:?}"
        );
        assert_eq!(told[1..], [Trouble::Lost(2)]);
    }

    #[test]
    fn a_disk_that_stays_full_is_told_once() {
        let (sender, trouble) = mpsc::channel();
        let target = Target::File("/dev/full".into());
        let writer = Writer::open(target, move |said| drop(sender.send(said))).expect("it opens");
        writer.write(b"one\n");
        // The writer has tried, and failed, when it says so.
        assert!(matches!(trouble.recv(), Ok(Trouble::Cannot(_))));
        writer.write(b"two\n");
        drop(writer);
        assert_eq!(trouble.iter().collect::<Vec<_>>(), [Trouble::Lost(2)]);
    }

    #[test]
    fn a_line_that_was_cut_off_ends_before_the_next() {
        // A pipe that is full is a disk that is, and has room again once it is read.
        let (mut reader, writer) = io::pipe().expect("a pipe");
        rustix::io::ioctl_fionbio(&writer, true).expect("it can be full");
        let mut writing = Writing {
            shared: Arc::new(Shared {
                state: Mutex::default(),
                changed: Condvar::new(),
            }),
            memory: Vec::new(),
            target: Target::Standard,
            file: File::from(OwnedFd::from(writer)),
            report: Box::new(drop),
            trouble: None,
            is_torn: false,
            lost: 0,
        };
        let long = vec![b'x'; 1024 * 1024];
        writing.put(&long, 0);
        let mut room = vec![0; long.len()];
        let read = reader.read(&mut room).expect("what has gone");
        assert!(read < long.len());
        writing.put(b"next\n", 0);
        let read = reader.read(&mut room).expect("what has come");
        assert_eq!(&room[..read], b"\nnext\n");
    }

    #[test]
    fn memory_is_bounded_and_what_goes_over_is_counted() {
        let (sender, trouble) = mpsc::channel();
        let target = Target::File("/dev/null".into());
        let writer = Writer::open(target, move |said| drop(sender.send(said))).expect("it opens");
        let mut lines = vec![b'x'; WAITING_BYTES + 1];
        lines.push(b'\n');
        writer.write(&lines);
        writer.write(b"fits\n");
        drop(writer);
        assert_eq!(trouble.iter().collect::<Vec<_>>(), [Trouble::Lost(1)]);
    }
}
