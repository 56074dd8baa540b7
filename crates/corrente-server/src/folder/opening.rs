//! From a path below a folder to an open file, which is in that folder.
//!
//! The kernel sees to that (`openat2(2)` with `RESOLVE_BENEATH`): symbolic links are followed as long as they stay inside, so
//! absolute ones are not. Where there is no such call (before Linux 5.6, or by a sandbox' rule) no links are followed. The
//! folder is opened for each request: it may be a link that is put to the next release while the server runs.

use std::fs::{File, Metadata};
use std::io;
use std::path::{Path, PathBuf};
use std::sync::atomic::{AtomicBool, Ordering};

use rustix::fd::{AsFd as _, OwnedFd};
use rustix::fs::{CWD, Mode, OFlags, ResolveFlags, openat, openat2};
use rustix::io::Errno;

/// How often a file is looked for while others move folders about.
const TRIES: usize = 16;

/// Which symbolic links are followed.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Links {
    /// Those that stay inside.
    Inside,
    None,
}

/// Opens what is below a folder.
#[derive(Debug)]
pub(super) struct Opener {
    root: PathBuf,
    /// The kernel follows paths; else they are followed here, name by name.
    has_kernel: AtomicBool,
}

/// What was found.
#[derive(Debug)]
pub(super) struct Found {
    pub(super) file: File,
    pub(super) metadata: Metadata,
}

impl Opener {
    /// # Errors
    ///
    /// Where the folder cannot be opened, or is none.
    pub(super) fn new(root: PathBuf, links: Links) -> io::Result<Self> {
        let opener = Self {
            root,
            has_kernel: AtomicBool::new(links == Links::Inside),
        };
        opener.root().map(drop)?;
        Ok(opener)
    }

    fn root(&self) -> io::Result<OwnedFd> {
        let flags = OFlags::PATH | OFlags::DIRECTORY | OFlags::CLOEXEC;
        Ok(openat(CWD, &self.root, flags, Mode::empty())?)
    }

    /// For one request.
    pub(super) fn enter(&self) -> io::Result<Entered<'_>> {
        Ok(Entered {
            opener: self,
            root: self.root()?,
        })
    }

    fn resolve(&self, root: &OwnedFd, path: &Path) -> Result<OwnedFd, Errno> {
        if self.has_kernel.load(Ordering::Relaxed) {
            match beneath(root, path) {
                // A sandbox that does not know the call says EPERM.
                Err(Errno::NOSYS | Errno::PERM) => self.has_kernel.store(false, Ordering::Relaxed),
                other => return other,
            }
        }
        name_by_name(root, path)
    }
}

/// A folder that is open.
#[derive(Debug)]
pub(super) struct Entered<'a> {
    opener: &'a Opener,
    root: OwnedFd,
}

impl Entered<'_> {
    /// Opens a file or folder; the empty path is the folder itself.
    pub(super) fn open(&self, path: &Path) -> io::Result<Found> {
        let path = if path.as_os_str().is_empty() {
            Path::new(".")
        } else {
            path
        };
        let file = File::from(self.opener.resolve(&self.root, path)?);
        let metadata = file.metadata()?;
        Ok(Found { file, metadata })
    }

    /// Opens a file; what is none is as good as not there.
    pub(super) fn regular(&self, path: &Path) -> io::Result<Found> {
        let found = self.open(path)?;
        if found.metadata.is_file() {
            Ok(found)
        } else {
            Err(Errno::NOENT.into())
        }
    }
}

/// What is opened need not be a file: it must not keep us waiting, nor become our terminal.
fn flags() -> OFlags {
    OFlags::RDONLY | OFlags::CLOEXEC | OFlags::NONBLOCK | OFlags::NOCTTY
}

fn beneath(root: &OwnedFd, path: &Path) -> Result<OwnedFd, Errno> {
    let within = ResolveFlags::BENEATH | ResolveFlags::NO_MAGICLINKS;
    for _ in 1..TRIES {
        match openat2(root, path, flags(), Mode::empty(), within) {
            // The kernel could not be sure, since something was moved meanwhile.
            Err(Errno::AGAIN | Errno::INTR) => {}
            other => return other,
        }
    }
    openat2(root, path, flags(), Mode::empty(), within)
}

fn name_by_name(root: &OwnedFd, path: &Path) -> Result<OwnedFd, Errno> {
    let through = OFlags::PATH | OFlags::DIRECTORY | OFlags::CLOEXEC | OFlags::NOFOLLOW;
    let mut folder: Option<OwnedFd> = None;
    let mut names = path.iter().peekable();
    while let Some(name) = names.next() {
        let here = folder
            .as_ref()
            .map_or(root.as_fd(), |folder| folder.as_fd());
        if names.peek().is_none() {
            return openat(here, name, flags() | OFlags::NOFOLLOW, Mode::empty());
        }
        folder = Some(openat(here, name, through, Mode::empty())?);
    }
    Err(Errno::NOENT)
}
