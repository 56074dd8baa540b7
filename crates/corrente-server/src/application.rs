//! The two kinds of applications, as a connection sees them.

use std::sync::Arc;

use corrente_http::h1::{Body, Head};
use pyo3::prelude::*;

use crate::asgi::request::{Begun, Request};
use crate::asgi::scope::{self, Ends};
use crate::exchange::Exchange;
use crate::shared::Shared;
use crate::wsgi::call::Call;
use crate::wsgi::{self};

/// Which interface an application has.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Interface {
    /// Called at once, and told of the body as it comes.
    Asgi,
    /// Called when the request is whole.
    Wsgi,
}

/// What all requests of a connection have in common.
pub(crate) enum Template {
    Asgi(scope::Template),
    Wsgi(wsgi::Template),
}

/// A request, as its application has it.
pub(crate) enum Handler {
    Asgi(Py<Request>),
    Wsgi(Py<Call>),
}

/// A request that begins.
pub(crate) struct Beginning {
    pub(crate) handler: Handler,
    /// ASGI's.
    pub(crate) scope: Option<Py<PyAny>>,
}

impl Template {
    pub(crate) fn new(py: Python<'_>, shared: &Shared, ends: &Ends<'_>) -> PyResult<Self> {
        let root = &shared.root_path;
        Ok(match shared.interface {
            Interface::Asgi => {
                let template = scope::Template::new(py, ends, root, shared.state.as_ref())?;
                Self::Asgi(template)
            }
            Interface::Wsgi => Self::Wsgi(wsgi::Template::new(py, ends, root)?),
        })
    }

    /// A request with this head.
    pub(crate) fn begin(
        &self,
        py: Python<'_>,
        shared: &Shared,
        head: &Head<'_>,
        exchange: Arc<dyn Exchange>,
    ) -> PyResult<Beginning> {
        match self {
            Self::Asgi(template) => {
                let begun = match head.body() {
                    Body::None => Begun::WithoutBody,
                    _ if head.expects_continue() => Begun::ExpectsContinue,
                    Body::Length(_) | Body::Chunked => Begun::WithBody,
                };
                let event_loop = shared.starter.event_loop().clone_ref(py);
                let request = Py::new(py, Request::new(event_loop, exchange, begun))?;
                let scope = template.scope(py, head, &shared.headers)?;
                Ok(Beginning {
                    handler: Handler::Asgi(request),
                    scope: Some(scope.into_any().unbind()),
                })
            }
            Self::Wsgi(template) => {
                // All of the body is read before the application is called.
                if head.expects_continue() {
                    exchange.continues(py)?;
                }
                let environ = template.environ(py, head)?.unbind();
                let call = Py::new(py, Call::new(environ, exchange))?;
                Ok(Beginning {
                    handler: Handler::Wsgi(call),
                    scope: None,
                })
            }
        }
    }
}

impl Handler {
    pub(crate) fn clone_ref(&self, py: Python<'_>) -> Self {
        match self {
            Self::Asgi(request) => Self::Asgi(request.clone_ref(py)),
            Self::Wsgi(call) => Self::Wsgi(call.clone_ref(py)),
        }
    }

    pub(crate) fn object(&self) -> &Py<PyAny> {
        match self {
            Self::Asgi(request) => request.as_any(),
            Self::Wsgi(call) => call.as_any(),
        }
    }

    /// Some of the body has come; gives back how much waits in memory to be asked for, in bytes.
    pub(crate) fn put(&self, py: Python<'_>, content: &[u8]) -> PyResult<usize> {
        match self {
            Self::Asgi(request) => request.get().put(py, content),
            Self::Wsgi(call) => call.get().put(py, content).map(|()| 0),
        }
    }

    /// The body is whole.
    pub(crate) fn end(&self, py: Python<'_>) -> PyResult<()> {
        match self {
            Self::Asgi(request) => request.get().end(py),
            Self::Wsgi(_) => Ok(()),
        }
    }

    /// The client has gone, or the server gives up.
    pub(crate) fn gone(&self, py: Python<'_>) -> PyResult<()> {
        match self {
            Self::Asgi(request) => request.get().gone(py),
            Self::Wsgi(call) => call.get().gone(py),
        }
    }
}
