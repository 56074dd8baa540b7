"""Transports: what they rarely need, in Python; moving bytes is native.

The seam is asyncio's: names with an underscore are those that asyncio's own loop code (`sendfile`,
`start_tls`, TLS) uses of its transports.
"""

from __future__ import annotations

import asyncio
import selectors
import socket
import warnings
import weakref
from asyncio import base_events, constants, selector_events, trsock
from asyncio.log import logger
from typing import TYPE_CHECKING, Any, TypeAlias

from corrente import _native

if TYPE_CHECKING:
    from collections.abc import Callable

    from corrente._loop import EventLoop


#: What asyncio has no type for: its private classes, an address of any family.
Foreign: TypeAlias = Any


#: In place of a peer's address: the native half has it.
ACCEPTED = object()

#: A connection that the loop has accepted, before anybody has asked for its socket: its descriptor
#: and the number of its protocol.
Accepted: TypeAlias = tuple[int, int]

# What every transport tells of itself.
_DESCRIBED = {"peername", "sockname", "socket"}

# What every connection of the internet is that the loop accepts by itself.
_CONNECTION = socket.SOCK_STREAM | socket.SOCK_NONBLOCK

# Since Python 3.13 a server is told which connection it is told of.
_KNOWS_CLIENTS = hasattr(base_events.Server, "close_clients")


class Transports:
    """The transports of a loop by their descriptors, not kept alive.

    What asyncio has a `WeakValueDictionary` for, which costs a connection a microsecond and 200
    bytes. Streams of ours are known to the native half, which watches them; what others leave is
    replaced when their number is used again.
    """

    def __init__(self, loop: EventLoop) -> None:
        # Of which this is a part: it must not keep it.
        self._loop: EventLoop = weakref.proxy(loop)
        self._others: dict[int, weakref.ref[Any]] = {}
        # Those that asyncio's `sendfile` has taken out, to use their sockets.
        self._hidden: set[int] = set()

    def get(self, descriptor: int) -> Foreign:
        """The transport of a descriptor; `None` where it has none, or that is gone."""
        if descriptor in self._hidden:
            return None
        stream = self._loop._stream(descriptor)
        if stream is not None:
            return stream
        reference = self._others.get(descriptor)
        return reference() if reference is not None else None

    def streams(self) -> list[StreamTransport]:
        """Those that are streams of ours."""
        return self._loop._streams()

    def __getitem__(self, descriptor: int) -> Foreign:
        transport = self.get(descriptor)
        if transport is None:
            raise KeyError(descriptor)
        return transport

    def __setitem__(self, descriptor: int, transport: Foreign) -> None:
        if isinstance(transport, StreamTransport):
            self._hidden.discard(descriptor)
        else:
            self._others[descriptor] = weakref.ref(transport)

    def __delitem__(self, descriptor: int) -> None:
        if isinstance(self[descriptor], StreamTransport):
            self._hidden.add(descriptor)
        else:
            del self._others[descriptor]

    def __len__(self) -> int:
        others = sum(reference() is not None for reference in self._others.values())
        return len(self._loop._streams()) + others


class _Socket(trsock.TransportSocket):
    """Asyncio's own, whose transport learns of a cork, which it leaves in place."""

    __slots__ = ("_of",)

    def __init__(self, sock: socket.socket, of: StreamTransport) -> None:
        super().__init__(sock)
        self._of = weakref.ref(of)

    def setsockopt(self, *args: Foreign, **kwargs: Foreign) -> None:
        transport = self._of()
        if transport is not None and args[:2] == (socket.IPPROTO_TCP, socket.TCP_CORK):
            transport._may_be_corked()
        super().setsockopt(*args, **kwargs)


