//! What an application calls, `receive` and `send`, and the request that these are of: used again for the next request where
//! the application has kept none of it.
//!
//! Three objects for each request would be most of what a small one makes. Must not know how applications are called. Key
//! invariant: a channel that is used again was seen by nobody who is still there.

use std::sync::Arc;

use corrente_loop::Confined;
use corrente_loop::quick::{Method, has_only};
use pyo3::prelude::*;

use super::request::{Begun, Request, receive, send};
use crate::exchange::Exchange;

/// Channels that are kept: as many as answers may be going on that are over at once.
const KEPT_MOST: usize = 64;

static RECEIVE: Method = Method::quick(
    c"receive",
    c"receive($self, /)\n--\n\nThe next message of the request: to be awaited.",
    receive,
);

static SEND: Method = Method::quick(
    c"send",
    c"send($self, /, message)\n--\n\nSends a message of the response: to be awaited.",
    send,
);

/// A request, and what its application calls.
pub(crate) struct Channel {
    pub(crate) request: Py<Request>,
    pub(crate) receive: Py<PyAny>,
    pub(crate) send: Py<PyAny>,
}

impl Channel {
    fn new(py: Python<'_>, request: Request) -> PyResult<Self> {
        let request = Bound::new(py, request)?;
        Ok(Self {
            receive: RECEIVE.bind(request.as_any())?.unbind(),
            send: SEND.bind(request.as_any())?.unbind(),
            request: request.unbind(),
        })
    }

    /// Whether nobody else has any of it.
    fn is_free(&self, py: Python<'_>) -> bool {
        // Both methods refer to the request too.
        has_only(self.receive.bind(py), 1)
            && has_only(self.send.bind(py), 1)
            && has_only(self.request.bind(py).as_any(), 3)
    }
}

/// Channels of requests that are over.
pub(crate) struct Channels(Confined<Vec<Channel>>);

impl Default for Channels {
    fn default() -> Self {
        Self(Confined::new(Vec::new()))
    }
}

impl Channels {
    /// A channel for a request that begins.
    pub(crate) fn open(
        &self,
        py: Python<'_>,
        event_loop: &Py<PyAny>,
        exchange: Arc<dyn Exchange>,
        begun: Begun,
    ) -> PyResult<Channel> {
        match self.0.with(py, Vec::pop)? {
            Some(channel) => {
                channel.request.get().renew(py, Some(exchange), begun)?;
                Ok(channel)
            }
            None => Channel::new(py, Request::new(event_loop.clone_ref(py), exchange, begun)),
        }
    }

    /// The application has returned: its channel is kept, unless somebody else has some of it.
    pub(crate) fn close(&self, py: Python<'_>, channel: Channel) -> PyResult<()> {
        if !channel.is_free(py) {
            return Ok(());
        }
        channel.request.get().renew(py, None, Begun::WithoutBody)?;
        let too_many = self.0.with(py, |kept| {
            if kept.len() >= KEPT_MOST {
                return Some(channel);
            }
            kept.push(channel);
            None
        })?;
        drop(too_many);
        Ok(())
    }
}
