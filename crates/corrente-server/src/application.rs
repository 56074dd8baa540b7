//! The kinds of applications, and folders of files, as a connection sees them.
//!
//! Knows which kind there is and what each is given; not how bytes become requests.

use std::collections::VecDeque;
use std::net::SocketAddr;
use std::sync::Arc;

use corrente_http::h1::Body;
use corrente_http::ws::{self, DeflateOptions, Handshake, HandshakeError};
use corrente_loop::native::Transport;
use pyo3::IntoPyObjectExt as _;
use pyo3::exceptions::PyRuntimeError;
use pyo3::intern;
use pyo3::prelude::*;

use crate::asgi::request::{self, Request};
use crate::asgi::scope::{self, Ends};
use crate::asgi::socket::WebSocket;
use crate::connection::life::ends;
use crate::exchange::{Held, Line, Piece};
use crate::folder::{Fetch, Folder};
use crate::mount::{Mount, Roots};
use crate::operations::{Arrival, Deflate};
use crate::peer::Peer;
use crate::shared::Shared;
use crate::talk::Asked;
use crate::wsgi::call::Call;
use crate::wsgi::{self};

/// Which interface an application has.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Interface {
    /// Called at once, and told of the body as it comes.
    Asgi,
    /// Called when the request is whole.
    Wsgi,
    /// None: it is a folder of files.
    Static,
}

/// What all requests of a connection have in common: who asks, and for each application what it is told of all that is asked
/// there.
pub(crate) struct Templates {
    pub(crate) peer: Peer,
    all: Arc<[Template]>,
}

/// Addresses of the server whose connections have their templates in common; one that listens on all addresses has more than
/// one.
const ADDRESSES_MOST: usize = 16;

/// Templates by the address that clients have connected to.
#[derive(Default)]
pub(crate) struct Known(VecDeque<(SocketAddr, Arc<[Template]>)>);

impl Known {
    fn find(&self, address: SocketAddr) -> Option<Arc<[Template]>> {
        let mut all = self.0.iter();
        let (_, found) = all.find(|(known, _)| *known == address)?;
        Some(Arc::clone(found))
    }

    /// Adds one; gives back what is forgotten for it.
    fn add(&mut self, address: SocketAddr, templates: Arc<[Template]>) -> Option<Arc<[Template]>> {
        self.0.push_back((address, templates));
        let is_full = self.0.len() > ADDRESSES_MOST;
        is_full
            .then(|| self.0.pop_front())
            .flatten()
            .map(|(_, one)| one)
    }
}

impl Templates {
    /// Of a connection.
    pub(crate) fn of(py: Python<'_>, shared: &Shared, transport: &Transport) -> PyResult<Self> {
        match transport.addresses(py)? {
            Some((peer, local)) => Ok(Self {
                peer: Peer::of(py, canonical(peer), shared)?,
                all: Self::at(py, shared, canonical(local))?,
            }),
            None => Self::new(py, shared, &ends(py, shared, transport)?),
        }
    }

    /// Of a connection that has these ends.
    pub(crate) fn new(py: Python<'_>, shared: &Shared, ends: &Ends<'_>) -> PyResult<Self> {
        Ok(Self {
            peer: Peer::new(ends, shared)?,
            all: Self::all(py, shared, ends)?,
        })
    }

    /// Of connections without TLS to an address.
    fn at(py: Python<'_>, shared: &Shared, local: SocketAddr) -> PyResult<Arc<[Template]>> {
        let known = &shared.live.templates;
        if let Some(found) = known.with(py, |known| known.find(local))? {
            return Ok(found);
        }
        let ends = Ends {
            scheme: intern!(py, "http").clone(),
            client: py.None().into_bound(py),
            server: (local.ip().to_string(), local.port()).into_bound_py_any(py)?,
            tls: None,
        };
        let made = Self::all(py, shared, &ends)?;
        let forgotten = known.with(py, |known| known.add(local, Arc::clone(&made)))?;
        drop(forgotten);
        Ok(made)
    }

    fn all(py: Python<'_>, shared: &Shared, ends: &Ends<'_>) -> PyResult<Arc<[Template]>> {
        let mounts = shared.mounts.iter();
        mounts
            .map(|mount| Template::new(py, shared, mount, ends))
            .collect()
    }

    /// A request that comes in.
    pub(crate) fn begin(
        &self,
        py: Python<'_>,
        shared: &Shared,
        arrival: &Arrival<'_>,
        line: Arc<dyn Line>,
    ) -> PyResult<Begun> {
        let mut place = shared.mounts.place(arrival.head);
        if matches!(self.all.get(place), Some(Template::Static(..)))
            && shared.operations().is_own(arrival)
        {
            // The server's own answers are applications, which a folder cannot call.
            place = self.all.len() - 1;
        }
        let template = self.all.get(place);
        let template = template.ok_or_else(|| PyRuntimeError::new_err("no such application"))?;
        template.begin(py, shared, arrival, line, place)
    }
}

