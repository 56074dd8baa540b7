//! A transport in memory: what h2 reads has been received, what it writes is to be sent.
//!
//! Both ends are in one thread; the lock is there because h2 may want to be sent to another, and nobody ever
//! waits for it.

use std::io;
use std::pin::Pin;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::task::{Context, Poll};

use tokio::io::{AsyncRead, AsyncWrite, ReadBuf};

/// What has come and what is to go.
#[derive(Debug, Default)]
pub(super) struct Wires {
    pub(super) incoming: Vec<u8>,
    /// Bytes of `incoming` that were read.
    pub(super) read: usize,
    pub(super) outgoing: Vec<u8>,
    pub(super) max_outgoing_bytes: usize,
    pub(super) has_ended: bool,
    /// What has come is not to be read just now.
    pub(super) is_held: bool,
}

/// One end of the transport; both are the same.
#[derive(Debug, Clone, Default)]
pub(super) struct Pipe(Arc<Mutex<Wires>>);

impl Pipe {
    pub(super) fn wires(&self) -> MutexGuard<'_, Wires> {
        // Bytes are whole even where a panic came between them.
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl AsyncRead for Pipe {
    fn poll_read(
        self: Pin<&mut Self>,
        _: &mut Context<'_>,
        buffer: &mut ReadBuf<'_>,
    ) -> Poll<io::Result<()>> {
        let mut wires = self.wires();
        let unread = &wires.incoming[wires.read..];
        if wires.is_held || (unread.is_empty() && !wires.has_ended) {
            return Poll::Pending;
        }
        let length = unread.len().min(buffer.remaining());
        buffer.put_slice(&unread[..length]);
        wires.read += length;
        if wires.read == wires.incoming.len() {
            wires.incoming.clear();
            wires.read = 0;
        }
        Poll::Ready(Ok(()))
    }
}

impl AsyncWrite for Pipe {
    fn poll_write(
        self: Pin<&mut Self>,
        _: &mut Context<'_>,
        data: &[u8],
    ) -> Poll<io::Result<usize>> {
        let mut wires = self.wires();
        if wires.outgoing.len() >= wires.max_outgoing_bytes {
            return Poll::Pending;
        }
        wires.outgoing.extend_from_slice(data);
        Poll::Ready(Ok(data.len()))
    }

    fn poll_flush(self: Pin<&mut Self>, _: &mut Context<'_>) -> Poll<io::Result<()>> {
        Poll::Ready(Ok(()))
    }

    fn poll_shutdown(self: Pin<&mut Self>, _: &mut Context<'_>) -> Poll<io::Result<()>> {
        Poll::Ready(Ok(()))
    }
}
