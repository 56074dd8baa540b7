//! What is written to a stream from Rust: by TLS sessions, which lend what they have encrypted, and by protocols, which
//! also send files.
//!
//! It goes at once, behind what was written before, and only what the socket does not take is kept: nothing is gathered, since
//! whoever calls has gathered it. Key invariant: nothing overtakes what waits.

use std::io::{self, IoSlice};

use corrente_driver::file::FilePart;
use corrente_driver::socket::{self, Sequel};
use pyo3::prelude::*;
use pyo3::types::PyBytes;

use super::queue::SENT_MOST;
use super::writing::{FAILED, Standing, catch_up, failure, hold, noted, send_now};
use super::{STREAM, Stream, fatal};
use crate::error::os_error;
use crate::ffi::bytes::Chunk;

/// Writes what a TLS session has encrypted or a protocol in Rust has made, and something behind it, in one call. What the
/// socket does not take is copied, but for an object.
pub(crate) fn pass(
    transport: &Bound<'_, PyAny>,
    content: &[u8],
    after: Behind<'_, '_>,
) -> PyResult<()> {
    let stream = STREAM.get(transport)?;
    // What was written before the connection was secured goes first.
    let standing = catch_up(transport, stream)?;
    let behind = after.bytes();
    let length = content.len() + behind.len();
    if length == 0 {
        return Ok(());
    }
    let written = match standing {
        Standing::Lost => return Ok(()),
        Standing::Behind => Ok(0),
        Standing::Free => send_both(stream, content, behind),
    };
    let written = match written {
        Ok(written) if written == length => return Ok(()),
        Ok(written) => written,
        Err(error) => return fatal(transport, os_error(&error), FAILED),
    };
    let (left, written) = (
        content.get(written..),
        written.saturating_sub(content.len()),
    );
    // Both before the protocol hears of it: what it writes then is behind them.
    stream.with(transport.py(), |state| {
        let queue = &mut state.outgoing;
        queue.push(Chunk::Copied(left.unwrap_or_default().into()), 0);
        match after {
            Behind::Nothing => {}
            Behind::Object(object) => queue.push(Chunk::kept(object), written),
            Behind::Lent(bytes) => {
                let left = bytes.get(written..).unwrap_or_default();
                queue.push(Chunk::Copied(left.into()), 0);
            }
        }
    })?;
    hold(transport, stream)
}

/// What goes behind some content.
#[derive(Debug, Clone, Copy)]
pub(crate) enum Behind<'a, 'py> {
    Nothing,
    /// It is kept where the socket does not take it.
    Object(&'a Bound<'py, PyBytes>),
    /// It is copied then.
    Lent(&'a [u8]),
}

impl Behind<'_, '_> {
    fn bytes(&self) -> &[u8] {
        match self {
            Self::Nothing => b"",
            Self::Object(object) => object.as_bytes(),
            Self::Lent(bytes) => bytes,
        }
    }
}

/// What the socket takes at once of two pieces.
fn send_both(stream: &Stream, first: &[u8], second: &[u8]) -> io::Result<usize> {
    match (first, second) {
        (only, []) | ([], only) => send_now(stream, only),
        (first, second) => {
            let slices = [IoSlice::new(first), IoSlice::new(second)];
            Ok(noted(
                stream,
                socket::write_all(stream.descriptor, &slices, Sequel::Nothing)?,
            ))
        }
    }
}

/// Sends content, if there is any, and behind it what is left of a file, behind what waits already. Where all of it can go, it
/// is one segment's that the file begins in.
pub(crate) fn pass_file(
    transport: &Bound<'_, PyAny>,
    content: &[u8],
    mut part: FilePart,
) -> PyResult<()> {
    let stream = STREAM.get(transport)?;
    let written = match catch_up(transport, stream)? {
        Standing::Lost => return Ok(()),
        Standing::Behind => Ok(0),
        Standing::Free => send_file_now(stream, content, &mut part),
    };
    let left = match written {
        Ok(written) => &content[written..],
        Err(error) => return fatal(transport, failure(&error), FAILED),
    };
    if left.is_empty() && part.left() == 0 {
        return Ok(());
    }
    stream.with(transport.py(), |state| {
        if !left.is_empty() {
            state.outgoing.push(Chunk::Copied(left.into()), 0);
        }
        state.outgoing.push_file(part);
    })?;
    hold(transport, stream)
}

/// What the socket takes at once of some content, and, where that is all of it, of the file behind it.
fn send_file_now(stream: &Stream, content: &[u8], part: &mut FilePart) -> io::Result<usize> {
    let mut written = 0;
    if !content.is_empty() {
        written = noted(
            stream,
            socket::write(stream.descriptor, content, Sequel::More)?,
        );
    }
    if written == content.len() {
        noted(stream, part.write(stream.descriptor, SENT_MOST)?);
    }
    Ok(written)
}