class StreamTransport(_native.Stream):
    """A TCP or Unix connection."""

    _start_tls_compatible = True
    _sendfile_compatible = constants._SendfileMode.TRY_NATIVE

    # One that is idle should be small: it has a dictionary only for what others put there.
    __slots__ = (
        "__dict__",
        "__weakref__",
        "_described",
        "_empty_waiter",
        "_given",
        "_made",
        "_peername",
        "_server",
        "_sock_fd",
    )

    #: The socket while it is open; of a connection that the loop has accepted the number of its
    #: protocol, until somebody asks for the socket.
    _made: socket.socket | int | None
    _described: dict[str, Any] | None

    def __init__(
        self,
        loop: EventLoop,
        sock: socket.socket | Accepted,
        protocol: asyncio.BaseProtocol,
        waiter: asyncio.Future[None] | None = None,
        extra: dict[str, Any] | None = None,
        server: Foreign = None,
        peername: Foreign = None,
    ) -> None:
        made: socket.socket | int
        if isinstance(sock, tuple):
            self._sock_fd, made = sock
            peername = ACCEPTED
        else:
            self._sock_fd, made = sock.fileno(), sock
            if peername is None:
                base_events._set_nodelay(sock)  # type: ignore[attr-defined]
                peername = _address(sock.getpeername)
        self._begin(loop, self._sock_fd, protocol)
        if self._sock_fd in loop._given_sockets:
            # Whoever has made it has an object of it.
            self._may_be_corked()
        # Not the base's own, which makes a dictionary, and a flow control that is native here.
        self._loop = loop
        self._made = None
        self._given = extra
        self._described = None
        self._empty_waiter: asyncio.Future[None] | None = None
        self._server: Foreign = None
        self._peername = peername
        if server is not None:
            if _KNOWS_CLIENTS:
                server._attach(self)
            else:
                _attach(server, self)
            self._server = server
        # `connection_made` is called soon; then something is read, and `create_connection` returns.
        self._begin_soon()
        if waiter is not None:
            loop.call_soon(_wake, waiter)
        # From now on the connection is this transport's: if anything was raised it is the caller's.
        self._made = made

    def _begin_by_handles(self) -> None:
        """As asyncio begins."""
        protocol: Foreign = self.get_protocol()
        self._loop.call_soon(protocol.connection_made, self)
        self._loop.call_soon(self._start_reading)

    def _begin_handle(self) -> asyncio.Handle:
        """What asyncio calls `connection_made` by, to tell what that raised."""
        protocol: Foreign = self.get_protocol()
        return asyncio.Handle(protocol.connection_made, (self,), self._loop)

    @property
    def _sock(self) -> socket.socket | None:
        """The socket, while it is open. Asyncio's `sendfile` asks."""
        return None if self._made is None else self._socket()

    def _socket(self) -> socket.socket:
        """The socket. Most connections' are never asked for, and so never made."""
        made = self._made
        if isinstance(made, socket.socket):
            return made
        peer = self._peer()
        # An address of IPv6 has four parts.
        is_ipv6 = peer is not None and len(peer) == 4
        family = socket.AF_INET6 if is_ipv6 else socket.AF_INET
        if made is None:
            # It is closed, and nobody has asked before: one like it.
            closed = socket.socket(family, _CONNECTION)
            closed.close()
            return closed
        self._made = socket.socket(family, _CONNECTION, made, self._sock_fd)
        return self._made

    @property
    def _extra(self) -> dict[str, Any]:
        """What `get_extra_info` tells, made when it is first asked: most connections never are."""
        if self._described is None:
            sock, is_open = self._socket(), self._made is not None
            self._described = {
                "socket": _Socket(sock, self) if is_open else trsock.TransportSocket(sock),
                "sockname": _address(sock.getsockname) if is_open else self._local(),
                "peername": self._peer() if self._peername is ACCEPTED else self._peername,
                **(self._given or {}),
            }
        return self._described

    def get_extra_info(self, name: str, default: Foreign = None) -> Foreign:
        """As asyncio."""
        if self._described is None and name not in _DESCRIBED:
            # Each reader's protocol asks for `sslcontext`: nothing has to be described for that.
            return self._given.get(name, default) if self._given else default
        return self._extra.get(name, default)

    @property
    def _paused(self) -> bool:
        """As asyncio's transports have it; some libraries look."""
        return not self.is_reading()

    @property
    def _closing(self) -> bool:
        """The same."""
        return self.is_closing()

    @property
    def _protocol_paused(self) -> bool:
        """Asyncio's `sendfile` asks."""
        return self._is_flow_paused()

    def __repr__(self) -> str:
        info = [self.__class__.__name__]
        is_open = self._made is not None
        if not is_open:
            info.append("closed")
        elif self.is_closing():
            info.append("closing")
        info.append(f"fd={self._sock_fd}")
        if is_open and not self._loop.is_closed():
            interest = self._loop._interest(self._sock_fd)
            info.append("read=polling" if interest & selectors.EVENT_READ else "read=idle")
            size = self.get_write_buffer_size()
            info.append(f"write=<{'polling' if size else 'idle'}, bufsize={size}>")
        return f"<{' '.join(info)}>"

    def __del__(self) -> None:
        # The constructor may not have got so far.
        if getattr(self, "_made", None) is not None:
            message = f"unclosed transport {self!r}"
            warnings.warn(message, ResourceWarning, source=self, stacklevel=2)
            self._close_socket()
        server = getattr(self, "_server", None)
        if server is not None:
            _detach(server, self)

    def _close_socket(self) -> None:
        made, self._made = self._made, None
        if isinstance(made, int):
            socket.close(self._sock_fd)
        elif made is not None:
            made.close()

    def _fatal_error(self, exc: BaseException, message: str = "Fatal error on transport") -> None:
        if isinstance(exc, OSError):
            if self._loop.get_debug():
                logger.debug("%r: %s", self, message, exc_info=True)
        else:
            self._report(exc, message)
        self._force_close(exc)

    def _report(self, exception: BaseException, message: str) -> None:
        self._loop.call_exception_handler(
            {
                "message": message,
                "exception": exception,
                "transport": self,
                "protocol": self.get_protocol(),
            }
        )

    def _protocol_failed(self, method: str, exception: BaseException) -> None:
        """`pause_writing` or `resume_writing` raised."""
        self._report(exception, f"protocol.{method}() failed")

    def _tell_debug(self, what: str) -> None:
        logger.debug("%r %s", self, what)

    def _tell_ignored_write(self) -> None:
        logger.warning("socket.send() raised exception.")

    def _call_connection_lost(self, exc: BaseException | None) -> None:
        protocol: Foreign = self.get_protocol()
        try:
            protocol.connection_lost(exc)
        finally:
            self._finish()
            if isinstance(self._made, socket.socket):
                # Its addresses are known afterwards, too.
                self._extra  # noqa: B018
            self._close_socket()
            server = self._server
            if server is not None:
                self._server = None
                if _KNOWS_CLIENTS:
                    server._detach(self)
                else:
                    _detach(server, self)
            waiter = self._empty_waiter
            if waiter is not None and not waiter.done():
                waiter.set_exception(ConnectionError("Connection is closed by peer"))

    def _rest(self) -> tuple[int, Foreign]:
        """Gives up the connection, which goes on without it: its descriptor and its server."""
        server, self._server = self._server, None
        self._finish()
        if server is not None:
            _detach(server, self)
        made, self._made = self._made, None
        if isinstance(made, socket.socket):
            return made.detach(), server
        return -1 if made is None else self._sock_fd, server

    def _make_empty_waiter(self) -> asyncio.Future[None]:
        """A future that is done when all is written; no write is taken meanwhile."""
        if self._empty_waiter is not None:
            raise RuntimeError("Empty waiter is already set")
        self._empty_waiter = self._loop.create_future()
        if self.get_write_buffer_size():
            self._set_drained(self._empty_waiter)
        else:
            self._empty_waiter.set_result(None)
            self._set_drained(self._empty_waiter)
        return self._empty_waiter

    def _reset_empty_waiter(self) -> None:
        self._empty_waiter = None
        self._set_drained(None)


