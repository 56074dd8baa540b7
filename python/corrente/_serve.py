"""Serving an application in this process: sockets, lifespan, signals, and an end without lost requests.

Requests are native (`corrente._native.HttpServer`); what happens once is here. How several processes are kept is
not known here.
"""

from __future__ import annotations

import asyncio
import functools
import inspect
import logging
import signal
import socket
import ssl
from typing import TYPE_CHECKING, Any, TypeAlias

from corrente import _loop, _native
from corrente._lifespan import Lifespan

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable

#: An application, of either interface.
Foreign: TypeAlias = Any

logger = logging.getLogger("corrente.server")

#: Connections that wait to be accepted.
BACKLOG = 2048

#: Seconds between two looks for clients that are too slow.
LOOK_EVERY = 1.0


def interface_of(application: Foreign) -> str:
    """Tell which interface an application has: "asgi" or "wsgi"."""
    function = application
    while isinstance(function, functools.partial):
        function = function.func
    if inspect.isclass(function):
        raise TypeError(f"an application is called for each request; {function!r} is a class")
    called = function if inspect.isroutine(function) else type(function).__call__
    return "asgi" if inspect.iscoroutinefunction(called) else "wsgi"


def serve(
    application: Callable[..., Foreign],
    *,
    bind: str | Iterable[str] = "127.0.0.1:8000",
    interface: str = "auto",
    ssl_context: ssl.SSLContext | None = None,
    graceful_timeout: float = 30.0,
    **settings: Foreign,
) -> None:
    """Serve an ASGI or WSGI application on a Corrente loop until SIGTERM or Ctrl-C.

    Args:
        application: what is called for each request.
        bind: addresses, each as `HOST:PORT`, `[HOST]:PORT` or `unix:PATH`.
        interface: "asgi", "wsgi", or "auto" to find out.
        ssl_context: for TLS; none is plain HTTP.
        graceful_timeout: seconds that requests have to end in, once the server is told to.
        settings: those of a server: `root_path`, `server_name`, `head_timeout`, `body_timeout`, `write_timeout`,
            `idle_timeout` (seconds), `max_in_flight` (requests), `max_body_bytes`.

    Raises:
        OSError: an address cannot be bound.
        LifespanFailed: the application said that it cannot begin.
    """
    addresses = [bind] if isinstance(bind, str) else list(bind)
    sockets = [bound(address) for address in addresses]
    try:
        _loop.run(
            run(
                application,
                sockets,
                interface=interface,
                ssl_context=ssl_context,
                graceful_timeout=graceful_timeout,
                **settings,
            )
        )
    finally:
        for listening in sockets:
            listening.close()


def bound(address: str) -> socket.socket:
    """Give a socket that is bound to an address.

    Raises:
        ValueError: it is none.
        OSError: it cannot be bound.
    """
    if address.startswith("unix:"):
        local = socket.socket(socket.AF_UNIX)
        local.bind(address.removeprefix("unix:"))
        return local
    host, colon, port = address.rpartition(":")
    if not colon or not port.isdecimal():
        raise ValueError(f"expected HOST:PORT or unix:PATH, found {address!r}")
    host = host.removeprefix("[").removesuffix("]")
    family = socket.AF_INET6 if ":" in host else socket.AF_INET
    listening = socket.socket(family)
    try:
        listening.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        listening.bind((host, int(port)))
    except OSError as failure:
        listening.close()
        text = f"{address}: {failure.strerror or failure}"
        raise OSError(failure.errno, text) from None
    return listening


async def run(
    application: Callable[..., Foreign],
    sockets: Iterable[socket.socket],
    *,
    interface: str = "auto",
    ssl_context: ssl.SSLContext | None = None,
    graceful_timeout: float = 30.0,
    ready: Callable[[], None] | None = None,
    **settings: Foreign,
) -> None:
    """Serve on bound sockets in the running loop until SIGTERM or SIGINT."""
    kind = interface_of(application) if interface == "auto" else interface
    loop = asyncio.get_running_loop()
    lifespan = Lifespan(application) if kind == "asgi" else None
    state = None
    if lifespan is not None:
        await lifespan.begin()
        state = lifespan.state
    server = _native.HttpServer(
        application, loop, report, interface=kind, state=state, **settings
    )
    listening = [
        await loop.create_server(server, sock=one, backlog=BACKLOG, ssl=ssl_context)
        for one in sockets
    ]
    stop = asyncio.Event()
    for number in (signal.SIGTERM, signal.SIGINT):
        loop.add_signal_handler(number, stop.set)
    looking = loop.create_task(_look(server), name="slow clients")
    if ready is not None:
        ready()
    try:
        await stop.wait()
    finally:
        for one in listening:
            one.close()
        await _drain(server, graceful_timeout)
        looking.cancel()
        for number in (signal.SIGTERM, signal.SIGINT):
            loop.remove_signal_handler(number)
        if lifespan is not None:
            await lifespan.end()


async def _look(server: _native.HttpServer) -> None:
    while True:
        await asyncio.sleep(LOOK_EVERY)
        server.look()


async def _drain(server: _native.HttpServer, timeout: float) -> None:
    """Wait until all requests are answered, but no longer than that."""
    loop = asyncio.get_running_loop()
    until = loop.time() + timeout
    server.drain()
    while server.connections and loop.time() < until:
        await asyncio.sleep(0.01)
    if server.connections:
        logger.warning("%d connections were cut after %g s", server.connections, timeout)
        server.abort()
        await asyncio.sleep(0)


def report(text: str, exception: BaseException | None) -> None:
    """Log what went wrong with a request."""
    logger.error(text, exc_info=exception)
