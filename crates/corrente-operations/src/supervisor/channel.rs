//! The channel between a parent and a worker: settings go down it, a few words come up.
//!
//! A pair of Unix sockets, so that each notices when the other is gone. Settings go this way and not
//! through the environment: that is seen by the application and by `ps`, and passwords are among them.
//! A worker that is not ours needs three things: the number in [`CHANNEL_VARIABLE`], the first line that it
//! reads there, and to write `ready`.

use std::collections::BTreeMap;
use std::io::{self, BufRead as _, BufReader, ErrorKind, Read as _, Write as _};
use std::os::fd::{AsFd, AsRawFd as _, BorrowedFd, OwnedFd};
use std::os::unix::net::UnixStream;
use std::time::Duration;

use rustix::io::FdFlags;
use rustix::process::Signal;
use serde::{Deserialize, Serialize};

use super::message::Message;
use crate::ffi;
use crate::listen::{self, ListenError, Listener};
use crate::settings::{SettingsError, Values};

/// The number of the channel's descriptor; that it is set makes a process a worker.
pub const CHANNEL_VARIABLE: &str = "CORRENTE_CHANNEL";

/// A worker says less than this before its parent has read it.
const UNREAD_BYTES: usize = 64 * 1024;

/// The first line has some kilobytes and fits the socket's buffer; a worker that never reads must not hold
/// its parent up even if not.
const PATIENCE: Duration = Duration::from_secs(1);

/// The first line.
#[derive(Debug, Serialize, Deserialize)]
struct Told {
    worker: u64,
    listeners: Vec<i32>,
    settings: BTreeMap<String, Vec<String>>,
}

/// The parent's end.
#[derive(Debug)]
pub(super) struct ParentEnd {
    stream: UnixStream,
    unread: Vec<u8>,
}

impl ParentEnd {
    /// Both ends. The worker's is handed down to what is started while it is held.
    pub(super) fn pair() -> io::Result<(Self, OwnedFd)> {
        let (stream, theirs) = UnixStream::pair()?;
        rustix::io::fcntl_setfd(&theirs, FdFlags::empty())?;
        let unread = Vec::new();
        Ok((Self { stream, unread }, theirs.into()))
    }

    /// Says the first line.
    pub(super) fn tell(
        &mut self,
        worker: u64,
        listeners: &[Listener],
        settings: &BTreeMap<String, Vec<String>>,
    ) -> io::Result<()> {
        let told = Told {
            worker,
            listeners: listeners.iter().map(Listener::number).collect(),
            settings: settings.clone(),
        };
        let mut line = serde_json::to_vec(&told).map_err(io::Error::other)?;
        line.push(b'\n');
        self.stream.set_write_timeout(Some(PATIENCE))?;
        self.stream.write_all(&line)?;
        self.stream.set_nonblocking(true)
    }

    /// What the worker has said since the last time, and whether its end is closed.
    pub(super) fn hear(&mut self) -> (Vec<Message>, End) {
        let mut end = End::Open;
        let mut piece = [0; 4096];
        loop {
            match self.stream.read(&mut piece) {
                Ok(0) => {
                    end = End::Closed;
                    break;
                }
                Ok(bytes) => self.unread.extend_from_slice(&piece[..bytes]),
                Err(error) if error.kind() == ErrorKind::Interrupted => {}
                Err(error) if error.kind() == ErrorKind::WouldBlock => break,
                Err(_) => {
                    end = End::Closed;
                    break;
                }
            }
            if self.unread.len() > UNREAD_BYTES {
                break;
            }
        }
        let mut messages = Vec::new();
        while let Some(at) = self.unread.iter().position(|byte| *byte == b'\n') {
            let line: Vec<u8> = self.unread.drain(..=at).collect();
            messages.extend(Message::read(String::from_utf8_lossy(&line).trim_end()));
        }
        if self.unread.len() > UNREAD_BYTES {
            // No line of ours is as long: what it was is not known, and it goes.
            self.unread.clear();
        }
        (messages, end)
    }
}

impl AsFd for ParentEnd {
    fn as_fd(&self) -> BorrowedFd<'_> {
        self.stream.as_fd()
    }
}

/// Whether the worker can still say something.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum End {
    Open,
    Closed,
}

/// A worker's end: what it says to its parent.
#[derive(Debug)]
pub struct Channel {
    stream: UnixStream,
}

impl Channel {
    /// Says something. A parent that is gone does not hear it; the worker ends then anyway.
    pub fn say(&mut self, message: &Message) {
        let line = format!("{message}\n");
        self.stream.write_all(line.as_bytes()).ok();
    }
}

/// It becomes readable when the parent is gone: it never says more than the first line.
impl AsFd for Channel {
    fn as_fd(&self) -> BorrowedFd<'_> {
        self.stream.as_fd()
    }
}