class DatagramTransport(selector_events._SelectorDatagramTransport):  # type: ignore[name-defined,misc]
    """Datagrams over IP: asyncio's transport, with the kernel asked natively.

    Its `sendto` is native, too (`DatagramSocket.equip`).
    """

    # All that asyncio keeps there: without a dictionary a method is found sooner.
    __slots__ = (
        "_address",
        "_buffer",
        "_buffer_size",
        "_closing",
        "_conn_lost",
        "_native",
        "_paused",
        "_protocol",
        "_protocol_connected",
        "_server",
        "_sock",
        "_sock_fd",
    )

    # Asyncio's own, which have no types.
    _sock: Foreign

    if TYPE_CHECKING:

        def sendto(self, data: Foreign, addr: Foreign = None) -> None: ...

    def __init__(
        self,
        loop: EventLoop,
        sock: socket.socket,
        protocol: asyncio.BaseProtocol,
        address: Foreign = None,
        waiter: asyncio.Future[None] | None = None,
        extra: dict[str, Any] | None = None,
    ) -> None:
        # Asyncio's destructor asks, however far this gets.
        self._sock = None
        self._native: _native.DatagramSocket | None = None
        super().__init__(loop, sock, protocol, address, waiter, extra)
        # For as long as it is open.
        self._native = _native.DatagramSocket(loop, self, sock.family, self._extra["peername"])

    def _add_reader(self, fd: int, callback: Foreign) -> None:
        if self._native is not None and callback == self._read_ready:
            if self.is_reading():
                self._loop._add_reader(fd, self._native.read, self)
        else:
            super()._add_reader(fd, callback)

    def _sendto(self, data: Foreign, addr: Foreign) -> None:
        """Asyncio's own, for what is not sent at once."""
        super().sendto(data, addr)

    def close(self) -> None:
        """As asyncio."""
        self._native = None
        super().close()

    def _force_close(self, exc: BaseException | None) -> None:
        self._native = None
        super()._force_close(exc)


_native.DatagramSocket.equip(DatagramTransport)


def _address(ask: Callable[[], object]) -> object:
    """An address of a socket; `None` where it has none (any more)."""
    try:
        return ask()
    except OSError:
        return None


def _wake(waiter: asyncio.Future[None]) -> None:
    if not waiter.cancelled():
        waiter.set_result(None)


def _attach(server: Foreign, transport: StreamTransport) -> None:
    """Tells a server of a connection; one of ours is told which one before Python 3.13, too."""
    if hasattr(server, "_clients"):
        server._attach(transport)
    else:
        server._attach()


def _detach(server: Foreign, transport: StreamTransport) -> None:
    if hasattr(server, "_clients"):
        server._detach(transport)
    else:
        server._detach()