/// An address of IPv4 as such, as [`ends`] has it.
fn canonical(address: SocketAddr) -> SocketAddr {
    SocketAddr::new(address.ip().to_canonical(), address.port())
}

/// What all requests to one application have in common that come to one address.
enum Template {
    Asgi(scope::Template),
    Wsgi(wsgi::Template),
    Static(Py<Folder>, Roots),
}

/// A request, as its application has it.
pub(crate) enum Handler {
    Asgi(Py<Request>),
    Wsgi(Py<Call>),
    Socket(Py<WebSocket>),
    Static(Py<Fetch>),
}

/// What a head led to.
pub(crate) enum Begun {
    Request(Beginning),
    Socket(Beginning, Py<WebSocket>, Asked),
    /// A WebSocket was asked for in a way in which nobody gets one.
    Refused(HandshakeError),
}

/// A request that begins.
pub(crate) struct Beginning {
    /// The place of its application.
    pub(crate) mount: usize,
    pub(crate) handler: Handler,
    /// ASGI's.
    pub(crate) given: Option<Given>,
    /// What answers it in the application's place.
    pub(crate) own: Option<Py<PyAny>>,
    /// Method and path, where stalls are told.
    pub(crate) name: Option<String>,
}

/// What an application of ASGI is called with.
pub(crate) struct Given {
    pub(crate) scope: Py<PyAny>,
    pub(crate) receive: Py<PyAny>,
    pub(crate) send: Py<PyAny>,
}

impl Beginning {
    fn new(
        py: Python<'_>,
        shared: &Shared,
        arrival: &Arrival<'_>,
        handler: Handler,
        mount: usize,
    ) -> Self {
        let operations = shared.operations();
        Self {
            mount,
            handler,
            given: None,
            own: operations.own(py, arrival),
            name: operations.name(arrival),
        }
    }
}

impl Template {
    fn new(py: Python<'_>, shared: &Shared, mount: &Mount, ends: &Ends<'_>) -> PyResult<Self> {
        let root = shared.mounts.roots(mount);
        Ok(match mount.interface {
            Interface::Asgi => {
                let template = scope::Template::new(py, ends, root, mount.state.as_ref())?;
                Self::Asgi(template)
            }
            Interface::Wsgi => {
                let concurrency = match shared.threads {
                    Some(_) => wsgi::Concurrency::Threads,
                    None => wsgi::Concurrency::One,
                };
                Self::Wsgi(wsgi::Template::new(py, ends, root, concurrency)?)
            }
            Interface::Static => {
                let folder = mount.application.bind(py).cast::<Folder>()?;
                Self::Static(folder.clone().unbind(), root)
            }
        })
    }

    fn begin(
        &self,
        py: Python<'_>,
        shared: &Shared,
        arrival: &Arrival<'_>,
        line: Arc<dyn Line>,
        mount: usize,
    ) -> PyResult<Begun> {
        let head = arrival.head;
        match self {
            Self::Asgi(template) if ws::is_asked(head) => {
                socket(py, template, shared, arrival, line, mount)
            }
            Self::Asgi(template) => {
                let begun = match head.body() {
                    Body::None => request::Begun::WithoutBody,
                    _ if head.expects_continue() => request::Begun::ExpectsContinue,
                    Body::Length(_) | Body::Chunked => request::Begun::WithBody,
                };
                let scope = template.scope(py, arrival, &shared.live.headers)?;
                let event_loop = shared.starter.event_loop();
                let channel = shared.live.channels.open(py, event_loop, line, begun)?;
                let given = Given {
                    scope: scope.into_any().unbind(),
                    receive: channel.receive,
                    send: channel.send,
                };
                let handler = Handler::Asgi(channel.request);
                Ok(Begun::Request(Beginning {
                    given: Some(given),
                    ..Beginning::new(py, shared, arrival, handler, mount)
                }))
            }
            Self::Wsgi(_) if head.protocol().is_some() => {
                Ok(Begun::Refused(HandshakeError::NotSpoken))
            }
            Self::Wsgi(template) => {
                // All of the body is read before the application is called.
                if head.expects_continue() {
                    line.continues(py)?;
                }
                let environ = template.environ(py, arrival)?.unbind();
                let call = Py::new(py, Call::new(environ, line))?;
                let handler = Handler::Wsgi(call);
                let beginning = Beginning::new(py, shared, arrival, handler, mount);
                Ok(Begun::Request(beginning))
            }
            Self::Static(folder, roots) => {
                let fetch = Fetch::new(folder.clone_ref(py), roots, head);
                let handler = Handler::Static(Py::new(py, fetch)?);
                let beginning = Beginning::new(py, shared, arrival, handler, mount);
                Ok(Begun::Request(beginning))
            }
        }
    }
}