/// What a worker is given.
#[derive(Debug)]
pub struct Handover {
    /// Its number.
    pub worker: u64,
    /// The settings.
    pub values: Values,
    /// The sockets.
    pub listeners: Vec<Listener>,
    /// The way back.
    pub channel: Channel,
}

/// Why a worker cannot take over.
#[derive(Debug, thiserror::Error)]
pub enum HandoverError {
    /// The variable names no open descriptor.
    #[error("{CHANNEL_VARIABLE}: expected the number of an open socket, found `{0}`")]
    NoChannel(String),
    /// The first line did not come.
    #[error("the parent process said nothing: {0}")]
    Silence(io::Error),
    /// The first line is not understood.
    #[error("the parent process is of another version: {0}")]
    Language(serde_json::Error),
    /// The settings are not understood.
    #[error("the parent process is of another version: {0}")]
    Settings(#[from] SettingsError),
    /// A socket is not there.
    #[error(transparent)]
    Socket(#[from] ListenError),
}

impl Handover {
    /// Takes over what the parent hands to the process of which `number` is the channel. To be called once, first
    /// of all. From now on the process is told to stop when its parent dies.
    pub fn receive(number: &str) -> Result<Self, HandoverError> {
        let no_channel = || HandoverError::NoChannel(number.to_owned());
        let descriptor = number.parse().map_err(|_| no_channel())?;
        let socket = ffi::adopt(descriptor).ok_or_else(no_channel)?;
        // Subprocesses of the application must not keep the channel open.
        rustix::io::fcntl_setfd(&socket, FdFlags::CLOEXEC).map_err(|_| no_channel())?;
        // The channel's end says it as well; this reaches a worker that is stuck in a call.
        rustix::process::set_parent_process_death_signal(Some(Signal::TERM)).ok();
        let stream = UnixStream::from(socket);
        let mut line = String::new();
        let mut reader = BufReader::new(&stream);
        reader
            .read_line(&mut line)
            .map_err(HandoverError::Silence)?;
        if line.is_empty() {
            let gone = io::Error::from(ErrorKind::UnexpectedEof);
            return Err(HandoverError::Silence(gone));
        }
        let told: Told = serde_json::from_str(&line).map_err(HandoverError::Language)?;
        let mut listeners = Vec::new();
        for number in told.listeners {
            listeners.push(listen::adopt(number)?);
        }
        Ok(Self {
            worker: told.worker,
            values: Values::from_words(told.settings)?,
            listeners,
            channel: Channel { stream },
        })
    }
}

/// The number to put into [`CHANNEL_VARIABLE`].
pub(super) fn number(end: &OwnedFd) -> String {
    end.as_raw_fd().to_string()
}

#[cfg(test)]
mod tests {
    use std::os::fd::IntoRawFd as _;

    use super::*;

    #[test]
    fn a_worker_is_told_and_says() {
        let (mut parent, theirs) = ParentEnd::pair().expect("a pair");
        let settings = BTreeMap::from([("workers".to_owned(), vec!["3".to_owned()])]);
        parent.tell(7, &[], &settings).expect("it fits");
        let number = theirs.into_raw_fd().to_string();
        let mut handover = Handover::receive(&number).expect("it was told");
        assert_eq!(handover.worker, 7);
        assert_eq!(handover.values.words(), settings);
        assert_eq!(parent.hear(), (vec![], End::Open));
        handover.channel.say(&Message::Ready);
        handover.channel.say(&Message::Alive);
        assert_eq!(
            parent.hear(),
            (vec![Message::Ready, Message::Alive], End::Open)
        );
        handover.channel.say(&Message::Going("old".to_owned()));
        drop(handover);
        assert_eq!(
            parent.hear(),
            (vec![Message::Going("old".to_owned())], End::Closed)
        );
    }

    #[test]
    fn a_line_in_pieces_is_one_line_and_noise_is_none() {
        let (mut parent, theirs) = ParentEnd::pair().expect("a pair");
        parent.tell(1, &[], &BTreeMap::new()).expect("it fits");
        let mut stream = UnixStream::from(theirs);
        stream.write_all(b"rea").expect("written");
        assert_eq!(parent.hear().0, []);
        stream
            .write_all(b"dy\n\xff\xfe\nnoise\nalive\n")
            .expect("written");
        assert_eq!(parent.hear().0, [Message::Ready, Message::Alive]);
        stream.set_nonblocking(true).expect("it is ours");
        for _ in 0..100 {
            // Fills what there is; the parent drops what is no line.
            stream.write_all(&[b'x'; 4096]).ok();
            parent.hear();
        }
        assert!(parent.unread.len() <= UNREAD_BYTES);
    }

    #[test]
    fn a_number_that_is_no_channel_is_told() {
        for number in ["", "x", "-1", "65000"] {
            let line = Handover::receive(number)
                .expect_err("there is none")
                .to_string();
            let expected = "CORRENTE_CHANNEL: expected the number of an open socket, found ";
            assert!(line.starts_with(expected), "{line}");
        }
    }
}
