//! A client that is polled by hand, and the wires between it and the server.

use std::collections::VecDeque;
use std::future::Future as _;
use std::io;
use std::pin::Pin;
use std::sync::{Arc, Mutex};
use std::task::{Context, Poll, Waker};

use bytes::Bytes;
use corrente_http::http2::{Connection, Event, Http2Error, Limits, WebSockets};
use h2::client::{Connection as Inner, SendRequest, handshake};
use tokio::io::{AsyncRead, AsyncWrite, ReadBuf};

#[derive(Debug, Default)]
struct Wires {
    incoming: VecDeque<u8>,
    outgoing: Vec<u8>,
}

#[derive(Debug, Clone, Default)]
pub(crate) struct Pipe(Arc<Mutex<Wires>>);

impl AsyncRead for Pipe {
    fn poll_read(
        self: Pin<&mut Self>,
        _: &mut Context<'_>,
        buffer: &mut ReadBuf<'_>,
    ) -> Poll<io::Result<()>> {
        let mut wires = self.0.lock().expect("nobody panics");
        let length = wires.incoming.len().min(buffer.remaining());
        if length == 0 {
            return Poll::Pending;
        }
        buffer.put_slice(&wires.incoming.drain(..length).collect::<Vec<u8>>());
        Poll::Ready(Ok(()))
    }
}

impl AsyncWrite for Pipe {
    fn poll_write(
        self: Pin<&mut Self>,
        _: &mut Context<'_>,
        data: &[u8],
    ) -> Poll<io::Result<usize>> {
        self.0
            .lock()
            .expect("nobody panics")
            .outgoing
            .extend_from_slice(data);
        Poll::Ready(Ok(data.len()))
    }

    fn poll_flush(self: Pin<&mut Self>, _: &mut Context<'_>) -> Poll<io::Result<()>> {
        Poll::Ready(Ok(()))
    }

    fn poll_shutdown(self: Pin<&mut Self>, _: &mut Context<'_>) -> Poll<io::Result<()>> {
        Poll::Ready(Ok(()))
    }
}

/// A client and the server that it is connected to.
pub(crate) struct Pair {
    pub(crate) send: SendRequest<Bytes>,
    pub(crate) server: Connection,
    client: Inner<Pipe, Bytes>,
    pipe: Pipe,
}

pub(crate) fn context() -> Context<'static> {
    Context::from_waker(Waker::noop())
}

pub(crate) fn ready<T>(poll: Poll<T>) -> T {
    match poll {
        Poll::Ready(value) => value,
        Poll::Pending => panic!("is not ready"),
    }
}

impl Pair {
    pub(crate) fn new(limits: Limits) -> Self {
        let pipe = Pipe::default();
        let mut starting = Box::pin(handshake(pipe.clone()));
        let (send, client) = ready(starting.as_mut().poll(&mut context())).expect("starts");
        let mut pair = Self {
            send,
            server: Connection::new(limits, WebSockets::Announced),
            client,
            pipe,
        };
        assert!(pair.exchange().is_empty());
        pair
    }

    /// Lets both sides read and write until neither has anything to say; gives what the server saw.
    pub(crate) fn exchange(&mut self) -> Vec<Event> {
        self.try_exchange().expect("the connection lives")
    }

    pub(crate) fn try_exchange(&mut self) -> Result<Vec<Event>, Http2Error> {
        let mut events = Vec::new();
        for _ in 0..20 {
            let _polled = Pin::new(&mut self.client).poll(&mut context()).is_ready();
            let sent = std::mem::take(&mut self.pipe.0.lock().expect("nobody panics").outgoing);
            self.server.receive(&sent);
            while let Some(event) = self.server.next_event()? {
                events.push(event);
            }
            let output = self.server.take_output();
            self.pipe
                .0
                .lock()
                .expect("nobody panics")
                .incoming
                .extend(output);
        }
        Ok(events)
    }
}
