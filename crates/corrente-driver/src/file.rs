//! A part of a file that is to be sent, and how much of it has been.
//!
//! Sent by the kernel (`sendfile(2)`) where it can, else read piece by piece: the file never is in memory as a whole. The
//! file's own position is neither used nor moved, so several may read one. Key invariant: a file that ends before its
//! part does is an error, never a shorter part.

use std::fs::File;
use std::io;
use std::os::fd::RawFd;
use std::os::unix::fs::FileExt as _;
use std::sync::Arc;

use rustix::io::Errno;

use crate::Descriptor;
use crate::socket::{self, Moved, Sequel};

/// What is read at once where the kernel cannot send a file, in bytes.
const PIECE: usize = 64 * 1024;

/// Some bytes of a file, from a place on.
#[derive(Debug)]
pub struct FilePart {
    file: Arc<File>,
    offset: u64,
    left: u64,
}

impl FilePart {
    /// So many bytes of a file from this place on. The file has to be one that does not block.
    pub fn new(file: File, offset: u64, length: u64) -> Self {
        Self {
            file: Arc::new(file),
            offset,
            left: length,
        }
    }

    /// Bytes that are left.
    pub fn left(&self) -> u64 {
        self.left
    }

    /// Takes off the next bytes, at most so many, as a part of their own.
    #[must_use]
    pub fn split(&mut self, most: u64) -> Self {
        let part = Self {
            file: Arc::clone(&self.file),
            offset: self.offset,
            left: self.left.min(most),
        };
        self.advance(part.left);
        part
    }

    fn advance(&mut self, bytes: u64) {
        self.offset += bytes;
        self.left -= bytes;
    }

    /// Reads the next bytes, at most so many.
    ///
    /// # Errors
    ///
    /// The kernel's, and `UnexpectedEof` where the file ends before the part.
    pub fn read(&mut self, most: usize) -> io::Result<Vec<u8>> {
        let bytes = self.peek(most)?;
        self.advance(bytes.len() as u64);
        Ok(bytes)
    }

    fn peek(&self, most: usize) -> io::Result<Vec<u8>> {
        let length = usize::try_from(self.left).unwrap_or(most).min(most);
        let mut bytes = vec![0; length];
        self.file
            .read_exact_at(&mut bytes, self.offset)
            .map_err(|error| match error.kind() {
                io::ErrorKind::UnexpectedEof => self.ended(),
                _ => error,
            })?;
        Ok(bytes)
    }

    /// Writes as much as a socket takes, at most so many bytes.
    ///
    /// # Errors
    ///
    /// The kernel's, and `UnexpectedEof` where the file ends before the part.
    pub fn write(&mut self, socket: Descriptor, most: u64) -> io::Result<Moved> {
        let length = usize::try_from(self.left.min(most)).unwrap_or(usize::MAX);
        let moved = match socket::send_file(socket, &self.file, self.offset, length) {
            // Not of every file system.
            Err(error) if is_unsupported(&error) => {
                socket::write(socket, &self.peek(PIECE)?, Sequel::Nothing)
            }
            other => other,
        }?;
        match moved {
            Moved::Bytes(0) if length > 0 => Err(self.ended()),
            Moved::Bytes(bytes) => {
                self.advance(bytes as u64);
                Ok(moved)
            }
            Moved::Later => Ok(moved),
        }
    }

    fn ended(&self) -> io::Error {
        let text = format!(
            "a file ended before byte {}, while it was being sent",
            self.offset + self.left
        );
        io::Error::new(io::ErrorKind::UnexpectedEof, text)
    }
}

fn is_unsupported(error: &io::Error) -> bool {
    let number = error.raw_os_error().map(Errno::from_raw_os_error);
    matches!(number, Some(Errno::INVAL | Errno::NOSYS | Errno::OPNOTSUPP))
}

/// The file of a descriptor that somebody else owns and may close: its own, with the same position.
///
/// # Errors
///
/// `EBADF` where there is none, `EMFILE` where there are too many.
pub fn duplicate(number: RawFd) -> io::Result<File> {
    let descriptor = Descriptor::new(number).ok_or(Errno::BADF)?;
    Ok(File::from(rustix::io::fcntl_dupfd_cloexec(descriptor, 0)?))
}

#[cfg(test)]
mod tests {
    use std::io::{Read as _, Write as _};
    use std::os::fd::AsRawFd as _;
    use std::os::unix::net::UnixStream;

    use super::*;

    /// A file without a name, with this content.
    fn file(content: &[u8]) -> File {
        let memory = rustix::fs::memfd_create("part", rustix::fs::MemfdFlags::CLOEXEC);
        let mut file = File::from(memory.expect("memory"));
        file.write_all(content).expect("it writes");
        file
    }

    #[test]
    fn a_part_is_sent_in_pieces_and_the_position_stays() {
        let (near, mut far) = UnixStream::pair().expect("a pair");
        let socket = Descriptor::new(near.as_raw_fd()).expect("open");
        let mut part = FilePart::new(file(b"0123456789"), 2, 6);
        assert_eq!(
            part.write(socket, 2).expect("it writes"),
            Moved::Bytes(2),
            "no more than asked"
        );
        let mut first = part.split(1);
        assert_eq!((first.left(), part.left()), (1, 3));
        assert_eq!(first.write(socket, 9).expect("it writes"), Moved::Bytes(1));
        assert_eq!(part.read(9).expect("it reads"), b"567");
        drop(near);
        let mut text = String::new();
        far.read_to_string(&mut text).expect("it reads");
        assert_eq!(text, "234");
    }

    #[test]
    fn a_file_that_has_shrunk_is_an_error() {
        let (near, _far) = UnixStream::pair().expect("a pair");
        let socket = Descriptor::new(near.as_raw_fd()).expect("open");
        let shrunk = file(b"0123456789");
        let mut part = FilePart::new(shrunk.try_clone().expect("a copy"), 4, 6);
        shrunk.set_len(4).expect("it shrinks");
        for error in [
            part.write(socket, 9).expect_err("nothing is there"),
            part.read(9).expect_err("nothing is there"),
        ] {
            assert_eq!(error.kind(), io::ErrorKind::UnexpectedEof);
        }
        assert_eq!(part.left(), 6);
    }

    #[test]
    fn a_duplicate_outlives_what_it_was_made_of() {
        let original = file(b"abc");
        let copy = duplicate(original.as_raw_fd()).expect("a copy");
        drop(original);
        assert_eq!(FilePart::new(copy, 0, 3).read(3).expect("it reads"), b"abc");
        let error = duplicate(-1).expect_err("no descriptor");
        assert_eq!(error.raw_os_error(), Some(Errno::BADF.raw_os_error()));
    }
}