fn socket(
    py: Python<'_>,
    template: &scope::Template,
    shared: &Shared,
    arrival: &Arrival<'_>,
    line: Arc<dyn Line>,
    mount: usize,
) -> PyResult<Begun> {
    let head = arrival.head;
    let handshake = match Handshake::of(head) {
        Ok(handshake) => handshake,
        Err(refusal) => return Ok(Begun::Refused(refusal)),
    };
    let event_loop = shared.starter.event_loop().clone_ref(py);
    let socket = Py::new(py, WebSocket::new(event_loop, line))?;
    let scope = template.socket(py, arrival, &handshake, &shared.live.headers)?;
    let handler = Handler::Socket(socket.clone_ref(py));
    let beginning = Beginning {
        given: Some(Given {
            scope: scope.into_any().unbind(),
            receive: socket.getattr(py, intern!(py, "receive"))?,
            send: socket.getattr(py, intern!(py, "send"))?,
        }),
        own: None,
        ..Beginning::new(py, shared, arrival, handler, mount)
    };
    let asked = Asked {
        accept_key: handshake.accept_key().to_owned(),
        deflate: match shared.operations().limits.deflate {
            Deflate::Offered => handshake.deflate(DeflateOptions::default()),
            Deflate::Refused => None,
        },
    };
    Ok(Begun::Socket(beginning, socket, asked))
}

impl Handler {
    pub(crate) fn clone_ref(&self, py: Python<'_>) -> Self {
        match self {
            Self::Asgi(request) => Self::Asgi(request.clone_ref(py)),
            Self::Wsgi(call) => Self::Wsgi(call.clone_ref(py)),
            Self::Socket(socket) => Self::Socket(socket.clone_ref(py)),
            Self::Static(fetch) => Self::Static(fetch.clone_ref(py)),
        }
    }

    /// Whether it is one of an application that is called when the request is whole.
    pub(crate) fn is_wsgi(&self) -> bool {
        matches!(self, Self::Wsgi(_))
    }

    pub(crate) fn object(&self) -> &Py<PyAny> {
        match self {
            Self::Asgi(request) => request.as_any(),
            Self::Wsgi(call) => call.as_any(),
            Self::Socket(socket) => socket.as_any(),
            Self::Static(fetch) => fetch.as_any(),
        }
    }

    /// Some of the body has come; gives back what waits in memory to be asked for.
    pub(crate) fn put(&self, py: Python<'_>, piece: Piece<'_, '_>) -> PyResult<Held> {
        let nothing = Held {
            bytes: 0,
            is_awaited: false,
        };
        match self {
            Self::Asgi(request) => request.get().put(py, piece),
            Self::Wsgi(call) => call.get().put(py, piece.bytes()).map(|()| nothing),
            // The request for a WebSocket has none, and nobody asks for that of one for a file.
            Self::Socket(_) | Self::Static(_) => Ok(nothing),
        }
    }

    /// Whether the application waits for some of the body.
    pub(crate) fn is_awaited(&self, py: Python<'_>) -> PyResult<bool> {
        match self {
            Self::Asgi(request) => request.get().is_awaited(py),
            Self::Wsgi(_) | Self::Socket(_) | Self::Static(_) => Ok(false),
        }
    }

    /// The body is whole.
    pub(crate) fn end(&self, py: Python<'_>) -> PyResult<()> {
        match self {
            Self::Asgi(request) => request.get().end(py),
            Self::Wsgi(_) | Self::Socket(_) | Self::Static(_) => Ok(()),
        }
    }

    /// The client sends no more; it may still read.
    pub(crate) fn half_closed(&self, py: Python<'_>) -> PyResult<()> {
        match self {
            Self::Asgi(request) => request.get().half_closed(py),
            Self::Wsgi(_) | Self::Socket(_) | Self::Static(_) => Ok(()),
        }
    }

    /// The client has gone, or the server gives up.
    pub(crate) fn gone(&self, py: Python<'_>) -> PyResult<()> {
        match self {
            Self::Asgi(request) => request.get().gone(py),
            Self::Wsgi(call) => call.get().gone(py),
            Self::Socket(socket) => socket.get().closed(py, Some(1006), ""),
            Self::Static(_) => Ok(()),
        }
    }
}
